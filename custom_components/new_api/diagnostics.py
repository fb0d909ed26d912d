"""Diagnostics of an entry, without anything secret or personal."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY, CONF_NAME, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .connection import async_client_of
from .const import CONF_USER_ID
from .coordinator import Balance, Keys, Models, NewApiCoordinator, async_site_reading
from .data import NewApiConfigEntry, NewApiData
from .gateway.budget import Budget
from .gateway.errors import InvalidAddressError
from .gateway.journal import Endpoint, Journal, Outcome
from .gateway.models import KeyState, Site
from .gateway.money import Unit, UnitKind

_TO_REDACT: Final = {
    CONF_ACCESS_TOKEN,
    CONF_API_KEY,
    CONF_NAME,
    CONF_URL,
    CONF_USER_ID,
    "group",
    "id",
    "username",
}

_SITE: Final = "site"
_STATUS: Final = "/api/status"


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: NewApiConfigEntry
) -> dict[str, Any]:
    """Return what was last read, and how the reading went."""
    diagnostics: dict[str, Any] = {
        "entry": {
            "data": async_redact_data(entry.data, _TO_REDACT),
            "options": async_redact_data(entry.options, _TO_REDACT),
            "state": entry.state.value,
            # The text itself may name the site.
            "reason": entry.error_reason_translation_key,
        }
    }
    try:
        client = await async_client_of(hass, entry)
    except InvalidAddressError:
        return diagnostics
    reading = async_site_reading(hass, entry)
    diagnostics |= {
        "site": None if reading.site is None else _site(reading.site),
        **_noted(*_of_both(client.journal, reading.journal)),
        "budget": _budget(client.budget),
    }
    if entry.state is ConfigEntryState.LOADED:
        diagnostics |= _readings(entry.runtime_data)
    return diagnostics


def _of_both(
    own: Journal, of_site: Journal | None
) -> tuple[dict[str, Outcome], dict[str, Endpoint]]:
    """Return what was noted of questions and endpoints.

    What the site is, one of the entries on it asks for all.
    """
    questions, endpoints = {**own.questions}, {**own.endpoints}
    if of_site is not None and _SITE in of_site.questions:
        questions[_SITE] = of_site.questions[_SITE]
        endpoints[_STATUS] = of_site.endpoints[_STATUS]
    return questions, endpoints


def _noted(
    questions: Mapping[str, Outcome], endpoints: Mapping[str, Endpoint]
) -> dict[str, Any]:
    """Return what became of the questions, and what the site has."""
    return {
        "capabilities": {
            name: sorted(
                path for path, each in endpoints.items() if each.is_there is is_there
            )
            for name, is_there in (("found", True), ("missing", False))
        },
        "questions": {
            name: _dated(asdict(outcome)) for name, outcome in questions.items()
        },
        "endpoints": {
            path: {
                "asked": each.asked,
                "failed": each.failed,
                "status": each.received.status,
                "last": None if each.last is None else _dated(asdict(each.last)),
            }
            for path, each in endpoints.items()
        },
        "unexpected_replies": {
            path: _dated(asdict(each.unexpected))
            for path, each in endpoints.items()
            if each.unexpected is not None
        },
    }


def _dated(noted: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **noted,
        "at": dt_util.utc_from_timestamp(noted["at"]).isoformat("T", "seconds"),
    }


def _budget(budget: Budget) -> dict[str, Any]:
    """Return what was spent lately; ages of calls and waits are in whole seconds."""
    state = budget.state()
    return {
        "general_calls": state["general_calls"],
        "critical_calls": [round(age) for age in state["critical_calls"]],
        "closed": {bucket: round(wait) for bucket, wait in state["closed"].items()},
    }


def _readings(data: NewApiData) -> dict[str, Any]:
    keys: Keys | None = data.keys.data
    models: Models | None = data.models.data
    balance: Balance | None = data.account.data if data.account is not None else None
    return {
        "views": {
            "site": _view(data.site),
            "account": None if data.account is None else _view(data.account),
            "keys": _view(data.keys),
            "models": _view(data.models),
        },
        "account": None if balance is None else _account(balance),
        "configured_key": (
            None
            if keys is None or keys.configured is None
            else _redacted(_key(keys.configured))
        ),
        "listed_keys": (
            None
            if keys is None or keys.listed is None
            else [_redacted(asdict(key)) for key in keys.listed.values()]
        ),
        "models": (
            None
            if models is None
            # A site can give them any name.
            else {
                whose: None if names is None else len(names)
                for whose, names in asdict(models).items()
            }
        ),
    }


def _site(site: Site) -> dict[str, Any]:
    return {
        "family": site.family.value,
        "version": site.version,
        "display_type": _display_type(site.unit),
        "quota_per_unit": (
            None if site.quota_per_unit is None else str(site.quota_per_unit)
        ),
    }


def _display_type(unit: Unit) -> str:
    """Return the display type as newer sites write it (gateway_api.md 3.2)."""
    match unit.kind:
        case UnitKind.CURRENCY:
            return unit.code or "unknown"
        case UnitKind.TOKENS:
            return "TOKENS"
        case UnitKind.CUSTOM:
            return "unknown" if unit.symbol is None else "CUSTOM"


def _account(balance: Balance) -> dict[str, Any]:
    account = balance.account
    figures = {} if account is None else _redacted(asdict(account))
    return {"status": balance.status.value, **figures}


def _key(state: KeyState) -> dict[str, Any]:
    unanswered = state.unanswered
    return asdict(replace(state, unanswered=None)) | {
        "unanswered": None if unanswered is None else type(unanswered).__name__
    }


def _redacted(data: dict[str, Any]) -> dict[str, Any]:
    return async_redact_data(data, _TO_REDACT)


def _view(coordinator: NewApiCoordinator[Any]) -> dict[str, Any]:
    """Return how a coordinator's last reading went."""
    error = coordinator.last_exception
    interval = coordinator.update_interval
    return {
        "last_update_success": coordinator.last_update_success,
        "last_error": (
            None if error is None else type(error.__cause__ or error).__name__
        ),
        "update_interval": None if interval is None else interval.total_seconds(),
    }
