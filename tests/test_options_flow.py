"""How often to ask, and which keys become devices."""

from datetime import timedelta
from typing import Any, Final

import probatio
import pytest

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers.selector import SelectSelector
from tests.home import TURNS_APART, Home, Site
from tests.simulator import Answer

KEY: Final = "Home Assistant"
ACCOUNT: Final = "Juhe AI (wang)"


async def opened(home: Home, entry: ConfigEntry) -> ConfigFlowResult:
    """Open the options."""
    return await home.see(
        await home.hass.config_entries.options.async_init(entry.entry_id)
    )


async def chosen(home: Home, entry: ConfigEntry, **options: Any) -> None:
    """Open the options and send them off."""
    form = await opened(home, entry)
    done = await home.hass.config_entries.options.async_configure(
        form["flow_id"], options
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await home.settle()


def schema_of(form: ConfigFlowResult) -> probatio.Schema:
    """Return the schema of a form."""
    schema = form["data_schema"]
    assert schema is not None
    return schema


def keys_to_choose(form: ConfigFlowResult) -> dict[str, str]:
    """Return the keys that the form lets a person choose from, by id."""
    selector = schema_of(form).schema["keys"]
    assert isinstance(selector, SelectSelector)
    return {
        option["value"]: option["label"]
        for option in selector.config["options"]
        if not isinstance(option, str)
    }


async def test_key_alone_has_only_the_interval(home: Home, site: Site) -> None:
    """Where there is no account, there are no other keys to show."""
    entry = await home.add(site, key=KEY)
    form = await opened(home, entry)
    assert form["step_id"] == "init"
    assert schema_of(form)({}) == {"update_interval": 5}
    assert [str(field) for field in schema_of(form).schema] == ["update_interval"]


@pytest.mark.parametrize("minutes", [1.0, 7.0, 60.0])
async def test_interval(home: Home, site: Site, minutes: float) -> None:
    """Balances are read as often as a person wants, from then on."""
    entry = await home.add(site, key=KEY, user="wang")
    await chosen(home, entry, update_interval=minutes, key_devices="all", keys=[])
    assert entry.options["update_interval"] == minutes
    assert isinstance(entry.options["update_interval"], int)
    asked, listed = site.asked("/api/user/self"), site.asked("/api/token/")

    await home.pass_time(timedelta(minutes=minutes, seconds=-1))
    assert site.asked("/api/user/self") == asked
    assert site.asked("/api/token/") == listed
    await home.pass_time(timedelta(minutes=minutes) * 0.1 + TURNS_APART)
    assert site.asked("/api/user/self") == asked + 1
    assert site.asked("/api/token/") == listed + 1


@pytest.mark.parametrize("minutes", [0, 0.5, 61, -5])
async def test_interval_out_of_range(home: Home, site: Site, minutes: float) -> None:
    """No site is asked more than once a minute."""
    entry = await home.add(site, key=KEY)
    form = await opened(home, entry)
    with pytest.raises(InvalidData):
        await home.hass.config_entries.options.async_configure(
            form["flow_id"], {"update_interval": minutes}
        )


async def test_keys_as_devices(home: Home, site: Site) -> None:
    """Devices of keys come and go as they are chosen; the configured one stays."""
    entry = await home.add(site, key=KEY, user="wang", key_devices="none")
    assert home.device_names() == {ACCOUNT, KEY}

    await chosen(home, entry, update_interval=5, key_devices="all", keys=[])
    assert home.device_names() == {ACCOUNT, KEY, "Claude Code", "Homework"}
    assert home.state("homework_status") == "exhausted"

    form = await opened(home, entry)
    assert keys_to_choose(form) == {"2": "Claude Code", "3": "Homework"}
    await chosen(home, entry, update_interval=5, key_devices="chosen", keys=["2"])
    assert entry.options["keys"] == ["2"]
    assert home.device_names() == {ACCOUNT, KEY, "Claude Code"}
    assert home.hass.states.get("sensor.homework_status") is None
    assert not [entity for entity in home.entities(entry) if "_key_3_" in entity]

    await chosen(home, entry, update_interval=5, key_devices="none", keys=["2"])
    assert home.device_names() == {ACCOUNT, KEY}
    assert home.hass.states.get("sensor.claude_code_status") is None


async def test_account_alone(home: Home, site: Site) -> None:
    """Without a configured key, all keys of the account can be chosen."""
    entry = await home.add(site, user="wang")
    form = await opened(home, entry)
    assert keys_to_choose(form) == {"1": KEY, "2": "Claude Code", "3": "Homework"}
    await chosen(home, entry, update_interval=5, key_devices="chosen", keys=["1"])
    assert home.device_names() == {ACCOUNT, KEY}


async def test_new_key_is_not_chosen(home: Home, site: Site) -> None:
    """A key that appears later is shown where all are, and not where some are."""
    entry = await home.add(site, user="wang", key_devices="chosen", keys=["1"])
    site.gateway.world.add_key(site.user("wang"), "new", quota=1)
    await home.poll()
    assert home.device_names() == {ACCOUNT, KEY}
    assert keys_to_choose(await opened(home, entry))["4"] == "new"
    await chosen(home, entry, update_interval=5, key_devices="all", keys=[])
    assert "new" in home.device_names()


async def test_chosen_key_that_is_gone(home: Home, site: Site) -> None:
    """A chosen key that the site no longer has can still be taken off the list."""
    entry = await home.add(site, user="wang", key_devices="chosen", keys=["1", "9"])
    form = await opened(home, entry)
    assert keys_to_choose(form)["9"] == "#9"
    await chosen(home, entry, update_interval=5, key_devices="chosen", keys=["1"])
    assert entry.options["keys"] == ["1"]


async def test_key_without_a_name(home: Home, site: Site) -> None:
    """A key without a name is called by its number."""
    site.key("Homework").name = " "
    entry = await home.add(site, user="wang")
    assert keys_to_choose(await opened(home, entry))["3"] == "#3"
    assert "API key 3" in home.device_names()


async def test_site_that_is_down(home: Home, site: Site) -> None:
    """Options can be changed while the site is down."""
    entry = await home.add(site, user="wang", key_devices="chosen", keys=["2"])
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.faults.add("*", Answer(502))
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    assert keys_to_choose(await opened(home, entry)) == {"2": "#2"}
    await chosen(home, entry, update_interval=9, key_devices="chosen", keys=["2"])
    assert entry.options["update_interval"] == 9
