"""The balance of the account."""

from dataclasses import dataclass, replace
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
from ..income import Gain
from ..memory import Memory
from ..periods import now
from .base import TurnCoordinator, balance_interval
from .incoming import ACCOUNT_LEDGER, CALLS, Income, Incoming
from .reauth import Reauth
from .site import SiteCoordinator
from .stillness import Counters

# What in the account's refusals is wrong with a credential, and with which.
_REJECTIONS: Final = {
    Refusal.INVALID: CONF_ACCESS_TOKEN,
    Refusal.USER_ID_MISSING: CONF_USER_ID,
    Refusal.USER_ID_MISMATCH: CONF_USER_ID,
}

# How many readings have to agree that the token is wrong, where the site says so in a
# 200: such servers say the same while their database is away (gateway_api.md 2.3).
_HICCUP: Final = 3

# How many readings have to agree that the token is another account's, where the account
# was known before. A token never changes its owner, but a cache on the way mixes up
# replies (1.5); a site that was set up anew, on the other hand, has new numbers.
_MIXED_UP: Final = 6

REQUESTS_LEDGER: Final = "requests"
"""The name of the ledger of its requests."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The account, and the unit of the site when it was read.

    `account` is None while the site has disabled it: its figures are not known then.
    `income` is what came in, noticed with this reading.
    """

    account: Account | None
    unit: Unit
    status: AccountStatus = AccountStatus.ACTIVE
    income: Income | None = None


class AccountCoordinator(TurnCoordinator[Balance]):
    """Asks for the balance of the account."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        reauth: Reauth,
        memory: Memory,
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
        self._memory = memory
        self.incoming = Incoming(client, memory)
        """What comes into it, which has to know of plans."""
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

    @property
    def counters(self) -> Counters | None:
        """Return what the account has used, and how often; None where not known."""
        balance: Balance | None = self.data
        account = None if balance is None else balance.account
        return None if account is None else (account.used_quota, account.request_count)

    @property
    @override
    def has_figures(self) -> bool:
        """Whether the account was read, and is not disabled."""
        balance: Balance | None = self.data
        return super().has_figures and (balance is None or balance.account is not None)

    @override
    def _adopted(self, reading: Balance) -> Balance:
        """Return a reading of a form, from which on everything is counted."""
        if reading.account is not None:
            self._note(reading.account)
        return reading

    @override
    def _lasting(self, reading: Balance) -> Balance:
        """Return a reading without what was noticed with it."""
        return replace(reading, income=None)

    @override
    async def _async_ask(self) -> Balance:
        site = await self._site.async_fresh()
        try:
            account = await self.client.account()
        except RefusedError as err:
            if err.reason is not Refusal.OWNER_DISABLED:
                self._reject(err)
                raise
            account = None
        self._rejections = 0
        self._reauth.async_call_off(CONF_ACCESS_TOKEN, CONF_USER_ID)
        if account is None:
            return Balance(None, site.unit, AccountStatus.DISABLED)
        income: Income | None = None
        gain = self._note(account)
        if gain is not None and self._has_room_for(CALLS):
            income = await self.incoming.async_look_into(site, gain)
        return Balance(account, site.unit, income=income)

    @callback
    def _note(self, account: Account) -> Gain | None:
        """Note what the account has spent, and return what seems to have come in."""
        memory = self._memory
        spent = memory.ledger(ACCOUNT_LEDGER).read(account.used_quota, now())
        requests = memory.ledger(REQUESTS_LEDGER).read(account.request_count, now())
        # A fall is believed only after a time, with a reading that says nothing new.
        self.always_update = spent or requests
        memory.async_changed()
        return self.incoming.note(account)

    @callback
    def _reject(self, err: RefusedError) -> None:
        """Ask for another credential when enough readings have rejected this one."""
        if err.reason not in _REJECTIONS or not self._site.last_update_success:
            # Who does not even say what it is says nothing of the token.
            return
        # Only readings that say the same agree.
        verdict = (err.reason, err.status)
        self._rejections = self._rejections + 1 if verdict == self._verdict else 1
        self._verdict = verdict
        credential = _REJECTIONS[err.reason]
        enough = 2
        if err.status == HTTPStatus.OK:
            enough = _HICCUP
            if credential == CONF_USER_ID:
                enough = _MIXED_UP
                if CONF_USER_ID not in self.config_entry.data:
                    credential = CONF_ACCESS_TOKEN
        if self._rejections >= enough:
            # It goes on asking: a hiccup of the site ends by itself.
            self._reauth.async_start(credential)
