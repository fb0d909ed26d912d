"""A key without its account: what is read adds up to what it has spent."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.conftest import NOW
from tests.home import Home, Site, household, works
from tests.household import (
    ALONE,
    DOLLAR,
    HOUR,
    KEY,
    MINUTE,
    SHANGHAI,
    SPENT,
    counted_since,
    last_reset,
    spend,
    wait_until,
)
from tests.simulator import Answer, Reset

MIDNIGHT = datetime(2026, 11, 24, tzinfo=SHANGHAI)


async def test_key_alone(home: Home, site: Site) -> None:
    """Without the account, a key counts from the first reading on, and says so."""
    await home.add(site, key=KEY)
    for sensor in (f"{ALONE}_spent_today", f"{ALONE}_spent_this_month"):
        assert home.state(sensor) == "0.00"
        assert counted_since(home, sensor) == NOW
    spend(site, "0.75")
    await home.poll()
    for sensor in (f"{ALONE}_spent_today", f"{ALONE}_spent_this_month"):
        assert home.state(sensor) == "0.75"
        assert counted_since(home, sensor) == NOW
        assert home.attributes(sensor)["estimate"] is False


async def test_key_alone_on_the_next_day(home: Home, site: Site) -> None:
    """From the first midnight on, a key without its account is counted in whole."""
    await home.add(site, key=KEY)
    spend(site, "0.75")
    await home.poll()
    midnight = datetime(2026, 11, 24, tzinfo=SHANGHAI)
    await wait_until(home, midnight)
    assert home.state(f"{ALONE}_spent_today") == "0.00"
    assert last_reset(home, f"{ALONE}_spent_today") == midnight
    await home.poll()
    spend(site, "0.10")
    await home.poll()
    assert home.state(f"{ALONE}_spent_today") == "0.10"
    assert counted_since(home, f"{ALONE}_spent_today") == midnight
    assert home.state(f"{ALONE}_spent_this_month") == "0.85"


@pytest.mark.parametrize("server", ["new_api_main", "one_api", "one_hub", "veloera"])
async def test_spent_during_an_outage(home: Home, server: str) -> None:
    """What was spent while nobody could look is there afterwards, as an estimate."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY)
    today, month = f"{ALONE}_spent_today", f"{ALONE}_spent_this_month"
    for _ in range(3):
        # Some sites prove only so that their figures are those of the key.
        spend(site, "0.50")
        await home.poll(2)
    before = Decimal(home.state(month))
    site.gateway.faults.add("*", Reset())
    midnight = datetime(2026, 11, 24, tzinfo=SHANGHAI)
    while datetime.now(UTC) < midnight - 2 * HOUR:
        await home.pass_time(HOUR)
    assert home.state(today) == "unavailable"
    spend(site, "0.40")
    while datetime.now(UTC) < midnight + 2 * HOUR:
        await home.pass_time(HOUR)
    site.gateway.faults.clear()
    await home.poll(2)
    assert 0 <= Decimal(home.state(today)) <= Decimal("0.40")
    assert home.attributes(today)["estimate"] is True
    assert Decimal(home.state(month)) == before + Decimal("0.40")
    assert home.attributes(month)["estimate"] is False


async def test_limit_is_edited(home: Home, site: Site) -> None:
    """Whoever raises or lowers what a key may spend has spent nothing."""
    await home.add(site, key=KEY)
    for limit in (50_000_000, 1_000_000):
        site.gateway.world.edit_key(KEY, remain_quota=limit)
        await home.poll(2)
        assert home.state(f"{ALONE}_spent_today") == "0.00"
    spend(site, "0.50")
    await home.poll(2)
    assert home.state(f"{ALONE}_spent_today") == "0.50"


async def test_request_that_fails(home: Home, site: Site) -> None:
    """What was put aside for a request and given back was not spent."""
    await home.add(site, key=KEY)
    spend(site, "0.50")
    reservation = site.gateway.reserve(KEY, 2 * DOLLAR)
    await home.poll()
    site.gateway.world.release(reservation)
    await home.poll()
    assert home.state(f"{ALONE}_spent_today") == "0.50"


async def test_key_alone_is_refunded(home: Home, site: Site) -> None:
    """What a key gets back for a failed task is taken off what it has spent."""
    await home.add(site, key=KEY)
    spend(site, "0.50")
    spend(site, "0.30")
    await home.poll()
    site.gateway.refund(KEY, int(Decimal("0.30") * DOLLAR))
    await home.poll()
    assert home.state(f"{ALONE}_spent_today") == "0.50"


async def test_key_is_replaced(home: Home, site: Site) -> None:
    """What another key has used before is not what was spent today."""
    entry = await home.add(site, key=KEY)
    spend(site, "0.75")
    await home.poll()
    form = await home.start_reconfigure(entry)
    await home.submit(form, site.form(key="Homework"))
    assert works(entry)
    await home.poll(2)
    spent = f"{ALONE}_spent_today"
    assert home.state(f"{ALONE}_used_quota") == "5.00"
    assert home.state(spent) == "0.00"
    assert counted_since(home, spent) > NOW


@pytest.mark.parametrize("user", [None, "wang"], ids=["key alone", "account"])
async def test_key_is_replaced_after_it_was_used(
    home: Home, site: Site, user: str | None
) -> None:
    """The count begins anew with the key, so that no statistics go below nothing."""
    entry = await home.add(site, key=KEY, user=user)
    for _ in range(2):
        spend(site, "5.00")
        await home.poll(8)
    name = "home_assistant" if user else ALONE
    sensors = (f"{name}_spent_today", f"{name}_spent_this_month")
    assert [home.state(each) for each in sensors] == ["10.00", "10.00"]
    begun = [last_reset(home, each) for each in sensors]
    form = await home.start_reconfigure(entry)
    await home.submit(form, site.form(key="Claude Code", user=user))
    spend(site, "0.20", key="Claude Code")
    await home.poll(8)
    assert [home.state(each) for each in sensors] == ["0.20", "0.20"]
    assert min(last_reset(home, each) for each in sensors) > max(begun)


async def test_unlimited_key_that_counts_nothing(home: Home) -> None:
    """An unlimited key of One API never tells what it has spent (3.4)."""
    site = await home.serve(household("one_api"))
    await home.add(site, key="Claude Code", entry_id="alone")
    await home.add(site, user="wang")
    spend(site, "0.75", key="Claude Code")
    await home.poll(3)
    for sensor in ("juhe_ai_claude_code_spent_today", "claude_code_spent_today"):
        assert home.state(sensor) == "unknown"
    assert home.state(SPENT) == "0.75"


async def test_unlimited_key_with_the_figures_of_its_account(home: Home) -> None:
    """That of One Hub tells what its account has spent, and does not hide it (4.3)."""
    site = await home.serve(household("one_hub"))
    await home.add(site, key="Claude Code", entry_id="alone")
    await home.add(site, user="wang")
    spend(site, "0.75", key="Homework")
    await home.poll(3)
    assert home.state("claude_code_spent_today") == "unknown"
    alone = "juhe_ai_claude_code_spent_today"
    assert home.state(alone) == "0.75"
    assert home.attributes(alone)["figures_of"] == "unknown"


async def test_figures_of_the_account(home: Home) -> None:
    """Where a site shows a key its account's figures, they are not called the key's."""
    site = await home.serve(household("one_api"))
    site.gateway.configure(key_level_billing=False)
    await home.add(site, key=KEY)
    spend(site, "0.75", key="Claude Code")
    await home.poll(3)
    assert home.state(f"{ALONE}_spent_today") == "0.75"
    assert home.attributes(f"{ALONE}_spent_today")["figures_of"] == "account"


@pytest.mark.parametrize("server", ["one_api", "one_hub"])
async def test_key_loses_its_limit(home: Home, server: str) -> None:
    """What a key has spent is unknown once its counter stands still (3.4)."""
    site = await home.serve(household(server))
    await home.add(site, user="wang", key=KEY)
    spend(site, "5.00")
    await home.poll(2)
    spent = ("home_assistant_spent_today", "home_assistant_spent_this_month")
    assert [home.state(each) for each in spent] == ["5.00", "5.00"]
    site.key(KEY).unlimited = True
    spend(site, "20.00")
    await home.poll(2)
    assert [home.state(each) for each in spent] == ["unknown", "unknown"]
    site.key(KEY).unlimited = False
    await home.poll()
    spend(site, "1.00")
    await home.poll(2)
    assert [home.state(each) for each in spent] == ["1.00", "1.00"]
    assert counted_since(home, spent[0]) > NOW


async def test_figures_that_stand_for_a_while(home: Home, site: Site) -> None:
    """What was spent while figures stood is not booked on the moment they move."""
    await home.add(site, key=KEY)
    await wait_until(home, MIDNIGHT - 50 * MINUTE)
    # Billing alone does not say whose figures it shows.
    site.gateway.faults.add("/api/usage/token/", Answer(503))
    await home.poll()
    spend(site, "5.00")
    await wait_until(home, MIDNIGHT - 10 * MINUTE)
    assert home.state(f"{ALONE}_spent_today") == "0.00"
    await wait_until(home, MIDNIGHT + 5 * MINUTE)
    site.gateway.faults.clear()
    await home.poll(8)
    assert home.state(f"{ALONE}_used_quota") == "53.00"
    spent = f"{ALONE}_spent_today"
    assert float(home.state(spent)) < 2.5
    assert home.attributes(spent)["estimate"] is True
