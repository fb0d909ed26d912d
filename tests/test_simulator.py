"""The simulated gateway beyond what was recorded: money, time, limits and failures."""

from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
import gzip
import json
from pathlib import Path
import signal
import socket
import subprocess
import sys
from typing import Any, Final

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
)
from freezegun.api import FrozenDateTimeFactory
from hypothesis import given, strategies as st
import pytest
from yarl import URL

from tests.simulator import (
    DIALECTS,
    Answer,
    Bucket,
    End,
    Gateway,
    Hang,
    Life,
    Misdate,
    Rate,
    Raw,
    Rebase,
    Reset,
    Reword,
    Rewrite,
    Status,
    Trickle,
    Truncate,
    World,
)
from tests.simulator.__main__ import main
from tests.simulator.paging import Paging
from tests.simulator.visiting import account, bearer, data

NOW: Final = 1_795_421_638
PER_DOLLAR: Final = 500_000
DAY: Final = 86_400


class Clock:
    """A clock that the test turns."""

    now: float = NOW

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still until it is turned."""
    return Clock()


@pytest.fixture
def gateway(clock: Clock) -> Gateway:
    """Give the household's gateway."""
    return Gateway.demo(clock=clock)


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[ClientSession]:
    """Give a session that asks for nothing compressed and follows nothing."""
    async with ClientSession(
        cookie_jar=DummyCookieJar(), headers={"Accept-Encoding": "identity"}
    ) as session:
        yield session


def patience(end: End) -> ClientTimeout:
    """Return how long to wait: only what hangs is given up soon."""
    return ClientTimeout(total=0.5 if end is End.HANG else 30)


def bill(gateway: Gateway, key: str) -> tuple[float, float]:
    """Return limit and usage as billing shows them."""
    said = [
        json.loads(
            gateway.answer(f"/v1/dashboard/billing/{name}", bearer(gateway, key)).body
        )
        for name in ("subscription", "usage")
    ]
    return said[0]["hard_limit_usd"], said[1]["total_usage"]


# The household


def test_household_has_the_figures_of_the_example(gateway: Gateway) -> None:
    """90.01 dollars are left of 292.31, and the keys have used what the account has."""
    myself = data(gateway, "/api/user/self")
    keys = data(gateway, "/api/token/?p=1&size=100")["items"]

    assert myself["quota"] / PER_DOLLAR == 90.01
    assert myself["used_quota"] / PER_DOLLAR == 202.30
    assert myself["request_count"] == 1_234
    assert sum(key["used_quota"] for key in keys) == myself["used_quota"]
    assert {key["name"] for key in keys} >= {
        "Home Assistant",
        "Claude Code",
        "聊天机器人",
    }
    assert any(key["unlimited_quota"] for key in keys)
    assert any(key["expired_time"] > NOW for key in keys)
    assert any(not key["remain_quota"] for key in keys)
    assert len(data(gateway, "/api/user/models")) == 12


def test_household_has_a_month_behind_it(gateway: Gateway) -> None:
    """What the log, the statistics and the keys say fits together."""
    start = NOW - 30 * DAY
    hours = data(gateway, f"/api/data/self?start_timestamp={start}&end_timestamp={NOW}")
    flow = data(
        gateway, f"/api/data/flow/self?start_timestamp={start}&end_timestamp={NOW}"
    )
    stat = data(gateway, "/api/log/self/stat")

    # The oldest hour began before the thirty days did.
    assert 0 < sum(row["quota"] for row in hours) <= stat["quota"]
    assert sum(row["quota"] for row in flow) == sum(row["quota"] for row in hours)
    assert len({row["created_at"] // DAY for row in hours}) >= 30
    assert len({row["model_name"] for row in hours}) == 12
    assert stat["quota"] <= 101_150_000
    for row in flow:
        assert row["quota"] <= gateway.world.keys[row["token_id"]].used_quota


def test_household_is_always_the_same(clock: Clock) -> None:
    """Two demonstrations differ in nothing, so that pictures can be compared."""
    one, other = (Gateway.demo(clock=clock).world for _ in range(2))

    assert (one.users, one.keys, one.log) == (other.users, other.keys, other.log)


def test_household_may_have_a_plan(clock: Clock) -> None:
    """A plan pays what it covers of a day, and leaves the wallet alone until then."""
    gateway = Gateway.demo(clock=clock, with_plan=True)
    midnight = NOW - NOW % DAY
    (plan,) = (
        each["subscription"]
        for each in data(gateway, "/api/subscription/self")["subscriptions"]
    )
    today = data(gateway, f"/api/log/self/stat?start_timestamp={midnight}")["quota"]

    assert plan["amount_used"] == today < plan["amount_total"]
    assert plan["next_reset_time"] == midnight + DAY
    gateway.spend("Claude Code", 1_000)
    gateway.spend("Claude Code", plan["amount_total"])
    spent = data(gateway, "/api/user/self")
    assert spent["quota"] == 45_005_000 - plan["amount_total"]
    assert spent["used_quota"] == 101_151_000 + plan["amount_total"]


# Every dialect


@pytest.mark.parametrize("name", DIALECTS)
def test_every_path_of_every_dialect_answers(name: str, clock: Clock) -> None:
    """No route fails, whoever asks."""
    gateway = Gateway.demo(name, clock=clock)
    for path in gateway.dialect.routes:
        for headers in ({}, bearer(gateway, "Claude Code"), account(gateway)):
            assert gateway.answer(path.replace(":id", "1"), headers).status < 500


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("display_type", ["USD", "CNY", "TOKENS", "CUSTOM"])
def test_billing_adds_up(name: str, display_type: str, clock: Clock) -> None:
    """Limit less usage is what is left, in whatever is displayed."""
    gateway = Gateway.demo(name, clock=clock)
    gateway.configure(
        quota_display_type=display_type, display_in_currency=display_type != "TOKENS"
    )
    factor = 1.0 if display_type == "TOKENS" else 1 / PER_DOLLAR
    if display_type == "CNY" and gateway.dialect.knows_display_types:
        factor *= gateway.options.usd_exchange_rate
    limit, usage = bill(gateway, "Home Assistant")

    assert limit - usage / 100 == pytest.approx(12_500_000 * factor)


@pytest.mark.parametrize("name", DIALECTS)
def test_keys_are_paged_without_loss(name: str, clock: Clock) -> None:
    """Page by page, every key comes once."""
    gateway = Gateway.demo(name, clock=clock)
    user = gateway.world.user("wang")
    for number in range(30):
        gateway.world.add_key(user, f"key {number}")
    paging = gateway.dialect.key_paging
    seen: list[int] = []
    for page in range(paging.first, paging.first + 5):
        size = next(iter(paging.sizes), "size")
        shown = data(gateway, f"/api/token/?{paging.page}={page}&{size}=10")
        rows = shown if isinstance(shown, list) else shown[paging.names.items]  # type: ignore[union-attr]
        seen += [row["id"] for row in rows]

    assert sorted(seen) == sorted(gateway.world.keys)


@given(
    total=st.integers(0, 250),
    size=st.integers(1, 150),
    first=st.integers(0, 1),
)
def test_paging_cuts_without_loss(total: int, size: int, first: int) -> None:
    """Whatever the size, the pages put together are the list."""
    paging = Paging(first=first)
    rows = list(range(total))
    pages = [
        paging.cut(rows, {"p": str(page), "page_size": str(size)})[2]
        for page in range(first, first + total // min(size, paging.cap) + 2)
    ]

    assert [row for page in pages for row in page] == rows


def test_older_dialects_differ_as_documented(clock: Clock) -> None:
    """What was not recorded follows the reference."""
    oldest = Gateway.demo("new_api_0_6", clock=clock)
    veloera = Gateway.demo("veloera", clock=clock)
    newer = Gateway.demo("new_api_0_12", clock=clock)

    assert isinstance(data(oldest, "/api/token/?p=0&size=100"), list)
    assert data(oldest, "/api/log/self?p=1")["items"] == []
    assert oldest.answer("/api/usage/token/").status == 404
    assert "check_in_enabled" in data(veloera, "/api/status")
    assert "未提供 Veloera-User" in str(
        veloera.answer(
            "/api/user/self",
            {"Authorization": account(veloera)["Authorization"]},
        ).body,
        "utf-8",
    )
    assert b"veloera_error" in veloera.answer("/v1/models").body
    newer.world.disable_key("Home Assistant")
    used = newer.answer("/api/usage/token/", bearer(newer, "Home Assistant"))
    assert used.status == 200
    shown = data(newer, "/api/token/?p=1&size=1")["items"][0]["key"]
    assert "**********" in shown


def test_a_site_can_be_upgraded(gateway: Gateway) -> None:
    """A dialect can be exchanged while the people and the money stay."""
    gateway.dialect = DIALECTS["new_api_0_9"]
    assert gateway.answer("/api/subscription/self", account(gateway)).status == 404

    gateway.dialect = DIALECTS["new_api_main"]
    assert data(gateway, "/api/subscription/self")["subscriptions"] == []


# Money


def test_spending_moves_key_and_account(gateway: Gateway) -> None:
    """A request shows everywhere, in the statistics only after a while."""
    since = f"start_timestamp={NOW - NOW % 3_600}&end_timestamp={NOW + 600}"
    before = data(gateway, f"/api/data/self?{since}")
    gateway.spend("Home Assistant", 7_500, model="gpt-5")

    myself = data(gateway, "/api/user/self")
    assert (myself["quota"], myself["used_quota"]) == (44_997_500, 101_157_500)
    assert myself["request_count"] == 1_235
    assert gateway.world.key("Home Assistant").remain_quota == 12_492_500
    stat = data(gateway, f"/api/log/self/stat?start_timestamp={NOW}")
    assert stat == {"quota": 7_500, "rpm": 1, "tpm": 1_500}
    assert data(gateway, f"/api/data/self?{since}") == before


def test_statistics_lag_behind(gateway: Gateway, clock: Clock) -> None:
    """Statistics are written every five minutes, and only where they are kept."""
    since = f"start_timestamp={NOW - NOW % 3_600}&end_timestamp={NOW + 600}"
    before = sum(row["quota"] for row in data(gateway, f"/api/data/self?{since}"))
    gateway.spend("Home Assistant", 7_500)
    gateway.configure(data_export=False)
    gateway.spend("Home Assistant", 99)
    clock.now += 299
    assert sum(r["quota"] for r in data(gateway, f"/api/data/self?{since}")) == before
    clock.now += 1
    after = sum(row["quota"] for row in data(gateway, f"/api/data/self?{since}"))

    assert after == before + 7_500


@pytest.mark.parametrize(
    ("name", "moved"), [("new_api_main", 7_500), ("one_api", 0), ("one_hub", 0)]
)
def test_unlimited_keys_move_where_they_do(name: str, moved: int, clock: Clock) -> None:
    """Only New API counts what an unlimited key uses."""
    gateway = Gateway.demo(name, clock=clock)
    key = gateway.world.key("Claude Code")
    left, used = key.remain_quota, key.used_quota
    gateway.spend("Claude Code", 7_500)

    assert (key.remain_quota, key.used_quota) == (left - moved, used + moved)
    assert gateway.world.user("wang").quota == 44_997_500


@pytest.mark.parametrize(("name", "used"), [("new_api_main", 0), ("new_api_rc21", 500)])
def test_refunds_come_back(name: str, used: int, clock: Clock) -> None:
    """Newer servers take a refund off what was used."""
    gateway = Gateway.demo(name, clock=clock)
    gateway.spend("Home Assistant", 500)
    gateway.refund("Home Assistant", 500)

    user = gateway.world.user("wang")
    assert (user.quota, user.used_quota) == (45_005_000, 101_150_000 + used)
    (refund, *_) = data(gateway, "/api/log/self?type=6")["items"]
    assert (refund["quota"], refund["created_at"]) == (500, NOW)


def test_topping_up(gateway: Gateway) -> None:
    """A payment raises the balance and stands in the history."""
    gateway.world.top_up("wang", 5 * PER_DOLLAR, dollars=5)

    assert data(gateway, "/api/user/self")["quota"] == 47_505_000
    assert data(gateway, "/api/user/topup/self")["items"][0]["amount"] == 5
    assert data(gateway, "/api/log/self?type=1")["items"][0]["quota"] == 2_500_000


def test_checking_in(gateway: Gateway) -> None:
    """Today's reward shows as fetched in the server's own day."""
    assert not data(gateway, "/api/user/checkin")["stats"]["checked_in_today"]
    # At this moment it is still the day before in Honolulu.
    gateway.configure(time_zone="Pacific/Honolulu")
    assert data(gateway, "/api/user/checkin")["stats"]["checked_in_today"]
    gateway.configure(time_zone="UTC")
    gateway.world.check_in("wang", 6_000, date="2026-11-23")

    assert data(gateway, "/api/user/checkin")["stats"]["checked_in_today"]
    gateway.configure(check_in=False)
    assert b"false" in gateway.answer("/api/user/checkin", account(gateway)).body


# Keys and secrets


def test_what_happens_to_a_key(gateway: Gateway) -> None:
    """Disabled, expired, exhausted, replaced and deleted keys are refused."""
    world, headers = gateway.world, bearer(gateway, "Home Assistant")

    def status() -> int:
        return gateway.answer("/v1/models", headers).status

    assert status() == 200
    world.disable_key("Home Assistant")
    assert status() == 401
    world.enable_key("Home Assistant")
    world.expire_key("Home Assistant")
    assert status() == 401
    # What was found to be over is marked.
    assert world.key("Home Assistant").status == Status.EXPIRED
    world.enable_key("Home Assistant")
    world.key("Home Assistant").expires_at = NOW + DAY
    assert status() == 200
    assert world.rotate_key("Home Assistant") == f"{world.key('Home Assistant')}"
    assert status() == 401
    headers |= bearer(gateway, "Home Assistant")
    assert status() == 200
    world.disable_user("wang")
    assert status() == 403
    world.delete_key("Home Assistant")
    assert status() == 401


@pytest.mark.parametrize(
    ("subnet", "status"), [("127.0.0.0/8", 200), ("203.0.113.0/24", 403)]
)
def test_addresses_of_a_key(subnet: str, status: int, clock: Clock) -> None:
    """A key may be tied to a network."""
    gateway = Gateway.demo("one_api", clock=clock)
    gateway.world.key("Claude Code").subnet = subnet

    assert gateway.answer("/v1/models", bearer(gateway, "Claude Code")).status == status


def test_groups_of_a_key(gateway: Gateway) -> None:
    """A key whose group is gone is refused."""
    gateway.world.key("Claude Code").group = "vip"
    assert gateway.answer("/v1/models", bearer(gateway, "Claude Code")).status == 200
    del gateway.world.groups["vip"]
    assert gateway.answer("/v1/models", bearer(gateway, "Claude Code")).status == 403


def test_a_get_can_do_harm(gateway: Gateway) -> None:
    """`GET /api/user/token` replaces the access token, as it does on real servers."""
    headers = account(gateway)
    new = data(gateway, "/api/user/token")

    assert gateway.world.user("wang").access_token == new
    assert gateway.answer("/api/user/self", headers).status == 401
    assert data(gateway, "/api/user/self")["quota"] == 45_005_000


def test_only_gets_are_answered(gateway: Gateway) -> None:
    """Anything else is a path that does not exist."""
    reply = gateway.answer("/api/user/self", account(gateway), method="POST")

    assert reply.status == 404
    assert "Invalid URL (POST /api/user/self)" in reply.body.decode()


def test_shadowed_paths(clock: Clock) -> None:
    """A page that does not exist reads as somebody else's, to an admin as nonsense."""
    gateway = Gateway.demo("one_api", clock=clock)
    refused = gateway.answer("/api/user/checkin", account(gateway))
    gateway.world.user("wang").role = 10
    nonsense = gateway.answer("/api/user/checkin", account(gateway))

    assert "权限不足" in refused.body.decode()
    assert "strconv.Atoi" in nonsense.body.decode()


def test_pricing_can_be_hidden(gateway: Gateway) -> None:
    """The owner may hide the price list or keep it for users."""
    assert gateway.answer("/api/pricing").status == 200
    gateway.configure(header_nav_modules='{"pricing": {"requireAuth": true}}')
    assert gateway.answer("/api/pricing").status == 401
    assert gateway.answer("/api/pricing", account(gateway)).status == 200
    gateway.configure(header_nav_modules='{"pricing": false}')
    assert gateway.answer("/api/pricing", account(gateway)).status == 403


# Time and limits


def test_a_frozen_clock_freezes_the_gateway(freezer: FrozenDateTimeFactory) -> None:
    """Without a clock of its own, a gateway looks at the system's."""
    freezer.move_to("2026-11-23T08:00:00Z")
    world = World()
    started = world.now
    freezer.tick(90)

    assert world.now == started + 90


@pytest.mark.parametrize(
    ("name", "retry_after"), [("new_api_main", "1200"), ("new_api_rc21", None)]
)
def test_critical_calls_run_out(
    name: str, retry_after: str | None, clock: Clock
) -> None:
    """Twenty calls in twenty minutes are allowed, and no more than that."""
    gateway = Gateway.demo(name, clock=clock)
    headers = bearer(gateway, "Claude Code")
    statuses = [gateway.answer("/api/usage/token/", headers).status for _ in range(21)]
    refused = gateway.answer("/api/usage/token/", headers)

    assert statuses == [200] * 20 + [429]
    assert (refused.status, refused.body) == (429, b"")
    assert dict(refused.headers).get("Retry-After") == retry_after
    assert gateway.answer("/api/user/self", account(gateway)).status == 200
    clock.now += 1_200
    assert gateway.answer("/api/usage/token/", headers).status == 200


def test_a_neighbour_can_use_up_the_limit(clock: Clock) -> None:
    """Whoever shares the address shares the limit."""
    gateway = Gateway(
        Gateway.demo(clock=clock).world,
        DIALECTS["new_api_main"],
        rates={Bucket.API: Rate(10, 180), Bucket.WEB: Rate(1, 180)},
    )
    assert gateway.limiter.left(Bucket.API) == 10
    assert gateway.limiter.left(Bucket.CRITICAL) is None
    gateway.limiter.drain(Bucket.API)

    assert gateway.answer("/api/status").status == 429
    assert gateway.answer("/v1/models", bearer(gateway, "Claude Code")).status == 200
    # What does not exist uses up the web pages of the house.
    assert gateway.answer("/api/nothing").status == 404
    assert gateway.answer("/").status == 429


# Life


def test_life_goes_on(clock: Clock) -> None:
    """A week of life costs something, on usable keys only."""
    gateway = Gateway.demo(clock=clock)
    life = Life(gateway, seed=3)
    assert life.catch_up() == 0
    clock.now += 7 * DAY
    requests = life.catch_up()

    user = gateway.world.user("wang")
    assert user.request_count == 1_234 + requests
    assert 100 < requests < 1_000
    assert user.used_quota > 101_150_000
    assert gateway.world.key("Homework").used_quota == 2_500_000
    assert gateway.world.key("Photo captions").used_quota == 0
    assert life.catch_up() == 0


def test_life_is_seeded(clock: Clock) -> None:
    """The same seed lives the same days."""
    lived = []
    for seed in (1, 1, 2):
        clock.now = NOW
        gateway = Gateway.demo(clock=clock)
        life = Life(gateway, seed=seed)
        clock.now += DAY
        life.catch_up()
        lived.append(gateway.world.log)

    assert lived[0] == lived[1]
    assert lived[0] != lived[2]


def test_life_pays_when_little_is_left(gateway: Gateway, clock: Clock) -> None:
    """An empty account is topped up."""
    gateway.world.user("wang").quota = 1_000
    life = Life(gateway)
    clock.now += DAY
    life.catch_up()

    assert gateway.world.top_ups[-1].amount == 50
    assert gateway.world.user("wang").quota > 0


# Over HTTP


async def test_serving(gateway: Gateway, session: ClientSession) -> None:
    """A served gateway notes what it was asked."""
    async with gateway.serve() as url:
        async with session.get(url / "api/status") as reply:
            assert (await reply.json())["data"]["system_name"] == "Juhe AI"
            assert "Server" not in reply.headers
        async with session.get(
            url / "api/usage/token/", headers=bearer(gateway, "Claude Code")
        ) as reply:
            assert reply.status == 200
        async with session.get(
            url / "api/token", params={"p": "1"}, allow_redirects=False
        ) as reply:
            assert reply.status == 301
            assert reply.headers["Location"] == "/api/token/?p=1"

    assert [(each.path_qs, each.bucket, each.status) for each in gateway.requests] == [
        ("/api/status", "GA", 200),
        ("/api/usage/token/", "GA+CT", 200),
        ("/api/token?p=1", "", 301),
    ]


async def test_compression(gateway: Gateway, session: ClientSession) -> None:
    """Answers are compressed where servers do it, even empty ones."""
    accepting = {"Accept-Encoding": "gzip"}
    gateway.limiter.rates[Bucket.API] = Rate(1, 180)
    async with gateway.serve() as url, ClientSession(auto_decompress=False) as raw:
        async with raw.get(url / "api/status", headers=accepting) as reply:
            assert reply.headers["Content-Encoding"] == "gzip"
            assert json.loads(gzip.decompress(await reply.read()))["success"]
        async with raw.get(url / "api/status", headers=accepting) as reply:
            assert reply.status == 429
            assert gzip.decompress(await reply.read()) == b""
        headers = bearer(gateway, "Claude Code") | accepting
        async with raw.get(url / "v1/models", headers=headers) as reply:
            assert "Content-Encoding" not in reply.headers


async def test_answers_on_demand(gateway: Gateway, session: ClientSession) -> None:
    """Failures come as often as planned, the newest plan first."""
    gateway.faults.add("/api/*", Answer(500, "broken", (("X-Test", "yes"),)))
    gateway.faults.add("/api/status", Answer(502), times=2)

    async def status(url: URL) -> int:
        async with session.get(url) as reply:
            return reply.status

    async with gateway.serve() as url:
        statuses = [await status(url / "api/status") for _ in range(3)]
        async with session.get(url / "api/notice") as reply:
            assert await reply.text() == "broken"
            assert reply.headers["X-Test"] == "yes"
        gateway.faults.clear()
        statuses.append(await status(url / "api/status"))

    assert statuses == [502, 502, 500, 200]
    assert [each.status for each in gateway.requests] == [502, 502, 500, 500, 200]


async def test_answers_can_be_rewritten(
    gateway: Gateway, session: ClientSession
) -> None:
    """The right answer can be changed a little."""

    def lie(said: dict[str, Any]) -> dict[str, Any]:
        return said | {"data": said["data"] | {"quota_per_unit": "many"}}

    gateway.faults.add("/api/status", Rewrite(lie))
    async with gateway.serve() as url, session.get(url / "api/status") as reply:
        said = (await reply.json())["data"]

    assert said["quota_per_unit"] == "many"
    assert said["system_name"] == "Juhe AI"


async def test_connections_break(gateway: Gateway, session: ClientSession) -> None:
    """A connection can break before and within an answer."""
    gateway.faults.add("/api/status", Reset(), times=2)
    gateway.faults.add("/api/notice", Truncate(10))
    async with gateway.serve() as url:
        with pytest.raises(ClientError):
            await session.get(url / "api/status")
        async with session.get(url / "api/notice") as reply:
            assert reply.status == 200
            with pytest.raises(ClientPayloadError):
                await reply.read()

    assert gateway.requests[0].status is None


@pytest.mark.parametrize(
    ("end", "problem"),
    [
        (End.CLOSE, ServerDisconnectedError),
        (End.RESET, ClientOSError),
        (End.HANG, TimeoutError),
    ],
)
async def test_connections_end_in_the_headers(
    gateway: Gateway, session: ClientSession, end: End, problem: type[Exception]
) -> None:
    """What is sent need not be a reply, and can end in each way."""
    gateway.faults.add("/api/status", Raw(b"HTTP/1.1 200 OK\r\nContent-", end))
    async with gateway.serve() as url:
        with pytest.raises(problem):
            await session.get(url / "api/status", timeout=patience(end))


@pytest.mark.parametrize(
    ("end", "problem"),
    [
        (End.CLOSE, ClientPayloadError),
        (End.RESET, ClientPayloadError),
        (End.HANG, TimeoutError),
    ],
)
async def test_connections_end_in_the_body(
    gateway: Gateway, session: ClientSession, end: End, problem: type[Exception]
) -> None:
    """So can a body."""
    gateway.faults.add("/api/status", Truncate(20, end))
    async with (
        gateway.serve() as url,
        session.get(url / "api/status", timeout=patience(end)) as reply,
    ):
        assert reply.status == 200
        with pytest.raises(problem):
            await reply.read()


async def test_a_trickle(gateway: Gateway, session: ClientSession) -> None:
    """The right answer comes byte by byte, for those who wait."""
    gateway.faults.add("/api/status", Trickle(interval=0))
    gateway.faults.add("/api/notice", Trickle(interval=60))
    async with gateway.serve() as url:
        async with session.get(url / "api/status") as reply:
            assert (await reply.json())["data"]["system_name"] == "Juhe AI"
        async with session.get(url / "api/notice") as reply:
            assert await reply.content.readany() == b"{"


async def test_bytes_can_be_changed(gateway: Gateway, session: ClientSession) -> None:
    """An answer can be made into something that is no JSON."""
    gateway.faults.add("/api/status", Reword(lambda body: body[:-1]))
    async with gateway.serve() as url, session.get(url / "api/status") as reply:
        assert reply.status == 200
        with pytest.raises(json.JSONDecodeError):
            await reply.json()


async def test_a_clock_can_be_wrong(
    gateway: Gateway, session: ClientSession, clock: Clock
) -> None:
    """The time of a reply is the gateway's own."""
    gateway.faults.add("/api/status", Misdate(86_400))
    async with gateway.serve() as url, session.get(url / "api/status") as reply:
        said = parsedate_to_datetime(reply.headers["Date"])
        assert said.timestamp() == clock.now + 86_400


async def test_answers_can_be_elsewhere(
    gateway: Gateway, session: ClientSession
) -> None:
    """The gateway can be moved to another path."""
    gateway.faults.add("/elsewhere/*", Rebase("/elsewhere"))
    async with gateway.serve() as url:
        moved = url / "elsewhere" / "api" / "status"
        async with session.get(moved) as reply:
            assert (await reply.json())["data"]["system_name"] == "Juhe AI"


async def test_nobody_listens(gateway: Gateway, session: ClientSession) -> None:
    """A gateway can be gone for some time, and is back where it was."""
    async with gateway.serve() as url:
        async with gateway.refusing():
            with pytest.raises(ClientConnectorError):
                await session.get(url / "api/status")
        async with session.get(url / "api/status") as reply:
            assert reply.status == 200


async def test_a_gateway_can_hang(gateway: Gateway, session: ClientSession) -> None:
    """A caller who gives up does not hold the gateway up."""
    gateway.faults.add("/api/status", Hang())
    async with gateway.serve() as url:
        with pytest.raises(TimeoutError):
            await session.get(url / "api/status", timeout=ClientTimeout(total=0.05))

    assert gateway.requests[0].status is None


# The program


@pytest.mark.usefixtures("socket_enabled")
def test_program_complains_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A taken port and a site that does not exist are plain mistakes."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert capsys.readouterr().err == f"port {port} is taken\n"

    assert main(["--profile", "one_api", "--site", "cny"]) == 1
    assert capsys.readouterr().err.startswith("one_api has no site 'cny', only: demo,")


def test_program_serves_until_interrupted() -> None:
    """The program says where it is and what opens it, and stops without a fuss."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.simulator", "--profile", "one_hub", "--live"],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    # It introduces itself in one breath: site, user, access token and five keys.
    said = [program.stdout.readline() for _ in range(8)]
    program.send_signal(signal.SIGINT)
    _, complaints = program.communicate(timeout=30)

    assert said[0].startswith("Juhe AI (one_hub) at http://127.0.0.1:")
    assert said[-1].endswith("Home Assistant\n")
    assert (program.returncode, complaints) == (0, "")
