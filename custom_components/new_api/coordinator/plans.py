"""The plans that the account has subscribed to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..const import SLOW_UPDATE_INTERVAL, View
from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError
from ..gateway.money import Unit
from ..gateway.plans import Plan
from .account import AccountCoordinator
from .base import balance_interval
from .detail import DetailCoordinator
from .site import SiteCoordinator


@dataclass(frozen=True, slots=True)
class Plans:
    """The active plans by their ids, None where the site knows of no plans.

    `missing` were active before and are not in this reading: sites answer with none
    where their database fails (gateway_api.md 6.8), so only the next one tells whether
    they are over. `wallet_pays` is whether the wallet ever pays for requests.
    """

    unit: Unit
    active: Mapping[int, Plan] | None
    wallet_pays: bool = True
    missing: frozenset[int] = frozenset()


class PlansCoordinator(DetailCoordinator[Plans]):
    """Asks for the plans: as often as for the balance while there is one."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        account: AccountCoordinator,
        known: frozenset[int],
    ) -> None:
        """Initialize the coordinator; `known` are the plans that have a device."""
        super().__init__(
            hass,
            entry,
            client,
            site,
            account,
            view=View.PLANS,
            poll_interval=balance_interval(entry) if known else SLOW_UPDATE_INTERVAL,
            calls=1,
        )
        self._incoming = account.incoming
        self._known = known

    @override
    def _holds(self, reading: Plans) -> bool:
        """Tell whether the site still counts in the unit of a reading."""
        return reading.unit == self._site.data.unit

    @override
    def _adopted(self, reading: Plans) -> Plans:
        """Return a reading of before, of which the account has to know."""
        self._incoming.note_plans((reading.active or {}).values())
        return reading

    @override
    async def _async_ask(self) -> Plans:
        site = self._site.data
        try:
            found = await self.client.plans(site)
        except EndpointMissingError:
            self._incoming.note_plans(())
            return Plans(site.unit, None)
        active = {plan.id: plan for plan in found.plans}
        missing = self._known - active.keys()
        self._known = frozenset(active)
        self._incoming.note_plans(active.values())
        self.poll_interval = self._soon if active or missing else SLOW_UPDATE_INTERVAL
        return Plans(site.unit, active, found.wallet_pays, missing)
