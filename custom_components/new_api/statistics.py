"""Long-term statistics: what each model used in each hour.

Home Assistant keeps them for good and draws them in statistics graphs, also for the
time before the integration was there. The recorder's own rows are the truth: what is
known is compared with them and continues them.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from itertools import batched
from math import isclose
from operator import attrgetter
import re
from time import time
from typing import Final

from homeassistant.components.recorder.const import DOMAIN as RECORDER
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    async_add_external_statistics,
    get_last_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import slugify

from .const import CONF_STATISTICS, DOMAIN
from .gateway.money import Unit, UnitKind
from .gateway.usage import ModelUsage
from .issues import async_statistics_left
from .periods import HOUR

# How many series are read, and how many rows written, at a time: everything else that
# wants the recorder or the loop has its turn in between.
_SERIES_AT_A_TIME: Final = 6
_ROWS_AT_A_TIME: Final = 240

# The recorder's columns have 255 characters; an id has two more parts.
_LONGEST_NAME: Final = 255
_LONGEST_SLUG: Final = 64

# Far less than one raw unit of any sum that doubles can hold to the unit.
_NOISE: Final = 1e-14


@dataclass(frozen=True, slots=True)
class _Measure:
    """Something that is counted of each model.

    `raw` is what a row says of it and `amount` what a person reads of that; `key` is
    its part of an id and `word` the key of its name.
    """

    key: str
    word: str
    unit: str | None
    raw: Callable[[ModelUsage], int]
    amount: Callable[[int], Decimal | None] = Decimal


@dataclass(frozen=True, slots=True)
class _Series:
    """One statistic: amounts by the start of their hour, and whether it is written."""

    metadata: StatisticMetaData
    amounts: Mapping[int, Decimal]
    is_written: bool

    @property
    def id(self) -> str:
        """Return what the recorder knows it by."""
        return self.metadata["statistic_id"]


class Statistics:
    """The statistics of an entry: spent, requests and tokens of each model.

    Their ids are made of the entry, the model and the unit, so that a site that changes
    its unit, or an account that is added again, has new ones instead of mixing both.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Begin; they are called by the title of the entry in front of people."""
        self._hass = hass
        self._entry = entry
        self._prefix = _prefix(entry.entry_id)
        self._turn = asyncio.Lock()

    async def async_write(
        self, rows: Iterable[ModelUsage], *, start: int, unit: Unit
    ) -> None:
        """Write all that is known of the hours from `start` until now.

        `start` is the beginning of an hour, in Unix seconds. What was written of these
        hours is corrected, and an hour of which nothing is known any more becomes 0.
        What is older stands, and what is written already is not written again.

        Ends when the recorder has written everything, which it does not begin before
        Home Assistant has started.
        """
        words = await async_get_translations(
            self._hass, self._hass.config.language, "selector", {DOMAIN}
        )
        names = {
            word: words[f"component.{DOMAIN}.selector.statistic.options.{word}"]
            for word in ("spent", "requests", "tokens")
        }
        recorder = get_instance(self._hass)
        async with self._turn:
            await _async_catch_up(recorder)
            series = await recorder.async_add_executor_job(
                self._series, tuple(rows), start, unit, names
            )
            for piece in batched(series, _SERIES_AT_A_TIME, strict=False):
                changes = await recorder.async_add_executor_job(
                    _changes, self._hass, piece, start
                )
                for metadata, data in changes:
                    for rows_of_it in batched(data, _ROWS_AT_A_TIME, strict=False):
                        async_add_external_statistics(self._hass, metadata, rows_of_it)
                        await _async_catch_up(recorder)

    def _series(
        self,
        rows: Sequence[ModelUsage],
        start: int,
        unit: Unit,
        names: Mapping[str, str],
    ) -> list[_Series]:
        """Return what is known of all models, also of those that were written before.

        Works on the database.
        """
        written = _written(self._hass, self._prefix)
        measures = _measures(unit)
        found: dict[str, _Series] = {}
        for measure in measures:
            for model, amounts in _amounts(rows, start, measure).items():
                metadata = StatisticMetaData(
                    has_sum=True,
                    mean_type=StatisticMeanType.NONE,
                    name=f"{self._entry.title} {model} {names[measure.word]}"[
                        :_LONGEST_NAME
                    ],
                    source=DOMAIN,
                    statistic_id=f"{self._prefix}{_id_of(model)}_{measure.key}",
                    unit_class=None,
                    unit_of_measurement=measure.unit,
                )
                found[metadata["statistic_id"]] = _Series(
                    metadata, amounts, metadata["statistic_id"] in written
                )
        # What was spent in another unit stands: nothing more will be known of it.
        keys = "|".join(measure.key for measure in measures)
        is_current = re.compile(rf"\S+_[0-9a-f]{{8}}_(?:{keys})").fullmatch
        return [
            *found.values(),
            *(
                _Series(metadata, {}, is_written=True)
                for statistic_id, metadata in written.items()
                if statistic_id not in found and is_current(statistic_id)
            ),
        ]


@callback
def async_statistics_of(hass: HomeAssistant, entry: ConfigEntry) -> Statistics | None:
    """Return those of an entry, where a person and this Home Assistant have any."""
    is_wanted = entry.options.get(CONF_STATISTICS, True)
    return Statistics(hass, entry) if is_wanted and _has_recorder(hass) else None


async def async_offer_removal(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Offer to delete the statistics of an entry that is removed, if there are any."""
    if await _async_ids(hass, entry.entry_id):
        async_statistics_left(hass, entry)


async def async_remove(hass: HomeAssistant, entry_id: str) -> None:
    """Delete all statistics of an entry."""
    if ids := await _async_ids(hass, entry_id):
        recorder = get_instance(hass)
        recorder.async_clear_statistics(ids)
        await _async_catch_up(recorder)


async def _async_ids(hass: HomeAssistant, entry_id: str) -> list[str]:
    if not _has_recorder(hass):
        return []
    written = await get_instance(hass).async_add_executor_job(
        _written, hass, _prefix(entry_id)
    )
    return list(written)


def _has_recorder(hass: HomeAssistant) -> bool:
    return RECORDER in hass.config.components


async def _async_catch_up(recorder: Recorder) -> None:
    """Wait until the recorder has done all that it was asked for.

    Its own method for that takes a job that is under way for one that is done.
    """
    done = asyncio.get_running_loop().create_future()
    recorder.queue_task(SynchronizeTask(done))
    await done


def _prefix(entry_id: str) -> str:
    return f"{DOMAIN}:{slugify(entry_id)}_"


def _id_of(model: str) -> str:
    """Return the part of an id for a model; names that look alike differ in it."""
    slug = slugify(model)[:_LONGEST_SLUG].strip("_") or "unknown"
    return f"{slug}_{_digest(model)}"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]


def _measures(unit: Unit) -> list[_Measure]:
    """Return what is counted, and what it costs where the site has a divisor."""
    measures = [
        _Measure("requests", "requests", None, attrgetter("requests")),
        _Measure("tokens", "tokens", "tokens", attrgetter("tokens")),
    ]
    if unit.per_raw is not None:
        label = unit.label or ""
        is_custom = unit.kind is UnitKind.CUSTOM
        key = (
            f"spent_custom_{_digest(label)}" if is_custom else f"spent_{label.lower()}"
        )
        spent = attrgetter("quota")
        measures.insert(0, _Measure(key, "spent", label, spent, unit.amount))
    return measures


def _amounts(
    rows: Iterable[ModelUsage], start: int, measure: _Measure
) -> dict[str, dict[int, Decimal]]:
    """Return by model and hour how much there was of a measure.

    An hour that has not begun is left out: the site's clock may be ahead.
    """
    now = time()
    counted: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        hour = row.start - row.start % HOUR
        if start <= hour <= now:
            counted[row.model][hour] += measure.raw(row)
    return {
        model: {
            hour: amount
            for hour, raw in hours.items()
            if (amount := measure.amount(raw)) is not None
        }
        for model, hours in counted.items()
    }


def _written(hass: HomeAssistant, prefix: str) -> dict[str, StatisticMetaData]:
    """Return the statistics in the database whose id begins with `prefix`."""
    return {
        statistic_id: metadata
        for statistic_id, (_, metadata) in get_metadata(
            hass, statistic_source=DOMAIN
        ).items()
        if statistic_id.startswith(prefix)
    }


def _changes(
    hass: HomeAssistant, piece: Iterable[_Series], start: int
) -> list[tuple[StatisticMetaData, list[StatisticData]]]:
    """Return the rows that have to be written; works on the database."""
    written: dict[str, list[StatisticsRow]] = {}
    if ids := {series.id for series in piece if series.is_written}:
        since = datetime.fromtimestamp(start, UTC)
        written = statistics_during_period(
            hass, since, None, ids, "hour", None, {"state", "sum"}
        )
    changes = []
    for series in piece:
        rows = written.get(series.id, [])
        before = _total_before(hass, series, rows)
        if data := _corrected(series.amounts, rows, before):
            changes.append((series.metadata, data))
    return changes


def _total_before(
    hass: HomeAssistant, series: _Series, rows: Sequence[StatisticsRow]
) -> Decimal:
    """Return the running sum with which the first of `rows`, or what follows, began."""
    if rows:
        return _exact(rows[0].get("sum")) - _exact(rows[0].get("state"))
    if not series.is_written or not series.amounts:
        return Decimal(0)
    last = get_last_statistics(hass, 1, series.id, False, {"sum"})
    return _exact(last[series.id][0].get("sum")) if last else Decimal(0)


def _corrected(
    amounts: Mapping[int, Decimal], rows: Iterable[StatisticsRow], total: Decimal
) -> list[StatisticData]:
    """Return the rows that are not as they are written in `rows`.

    With the first of them, the sums of all hours after it change. An hour without use
    has no row, but if it has one already, that becomes 0.
    """
    written = {int(row["start"]): row for row in rows}
    changed: list[StatisticData] = []
    for hour in sorted({*written, *(hour for hour in amounts if amounts[hour])}):
        amount, row = amounts.get(hour, Decimal(0)), written.get(hour)
        total += amount
        if row and _is_written(row, amount, total):
            continue
        changed.append(
            StatisticData(
                start=datetime.fromtimestamp(hour, UTC),
                state=float(amount),
                sum=float(total),
            )
        )
    return changed


def _is_written(row: StatisticsRow, amount: Decimal, total: Decimal) -> bool:
    """Return whether a row says so.

    Its sum does not where a correction was interrupted. It has been through doubles
    twice, so that the last digit may differ.
    """
    state, running = row.get("state"), row.get("sum")
    return (
        state == float(amount)
        and running is not None
        and isclose(running, total, rel_tol=_NOISE, abs_tol=_NOISE)
    )


def _exact(value: float | None) -> Decimal:
    """Return the decimal number from which the recorder's double was made."""
    return Decimal(str(value or 0))
