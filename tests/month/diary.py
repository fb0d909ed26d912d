"""What the household does in its month: who asks what when, and what else happens."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
import random
from typing import Final
from zoneinfo import ZoneInfo

from tests.simulator import Model

ZONE: Final = ZoneInfo("Europe/Berlin")
"""Where the home is; its clocks go back on 25 October at 3:00."""

START: Final = datetime(2026, 10, 12, tzinfo=ZONE)
END: Final = datetime(2026, 11, 12, tzinfo=ZONE)

DAYS_BEFORE: Final = 5
"""So many days of use are there when the month begins."""

MODELS: Final = (
    Model(name="claude-sonnet-4-5", vendor="Anthropic", ratio=1.5, completion_ratio=5),
    Model(name="gpt-5-mini", ratio=0.125, completion_ratio=8),
    Model(name="deepseek-chat", vendor="DeepSeek", ratio=0.135, completion_ratio=1.5),
    Model(name="qwen3-max", vendor="Qwen", ratio=0.6, completion_ratio=5),
)
NEW_MODEL: Final = Model(name="glm-4.6", vendor="Zhipu", ratio=0.3, completion_ratio=4)
REMOVED_MODEL: Final = "qwen3-max"

HOME: Final = "Home Assistant"
CODE: Final = "Claude Code"
CHAT: Final = "Chat"
LAPTOP: Final = "Old laptop"

PER_DOLLAR: Final = 500_000
TOP_UP_DOLLARS: Final = 50
REWARD: Final = 20_000
REFUND: Final = 60_000
RAISED_BY: Final = 5_000_000
PUT_ASIDE: Final = 500_000
LATE_SECONDS: Final = 45
ANNOUNCEMENT: Final = "Prices fall on **Monday**"

_MINUTE: Final = 60
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
# From when to when somebody may sit down, local hours, and how likely that is.
_SITTINGS: Final = ((8, 10, 0.8), (12, 14, 0.4), (17, 20, 0.7), (20, 23, 0.8))
_WEEKEND_SITTINGS: Final = ((10, 16, 0.6), (20, 23, 0.5))
_QUIET_DAYS: Final = frozenset({date(2026, 10, 18), date(2026, 11, 8)})
_UNDER_WAY: Final = 0.1
LONGEST: Final = 400


class Happening(Enum):
    """Something that happens once."""

    ORDER = "a top-up is begun"
    TOP_UP = "the top-up arrives"
    CHECK_IN = "the daily reward is fetched"
    REFUND = "a failed task is refunded"
    REQUEST_HANGS = "much is put aside for a request"
    REQUEST_FAILS = "the request fails, and what was put aside is given back"
    KEY_EDITED = "the limit of a key is raised"
    KEY_REPLACED = "a key is deleted and made anew"
    MODEL_REMOVED = "a model is gone"
    MODEL_ADDED = "a model is new"
    ANNOUNCEMENT = "the site announces something"
    OUTAGE_BEGINS = "the site cannot be reached any more"
    OUTAGE_ENDS = "the site can be reached again"
    NIGHT_BEGINS = "the site cannot be reached before a midnight"
    NIGHT_ENDS = "the site can be reached again after it"
    EXPORT_OFF = "the site keeps no statistics any more"
    EXPORT_ON = "the site keeps statistics again"
    CACHES_LATE = "the balance comes late out of a cache"
    CACHES_FRESH = "the balance comes at once again"
    NODE_SILENT = "a node of the site keeps its statistics to itself"
    NODE_BACK = "what the node has kept arrives"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request to a model; `seconds` is how long it is under way."""

    key: str
    model: Model
    prompt_tokens: int
    completion_tokens: int
    seconds: int = 0

    @property
    def quota(self) -> int:
        """Return what it costs, in raw units."""
        return self.model.price(self.prompt_tokens, self.completion_tokens)


type Dated[T] = tuple[int, T]
"""When, in Unix seconds, and what."""


def happenings() -> list[Dated[Happening]]:
    """Return what happens once, in the order of time."""
    found = [
        (_at(15, 0, 0), Happening.CACHES_LATE),
        (_at(16, 0, 0), Happening.CACHES_FRESH),
        (_at(17, 10, 1), Happening.ORDER),
        (_at(17, 10, 3), Happening.TOP_UP),
        (_at(19, 9, 20), Happening.ANNOUNCEMENT),
        (_at(20, 6, 0), Happening.OUTAGE_BEGINS),
        (_at(20, 15, 0), Happening.OUTAGE_ENDS),
        (_at(22, 14, 2), Happening.REFUND),
        (_at(23, 11, 0), Happening.REQUEST_HANGS),
        (_at(23, 11, 8), Happening.REQUEST_FAILS),
        (_at(24, 12, 31), Happening.KEY_EDITED),
        (_at(27, 7, 12), Happening.MODEL_REMOVED),
        (_at(28, 16, 6), Happening.KEY_REPLACED),
        (_at(30, 10, 11), Happening.CHECK_IN),
        (_at(2, 21, 30, month=11), Happening.NIGHT_BEGINS),
        (_at(3, 1, 10, month=11), Happening.NIGHT_ENDS),
        (_at(3, 7, 48, month=11), Happening.MODEL_ADDED),
        (_at(5, 0, 0, month=11), Happening.EXPORT_OFF),
        (_at(7, 0, 0, month=11), Happening.EXPORT_ON),
        (_at(9, 10, 0, month=11), Happening.NODE_SILENT),
        (_at(9, 13, 4, month=11), Happening.NODE_BACK),
    ]
    return sorted(found, key=lambda entry: entry[0])


def questions(seed: int = 5) -> list[Dated[Question]]:
    """Return all that is asked, in the order of time; the same for the same seed."""
    chance = random.Random(seed)
    asked: list[Dated[Question]] = []
    day = (START - DAYS_BEFORE * _DAY).date()
    while day < END.date():
        asked += [(at, _question(at, chance)) for at in _moments(day, chance)]
        day += _DAY
    asked.sort(key=lambda entry: entry[0])
    return asked


def _moments(day: date, chance: random.Random) -> Iterator[int]:
    """Yield when something is asked on a day; nights are quiet."""
    if day in _QUIET_DAYS:
        return
    sittings = _WEEKEND_SITTINGS if day.weekday() >= _SATURDAY else _SITTINGS
    for first, last, likely in sittings:
        if chance.random() < likely:
            hour = chance.uniform(first, last - 1)
            yield from _sitting(_on(day, 0, 0) + round(hour * 3_600), chance)
    for first_at, count, apart in _special(day):
        yield from range(first_at, first_at + count * apart, apart)


def _special(day: date) -> Iterator[tuple[int, int, int]]:
    """Yield first moment, number and distance of what is asked on special days."""
    minutes = 4 * _MINUTE
    if day == date(2026, 10, 20):
        # While the site cannot be reached from home, they ask from elsewhere.
        yield from ((_on(day, 7, 30), 6, minutes), (_on(day, 12, 10), 6, minutes))
    if day == date(2026, 10, 25):
        # From before one until after three: the hour from two to three comes twice.
        yield _on(day, 0, 50), 47, minutes
    if day == date(2026, 10, 31):
        # Over the end of the month.
        yield _on(day, 23, 31), 15, minutes
    if day in {date(2026, 10, 14), date(2026, 11, 5), date(2026, 11, 6)}:
        yield _on(day, 23, 42), 9, minutes
    if day == date(2026, 11, 9):
        # What a silent node keeps to itself.
        yield _on(day, 10, 7), 8, minutes
    if day == date(2026, 11, 1):
        # A burst.
        yield _on(day, 17, 3), 60, 40


def _sitting(first: int, chance: random.Random) -> Iterator[int]:
    at = first
    for _ in range(chance.randint(3, 10)):
        yield at
        at += chance.randint(20, 6 * _MINUTE)


def _question(at: int, chance: random.Random) -> Question:
    models = [*MODELS[:3], *([MODELS[3]] if at < _at(27, 7, 12) else [])]
    if at >= _at(3, 7, 48, month=11):
        models.append(NEW_MODEL)
    prompt_tokens = round(20_000 * chance.lognormvariate(0, 0.9))
    return Question(
        key=chance.choices((HOME, CODE, CHAT, LAPTOP), (3, 6, 2, 1))[0],
        model=chance.choice(models),
        prompt_tokens=prompt_tokens,
        completion_tokens=round(prompt_tokens * chance.uniform(0.05, 0.6)),
        seconds=chance.randint(20, LONGEST) if chance.random() < _UNDER_WAY else 0,
    )


def _at(day: int, hour: int, minute: int, *, month: int = 10) -> int:
    return _on(date(2026, month, day), hour, minute)


def _on(day: date, hour: int, minute: int) -> int:
    return int(datetime.combine(day, time(hour, minute), ZONE).timestamp())
