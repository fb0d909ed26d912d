"""What the tests of the month share."""

from freezegun.api import FrozenDateTimeFactory
import pytest

from .diary import START


@pytest.fixture
def clock(clock: FrozenDateTimeFactory) -> FrozenDateTimeFactory:
    """Stop all clocks at the beginning of the month."""
    clock.move_to(START)
    return clock
