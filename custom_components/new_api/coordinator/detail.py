"""What the coordinators have in common that ask for more than the figures."""

from datetime import timedelta
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import UpdateFailed

from ..const import View
from ..gateway.client import Client
from ..gateway.errors import GatewayError, RefusedError
from .base import NewApiCoordinator, TurnCoordinator
from .site import SiteCoordinator


class DetailCoordinator[DataT](TurnCoordinator[DataT]):
    """Asks only while the view works that it adds to.

    A site that is down is not asked by everybody, and one line of the log is enough.
    """

    is_modest = True

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        leader: NewApiCoordinator[Any],
        *,
        view: View,
        poll_interval: timedelta,
        calls: int,
    ) -> None:
        """Initialize a coordinator that adds to what `leader` reads."""
        super().__init__(
            hass, entry, client, view=view, poll_interval=poll_interval, calls=calls
        )
        self._site = site
        self._leader = leader
        self._is_stale = False
        self._comes_back = False
        self._refusals = 0

    @property
    @override
    def is_current(self) -> bool:
        """Whether it was read since the view it adds to has failed, if that has."""
        return super().is_current and self._leader.has_figures and not self._is_stale

    @override
    @callback
    def async_begin(self) -> bool:
        """Tell whether a first reading can be had now; first come all the balances."""
        # Not before, since it books its next turn for those who listen.
        self.config_entry.async_on_unload(
            self._leader.async_add_listener(self._async_leader_read)
        )
        leader: Any = self._leader.data
        if leader is None and not self.config_entry.pref_disable_polling:
            self._pause(self._soon)
            return False
        return super().async_begin()

    @override
    def _first_reading(self) -> DataT | None:
        """Return what was read before a reload, so that only balances are read anew."""
        reading = super()._first_reading()
        return self._kept() if reading is None else reading

    @override
    def _is_first_of_nobody(self) -> bool:
        """Tell that none is asked for where there is no room."""
        return False

    @override
    async def _async_update_data(self) -> DataT:
        self.always_update = False
        if not self._leader.has_figures or not await self._async_site_is_there():
            self._pause(self._soon)
            return self._unasked()
        try:
            return await super()._async_update_data()
        except UpdateFailed as err:
            if not isinstance(err.__cause__, RefusedError):
                raise
            # It is for the leader to tell what that means, which it soon will.
            self._refusals += 1
            if self._refusals > 1:
                self._tell("details", err.__cause__)
            self._become_stale()
            return self._unasked()

    @override
    async def _async_answer(self) -> DataT:
        reading = await super()._async_answer()
        self._refusals = 0
        self._tell("details", None)
        if self._is_stale:
            # The same as before the failure is news, too.
            self._is_stale, self.always_update = False, True
        return reading

    @callback
    def _become_stale(self) -> None:
        if not self._is_stale:
            self._is_stale = True
            self.async_update_listeners()

    async def _async_site_is_there(self) -> bool:
        try:
            await self._site.async_fresh()
        except GatewayError:
            return False
        return self._site.last_update_success

    @callback
    def _async_leader_read(self) -> None:
        """Show nothing any more that was read before the leader has failed."""
        if not self._leader.has_figures:
            self._comes_back = False
            self._become_stale()
        elif self._is_stale and not self._comes_back:
            # The next turn may be in an hour.
            self._comes_back = True
            self._pause(timedelta())
            self._schedule_refresh()
