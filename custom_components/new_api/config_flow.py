"""Config flow for New API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, override

import probatio
from yarl import URL

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY, CONF_URL
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .connection import async_create_client
from .const import (
    CONF_KEY_DEVICES,
    CONF_KEYS,
    CONF_UPDATE_INTERVAL,
    CONF_USER_ID,
    DEFAULT_UPDATE_INTERVAL,
    DEFAULT_URL,
    DOMAIN,
    MANY_KEYS,
    MAX_UPDATE_INTERVAL,
    MIN_UPDATE_INTERVAL,
)
from .coordinator import REJECTED, Balance
from .data import NewApiConfigEntry
from .devices import ALL_KEYS, KEY_DEVICES, NO_KEYS
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

_TEXT: Final = TextSelector()
_PASSWORD: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)

_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_URL, default=DEFAULT_URL): TextSelector(
            TextSelectorConfig(type=TextSelectorType.URL)
        ),
        probatio.Optional(probatio.Secret(CONF_API_KEY)): _PASSWORD,
        probatio.Optional(CONF_USER_ID): _TEXT,
        probatio.Optional(probatio.Secret(CONF_ACCESS_TOKEN)): _PASSWORD,
    }
)

# A reauth asks for what was rejected only. Where the user ID does not fit the token,
# either of them may be wrong.
_REAUTH_SCHEMAS: Final = {
    CONF_API_KEY: probatio.Schema(
        {probatio.Required(probatio.Secret(CONF_API_KEY)): _PASSWORD}
    ),
    CONF_ACCESS_TOKEN: probatio.Schema(
        {probatio.Required(probatio.Secret(CONF_ACCESS_TOKEN)): _PASSWORD}
    ),
    CONF_USER_ID: probatio.Schema(
        {
            probatio.Required(CONF_USER_ID): _TEXT,
            probatio.Required(probatio.Secret(CONF_ACCESS_TOKEN)): _PASSWORD,
        }
    ),
}

# Stands in a form for a secret that is kept as it is, so that it is not shown.
_KEPT: Final = "•" * 8

_SECRETS: Final = (CONF_API_KEY, CONF_ACCESS_TOKEN)
_ABOUT_KEY: Final = (CONF_URL, CONF_API_KEY)
_ABOUT_ACCOUNT: Final = (CONF_URL, CONF_USER_ID, CONF_ACCESS_TOKEN)

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
    key_count: int

    @property
    def unique_id(self) -> str:
        """Return what tells this account, or else this key, from all others."""
        if self.account is not None:
            return account_identity(self.base, self.account.id)
        return key_identity(self.base, self.credentials.key_digest(self.base) or "")

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
        many = self.key_count > MANY_KEYS
        return {CONF_KEY_DEVICES: NO_KEYS if many else ALL_KEYS}


class NewApiConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up an account or a key of a gateway."""

    VERSION = 1

    _rejected: str

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> NewApiOptionsFlow:
        """Return the options flow."""
        return NewApiOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the site and the credentials."""
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            try:
                answer = await self._async_ask(user_input)
            except FormError as err:
                errors, placeholders = {err.field: err.error}, err.placeholders
            else:
                await self.async_set_unique_id(
                    answer.unique_id, raise_on_progress=False
                )
                self._abort_if_unique_id_configured()
                if self._is_key_configured(answer):
                    return self.async_abort(reason="key_configured")
                return self.async_create_entry(
                    title=answer.title, data=answer.data, options=answer.options
                )
        return self._show_form("user", _SCHEMA, user_input, errors, placeholders)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Change the site or any of the credentials."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            given = {
                name: entry.data.get(name) if value == _KEPT else value
                for name, value in user_input.items()
            }
            try:
                answer = await self._async_ask(given)
                self._require_own(entry, answer)
            except FormError as err:
                errors, placeholders = {err.field: err.error}, err.placeholders
            else:
                return await self._async_update(entry, answer)
        kept = {
            name: _KEPT if name in _SECRETS else value
            for name, value in entry.data.items()
        }
        return self._show_form(
            "reconfigure", _SCHEMA, user_input or kept, errors, placeholders
        )

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin to replace the credential that was rejected."""
        self._rejected = entry_data.get(REJECTED, CONF_API_KEY)
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the rejected credential, and for nothing else."""
        entry = self._get_reauth_entry()
        schema = _REAUTH_SCHEMAS[self._rejected]
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            # The other credential is not in question, and may be out of order.
            names = _ABOUT_KEY if self._rejected == CONF_API_KEY else _ABOUT_ACCOUNT
            kept = {name: entry.data[name] for name in names if name in entry.data}
            try:
                answer = await self._async_ask({**kept, **user_input})
                self._require_own(entry, answer)
            except FormError as err:
                errors, placeholders = {err.field: err.error}, err.placeholders
            else:
                unique_id = entry.unique_id
                if CONF_ACCESS_TOKEN not in entry.data:
                    unique_id = answer.unique_id
                return self.async_update_reload_and_abort(
                    entry, unique_id=unique_id, data={**entry.data, **answer.data}
                )
        known = {CONF_USER_ID: entry.data.get(CONF_USER_ID)}
        return self._show_form(
            "reauth_confirm", schema, user_input or known, errors, placeholders
        )

    def _show_form(
        self,
        step_id: str,
        schema: probatio.Schema,
        values: Mapping[str, Any] | None,
        errors: dict[str, str],
        placeholders: dict[str, str],
    ) -> ConfigFlowResult:
        """Show a form again as it was filled in, so that nothing is lost."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
            # What is wrong with a field that is not asked for is said above all.
            errors={
                field if field in schema.schema else "base": error
                for field, error in errors.items()
            },
            description_placeholders={"example_url": DEFAULT_URL, **placeholders},
        )

    async def _async_update(
        self, entry: NewApiConfigEntry, answer: Answer
    ) -> ConfigFlowResult:
        is_new_account = (
            CONF_ACCESS_TOKEN not in entry.data and answer.account is not None
        )
        return self.async_update_reload_and_abort(
            entry,
            unique_id=answer.unique_id,
            title=answer.title if is_new_account else entry.title,
            data=answer.data,
            options={**answer.options, **entry.options},
        )

    def _is_key_configured(
        self, answer: Answer, own: NewApiConfigEntry | None = None
    ) -> bool:
        """Tell whether another entry shows this key, alone or with its account."""
        digest = answer.credentials.key_digest(answer.base)
        return digest is not None and any(
            (own is None or entry.entry_id != own.entry_id)
            and entry.data[CONF_URL] == str(answer.base)
            and Credentials(key=entry.data.get(CONF_API_KEY)).key_digest(answer.base)
            == digest
            for entry in self._async_current_entries()
        )

    def _require_own(self, entry: NewApiConfigEntry, answer: Answer) -> None:
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
        other = self.hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, answer.unique_id
        )
        is_taken = other is not None and other.entry_id != entry.entry_id
        if is_taken or self._is_key_configured(answer, entry):
            raise FormError("base", "already_configured")

    async def _async_ask(self, user_input: Mapping[str, Any]) -> Answer:
        """Ask the gateway about all that a person gave. Raises FormError."""
        base, credentials = _read(user_input)
        client = async_create_client(self.hass, base, credentials)
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
        return Answer(base, credentials, site, account, key, len(keys))


class NewApiOptionsFlow(OptionsFlowWithReload):
    """Change how often to ask, and which keys become devices."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the options."""
        if user_input is not None:
            user_input[CONF_UPDATE_INTERVAL] = int(user_input[CONF_UPDATE_INTERVAL])
            return self.async_create_entry(
                data={**self.config_entry.options, **user_input}
            )
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                self._schema(), self.config_entry.options
            ),
        )

    def _schema(self) -> probatio.Schema:
        fields: dict[probatio.Marker, Any] = {
            probatio.Required(
                CONF_UPDATE_INTERVAL, default=DEFAULT_UPDATE_INTERVAL
            ): NumberSelector(
                NumberSelectorConfig(
                    min=MIN_UPDATE_INTERVAL,
                    max=MAX_UPDATE_INTERVAL,
                    step=1,
                    mode=NumberSelectorMode.BOX,
                    unit_of_measurement="min",
                )
            )
        }
        if CONF_ACCESS_TOKEN in self.config_entry.data:
            fields[probatio.Required(CONF_KEY_DEVICES, default=ALL_KEYS)] = (
                SelectSelector(
                    SelectSelectorConfig(
                        options=list(KEY_DEVICES),
                        translation_key=CONF_KEY_DEVICES,
                        mode=SelectSelectorMode.LIST,
                    )
                )
            )
            fields[probatio.Optional(CONF_KEYS, default=list)] = SelectSelector(
                SelectSelectorConfig(
                    options=self._key_options(),
                    multiple=True,
                    mode=SelectSelectorMode.DROPDOWN,
                )
            )
        return probatio.Schema(fields)

    def _key_options(self) -> list[SelectOptionDict]:
        """Return the keys to choose from, those chosen before included."""
        entry: NewApiConfigEntry = self.config_entry
        labels = dict.fromkeys(entry.options.get(CONF_KEYS, ()), "")
        if entry.state is ConfigEntryState.LOADED and entry.runtime_data.keys.data:
            others = entry.runtime_data.keys.data.others
            labels |= {str(number): key.name for number, key in others.items()}
        return [
            SelectOptionDict(value=number, label=name or f"#{number}")
            for number, name in labels.items()
        ]


def _username_of(entry: NewApiConfigEntry) -> str | None:
    if entry.state is not ConfigEntryState.LOADED or not entry.runtime_data.account:
        return None
    balance: Balance | None = entry.runtime_data.account.data
    return None if balance is None else balance.account.username


def _read(user_input: Mapping[str, Any]) -> tuple[URL, Credentials]:
    """Read the form. Raises FormError."""
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
    if credentials.key is None and credentials.access_token is None:
        raise FormError("base", "nothing_given")
    return base, credentials


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
