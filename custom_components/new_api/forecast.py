"""When the money runs out, told from what was spent hour by hour.

How it is told, and why each part is there:

- The days are stretches of 24 hours back from now, so that none is half over. At most
  30 of them count: servers tell no more (gateway_api.md 6.7), and each habit of a month
  is in a month once.
- Quiet before the first spending is no habit, nor is a pause: quiet longer than any
  before. A pause is taken to last as long again as it has lasted: where nothing is
  known of its end, that is too long as often as too short.
- The dearest day counts as the second dearest. What happened once says nothing about
  the future, and bursts that come again stay in.
- Weekdays differ as far as the weeks agree about it (what the F-test compares), and
  hours by their shares of each day, where a day with a burst has no more say than
  others.
- Level and trend are the average over all that may have happened, each weighed by how
  well it explains the days (Bayesian model averaging by the BIC): no change, a step on
  some day, a steady growth. So a new level is believed after some days, and noise is
  not taken for one.
- The trend is damped, as in the forecasts of Gardner and McKenzie: nothing grows
  forever.
- The future is lived through, hour by hour and later day by day, plans paying first.
  What hangs on a reset of a plan of which nobody knows when it is, is not told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from math import ceil, exp, inf, log, nextafter, sumprod
from operator import attrgetter
from statistics import fmean
from typing import Final, Literal, NamedTuple

_HOUR: Final = 3600
_DAY: Final = 86_400

# In days: how much of the past counts, and how long nobody may have spent anything.
_LONGEST_HISTORY: Final = 30
_LONGEST_PAUSE: Final = 14

# In days: what is said of the future at all, and what is said to the hour.
_HORIZON: Final = 5 * 365
_BY_HOUR: Final = 14

# With how many weeks, or days, something can be told from chance.
_FEWEST_FOR_WEEKDAYS: Final = 2
_FEWEST_FOR_DEAREST: Final = 7
_FEWEST_AROUND_STEP: Final = 2
_FEWEST_FOR_TREND: Final = 14

# How likely each is before any day was seen.
_NO_CHANGE: Final = 0.4
_STEP: Final = 0.3
_TREND: Final = 0.3

# After how many days one has half the weight.
_HALF_LIFE: Final = 10

# For how many days a trend goes on in all, and how steep it may be per day.
_DAMPING: Final = 20
_STEEPEST: Final = 0.02

# Added to each day before its logarithm is taken, for those without any spending, in
# average days; and what does not explain anything of the logarithms, as a variance.
_OFFSET: Final = 0.5
_NOISE: Final = 0.05**2

# How many days without a rhythm are mixed into that of the day.
_EVEN_DAYS: Final = 3


@dataclass(frozen=True, slots=True)
class Allowance:
    """A plan that pays before the wallet does, in raw quota and Unix seconds.

    `remaining` and `total` are None where it is unlimited. At `next_reset` there is
    `total` again, and so after each `period` in seconds, or on each 1st of a month;
    None where there is no such. With `known_until`, there can be resets from then on of
    which nobody knows.
    """

    remaining: int | None
    total: int | None
    next_reset: float | None
    period: float | Literal["month"] | None
    ends: float
    known_until: float = inf


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the money runs out (Unix seconds), and from how many days that is told."""

    runs_out: float
    days_left: float
    history_days: float


def forecast(
    balance: int,
    spending: Mapping[int, int],
    *,
    since: float,
    now: float,
    time_zone: tzinfo,
    allowances: Sequence[Allowance] = (),
    spared_until: float = 0,
) -> Forecast | None:
    """Return when the balance is used, None where that were a guess.

    As long as there is a balance, nothing is taken from it before `spared_until`, in
    Unix seconds: what plans do not pay is not spent then.

    `balance` and `spending` are raw quota. Spending is by the start of the hour and
    complete from `since` until `now`, so that hours which are missing were quiet. None
    where it is known of less than a day, was on one day only, or ceased for long, and
    where the money lasts longer than five years. Without a balance and a plan that
    pays, it has run out now.
    """
    habit = _Habit.of(spending, since, now, time_zone)
    plans = [_Plan(each) for each in sorted(allowances, key=attrgetter("ends"))]
    if balance <= 0 and not any(plan.pays_at(now) for plan in plans):
        known = max(0.0, now - (habit.since if habit else since))
        return Forecast(now, 0.0, known / _DAY)
    if habit is None:
        return None
    spared_until = spared_until if balance > 0 else 0
    runs_out = _runs_out(max(0, balance), habit, plans, spared_until)
    known_until = min(
        (
            each.known_until
            for each in allowances
            if max(each.known_until, spared_until) < each.ends
        ),
        default=inf,
    )
    if runs_out is None or runs_out > known_until:
        return None
    return Forecast(runs_out, (runs_out - now) / _DAY, (now - habit.since) / _DAY)


def _runs_out(
    balance: float, habit: _Habit, plans: Sequence[_Plan], spared_until: float
) -> float | None:
    """Return when the balance is used, None where that is beyond the horizon."""
    for start, end, wanted in habit.future():
        left = wanted
        for plan in plans:
            left -= plan.pay(left, start, end)
        if spared_until > start:
            left = min(left, wanted * max(0, end - spared_until) / (end - start))
        if left and left >= balance:
            return start + (wanted - left + balance) / wanted * (end - start)
        balance -= left
    return None


class _Plan:
    """An allowance that is used as time goes by."""

    def __init__(self, allowance: Allowance) -> None:
        self._left = inf if allowance.remaining is None else max(0, allowance.remaining)
        self._total = inf if allowance.total is None else allowance.total
        self._next_reset = allowance.next_reset or inf
        self._period = allowance.period or inf
        self._ends = allowance.ends

    def pays_at(self, at: float) -> bool:
        """Tell whether it would pay at this moment."""
        return at < self._ends and (self._left > 0 or self._next_reset <= at)

    def pay(self, wanted: float, start: float, end: float) -> float:
        """Return what it pays of an amount that is wanted from start to end."""
        if start >= self._ends:
            return 0.0
        until = min(end, self._ends)
        wanted *= (until - start) / (end - start)
        if self._resets(start):
            self._left = self._total
        if self._left == inf:
            return wanted
        if resets := self._resets(nextafter(until, start)):
            paid = min(wanted, self._left + resets * self._total)
            self._left = min(self._left + resets * self._total - paid, self._total)
        else:
            paid = min(wanted, self._left)
            self._left -= paid
        return paid

    def _resets(self, until: float) -> float:
        """Return how many resets there are until then, and go on to the next."""
        if self._next_reset > until:
            return 0
        count: float = 0
        if self._period == "month":
            while self._next_reset <= until:
                self._next_reset = _a_month_after(self._next_reset)
                count += 1
            return count
        count = 1 + (until - self._next_reset) // self._period
        self._next_reset += count * self._period
        return count


def _a_month_after(first: float) -> float:
    """Return when a month is over that begins then, in whatever zone that is a 1st."""
    # Zones are at most 14 hours ahead of UTC and 12 behind it.
    day = datetime.fromtimestamp(first, UTC) + timedelta(hours=14)
    begins = day.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends = (begins + timedelta(days=32)).replace(day=1)
    return first + (ends - begins).total_seconds()


class _Hour(NamedTuple):
    """An hour of the history, or a part of one; `length` is in days."""

    days_ago: int
    weekday: int
    hour: int
    length: float
    spent: int


@dataclass(frozen=True, slots=True)
class _Habit:
    """What is spent from `begins` on, told from the days since `since`.

    It is `level` per day and grows by `trend` per day, times a factor for the weekday
    and one for the hour, in local time.
    """

    since: float
    begins: float
    time_zone: tzinfo
    weekdays: Sequence[float]
    hours: Sequence[float]
    level: float
    trend: float

    @classmethod
    def of(
        cls, spending: Mapping[int, int], since: float, now: float, time_zone: tzinfo
    ) -> _Habit | None:
        """Tell it from what was spent, None where that is too little."""
        since = max(since, now - _LONGEST_HISTORY * _DAY)
        spent = {
            at: raw
            for at, raw in sorted(spending.items())
            if raw > 0 and since < at + _HOUR and at < now
        }
        start, end, pause = _span(list(spent), since, now)
        if end - start < _DAY:
            return None
        history = _history(spent, start, end, time_zone)
        days = [0.0] * (history[-1].days_ago + 1)
        for hour in history:
            days[hour.days_ago] += hour.spent
        if sum(day > 0 for day in days) <= 1:
            return None
        weekdays = _weekdays(history, len(days) // 7)
        hours = _hours(history, days)
        usual = [0.0] * len(days)
        for hour in history:
            usual[hour.days_ago] += (
                weekdays[hour.weekday] * hours[hour.hour] * hour.length
            )
        level, trend = _level(_without_dearest(days), usual)
        return cls(start, now + pause, time_zone, weekdays, hours, level, trend)

    def future(self) -> Iterator[tuple[float, float, float]]:
        """Go through the time to come: from when until when how much is spent."""
        start = self.begins
        while start < self.begins + _HORIZON * _DAY:
            local = datetime.fromtimestamp(start, self.time_zone)
            age = (start - self.begins) / _DAY
            if age < _BY_HOUR or local.hour > 0:
                end = (start // _HOUR + 1) * _HOUR
                rhythm = self.hours[local.hour]
            else:
                tomorrow = (local + timedelta(days=1)).replace(hour=0, minute=0)
                end = tomorrow.timestamp()
                rhythm = 1.0
            rhythm *= self.weekdays[local.weekday()]
            growth = exp(self.trend * _DAMPING * (1 - exp(-age / _DAMPING)))
            yield start, end, self.level * growth * rhythm * (end - start) / _DAY
            start = end


def _span(spent: Sequence[int], since: float, now: float) -> tuple[float, float, float]:
    """Return from when until when the habit lasted, and how long a pause is then.

    `spent` are the hours in which something was, in order. Without a habit it lasted
    from now until now.
    """
    if not spent:
        return now, now, 0.0
    first, last = spent[0], min(now, spent[-1] + _HOUR)
    longest_gap = max((b - a - _HOUR for a, b in pairwise(spent)), default=0)
    pause = max(0.0, now - last - max(longest_gap, _DAY))
    # Before the first spending it was quiet for as long as on average.
    active_days = len({int((now - at) // _DAY) for at in spent})
    usual_gap = max(0.0, (now - first) / active_days - _DAY)
    start, end = max(since, first - usual_gap), last if pause else now
    if pause > min(end - start, _LONGEST_PAUSE * _DAY):
        return now, now, 0.0
    return start, end, pause


def _history(
    spent: Mapping[int, int], start: float, end: float, time_zone: tzinfo
) -> list[_Hour]:
    """Return the hours of a span, the youngest first."""
    history = []
    for at in range((ceil(end / _HOUR) - 1) * _HOUR, int(start) - _HOUR, -_HOUR):
        begins, ends = max(at, start), min(at + _HOUR, end)
        local = datetime.fromtimestamp(at, time_zone)
        history.append(
            _Hour(
                int((end - (begins + ends) / 2) // _DAY),
                local.weekday(),
                local.hour,
                (ends - begins) / _DAY,
                spent.get(at, 0),
            )
        )
    return history


def _weekdays(history: Sequence[_Hour], weeks: int) -> list[float]:
    """Return a factor for each weekday, 1 where the weeks do not agree about them."""
    table = [[0.0] * 7 for _ in range(weeks)]
    for hour in history:
        if hour.days_ago < weeks * 7:
            table[hour.days_ago // 7][hour.weekday] += hour.spent
    table = [[7 * spent / sum(week) for spent in week] for week in table if any(week)]
    if len(table) < _FEWEST_FOR_WEEKDAYS:
        return [1.0] * 7
    means = [fmean(column) for column in zip(*table, strict=True)]
    between = len(table) * sum((mean - 1) ** 2 for mean in means)
    within = sum(
        (factor - mean) ** 2
        for week in table
        for factor, mean in zip(week, means, strict=True)
    ) / (len(table) - 1)
    agreement = max(0.0, 1 - within / between) if between else 0.0
    return [1 + agreement * (mean - 1) for mean in means]


def _hours(history: Sequence[_Hour], days: Sequence[float]) -> list[float]:
    """Return a factor for each hour of the day."""
    shares = [_EVEN_DAYS / 24] * 24
    for hour in history:
        if hour.spent:
            shares[hour.hour] += hour.spent / days[hour.days_ago]
    mean = fmean(shares)
    return [share / mean for share in shares]


def _without_dearest(days: Sequence[float]) -> Sequence[float]:
    """Return the days with the dearest as dear as the second."""
    if len(days) < _FEWEST_FOR_DEAREST:
        return days
    second = sorted(days)[-2]
    return [min(day, second) for day in days]


def _level(days: Sequence[float], usual: Sequence[float]) -> tuple[float, float]:
    """Return what is spent per day now, and by what share more from day to day.

    `days` is what was spent and `usual` what would have been at a level of 1, both the
    youngest first.
    """
    count = len(days)
    weights = [0.5 ** (age / _HALF_LIFE) for age in range(count)]

    def level(youngest: int, trend: float = 0.0) -> float:
        trended = [one * exp(-trend * (age + 0.5)) for age, one in enumerate(usual)]
        return sumprod(weights[:youngest], days[:youngest]) / sumprod(
            weights[:youngest], trended[:youngest]
        )

    average = sum(days) / sum(usual)
    logs = [
        log((day / average + _OFFSET) / (one + _OFFSET))
        for day, one in zip(days, usual, strict=True)
    ]
    mean = fmean(logs)
    # Each case: how likely it was, how much of the variation of the logarithms it
    # explains, and the level and the trend that it means. The BIC asks more of those
    # with one more parameter.
    cases = [(_NO_CHANGE * count**0.5, 0.0, level(count), 0.0)]
    steps = range(_FEWEST_AROUND_STEP, count - _FEWEST_AROUND_STEP + 1)
    for youngest in steps:
        if any(days[:youngest]):
            shift = fmean(logs[:youngest]) - mean
            explained = shift**2 * youngest * count / (count - youngest)
            cases.append((_STEP / len(steps), explained, level(youngest), 0.0))
    if count >= _FEWEST_FOR_TREND:
        ages = [age - (count - 1) / 2 for age in range(count)]
        slope = sumprod(ages, logs) / sumprod(ages, ages)
        explained = slope**2 * sumprod(ages, ages)
        trend = max(-_STEEPEST, min(_STEEPEST, -slope))
        cases.append((_TREND, explained, level(count, trend), trend))

    variation = sum((each - mean) ** 2 for each in logs) + count * _NOISE
    likelihoods = [
        prior * (1 - explained / variation) ** (-(count - 1) / 2)
        for prior, explained, _, _ in cases
    ]
    return (
        exp(fmean((log(level) for _, _, level, _ in cases), likelihoods)),
        fmean((trend for _, _, _, trend in cases), likelihoods),
    )
