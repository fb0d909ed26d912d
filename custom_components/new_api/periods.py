"""The days and months of a person, in the time zone of Home Assistant."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from homeassistant.util import dt as dt_util

HOUR: Final = 3600
DAYS_OF_AVERAGE: Final = 7


def now() -> float:
    """Return what time it is, in Unix seconds."""
    return dt_util.utcnow().timestamp()


def hour_of(at: float) -> int:
    """Return when the hour of a moment began, in Unix seconds."""
    return int(at // HOUR) * HOUR


@dataclass(frozen=True, slots=True)
class Days:
    """Local midnights around a moment, in Unix seconds.

    A day has 23 to 25 hours, and its midnight is not on an hour everywhere.
    """

    today: int
    tomorrow: int
    yesterday: int
    week: int
    """That of seven days ago, since which seven days are complete."""
    month: int
    """That of the first day of this month."""

    @classmethod
    def now(cls) -> Days:
        """Return those of today."""
        today = dt_util.now().date()
        return cls(
            today=midnight(today),
            tomorrow=midnight(today + timedelta(days=1)),
            yesterday=midnight(today - timedelta(days=1)),
            week=midnight(today - timedelta(days=DAYS_OF_AVERAGE)),
            month=midnight(today.replace(day=1)),
        )

    def before(self, number: int) -> int:
        """Return the midnight so many days before that of today."""
        today = dt_util.as_local(dt_util.utc_from_timestamp(self.today)).date()
        return midnight(today - timedelta(days=number))

    @property
    def is_on_the_hour(self) -> bool:
        """Tell whether statistics by the hour can tell one day from the other."""
        return self.today % HOUR == 0


def has_just_begun(read: Days, begins: int) -> bool:
    """Tell whether a period began right after a reading, and not long ago."""
    age = now() - begins
    return begins == read.tomorrow and 0 <= age <= HOUR


def midnight(day: date) -> int:
    """Return when a day begins here, in Unix seconds."""
    return int(dt_util.start_of_local_day(day).timestamp())
