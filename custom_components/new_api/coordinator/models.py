"""The models that the key and the account can use."""

from asyncio import gather
from dataclasses import dataclass
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant

from ..const import SLOW_UPDATE_INTERVAL, View
from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError, GatewayError, RefusedError
from ..gateway.models import KeyStatus
from .account import AccountCoordinator, Balance
from .base import TurnCoordinator, balance_interval
from .keys import Keys, KeysCoordinator
from .site import SiteCoordinator


@dataclass(frozen=True, slots=True)
class Models:
    """The models of the key and of the account; None where not known."""

    key: tuple[str, ...] | None = None
    account: tuple[str, ...] | None = None


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
        self._soon = balance_interval(entry)

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
        is_whole = not failures and not self._awaits_account()
        self.poll_interval = SLOW_UPDATE_INTERVAL if is_whole else self._soon
        models = Models(
            None if isinstance(of_key, BaseException) else of_key,
            None if isinstance(of_account, BaseException) else of_account,
        )
        if failures and models == Models():
            raise failures[0]
        self._tell("the models of the key", of_key)
        self._tell("the models of the account", of_account)
        return models

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
