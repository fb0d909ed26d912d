"""All faults, level by level."""

from typing import Final

from .bodies import BODIES
from .connection import CONNECTION, TLS
from .meanings import MEANINGS
from .redirects import REDIRECTS
from .row import Level, Outage, Row
from .shapes import SHAPES
from .statuses import STATUSES

ROWS: Final = (
    *CONNECTION,
    *TLS,
    *REDIRECTS,
    *STATUSES,
    *BODIES,
    *SHAPES,
    *MEANINGS,
)

__all__ = [
    "BODIES",
    "CONNECTION",
    "MEANINGS",
    "REDIRECTS",
    "ROWS",
    "SHAPES",
    "STATUSES",
    "TLS",
    "Level",
    "Outage",
    "Row",
]
