"""What is known by the hour, from statistics that come late or not at all."""

import json

import pytest

from custom_components.new_api.history import LONGEST, History, evenly

HOUR = 3600
DAY = 24 * HOUR
NOON = 1_790_000_000 // DAY * DAY + 12 * HOUR

NO_GAP: list[tuple[int, int]] = []


def told(*hours: tuple[int, int], since: int, now: float) -> History:
    """Return what a site says at a time of the hours since another."""
    history = History()
    history.replace(dict(hours), since, now)
    return history


def test_site_tells_all() -> None:
    """What a site tells is known, the hour that has not ended included."""
    hours = {NOON - 30 * HOUR: 5, NOON - HOUR: 7, NOON: 2}
    history = told(*hours.items(), since=NOON - 2 * DAY, now=NOON + 600)
    assert history.spent(None, NO_GAP, NOON + 600) == (NOON - 2 * DAY, hours)


def test_readings_are_ahead_of_the_site() -> None:
    """The last hours are as they were read, since the site tells of them late."""
    history = told(
        (NOON - 3 * HOUR, 5), (NOON, 1), since=NOON - DAY, now=NOON + 3 * HOUR
    )
    readings = {NOON - 3 * HOUR: 4, NOON + 2 * HOUR: 8, NOON + 3 * HOUR: 9}
    read = (NOON - 4 * HOUR, readings)
    assert history.spent(read, NO_GAP, NOON + 3 * HOUR + 60) == (
        NOON - DAY,
        {NOON - 3 * HOUR: 5, NOON: 1, NOON + 2 * HOUR: 8, NOON + 3 * HOUR: 9},
    )


def test_readings_go_further_back() -> None:
    """What was read before the site tells anything is known too."""
    history = told((NOON, 3), since=NOON - HOUR, now=NOON + HOUR)
    read = (NOON - DAY, {NOON - 20 * HOUR: 6})
    assert history.spent(read, NO_GAP, NOON + HOUR) == (
        NOON - DAY,
        {NOON - 20 * HOUR: 6},
    )


@pytest.mark.parametrize("is_read", [True, False])
def test_site_kept_none_for_a_time(is_read: bool) -> None:
    """A time without statistics is as it was read, or nothing before it is known."""
    gap = (NOON - 6 * HOUR, NOON - 3 * HOUR)
    history = told(
        (NOON - 10 * HOUR, 1), (NOON - HOUR, 2), since=NOON - DAY, now=NOON + 2 * HOUR
    )
    read = (NOON - DAY, {NOON - 5 * HOUR: 4}) if is_read else None
    assert history.spent(read, [gap], NOON + 2 * HOUR) == (
        (NOON - DAY, {NOON - 10 * HOUR: 1, NOON - 5 * HOUR: 4, NOON - HOUR: 2})
        if is_read
        else (gap[1], {NOON - HOUR: 2})
    )


def test_read_since_the_middle_of_a_gap() -> None:
    """Of a gap that began before the readings, the part before them is not known."""
    gap = (NOON - 6 * HOUR, NOON - 3 * HOUR)
    history = told(
        (NOON - 10 * HOUR, 1), (NOON - HOUR, 2), since=NOON - DAY, now=NOON + 2 * HOUR
    )
    read = (NOON - 4 * HOUR, {NOON - 4 * HOUR: 3})
    assert history.spent(read, [gap], NOON + 2 * HOUR) == (
        NOON - 4 * HOUR,
        {NOON - 4 * HOUR: 3, NOON - HOUR: 2},
    )


def test_rows_come_late() -> None:
    """What is told of an hour again is what it was."""
    history = told((NOON - HOUR, 1), (NOON, 2), since=NOON - DAY, now=NOON + 60)
    history.replace({NOON: 5}, NOON, NOON + HOUR)
    _, hours = history.spent(None, NO_GAP, NOON + HOUR)
    assert hours == {NOON - HOUR: 1, NOON: 5}
    history.replace({}, NOON, NOON + HOUR)
    _, hours = history.spent(None, NO_GAP, NOON + HOUR)
    assert hours == {NOON - HOUR: 1}


def test_month_is_kept() -> None:
    """What is older than a month is forgotten."""
    history = told((NOON, 1), (NOON + DAY, 2), since=NOON, now=NOON + DAY)
    later = NOON + LONGEST + HOUR
    history.replace({NOON + DAY: 2, later: 3}, NOON + DAY, later)
    since, hours = history.spent(None, NO_GAP, later)
    assert since == later - LONGEST
    assert hours == {NOON + DAY: 2, later: 3}


def test_nothing_told_for_long() -> None:
    """Hours of which nothing was told are not hours in which nothing was spent."""
    history = told((NOON, 1), since=NOON - DAY, now=NOON + HOUR)
    history.replace({NOON + 9 * DAY: 2}, NOON + 8 * DAY, NOON + 9 * DAY)
    since, _ = history.spent(None, NO_GAP, NOON + 9 * DAY)
    assert since == NOON + 8 * DAY


def test_clock_was_ahead() -> None:
    """Days that a clock has skipped are not days in which nothing was spent."""
    history = told((NOON, 1), since=NOON - DAY, now=NOON + 10 * DAY)
    history.replace({NOON + 9 * DAY: 2}, NOON + 8 * DAY, NOON + 9 * DAY)
    since, _ = history.spent(None, NO_GAP, NOON + 9 * DAY)
    assert since == NOON + 8 * DAY


def test_what_is_kept() -> None:
    """It outlives a restart."""
    history = told((NOON, 1), since=NOON - DAY, now=NOON + HOUR)
    kept = json.loads(json.dumps(history.as_dict()))
    again = History.from_dict(kept)
    assert (again.since, again.until) == (NOON - DAY, NOON + HOUR)
    assert again.spent(None, NO_GAP, NOON + HOUR) == (NOON - DAY, {NOON: 1})


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"since": None, "until": 0, "hours": {}},
        {"since": 0, "until": 0, "hours": []},
        {"since": 0, "until": 0, "hours": {"noon": 1}},
        {"since": 0, "until": 0, "hours": {"3600": 0.5}},
    ],
)
def test_damaged(kept: dict[str, object]) -> None:
    """What is damaged is said to be."""
    with pytest.raises(ValueError, match="damaged"):
        History.from_dict(kept)


@pytest.mark.parametrize(
    ("quota", "until", "parts"),
    [
        (24, NOON + 24 * HOUR, [1] * 24),
        (10, NOON + 3 * HOUR, [3, 3, 4]),
        (7, NOON + HOUR + 1, [3, 4]),
        (5, NOON + 10, [5]),
        (5, NOON, [5]),
    ],
)
def test_evenly(quota: int, until: float, parts: list[int]) -> None:
    """A sum is spread over its hours, to the unit."""
    hours = evenly(quota, NOON, until)
    assert list(hours) == [NOON + each * HOUR for each in range(len(parts))]
    assert list(hours.values()) == parts
