"""Faults: bodies and what they say."""

import pytest

from .drive import drive
from .faults import BODIES, MEANINGS, SHAPES, Row
from .street import Street


@pytest.mark.parametrize("row", [*BODIES, *SHAPES, *MEANINGS], ids=lambda row: row.name)
async def test_fault(street: Street, row: Row) -> None:
    """Nothing is shown that is not true, and all comes back by itself."""
    await drive(street, row)
