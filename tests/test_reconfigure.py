"""Changing the address or the credentials of an entry."""

from typing import Any, Final

import pytest

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import Event, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.home import Home, Site, household
from tests.household import ALONE, KEY
from tests.simulator import Answer, Monitor


def filled_in(form: ConfigFlowResult) -> dict[str, str]:
    """Return what stands in the fields of a form."""
    schema = form["data_schema"]
    assert schema is not None
    return {
        str(field): field.description["suggested_value"]
        for field in schema.schema
        if field.description is not None
    }


def assert_done(result: ConfigFlowResult) -> None:
    """Check that the change was made."""
    assert result["type"] is FlowResultType.ABORT, result["errors"]
    assert result["reason"] == "reconfigure_successful"


async def test_form_shows_what_is_known(home: Home, site: Site) -> None:
    """The form begins as it was filled in, but for secrets; so it changes nothing."""
    entry = await home.add(site, key=KEY, user="wang", key_devices="none")
    title, data, options = entry.title, dict(entry.data), dict(entry.options)
    form = await home.start_reconfigure(entry)
    assert form["step_id"] == "reconfigure"
    filled = filled_in(form)
    assert {"url": filled.pop("url"), "user_id": filled.pop("user_id")} == {
        "url": site.url,
        "user_id": "2",
    }
    assert set(filled) == {"api_key", "access_token"}
    assert not set(filled.values()) & {data["api_key"], data["access_token"]}
    assert_done(await home.submit(form, filled_in(form)))
    assert entry.title == title
    assert dict(entry.data) == data
    assert dict(entry.options) == options


async def test_other_address(home: Home, site: Site) -> None:
    """A site that has moved keeps its account, and every entity."""
    entry = await home.add(site, key=KEY, user="wang")
    entities = home.entities(entry)
    moved = await home.serve(site.gateway)
    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, filled_in(form) | {"url": f"{moved.url}/v1"}))
    assert entry.data["url"] == moved.url
    assert entry.unique_id == f"{moved.url}|user:2"
    assert home.entities(entry) == entities
    assert {device.configuration_url for device in home.devices()} == {moved.url}
    asked = site.asked("/api/user/self")
    site.gateway.spend(KEY, 500_000)
    await home.poll()
    assert site.asked("/api/user/self") == asked + 1
    assert home.state("juhe_ai_wang_remaining_quota") == "89.01"


async def test_other_address_of_a_key(home: Home, site: Site) -> None:
    """What a key alone has spent today is known at the new address, too."""
    entry = await home.add(site, key=KEY)
    for _ in range(2):
        site.gateway.spend(KEY, 500_000)
        await home.poll()
    assert home.state("juhe_ai_home_assistant_spent_today") == "2.00"
    moved = await home.serve(site.gateway)
    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, filled_in(form) | {"url": moved.url}))
    site.gateway.spend(KEY, 500_000)
    await home.poll()
    assert home.state("juhe_ai_home_assistant_spent_today") == "3.00"


async def test_other_key_of_an_account(home: Home, site: Site) -> None:
    """Another key takes the place of the one before, which gets a device of its own."""
    entry = await home.add(site, key=KEY, user="wang")
    own = {
        unique_id: entity_id
        for unique_id, entity_id in home.entities(entry).items()
        if not unique_id.startswith("entry_key_2_")
    }
    assert home.device_names() == {entry.title, KEY, "Claude Code", "Homework"}
    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, site.form(key="Claude Code", user="wang")))
    assert entry.unique_id == f"{site.url}|user:2"
    assert home.device_names() == {entry.title, KEY, "Claude Code", "Homework"}
    assert own.items() <= home.entities(entry).items()
    assert home.state("home_assistant_used_quota") == "122.00"
    assert home.state("home_assistant_used_quota_2") == "48.00"


async def test_other_key_alone(home: Home, site: Site) -> None:
    """Where there is only a key, another one keeps every entity too."""
    entry = await home.add(site, key=KEY)
    entities, unique_id = home.entities(entry), entry.unique_id
    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, site.form(key="Claude Code")))
    assert dict(entry.data) == site.form(key="Claude Code")
    assert home.entities(entry) == entities
    assert home.state("juhe_ai_home_assistant_used_quota") == "122.00"
    assert entry.unique_id != unique_id
    # The first one is free again, the second is not.
    await home.create(site.form(key=KEY))
    again = await home.submit(await home.start(), site.form(key="Claude Code"))
    assert again["reason"] == "already_configured"


async def test_new_token(home: Home, site: Site) -> None:
    """A token can be replaced before anything is refused."""
    entry = await home.add(site, key=KEY, user="wang")
    site.gateway.world.rotate_access_token("wang")
    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, site.form(key=KEY, user="wang")))
    assert home.state("juhe_ai_wang_remaining_quota") == "90.01"
    await home.poll(2)
    assert home.reauths() == []


OF_SITE: Final = {
    f"binary_sensor.{ALONE}_gateway",
    f"event.{ALONE}_models",
    f"event.{ALONE}_news",
}
"""What tells of the site, in an entry that had the key alone at first."""


def on(home: Home, device: dr.DeviceEntry) -> set[str]:
    """Return the ids of the entities of a device."""
    entities = er.async_get(home.hass)
    return {
        entity.entity_id for entity in er.async_entries_for_device(entities, device.id)
    }


@pytest.fixture
def removed(home: Home) -> set[str]:
    """Return the ids of entities that are removed, if only for a moment.

    What a person has made of an entity, such as a helper, can go with it.
    """
    entity_ids: set[str] = set()

    @callback
    def note(event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        if event.data["action"] == "remove":
            entity_ids.add(event.data["entity_id"])

    home.hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, note)
    return entity_ids


@pytest.mark.parametrize(
    "server", ["new_api_main", "new_api_rc21", "new_api_0_9", "one_api", "one_hub"]
)
async def test_account_comes_and_goes(
    home: Home, removed: set[str], server: str
) -> None:
    """An account that is added to a key, and taken away again, changes no entity."""
    site = await home.serve(household(server))
    entry = await home.add(site, key=KEY)
    before = home.entities(entry)
    registry = er.async_get(home.hass)
    customized = (next(iter(before.values())), f"binary_sensor.{ALONE}_gateway")
    for entity_id in customized:
        registry.async_update_entity(entity_id, name="My own name")

    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, site.form(key=KEY, user="wang")))
    assert entry.unique_id == f"{site.url}|user:2"
    assert entry.title == "Juhe AI (wang)"
    assert before.items() <= home.entities(entry).items()
    account = home.device("Juhe AI (wang)")
    assert home.device(KEY).via_device_id == account.id
    assert home.device("Homework").via_device_id == account.id
    assert home.states("Juhe AI (wang)")["Remaining quota"] == "90.01"
    assert home.state("juhe_ai_home_assistant_remaining_quota") == "25.00"
    await home.pass_hour()
    assert home.forsaken(entry) == set()
    assert on(home, account) >= OF_SITE

    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, site.form(key=KEY)))
    assert dict(entry.data) == site.form(key=KEY)
    assert entry.unique_id is not None
    assert "|key:" in entry.unique_id
    assert home.entities(entry) == before
    await home.pass_hour()
    assert home.forsaken(entry) == set()
    (device,) = home.devices()
    assert device.via_device_id is None
    assert on(home, device) >= OF_SITE
    assert not removed & set(before.values())
    for entity_id in customized:
        named = registry.async_get(entity_id)
        assert named is not None
        assert named.name == "My own name"


async def test_account_takes_the_place_of_a_key(
    home: Home, site: Site, removed: set[str]
) -> None:
    """What tells of the site stays, whichever device it is on."""
    entry = await home.add(site, key=KEY)
    for new in (site.form(user="wang"), site.form(key=KEY)):
        form = await home.start_reconfigure(entry)
        assert_done(await home.submit(form, new))
        await home.pass_hour()
        assert set(home.entities(entry).values()) >= OF_SITE
        assert home.forsaken(entry) == set()
        assert home.state(f"binary_sensor.{ALONE}_gateway") == "on"
    assert len(home.devices()) == 1
    assert not removed & OF_SITE


async def test_monitors_while_the_account_comes_and_goes(home: Home) -> None:
    """A monitor stays as it was: enabled, so that it is looked at often, or not."""
    gateway = household()
    gateway.configure(uptime_kuma=True)
    gateway.world.monitors = [
        Monitor(category="OpenAI", name=name) for name in ("GPT", "Images")
    ]
    site = await home.serve(gateway)
    entry = await home.add(site, key=KEY)
    await home.pass_hour()
    monitors = {
        unique_id: entity_id
        for unique_id, entity_id in home.entities(entry).items()
        if "_monitor_" in unique_id
    }
    enabled, disabled = sorted(monitors.values())
    assert enabled.endswith("_gpt")
    await home.enable(enabled)
    for new in (site.form(key=KEY, user="wang"), site.form(key=KEY)):
        form = await home.start_reconfigure(entry)
        assert_done(await home.submit(form, new))
        await home.pass_hour()
        assert home.state(enabled) == "on"
        assert home.hass.states.get(disabled) is None
        assert monitors == {
            unique_id: entity_id
            for unique_id, entity_id in home.entities(entry).items()
            if "_monitor_" in unique_id
        }
        before = site.asked("/api/uptime/status")
        await home.poll(3)
        assert site.asked("/api/uptime/status") >= before + 3
    registry = er.async_get(home.hass)
    registry.async_update_entity(enabled, disabled_by=er.RegistryEntryDisabler.USER)
    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, site.form(key=KEY, user="wang")))
    await home.poll(2)
    before = site.asked("/api/uptime/status")
    await home.poll(3)
    assert site.asked("/api/uptime/status") == before


async def test_key_comes_and_goes(home: Home, site: Site) -> None:
    """A key that is added to an account becomes the configured one."""
    entry = await home.add(site, user="wang")
    account = {
        unique_id: entity_id
        for unique_id, entity_id in home.entities(entry).items()
        if not unique_id.startswith("entry_key_")
    }
    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, site.form(key=KEY, user="wang")))
    assert home.states(KEY)["Model count"] == "3"
    assert account.items() <= home.entities(entry).items()
    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, site.form(user="wang")))
    assert account.items() <= home.entities(entry).items()
    assert "Model count" not in home.states(KEY)
    assert home.states(KEY)["Remaining quota"] == "25.00"
    assert home.device_names() == {entry.title, KEY, "Claude Code", "Homework"}


async def test_many_keys_come_with_an_account(home: Home) -> None:
    """An account with many keys that is added to a key brings no devices."""
    site = await home.serve_recorded("new_api_main")
    entry = await home.add(site, key="bulk 104")
    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, site.form(key="bulk 104", user="erin")))
    assert len(home.devices()) == 2


async def test_other_account(home: Home, site: Site) -> None:
    """Another account is another entry."""
    site.gateway.world.add_user("li", quota=1)
    entry = await home.add(site, key=KEY, user="wang")
    data = dict(entry.data)
    form = await home.start_reconfigure(entry)
    entered = site.form(user="li")
    form = await home.submit(form, entered)
    assert form["errors"] == {"access_token": "other_account"}
    assert filled_in(form) == entered
    assert dict(entry.data) == data
    assert_done(await home.submit(form, site.form(user="wang")))


@pytest.mark.parametrize(
    "taken",
    [
        {"user": "wang"},
        {"key": "Claude Code"},
        {"key": "Claude Code", "user": "wang"},
    ],
)
async def test_taken_by_another_entry(
    home: Home, site: Site, taken: dict[str, Any]
) -> None:
    """What another entry shows cannot be shown by a second one."""
    await home.add(site, entry_id="other", **taken)
    entry = await home.add(site, key=KEY)
    data = dict(entry.data)
    form = await home.start_reconfigure(entry)
    for entered in (
        site.form(**taken),
        site.form(**{what: name for what, name in taken.items() if what == "key"}),
    ):
        if len(entered) > 1:
            form = await home.submit(form, entered)
            assert form.get("errors") == {"base": "already_configured"}
    assert dict(entry.data) == data


async def test_account_moves_to_where_another_entry_is(home: Home, site: Site) -> None:
    """An address where another entry shows the same account is refused."""
    moved = await home.serve(household())
    await home.add(moved, user="wang", entry_id="other")
    entry = await home.add(site, user="wang")
    form = await home.start_reconfigure(entry)
    form = await home.submit(form, moved.form(user="wang"))
    assert form["errors"] == {"base": "already_configured"}


async def test_same_number_on_another_site(home: Home, site: Site) -> None:
    """On another site, the same number is somebody else."""
    other = household()
    other.world.user("wang").name = "li"
    elsewhere = await home.serve(other)
    entry = await home.add(site, user="wang")
    form = await home.start_reconfigure(entry)
    form = await home.submit(form, elsewhere.form(user="li"))
    assert form["errors"] == {"access_token": "other_account"}


async def test_secrets_stay_hidden_after_a_mistake(home: Home, site: Site) -> None:
    """A form that is shown again shows no stored secret, and does not lose it."""
    entry = await home.add(site, key=KEY, user="wang")
    data = dict(entry.data)
    form = await home.start_reconfigure(entry)
    form = await home.submit(form, filled_in(form) | {"url": "ftp://juheai.top"})
    assert form["errors"] == {"url": "invalid_url"}
    shown = filled_in(form)
    assert not {data["api_key"], data["access_token"]} & set(shown.values())
    assert_done(await home.submit(form, shown | {"url": site.url}))
    assert dict(entry.data) == data


async def test_mistakes_are_told_and_nothing_is_changed(home: Home, site: Site) -> None:
    """Each mistake is said in its field, as when the entry was added."""
    entry = await home.add(site, key=KEY, user="wang")
    data = dict(entry.data)
    form = await home.start_reconfigure(entry)
    for change, errors in (
        ({"url": "ftp://juheai.top"}, {"url": "invalid_url"}),
        ({"access_token": "wrong"}, {"access_token": "invalid_access_token"}),
        ({"user_id": "3"}, {"user_id": "user_id_mismatch"}),
        ({"api_key": "wrong"}, {"api_key": "invalid_api_key"}),
    ):
        form = await home.submit(form, data | change)
        assert form["errors"] == errors
        assert filled_in(form) == data | change
    site.gateway.faults.add("/api/status", Answer(500))
    form = await home.submit(form, data)
    assert form["errors"] == {"base": "server_trouble"}
    assert dict(entry.data) == data
    assert home.state("juhe_ai_wang_remaining_quota") == "90.01"


async def test_entry_that_could_not_be_set_up(home: Home, site: Site) -> None:
    """An entry whose site has gone can be pointed to where it is now."""
    entry = await home.add(site, key=KEY, user="wang")
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.faults.add("*", Answer(500))
    await home.hass.config_entries.async_setup(entry.entry_id)
    moved = await home.serve(household())
    form = await home.start_reconfigure(entry)
    assert_done(await home.submit(form, moved.form(key=KEY, user="wang")))
    assert home.state("juhe_ai_wang_remaining_quota") == "90.01"
