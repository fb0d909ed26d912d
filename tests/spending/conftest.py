"""What all tests of spending share."""

import pytest

from tests.home import Home
from tests.household import SHANGHAI, live_in


@pytest.fixture(autouse=True)
async def in_shanghai(home: Home) -> None:
    """Move the home to where it is a quarter past four on Monday afternoon."""
    await live_in(home, SHANGHAI)
