"""Answers to an API key."""

from dataclasses import dataclass
import math
from typing import Any, Final

from . import texts
from .call import Call
from .records import NEVER
from .replies import Reply, json_reply, succeeded
from .shapes import Row, token_usage

_NO_LIMIT: Final = 100_000_000
_MOST_LOG_LINES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Bill:
    """What billing speaks of, in raw units; `limit` None where there is none."""

    limit: int | None
    used: int
    access_until: int = 0


def new_api_bill(call: Call) -> Bill:
    """Speak of the key or the account, as the owner of the site likes."""
    if call.options.key_level_billing:
        return _bill_of_key(call)
    return _bill_of_account(call)


def one_api_bill(call: Call) -> Bill:
    """Forget what an account has used when adding up its limit."""
    if call.options.key_level_billing:
        return _bill_of_key(call)
    user = call.as_cached(call.user)
    return Bill(user.quota, user.used_quota)


def one_hub_bill(call: Call) -> Bill:
    """Let an unlimited key speak of the account."""
    if call.key.unlimited:
        return _bill_of_account(call)
    return _bill_of_key(call)


def _bill_of_account(call: Call) -> Bill:
    user = call.as_cached(call.user)
    return Bill(user.quota + user.used_quota, user.used_quota)


def _bill_of_key(call: Call) -> Bill:
    key = call.as_cached(call.key)
    return Bill(
        None if key.unlimited else key.remain_quota + key.used_quota,
        key.used_quota,
        0 if key.expires_at == NEVER else key.expires_at,
    )


def subscription(call: Call) -> Reply:
    """Answer `/v1/dashboard/billing/subscription`."""
    bill = call.dialect.bill(call)
    limit = _NO_LIMIT if bill.limit is None else _displayed(call, bill.limit)
    return json_reply(
        {
            "object": "billing_subscription",
            "has_payment_method": True,
            "soft_limit_usd": limit,
            "hard_limit_usd": limit,
            "system_hard_limit_usd": limit,
            "access_until": bill.access_until,
        }
    )


def usage(call: Call) -> Reply:
    """Answer `/v1/dashboard/billing/usage`; the dates make no difference."""
    used = _displayed(call, call.dialect.bill(call).used)
    return json_reply({"object": "list", "total_usage": used * 100})


def models(call: Call) -> Reply:
    """Answer `/v1/models`."""
    dialect, key = call.dialect, call.key
    known = {model.name: model for model in call.models()}
    names = list(known)
    if key.model_limits_enabled:
        match dialect.model_limits:
            case "intersect":
                names = [name for name in names if name in key.model_limits]
            case "verbatim":
                names = list(key.model_limits)
    rows = [row for name in names for row in dialect.model_rows(name, known.get(name))]
    return json_reply({"data": rows, **dialect.models_envelope})


def one_model(call: Call) -> Reply:
    """Answer `/v1/models/:id`, from a list that came with the server."""
    name = call.parameter
    model = next((each for each in call.world.models if each.name == name), None)
    if model is not None:
        row = call.dialect.model_rows(name, model)[0]
        return json_reply({**row, **call.dialect.one_model})
    return json_reply(
        {
            "error": {
                "message": f"The model '{name}' does not exist",
                "type": "invalid_request_error",
                "param": "model",
                "code": "model_not_found",
            }
        }
    )


def usage_of_token(call: Call) -> Reply:
    """Answer `/api/usage/token/`, which reads the header once more and is stricter."""
    match call.headers.get("Authorization", "").split(" "):
        case [scheme, presented] if scheme.lower() == "bearer":
            secret = presented.removeprefix("sk-")
        case _:
            return call.failed(texts.NO_BEARER, 401)
    key = call.world.key_of_secret(secret)
    if key is None:
        # A channel behind the key was cut off the first time only.
        return call.failed(texts.KEY_NOT_READ)
    return json_reply(
        {"code": True, "message": "ok", "data": token_usage(call.as_cached(key))}
    )


def log_of_token(call: Call) -> Reply:
    """Answer `/api/log/token` to a key in the header."""
    return succeeded(_log_lines(call, call.key.id)[:_MOST_LOG_LINES])


def log_of_token_in_query(call: Call) -> Reply:
    """Answer `/api/log/token` to a key in the address, oldest line first."""
    key = call.world.key_of_secret(call.query.get("key", "").removeprefix("sk-"))
    return succeeded(_log_lines(call, key.id)[::-1] if key else [])


def _log_lines(call: Call, key_id: int) -> list[Row]:
    user = call.world.users[call.world.keys[key_id].user_id]
    rows = [row for row in call.world.log_of(user) if row.key_id == key_id]
    return [call.dialect.log_row(row, number) for number, row in enumerate(rows, 1)]


def _displayed(call: Call, quota: int) -> float:
    """Return an amount as billing shows it; infinite where the divisor is 0."""
    options = call.options
    if call.dialect.knows_display_types:
        display_type: Any = options.quota_display_type
    else:
        display_type = "USD" if options.display_in_currency else "TOKENS"
    if display_type == "TOKENS":
        return quota
    if not options.quota_per_unit:
        return math.copysign(math.inf, quota) if quota else math.nan
    dollars = quota / options.quota_per_unit
    return dollars * options.usd_exchange_rate if display_type == "CNY" else dollars
