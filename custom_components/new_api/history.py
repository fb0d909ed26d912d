"""What an account has spent by the hour, from its site's statistics and from readings.

Statistics reach back to before anybody read anything, but not every hour of them is
told: a site can keep none for a time, and tells of the last hours late
(gateway_api.md 6.7).
"""

from collections.abc import Iterable, Mapping
from operator import index
from typing import Any, Final, Self

_HOUR: Final = 3600

LONGEST: Final = 30 * 24 * _HOUR
"""How much of it is kept, in seconds."""

type Hourly = tuple[float, Mapping[int, int]]
"""From when on it is known what was spent, and what that was, raw quota by the hour.

Hours are Unix seconds of their start; those in which nothing was spent are missing.
"""


class History:
    """Keeps what the site's statistics say, whole from `since` until `until`.

    Both are starts of hours in Unix seconds, 0 where the site never said anything.
    """

    def __init__(self) -> None:
        """Start without any hour."""
        self.since = 0
        self.until = 0
        self._hours: dict[int, int] = {}

    def replace(self, hours: Mapping[int, int], since: int, now: float) -> None:
        """Take what the site says now of all hours from `since` on."""
        oldest = now - LONGEST
        kept = {
            hour: quota for hour, quota in self._hours.items() if oldest <= hour < since
        }
        self._hours = kept | {
            hour: quota for hour, quota in hours.items() if hour >= since
        }
        has_hole = self.until < since or self.until > now
        self.since = since if has_hole or not self.since else min(self.since, since)
        self.until = int(now // _HOUR) * _HOUR

    def total(self, since: float) -> int:
        """Return what the site has told of the hours since then, raw quota."""
        return sum(quota for hour, quota in self._hours.items() if hour >= since)

    def spent(
        self, read: Hourly | None, gaps: Iterable[tuple[int, int]], now: float
    ) -> Hourly:
        """Return all that is known, `read` where the site does not tell.

        In the `gaps`, from and to in Unix seconds, it kept no statistics.
        """
        read_since, readings = read or (None, {})
        since = max(self.since, now - LONGEST)
        # The last hour that was told was not over yet, and its rows come late.
        until = self.until - _HOUR
        if read_since is None or read_since > until:
            # Nothing else tells of the time since, which is short.
            until = self.until + _HOUR
        gaps = [*gaps]
        for begins, ends in gaps:
            if ends > since and (read_since is None or read_since > begins):
                since = ends

        def is_told(hour: int) -> bool:
            return not any(begins <= hour < ends for begins, ends in gaps)

        told = {
            hour: quota
            for hour, quota in self._hours.items()
            if since <= hour < until and is_told(hour)
        }
        missing = {
            hour: quota
            for hour, quota in readings.items()
            if hour >= since and (hour >= until or not is_told(hour))
        }
        if read_since is None or read_since >= since:
            return since, told | missing
        before = {hour: quota for hour, quota in readings.items() if hour < since}
        return read_since, before | told | missing

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can keep it."""
        return {
            "since": self.since,
            "until": self.until,
            "hours": {str(hour): quota for hour, quota in self._hours.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what was kept. Raises ValueError where it is damaged."""
        history = cls()
        try:
            history.since = index(data["since"])
            history.until = index(data["until"])
            history._hours = {
                int(hour): index(quota) for hour, quota in data["hours"].items()
            }
        except (AttributeError, KeyError, TypeError, ValueError) as err:
            raise ValueError("A history is damaged") from err
        return history


def evenly(quota: int, since: int, until: float) -> dict[int, int]:
    """Return what was spent in some hours of which only the sum is known.

    `since` is the start of the first of them, `until` the end of the last one, both in
    Unix seconds.
    """
    number = max(1, -int((since - until) // _HOUR))
    return {
        since + each * _HOUR: quota * (each + 1) // number - quota * each // number
        for each in range(number)
    }
