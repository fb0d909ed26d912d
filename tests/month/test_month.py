"""The month has in it what it promises, and its ledger is what the gateway says."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
import sys
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
import pytest

from tests.simulator import DIALECTS
from tests.simulator.visiting import data

from .diary import (
    CHAT,
    END,
    LAPTOP,
    MODELS,
    NEW_MODEL,
    RAISED_BY,
    REMOVED_MODEL,
    START,
    ZONE,
    Happening,
)
from .month import Month, Step
from .truth import Sum, Truth, side_by_side

DAY: Final = timedelta(days=1)
STARTED: Final = int(START.timestamp())
ENDED: Final = int(END.timestamp())
THIRTY_DAYS: Final = 30 * 86_400

BALANCE: Final = 12_000_000
USED: Final = 101_150_000


@pytest.fixture
def month(freezer: FrozenDateTimeFactory) -> Month:
    """Give the month at its beginning."""
    freezer.move_to(START)
    return Month()


@pytest.fixture
def steps(month: Month, freezer: FrozenDateTimeFactory) -> Iterator[Step]:
    """Give the steps that the month is to make."""
    return month.steps(freezer.move_to)


def midnights() -> list[datetime]:
    """Return the midnights of the home from the first day to the end."""
    return [START + number * DAY for number in range(32)]


def spent_from(month: Month, start: datetime, end: datetime) -> int:
    """Return what the site says was spent from one time until before another."""
    span = (
        f"start_timestamp={int(start.timestamp())}"
        f"&end_timestamp={int(end.timestamp()) - 1}"
    )
    said: int = data(month.gateway, f"/api/log/self/stat?type=2&{span}")["quota"]
    return said


def hours_told(month: Month) -> dict[tuple[int, str], Sum]:
    """Return all hours that the site has statistics of."""
    told: dict[tuple[int, str], Sum] = {}
    for start in range(ENDED - 2 * THIRTY_DAYS, ENDED, THIRTY_DAYS):
        span = f"start_timestamp={start}&end_timestamp={start + THIRTY_DAYS - 1}"
        for row in data(month.gateway, f"/api/data/self?{span}"):
            what = (row["created_at"], row["model_name"])
            told[what] = Sum(row["quota"], row["count"], row["token_used"])
    return told


def test_calendar(steps: Iterator[Step]) -> None:
    """31 days with a clock change and the end of a month; everything happens once."""
    seen = list(steps)

    assert len(midnights()) == 32
    assert ENDED - STARTED == 31 * 86_400 + 3_600
    assert seen[-1].at == END
    happened = [each for step in seen for each in step.happened]
    assert sorted(happened, key=str) == sorted(Happening, key=str)


def test_pace(month: Month, steps: Iterator[Step]) -> None:
    """Whoever looks at each step sees closely what happens, and each night."""
    moments = [int(START.timestamp()), *(int(step.at.timestamp()) for step in steps)]

    gaps = [late - early for early, late in pairwise(moments)]
    assert {gap % 180 for gap in gaps} == {0}
    assert min(gaps) == 180
    # From the morning of a quiet day to its midnight.
    assert max(gaps) < 18 * 3_600
    asked = [each.at for each in month.truth.payments if each.at >= STARTED]
    assert all(
        any(at - 180 < moment <= at for moment in moments)
        and any(at <= moment < at + 180 for moment in moments)
        for at in asked
    )
    # A test that watches has to be done in two minutes or so.
    assert len(moments) < 2_800


def test_hour_that_comes_twice(month: Month, steps: Iterator[Step]) -> None:
    """On 25 October something is asked at half past two, and an hour later again."""
    for _ in steps:
        pass
    twice = [
        datetime(2026, 10, 25, 2, tzinfo=ZONE, fold=fold).astimezone(UTC)
        for fold in (0, 1)
    ]
    hours = {start for start, _ in month.truth.by_hour()}

    assert twice[1] - twice[0] == timedelta(hours=1)
    assert {int(each.timestamp()) for each in twice} <= hours


def test_quiet_nights(month: Month, steps: Iterator[Step]) -> None:
    """Nobody asks anything from two to six, but for the night of the clock change."""
    for _ in steps:
        pass
    awake = {
        month.truth.day_of(each.at)
        for each in month.truth.payments
        if 2 <= datetime.fromtimestamp(each.at, ZONE).hour < 6
    }

    assert awake == {date(2026, 10, 25)}
    assert date(2026, 10, 18) not in month.truth.by_day


def test_days_and_months(month: Month, steps: Iterator[Step]) -> None:
    """What the site says about each day and month of the home is in the ledger."""
    for _ in steps:
        pass
    told = {
        start.date(): spent
        for start, end in pairwise(midnights())
        if (spent := spent_from(month, start, end))
    }
    truth = {
        day: spent for day, spent in month.truth.by_day.items() if day >= START.date()
    }
    sys.stdout.write(f"{side_by_side(truth, told)}\n")

    assert told == truth
    october, november = (datetime(2026, each, 1, tzinfo=ZONE) for each in (10, 11))
    assert month.truth.by_month == {
        october.date(): spent_from(month, october, november),
        november.date(): spent_from(month, november, END),
    }


def test_hours_and_models(month: Month, steps: Iterator[Step]) -> None:
    """What the site keeps statistics of is in the ledger, hour by hour."""
    for _ in steps:
        pass
    truth = month.truth

    assert hours_told(month) == truth.by_exported_hour()
    # Two days are missing there, and only there.
    missing = truth.by_hour().keys() - truth.by_exported_hour().keys()
    assert {truth.day_of(start) for start, _ in missing} == {
        date(2026, 11, 5),
        date(2026, 11, 6),
    }
    assert sum(each.quota for each in truth.by_hour().values()) == truth.spent.quota


def test_late_rows(month: Month, steps: Iterator[Step]) -> None:
    """What a silent node keeps to itself is missing until it is heard again."""
    for step in steps:
        if Happening.NODE_BACK in step.happened:
            break
        if step.at == datetime(2026, 11, 9, 12, tzinfo=UTC):
            missing = month.truth.by_exported_hour().items() - hours_told(month).items()
            assert missing

    assert hours_told(month) == month.truth.by_exported_hour()


def test_keys(month: Month, steps: Iterator[Step]) -> None:
    """Each key has used what the ledger says, also the one that is gone."""
    first = month.gateway.world.key(LAPTOP)
    chat_had = month.gateway.world.key(CHAT).remain_quota
    for _ in steps:
        pass
    world, by_key = month.gateway.world, month.truth.by_key
    second, chat = world.key(LAPTOP), world.key(CHAT)

    assert first.id not in world.keys
    assert first.used_quota == by_key[first.id]
    assert second.used_quota == by_key[second.id]
    later = [each for each in month.truth.payments if each.at >= STARTED]
    spent = sum(each.quota for each in later if each.key_id == chat.id)
    assert chat.remain_quota == chat_had + RAISED_BY - spent
    assert sum(by_key.values()) == month.truth.spent.quota


@pytest.mark.parametrize("server", DIALECTS)
def test_balance(server: str, freezer: FrozenDateTimeFactory) -> None:
    """What is left is what was there and came in, less what was spent."""
    freezer.move_to(START)
    month = Month(server)
    for _ in month.steps(freezer.move_to):
        pass
    truth = month.truth
    told: dict[str, Any] = data(month.gateway, "/api/user/self")

    assert told["quota"] == (
        BALANCE - truth.spent.quota + truth.received + truth.refunded
    )
    given_back = (
        truth.refunded if month.gateway.dialect.accounting.refunds_lower_used else 0
    )
    assert told["used_quota"] == USED + truth.spent.quota - given_back
    assert told["request_count"] == 1_234 + truth.spent.requests


def test_models(month: Month, steps: Iterator[Step]) -> None:
    """A model is gone, one is new, and none was asked while it was not there."""
    offered: dict[str, set[datetime]] = {}
    for step in steps:
        for name in data(month.gateway, "/api/user/models"):
            offered.setdefault(name, set()).add(step.at)

    assert set(offered) == {*(each.name for each in MODELS), NEW_MODEL.name}
    assert max(offered[REMOVED_MODEL]) < min(offered[NEW_MODEL.name])
    asked = {(each.model, each.at) for each in month.truth.payments}
    assert (
        max(at for model, at in asked if model == REMOVED_MODEL)
        <= max(offered[REMOVED_MODEL]).timestamp()
    )


def test_month_is_always_the_same(freezer: FrozenDateTimeFactory) -> None:
    """Two months differ in nothing."""
    ledgers: list[Truth] = []
    with_times: list[list[Step]] = []
    for _ in range(2):
        freezer.move_to(START)
        month = Month()
        with_times.append(list(month.steps(freezer.move_to)))
        ledgers.append(month.truth)

    assert ledgers[0].payments == ledgers[1].payments
    assert with_times[0] == with_times[1]


def test_side_by_side_points_at_differences() -> None:
    """A reader finds the line that is wrong."""
    lines = side_by_side({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}).splitlines()

    assert [line.split() for line in lines[1:]] == [
        ["a", "1", "1"],
        ["b", "2", "3", "<--", "differs"],
        ["c", "-", "4", "<--", "differs"],
    ]
