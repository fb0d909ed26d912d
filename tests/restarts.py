"""Home Assistant stops, in order or not, and starts again."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from tests.home import Home


async def restart(home: Home, *entries: ConfigEntry) -> None:
    """Stop in order, when all that is to be kept is written, and start again."""
    await _stop(home, entries)
    await _start(home, entries)


async def lose_power(
    home: Home, entry: ConfigEntry, storage: dict[str, Any], *others: ConfigEntry
) -> None:
    """Stop at once, and start with what was on the disk at that moment."""
    on_disk = deepcopy(storage)
    await _stop(home, (entry, *others))
    storage.clear()
    storage.update(on_disk)
    await _start(home, (entry, *others))


async def write(home: Home) -> None:
    """Write all that is to be kept."""
    home.hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await home.settle()


async def _stop(home: Home, entries: Iterable[ConfigEntry]) -> None:
    for entry in entries:
        await home.hass.config_entries.async_unload(entry.entry_id)
    await write(home)
    # All that the integration knows by heart.
    for key in [key for key in home.hass.data if "new_api" in str(key)]:
        del home.hass.data[key]


async def _start(home: Home, entries: Iterable[ConfigEntry]) -> None:
    for entry in entries:
        await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
