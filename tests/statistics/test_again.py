"""What is known is written once, and what was written is corrected."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.new_api import statistics
from homeassistant.components.recorder import core
from homeassistant.components.recorder.models import StatisticData, StatisticMetaData
from homeassistant.helpers.recorder import get_instance
from tests.home import Home
from tests.household import DOLLAR, KEY, lived

from .graphs import CLAUDE, GPT, HOUR, SEVENTHS, SPENT, START, Graphs, used


async def test_twice_writes_nothing(graphs: Graphs, jobs: list[str]) -> None:
    """What is written already is not written again."""
    rows = [used(hour, 500_000 + hour) for hour in (0, 3, 11)]
    await graphs.write(*rows)
    assert jobs.count("write") == 3
    shown = await graphs.rows(SPENT)
    jobs.clear()
    await graphs.write(*rows)
    await graphs.write(*rows[1:], start=START + HOUR)
    assert "write" not in jobs
    assert await graphs.rows(SPENT) == shown


async def test_amounts_that_never_end_twice(graphs: Graphs, jobs: list[str]) -> None:
    """So it is where sums are no short numbers, wherever the window begins."""
    before = START - 20 * 24 * HOUR
    rows = [used(hour, 700_000_001 + hour) for hour in range(-480, 12, 7)]
    await graphs.write(*rows, start=before, unit=SEVENTHS)
    jobs.clear()
    for later in range(0, 492, 41):
        start = before + later * HOUR
        known = [row for row in rows if row.start >= start]
        await graphs.write(*known, start=start, unit=SEVENTHS)
    assert "write" not in jobs


async def test_goes_on(
    graphs: Graphs, jobs: list[str], clock: FrozenDateTimeFactory
) -> None:
    """Each hour continues the one before it, and a quiet one has no row."""
    await graphs.write(used(12, 500_000))
    clock.tick(timedelta(hours=3))
    await graphs.write(used(15, 250_000), start=START + 13 * HOUR)
    assert await graphs.amounts(SPENT) == {12: "1", 15: "0.5"}
    assert await graphs.sums(SPENT) == {12: "1", 15: "1.5"}
    assert await graphs.amounts(f"Juhe AI (wang) {GPT} requests", None) == {
        12: "1",
        15: "1",
    }


async def test_the_running_hour_grows(graphs: Graphs) -> None:
    """An hour that is written while it lasts is what it was in the end."""
    await graphs.write(used(11, 1_000), used(12, 500_000))
    await graphs.write(used(11, 1_000), used(12, 900_000, requests=3, tokens=1_234))
    assert await graphs.amounts(SPENT) == {11: "0.002", 12: "1.8"}
    assert await graphs.sums(SPENT) == {11: "0.002", 12: "1.802"}
    assert await graphs.sums(f"Juhe AI (wang) {GPT} requests", None) == {
        11: "1",
        12: "4",
    }
    assert await graphs.sums(f"Juhe AI (wang) {GPT} tokens", "tokens") == {
        11: "100",
        12: "1334",
    }


@pytest.mark.parametrize("late", [0, 2, 4, 6])
async def test_late_row(graphs: Graphs, late: int) -> None:
    """What comes late has its place, and all sums after it are right."""
    in_time = [used(-24, 500_000), used(1, 500_000), used(3, 5), used(5, 250_000)]
    await graphs.write(*in_time, start=START - 24 * HOUR)
    rows = sorted([*in_time[1:], used(late, 125_000)], key=lambda row: row.start)
    await graphs.write(*rows)
    shown = await graphs.sums(SPENT)
    total = Decimal(1)
    expected = {-24: "1"}
    for row in rows:
        total += Decimal(row.quota) / 500_000
        expected[(row.start - START) // HOUR] = f"{total.normalize():f}"
    assert shown == expected


async def test_only_what_is_wrong_is_written(
    graphs: Graphs, jobs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither another model nor an hour before the first wrong one."""
    kept = [used(hour, 500_000) for hour in range(8)]
    others = [used(hour, 250_000, model=CLAUDE) for hour in range(8)]
    await graphs.write(*kept, *others)
    jobs.clear()
    written: list[int] = []
    add = core.Recorder.async_import_statistics

    def noted(
        recorder: core.Recorder,
        metadata: StatisticMetaData,
        stats: Iterable[StatisticData],
        table: Any,
    ) -> None:
        stats = list(stats)
        written.extend((int(s["start"].timestamp()) - START) // HOUR for s in stats)
        add(recorder, metadata, stats, table)

    monkeypatch.setattr(core.Recorder, "async_import_statistics", noted)
    kept[6] = used(6, 750_000)
    await graphs.write(*kept, *others)
    assert written == [6, 7]
    assert (await graphs.sums(SPENT))[7] == "8.5"


async def test_vanished_row(graphs: Graphs, jobs: list[str]) -> None:
    """What the site takes back becomes 0, and sums no longer contain it."""
    rows = [used(1, 500_000), used(2, 250_000), used(4, 5_000)]
    await graphs.write(*rows)
    await graphs.write(rows[0], rows[2])
    assert await graphs.amounts(SPENT) == {1: "1", 2: "0", 4: "0.01"}
    assert await graphs.sums(SPENT) == {1: "1", 2: "1", 4: "1.01"}
    jobs.clear()
    await graphs.write(rows[0], rows[2])
    assert "write" not in jobs


async def test_all_rows_vanish(graphs: Graphs) -> None:
    """So does all of a model, within the window, and what is older stands."""
    await graphs.write(used(-2, 500_000), used(1, 250_000), start=START - 2 * HOUR)
    await graphs.write()
    assert await graphs.sums(SPENT) == {-2: "1", 1: "1"}
    await graphs.write(used(3, 5_000))
    assert await graphs.sums(SPENT) == {-2: "1", 1: "1", 3: "1.01"}


async def test_model_that_is_gone(graphs: Graphs, jobs: list[str]) -> None:
    """A model that nobody uses any more keeps its history, and is left alone."""
    old = used(-1, 500_000, model=CLAUDE)
    await graphs.write(old, used(-1, 5_000), start=START - HOUR)
    jobs.clear()
    await graphs.write(used(0, 5_000))
    assert jobs.count("write") == 3
    assert await graphs.amounts(f"Juhe AI (wang) {CLAUDE} spent") == {-1: "1"}
    assert await graphs.sums(SPENT) == {-1: "0.01", 0: "0.02"}


@pytest.mark.parametrize("later", [1, 24 * 400], ids=["an hour", "more than a year"])
async def test_restart(
    graphs: Graphs, jobs: list[str], clock: FrozenDateTimeFactory, later: int
) -> None:
    """Sums go on from the database, however long nothing was spent."""
    await graphs.write(used(12, 500_000))
    clock.tick(timedelta(hours=later))
    graphs.restart()
    jobs.clear()
    start = START + (12 + later) * HOUR
    await graphs.write(start=start)
    assert "write" not in jobs
    await graphs.write(used(12 + later, 250_000), start=start)
    assert await graphs.sums(SPENT) == {12: "1", 12 + later: "1.5"}


async def test_two_at_once(graphs: Graphs) -> None:
    """Whoever comes second sees what the first one has written."""
    rows = [used(hour, 500_000) for hour in range(12)]
    await asyncio.gather(
        graphs.write(*rows[:6]),
        graphs.write(*rows[6:], start=START + 6 * HOUR),
        graphs.write(*rows),
    )
    assert await graphs.sums(SPENT) == {hour: str(hour + 1) for hour in range(12)}


@pytest.mark.parametrize(
    ("known", "late"),
    [((), 0), ((1, 2, 3, 5, 6, 7, 8), 0), ((1, 2, 3, 5, 6, 7, 8), 4)],
    ids=["at first", "before all", "in between"],
)
@pytest.mark.parametrize("parts", [1, 2, 3])
async def test_interrupted(
    graphs: Graphs,
    monkeypatch: pytest.MonkeyPatch,
    known: tuple[int, ...],
    late: int,
    parts: int,
) -> None:
    """What is written only in part is made whole by the next time."""
    monkeypatch.setattr(statistics, "_ROWS_AT_A_TIME", 2)
    await graphs.write(*(used(hour, 500_000) for hour in known))
    rows = [used(hour, 500_000) for hour in (1, 2, 3, late, 5, 6, 7, 8)]
    add = core.Recorder.async_import_statistics
    done: list[str] = []

    def stops(recorder: core.Recorder, metadata: StatisticMetaData, *more: Any) -> None:
        if len(done) == parts:
            raise asyncio.CancelledError
        done.append(metadata["statistic_id"])
        add(recorder, metadata, *more)

    with monkeypatch.context() as patch:
        patch.setattr(core.Recorder, "async_import_statistics", stops)
        with suppress(asyncio.CancelledError):
            await graphs.write(*rows)
    graphs.restart()
    await graphs.write(*rows)
    expected = sorted((row.start - START) // HOUR for row in rows)
    for name, unit in (("spent", "USD"), ("requests", None)):
        assert await graphs.sums(f"Juhe AI (wang) {GPT} {name}", unit) == {
            hour: str(i) for i, hour in enumerate(expected, 1)
        }


async def test_adjusted_by_hand(graphs: Graphs) -> None:
    """What somebody has adjusted within the window is what the site says again."""
    rows = [used(1, 500_000), used(3, 250_000)]
    await graphs.write(*rows)
    get_instance(graphs.hass).async_adjust_statistics(
        await graphs._id(SPENT, "USD"),
        datetime.fromtimestamp(START + 3 * HOUR, UTC),
        10.0,
        "USD",
    )
    await graphs.write(*rows, used(5, 5_000))
    assert await graphs.sums(SPENT) == {1: "1", 3: "1.5", 5: "1.51"}


async def test_deleted_by_hand(graphs: Graphs) -> None:
    """After a person has deleted them, they begin anew, and with no jump."""
    await graphs.write(used(1, 500_000))
    get_instance(graphs.hass).async_clear_statistics([await graphs._id(SPENT, "USD")])
    await graphs.write(used(3, 250_000), start=START + 2 * HOUR)
    assert await graphs.sums(SPENT) == {3: "0.5"}


async def test_account_of_somebody_else(recording: None, home: Home) -> None:
    """Where an entry becomes another account's, what was before is not its own."""
    site = await home.serve(lived(a_day=12))
    li = site.gateway.world.add_user("li", quota=DOLLAR)
    site.gateway.world.add_key(li, "Li")
    this_hour = site.gateway.world.now // HOUR * HOUR
    site.gateway.spend("Li", 5 * DOLLAR, at=this_hour - 50 * HOUR)
    entry = await home.add(site, key=KEY, user="wang")
    graphs = Graphs(home.hass, entry)
    await home.pass_hour()
    name = "Juhe AI (wang) gpt-4o spent"
    before = await graphs.amounts(name)
    assert len(before) >= 10 * 24 - 1
    assert set(before.values()) == {"0.5"}

    for form in (site.form(key=KEY), site.form(key=KEY, user="li")):
        done = await home.submit(await home.start_reconfigure(entry), form)
        assert done["reason"] == "reconfigure_successful"
    await home.pass_hour()
    site.gateway.spend("Li", 3 * DOLLAR)
    await home.pass_hour()
    await home.pass_hour()
    after = await graphs.amounts(f"{entry.title} gpt-4o spent")
    assert {hour: after[hour] for hour in before} == before
    assert [after[hour] for hour in after if hour not in before] == ["3"]
