"""What is written is equal to the truth, hour by hour."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from custom_components.new_api.gateway.money import Unit
from custom_components.new_api.gateway.usage import ModelUsage
from tests.recordings import SITES, load

from .graphs import (
    CNY,
    GPT,
    HOUR,
    MONTH,
    POINTS,
    SEVENTHS,
    SPENT,
    START,
    THIS_HOUR,
    USD,
    Graphs,
    text,
    used,
)


@pytest.mark.parametrize(
    ("server", "unit", "symbol", "per_raw"),
    [
        *((server, USD, "USD", Decimal("0.000002")) for server in SITES),
        ("new_api_main", CNY, "CNY", Decimal("0.0000146")),
        ("new_api_main", POINTS, "点", Decimal("0.000014469")),
        ("new_api_main", Unit.tokens(), "tokens", Decimal(1)),
    ],
    ids=[*SITES, "cny", "custom", "tokens"],
)
async def test_equal_to_the_truth(
    graphs: Graphs, server: str, unit: Unit, symbol: str, per_raw: Decimal
) -> None:
    """What stood in a server's database stands in the graphs, to the unit."""
    truth = load(server, "usd").truth.spending
    rows = [
        ModelUsage(
            each["model"], each["hour"], each["quota"], each["count"], each["tokens"]
        )
        for each in truth
    ]
    assert len(rows) > 100
    await graphs.write(*rows, start=THIS_HOUR - MONTH, unit=unit)
    for model in {each["model"] for each in truth}:
        of_model = [each for each in truth if each["model"] == model]
        for name, field, of_unit, worth in (
            ("spent", "quota", symbol, per_raw),
            ("requests", "count", None, Decimal(1)),
            ("tokens", "tokens", "tokens", Decimal(1)),
        ):
            shown = await graphs.rows(f"Juhe AI (wang) {model} {name}", of_unit)
            assert {int(row["start"]): text(row["state"]) for row in shown} == {
                each["hour"]: f"{(each[field] * worth).normalize():f}"
                for each in of_model
            }
            total = sum(each[field] for each in of_model) * worth
            assert text(shown[-1]["sum"]) == f"{total.normalize():f}"


async def test_amounts_that_never_end(graphs: Graphs) -> None:
    """They still add up to the unit."""
    quotas = [1 + 3 * each for each in range(12)]
    rows = [used(hour, quota) for hour, quota in enumerate(quotas)]
    await graphs.write(*rows, unit=SEVENTHS)
    last = (await graphs.rows(f"Juhe AI (wang) {GPT} spent"))[-1]["sum"]
    assert last is not None
    assert round(Decimal(str(last)) * 700_000, 3) == sum(quotas)


async def test_window_begins_and_ends_with_an_hour(graphs: Graphs) -> None:
    """The first and the running hour belong to it; what is outside is not touched."""
    await graphs.write(used(-1, 500_000), start=START - HOUR)
    await graphs.write(
        used(-1, 5), used(0, 250_000), used(12, 250_000), used(13, 250_000)
    )
    assert await graphs.sums(SPENT) == {-1: "1", 0: "1.5", 12: "2"}


async def test_minutes_belong_to_their_hour(graphs: Graphs) -> None:
    """A server that is not exact about hours is not taken at its word."""
    within = [
        ModelUsage(GPT, START + HOUR + second, 250_000, 1, 1) for second in (0, 1, 3599)
    ]
    await graphs.write(*within, ModelUsage(GPT, START + 2 * HOUR, 5_000, 1, 1))
    assert await graphs.amounts(SPENT) == {1: "1.5", 2: "0.01"}


async def test_days_of_a_graph(graphs: Graphs) -> None:
    """A graph of days shows what was spent on each, by the home's own midnight."""
    await graphs.hass.config.async_set_time_zone("Asia/Shanghai")
    midnight = datetime(2026, 11, 22, 16, tzinfo=UTC).timestamp()
    rows = [
        ModelUsage(GPT, int(midnight) + hour * HOUR, 500_000, 1, 1)
        for hour in (-25, -24, -1, 0, 5)
    ]
    await graphs.write(*rows, start=int(midnight) - 48 * HOUR)
    assert await graphs.by_day(SPENT) == ["1", "2", "2"]


async def test_much_is_written_in_pieces(graphs: Graphs, jobs: list[str]) -> None:
    """After each job of at most 240 rows, everything else has its turn."""
    days = range(-11, 1)
    rows = [
        used(24 * day, 500_000, model=f"model {number}")
        for day in days
        for number in range(14)
    ]
    hours = range(-12 * 24 + 13, 13)
    rows += [used(hour, 500_000, model="always") for hour in hours]
    await graphs.write(*rows, start=THIS_HOUR - MONTH)
    assert jobs.count("write") == 14 * 3 + 2 * 3
    assert "write, write" not in ", ".join(jobs)
    for number in (0, 7, 13):
        sums = await graphs.sums(f"Juhe AI (wang) model {number} spent")
        assert sums == {24 * day: str(day + 12) for day in days}
    sums = await graphs.sums("Juhe AI (wang) always spent")
    assert sums == {hour: str(i) for i, hour in enumerate(hours, 1)}
