"""Repairs that a person only has to confirm."""

from typing import Any, Final

import probatio

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .answer import FormError, async_ask, read_form, require_own
from .const import CONF_USER_ID, DOMAIN
from .issues import Issue
from .statistics import async_remove

# What is said of a failure as it is. All else is that the new address does not take the
# credentials, or that nobody can tell at the moment.
_AS_IT_IS: Final = frozenset(
    {
        "already_configured",
        "blocked",
        "cannot_connect",
        "moved",
        "not_a_gateway",
        "other_account",
    }
)
_CREDENTIALS: Final = frozenset({CONF_API_KEY, CONF_USER_ID, CONF_ACCESS_TOKEN})


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow that fixes an issue of ours that can be fixed."""
    if data is None:
        raise ValueError(f"{issue_id} cannot be fixed")
    if issue_id.startswith(Issue.STATISTICS_LEFT):
        return StatisticsRepairFlow(data["entry_id"], data["name"])
    return AddressRepairFlow(data["entry_id"], data["url"])


class AddressRepairFlow(RepairsFlow):
    """Lets an entry use another address of its site, once a person has agreed."""

    def __init__(self, entry_id: str, url: str) -> None:
        """Take the entry and the new base of its site."""
        self._entry_id = entry_id
        self._url = url

    async def async_step_init(
        self, _user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Begin with the only question."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Show both addresses; nothing is sent before a person has agreed."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None:
            # Its issues went with it.
            return self.async_create_entry(data={})
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            try:
                base, credentials = read_form({**entry.data, CONF_URL: self._url})
                answer = await async_ask(self.hass, base, credentials)
                require_own(self.hass, entry, answer)
            except FormError as err:
                errors, placeholders = {"base": _error_of(err)}, err.placeholders
            else:
                answer.async_hand_over(self.hass)
                self.hass.config_entries.async_update_entry(
                    entry, data=answer.data, unique_id=answer.unique_id
                )
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
                return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            data_schema=probatio.Schema({}),
            errors=errors,
            description_placeholders={
                "name": entry.title,
                "old": str(entry.data[CONF_URL]),
                "new": self._url,
                "learn_more_url": _page_of(self),
                **placeholders,
            },
        )


class StatisticsRepairFlow(RepairsFlow):
    """Deletes what an entry has left in the statistics, once a person has agreed."""

    def __init__(self, entry_id: str, name: str) -> None:
        """Take the entry, which is gone, and its name."""
        self._entry_id = entry_id
        self._name = name

    async def async_step_init(
        self, _user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Begin with the only question."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Say what would be deleted, and delete it."""
        if user_input is not None:
            await async_remove(self.hass, self._entry_id)
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            data_schema=probatio.Schema({}),
            description_placeholders={
                "name": self._name,
                "learn_more_url": _page_of(self),
            },
        )


def _page_of(flow: RepairsFlow) -> str:
    """Return where there is more about what a flow repairs."""
    issue = ir.async_get(flow.hass).async_get_issue(DOMAIN, flow.issue_id)
    return (issue and issue.learn_more_url) or ""


def _error_of(err: FormError) -> str:
    if err.error in _AS_IT_IS:
        return err.error
    return "credentials_refused" if err.field in _CREDENTIALS else "no_answer"
