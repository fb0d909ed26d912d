"""The New API integration: what an account of an AI gateway has left."""

import asyncio
from datetime import datetime
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_ACCESS_TOKEN, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.event import async_track_time_change

from .budgets import async_budgets
from .connection import async_client_of
from .const import DOMAIN, LOGGER
from .coordinator import (
    AccountCoordinator,
    KeysCoordinator,
    ModelsCoordinator,
    NewsCoordinator,
    OffersCoordinator,
    PlansCoordinator,
    Reauth,
    SiteCoordinator,
    SpendingCoordinator,
    TurnCoordinator,
    UsageCoordinator,
    async_forget_kept,
)
from .data import AccountViews, NewApiConfigEntry, NewApiData
from .devices import Devices, async_known_keys, async_known_plans
from .gateway.client import Client
from .gateway.errors import InvalidAddressError
from .memory import Memory, async_forget, async_memory_of
from .outlook import Outlook
from .statistics import async_offer_removal

_AFTER_SENSORS: Final = [Platform.BINARY_SENSOR, Platform.EVENT]
PLATFORMS: Final = [Platform.SENSOR, *_AFTER_SENSORS]


async def async_setup_entry(hass: HomeAssistant, entry: NewApiConfigEntry) -> bool:
    """Set up an account or a key from a config entry."""
    try:
        client = await async_client_of(hass, entry)
    except InvalidAddressError as err:
        raise ConfigEntryError(
            translation_domain=DOMAIN, translation_key="invalid_url"
        ) from err
    memory = await async_memory_of(hass, entry)
    reauth = Reauth(hass, entry)
    site = SiteCoordinator(hass, entry, client)
    await site.async_config_entry_first_refresh()
    keys = KeysCoordinator(
        hass, entry, client, site, reauth, memory, async_known_keys(hass, entry)
    )
    balance, account = None, None
    if CONF_ACCESS_TOKEN in entry.data:
        balance = AccountCoordinator(hass, entry, client, site, reauth, memory)
        account = _views_of_account(hass, entry, client, site, balance, keys, memory)
    leaders: list[TurnCoordinator[Any]] = [keys] if balance is None else [balance, keys]
    await _async_begin([view for view in leaders if view.async_begin()])
    models = ModelsCoordinator(hass, entry, client, site, keys, balance, memory)
    news = NewsCoordinator(hass, entry, client, site, memory)
    later: list[TurnCoordinator[Any]] = [models]
    if account is not None:
        later += [account.spending, account.plans, account.usage, account.offers]
    later.append(news)
    # Entities begin to wait for the turns that are booked now.
    may_begin = [view for view in later if view.async_begin()]
    plans = None if account is None else account.plans
    devices = Devices(hass, entry, site, keys, plans)
    devices.async_update()
    for coordinator in (site, keys, plans):
        if coordinator is not None:
            entry.async_on_unload(coordinator.async_add_listener(devices.async_update))
    outlook = Outlook(memory, balance, plans)
    entry.runtime_data = NewApiData(
        site, keys, models, news, account, devices, memory, outlook
    )
    # An automation on a warning or an event looks at figures of the same reading.
    for platforms in ([Platform.SENSOR], _AFTER_SENSORS):
        await hass.config_entries.async_forward_entry_setups(entry, platforms)
    _async_follow_time(hass, entry)
    for view in may_begin:
        # They can be long in coming, and nobody has to wait for them.
        entry.async_create_background_task(
            hass, view.async_refresh(), f"{view.name} first refresh"
        )
    return True


def _views_of_account(
    hass: HomeAssistant,
    entry: NewApiConfigEntry,
    client: Client,
    site: SiteCoordinator,
    balance: AccountCoordinator,
    keys: KeysCoordinator,
    memory: Memory,
) -> AccountViews:
    """Return the views of an account, which add to its balance."""
    known_plans = async_known_plans(hass, entry)
    return AccountViews(
        balance,
        SpendingCoordinator(hass, entry, client, site, balance, memory),
        UsageCoordinator(hass, entry, client, site, balance, keys, memory),
        PlansCoordinator(hass, entry, client, site, balance, known_plans),
        OffersCoordinator(hass, entry, client, site, balance),
    )


@callback
def _async_follow_time(hass: HomeAssistant, entry: NewApiConfigEntry) -> None:
    """Show what changes without being read anew.

    A day begins whoever is asked when, a key expires, and what keys have used and how
    long the balance lasts follows from other views too.
    """
    data = entry.runtime_data
    account = data.account

    @callback
    def show(_now: datetime) -> None:
        if account is None:
            data.keys.async_update_listeners()
        else:
            account.spending.async_update_listeners()
            # It passes that on to the keys and the balance.
            account.usage.async_update_listeners()

    entry.async_on_unload(async_track_time_change(hass, show, minute=0, second=0))
    if account is not None:
        entry.async_on_unload(
            account.spending.async_add_listener(account.usage.async_look_for_gaps)
        )
        for view, shown_by in (
            (account.usage, data.keys),
            (account.usage, account.balance),
            (account.plans, account.balance),
            (account.balance, account.offers),
        ):
            entry.async_on_unload(
                view.async_add_listener(shown_by.async_update_listeners)
            )


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
    await async_forget(hass, entry)
    await async_offer_removal(hass, entry)
    if not hass.config_entries.async_entries(DOMAIN):
        await (await async_budgets(hass)).async_remove()


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: NewApiConfigEntry, device: DeviceEntry
) -> bool:
    """Let a person remove a device that is no longer used."""
    if entry.state is not ConfigEntryState.LOADED:
        return False
    return not entry.runtime_data.devices.is_used(device)
