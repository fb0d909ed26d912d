"""How Home Assistant talks to gateways: one session, and one budget for each site."""

from weakref import WeakKeyDictionary

from aiohttp import ClientSession, DummyCookieJar
from yarl import URL

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import (
    CONF_ACCESS_TOKEN,
    CONF_API_KEY,
    CONF_URL,
    EVENT_HOMEASSISTANT_CLOSE,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.singleton import singleton
from homeassistant.util.hass_dict import HassKey

from .budgets import async_budgets
from .const import CONF_USER_ID, DOMAIN
from .gateway.address import parse_address
from .gateway.client import Client
from .gateway.credentials import Credentials
from .identity import account_id_of

_SESSION: HassKey[ClientSession] = HassKey(f"{DOMAIN}_session")
_CLIENTS: HassKey[WeakKeyDictionary[ConfigEntry, Client]] = HassKey(f"{DOMAIN}_clients")


async def async_client_of(hass: HomeAssistant, entry: ConfigEntry) -> Client:
    """Return the client of an entry. Raises InvalidAddressError.

    What it has learned about the site and the key holds over a reload.
    """
    base = parse_address(entry.data[CONF_URL])
    credentials = Credentials(
        key=entry.data.get(CONF_API_KEY),
        user_id=entry.data.get(CONF_USER_ID),
        access_token=entry.data.get(CONF_ACCESS_TOKEN),
    )
    account_id = account_id_of(entry)
    clients = hass.data.setdefault(_CLIENTS, WeakKeyDictionary())
    client = clients.get(entry)
    if client is None or not client.asks(base, credentials, account_id):
        client = clients[entry] = await async_create_client(
            hass,
            base,
            credentials,
            account_id=account_id,
        )
    return client


async def async_create_client(
    hass: HomeAssistant,
    base: URL,
    credentials: Credentials,
    *,
    account_id: int | None = None,
) -> Client:
    """Return a client that shares the session and the budget of its site."""
    budgets = await async_budgets(hass)
    return Client(
        _async_session(hass),
        base,
        credentials,
        budget=budgets.async_of(base),
        account_id=account_id,
    )


@singleton(_SESSION)
@callback
def _async_session(hass: HomeAssistant) -> ClientSession:
    """Return the one session, which keeps no cookies (gateway_api.md 1.9)."""
    session = async_create_clientsession(
        hass,
        # It would end with the entry that happens to ask first.
        auto_cleanup=False,
        cookie_jar=DummyCookieJar(),
    )

    @callback
    def detach(_event: Event) -> None:
        session.detach()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, detach)
    return session
