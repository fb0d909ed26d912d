"""Config flow for New API."""

from collections.abc import Mapping
from typing import Any, Final, Literal, override

import probatio
from yarl import URL

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY, CONF_URL, UnitOfTime
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
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

from .answer import (
    Answer,
    FormError,
    async_ask,
    is_key_configured,
    read_form,
    require_own,
)
from .const import (
    CONF_EXPIRES_SOON,
    CONF_KEY_DEVICES,
    CONF_KEYS,
    CONF_LOW_BALANCE,
    CONF_LOW_BALANCE_DAYS,
    CONF_LOW_KEY,
    CONF_LOW_KEY_DAYS,
    CONF_STATISTICS,
    CONF_UNIT,
    CONF_UPDATE_INTERVAL,
    CONF_USER_ID,
    CONF_WARNINGS,
    DEFAULT_UPDATE_INTERVAL,
    DEFAULT_URL,
    DOMAIN,
    MAX_UPDATE_INTERVAL,
    MIN_UPDATE_INTERVAL,
    MOST_DAYS,
)
from .coordinator import REJECTED
from .data import NewApiConfigEntry
from .devices import ALL_KEYS, KEY_DEVICES
from .gateway.address import is_exposed

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


class NewApiConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up an account or a key of a gateway."""

    VERSION = 1

    _rejected: str

    # What was entered for a site that would get it unencrypted, until a person has
    # decided; and the site for which that was agreed to.
    _entered: dict[str, Any]
    _exposed: URL
    _agreed: URL | None = None

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
                base, credentials = read_form(user_input)
                if self._is_to_be_agreed(base):
                    return await self._async_let_decide(base, user_input)
                answer = await async_ask(self.hass, base, credentials)
            except FormError as err:
                errors, placeholders = {err.field: err.error}, err.placeholders
            else:
                await self.async_set_unique_id(
                    answer.unique_id, raise_on_progress=False
                )
                self._abort_if_unique_id_configured()
                if is_key_configured(self.hass, answer):
                    return self.async_abort(reason="key_configured")
                answer.async_hand_over(self.hass)
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
                base, credentials = read_form(given)
                if self._is_to_be_agreed(base):
                    return await self._async_let_decide(base, user_input)
                answer = await async_ask(self.hass, base, credentials)
                require_own(self.hass, entry, answer)
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

    async def async_step_unencrypted(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let a person decide about an address that is not encrypted."""
        return self.async_show_menu(
            step_id="unencrypted",
            menu_options=["use_https", "change_address", "send_unencrypted"],
            description_placeholders={"host": self._exposed.host or ""},
        )

    async def async_step_use_https(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask the same site, but encrypted."""
        encrypted = str(self._exposed.with_scheme("https"))
        return await self._async_resume({**self._entered, CONF_URL: encrypted})

    async def async_step_change_address(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the form as it was filled in."""
        step_id = "reconfigure" if self.source == SOURCE_RECONFIGURE else "user"
        return self._show_form(step_id, _SCHEMA, self._entered, {}, {})

    async def async_step_send_unencrypted(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask the site as it was entered."""
        self._agreed = self._exposed
        return await self._async_resume(self._entered)

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin to replace the credential that was rejected."""
        self._rejected = entry_data[REJECTED]
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
                base, credentials = read_form({**kept, **user_input})
                answer = await async_ask(self.hass, base, credentials)
                require_own(self.hass, entry, answer)
            except FormError as err:
                errors, placeholders = {err.field: err.error}, err.placeholders
            else:
                unique_id = entry.unique_id
                if CONF_ACCESS_TOKEN not in entry.data:
                    unique_id = answer.unique_id
                data = {**entry.data, **answer.data}
                answer.async_hand_over(self.hass, data)
                return self.async_update_reload_and_abort(
                    entry, unique_id=unique_id, data=data
                )
        known = {CONF_USER_ID: entry.data.get(CONF_USER_ID)}
        return self._show_form(
            "reauth_confirm", schema, user_input or known, errors, placeholders
        )

    def _is_to_be_agreed(self, base: URL) -> bool:
        return is_exposed(base) and base != self._agreed

    async def _async_let_decide(
        self, base: URL, entered: dict[str, Any]
    ) -> ConfigFlowResult:
        """Keep what was entered, and ask a person before anything is sent."""
        self._exposed, self._entered = base, entered
        return await self.async_step_unencrypted()

    async def _async_resume(self, entered: dict[str, Any]) -> ConfigFlowResult:
        """Go on where a person was asked to decide."""
        if self.source == SOURCE_RECONFIGURE:
            return await self.async_step_reconfigure(entered)
        return await self.async_step_user(entered)

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
        answer.async_hand_over(self.hass)
        return self.async_update_reload_and_abort(
            entry,
            unique_id=answer.unique_id,
            title=answer.title if is_new_account else entry.title,
            data=answer.data,
            options={**answer.options, **entry.options},
        )


class NewApiOptionsFlow(OptionsFlowWithReload):
    """Change how often to ask, which keys become devices, and what to be warned of."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show the options."""
        if user_input is not None:
            user_input[CONF_UPDATE_INTERVAL] = int(user_input[CONF_UPDATE_INTERVAL])
            user_input[CONF_WARNINGS] |= self._in_unit()
            return self.async_create_entry(
                data={**self.config_entry.options, **user_input}
            )
        options = self.config_entry.options
        warnings = options.get(CONF_WARNINGS, {})
        if warnings.get(CONF_UNIT) != self._unit():
            # They are in a unit that the site no longer counts in.
            warnings = {
                name: value
                for name, value in warnings.items()
                if name not in (CONF_LOW_BALANCE, CONF_LOW_KEY)
            }
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                self._schema(), {**options, CONF_WARNINGS: warnings}
            ),
        )

    def _schema(self) -> probatio.Schema:
        has_account = CONF_ACCESS_TOKEN in self.config_entry.data
        fields: dict[probatio.Marker, Any] = {
            probatio.Required(
                CONF_UPDATE_INTERVAL, default=DEFAULT_UPDATE_INTERVAL
            ): _number(UnitOfTime.MINUTES, MIN_UPDATE_INTERVAL, MAX_UPDATE_INTERVAL)
        }
        if has_account:
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
            fields[probatio.Required(CONF_STATISTICS, default=True)] = BooleanSelector()
        fields[probatio.Required(CONF_WARNINGS)] = section(
            self._warnings(has_account=has_account), {"collapsed": True}
        )
        return probatio.Schema(fields)

    def _warnings(self, *, has_account: bool) -> probatio.Schema:
        unit = self._unit()
        amounts = [CONF_LOW_KEY]
        days = [CONF_LOW_KEY_DAYS, CONF_EXPIRES_SOON]
        if has_account:
            amounts.insert(0, CONF_LOW_BALANCE)
            days.insert(0, CONF_LOW_BALANCE_DAYS)
        if unit is None:
            # Nobody can say how much is little in a unit that is not known.
            amounts = []
        return probatio.Schema(
            {
                **{
                    probatio.Optional(name): _number(unit, 0, step="any")
                    for name in amounts
                },
                **{
                    probatio.Optional(name): _number(UnitOfTime.DAYS, 0, MOST_DAYS)
                    for name in days
                },
            }
        )

    def _in_unit(self) -> dict[str, Any]:
        """Return what belongs to the amounts, or those of before if none were shown."""
        if (unit := self._unit()) is not None:
            return {CONF_UNIT: unit}
        before = self.config_entry.options.get(CONF_WARNINGS, {})
        names = (CONF_LOW_BALANCE, CONF_LOW_KEY, CONF_UNIT)
        return {name: before[name] for name in names if name in before}

    def _unit(self) -> str | None:
        """Return the unit of the site, None where it is not known at the moment."""
        entry: NewApiConfigEntry = self.config_entry
        if entry.state is not ConfigEntryState.LOADED:
            return None
        return entry.runtime_data.site.data.unit.label

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


def _number(
    unit: str | None,
    least: int,
    most: int | None = None,
    step: float | Literal["any"] = 1,
) -> NumberSelector:
    config = NumberSelectorConfig(min=least, step=step, mode=NumberSelectorMode.BOX)
    if most is not None:
        config["max"] = most
    if unit is not None:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)
