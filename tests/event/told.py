"""What event entities tell a person."""

from datetime import timedelta
from typing import Any, Final

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers.event import async_track_state_change_event
from tests.home import Home

_NOTHING_TOLD: Final = (STATE_UNAVAILABLE, STATE_UNKNOWN)

# All is told within two hours.
_MINUTES: Final = 120


class Told:
    """What an event entity tells, one for each time that an automation would run."""

    def __init__(self, home: Home, entity: str) -> None:
        """Listen from now on."""
        self._home = home
        self._entity = f"event.{entity}"
        self._last = ""
        self.all: list[dict[str, Any]] = []
        async_track_state_change_event(home.hass, [self._entity], self._changed)

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        # What was told last is restored after a restart, with its old time.
        if state is None or state.state in _NOTHING_TOLD or state.state <= self._last:
            return
        self._last = state.state
        self.all.append(
            {
                name: value
                for name, value in state.attributes.items()
                if name not in ("event_types", "friendly_name")
            }
        )

    async def wait(self) -> None:
        """Let time pass until something is told."""
        for _ in range(_MINUTES):
            if self.all:
                return
            await self._home.pass_time(timedelta(minutes=1))
        raise AssertionError("Nothing is told")

    @property
    def is_there(self) -> bool:
        """Return whether there is such an entity, and it could tell something."""
        state = self._home.hass.states.get(self._entity)
        return state is not None and state.state != STATE_UNAVAILABLE
