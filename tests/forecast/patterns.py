"""How people and programs spend, each with a past to forecast from and a future.

A pattern says what is spent in one hour after the other, on and on: what came before
the moment of the forecast is its history, and what comes after it the truth. Nothing
in here knows how it is forecast.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
import math
from random import Random
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

HOUR: Final = 3600
DAY: Final = 86_400

# What an ordinary day costs, in raw quota: two dollars.
DAILY: Final = 1_000_000.0

# How many requests an ordinary day has.
_REQUESTS: Final = 50

# How long before the moment of the forecast a life begins, in days: as much as servers
# tell about (gateway_api.md 6.7).
_PAST: Final = 30

# Beyond this nobody asks, in days.
_FUTURE: Final = 500

_ZONES: Final = ("Europe/Berlin", "Asia/Shanghai", "America/New_York", "Asia/Kolkata")
_FIRST_MOMENT: Final = int(datetime(2026, 1, 15, tzinfo=UTC).timestamp())


class Hour(NamedTuple):
    """An hour of a life: its local start, and days since the moment of the forecast."""

    local: datetime
    age: float


type Habits = Callable[[Hour], float]
"""What is spent in an hour, as a multiple of an ordinary day; asked hour after hour."""

type Pattern = Callable[[Random], Habits]
"""Takes up habits by chance."""


class Life:
    """A pattern lived through, with a moment at which the forecast is asked for."""

    def __init__(self, pattern: Pattern, seed: int) -> None:
        """Live; the same seed gives the same life."""
        self._chance = Random(f"{pattern.__name__} {seed}")
        self.time_zone = ZoneInfo(self._chance.choice(_ZONES))
        self.now = _FIRST_MOMENT + self._chance.randrange(300 * DAY)
        self.since = self.now // HOUR * HOUR - _PAST * DAY
        self._hours = self._live(pattern)
        self._spent: dict[int, int] = {}
        self._next = self.since
        self.history = self._history()
        """What was spent until now: hour start -> raw quota, without quiet hours."""

    def spent(self, days: float) -> float:
        """Return what is spent in so many days from now on."""
        until = self.now + round(days * DAY)
        self._reach(until)
        return sum(
            spent * max(0, min(until, at + HOUR) - max(self.now, at)) / HOUR
            for at, spent in self._spent.items()
        )

    def lasts(self, balance: float) -> float | None:
        """Return after how many days a balance is used, None where hardly ever."""
        at = self.now // HOUR * HOUR
        begun = self.now
        while at < self.now + _FUTURE * DAY:
            self._reach(at)
            spent = self._spent[at] * (at + HOUR - begun) / HOUR
            if spent and spent >= balance:
                end = begun + balance / spent * (at + HOUR - begun)
                return (end - self.now) / DAY
            balance -= spent
            at = begun = at + HOUR
        return None

    def _history(self) -> dict[int, int]:
        begun = self.now // HOUR * HOUR
        self._reach(begun)
        history = self._spent | {begun: self._spent[begun] * (self.now - begun) // HOUR}
        return {at: spent for at, spent in history.items() if spent}

    def _reach(self, until: int) -> None:
        while self._next <= until:
            self._spent[self._next] = round(DAILY * next(self._hours))
            self._next += HOUR

    def _live(self, pattern: Pattern) -> Iterator[float]:
        habits = pattern(self._chance)
        at = self.since
        while True:
            local = datetime.fromtimestamp(at, self.time_zone)
            yield habits(Hour(local, (at - self.now) / DAY))
            at += HOUR


def _requests(chance: Random, average: float) -> float:
    """Return what the requests of an hour cost; `average` is its share of a day."""
    count = _poisson(chance, average * _REQUESTS)
    return sum(math.exp(chance.gauss(-0.5, 1)) for _ in range(count)) / _REQUESTS


def _poisson(chance: Random, mean: float) -> int:
    if mean > 30:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    if not mean:
        return 0
    count, left = 0, chance.random()
    limit = math.exp(-mean)
    while left > limit:
        count += 1
        left *= chance.random()
    return count


class _Moods:
    """No day is like another: a factor for each, with an average of 1."""

    def __init__(self, chance: Random, spread: float) -> None:
        self._chance = chance
        self._spread = spread
        self._day = -1
        self._mood = 1.0

    def __call__(self, hour: Hour) -> float:
        day = hour.local.toordinal()
        if day != self._day:
            self._day = day
            self._mood = self._chance.lognormvariate(
                -(self._spread**2) / 2, self._spread
            )
        return self._mood


def _awake(hour: Hour) -> float:
    """Return the share of an hour in a day from 8 to 24."""
    return 1 / 16 if hour.local.hour >= 8 else 0.0


def _at_work(hour: Hour) -> float:
    """Return the share of an hour in five days from 9 to 18."""
    is_work = hour.local.weekday() < 5 and 9 <= hour.local.hour < 18
    return 7 / 5 / 9 if is_work else 0.0


def steady(chance: Random) -> Habits:
    """Ask round the clock, as a program does."""
    return lambda hour: _requests(chance, 1 / 24)


def household(chance: Random) -> Habits:
    """Ask when awake, on some days more than on others, as people do."""
    mood = _Moods(chance, 0.6)
    return lambda hour: _requests(chance, mood(hour) * _awake(hour))


def office_hours(chance: Random) -> Habits:
    """Work from 9 to 18, Monday to Friday."""
    mood = _Moods(chance, 0.3)
    return lambda hour: _requests(chance, mood(hour) * _at_work(hour))


def weekdays(chance: Random) -> Habits:
    """Be away at weekends."""
    mood = _Moods(chance, 0.5)
    return lambda hour: _requests(
        chance, mood(hour) * _awake(hour) * 7 / 5 * (hour.local.weekday() < 5)
    )


def weekends(chance: Random) -> Habits:
    """Have a hobby for Saturday and Sunday."""
    mood = _Moods(chance, 0.5)
    return lambda hour: _requests(
        chance, mood(hour) * _awake(hour) * 7 / 2 * (hour.local.weekday() >= 5)
    )


def two_users(chance: Random) -> Habits:
    """Be two: one works Monday to Wednesday, one plays Thursday to Saturday."""
    mood = _Moods(chance, 0.4)

    def spend(hour: Hour) -> float:
        weekday = hour.local.weekday()
        first = 7 / 3 * 0.75 / 8 * (weekday < 3 and 9 <= hour.local.hour < 17)
        second = 7 / 3 * 0.25 / 5 * (3 <= weekday < 6 and 18 <= hour.local.hour < 23)
        return _requests(chance, mood(hour) * (first + second))

    return spend


def burst_last_week(chance: Random) -> Habits:
    """Have tried something dear for some hours, once, days ago."""
    usual = household(chance)
    began = -chance.uniform(1.5, 6.5)
    days = chance.uniform(5, 15)

    def spend(hour: Hour) -> float:
        burst = days / 4 if began <= hour.age < began + 4 / 24 else 0
        return usual(hour) + _requests(chance, burst)

    return spend


def burst_today(chance: Random) -> Habits:
    """Have tried something dear for some hours, once, today."""
    usual = household(chance)
    began = -chance.uniform(4, 16) / 24
    days = chance.uniform(5, 15)

    def spend(hour: Hour) -> float:
        burst = days / 3 if began <= hour.age < began + 3 / 24 else 0
        return usual(hour) + _requests(chance, burst)

    return spend


def frequent_bursts(chance: Random) -> Habits:
    """Do little, and every two to five days something big."""
    next_burst = -_PAST + chance.uniform(0, 5)

    def spend(hour: Hour) -> float:
        nonlocal next_burst
        burst = 0.0
        if hour.age >= next_burst:
            burst = chance.uniform(1.5, 4.5)
            next_burst = hour.age + chance.uniform(2, 5)
        return _requests(chance, burst + 0.2 * _awake(hour))

    return spend


def heavy_tail(chance: Random) -> Habits:
    """Ask for things of which a few cost as much as all the others."""

    def spend(hour: Hour) -> float:
        count = _poisson(chance, 20 * _awake(hour))
        return sum(min(50, chance.paretovariate(1.3)) for _ in range(count)) / 60

    return spend


def growing(chance: Random) -> Habits:
    """Grow by one to two percent a day, to four times at most."""
    rate = chance.uniform(0.01, 0.02)
    mood = _Moods(chance, 0.2)
    return lambda hour: _requests(
        chance, mood(hour) * _awake(hour) * min(4, math.exp(rate * hour.age))
    )


def shrinking(chance: Random) -> Habits:
    """Shrink by one to two percent a day, to a quarter at least."""
    rate = chance.uniform(0.01, 0.02)
    mood = _Moods(chance, 0.2)
    return lambda hour: _requests(
        chance, mood(hour) * _awake(hour) * max(0.25, math.exp(-rate * hour.age))
    )


def started(chance: Random) -> Habits:
    """Have begun some three days ago, with an account that is older."""
    usual = household(chance)
    began = -chance.uniform(2, 4)
    return lambda hour: usual(hour) if hour.age >= began else 0.0


def holiday(chance: Random) -> Habits:
    """Have left for a holiday some four days ago, and come back."""
    usual = household(chance)
    left = -chance.uniform(3, 5)
    back = chance.uniform(1, 10)
    return lambda hour: 0.0 if left <= hour.age < back else usual(hour)


def monthly_budget(chance: Random) -> Habits:
    """Spend much while the month is young, and less towards its end."""
    mood = _Moods(chance, 0.4)

    def spend(hour: Hour) -> float:
        day = hour.local.day
        pace = 1.8 if day <= 8 else 1.0 if day <= 20 else 0.3
        return _requests(chance, mood(hour) * _awake(hour) * pace)

    return spend


def monthly_batch(chance: Random) -> Habits:
    """Ask as usual, and let a program work one night in each month."""
    usual = household(chance)
    day = chance.randint(1, 28)

    def spend(hour: Hour) -> float:
        is_batch = hour.local.day == day and hour.local.hour < 6
        return usual(hour) + _requests(chance, 8 / 6 if is_batch else 0)

    return spend


def night_job(chance: Random) -> Habits:
    """Let a program work every night from 2 to 4, and ask little by day."""
    mood = _Moods(chance, 0.3)

    def spend(hour: Hour) -> float:
        is_night = 2 <= hour.local.hour < 4
        return _requests(chance, mood(hour) * 0.85 / 2 if is_night else 0.15 / 22)

    return spend


def sparse(chance: Random) -> Habits:
    """Ask once in three days."""
    return lambda hour: (
        3 * (chance.random() < 1 / 72) * chance.lognormvariate(-0.1, 0.4)
    )


def step_up(chance: Random) -> Habits:
    """Spend three times as much since two to fourteen days ago."""
    usual = household(chance)
    began = -chance.uniform(2, 14)
    return lambda hour: usual(hour) * (1 if hour.age >= began else 1 / 3)


def step_down(chance: Random) -> Habits:
    """Spend a third since two to fourteen days ago."""
    usual = household(chance)
    began = -chance.uniform(2, 14)
    return lambda hour: usual(hour) * (1 / 3 if hour.age >= began else 1)


PATTERNS: Final[tuple[Pattern, ...]] = (
    steady,
    household,
    office_hours,
    weekdays,
    weekends,
    two_users,
    burst_last_week,
    burst_today,
    frequent_bursts,
    heavy_tail,
    growing,
    shrinking,
    started,
    holiday,
    monthly_budget,
    monthly_batch,
    night_job,
    sparse,
    step_up,
    step_down,
)
