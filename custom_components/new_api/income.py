"""Notices money that came in, from the balance of an account and what it has used.

Spending moves both by the same amount, so their sum, the level, stays. It rises when
somebody pays in, redeems a code, checks in or is given something, none of which says
so anywhere (gateway_api.md 3.5). It also moves, and comes back, without any of that:

- Quota is reserved before it is used. The level is too low until a request is settled.
- Servers cache for up to a minute, balance and use of different moments (3.6). The
  level is too low or too high by what was spent meanwhile.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from operator import index
from typing import Any, Final, Self

# In milliseconds. Hardly any request takes longer than the one, none than the other;
# no cache lasts as long.
_LONG_REQUEST: Final = 900_000
_LONGEST_REQUEST: Final = 3_600_000

# What a clock can be wrong by without saying so.
_DAY: Final = 86_400_000

# So many readings in a row have to show the same level while the account is in use.
_ENOUGH: Final = 3


@dataclass(frozen=True, slots=True)
class Gain:
    """Money that came in, raw quota; `balance` is what is there now.

    `since` is when the account was last read without it, in Unix seconds, and `more` by
    how much the balance has risen from then, which is less where some of it was spent.
    It is not certain where it may be more, since something was taken before and may
    have come back with it.
    """

    amount: int
    balance: int
    since: float
    more: int
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class _Reading:
    at: int
    balance: int
    used: int
    plan_pays: bool

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what was kept. Raises KeyError or TypeError where it is damaged."""
        return cls(
            index(data["at"]),
            index(data["balance"]),
            index(data["used"]),
            bool(data["plan_pays"]),
        )

    def above(self, other: _Reading) -> int:
        """Return by how much the level has risen since another reading.

        A plan that pays raises what is used without lowering the balance, so that the
        balance alone tells.
        """
        rise = self.balance - other.balance
        if not (self.plan_pays or other.plan_pays):
            rise += self.used - other.used
        return rise


class IncomeWatch:
    """Compares each reading of an account with the last one whose level is certain.

    A level is certain when nothing has moved for a quarter of an hour. While the
    account is in use, a higher one is when all readings of a quarter of an hour show
    it, together with a risen balance, which caches alone cannot do. Income before the
    first certain level goes unnoticed; in constant use, that is one of an hour.

    A level that has fallen may be a reservation, until it was still there after an
    hour: a rise that does not get beyond the level before may be its return. If it
    comes back to just that, it was; if it stays below, it is a gain after that hour.
    Some of several falls can be for good, so that it may come back to any of the levels
    before them.
    """

    def __init__(self) -> None:
        """Start without any reading."""
        self._forget()

    def _forget(self) -> None:
        """Start anew: the clock was wrong."""
        # The last reading at the level that is certain, and those at the levels before
        # falls, the highest first.
        self._base: _Reading | None = None
        self._before: list[_Reading] = []
        # Since when the readings up to the last one have shown the same.
        self._last: _Reading | None = None
        self._still_since = 0
        self._level_since = 0
        self._level_times = 0

    def read(
        self, balance: int, used: int, at: float, *, plan_pays: bool
    ) -> Gain | None:
        """Take a reading, raw quota, made at a time in Unix seconds.

        `plan_pays` tells that a subscription may pay for requests. Returns what has
        come in, again and again until it is settled. A reading that is not newer than
        the last is ignored.
        """
        now = _Reading(round(at * 1000), balance, used, plan_pays)
        if self._last is not None and now.at <= self._last.at:
            if self._last.at - now.at > _DAY:
                self._forget()
            return None
        self._follow(now)
        base = self._base
        if base is None:
            is_long = now.at - self._level_since >= _LONGEST_REQUEST
            if self._is_still(now) or (is_long and self._is_steady(now)):
                self._base = now
            return None
        rise = now.above(base)
        beyond = self._beyond(now, rise)
        if rise == 0 or beyond == 0:
            self._base = now
        elif rise < 0:
            if self._is_still(now):
                self._fall(base, now)
        elif beyond > 0 and (
            self._is_still(now) or (self._is_steady(now) and balance > base.balance)
        ):
            # A reservation has come back with it if settled, and else it may have.
            before = self._before[0] if self._before else base
            return Gain(
                beyond,
                balance,
                before.at / 1000,
                balance - before.balance,
                is_certain=beyond == rise or used != base.used,
            )
        return None

    def settle(self, gain: Gain) -> None:
        """Take note, before the next reading, that a gain was dealt with.

        Raises ValueError where the last reading has not shown it.
        """
        if self._last is None or self._last.balance != gain.balance:
            raise ValueError("There is no such gain")
        self._base, self._before = self._last, []

    def as_dict(self) -> dict[str, Any]:
        """Return what outlives a restart, as JSON can keep it."""
        if self._base is None:
            return {}
        return {
            "base": asdict(self._base),
            "before": [asdict(reading) for reading in self._before],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what was kept. Raises ValueError where it is damaged."""
        watch = cls()
        if not data:
            return watch
        try:
            watch._base = _Reading.from_dict(data["base"])
            watch._before = [_Reading.from_dict(each) for each in data["before"]]
        except (AttributeError, KeyError, TypeError) as err:
            raise ValueError("What is known of an account's income is damaged") from err
        return watch

    def _follow(self, now: _Reading) -> None:
        """Note since when the readings have shown the same."""
        last, self._last = self._last, now
        if last is None or (now.balance, now.used) != (last.balance, last.used):
            self._still_since = now.at
        if last is None or now.above(last):
            self._level_since = now.at
            self._level_times = 0
        self._level_times += 1

    def _is_still(self, now: _Reading) -> bool:
        return now.at - self._still_since >= _LONG_REQUEST

    def _is_steady(self, now: _Reading) -> bool:
        return (
            self._level_times >= _ENOUGH and now.at - self._level_since >= _LONG_REQUEST
        )

    def _fall(self, base: _Reading, now: _Reading) -> None:
        """Go on from a lower level; those before it stay in mind."""
        higher = [each for each in self._before if each.above(base) > 0]
        self._base, self._before = now, [*higher, base]

    def _beyond(self, now: _Reading, rise: int) -> int:
        """Return by how much a rise goes beyond the levels before falls, if any."""
        while self._before:
            beyond = now.above(self._before[0])
            if beyond >= 0:
                return beyond
            if now.at - self._level_since < _LONGEST_REQUEST:
                is_back = any(now.above(each) == 0 for each in self._before)
                return 0 if is_back else beyond
            # No reservation lasts that long, and no other has begun or ended
            # meanwhile: it has fallen for good.
            del self._before[0]
        return rise
