"""What the entities of a home claim."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import State
from tests.event.told import Told
from tests.home import Home
from tests.household import DOLLAR, NOT_KNOWN

from .ledger import News

_YUAN_PER_DOLLAR: Final = Decimal("7.3")
_RAW: Final = {"USD": Decimal(DOLLAR), "CNY": DOLLAR / _YUAN_PER_DOLLAR}


def raw(amount: object, unit: object) -> Decimal:
    """Return an amount in raw quota; what is no money stays as it is."""
    return Decimal(str(amount)) * _RAW.get(str(unit), Decimal(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a sensor says, in raw quota or as a number."""

    figure: str
    """The unique id of the sensor."""
    value: Decimal
    since: float | None = None
    """From when on it counts, None for what is not of a time."""
    is_estimate: bool = False
    models: Mapping[str, Decimal] | None = None
    """What each model has cost, by a sensor that names the most expensive."""
    dearest: str = ""

    @classmethod
    def of(cls, figure: str, state: State) -> Self:
        """Take the state of a sensor at its word."""
        about: Mapping[str, Any] = state.attributes
        if "unit" in about:
            models = {
                name: raw(cost, about["unit"]) for name, cost in about["models"].items()
            }
            value = models.get(state.state, Decimal(0))
            return cls(figure=figure, value=value, models=models, dearest=state.state)
        since = about.get("counted_since")
        return cls(
            figure=figure,
            value=raw(state.state, about.get("unit_of_measurement")),
            since=since.timestamp() if isinstance(since, datetime) else None,
            is_estimate=about.get("estimate", False),
        )


class Claims:
    """All that is shown and told of some entries."""

    def __init__(self, home: Home, entries: list[ConfigEntry]) -> None:
        """Listen to what is told from now on."""
        self._home = home
        self._entries = entries
        self._told = {
            entity: Told(home, entity.removeprefix("event."))
            for entry in entries
            for entity in home.entities(entry).values()
            if entity.startswith("event.")
        }

    def sensor(self, figure: str) -> Claim | None:
        """Return what the sensor with a unique id says, None where it knows nothing."""
        state = self._state(figure)
        return None if state is None else Claim.of(figure, state)

    def figures_of(self, figure: str) -> object:
        """Return whose figures a sensor shows, as it says, None without a figure."""
        state = self._state(figure)
        return None if state is None else state.attributes.get("figures_of")

    @property
    def top_ups(self) -> list[Decimal | None]:
        """Return all top-ups that were told, in raw quota; None where it is unknown."""
        return [
            None if about["amount"] is None else raw(about["amount"], about["unit"])
            for told in self._told.values()
            for about in told.all
            if about["event_type"] == "topped_up"
        ]

    @property
    def told(self) -> dict[str, Counter[News]]:
        """Return what else was told, and how often, by the entity that did."""
        return {
            entity: Counter(
                (about["event_type"], what)
                for about in told.all
                if about["event_type"] != "topped_up"
                for what in about.get("models") or [about.get("text", "")]
            )
            for entity, told in self._told.items()
        }

    def _state(self, figure: str) -> State | None:
        for entry in self._entries:
            if entity := self._home.entities(entry).get(figure):
                state = self._home.hass.states.get(entity)
                return None if state is None or state.state in NOT_KNOWN else state
        return None
