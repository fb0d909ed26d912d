"""What a site grants is not overdrawn, and shared by all who ask it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import ClientSession, hdrs, web
import pytest

from custom_components.new_api.gateway.budget import CRITICAL_CALLS, Bucket, Budget
from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.errors import RateLimitedError
from custom_components.new_api.gateway.transport import Transport
from tests.gateway import expectations as expected
from tests.gateway.clock import Clock
from tests.gateway.scripted import Reply, scripted
from tests.recordings import SITES, load
from tests.recordings.replay import Replay, replaying

USAGE = "/api/usage/token/"


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands."""
    return Clock()


async def granted(budget: Budget, bucket: Bucket) -> bool:
    """Tell whether a bucket grants a call, and take it."""
    try:
        async with budget.spend(bucket):
            return True
    except RateLimitedError:
        return False


async def waits(budget: Budget, bucket: Bucket, *, reserve: int = 0) -> float:
    """Return how long a bucket wants us to wait."""
    with pytest.raises(RateLimitedError) as raised:
        async with budget.spend(bucket, reserve=reserve):
            pass
    return raised.value.retry_after


async def test_critical_calls_are_few(clock: Clock) -> None:
    """The household's logins share the 20 critical calls: four in 1200 s are ours."""
    budget = Budget(clock)
    for _ in range(4):
        assert await granted(budget, Bucket.CRITICAL)
        clock.now += 100
    assert await waits(budget, Bucket.CRITICAL) == 1200 - 400
    assert await granted(budget, Bucket.GENERAL)
    clock.now += 799
    assert not await granted(budget, Bucket.CRITICAL)
    clock.now += 1
    assert await granted(budget, Bucket.CRITICAL)
    # The window slides: the second of the four frees the next.
    assert await waits(budget, Bucket.CRITICAL) == 100


async def test_reserve(clock: Clock) -> None:
    """Who has no better reason leaves a critical call for those who have."""
    budget = Budget(clock)
    for _ in range(3):
        async with budget.spend(Bucket.CRITICAL, reserve=1):
            clock.now += 100
    assert await waits(budget, Bucket.CRITICAL, reserve=1) == 1200 - 300
    assert await granted(budget, Bucket.CRITICAL)
    assert await waits(budget, Bucket.CRITICAL) == 1200 - 300
    # Of four, two must have passed before there is one more than the reserve.
    assert await waits(budget, Bucket.CRITICAL, reserve=1) == 1200 - 200


async def test_never_more_critical_calls_in_any_window(clock: Clock) -> None:
    """However often it is tried, no 1200 s see more than four critical calls."""
    budget = Budget(clock)
    calls = []
    for _ in range(500):
        if await granted(budget, Bucket.CRITICAL):
            calls.append(clock.now)
        clock.now += 37
    assert len(calls) > 3 * CRITICAL_CALLS
    for call in calls:
        assert (
            sum(call <= other < call + 1200 for other in calls) <= CRITICAL_CALLS == 4
        )


@pytest.mark.parametrize(
    ("said", "wait"), [(None, 180), (0, 180), (60, 60), (0.5, 0.5), (1e9, 86_400)]
)
async def test_closed_bucket(clock: Clock, said: float | None, wait: float) -> None:
    """After a 429 nothing is asked until its time has passed."""
    budget = Budget(clock)
    assert budget.close(Bucket.GENERAL, said).retry_after == wait
    assert await waits(budget, Bucket.GENERAL) == wait
    clock.now += wait - 0.25
    assert await waits(budget, Bucket.GENERAL) == 0.25
    clock.now += 0.25
    assert await granted(budget, Bucket.GENERAL)


async def test_second_429(clock: Clock) -> None:
    """A later 429 does not open a bucket sooner than an earlier one said."""
    budget = Budget(clock)
    budget.close(Bucket.GENERAL, 600)
    assert budget.close(Bucket.GENERAL, 60).retry_after == 60
    assert await waits(budget, Bucket.GENERAL) == 600


async def test_which_buckets_a_429_closes(clock: Clock) -> None:
    """A critical call counts in both buckets, a question about models in none (1.6)."""
    budget = Budget(clock)
    budget.close(Bucket.CRITICAL, 60)
    assert not await granted(budget, Bucket.CRITICAL)
    assert await granted(budget, Bucket.GENERAL)
    assert await granted(budget, Bucket.MODELS)

    budget = Budget(clock)
    assert budget.close(Bucket.MODELS, None).retry_after == 180
    assert not await granted(budget, Bucket.MODELS)
    assert await granted(budget, Bucket.GENERAL)

    budget = Budget(clock)
    budget.close(Bucket.GENERAL, 60)
    assert not await granted(budget, Bucket.GENERAL)
    assert not await granted(budget, Bucket.CRITICAL)
    assert await granted(budget, Bucket.MODELS)
    clock.now += 60
    # What was not granted was not spent.
    for _ in range(CRITICAL_CALLS):
        assert await granted(budget, Bucket.CRITICAL)


async def test_four_at_once(clock: Clock) -> None:
    """At most four requests are under way, and the next takes the place of one."""
    budget = Budget(clock)
    done = asyncio.Event()
    inside = 0

    async def request() -> None:
        nonlocal inside
        async with budget.spend(Bucket.MODELS):
            inside += 1
            await done.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(request())
        for _ in range(20):
            await asyncio.sleep(0)
        assert inside == 4
        done.set()
    assert inside == 10


async def test_place_is_given_back(clock: Clock) -> None:
    """A request that fails, is refused or given up leaves its place to the next."""
    budget = Budget(clock)
    budget.close(Bucket.GENERAL, 60)
    for _ in range(10):
        assert not await granted(budget, Bucket.GENERAL)
        with suppress(ZeroDivisionError):
            async with budget.spend(Bucket.MODELS):
                raise ZeroDivisionError
        with suppress(TimeoutError):
            async with asyncio.timeout(0), budget.spend(Bucket.MODELS):
                await asyncio.Event().wait()
    assert await granted(budget, Bucket.MODELS)


@dataclass(slots=True)
class Crowd:
    """A handler that counts how many are with it, and lets nobody go before told."""

    reply: Reply
    here: int = 0
    most: int = 0
    full: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer once four have come, as all come that may."""
        self.here += 1
        self.most = max(self.most, self.here)
        if self.here == 4:
            self.full.set()
        await self.full.wait()
        self.here -= 1
        return await self.reply(request)


async def test_four_at_once_over_http(session: ClientSession) -> None:
    """All who share a budget share its places."""
    budget, crowd = Budget(), Crowd(Reply.json({}))
    async with scripted({"/api/status": crowd}) as gateway:
        transports = [Transport(session, gateway.url, budget) for _ in range(5)]
        await asyncio.gather(
            *(each.get("/api/status") for each in transports for _ in range(4))
        )
    assert len(gateway.asked) == 20
    assert crowd.most == 4


async def test_a_429_stops_those_who_wait(session: ClientSession) -> None:
    """Requests that wait for their turn are not sent any more after a 429."""
    crowd = Crowd(Reply(429, b"", None, {hdrs.RETRY_AFTER: "30"}))
    async with scripted({"/api/status": crowd}) as gateway:
        transport = Transport(session, gateway.url, Budget())
        results = await asyncio.gather(
            *(transport.get("/api/status") for _ in range(12)), return_exceptions=True
        )
    assert all(isinstance(each, RateLimitedError) for each in results)
    assert len(gateway.asked) == 4


# The recorded limiters of the other families do not count what the client asks. Of
# these only the newest says itself how long to wait (1.6).
NEW_API = [server for server in SITES if server.startswith("new_api")]


async def until_limited(ask: Callable[[], Awaitable[object]]) -> tuple[int, float]:
    """Return how often something could be asked, and how long to wait then."""
    for times in range(100):
        try:
            await ask()
        except RateLimitedError as err:
            return times, err.retry_after
    raise AssertionError("There is no limit")


def client_of(
    session: ClientSession, replay: Replay, budget: Budget, server: str
) -> Client:
    """Return a client of the `limited` site with a key that works."""
    return Client(
        session,
        replay.url,
        Credentials.from_text(key=expected.secret(load(server, "limited"), "main")),
        budget=budget,
    )


@pytest.mark.parametrize("server", NEW_API)
async def test_general_limit(session: ClientSession, clock: Clock, server: str) -> None:
    """The recorded limiter closes the bucket, and only the models are still asked."""
    async with replaying(load(server, "limited")) as replay:
        client = client_of(session, replay, Budget(clock), server)
        assert await until_limited(client.site) == (17, 180)
        assert len(replay.requests) == 18

        clock.now += 179
        for ask in (client.site, client.account):
            with pytest.raises(RateLimitedError) as raised:
                await ask()
            assert raised.value.retry_after == 1
        assert len(replay.requests) == 18

        assert await client.key_models()
        assert len(replay.requests) == 19

        clock.now += 1
        with pytest.raises(RateLimitedError) as raised:
            await client.site()
        assert raised.value.retry_after == 180
        assert len(replay.requests) == 20
        assert replay.unrecorded == []


@pytest.mark.parametrize("server", NEW_API)
async def test_critical_limit(
    session: ClientSession, clock: Clock, server: str
) -> None:
    """The recorded limiter of critical calls is respected, with or without a time."""
    async with replaying(load(server, "limited")) as replay:
        # Somebody else of the household takes what there is.
        for _ in range(20):
            others = Transport(session, replay.url, Budget(clock))
            await others.get(USAGE, bucket=Bucket.CRITICAL, headers=_key(server))

        budget = Budget(clock)
        transport = Transport(session, replay.url, budget)
        with pytest.raises(RateLimitedError) as raised:
            await transport.get(USAGE, bucket=Bucket.CRITICAL, headers=_key(server))
        assert raised.value.retry_after == 1200
        clock.now += 1199
        assert await waits(budget, Bucket.CRITICAL) == 1
        assert await granted(budget, Bucket.GENERAL)
        assert len(replay.requests) == 21
        clock.now += 1
        assert await granted(budget, Bucket.CRITICAL)


def _key(server: str) -> dict[str, str]:
    recording = load(server, "limited")
    return {hdrs.AUTHORIZATION: f"Bearer {expected.secret(recording, 'main')}"}


async def test_redirects_are_requests(session: ClientSession) -> None:
    """Who is sent from path to path asks more than once.

    A server counts a critical call only where it answers (gateway_api.md 1.4).
    """
    budget = Budget(lambda: 0.0)
    elsewhere = "/api/usage/elsewhere/"
    replies = {USAGE: Reply.redirect(elsewhere), elsewhere: Reply.json({"code": True})}
    async with scripted(replies) as gateway:
        transport = Transport(session, gateway.url, budget)
        for _ in range(CRITICAL_CALLS):
            await transport.get(USAGE, bucket=Bucket.CRITICAL)
        with pytest.raises(RateLimitedError):
            await transport.get(USAGE, bucket=Bucket.CRITICAL)
    assert len(gateway.asked) == 2 * CRITICAL_CALLS
    assert budget.state()["general_calls"] == 2 * CRITICAL_CALLS
