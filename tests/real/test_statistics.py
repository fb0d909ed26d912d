"""What each model has used, as the recorder of a real Home Assistant keeps it."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Final

import pytest

from tests.simulator import Hang, LogRow, LogType
from tests.simulator.records import DAY, HOUR

from .client import Client, Json, eventually
from .gateway import Demo
from .home_assistant import INTEGRATION, HomeAssistant
from .integration import account_device, add_account, change_options, entity_ids

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

_TITLE: Final = "Juhe AI (wang)"
_WITHIN: Final = 60
_MODEL_STATISTICS: Final = "/api/data/self"
_MOST_EXPENSIVE: Final = "Most expensive model today"

MEASURES: Final[Mapping[str, tuple[str | None, Callable[[Demo, LogRow], Decimal]]]] = {
    "spent": ("USD", lambda demo, row: demo.amount(row.quota)),
    "requests": (None, lambda _, row: Decimal(1)),
    "tokens": ("tokens", lambda _, row: Decimal(row.tokens)),
}
"""The measures by how people call them: their unit, and what a request counts."""

type Hours = list[tuple[int, Decimal, Decimal]]
"""Hours (Unix seconds of their start), how much there was in each, and the sum."""


@pytest.fixture
def demo(demo: Demo) -> Demo:
    """Leave out what may be out of the reach of the statistics when they are asked."""
    world = demo.gateway.world
    world.log = [row for row in world.log if row.at >= world.now - 29 * DAY]
    return demo


def ledger(demo: Demo) -> dict[str, Hours]:
    """Return what the world knows, by model and measure."""
    counted: defaultdict[str, dict[int, Decimal]] = defaultdict(dict)
    for row in demo.gateway.world.log:
        if row.type == LogType.CONSUME:
            for measure, (_, count) in MEASURES.items():
                hours = counted[f"{row.model} {measure}"]
                hours[row.hour] = hours.get(row.hour, Decimal(0)) + count(demo, row)
    return {name: hours_of(hours) for name, hours in counted.items()}


def hours_of(counted: Mapping[int, Decimal]) -> Hours:
    """Return hours with their sums; one without use has no row."""
    used = {hour: counted[hour] for hour in sorted(counted) if counted[hour]}
    return list(zip(used, used.values(), accumulate(used.values()), strict=True))


async def metadata(client: Client, entry_id: str) -> dict[str, Json]:
    """Return the statistics of an entry by model and measure.

    In a graph their names also tell the account.
    """
    kept = await client.statistics()
    ids = [
        each for each in kept if each.startswith(f"{INTEGRATION}:{entry_id.lower()}")
    ]
    told = await client.command("recorder/get_statistics_metadata", statistic_ids=ids)
    return {each["name"].removeprefix(f"{_TITLE} "): each for each in told if ids}


async def recorded(client: Client, entry_id: str) -> dict[str, Hours]:
    """Return what the recorder has, by model and measure."""
    names = {
        about["statistic_id"]: name
        for name, about in (await metadata(client, entry_id)).items()
    }
    since = datetime.now(UTC) - timedelta(days=40)
    hours = await client.hourly(names, since) if names else {}
    return {
        names[statistic_id]: [
            (row["start"] // 1000, Decimal(str(row["state"])), Decimal(str(row["sum"])))
            for row in rows
        ]
        for statistic_id, rows in hours.items()
    }


async def written(client: Client, demo: Demo, entry_id: str) -> dict[str, Hours]:
    """Wait until the recorder has all that the world knows; return it."""

    async def all_of_it() -> dict[str, Hours]:
        found = await recorded(client, entry_id)
        return found if found == ledger(demo) else {}

    return await eventually(all_of_it, within=_WITHIN)


def spend_late(demo: Demo) -> None:
    """Let requests of hours ago reach the statistics, one of a model that is new."""
    for model in ("gpt-5", "o7-preview"):
        demo.gateway.spend(
            demo.key.name,
            123_457,
            model=model,
            at=demo.gateway.world.started_at - 3 * HOUR,
        )


async def test_the_month_before_is_there(
    client: Client, demo: Demo, entry_id: str
) -> None:
    """Every hour of every model is that of the world, with a name and a unit."""
    await written(client, demo, entry_id)

    about = await metadata(client, entry_id)
    assert len(about) == len(demo.models) * len(MEASURES)
    assert about.keys() == ledger(demo).keys()
    for name, each in about.items():
        measure = name.split()[-1]
        assert each["statistics_unit_of_measurement"] == MEASURES[measure][0]
        assert (each["source"], each["has_sum"]) == (INTEGRATION, True)
    assert not {each["statistic_id"] for each in about.values()} & {
        *await client.command("recorder/validate_statistics")
    }


async def test_they_outlive_the_process(
    home_assistant: HomeAssistant, client: Client, demo: Demo, entry_id: str
) -> None:
    """They stand after a restart and a kill, and go on with what came late."""
    before = await written(client, demo, entry_id)
    about = await metadata(client, entry_id)

    await home_assistant.restart()
    await eventually(client.is_running, within=_WITHIN)
    assert await recorded(client, entry_id) == before
    assert await metadata(client, entry_id) == about

    spend_late(demo)
    await home_assistant.kill()
    await home_assistant.start()
    await eventually(client.is_running, within=_WITHIN)
    after = await written(client, demo, entry_id)
    changed = {name for name in after if after[name] != before.get(name)}
    assert {name.split()[0] for name in changed} == {"gpt-5", "o7-preview"}
    assert about.items() <= (await metadata(client, entry_id)).items()


async def test_killed_while_they_are_written(
    home_assistant: HomeAssistant, client: Client, demo: Demo
) -> None:
    """What is missing or half written then is made good at the next start."""
    demo.gateway.faults.add(_MODEL_STATISTICS, Hang())
    entry_id = await add_account(client, demo.credentials)
    # At the stop everything is stored, the entry and the person too.
    await home_assistant.stop()
    demo.gateway.faults.clear()
    await home_assistant.start()

    # Nothing is written before, nor can the recorder be asked.
    await eventually(client.is_running, within=_WITHIN)
    await eventually(lambda: recorded(client, entry_id), within=_WITHIN)
    await home_assistant.kill()
    await home_assistant.start()
    await eventually(client.is_running, within=_WITHIN)
    await written(client, demo, entry_id)
    await client.remove(entry_id)


async def test_they_stay_until_a_person_has_them_deleted(
    client: Client, demo: Demo, entry_id: str
) -> None:
    """Removing the account leaves them, and a repair offers to delete them."""
    before = await written(client, demo, entry_id)
    await client.remove(entry_id)

    assert await recorded(client, entry_id) == before
    (issue,) = (
        each
        for each in await client.issues(INTEGRATION)
        if each["issue_id"].endswith(entry_id)
    )
    assert issue["translation_key"] == "statistics_left"
    form = await client.start_fix(issue)
    assert (form["type"], form["step_id"]) == ("form", "confirm")
    assert await recorded(client, entry_id) == before

    done = await client.agree(form)
    assert done["type"] == "create_entry"
    assert await metadata(client, entry_id) == {}
    assert issue not in await client.issues(INTEGRATION)


async def test_an_option_turns_them_off(
    home_assistant: HomeAssistant, client: Client, demo: Demo
) -> None:
    """Without them the figures of today are there all the same."""
    demo.gateway.faults.add(_MODEL_STATISTICS, Hang())
    entry_id = await add_account(client, demo.credentials)
    await change_options(client, entry_id, statistics=False)
    await home_assistant.stop()
    demo.gateway.faults.clear()
    await home_assistant.start()
    account = await account_device(client, entry_id)
    model = (await entity_ids(client, entry_id, account["id"]))[_MOST_EXPENSIVE]

    async def is_known() -> bool:
        states = await client.states()
        return model in states and states[model]["state"] in demo.models

    await eventually(is_known, within=_WITHIN)
    # What is to be written is written at the stop.
    await home_assistant.restart()
    await eventually(client.is_running, within=_WITHIN)
    assert await metadata(client, entry_id) == {}
    await client.remove(entry_id)
