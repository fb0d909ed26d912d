"""What each family of gateways tells, and what it costs to ask."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import NOW
from tests.home import Home, Site, household
from tests.household import (
    ACCOUNT,
    DAY,
    FLOW,
    GPT,
    HOUR,
    KEY,
    LOG,
    MODEL,
    MONTH,
    OWN,
    REQUESTS,
    SPENT,
    STATISTICS,
    TOKENS,
    YESTERDAY,
    counted_since,
    live_in,
    nothing_asked,
    spend,
    wait_until,
)

# ------------------------------------------------------------------------------------
# Dialects


@pytest.mark.parametrize(
    "server",
    [
        *("new_api_main", "new_api_rc21", "new_api_0_12", "new_api_0_9", "new_api_0_6"),
        *("one_api", "one_hub", "veloera"),
    ],
)
async def test_dialects(home: Home, server: str) -> None:
    """Every family tells what was spent, each of it in its own way."""
    # Some know only the days of the site, which is there.
    await live_in(home, ZoneInfo("UTC"))
    site = await home.serve(household(server))
    for number in range(1, 4):
        spend(site, "2.00", NOW - number * DAY)
    spend(site, "1.00", NOW - HOUR)
    await home.add(site, key=KEY, user="wang")
    spend(site, "0.50")
    await home.poll(14)
    assert home.state(SPENT) == "1.50"
    assert home.state(YESTERDAY) == "2.00"
    assert home.state(MONTH) == "7.50"
    by_key = server in ("new_api_main", "new_api_rc21")
    for period, told in (("today", "1.50"), ("this_month", "7.50")):
        sensor = f"{OWN}_spent_{period}"
        # The others do not tell by key, and count from when the home was there.
        assert home.state(sensor) == (told if by_key else "0.50")
        assert (counted_since(home, sensor) == NOW) is not by_key
    assert home.state(MODEL) == GPT
    assert home.attributes(MODEL)["models"] == {GPT: 1.5}
    assert home.state(REQUESTS) == "2"
    assert home.state(TOKENS) == "3000"


@pytest.mark.parametrize("server", ["new_api_main", "veloera", "one_api", "one_hub"])
async def test_rates(home: Home, server: str) -> None:
    """Who wants to know sees what is asked for at the moment, where the site tells."""
    site = await home.serve(household(server))
    await home.add(site, user="wang")
    for name in ("requests", "tokens"):
        await home.enable(f"{ACCOUNT}_{name}_per_minute")
    rates = [f"{ACCOUNT}_{name}_per_minute" for name in ("requests", "tokens")]
    if server in ("one_api", "one_hub"):
        await home.poll(2)
        assert [home.state(rate) for rate in rates] == ["unknown", "unknown"]
        return
    seen = set()
    for _ in range(8):
        spend(site, "0.10")
        spend(site, "0.10")
        await home.pass_time(59 * timedelta(seconds=1))
        await home.press_update(rates[0])
        seen.add(tuple(home.state(rate) for rate in rates))
    assert ("2", "3000") in seen
    await home.poll(3)
    assert [home.state(rate) for rate in rates] == ["0", "0"]


# ------------------------------------------------------------------------------------
# What it costs


async def test_quiet_account(home: Home, site: Site) -> None:
    """While an account is not used, nobody asks what it has spent."""
    spend(site, "1.00", NOW - 2 * HOUR)
    await home.add(site, key=KEY, user="wang")
    await home.poll(20)
    with (
        nothing_asked(site, LOG),
        nothing_asked(site, STATISTICS),
        nothing_asked(site, FLOW),
    ):
        await home.poll(24)
    assert home.state(SPENT) == "1.00"
    spend(site, "0.50")
    await home.poll(8)
    assert home.state(SPENT) == "1.50"
    assert home.state(REQUESTS) == "2"
    assert home.state(f"{OWN}_spent_today") == "1.50"


async def test_requests_of_an_hour(home: Home, site: Site) -> None:
    """An account in use is asked every ten minutes, and its models every thirty."""
    await home.add(site, key=KEY, user="wang")
    await home.poll(14)
    counts = {path: site.asked(path) for path in (LOG, STATISTICS, FLOW)}
    begun = datetime.now(UTC)
    while datetime.now(UTC) < begun + 4 * HOUR:
        spend(site, "0.01")
        await home.poll()
    asked = {path: site.asked(path) - counts[path] for path in counts}
    assert 18 <= asked[LOG] <= 25
    assert 6 <= asked[STATISTICS] <= 9
    assert 6 <= asked[FLOW] <= 9


DAYS: Final = "/api/user/dashboard"


@pytest.mark.parametrize(
    ("server", "path"),
    [
        *((server, STATISTICS) for server in ("new_api_0_9", "veloera")),
        *((server, DAYS) for server in ("one_api", "one_hub")),
    ],
)
async def test_statistics_of_an_hour(home: Home, server: str, path: str) -> None:
    """No family is asked for its statistics more often than every thirty minutes."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, user="wang")
    await home.poll(14)
    before, begun = site.asked(path), datetime.now(UTC)
    while datetime.now(UTC) < begun + 2 * HOUR:
        spend(site, "0.01")
        await home.poll()
    assert 3 <= site.asked(path) - before <= 5


async def test_days_that_are_ours_by_chance(home: Home) -> None:
    """A site's day is not ours because nothing was used where they differ."""
    new_york = ZoneInfo("America/New_York")
    await live_in(home, new_york)
    site = await home.serve(household("one_api"))
    noon = datetime(2026, 11, 23, 12, tzinfo=new_york)
    for number in range(1, 5):
        spend(site, "2.00", noon - number * DAY)
    await home.add(site, user="wang")
    await wait_until(home, noon)
    spend(site, "1.00")
    await home.poll(14)
    assert home.state(TOKENS) == "1500"
    # In UTC it is tomorrow.
    await wait_until(home, noon + 8 * HOUR)
    spend(site, "1.00")
    await home.poll(14)
    assert home.state(TOKENS) == "unknown"
    assert home.state(REQUESTS) in ("2", "unknown")


@pytest.mark.parametrize(
    ("zone", "hour"), [("America/New_York", 20), ("Asia/Kathmandu", 26)]
)
async def test_days_that_turn_out_not_to_be_ours(
    home: Home, zone: str, hour: int
) -> None:
    """Nor is it where that was used only after somebody had looked."""
    await live_in(home, ZoneInfo(zone))
    site = await home.serve(household("one_hub"))
    noon = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for number in range(1, 5):
        spend(site, "2.00", noon - number * DAY)
    await home.add(site, user="wang")
    # In UTC it is another day than at home.
    await wait_until(home, noon + (hour - 12) * HOUR)
    assert home.state(REQUESTS) == "0"
    spend(site, "1.00")
    await home.poll(14)
    assert home.state(REQUESTS) in ("1", "unknown")
    assert home.state(TOKENS) in ("1500", "unknown")
    assert home.state(MODEL) in (GPT, "unknown")
