"""The keys: the configured one, and those of the account."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from time import monotonic
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY
from homeassistant.core import HomeAssistant, callback

from ..const import View
from ..gateway.client import Client
from ..gateway.credentials import Credentials
from ..gateway.errors import GatewayError, Refusal, RefusedError
from ..gateway.families import counts_unlimited_keys
from ..gateway.models import AccountKey, KeyState, KeyStatus, Scope, Site
from ..gateway.money import Unit
from ..memory import Memory
from ..periods import now
from .base import TurnCoordinator, balance_interval
from .reauth import Reauth
from .site import SiteCoordinator

# A refusal that may be for another reason than it seems.
_NOT_TOLD: Final = frozenset({KeyStatus.INVALID, KeyStatus.REFUSED})

# How many calls a key needs that has to answer for itself.
_ALONE: Final = 3

# How long figures hold that cannot be read again at the moment, in seconds.
_LONGEST_HOLD: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an entry, and the unit of the site when they were read.

    `configured` is None where it is not known or none is configured; `listed` is None
    where the account's list is not known. `missing` stood in the list before and not in
    this one: a list can change while its pages are read, so only the next one tells
    whether they are gone. `own_id` is the id of the configured key, as a list has told
    it last.
    """

    unit: Unit
    configured: KeyState | None = None
    listed: Mapping[int, AccountKey] | None = None
    missing: frozenset[int] = frozenset()
    own_id: int | None = None

    @property
    def others(self) -> Mapping[int, AccountKey]:
        """Return the keys of the account apart from the configured one, by id."""
        return {
            number: key
            for number, key in (self.listed or {}).items()
            if not key.configured
        }


def ledger_of_key(number: int) -> str:
    """Return the name of the ledger of a key of the account."""
    return f"key_{number}"


class KeysCoordinator(TurnCoordinator[Keys]):
    """Asks for the keys: the configured one, and those of the account."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        reauth: Reauth,
        memory: Memory,
        known: frozenset[int],
    ) -> None:
        """Initialize the coordinator; `known` are the keys that have a device."""
        has_account = CONF_ACCESS_TOKEN in entry.data
        super().__init__(
            hass,
            entry,
            client,
            view=View.KEYS,
            poll_interval=balance_interval(entry),
            # The list and the state of the key; or billing and the key's own figures.
            calls=2 if has_account else _ALONE,
        )
        self._known = known
        self._site = site
        self._reauth = reauth
        self._memory = memory
        self._has_key = CONF_API_KEY in entry.data
        self._has_account = has_account
        self.own_ledger = ""
        """The name of the ledger of the configured key, one for each key there was."""
        if self._has_key:
            credentials = Credentials(key=entry.data[CONF_API_KEY])
            self.own_ledger = f"key_{credentials.key_digest}"
            memory.async_note_own(self.own_ledger)
        self._own_id: int | None = None
        self._doubt: KeyStatus | None = None
        self._is_certain = False
        self._own: KeyState | None = None
        self._own_at = 0.0
        self._is_held = False

    @property
    @override
    def is_in_doubt(self) -> bool:
        """Whether the last reading refused the key for the first time."""
        return self._doubt is not None and not self._is_certain

    @override
    def _holds(self, reading: Keys) -> bool:
        """Tell whether the site still counts in the unit of a reading."""
        return reading.unit == self._site.data.unit

    @override
    def _adopted(self, reading: Keys) -> Keys:
        """Return a reading with what is missing from its list."""
        self._note(self._site.data, reading.configured, reading.listed)
        missing = self._follow_list(reading.listed)
        return replace(reading, missing=missing, own_id=self._own_id)

    @override
    async def _async_ask(self) -> Keys:
        site = await self._site.async_fresh()
        listed, why_not = await self._async_listed(site)
        missing = self._follow_list(listed)
        configured: KeyState | None = None
        failure: GatewayError | None = None
        if self._has_key:
            try:
                configured = await self._async_configured(site, listed, why_not)
            except GatewayError as err:
                # The list can answer for the other keys.
                if listed is None:
                    raise
                failure = err
        if failure is None:
            self.issues.async_key(configured)
        self._tell("the configured key", failure)
        # An account that the site has disabled is a state of it.
        is_refused = isinstance(why_not, RefusedError)
        self._tell("the list of keys", None if is_refused else why_not)
        self._note(site, configured, listed)
        return Keys(site.unit, configured, listed, missing, self._own_id)

    def ledger_of(self, configured: KeyState) -> str:
        """Return the name of the ledger for a state of the configured key.

        A key that shows its account's figures counts something else than its own.
        """
        is_account = configured.scope is Scope.ACCOUNT
        return f"{self.own_ledger}_account" if is_account else self.own_ledger

    @callback
    def _note(
        self,
        site: Site,
        configured: KeyState | None,
        listed: Mapping[int, AccountKey] | None,
    ) -> None:
        """Note what the keys have used, where they count it."""
        at = now()
        states = {
            ledger_of_key(number): key.as_state()
            for number, key in (listed or {}).items()
        }
        if configured is not None and not self._is_held:
            states[self.ledger_of(configured)] = configured
        counted = []
        for name, state in states.items():
            if state.unlimited and not counts_unlimited_keys(site.family):
                # What it spends stands nowhere, should it have a limit again.
                self._memory.async_forget_ledger(name)
            elif state.used_quota is not None:
                counted.append(self._memory.ledger(name).read(state.used_quota, at))
        # A fall is believed only after a time, with a reading that says nothing new.
        self.always_update = any(counted)
        self._memory.async_changed()

    async def _async_listed(
        self, site: Site
    ) -> tuple[Mapping[int, AccountKey] | None, GatewayError | None]:
        """Return the account's keys, or why they are not known.

        Raises GatewayError where nothing else is asked for.
        """
        if not self._has_account:
            return None, None
        try:
            return {key.id: key for key in await self.client.keys(site)}, None
        except GatewayError as err:
            # The key can answer for itself.
            if not self._has_key and not isinstance(err, RefusedError):
                raise
            return None, err

    async def _async_configured(
        self,
        site: Site,
        listed: Mapping[int, AccountKey] | None,
        why_not: GatewayError | None,
    ) -> KeyState:
        own = next((key for key in (listed or {}).values() if key.configured), None)
        if why_not is not None and not self._has_room_for(_ALONE):
            raise why_not
        state = await self.client.key(site, own)
        if isinstance(why_not, RefusedError) and state.status in _NOT_TOLD:
            # One Hub calls a disabled account's keys unknown.
            state = KeyState(KeyStatus.OWNER_DISABLED)
        return self._settled(state, has_source=why_not is None)

    def _follow_list(self, listed: Mapping[int, AccountKey] | None) -> frozenset[int]:
        """Note which keys there are, and return those that are missing now."""
        if listed is None:
            return frozenset()
        self._own_id = next((key.id for key in listed.values() if key.configured), None)
        missing = self._known - listed.keys()
        self._known = frozenset(listed)
        return missing

    @callback
    def _settled(self, state: KeyState, *, has_source: bool) -> KeyState:
        """Return what is certain of a reading. Raises GatewayError.

        Where the list that usually tells is not known, `has_source` is false.
        """
        if state.status in _NOT_TOLD or state.is_inferred:
            if state.unanswered is not None:
                # Why it is refused could not be asked, so it is not known.
                raise state.unanswered
            return self._refused(state)
        # Even a key that is used up or disabled is the right one.
        self._doubt = None
        self._is_held = False
        self._reauth.async_call_off(CONF_API_KEY)
        at = monotonic()
        if state.scope is Scope.KEY:
            self._own, self._own_at = state, at
            return state
        if has_source and state.unanswered is None and self._own is None:
            return state
        # The key's own figures must not give way to those that may be its account's.
        if (
            self._own is not None
            and self._own.status is state.status is KeyStatus.ACTIVE
            and at - self._own_at <= _LONGEST_HOLD
        ):
            # What was used since then is not read yet.
            self._is_held = True
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
        if is_invalid and self._site.last_update_success:
            # It goes on asking: a hiccup of the site ends by itself.
            self._reauth.async_start(CONF_API_KEY)
        return state
