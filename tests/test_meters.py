"""What Home Assistant makes of the figures in the long run: sums that never go back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (  # type: ignore[import-untyped]
    async_wait_recording_done,
    do_adhoc_statistics,
)

from tests.home import Home, Site, household
from tests.household import DOLLAR, HOUR, KEY, SHANGHAI, spend
from tests.recorder import rows_of
from tests.simulator import Reset

SPENT: Final = "juhe_ai_wang_spent_today"
MONTH: Final = "juhe_ai_wang_spent_this_month"
OF_KEY: Final = "home_assistant_spent_today"
ALONE: Final = "juhe_ai_home_assistant_spent_today"

MIDNIGHT: Final = datetime(2026, 11, 24, tzinfo=SHANGHAI)
WINDOW: Final = timedelta(minutes=5)


class Meters:
    """Somebody who looks at the graphs that Home Assistant draws by itself."""

    def __init__(self, home: Home, clock: FrozenDateTimeFactory, site: Site) -> None:
        """Look at a home at its own time."""
        self._home = home
        self._clock = clock
        self.site = site

    def spend(self, dollars: str, *, ago: timedelta = timedelta()) -> None:
        """Let the key spend something, now or some time ago."""
        spend(self.site, dollars, datetime.now(UTC) - ago)

    async def live(self, windows: int) -> None:
        """Let some times of five minutes pass, each of which becomes a row."""
        for _ in range(windows):
            begun = datetime.now(UTC)
            await self._home.pass_time(WINDOW)
            await async_wait_recording_done(self._home.hass)
            do_adhoc_statistics(self._home.hass, start=begun)
        await async_wait_recording_done(self._home.hass)

    async def sums(self, sensor: str) -> list[Decimal]:
        """Return the running sums of what a sensor has counted."""
        statistic = f"sensor.{sensor}"
        found = await rows_of(self._home.hass, [statistic], "sum", period="5minute")
        return [
            round(Decimal(str(row["sum"])), 6)
            for row in found[statistic]
            if row["sum"] is not None
        ]

    async def counted(self, sensor: str) -> Decimal:
        """Return what a sensor has counted in all, in steps that never go back."""
        sums = await self.sums(sensor)
        assert all(before <= after for before, after in pairwise(sums)), sums
        assert sums[0] >= 0
        return sums[-1] - sums[0]


@pytest.fixture
async def meters(recording: None, clock: FrozenDateTimeFactory, home: Home) -> Meters:
    """Give a home that keeps statistics, two hours before midnight."""
    await home.hass.config.async_set_time_zone(SHANGHAI.key)
    clock.move_to(MIDNIGHT - 2 * HOUR)
    return Meters(home, clock, await home.serve(household()))


async def test_day_and_night(meters: Meters, home: Home) -> None:
    """Over a midnight, all that was spent is counted once."""
    meters.spend("0.70", ago=HOUR)
    await home.add(meters.site, key=KEY, user="wang")
    await meters.live(6)
    for _ in range(4):
        meters.spend("0.25")
        await meters.live(2)
    # What is spent after the last reading of a day is not in it.
    await meters.live(12)
    for _ in range(4):
        meters.spend("0.10")
        await meters.live(2)
    await meters.live(6)
    for sensor in (SPENT, OF_KEY, MONTH):
        assert await meters.counted(sensor) == Decimal("1.40"), sensor


async def test_statistics_are_switched_off(meters: Meters, home: Home) -> None:
    """A key that is counted by readings from now on has not spent it all anew."""
    meters.spend("0.70", ago=HOUR)
    await home.add(meters.site, key=KEY, user="wang")
    await meters.live(3)
    meters.spend("0.40")
    await meters.live(8)
    assert await meters.counted(OF_KEY) == Decimal("0.40")
    meters.site.gateway.configure(data_export=False)
    await meters.live(8)
    assert await meters.counted(OF_KEY) == Decimal("0.40")
    meters.spend("0.25")
    # Some minutes are left of the day.
    await meters.live(3)
    assert await meters.counted(OF_KEY) == Decimal("0.65")


async def test_log_falls_silent(meters: Meters, home: Home) -> None:
    """An account that is counted by readings from now on has not spent it all anew."""
    meters.spend("0.70", ago=HOUR)
    await home.add(meters.site, key=KEY, user="wang")
    await meters.live(4)
    meters.spend("0.40")
    await meters.live(7)
    assert await meters.counted(SPENT) == Decimal("0.40")
    meters.site.gateway.configure(log_consumption=False)
    for _ in range(12):
        meters.spend("0.05")
        await meters.live(1)
    await meters.live(3)
    assert Decimal("0.40") <= await meters.counted(SPENT) <= Decimal("1.00")


async def test_site_is_down(meters: Meters, home: Home) -> None:
    """What was spent while the site was down is counted once it is back."""
    await home.add(meters.site, key=KEY, user="wang")
    meters.spend("0.70")
    await meters.live(6)
    meters.site.gateway.faults.add("*", Reset())
    await meters.live(3)
    meters.spend("0.25")
    meters.site.gateway.faults.clear()
    await meters.live(6)
    assert await meters.counted(SPENT) == Decimal("0.95")


async def test_money_that_comes_back(meters: Meters, home: Home) -> None:
    """What is put aside and given back makes no sum negative."""
    await home.add(meters.site, key=KEY)
    await meters.live(1)
    for _ in range(3):
        meters.spend("0.10")
        reservation = meters.site.gateway.reserve(KEY, DOLLAR)
        await meters.live(2)
        meters.site.gateway.world.release(reservation)
        await meters.live(2)
    sums = await meters.sums(ALONE)
    assert min(sums) >= 0
    assert sums[-1] == Decimal("0.30")


async def test_restart(meters: Meters, home: Home) -> None:
    """A restart counts nothing twice."""
    entry = await home.add(meters.site, key=KEY, user="wang")
    await meters.live(3)
    meters.spend("0.70")
    await meters.live(8)
    await home.hass.config_entries.async_reload(entry.entry_id)
    await meters.live(4)
    meters.spend("0.25")
    await meters.live(8)
    for sensor in (SPENT, MONTH, OF_KEY):
        assert await meters.counted(sensor) == Decimal("0.95"), sensor
