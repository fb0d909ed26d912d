"""What a site offers an account: the check-in in its dialects, and groups."""

from decimal import Decimal
from typing import Any, Final

from aiohttp import ClientSession
import pytest

from custom_components.new_api.gateway.errors import (
    EndpointMissingError,
    UnexpectedReplyError,
)
from custom_components.new_api.gateway.offers import CheckIn
from tests.gateway.scripted import Reply, Scripted, scripted
from tests.gateway.test_client import NOW, STATUS, client_of, yes

CHECK_IN: Final = "/api/user/checkin"
VELOERA: Final = "/api/user/check_in_status"
GROUPS: Final = "/api/user/self/groups"
TOP_UPS: Final = "/api/user/topup/self"


async def check_in(
    session: ClientSession, flags: dict[str, Any], data: Any
) -> tuple[CheckIn, Scripted]:
    """Ask a site whose status has these flags."""
    replies = {
        STATUS: yes({"quota_per_unit": 500_000, **flags}),
        CHECK_IN: yes(data),
        VELOERA: yes(data),
    }
    async with scripted(replies, now=NOW) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
        gateway.asked.clear()
        return await client.check_in(site, "2026-11"), gateway


def said(*, done: bool = False, **more: Any) -> dict[str, Any]:
    """Return what New API says of the check-in (6.9)."""
    data = {
        "enabled": True,
        "min_quota": 1_000,
        "max_quota": 10_000,
        "stats": {"checked_in_today": done, "checkin_count": 1, "records": []},
    }
    return data | more


@pytest.mark.parametrize("done", [True, False])
async def test_new_api(session: ClientSession, done: bool) -> None:
    """One can check in once on a day."""
    told, gateway = await check_in(session, {"checkin_enabled": True}, said(done=done))
    assert told == CheckIn(not done, 1_000, 10_000)
    assert gateway.paths == [f"{CHECK_IN}?month=2026-11"]


@pytest.mark.parametrize("done", [True, False])
async def test_wong(session: ClientSession, done: bool) -> None:
    """These sites say something else on the same path."""
    data = {"checked_in": done, "checked_at": None, "enabled": True, "quota": 500}
    told, _ = await check_in(session, {"checkin_enabled": True}, data)
    assert told == CheckIn(not done)


@pytest.mark.parametrize("done", [True, False])
async def test_veloera(session: ClientSession, done: bool) -> None:
    """It has a path and a flag of its own."""
    told, gateway = await check_in(
        session, {"check_in_enabled": True}, {"can_check_in": not done}
    )
    assert told == CheckIn(not done)
    assert gateway.paths == [VELOERA]


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"checkin_enabled": False},
        {"check_in_enabled": False},
        {"checkin_enabled": "true"},
        {"checkin_enabled": None},
    ],
)
async def test_no_check_in(session: ClientSession, flags: dict[str, Any]) -> None:
    """Nothing is asked where none is offered: there, to ask might be to check in."""
    async with scripted(
        {STATUS: yes({"quota_per_unit": 500_000, **flags}), CHECK_IN: yes(said())}
    ) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
        with pytest.raises(EndpointMissingError):
            await client.check_in(site, "2026-11")
        assert gateway.paths == [STATUS]


async def test_switched_off(session: ClientSession) -> None:
    """What was switched off since is not asked for again."""
    async with scripted(
        {
            STATUS: yes({"quota_per_unit": 500_000, "checkin_enabled": True}),
            CHECK_IN: yes(said(enabled=False)),
        }
    ) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
        for _ in range(2):
            with pytest.raises(EndpointMissingError):
                await client.check_in(site, "2026-11")
        assert len(gateway.paths) == 2


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"can_check_in": "yes"},
        {"checked_in": False},
        {"enabled": True, "checked_in": 0},
        said(enabled=1),
        said(stats=None),
        said(stats={}),
        said(stats={"checked_in_today": "no"}),
        said(min_quota=-1),
        said(max_quota=None),
    ],
)
async def test_no_known_answer(session: ClientSession, data: Any) -> None:
    """What may be taken for a yes is none."""
    with pytest.raises(UnexpectedReplyError):
        await check_in(session, {"checkin_enabled": True}, data)


async def ask(session: ClientSession, path: str, reply: Reply) -> Any:
    """Ask for the groups, or for pending payments."""
    replies = {STATUS: yes({"quota_per_unit": 500_000}), path: reply}
    async with scripted(replies, now=NOW) as gateway:
        client = client_of(session, gateway, account_id=2)
        site = await client.site()
        if path == GROUPS:
            return await client.groups(site)
        return await client.pending_top_ups(site)


async def test_groups(session: ClientSession) -> None:
    """A ratio may be a word, and a fork's group a sentence (6.3)."""
    groups = {
        "default": {"ratio": 1, "desc": "默认分组"},
        "vip": {"ratio": 0.85, "desc": ""},
        "free": {"ratio": 0, "desc": ""},
        "auto": {"ratio": "自动", "desc": "自动选择"},
        "v-api": "desc=x 1.5倍",
    }
    assert await ask(session, GROUPS, yes(groups)) == {
        "default": Decimal(1),
        "vip": Decimal("0.85"),
        "free": Decimal(0),
        "auto": None,
        "v-api": None,
    }


@pytest.mark.parametrize(
    "data", [None, [], {"vip": 1.5}, {"vip": {}}, {"vip": {"ratio": None}}]
)
async def test_no_groups(session: ClientSession, data: Any) -> None:
    """What is none is none: a number alone has no name for what it is."""
    with pytest.raises(UnexpectedReplyError):
        await ask(session, GROUPS, yes(data))


def payment(number: int, status: Any = "pending", **more: Any) -> dict[str, Any]:
    """Return a payment as it stands in the history (6.10)."""
    return {"id": number, "user_id": 2, "amount": 50, "status": status} | more


def page(*items: Any) -> Reply:
    """Return all of a history."""
    data = {"page": 1, "page_size": 100, "total": len(items), "items": list(items)}
    return yes(data)


async def test_pending(session: ClientSession) -> None:
    """Only what has neither arrived nor failed is pending."""
    states = ("pending", "success", "failed", "pending", "expired")
    items = [payment(number, status) for number, status in enumerate(states)]
    assert await ask(session, TOP_UPS, page(*items)) == 2
    assert await ask(session, TOP_UPS, page()) == 0


@pytest.mark.parametrize(
    "item", [None, payment(1, status=1), payment(1, user_id=3), payment(1, user_id="2")]
)
async def test_no_payment(session: ClientSession, item: Any) -> None:
    """One that cannot be read, or is somebody else's, and none is counted."""
    with pytest.raises(UnexpectedReplyError):
        await ask(session, TOP_UPS, page(payment(2), item))
