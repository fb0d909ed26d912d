"""Setting up, unloading and removing entries, and Home Assistant's own end."""

from datetime import timedelta
from typing import Any, Final

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.home import SECOND_OPINION, Home, Site, complaints, works
from tests.household import KEY
from tests.simulator import Answer, Hang

SUBJECTS: Final[dict[str, dict[str, Any]]] = {
    "key alone": {"key": KEY},
    "account alone": {"user": "wang"},
    "both": {"key": KEY, "user": "wang"},
}

subjects = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)


@subjects
async def test_unload_and_set_up(
    home: Home, site: Site, subject: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """An entry that is unloaded asks nothing more, and comes back as it was."""
    entry = await home.add(site, **subject)
    await home.poll(3)
    states = home.hass.states.async_all("sensor")
    assert len(states) > 4
    assert await home.hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    asked = len(site.gateway.requests)
    await home.pass_time(timedelta(hours=2))
    assert len(site.gateway.requests) == asked
    assert {state.state for state in home.hass.states.async_all("sensor")} == {
        "unavailable"
    }

    assert await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    assert works(entry)
    # What else there is comes after the balances.
    await home.poll(3)
    for before in states:
        now = home.hass.states.get(before.entity_id)
        assert now is not None
        assert now.state == before.state
        assert now.attributes == before.attributes
    assert complaints(caplog) == []


@subjects
async def test_remove(
    home: Home, site: Site, subject: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """What is removed leaves nothing behind."""
    entry = await home.add(site, **subject)
    await home.hass.config_entries.async_remove(entry.entry_id)
    await home.settle()
    assert home.entries == []
    assert not er.async_get(home.hass).entities
    assert not dr.async_get(home.hass).devices
    assert home.hass.states.async_entity_ids("sensor") == []
    asked = len(site.gateway.requests)
    await home.pass_time(timedelta(hours=2))
    assert len(site.gateway.requests) == asked
    assert complaints(caplog) == []


async def test_remove_while_a_credential_is_asked_for(home: Home, site: Site) -> None:
    """Nobody is asked for the credential of an entry that is gone."""
    entry = await home.add(site, user="wang")
    site.gateway.world.rotate_access_token("wang")
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    assert len(home.reauths()) == 1
    await home.hass.config_entries.async_remove(entry.entry_id)
    await home.settle()
    assert home.reauths() == []


async def test_remove_what_was_never_set_up(home: Home, site: Site) -> None:
    """An entry whose site was never there can be removed."""
    site.gateway.faults.add("*", Answer(502))
    entry = await home.add(site, user="wang")
    assert entry.state is ConfigEntryState.SETUP_RETRY
    await home.hass.config_entries.async_remove(entry.entry_id)
    await home.pass_time(timedelta(hours=1))
    assert site.asked("/api/status") == 1


async def test_reload_again_and_again(home: Home, site: Site) -> None:
    """An entry can be reloaded as often as a person likes."""
    entry = await home.add(site, key=KEY, user="wang")
    entities, devices = home.entities(entry), home.devices()
    for _ in range(5):
        assert await home.hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
    assert works(entry)
    assert home.entities(entry) == entities
    assert home.devices() == devices
    site.gateway.requests.clear()
    await home.poll()
    assert site.asked("/api/user/self") == 1


async def test_start_does_not_wait_for_models(home: Home, site: Site) -> None:
    """Models can be long in coming; the balance is there without them."""
    site.gateway.faults.add("/v1/models", Hang(), times=1)
    adding = home.hass.async_create_task(home.add(site, key=KEY, user="wang"))
    await home.until(lambda: site.asked("/v1/models") == 1)
    (entry,) = home.entries
    assert works(entry)
    assert home.state("juhe_ai_wang_remaining_quota") == "90.01"
    await home.pass_time(timedelta(seconds=31))
    await adding
    await home.poll()
    assert home.state("home_assistant_model_count") == "3"


async def test_two_entries_of_one_site(home: Home, site: Site) -> None:
    """One entry goes without the other."""
    li = site.gateway.world.add_user("li", quota=500_000)
    site.gateway.world.add_key(li, "of li", quota=1)
    first = await home.add(site, user="wang")
    second = await home.add(site, key="of li", user="li", entry_id="second")
    await home.hass.config_entries.async_remove(first.entry_id)
    await home.poll()
    assert works(second)
    assert home.device_names() == {"Juhe AI (li)", "of li"}
    assert home.states("Juhe AI (li)")["Remaining quota"] == "1.00"
