"""What stood in the books some minutes ago, for those who look into a cache."""

from collections import deque
from dataclasses import replace
from typing import Final

from .records import Key, User

_KEPT: Final = 600


class Past:
    """The figures of users and keys as they were before they moved."""

    def __init__(self) -> None:
        """Begin without a past."""
        self._until: dict[tuple[type, int], deque[tuple[float, User | Key]]] = {}

    def note(self, row: User | Key, now: float) -> None:
        """Keep a row as it was until now."""
        earlier = self._until.setdefault((type(row), row.id), deque())
        earlier.append((now, replace(row)))
        while earlier[0][0] < now - _KEPT:
            earlier.popleft()

    def then[T: (User, Key)](self, row: T, at: float) -> T:
        """Return a row as it was at a time of the last ten minutes."""
        for until, earlier in self._until.get((type(row), row.id), ()):
            if until > at and isinstance(earlier, type(row)):
                return earlier
        return row
