"""Money that comes in is told once, and no other money is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from tests.home import Home, Site, household
from tests.household import ACCOUNT, DOLLAR, KEY, MINUTE
from tests.simulator import DIALECTS, Accounting, Gateway

from .money import BALANCE_AT_FIRST, CERTAIN, came_in, watched


def order(gateway: Gateway, quota: int) -> None:
    """Let a payment that was begun arrive."""
    gateway.world.complete(gateway.world.order("wang", 10), quota)


def refer(gateway: Gateway, quota: int) -> None:
    """Let somebody be sent to the site, and move the reward for it to the balance."""
    gateway.world.reward_referral("wang", quota)
    gateway.world.fetch_referral_reward("wang")


INCOME: Final[dict[str, Callable[[Gateway, int], Any]]] = {
    "payment": lambda gateway, quota: gateway.world.top_up("wang", quota, dollars=10),
    "payment that was pending": order,
    "redemption": lambda gateway, quota: gateway.world.redeem("wang", quota),
    "check-in": lambda gateway, quota: gateway.check_in("wang", quota),
    "gift": lambda gateway, quota: gateway.world.grant("wang", quota),
    "referral": refer,
}

incomes = pytest.mark.parametrize("receive", INCOME.values(), ids=INCOME)
servers = pytest.mark.parametrize("server", DIALECTS)


@incomes
async def test_money_comes_in(
    home: Home, site: Site, receive: Callable[[Gateway, int], Any]
) -> None:
    """However money comes in, it is told once: how much, and what there is now."""
    told = await watched(home, site)
    receive(site.gateway, 10 * DOLLAR)
    await home.poll(CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 10)]
    await home.pass_hour()
    await home.poll(12)
    assert len(told.all) == 1


@servers
async def test_money_comes_in_everywhere(home: Home, server: str) -> None:
    """Every server's accounts tell of a payment."""
    site = await home.serve(household(server))
    told = await watched(home, site)
    site.gateway.world.top_up("wang", 5 * DOLLAR, dollars=5)
    await home.poll(CERTAIN)
    assert told.all == [came_in(5, BALANCE_AT_FIRST + 5)]


async def test_money_comes_in_while_money_is_spent(home: Home, site: Site) -> None:
    """What was spent meanwhile is no part of what came in."""
    told = await watched(home, site)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    site.gateway.spend(KEY, 3 * DOLLAR)
    await home.poll(CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 7)]


async def test_more_is_spent_than_came_in(home: Home, site: Site) -> None:
    """Money comes in even where less is there in the end."""
    told = await watched(home, site)
    site.gateway.world.top_up("wang", 1 * DOLLAR, dollars=1)
    site.gateway.spend(KEY, 3 * DOLLAR)
    await home.poll(CERTAIN)
    assert told.all == [came_in(1, BALANCE_AT_FIRST - 2)]


async def test_two_payments(home: Home, site: Site) -> None:
    """Two payments, some time apart, are two."""
    told = await watched(home, site)
    for _ in range(2):
        site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
        await home.poll(CERTAIN)
    assert told.all == [
        came_in(10, BALANCE_AT_FIRST + 10),
        came_in(10, BALANCE_AT_FIRST + 20),
    ]


async def test_unit_of_the_site(home: Home) -> None:
    """Amounts are in the unit in which the site shows them."""
    gateway = household()
    gateway.configure(quota_display_type="CNY", usd_exchange_rate=7.5)
    told = await watched(home, await home.serve(gateway))
    gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await home.poll(CERTAIN)
    assert told.all == [
        {**came_in(75, 750.075), "unit": "CNY"},
    ]


async def test_only_spending(home: Home, site: Site) -> None:
    """Who only spends is told of nothing."""
    told = await watched(home, site)
    for number in range(30):
        site.gateway.spend(KEY, number * 1_000)
        site.gateway.spend("Claude Code", 7)
        await home.poll()
    assert told.all == []


async def test_money_is_taken_away(home: Home, site: Site) -> None:
    """Money that is taken away is no income, nor is its return a surprise."""
    told = await watched(home, site)
    site.gateway.world.grant("wang", -20 * DOLLAR)
    await home.poll(20)
    assert told.all == []
    site.gateway.world.top_up("wang", 5 * DOLLAR, dollars=5)
    await home.poll(CERTAIN)
    assert told.all == [came_in(5, BALANCE_AT_FIRST - 15)]


@servers
async def test_refund(home: Home, server: str) -> None:
    """What a failed task gives back is no income, whatever the server makes of it."""
    site = await home.serve(household(server))
    told = await watched(home, site)
    site.gateway.spend(KEY, 4 * DOLLAR)
    await home.poll(CERTAIN)
    site.gateway.refund(KEY, 4 * DOLLAR)
    await home.poll(15)
    assert told.all == []


@servers
async def test_refund_at_once(home: Home, server: str) -> None:
    """Nor is it where it was spent and given back between two readings."""
    site = await home.serve(household(server))
    told = await watched(home, site)
    site.gateway.spend(KEY, 4 * DOLLAR)
    site.gateway.refund(KEY, 4 * DOLLAR)
    await home.poll(15)
    assert told.all == []


async def test_refund_of_a_server_that_only_tells_of_it(home: Home) -> None:
    """New API 0.10.8 knows a kind of row for refunds, and writes of them in words."""
    dialect = replace(
        DIALECTS["new_api_0_12"],
        version="v0.10.8",
        accounting=Accounting(plans_pay=True, refunds_are_rows=False),
    )
    gateway = household()
    gateway.dialect = dialect
    site = await home.serve(gateway)
    told = await watched(home, site)
    site.gateway.spend(KEY, 4 * DOLLAR)
    await home.poll(CERTAIN)
    site.gateway.refund(KEY, 4 * DOLLAR)
    await home.poll(15)
    assert told.all == []


async def test_refund_that_a_cache_hides(home: Home) -> None:
    """Nor is it where a reading after it shows the balance before (3.6)."""
    # Its refunds leave what was used as it is.
    site = await home.serve(household("new_api_rc21"))
    told = await watched(home, site)
    site.gateway.spend(KEY, 4 * DOLLAR)
    await home.poll(CERTAIN)
    site.gateway.configure(late={"user.quota": 8, "user.used_quota": 8})
    site.gateway.refund(KEY, 4 * DOLLAR)
    await home.pass_time(timedelta(seconds=5))
    await home.press_update(f"{ACCOUNT}_remaining_quota")
    assert home.state(f"{ACCOUNT}_remaining_quota") == "86.01"
    await home.poll(15)
    assert told.all == []


@pytest.mark.parametrize("cost", [0, 1 * DOLLAR])
@pytest.mark.parametrize("server", ["new_api_0_12", "new_api_rc21"])
async def test_refund_just_before_a_long_request(
    home: Home, server: str, cost: int
) -> None:
    """Nor is it where much is put aside before it was noticed, and comes back."""
    site = await home.serve(household(server))
    told = await watched(home, site)
    site.gateway.spend(KEY, 4 * DOLLAR)
    await home.poll(CERTAIN)
    site.gateway.refund(KEY, 1 * DOLLAR)
    await home.poll()
    reservation = site.gateway.reserve(KEY, 5 * DOLLAR)
    await home.poll(CERTAIN)
    if cost:
        site.gateway.settle(reservation, cost)
    else:
        site.gateway.world.release(reservation)
    await home.poll(15)
    assert told.all == []


async def test_payment_before_a_long_request_fails(home: Home, site: Site) -> None:
    """A payment is told without an amount that could be that of the request."""
    told = await watched(home, site)
    reservation = site.gateway.reserve(KEY, 5 * DOLLAR)
    await home.poll(CERTAIN)
    site.gateway.world.top_up("wang", 1 * DOLLAR, dollars=1)
    site.gateway.world.release(reservation)
    await home.poll(15)
    assert told.all == [came_in(1, BALANCE_AT_FIRST + 1) | {"amount": None}]


@pytest.mark.parametrize("server", ["new_api_0_12", "new_api_rc21", "new_api_main"])
async def test_refund_and_payment_at_once(home: Home, server: str) -> None:
    """A payment next to a refund is told, without an amount that could be wrong."""
    site = await home.serve(household(server))
    told = await watched(home, site)
    site.gateway.spend(KEY, 4 * DOLLAR)
    await home.poll(CERTAIN)
    site.gateway.refund(KEY, 1 * DOLLAR)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await home.poll(15)
    (event,) = told.all
    assert event["new_balance"] == pytest.approx(BALANCE_AT_FIRST + 7)
    # Nobody knows which part of it is the refund.
    assert event["amount"] is None


@pytest.mark.parametrize("income", ["payment", "gift"])
@pytest.mark.parametrize("server", ["one_api", "one_hub", "veloera"])
async def test_refund_that_is_no_row_and_payment_at_once(
    home: Home, server: str, income: str
) -> None:
    """So it is where the log has no rows for refunds, whoever has paid."""
    site = await home.serve(household(server))
    told = await watched(home, site)
    site.gateway.spend(KEY, 4 * DOLLAR)
    await home.poll(CERTAIN)
    site.gateway.refund(KEY, 1 * DOLLAR)
    INCOME[income](site.gateway, 10 * DOLLAR)
    await home.poll(15)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 7) | {"amount": None}]


@pytest.mark.parametrize("late", ["user.quota", "user.used_quota"])
async def test_figures_from_caches(home: Home, site: Site, late: str) -> None:
    """Balance and use of different moments make no income while money is spent."""
    told = await watched(home, site, update_interval=1)
    site.gateway.configure(late={late: 60})
    for number in range(60):
        if number % 3:
            site.gateway.spend(KEY, 2 * DOLLAR)
        await home.pass_time(MINUTE * 1.1)
    assert told.all == []


async def test_payment_seen_through_caches(home: Home, site: Site) -> None:
    """A payment is told once and exactly, though the balance comes late."""
    told = await watched(home, site, update_interval=1)
    site.gateway.configure(late={"user.quota": 60})
    site.gateway.spend(KEY, 1 * DOLLAR)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    for _ in range(30):
        await home.pass_time(MINUTE * 1.1)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 9)]


@pytest.mark.parametrize("cost", [0, 1 * DOLLAR, 9 * DOLLAR])
async def test_quota_put_aside(home: Home, site: Site, cost: int) -> None:
    """What was put aside for a long request, and comes back, is no income."""
    told = await watched(home, site)
    reservation = site.gateway.reserve(KEY, 5 * DOLLAR)
    await home.poll(4)
    if cost:
        site.gateway.settle(reservation, cost)
    else:
        site.gateway.world.release(reservation)
    await home.poll(15)
    assert told.all == []
