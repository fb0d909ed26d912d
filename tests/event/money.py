"""An account whose balance is known for certain, and what is told of it."""

from typing import Any, Final

from tests.home import Home, Site
from tests.household import ACCOUNT, KEY

from .told import Told

# After so many readings a balance that stays is certain: a quarter of an hour.
CERTAIN: Final = 4

# What there is in the beginning, in dollars.
BALANCE_AT_FIRST: Final = 90.01


async def watched(home: Home, site: Site, **options: Any) -> Told:
    """Have an account whose balance is known for certain."""
    await home.add(site, key=KEY, user="wang", **options)
    told = Told(home, f"{ACCOUNT}_top_up")
    await home.poll(CERTAIN + 1)
    assert told.is_there
    return told


def came_in(dollars: float, balance: float) -> dict[str, Any]:
    """Return what is told of money that came in."""
    return {
        "event_type": "topped_up",
        "amount": dollars,
        "new_balance": balance,
        "unit": "USD",
    }
