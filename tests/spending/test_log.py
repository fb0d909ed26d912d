"""A log that does not tell all: it falls silent, is purged, or is gone for a moment."""

from datetime import UTC, datetime, timedelta
from random import Random

from freezegun.api import FrozenDateTimeFactory
import pytest

from tests.conftest import NOW
from tests.home import Home, Site, household
from tests.household import (
    ACCOUNT,
    AVERAGE,
    DAY,
    DOLLAR,
    FLOW,
    HOUR,
    KEY,
    LOG,
    MINUTE,
    MONTH,
    OWN,
    REQUESTS,
    SHANGHAI,
    SPENT,
    STATISTICS,
    TOKENS,
    YESTERDAY,
    spend,
    wait_until,
)
from tests.restarts import restart
from tests.simulator import MISSING

MIDNIGHT = datetime(2026, 11, 24, tzinfo=SHANGHAI)


def is_estimate(home: Home, name: str) -> bool:
    """Tell whether a figure is said to be one."""
    estimate: bool = home.attributes(name)["estimate"]
    return estimate


async def test_silent_before_midnight(home: Home, site: Site) -> None:
    """What was used late in the evening, and not logged, belongs to yesterday."""
    await wait_until(home, MIDNIGHT - 3 * HOUR)
    await home.add(site, user="wang")
    spend(site, "1.00")
    await home.poll(4)
    assert home.state(SPENT) == "1.00"
    await wait_until(home, MIDNIGHT - 25 * MINUTE)
    site.gateway.configure(log_consumption=False)
    spend(site, "3.00")
    await wait_until(home, MIDNIGHT + 10 * MINUTE)
    for _ in range(6):
        spend(site, "0.10")
        await home.poll()
    # Nobody has read anything at the last midnight, when it was one dollar already.
    assert home.state(YESTERDAY) == "unknown" or float(home.state(YESTERDAY)) >= 3


async def test_one_burst(home: Home, site: Site) -> None:
    """One use that is not logged is noticed though nothing comes after it."""
    await home.add(site, user="wang")
    spend(site, "1.00")
    await home.poll(4)
    site.gateway.configure(log_consumption=False)
    spend(site, "5.00")
    await home.poll(6)
    assert home.state(SPENT) == "6.00"


async def test_silent_over_a_restart(home: Home, site: Site) -> None:
    """A log that was silent is not believed after a night without Home Assistant."""
    entry = await home.add(site, user="wang")
    await home.poll(2)
    site.gateway.configure(log_consumption=False)
    for _ in range(12):
        spend(site, "0.10")
        await home.poll()
    await wait_until(home, MIDNIGHT - HOUR)
    await home.hass.config_entries.async_unload(entry.entry_id)
    await home.pass_time(2 * HOUR)
    spend(site, "5.00")
    await home.pass_time(2 * HOUR)
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    await home.poll(24)
    # Some of the five dollars may belong to yesterday, as far as anybody knows.
    assert 3 < float(home.state(SPENT)) < 5
    assert is_estimate(home, SPENT)
    assert home.state(MONTH) == "6.20"


async def test_refunds_do_not_blind(home: Home, site: Site) -> None:
    """After refunds, which the log does not show, silence is noticed as ever."""
    await home.add(site, user="wang")
    await home.poll(2)
    for _ in range(5):
        spend(site, "2.00")
        site.gateway.refund(KEY, 2 * DOLLAR)
        await home.poll(2)
    assert home.state(SPENT) == "10.00"
    site.gateway.configure(log_consumption=False)
    for _ in range(4):
        spend(site, "0.50")
        await home.poll(2)
    assert home.state(SPENT) != "10.00"


async def test_silent_for_days(home: Home, site: Site) -> None:
    """Yesterday and the average are as they were read where the log is off."""
    for day in range(1, 8):
        spend(site, "7.00", NOW - day * DAY)
    await home.add(site, user="wang")
    await home.poll(2)
    site.gateway.configure(log_consumption=False)
    for _ in range(20):
        spend(site, "1.00")
        await home.poll()
    await home.poll(3)
    assert home.state(SPENT) == "20.00"
    await wait_until(home, MIDNIGHT + 5 * MINUTE)
    for _ in range(6):
        spend(site, "0.10")
        await home.poll()
    # The day was not read from its beginning on, so nobody knows all of it.
    assert home.state(YESTERDAY) == "unknown"
    assert home.state(AVERAGE) == "unknown"


async def test_silent_twice(home: Home, site: Site) -> None:
    """A day without a log is not forgotten when another one comes."""
    for day in range(1, 8):
        spend(site, "7.00", NOW - day * DAY)
    await home.add(site, user="wang")
    await home.poll(2)
    site.gateway.configure(log_consumption=False)
    for _ in range(20):
        spend(site, "1.00")
        await home.poll()
    site.gateway.configure(log_consumption=True)
    for day in (24, 25):
        await wait_until(home, datetime(2026, 11, day, 12, tzinfo=SHANGHAI))
        spend(site, "2.00")
        await home.poll(3)
    site.gateway.configure(log_consumption=False)
    for _ in range(10):
        spend(site, "1.00")
        await home.poll()
    await home.poll(3)
    assert home.state(MONTH) == "83.00"
    assert home.state(SPENT) == "12.00"
    # One whole day was read.
    assert home.state(AVERAGE) == "2.00"


async def test_silent_over_a_pause(home: Home, site: Site) -> None:
    """A log that was silent is so still when nothing was spent for some hours."""
    await home.add(site, user="wang")
    await home.poll(4)
    site.gateway.configure(log_consumption=False)
    for _ in range(6):
        spend(site, "0.10")
        await home.poll()
    await wait_until(home, MIDNIGHT + 2 * HOUR)
    spend(site, "0.50")
    for sensor in (f"{ACCOUNT}_remaining_quota", SPENT):
        await home.pass_time(4 * MINUTE)
        await home.press_update(sensor)
    assert home.state(SPENT) == "0.50"


async def test_purged_on_the_first(home: Home, clock: FrozenDateTimeFactory) -> None:
    """What was logged of November is gone in December, and was spent nevertheless."""
    first = datetime(2026, 12, 1, tzinfo=SHANGHAI)
    clock.move_to(first - 6 * HOUR)
    site = await home.serve(household())
    spend(site, "7.00", first - 3 * DAY)
    await home.add(site, user="wang")
    spend(site, "1.50")
    await home.poll(4)
    assert home.state(SPENT) == "1.50"
    await wait_until(home, first - MINUTE)
    site.gateway.world.log_purged_before = int(first.timestamp())
    await wait_until(home, first + MINUTE)
    await home.poll(6)
    assert home.state(YESTERDAY) in ("1.50", "unknown")
    assert home.state(AVERAGE) == "unknown"
    assert home.state(SPENT) == "0.00"


async def test_purged_each_night(home: Home, site: Site) -> None:
    """Where only what is old is purged, the log is right about what is not."""
    for day in range(1, 20):
        spend(site, "1.00", NOW - day * DAY)
    await home.add(site, user="wang")
    spend(site, "1.00")
    await home.poll(4)
    site.gateway.world.log_purged_before = int((NOW - 10 * DAY).timestamp())
    await wait_until(home, MIDNIGHT + 30 * MINUTE)
    spend(site, "2.00")
    await home.poll(4)
    assert home.state(YESTERDAY) == "1.00"
    assert home.state(SPENT) == "2.00"
    site.gateway.refund(KEY, DOLLAR)
    await home.poll(12)
    assert home.state(SPENT) == "2.00"
    # It goes on from what the log has said before, with readings, which know refunds.
    assert home.state(MONTH) == "21.00"


async def test_missing_for_a_moment(home: Home, site: Site) -> None:
    """A log that was there is asked for again before the day is over."""
    spend(site, "4.00", NOW - HOUR)
    await home.add(site, user="wang", key=KEY)
    spend(site, "0.80")
    await home.poll(8)
    before = site.asked(LOG)
    for path in (LOG, STATISTICS, FLOW):
        site.gateway.faults.add(path, MISSING)
    while site.asked(LOG) == before:
        spend(site, "0.10")
        await home.poll()
    site.gateway.faults.clear()
    logged = 4.8 + 0.1 * (site.gateway.world.user("wang").request_count - 1236)
    await home.pass_hour()
    await home.pass_hour()
    assert float(home.state(SPENT)) == round(logged, 2)


async def test_statistics_are_made_of_it(home: Home, site: Site) -> None:
    """Where nothing is logged, statistics stand still, and are not believed."""
    spend(site, "0.50", NOW - HOUR)
    await home.add(site, user="wang", key=KEY)
    await home.poll(8)
    assert home.state(f"{OWN}_spent_today") == "0.50"
    assert home.state(TOKENS) == "1500"
    site.gateway.configure(log_consumption=False)
    for _ in range(24):
        spend(site, "1.00")
        await home.poll()
    await home.poll(8)
    assert home.state(SPENT) == "24.50"
    assert home.state(f"{OWN}_spent_today") == "24.50"
    assert home.state(REQUESTS) == "25"
    assert home.state(TOKENS) == "unknown"


async def test_forecast_without_it(home: Home, site: Site) -> None:
    """A silent log is no quiet time."""
    for hour in range(24 * 10, 0, -1):
        spend(site, "0.50", NOW - timedelta(hours=hour))
    site.user("wang").quota = 120 * DOLLAR
    await home.add(site, user="wang", key=KEY)
    await home.poll(3)
    assert float(home.state(f"{ACCOUNT}_days_left")) < 11
    site.gateway.configure(log_consumption=False)
    for _ in range(2 * 24):
        spend(site, "0.50")
        await home.pass_time(HOUR)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "96.00"
    assert 7 < float(home.state(f"{ACCOUNT}_days_left")) < 9


@pytest.mark.parametrize("seed", [1, 2])
async def test_work_and_pauses(home: Home, site: Site, seed: int) -> None:
    """Who works for a while and then pauses has a log that tells all."""
    chance = Random(seed)
    await home.add(site, user="wang", key=KEY)
    await home.poll(2)
    cents = 0
    for _ in range(3):
        for _ in range(25 + chance.randrange(12)):
            cost = chance.randrange(1, 30)
            cents += cost
            spend(site, f"{cost / 100:.2f}")
            await home.pass_time(MINUTE)
        for _ in range(30):
            await home.pass_time(MINUTE)
        assert home.state(SPENT) == f"{cents / 100:.2f}"
        assert not is_estimate(home, SPENT)
        assert home.state(TOKENS) != "unknown"


async def test_purged_after_a_quiet_day(home: Home, site: Site) -> None:
    """A day on which nothing was spent is no day that was purged."""
    for day in range(3, 20):
        spend(site, "1.00", NOW - day * DAY)
    await home.add(site, user="wang", key=KEY)
    await home.poll(4)
    site.gateway.world.log_purged_before = int((NOW - 10 * DAY).timestamp())
    await wait_until(home, MIDNIGHT + 30 * MINUTE)
    spend(site, "2.00")
    await home.poll(4)
    assert home.state(YESTERDAY) == "0.00"
    assert home.state(SPENT) == "2.00"
    assert not is_estimate(home, SPENT)


async def test_purged_while_statistics_are_not(home: Home, site: Site) -> None:
    """Statistics stand in another table, and are whole without the log."""
    spend(site, "5.00", NOW - HOUR)
    await home.add(site, user="wang", key=KEY)
    await home.poll(8)
    assert home.state(TOKENS) == "1500"
    site.gateway.world.log_purged_before = site.gateway.world.now
    spend(site, "0.10")
    await home.poll(6)
    await home.pass_hour()
    assert home.state(TOKENS) == "3000"
    assert home.state(SPENT) == "5.10"


async def test_purged_in_the_last_seven_days(home: Home, site: Site) -> None:
    """The mean of seven days is right, though the log has only some of them."""
    await home.add(site, user="wang")
    for day in range(9):
        await wait_until(home, MIDNIGHT + day * DAY + 12 * HOUR)
        spend(site, "4.00")
    site.gateway.world.log_purged_before = int((MIDNIGHT + 6 * DAY).timestamp())
    await wait_until(home, MIDNIGHT + 9 * DAY + HOUR)
    assert home.state(AVERAGE) == "4.00"
    assert home.state(YESTERDAY) == "4.00"


async def test_purged_before_a_restart(home: Home, site: Site) -> None:
    """What the log has said once is not forgotten with a restart."""
    spend(site, "3.00", MIDNIGHT - 6 * DAY)
    spend(site, "2.00", MIDNIGHT - 12 * HOUR)
    await wait_until(home, MIDNIGHT + 8 * HOUR)
    entry = await home.add(site, user="wang")
    for _ in range(4):
        spend(site, "0.10")
        await home.poll()
    await home.poll()
    assert home.state(YESTERDAY) == "2.00"
    assert home.state(MONTH) == "5.40"
    assert home.state(AVERAGE) == "0.714286"
    site.gateway.world.log_purged_before = int(MIDNIGHT.timestamp())
    await restart(home, entry)
    await home.poll(4)
    assert home.state(SPENT) == "0.40"
    assert home.state(YESTERDAY) in ("2.00", "unknown")
    assert home.state(MONTH) in ("5.40", "unknown")
    assert home.state(AVERAGE) in ("0.714286", "unknown")


async def test_purge_that_the_day_hides(home: Home, site: Site) -> None:
    """What is missing of the month is noticed, though more was spent meanwhile."""
    entry = await home.add(site, user="wang")
    first = datetime(2026, 12, 1, 12, tzinfo=SHANGHAI)
    for day in range(12):
        await home.pass_time(first + day * DAY - datetime.now(UTC))
        await home.poll()
        spend(site, "4.00")
        await home.poll(4)
    assert home.state(MONTH) == "48.00"
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.world.log_purged_before = int((first + DAY).timestamp())
    spend(site, "9.00")
    await home.pass_time(HOUR)
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.poll(6)
    assert home.state(SPENT) == "13.00"
    assert home.state(MONTH) == "57.00"


async def test_silent_while_nobody_looked(home: Home, site: Site) -> None:
    """Statistics that turn out to lack something are not shown any more."""
    entry = await home.add(site, user="wang", key=KEY)
    spend(site, "0.50")
    await home.poll(8)
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.configure(log_consumption=False)
    spend(site, "5.00")
    await home.pass_time(2 * HOUR)
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.poll(6)
    assert home.state(SPENT) == "5.50"
    assert home.state(TOKENS) == "unknown"
    assert home.state(REQUESTS) == "2"
    assert home.state(f"{OWN}_spent_today") == "5.50"
    assert home.state(f"{OWN}_spent_this_month") == "5.50"
