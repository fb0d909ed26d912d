"""Things that come and go: keys, plans and monitors."""

from collections.abc import Callable, Collection, Hashable
from typing import Any

from homeassistant.core import callback

from .coordinator import NewApiCoordinator
from .data import NewApiConfigEntry


@callback
def async_add_as_they_appear[T: Hashable](
    entry: NewApiConfigEntry,
    coordinator: NewApiCoordinator[Any],
    present: Callable[[], Collection[T]],
    add: Callable[[T], None],
    *,
    stays: bool = False,
) -> None:
    """Add what is there, and what is with any reading of a coordinator.

    What has gone is added anew when it comes back, unless its entities have stayed.
    """
    known: set[T] = set()

    @callback
    def update() -> None:
        now = present()
        for each in now:
            if each not in known:
                add(each)
        if not stays:
            known.clear()
        known.update(now)

    entry.async_on_unload(coordinator.async_add_listener(update))
    update()
