"""What the gateway client answers with.

Replies are validated on their way into these: a field of the wrong type makes the
whole reply unusable, since nothing tells which of its figures are still true.
What is secret or personal in a reply is left behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
import re
from typing import Any, Final, Self

from .errors import GatewayError, UnexpectedReplyError
from .fields import (
    LARGEST_QUOTA,
    as_number,
    printable,
    read_expiry,
    read_flag,
    read_integer,
    read_name,
    read_text,
)
from .money import (
    DEFAULT_CUSTOM_SYMBOL,
    DEFAULT_QUOTA_PER_UNIT,
    DEFAULT_USD_EXCHANGE_RATE,
    Unit,
)
from .news import Announcement, read_announcements
from .offers import CheckInDialect

_VERSION: Final = re.compile(
    r"[a-z]{0,10}-?\d{1,8}(\.\d{1,8}){0,3}([-+][\w.+-]{1,24})?", re.ASCII
)


class Family(StrEnum):
    """The relatives that differ in what they answer (gateway_api.md 8)."""

    NEW_API = "new_api"
    ONE_API = "one_api"
    VELOERA = "veloera"
    ONE_HUB = "one_hub"
    UNKNOWN = "unknown"


class KeyStatus(StrEnum):
    """What a key is good for at the moment.

    REFUSED: the site does not let us know which of the others it is.
    """

    ACTIVE = "active"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"
    DISABLED = "disabled"
    IP_RESTRICTED = "ip_restricted"
    OWNER_DISABLED = "owner_disabled"
    INVALID = "invalid"
    REFUSED = "refused"


class AccountStatus(StrEnum):
    """Whether the owner of the site lets an account use it."""

    ACTIVE = "active"
    DISABLED = "disabled"


class Scope(StrEnum):
    """Whose figures a key's figures are.

    Some sites let a key see its account's figures, and not every server says which
    it shows (gateway_api.md 4.3, 9.4).
    """

    KEY = "key"
    ACCOUNT = "account"
    UNKNOWN = "unknown"


# What servers write into the list of keys (gateway_api.md 6.4).
_WRITTEN_STATUS: Final = {
    1: KeyStatus.ACTIVE,
    2: KeyStatus.DISABLED,
    3: KeyStatus.EXPIRED,
    4: KeyStatus.EXHAUSTED,
}


@dataclass(frozen=True, slots=True)
class Site:
    """What a site says of itself to everybody (`/api/status`, gateway_api.md 5.1).

    `quota_per_unit` is raw quota per dollar of the site, None where unusable.
    `keeps_history` tells whether it goes on writing down what was spent by hour, None
    where it does not say. `check_in` is how it tells of the daily check-in, None where
    it has none.
    """

    family: Family
    version: str | None
    name: str | None
    quota_per_unit: Decimal | None
    unit: Unit
    keeps_history: bool | None = None
    check_in: CheckInDialect | None = None
    announcements: tuple[Announcement, ...] = ()
    has_monitors: bool = False

    @classmethod
    def from_reply(cls, data: Mapping[str, Any], version: str | None) -> Self:
        """Read the `data` of a reply; `version` is what its header says."""
        quota_per_unit = _divisor(data)
        return cls(
            family=_family(data, version),
            version=_version(version) or _version(read_text(data, "version")),
            name=read_text(data, "system_name"),
            quota_per_unit=quota_per_unit,
            unit=_unit(data, quota_per_unit),
            keeps_history=_if_said(data, "enable_data_export"),
            check_in=CheckInDialect.of(data),
            announcements=read_announcements(data),
            has_monitors=_if_said(data, "uptime_kuma_enabled") or False,
        )


@dataclass(frozen=True, slots=True)
class KeyState:
    """An API key: its status and, where the site tells, its figures in raw quota.

    `remaining_quota` is None for an unlimited key. `expires_at` is in Unix seconds,
    None for never or unknown. `name` is the one given to it on the site.
    `is_inferred` tells that the site did not say the status: it only follows from what
    else it said. `unanswered` is why a question that might have told more failed this
    time.
    """

    status: KeyStatus
    scope: Scope = Scope.UNKNOWN
    unlimited: bool | None = None
    remaining_quota: int | None = None
    used_quota: int | None = None
    expires_at: int | None = None
    name: str | None = None
    is_inferred: bool = False
    unanswered: GatewayError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class AccountKey:
    """A key in the account's list (`/api/token/`, gateway_api.md 6.4), raw quota.

    `configured` tells whether it is the key that the client itself holds; the secret
    in the list was compared on arrival and is not kept.
    """

    id: int
    name: str
    status: KeyStatus
    unlimited: bool
    remaining_quota: int | None
    used_quota: int
    expires_at: int | None
    configured: bool

    @classmethod
    def from_reply(cls, item: Any, now: float, *, configured: bool) -> Self:
        """Read an item of the list as of `now`, in Unix seconds."""
        if not isinstance(item, Mapping):
            raise UnexpectedReplyError("A key in the list is not an object")
        remaining = read_integer(item, "remain_quota")
        expires_at = read_expiry(item, "expired_time")
        unlimited = read_flag(item, "unlimited_quota")
        return cls(
            id=read_integer(item, "id"),
            name=read_name(item, "name"),
            status=_row_status(
                read_integer(item, "status"),
                unlimited=unlimited,
                remaining=remaining,
                expires_at=expires_at,
                now=now,
            ),
            unlimited=unlimited,
            remaining_quota=None if unlimited else remaining,
            used_quota=read_integer(item, "used_quota"),
            expires_at=expires_at,
            configured=configured,
        )

    def as_state(self) -> KeyState:
        """Return what the list says as the state of a key."""
        return KeyState(
            status=self.status,
            scope=Scope.KEY,
            unlimited=self.unlimited,
            remaining_quota=self.remaining_quota,
            used_quota=self.used_quota,
            expires_at=self.expires_at,
            name=self.name or None,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """An account (`/api/user/self`, gateway_api.md 6.1), raw quota.

    `remaining_quota` may be negative: the account is in debt then. `referral_reward`
    waits to be moved to it, None where the site has no such thing.
    """

    id: int
    username: str
    group: str | None
    remaining_quota: int
    used_quota: int
    request_count: int
    referral_reward: int | None = None

    @classmethod
    def from_reply(cls, data: Mapping[str, Any]) -> Self:
        """Read the `data` of a reply."""
        return cls(
            id=read_integer(data, "id"),
            username=read_text(data, "username") or "",
            group=read_text(data, "group"),
            remaining_quota=read_integer(data, "quota"),
            used_quota=read_integer(data, "used_quota"),
            request_count=read_integer(data, "request_count"),
            referral_reward=(
                None
                if data.get("aff_quota") is None
                else read_integer(data, "aff_quota")
            ),
        )


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """What `/api/usage/token/` says of a key (gateway_api.md 4.6), raw quota."""

    name: str | None
    unlimited: bool
    available: int
    used: int
    expires_at: int | None

    @classmethod
    def from_reply(cls, data: Mapping[str, Any]) -> Self:
        """Read the `data` of a reply."""
        return cls(
            name=read_text(data, "name"),
            unlimited=read_flag(data, "unlimited_quota"),
            available=read_integer(data, "total_available"),
            used=read_integer(data, "total_used"),
            expires_at=read_expiry(data, "expires_at"),
        )

    def status(self, now: float) -> KeyStatus:
        """Return what follows from these figures alone at `now`, in Unix seconds."""
        if self.expires_at is not None and self.expires_at < now:
            return KeyStatus.EXPIRED
        if not self.unlimited and self.available <= 0:
            return KeyStatus.EXHAUSTED
        return KeyStatus.ACTIVE


def read_models(data: Any) -> tuple[str, ...]:
    """Return the distinct ids of a list of models, sorted.

    Items are objects with an `id`, or bare ids. The order of the servers is random and
    One API repeats ids (gateway_api.md 4.1, trap 34 and 45).
    """
    if not isinstance(data, list):
        raise UnexpectedReplyError("The models are not a list")
    ids: set[str] = set()
    for item in data:
        model = item.get("id") if isinstance(item, Mapping) else item
        if not isinstance(model, str) or not model:
            raise UnexpectedReplyError("A model has no id")
        ids.add(printable(model))
    return tuple(sorted(ids))


def read_models_of_group(data: Any, group: str | None) -> tuple[str, ...]:
    """Return the ids that a group may use, sorted.

    One Hub maps each model to what is known of it, the `groups` among it (5.3).
    """
    if not isinstance(data, Mapping):
        raise UnexpectedReplyError("The models are not an object")
    models = []
    for model, about in data.items():
        groups = about.get("groups") if isinstance(about, Mapping) else None
        if groups is not None and not isinstance(groups, list):
            raise UnexpectedReplyError("The groups of a model are not a list")
        if group in (groups or ()):
            models.append(model)
    return read_models(models)


def _family(data: Mapping[str, Any], version: str | None) -> Family:
    """Tell the family (gateway_api.md 9.1); later relatives keep older marks."""
    if "check_in_enabled" in data:
        return Family.VELOERA
    if version or not data.keys().isdisjoint(
        ("self_use_mode_enabled", "quota_display_type", "enable_data_export")
    ):
        return Family.NEW_API
    if "PaymentUSDRate" in data:
        return Family.ONE_HUB
    if not data.keys().isdisjoint(("chat_link", "lark_client_id")):
        return Family.ONE_API
    return Family.UNKNOWN


def _if_said(data: Mapping[str, Any], field: str) -> bool | None:
    value = data.get(field)
    return value if isinstance(value, bool) else None


def _version(text: str | None) -> str | None:
    """Return a version, if it is one; of another text nobody knows what it tells."""
    return text if text and _VERSION.fullmatch(text) else None


def _divisor(data: Mapping[str, Any]) -> Decimal | None:
    if "quota_per_unit" not in data:
        return DEFAULT_QUOTA_PER_UNIT
    number = as_number(data["quota_per_unit"])
    # With 2**63 raw units to a dollar, nobody could own one.
    return number if number is not None and 0 < number < LARGEST_QUOTA else None


def _rate(data: Mapping[str, Any], field: str, default: Decimal) -> Decimal | None:
    number = as_number(data.get(field, default))
    return number if number is not None and number < LARGEST_QUOTA else None


def _unit(data: Mapping[str, Any], quota_per_unit: Decimal | None) -> Unit:
    match data.get("quota_display_type"):
        case "USD":
            return Unit.usd(quota_per_unit)
        case "CNY":
            return Unit.cny(
                quota_per_unit,
                _rate(data, "usd_exchange_rate", DEFAULT_USD_EXCHANGE_RATE),
            )
        case "TOKENS":
            return Unit.tokens()
        case "CUSTOM":
            return Unit.custom(
                quota_per_unit,
                _rate(data, "custom_currency_exchange_rate", Decimal(1)),
                read_text(data, "custom_currency_symbol") or DEFAULT_CUSTOM_SYMBOL,
            )
        case None:
            match data.get("display_in_currency", True):
                case True:
                    return Unit.usd(quota_per_unit)
                case False:
                    return Unit.tokens()
    return Unit.unknown()


def _row_status(
    status: int,
    *,
    unlimited: bool,
    remaining: int,
    expires_at: int | None,
    now: float,
) -> KeyStatus:
    """Tell a key's status: what servers write into the list lags behind (6.4)."""
    written = _WRITTEN_STATUS.get(status, KeyStatus.REFUSED)
    if written is not KeyStatus.ACTIVE and written is not KeyStatus.EXHAUSTED:
        return written
    if expires_at is not None and expires_at < now:
        return KeyStatus.EXPIRED
    if not unlimited and remaining <= 0:
        return KeyStatus.EXHAUSTED
    return written
