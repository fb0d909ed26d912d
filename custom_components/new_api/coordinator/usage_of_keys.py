"""What keys have used, as the site's statistics by key say it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError
from ..gateway.models import Site
from ..gateway.usage import LONGEST_RANGE
from ..periods import HOUR, Days, now

# How long after midnight the days before are asked for anew, in seconds.
_SETTLED: Final = 2 * HOUR


class UsageOfKeys:
    """Asks for today each time, and for the days before once they are settled."""

    def __init__(self, client: Client, has_room_for: Callable[[int], bool]) -> None:
        """Begin; `has_room_for` tells whether so many calls can be made now."""
        self._client = client
        self._has_room_for = has_room_for
        self._before: _Before | None = None
        self.is_whole = False
        """Whether the last reading says all that the site tells."""

    @property
    def calls(self) -> int:
        """Return how many calls the next reading makes as a rule."""
        return 2 if self._before is None else 1

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing more is to come of the days before today."""
        return self.is_whole and self._before is not None and self._before.is_settled

    async def async_read(
        self, site: Site, days: Days
    ) -> tuple[Mapping[int, int] | None, Mapping[int, int] | None]:
        """Return what keys have used today and this month, raw quota by their ids.

        None where the site does not tell, or there is no room to ask. Raises
        GatewayError.
        """
        self.is_whole = False
        if days.today % HOUR or days.month % HOUR:
            # Sites count by the hours of UTC.
            return self._untold(days)
        if not self._has_room_for(1):
            return None, None
        try:
            today = await self._async_between(site, days.today, days.tomorrow)
        except EndpointMissingError:
            return self._untold(days)
        if self._before is not None and self._before.days != days:
            self._before = None
        if self._before is None or not self._before.is_settled:
            await self._async_read_before(site, days)
        if self._before is None:
            return today, None
        self.is_whole = True
        return today, self._before.keys + today

    async def _async_read_before(self, site: Site, days: Days) -> None:
        """Read the days of the month before today, if there is room for it."""
        if not self._has_room_for(-(-(days.today - days.month) // LONGEST_RANGE)):
            return
        keys: Counter[int] = Counter()
        for since in range(days.month, days.today, LONGEST_RANGE):
            until = min(since + LONGEST_RANGE, days.today)
            keys += await self._async_between(site, since, until)
        self._before = _Before(days, keys, now() > days.today + _SETTLED)

    def _untold(self, days: Days) -> tuple[None, None]:
        self._before, self.is_whole = _Before(days, Counter(), is_settled=True), True
        return None, None

    async def _async_between(self, site: Site, since: int, until: int) -> Counter[int]:
        keys: Counter[int] = Counter()
        for row in await self._client.usage_by_key(site, since, until - 1):
            keys[row.key_id] += row.quota
        return keys


@dataclass(frozen=True, slots=True)
class _Before:
    """What keys have used in the month before today, raw quota."""

    days: Days
    keys: Counter[int]
    is_settled: bool
