"""What may still be asked of a site, shared by everything that asks it.

Servers count by the address of the caller, so all entries on one site share what the
site grants, and so do the people of the same household (gateway_api.md 1.6).
"""

from asyncio import Semaphore
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from time import monotonic
from typing import Any, Final

from .errors import RateLimitedError
from .timetable import WINDOW, Timetable


class Bucket(StrEnum):
    """The counters of a server."""

    GENERAL = "general"
    """`/api/*` and billing."""
    CRITICAL = "critical"
    """`/api/usage/token/`, with the logins of the household."""
    MODELS = "models"
    """`/v1/models`, which no server limits, but a proxy may."""


# How long to wait where a server does not say: its whole window, in seconds.
WINDOWS: Final = {
    Bucket.GENERAL: WINDOW,
    Bucket.CRITICAL: 1200.0,
    Bucket.MODELS: 180.0,
}

# Of the 20 critical calls per window. The rest is for the people who log in.
CRITICAL_CALLS: Final = 4

_AT_ONCE: Final = 4

# What we wait at most, whatever a server says.
_LONGEST_WAIT: Final = 86_400.0


class Budget:
    """The budget of one origin."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Start with everything allowed; `clock` gives seconds."""
        self._clock = clock
        self._slots = Semaphore(_AT_ONCE)
        self._closed_until: dict[Bucket, float] = {}
        self._critical_calls: deque[float] = deque(maxlen=CRITICAL_CALLS)
        self.timetable = Timetable(clock)
        self.on_change: Callable[[], None] | None = None
        """Called when there is something to be remembered over a restart."""

    @asynccontextmanager
    async def spend(self, bucket: Bucket, *, reserve: int = 0) -> AsyncIterator[None]:
        """Hold a place for one request, or raise RateLimitedError.

        A critical call leaves `reserve` of them for others with a better reason.
        """
        async with self._slots:
            self.count(bucket, reserve=reserve)
            yield

    def count(self, bucket: Bucket, *, reserve: int = 0) -> None:
        """Count one more request in a place that is held: to where a redirect leads.

        Raises RateLimitedError.
        """
        self._require(bucket, reserve)
        if bucket is Bucket.CRITICAL:
            # It counts in both.
            self._require(Bucket.GENERAL, 0)
            self._critical_calls.append(self._clock())
            self._changed()
        if bucket is not Bucket.MODELS:
            self.timetable.note()

    def close(self, bucket: Bucket, retry_after: float | None) -> RateLimitedError:
        """Ask nothing of a bucket for a time, and return the error that says so.

        Without a time of the server's it is the whole window: servers count either
        from the first call or from each (gateway_api.md 1.6).
        """
        wait = min(retry_after or WINDOWS[bucket], _LONGEST_WAIT)
        until = self._clock() + wait
        self._closed_until[bucket] = max(until, self._closed_until.get(bucket, until))
        self._changed()
        return RateLimitedError(wait)

    def state(self) -> dict[str, Any]:
        """Return what was spent of the budget, and what is closed for how long.

        Times are in seconds from now; a call is so many seconds old.
        """
        now = self._clock()
        return {
            "general_calls": self.timetable.recent,
            "critical_calls": [
                now - call
                for call in self._critical_calls
                if call + WINDOWS[Bucket.CRITICAL] > now
            ],
            "closed": {
                bucket.value: until - now
                for bucket, until in self._closed_until.items()
                if until > now
            },
        }

    def restore(self, state: Mapping[str, Any], passed: float) -> None:
        """Take up where another budget of this origin stopped, so many seconds ago."""
        now = self._clock() - max(0.0, passed)
        for age in state["critical_calls"]:
            self._critical_calls.append(now - age)
        for bucket, wait in state["closed"].items():
            self._closed_until[Bucket(bucket)] = now + min(wait, _LONGEST_WAIT)

    def _require(self, bucket: Bucket, reserve: int) -> None:
        now = self._clock()
        wait = self._closed_until.get(bucket, now) - now
        if bucket is Bucket.CRITICAL:
            allowed = CRITICAL_CALLS - reserve
            recent = [
                call for call in self._critical_calls if call + WINDOWS[bucket] > now
            ]
            if len(recent) >= allowed:
                wait = max(wait, recent[-allowed] + WINDOWS[bucket] - now)
        if wait > 0:
            raise RateLimitedError(wait)

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()
