"""How often a gateway lets itself be asked."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Final


class Bucket(StrEnum):
    """The counters a request can use up; one of each per caller."""

    API = "GA"
    WEB = "GW"
    CRITICAL = "CT"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls in so many seconds."""

    calls: int
    seconds: int


type Rates = Mapping[Bucket, Rate]

UNLIMITED: Final[Rates] = {}

_ENVIRONMENT: Final = {
    "GLOBAL_API_RATE_LIMIT": Bucket.API,
    "GLOBAL_WEB_RATE_LIMIT": Bucket.WEB,
    "CRITICAL_RATE_LIMIT": Bucket.CRITICAL,
}


def from_environment(environment: Mapping[str, str]) -> Rates:
    """Read rates as the recordings note them: `40 per 180 s`."""
    rates: dict[Bucket, Rate] = {}
    for name, value in environment.items():
        found = re.match(r"(\d+) per (\d+) s", value)
        if found and name in _ENVIRONMENT:
            rates[_ENVIRONMENT[name]] = Rate(int(found[1]), int(found[2]))
    return rates


class Limiter:
    """Counts calls in a sliding window, as gateways without Redis do."""

    def __init__(self, rates: Rates, clock: Callable[[], float]) -> None:
        """Start with every bucket full."""
        self.rates = dict(rates)
        self._clock = clock
        self._taken: dict[Bucket, deque[float]] = {each: deque() for each in Bucket}

    def take(self, bucket: Bucket) -> bool:
        """Count one call; return whether it was still allowed."""
        left = self.left(bucket)
        # Refused calls do not count.
        if left:
            self._taken[bucket].append(self._clock())
        return left != 0

    def left(self, bucket: Bucket) -> int | None:
        """Return how many calls are left just now, None for any number."""
        rate = self.rates.get(bucket)
        if rate is None:
            return None
        taken = self._taken[bucket]
        while taken and taken[0] <= self._clock() - rate.seconds:
            taken.popleft()
        return max(0, rate.calls - len(taken))

    def drain(self, bucket: Bucket) -> None:
        """Use up what is left, as somebody else behind the same address can."""
        while self.left(bucket):
            self.take(bucket)

    def retry_after(self, bucket: Bucket) -> int:
        """Return what a refusal says: the whole window, however much is over."""
        return self.rates[bucket].seconds
