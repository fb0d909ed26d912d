"""What the site offers to the account, and what is still to come of its payments."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import SLOW_UPDATE_INTERVAL, View
from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError, GatewayError, RefusedError
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

    None where the site does not have it, has failed, or was not asked for it.
    """

    check_in: CheckIn | None = None
    pending_top_ups: int | None = None
    ratios: Mapping[str, Decimal | None] | None = None


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
        site, client = self._site.data, self.client
        check_in = await _answer(client.check_in(site, f"{dt_util.now():%Y-%m}"))
        pending = await _answer(client.pending_top_ups(site))
        ratios: Mapping[str, Decimal | None] | GatewayError | None = None
        if RATIOS in self.async_contexts() and self._has_room_for(1):
            ratios = await _answer(client.groups(site)) or {}
        parts = {
            "the check-in": check_in,
            "pending top-ups": pending,
            "the ratios of groups": ratios,
        }
        failures = [each for each in parts.values() if isinstance(each, GatewayError)]
        offers = Offers(
            None if isinstance(check_in, GatewayError) else check_in,
            None if isinstance(pending, GatewayError) else pending,
            None if isinstance(ratios, GatewayError) else ratios,
        )
        if failures and offers == Offers():
            raise failures[0]
        for name, outcome in parts.items():
            self._tell(name, outcome)
        if failures or not self._holds(offers):
            self._come_back_soon()
        return offers


async def _answer[T](question: Awaitable[T]) -> T | GatewayError | None:
    """Return the answer, or why there is none; None where the site does not have it.

    Raises RefusedError, which is about the account.
    """
    try:
        return await question
    except EndpointMissingError:
        return None
    except RefusedError:
        raise
    except GatewayError as err:
        return err
