"""What statistics are called, and in which unit they are."""

from decimal import Decimal

import pytest

from custom_components.new_api.gateway.money import Unit
from tests.recorder import imported

from .graphs import CNY, GPT, SPENT, USD, Graphs, used


async def test_another_unit_begins_anew(graphs: Graphs, jobs: list[str]) -> None:
    """What was spent in dollars stays so when the site changes over to yuan."""
    rows = [used(1, 500_000), used(2, 500_000)]
    await graphs.write(*rows)
    await graphs.write(*rows, used(3, 500_000), unit=CNY)
    assert await graphs.sums(SPENT, "USD") == {1: "1", 2: "2"}
    assert await graphs.sums(SPENT, "CNY") == {1: "7.3", 2: "14.6", 3: "21.9"}
    assert await graphs.sums(f"Juhe AI (wang) {GPT} requests", None) == {
        1: "1",
        2: "2",
        3: "3",
    }
    await graphs.write(*rows, used(3, 500_000))
    assert await graphs.sums(SPENT, "USD") == {1: "1", 2: "2", 3: "3"}


async def test_raw_quota_is_no_token_of_a_model(graphs: Graphs) -> None:
    """A site that shows raw quota calls it tokens; both have their own graph."""
    rows = [used(1, 500_000, tokens=77), used(2, 500_000, tokens=78)]
    await graphs.write(rows[0], unit=Unit.tokens())
    await graphs.write(*rows, unit=USD)
    assert await graphs.sums(SPENT, "tokens") == {1: "500000"}
    tokens = f"Juhe AI (wang) {GPT} tokens"
    assert await graphs.sums(tokens, "tokens") == {1: "77", 2: "155"}


async def test_symbols_are_units_of_their_own(graphs: Graphs) -> None:
    """A currency that a site has made up is not mixed with another."""
    for symbol in ("点", "積分", "USD", "¤"):
        unit = Unit.custom(Decimal(500_000), Decimal(2), symbol)
        await graphs.write(used(1, 500_000), unit=unit)
        assert await graphs.sums(SPENT, symbol) == {1: "2"}
    await graphs.write(used(1, 500_000))
    names = await graphs.names()
    assert names[SPENT] == 5


async def test_no_divisor(graphs: Graphs) -> None:
    """Where nobody knows what quota is worth, only the rest is written."""
    await graphs.write(used(1, 500_000), unit=USD)
    await graphs.write(used(1, 500_000), used(2, 500_000), unit=Unit.usd(Decimal(0)))
    assert await graphs.sums(SPENT) == {1: "1"}
    assert await graphs.sums(f"Juhe AI (wang) {GPT} tokens", "tokens") == {
        1: "100",
        2: "200",
    }
    await graphs.write(used(1, 500_000), used(2, 500_000), unit=USD)
    assert await graphs.sums(SPENT) == {1: "1", 2: "2"}


async def test_model_that_costs_nothing(graphs: Graphs) -> None:
    """It has requests and tokens, and no graph of nothing."""
    await graphs.write(used(1, 0))
    assert set(await graphs.names()) == {
        f"Juhe AI (wang) {GPT} requests",
        f"Juhe AI (wang) {GPT} tokens",
    }


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("spent", "requests", "tokens")),
        ("zh-Hans", ("花费", "请求数", "token 数")),
        ("tlh", ("spent", "requests", "tokens")),
    ],
)
async def test_names(graphs: Graphs, language: str, words: tuple[str, ...]) -> None:
    """They say of whom, of what and how much, in the language of the home."""
    graphs.hass.config.language = language
    await graphs.write(used(1, 500_000))
    names = [f"Juhe AI (wang) {GPT} {word}" for word in words]
    assert set(await graphs.names()) == set(names)
    assert [await graphs.unit(name) for name in names] == ["USD", None, "tokens"]


async def test_account_with_another_name(graphs: Graphs) -> None:
    """The new name is shown as soon as there is something new."""
    await graphs.write(used(1, 500_000))
    graphs.hass.config_entries.async_update_entry(graphs.entry, title="Work")
    await graphs.write(used(1, 500_000), used(2, 500_000))
    assert set(await graphs.names()) == {
        f"Work {GPT} spent",
        f"Work {GPT} requests",
        f"Work {GPT} tokens",
    }
    assert await graphs.sums(f"Work {GPT} spent") == {1: "1", 2: "2"}


async def test_models_that_look_alike(graphs: Graphs) -> None:
    """Each model has a graph of its own, whatever it is called."""
    models = [
        "gpt-4o",
        "gpt_4o",
        "GPT 4o",
        "gpt-4o_",
        "__gpt--4o__",
        "deepseek/deepseek-chat:free",
        "通义千问-max",
        "🤖",
        "✨",
        "",
        "x" * 300,
        "x" * 299 + "y",
    ]
    rows = [used(1, 500_000 * (i + 1), model=m) for i, m in enumerate(models)]
    await graphs.write(*rows)
    listed = await imported(graphs.hass)
    spent = [each for each in listed if "_spent_" in each["statistic_id"]]
    assert len({each["statistic_id"] for each in spent}) == len(models)
    assert max(len(each["statistic_id"]) for each in listed) < 255
    assert max(len(each["name"]) for each in listed) <= 255
    for i, model in enumerate(models[:8]):
        sums = await graphs.sums(f"Juhe AI (wang) {model} spent")
        assert sums == {1: str(i + 1)}
