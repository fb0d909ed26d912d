"""What the site offers to the account, and what is still to come of its payments."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import SLOW_UPDATE_INTERVAL, View
from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError
from ..gateway.offers import CheckIn
from .account import AccountCoordinator
from .detail import DetailCoordinator
from .site import SiteCoordinator

RATIOS: Final = "ratios"
"""The context of who wants to know what the groups of the site pay."""

_USUAL_CALLS: Final = 2


@dataclass(frozen=True, slots=True)
class Offers:
    """The daily reward, payments that are not complete, and the ratios of the groups.

    None where the site does not have it, or it was not asked for.
    """

    check_in: CheckIn | None
    pending_top_ups: int | None
    ratios: Mapping[str, Decimal | None] | None


class OffersCoordinator(DetailCoordinator[Offers]):
    """Asks what is on offer."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        account: AccountCoordinator,
    ) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass,
            entry,
            client,
            site,
            account,
            view=View.OFFERS,
            poll_interval=SLOW_UPDATE_INTERVAL,
            calls=_USUAL_CALLS,
        )

    @override
    def _holds(self, reading: Offers) -> bool:
        """Tell whether a reading says all that somebody wants to know by now."""
        return reading.ratios is not None or RATIOS not in self.async_contexts()

    @override
    async def _async_update_data(self) -> Offers:
        # Who wants to know is known only now.
        wanted = RATIOS in self.async_contexts()
        self._calls = self._usual_calls = _USUAL_CALLS + wanted
        return await super()._async_update_data()

    @override
    async def _async_ask(self) -> Offers:
        site = self._site.data
        check_in: CheckIn | None = None
        pending: int | None = None
        ratios: Mapping[str, Decimal | None] | None = None
        with suppress(EndpointMissingError):
            check_in = await self.client.check_in(site, f"{dt_util.now():%Y-%m}")
        with suppress(EndpointMissingError):
            pending = await self.client.pending_top_ups(site)
        if RATIOS in self.async_contexts() and self._has_room_for(1):
            ratios = {}
            with suppress(EndpointMissingError):
                ratios = await self.client.groups(site)
        offers = Offers(check_in, pending, ratios)
        if not self._holds(offers):
            self._come_back_soon()
        return offers
