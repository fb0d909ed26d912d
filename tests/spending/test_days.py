"""What was spent on which day, and from when on a day is counted."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
import pytest

from tests.conftest import NOW
from tests.home import Home, Site, household
from tests.household import (
    AVERAGE,
    BERLIN,
    DAY,
    DEEPSEEK,
    GPT,
    HAIKU,
    HOUR,
    KEY,
    KOLKATA,
    LOG,
    MINUTE,
    MODEL,
    MONTH,
    OWN,
    REQUESTS,
    SHANGHAI,
    SPENT,
    STATISTICS,
    TOKENS,
    YESTERDAY,
    counted_since,
    last_reset,
    live_in,
    nothing_asked,
    spend,
    wait_until,
)

# ------------------------------------------------------------------------------------
# The days of a person


async def test_periods(home: Home, site: Site) -> None:
    """Each period has in it what was spent from its midnight on, and nothing more."""
    midnight = datetime(2026, 11, 23, tzinfo=SHANGHAI)
    second = timedelta(seconds=1)
    for dollars, at in (
        ("0.01", midnight),
        ("0.02", NOW),
        ("0.10", midnight - second),
        ("0.20", midnight - DAY),
        ("1.40", midnight - DAY - second),
        ("2.80", midnight - 7 * DAY),
        ("7.00", midnight - 7 * DAY - second),
        ("3.00", datetime(2026, 11, 1, tzinfo=SHANGHAI)),
        ("5.00", datetime(2026, 11, 1, tzinfo=SHANGHAI) - second),
    ):
        spend(site, dollars, at)
    await home.add(site, user="wang")
    await home.poll()
    assert home.state(SPENT) == "0.03"
    assert home.state(YESTERDAY) == "0.30"
    assert home.state(MONTH) == "14.53"
    # (0.30 + 1.40 + 2.80) / 7, to the raw unit.
    assert abs(Decimal(home.state(AVERAGE)) - Decimal("4.50") / 7) < Decimal("1e-6")
    assert last_reset(home, SPENT) == midnight
    assert last_reset(home, MONTH) == datetime(2026, 11, 1, tzinfo=SHANGHAI)
    for sensor, since in (
        (SPENT, midnight),
        (YESTERDAY, midnight - DAY),
        (MONTH, datetime(2026, 11, 1, tzinfo=SHANGHAI)),
        (AVERAGE, midnight - 7 * DAY),
    ):
        assert counted_since(home, sensor) == since
        assert home.attributes(sensor)["estimate"] is False
    # A period that is over is no meter.
    for sensor in (YESTERDAY, AVERAGE):
        assert "last_reset" not in home.attributes(sensor)
        assert "state_class" not in home.attributes(sensor)


async def test_spending_goes_on(home: Home, site: Site) -> None:
    """What is spent now is there with one of the next readings."""
    await home.add(site, user="wang")
    assert home.state(SPENT) == "0.00"
    spend(site, "1.25")
    await home.poll(3)
    assert home.state(SPENT) == "1.25"
    assert home.state(MONTH) == "1.25"
    spend(site, "0.000002")
    await home.poll(3)
    assert home.state(SPENT) == "1.250002"


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(datetime(2026, 10, 25, tzinfo=BERLIN), 25, id="autumn"),
        pytest.param(datetime(2027, 3, 28, tzinfo=BERLIN), 23, id="spring"),
    ],
)
async def test_day_of_the_clock_change(
    home: Home, clock: FrozenDateTimeFactory, day: datetime, hours: int
) -> None:
    """The day on which clocks change has an hour more or less, and nothing is lost."""
    await live_in(home, BERLIN)
    begins, ends = day.astimezone(UTC), (day + DAY).astimezone(UTC)
    assert ends - begins == hours * HOUR
    clock.move_to(begins + 12 * HOUR)
    site = await home.serve(household())
    for dollars, at in (
        ("0.01", begins),
        ("0.10", begins - MINUTE),
        # From one o'clock until four, with the hour that is there twice or never.
        *(("1.00", begins + number * HOUR) for number in range(1, 4)),
    ):
        spend(site, dollars, at)
    await home.add(site, user="wang")
    await home.poll()
    assert home.state(SPENT) == "3.01"
    assert home.state(YESTERDAY) == "0.10"
    assert last_reset(home, SPENT) == begins
    assert home.state(f"{OWN}_spent_today") == "3.01"
    assert home.state(REQUESTS) == "4"

    clock.move_to(ends - HOUR)
    await wait_until(home, ends - 6 * MINUTE)
    spend(site, "0.20")
    await wait_until(home, ends)
    assert home.state(SPENT) == "0.00"
    assert last_reset(home, SPENT) == ends
    await home.poll(3)
    assert home.state(YESTERDAY) == "3.21"
    assert counted_since(home, YESTERDAY) == begins
    assert home.state(f"{OWN}_spent_today") == "0.00"


@pytest.mark.parametrize("zone", [BERLIN, SHANGHAI, KOLKATA, ZoneInfo("UTC")], ids=str)
async def test_midnight(
    home: Home, clock: FrozenDateTimeFactory, zone: ZoneInfo
) -> None:
    """A day begins with nothing spent, before anybody has asked the site."""
    await live_in(home, zone)
    midnight = datetime(2026, 11, 24, tzinfo=zone)
    clock.move_to(midnight - 58 * MINUTE)
    site = await home.serve(household())
    spend(site, "1.50", midnight - 2 * HOUR)
    await home.add(site, key=KEY, user="wang", update_interval=30)
    for _ in range(10):
        await home.pass_time(4 * MINUTE)
    assert home.state(SPENT) == "1.50"
    # All that is asked for comes every half hour at most.
    with nothing_asked(site, LOG), nothing_asked(site, STATISTICS):
        await home.pass_time(18 * MINUTE)
    for sensor in (SPENT, f"{OWN}_spent_today", REQUESTS):
        assert Decimal(home.state(sensor)) == 0
        assert last_reset(home, sensor) == midnight
    assert home.state(MONTH) == "1.50"
    # What was spent in the last minutes of yesterday is not known yet.
    assert home.state(YESTERDAY) == "unknown"
    assert home.state(AVERAGE) == "unknown"
    assert home.state(MODEL) == "unknown"


async def test_last_lines_of_a_day_are_late(home: Home, site: Site) -> None:
    """What is logged a moment after midnight was spent on the day before."""
    await home.add(site, user="wang")
    midnight = datetime(2026, 11, 24, tzinfo=SHANGHAI)
    await wait_until(home, midnight + MINUTE / 4)
    await home.press_update(SPENT)
    spend(site, "1.00", midnight - MINUTE / 60)
    await home.poll(6)
    assert home.state(YESTERDAY) == "1.00"


async def test_last_requests_of_a_day(home: Home, site: Site) -> None:
    """What was asked for just before midnight is none of today's, at no time."""
    midnight = datetime(2026, 11, 24, tzinfo=SHANGHAI)
    await home.add(site, user="wang")
    await wait_until(home, midnight - MINUTE / 2)
    for _ in range(3):
        spend(site, "1.00")
    seen = set()
    for _ in range(50):
        await home.pass_time(MINUTE)
        seen.add(home.state(REQUESTS))
    assert seen == {"0"}


async def test_site_whose_clock_is_slow(
    home: Home, clock: FrozenDateTimeFactory
) -> None:
    """Yesterday ends when it does on the site."""
    midnight = datetime(2026, 11, 24, tzinfo=SHANGHAI)
    clock.move_to(midnight - HOUR)
    gateway = household()
    gateway.world.clock = lambda: datetime.now(UTC).timestamp() - 600
    site = await home.serve(gateway)
    await home.add(site, user="wang")
    await wait_until(home, midnight)
    for _ in range(20):
        spend(site, "1.00")
        await home.pass_time(MINUTE)
    await home.poll(14)
    assert home.state(YESTERDAY) == "10.00"
    assert home.state(SPENT) == "10.00"
    for sensor in (YESTERDAY, SPENT):
        assert home.attributes(sensor)["estimate"] is False


async def test_first_of_the_month(home: Home, clock: FrozenDateTimeFactory) -> None:
    """With a month, its figures begin anew."""
    first = datetime(2026, 12, 1, tzinfo=SHANGHAI)
    clock.move_to(first - 2 * HOUR)
    site = await home.serve(household())
    spend(site, "9.00", first - 10 * DAY)
    spend(site, "1.50", first - 3 * HOUR)
    await home.add(site, key=KEY, user="wang")
    await home.poll()
    assert home.state(MONTH) == "10.50"
    assert home.state(f"{OWN}_spent_this_month") == "10.50"
    await wait_until(home, first)
    for sensor in (MONTH, f"{OWN}_spent_this_month"):
        assert home.state(sensor) == "0.00"
        assert last_reset(home, sensor) == first
    spend(site, "0.25")
    await home.poll(7)
    assert home.state(MONTH) == "0.25"
    assert home.state(YESTERDAY) == "1.50"
    assert home.state(f"{OWN}_spent_this_month") == "0.25"


async def test_every_figure_of_a_new_day(home: Home, site: Site) -> None:
    """An hour after midnight, all is there again."""
    await live_in(home, BERLIN)
    await home.add(site, key=KEY, user="wang")
    midnight = datetime(2026, 11, 24, tzinfo=BERLIN)
    await wait_until(home, midnight - HOUR)
    spend(site, "2.00")
    await wait_until(home, midnight)
    spend(site, "0.50", model=HAIKU)
    await home.poll(14)
    assert home.state(SPENT) == "0.50"
    assert home.state(YESTERDAY) == "2.00"
    assert home.state(MONTH) == "2.50"
    assert home.state(f"{OWN}_spent_today") == "0.50"
    assert home.state(f"{OWN}_spent_this_month") == "2.50"
    assert home.state(REQUESTS) == "1"
    assert home.state(TOKENS) == "1500"
    assert home.state(MODEL) == HAIKU


async def test_half_hour_zone(home: Home, site: Site) -> None:
    """Where a day begins at half past, statistics by the hour are not cut in two."""
    await live_in(home, KOLKATA)
    midnight = datetime(2026, 11, 23, tzinfo=KOLKATA)
    spend(site, "0.40", midnight - 20 * MINUTE)
    spend(site, "0.05", midnight + 20 * MINUTE)
    await home.add(site, key=KEY, user="wang")
    await home.poll()
    assert home.state(SPENT) == "0.05"
    assert home.state(YESTERDAY) == "0.40"
    for sensor in (TOKENS, MODEL):
        assert home.state(sensor) == "unknown"
    begun = datetime.now(UTC)
    spend(site, "0.01")
    await home.poll(7)
    # Counted since the home was there, and said to be so.
    for sensor, figure in ((f"{OWN}_spent_today", "0.01"), (REQUESTS, "1")):
        assert home.state(sensor) == figure
        assert midnight < counted_since(home, sensor) <= begun


# ------------------------------------------------------------------------------------
# Models and keys


async def test_most_expensive_model(home: Home, site: Site) -> None:
    """The model that has cost most today stands above what each has cost."""
    spend(site, "9.00", NOW - 2 * DAY, model=DEEPSEEK)
    spend(site, "0.75", NOW - HOUR, model=HAIKU)
    spend(site, "0.25", NOW - HOUR, model=GPT)
    spend(site, "0.75", NOW - MINUTE, model=GPT)
    await home.add(site, user="wang")
    assert home.state(MODEL) == GPT
    models = home.attributes(MODEL)["models"]
    assert models == {GPT: 1.0, HAIKU: 0.75}
    assert list(models) == [GPT, HAIKU]
    assert home.state(REQUESTS) == "3"
    assert home.state(TOKENS) == "4500"
    spend(site, "0.50", model=HAIKU)
    await home.poll(14)
    assert home.state(MODEL) == HAIKU
    assert home.attributes(MODEL)["models"] == {HAIKU: 1.25, GPT: 1.0}


async def test_no_model_is_the_most_expensive(home: Home, site: Site) -> None:
    """While nothing was spent today, no model has cost most."""
    spend(site, "9.00", NOW - 2 * DAY)
    await home.add(site, user="wang")
    assert home.state(MODEL) == "unknown"
    assert home.attributes(MODEL)["models"] == {}
    assert home.state(REQUESTS) == "0"
    assert home.state(TOKENS) == "0"


async def test_each_key(home: Home, site: Site) -> None:
    """Each key shows what it alone has spent, from before it was configured too."""
    spend(site, "4.00", NOW - 3 * DAY, key="Claude Code")
    spend(site, "1.00", NOW - HOUR, key="Claude Code")
    spend(site, "0.50", NOW - HOUR)
    await home.add(site, key=KEY, user="wang")
    await home.poll()
    assert home.state("claude_code_spent_today") == "1.00"
    assert home.state("claude_code_spent_this_month") == "5.00"
    assert home.state(f"{OWN}_spent_today") == "0.50"
    assert home.state(f"{OWN}_spent_this_month") == "0.50"
    assert home.state("homework_spent_today") == "0.00"
    assert home.state(SPENT) == "1.50"


async def test_key_that_was_deleted(home: Home, site: Site) -> None:
    """What a deleted key has spent stays spent, and falls on no other key."""
    spend(site, "1.00", NOW - HOUR, key="Claude Code")
    site.gateway.world.delete_key("Claude Code")
    await home.add(site, key=KEY, user="wang")
    await home.poll()
    assert home.state(SPENT) == "1.00"
    assert home.state(f"{OWN}_spent_today") == "0.00"
