"""How far off forecasts are, next to those of the usual rule of thumb."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import log
from statistics import fmean, median
from typing import Final, Self

from custom_components.new_api.forecast import forecast

from .patterns import DAY, HOUR, PATTERNS, Life, Pattern

# What the balances of a life are worth, in days of what is spent in the month before
# the moment of the forecast and the month after it; of two lives, one has the others.
_WORTH: Final = ((2, 8, 30), (4, 15, 60))
_MONTH: Final = 30


def ours(life: Life, balance: int) -> float | None:
    """Return after how many days the integration says that a balance is used."""
    told = forecast(
        balance,
        life.history,
        since=life.since,
        now=life.now,
        time_zone=life.time_zone,
    )
    return None if told is None else told.days_left


def baseline(life: Life, balance: int) -> float | None:
    """Return balance / mean of the last 7 days, None where nothing was spent."""
    begin = life.now - 7 * DAY
    spent = sum(
        raw * min(1, max(0, (at + HOUR - begin) / HOUR))
        for at, raw in life.history.items()
    )
    return balance / (spent / 7) if spent else None


@dataclass(frozen=True, slots=True)
class Score:
    """How far off a method is where both know something, and how often it does."""

    robust: float
    """The median of |log(predicted / true)|, of days left."""
    relative: float
    """The mean of |predicted - true| / true."""
    known: float
    """In how many of all cases it knows something, from 0 to 1."""

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]], known: float) -> Self:
        """Compare what was predicted with what came true."""
        return cls(
            median(abs(log(predicted / true)) for predicted, true in pairs),
            fmean(abs(predicted - true) / true for predicted, true in pairs),
            known,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """Both methods on one pattern."""

    pattern: str
    ours: Score
    baseline: Score

    @property
    def robust(self) -> float:
        """Return our robust error as a multiple of the baseline's."""
        return self.ours.robust / self.baseline.robust

    @property
    def relative(self) -> float:
        """Return our relative error as a multiple of the baseline's."""
        return self.ours.relative / self.baseline.relative


def compare(pattern: Pattern, seeds: Iterable[int]) -> Row:
    """Forecast lives of a pattern with several balances each."""
    cases = [
        (ours(life, balance), baseline(life, balance), true)
        for life, worth in zip(
            (Life(pattern, seed) for seed in seeds), cycle(_WORTH), strict=False
        )
        for balance, true in _futures(life, worth)
    ]
    both = [
        (mine, other, true)
        for mine, other, true in cases
        if mine is not None and other is not None
    ]
    return Row(
        pattern.__name__,
        Score.of(
            [(mine, true) for mine, _, true in both],
            fmean(mine is not None for mine, _, _ in cases),
        ),
        Score.of(
            [(other, true) for _, other, true in both],
            fmean(other is not None for _, other, _ in cases),
        ),
    )


def compare_all(seeds: Iterable[int]) -> list[Row]:
    """Forecast lives of all patterns."""
    seeds = list(seeds)
    return [compare(pattern, seeds) for pattern in PATTERNS]


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Write both methods side by side, a line for each pattern."""
    yield (
        f"{'':16}  {'median |log(predicted/true)|':^28}"
        f"  {'mean |predicted-true|/true':^28}  {'known':^14}"
    )
    columns = f"{'ours':>8} {'baseline':>9} {'ratio':>9}"
    yield f"{'pattern':16}  {columns}  {columns}  {'ours':>5} {'baseline':>8}"
    for row in rows:
        mine, other = row.ours, row.baseline
        yield (
            f"{row.pattern:16}"
            f"  {mine.robust:8.3f} {other.robust:9.3f} {row.robust:9.2f}"
            f"  {mine.relative:8.3f} {other.relative:9.3f} {row.relative:9.2f}"
            f"  {mine.known:5.0%} {other.known:8.0%}"
        )
    for name, of in (("median", median), ("worst", max)):
        yield (
            f"{name:16}"
            f"  {'':18} {of(row.robust for row in rows):9.2f}"
            f"  {'':18} {of(row.relative for row in rows):9.2f}"
        )


def _futures(life: Life, worth: Iterable[int]) -> Iterator[tuple[int, float]]:
    """Go through balances, and after how many days they are used."""
    spent = sum(life.history.values()) + life.spent(_MONTH)
    for days in worth:
        balance = round(spent / (2 * _MONTH) * days)
        true = life.lasts(balance)
        if true is not None:
            yield balance, true
