"""What every simulated gateway says of an account, beside what is true there.

The recordings hold neither refunds nor plans with a title, and none of the servers
between and beside those that were recorded.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from aiohttp import ClientSession
import pytest

from custom_components.new_api.gateway.address import parse_address
from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.errors import EndpointMissingError
from custom_components.new_api.gateway.models import Site
from custom_components.new_api.gateway.usage import LogKind
from tests.simulator import DIALECTS, Gateway, LogType

NOW: Final = 1_795_421_638
HOUR: Final = 3_600
DAY: Final = 24 * HOUR
MONTH: Final = 30 * DAY

# What servers have, by the name of the dialect (gateway_api.md 6.7 to 6.10, 8).
WITHOUT_HOURS: Final = frozenset({"one_api", "one_hub"})
WITH_KEYS: Final = frozenset({"new_api_main", "new_api_rc21"})
WITH_PLANS: Final = frozenset({"new_api_main", "new_api_rc21", "new_api_0_12"})
WITH_CHECK_IN: Final = WITH_PLANS | {"veloera"}

profiles = pytest.mark.parametrize("profile", DIALECTS)


@dataclass(slots=True)
class Household:
    """A household's gateway, and its client there."""

    gateway: Gateway
    client: Client
    site: Site


@asynccontextmanager
async def household(
    session: ClientSession, profile: str, *, with_plan: bool = False
) -> AsyncIterator[Household]:
    """Serve the household's gateway, at a time that stands."""
    gateway = Gateway.demo(profile, clock=lambda: NOW, with_plan=with_plan)
    user = gateway.world.user("wang")
    async with gateway.serve() as url:
        client = Client(
            session,
            parse_address(str(url)),
            Credentials.from_text(access_token=user.access_token, user_id=str(user.id)),
            clock=lambda: NOW,
            account_id=user.id,
        )
        yield Household(gateway, client, await client.site())


@profiles
async def test_spent(session: ClientSession, profile: str) -> None:
    """A range has what its log says, and each hour its part of it."""
    async with household(session, profile) as home:
        start = NOW - NOW % HOUR - 7 * DAY
        rows = [
            row
            for row in home.gateway.world.log
            if row.type == LogType.CONSUME and start <= row.at <= NOW
        ]
        total = sum(row.quota for row in rows)
        assert total > 0
        assert (await home.client.spent(home.site, start, NOW)).quota == total
        if profile in WITHOUT_HOURS:
            with pytest.raises(EndpointMissingError):
                await home.client.usage_by_hour(home.site, start, NOW)
            days = await home.client.usage_by_day(home.site)
            since = NOW - NOW % DAY - 6 * DAY
            assert sum(day.quota for day in days) == sum(
                row.quota for row in rows if row.at >= since
            )
            return
        hours = await home.client.usage_by_hour(home.site, start, NOW)
        assert sum(hour.quota for hour in hours) == total
        assert sum(hour.requests for hour in hours) == len(rows)
        assert sum(hour.tokens for hour in hours) == sum(row.tokens for row in rows)
        if profile not in WITH_KEYS:
            with pytest.raises(EndpointMissingError):
                await home.client.usage_by_key(home.site, start, NOW)
            return
        spent: dict[int, int] = {}
        for row in rows:
            spent[row.key_id] = spent.get(row.key_id, 0) + row.quota
        used: dict[int, int] = {}
        for key in await home.client.usage_by_key(home.site, start, NOW):
            used[key.key_id] = used.get(key.key_id, 0) + key.quota
        assert used == spent


@profiles
async def test_refunded(session: ClientSession, profile: str) -> None:
    """However many refunds there were, all are counted, and nothing else is.

    Where they stand in the log with their amounts; elsewhere it only has words.
    """
    async with household(session, profile) as home:
        for amount in range(1, 251):
            home.gateway.refund("Claude Code", amount)
            home.gateway.spend("Claude Code", 10_000)
        told = home.gateway.dialect.accounting.refunds_are_rows
        kind = LogKind.REFUND
        refunded = await home.client.logged(home.site, kind, NOW, NOW)
        assert sum(refunded) == (sum(range(1, 251)) if told else 0)
        assert await home.client.logged(home.site, kind, NOW + 1, NOW + 2) == ()
        # Only refunds were asked for: the status, three pages, and one that is empty.
        assert len(home.gateway.requests) == (5 if told else 3)
        if not told:
            words = await home.client.logged(home.site, LogKind.SYSTEM, NOW, NOW)
            assert len(words) == 250


@profiles
async def test_pending_top_ups(session: ClientSession, profile: str) -> None:
    """One waits from the beginning, and arrives in the end."""
    async with household(session, profile) as home:
        if profile not in WITH_PLANS:
            with pytest.raises(EndpointMissingError):
                await home.client.pending_top_ups(home.site)
            return
        assert await home.client.pending_top_ups(home.site) == 1
        orders = [home.gateway.world.order("wang", 10) for _ in range(150)]
        assert await home.client.pending_top_ups(home.site) == 151
        for order in orders:
            home.gateway.world.complete(order, 5_000_000)
        assert await home.client.pending_top_ups(home.site) == 1


@profiles
async def test_plan(session: ClientSession, profile: str) -> None:
    """The plan has its title, and what is left of the day."""
    async with household(session, profile, with_plan=True) as home:
        if profile not in WITH_PLANS:
            with pytest.raises(EndpointMissingError):
                await home.client.plans(home.site)
            return
        (bought,) = home.gateway.world.subscriptions
        (plan,) = (await home.client.plans(home.site)).plans
        assert plan.title == "Coding plan"
        assert (plan.total, plan.used) == (bought.amount_total, bought.amount_used)
        assert plan.remaining == bought.amount_total - bought.amount_used
        assert (plan.starts, plan.ends) == (bought.start_time, bought.end_time)
        assert plan.next_reset == NOW - NOW % DAY + DAY
        assert plan.pays_first


@profiles
async def test_check_in(session: ClientSession, profile: str) -> None:
    """Once a day, where there is one; to ask does not check in."""
    async with household(session, profile) as home:
        if profile not in WITH_CHECK_IN:
            with pytest.raises(EndpointMissingError):
                await home.client.check_in(home.site, "2026-11")
            return
        for _ in range(2):
            assert (await home.client.check_in(home.site, "2026-11")).is_available
        home.gateway.check_in("wang", 5_000)
        assert not (await home.client.check_in(home.site, "2026-11")).is_available


@profiles
async def test_monitors(session: ClientSession, profile: str) -> None:
    """They are shown by New API since v0.8.3 (5.4)."""
    async with household(session, profile) as home:
        if not home.site.has_monitors:
            assert not profile.startswith("new_api") or profile == "new_api_0_6"
            return
        monitors = await home.client.monitors(home.site)
        assert [(each.group, each.name, each.is_up) for each in monitors] == [
            ("Models", "OpenAI", True),
            ("Models", "Anthropic", True),
            ("Site", "Console", None),
        ]
        assert monitors[0].uptime == Decimal("0.9991")
