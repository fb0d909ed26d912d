"""What a gateway answers to what a person enters in a form."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from yarl import URL

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY, CONF_URL
from homeassistant.core import HomeAssistant, callback

from .connection import async_create_client
from .const import CONF_KEY_DEVICES, CONF_USER_ID, DOMAIN, MANY_KEYS, View
from .coordinator import Balance, Keys, async_keep
from .data import NewApiConfigEntry
from .devices import ALL_KEYS, NO_KEYS
from .failures import failure_of
from .gateway.address import parse_address
from .gateway.client import Client
from .gateway.credentials import Credentials
from .gateway.errors import (
    GatewayError,
    InvalidAddressError,
    InvalidCredentialError,
    MovedError,
    NotAGatewayError,
    Refusal,
    RefusedError,
)
from .gateway.models import Account, AccountKey, KeyState, KeyStatus, Site
from .identity import account_id_of, account_identity, key_identity

_FIELD_OF_CREDENTIAL: Final = {
    "key": CONF_API_KEY,
    "user_id": CONF_USER_ID,
    "access_token": CONF_ACCESS_TOKEN,
}

# A key in one of these states is right, so it is set up and shows its state.
_ACCEPTED: Final = frozenset(
    {
        KeyStatus.ACTIVE,
        KeyStatus.EXHAUSTED,
        KeyStatus.EXPIRED,
        KeyStatus.DISABLED,
    }
)

_ERROR_OF_STATUS: Final = {
    KeyStatus.INVALID: "invalid_api_key",
    KeyStatus.IP_RESTRICTED: "ip_restricted",
    KeyStatus.OWNER_DISABLED: "owner_disabled",
    KeyStatus.REFUSED: "api_key_refused",
}

_ERROR_OF_ACCOUNT: Final = {
    Refusal.INVALID: (CONF_ACCESS_TOKEN, "invalid_access_token"),
    Refusal.USER_ID_MISSING: (CONF_USER_ID, "user_id_required"),
    Refusal.USER_ID_MISMATCH: (CONF_USER_ID, "user_id_mismatch"),
    Refusal.OWNER_DISABLED: (CONF_ACCESS_TOKEN, "account_disabled"),
    Refusal.UNEXPLAINED: ("base", "refused"),
}


class FormError(Exception):
    """Something is wrong with a field of the form."""

    def __init__(self, field: str, error: str, **placeholders: str) -> None:
        """Keep the field and the translation key of the error."""
        super().__init__(error)
        self.field = field
        self.error = error
        self.placeholders = placeholders


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway answers to what a person gave."""

    base: URL
    credentials: Credentials
    site: Site
    account: Account | None
    key: KeyState | None
    keys: Mapping[int, AccountKey]

    @property
    def unique_id(self) -> str:
        """Return what tells this account, or else this key, from all others."""
        if self.account is not None:
            return account_identity(self.base, self.account.id)
        return key_identity(self.base, self.credentials.key_digest or "")

    @property
    def title(self) -> str:
        """Return what a person would call it."""
        site = self.site.name or self.base.host or str(self.base)
        if self.account is not None:
            return f"{site} ({self.account.username or self.account.id})"
        if self.key is not None and self.key.name:
            return f"{site} ({self.key.name})"
        return site

    @property
    def data(self) -> dict[str, str]:
        """Return what an entry keeps."""
        kept = {
            CONF_URL: str(self.base),
            CONF_API_KEY: self.credentials.key,
            CONF_USER_ID: self.credentials.user_id,
            CONF_ACCESS_TOKEN: self.credentials.access_token,
        }
        return {name: value for name, value in kept.items() if value is not None}

    @property
    def options(self) -> dict[str, str]:
        """Return the options that an entry with this account starts with."""
        if self.account is None:
            return {}
        many = len(self.keys) > MANY_KEYS
        return {CONF_KEY_DEVICES: NO_KEYS if many else ALL_KEYS}

    @callback
    def async_hand_over(
        self, hass: HomeAssistant, data: Mapping[str, Any] | None = None
    ) -> None:
        """Let the entry start with what was read, so that the site is not asked twice.

        `data` is what the entry keeps, where not all of it was asked about. What is in
        doubt is left to a second reading.
        """
        unit, key = self.site.unit, self.key
        data = self.data if data is None else data
        if self.account is not None:
            balance = Balance(self.account, unit)
            async_keep(hass, data, View.ACCOUNT, balance, is_for_start=True)
        is_certain = key is None or (
            key.status in _ACCEPTED and not (key.unanswered or key.is_inferred)
        )
        if is_certain and data.keys() == self.data.keys():
            listed = None if self.account is None else self.keys
            keys = Keys(unit, key, listed)
            async_keep(hass, data, View.KEYS, keys, is_for_start=True)


def read_form(user_input: Mapping[str, Any]) -> tuple[URL, Credentials]:
    """Return the site and the credentials that were entered. Raises FormError."""
    try:
        base = parse_address(user_input[CONF_URL])
    except InvalidAddressError as err:
        raise FormError(CONF_URL, "invalid_url") from err
    try:
        credentials = Credentials.from_text(
            key=user_input.get(CONF_API_KEY),
            user_id=user_input.get(CONF_USER_ID),
            access_token=user_input.get(CONF_ACCESS_TOKEN),
        )
    except InvalidCredentialError as err:
        raise FormError(_FIELD_OF_CREDENTIAL[err.field], "invalid_characters") from err
    if credentials.user_id is not None:
        if credentials.access_token is None:
            raise FormError(CONF_ACCESS_TOKEN, "access_token_required")
        if not credentials.user_id.isdecimal():
            raise FormError(CONF_USER_ID, "user_id_not_a_number")
        # Nobody means another number by a zero in front of it.
        number = credentials.user_id.lstrip("0") or "0"
        credentials = replace(credentials, user_id=number)
    if credentials.key is None and credentials.access_token is None:
        raise FormError("base", "nothing_given")
    return base, credentials


async def async_ask(hass: HomeAssistant, base: URL, credentials: Credentials) -> Answer:
    """Ask a gateway about all that a person gave. Raises FormError."""
    client = await async_create_client(hass, base, credentials)
    try:
        site = await client.site()
    except GatewayError as err:
        raise _error_of_site(err) from err
    try:
        account, keys = await _ask_account(client, site, credentials)
        key = await _ask_key(client, site, credentials, keys)
    except GatewayError as err:
        error, placeholders = failure_of(err)
        raise FormError("base", error, **placeholders) from err
    return Answer(base, credentials, site, account, key, keys)


def is_key_configured(
    hass: HomeAssistant, answer: Answer, own: ConfigEntry | None = None
) -> bool:
    """Tell whether another entry shows this key, alone or with its account."""
    digest = answer.credentials.key_digest
    return digest is not None and any(
        (own is None or entry.entry_id != own.entry_id)
        and entry.data[CONF_URL] == str(answer.base)
        and Credentials(key=entry.data.get(CONF_API_KEY)).key_digest == digest
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    )


def require_own(hass: HomeAssistant, entry: NewApiConfigEntry, answer: Answer) -> None:
    """Raise FormError where this would be another entry's account or key."""
    known = account_id_of(entry)
    if known is not None and answer.account is not None:
        username = _username_of(entry)
        # On another site, the same number is nobody's name.
        has_moved = entry.data[CONF_URL] != str(answer.base)
        if known != answer.account.id or (
            has_moved and username not in (None, answer.account.username)
        ):
            raise FormError(CONF_ACCESS_TOKEN, "other_account")
    other = hass.config_entries.async_entry_for_domain_unique_id(
        DOMAIN, answer.unique_id
    )
    is_taken = other is not None and other.entry_id != entry.entry_id
    if is_taken or is_key_configured(hass, answer, entry):
        raise FormError("base", "already_configured")


def _username_of(entry: NewApiConfigEntry) -> str | None:
    if entry.state is not ConfigEntryState.LOADED or not entry.runtime_data.account:
        return None
    balance: Balance | None = entry.runtime_data.account.balance.data
    if balance is None or balance.account is None:
        return None
    return balance.account.username


def _error_of_site(err: GatewayError) -> FormError:
    error, placeholders = failure_of(err)
    is_about_address = isinstance(err, MovedError | NotAGatewayError)
    return FormError(
        CONF_URL if is_about_address or error == "cannot_connect" else "base",
        error,
        **placeholders,
    )


async def _ask_account(
    client: Client, site: Site, credentials: Credentials
) -> tuple[Account | None, Mapping[int, AccountKey]]:
    if credentials.access_token is None:
        return None, {}
    try:
        account = await client.account()
    except RefusedError as err:
        field, error = _ERROR_OF_ACCOUNT[err.reason]
        raise FormError(field, error) from err
    return account, {key.id: key for key in await client.keys(site)}


async def _ask_key(
    client: Client,
    site: Site,
    credentials: Credentials,
    keys: Mapping[int, AccountKey],
) -> KeyState | None:
    if credentials.key is None:
        return None
    listed = next((key for key in keys.values() if key.configured), None)
    state = await client.key(site, listed)
    if listed is not None:
        # The account shows what the key may not.
        return state
    if state.status is KeyStatus.REFUSED and state.unanswered is not None:
        raise state.unanswered
    if state.status not in _ACCEPTED:
        raise FormError(CONF_API_KEY, _ERROR_OF_STATUS[state.status])
    return state
