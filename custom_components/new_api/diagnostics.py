"""Diagnostics of an entry, without anything secret or personal."""

from dataclasses import asdict, replace
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY, CONF_NAME, CONF_URL
from homeassistant.core import HomeAssistant

from .const import CONF_USER_ID
from .coordinator import Balance, Keys, NewApiCoordinator
from .data import NewApiConfigEntry
from .gateway.models import KeyState

_TO_REDACT: Final = {
    CONF_ACCESS_TOKEN,
    CONF_API_KEY,
    CONF_NAME,
    CONF_URL,
    CONF_USER_ID,
    "id",
    "username",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: NewApiConfigEntry
) -> dict[str, Any]:
    """Return what was last read, and how the reading went."""
    about_entry = {
        "data": async_redact_data(entry.data, _TO_REDACT),
        "options": dict(entry.options),
        "state": entry.state.value,
        # The text itself may name the site.
        "reason": entry.error_reason_translation_key,
    }
    if entry.state is not ConfigEntryState.LOADED:
        return {"entry": about_entry}
    data = entry.runtime_data
    site = data.site.data
    keys: Keys | None = data.keys.data
    balance: Balance | None = data.account.data if data.account is not None else None
    return {
        "entry": about_entry,
        "site": {
            "family": site.family.value,
            "version": site.version,
            "quota_per_unit": str(site.quota_per_unit),
            "unit": site.unit.kind.value,
            "currency": site.unit.code,
        },
        "views": {
            "site": _view(data.site),
            "account": None if data.account is None else _view(data.account),
            "keys": _view(data.keys),
            "models": _view(data.models),
        },
        "account": None if balance is None else _redacted(asdict(balance.account)),
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
        "models": None if data.models.data is None else asdict(data.models.data),
    }


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
        "last_error": None if error is None else type(error.__cause__).__name__,
        "update_interval": None if interval is None else interval.total_seconds(),
    }
