"""The errors a caller of the gateway client can meet.

No text in here ever quotes a reply: gateways put masked keys, addresses and names
into their messages (gateway_api.md 2.1).
"""

from enum import StrEnum
from typing import Self, override


class GatewayError(Exception):
    """A question could not be answered."""

    def again(self) -> Self:
        """Return the same error, for another who asks, without what led to this one."""
        error = type(self).__new__(type(self), *self.args)
        error.__dict__.update(self.__dict__)
        return error


class InvalidAddressError(GatewayError):
    """The text is not the address of a site."""


class InvalidCredentialError(GatewayError):
    """The text cannot be a credential: it does not fit into a header."""

    def __init__(self, field: str) -> None:
        """Keep which of the three it is: `key`, `user_id` or `access_token`."""
        super().__init__(f"The {field} contains characters that no credential has")
        self.field = field


class CannotConnectError(GatewayError):
    """No complete reply arrived in time."""


class NotAGatewayError(GatewayError):
    """Something answers there, but it is no gateway of this family."""


class BlockedError(GatewayError):
    """Something in front of the site, such as a firewall, does not let us through."""


class MovedError(GatewayError):
    """The site sends callers to another origin; credentials do not follow."""

    def __init__(self, location: str, *, permanent: bool) -> None:
        """Keep where to: the base of the site there, without query and user."""
        super().__init__(f"The site sends its callers to {location}")
        self.location = location
        self.permanent = permanent


class RateLimitedError(GatewayError):
    """The site, or our own budget for it, wants no question for some time."""

    def __init__(self, retry_after: float) -> None:
        """Keep how long to wait, in seconds."""
        super().__init__(f"Rate limited for {retry_after:.0f} seconds")
        self.retry_after = retry_after


class ServerTroubleError(GatewayError):
    """The site failed to answer; it may well answer the next time."""


class EmptyReplyError(ServerTroubleError):
    """The site says yes and nothing more.

    Billing does so on a site whose divisor is 0 (gateway_api.md 1.8).
    """


class DeclinedError(ServerTroubleError):
    """The site takes the credential, and says no to what was asked with it."""


class UnexpectedReplyError(GatewayError):
    """The reply is not what any known gateway answers."""


class TooLargeError(UnexpectedReplyError):
    """The reply is larger than any that was asked for should be."""


class EndpointMissingError(GatewayError):
    """The site has no such endpoint."""


class Refusal(StrEnum):
    """Why a credential was refused, as far as the site lets us know."""

    INVALID = "invalid"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"
    DISABLED = "disabled"
    IP_RESTRICTED = "ip_restricted"
    OWNER_DISABLED = "owner_disabled"
    USER_ID_MISSING = "user_id_missing"
    USER_ID_MISMATCH = "user_id_mismatch"
    UNEXPLAINED = "unexplained"


class RefusedError(GatewayError):
    """The site refuses the credential, or what was asked with it."""

    def __init__(
        self, reason: Refusal, status: int, *, by_dashboard: bool = True
    ) -> None:
        """Keep the reason and the HTTP status (200 too means no on many servers).

        `by_dashboard` tells whether it came in the envelope of `/api/*`, or else in
        that of OpenAI's API (gateway_api.md 1.2).
        """
        super().__init__(f"Refused: {reason}")
        self.reason = reason
        self.status = status
        self.by_dashboard = by_dashboard

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason!s}, {self.status})"
