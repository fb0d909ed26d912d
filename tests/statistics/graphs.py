"""Who writes statistics, and looks at them in graphs."""

from collections import Counter
from decimal import Decimal
from typing import Final

from custom_components.new_api.gateway.money import Unit
from custom_components.new_api.gateway.usage import ModelUsage
from custom_components.new_api.statistics import Statistics
from homeassistant.components.recorder.statistics import StatisticsRow
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from tests.conftest import NOW
from tests.recorder import imported, rows_of

HOUR: Final = 3600
THIS_HOUR: Final = int(NOW.replace(minute=0).timestamp())
MONTH: Final = 30 * 24 * HOUR
START: Final = THIS_HOUR - 12 * HOUR
"""From when on the windows of most tests reach until now."""

USD: Final = Unit.usd(Decimal(500_000))
CNY: Final = Unit.cny(Decimal(500_000), Decimal("7.3"))
POINTS: Final = Unit.custom(Decimal(500_000), Decimal("7.2345"), "点")
SEVENTHS: Final = Unit.usd(Decimal(700_000))
"""Of which most amounts never end."""

GPT: Final = "gpt-5-mini"
CLAUDE: Final = "claude-haiku-4-5"

SPENT: Final = f"Juhe AI (wang) {GPT} spent"


def used(
    hour: int,
    quota: int,
    *,
    model: str = GPT,
    requests: int = 1,
    tokens: int = 100,
) -> ModelUsage:
    """Return what went to a model `hour` hours after the window's start."""
    return ModelUsage(model, START + hour * HOUR, quota, requests, tokens)


class Graphs:
    """Who writes the statistics of an account, and looks at them in graphs."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Have an account that is called Juhe AI (wang)."""
        self.hass = hass
        self.entry = entry
        self.statistics = Statistics(hass, entry)

    def restart(self) -> None:
        """Forget all that is not in the database."""
        self.statistics = Statistics(self.hass, self.entry)

    async def write(
        self, *rows: ModelUsage, start: int = START, unit: Unit = USD
    ) -> None:
        """Write what is known of a window."""
        await self.statistics.async_write(rows, start=start, unit=unit)

    async def names(self) -> Counter[str]:
        """Return the names among which a person chooses."""
        return Counter(each["name"] for each in await imported(self.hass))

    async def unit(self, name: str) -> str | None:
        """Return the unit of what is called so."""
        (found,) = [each for each in await imported(self.hass) if each["name"] == name]
        unit: str | None = found["statistics_unit_of_measurement"]
        return unit

    async def amounts(self, name: str, unit: str | None = "USD") -> dict[int, str]:
        """Return the amounts of hours, counted from the window's start."""
        return {
            (int(row["start"]) - START) // HOUR: text(row["state"])
            for row in await self.rows(name, unit)
        }

    async def sums(self, name: str, unit: str | None = "USD") -> dict[int, str]:
        """Return the running sums at the ends of hours."""
        return {
            (int(row["start"]) - START) // HOUR: text(row["sum"])
            for row in await self.rows(name, unit)
        }

    async def by_day(self, name: str) -> list[str]:
        """Return what a graph shows as the change of each day, where there are rows."""
        found = await self._id(name, "USD")
        rows = await rows_of(self.hass, [found], "change", period="day")
        return [text(row["change"]) for row in rows[found]]

    async def rows(self, name: str, unit: str | None = "USD") -> list[StatisticsRow]:
        """Return the rows of what is called so and has this unit."""
        found = await self._id(name, unit)
        rows = (await rows_of(self.hass, [found], "state", "sum")).get(found, [])
        # What a graph shows of an hour is what the sum has risen by.
        before = Decimal(0)
        for row in rows:
            total, amount = Decimal(text(row["sum"])), Decimal(text(row["state"]))
            assert abs(total - before - amount) < Decimal("1e-9")
            before = total
        return rows

    async def _id(self, name: str, unit: str | None) -> str:
        (found,) = [
            each["statistic_id"]
            for each in await imported(self.hass)
            if each["name"] == name and each["statistics_unit_of_measurement"] == unit
        ]
        assert isinstance(found, str)
        return found


def text(value: float | None) -> str:
    """Return a number of a graph to its last digit."""
    assert value is not None
    return f"{Decimal(str(value)).normalize():f}"
