"""A client that asks a site one question after the other."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
import time
from typing import Any, Final, Self

from aiohttp import ClientSession, DummyCookieJar
from yarl import URL

from custom_components.new_api.gateway.budget import Budget
from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.concurrency import QUESTION_TIMEOUT
from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.errors import (
    GatewayError,
    MovedError,
    RateLimitedError,
)
from custom_components.new_api.gateway.models import (
    Account,
    AccountKey,
    KeyState,
    Site as SiteModel,
)
from custom_components.new_api.gateway.usage import LogKind

from . import oracle
from .site import ORIGIN, Connector, Reply, Served, Site
from .virtual import StuckError, VirtualLoop

KEY: Final = "sk-Zq7vXw3nKd9pRt5mHs1cBf6yLg2jVe8uTa4oWi0xNb7kQd5z"
TOKEN: Final = "Jx4+PfY8sGm2/UhT6rCq0VzLb9NwEk3="
"""What the client holds, and no error may tell."""

_PART: Final = 8
"""How many characters in a row of a secret are too many."""

_PARTS: Final = frozenset(
    secret[at : at + _PART]
    for secret in (KEY, KEY.removeprefix("sk-"), TOKEN)
    for at in range(len(secret) - _PART + 1)
)

# Which path may be sent which secret.
_MAY_SEE: Final = {KEY: ("/v1/", "/api/usage/token/"), TOKEN: ("/api/",)}

# Of a processor, in seconds; the time-outs of the client cannot end what does not wait.
LONGEST_WORK: Final = 2.0

# How much longer than its time-out a question may take, in seconds.
_GRACE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One question, and all the replies to it, by path with query or by path."""

    question: str
    replies: Mapping[str, tuple[Reply, ...]]
    wait: float = 0.0
    """How long it is asked after the one before, in seconds."""
    cancelled_after: float | None = None
    """When the one who asks wants no answer any more, in seconds."""
    listed: bool = False
    """Whether a key is asked for as the one that the last list has."""
    span: tuple[int, int] = (0, 0)
    """What is asked about, in Unix seconds, where it is about a range of time."""
    kind: LogKind = LogKind.REFUND
    """Which rows of the log are asked for."""
    sound: bool = False
    """Whether all is as documented, so that no answer is a failure."""


@dataclass(frozen=True, slots=True)
class Visit:
    """All that one client asks; `status` is what the site says of itself before."""

    status: Reply
    asks: tuple[Ask, ...]
    clock: float
    """When it begins, in Unix seconds."""
    user_id: str | None = None
    account_id: int | None = None


class FailureError(Exception):
    """The client did what it never may."""

    def __init__(self, visit: Visit, ask: Ask, why: str, served: list[Served]) -> None:
        """Keep what it takes to see it again."""
        super().__init__(why)
        self.visit = visit
        self.ask = ask
        self.why = why
        self.served = served


@dataclass(slots=True)
class Figures:
    """What many visits came to."""

    questions: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    replies: int = 0
    longest_work: float = 0.0
    longest_wait: float = 0.0

    @property
    def all(self) -> int:
        """How many questions were asked."""
        return self.questions.total()


@dataclass(slots=True)
class _Knows:
    """What a client was told so far."""

    site: SiteModel
    known: oracle.Known
    memory: oracle.Memory = field(default_factory=oracle.Memory)
    account: Account | None = None
    keys: tuple[AccountKey, ...] = ()


# What somebody has for an answer who did not wait for it.
_CANCELLED: Final = object()


@dataclass(frozen=True, slots=True)
class _About:
    """All that an answer can be compared with."""

    visit: Visit
    ask: Ask
    served: list[Served]
    knows: _Knows | None
    clock: float


class Visitor:
    """Pays visits, one after the other, on a loop of its own."""

    def __init__(self) -> None:
        """Start."""
        self.figures = Figures()
        self._sites: dict[Reply, tuple[SiteModel, oracle.Known]] = {}
        self._loop = VirtualLoop()
        self._connector, self._session = self._loop.run_until_complete(_session())

    def close(self) -> None:
        """Leave nothing open."""
        self._loop.run_until_complete(self._session.close())
        self._loop.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def pay(self, visit: Visit) -> None:
        """Ask everything. Raises FailureError where an answer is not justified."""
        start = self._loop.time()

        def clock() -> float:
            return visit.clock + self._loop.time() - start

        client = Client(
            self._session,
            URL(ORIGIN),
            Credentials(key=KEY, user_id=visit.user_id, access_token=TOKEN),
            budget=Budget(clock=self._loop.time),
            clock=clock,
            account_id=visit.account_id,
        )
        asks, knows = visit.asks, None
        if visit.status in self._sites:
            # It was asked on a visit before.
            knows = _Knows(*self._sites[visit.status])
        else:
            asks = (Ask("site", {"/api/status": (visit.status,)}), *asks)
        for ask in asks:
            self._loop.pass_time(ask.wait)
            site = Site(_MAY_SEE, ask.replies)
            self._connector.site = site
            crash: BaseException | None = None
            try:
                answer = self._ask(client, ask, knows, site)
                about = _About(visit, ask, site.served, knows, clock())
                wrong = list(_wrong(answer, about))
            except _Misdeed as misdeed:
                answer, wrong, crash = _CANCELLED, [str(misdeed)], misdeed.__cause__
            if site.misbehaviour is not None:
                wrong.append(site.misbehaviour)
            if wrong:
                raise FailureError(visit, ask, "; ".join(wrong), site.served) from crash
            knows = _learned(knows, answer, site)
            if knows is None:
                return
            self._sites.setdefault(visit.status, (knows.site, knows.known))

    def _ask(
        self, client: Client, ask: Ask, knows: _Knows | None, site: Site
    ) -> object:
        """Return the answer or the error of the tree."""
        figures = self.figures
        figures.questions[ask.question] += 1
        began, worked = self._loop.time(), time.thread_time()
        answer: object
        try:
            answer = self._loop.run_until_complete(
                _within(_question(client, ask, knows), ask.cancelled_after)
            )
        except GatewayError as error:
            answer = error
            figures.refused[type(error).__name__] += 1
        except asyncio.CancelledError:
            if ask.cancelled_after is None:
                raise _Misdeed("It was cancelled by itself") from None
            answer = _CANCELLED
            figures.refused["cancelled"] += 1
        except StuckError:
            raise _Misdeed("It waits for ever") from None
        except Exception as error:
            raise _Misdeed(f"It crashed with {error!r}") from error
        else:
            figures.answered[ask.question] += 1
        worked = time.thread_time() - worked
        waited = self._loop.time() - began
        figures.replies += len(site.served)
        figures.longest_work = max(figures.longest_work, worked)
        figures.longest_wait = max(figures.longest_wait, waited)
        if worked > LONGEST_WORK:
            raise _Misdeed(f"It worked for {worked:.1f} seconds")
        if waited > QUESTION_TIMEOUT + _GRACE:
            raise _Misdeed(f"It waited for {waited:.0f} seconds")
        return answer


class _Misdeed(Exception):  # noqa: N818 - it never gets out of here
    """What the client did wrong."""


async def _session() -> tuple[Connector, ClientSession]:
    # A connection that is used again would make one visit depend on those before.
    connector = Connector(force_close=True)
    return connector, ClientSession(connector=connector, cookie_jar=DummyCookieJar())


async def _within(question: Awaitable[object], seconds: float | None) -> object:
    """Wait for an answer, and cancel the question after some time."""
    if seconds is None:
        return await question
    task = asyncio.ensure_future(question)
    asyncio.get_running_loop().call_later(seconds, task.cancel)
    return await task


async def _question(client: Client, ask: Ask, knows: _Knows | None) -> object:
    if knows is None:
        assert ask.question == "site"
        return await client.site()
    site = knows.site
    arguments: Mapping[str, tuple[Any, ...]] = {
        "site": (),
        "account": (),
        "key_models": (),
        "notice": (),
        "key": (site, _listed(ask, knows)),
        "account_models": (site, _group(knows)),
        "check_in": (site, "2026-11"),
        "spent": (site, *ask.span),
        "usage_by_hour": (site, *ask.span),
        "usage_by_key": (site, *ask.span),
        "logged": (site, ask.kind, *ask.span),
    }
    question = getattr(client, ask.question)
    return await question(*arguments.get(ask.question, (site,)))


def _group(knows: _Knows) -> str | None:
    return "default" if knows.account is None else knows.account.group


def _listed(ask: Ask, knows: _Knows) -> AccountKey | None:
    return next(iter(knows.keys), None) if ask.listed else None


def _wrong(answer: Any, about: _About) -> Iterator[str]:
    """Return what is wrong with an answer."""
    if answer is _CANCELLED:
        return
    if isinstance(answer, GatewayError):
        yield from _wrong_error(answer)
        if about.ask.sound:
            yield f"no answer but {answer!r}"
        return
    yield from _ORACLES[about.ask.question](answer, about)


def _wrong_account(account: Account, about: _About) -> Iterator[str]:
    yield from oracle.wrong_account(account, about.served)
    figures = (account.remaining_quota, account.used_quota)
    yield from _wrong_amounts(about.knows, *figures)


def _wrong_keys(keys: tuple[AccountKey, ...], about: _About) -> Iterator[str]:
    yield from oracle.wrong_keys(keys, about.served, KEY, about.clock)
    for key in keys:
        yield from _wrong_amounts(about.knows, key.remaining_quota, key.used_quota)


def _wrong_account_models(models: tuple[str, ...], about: _About) -> Iterator[str]:
    assert about.knows is not None
    group = _group(about.knows)
    yield from oracle.wrong_account_models(models, about.served, group)


def _wrong_key(state: KeyState, about: _About) -> Iterator[str]:
    knows = about.knows
    assert knows is not None
    listed = _listed(about.ask, knows)
    if listed is not None:
        yield from oracle.wrong_listed_key(state, about.served, listed)
    else:
        yield from oracle.wrong_key(
            state, about.served, knows.known, knows.memory, about.clock
        )
    if state.unanswered is not None:
        yield from _wrong_error(state.unanswered)
    yield from _wrong_amounts(knows, state.remaining_quota, state.used_quota)


_ORACLES: Final[Mapping[str, Callable[[Any, _About], Iterator[str]]]] = {
    "site": lambda site, about: oracle.wrong_site(site, about.served),
    "account": _wrong_account,
    "keys": _wrong_keys,
    "key": _wrong_key,
    "key_models": lambda models, about: oracle.wrong_models(models, about.served),
    "account_models": _wrong_account_models,
    "spent": lambda spent, about: oracle.wrong_spent(spent, about.served),
    "usage_by_hour": lambda rows, about: oracle.wrong_usage_by_hour(
        rows, about.served, about.ask.span, about.visit.account_id
    ),
    "usage_by_day": lambda rows, about: oracle.wrong_usage_by_day(rows, about.served),
    "usage_by_key": lambda rows, about: oracle.wrong_usage_by_key(rows, about.served),
    "logged": lambda amounts, about: oracle.wrong_logged(
        amounts, about.served, about.ask.kind, about.ask.span, about.visit.account_id
    ),
    "plans": lambda plans, about: oracle.wrong_plans(
        plans, about.served, about.clock, about.visit.account_id
    ),
    "check_in": lambda check_in, about: oracle.wrong_check_in(check_in, about.served),
    "pending_top_ups": lambda pending, about: oracle.wrong_pending_top_ups(
        pending, about.served, about.visit.account_id
    ),
    "groups": lambda groups, about: oracle.wrong_groups(groups, about.served),
    "notice": lambda notice, about: oracle.wrong_notice(notice, about.served),
    "monitors": lambda monitors, about: oracle.wrong_monitors(monitors, about.served),
}


def _wrong_amounts(knows: _Knows | None, *figures: int | None) -> Iterator[str]:
    assert knows is not None
    yield from knows.known.money.wrong_amounts(knows.site.unit, figures)


def _wrong_error(error: GatewayError) -> Iterator[str]:
    """Return what is wrong with an error of the tree, and all that hangs on it."""
    if isinstance(error, RateLimitedError) and not (
        isfinite(error.retry_after) and error.retry_after > 0
    ):
        yield f"a wait of {error.retry_after} seconds"
    if isinstance(error, MovedError) and not _is_base(error.location):
        yield f"a move to {error.location!r}"
    for said in _said(error):
        for at in range(len(said) - _PART + 1):
            if said[at : at + _PART] in _PARTS:
                yield f"a part of a secret in {said!r}"
                break


def _is_base(location: str) -> bool:
    try:
        url = URL(location)
    except ValueError:
        return False
    return url.absolute and not (url.user or url.password or url.query or url.fragment)


def _said(error: BaseException) -> Iterator[str]:
    yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
    context = None if error.__suppress_context__ else error.__context__
    for each in (error.__cause__, context):
        if each is not None:
            yield from _said(each)


def _learned(knows: _Knows | None, answer: object, site: Site) -> _Knows | None:
    match answer:
        case SiteModel():
            reply = site.served[-1].reply
            assert reply is not None
            known = oracle.Known.of(reply)
            if knows is None:
                return _Knows(answer, known)
            knows.site, knows.known = answer, known
        case Account() if knows is not None:
            knows.account = answer
        case [AccountKey(), *_] if knows is not None:
            knows.keys = tuple(each for each in answer if isinstance(each, AccountKey))
    return knows
