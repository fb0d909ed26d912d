"""When to ask a gateway what, and what a failure means for Home Assistant."""

from abc import abstractmethod
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from random import uniform
from typing import Final, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .const import (
    CONF_UPDATE_INTERVAL,
    CONF_USER_ID,
    DEFAULT_UPDATE_INTERVAL,
    DOMAIN,
    LOGGER,
    SLOW_UPDATE_INTERVAL,
)
from .failures import failure_of
from .gateway.client import Client
from .gateway.errors import (
    EndpointMissingError,
    GatewayError,
    RateLimitedError,
    Refusal,
    RefusedError,
)
from .gateway.models import Account, AccountKey, KeyState, KeyStatus, Site

# Some servers take a hiccup of their database for a wrong credential, so a second
# reading has to agree before anybody is bothered (gateway_api.md 2.1, 2.3).
_SECOND_OPINION: Final = timedelta(seconds=60)

# How long figures hold for which the site grants no question at the moment.
_LONGEST_HOLD: Final = timedelta(hours=1)

# What a site did not have is asked for again after this.
_FORGET_MISSING: Final = timedelta(days=1)

# Keeps the entries of a house from asking in step.
_JITTER: Final = 0.1

REJECTED: Final = "rejected"
"""Names the rejected credential in the data of a reauth flow."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an entry: the configured one, and all of the account.

    `configured` is None where it is not known or none is configured; `listed` is None
    where the account's list is not known. `missing` stood in the list before and not in
    this one: a list can change while its pages are read, so only the next one tells
    whether they are gone.
    """

    configured: KeyState | None = None
    listed: Mapping[int, AccountKey] | None = None
    missing: frozenset[int] = frozenset()

    @property
    def others(self) -> Mapping[int, AccountKey]:
        """Return the keys of the account apart from the configured one, by id."""
        return {
            number: key
            for number, key in (self.listed or {}).items()
            if not key.configured
        }


@dataclass(frozen=True, slots=True)
class Models:
    """The models of the key and of the account; None where not known."""

    key: tuple[str, ...] | None = None
    account: tuple[str, ...] | None = None


class NewApiCoordinator[DataT](DataUpdateCoordinator[DataT]):
    """Asks a gateway one kind of question at its own pace."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        *,
        name: str,
        update_interval: timedelta,
    ) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{entry.title} {name}",
            update_interval=update_interval * uniform(1, 1 + _JITTER),  # noqa: S311
            always_update=False,
        )
        self.client = client
        self._rejections = 0

    @property
    def is_in_doubt(self) -> bool:
        """Whether the last reading refused a credential for the first time."""
        return self._rejections == 1

    @abstractmethod
    async def _async_ask(self) -> DataT:
        """Ask the gateway. Raises GatewayError."""

    @override
    async def _async_update_data(self) -> DataT:
        """Ask the gateway and translate what went wrong."""
        try:
            return await self._async_ask()
        except GatewayError as err:
            key, placeholders = failure_of(err)
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key=key,
                translation_placeholders=placeholders,
                retry_after=self._retry_after_of(err),
            ) from err

    def _retry_after_of(self, err: GatewayError) -> float | None:
        if isinstance(err, RateLimitedError):
            return err.retry_after
        if isinstance(err, RefusedError) and self.is_in_doubt:
            return _SECOND_OPINION.total_seconds()
        return None

    @callback
    def _async_rejected(self, credential: str) -> bool:
        """Note that a credential was rejected, and tell whether that is certain.

        The coordinator goes on asking: what was a hiccup of the site ends by itself.
        """
        self._rejections += 1
        if self._rejections == 1:
            return False
        self.config_entry.async_start_reauth(self.hass, data={REJECTED: credential})
        return True

    @callback
    def _async_accepted(self) -> None:
        """Note that the credential was accepted, and call off what that answers."""
        if self._rejections > 1:
            for flow in self.config_entry.async_get_active_flows(
                self.hass, {SOURCE_REAUTH}
            ):
                self.hass.config_entries.flow.async_abort(flow["flow_id"])
        self._rejections = 0


class SiteCoordinator(NewApiCoordinator[Site]):
    """Asks a site what it is and in which unit it shows quota."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, client: Client) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass, entry, client, name="site", update_interval=SLOW_UPDATE_INTERVAL
        )
        self._knows_missing_since = dt_util.utcnow()

    @override
    async def _async_ask(self) -> Site:
        site = await self.client.site()
        is_updated = self.data is not None and self.data.version != site.version
        now = dt_util.utcnow()
        if is_updated or now - self._knows_missing_since > _FORGET_MISSING:
            self.client.forget_missing()
            self._knows_missing_since = now
        return site


class AccountCoordinator(NewApiCoordinator[Account]):
    """Asks for the balance of the account."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, client: Client) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass,
            entry,
            client,
            name="account",
            update_interval=_balance_interval(entry),
        )

    @override
    async def _async_ask(self) -> Account:
        try:
            account = await self.client.account()
        except RefusedError as err:
            if err.reason is Refusal.INVALID:
                self._async_rejected(CONF_ACCESS_TOKEN)
            elif err.reason is not Refusal.OWNER_DISABLED:
                self._async_rejected(CONF_USER_ID)
            raise
        self._async_accepted()
        return account


class KeysCoordinator(NewApiCoordinator[Keys]):
    """Asks for the keys: the configured one, and those of the account."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
    ) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass, entry, client, name="keys", update_interval=_balance_interval(entry)
        )
        self._site = site
        self._has_key = CONF_API_KEY in entry.data
        self._has_account = CONF_ACCESS_TOKEN in entry.data
        self._asked_all_at: datetime | None = None

    @override
    async def _async_ask(self) -> Keys:
        site = self._site.data
        listed: Mapping[int, AccountKey] | None = None
        if self._has_account:
            try:
                listed = {key.id: key for key in await self.client.keys(site)}
            except GatewayError:
                # The key can answer for itself.
                if not self._has_key:
                    raise
        missing = self._missing_from(listed)
        if not self._has_key:
            return Keys(listed=listed, missing=missing)
        own = next((key for key in (listed or {}).values() if key.configured), None)
        try:
            configured = await self._async_ask_key(site, own)
        except GatewayError:
            # The list can answer for the other keys.
            if listed is None:
                raise
            configured = None
        return Keys(configured, listed, missing)

    def _missing_from(self, listed: Mapping[int, AccountKey] | None) -> frozenset[int]:
        before = self.data.listed if self.data is not None else None
        if before is None or listed is None:
            return frozenset()
        return frozenset(before.keys() - listed.keys())

    async def _async_ask_key(self, site: Site, listed: AccountKey | None) -> KeyState:
        state = await self.client.key(site, listed)
        if state.status is KeyStatus.INVALID:
            if not self._async_rejected(CONF_API_KEY):
                raise RefusedError(Refusal.INVALID, HTTPStatus.UNAUTHORIZED)
        elif state.status is not KeyStatus.REFUSED:
            # Even a key that is used up or disabled is the right one.
            self._async_accepted()
        now = dt_util.utcnow()
        if not state.is_incomplete:
            self._asked_all_at = now
            return state
        # What the key itself said before holds for a while: its figures must not give
        # way to those that may be its account's.
        before = self.data.configured if self.data is not None else None
        if (
            before is not None
            and self._asked_all_at is not None
            and now - self._asked_all_at <= _LONGEST_HOLD
        ):
            return before
        return KeyState(state.status)


class ModelsCoordinator(NewApiCoordinator[Models]):
    """Asks which models the key and the account can use."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        account: AccountCoordinator | None,
    ) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass, entry, client, name="models", update_interval=SLOW_UPDATE_INTERVAL
        )
        self._site = site
        self._account = account
        self._has_key = CONF_API_KEY in entry.data

    @override
    async def _async_ask(self) -> Models:
        failures: list[GatewayError] = []

        async def ask(question: Awaitable[tuple[str, ...]]) -> tuple[str, ...] | None:
            try:
                return await question
            except EndpointMissingError, RefusedError:
                return None
            except GatewayError as err:
                failures.append(err)
                return None

        of_key = await ask(self.client.key_models()) if self._has_key else None
        of_account = (
            await ask(self.client.account_models(self._site.data, self._account.data))
            if self._account is not None and self._account.last_update_success
            else None
        )
        if failures and of_key is None and of_account is None:
            raise failures[0]
        return Models(of_key, of_account)


def _balance_interval(entry: ConfigEntry) -> timedelta:
    return timedelta(
        minutes=entry.options.get(CONF_UPDATE_INTERVAL, DEFAULT_UPDATE_INTERVAL)
    )
