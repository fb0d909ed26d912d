"""How often to ask, which keys become devices, and what to be warned of."""

from datetime import timedelta
from typing import Any, Final

import probatio
import pytest

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.data_entry_flow import FlowResultType, InvalidData, section
from homeassistant.helpers.selector import SelectSelector
from tests.home import HOURLY, TURNS_APART, Home, Site
from tests.household import KEY
from tests.simulator import Answer

ACCOUNT: Final = "Juhe AI (wang)"


async def opened(home: Home, entry: ConfigEntry) -> ConfigFlowResult:
    """Open the options."""
    return await home.see(
        await home.hass.config_entries.options.async_init(entry.entry_id)
    )


async def sent(home: Home, form: ConfigFlowResult, **options: Any) -> ConfigFlowResult:
    """Send options off; a section of which nothing is filled in is sent, too."""
    return await home.hass.config_entries.options.async_configure(
        form["flow_id"], {"warnings": {}, **options}
    )


async def chosen(home: Home, entry: ConfigEntry, **options: Any) -> None:
    """Open the options and send them off."""
    form = await opened(home, entry)
    done = await sent(home, form, **options)
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


def warnings_in(form: ConfigFlowResult) -> probatio.Schema:
    """Return the schema of the section of the warnings."""
    warnings = schema_of(form).schema["warnings"]
    assert isinstance(warnings, section)
    return warnings.schema


def filled_in(form: ConfigFlowResult) -> dict[str, Any]:
    """Return what stands in the fields of the warnings."""
    return {
        str(field): field.description["suggested_value"]
        for field in warnings_in(form).schema
        if field.description is not None
    }


def units_in(form: ConfigFlowResult) -> dict[str, str | None]:
    """Return in which unit each threshold is entered."""
    return {
        str(field): selector.config.get("unit_of_measurement")
        for field, selector in warnings_in(form).schema.items()
    }


async def test_key_alone(home: Home, site: Site) -> None:
    """Where there is no account, there is nothing to choose that is of accounts."""
    entry = await home.add(site, key=KEY)
    form = await opened(home, entry)
    assert form["step_id"] == "init"
    assert schema_of(form)({"warnings": {}}) == {"update_interval": 5, "warnings": {}}
    fields = [str(field) for field in schema_of(form).schema]
    assert fields == ["update_interval", "warnings"]
    assert units_in(form) == {
        "low_key": "USD",
        "low_key_days": "d",
        "expires_soon": "d",
    }


async def test_account(home: Home, site: Site) -> None:
    """An account has more to choose; nothing is warned of that nobody has asked for."""
    entry = await home.add(site, user="wang")
    form = await opened(home, entry)
    assert schema_of(form)({"warnings": {}}) == {
        "update_interval": 5,
        "key_devices": "all",
        "keys": [],
        "statistics": True,
        "warnings": {},
    }
    assert units_in(form) == {
        "low_balance": "USD",
        "low_key": "USD",
        "low_balance_days": "d",
        "low_key_days": "d",
        "expires_soon": "d",
    }
    assert filled_in(form) == {}


@pytest.mark.parametrize("minutes", [1.0, 7.0, 60.0])
async def test_interval(home: Home, site: Site, minutes: float) -> None:
    """Balances are read as often as a person wants, from then on."""
    entry = await home.add(site, key=KEY, user="wang")
    # Until the site has room again for all that is asked at a start.
    await home.pass_time(timedelta(minutes=4))
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
        await sent(home, form, update_interval=minutes)


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


# ------------------------------------------------------------------------------------
# Warnings


def low(home: Home, device: str = "juhe_ai_wang") -> str:
    """Return whether Home Assistant warns that little is left."""
    state = home.hass.states.get(f"binary_sensor.{device}_low_balance")
    assert state is not None
    return state.state


async def test_warnings(home: Home, site: Site) -> None:
    """What a person wants to be warned of is in the unit of the site, from then on."""
    entry = await home.add(site, key=KEY, user="wang")
    assert (low(home), low(home, "home_assistant")) == ("off", "off")
    wanted = {"low_balance": 90.01, "low_key": 24.99, "expires_soon": 7}
    await chosen(home, entry, update_interval=5, warnings=wanted)
    assert (low(home), low(home, "home_assistant")) == ("on", "off")
    assert filled_in(await opened(home, entry)) == wanted
    site.gateway.spend(KEY, 5_000)
    await home.poll()
    assert (low(home), low(home, "home_assistant")) == ("on", "on")


async def test_warning_is_cleared(home: Home, site: Site) -> None:
    """A field that is emptied warns no more, the others do as before."""
    entry = await home.add(site, key=KEY, user="wang")
    wanted = {"low_balance": 100, "low_key": 30}
    await chosen(home, entry, update_interval=5, warnings=wanted)
    assert (low(home), low(home, "home_assistant")) == ("on", "on")
    await chosen(home, entry, update_interval=5, warnings={"low_key": 30})
    assert (low(home), low(home, "home_assistant")) == ("off", "on")
    assert filled_in(await opened(home, entry)) == {"low_key": 30}


@pytest.mark.parametrize("field", ["low_balance", "low_key_days", "expires_soon"])
async def test_warning_out_of_range(home: Home, site: Site, field: str) -> None:
    """There is no less than nothing."""
    entry = await home.add(site, user="wang")
    form = await opened(home, entry)
    with pytest.raises(InvalidData):
        await sent(home, form, update_interval=5, warnings={field: -1})


async def test_site_changes_its_unit(home: Home, site: Site) -> None:
    """Five dollars are not five yuan: an amount is asked for anew, a time is not."""
    entry = await home.add(site, user="wang")
    wanted = {"low_balance": 100, "low_balance_days": 3, "expires_soon": 7}
    await chosen(home, entry, update_interval=5, warnings=wanted)
    assert low(home) == "on"
    site.gateway.configure(quota_display_type="CNY", usd_exchange_rate=7.2)
    await home.pass_time(HOURLY)
    assert low(home) != "on"
    form = await opened(home, entry)
    assert filled_in(form) == {"low_balance_days": 3, "expires_soon": 7}
    assert units_in(form)["low_balance"] == "CNY"
    await chosen(home, entry, update_interval=5, warnings={"low_balance": 700})
    # There are 648.07 yuan left.
    assert low(home) == "on"


async def test_warnings_while_the_site_is_down(home: Home, site: Site) -> None:
    """Nothing that was entered is lost where nobody can tell the unit."""
    entry = await home.add(site, user="wang")
    wanted = {"low_balance": 100, "expires_soon": 7}
    await chosen(home, entry, update_interval=5, warnings=wanted)
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.faults.add("*", Answer(502))
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    form = await opened(home, entry)
    assert filled_in(form) == wanted
    await sent(home, form, update_interval=9, warnings=wanted)
    site.gateway.faults.clear()
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    assert low(home) == "on"


# ------------------------------------------------------------------------------------
# Statistics


@pytest.mark.parametrize("wanted", [True, False])
async def test_statistics(home: Home, site: Site, *, wanted: bool) -> None:
    """Whether they are written is kept, and shown the next time."""
    entry = await home.add(site, user="wang")
    await chosen(home, entry, update_interval=5, statistics=wanted)
    assert entry.options["statistics"] is wanted
    form = await opened(home, entry)
    (field,) = (field for field in schema_of(form).schema if field == "statistics")
    assert field.description["suggested_value"] is wanted
