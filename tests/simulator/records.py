"""What stands in a gateway's database, row by row."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
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
    logged: bool = True
    """Whether the site keeps a log of requests; what is not logged is not shown."""
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


class Payment(StrEnum):
    """How far a top-up has come."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(slots=True, kw_only=True)
class TopUp:
    """A payment; `amount` in dollars, `money` what is paid for it."""

    id: int
    user_id: int
    amount: int
    money: float
    trade_no: str
    at: int
    status: Payment = Payment.PENDING
    completed_at: int = 0


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A daily check-in and its reward in raw units."""

    user_id: int
    date: str
    quota: int
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """How a gateway keeps its books."""

    unlimited_keys_move: bool = True
    """Whether an unlimited key counts what it uses."""
    plans_pay: bool = False
    """Whether subscriptions pay before the wallet does."""
    plans_can_be_strict: bool = False
    """Whether a plan can forbid that the wallet pays what it does not."""
    refunds_lower_used: bool = False
    """Whether a refund is taken off what the user has used."""
    refunds_are_rows: bool = False
    """Whether a refund stands in the log with its amount, or only in words."""


@dataclass(frozen=True, slots=True)
class Group:
    """A price group; the ratio of the pseudo-group `auto` is a word."""

    description: str
    ratio: float | str = 1


class Heartbeat(IntEnum):
    """What Uptime Kuma has found last."""

    DOWN = 0
    UP = 1
    PENDING = 2
    MAINTENANCE = 3


@dataclass(slots=True, kw_only=True)
class Monitor:
    """Something that the site has watched; `uptime` is the share of the last day."""

    category: str
    name: str
    status: Heartbeat = Heartbeat.UP
    uptime: float = 1
    group: str = ""
