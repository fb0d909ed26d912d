"""An account is added, read, repaired and removed in a real Home Assistant."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.simulator import NEVER, Key, Status

from .client import Client, Json, eventually
from .gateway import Demo
from .home_assistant import INTEGRATION, HomeAssistant
from .integration import (
    BALANCE,
    Credentials,
    account_device,
    account_figures,
    account_values,
    add_account,
    devices_by_name,
    entity_ids,
    fill_in,
    identities,
    refresh,
)

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

WRONG_KEY = "sk-" + "x" * 48

# While Home Assistant starts, there may be no state at all yet.
_UNAVAILABLE = {"state": "unavailable"}

type AskAgain = Callable[[Client, str], Awaitable[None]]


async def test_onboarding(client: Client) -> None:
    """Onboarding leaves a Home Assistant that runs and asks nobody anything."""
    config = await client.get("api/config")

    assert not await client.is_new()
    assert (config["state"], config["recovery_mode"]) == ("RUNNING", False)
    assert config["version"].startswith("2026.11.")
    assert await client.flows(INTEGRATION) == []


async def test_wrong_key_is_named_and_can_be_corrected(
    client: Client, demo: Demo
) -> None:
    """The form says which field is wrong, stays open and takes the right key then."""
    refused = await fill_in(client, replace(demo.credentials, api_key=WRONG_KEY))

    assert (refused["type"], refused["step_id"]) == ("form", "user")
    assert refused["errors"] == {"api_key": "invalid_api_key"}
    for language in ("en", "zh-Hans"):
        texts = await client.texts(language, "config", INTEGRATION)
        assert texts[f"component.{INTEGRATION}.config.error.invalid_api_key"]
    assert await client.entries(INTEGRATION) == []

    added = await client.submit(refused["flow_id"], demo.credentials.answers())
    assert added["type"] == "create_entry"
    await client.remove(added["result"]["entry_id"])


async def test_an_account_is_added_once(
    client: Client, demo: Demo, entry_id: str
) -> None:
    """An account that is there already is not added again."""
    (entry,) = await client.entries(INTEGRATION)
    assert (entry["entry_id"], entry["state"]) == (entry_id, "loaded")

    again = await fill_in(client, demo.credentials)
    assert (again["type"], again["reason"]) == ("abort", "already_configured")


async def test_figures_are_those_of_the_gateway(
    client: Client, demo: Demo, entry_id: str
) -> None:
    """What is shown is what the gateway has in its books, to the last unit."""
    assert await account_values(client, entry_id) == demo.truth


async def test_keys_are_those_of_the_account(
    client: Client, demo: Demo, entry_id: str
) -> None:
    """Each key has a device with its own figures."""
    devices = await devices_by_name(client, entry_id)
    states = await client.states()
    for key in demo.keys:
        ids = await entity_ids(client, entry_id, devices[key.name]["id"])
        shown = {
            name: states[each]["state"] for name, each in ids.items() if each in states
        }
        assert shown["Status"] == status(key)
        assert Decimal(shown["Used quota"]) == demo.amount(key.used_quota)
        if key.unlimited:
            assert shown["Remaining quota"] == "unknown"
        else:
            assert Decimal(shown["Remaining quota"]) == demo.amount(key.remain_quota)
        if key.expires_at == NEVER:
            # Of the key that was entered it is shown all the same.
            assert shown.get("Expires", "unknown") == "unknown"
        else:
            expires = datetime.fromisoformat(shown["Expires"])
            assert expires.timestamp() == key.expires_at


def status(key: Key) -> str:
    """Return what can be done with a key."""
    if key.status == Status.DISABLED:
        return "disabled"
    return "exhausted" if key.is_exhausted else "active"


async def reload(client: Client, entry_id: str) -> None:
    """Ask anew as a person does in the settings."""
    await client.reload(entry_id)


@pytest.mark.parametrize("ask_again", [reload, refresh])
async def test_figures_follow_spending(
    client: Client, demo: Demo, entry_id: str, ask_again: AskAgain
) -> None:
    """One raw unit spent is one raw unit less in Home Assistant."""
    before = await account_values(client, entry_id)
    demo.spend(1)
    await ask_again(client, entry_id)

    async def follows() -> bool:
        return await account_values(client, entry_id) == demo.truth

    await eventually(follows)
    assert demo.truth != before


async def test_spending_is_recorded(client: Client, demo: Demo, entry_id: str) -> None:
    """History has the balance before and after, and statistics know its unit."""
    begin = datetime.now(UTC)
    balance = (await account_figures(client, entry_id))["Remaining quota"]
    before = (await client.states())[balance]["state"]
    demo.spend(500_000)
    await refresh(client, entry_id)

    async def recorded() -> list[str]:
        states = await client.history(balance, begin)
        return states if len(states) > 1 else []

    # The recorder has the statistics of a month to write besides.
    first, last = await eventually(recorded, within=60)
    assert (first, Decimal(last)) == (before, Decimal(before) - 1)
    kept = (await client.statistics())[balance]
    assert kept["statistics_unit_of_measurement"] == "USD"
    assert balance not in await client.command("recorder/validate_statistics")


async def test_restart_changes_nothing(
    home_assistant: HomeAssistant, client: Client, demo: Demo, entry_id: str
) -> None:
    """Entities, devices and figures are the same after a restart."""
    assert await account_values(client, entry_id) == demo.truth
    before = await identities(client, entry_id)
    await home_assistant.restart()
    await eventually(client.is_running, within=60)

    assert await account_values(client, entry_id) == demo.truth
    # What the site offers can have come meanwhile.
    assert before <= await identities(client, entry_id)


async def test_what_happened_meanwhile_is_told_once(
    home_assistant: HomeAssistant, client: Client, demo: Demo
) -> None:
    """A new model and an announcement are events, also if nobody was there."""
    # Of a key alone everything is asked at once.
    key = Credentials(url=demo.url, api_key=str(demo.key))
    entry_id = await add_account(client, key)
    device = await account_device(client, entry_id)
    ids = await entity_ids(client, entry_id, device["id"])

    async def events() -> list[Json]:
        states = await client.states()
        events = [states.get(ids[name], _UNAVAILABLE) for name in ("Models", "News")]
        return [] if "unavailable" in _states(events) else events

    assert _states(await eventually(events, within=60)) == ["unknown", "unknown"]
    await home_assistant.stop()
    demo.gateway.world.add_model("glm-5")
    demo.gateway.announce("<b>glm-5</b> is here")
    await home_assistant.start()

    models, news = told = await eventually(events, within=60)
    # Before that, Home Assistant does not listen to who wants it to stop.
    await eventually(client.is_running, within=60)
    assert models["attributes"]["event_type"] == "model_added"
    assert models["attributes"]["models"] == ["glm-5"]
    assert news["attributes"]["event_type"] == "announcement"
    assert news["attributes"]["text"] == "glm-5 is here"

    await home_assistant.restart()
    again = await eventually(events, within=60)
    assert _states(again) == _states(told)
    await client.remove(entry_id)


def _states(states: list[Json]) -> list[str]:
    return [each["state"] for each in states]


@pytest.mark.troubled
async def test_revoked_access_token_is_asked_for_alone(
    client: Client, demo: Demo, entry_id: str
) -> None:
    """What opened the account is asked for anew, and the key is not."""
    figures = await account_figures(client, entry_id)
    access_token = demo.rotate_access_token()
    # One refusal can be a hiccup of the site; the second one is believed.
    for _ in range(2):
        await refresh(client, entry_id)
    (flow,) = await eventually(lambda: client.flows(INTEGRATION), within=30)
    form = await client.form(flow["flow_id"])

    assert (flow["context"]["source"], form["step_id"]) == ("reauth", "reauth_confirm")
    assert {each["name"] for each in form["data_schema"]} == {"access_token"}
    states = await client.states()
    assert {states[each]["state"] for each in figures.values()} == {"unavailable"}

    done = await client.submit(form["flow_id"], {"access_token": access_token})
    assert (done["type"], done["reason"]) == ("abort", "reauth_successful")
    balance = {name: demo.truth[name] for name in BALANCE}
    assert await account_values(client, entry_id, BALANCE) == balance
    assert await client.flows(INTEGRATION) == []


async def test_devices(client: Client, demo: Demo, entry_id: str) -> None:
    """The account is a service, and its keys are services below it."""
    account = await account_device(client, entry_id)
    devices = await client.devices(entry_id)

    assert account["entry_type"] == "service"
    assert account["configuration_url"].startswith(demo.credentials.url)
    keys = [each for each in devices if each["id"] != account["id"]]
    assert {each["name"] for each in keys} == {each.name for each in demo.keys}
    for key in keys:
        assert account["id"] in (key.get("via_device_id"), key.get("parent_device_id"))


async def test_nothing_is_left_behind(client: Client, entry_id: str) -> None:
    """Removing the account removes all that came with it, but asks for history."""
    ids = {each["entity_id"] for each in await client.entities(entry_id)}
    assert ids
    await client.remove(entry_id)

    assert await client.entries(INTEGRATION) == []
    assert await client.entities(entry_id) == []
    assert await client.devices(entry_id) == []
    assert not ids & (await client.states()).keys()
    assert await client.flows(INTEGRATION) == []
    asked = {each["translation_key"] for each in await client.issues(INTEGRATION)}
    assert asked <= {"statistics_left"}
