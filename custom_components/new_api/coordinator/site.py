"""What a site is, and in which unit it shows quota: read once for all entries on it."""

from asyncio import Lock
from datetime import timedelta
from time import monotonic
from typing import Final, override

from yarl import URL

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, SLOW_UPDATE_INTERVAL, View
from ..gateway.client import Client
from ..gateway.errors import GatewayError, ServerTroubleError
from ..gateway.journal import Journal
from ..gateway.models import Site
from ..gateway.money import Unit
from .base import NewApiCoordinator

# How old the unit may be in which a figure is read. A site's owner can change it at any
# time, and a figure in the wrong unit is a wrong figure. Nor is a site that has failed
# asked more often.
_FRESH: Final = timedelta(seconds=60)
_OLDEST_UNIT: Final = timedelta(minutes=15)


_READINGS: HassKey[dict[URL, SiteReading]] = HassKey(f"{DOMAIN}_site_readings")


class SiteReading:
    """What a site said of itself when it was last asked."""

    def __init__(self) -> None:
        """Start without having asked."""
        self._lock = Lock()
        self._failure: GatewayError | None = None
        self._failed_at = float("-inf")
        self.site: Site | None = None
        self.journal: Journal | None = None
        """Of the client that asked last, for all."""
        self.read_at = float("-inf")
        """When it answered, by the monotonic clock in seconds."""

    async def async_get(self, client: Client) -> Site:
        """Return what is known and still fresh, or ask. Raises GatewayError."""
        async with self._lock:
            if self.site is not None and _age(self.read_at) <= _FRESH:
                return self.site
            if self._failure is not None and _age(self._failed_at) < _FRESH:
                raise self._failure.again()
            self.journal = client.journal
            try:
                with client.budget.timetable.during(None):
                    self.site = await client.site()
            except GatewayError as err:
                self._failure, self._failed_at = err.again(), monotonic()
                raise
            self._failure, self.read_at = None, monotonic()
            return self.site


class SiteCoordinator(NewApiCoordinator[Site]):
    """Knows a site for an entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, client: Client) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass, entry, client, view=View.SITE, poll_interval=SLOW_UPDATE_INTERVAL
        )
        self._reading = async_site_reading(hass, entry)
        self._lock = Lock()
        self._read_at = float("-inf")

    async def async_fresh(self) -> Site:
        """Return the site as it is now, for figures that are about to be read.

        Raises GatewayError where that is not known, and was not known lately.
        """
        async with self._lock:
            if _age(self._read_at) > _FRESH:
                await self.async_refresh()
        if _age(self._read_at) > _OLDEST_UNIT:
            raise ServerTroubleError("The site does not say in which unit it counts")
        return self.data

    @override
    async def _async_ask(self) -> Site:
        site = await self._reading.async_get(self.client)
        self._read_at = self._reading.read_at
        before: Site | None = self.data
        if before is not None and _counts_differently(before.unit, site.unit):
            # Units and device classes stand in the registries.
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)
        self.issues.async_site(site)
        return site


@callback
def async_site_reading(hass: HomeAssistant, entry: ConfigEntry) -> SiteReading:
    """Return what the site of an entry said of itself, to whichever entry on it."""
    base = URL(entry.data[CONF_URL])
    return hass.data.setdefault(_READINGS, {}).setdefault(base, SiteReading())


def _age(at: float) -> timedelta:
    age = monotonic() - at
    return timedelta.max if age == float("inf") else timedelta(seconds=age)


def _counts_differently(before: Unit, now: Unit) -> bool:
    return (before.kind, before.code, before.symbol) != (now.kind, now.code, now.symbol)
