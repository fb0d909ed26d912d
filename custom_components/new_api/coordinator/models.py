"""The models that the key and the account can use."""

from asyncio import gather
from dataclasses import dataclass, replace
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant, callback

from ..const import SLOW_UPDATE_INTERVAL, View
from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError, GatewayError, RefusedError
from ..gateway.models import KeyStatus
from ..memory import Memory
from .account import AccountCoordinator, Balance
from .base import TurnCoordinator
from .keys import Keys, KeysCoordinator
from .site import SiteCoordinator


@dataclass(frozen=True, slots=True)
class Models:
    """The models of the key and of the account; None where not known.

    `added` and `removed` are what has changed with this reading, of the account's where
    there is one.
    """

    key: tuple[str, ...] | None = None
    account: tuple[str, ...] | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class ModelsCoordinator(TurnCoordinator[Models]):
    """Asks which models the key and the account can use."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        keys: KeysCoordinator,
        account: AccountCoordinator | None,
        memory: Memory,
    ) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass,
            entry,
            client,
            view=View.MODELS,
            poll_interval=SLOW_UPDATE_INTERVAL,
            calls=0 if account is None else 1,
        )
        self._site = site
        self._account = account
        self._keys = keys
        self._memory = memory
        self._absent: frozenset[str] = frozenset()

    @override
    def _lasting(self, reading: Models) -> Models:
        """Return a reading without what has changed with it."""
        return replace(reading, added=(), removed=())

    @override
    async def _async_ask(self) -> Models:
        questions = (self._async_of_key(), self._async_of_account())
        of_key, of_account = await gather(*questions, return_exceptions=True)
        failures = [
            each for each in (of_key, of_account) if isinstance(each, BaseException)
        ]
        for failure in failures:
            if not isinstance(failure, GatewayError):
                raise failure
        # What could not be read is asked for again before the hour is over.
        if failures or self._awaits_account():
            self._come_back_soon()
        models = Models(
            None if isinstance(of_key, BaseException) else of_key,
            None if isinstance(of_account, BaseException) else of_account,
        )
        if failures and models == Models():
            raise failures[0]
        self._tell("the models of the key", of_key)
        self._tell("the models of the account", of_account)
        return self._with_changes(models)

    @callback
    def _with_changes(self, models: Models) -> Models:
        """Return a reading with what has changed since those before.

        Lists are not stable (gateway_api.md 4.1): who is missing once is not gone yet.
        """
        listed, whose = models.key, self._keys.own_ledger
        if self._account is not None:
            listed, whose = models.account, "account"
        if listed is None:
            return models
        known, now = self._memory.models.get(whose), frozenset(listed)
        if not now:
            # A site that shows none at all has trouble, and has not lost each of them.
            if known:
                self._come_back_soon()
            return models
        if known is None:
            self._memory.models[whose] = now
            self._memory.async_changed(was_told=True)
            return models
        absent = known - now
        added, removed = now - known, absent & self._absent
        self._absent = absent
        if absent - removed:
            self._come_back_soon()
        if added or removed:
            self._memory.models[whose] = (known | added) - removed
            self._memory.async_changed(was_told=True)
        return replace(
            models, added=tuple(sorted(added)), removed=tuple(sorted(removed))
        )

    async def _async_of_key(self) -> tuple[str, ...] | None:
        if CONF_API_KEY not in self.config_entry.data:
            return None
        try:
            return await self.client.key_models()
        except RefusedError:
            keys: Keys | None = self._keys.data
            key = None if keys is None else keys.configured
            if key is None or key.status is KeyStatus.ACTIVE:
                raise
            # A key that is used up, for instance, can use none.
            return None

    async def _async_of_account(self) -> tuple[str, ...] | None:
        if self._account is None or self._awaits_account():
            return None
        balance: Balance | None = self._account.data
        account = None if balance is None else balance.account
        if balance is not None and account is None:
            # Disabled, it can use none.
            return None
        group = None if account is None else account.group
        try:
            return await self.client.account_models(self._site.data, group)
        except EndpointMissingError:
            return None

    def _awaits_account(self) -> bool:
        """Tell whether the account has to be known first, and is not."""
        return (
            self._account is not None
            and self.client.needs_group(self._site.data)
            and self._account.data is None
        )
