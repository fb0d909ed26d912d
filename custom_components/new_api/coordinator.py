"""When to ask a gateway what, and what a failure means for Home Assistant."""

from abc import abstractmethod
from asyncio import Lock, gather
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from random import uniform
from typing import Final, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry, ConfigFlowResult
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
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
    ServerTroubleError,
)
from .gateway.models import Account, AccountKey, KeyState, KeyStatus, Scope, Site
from .gateway.money import Unit

# What in the account's refusals is wrong with a credential, and with which.
_REJECTIONS: Final = {
    Refusal.INVALID: CONF_ACCESS_TOKEN,
    Refusal.USER_ID_MISSING: CONF_USER_ID,
    Refusal.USER_ID_MISMATCH: CONF_USER_ID,
}

# A refusal that may be for another reason than it seems.
_NOT_TOLD: Final = frozenset({KeyStatus.INVALID, KeyStatus.REFUSED})

# Some servers take a hiccup of their database for a wrong credential, so a second
# reading has to agree before anybody is bothered (gateway_api.md 2.1, 2.3).
_SECOND_OPINION: Final = timedelta(seconds=60)

# No site is asked more often, whatever it says.
_FLOOR: Final = timedelta(seconds=60)

# How long figures hold that cannot be read again at the moment.
_LONGEST_HOLD: Final = timedelta(hours=1)

# How old the unit may be in which a figure is read. A site's owner can change it at any
# time, and a figure in the wrong unit is a wrong figure.
_FRESH: Final = timedelta(seconds=60)
_OLDEST_UNIT: Final = timedelta(minutes=15)

# What a site did not have is asked for again after this.
_FORGET_MISSING: Final = timedelta(days=1)

# Keeps the entries of a house from asking in step.
_JITTER: Final = 0.1

REJECTED: Final = "rejected"
"""Names the rejected credential in the data of a reauth flow."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The account, and the unit of the site when it was read."""

    account: Account
    unit: Unit


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an entry, and the unit of the site when they were read.

    `configured` is None where it is not known or none is configured; `listed` is None
    where the account's list is not known. `missing` stood in the list before and not in
    this one: a list can change while its pages are read, so only the next one tells
    whether they are gone.
    """

    unit: Unit
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


class Reauth:
    """The one reauth flow that an entry can have, and which credential it is about."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Take an entry without a flow."""
        self._hass = hass
        self._entry = entry
        self._credential: str | None = None

    @callback
    def async_start(self, credential: str) -> None:
        """Ask for a credential, unless the entry asks for one already."""
        if not any(self._flows()):
            self._credential = credential
            self._entry.async_start_reauth(self._hass, data={REJECTED: credential})

    @callback
    def async_call_off(self, *credentials: str) -> None:
        """Stop asking for what is accepted again."""
        if self._credential in credentials:
            self._credential = None
            for flow in self._flows():
                self._hass.config_entries.flow.async_abort(flow["flow_id"])

    def _flows(self) -> list[ConfigFlowResult]:
        return list(self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH}))


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
            update_interval=_jittered(update_interval),
            always_update=False,
        )
        self.client = client

    @property
    def is_in_doubt(self) -> bool:
        """Whether a second reading has to tell what the last one was worth."""
        return False

    @callback
    def async_ask_again_soon(self) -> CALLBACK_TYPE:
        """Read a second time before the interval is over; return how to call it off.

        A first reading cannot ask for it itself.
        """

        async def ask(_now: datetime) -> None:
            await self.async_refresh()

        return async_call_later(self.hass, _SECOND_OPINION, ask)

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
            wait = max(timedelta(seconds=err.retry_after), _FLOOR)
        elif isinstance(err, RefusedError) and self.is_in_doubt:
            wait = _SECOND_OPINION
        else:
            return None
        return _jittered(wait).total_seconds()


class SiteCoordinator(NewApiCoordinator[Site]):
    """Asks a site what it is and in which unit it shows quota."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, client: Client) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass, entry, client, name="site", update_interval=SLOW_UPDATE_INTERVAL
        )
        self._lock = Lock()
        self._knows_missing_since = dt_util.utcnow()
        self._answered_at: datetime | None = None

    async def async_fresh(self) -> Site:
        """Return the site as it is now, for figures that are about to be read.

        Raises GatewayError where that is not known, and was not known lately.
        """
        async with self._lock:
            if self._age() > _FRESH:
                await self.async_refresh()
        if self._age() > _OLDEST_UNIT:
            raise ServerTroubleError("The site does not say in which unit it counts")
        return self.data

    def _age(self) -> timedelta:
        if self._answered_at is None:
            return timedelta.max
        return dt_util.utcnow() - self._answered_at

    @override
    async def _async_ask(self) -> Site:
        site = await self.client.site()
        before: Site | None = self.data
        now = self._answered_at = dt_util.utcnow()
        is_updated = before is not None and before.version != site.version
        if is_updated or now - self._knows_missing_since > _FORGET_MISSING:
            self.client.forget_missing()
            self._knows_missing_since = now
        if before is not None and _counts_differently(before.unit, site.unit):
            # Units and device classes stand in the registries.
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)
        return site


class AccountCoordinator(NewApiCoordinator[Balance]):
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
            name="account",
            update_interval=_balance_interval(entry),
        )
        self._site = site
        self._reauth = reauth
        self._rejections = 0

    @property
    @override
    def is_in_doubt(self) -> bool:
        """Whether the last reading rejected the token for the first time."""
        return self._rejections == 1

    @override
    async def _async_ask(self) -> Balance:
        site = await self._site.async_fresh()
        try:
            account = await self.client.account()
        except RefusedError as err:
            if err.reason in _REJECTIONS:
                self._rejections += 1
                if not self.is_in_doubt:
                    # It goes on asking: a hiccup of the site ends by itself.
                    self._reauth.async_start(_REJECTIONS[err.reason])
            raise
        self._rejections = 0
        self._reauth.async_call_off(CONF_ACCESS_TOKEN, CONF_USER_ID)
        return Balance(account, site.unit)


class KeysCoordinator(NewApiCoordinator[Keys]):
    """Asks for the keys: the configured one, and those of the account."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        reauth: Reauth,
        known: frozenset[int],
    ) -> None:
        """Initialize the coordinator; `known` are the keys that have a device."""
        super().__init__(
            hass, entry, client, name="keys", update_interval=_balance_interval(entry)
        )
        self._known = known
        self._site = site
        self._reauth = reauth
        self._has_key = CONF_API_KEY in entry.data
        self._has_account = CONF_ACCESS_TOKEN in entry.data
        self._doubt: KeyStatus | None = None
        self._is_certain = False
        self._own: KeyState | None = None
        self._own_at: datetime | None = None

    @property
    @override
    def is_in_doubt(self) -> bool:
        """Whether the last reading refused the key for the first time."""
        return self._doubt is not None and not self._is_certain

    @override
    async def _async_ask(self) -> Keys:
        site = await self._site.async_fresh()
        listed: Mapping[int, AccountKey] | None = None
        is_disabled = False
        if self._has_account:
            try:
                listed = {key.id: key for key in await self.client.keys(site)}
            except GatewayError as err:
                # The key can answer for itself.
                if not self._has_key:
                    raise
                is_disabled = isinstance(err, RefusedError)
        missing = self._missing_from(listed)
        if not self._has_key:
            return Keys(site.unit, None, listed, missing)
        own = next((key for key in (listed or {}).values() if key.configured), None)
        try:
            state = await self.client.key(site, own)
            if is_disabled and state.status in _NOT_TOLD:
                # One Hub calls a disabled account's keys unknown.
                state = KeyState(KeyStatus.OWNER_DISABLED)
            configured = self._settled(state)
        except GatewayError:
            # The list can answer for the other keys.
            if listed is None:
                raise
            configured = None
        return Keys(site.unit, configured, listed, missing)

    def _missing_from(self, listed: Mapping[int, AccountKey] | None) -> frozenset[int]:
        if listed is None:
            return frozenset()
        missing = self._known - listed.keys()
        self._known = frozenset(listed)
        return missing

    @callback
    def _settled(self, state: KeyState) -> KeyState:
        """Return what is certain of a reading. Raises GatewayError."""
        if state.status in _NOT_TOLD:
            if state.unanswered is not None:
                # Why it is refused could not be asked, so it is not known.
                raise state.unanswered
            return self._refused(state)
        # Even a key that is used up or disabled is the right one.
        self._doubt = None
        self._reauth.async_call_off(CONF_API_KEY)
        now = dt_util.utcnow()
        if state.scope is Scope.KEY:
            self._own, self._own_at = state, now
            return state
        if state.unanswered is None and self._own is None:
            return state
        # The key's own figures must not give way to those that may be its account's.
        if (
            state.status is KeyStatus.ACTIVE
            and self._own is not None
            and self._own_at is not None
            and now - self._own_at <= _LONGEST_HOLD
        ):
            return self._own
        return KeyState(state.status, name=state.name)

    @callback
    def _refused(self, state: KeyState) -> KeyState:
        """Return a refusal that a second reading has confirmed. Raises RefusedError."""
        self._is_certain = self._doubt is state.status
        self._doubt = state.status
        is_invalid = state.status is KeyStatus.INVALID
        if not self._is_certain:
            raise RefusedError(
                Refusal.INVALID if is_invalid else Refusal.UNEXPLAINED,
                HTTPStatus.UNAUTHORIZED,
            )
        if is_invalid:
            # It goes on asking: a hiccup of the site ends by itself.
            self._reauth.async_start(CONF_API_KEY)
        return state


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
        self._slowly = self.update_interval
        self._soon = _balance_interval(entry)

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
        self.update_interval = self._soon if failures else self._slowly
        models = Models(
            None if isinstance(of_key, BaseException) else of_key,
            None if isinstance(of_account, BaseException) else of_account,
        )
        if failures and models == Models():
            raise failures[0]
        return models

    async def _async_of_key(self) -> tuple[str, ...] | None:
        if not self._has_key:
            return None
        try:
            return await self.client.key_models()
        except RefusedError:
            # A key that is used up, for instance, can use none.
            return None

    async def _async_of_account(self) -> tuple[str, ...] | None:
        if self._account is None:
            return None
        balance: Balance | None = self._account.data
        if balance is None:
            raise ServerTroubleError("The account is not known yet")
        try:
            return await self.client.account_models(self._site.data, balance.account)
        except EndpointMissingError:
            return None


def _jittered(interval: timedelta) -> timedelta:
    return interval * uniform(1, 1 + _JITTER)  # noqa: S311


def _counts_differently(before: Unit, now: Unit) -> bool:
    return (before.kind, before.code, before.symbol) != (now.kind, now.code, now.symbol)


def _balance_interval(entry: ConfigEntry) -> timedelta:
    return timedelta(
        minutes=entry.options.get(CONF_UPDATE_INTERVAL, DEFAULT_UPDATE_INTERVAL)
    )
