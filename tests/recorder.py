"""What Home Assistant's recorder has kept, as its graphs ask for it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, Literal

from custom_components.new_api.const import DOMAIN
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance

_LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


async def rows_of(
    hass: HomeAssistant,
    statistic_ids: Iterable[str],
    *figures: Literal["change", "state", "sum"],
    period: Literal["5minute", "day", "hour"] = "hour",
) -> dict[str, list[StatisticsRow]]:
    """Return all rows of some statistics, with these figures of each period."""
    return await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        _LONG_AGO,
        None,
        set(statistic_ids),
        period,
        None,
        set(figures),
    )


async def imported(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return what there is to choose from of the statistics of the integration."""
    listed = await get_instance(hass).async_add_executor_job(list_statistic_ids, hass)
    return [each for each in listed if each["source"] == DOMAIN]
