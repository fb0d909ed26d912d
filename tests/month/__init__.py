"""A month in the life of a household, and a ledger of what it has really spent.

    month = Month()
    for step in month.steps(freezer.move_to):
        await home.pass_time(timedelta())
    assert shown == month.truth.by_day

Nothing in here knows Home Assistant; whoever is tested looks on between the steps.
"""

from .diary import END, START, ZONE
from .month import Month, Step
from .truth import Truth, side_by_side

__all__ = ["END", "START", "ZONE", "Month", "Step", "Truth", "side_by_side"]
