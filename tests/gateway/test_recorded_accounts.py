"""What recorded accounts spent, what they have and what their sites offer them.

All figures come from `truth.json`; what it does not have stands here as it was put
into the servers' databases.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from aiohttp import ClientSession
import pytest
from yarl import URL

from custom_components.new_api.gateway.address import parse_address
from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.errors import (
    EndpointMissingError,
    RefusedError,
    ServerTroubleError,
)
from custom_components.new_api.gateway.models import Site
from custom_components.new_api.gateway.news import Announcement
from custom_components.new_api.gateway.offers import CheckIn, CheckInDialect
from custom_components.new_api.gateway.plans import Plan
from custom_components.new_api.gateway.usage import (
    KeyUsage,
    ModelDay,
    ModelUsage,
    Spent,
)
from tests.gateway import expectations as expected
from tests.gateway.dated import replaying_then
from tests.gateway.scripted import Reply, scripted
from tests.recordings import SITES, Exchange, Recording, load
from tests.recordings.replay import Replay

ALICE: Final = 2
HOUR: Final = 3_600
DAY: Final = 24 * HOUR
MONTH: Final = 30 * DAY

type Question = Callable[[Client, Site], Awaitable[object]]

recordings = pytest.mark.parametrize(("server", "site"), expected.RECORDED)
servers = pytest.mark.parametrize("server", SITES)
# With hourly statistics, with plans and with a check-in (6.7, 6.8, 6.9).
NEW_API: Final = frozenset({"new_api_main", "new_api_rc21", "new_api_0_9"})
NEWER: Final = frozenset({"new_api_main", "new_api_rc21"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A replayed site, with the client of an account at the time of the recording."""

    recording: Recording
    replay: Replay
    client: Client
    site: Site

    @property
    def paths(self) -> list[str]:
        """What was asked for since the site was."""
        return [path for _, path, _ in self.replay.requests]


@asynccontextmanager
async def asking(
    session: ClientSession, server: str, site: str, user: str = "alice"
) -> AsyncIterator[Asked]:
    """Replay a recording, and look in the end at what it was asked."""
    recording = load(server, site)
    token, user_id = expected.account_sent(recording, user)
    async with replaying_then(recording) as replay:
        client = Client(
            session,
            parse_address(str(replay.url)),
            Credentials.from_text(access_token=token, user_id=user_id),
            clock=lambda: recording.recorded_at,
            account_id=recording.truth.users.get(user, {}).get("id"),
        )
        # What a spending site says of itself was not recorded.
        known = (
            await site_of(session, load(server, "usd"))
            if site == "spending"
            else await client.site()
        )
        replay.requests.clear()
        yield Asked(recording, replay, client, known)
    assert replay.unrecorded == []
    assert {method for method, _, _ in replay.requests} <= {"GET"}
    assert not any(path.startswith(expected.FORBIDDEN) for path in asked_for(replay))


def asked_for(replay: Replay) -> list[str]:
    """Return the paths that were asked for, with their queries."""
    return [path for _, path, _ in replay.requests]


def ranges(recording: Recording, path: str, name: str) -> list[tuple[int, int]]:
    """Return the ranges of time for which something was recorded."""
    urls = [
        URL(exchange.path)
        for exchange in recording.exchanges
        if exchange.name.startswith(name)
    ]
    return [
        (int(url.query["start_timestamp"]), int(url.query["end_timestamp"]))
        for url in urls
        if url.path == path and "start_timestamp" in url.query
    ]


def spent_since(recording: Recording, start: int) -> list[dict[str, Any]]:
    """Return what alice spent per hour and model, from an hour on."""
    return [row for row in recording.truth.spending if row["hour"] >= start]


async def assert_missing(asked: Asked, question: Question) -> None:
    """Check that the site does not have it, and is not asked for it again."""
    with pytest.raises(EndpointMissingError):
        await question(asked.client, asked.site)
    before = len(asked.paths)
    with pytest.raises(EndpointMissingError):
        await question(asked.client, asked.site)
    assert len(asked.paths) == before


# ------------------------------------------------------------------------------------
# What was spent.


@recordings
async def test_spent(session: ClientSession, server: str, site: str) -> None:
    """Each range has the sum of what was spent in it."""
    async with asking(session, server, site) as asked:
        asked_ranges = ranges(asked.recording, "/api/log/self/stat", "account alice")
        assert len(asked_ranges) == 2
        for start, end in asked_ranges:
            rows = spent_since(asked.recording, start)
            rate = 0 if server in NEW_API else None
            assert await asked.client.spent(asked.site, start, end) == Spent(
                sum(row["quota"] for row in rows), rate, rate
            )


@servers
async def test_spent_meanwhile(session: ClientSession, server: str) -> None:
    """Three requests later it is what the balance lost, and the rates are theirs."""
    async with asking(session, server, "spending") as asked:
        balance = await asked.client.account()
        ((start, end),) = ranges(asked.recording, "/api/log/self/stat", "before")
        rate = 0 if server in NEW_API else None
        spent = await asked.client.spent(asked.site, start, end)
        assert spent == Spent(0, rate, rate)

        asked.replay.phase = "after"
        used = (await asked.client.account()).used_quota - balance.used_quota
        ((start, end),) = ranges(asked.recording, "/api/log/self/stat", "after")
        spent = await asked.client.spent(asked.site, start, end)
        assert used > 0
        assert spent == (
            # Of 1000 and 500 tokens each.
            Spent(used, 3, 4_500) if server in NEW_API else Spent(used, None, None)
        )


@recordings
async def test_usage_by_hour(session: ClientSession, server: str, site: str) -> None:
    """Each model has in each hour what went to it, to the unit."""
    async with asking(session, server, site) as asked:
        asked_ranges = ranges(asked.recording, "/api/data/self", "account alice")
        assert len(asked_ranges) == 3
        if server not in NEW_API:
            # The shortest.
            start, end = max(asked_ranges)
            await assert_missing(
                asked, lambda client, site: client.usage_by_hour(site, start, end)
            )
            return
        for start, end in asked_ranges:
            if end - start > MONTH:
                with pytest.raises(ValueError, match="30 days"):
                    await asked.client.usage_by_hour(asked.site, start, end)
                continue
            # Only the beginning of an hour was recorded, and any moment of it will do.
            rows = await asked.client.usage_by_hour(asked.site, start + HOUR - 1, end)
            assert list(rows) == sorted(
                (
                    ModelUsage(
                        row["model"],
                        row["hour"],
                        row["quota"],
                        row["count"],
                        row["tokens"],
                    )
                    for row in spent_since(asked.recording, start)
                ),
                key=lambda row: (row.start, row.model),
            )


async def test_nothing_spent(session: ClientSession) -> None:
    """Somebody who spent nothing has no hours."""
    for server in sorted(NEW_API):
        async with asking(session, server, "usd", "dora") as asked:
            ((start, end),) = ranges(asked.recording, "/api/data/self", "account dora")
            assert await asked.client.usage_by_hour(asked.site, start, end) == ()


@recordings
async def test_usage_by_key(session: ClientSession, server: str, site: str) -> None:
    """The key has what went to each model; all was spent with one key."""
    async with asking(session, server, site) as asked:
        ((start, end),) = ranges(
            asked.recording, "/api/data/flow/self", "account alice"
        )
        if server not in NEWER:
            await assert_missing(
                asked, lambda client, site: client.usage_by_key(site, start, end)
            )
            return
        main = asked.recording.truth.keys["main"]["id"]
        rows = spent_since(asked.recording, start)
        assert list(await asked.client.usage_by_key(asked.site, start, end)) == [
            KeyUsage(main, model, *summed(rows, model))
            for model in sorted({row["model"] for row in rows})
        ]


@servers
async def test_usage_by_day(session: ClientSession, server: str) -> None:
    """One API has the last 7 days; One Hub had none yet; others have no such page."""
    async with asking(session, server, "usd") as asked:
        if server in NEW_API:
            await assert_missing(asked, lambda client, site: client.usage_by_day(site))
            # The account was shown, so it is not the token that was refused.
            assert asked.paths == ["/api/user/dashboard", "/api/user/self"]
            return
        days = await asked.client.usage_by_day(asked.site)
        if server == "one_hub":
            assert days == ()
            return
        last = asked.recording.recorded_at // DAY * DAY
        rows = spent_since(asked.recording, last - 6 * DAY)
        right: list[ModelDay] = []
        for day in sorted({row["hour"] // DAY * DAY for row in rows}):
            of_day = [row for row in rows if row["hour"] // DAY * DAY == day]
            right += [
                ModelDay(model, day_of(day), *summed(of_day, model))
                for model in sorted({row["model"] for row in of_day})
            ]
        assert list(days) == right


def summed(rows: list[dict[str, Any]], model: str) -> tuple[int, int, int]:
    """Return quota, requests and tokens of a model."""
    of_model = [row for row in rows if row["model"] == model]
    quota, requests, tokens = (
        sum(row[name] for row in of_model) for name in ("quota", "count", "tokens")
    )
    return quota, requests, tokens


def day_of(at: int) -> date:
    """Return the day of a moment; the servers were in UTC."""
    return datetime.fromtimestamp(at, UTC).date()


# ------------------------------------------------------------------------------------
# Plans, and what a refusal means.


def alices_plans(recording: Recording) -> tuple[Plan, ...]:
    """Return the plans that alice was given, without the one that had ended."""
    now = recording.recorded_at
    bought: dict[str, Any] = {
        "plan_id": 1,
        "title": None,
        "starts": now - 10 * DAY,
        "last_reset": now - 22 * HOUR,
        "pays_first": True,
        "may_pay": True,
        "lets_wallet_pay": False,
        "is_active": True,
    }
    return (
        Plan(2, total=None, used=123, ends=now + 3 * DAY, next_reset=None, **bought),
        Plan(
            1,
            total=10_000_000,
            used=2_500_000,
            ends=now + 20 * DAY,
            next_reset=now + 2 * HOUR,
            **bought,
        ),
    )


@recordings
async def test_plans(session: ClientSession, server: str, site: str) -> None:
    """The active plans are there, the one that ends first first."""
    async with asking(session, server, site) as asked:
        if server not in NEWER:
            await assert_missing(asked, lambda client, site: client.plans(site))
            return
        plans = (await asked.client.plans(asked.site)).plans
        if site != "usd":
            # Only there was recorded what is for sale. A title is all that it costs.
            assert asked.replay.unrecorded == ["GET /api/subscription/plans"]
            asked.replay.unrecorded.clear()
        assert plans == alices_plans(asked.recording)
        assert [plan.remaining for plan in plans] == [None, 7_500_000]


@pytest.mark.parametrize("server", sorted(NEWER))
async def test_no_plans(session: ClientSession, server: str) -> None:
    """Who has no plan is not asked what plans are called."""
    async with asking(session, server, "usd", "dora") as asked:
        assert (await asked.client.plans(asked.site)).plans == ()
        assert asked.paths == ["/api/subscription/self"]


@pytest.mark.parametrize("server", sorted(NEWER))
async def test_refused(
    session: ClientSession, subtests: pytest.Subtests, server: str
) -> None:
    """Whatever is wrong with the credentials is called what the account calls it."""
    recording = load(server, "usd")
    asked_as = {exchange.name for exchange in recording.exchanges}
    names = [
        name
        for name in expected.accounts_asked(recording)
        if f"account {name} /api/subscription/self" in asked_as
    ]
    assert len(names) >= 9
    for name in names:
        with subtests.test(name):
            async with asking(session, server, "usd", name) as asked:
                right = expected.account(recording, name)
                if right == "user_id_mismatch" and server == "new_api_main":
                    # It takes no notice of the ID, which `account` finds out (2.3).
                    right = expected.account(recording, "alice")
                if isinstance(right, str):
                    with pytest.raises(RefusedError) as raised:
                        await asked.client.plans(asked.site)
                    assert raised.value.reason.value == right
                else:
                    plans = (await asked.client.plans(asked.site)).plans
                    assert plans == (() if name == "dora" else alices_plans(recording))


# ------------------------------------------------------------------------------------
# Offers and news.


@recordings
async def test_check_in(session: ClientSession, server: str, site: str) -> None:
    """It is asked for where the site says that it has one."""
    async with asking(session, server, site) as asked:
        if server not in NEWER or site == "closed":
            assert asked.site.check_in is None
            await assert_missing(asked, at_the_check_in)
            assert asked.paths == []
            return
        assert asked.site.check_in is CheckInDialect.NEW_API
        check_in = await asked.client.check_in(asked.site, "2026-11")
        assert check_in == CheckIn(
            is_available=True, smallest_reward=1_000, largest_reward=10_000
        )


@servers
async def test_check_in_that_is_not_there(session: ClientSession, server: str) -> None:
    """Switched off, though the site said a moment ago that it is there."""
    async with asking(session, server, "closed") as asked:
        site = replace(asked.site, check_in=CheckInDialect.NEW_API)
        with pytest.raises(ServerTroubleError):
            await at_the_check_in(asked.client, site)


async def at_the_check_in(client: Client, site: Site) -> object:
    """Ask whether one can check in."""
    return await client.check_in(site, "2026-11")


@servers
async def test_groups(session: ClientSession, server: str) -> None:
    """Each group has its ratio."""
    async with asking(session, server, "usd") as asked:
        if server not in NEW_API:
            await assert_missing(asked, lambda client, site: client.groups(site))
            return
        assert await asked.client.groups(asked.site) == {
            "default": Decimal(1),
            "vip": Decimal(1),
        }


@servers
async def test_top_ups(session: ClientSession, server: str) -> None:
    """A payment that arrived is not pending; older servers tell of none."""
    recording = load(server, "usd")
    path = "/api/user/topup/self"
    paid = recording.find(f"account alice {path}?p=1&page_size=10")
    async with scripted({path: reply_of(paid)}, now=recording.recorded_at) as gateway:
        client = Client(
            session,
            gateway.url,
            Credentials.from_text(access_token="x" * 32, user_id="2"),
            account_id=ALICE,
        )
        site = await site_of(session, recording)
        if server not in NEWER:
            with pytest.raises(EndpointMissingError):
                await client.pending_top_ups(site)
            return
        assert await client.pending_top_ups(site) == 0
        pending = paid.body.replace('"success"}', '"pending"}')
        gateway.replies[path] = replace(reply_of(paid), body=pending.encode())
        assert await client.pending_top_ups(site) == 1


def reply_of(exchange: Exchange) -> Reply:
    """Return the reply that was recorded."""
    return Reply(exchange.status, exchange.body.encode())


async def site_of(session: ClientSession, recording: Recording) -> Site:
    """Return what the recorded site says of itself."""
    async with asking(session, recording.server, recording.site) as asked:
        return asked.site


@recordings
async def test_site(session: ClientSession, server: str, site: str) -> None:
    """What the site keeps and announces is known."""
    async with asking(session, server, site) as asked:
        if server not in NEW_API:
            assert asked.site.keeps_history is None
            assert asked.site.announcements == ()
            assert not asked.site.has_monitors
            return
        assert asked.site.keeps_history is (site != "closed")
        assert asked.site.has_monitors
        assert asked.site.announcements == (
            Announcement(
                "Prices of **gpt-4o** fall on Monday", "success", "2026-11-20T08:00:00Z"
            ),
            Announcement("Maintenance", "warning", "2026-11-18T08:00:00Z"),
        )


@servers
async def test_notice_and_monitors(session: ClientSession, server: str) -> None:
    """Everybody may know them; no site had a monitor."""
    async with asking(session, server, "usd") as asked:
        assert await asked.client.notice() == "Welcome to the test gateway"
        if server in NEW_API:
            assert await asked.client.monitors(asked.site) == ()
        else:
            with pytest.raises(EndpointMissingError):
                await asked.client.monitors(asked.site)
            # That the path is not there is known without asking for it.
            assert asked.paths == ["/api/notice"]
            await assert_missing(
                replace(asked, site=replace(asked.site, has_monitors=True)),
                lambda client, site: client.monitors(site),
            )
        for _, path, headers in asked.replay.requests:
            assert path in ("/api/notice", "/api/uptime/status")
            assert "Authorization" not in headers
