"""The life of a household, made up from a number, and what is claimed of it."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory

from tests.home import Home, household
from tests.household import CODE, DOLLAR, KEY
from tests.simulator import DIALECTS

from .claims import Claims
from .comparison import Comparison
from .figures import compare
from .house import House
from .ledger import Ledger
from .owner import Owner
from .people import People
from .scene import Scene

_ZONES: Final = (
    "America/Los_Angeles",
    "America/New_York",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Auckland",
    "UTC",
)
_SITES_ZONES: Final = ("Asia/Shanghai", "UTC")
# Most people have one of these.
_SERVERS: Final = (*DIALECTS, "new_api_main", "new_api_main", "new_api_rc21")
# Within two days from all but the first, a month or a year ends, or clocks change.
_BEGINNINGS: Final = (
    datetime(2026, 11, 24, tzinfo=UTC),
    datetime(2026, 11, 29, tzinfo=UTC),
    datetime(2026, 12, 30, tzinfo=UTC),
    datetime(2027, 3, 13, tzinfo=UTC),
    datetime(2027, 3, 27, tzinfo=UTC),
    datetime(2027, 4, 3, tzinfo=UTC),
)
_HOMEWORK: Final = "Homework"
_LASTS: Final = timedelta(days=2)
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

# What happens more often than once while everything else happens once.
_OFTEN: Final = {
    "fault": 5,
    "income": 2,
    "key edited": 2,
    "plan": 2,
    "play": 3,
    "refund": 2,
    "reservation": 8,
}


class Life:
    """Two days of a household; in a calm one, models are used and nothing else."""

    def __init__(
        self,
        home: Home,
        storage: dict[str, Any],
        clock: FrozenDateTimeFactory,
        seed: int,
        *,
        is_calm: bool,
    ) -> None:
        """Draw where it takes place; `storage` is the disk of the home."""
        self._chance = chance = Random(seed)
        self._home = home
        self._is_calm = is_calm
        clock.move_to(
            chance.choice(_BEGINNINGS) + timedelta(seconds=chance.randrange(_DAY))
        )
        self.server = chance.choice(_SERVERS)
        zone = chance.choice(_ZONES)
        gateway = household(self.server)
        gateway.configure(check_in=True, time_zone=chance.choice((*_SITES_ZONES, zone)))
        gateway.world.key(_HOMEWORK).remain_quota = 40 * DOLLAR
        self.diary: list[str] = []
        self.happened: set[str] = set()
        self._ledger = ledger = Ledger(gateway.world, ZoneInfo(zone))
        self._scene = scene = Scene(gateway, ledger, chance, self._note)
        self.comparison = Comparison(ledger)
        self._people = people = People(scene)
        self._owner = owner = Owner(scene)
        self._house = House(home, storage, scene, people, owner)
        self._waiting: list[str] = []

    @property
    def kinds(self) -> set[str]:
        """Return all that can happen besides that models are used."""
        if self._is_calm:
            return set()
        return {*self._house.kinds, *self._people.kinds, *self._owner.kinds}

    async def live(self) -> None:
        """Go through it, up to the first difference."""
        await self._move_in()
        end = self._now + _LASTS.total_seconds()
        chance = self._chance
        while await self._rest() and self._now < end:
            until = self._now + chance.choice(
                (
                    chance.randint(_HOUR // 12, _HOUR),
                    chance.randint(_HOUR // 2, 4 * _HOUR),
                    chance.randint(_HOUR, 6 * _HOUR),
                )
            )
            busy = chance.choice((0, 0.1, 0.3, 0.7, 0.95))
            eventful = chance.choice((0.01, 0.05, 0.1, 0.15))
            while self._now < until:
                await self._house.pass_time(
                    chance.choice((60, 120, 180, 180, 240, 300))
                )
                self._people.finish()
                if chance.random() < busy:
                    for _ in range(chance.choice((1, 1, 2, 5))):
                        self._people.spend()
                if self.kinds and chance.random() < eventful:
                    await self._happen()
                if self._owner.is_faulty and chance.random() < 0.12:
                    self._owner.mend()

    @property
    def _now(self) -> int:
        return self._ledger.now

    async def _move_in(self) -> None:
        """Let there be a past, and the entries be added."""
        chance, now = self._chance, self._now
        for _ in range(chance.choice((0, 3, 30, 150))):
            self._scene.gateway.spend(
                self._scene.some_key().name,
                chance.randint(1, 300_000),
                model=self._scene.some_model(),
                at=now - chance.randint(_MINUTE, 12 * _DAY),
            )
        zone = self._ledger.zone.key
        await self._home.hass.config.async_set_time_zone(zone)
        own = chance.choice((KEY, CODE, None))
        alone = chance.choice((_HOMEWORK, CODE if own != CODE else KEY, None, None))
        sites_zone = self._scene.gateway.options.time_zone
        self._note("begin", self.server, zone, sites_zone, own, alone)
        await self._house.move_in(own, alone)
        self._claims = Claims(self._home, self._house.entries)

    async def _rest(self) -> bool:
        """Let all be read while nothing happens; tell whether it is as claimed."""
        self._people.finish(everything=True)
        self._owner.come_to_rest()
        # Statistics are up to 5 minutes late, and asked every 30, or 10% later.
        until = self._now + self._chance.randint(40, 70) * _MINUTE
        while self._now < until:
            await self._house.pass_time(self._chance.choice((120, 180, 240)))
        self._owner.may_hang = False
        compare(self._claims, self._ledger, self.comparison, self._scene.watched)
        self._note("compared")
        return not self.comparison.differences

    async def _happen(self) -> None:
        """Let the first of what waits happen that can."""
        if not self._waiting:
            self._waiting = [
                kind for kind in sorted(self.kinds) for _ in range(_OFTEN.get(kind, 1))
            ]
            self._chance.shuffle(self._waiting)
        at_once = self._people.kinds | self._owner.kinds
        for kind in self._waiting:
            if accident := self._house.kinds.get(kind):
                await accident()
            elif not at_once[kind]():
                continue
            self._waiting.remove(kind)
            self.happened.add(kind)
            return

    def _note(self, *what: object) -> None:
        at = datetime.fromtimestamp(self._now, self._ledger.zone)
        self.diary.append(f"{at:%d %H:%M:%S} {', '.join(map(str, what))}")

    def __str__(self) -> str:
        """Return the diary, and what differs in the end."""
        return "\n".join([*self.diary, *self.comparison.differences])
