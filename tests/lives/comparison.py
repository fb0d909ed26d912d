"""Holds what is claimed against what is true."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from .claims import Claim
from .ledger import Count, Ledger, News

# Amounts come from states, with some digits behind the point.
_ROUNDED: Final = Decimal("0.01")
# Readings are 5 minutes apart, and what they tell is booked in quarters of an hour
# (docs/figures.md).
_BOOKED: Final = 21 * 60
# A refund comes off what was booked last, which may be some time ago.
_COMES_OFF: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a sensor is to count, and when; `ends` may be just after now."""

    begins: float
    ends: float
    count: Count
    key_id: int | None = None
    """Whose refunds count, None for those of all keys."""
    is_money: bool = True
    by_readings: bool = False
    """Whether it may come from readings, of which none is made just at midnight."""
    is_over: bool = False
    tolerance: Decimal = _ROUNDED


class Comparison:
    """Compares, and keeps what differs."""

    def __init__(self, ledger: Ledger) -> None:
        """Begin with nothing compared."""
        self.made: Counter[str] = Counter()
        """How often something was compared, by how well it could be."""
        self.differences: list[str] = []
        self._ledger = ledger

    def exact(self, claim: Claim | None, right: int) -> None:
        """Compare what can be read off as it is."""
        if claim is None:
            self.made["unknown"] += 1
            return
        self.made["exact"] += 1
        if abs(claim.value - right) > _ROUNDED:
            self._differs(claim, str(right))

    def models(self, claim: Claim | None, right: Mapping[str, int]) -> None:
        """Compare what each model has cost, and which of them the most."""
        if claim is None or claim.models is None:
            self.made["unknown"] += 1
            return
        self.made["models"] += 1
        shown = claim.models
        if (
            set(shown) != set(right)
            or any(abs(shown[name] - right[name]) > _ROUNDED for name in right)
            or right[claim.dearest] != max(right.values())
        ):
            self._differs(claim, str(dict(right)))

    def period(self, claim: Claim | None, period: Period) -> None:
        """Compare what was counted in a time, or in the part of it that is claimed."""
        if claim is None or claim.since is None:
            self.made["unknown"] += 1
            return
        if claim.since < period.begins:
            self._differs(claim, f"a count since {period.begins:.0f}")
        if claim.is_estimate or claim.since > period.begins:
            self.made["in part"] += 1
            low, high = self._in_part(claim.since, period)
        else:
            self.made["whole"] += 1
            low, high = self._whole(period)
        if not low - period.tolerance <= claim.value <= high + period.tolerance:
            self._differs(claim, f"{low}..{high}")

    def top_ups(self, told: list[Decimal | None]) -> None:
        """Compare what was told of money with what came in; less is told, not more.

        Several amounts can come in between two readings.
        """
        self.made["told"] += 1
        income = self._ledger.income
        known = [amount for amount in told if amount is not None]
        if len(told) > len(income) or sum(known) > sum(income) + _ROUNDED:
            amounts = [None if each is None else round(each) for each in told]
            self.differences.append(f"top-ups: told {amounts}, right {income}")

    def told(self, entity: str, told: Counter[News]) -> None:
        """Compare how often something was told with how often it came about.

        What came and went between two readings is not told.
        """
        self.made["told"] += 1
        for what, times in (told - self._ledger.announced).items():
            self.differences.append(f"{entity}: told {what}, {times} times too often")

    def _whole(self, period: Period) -> tuple[int, int]:
        begins, ends, count = period.begins, period.ends, period.count
        refunded = self._refunded(begins, period)
        if not period.by_readings and not self._ledger.log_has_gaps:
            right = count(begins, ends)
            return right - refunded, right
        until = ends - _BOOKED if period.is_over else ends
        return (
            count(begins + _BOOKED, until) - refunded,
            count(begins - _BOOKED, ends + _BOOKED),
        )

    def _in_part(self, since: float, period: Period) -> tuple[int, int]:
        """Return between what a count lies of which the ends are not known well."""
        ends, count = period.ends, period.count
        earliest, latest = self._ledger.unsure(since)
        first, last = self._ledger.unsure(ends) if period.is_over else (ends, ends)
        low = count(latest, first) if latest < first else 0
        return max(0, low - self._refunded(since, period)), count(earliest, last)

    def _refunded(self, since: float, period: Period) -> int:
        """Return by how much less than what was spent may be shown.

        On some sites a refund is taken off what was used, in others it is not.
        """
        if not period.is_money:
            return 0
        return self._ledger.refunded(
            since - _COMES_OFF, period.ends + _COMES_OFF, period.key_id
        )

    def _differs(self, claim: Claim, right: str) -> None:
        about = f"{claim.models or claim.value} {claim.dearest}".strip()
        counted = f", counted since {claim.since:.0f}" if claim.since else ""
        marked = ", an estimate" if claim.is_estimate else ""
        self.differences.append(
            f"{claim.figure}: shown {about}{counted}{marked}, right {right}"
        )
