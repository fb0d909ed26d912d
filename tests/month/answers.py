"""What may be shown at a moment, by whoever has last read some minutes before."""

from bisect import bisect_left
from collections.abc import Mapping
from datetime import date, datetime, time
from operator import attrgetter
from typing import Final, Literal

from .diary import START, ZONE, Happening
from .truth import Payment, Receipt, Truth

MINUTE: Final = 60

# Two readings are so far apart at most: five minutes, a tenth more, up to a step.
_APART: Final = 9 * MINUTE
# A counter that has fallen far is believed after so long.
_BELIEVED: Final = 50 * MINUTE

_AT: Final = attrgetter("at")

type Count = Literal["quota", "requests", "tokens"]


class Answers:
    """Finds right answers in the ledger of a whole month.

    Each is a range from what was known `lag` seconds before to what is known now, and
    so a single number where nothing happened meanwhile.
    """

    def __init__(self, truth: Truth, when: Mapping[Happening, int]) -> None:
        """Take the ledger, and when it happened."""
        self._truth = truth
        self._times = [each.at for each in truth.payments]
        self._silent = when[Happening.NODE_SILENT], when[Happening.NODE_BACK]
        self._night = when[Happening.NIGHT_BEGINS], when[Happening.NIGHT_ENDS]

    def logged(self, since: int, until: int, at: int, lag: int) -> range:
        """Return what the log can have said by then of a period."""
        low = self._sum(since, min(until - 1, at - lag))
        return range(low, self._sum(since, min(until - 1, at)) + 1)

    def exported(
        self,
        since: int,
        until: int,
        at: int,
        lag: int,
        *,
        key: int | None = None,
        count: Count = "quota",
        unsure: int = 0,
    ) -> range:
        """Return what the statistics can have said by then of a period.

        Until they speak of a day, readings stand in for them: from `unsure` on, what
        was put aside counts, and the moment is not known.
        """
        heard = at - lag
        silent, back = self._silent
        if silent < heard < back:
            heard = silent
        low = self._sum(since, min(until - 1, heard), key, count)
        high = self._sum(since, min(until - 1, at), key, count)
        if unsure:
            lately = self._payments(unsure - _APART, at + 15 * MINUTE, key)
            margin = sum(2 * _counted(each, count) for each in lately)
            low, high = max(low - margin, 0), high + margin
        return range(low, high + 1)

    def read(
        self,
        since: int,
        until: int,
        at: int,
        lag: int,
        *,
        key: int | None = None,
        count: Count = "quota",
        refund: Receipt | None = None,
    ) -> range:
        """Return what readings of a counter can have said by then of a period.

        What was spent at its midnights, or while the site was away over one, belongs to
        either side; what is put aside counts, and what was given back does not.
        """
        since = max(since, int(START.timestamp()))
        low = self._sum(since, min(until - 1, at - lag), key, count)
        high = self._sum(since, min(until - 1, at), key, count)
        high += sum(
            _counted(each, count) * (1 if each.at <= at else 2)
            for each in self._payments(at - lag, at + 15 * MINUTE, key)
            if each.begun < each.at and each.begun <= at and count == "quota"
        )
        bounds = [each for each in (since, until) if int(START.timestamp()) < each < at]
        for bound in bounds:
            around = self._payments(bound - _APART, bound + _APART, key)
            unsure = sum(2 * _counted(each, count) for each in around)
            low, high = low - unsure, high + unsure
        night, morning = self._night
        if night < since < morning:
            high += self._sum(night - _APART, since - 1, key, count)
        if refund is not None and since <= refund.at <= at:
            # It comes off what was spent last.
            back = min(refund.quota, self._sum(since, refund.at, key, count))
            low -= back
            high -= back if refund.at <= at - _BELIEVED else 0
        return range(max(low, 0), high + 1)

    def by_model(self, since: int, at: int, lag: int) -> dict[str, int] | None:
        """Return what models have cost, None where that has just changed."""
        silent, back = self._silent
        if self._payments(at - lag, at + 1) or silent < at < back + lag:
            return None
        found: dict[str, int] = {}
        for each in self._payments(since, at + 1):
            found[each.model] = found.get(each.model, 0) + each.quota
        return {model: quota for model, quota in found.items() if quota}

    def lasts(self, balance: int, at: int, end: int) -> float:
        """Return for how many days a balance would really last from then on.

        As the rest of the month would go on, where it is not used up in it.
        """
        left = balance
        for each in self._payments(at, end):
            left -= each.quota
            if left <= 0:
                return (each.at - at) / 86_400
        return balance / (balance - left) * (end - at) / 86_400

    def low_balance(self, balance: int, low: int, enough: int) -> list[tuple[int, str]]:
        """Return when a balance gets low, and when there is enough again.

        It is low at or below the one, until it is above the other.
        """
        begun = int(START.timestamp())
        moves = sorted(
            [
                (each.at, -each.quota)
                for each in self._payments(begun, self._times[-1] + 1)
            ]
            + [
                (each.at, each.quota)
                for each in (*self._truth.receipts, *self._truth.refunds)
            ]
        )
        found: list[tuple[int, str]] = []
        is_low = False
        for at, quota in moves:
            balance += quota
            if (balance <= enough if is_low else balance <= low) != is_low:
                is_low = not is_low
                found.append((at, "on" if is_low else "off"))
        return found

    def _sum(
        self, since: int, last: int, key: int | None = None, count: Count = "quota"
    ) -> int:
        return sum(
            _counted(each, count) for each in self._payments(since, last + 1, key)
        )

    def _payments(
        self, since: int, until: int, key: int | None = None
    ) -> list[Payment]:
        first, last = bisect_left(self._times, since), bisect_left(self._times, until)
        return [
            each
            for each in self._truth.payments[first:last]
            if key is None or each.key_id == key
        ]


def midnight(day: date) -> int:
    """Return when a day of the home begins."""
    return int(datetime.combine(day, time(), ZONE).timestamp())


def _counted(payment: Payment, count: Count) -> int:
    counts = {"quota": payment.quota, "requests": 1, "tokens": payment.tokens}
    return counts[count]
