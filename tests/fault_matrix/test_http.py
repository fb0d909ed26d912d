"""Faults: HTTP statuses."""

import pytest

from .drive import drive
from .faults import STATUSES, Row
from .street import Street


@pytest.mark.parametrize("row", STATUSES, ids=lambda row: row.name)
async def test_fault(street: Street, row: Row) -> None:
    """Nothing is shown that is not true, and all comes back by itself."""
    await drive(street, row)
