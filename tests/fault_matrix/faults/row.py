"""A fault: what happens, and what may follow from it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Final

from tests.fault_matrix.columns import Figure
from tests.fault_matrix.truth import Value
from tests.home import BALANCE, Site
from tests.simulator import Answer, Fault

IN_ACCOUNT: Final = frozenset({"self"})
"""The column in which an access token can be rejected."""
SHADOWED: Final = frozenset({"user/models"})
"""The column whose path older servers take for the id of a user (gateway_api.md 1.3).

They refuse to show that one.
"""

OF_DETAILS: Final = frozenset(
    {"stat, checkin", "data, plans, notice", "flow, topup, uptime"}
)
"""The columns whose paths not every site has, or not for every account."""

type Make = Callable[[Site, str], Fault | None]
"""Makes the fault of a path; None where it has none of the kind."""


class Outage(Enum):
    """What keeps anybody from talking to a site at all."""

    REFUSED = "refused"
    NAMELESS = "nameless"
    UNTRUSTED = "untrusted"
    EXPIRED = "expired"
    MISNAMED = "misnamed"
    BARE = "bare"


class Level(StrEnum):
    """Where something goes wrong."""

    CONNECTION = "Connection"
    TLS = "TLS"
    REDIRECT = "Redirects"
    STATUS = "HTTP status"
    BODY = "Body and encoding"
    SHAPE = "JSON of another shape"
    MEANING = "Meaning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A fault at whichever endpoint, and what may follow from it."""

    name: str
    level: Level
    make: Make = field(default=lambda *_: None)
    outage: Outage | None = None
    """What happens instead of a fault of a path, to the whole site."""
    is_slow: bool = False
    """Whether only time ends it."""
    is_harmless: bool = False
    """Whether everything has to go on as usual."""
    stops_site: bool = False
    """Whether the site wants to hear nothing at all for some time."""
    missing: frozenset[str] = frozenset()
    """The columns in which the site may have no such endpoint: that is no failure."""
    is_secure: bool = False
    """Whether the site is served over TLS."""
    recovery: tuple[timedelta, ...] = (BALANCE,)
    """The readings after which everything is back: one, as a rule."""
    refusals: frozenset[str] = frozenset()
    """What the status of a key may be, since the site says so."""
    rejects: frozenset[str] = frozenset()
    """The columns in which the site really says twice that a credential is wrong."""
    also: Callable[[Figure, Value], Value | None] = field(default=lambda *_: None)
    """What else the site says of a figure in so many words, so that it may be shown."""

    follows: frozenset[Figure] = frozenset()
    """The events that follow from what the site has said, once it says the truth."""

    def hits(self, site: Site, paths: Iterable[str]) -> bool:
        """Tell whether there is such a fault on any of some paths."""
        if self.outage is not None:
            return True
        return any(self.make(site, path) is not None for path in paths)


def same(fault: Fault) -> Make:
    """Return what happens on every path alike."""
    return lambda _site, _path: fault


def answers(status: int, content: str, *headers: tuple[str, str]) -> Make:
    """Return what is answered on every path alike."""
    return same(Answer(status, content, headers))
