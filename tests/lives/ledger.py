"""What is true of a household, and where nobody could know."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tests.simulator import LogRow, LogType, World

type Count = Callable[[float, float], int]
"""Counts something from one time up to another."""

type News = tuple[str, str]
"""The type of an event, and the model or the text that it is about."""

# A figure is marked where nothing was read for more than 20 minutes around one of its
# ends (docs/figures.md); the readings themselves are up to 5 minutes apart.
_UNSURE: Final = 25 * 60


@dataclass(frozen=True, slots=True)
class Refund:
    """What a failed task has given back, in raw quota."""

    at: float
    quota: int
    key_id: int


@dataclass(slots=True)
class Ledger:
    """The books of a site, and what else has happened to its only account."""

    world: World
    zone: ZoneInfo
    """Where the home is, whose days count."""
    income: list[int] = field(default_factory=list)
    """All that was paid in, in raw quota."""
    refunds: list[Refund] = field(default_factory=list)
    announced: Counter[News] = field(default_factory=Counter)
    """How often a model came or went, or a text was shown."""
    unread: list[tuple[float, float]] = field(default_factory=list)
    """From when to when not everything could be read."""
    log_has_gaps: bool = False
    """Whether the site has ever kept no log, or thrown some of it away."""

    @property
    def now(self) -> int:
        """Return the time, in seconds."""
        return self.world.now

    @property
    def today(self) -> date:
        """Return which day it is at home."""
        return self.day(self.now)

    def day(self, at: float) -> date:
        """Return the day at home that a time is in."""
        return datetime.fromtimestamp(at, self.zone).date()

    def midnight(self, day: date) -> int:
        """Return when a day begins at home."""
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())

    def days_ago(self, days: int) -> int:
        """Return when the day began that was so many days ago."""
        return self.midnight(self.today - timedelta(days=days))

    # What was used

    def rows(self, since: float, until: float, key_id: int | None) -> list[LogRow]:
        """Return the requests of a time, by one key or by whatever."""
        return [
            row
            for row in self.world.log
            if row.type == LogType.CONSUME
            and since <= row.at < until
            and key_id in (None, row.key_id)
        ]

    def quota(self, key_id: int | None = None) -> Count:
        """Count what a key has spent, or all, in raw quota."""
        return lambda since, until: sum(
            row.quota for row in self.rows(since, until, key_id)
        )

    def requests(self, since: float, until: float) -> int:
        """Count all requests."""
        return len(self.rows(since, until, None))

    def tokens(self, since: float, until: float) -> int:
        """Count all tokens."""
        return sum(row.tokens for row in self.rows(since, until, None))

    def models(self, since: float) -> Counter[str]:
        """Return what each model has cost up to now, in raw quota."""
        cost: Counter[str] = Counter()
        for row in self.rows(since, self.now + 1, None):
            cost[row.model] += row.quota
        return +cost

    def refunded(self, since: float, until: float, key_id: int | None) -> int:
        """Return what was given back to a key, or in all, in raw quota."""
        return sum(
            refund.quota
            for refund in self.refunds
            if since <= refund.at < until and key_id in (None, refund.key_id)
        )

    # What could be known

    def unsure(self, at: float) -> tuple[float, float]:
        """Return from when to when that was read which counts as of some time.

        What was used while nobody could read belongs somewhere in that time.
        """
        first, last = at - _UNSURE, at + _UNSURE
        for begun, ended in sorted(self.unread) + sorted(self.unread, reverse=True):
            if begun - _UNSURE <= last and ended + _UNSURE >= first:
                first = min(first, begun - _UNSURE)
                last = max(last, ended + _UNSURE)
        return first, last
