"""The times in which a source did not tell all."""

import pytest

from custom_components.new_api.gaps import Gaps

DAY = 24 * 3600


def gaps_of(*times: tuple[int, int]) -> Gaps:
    """Return gaps, as they were noted one after the other."""
    gaps = Gaps()
    for since, until in times:
        gaps.add(since, until)
    return gaps


@pytest.mark.parametrize(
    ("noted", "apart"),
    [
        ([(10, 20), (30, 40)], [[10, 20], [30, 40]]),
        ([(30, 40), (10, 20)], [[10, 20], [30, 40]]),
        ([(10, 20), (20, 30)], [[10, 30]]),
        ([(10, 20), (5, 12)], [[5, 20]]),
        ([(10, 40), (20, 30)], [[10, 40]]),
        ([(10, 20), (30, 40), (15, 35)], [[10, 40]]),
    ],
)
def test_times_that_touch_are_one(
    noted: list[tuple[int, int]], apart: list[list[int]]
) -> None:
    """What goes on is one gap, and what lies apart is not forgotten."""
    gaps = gaps_of(*noted)
    assert gaps.as_list() == apart
    assert Gaps.from_list(gaps.as_list()).as_list() == apart


@pytest.mark.parametrize(
    ("since", "until", "overlap"),
    [(0, 10, False), (0, 11, True), (19, 30, True), (20, 30, False), (20, 31, True)],
)
def test_overlap(since: int, until: int, overlap: bool) -> None:
    """A period that only touches a gap has nothing of it."""
    assert gaps_of((10, 20), (30, 40)).overlap(since, until) is overlap


def test_what_is_old_is_forgotten() -> None:
    """Of what no period reaches back to, nothing is kept."""
    assert gaps_of((0, DAY), (50 * DAY, 51 * DAY)).as_list() == [[50 * DAY, 51 * DAY]]


def test_longest_month_is_kept() -> None:
    """A gap on the first of a month is one until the month is over."""
    times = [(0, DAY), (31 * DAY - 60, 31 * DAY)]
    assert gaps_of(*times).overlap(0, DAY)
