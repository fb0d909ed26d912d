"""What a person sees of an account besides its balance, in a real Home Assistant."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import pytest

from tests.simulator import Key, LogRow, LogType

from .client import Client, eventually
from .gateway import Demo
from .integration import account_device, devices_by_name, entity_ids

pytestmark = [
    pytest.mark.real,
    pytest.mark.with_plan,
    pytest.mark.asyncio(loop_scope="session"),
]

WITHIN: Final = 30
"""How many seconds after an account was added all of this is there.

Some seconds later than the balance; what the site offers, as the check-in, and its news
wait until the site has room for more questions, three minutes.
"""

_PLAN: Final = "Coding plan"
_WEEK: Final = 7

_NOT_USABLE: Final = ("Homework", "Photo captions")
"""The key that has used all it may, and the one that was switched off."""


async def shown(client: Client, entry_id: str, device_id: str) -> dict[str, str]:
    """Return the states of the entities of a device by their English names."""
    ids = await entity_ids(client, entry_id, device_id)
    states = await client.states()
    return {name: states[each]["state"] for name, each in ids.items() if each in states}


async def becomes(
    client: Client, entry_id: str, device: str, expected: Mapping[str, object]
) -> None:
    """Wait until a device shows what is expected of some of its entities."""

    async def differing() -> dict[str, tuple[object, object]]:
        devices = await devices_by_name(client, entry_id)
        if device not in devices:
            return {device: (None, "a device")}
        states = await shown(client, entry_id, devices[device]["id"])
        return {
            name: (states.get(name), value)
            for name, value in expected.items()
            if not is_same(states.get(name), value)
        }

    last: dict[str, tuple[object, object]] = {}

    async def is_so() -> bool:
        nonlocal last
        last = await differing()
        return not last

    try:
        await eventually(is_so, within=WITHIN)
    except TimeoutError:
        raise AssertionError(f"{device}: {last} (shown, expected)") from None


def is_same(state: str | None, expected: object) -> bool:
    """Tell whether a state says what is expected."""
    if state is None or state in ("unknown", "unavailable"):
        return state == expected
    if isinstance(expected, Decimal):
        return Decimal(state) == expected
    if isinstance(expected, datetime):
        return datetime.fromisoformat(state) == expected
    return state == expected


def midnight(days: int = 0) -> int:
    """Return when it was or is midnight, so many days from today, in UTC."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today + timedelta(days=days)).timestamp())


def first_of_month() -> int:
    """Return when this month began, in UTC."""
    first = datetime.fromtimestamp(midnight(), UTC).replace(day=1)
    return int(first.timestamp())


def requests(demo: Demo, since: int, until: int) -> list[LogRow]:
    """Return the requests of a time, as the world knows them."""
    return [
        row
        for row in demo.gateway.world.log
        if row.type == LogType.CONSUME and since <= row.at < until
    ]


def spent(demo: Demo, since: int, until: int, key: Key | None = None) -> int:
    """Return what was spent in a time, of one key or of all, in raw units."""
    return sum(
        row.quota
        for row in requests(demo, since, until)
        if key is None or row.key_id == key.id
    )


def most_expensive(demo: Demo) -> str:
    """Return which model has cost most today."""
    costs: dict[str, int] = {}
    for row in requests(demo, midnight(), midnight(1)):
        costs[row.model] = costs.get(row.model, 0) + row.quota
    return max(costs, key=lambda model: costs[model], default="unknown")


async def test_account(client: Client, demo: Demo, entry_id: str) -> None:
    """What was spent when and on what, and what is to come, is that of the world."""
    account = (await account_device(client, entry_id))["name"]
    week = spent(demo, midnight(-_WEEK), midnight())
    today = requests(demo, midnight(), midnight(1))
    await becomes(
        client,
        entry_id,
        account,
        {
            "Spent today": demo.amount(spent(demo, midnight(), midnight(1))),
            "Spent yesterday": demo.amount(spent(demo, midnight(-1), midnight())),
            "Spent this month": demo.amount(spent(demo, first_of_month(), midnight(1))),
            "Average per day (7 days)": demo.amount((2 * week + _WEEK) // (2 * _WEEK)),
            "Requests today": Decimal(len(today)),
            "Tokens today": Decimal(sum(row.tokens for row in today)),
            "Most expensive model today": most_expensive(demo),
            "Gateway": "on",
            "Low balance": "off",
        },
    )


async def test_forecast(client: Client, demo: Demo, entry_id: str) -> None:
    """It says when the balance runs out, and the same in days."""
    account = await account_device(client, entry_id)

    async def forecast() -> tuple[datetime, float] | None:
        states = await shown(client, entry_id, account["id"])
        if states["Days left"] in ("unknown", "unavailable"):
            return None
        return datetime.fromisoformat(states["Runs out"]), float(states["Days left"])

    found = await eventually(forecast, within=WITHIN)
    assert found is not None
    runs_out, days_left = found
    ahead = (runs_out - datetime.now(UTC)) / timedelta(days=1)
    # One is shown to the hour, the other to a tenth of a day.
    assert ahead == pytest.approx(days_left, abs=0.15)
    # The plan pays for a part of what four weeks have cost, not for most of it.
    without_plan = demo.user.quota * 28 / spent(demo, midnight(-28), midnight())
    assert without_plan / 1.5 < days_left < without_plan * 3


async def test_keys(client: Client, demo: Demo, entry_id: str) -> None:
    """Each key says what it has spent, and whether it can be used."""
    for key in demo.keys:
        await becomes(
            client,
            entry_id,
            key.name,
            {
                "Spent today": demo.amount(spent(demo, midnight(), midnight(1), key)),
                "Spent this month": demo.amount(
                    spent(demo, first_of_month(), midnight(1), key)
                ),
                "Not usable": "on" if key.name in _NOT_USABLE else "off",
                "Low balance": "off",
                "Expires soon": "off",
            },
        )


async def test_plan(client: Client, demo: Demo, entry_id: str) -> None:
    """The plan is a device of its own, below that of the account."""
    (plan,) = demo.gateway.world.subscriptions
    await becomes(
        client,
        entry_id,
        _PLAN,
        {
            "Remaining": demo.amount(plan.amount_total - plan.amount_used),
            "Used": demo.amount(plan.amount_used),
            "Total": demo.amount(plan.amount_total),
            "Next reset": datetime.fromtimestamp(midnight(1), UTC),
            "Ends": datetime.fromtimestamp(plan.end_time, UTC),
        },
    )
    account = await account_device(client, entry_id)
    device = (await devices_by_name(client, entry_id))[_PLAN]
    assert account["id"] in (
        device.get("via_device_id"),
        device.get("parent_device_id"),
    )
    assert device["entry_type"] == "service"
