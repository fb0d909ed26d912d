"""The New API integration: what an account of an AI gateway has left."""

import asyncio
from typing import Any

from yarl import URL

from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY, CONF_URL, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.device_registry import DeviceEntry

from .connection import async_create_client
from .const import CONF_USER_ID, DOMAIN
from .coordinator import (
    AccountCoordinator,
    KeysCoordinator,
    ModelsCoordinator,
    NewApiCoordinator,
    SiteCoordinator,
)
from .data import NewApiConfigEntry, NewApiData
from .devices import Devices
from .gateway.credentials import Credentials

PLATFORMS = [Platform.SENSOR]


async def async_setup_entry(hass: HomeAssistant, entry: NewApiConfigEntry) -> bool:
    """Set up an account or a key from a config entry."""
    client = async_create_client(
        hass,
        URL(entry.data[CONF_URL]),
        Credentials(
            key=entry.data.get(CONF_API_KEY),
            user_id=entry.data.get(CONF_USER_ID),
            access_token=entry.data.get(CONF_ACCESS_TOKEN),
        ),
    )
    site = SiteCoordinator(hass, entry, client)
    await site.async_config_entry_first_refresh()
    account = (
        AccountCoordinator(hass, entry, client)
        if CONF_ACCESS_TOKEN in entry.data
        else None
    )
    keys = KeysCoordinator(hass, entry, client, site)
    models = ModelsCoordinator(hass, entry, client, site, account)
    views: list[NewApiCoordinator[Any]] = [keys]
    if account is not None:
        views.insert(0, account)
    await asyncio.gather(*(view.async_refresh() for view in views))
    if not any(view.last_update_success or view.is_in_doubt for view in views):
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="nothing_known"
        ) from views[0].last_exception
    await models.async_refresh()
    devices = Devices(hass, entry, site, keys)
    devices.async_update()
    entry.async_on_unload(keys.async_add_listener(devices.async_update))
    entry.runtime_data = NewApiData(site, keys, models, account, devices)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: NewApiConfigEntry) -> bool:
    """Unload a config entry."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: NewApiConfigEntry, device: DeviceEntry
) -> bool:
    """Let a person remove a device that is no longer used."""
    return not entry.runtime_data.devices.is_used(device)
