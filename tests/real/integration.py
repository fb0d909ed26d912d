"""The integration as a person meets it in a real Home Assistant."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Final

from .client import Client, Json, RefusedError, eventually
from .home_assistant import INTEGRATION
from .log import Log, Record

FIGURES: Final[tuple[str, ...]] = (
    "Remaining quota",
    "Used quota",
    "Request count",
    "Model count",
)
"""The names of the account's entities that matter most to a person."""

SPENDING: Final[tuple[str, ...]] = (
    "Spent today",
    "Spent yesterday",
    "Spent this month",
    "Days left",
)
"""The names of those that say what was spent of it, and how long it lasts."""

BALANCE: Final = FIGURES[:3]
"""Those of them that are read first, all at once."""

# Said of every custom integration, at each start.
_SAID_OF_EVERY_ONE: Final = "We found a custom integration"

_NO_VALUE: Final = frozenset({"unknown", "unavailable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a person types into the form; nothing of it belongs into a log."""

    url: str
    api_key: str = field(default="", repr=False)
    user_id: str = ""
    access_token: str = field(default="", repr=False)

    def answers(self) -> dict[str, str]:
        """Return the fields of the form that are filled in."""
        return {name: value for name, value in asdict(self).items() if value}

    def secrets(self) -> tuple[str, ...]:
        """Return what must be seen nowhere else, in its shortest form."""
        secrets = (self.api_key.removeprefix("sk-"), self.access_token)
        return tuple(each for each in secrets if each)


async def fill_in(client: Client, credentials: Credentials) -> Json:
    """Fill in the form that adds an account and return what follows."""
    form = await client.start_flow(INTEGRATION)
    return await client.submit(form["flow_id"], credentials.answers())


async def add_account(client: Client, credentials: Credentials) -> str:
    """Add an account and return the id of its entry."""
    result = await fill_in(client, credentials)
    if result["type"] != "create_entry":
        raise RefusedError(f"no entry: {result.get('errors') or result.get('reason')}")
    entry_id: str = result["result"]["entry_id"]
    return entry_id


OPTIONS: Final[Mapping[str, Json]] = {
    "update_interval": 5,
    "key_devices": "all",
    "keys": [],
    "statistics": True,
    "warnings": {},
}
"""What the form of the options shows at first."""


async def change_options(client: Client, entry_id: str, **changes: Json) -> None:
    """Change some options of an account, and leave the others as they were at first."""
    done = await client.set_options(entry_id, {**OPTIONS, **changes})
    if done["type"] != "create_entry":
        raise RefusedError(f"no options: {done}")


async def account_device(client: Client, entry_id: str) -> Json:
    """Return the device of the account: the only one that hangs below no other."""
    (device,) = (
        each
        for each in await client.devices(entry_id)
        if not each.get("via_device_id") and not each.get("parent_device_id")
    )
    return device


async def devices_by_name(client: Client, entry_id: str) -> dict[str, Json]:
    """Return the devices of an entry by their names."""
    return {each["name"]: each for each in await client.devices(entry_id)}


async def entity_ids(client: Client, entry_id: str, device_id: str) -> dict[str, str]:
    """Return the ids of the entities of a device by their English names."""
    return {
        each["original_name"]: each["entity_id"]
        for each in await client.entities(entry_id)
        if each["device_id"] == device_id
    }


async def account_figures(
    client: Client, entry_id: str, names: Collection[str] = FIGURES
) -> dict[str, str]:
    """Wait until the account has figures; return their entity ids by name."""

    async def with_values() -> dict[str, str]:
        device = await account_device(client, entry_id)
        ids = await entity_ids(client, entry_id, device["id"])
        states = await client.states()
        figures = {name: ids[name] for name in names if name in ids}
        has_values = len(figures) == len(names) and all(
            entity_id in states and states[entity_id]["state"] not in _NO_VALUE
            for entity_id in figures.values()
        )
        return figures if has_values else {}

    return await eventually(with_values, within=60)


async def account_values(
    client: Client, entry_id: str, names: Collection[str] = FIGURES
) -> dict[str, Decimal]:
    """Return what Home Assistant says of the account, by names."""
    figures = await account_figures(client, entry_id, names)
    states = await client.states()
    return {name: Decimal(states[each]["state"]) for name, each in figures.items()}


async def refresh(client: Client, entry_id: str) -> None:
    """Ask anew as an automation does."""
    account = await account_device(client, entry_id)
    ids = await entity_ids(client, entry_id, account["id"])
    await client.call("homeassistant", "update_entity", entity_id=[*ids.values()])


async def identities(client: Client, entry_id: str) -> set[tuple[str, ...]]:
    """Return what history and automations hold on to."""
    entities = {
        (each["id"], each["entity_id"], each["unique_id"], each["device_id"])
        for each in await client.entities(entry_id)
    }
    return entities | {(each["id"],) for each in await client.devices(entry_id)}


def complaints(log: Log, since: int) -> list[str]:
    """Return what went wrong with the integration, as the log tells it."""
    return [
        each.text
        for each in log.records(since)
        if each.is_trouble and _is_ours(each) and _SAID_OF_EVERY_ONE not in each.text
    ]


def _is_ours(record: Record) -> bool:
    # The lines of a traceback name folders, which may be called anything.
    message = record.text.partition("\n")[0]
    return INTEGRATION in message or f"custom_components/{INTEGRATION}" in record.text
