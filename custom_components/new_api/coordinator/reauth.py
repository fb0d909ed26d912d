"""Asking for a credential that a site does not accept any more."""

from typing import Final

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry, ConfigFlowResult
from homeassistant.core import HomeAssistant, callback

REJECTED: Final = "rejected"
"""Names the rejected credential in the data of a reauth flow."""


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
