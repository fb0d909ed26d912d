"""What was spent when, made from readings of a counter that only tells its total.

`used_quota` and `request_count` go on for ever and can fall: when a reservation is
settled, when a failed task is refunded, when a site is set up anew (gateway_api.md
3.5). Now and then a reading is another account's, or of a moment long past.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from operator import index
from typing import Any, Final, Self

# Times are whole milliseconds in here, so that a rise can be divided to the unit.
# A quarter of an hour, since midnight is on one in every time zone.
_QUARTER: Final = 900_000
_HOUR: Final = 3_600_000
_WEEK: Final = 7 * 24 * _HOUR

# Quarters that are kept: 40 days, for the longest month and the weeks before it.
_KEPT: Final = 40 * 24 * 4

# Between readings that are further apart than this, nobody knows when it was spent.
_LONGEST_GAP: Final = 20 * 60_000

# What a clock can be wrong by without saying so.
_DAY: Final = 86_400_000

# For so long a counter has to have fallen further than a settlement explains.
_HOLD: Final = 30 * 60_000


@dataclass(frozen=True, slots=True)
class Spending:
    """What was counted in a period, in the unit of the counter.

    `since` is from when on it is complete, in Unix seconds, and not before the period
    begins; None where nothing is known of it. An estimate where nothing was read
    around the beginning or the end, so that some of it may belong to the other side.
    """

    amount: int
    since: float | None
    is_estimate: bool


class Ledger:
    """Books the rises of a counter into quarters of an hour, and keeps them 40 days.

    A rise is spread evenly over the time between its two readings. A fall comes off
    what was booked last. Where it is more than was booked lately, it has to stand for
    half an hour: until then nothing changes, and if the counter comes back meanwhile
    it never fell. A fall by more than was booked in a week is a counter that was set
    anew: what was booked stands.
    """

    def __init__(self) -> None:
        """Start without any reading."""
        self._since: int | None = None
        self._at = 0
        self._counter = 0
        self._spent: dict[int, int] = {}
        # First and last of the quarters at whose beginning nothing was read for long.
        self._unsure: dict[int, int] = {}
        # When the last rise began, which a long gap can put far back.
        self._rise = 0
        # Readings since the counter fell that are not believed yet.
        self._held: list[tuple[int, int]] = []

    @property
    def counter(self) -> int | None:
        """Return what the counter said last, None before the first reading."""
        return None if self.since is None else self._counter

    @property
    def since(self) -> float | None:
        """When the first reading was that is still kept, in Unix seconds."""
        return None if self._since is None else self._since / 1000

    @property
    def read_at(self) -> float:
        """When the last reading was, in Unix seconds."""
        return self._at / 1000

    def is_forgotten(self, now: float) -> bool:
        """Tell whether nothing was read for so long that nothing is kept."""
        return round(now * 1000) - self._at > _KEPT * _QUARTER

    def read(self, counter: int, at: float) -> bool:
        """Take a reading made at a time in Unix seconds, if it is newer than all.

        Returns whether anything else was counted than before.
        """
        now = round(at * 1000)
        if self._since is None or now - self._at > _KEPT * _QUARTER:
            self._begin(counter, now)
            return True
        last = self._held[-1][0] if self._held else self._at
        if now <= last:
            if last - now <= _DAY:
                return False
            # The clock was wrong then.
            self._begin(counter, now)
            return True
        before = self._counter
        fall = before - counter
        if fall > 0 and fall > self._booked(now - _HOUR):
            self._held.append((now, counter))
            if now - self._held[0][0] < _HOLD:
                return False
            readings, self._held = self._held, []
            for then, value in readings:
                self._book(value, then)
        else:
            self._held = []
            self._book(counter, now)
        self._forget()
        return self._counter != before

    def spent(self, start: float, end: float) -> Spending:
        """Return what was counted from `start` until before `end`, in Unix seconds.

        Exact bounds are on quarters of an hour; others are widened to them.
        """
        if self.since is None or self.since >= end:
            return Spending(0, None, is_estimate=False)
        first = floor(start * 1000) // _QUARTER
        last = ceil(end * 1000 / _QUARTER)
        return Spending(
            self._counted(first, last),
            max(start, self.since),
            any(
                begin <= bound <= stop
                for begin, stop in self._unsure.items()
                for bound in (first, last)
            ),
        )

    def _counted(self, first: int, last: int) -> int:
        """Return what was booked in some quarters, and look no further back."""
        booked = 0
        for at, part in reversed(self._spent.items()):
            if at < first:
                break
            if at < last:
                booked += part
        return booked

    def by_hour(self, start: float) -> dict[int, int]:
        """Return what was counted per hour since `start`, which is the start of one.

        The keys are starts of hours in Unix seconds; those that were quiet are missing.
        """
        first = floor(start * 1000) // _QUARTER
        hours: dict[int, int] = {}
        for at, part in self._spent.items():
            if at >= first:
                hour = at // 4 * 3600
                hours[hour] = hours.get(hour, 0) + part
        return hours

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can keep it."""
        if self._since is None:
            return {}
        return {
            "since": self._since,
            "at": self._at,
            "counter": self._counter,
            "rise": self._rise,
            "spent": {str(at): part for at, part in self._spent.items()},
            "unsure": {str(begin): end for begin, end in self._unsure.items()},
            "held": [list(reading) for reading in self._held],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what was kept. Raises ValueError where it is damaged."""
        ledger = cls()
        if not data:
            return ledger
        try:
            ledger._since = index(data["since"])
            ledger._at = index(data["at"])
            ledger._counter = index(data["counter"])
            ledger._rise = index(data["rise"])
            ledger._spent = _numbered(data["spent"])
            ledger._unsure = _numbered(data["unsure"])
            ledger._held = [(index(at), index(value)) for at, value in data["held"]]
        except (AttributeError, KeyError, TypeError, ValueError) as err:
            raise ValueError("A ledger is damaged") from err
        if not ledger._is_sound(ledger._since):
            raise ValueError("A ledger contradicts itself")
        return ledger

    def _is_sound(self, since: int) -> bool:
        quarters = range(since // _QUARTER, self._at // _QUARTER + 1)
        times = [since, self._at, *(at for at, _ in self._held)]
        return (
            all(at in quarters and part > 0 for at, part in self._spent.items())
            and all(begin <= end for begin, end in self._unsure.items())
            and all(earlier <= later for earlier, later in pairwise(times))
            and self._rise <= self._at
        )

    def _begin(self, counter: int, now: int) -> None:
        """Begin with a reading, since nothing that is kept is before it."""
        self._since = self._at = self._rise = now
        self._counter = counter
        self._spent, self._unsure, self._held = {}, {}, []

    def _book(self, counter: int, now: int) -> None:
        """Book the way from the last reading to this one."""
        change = counter - self._counter
        if change > 0:
            self._spread(change, now)
            self._rise = self._at
        elif -change <= self._booked(now - _WEEK):
            self._take(-change)
        self._at, self._counter = now, counter

    def _spread(self, rise: int, now: int) -> None:
        """Book a rise between the last reading and now, in proportion to time."""
        span = now - self._at
        first, last = self._at // _QUARTER, (now - 1) // _QUARTER
        before = 0
        for quarter in range(first, last + 1):
            until = min((quarter + 1) * _QUARTER, now)
            so_far = rise * (until - self._at) // span
            if so_far > before:
                part = so_far - before
                self._spent[quarter] = self._spent.get(quarter, 0) + part
                before = so_far
        if span > _LONGEST_GAP and last > first:
            begin = first + 1
            newest = next(reversed(self._unsure), None)
            if newest is not None and self._unsure[newest] + 1 >= begin:
                begin = newest
            self._unsure[begin] = last

    def _take(self, amount: int) -> None:
        """Take off what was booked last."""
        while amount:
            quarter, part = self._spent.popitem()
            if part > amount:
                self._spent[quarter] = part - amount
            amount -= min(part, amount)

    def _booked(self, since: int) -> int:
        """Return what is booked since a time, with all of a rise that reaches into it.

        What was spread furthest may have been the latest.
        """
        if since // _QUARTER > next(reversed(self._spent), 0):
            return 0
        first = min(since, self._rise) // _QUARTER
        return sum(part for at, part in self._spent.items() if at >= first)

    def _forget(self) -> None:
        """Forget what is too old."""
        oldest = self._at // _QUARTER - _KEPT
        self._since = max(self._since or 0, oldest * _QUARTER)
        while next(iter(self._spent), oldest) < oldest:
            del self._spent[next(iter(self._spent))]
        for begin in [begin for begin, end in self._unsure.items() if end < oldest]:
            del self._unsure[begin]


def _numbered(data: Mapping[str, Any]) -> dict[int, int]:
    """Return what was kept per quarter, oldest first."""
    return dict(sorted((int(at), index(value)) for at, value in data.items()))
