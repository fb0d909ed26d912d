"""What a demonstration has to show in its first minutes, one thing after the other."""

from collections import deque
from collections.abc import Callable
from typing import Final

from .life import Habits
from .records import Heartbeat, Model, Payment
from .server import Gateway

_MINUTE: Final = 60
_NEW_MODEL: Final = Model(name="glm-5", vendor="Zhipu", ratio=0.4, completion_ratio=3.5)


class LivelyHour:
    """Spends at every turn; and minute by minute something happens besides."""

    def __init__(self, gateway: Gateway, key: str) -> None:
        """Begin now; `key` is what is spent with."""
        self._gateway = gateway
        self._key = key
        self._habits = Habits(seed=1)
        self._last_cost = 0
        begun = gateway.world.now
        deeds: tuple[Callable[[], object], ...] = (
            self._announce,
            self._offer_model,
            self._complete_top_up,
            self._refund,
            self._break_something,
        )
        self._to_come = deque(
            (begun + number * _MINUTE, deed) for number, deed in enumerate(deeds, 1)
        )

    def go_on(self) -> None:
        """Ask something, and let happen whose time has come."""
        self._ask()
        while self._to_come and self._to_come[0][0] <= self._gateway.world.now:
            self._to_come.popleft()[1]()

    def _ask(self) -> None:
        prompt_tokens, completion_tokens = self._habits.tokens()
        model = self._habits.choose_model(self._gateway.world.models)
        self._last_cost = model.price(prompt_tokens, completion_tokens)
        self._gateway.spend(
            self._key,
            self._last_cost,
            model=model.name,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
        )

    def _announce(self) -> None:
        self._gateway.announce(f"**{_NEW_MODEL.name}** will be here in a minute")

    def _offer_model(self) -> None:
        self._gateway.world.models.append(_NEW_MODEL)

    def _complete_top_up(self) -> None:
        world = self._gateway.world
        for order in world.top_ups:
            if order.status is Payment.PENDING:
                raw = round(order.amount * self._gateway.options.quota_per_unit)
                world.complete(order, raw)

    def _refund(self) -> None:
        self._gateway.refund(self._key, self._last_cost)

    def _break_something(self) -> None:
        self._gateway.world.monitors[0].status = Heartbeat.DOWN
