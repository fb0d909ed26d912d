"""What models have used by the hour, read back in pieces that a server can tell."""

from collections.abc import Callable, Sequence
from typing import Final

from ..gateway.client import Client
from ..gateway.errors import TooLargeError
from ..gateway.models import Site
from ..gateway.usage import LONGEST_RANGE, ModelUsage
from ..periods import HOUR, hour_of, now

# A month of a busy account is larger than is good for anybody, so the first piece says
# how large others can be.
_FIRST_PIECE: Final = 3 * 24 * HOUR
_SMALLEST_PIECE: Final = 24 * HOUR
_MOST_ROWS: Final = 3_000

# Rows come some minutes late.
_AGAIN: Final = 2 * HOUR


class UsageOfModels:
    """Reads from this hour back to one of the past, over as many turns as it takes."""

    def __init__(self, client: Client, has_room_for: Callable[[int], bool]) -> None:
        """Begin; `has_room_for` tells whether so many calls can be made now."""
        self._client = client
        self._has_room_for = has_room_for
        self._piece = _FIRST_PIECE
        self._rows: list[ModelUsage] = []
        self._until = 0
        self._had_room = True
        self.begins = 0
        """Back to which hour it is to be read, in Unix seconds of its start."""
        self.since = 0
        """Back to which one it was."""

    @property
    def rows(self) -> Sequence[ModelUsage]:
        """Return what was read."""
        return self._rows

    @property
    def is_whole(self) -> bool:
        """Tell whether everything was read, up to now."""
        return self._had_room and self._is_read_back

    @property
    def missing(self) -> int:
        """Return in how many pieces the rest can be read."""
        return -((self.begins - self.since) // self._piece)

    @property
    def _is_read_back(self) -> bool:
        return self.since <= self.begins

    def forget(self) -> None:
        """Forget what was read, since the site does not tell it any more."""
        self._rows, self.begins, self.since, self._until = [], 0, 0, 0
        self._had_room = True

    async def async_read(self, site: Site, begins: int, *, spare: int) -> bool:
        """Read back to the hour that begins then, as far as there is room for it now.

        Goes on where the last turn ended, and leaves `spare` calls to others. Returns
        whether there was room for anything. Raises GatewayError.
        """
        self._had_room = self._has_room_for(1 + spare)
        if not self._had_room:
            return False
        until = hour_of(now()) + HOUR
        again = max(self.since, self._until - _AGAIN)
        if (
            self._is_read_back
            or self._until == self.since
            or until - again > self._piece
        ):
            furthest = hour_of(now() - LONGEST_RANGE) + HOUR
            self._rows, self.begins = [], max(begins, furthest)
            self.since = self._until = until
        elif self._until != until:
            # What was begun in another hour lacks this one, and some of that.
            found = await self._client.usage_by_hour(site, again, until - 1)
            self._rows = [*(row for row in self._rows if row.start < again), *found]
            self._until = until
        while not self._is_read_back and self._has_room_for(1 + spare):
            since = max(self.begins, self.since - self._piece)
            try:
                found = await self._client.usage_by_hour(site, since, self.since - 1)
            except TooLargeError:
                if self._piece <= HOUR:
                    raise
                self._piece = hour_of(self._piece // 2)
                continue
            self._piece = _next_piece(self.since - since, len(found))
            self._rows.extend(found)
            self.since = since
        return True


def _next_piece(piece: int, rows: int) -> int:
    """Return how much to ask for after a piece that had so many rows."""
    fitting = hour_of(piece * _MOST_ROWS // max(rows, 1))
    return min(max(fitting, _SMALLEST_PIECE), LONGEST_RANGE)
