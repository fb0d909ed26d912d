"""The journals of all entries, also of those that are not set up."""

from typing import Final
from weakref import WeakKeyDictionary

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .gateway.journal import Journal

_JOURNALS: Final[HassKey[WeakKeyDictionary[ConfigEntry, Journal]]] = HassKey(
    f"{DOMAIN}_journals"
)


@callback
def async_journal_of(hass: HomeAssistant, entry: ConfigEntry) -> Journal:
    """Return what became of an entry's questions since Home Assistant started.

    It goes on over reloads and over attempts to set up that failed.
    """
    journals = hass.data.setdefault(_JOURNALS, WeakKeyDictionary())
    return journals.setdefault(entry, Journal(lambda: dt_util.utcnow().timestamp()))
