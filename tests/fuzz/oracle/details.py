"""What an account is told of its plans, and of what a site offers it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from custom_components.new_api.gateway.offers import CheckIn
from custom_components.new_api.gateway.plans import Subscriptions
from tests.fuzz.site import Served

from .reading import (
    clocks,
    datas,
    expiry,
    items_of,
    number,
    on,
    printable,
    text,
    whole,
    yes,
)


def wrong_plans(
    answer: Subscriptions,
    served: Sequence[Served],
    clock: float,
    account_id: int | None,
) -> Iterator[str]:
    """Compare the plans that are active at `clock`, in Unix seconds (6.8)."""
    plans = answer.plans
    said = [
        (
            *(plan.id, plan.plan_id, plan.total, plan.used, plan.starts, plan.ends),
            *(plan.last_reset, plan.next_reset, plan.pays_first),
            *(plan.lets_wallet_pay, answer.wallet_pays),
        )
        for plan in plans
    ]
    found = [
        _active(data, now)
        for data in datas(served, "/api/subscription/self")
        for now in clocks(served, clock)
    ]
    if not any(Counter(said) == Counter(each) for each in found):
        yield f"the plans {said} and not one of {found}"
    if list(plans) != sorted(plans, key=lambda plan: plan.ends):
        yield "the plan that is used first does not come first"
    owners = {
        whole(row.get("user_id"))
        for data in datas(served, "/api/subscription/self")
        for row in _subscriptions(data)
    }
    if account_id is not None and not owners <= {account_id}:
        yield "the plans of another account"
    offered = _offered(served)
    for plan in plans:
        about = (plan.title, plan.period, plan.period_seconds)
        if about not in ((None, None, None), offered.get(plan.plan_id)):
            yield f"the plan is {about} and not one of {offered}"


def wrong_check_in(check_in: CheckIn, served: Sequence[Served]) -> Iterator[str]:
    """Compare whether there is a check-in today (6.9), in all dialects."""
    said = (check_in.is_available, check_in.smallest_reward, check_in.largest_reward)
    found = [
        _check_in(data)
        for path in ("/api/user/checkin", "/api/user/check_in_status")
        for data in datas(served, path)
    ]
    if said not in found:
        yield f"the check-in {said} and not one of {found}"


def wrong_pending_top_ups(
    pending: int, served: Sequence[Served], account_id: int | None
) -> Iterator[str]:
    """Compare how many payments are pending (6.10)."""
    items = [
        item
        for each in on(served, "/api/user/topup/self")
        for item in items_of(yes(each.reply))
        if isinstance(item, dict)
    ]
    found = sum(text(item.get("status")) == "pending" for item in items)
    if pending != found:
        yield f"{pending} pending and not {found}"
    if account_id is not None and any(
        whole(item.get("user_id")) != account_id for item in items
    ):
        yield "payments of another account"


def wrong_groups(
    groups: Mapping[str, Decimal | None], served: Sequence[Served]
) -> Iterator[str]:
    """Compare what groups multiply prices by (6.3)."""
    said = {
        name: None if ratio is None else Fraction(ratio)
        for name, ratio in groups.items()
    }
    found = [
        {
            printable(name): number(about.get("ratio"))
            if isinstance(about, dict)
            else None
            for name, about in data.items()
        }
        for data in datas(served, "/api/user/self/groups")
    ]
    if said not in found:
        yield f"the groups {said} and not one of {found}"


def _subscriptions(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    listed = data.get("subscriptions")
    for item in listed if isinstance(listed, list) else ():
        row = item.get("subscription") if isinstance(item, dict) else None
        if isinstance(row, dict):
            yield row


def _active(data: Mapping[str, Any], now: float) -> list[tuple[Any, ...]]:
    preference = text(data.get("billing_preference"))
    pays_first = preference not in ("wallet_first", "wallet_only")
    return [
        (
            *(whole(row.get("id")), whole(row.get("plan_id"))),
            # 0 is unlimited.
            *(whole(row.get("amount_total")) or None, whole(row.get("amount_used"))),
            *(whole(row.get("start_time")), whole(row.get("end_time"))),
            *(expiry(row.get("last_reset_time")), expiry(row.get("next_reset_time"))),
            *(pays_first, row.get("allow_wallet_overflow") is not False),
            preference != "subscription_only",
        )
        for row in _subscriptions(data)
        if text(row.get("status")) == "active"
        and (whole(row.get("end_time")) or 0) > now
    ]


def _offered(served: Sequence[Served]) -> dict[int | None, tuple[Any, ...]]:
    plans: dict[int | None, tuple[Any, ...]] = {}
    for each in on(served, "/api/subscription/plans"):
        offered = yes(each.reply).get("data")
        for item in offered if isinstance(offered, list) else ():
            plan = item.get("plan") if isinstance(item, dict) else None
            if isinstance(plan, dict):
                period = plan.get("quota_reset_period")
                if period not in ("never", "daily", "weekly", "monthly", "custom"):
                    period = None
                seconds = whole(plan.get("quota_reset_custom_seconds")) or None
                plans[whole(plan.get("id"))] = (
                    text(plan.get("title")),
                    *(period, seconds if period == "custom" else None),
                )
    return plans


def _check_in(data: Mapping[str, Any]) -> tuple[bool | None, int | None, int | None]:
    if "can_check_in" in data:
        return (_flag(data.get("can_check_in")), None, None)
    if data.get("enabled") is not True:
        return (None, None, None)
    if "checked_in" in data:
        return (_not(data.get("checked_in")), None, None)
    stats = data.get("stats")
    done = stats.get("checked_in_today") if isinstance(stats, dict) else None
    return (_not(done), whole(data.get("min_quota")), whole(data.get("max_quota")))


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _not(value: Any) -> bool | None:
    return not value if isinstance(value, bool) else None
