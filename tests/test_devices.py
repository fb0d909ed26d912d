"""The devices of an entry: how they come, what they are called, how they go."""

from dataclasses import replace
from typing import Any, Final

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator  # type: ignore[import-untyped]

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from tests.home import HOURLY, Home, Site, household
from tests.household import KEY
from tests.restarts import restart
from tests.simulator import Answer, Offer, Period, Reset, Subscription

ACCOUNT: Final = "Juhe AI (wang)"
SERVERS: Final = ("new_api_main", "new_api_rc21", "new_api_0_9", "one_api", "one_hub")


def identified(home: Home) -> set[tuple[str | None, str]]:
    """Return the name of each device and what identifies it."""
    return {
        (device.name, identifier)
        for device in home.devices()
        for _, identifier in device.identifiers
    }


HOUSEHOLD: Final = {
    (ACCOUNT, "entry"),
    (KEY, "entry_key"),
    ("Claude Code", "entry_key_2"),
    ("Homework", "entry_key_3"),
}
"""What an entry with the account and its first key shows."""


async def test_devices_of_a_household(home: Home, site: Site) -> None:
    """The account is a device, and each key one below it."""
    await home.add(site, key=KEY, user="wang")
    assert identified(home) == HOUSEHOLD
    account = home.device(ACCOUNT)
    assert account.model == "Account"
    assert account.sw_version == "v1.0.0-rc.24"
    assert account.via_device_id is None
    for name in (KEY, "Claude Code", "Homework"):
        assert home.device(name).via_device_id == account.id
        assert home.device(name).model == "API key"
    for device in home.devices():
        assert device.manufacturer == "Juhe AI"
        assert device.entry_type is dr.DeviceEntryType.SERVICE
        assert device.configuration_url == site.url


async def test_device_of_a_key_alone(home: Home, site: Site) -> None:
    """Where there is only a key, it is the device."""
    entry = await home.add(site, key=KEY)
    (device,) = home.devices()
    assert device.name == entry.title
    assert device.identifiers == {("new_api", "entry_key")}
    assert device.sw_version == "v1.0.0-rc.24"
    assert device.via_device_id is None


@pytest.mark.parametrize("server", SERVERS)
async def test_configured_key_is_recognised(home: Home, server: str) -> None:
    """The configured key is no second device, be the list masked or whole."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, user="wang")
    assert identified(home) == HOUSEHOLD
    assert home.states(KEY)["Remaining quota"] == "25.00"
    # What the list says was enough.
    assert site.asked("/api/usage/token/") == 0
    assert site.asked("/v1/dashboard/billing/usage") == 0


async def test_keys_that_look_alike(home: Home, site: Site) -> None:
    """Where two masked keys look the same, neither is taken for the configured one."""
    key, twin = site.key(KEY), site.key("Claude Code")
    twin.secret = key.secret[:4] + twin.secret[4:-4] + key.secret[-4:]
    await home.add(site, key=KEY, user="wang")
    assert identified(home) == HOUSEHOLD | {(KEY, "entry_key_1")}
    assert home.state("home_assistant_remaining_quota") == "25.00"


async def test_key_of_somebody_else(home: Home, site: Site) -> None:
    """A key that is none of the account's speaks for itself."""
    li = site.gateway.world.add_user("li", quota=1)
    site.gateway.world.add_key(li, "of li", quota=2_500_000)
    entry = await home.create(
        site.form(user="wang") | {"api_key": str(site.key("of li"))}
    )
    (configured,) = (d for d in home.devices() if d.name == "of li")
    assert configured.identifiers == {("new_api", f"{entry.entry_id}_key")}
    assert home.states("of li")["Remaining quota"] == "5.00"
    assert {ACCOUNT, KEY, "Claude Code", "Homework"} < home.device_names()


# ------------------------------------------------------------------------------------
# Coming, changing, going


async def test_new_key(home: Home, site: Site) -> None:
    """A key that is created on the site appears by itself, once."""
    entry = await home.add(site, key=KEY, user="wang")
    site.gateway.world.add_key(site.user("wang"), "new", quota=2_500_000)
    await home.poll()
    assert identified(home) == HOUSEHOLD | {("new", "entry_key_4")}
    assert home.device("new").via_device_id == home.device(ACCOUNT).id
    shown = home.states("new")
    assert shown["Remaining quota"] == "5.00"
    assert shown["Used quota"] == "0.00"
    assert shown["Status"] == "active"
    entities = home.entities(entry)
    site.gateway.spend("new", 500_000)
    await home.poll(3)
    assert home.states("new")["Remaining quota"] == "4.00"
    assert home.entities(entry) == entities


async def test_renamed_key(home: Home, site: Site) -> None:
    """A key that is renamed on the site keeps its entities."""
    entry = await home.add(site, key=KEY, user="wang")
    # Some of them come when there is room to ask for what they show.
    await home.poll(2)
    entities = home.entities(entry)
    site.key("Homework").name = "Schularbeiten"
    site.key(KEY).name = "House"
    await home.poll()
    assert home.device_names() == {ACCOUNT, "House", "Claude Code", "Schularbeiten"}
    assert home.entities(entry) == entities


async def test_name_that_a_person_gave(home: Home, site: Site) -> None:
    """What a person calls a device is left alone."""
    await home.add(site, key=KEY, user="wang")
    device = home.device("Homework")
    dr.async_get(home.hass).async_update_device(device.id, name_by_user="Mine")
    site.key("Homework").name = "Schularbeiten"
    await home.poll()
    assert home.device("Schularbeiten").name_by_user == "Mine"


async def test_deleted_key(home: Home, site: Site) -> None:
    """A key that is gone vanishes with the second reading that lacks it."""
    entry = await home.add(site, key=KEY, user="wang")
    site.gateway.world.delete_key("Homework")
    await home.poll()
    shown = home.states("Homework")
    assert {"Remaining quota", "Used quota", "Status", "Spent today"} < shown.keys()
    assert set(shown.values()) == {STATE_UNAVAILABLE}
    await home.poll()
    assert home.device_names() == {ACCOUNT, KEY, "Claude Code"}
    assert not [entity for entity in home.entities(entry) if "_key_3_" in entity]
    assert home.hass.states.get("sensor.homework_status") is None
    await home.poll(2)
    assert home.device_names() == {ACCOUNT, KEY, "Claude Code"}


async def test_key_missing_once(home: Home, site: Site) -> None:
    """A key that one reading lacks is still the same afterwards."""
    entry = await home.add(site, key=KEY, user="wang")
    # Some of them come when there is room to ask for what they show.
    await home.poll(2)
    entities = home.entities(entry)
    device = home.device("Homework").id
    for _ in range(2):
        key = site.gateway.world.keys.pop(3)
        await home.poll()
        assert home.states("Homework")["Status"] == STATE_UNAVAILABLE
        site.gateway.world.keys[3] = key
        await home.poll()
        assert home.states("Homework")["Status"] == "exhausted"
    assert home.device("Homework").id == device
    assert home.entities(entry) == entities


async def test_key_missing_once_after_trouble(home: Home, site: Site) -> None:
    """One reading without a key is one, also after a reading that failed."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("/api/token/", Answer(502), times=1)
    await home.poll()
    site.gateway.world.delete_key("Homework")
    await home.poll()
    assert "Homework" in home.device_names()
    await home.poll()
    assert "Homework" not in home.device_names()


async def test_key_missing_at_the_start(home: Home, site: Site) -> None:
    """The reading at the start is one like any other."""
    entry = await home.add(site, key=KEY, user="wang")
    key = site.gateway.world.keys.pop(3)
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    assert "Homework" in home.device_names()
    site.gateway.world.keys[3] = key
    await home.poll()
    assert home.states("Homework")["Status"] == "exhausted"


async def test_deleted_key_comes_back(home: Home, site: Site) -> None:
    """A key that was gone for good and is there again, is there again."""
    await home.add(site, key=KEY, user="wang")
    key = site.gateway.world.keys.pop(3)
    await home.poll(2)
    site.gateway.world.keys[3] = key
    await home.poll()
    assert home.states("Homework")["Status"] == "exhausted"
    site.gateway.spend("Homework", 500_000)
    await home.poll()
    assert home.states("Homework")["Used quota"] == "6.00"


async def test_no_keys_left(home: Home, site: Site) -> None:
    """An account whose keys are all gone keeps only itself."""
    await home.add(site, user="wang")
    site.gateway.world.keys.clear()
    await home.poll(2)
    assert home.device_names() == {ACCOUNT}
    assert home.states(ACCOUNT)["Remaining quota"] == "90.01"


@pytest.mark.parametrize("server", ["new_api_main", "one_api"])
@pytest.mark.parametrize(
    "fault",
    [
        Answer(502),
        Reset(),
        Answer(200, "{}", (("Content-Type", "application/json"),)),
        Answer(200, '{"success": true}', (("Content-Type", "application/json"),)),
    ],
    ids=["502", "reset", "empty object", "no data"],
)
async def test_list_that_cannot_be_read(
    home: Home, server: str, fault: Answer | Reset
) -> None:
    """No device vanishes because the site is in trouble."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, user="wang")
    names = home.device_names()
    site.gateway.faults.add("/api/token/", fault)
    await home.poll(4)
    assert {"Claude Code", "Homework"} < home.device_names()
    site.gateway.faults.clear()
    await home.poll()
    assert home.device_names() == names
    assert home.states("Homework")["Status"] == "exhausted"


@pytest.mark.parametrize("again", ["reload", "restart"])
@pytest.mark.parametrize("key", [None, KEY], ids=["account", "both"])
async def test_list_that_cannot_be_read_at_the_start(
    home: Home, site: Site, again: str, key: str | None
) -> None:
    """The entities of further keys are there, wait, and go on with the next list."""
    site.gateway.world.edit_key("Homework", expires_at=site.gateway.world.now + 90_000)
    entry = await home.add(site, key=key, user="wang")
    await home.poll(2)
    entities = home.entities(entry)
    enabled = {name: home.states(name).keys() for name in ("Claude Code", "Homework")}
    assert enabled["Homework"] - enabled["Claude Code"] == {"Expires"}
    site.gateway.faults.add("/api/token/", Answer(502))
    await home.poll(2)
    if again == "restart":
        await restart(home, entry)
    else:
        await home.hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
    await home.poll()
    for name, sensors in enabled.items():
        assert home.states(name) == dict.fromkeys(sensors, STATE_UNAVAILABLE)
    assert home.forsaken(entry) == set()
    site.gateway.faults.clear()
    await home.poll(2)
    assert home.states("Homework")["Status"] == "exhausted"
    assert home.states("Claude Code")["Used quota"] == "122.00"
    assert home.entities(entry) == entities


async def test_options_while_the_list_cannot_be_read(home: Home, site: Site) -> None:
    """A key that a person no longer wants does not wait for the list."""
    entry = await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("/api/token/", Answer(502))
    await home.poll(2)
    home.hass.config_entries.async_update_entry(
        entry, options={"key_devices": "chosen", "keys": ["3"]}
    )
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.poll()
    assert "restored" not in home.attributes("homework_status")
    assert home.attributes("claude_code_status")["restored"]
    site.gateway.faults.clear()
    await home.poll(2)
    assert home.states("Homework")["Status"] == "exhausted"
    assert home.device_names() == {ACCOUNT, KEY, "Homework"}


@pytest.mark.parametrize("server", ["new_api_main", "one_api"])
async def test_names_survive_trouble(home: Home, server: str) -> None:
    """A device is not called otherwise because a question was not answered."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, user="wang")
    names = home.device_names()
    for path in ("/v1/*", "/api/*", "*"):
        site.gateway.faults.add(path, Reset())
        await home.poll(2)
        assert home.device_names() == names
        site.gateway.faults.clear()
        await home.poll()
    assert home.device_names() == names


async def test_name_of_a_deleted_key(home: Home, site: Site) -> None:
    """The device of a configured key that is gone is still called by its name."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.world.delete_key(KEY)
    await home.poll(3)
    assert KEY in home.device_names()


@pytest.mark.parametrize("server", SERVERS)
async def test_many_keys(home: Home, server: str) -> None:
    """However the server pages, all keys of an account are there."""
    site = await home.serve_recorded(server)
    await home.add(site, key="bulk 104", user="erin")
    assert len(home.devices()) == 1 + 105
    names = {f"bulk {number:03}" for number in range(105)}
    assert home.device_names() == names | {"Test Gateway (erin)"}
    assert home.states("bulk 050")["Remaining quota"] == "0.10"


async def test_site_is_updated_and_renamed(home: Home, site: Site) -> None:
    """What the site says of itself is shown with its devices."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.configure(system_name="Juhe Next")
    site.gateway.dialect = household("new_api_rc21").dialect
    await home.pass_time(HOURLY)
    assert {device.manufacturer for device in home.devices()} == {"Juhe Next"}
    assert home.device(ACCOUNT).sw_version == "v1.0.0-rc.21"


async def test_nothing_flickers(home: Home, site: Site) -> None:
    """Devices that stay are not touched when others come and go."""
    await home.add(site, key=KEY, user="wang")
    await home.poll(2)
    changed: list[Event[Any]] = []
    home.hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, changed.append)
    home.hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, changed.append)

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is not None and state.state == STATE_UNAVAILABLE:
            changed.append(event)

    home.hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    await home.poll(3)
    await home.pass_time(HOURLY)
    assert changed == []


# ------------------------------------------------------------------------------------
# Plans

PRO: Final = Offer(id=7, title="Pro", total=5_000_000, days=90, reset=Period.MONTHLY)


def buy(site: Site) -> Subscription:
    """Let the account have the plan."""
    site.gateway.world.offers = [PRO]
    return site.gateway.subscribe("wang", PRO)


async def test_plan(home: Home, site: Site) -> None:
    """A plan that the account has is a device below it, with what is left of it."""
    buy(site).amount_used = 1_500_000
    await home.add(site, user="wang", key_devices="none")
    assert identified(home) == {(ACCOUNT, "entry"), ("Pro", "entry_plan_1")}
    assert home.device("Pro").model == "Plan"
    assert home.device("Pro").via_device_id == home.device(ACCOUNT).id
    assert home.states("Pro") == {
        "Remaining": "7.00",
        "Used": "3.00",
        "Total": "10.00",
        "Next reset": "2026-12-01T00:00:00+00:00",
        "Ends": "2027-02-21T08:15:00+00:00",
    }


async def test_new_plan(home: Home, site: Site) -> None:
    """A plan that is bought appears by itself, and is followed from then on."""
    await home.add(site, user="wang", key_devices="none")
    plan = buy(site)
    await home.pass_time(HOURLY)
    assert home.states("Pro")["Remaining"] == "10.00"
    plan.amount_used = 500_000
    await home.poll(2)
    assert home.states("Pro")["Remaining"] == "9.00"


async def test_renamed_plan(home: Home, site: Site) -> None:
    """A plan that its seller renames keeps its entities."""
    buy(site)
    entry = await home.add(site, user="wang", key_devices="none")
    # Some of them come when there is room to ask for what they show.
    await home.poll(2)
    entities = home.entities(entry)
    site.gateway.world.offers = [replace(PRO, title="Pro Max")]
    await home.poll(2)
    assert home.device_names() == {ACCOUNT, "Pro Max"}
    assert home.entities(entry) == entities


async def test_plan_that_is_over(home: Home, site: Site) -> None:
    """A plan that is over vanishes with the second reading that lacks it."""
    plan = buy(site)
    entry = await home.add(site, user="wang", key_devices="none")
    plan.is_cancelled = True
    await home.poll()
    assert set(home.states("Pro").values()) == {STATE_UNAVAILABLE}
    await home.poll()
    assert home.device_names() == {ACCOUNT}
    assert not [entity for entity in home.entities(entry) if "_plan_" in entity]


async def test_plan_missing_once(home: Home, site: Site) -> None:
    """A site whose database fails tells of no plans, once (gateway_api.md 6.8)."""
    buy(site)
    entry = await home.add(site, user="wang", key_devices="none")
    await home.poll(2)
    entities, device = home.entities(entry), home.device("Pro").id
    for _ in range(2):
        plan = site.gateway.world.subscriptions.pop()
        await home.poll()
        assert home.states("Pro")["Remaining"] == STATE_UNAVAILABLE
        site.gateway.world.subscriptions.append(plan)
        await home.poll()
        assert home.states("Pro")["Remaining"] == "10.00"
    assert home.device("Pro").id == device
    assert home.entities(entry) == entities


async def test_plan_that_is_not_for_sale(home: Home, site: Site) -> None:
    """A plan whose name the site keeps to itself is called by its number."""
    site.gateway.subscribe("wang", PRO)
    await home.add(site, user="wang", key_devices="none")
    assert home.device_names() == {ACCOUNT, "Plan 7"}


async def test_plans_that_cannot_be_read(home: Home, site: Site) -> None:
    """No plan vanishes because the site is in trouble."""
    buy(site)
    await home.add(site, user="wang", key_devices="none")
    site.gateway.faults.add("/api/subscription/*", Answer(502))
    await home.poll(4)
    assert set(home.states("Pro").values()) == {STATE_UNAVAILABLE}
    site.gateway.faults.clear()
    await home.poll()
    assert home.states("Pro")["Remaining"] == "10.00"


# ------------------------------------------------------------------------------------
# Removing


@pytest.fixture
async def removing(
    home: Home, hass_ws_client: WebSocketGenerator
) -> WebSocketGenerator:
    """Let a person remove devices in the browser."""
    assert await async_setup_component(home.hass, "config", {})
    return hass_ws_client


async def removed(removing: WebSocketGenerator, device: dr.DeviceEntry) -> bool:
    """Try to remove a device, and tell whether that was allowed."""
    browser = await removing()
    await browser.send_json_auto_id(
        {"type": "config/device_registry/remove", "device_id": device.id}
    )
    answer = await browser.receive_json()
    await browser.close()
    if not answer["success"]:
        assert "rejected by integration" in answer["error"]["message"]
    return bool(answer["success"])


def stray_device(home: Home, entry: ConfigEntry) -> dr.DeviceEntry:
    """Return a device that nothing belongs to any more."""
    return dr.async_get(home.hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={("new_api", "entry_key_99")},
        name="stray",
    )


@pytest.mark.parametrize(
    "subject", [{"key": KEY}, {"user": "wang"}, {"key": KEY, "user": "wang"}]
)
async def test_remove_device(
    home: Home, site: Site, removing: WebSocketGenerator, subject: dict[str, Any]
) -> None:
    """What is in use cannot be removed by hand, what is not can."""
    entry = await home.add(site, **subject)
    used = home.devices()
    stray = stray_device(home, entry)
    for device in used:
        assert not await removed(removing, device)
    assert await removed(removing, stray)
    assert home.devices() == used


async def test_remove_device_while_the_list_cannot_be_read(
    home: Home, site: Site, removing: WebSocketGenerator
) -> None:
    """A key of which nothing is known since the start is not one that is gone."""
    entry = await home.add(site, user="wang")
    site.gateway.faults.add("/api/token/", Answer(502))
    await home.poll(2)
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    assert not await removed(removing, home.device("Homework"))
    assert "Homework" in home.device_names()


async def test_remove_device_while_the_site_is_down(
    home: Home, site: Site, removing: WebSocketGenerator
) -> None:
    """Also while an entry does not work, the question has an answer."""
    entry = await home.add(site, key=KEY, user="wang")
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.faults.add("*", Answer(502))
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    assert not await removed(removing, home.device(ACCOUNT))
    assert ACCOUNT in home.device_names()


async def test_names_of_what_has_none(home: Home, site: Site) -> None:
    """What the site gives no name to has one in the person's language."""
    home.hass.config.language = "zh-Hans"
    world = site.gateway.world
    world.key("Homework").name = ""
    world.offers.append(Offer(id=7, title="", total=5_000_000, reset=Period.NEVER))
    site.gateway.subscribe("wang", world.offers[0])
    await home.add(site, key=KEY, user="wang")
    await home.pass_time(HOURLY)
    await home.poll()
    assert {"套餐 7", "API 密钥 3"} < home.device_names()
