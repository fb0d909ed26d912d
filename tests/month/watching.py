"""Looks at what Home Assistant shows, at each step of the month."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from pytest_homeassistant_custom_component.components.recorder.common import (  # type: ignore[import-untyped]
    async_wait_recording_done,
    do_adhoc_statistics,
)

from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, callback
from tests.home import Home
from tests.recorder import imported, rows_of

from .month import Step

_WINDOW: Final = timedelta(minutes=5)
_NOTHING: Final = frozenset({STATE_UNAVAILABLE, STATE_UNKNOWN})


@dataclass(frozen=True, slots=True)
class Shown:
    """A state and its attributes."""

    state: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What an automation would run for, and when, in Unix seconds."""

    at: int
    shown: Shown


class Watcher:
    """Notes what is shown at each step, and what changes in between."""

    def __init__(self, home: Home) -> None:
        """Look at a home from now on."""
        self._home = home
        self.noted: dict[int, dict[str, Shown]] = {}
        """What is shown, by the time of the step and the entity's unique id."""
        self.events: dict[str, list[Told]] = defaultdict(list)
        """What event entities have told, by their entity id."""
        self.warnings: dict[str, list[Told]] = defaultdict(list)
        """When binary sensors have changed between on and off."""
        home.hass.bus.async_listen(EVENT_STATE_CHANGED, self._changed)

    async def look(self, step: Step) -> None:
        """Note what is shown now, and let the hour become a row of statistics."""
        states = self._home.hass.states
        self.noted[int(step.at.timestamp())] = {
            unique_id: Shown(state.state, state.attributes)
            for entry in self._home.entries
            for unique_id, entity_id in self._home.entities(entry).items()
            if (state := states.get(entity_id)) is not None
        }
        if step.at.minute == 0:
            # Home Assistant sums up an hour when its last five minutes are over.
            await async_wait_recording_done(self._home.hass)
            do_adhoc_statistics(self._home.hass, start=step.at - _WINDOW)

    async def by_hour(self) -> dict[str, dict[int, float]]:
        """Return the statistics by model: amounts by name and hour."""
        await async_wait_recording_done(self._home.hass)
        names = {
            each["statistic_id"]: each["name"]
            for each in await imported(self._home.hass)
        }
        rows = await self._rows(names, "state")
        return {names[statistic_id]: hours for statistic_id, hours in rows.items()}

    async def sums(self, *entities: str) -> dict[str, dict[int, float]]:
        """Return the running sums that the recorder has made of sensors, by hour."""
        await async_wait_recording_done(self._home.hass)
        return await self._rows(entities, "sum")

    async def _rows(
        self, ids: Iterable[str], what: Literal["state", "sum"]
    ) -> dict[str, dict[int, float]]:
        found = await rows_of(self._home.hass, ids, what)
        return {
            statistic_id: {
                int(row["start"]): value
                for row in rows
                if isinstance(value := row.get(what), float)
            }
            for statistic_id, rows in found.items()
        }

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is None or state.state in _NOTHING:
            return
        of = {"event": self.events, "binary_sensor": self.warnings}.get(state.domain)
        if of is None:
            return
        told = of[state.entity_id]
        # What was told last is shown again after an outage.
        if not told or told[-1].shown.state != state.state:
            shown = Shown(state.state, state.attributes)
            told.append(Told(int(state.last_updated_timestamp), shown))
