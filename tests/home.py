"""A home with Home Assistant, the gateways that it asks, and who lives there."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
import logging
from types import MappingProxyType
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component import common  # type: ignore[import-untyped]
from yarl import URL

from custom_components.new_api.const import DOMAIN
from custom_components.new_api.gateway.credentials import Credentials
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowContext,
    ConfigFlowResult,
)
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from tests.reader import Reader
from tests.recordings import load
from tests.simulator import DIALECTS, Gateway, Key, LogType, Model, Options, User, World

TURNS_APART: Final = timedelta(seconds=36)
"""By as much a reading can be late, since all others can have their turns first."""

BALANCE: Final = timedelta(minutes=5) * 1.1 + TURNS_APART
"""After this, balances were read once more, whatever the jitter."""
HOURLY: Final = timedelta(hours=1) * 1.1 + TURNS_APART
"""After this, so were the models and the site."""
SECOND_OPINION: Final = timedelta(minutes=1) * 1.1 + timedelta(seconds=190)
"""After this, a rejected credential was tried again, once there was room for it."""

_MODELS: Final = ("claude-haiku-4-5", "deepseek-chat", "gpt-5-mini")

# What has to happen before a condition is called unreachable, in turns of the loop.
_TURNS: Final = 200_000


def household(server: str = "new_api_main") -> Gateway:
    """Return the gateway of a household: one account with three keys."""
    world = World(models=[Model(name=name) for name in _MODELS])
    wang = world.add_user(
        "wang", quota=45_005_000, used_quota=101_150_000, request_count=1_234
    )
    world.add_key(wang, "Home Assistant", quota=12_500_000, used_quota=24_000_000)
    world.add_key(
        wang, "Claude Code", quota=-61_000_000, used_quota=61_000_000, unlimited=True
    )
    world.add_key(wang, "Homework", used_quota=2_500_000)
    # Longer ago than anybody asks for.
    world.write(
        wang,
        LogType.CONSUME,
        wang.used_quota,
        key=world.key("Claude Code"),
        at=world.now - 90 * 86_400,
        model=_MODELS[0],
    )
    return Gateway(world, DIALECTS[server], Options(system_name="Juhe AI"))


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway, and the address at which it is served."""

    gateway: Gateway
    url: str

    def user(self, name: str) -> User:
        """Return a user of the site."""
        return self.gateway.world.user(name)

    def key(self, name: str) -> Key:
        """Return a key of the site."""
        return self.gateway.world.key(name)

    def form(
        self, *, key: str | None = None, user: str | None = None
    ) -> dict[str, str]:
        """Return what a person enters who has this key and this account."""
        form = {"url": self.url}
        if key is not None:
            form["api_key"] = str(self.key(key))
        if user is not None:
            form["user_id"] = str(self.user(user).id)
            form["access_token"] = self.user(user).access_token
        return form

    def asked(self, path: str) -> int:
        """Count the requests for a path, whatever its query is."""
        return sum(
            request.path_qs.partition("?")[0] == path
            for request in self.gateway.requests
        )

    @property
    def secrets(self) -> set[str]:
        """Return all that opens something on this site."""
        world = self.gateway.world
        return {key.secret for key in world.keys.values()} | {
            user.access_token for user in world.users.values()
        }


class Home:
    """Adds entries, lets time pass and looks at what Home Assistant shows."""

    def __init__(
        self,
        hass: HomeAssistant,
        freezer: FrozenDateTimeFactory,
        serving: AsyncExitStack,
    ) -> None:
        """Move in; sites are served until `serving` is closed."""
        self.hass = hass
        self._sites: list[Site] = []
        self._secrets: set[str] = set()
        self._freezer = freezer
        self._serving = serving
        self._reader = Reader(hass)

    async def serve(self, gateway: Gateway) -> Site:
        """Put a gateway on the network."""
        url = await self._serving.enter_async_context(gateway.serve())
        site = Site(gateway, str(url).rstrip("/"))
        self.know(site)
        return site

    def know(self, site: Site) -> None:
        """Take a site in that is served already."""
        self._sites.append(site)
        self._secrets |= site.secrets

    async def serve_recorded(self, server: str, site: str = "usd") -> Site:
        """Put a site that was recorded on the network."""
        return await self.serve(Gateway.from_recording(load(server, site)))

    @property
    def secrets(self) -> set[str]:
        """Return all that opens something here or did, or was meant to."""
        return self._secrets.union(*(site.secrets for site in self._sites))

    # Time

    async def pass_time(self, time: timedelta) -> None:
        """Let time pass, and all that is due be done."""
        self._freezer.tick(time)
        common.async_fire_time_changed(self.hass)
        await self.settle()

    async def poll(self, times: int = 1) -> None:
        """Let the balances be read again."""
        for _ in range(times):
            await self.pass_time(BALANCE)

    async def pass_hour(self) -> None:
        """Let an hour pass, and all be read that is read by the hour.

        Who asks for more than balances waits until there is room for it.
        """
        await self.pass_time(HOURLY)
        for _ in range(4):
            await self.pass_time(timedelta(minutes=1))

    def tick(self, time: timedelta) -> None:
        """Let time pass without waiting for what it brings."""
        self._freezer.tick(time)
        common.async_fire_time_changed(self.hass)

    async def settle(self) -> None:
        """Wait until nothing is under way any more."""
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that happens without time passing."""
        for _ in range(_TURNS):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError("It never happens")

    # Entries

    async def add(
        self,
        site: Site,
        *,
        key: str | None = None,
        user: str | None = None,
        with_user_id: bool = True,
        entry_id: str = "entry",
        **options: Any,
    ) -> ConfigEntry:
        """Add an entry as the flow makes it."""
        data = site.form(key=key, user=user)
        if not with_user_id:
            del data["user_id"]
        base = URL(site.url)
        digest = Credentials(key=data.get("api_key")).key_digest
        name = site.gateway.options.system_name
        entry: ConfigEntry = ConfigEntry(
            data=data,
            discovery_keys=MappingProxyType({}),
            domain=DOMAIN,
            entry_id=entry_id,
            minor_version=1,
            options=options,
            source=SOURCE_USER,
            subentries_data=(),
            title=f"{name} ({user or key})",
            unique_id=f"{base}|"
            + (f"user:{site.user(user).id}" if user else f"key:{digest}"),
            version=1,
        )
        await self.hass.config_entries.async_add(entry)
        await self.settle()
        return entry

    @property
    def entries(self) -> list[ConfigEntry]:
        """Return all entries of the integration."""
        return self.hass.config_entries.async_entries(DOMAIN)

    # Flows

    async def start(self) -> ConfigFlowResult:
        """Open the form that adds an entry."""
        return await self._begin(ConfigFlowContext(source=SOURCE_USER))

    async def start_reconfigure(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Open the form that changes an entry."""
        return await self._begin(
            ConfigFlowContext(source=SOURCE_RECONFIGURE, entry_id=entry.entry_id)
        )

    async def submit(
        self, form: ConfigFlowResult, entered: dict[str, str]
    ) -> ConfigFlowResult:
        """Fill in a form and send it off."""
        self._secrets |= {
            entered[name] for name in ("api_key", "access_token") if entered.get(name)
        }
        result = await self.hass.config_entries.flow.async_configure(
            form["flow_id"], entered
        )
        await self.settle()
        return await self.see(result)

    async def create(self, entered: dict[str, str]) -> ConfigEntry:
        """Go through the whole flow that adds an entry."""
        result = await self.submit(await self.start(), entered)
        assert result["type"] is FlowResultType.CREATE_ENTRY, result
        entry: ConfigEntry = result["result"]
        return entry

    async def open_reauth(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Open the form behind the only request for a new credential."""
        (flow,) = self.reauths(entry)
        result = await self.hass.config_entries.flow.async_configure(flow["flow_id"])
        return await self.see(result)

    def reauths(self, entry: ConfigEntry | None = None) -> list[ConfigFlowResult]:
        """Return the requests for a new credential, of one or of all entries."""
        return [
            flow
            for flow in self.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
            if flow["context"]["source"] == SOURCE_REAUTH
            and entry in (None, self._entry_of(flow))
        ]

    def _entry_of(self, flow: ConfigFlowResult) -> ConfigEntry | None:
        return self.hass.config_entries.async_get_entry(flow["context"]["entry_id"])

    async def _begin(self, context: ConfigFlowContext) -> ConfigFlowResult:
        result = await self.hass.config_entries.flow.async_init(DOMAIN, context=context)
        return await self.see(result)

    async def see(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Return a result whose texts a person can read in every language."""
        await self._reader.read_flow(result)
        return result

    # What Home Assistant shows. Entities go by their ids; those of sensors, which most
    # are, by what follows `sensor.`.

    def state(self, entity_id: str) -> str:
        """Return the state of an entity."""
        return self._state(entity_id).state

    def attributes(self, entity_id: str) -> dict[str, Any]:
        """Return the attributes of an entity."""
        return dict(self._state(entity_id).attributes)

    def changes_of(self, entity_id: str) -> list[str]:
        """Return a list that grows by each state that an entity changes to."""
        seen: list[str] = []

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            old, new = event.data["old_state"], event.data["new_state"]
            if new is not None and (old is None or new.state != old.state):
                seen.append(new.state)

        async_track_state_change_event(self.hass, [_whole(entity_id)], changed)
        return seen

    def _state(self, entity_id: str) -> State:
        state = self.hass.states.get(_whole(entity_id))
        assert state is not None, f"There is no {_whole(entity_id)}"
        return state

    def states(self, device: str) -> dict[str, str]:
        """Return the states of the enabled sensors of a device, by their names."""
        entities = er.async_get(self.hass)
        return {
            entity.original_name or "": self.state(entity.entity_id)
            for entity in er.async_entries_for_device(entities, self.device(device).id)
            if entity.domain == "sensor" and entity.disabled_by is None
        }

    def device(self, name: str) -> dr.DeviceEntry:
        """Return the device of this name."""
        (device,) = (device for device in self.devices() if device.name == name)
        return device

    def devices(self) -> list[dr.DeviceEntry]:
        """Return all devices of the integration."""
        devices = dr.async_get(self.hass)
        return [
            device
            for entry in self.entries
            for device in dr.async_entries_for_config_entry(devices, entry.entry_id)
        ]

    def device_names(self) -> set[str | None]:
        """Return the names of all devices."""
        return {device.name for device in self.devices()}

    async def enable(self, *entity_ids: str) -> None:
        """Enable entities that are disabled at first."""
        entities = er.async_get(self.hass)
        for entity_id in entity_ids:
            entities.async_update_entity(_whole(entity_id), disabled_by=None)
        # Home Assistant waits for more of the kind before it reloads the entry.
        await self.pass_time(timedelta(seconds=31))

    async def press_update(self, entity_id: str) -> None:
        """Ask for a new figure, as a person or an automation can."""
        await async_setup_component(self.hass, "homeassistant", {})
        await self.hass.services.async_call(
            "homeassistant",
            "update_entity",
            {"entity_id": _whole(entity_id)},
            blocking=True,
        )
        await self.settle()

    def entities(self, entry: ConfigEntry) -> dict[str, str]:
        """Return the entity ids of an entry, by unique id."""
        entities = er.async_get(self.hass)
        return {
            entity.unique_id: entity.entity_id
            for entity in er.async_entries_for_config_entry(entities, entry.entry_id)
        }

    def forsaken(self, entry: ConfigEntry) -> set[str]:
        """Return the ids of enabled entities that nobody provides any more."""
        entities = er.async_get(self.hass)
        return {
            entity.entity_id
            for entity in er.async_entries_for_config_entry(entities, entry.entry_id)
            if entity.disabled_by is None
            and self.attributes(entity.entity_id).get("restored", False)
        }


def _whole(entity_id: str) -> str:
    return entity_id if "." in entity_id else f"sensor.{entity_id}"


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log says about things that went wrong."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name != "asyncio"
        and record.levelno >= (logging.WARNING if record.exc_info else logging.ERROR)
    ]


def works(entry: ConfigEntry) -> bool:
    """Tell whether an entry is set up."""
    return entry.state is ConfigEntryState.LOADED
