"""What the site announces."""

from datetime import timedelta
from typing import Any, Final

import pytest

from tests.home import Home, Site, household
from tests.household import ACCOUNT, ALONE, DAY, KEY
from tests.restarts import lose_power, restart
from tests.simulator import Answer, Options

from .money import BALANCE_AT_FIRST
from .told import Told


async def with_news(home: Home, site: Site) -> Told:
    """Have an entry that knows what the site has told so far."""
    await home.add(site, key=KEY, user="wang")
    told = Told(home, f"{ACCOUNT}_news")
    await home.pass_hour()
    assert told.is_there
    return told


def texts(told: Told) -> list[tuple[str, str]]:
    """Return the texts that were told, and as what."""
    return [(event["event_type"], event["text"]) for event in told.all]


async def test_announcements(home: Home, site: Site) -> None:
    """Each announcement is told once: what, when and of which kind."""
    told = await with_news(home, site)
    site.gateway.announce("The site moves on Sunday.", kind="warning")
    published = site.gateway.options.announcements[0]["publishDate"]
    for _ in range(3):
        await home.pass_hour()
    assert told.all == [
        {
            "event_type": "announcement",
            "text": "The site moves on Sunday.",
            "kind": "warning",
            "published": published,
        }
    ]


async def test_many_announcements_at_once(home: Home, site: Site) -> None:
    """Each of many is told, the oldest first."""
    told = await with_news(home, site)
    for number in range(5):
        site.gateway.announce(f"News {number}")
    await home.pass_hour()
    assert texts(told) == [("announcement", f"News {number}") for number in range(5)]


async def test_what_was_told_before(home: Home, site: Site) -> None:
    """What the site has told before anybody listened is no news."""
    site.gateway.announce("Old news")
    site.gateway.configure(notice="An old notice")
    told = await with_news(home, site)
    await home.pass_hour()
    assert told.all == []
    site.gateway.announce("News")
    await home.pass_hour()
    assert texts(told) == [("announcement", "News")]


async def test_notice(home: Home, site: Site) -> None:
    """A notice is told whenever it has changed, and not when it is taken down."""
    told = await with_news(home, site)
    for notice in ("Slow today", "Slow today", "", "Fast again", ""):
        site.gateway.configure(notice=notice)
        await home.pass_hour()
    assert texts(told) == [("notice", "Slow today"), ("notice", "Fast again")]


async def test_html(home: Home, site: Site) -> None:
    """Texts are without HTML, and without what a browser would not show."""
    told = await with_news(home, site)
    site.gateway.announce(
        "<h2>Prices &amp; models</h2><p>All are <b>cheaper</b>:<br/>half&nbsp;price."
        "</p><script>alert('x')</script><style>p {color: red}</style>"
    )
    site.gateway.configure(notice="2 < 3 and **bold** [link](https://x.example)")
    await home.pass_hour()
    assert texts(told) == [
        ("announcement", "Prices & models\nAll are cheaper:\nhalf price."),
        ("notice", "2 < 3 and **bold** [link](https://x.example)"),
    ]


async def test_very_long_text(home: Home, site: Site) -> None:
    """A page of text is cut, and says so."""
    told = await with_news(home, site)
    site.gateway.configure(notice="word " * 10_000)
    await home.pass_hour()
    ((_, text),) = texts(told)
    assert text.startswith("word word")
    assert text.endswith("…")
    assert len(text) <= 2_000


@pytest.mark.parametrize("again", ["reload", "restart", "power cut"])
async def test_news_over_a_restart(
    home: Home, site: Site, hass_storage: dict[str, Any], again: str
) -> None:
    """What was told is not told again, and what came meanwhile is."""
    told = await with_news(home, site)
    (entry,) = home.entries
    site.gateway.announce("Monday")
    site.gateway.configure(notice="A notice")
    await home.pass_hour()
    await home.pass_time(timedelta(seconds=5))
    site.gateway.announce("Tuesday")
    match again:
        case "reload":
            await home.hass.config_entries.async_reload(entry.entry_id)
        case "restart":
            await restart(home, entry)
        case _:
            await lose_power(home, entry, hass_storage)
    await home.pass_hour()
    await home.pass_hour()
    assert texts(told) == [
        ("announcement", "Monday"),
        ("notice", "A notice"),
        ("announcement", "Tuesday"),
    ]


MALFORMED: Final[dict[str, Any]] = {
    "no list": "soon",
    "null": None,
    "numbers": [1, 2],
    "no content": [{"publishDate": "2026-11-23T08:00:00Z"}],
    "content of another type": [{"content": {"text": "x"}}],
}


@pytest.mark.parametrize("announcements", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_announcements(
    home: Home, site: Site, announcements: Any
) -> None:
    """What cannot be read is left out; the account and what can be read is not."""
    told = await with_news(home, site)
    site.gateway.configure(status={"announcements": announcements}, notice="Hello")
    await home.pass_hour()
    assert texts(told) == [("notice", "Hello")]
    assert home.state(f"{ACCOUNT}_remaining_quota") == str(BALANCE_AT_FIRST)


async def test_one_malformed_among_others(home: Home, site: Site) -> None:
    """One that cannot be read does not hide the others."""
    told = await with_news(home, site)
    good = {"content": "Good", "publishDate": "2026-11-23T08:00:00Z", "type": "success"}
    site.gateway.configure(announcements=({"content": 5}, good, {"x": 1}))
    await home.pass_hour()
    assert texts(told) == [("announcement", "Good")]


async def test_announcements_are_switched_off(home: Home, site: Site) -> None:
    """A list that is hidden for a day, and shown again, is no news."""
    told = await with_news(home, site)
    site.gateway.announce("News")
    await home.pass_hour()
    site.gateway.configure(announcements_enabled=False)
    await home.pass_time(DAY)
    site.gateway.configure(announcements_enabled=True)
    await home.pass_hour()
    assert texts(told) == [("announcement", "News")]


async def test_announcement_comes_back(home: Home, site: Site) -> None:
    """One that makes room for another, and is shown again later, is no news."""
    told = await with_news(home, site)
    site.gateway.announce("Monday")
    await home.pass_hour()
    monday = site.gateway.options.announcements
    site.gateway.configure(announcements=())
    site.gateway.announce("Tuesday")
    await home.pass_hour()
    tuesday = site.gateway.options.announcements
    site.gateway.configure(announcements=(*tuesday, *monday))
    await home.pass_hour()
    assert texts(told) == [("announcement", "Monday"), ("announcement", "Tuesday")]


async def test_notice_fails(home: Home, site: Site) -> None:
    """A notice that cannot be read is none, and none that comes back is news."""
    site.gateway.configure(notice="As always")
    told = await with_news(home, site)
    site.gateway.faults.add("/api/notice", Answer(502))
    for _ in range(3):
        await home.pass_hour()
    site.gateway.faults.clear()
    await home.pass_hour()
    assert told.all == []


async def test_monitors_fail(home: Home) -> None:
    """Services that cannot be asked do not hide the news."""
    gateway = household()
    gateway.options = Options(system_name="Juhe AI", uptime_kuma=True)
    site = await home.serve(gateway)
    told = await with_news(home, site)
    gateway.faults.add("/api/uptime/status", Answer(502))
    gateway.announce("News")
    await home.pass_hour()
    assert texts(told) == [("announcement", "News")]


async def test_key_alone_has_news(home: Home, site: Site) -> None:
    """News need no account."""
    await home.add(site, key=KEY)
    told = Told(home, f"{ALONE}_news")
    await home.pass_hour()
    site.gateway.announce("News")
    await home.pass_hour()
    assert texts(told) == [("announcement", "News")]


async def test_notice_that_could_not_be_read_at_first(home: Home, site: Site) -> None:
    """An old notice is no news, though it is read after the announcements."""
    site.gateway.configure(notice="An old notice")
    site.gateway.faults.add("/api/notice", Answer(502))
    told = await with_news(home, site)
    await home.pass_hour()
    site.gateway.announce("News")
    await home.pass_hour()
    site.gateway.faults.clear()
    await home.pass_hour()
    await home.pass_hour()
    assert texts(told) == [("announcement", "News")]
    site.gateway.configure(notice="A new notice")
    await home.pass_hour()
    assert texts(told)[1:] == [("notice", "A new notice")]
