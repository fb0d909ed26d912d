"""The balance of the account."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ACCESS_TOKEN
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_USER_ID, View
from ..gateway.client import Client
from ..gateway.errors import Refusal, RefusedError
from ..gateway.models import Account, AccountStatus
from ..gateway.money import Unit
from .base import TurnCoordinator, balance_interval
from .reauth import Reauth
from .site import SiteCoordinator

# What in the account's refusals is wrong with a credential, and with which.
_REJECTIONS: Final = {
    Refusal.INVALID: CONF_ACCESS_TOKEN,
    Refusal.USER_ID_MISSING: CONF_USER_ID,
    Refusal.USER_ID_MISMATCH: CONF_USER_ID,
}

# How many readings have to agree that the token is another account's, where the account
# was known before. A token never changes its owner, but a cache on the way mixes up
# replies (1.5); a site that was set up anew, on the other hand, has new numbers.
_MIXED_UP: Final = 6


@dataclass(frozen=True, slots=True)
class Balance:
    """The account, and the unit of the site when it was read.

    `account` is None while the site has disabled it: its figures are not known then.
    """

    account: Account | None
    unit: Unit
    status: AccountStatus = AccountStatus.ACTIVE


class AccountCoordinator(TurnCoordinator[Balance]):
    """Asks for the balance of the account."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        reauth: Reauth,
    ) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass,
            entry,
            client,
            view=View.ACCOUNT,
            poll_interval=balance_interval(entry),
            calls=1,
        )
        self._site = site
        self._reauth = reauth
        self._rejections = 0
        self._verdict: tuple[Refusal, int] | None = None

    @property
    @override
    def is_in_doubt(self) -> bool:
        """Whether the last reading rejected the token for the first time."""
        return self._rejections == 1

    @override
    def _holds(self, reading: Balance) -> bool:
        """Tell whether the site still counts in the unit of a reading."""
        return reading.unit == self._site.data.unit

    @override
    async def _async_ask(self) -> Balance:
        site = await self._site.async_fresh()
        try:
            balance = Balance(await self.client.account(), site.unit)
        except RefusedError as err:
            if err.reason is not Refusal.OWNER_DISABLED:
                self._reject(err)
                raise
            balance = Balance(None, site.unit, AccountStatus.DISABLED)
        self._rejections = 0
        self._reauth.async_call_off(CONF_ACCESS_TOKEN, CONF_USER_ID)
        return balance

    @callback
    def _reject(self, err: RefusedError) -> None:
        """Ask for another credential when enough readings have rejected this one."""
        if err.reason not in _REJECTIONS:
            return
        # Only readings that say the same agree.
        verdict = (err.reason, err.status)
        self._rejections = self._rejections + 1 if verdict == self._verdict else 1
        self._verdict = verdict
        credential = _REJECTIONS[err.reason]
        enough = 2
        if err.status == HTTPStatus.OK and credential == CONF_USER_ID:
            enough = _MIXED_UP
            if CONF_USER_ID not in self.config_entry.data:
                credential = CONF_ACCESS_TOKEN
        if self._rejections >= enough:
            # It goes on asking: a hiccup of the site ends by itself.
            self._reauth.async_start(credential)
