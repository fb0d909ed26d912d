"""Readings that outlive the coordinator that made them, or come before it.

A reload shows the last figures where a site has no room for new ones, and an entry
starts with what the form has just read for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN, View

# A form can be left before its entry is set up.
_FOR_START: Final = timedelta(seconds=60)

_LONGEST: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Kept:
    reading: Any
    at: float
    is_for_start: bool

    def is_older_than(self, age: timedelta) -> bool:
        return monotonic() - self.at > age.total_seconds()


_READINGS: HassKey[dict[tuple[int, View], _Kept]] = HassKey(f"{DOMAIN}_readings")


@callback
def async_keep(
    hass: HomeAssistant,
    data: Mapping[str, Any],
    view: View,
    reading: object,
    *,
    is_for_start: bool = False,
) -> None:
    """Keep a reading of a view that was made with the data of an entry.

    Where it is for the start, a coordinator begins with it, once.
    """
    readings = hass.data.setdefault(_READINGS, {})
    for slot in [
        slot for slot, each in readings.items() if each.is_older_than(_LONGEST)
    ]:
        del readings[slot]
    readings[_slot(data, view)] = _Kept(reading, monotonic(), is_for_start)


@callback
def async_drop(hass: HomeAssistant, data: Mapping[str, Any], view: View) -> None:
    """Keep no reading of a view any more, since a newer one has failed."""
    hass.data.get(_READINGS, {}).pop(_slot(data, view), None)


@callback
def async_kept(
    hass: HomeAssistant, data: Mapping[str, Any], view: View, at_most: timedelta
) -> Any | None:
    """Return the last reading with this data, if it is not older than that."""
    kept = hass.data.get(_READINGS, {}).get(_slot(data, view))
    return None if kept is None or kept.is_older_than(at_most) else kept.reading


@callback
def async_kept_for_start(
    hass: HomeAssistant, data: Mapping[str, Any], view: View
) -> Any | None:
    """Return what a coordinator begins with, if something was just read for it."""
    kept = hass.data.get(_READINGS, {}).get(_slot(data, view))
    if kept is None or not kept.is_for_start or kept.is_older_than(_FOR_START):
        return None
    return kept.reading


@callback
def async_forget_kept(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """Forget all readings with this data."""
    readings = hass.data.get(_READINGS, {})
    for slot in [slot for slot in readings if slot[0] == _of(data)]:
        del readings[slot]


def _slot(data: Mapping[str, Any], view: View) -> tuple[int, View]:
    return _of(data), view


def _of(data: Mapping[str, Any]) -> int:
    # A hash, since the data hold credentials.
    return hash(frozenset(data.items()))
