"""Which endpoints a site does not have.

Asking for them again and again costs the person's own page views (gateway_api.md 1.3).
"""

from collections.abc import Callable
from typing import Final

from .models import Site

# A proxy can hide an endpoint for some time, and a site that is updated one that has
# answered before; in seconds.
_FORGET: Final = 86_400.0
_FORGET_SOON: Final = 3600.0


class Missing:
    """Remembers what was missing, for a day and for as long as the version stays.

    What has answered before is asked again within the hour.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without knowing of any; `clock` gives seconds."""
        self._clock = clock
        self._seen: dict[str, tuple[str | None, float]] = {}
        self._answered: set[str] = set()

    def note(self, site: Site, path: str) -> None:
        """Note that the site does not have an endpoint."""
        self._seen[path] = (site.version, self._clock())

    def note_answer(self, path: str) -> None:
        """Note that the site has it."""
        self._answered.add(path)

    def knows(self, site: Site, path: str) -> bool:
        """Tell whether the site is known not to have an endpoint."""
        if path not in self._seen:
            return False
        version, at = self._seen[path]
        forget = _FORGET_SOON if path in self._answered else _FORGET
        return version == site.version and self._clock() - at < forget
