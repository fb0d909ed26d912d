"""Subscription plans: what is for sale, what a user has, and when it begins anew."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Period(StrEnum):
    """When what was used of a plan is forgotten."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan as it is for sale; `total` in raw units, 0 is unlimited."""

    id: int
    title: str
    total: int
    price: float = 0
    days: int = 30
    reset: Period = Period.NEVER
    reset_seconds: int = 0
    """How long a custom period is."""
    is_enabled: bool = True
    """Whether it is shown to those who look for a plan."""
    allows_overflow: bool = True
    """Whether the wallet pays what the plan does not."""

    def next_reset(self, after: int, end: int, zone: ZoneInfo) -> int:
        """Return when a period is over that `after` is in, 0 if the plan ends first."""
        begun = datetime.fromtimestamp(after, UTC).astimezone(zone)
        midnight = begun.replace(hour=0, minute=0, second=0, microsecond=0)
        match self.reset:
            case Period.NEVER:
                return 0
            case Period.DAILY:
                next_one = midnight + timedelta(days=1)
            case Period.WEEKLY:
                next_one = midnight + timedelta(days=7 - midnight.weekday())
            case Period.MONTHLY:
                next_one = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
            case Period.CUSTOM:
                next_one = begun.astimezone(UTC) + timedelta(seconds=self.reset_seconds)
        at = int(next_one.timestamp())
        return 0 if at > end else at


@dataclass(slots=True, kw_only=True)
class Subscription:
    """A plan of a user; `amount_total` 0 is unlimited."""

    id: int
    user_id: int
    amount_total: int
    amount_used: int = 0
    start_time: int
    end_time: int
    plan_id: int = 1
    last_reset_time: int = 0
    next_reset_time: int = 0
    """0 where there is no further reset."""
    is_cancelled: bool = False
    allows_overflow: bool = True
    """Whether the wallet pays what the plan does not, as it was when it was bought."""
    source: str = "admin"
    created_at: int = 0

    def is_active(self, now: float) -> bool:
        """Tell whether the plan pays for requests."""
        return not self.is_cancelled and self.end_time > now

    def status(self, now: float) -> str:
        """Return what the site calls this."""
        if self.is_cancelled:
            return "cancelled"
        return "active" if self.is_active(now) else "expired"

    def covers(self, quota: int) -> bool:
        """Tell whether the plan has this much left."""
        return not self.amount_total or self.amount_used + quota <= self.amount_total

    def begin_anew(self, now: int, offer: Offer, zone: ZoneInfo) -> None:
        """Forget what was used in periods that are over."""
        while 0 < self.next_reset_time <= now:
            self.amount_used = 0
            self.last_reset_time = self.next_reset_time
            self.next_reset_time = offer.next_reset(
                self.last_reset_time, self.end_time, zone
            )
