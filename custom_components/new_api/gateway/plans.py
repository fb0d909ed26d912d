"""The subscription plans of an account (gateway_api.md 6.8)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Self

from .errors import UnexpectedReplyError
from .fields import (
    LATEST_EXPIRY,
    check_owner,
    read_count,
    read_expiry,
    read_flag,
    read_integer,
    read_name,
    read_rows,
    read_text,
)

_PLANS_ONLY: Final = "subscription_only"
_WALLET_FIRST: Final = "wallet_first"
_WALLET_ONLY: Final = "wallet_only"


class Period(StrEnum):
    """How often a plan is reset, at the midnights of the server.

    Weeks begin on Monday, and months on the 1st, also the first ones (gateway_api.md
    6.8), so those are shorter. A custom period goes by seconds from the start.
    """

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Offered:
    """A plan as a site offers it; `period` None where that is not told.

    `period_seconds` is how long a custom period is.
    """

    title: str | None
    period: Period | None
    period_seconds: int | None

    @classmethod
    def from_reply(cls, row: Mapping[str, Any]) -> Self:
        """Read a `plan` of a reply."""
        name = row.get("quota_reset_period")
        period = next((each for each in Period if each == name), None)
        seconds = None
        if row.get("quota_reset_custom_seconds") and period is Period.CUSTOM:
            seconds = read_count(row, "quota_reset_custom_seconds")
        return cls(read_text(row, "title"), period, seconds)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that an account has, or had; raw quota, times in Unix seconds.

    `id` is that of this subscription, `plan_id` that of what was bought. `total` is for
    one period between resets, None for unlimited; `used` is since `last_reset`.
    `next_reset` is None where nothing is reset before `ends`, which is the last second
    of the year 9999 for what is later. `pays_first` tells
    whether requests are paid from plans before the wallet, and `may_pay` whether they
    are at all. Where not `lets_wallet_pay`, requests that plans do not pay are refused
    while this one is active, unless the wallet pays first: what servers from rc.12 on
    call `allow_wallet_overflow`, false for one such plan among several too. Older ones
    do not have it, and charge the wallet.
    """

    id: int
    plan_id: int
    title: str | None
    total: int | None
    used: int
    starts: int
    ends: int
    last_reset: int | None
    next_reset: int | None
    pays_first: bool
    may_pay: bool
    lets_wallet_pay: bool
    is_active: bool
    period: Period | None = None
    period_seconds: int | None = None

    @property
    def is_used_up(self) -> bool:
        """Tell whether it pays nothing until its reset; it can be overdrawn."""
        return self.remaining is not None and self.remaining <= 0

    @property
    def begun_at(self) -> int:
        """Return since when it was used."""
        return max(self.starts, self.last_reset or 0)

    @property
    def remaining(self) -> int | None:
        """Return what is left until the next reset, None for unlimited."""
        return None if self.total is None else self.total - self.used

    @classmethod
    def from_reply(
        cls, row: Mapping[str, Any], preference: str | None, at: float
    ) -> Self:
        """Read a `subscription` of a reply made at a time in Unix seconds.

        `preference` says what pays first.
        """
        ends = min(read_integer(row, "end_time"), LATEST_EXPIRY)
        return cls(
            id=read_integer(row, "id"),
            plan_id=read_integer(row, "plan_id"),
            title=None,
            total=read_count(row, "amount_total") or None,
            used=read_integer(row, "amount_used"),
            starts=min(read_integer(row, "start_time"), LATEST_EXPIRY),
            ends=ends,
            last_reset=read_expiry(row, "last_reset_time"),
            next_reset=read_expiry(row, "next_reset_time"),
            pays_first=preference not in (_WALLET_FIRST, _WALLET_ONLY),
            may_pay=preference != _WALLET_ONLY,
            lets_wallet_pay=(
                row.get("allow_wallet_overflow") is None
                or read_flag(row, "allow_wallet_overflow")
            ),
            is_active=read_name(row, "status") == "active" and ends > at,
        )

    def offered_as(self, offered: Offered | None) -> Self:
        """Return it with what is only told of those that a site offers."""
        if offered is None:
            return self
        return replace(
            self,
            title=offered.title,
            period=offered.period,
            period_seconds=offered.period_seconds,
        )


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The plans of an account; the one that ends first, which is used first, is first.

    `wallet_pays` is whether the wallet ever pays for requests.
    """

    plans: tuple[Plan, ...]
    wallet_pays: bool


def read_plans(
    data: Mapping[str, Any],
    now: float,
    account_id: int | None,
    *,
    ended_after: float | None = None,
) -> Subscriptions:
    """Return the plans that are active at `now`, in Unix seconds of the site's clock.

    And those that have ended after another time, where that is given. Without what is
    only told of those that a site offers. Raises UnexpectedReplyError where one is of
    another account.
    """
    preference = read_text(data, "billing_preference")
    plans = []
    if "subscriptions" not in data:
        raise UnexpectedReplyError("The reply does not speak of plans")
    items = data["subscriptions"]
    if ended_after is not None:
        items = data.get("all_subscriptions", items)
    for item in read_rows(items):
        row = _object(item, "subscription")
        check_owner(row, account_id)
        plan = Plan.from_reply(row, preference, now)
        if plan.is_active or (ended_after is not None and plan.ends > ended_after):
            plans.append(plan)
    return Subscriptions(
        tuple(sorted(plans, key=lambda plan: (plan.ends, plan.id))),
        preference != _PLANS_ONLY,
    )


def read_offered(data: Any) -> dict[int, Offered]:
    """Return the plans that a site offers, by their ids."""
    offered = [_object(item, "plan") for item in read_rows(data)]
    return {read_integer(plan, "id"): Offered.from_reply(plan) for plan in offered}


def _object(item: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = item.get(field)
    if not isinstance(value, Mapping):
        raise UnexpectedReplyError(f"'{field}' is not an object")
    return value
