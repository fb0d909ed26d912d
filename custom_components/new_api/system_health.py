"""System health: which gateways are configured, and whether they answer."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .data import NewApiConfigEntry


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register the information."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return what the last readings said; nothing is asked for it."""
    entries: list[NewApiConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    sites = {entry.data[CONF_URL]: entry.runtime_data.site for entry in entries}
    names = {
        f"{site.data.family.value} {site.data.version or ''}".rstrip()
        for site in sites.values()
    }
    reached = sum(site.last_update_success for site in sites.values())
    return {
        "entries": len(hass.config_entries.async_entries(DOMAIN)),
        "sites": ", ".join(sorted(names)),
        "reached": f"{reached}/{len(sites)}",
    }
