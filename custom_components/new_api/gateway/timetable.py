"""Whose turn it is to ask a site, so that all who ask it take a small share of it.

Servers count by the address of the caller, and the people behind that address want to
use the site themselves (gateway_api.md 1.6).
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 180.0
"""The window in which servers count general calls, in seconds."""

SHARE: Final = 18
"""A tenth of what the strictest of them grants in a window."""

# Of the share, for what is asked on behalf of all: the settings of the site, at most
# once a minute.
_ON_BEHALF_OF_ALL: Final = 3
_IN_TURNS: Final = SHARE - _ON_BEHALF_OF_ALL

# So much of it is left to those who are modest, however many there are who are not.
_MODEST: Final = 4

# And so much is left to the others for what they do not know in advance.
_SLACK: Final = 2

# Between two turns, so that they are never in step, in milliseconds.
_APART: Final = 5_000

# By how much a turn may begin too early, and too late on a busy machine, in
# milliseconds.
_EARLY: Final = 1_500
_LATE: Final = 10_000

_WINDOW: Final = round(WINDOW * 1000)
_SPAN: Final = _WINDOW + _LATE


@dataclass(slots=True, eq=False)
class Turn:
    """The calls that someone may make at a moment, and those that were made.

    `at` is in milliseconds of the timetable's clock, whole since it is compared with
    sums of itself. `every` is after how long whoever it is comes again. A modest turn
    leaves room for those that are not. `extra` of the calls were announced on the way.
    """

    at: int
    calls: int
    is_modest: bool = False
    every: int = _SPAN
    made: int = 0
    extra: int = 0

    @property
    def left(self) -> int:
        """Return how many calls are still to come."""
        return max(0, self.calls - self.made)


# Whose calls are made; None for those outside of any turn.
_CURRENT: ContextVar[Turn | None] = ContextVar("turn", default=None)


class Timetable:
    """The turns of all who ask one origin.

    No window sees more calls than the share, as long as nobody makes more of them in a
    turn than were announced. Outside of turns is asked what a person wants to know at
    once, and the settings of the site for all. Balances come first: who asks for more
    than them is modest.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without any turn; `clock` gives seconds."""
        self._clock = clock
        self._made: deque[tuple[int, bool]] = deque()
        self._made_outside: deque[int] = deque()
        self._turns: dict[Hashable, Turn] = {}

    def note(self) -> None:
        """Count a call that is made now."""
        turn = _CURRENT.get()
        if turn is None:
            self._made_outside.append(self._now())
        else:
            turn.made += 1
            self._made.append((self._now(), turn.is_modest))

    @property
    def recent(self) -> int:
        """Return how many calls were made in the last window."""
        since = self._now() - _WINDOW
        made = (at for at, _ in self._made)
        return sum(at > since for at in (*made, *self._made_outside))

    def take(
        self, who: Hashable, calls: int, *, is_modest: bool = False
    ) -> Turn | None:
        """Begin a turn of so many calls, if it is due or there is room for it now."""
        self._forget()
        now = self._now()
        calls = min(calls, _IN_TURNS)
        booked = self._turns.pop(who, None)
        is_due = booked is not None and booked.at <= now + _EARLY
        if not is_due and not self._has_room(now, calls, is_modest=is_modest):
            if booked is not None:
                self._turns[who] = booked
            return None
        if booked is not None and is_due:
            # The rest of them takes room that others may have by now.
            calls = min(calls, booked.calls)
        self._turns[who] = turn = Turn(now, calls, is_modest)
        return turn

    def extend(self, turn: Turn, calls: int) -> bool:
        """Announce so many more calls of a turn that has begun, if there is room."""
        has_room = self._has_room(self._now(), calls, is_modest=turn.is_modest)
        if has_room:
            turn.calls += calls
            turn.extra += calls
        return has_room

    @contextmanager
    def during(self, turn: Turn | None) -> Iterator[None]:
        """Make the calls of a turn, or some outside of any."""
        token = _CURRENT.set(turn)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def book(
        self, who: Hashable, after: float, calls: int, *, is_modest: bool = False
    ) -> float:
        """End the turn, and book the next: the first that is possible after a time.

        `after` is in seconds from now, and so is what is returned.
        """
        self._forget()
        calls = min(calls, _MODEST if is_modest else _IN_TURNS)
        self._turns.pop(who, None)
        now, every = self._now(), round(after * 1000)
        at = next(
            at
            for at in sorted(self._possible(now + every))
            if self._is_apart(at) and self._has_room(at, calls, is_modest=is_modest)
        )
        self._turns[who] = Turn(at, calls, is_modest, max(every, _APART))
        return (at - now) / 1000

    def cancel(self, who: Hashable) -> None:
        """Give back a turn."""
        self._turns.pop(who, None)

    def _possible(self, earliest: int) -> Iterator[int]:
        """Go through the moments at which something becomes possible."""
        yield earliest
        for turn in self._turns.values():
            yield max(earliest, turn.at + _APART)
        for at, _, _ in self._calls():
            yield max(earliest, at + _SPAN)

    def _is_apart(self, at: int) -> bool:
        return all(abs(at - turn.at) >= _APART for turn in self._turns.values())

    def _has_room(self, at: int, calls: int, *, is_modest: bool) -> bool:
        """Tell whether every window that sees a turn at this moment has room for it."""
        near = [each for each in self._calls() if at - _SPAN < each[0] < at + _SPAN]
        has_room = _fits(at, calls, near, _IN_TURNS)
        if not is_modest or not has_room:
            return has_room
        modest = [each for each in near if each[2]]
        return _fits(
            at, calls, modest, max(_MODEST, _IN_TURNS - self._wanted() - _SLACK)
        )

    def _wanted(self) -> int:
        """Return how many calls those will make in a window who are not modest."""
        return sum(
            turn.calls * max(1, -(-_SPAN // turn.every))
            for turn in self._turns.values()
            if not turn.is_modest
        )

    def _calls(self) -> Iterator[tuple[int, int, bool]]:
        """Go through the calls that were made, and those to come.

        When and how many, and whether in a modest turn.
        """
        for at, is_modest in self._made:
            yield at, 1, is_modest
        for turn in self._turns.values():
            if turn.left:
                yield turn.at, turn.left, turn.is_modest

    def _forget(self) -> None:
        """Forget what no window will see again."""
        since = self._now() - _SPAN
        while self._made and self._made[0][0] <= since:
            self._made.popleft()
        while self._made_outside and self._made_outside[0] <= since:
            self._made_outside.popleft()
        # Of those who never came.
        for who, turn in list(self._turns.items()):
            if turn.at <= since:
                del self._turns[who]

    def _now(self) -> int:
        return round(self._clock() * 1000)


def _fits(at: int, calls: int, near: list[tuple[int, int, bool]], most: int) -> bool:
    """Tell whether no window sees too many with some more calls at a moment."""
    ends = [at, *(end for end, _, _ in near if end > at)]
    return all(
        calls + sum(count for when, count, _ in near if end - _SPAN < when <= end)
        <= most
        for end in ends
    )
