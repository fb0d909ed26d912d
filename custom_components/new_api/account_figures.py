"""What is known of an account now, from whichever view knows it best."""

from .coordinator import REQUESTS_LEDGER, Amount, Spending, Usage, amount_until_told
from .data import AccountViews
from .memory import Memory
from .periods import Days, has_just_begun


def spent_today(spending: Spending) -> Amount | None:
    """Return what was spent since midnight."""
    return _running(spending.today, spending.days, Days.now().today)


def spent_this_month(spending: Spending) -> Amount | None:
    """Return what was spent since the month began."""
    return _running(spending.month, spending.days, Days.now().month)


def spent_yesterday(spending: Spending) -> Amount | None:
    """Return what was spent on the day before today, once that was read."""
    return spending.yesterday if spending.days == Days.now() else None


def average_per_day(spending: Spending) -> Amount | None:
    """Return what was spent on a day before today in the mean, once that was read."""
    return spending.average if spending.days == Days.now() else None


def requests_today(account: AccountViews, memory: Memory) -> Amount | None:
    """Return how many requests there were, as the site counts them, or as was read."""
    days = Days.now()
    usage: Usage | None = account.usage.data if account.usage.is_current else None
    if usage is not None and usage.days != days:
        if usage.models is not None and has_just_begun(usage.days, days.today):
            # Readings cannot tell on which side of midnight the last ones were.
            return Amount(0, days.today)
        usage = None
    if usage is not None and usage.models is not None:
        requests = sum(use.requests for use in usage.models.values())
        return Amount(requests, days.today)
    return amount_until_told(
        memory,
        REQUESTS_LEDGER,
        days.today,
        days.tomorrow,
        will_be_told=usage is None or not usage.is_whole,
    )


def tokens_today(usage: Usage) -> Amount | None:
    """Return how many tokens there were, which only the site counts."""
    today = Days.now().today
    if usage.models is None:
        return None
    if usage.days.today != today:
        return Amount(0, today) if has_just_begun(usage.days, today) else None
    return Amount(sum(use.tokens for use in usage.models.values()), today)


def models_by_price(usage: Usage) -> dict[str, int]:
    """Return what models have cost today, raw quota, the most expensive first."""
    if usage.models is None or usage.days != Days.now():
        return {}
    costs = {model: use.quota for model, use in usage.models.items() if use.quota > 0}
    return dict(sorted(costs.items(), key=lambda cost: (-cost[1], cost[0])))


def _running(amount: Amount | None, read: Days, begins: int) -> Amount | None:
    """Return what was counted in a period, of which nothing may be read yet."""
    if amount is None or amount.begins == begins:
        return amount
    return Amount(0, begins) if has_just_begun(read, begins) else None
