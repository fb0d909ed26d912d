"""What was counted in a period, as it was read."""

from dataclasses import dataclass

from ..memory import Memory
from ..periods import DAYS_OF_AVERAGE, HOUR, Days, now


@dataclass(frozen=True, slots=True)
class Amount:
    """What was counted in a period that begins at a moment, in Unix seconds.

    `since` is from when on it was counted, None for the whole period. An estimate where
    nothing was read for some time, so that some of it may belong to another period.
    `reset` is when the count began anew within the period, None where it did not.
    """

    quota: int
    begins: int
    since: int | None = None
    is_estimate: bool = False
    reset: int | None = None


def amount_of(memory: Memory, name: str, begins: int, ends: int) -> Amount | None:
    """Return what readings say of a period, or of the part of it that they cover.

    Where the site has told the beginning of it, they go on from there.
    """
    ledger, told = memory.ledger(name), memory.told(name, begins)
    if ledger.read_at < begins and now() - begins > HOUR:
        # Nobody has looked since.
        return None
    if told is not None and ledger.counter is not None and ends > now():
        more = max(0, ledger.counter - told.counter)
        return Amount(told.amount + more, begins, is_estimate=True)
    spending = ledger.spent(begins, ends)
    if spending.since is None:
        return None
    since = None if spending.since <= begins else int(spending.since)
    return Amount(spending.amount, begins, since, spending.is_estimate)


def amount_until_told(
    memory: Memory, name: str, begins: int, ends: int, *, will_be_told: bool
) -> Amount | None:
    """Return the same, where the site may tell it soon.

    Then rather nothing than a part of it, or a guess.
    """
    amount = amount_of(memory, name, begins, ends)
    if amount is None or not will_be_told or memory.told(name, begins) is not None:
        return amount
    return None if amount.since is not None or amount.is_estimate else amount


def average_of(memory: Memory, name: str, days: Days) -> Amount | None:
    """Return the mean of the last seven days, or of those of them that were read."""
    for number in range(DAYS_OF_AVERAGE, 0, -1):
        since = days.before(number)
        spending = memory.ledger(name).spent(since, days.today)
        if spending.since == since:
            quota = rounded(spending.amount, number)
            return Amount(quota, since, is_estimate=spending.is_estimate)
    return None


def rounded(sum_: int, number: int) -> int:
    """Return a whole number for the share of each; halves are rounded up."""
    return (2 * sum_ + number) // (2 * number)
