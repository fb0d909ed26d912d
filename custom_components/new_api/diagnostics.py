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
from .const import CONF_KEYS, CONF_UNIT, CONF_USER_ID
from .coordinator import (
    ACCOUNT_LEDGER,
    Balance,
    Keys,
    Models,
    NewApiCoordinator,
    News,
    Offers,
    Plans,
    Spending,
    Usage,
    async_site_reading,
)
from .data import AccountViews, NewApiConfigEntry, NewApiData
from .gaps import Source
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
    "plan_id",
    "title",
    "username",
}

# By the names that people know them by.
_VIEWS_OF_ACCOUNT: Final = {
    "account": "balance",
    "spending": "spending",
    "usage": "usage",
    "plans": "plans",
    "offers": "offers",
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
            # A site can call its unit by its own name.
            "options": async_redact_data(
                entry.options, {*_TO_REDACT, CONF_KEYS, CONF_UNIT}
            ),
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
    account = data.account
    balance: Balance | None = None if account is None else account.balance.data
    return {
        "views": {
            "site": _view(data.site),
            "keys": _view(data.keys),
            "models": _view(data.models),
            "news": _view(data.news),
            **{
                view: None if account is None else _view(getattr(account, name))
                for view, name in _VIEWS_OF_ACCOUNT.items()
            },
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
        "news": _news(data),
        "history": _history(data),
        **({} if account is None else _details(account)),
    }


def _details(account: AccountViews) -> dict[str, Any]:
    """Return what is known of an account beyond its balance."""
    spending: Spending | None = account.spending.data
    usage: Usage | None = account.usage.data
    plans: Plans | None = account.plans.data
    offers: Offers | None = account.offers.data
    return {
        "spending": None if spending is None else _spending(spending),
        "usage": None if usage is None else _usage(usage),
        "plans": (
            None
            if plans is None or plans.active is None
            else [_redacted(asdict(plan)) for plan in plans.active.values()]
        ),
        "offers": None if offers is None else _offers(offers),
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


def _spending(spending: Spending) -> dict[str, Any]:
    """Return what was spent when; the unit may be called as the site likes."""
    figures = asdict(spending)
    del figures["unit"]
    return figures


def _usage(usage: Usage) -> dict[str, Any]:
    """Return how much was used by how many models and keys, which have names."""
    models = None if usage.models is None else usage.models.values()
    return {
        "is_whole": usage.is_whole,
        "models_today": (
            None
            if models is None
            else {
                "number": len(models),
                "quota": sum(use.quota for use in models),
                "requests": sum(use.requests for use in models),
                "tokens": sum(use.tokens for use in models),
            }
        ),
        **{
            name: (
                None
                if keys is None
                else {"number": len(keys), "quota": sum(keys.values())}
            )
            for name, keys in (
                ("keys_today", usage.keys_today),
                ("keys_month", usage.keys_month),
            )
        },
    }


def _offers(offers: Offers) -> dict[str, Any]:
    return {
        "check_in": None if offers.check_in is None else asdict(offers.check_in),
        "pending_top_ups": offers.pending_top_ups,
        "groups": None if offers.ratios is None else len(offers.ratios),
    }


def _news(data: NewApiData) -> dict[str, Any]:
    """Return how much the site has to tell, of which the texts are its own."""
    news: News | None = data.news.data
    return {
        "announcements": len(data.site.data.announcements),
        "seen": {kind: len(seen) for kind, seen in data.memory.news.items()},
        "monitors": (
            None
            if news is None
            else {
                "number": len(news.monitors),
                "down": sum(each.is_up is False for each in news.monitors),
            }
        ),
    }


def _history(data: NewApiData) -> dict[str, Any]:
    """Return from when until when spending is known, in Unix seconds."""
    memory = data.memory
    readings = data.keys.own_ledger if data.account is None else ACCOUNT_LEDGER
    return {
        "statistics_since": memory.history.since or None,
        "statistics_until": memory.history.until or None,
        "written_until": memory.written_until or None,
        "readings_since": memory.ledger(readings).since,
        "gaps": {
            source.value: gaps
            for source in Source
            if (gaps := memory.gaps(source).as_list())
        },
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
    error: BaseException | None = coordinator.last_exception
    while error is not None and error.__cause__ is not None:
        error = error.__cause__
    interval = coordinator.update_interval
    return {
        "last_update_success": coordinator.last_update_success,
        "last_error": None if error is None else type(error).__name__,
        "update_interval": None if interval is None else interval.total_seconds(),
    }
