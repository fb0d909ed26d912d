"""What the owner of the site tells its users, and how its services are."""

from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import SLOW_UPDATE_INTERVAL, View
from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError, GatewayError
from ..gateway.models import Site
from ..gateway.news import Announcement, Monitor
from ..memory import Memory
from .base import balance_interval
from .detail import DetailCoordinator
from .site import SiteCoordinator

MONITOR: Final = "_monitor_"
"""What stands in the unique ids of those who want to know how a service is."""

# Of a site that announces something every day, years.
_MOST_SEEN: Final = 1000


@dataclass(frozen=True, slots=True)
class News:
    """What was told for the first time with this reading, oldest first; the monitors.

    `notice` is None where it is not new.
    """

    announcements: tuple[Announcement, ...] = ()
    notice: str | None = None
    monitors: tuple[Monitor, ...] = ()


class NewsCoordinator(DetailCoordinator[News]):
    """Asks what is new, and how the services are while somebody looks at them."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        memory: Memory,
    ) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass,
            entry,
            client,
            site,
            site,
            view=View.NEWS,
            poll_interval=SLOW_UPDATE_INTERVAL,
            calls=2,
        )
        self._memory = memory
        entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if any(
            MONITOR in entity.unique_id and entity.disabled_by is None
            for entity in entities
        ):
            self.poll_interval = balance_interval(entry)

    @override
    def _lasting(self, reading: News) -> News:
        """Return a reading without what was new in it."""
        return replace(reading, announcements=(), notice=None)

    @override
    async def _async_ask(self) -> News:
        site = self._site.data
        asked = (self._async_notice(), self._async_monitors(site))
        notice, monitors = await gather(*asked, return_exceptions=True)
        for outcome in (notice, monitors):
            if isinstance(outcome, BaseException) and not isinstance(
                outcome, GatewayError
            ):
                raise outcome
        # Other servers answer for the monitors, and the announcements are known.
        self._tell("the notice", notice)
        self._tell("the monitors", monitors)
        return News(
            self._new_announcements(site.announcements),
            None if isinstance(notice, BaseException) else self._new_notice(notice),
            () if isinstance(monitors, BaseException) else monitors,
        )

    async def _async_notice(self) -> str | None:
        try:
            return await self.client.notice()
        except EndpointMissingError:
            return None

    async def _async_monitors(self, site: Site) -> tuple[Monitor, ...]:
        if not site.has_monitors:
            return ()
        try:
            return await self.client.monitors(site)
        except EndpointMissingError:
            return ()

    @callback
    def _new_announcements(
        self, announcements: Sequence[Announcement]
    ) -> tuple[Announcement, ...]:
        """Return those that were not told before, and note that they are now."""
        told = {
            _digest(each.published, each.content): each
            # Sites write the newest first.
            for each in reversed(announcements)
        }
        new = self._unseen("announcements", [*told])
        return tuple(each for digest, each in told.items() if digest in new)

    @callback
    def _new_notice(self, notice: str | None) -> str | None:
        """Return the notice if it was not told before, and note that it is now."""
        told = [] if notice is None else [_digest(None, notice)]
        return notice if self._unseen("notices", told) else None

    @callback
    def _unseen(self, kind: str, told: Sequence[str]) -> frozenset[str]:
        """Return the digests that are new, and note that they are not any more."""
        seen = self._memory.news.get(kind)
        # What was told before somebody listened is no news.
        new = frozenset(told).difference(told if seen is None else seen)
        if seen is None or new:
            # What is announced now is kept, however much that is.
            older = [digest for digest in seen or () if digest not in told]
            self._memory.news[kind] = [*older[-_MOST_SEEN:], *told]
            self._memory.async_changed(was_told=True)
        return new


def _digest(published: str | None, content: str) -> str:
    return sha256(f"{published}\n{content}".encode()).hexdigest()[:16]
