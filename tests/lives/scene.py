"""A site on which something goes on, and what has to be noted of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.household import DOLLAR
from tests.simulator import Gateway, Key, LogRow, User, World

from .ledger import Ledger

# Who has less spends nothing: no site lets a balance fall far below zero.
_LITTLE: Final = 4 * DOLLAR


@dataclass(slots=True)
class Scene:
    """What all need to know who do something."""

    gateway: Gateway
    ledger: Ledger
    chance: Random
    note: Callable[..., None]
    """Writes something into the diary."""
    watched: dict[str, int] = field(default_factory=dict)
    """The ids of the keys that were entered, by the ids of their entries."""
    busy: set[int] = field(default_factory=set)
    """The keys of requests that are under way."""
    holds_back: bool = False
    """Whether a node of the site does not write its statistics."""

    @property
    def world(self) -> World:
        """Return all that is behind the gateway."""
        return self.gateway.world

    @property
    def user(self) -> User:
        """Return the only user."""
        return self.world.user("wang")

    @property
    def is_poor(self) -> bool:
        """Tell whether nothing can be spent."""
        return self.user.quota < _LITTLE

    def some_key(self) -> Key:
        """Return any key."""
        return self.chance.choice([*self.world.keys.values()])

    def some_model(self) -> str:
        """Return any model that there is."""
        return self.chance.choice([model.name for model in self.world.models])

    def booked(self, row: LogRow) -> None:
        """Keep a request from the statistics while its node does not write them."""
        if self.holds_back:
            self.world.hold_back(row)
