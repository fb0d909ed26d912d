"""The plans of an account: what is left of them, when they begin anew and end."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from tests.home import Home, Site, household
from tests.household import (
    ACCOUNT,
    DAY,
    DOLLAR,
    KEY,
    MINUTE,
    lived,
    subscribe,
    warnings,
)
from tests.restarts import restart
from tests.simulator import Answer, Gateway, Period, Rewrite

DAY_SECONDS: Final = 86_400

# Of the calls for plans, the one for what they are called has a path of its own.
PLANS: Final = "/api/subscription/self"


def at(unix: int) -> str:
    """Return a moment as a timestamp sensor shows it."""
    return datetime.fromtimestamp(unix, UTC).isoformat()


@pytest.mark.parametrize("server", ["new_api_0_12", "new_api_rc21", "new_api_main"])
async def test_plan(home: Home, server: str) -> None:
    """A plan is a device below the account, with all that is known of it."""
    gateway = household(server)
    plan = subscribe(gateway)
    gateway.spend(KEY, 20 * DOLLAR)
    site = await home.serve(gateway)
    await home.add(site, key=KEY, user="wang")
    assert home.states("Pro") == {
        "Remaining": "30.00",
        "Used": "20.00",
        "Total": "50.00",
        # The site is in UTC, and it is the 23rd.
        "Next reset": "2026-11-24T00:00:00+00:00",
        "Ends": at(plan.end_time),
    }
    assert home.device("Pro").via_device_id == home.device("Juhe AI (wang)").id
    # It does not pay from the balance.
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


async def test_plan_is_used(home: Home, site: Site) -> None:
    """What is used of a plan is shown as soon as the balance would be."""
    subscribe(site.gateway)
    await home.add(site, key=KEY, user="wang")
    assert home.state("pro_used") == "0.00"
    site.gateway.spend(KEY, 1 * DOLLAR)
    await home.poll()
    await home.pass_time(MINUTE)
    assert home.state("pro_used") == "1.00"
    assert home.state("pro_remaining") == "49.00"


async def test_plan_begins_anew(home: Home, site: Site) -> None:
    """After its reset, all of a plan is there again, until the next one."""
    subscribe(site.gateway)
    site.gateway.spend(KEY, 50 * DOLLAR)
    await home.add(site, key=KEY, user="wang")
    assert home.state("pro_remaining") == "0.00"
    await home.pass_time(16 * timedelta(hours=1))
    await home.poll(2)
    assert home.state("pro_used") == "0.00"
    assert home.state("pro_remaining") == "50.00"
    assert home.state("pro_next_reset") == "2026-11-25T00:00:00+00:00"


async def test_unlimited_plan(home: Home, site: Site) -> None:
    """Of an unlimited plan nobody knows how much is left: it is not nothing."""
    subscribe(site.gateway, total=0)
    site.gateway.spend(KEY, 20 * DOLLAR)
    await home.add(site, key=KEY, user="wang")
    assert home.state("pro_remaining") == "unknown"
    assert home.state("pro_total") == "unknown"
    assert home.state("pro_used") == "20.00"
    assert home.attributes("pro_remaining")["unlimited"] is True


@pytest.mark.parametrize(
    ("reset", "days"), [(Period.NEVER, 30), (Period.MONTHLY, 3)], ids=["never", "ends"]
)
async def test_no_further_reset(
    home: Home, site: Site, reset: Period, days: int
) -> None:
    """A plan that is not reset before it ends has no next reset, least of all 1970."""
    plan = subscribe(site.gateway, reset=reset, days=days)
    await home.add(site, key=KEY, user="wang")
    assert home.state("pro_next_reset") == "unknown"
    assert home.state("pro_ends") == at(plan.end_time)
    assert home.attributes("pro_remaining")["unlimited"] is False


async def test_plan_that_never_ends(home: Home, site: Site) -> None:
    """What ends in another age of the world has no end to show."""
    plan = subscribe(site.gateway)
    plan.end_time = 10**12
    await home.add(site, key=KEY, user="wang")
    assert home.state("pro_remaining") == "50.00"
    assert home.state("pro_ends") == "unknown"


async def test_plan_overdrawn(home: Home, site: Site) -> None:
    """A plan that was used a little further than it goes shows that."""
    plan = subscribe(site.gateway)
    plan.amount_used = 51 * DOLLAR
    await home.add(site, key=KEY, user="wang")
    assert home.state("pro_remaining") == "-1.00"


async def test_unit_of_the_site(home: Home, site: Site) -> None:
    """Plans count in the unit of the site."""
    site.gateway.configure(quota_display_type="CNY", usd_exchange_rate=7.5)
    subscribe(site.gateway)
    await home.add(site, key=KEY, user="wang")
    assert home.state("pro_total") == "375.00"
    assert home.attributes("pro_total")["unit_of_measurement"] == "CNY"
    assert home.attributes("pro_total")["device_class"] == "monetary"


async def test_plan_without_a_title(home: Home, site: Site) -> None:
    """A plan that the site does not sell any more has a number at least."""
    subscribe(site.gateway)
    site.gateway.world.offers.clear()
    await home.add(site, key=KEY, user="wang")
    assert home.states("Plan 7")["Total"] == "50.00"


async def test_titles_fail(home: Home, site: Site) -> None:
    """What a plan is called can be unknown without taking its figures along."""
    subscribe(site.gateway)
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("/api/subscription/plans", Answer(502))
    site.gateway.spend(KEY, 1 * DOLLAR)
    await home.poll(2)
    assert home.state("pro_used") == "1.00"
    assert "Pro" in home.device_names()


async def test_two_plans(home: Home, site: Site) -> None:
    """Each plan is a device, also two of the same name."""
    subscribe(site.gateway, days=10)
    subscribe(site.gateway, id=8, title="Team", total=500 * DOLLAR)
    subscribe(site.gateway, id=8, title="Team", total=500 * DOLLAR)
    site.gateway.spend(KEY, 1 * DOLLAR)
    await home.add(site, key=KEY, user="wang")
    # What ends first is used first.
    assert home.state("pro_used") == "1.00"
    assert home.state("team_used") == "0.00"
    names = [device.name for device in home.devices()]
    assert names.count("Pro") == 1
    assert names.count("Team") == 2


async def test_no_plan(home: Home, site: Site) -> None:
    """Without a plan there is none, and it is asked for once an hour."""
    await home.add(site, key=KEY, user="wang")
    assert home.device_names() == {"Juhe AI (wang)", KEY, "Claude Code", "Homework"}
    asked = site.asked(PLANS)
    await home.poll(6)
    assert site.asked(PLANS) == asked
    assert site.asked("/api/subscription/plans") == 0


@pytest.mark.parametrize("server", ["new_api_0_9", "one_api", "one_hub", "veloera"])
async def test_site_without_plans(home: Home, server: str) -> None:
    """A site that knows no plans is asked once, and not once more within the day."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, user="wang")
    for _ in range(5):
        await home.pass_hour()
    assert site.asked(PLANS) == 1
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


async def test_new_plan(home: Home, site: Site) -> None:
    """A plan that was bought appears by itself."""
    await home.add(site, key=KEY, user="wang")
    subscribe(site.gateway)
    await home.pass_hour()
    assert home.states("Pro")["Total"] == "50.00"


async def test_plan_ends(home: Home, site: Site) -> None:
    """A plan that has ended goes by itself, and with it its entities."""
    subscribe(site.gateway, days=1)
    entry = await home.add(site, key=KEY, user="wang")
    assert home.state("pro_total") == "50.00"
    await home.pass_time(DAY)
    await home.poll(4)
    assert "Pro" not in home.device_names()
    assert home.hass.states.get("sensor.pro_total") is None
    assert not [
        unique_id for unique_id in home.entities(entry) if "_plan_" in unique_id
    ]


async def test_plan_ends_while_home_assistant_is_off(home: Home, site: Site) -> None:
    """So does one that ended meanwhile."""
    subscribe(site.gateway, days=1)
    entry = await home.add(site, key=KEY, user="wang")
    await home.hass.config_entries.async_unload(entry.entry_id)
    await home.pass_time(2 * DAY)
    await restart(home, entry)
    await home.poll(4)
    assert "Pro" not in home.device_names()


async def test_plan_is_renewed(home: Home, site: Site) -> None:
    """The same plan, bought anew, is another device; the old one goes."""
    old = subscribe(site.gateway, days=1)
    await home.add(site, key=KEY, user="wang")
    await home.pass_time(DAY)
    new = subscribe(site.gateway, days=30)
    await home.poll(5)
    assert [device.name for device in home.devices()].count("Pro") == 1
    (ends,) = (
        state.state
        for state in home.hass.states.async_all("sensor")
        if state.entity_id.startswith("sensor.pro_ends")
    )
    assert ends == at(new.end_time) != at(old.end_time)


def without_plans(reply: dict[str, Any]) -> dict[str, Any]:
    """Return what servers answer whose database fails: no plans, successfully."""
    return {**reply, "data": {**reply["data"], "subscriptions": []}}


async def test_database_of_the_site_fails(home: Home, site: Site) -> None:
    """A plan that is missing once, of which nobody knows why, is still one."""
    subscribe(site.gateway)
    site.gateway.spend(KEY, 1 * DOLLAR)
    await home.add(site, key=KEY, user="wang")
    device = home.device("Pro").id
    site.gateway.faults.add(PLANS, Rewrite(without_plans), times=1)
    await home.poll()
    # Its figures are not known, and neither gone nor nothing.
    assert home.state("pro_used") == "unavailable"
    assert home.state("pro_remaining") == "unavailable"
    await home.poll(2)
    assert home.device("Pro").id == device
    assert home.state("pro_used") == "1.00"


async def test_plans_fail(home: Home, site: Site) -> None:
    """Plans that cannot be read are not shown; everything else is, and they return."""
    subscribe(site.gateway)
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add(PLANS, Answer(502))
    await home.poll(3)
    assert set(home.states("Pro").values()) == {"unavailable"}
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    site.gateway.faults.clear()
    await home.poll(3)
    assert home.state("pro_remaining") == "50.00"


async def test_plan_of_somebody_else(home: Home, site: Site) -> None:
    """A plan of another account, as a cache may mix it up, is never shown."""
    subscribe(site.gateway)
    await home.add(site, key=KEY, user="wang")

    def of_li(reply: dict[str, Any]) -> dict[str, Any]:
        (plan,) = reply["data"]["subscriptions"]
        row = {**plan["subscription"], "user_id": 99, "amount_used": 40 * DOLLAR}
        return {
            **reply,
            "data": {**reply["data"], "subscriptions": [{"subscription": row}]},
        }

    site.gateway.faults.add(PLANS, Rewrite(of_li))
    await home.poll(3)
    assert home.state("pro_used") == "unavailable"


async def test_forecast_with_a_plan(home: Home) -> None:
    """The balance lasts longer where a plan pays first."""
    days_left = {}
    for has_plan in (False, True):
        # Ten days at 12 dollars each.
        gateway = lived(a_day=12, balance=120)
        if has_plan:
            subscribe(gateway, total=100 * DOLLAR, reset=Period.NEVER, days=100)
        site = await home.serve(gateway)
        entry = await home.add(site, user="wang", entry_id=f"entry_{has_plan}")
        await home.pass_hour()
        days_left[has_plan] = float(home.state(f"{ACCOUNT}_days_left"))
        await home.hass.config_entries.async_remove(entry.entry_id)
        await home.settle()
    assert days_left[False] == pytest.approx(10, rel=0.03)
    assert days_left[True] == pytest.approx(10 + 100 / 12, rel=0.03)


async def days_left_of(home: Home, gateway: Gateway) -> str:
    """Return how long the balance of a gateway's account lasts, as it is shown."""
    site = await home.serve(gateway)
    await home.add(site, user="wang")
    await home.pass_hour()
    return home.state(f"{ACCOUNT}_days_left")


@pytest.mark.parametrize("reset", [Period.WEEKLY, Period.MONTHLY])
async def test_forecast_with_a_plan_bought_midway(home: Home, reset: Period) -> None:
    """The time until the first reset says nothing about the time after it."""
    gateway = lived(a_day=12, balance=60)
    total = {Period.WEEKLY: 12, Period.MONTHLY: 96}[reset] * DOLLAR
    plan = subscribe(gateway, total=total, reset=reset, days=300)
    if reset is Period.WEEKLY:
        # As if it were Saturday: two days until it is Monday.
        plan.next_reset_time = gateway.world.now + 2 * DAY_SECONDS
        expected = 1 + 1 + 5
    else:
        # The month ends in eight days, and the next has 31.
        expected = 8 + 8 + 5
    days_left = float(await days_left_of(home, gateway))
    assert days_left == pytest.approx(expected, abs=0.6)


def unlisted(gateway: Gateway) -> None:
    """Offer no plan any more."""
    gateway.world.offers.clear()


async def test_forecast_with_an_unknown_period(home: Home) -> None:
    """Nothing is told of what hangs on resets of which nobody knows when they are."""
    gateway = lived(a_day=12, balance=300)
    subscribe(gateway, total=48 * DOLLAR, reset=Period.MONTHLY, days=300)
    unlisted(gateway)
    assert await days_left_of(home, gateway) == "unknown"


async def test_forecast_that_needs_no_period(home: Home) -> None:
    """What ends before there could be another reset is told."""
    gateway = lived(a_day=12, balance=36)
    subscribe(gateway, total=48 * DOLLAR, reset=Period.MONTHLY, days=300)
    unlisted(gateway)
    # Four days, and three of the wallet, and the month ends in eight.
    days_left = float(await days_left_of(home, gateway))
    assert days_left == pytest.approx(7, rel=0.03)


async def test_forecast_with_a_period_seen_once(home: Home) -> None:
    """From one reset to the next is a period, also where nobody says how long it is."""
    gateway = lived(a_day=12, balance=60)
    plan = subscribe(gateway, total=6 * DOLLAR, days=300)
    plan.start_time -= 20 * DAY_SECONDS
    plan.last_reset_time = plan.next_reset_time - DAY_SECONDS
    plan.amount_used = plan.amount_total
    unlisted(gateway)
    # Nothing of today, and half of each day.
    assert float(await days_left_of(home, gateway)) == pytest.approx(9.5, abs=0.8)


async def test_forecast_with_a_reset_by_hand(home: Home) -> None:
    """A plan that an administrator has reset in between has no period from that."""
    gateway = lived(a_day=12, balance=300)
    plan = subscribe(gateway, total=48 * DOLLAR, reset=Period.MONTHLY, days=300)
    plan.start_time -= 20 * DAY_SECONDS + 77
    plan.last_reset_time += 77
    unlisted(gateway)
    assert await days_left_of(home, gateway) == "unknown"


async def test_forecast_with_a_clock_that_was_set_back(home: Home) -> None:
    """A plan that was reset after its next reset has no period from that."""
    gateway = lived(a_day=12, balance=120)
    plan = subscribe(gateway, total=48 * DOLLAR, days=100)
    plan.next_reset_time = gateway.world.now + DAY_SECONDS
    plan.last_reset_time = gateway.world.now + 30 * DAY_SECONDS
    unlisted(gateway)
    assert await days_left_of(home, gateway) == "unknown"


@pytest.mark.parametrize("has_plan", [False, True])
@pytest.mark.parametrize("balance", [0, 24])
async def test_wallet_that_nothing_may_charge(
    home: Home, balance: float, has_plan: bool
) -> None:
    """A wallet that never pays does not run out, and nobody is warned of it."""
    gateway = lived(a_day=12, balance=balance)
    gateway.world.user("wang").billing_preference = "subscription_only"
    if has_plan:
        subscribe(gateway, total=6 * DOLLAR, days=300)
    site = await home.serve(gateway)
    await home.add(site, user="wang", **warnings(low_balance_days=7))
    await home.pass_hour()
    assert home.state(f"{ACCOUNT}_days_left") == "unknown"
    assert home.state(f"{ACCOUNT}_runs_out") == "unknown"
    assert home.state(f"binary_sensor.{ACCOUNT}_low_balance") != "on"


async def test_no_warning_before_the_plans_are_read(home: Home) -> None:
    """Until it is known what pays, nobody is warned of a wallet that may not."""
    gateway = lived(a_day=12, balance=0)
    subscribe(gateway, days=300)
    site = await home.serve(gateway)
    entry = await home.add(site, user="wang", **warnings(low_balance_days=7))
    await home.pass_hour()
    low = home.changes_of(f"binary_sensor.{ACCOUNT}_low_balance")
    await restart(home, entry)
    await home.pass_hour()
    assert home.state(f"binary_sensor.{ACCOUNT}_low_balance") == "off"
    assert "on" not in low


async def test_forecast_without_the_plans(home: Home) -> None:
    """Where a site does not tell of plans, it is as if there were none."""
    gateway = lived(a_day=12, balance=120)
    gateway.faults.add(PLANS, Answer(502))
    assert float(await days_left_of(home, gateway)) == pytest.approx(10, rel=0.03)


@pytest.mark.parametrize(
    ("server", "total", "expected"),
    [
        # The wallet is not charged before the plan ends, used up or not.
        ("new_api_main", 6, 20 + 2),
        ("new_api_main", 50, 20 + 2),
        # Older servers charge it at once (gateway_api.md 6.8).
        ("new_api_0_12", 6, 4),
    ],
)
async def test_forecast_with_a_strict_plan(
    home: Home, server: str, total: int, expected: float
) -> None:
    """What a plan neither pays nor lets the wallet pay is not taken from it."""
    gateway = lived(server, a_day=12, balance=24)
    subscribe(gateway, total=total * DOLLAR, days=20, allows_overflow=False)
    days_left = float(await days_left_of(home, gateway))
    assert days_left == pytest.approx(expected, abs=0.6)


async def test_forecast_with_a_strict_plan_of_unknown_period(home: Home) -> None:
    """When a plan is reset makes no difference to a wallet that it keeps shut."""
    gateway = lived(a_day=12, balance=24)
    subscribe(gateway, reset=Period.MONTHLY, days=20, allows_overflow=False)
    unlisted(gateway)
    assert float(await days_left_of(home, gateway)) == pytest.approx(22, abs=0.6)


async def test_strict_plan_that_pays_last(home: Home) -> None:
    """A plan that comes after the wallet cannot keep it shut."""
    gateway = lived(a_day=12, balance=24)
    gateway.world.user("wang").billing_preference = "wallet_first"
    subscribe(gateway, days=20, allows_overflow=False)
    assert float(await days_left_of(home, gateway)) == pytest.approx(2, abs=0.1)


async def test_empty_wallet_and_a_strict_plan(home: Home) -> None:
    """Where neither a plan nor the wallet has anything left, it has run out."""
    gateway = lived(a_day=12, balance=0)
    plan = subscribe(gateway, total=6 * DOLLAR, days=20, allows_overflow=False)
    plan.amount_used = 6 * DOLLAR
    assert await days_left_of(home, gateway) == "0.0"


@pytest.mark.parametrize("preference", ["wallet_first", "wallet_only"])
async def test_forecast_with_a_plan_that_pays_last(home: Home, preference: str) -> None:
    """A balance lasts no longer for a plan that pays when there is none."""
    gateway = lived(a_day=12, balance=120)
    gateway.world.user("wang").billing_preference = preference
    subscribe(gateway, total=100 * DOLLAR, reset=Period.NEVER, days=100)
    site = await home.serve(gateway)
    await home.add(site, user="wang")
    await home.pass_hour()
    days_left = float(home.state(f"{ACCOUNT}_days_left"))
    assert days_left == pytest.approx(10, rel=0.03)
