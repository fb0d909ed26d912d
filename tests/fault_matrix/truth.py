"""What is true in the simulated world, as a person should read it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, Self

from homeassistant.util import dt as dt_util
from tests.home import BALANCE, HOURLY, Site
from tests.simulator import Key, LogRow, LogType, Subscription, User

from .columns import ACCOUNT, ALONE, DETAILS, KEY, PLAN, Figure


@dataclass(frozen=True, slots=True)
class Between:
    """A number, or a moment in Unix seconds, that nobody can know to the digit."""

    least: Decimal
    most: Decimal


type Value = Decimal | str | datetime | Between
"""A number, a word, a moment, or "unknown" where there is no number."""

# The sites show dollars.
_UNIT: Final = Decimal(500_000)

_DAYS_OF_AVERAGE: Final = 7
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400

# In days, beyond which nothing is foretold.
_LONGEST: Final = Decimal(5 * 366)

# By how much a forecast may be wrong, where every day was like the other.
_ABOUT: Final = Decimal("0.3")

_OF_LOG: Final = frozenset({"Spent yesterday", "Average per day (7 days)"})
_RATES: Final = frozenset({"Requests per minute", "Tokens per minute"})


def truth(
    site: Site, *, has_account: bool, counted_since: float = 0.0
) -> Mapping[Figure, Value]:
    """Return all figures of the household.

    Where the site does not tell what was spent, that is known of the time that an
    entry has `counted_since` (Unix s).
    """
    main = ACCOUNT if has_account else ALONE
    world, wang = site.gateway.world, site.user("wang")
    spent = _Spent.of(
        [row for row in world.log if row.user_id == wang.id], counted_since
    )
    models = [model.name for model in world.models]
    figures: dict[Figure, Value] = {
        (main, "Gateway"): "on",
        (main, "Models"): _added(models),
        (main, "News"): "unknown",
        (main, "Services: Relay"): "on",
    }
    if not has_account:
        figures[ALONE, "Model count"] = Decimal(len(models))
        return figures | _of_key(ALONE, site.key(KEY), spent)
    for name in (ACCOUNT, KEY):
        figures[name, "Model count"] = Decimal(len(models))
    for key in world.keys_of(wang):
        figures |= _of_key(key.name, key, spent)
    for plan in world.subscriptions:
        if plan.user_id == wang.id:
            figures |= _of_plan(plan)
    return figures | {
        (ACCOUNT, name): value
        for name, value in (
            *_of_balance(wang, spent),
            *_of_spending(spent),
            *_of_models(spent.today),
            ("Check-in available", "on"),
            ("Pending top-ups", Decimal(1)),
            ("Group ratio", Decimal(str(world.groups[wang.group].ratio))),
        )
    }


@dataclass(frozen=True, slots=True)
class _Spent:
    """What stands in the log, by the days of the person."""

    now: float
    since: float
    """From when on it is known of this day and this month (Unix s); 0 for all of it."""
    today: Sequence[LogRow]
    month: Sequence[LogRow]
    yesterday: int
    week: int
    """The sum of the seven days before this one, raw quota."""
    known_days: int
    """The sum of those of them that are known from beginning to end."""
    is_quiet: bool
    """Whether next to nothing was used for more than a day."""

    @classmethod
    def of(cls, log: Sequence[LogRow], since: float) -> Self:
        """Read the log of a site, which is in order but for the past."""
        now = dt_util.utcnow().timestamp()
        rows = [row for row in log if row.type == LogType.CONSUME]
        usual = sum(row.quota for row in rows[:_DAYS_OF_AVERAGE])
        last_day = sum(row.quota for row in rows if row.at > now - 1.1 * _DAY)
        known = [row for row in rows if row.at >= since]
        today, yesterday, week = map(_midnight, (0, 1, _DAYS_OF_AVERAGE))
        month = _at_midnight(dt_util.now().date().replace(day=1))
        # Of the first day, nobody knows the beginning.
        whole = _midnight(0) - (_midnight(0) - since) // _DAY * _DAY
        return cls(
            now,
            since,
            [row for row in known if row.at >= today],
            [row for row in known if row.at >= month],
            sum(row.quota for row in known if yesterday <= row.at < today),
            sum(row.quota for row in rows if week <= row.at < today),
            sum(row.quota for row in rows if max(week, whole) <= row.at < today),
            is_quiet=last_day < usual / 10,
        )


def age(figure: Figure) -> timedelta:
    """Return how old a figure can be while everything works."""
    device, name = figure
    if name == "Models":
        # What has happened last stays so.
        return timedelta(days=9)
    if device in (PLAN, ALONE):
        # A key alone is not asked more often than servers like, and a plan comes after
        # the balances.
        return 2 * BALANCE
    if figure not in DETAILS:
        return timedelta()
    if name in _OF_LOG or name in _RATES or figure in _OF_STAT:
        return 2 * BALANCE
    if name in ("Check-in available", "Pending top-ups", "Group ratio", "News"):
        return HOURLY
    # Every half an hour, and the site itself is late.
    return HOURLY / 2 + BALANCE


_OF_STAT: Final = {(ACCOUNT, "Spent today"), (ACCOUNT, "Spent this month")}


def says(state: str, value: Value) -> bool:
    """Tell whether a state says what is true, however many zeros it writes."""
    if isinstance(value, str):
        return state == value
    if isinstance(value, datetime):
        return state == value.isoformat()
    number = _number(state)
    if number is None:
        return False
    if isinstance(value, Between):
        return value.least <= number <= value.most
    return number == value


def _number(state: str) -> Decimal | None:
    """Return a number, or the Unix seconds of a moment."""
    try:
        if "T" in state:
            return Decimal(datetime.fromisoformat(state).timestamp())
        return Decimal(state)
    except ArithmeticError, ValueError:
        return None


def _of_balance(wang: User, spent: _Spent) -> Iterator[tuple[str, Value]]:
    yield "Remaining quota", wang.quota / _UNIT
    yield "Used quota", wang.used_quota / _UNIT
    yield "Request count", Decimal(wang.request_count)
    yield "Status", "active"
    yield "Group", wang.group
    yield "Referral reward waiting", wang.aff_quota / _UNIT
    yield "Low balance", "off"
    yield "Top-up", "unknown"
    days = Decimal(wang.quota) * _DAYS_OF_AVERAGE / spent.week
    least, most = days * (1 - _ABOUT), days * (1 + _ABOUT)
    if spent.is_quiet:
        # Who uses little all of a sudden may go on like that.
        most = _LONGEST
    yield "Days left", Between(least, most)
    now = Decimal(spent.now)
    yield "Runs out", Between(now + least * _DAY, now + most * _DAY)


def _of_spending(spent: _Spent) -> Iterator[tuple[str, Value]]:
    yield "Spent today", _amount(spent.today)
    yield "Spent this month", _amount(spent.month)
    yield "Spent yesterday", spent.yesterday / _UNIT
    days = _DAYS_OF_AVERAGE
    if spent.since:
        days = int((_midnight(0) - spent.since) // _DAY)
        yield from ((name, "unknown") for name in _RATES)
    average = round(Decimal(spent.known_days) / days) / _UNIT if days else "unknown"
    yield "Average per day (7 days)", average
    if spent.since:
        return
    recent = [row for row in spent.today if spent.now - row.at < _MINUTE]
    yield "Requests per minute", Decimal(len(recent))
    yield "Tokens per minute", Decimal(sum(row.tokens for row in recent))


def _of_models(today: Sequence[LogRow]) -> Iterator[tuple[str, Value]]:
    yield "Requests today", Decimal(len(today))
    yield "Tokens today", Decimal(sum(row.tokens for row in today))
    costs = Counter[str]()
    for row in today:
        costs[row.model] += row.quota
    ((model, _),) = costs.most_common(1) or (("unknown", 0),)
    yield "Most expensive model today", model


def _of_key(device: str, key: Key, spent: _Spent) -> dict[Figure, Value]:
    is_used_up = not key.unlimited and key.remain_quota <= 0
    now = Decimal(spent.now)
    return {
        (device, "Remaining quota"): (
            "unknown" if key.unlimited else key.remain_quota / _UNIT
        ),
        (device, "Used quota"): key.used_quota / _UNIT,
        (device, "Status"): "exhausted" if is_used_up else "active",
        (device, "Expires"): "unknown",
        (device, "Spent today"): _amount(spent.today, key),
        (device, "Spent this month"): _amount(spent.month, key),
        # One day is no history, but what is used up is used up now.
        (device, "Runs out"): Between(now - _HOUR, now) if is_used_up else "unknown",
        (device, "Days left"): Decimal(0) if is_used_up else "unknown",
        (device, "Low balance"): "on" if is_used_up else "off",
        (device, "Expires soon"): "off",
        (device, "Not usable"): "on" if is_used_up else "off",
    }


def _of_plan(plan: Subscription) -> dict[Figure, Value]:
    return {
        (PLAN, "Remaining"): (plan.amount_total - plan.amount_used) / _UNIT,
        (PLAN, "Used"): plan.amount_used / _UNIT,
        (PLAN, "Total"): plan.amount_total / _UNIT,
        (PLAN, "Next reset"): datetime.fromtimestamp(plan.next_reset_time, UTC),
        (PLAN, "Ends"): datetime.fromtimestamp(plan.end_time, UTC),
    }


def _added(models: list[str]) -> str:
    """Return what was told of models, the last time."""
    added = [name for name in models if name.startswith("model-")]
    return f"model_added {added[-1]}" if added else "unknown"


def _amount(rows: Sequence[LogRow], key: Key | None = None) -> Decimal:
    own = (row.quota for row in rows if key is None or row.key_id == key.id)
    return sum(own) / _UNIT


def _midnight(days_ago: int) -> float:
    return _at_midnight(dt_util.now().date() - timedelta(days=days_ago))


def _at_midnight(day: date) -> float:
    return dt_util.start_of_local_day(day).timestamp()
