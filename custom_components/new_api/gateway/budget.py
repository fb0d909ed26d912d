"""What may still be asked of a site, shared by everything that asks it.

Servers count by the address of the caller, so all entries on one site share what the
site grants, and so do the people of the same household (gateway_api.md 1.6).
"""

from asyncio import Semaphore
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import Enum
from time import monotonic
from typing import Final

from .errors import RateLimitedError


class Bucket(Enum):
    """The counters of a server."""

    GENERAL = "general"
    """`/api/*` and billing."""
    CRITICAL = "critical"
    """`/api/usage/token/`, with the logins of the household."""
    MODELS = "models"
    """`/v1/models`, which no server limits, but a proxy may."""


# How long to wait where a server does not say: its whole window, in seconds.
WINDOWS: Final = {
    Bucket.GENERAL: 180.0,
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

    @asynccontextmanager
    async def spend(self, bucket: Bucket, *, reserve: int = 0) -> AsyncIterator[None]:
        """Hold a place for one request, or raise RateLimitedError.

        A critical call leaves `reserve` of them for others with a better reason.
        """
        async with self._slots:
            self._require(bucket, reserve)
            if bucket is Bucket.CRITICAL:
                # It counts in both.
                self._require(Bucket.GENERAL, 0)
                self._critical_calls.append(self._clock())
            yield

    def close(self, bucket: Bucket, retry_after: float | None) -> RateLimitedError:
        """Ask nothing of a bucket for a time, and return the error that says so.

        Without a time of the server's it is the whole window: servers count either
        from the first call or from each (gateway_api.md 1.6).
        """
        wait = min(retry_after or WINDOWS[bucket], _LONGEST_WAIT)
        until = self._clock() + wait
        self._closed_until[bucket] = max(until, self._closed_until.get(bucket, until))
        return RateLimitedError(wait)

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
