#!/usr/bin/env python3
"""Measure how long a month of statistics takes, and what has to wait for it.

Writes a row for each model and hour through a real recorder with a database file, as
the integration does it and, for comparison, everything at once. Beside the
seconds it says for how long at most the event loop did nothing else, and how long at
most a job of somebody else had to wait for the recorder. What was there before is kept
from the garbage collector, whose long pauses are those of the whole program. The
machine makes the seconds; the ratios are what counts. Runs in either environment.

Usage: .venv/bin/python benchmarks/backfill.py [MODELS [DAYS]]
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
import gc
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import time
from types import MappingProxyType
from typing import Final
from unittest.mock import AsyncMock, patch

sys.path.insert(0, str(Path(__file__).parents[1]))

from custom_components.new_api import statistics
from custom_components.new_api.gateway.money import Unit
from custom_components.new_api.gateway.usage import ModelUsage
from homeassistant import loader
from homeassistant.bootstrap import async_load_base_functionality
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.statistics import get_last_statistics
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.config_entries import SOURCE_USER, ConfigEntries, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import async_initialize_recorder, get_instance
from homeassistant.setup import async_setup_component

HOUR: Final = 3600
USD: Final = Unit.usd(Decimal(500_000))


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took, in seconds."""

    total: float
    loop: float
    recorder: float


async def catch_up(recorder: Recorder) -> None:
    """Wait until the recorder has done all that it was asked for by now."""
    done = asyncio.get_running_loop().create_future()
    recorder.queue_task(SynchronizeTask(done))
    await done


class Watch:
    """Looks all the time how late the loop and the recorder are."""

    def __init__(self, recorder: Recorder) -> None:
        """Begin with nothing seen."""
        self._recorder = recorder
        self.loop = 0.0
        self.recorder = 0.0

    async def look_at_loop(self) -> None:
        """Note by how much the loop is late at most."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self.loop = max(self.loop, time.perf_counter() - before - 0.001)

    async def look_at_recorder(self) -> None:
        """Note how long a job waits at most, one after another."""
        while True:
            before = time.perf_counter()
            await catch_up(self._recorder)
            self.recorder = max(self.recorder, time.perf_counter() - before)
            await asyncio.sleep(0.01)


@contextmanager
def at_once() -> Iterator[None]:
    """Do it in one piece."""
    with (
        patch.object(statistics, "_SERIES_AT_A_TIME", 1_000_000),
        patch.object(statistics, "_ROWS_AT_A_TIME", 1_000_000),
        patch.object(statistics, "_async_catch_up", AsyncMock()),
    ):
        yield


def month(models: int, days: int, now: int) -> list[ModelUsage]:
    """Return rows of every model and hour until `now`."""
    this_hour = now - now % HOUR
    return [
        ModelUsage(f"model-{model}", start, 10_000 + model, 1 + model % 3, 1_500)
        for start in range(this_hour - days * 24 * HOUR + HOUR, this_hour + 1, HOUR)
        for model in range(models)
    ]


@asynccontextmanager
async def home() -> AsyncIterator[HomeAssistant]:
    """Start a Home Assistant that keeps statistics in a file, and does nothing else."""
    with TemporaryDirectory() as folder:
        hass = HomeAssistant(folder)
        hass.config_entries = ConfigEntries(hass, {})
        loader.async_setup(hass)
        await async_load_base_functionality(hass)
        async_initialize_recorder(hass)
        url = f"sqlite:///{folder}/home.db"
        await async_setup_component(hass, "recorder", {"recorder": {"db_url": url}})
        await hass.async_start()
        await get_instance(hass).async_recorder_ready.wait()
        try:
            yield hass
        finally:
            await hass.async_stop(force=True)
            get_instance.cache_clear()


async def measure(hass: HomeAssistant, rows: list[ModelUsage]) -> Cost:
    """Write rows, and watch meanwhile."""
    entry: ConfigEntry = ConfigEntry(
        data={},
        discovery_keys=MappingProxyType({}),
        domain="new_api",
        entry_id="backfill",
        minor_version=1,
        options={},
        source=SOURCE_USER,
        subentries_data=(),
        title="Juhe AI (wang)",
        unique_id=None,
        version=1,
    )
    target = statistics.Statistics(hass, entry)
    watch = Watch(get_instance(hass))
    looks = [
        asyncio.create_task(look())
        for look in (watch.look_at_loop, watch.look_at_recorder)
    ]
    gc.collect()
    gc.freeze()
    # Until they have begun, and have seen the end of that.
    await asyncio.sleep(0.1)
    watch.loop = watch.recorder = 0.0
    before = time.perf_counter()
    await target.async_write(rows, start=min(row.start for row in rows), unit=USD)
    await catch_up(get_instance(hass))
    total = time.perf_counter() - before
    # Until they have seen the end.
    await asyncio.sleep(0.1)
    for look in looks:
        look.cancel()
    gc.unfreeze()
    return Cost(total, watch.loop, watch.recorder)


async def check(hass: HomeAssistant, rows: list[ModelUsage]) -> None:
    """Raise ValueError where a sum is not that of the rows."""
    for model in {row.model for row in rows}:
        part = statistics._id_of(model)  # noqa: SLF001
        known = f"new_api:backfill_{part}_spent_usd"
        last = await get_instance(hass).async_add_executor_job(
            get_last_statistics, hass, 1, known, False, {"sum"}
        )
        spent = sum(row.quota for row in rows if row.model == model)
        shown = Decimal(str(last[known][0].get("sum")))
        if shown != USD.amount(spent):
            raise ValueError(f"{model} spent {USD.amount(spent)}, not {shown}")


def line(name: str, cost: Cost) -> str:
    """Return a line of the table."""
    return (
        f"{name:<24}{cost.total:>8.2f} s{cost.loop * 1000:>10.0f} ms"
        f"{cost.recorder * 1000:>10.0f} ms"
    )


async def main() -> None:
    """Print the costs of each way, and how they compare."""
    models, days = (*map(int, sys.argv[1:]), *(50, 30)[len(sys.argv) - 1 :])
    rows = month(models, days, int(time.time()))
    print(
        f"{models} models x {days} days: {len(rows)} rows of usage, 3 statistics each"
    )
    print(f"{'':<24}{'total':>10}{'loop':>13}{'recorder':>13}")
    async with home() as hass:
        ours = await measure(hass, rows)
        await check(hass, rows)
        print(line("in pieces", ours))
        print(line("again, nothing new", await measure(hass, rows)))
        newer = rows[-2 * 24 * models :]
        print(line("again, two days of it", await measure(hass, newer)))
    async with home() as hass:
        with at_once():
            other = await measure(hass, rows)
        await check(hass, rows)
        print(line("at once", other))
    print(
        f"at once / in pieces: total {other.total / ours.total:.2f}, "
        f"loop {other.loop / ours.loop:.1f}, "
        f"recorder {other.recorder / ours.recorder:.1f}"
    )


if __name__ == "__main__":
    asyncio.run(main())
