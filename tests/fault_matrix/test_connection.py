"""Faults: breaking connections, certificates and redirects."""

import pytest

from .drive import drive
from .faults import CONNECTION, REDIRECTS, TLS, Row
from .street import Street


@pytest.mark.parametrize(
    "row", [*CONNECTION, *TLS, *REDIRECTS], ids=lambda row: row.name
)
async def test_fault(street: Street, row: Row) -> None:
    """Nothing is shown that is not true, and all comes back by itself."""
    await drive(street, row)
