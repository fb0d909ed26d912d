"""The times in which a source of spending did not tell all."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, Self

# What is older than any period that is shown; in seconds.
_OLDEST: Final = 40 * 24 * 3600


class Source(StrEnum):
    """What tells of spending. The statistics are made of what is logged."""

    LOG = "log"
    STATISTICS = "statistics"


class Gaps:
    """Times apart from each other, from and to in Unix seconds, oldest first."""

    def __init__(self) -> None:
        """Start without any."""
        self._times: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Return all of them."""
        return iter(self._times)

    def add(self, since: int, until: int) -> None:
        """Add a time, which becomes one with those that it touches."""
        apart = []
        for begins, ends in self._times:
            if ends < since or begins > until:
                apart.append((begins, ends))
            else:
                since, until = min(since, begins), max(until, ends)
        self._times = sorted(
            each for each in (*apart, (since, until)) if each[1] > until - _OLDEST
        )

    def overlap(self, since: float, until: float) -> bool:
        """Tell whether one of them has a part of a time."""
        return any(begins < until and ends > since for begins, ends in self._times)

    def as_list(self) -> list[list[int]]:
        """Return all of them as JSON can keep them."""
        return [[*each] for each in self._times]

    @classmethod
    def from_list(cls, kept: Iterable[Iterable[int]]) -> Self:
        """Return what was kept. Raises ValueError where it is damaged."""
        gaps = cls()
        for since, until in kept:
            gaps.add(since, until)
        return gaps
