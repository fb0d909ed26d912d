"""Lets a simulated household use its gateway."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
import random
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from .records import Key, Model, Status, User
from .world import World

if TYPE_CHECKING:
    from .server import Gateway

_MINUTE: Final = 60
_REQUESTS_PER_HOUR: Final = 1.6
_TYPICAL_TOKENS: Final = 9_000
_LOW: Final = 5_000_000
_TOP_UP_DOLLARS: Final = 50

# How busy the days of a week are, from Monday on; 1 is ordinary.
_WEEK: Final = (1.1, 1.2, 1.1, 1.2, 1.0, 0.5, 0.6)

# How busy the hours of a day are, from midnight on.
_RHYTHM: Final = (
    *(0.2, 0.05, 0, 0, 0, 0, 0.2, 0.7),
    *(1.0, 1.2, 1.3, 1.2, 0.9, 1.1, 1.3, 1.4),
    *(1.3, 1.1, 1.0, 1.4, 1.8, 1.9, 1.3, 0.6),
)


class Habits:
    """When, with which key and for what a household asks a model; seeded."""

    def __init__(self, seed: int, time_zone: str = "UTC") -> None:
        """Take up habits; the same seed gives the same days."""
        self._chance = random.Random(seed)
        self._zone = ZoneInfo(time_zone)

    def asks_in_minute(self, at: int) -> bool:
        """Tell whether somebody asks something in this minute."""
        now = datetime.fromtimestamp(at, UTC).astimezone(self._zone)
        busy = _WEEK[now.weekday()] * _RHYTHM[now.hour]
        return self._chance.random() < _REQUESTS_PER_HOUR / 60 * busy

    def choose_key(self, keys: Sequence[Key], weights: Sequence[float]) -> Key:
        """Choose a key, some more often than others."""
        return self._chance.choices(keys, weights)[0]

    def choose_model(self, models: Sequence[Model]) -> Model:
        """Choose a model, the first of the list most often."""
        weights = [1 / number for number in range(1, len(models) + 1)]
        return self._chance.choices(models, weights)[0]

    def tokens(self) -> tuple[int, int]:
        """Return how long a question and its answer are."""
        prompt = round(_TYPICAL_TOKENS * self._chance.lognormvariate(0, 0.9))
        return prompt, round(prompt * self._chance.uniform(0.05, 0.6))


class Life:
    """Spends by the minute, and pays when little is left."""

    def __init__(
        self, gateway: Gateway, *, user: str | None = None, seed: int = 1
    ) -> None:
        """Begin now, with the first user unless told otherwise."""
        world = gateway.world
        self._gateway = gateway
        self._user = world.user(user) if user else next(iter(world.users.values()))
        self._habits = Habits(seed, gateway.options.time_zone)
        self._lived_until = world.now

    def catch_up(self, until: int | None = None) -> int:
        """Live every minute up to now; return how many requests that were."""
        until = self._gateway.world.now if until is None else until
        before = self._user.request_count
        while self._lived_until + _MINUTE <= until:
            self._lived_until += _MINUTE
            if self._habits.asks_in_minute(self._lived_until):
                self._ask(self._lived_until)
        return self._user.request_count - before

    async def run(self) -> None:
        """Live on, until cancelled."""
        while True:
            await asyncio.sleep(_MINUTE)
            self.catch_up()

    def _ask(self, at: int) -> None:
        world = self._gateway.world
        if self._user.quota < _LOW:
            raw = round(_TOP_UP_DOLLARS * self._gateway.options.quota_per_unit)
            world.top_up(self._user.name, raw, dollars=_TOP_UP_DOLLARS)
        keys = _usable_keys(world, self._user, at)
        if not keys or not world.models:
            return
        # What was always used most is used most.
        key = self._habits.choose_key(keys, [1 + key.used_quota for key in keys])
        model = self._habits.choose_model(world.models)
        prompt_tokens, completion_tokens = self._habits.tokens()
        self._gateway.spend(
            key.name,
            model.price(prompt_tokens, completion_tokens),
            model=model.name,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            at=at,
        )


def _usable_keys(world: World, user: User, at: int) -> list[Key]:
    return [
        key
        for key in world.keys_of(user)
        if key.status == Status.ENABLED
        and not key.has_expired(at)
        and not key.is_exhausted
    ]
