"""How Home Assistant talks to gateways: one session, and one budget for each site."""

from aiohttp import ClientSession, DummyCookieJar
from yarl import URL

from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.singleton import singleton
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .gateway.budget import Budget
from .gateway.client import Client
from .gateway.credentials import Credentials

_SESSION: HassKey[ClientSession] = HassKey(f"{DOMAIN}_session")
_BUDGETS: HassKey[dict[URL, Budget]] = HassKey(f"{DOMAIN}_budgets")


@callback
def async_create_client(
    hass: HomeAssistant,
    base: URL,
    credentials: Credentials,
    *,
    account_id: int | None = None,
) -> Client:
    """Return a client that shares the session and the budget of its site."""
    budget = _async_budgets(hass).setdefault(base.origin(), Budget())
    return Client(
        _async_session(hass),
        base,
        credentials,
        budget=budget,
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


@singleton(_BUDGETS)
@callback
def _async_budgets(hass: HomeAssistant) -> dict[URL, Budget]:
    """Return the budgets, which outlive the entries that spend them."""
    return {}
