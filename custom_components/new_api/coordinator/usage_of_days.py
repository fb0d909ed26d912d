"""What models have used on days of the site's own (One API, One Hub)."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Final

from homeassistant.util import dt as dt_util

from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError
from ..gateway.models import Family, Site
from ..gateway.usage import ModelDay, ModelUsage
from ..history import evenly
from ..memory import Memory
from ..periods import Days, hour_of, midnight, now

_NONE: Final[Sequence[ModelDay]] = ()


class UsageOfDays:
    """Asks for the days of the site, which may not be those of the person."""

    def __init__(
        self, client: Client, has_room_for: Callable[[int], bool], memory: Memory
    ) -> None:
        """Begin; `has_room_for` tells whether so many calls can be made now."""
        self._client = client
        self._has_room_for = has_room_for
        self._memory = memory
        # The last day on which the days of the site were not ours, and what its log
        # says of the time until midnight: on which day, since when, and how much.
        self._not_ours: Days | None = None
        self._until_midnight: tuple[Days, int, int] | None = None
        self._rows = _NONE

    @property
    def whole(self) -> Sequence[ModelDay]:
        """Return what was read of days that are not cut off, as the first of them is.

        It is where the site is not in UTC.
        """
        first = min((row.day for row in self._rows), default=None)
        return [row for row in self._rows if row.day != first]

    @property
    def today(self) -> Sequence[ModelDay]:
        """Return what was read of today."""
        today = dt_util.now().date()
        return [row for row in self._rows if row.day == today]

    async def async_read(self, site: Site) -> None:
        """Read what the site tells, which can be nothing. Raises GatewayError."""
        self._rows = _NONE
        with suppress(EndpointMissingError):
            self._rows = await self._client.usage_by_day(site)

    async def async_are_ours(self, site: Site, days: Days) -> bool:
        """Tell whether the site's day began when ours did, and ends when ours does.

        That is so as long as its days before today and its log say the same of the
        time until midnight here, for which the log is asked once a day. If they differ
        only in a time in which nothing was used, it shows as soon as something is.
        Raises GatewayError.
        """
        today, logged = dt_util.now().date(), self._memory.logged
        past = [row for row in self.whole if row.day < today]
        if (
            site.family is Family.ONE_API
            and logged is not None
            and logged.day == days.today
            and sum(row.quota for row in self.today) < logged.amount
        ):
            # It counts its log, so that it counts by days of its own.
            self._not_ours = days
        if self._not_ours == days or not past:
            return False
        since = midnight(min(row.day for row in past))
        if self._until_midnight is None or self._until_midnight[:2] != (days, since):
            if not self._has_room_for(1):
                return False
            spent = await self._client.spent(site, since, days.today - 1)
            self._until_midnight = (days, since, spent.quota)
        before = sum(row.quota for row in past)
        is_tomorrow = any(row.day > today for row in self._rows)
        if is_tomorrow or not before == self._until_midnight[2] > 0:
            self._not_ours = days
        return self._not_ours != days


def at_midnight(rows: Sequence[ModelDay]) -> list[ModelUsage]:
    """Return what was used on days as used in the hours that they begin with."""
    return [
        ModelUsage(
            row.model, hour_of(midnight(row.day)), row.quota, row.requests, row.tokens
        )
        for row in rows
    ]


def spread(rows: Sequence[ModelDay]) -> Counter[int]:
    """Spread what was used on days over their hours, as far as they have come."""
    days: Counter[date] = Counter()
    for row in rows:
        days[row.day] += row.quota
    hours: Counter[int] = Counter()
    for day, quota in days.items():
        until = min(midnight(day + timedelta(days=1)), now())
        # Not every midnight is on an hour, which is then of two days.
        hours.update(evenly(quota, hour_of(midnight(day)), until))
    return hours
