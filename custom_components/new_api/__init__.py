"""The New API integration: what an account of an AI gateway has left."""

import asyncio
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_ACCESS_TOKEN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers.device_registry import DeviceEntry

from .budgets import async_budgets
from .connection import async_client_of
from .const import DOMAIN, LOGGER
from .coordinator import (
    AccountCoordinator,
    KeysCoordinator,
    ModelsCoordinator,
    Reauth,
    SiteCoordinator,
    TurnCoordinator,
    async_forget_kept,
)
from .data import NewApiConfigEntry, NewApiData
from .devices import Devices, async_known_keys
from .gateway.errors import InvalidAddressError

PLATFORMS = [Platform.SENSOR]


async def async_setup_entry(hass: HomeAssistant, entry: NewApiConfigEntry) -> bool:
    """Set up an account or a key from a config entry."""
    try:
        client = await async_client_of(hass, entry)
    except InvalidAddressError as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN, translation_key="invalid_url"
        ) from err
    reauth = Reauth(hass, entry)
    site = SiteCoordinator(hass, entry, client)
    await site.async_config_entry_first_refresh()
    keys = KeysCoordinator(
        hass, entry, client, site, reauth, async_known_keys(hass, entry)
    )
    views: list[TurnCoordinator[Any]] = [keys]
    account = None
    if CONF_ACCESS_TOKEN in entry.data:
        account = AccountCoordinator(hass, entry, client, site, reauth)
        views.insert(0, account)
    await _async_begin([view for view in views if view.async_may_begin()])
    models = ModelsCoordinator(hass, entry, client, site, keys, account)
    # Entities begin to wait for the turn that is booked now.
    models_may_begin = models.async_may_begin()
    devices = Devices(hass, entry, site, keys)
    devices.async_update()
    for coordinator in (site, keys):
        entry.async_on_unload(coordinator.async_add_listener(devices.async_update))
    entry.runtime_data = NewApiData(site, keys, models, account, devices)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    if models_may_begin:
        # They can be long in coming, and nobody has to wait for them.
        entry.async_create_background_task(
            hass, models.async_refresh(), f"{models.name} first refresh"
        )
    return True


async def _async_begin(views: list[TurnCoordinator[Any]]) -> None:
    """Read each view for the first time. Raises ConfigEntryNotReady if none answers.

    A view that is in doubt goes on, since only its next reading tells more.
    """
    outcomes = await asyncio.gather(
        *(view.async_config_entry_first_refresh() for view in views),
        return_exceptions=True,
    )
    failures = {
        view: outcome
        for view, outcome in zip(views, outcomes, strict=True)
        if outcome is not None
    }
    for outcome in failures.values():
        if not isinstance(outcome, ConfigEntryNotReady):
            raise outcome
    if (
        failures
        and len(failures) == len(views)
        and not any(view.is_in_doubt for view in views)
    ):
        raise next(iter(failures.values()))
    for view, outcome in failures.items():
        LOGGER.error("Error fetching %s data: %s", view.name, outcome)


async def async_unload_entry(hass: HomeAssistant, entry: NewApiConfigEntry) -> bool:
    """Unload a config entry."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: NewApiConfigEntry) -> None:
    """Forget an entry."""
    async_forget_kept(hass, entry.data)
    if not hass.config_entries.async_entries(DOMAIN):
        await (await async_budgets(hass)).async_remove()


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: NewApiConfigEntry, device: DeviceEntry
) -> bool:
    """Let a person remove a device that is no longer used."""
    if entry.state is not ConfigEntryState.LOADED:
        return False
    return not entry.runtime_data.devices.is_used(device)
