"""What a failure of the gateway client is called in front of people."""

from math import ceil
from typing import Final

from .gateway.errors import (
    BlockedError,
    CannotConnectError,
    EndpointMissingError,
    GatewayError,
    MovedError,
    NotAGatewayError,
    RateLimitedError,
    Refusal,
    RefusedError,
    ServerTroubleError,
)

_OF_ERROR: Final = (
    (BlockedError, "blocked"),
    (CannotConnectError, "cannot_connect"),
    (NotAGatewayError, "not_a_gateway"),
    (ServerTroubleError, "server_trouble"),
    (EndpointMissingError, "endpoint_missing"),
)

_OF_REFUSAL: Final = {
    Refusal.INVALID: "credential_rejected",
    Refusal.USER_ID_MISSING: "user_id_required",
    Refusal.USER_ID_MISMATCH: "user_id_mismatch",
    Refusal.OWNER_DISABLED: "account_disabled",
}


def failure_of(err: GatewayError) -> tuple[str, dict[str, str]]:
    """Return the translation key of a failure, and its placeholders."""
    match err:
        case RateLimitedError():
            return "rate_limited", {"minutes": str(ceil(err.retry_after / 60))}
        case MovedError():
            return "moved", {"location": err.location}
        case RefusedError():
            return _OF_REFUSAL.get(err.reason, "refused"), {}
    for kind, key in _OF_ERROR:
        if isinstance(err, kind):
            return key, {}
    return "unexpected_reply", {}
