"""Which figure there is of what."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from .claims import Claim, Claims
from .comparison import Comparison, Period
from .ledger import Ledger


def compare(
    claims: Claims,
    ledger: Ledger,
    comparison: Comparison,
    watched: Mapping[str, int],
) -> None:
    """Compare all that is claimed just now, and all that was told up to now.

    `watched` has the ids of the keys that were entered, by the ids of their entries.
    """
    _compare_account(claims, ledger, comparison)
    own = watched.get("account")
    for key in ledger.world.keys.values():
        figure = "account_key" if key.id == own else f"account_key_{key.id}"
        _compare_key(claims, ledger, comparison, key.id, figure)
    # Where a site only speaks of the account, a key alone shows that
    # (README, known limitations).
    alone = "alone_key"
    if claims.figures_of(f"{alone}_remaining_quota") == "key":
        _compare_key(claims, ledger, comparison, watched["alone"], alone)
    comparison.top_ups(claims.top_ups)
    for entity, told in claims.told.items():
        comparison.told(entity, told)


def _compare_account(claims: Claims, ledger: Ledger, comparison: Comparison) -> None:
    account = ledger.world.user("wang")
    for figure, right in (
        ("remaining_quota", account.quota),
        ("used_quota", account.used_quota),
        ("request_count", account.request_count),
    ):
        comparison.exact(claims.sensor(f"account_{figure}"), right)
    now, midnight = ledger.now + 1, ledger.days_ago(0)
    today = Period(begins=midnight, ends=now, count=ledger.quota())
    requests = replace(today, count=ledger.requests, is_money=False, by_readings=True)
    for figure, period in (
        ("spent_today", today),
        ("spent_this_month", replace(today, begins=_month(ledger))),
        ("spent_yesterday", _past(ledger, 1)),
        ("requests_today", requests),
        ("tokens_today", replace(today, count=ledger.tokens, is_money=False)),
    ):
        comparison.period(claims.sensor(f"account_{figure}"), period)
    if mean := claims.sensor("account_average_per_day"):
        _compare_mean(mean, ledger, comparison)
    comparison.models(
        claims.sensor("account_most_expensive_model"), ledger.models(midnight)
    )


def _compare_mean(mean: Claim, ledger: Ledger, comparison: Comparison) -> None:
    """Compare a mean, which is of as many days as it says that it knows whole."""
    begins = {ledger.days_ago(days): days for days in range(1, 8)}
    days = begins.get(int(mean.since or 0), 7)
    # It is rounded to whole quota.
    comparison.period(
        replace(mean, value=mean.value * days),
        replace(_past(ledger, 7), tolerance=days * Decimal("0.51")),
    )


def _compare_key(
    claims: Claims, ledger: Ledger, comparison: Comparison, key_id: int, figure: str
) -> None:
    key = ledger.world.keys[key_id]
    if not key.unlimited:
        comparison.exact(claims.sensor(f"{figure}_remaining_quota"), key.remain_quota)
    comparison.exact(claims.sensor(f"{figure}_used_quota"), key.used_quota)
    today = Period(
        begins=ledger.days_ago(0),
        ends=ledger.now + 1,
        count=ledger.quota(key_id),
        key_id=key_id,
        by_readings=True,
    )
    month = replace(today, begins=_month(ledger))
    comparison.period(claims.sensor(f"{figure}_spent_today"), today)
    comparison.period(claims.sensor(f"{figure}_spent_this_month"), month)


def _month(ledger: Ledger) -> int:
    return ledger.midnight(ledger.today.replace(day=1))


def _past(ledger: Ledger, days: int) -> Period:
    """Return the days before today."""
    return Period(
        begins=ledger.days_ago(days),
        ends=ledger.days_ago(0),
        count=ledger.quota(),
        is_over=True,
    )
