"""What stands in a gateway's database, row by row."""

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import ip_address, ip_network
from typing import Final

NEVER: Final = -1
"""The `expires_at` of a key that does not expire."""

DAY: Final = 86_400
HOUR: Final = 3_600


class Status(IntEnum):
    """State of a key or a user; users are only enabled or disabled."""

    ENABLED = 1
    DISABLED = 2
    EXPIRED = 3
    EXHAUSTED = 4


class LogType(IntEnum):
    """What a row of the log is about."""

    TOP_UP = 1
    CONSUME = 2
    MANAGE = 3
    SYSTEM = 4
    ERROR = 5
    REFUND = 6


class Role(IntEnum):
    """What a user may do."""

    COMMON = 1
    ADMIN = 10
    ROOT = 100


@dataclass(slots=True, kw_only=True)
class User:
    """A person with an account; quota in raw units, `quota` is what is left."""

    id: int
    name: str
    access_token: str
    quota: int
    used_quota: int = 0
    request_count: int = 0
    display_name: str = ""
    email: str = ""
    role: int = Role.COMMON
    status: int = Status.ENABLED
    group: str = "default"
    aff_code: str = ""
    aff_count: int = 0
    aff_quota: int = 0
    aff_history: int = 0
    billing_preference: str = "subscription_first"
    setting: str = ""
    created_at: int = 0


@dataclass(slots=True, kw_only=True)
class Key:
    """An API key; quota in raw units, `secret` is without the `sk-`."""

    id: int
    user_id: int
    name: str
    secret: str
    remain_quota: int
    used_quota: int = 0
    unlimited: bool = False
    status: int = Status.ENABLED
    expires_at: int = NEVER
    created_at: int = 0
    accessed_at: int = 0
    group: str = ""
    model_limits: tuple[str, ...] = ()
    model_limits_enabled: bool = False
    allow_ips: tuple[str, ...] = ()
    subnet: str = ""

    def __str__(self) -> str:
        """Return the key as a person copies it."""
        return f"sk-{self.secret}"

    def has_expired(self, now: float) -> bool:
        """Tell whether the key's time is over."""
        return self.expires_at != NEVER and self.expires_at < now

    def admits(self, address: str) -> bool:
        """Tell whether the key may be used from this address."""
        if not self.allow_ips and not self.subnet:
            return True
        return address in self.allow_ips or (
            bool(self.subnet) and ip_address(address) in ip_network(self.subnet)
        )

    @property
    def is_exhausted(self) -> bool:
        """Tell whether nothing is left of a limited key."""
        return not self.unlimited and self.remain_quota <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model the gateway offers; 1 of `ratio` is 2 dollars per million tokens."""

    name: str
    vendor: str = "OpenAI"
    ratio: float = 1
    completion_ratio: float = 1
    cache_ratio: float | None = None
    create_cache_ratio: float | None = None

    def price(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Return what a request costs, in raw units."""
        tokens = prompt_tokens + completion_tokens * self.completion_ratio
        return round(tokens * self.ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One line of the log."""

    id: int
    user_id: int
    user_name: str
    at: int
    type: int
    quota: int
    key_id: int = 0
    key_name: str = ""
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    content: str = ""
    request_id: str = ""
    exported: bool = True
    """Whether the site kept statistics when this was spent."""

    @property
    def tokens(self) -> int:
        """Return all tokens of the request."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def hour(self) -> int:
        """Return the start of the hour, as statistics keep it."""
        return self.at - self.at % HOUR


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent on something, summed up; `id` counts in order of appearance."""

    id: int
    count: int
    tokens: int
    quota: int


@dataclass(slots=True, kw_only=True)
class Subscription:
    """A plan of a user; `amount_total` 0 is unlimited."""

    id: int
    user_id: int
    amount_total: int
    amount_used: int
    start_time: int
    end_time: int
    plan_id: int = 1
    last_reset_time: int = 0
    next_reset_time: int = 0
    created_at: int = 0

    def is_active(self, now: float) -> bool:
        """Tell whether the plan pays for requests."""
        return self.end_time > now

    def covers(self, quota: int) -> bool:
        """Tell whether the plan has this much left."""
        return not self.amount_total or self.amount_used + quota <= self.amount_total


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """A payment; `amount` in dollars, `money` what was paid for it."""

    id: int
    user_id: int
    amount: int
    money: float
    trade_no: str
    at: int


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A daily check-in and its reward in raw units."""

    user_id: int
    date: str
    quota: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """How a gateway keeps its books."""

    unlimited_keys_move: bool = True
    """Whether an unlimited key counts what it uses."""
    plans_pay: bool = False
    """Whether subscriptions pay before the wallet does."""
    refunds_lower_used: bool = False
    """Whether a refund is taken off what the user has used."""


@dataclass(frozen=True, slots=True)
class Group:
    """A price group."""

    description: str
    ratio: float = 1
