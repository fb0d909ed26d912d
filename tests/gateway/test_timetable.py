"""Turns keep everybody together within a tenth of what a site grants."""

from itertools import pairwise
import random

import pytest

from custom_components.new_api.gateway.timetable import SHARE, WINDOW, Timetable
from tests.gateway.clock import Clock

# What the strictest servers grant in 180 seconds (gateway_api.md 1.6).
GRANTED = 180

# At most so many times in a window, entries ask together for the settings of the site.
FOR_ALL = 3


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands."""
    return Clock()


@pytest.fixture
def timetable(clock: Clock) -> Timetable:
    """Give a timetable without turns."""
    return Timetable(clock)


def make(timetable: Timetable, calls: int) -> None:
    """Make calls."""
    for _ in range(calls):
        timetable.note()


def most_in_a_window(times: list[float]) -> int:
    """Return how many calls the busiest window sees."""
    return max(
        sum(start <= other < start + WINDOW for other in times) for start in times
    )


def test_share_is_a_tenth() -> None:
    """All entries together take a tenth of the strictest budget."""
    assert GRANTED / 10 == SHARE


def test_first_turns_are_at_once(timetable: Timetable) -> None:
    """Whoever is alone does not wait; who comes when all is taken does."""
    assert [bool(timetable.take(name, 3)) for name in range(6)] == [
        *(True,) * 5,
        False,
    ]


def test_turn_is_kept(clock: Clock, timetable: Timetable) -> None:
    """A turn that was booked is there when its time comes, whatever others did."""
    wait = timetable.book("me", 60, 5)
    assert wait == 60
    clock.now += 55
    assert timetable.take("other", 10) is not None
    assert timetable.take("third", 1) is None
    clock.now += 5
    assert timetable.take("me", 5) is not None


def test_early_comer_keeps_the_turn(clock: Clock, timetable: Timetable) -> None:
    """Who asks before it is its turn does not lose it."""
    assert timetable.take("others", 15) is not None
    wait = timetable.book("me", 0, 2)
    assert wait > WINDOW
    clock.now += 10
    assert timetable.take("me", 2) is None
    clock.now += wait - 10
    assert timetable.take("me", 2) is not None


def test_turns_are_apart(timetable: Timetable) -> None:
    """Turns booked for the same moment are some seconds from each other."""
    waits = sorted(timetable.book(name, 300, 1) for name in range(12))
    assert waits[0] == 300
    assert all(later - earlier >= 5 for earlier, later in pairwise(waits))
    assert waits[-1] < 300 + 12 * 6


def test_calls_outside_of_turns(clock: Clock, timetable: Timetable) -> None:
    """What a person wants to know at once is counted, and takes nobody's turn."""
    with timetable.during(timetable.take("me", 1)), timetable.during(None):
        make(timetable, 14)
    assert timetable.recent == 14
    assert timetable.take("other", 14) is not None
    clock.now += WINDOW + 11
    assert timetable.recent == 0


def test_calls_made_are_not_counted_twice(timetable: Timetable) -> None:
    """A turn whose calls were made takes no room but theirs."""
    turn = timetable.take("me", 5)
    with timetable.during(turn):
        make(timetable, 5)
    assert timetable.take("other", 10) is not None
    assert timetable.take("third", 1) is None


def test_more_calls_than_announced(timetable: Timetable) -> None:
    """More calls than were announced are counted all the same."""
    turn = timetable.take("me", 1)
    assert turn is not None
    with timetable.during(turn):
        make(timetable, 12)
    assert turn.made == 12
    assert timetable.take("other", 4) is None


def test_turn_that_needs_more(timetable: Timetable) -> None:
    """A turn gets more calls while it lasts, if there is room for them."""
    turn = timetable.take("me", 10)
    assert turn is not None
    assert timetable.extend(turn, 3)
    assert not timetable.extend(turn, 3)
    assert timetable.take("other", 3) is None
    assert timetable.take("other", 2) is not None


def test_turn_of_many_calls(timetable: Timetable) -> None:
    """Who needs more than the share gets a turn nevertheless."""
    assert timetable.take("me", 40) is not None
    assert timetable.book("other", 0, 40) > WINDOW


def test_turn_that_is_given_back(timetable: Timetable) -> None:
    """A turn that nobody wants any more is free for others."""
    assert timetable.take("me", 15) is not None
    timetable.cancel("me")
    timetable.cancel("nobody")
    assert timetable.take("other", 15) is not None


def test_turn_that_nobody_came_for(clock: Clock, timetable: Timetable) -> None:
    """A turn that nobody took is forgotten."""
    timetable.book("me", 10, 15)
    clock.now += 10 + WINDOW + 11
    assert timetable.take("other", 15) is not None


@pytest.mark.parametrize("entries", [1, 5, 20, 60])
@pytest.mark.parametrize("seed", range(3))
def test_no_window_sees_more_than_the_share(
    clock: Clock, timetable: Timetable, entries: int, seed: int
) -> None:
    """However many ask, and whoever asks in between, it stays a tenth."""
    chance = random.Random(seed)
    calls = {entry: chance.randint(1, 3) for entry in range(entries)}
    made: list[float] = []
    turns: dict[int, list[float]] = {entry: [] for entry in calls}
    due = dict.fromkeys(calls, clock.now)
    while clock.now < 1000 + 6 * 3600:
        entry = min(due, key=lambda each: due[each])
        clock.now = max(clock.now, due[entry])
        if chance.random() < 0.1:
            # Somebody presses a button in between.
            entry = chance.choice(range(entries))
        turn = timetable.take(entry, calls[entry])
        if turn is not None:
            turns[entry].append(clock.now)
            with timetable.during(turn):
                for _ in range(calls[entry]):
                    timetable.note()
                    made.append(clock.now)
                    clock.now += chance.uniform(0, 0.2)
        pause = 300 * chance.uniform(1, 1.1) if turn else 0
        # Home Assistant begins up to a second too early.
        wait = timetable.book(entry, pause, calls[entry]) - chance.random()
        due[entry] = clock.now + max(0.0, wait)
    assert most_in_a_window(made) <= SHARE - FOR_ALL
    # Nobody starves.
    fewest, most = min(map(len, turns.values())), max(map(len, turns.values()))
    assert fewest > 0.7 * most
    if entries <= 5:
        assert fewest >= 6 * 3600 / 340


def test_any_time_since_the_start(clock: Clock) -> None:
    """Long turns find a place at any reading of the clock, however it is rounded."""
    chance = random.Random(1)
    for power in (14, 17, 20, 22):
        for _ in range(100):
            clock.now = 2**power - chance.uniform(0, 200)
            timetable = Timetable(clock)
            for who in range(8):
                if timetable.take(who, 15) is not None:
                    make(timetable, chance.randint(0, 15))
                clock.now += chance.uniform(0, 30)
                assert timetable.book(who, chance.uniform(0, 60), 15) >= 0
