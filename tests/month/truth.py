"""What was really spent, booked as it happens and not by the gateway."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What one request has cost, in raw units; `at` is when it was booked.

    Until then, from when it had `begun`, twice as much was put aside.
    """

    begun: int
    at: int
    key_id: int
    model: str
    quota: int
    tokens: int
    is_exported: bool
    """Whether the site kept statistics then."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that came in, in raw units."""

    at: int
    quota: int
    what: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Requests added up: quota in raw units."""

    quota: int = 0
    requests: int = 0
    tokens: int = 0

    def __add__(self, other: Sum) -> Sum:
        """Add up two."""
        return Sum(
            self.quota + other.quota,
            self.requests + other.requests,
            self.tokens + other.tokens,
        )


class Truth:
    """A ledger in raw units; days and months are those of the home.

    A refund is not subtracted from what was spent: sites do not do it either
    (gateway_api.md 6.6, 6.7).
    """

    def __init__(self, zone: ZoneInfo) -> None:
        """Begin with an empty ledger."""
        self._zone = zone
        self.payments: list[Payment] = []
        self.receipts: list[Receipt] = []
        self.refunds: list[Receipt] = []

    @property
    def spent(self) -> Sum:
        """Return what was spent in all."""
        return sum((_sum(each) for each in self.payments), Sum())

    @property
    def received(self) -> int:
        """Return what came in, without refunds."""
        return sum(each.quota for each in self.receipts)

    @property
    def refunded(self) -> int:
        """Return what was given back."""
        return sum(each.quota for each in self.refunds)

    @property
    def by_day(self) -> dict[date, int]:
        """Return what was spent on each day on which something was."""
        return _quota(self._summed(lambda each: self.day_of(each.at)))

    @property
    def by_month(self) -> dict[date, int]:
        """Return what was spent in each month, by its first day."""
        return _quota(self._summed(lambda each: self.day_of(each.at).replace(day=1)))

    @property
    def by_day_and_model(self) -> dict[tuple[date, str], Sum]:
        """Return what was spent on each model on each day."""
        return self._summed(lambda each: (self.day_of(each.at), each.model))

    @property
    def by_day_and_key(self) -> dict[tuple[date, int], int]:
        """Return what was spent with each key on each day, by the id of the key."""
        return _quota(self._summed(lambda each: (self.day_of(each.at), each.key_id)))

    @property
    def by_key(self) -> dict[int, int]:
        """Return what was spent with each key, by its id."""
        return _quota(self._summed(lambda each: each.key_id))

    def by_hour(self, *, since: int = 0) -> dict[tuple[int, str], Sum]:
        """Return what was spent per hour, by its start, and model."""
        return self._summed(_hour_and_model, lambda each: each.at >= since)

    def by_exported_hour(self, *, since: int = 0) -> dict[tuple[int, str], Sum]:
        """Return what of that the site has kept statistics of."""
        return self._summed(
            _hour_and_model, lambda each: each.at >= since and each.is_exported
        )

    def between(self, start: int, end: int) -> Sum:
        """Return what was spent from `start` until before `end`."""
        return sum(
            (_sum(each) for each in self.payments if start <= each.at < end), Sum()
        )

    def day_of(self, at: int) -> date:
        """Return the day at home that a time is in."""
        return datetime.fromtimestamp(at, UTC).astimezone(self._zone).date()

    def _summed[T](
        self,
        by: Callable[[Payment], T],
        counts: Callable[[Payment], bool] = lambda _: True,
    ) -> dict[T, Sum]:
        sums: dict[T, Sum] = {}
        for each in filter(counts, self.payments):
            what = by(each)
            sums[what] = sums.get(what, Sum()) + _sum(each)
        return sums


def side_by_side[T](truth: Mapping[T, object], shown: Mapping[T, object]) -> str:
    """Write two columns next to each other, and point at where they differ."""
    names = list(dict.fromkeys([*truth, *shown]))
    lines = [f"{'':<44}{'truth':>16}{'shown':>16}"]
    for name in sorted(names, key=str):
        right, other = truth.get(name, "-"), shown.get(name, "-")
        mark = "" if right == other else "  <-- differs"
        lines.append(f"{name!s:<44}{right!s:>16}{other!s:>16}{mark}")
    return "\n".join(lines)


def _sum(payment: Payment) -> Sum:
    return Sum(payment.quota, 1, payment.tokens)


def _hour_and_model(payment: Payment) -> tuple[int, str]:
    return payment.at - payment.at % 3_600, payment.model


def _quota[T](sums: Mapping[T, Sum]) -> dict[T, int]:
    return {what: each.quota for what, each in sums.items()}
