"""Announcements, the notice and monitors: what a site tells everybody."""

from decimal import Decimal
from typing import Any, Final

from aiohttp import ClientSession
import pytest

from custom_components.new_api.gateway import (
    client as client_module,
    transport as transport_module,
)
from custom_components.new_api.gateway.errors import (
    CannotConnectError,
    EndpointMissingError,
    UnexpectedReplyError,
)
from custom_components.new_api.gateway.models import Site
from custom_components.new_api.gateway.news import Announcement, Monitor
from tests.gateway.scripted import Reply, Scripted, scripted
from tests.gateway.test_client import NOW, STATUS, client_of, yes

NOTICE: Final = "/api/notice"
MONITORS: Final = "/api/uptime/status"


async def site(session: ClientSession, **more: Any) -> Site:
    """Ask a site what it is."""
    status = yes({"quota_per_unit": 500_000, **more})
    async with scripted({STATUS: status}, now=NOW) as gateway:
        return await client_of(session, gateway).site()


async def test_announcements(session: ClientSession) -> None:
    """Those that can be read are there as they were written, in the site's order."""
    found = await site(
        session,
        announcements_enabled=True,
        announcements=[
            {"content": "<b>New</b>", "type": "ongoing", "publishDate": "2026-11-20"},
            "Free for all",
            {"content": 5},
            {"content": " "},
            {"type": "warning"},
            {"content": "Odd", "type": 5},
            {"content": "Old \ud83d"},
        ],
    )
    assert found.announcements == (
        Announcement("<b>New</b>", "ongoing", "2026-11-20"),
        # Half of a character cannot be shown.
        Announcement("Old ?", None, None),
    )


@pytest.mark.parametrize(
    "status",
    [
        {"announcements": [{"content": "Off"}]},
        {"announcements_enabled": False, "announcements": [{"content": "Off"}]},
        {"announcements_enabled": "true", "announcements": [{"content": "Off"}]},
        {"announcements_enabled": True},
        {"announcements_enabled": True, "announcements": None},
        {"announcements_enabled": True, "announcements": {"content": "Off"}},
    ],
)
async def test_no_announcements(session: ClientSession, status: dict[str, Any]) -> None:
    """What is switched off or no list is none, and no reason to fail."""
    assert (await site(session, **status)).announcements == ()


@pytest.mark.parametrize("said", [None, 1, "true"])
async def test_flags_that_are_none(session: ClientSession, said: Any) -> None:
    """What a site does not say plainly, it does not say."""
    found = await site(session, enable_data_export=said, uptime_kuma_enabled=said)
    assert found.keeps_history is None
    assert found.has_monitors is False


@pytest.mark.parametrize(
    ("data", "notice"),
    [("# Hello", "# Hello"), (" Hello\n", "Hello"), ("", None), (None, None)],
)
async def test_notice(
    session: ClientSession, data: str | None, notice: str | None
) -> None:
    """There is one, or there is none."""
    async with scripted({NOTICE: yes(data)}) as gateway:
        assert await client_of(session, gateway).notice() == notice


async def test_no_notice(session: ClientSession) -> None:
    """What is no text is no notice."""
    async with scripted({NOTICE: yes({"text": "Hello"})}) as gateway:
        client = client_of(session, gateway)
        with pytest.raises(UnexpectedReplyError):
            await client.notice()
        assert (client.journal.endpoints[NOTICE].failed) == 1


async def monitors(
    session: ClientSession, reply: Reply
) -> tuple[tuple[Monitor, ...], Scripted]:
    """Ask a site that shows monitors."""
    status = yes({"quota_per_unit": 500_000, "uptime_kuma_enabled": True})
    async with scripted({STATUS: status, MONITORS: reply}, now=NOW) as gateway:
        client = client_of(session, gateway)
        return await client.monitors(await client.site()), gateway


def group(name: Any, *shown: Any) -> dict[str, Any]:
    """Return a group of monitors (5.4)."""
    return {"categoryName": name, "monitors": list(shown)}


def monitor(name: Any = "API", status: Any = 1, uptime: Any = 0.999) -> dict[str, Any]:
    """Return a monitor as the site shows it."""
    return {"name": name, "status": status, "uptime": uptime, "group": "Kuma's"}


async def test_monitors(session: ClientSession) -> None:
    """Down and up are plain; pending, maintenance and unknown are neither (5.4)."""
    found, gateway = await monitors(
        session,
        yes(
            [
                group("Models", monitor("a", 0, 0.2), monitor("b"), monitor("c", 2, 1)),
                group("Site", monitor("a", 3, 0.5), monitor("d", 7, None)),
                group("Unknown to the server", monitor("a", 0, 0)),
                {"categoryName": "Failed upstream", "monitors": None},
            ]
        ),
    )
    assert found == (
        Monitor("Models", "a", False, Decimal("0.2")),
        Monitor("Models", "b", True, Decimal("0.999")),
        Monitor("Models", "c", None, Decimal(1)),
        Monitor("Site", "a", None, Decimal("0.5")),
        Monitor("Site", "d", None, None),
        Monitor("Unknown to the server", "a", None, None),
    )
    assert "Authorization" not in gateway.asked[-1].headers


async def test_monitors_of_one_name(session: ClientSession) -> None:
    """Nobody could tell which of two is down."""
    found, _ = await monitors(
        session,
        yes([group("Site", monitor("a", 0), monitor("b"), monitor("a"))]),
    )
    assert [each.name for each in found] == ["b"]


async def test_uptime_that_is_none(session: ClientSession) -> None:
    """More than always, or less than never, is not known."""
    found, _ = await monitors(
        session,
        yes([group("Site", monitor("a", uptime=99.9), monitor("b", uptime=-1))]),
    )
    assert [each.uptime for each in found] == [None, None]


@pytest.mark.parametrize(
    "data",
    [
        {"Site": []},
        [None],
        [group(None, monitor())],
        [{"categoryName": "Site", "monitors": "none"}],
        [group("Site", "API")],
        [group("Site", monitor(name=None))],
        [group("Site", monitor(status=None))],
        [group("Site", monitor(status="up"))],
    ],
)
async def test_no_monitors(session: ClientSession, data: Any) -> None:
    """A monitor that cannot be read makes none of them up."""
    with pytest.raises(UnexpectedReplyError):
        await monitors(session, yes(data))


async def test_monitors_not_shown(session: ClientSession) -> None:
    """A site that shows none is not asked."""
    status = yes({"quota_per_unit": 500_000, "uptime_kuma_enabled": False})
    async with scripted({STATUS: status, MONITORS: yes([])}) as gateway:
        client = client_of(session, gateway)
        found = await client.site()
        with pytest.raises(EndpointMissingError):
            await client.monitors(found)
        assert gateway.paths == [STATUS]


async def test_monitors_take_their_time(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site asks others first, for longer than any other question takes (5.4)."""
    status = yes({"quota_per_unit": 500_000, "uptime_kuma_enabled": True})
    async with scripted({STATUS: status, MONITORS: yes([])}) as gateway:
        client = client_of(session, gateway)
        found = await client.site()
        monkeypatch.setattr(transport_module, "REQUEST_TIMEOUT", 0)
        with pytest.raises(CannotConnectError):
            await client.site()
        assert await client.monitors(found) == ()
    assert client_module._MONITORS_PATIENCE > 30
