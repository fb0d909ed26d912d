"""A loop in which waiting takes no time."""

import asyncio
from collections.abc import Mapping
import selectors
from typing import Any, override


class StuckError(Exception):
    """Everything waits, and nothing will ever happen: a hang without a time-out."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer where nothing else is left to do.

    Its time is in seconds, and starts at 0.
    """

    def __init__(self) -> None:
        """Start at 0."""
        self._now = 0.0
        super().__init__(_Selector(self))
        # Coarser than a double is at any time reached, or no timer would be due.
        self._clock_resolution = 1e-4

    @override
    def time(self) -> float:
        return self._now

    def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        self._now += seconds


class _Selector(selectors.BaseSelector):
    """Waits for no file, only for the time."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    @override
    def register(
        self, fileobj: Any, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    @override
    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    @override
    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    @override
    def close(self) -> None:
        self._real.close()

    @override
    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StuckError("Everything waits, and nothing will ever happen")
        if timeout > 0:
            self._loop.pass_time(timeout)
        return []
