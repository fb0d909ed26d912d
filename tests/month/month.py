"""Lets the month happen, step by step, and books what it costs."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import Final

from tests.simulator import (
    DIALECTS,
    Gateway,
    LogRow,
    Options,
    Reservation,
    Reset,
    User,
    World,
)

from .diary import (
    ANNOUNCEMENT,
    CHAT,
    CODE,
    END,
    HOME,
    LAPTOP,
    LATE_SECONDS,
    MODELS,
    NEW_MODEL,
    PER_DOLLAR,
    PUT_ASIDE,
    RAISED_BY,
    REFUND,
    REMOVED_MODEL,
    REWARD,
    START,
    TOP_UP_DOLLARS,
    ZONE,
    Dated,
    Happening,
    Question,
    happenings,
    questions,
)
from .truth import Payment, Receipt, Truth

# Whoever comes later than a server's window has lost the turn to ask it.
STEP: Final = 180
# For so long before and after something happens, every step counts.
_AROUND: Final = 5 * STEP
# What takes effect only after a while is watched for as long.
_AFTERWARDS: Final = (
    Happening.TOP_UP,
    Happening.CHECK_IN,
    Happening.REFUND,
    Happening.OUTAGE_ENDS,
    Happening.NIGHT_ENDS,
)
_MORNING: Final = timedelta(hours=6)
_USER: Final = "wang"

type Deed = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Step:
    """A moment to look at what is shown, and what has happened since the last one."""

    at: datetime
    happened: tuple[Happening, ...]


class Month:
    """A month of a household on a gateway, and what it has really cost.

    The clock has to stand at START, or shortly before, when the month is made.
    """

    def __init__(self, server: str = "new_api_main") -> None:
        """Set up the gateway, with some days of use behind it."""
        self.truth = Truth(ZONE)
        self.gateway = _gateway(server)
        self._world = self.gateway.world
        self._node_is_silent = False
        self._under_way: list[Reservation] = []
        self._happened: list[Happening] = []
        start, asked = int(START.timestamp()), questions()
        for at, question in asked:
            if at < start:
                self._ask(question, at)
        ahead = [(at, question) for at, question in asked if at >= start]
        deeds: list[Dated[Deed]] = [
            *(deed for each in ahead for deed in self._course(*each)),
            *((at, partial(self._happen, what)) for at, what in happenings()),
        ]
        self._deeds = sorted(deeds, key=itemgetter(0))

    @property
    def user(self) -> User:
        """Return whose account it is."""
        return self._world.user(_USER)

    def steps(self, move_to: Callable[[datetime], object]) -> Iterator[Step]:
        """Let it happen up to END; `move_to` sets the clock, which only goes on.

        Everything happens at its own second. There is a step every three minutes while
        something happens, around midnight and in the morning, and shortly before and
        after; else time jumps.
        """
        times = [at for at, _ in self._deeds]
        watched = sorted([*times, *_watched()])
        done = 0
        for at in range(int(START.timestamp()) + STEP, int(END.timestamp()) + 1, STEP):
            near = bisect_left(watched, at - _AROUND)
            is_near = near < len(watched) and watched[near] <= at + _AROUND
            if not is_near:
                continue
            while done < len(times) and times[done] <= at:
                move_to(datetime.fromtimestamp(times[done], UTC))
                self._deeds[done][1]()
                done += 1
            moment = datetime.fromtimestamp(at, UTC)
            move_to(moment)
            happened, self._happened = tuple(self._happened), []
            yield Step(moment, happened)

    # What is asked

    def _course(self, at: int, question: Question) -> Iterator[Dated[Deed]]:
        """Yield what a question leads to, and when."""
        if not question.seconds:
            yield at, partial(self._ask, question)
            return
        under_way: list[Reservation] = []

        def begin() -> None:
            # Nobody knows before how long the answer will be.
            reserved = self.gateway.reserve(question.key, 2 * question.quota)
            under_way.append(reserved)

        def end() -> None:
            reserved = under_way.pop()
            row = self.gateway.settle(
                reserved,
                question.quota,
                model=question.model.name,
                prompt_tokens=question.prompt_tokens,
                completion_tokens=question.completion_tokens,
            )
            self._book(question, row, reserved.key.id, begun=at)

        yield at, begin
        yield at + question.seconds, end

    def _ask(self, question: Question, at: int | None = None) -> None:
        row = self.gateway.spend(
            question.key,
            question.quota,
            model=question.model.name,
            prompt_tokens=question.prompt_tokens,
            completion_tokens=question.completion_tokens,
            at=at,
        )
        self._book(question, row, self._world.key(question.key).id, begun=at)

    def _book(
        self, question: Question, row: LogRow, key_id: int, *, begun: int | None
    ) -> None:
        if self._node_is_silent:
            self._world.hold_back(row)
        self.truth.payments.append(
            Payment(
                begun=row.at if begun is None else begun,
                at=row.at,
                key_id=key_id,
                model=question.model.name,
                quota=question.quota,
                tokens=question.prompt_tokens + question.completion_tokens,
                is_exported=self.gateway.options.data_export,
            )
        )

    # What else happens

    def _happen(self, happening: Happening) -> None:
        self._happened.append(happening)
        gateway, world = self.gateway, self._world
        deeds: dict[Happening, Deed] = {
            Happening.ORDER: partial(world.order, _USER, TOP_UP_DOLLARS),
            Happening.TOP_UP: self._pay,
            Happening.CHECK_IN: self._check_in,
            Happening.REFUND: self._refund,
            Happening.REQUEST_HANGS: self._begin_to_fail,
            Happening.REQUEST_FAILS: self._fail,
            Happening.KEY_EDITED: self._raise_limit,
            Happening.KEY_REPLACED: partial(world.replace_key, LAPTOP),
            Happening.MODEL_REMOVED: partial(world.remove_model, REMOVED_MODEL),
            Happening.MODEL_ADDED: partial(world.models.append, NEW_MODEL),
            Happening.ANNOUNCEMENT: partial(gateway.announce, ANNOUNCEMENT),
            Happening.OUTAGE_BEGINS: partial(gateway.faults.add, "*", Reset()),
            Happening.OUTAGE_ENDS: gateway.faults.clear,
            Happening.NIGHT_BEGINS: partial(gateway.faults.add, "*", Reset()),
            Happening.NIGHT_ENDS: gateway.faults.clear,
            Happening.EXPORT_OFF: partial(gateway.configure, data_export=False),
            Happening.EXPORT_ON: partial(gateway.configure, data_export=True),
            Happening.CACHES_LATE: partial(
                gateway.configure, late={"user.quota": LATE_SECONDS}
            ),
            Happening.CACHES_FRESH: partial(gateway.configure, late={}),
            Happening.NODE_SILENT: partial(setattr, self, "_node_is_silent", True),
            Happening.NODE_BACK: self._hear_node,
        }
        deeds[happening]()

    def _pay(self) -> None:
        raw = TOP_UP_DOLLARS * PER_DOLLAR
        self._world.complete(self._world.top_ups[-1], raw)
        self._receive(raw, Happening.TOP_UP)

    def _check_in(self) -> None:
        self.gateway.check_in(_USER, REWARD)
        self._receive(REWARD, Happening.CHECK_IN)

    def _receive(self, quota: int, what: Happening) -> None:
        self.truth.receipts.append(Receipt(self._world.now, quota, what.value))

    def _refund(self) -> None:
        self.gateway.refund(CODE, REFUND)
        refund = Receipt(self._world.now, REFUND, Happening.REFUND.value)
        self.truth.refunds.append(refund)

    def _begin_to_fail(self) -> None:
        self._under_way.append(self.gateway.reserve(HOME, PUT_ASIDE))

    def _fail(self) -> None:
        self._world.release(self._under_way.pop())

    def _raise_limit(self) -> None:
        left = self._world.key(CHAT).remain_quota
        self._world.edit_key(CHAT, remain_quota=left + RAISED_BY)

    def _hear_node(self) -> None:
        self._node_is_silent = False
        self._world.deliver()


def _watched() -> Iterator[int]:
    """Yield when somebody looks although nothing happens."""
    day = START
    while day <= END:
        for at in (day, day + _MORNING):
            moment = int(at.timestamp())
            yield from (moment - _AROUND, moment, moment + _AROUND)
        day += timedelta(days=1)
    for at_once, what in happenings():
        if what in _AFTERWARDS:
            yield from range(at_once, at_once + 4 * _AROUND, _AROUND)


def _gateway(server: str) -> Gateway:
    world = World(models=list(MODELS))
    user = world.add_user(
        _USER, quota=12_000_000, used_quota=101_150_000, request_count=1_234
    )
    world.add_key(user, HOME, quota=25_000_000, used_quota=24_000_000)
    world.add_key(user, CODE, unlimited=True)
    world.add_key(user, CHAT, quota=15_000_000)
    world.add_key(user, LAPTOP, quota=10_000_000)
    # The site is elsewhere, and its days begin at other times.
    options = Options(system_name="Juhe AI", check_in=True, time_zone="Asia/Shanghai")
    return Gateway(world, DIALECTS[server], options)
