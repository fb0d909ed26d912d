"""What a person has to act on: each repair comes, can be acted on, and goes."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
import json
from pathlib import Path
from typing import Any, Final

import pytest
from pytest_homeassistant_custom_component.common import flush_store  # type: ignore[import-untyped]
from yarl import URL

from custom_components import new_api
from custom_components.new_api.const import DOMAIN
from custom_components.new_api.issues import Issue
from homeassistant.components.repairs import RepairsFlowResult, repairs_flow_manager
from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownStep
from homeassistant.helpers import aiohttp_client, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import ssl as ssl_util
from tests.home import BALANCE, HOURLY, Home, Site, household, works
from tests.household import KEY
from tests.network import HERE, Names, client_context, make_certificate, server_context
from tests.reader import LANGUAGES, Reader
from tests.simulator import Answer, Gateway, Reset, Rewrite

BALANCE_OF_WANG: Final = "juhe_ai_wang_remaining_quota"
PUBLIC: Final = "gateway.example.org"

HTML: Final = (("Content-Type", "text/html; charset=utf-8"),)

WALL: Final = Answer(403, "<title>Are you a robot?</title>", HTML)
CHALLENGE: Final = Answer(
    503, "<title>Just a moment</title>", (*HTML, ("Cf-Mitigated", "challenge"))
)
ODD: Final = Answer.json(200, '{"success": true, "data": "hello"}')

FOLDER: Final = Path(new_api.__path__[0])
PAGES: Final = FOLDER.parents[1] / "docs" / "repairs"
DOCUMENTATION: Final = json.loads((FOLDER / "manifest.json").read_text())[
    "documentation"
]


class Repairs:
    """The page with the repairs, and who reads it in every language."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Open it."""
        self._hass = hass
        self._registry = ir.async_get(hass)
        self._reader = Reader(hass)

    async def listed(self) -> dict[str, ir.IssueEntry]:
        """Return what is to be repaired of ours, by kind, as far as not ignored."""
        issues = [
            issue
            for issue in self._registry.issues.values()
            if issue.domain == DOMAIN and issue.active and not issue.dismissed_version
        ]
        for issue in issues:
            await self._reader.read_issue(issue)
        found = {str(issue.translation_key): issue for issue in issues}
        assert len(found) == len(issues)
        return found

    async def the(self, kind: Issue) -> ir.IssueEntry:
        """Return the only thing there is to repair."""
        (issue,) = (await self.listed()).values()
        assert issue.translation_key == kind
        return issue

    def ignore(self, issue: ir.IssueEntry) -> None:
        """Choose not to see it again."""
        ir.async_ignore_issue(self._hass, DOMAIN, issue.issue_id, ignore=True)

    async def open(self, issue: ir.IssueEntry) -> RepairsFlowResult:
        """Open what repairs it."""
        manager = repairs_flow_manager(self._hass)
        assert manager is not None
        form = await manager.async_init(DOMAIN, context={"issue_id": issue.issue_id})
        await self._reader.read_repair(issue, form)
        return form

    async def confirm(
        self, issue: ir.IssueEntry, form: RepairsFlowResult
    ) -> RepairsFlowResult:
        """Agree with what it shows."""
        manager = repairs_flow_manager(self._hass)
        assert manager is not None
        result = await manager.async_configure(form["flow_id"], {})
        await self._hass.async_block_till_done(wait_background_tasks=True)
        if result["type"] is FlowResultType.FORM:
            await self._reader.read_repair(issue, result)
        return result


@pytest.fixture
async def repairs(home: Home) -> Repairs:
    """Give the page with the repairs."""
    assert await async_setup_component(home.hass, "repairs", {})
    return Repairs(home.hass)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Let all names lead to the servers of the test."""
    names = Names()
    monkeypatch.setattr(aiohttp_client, "_async_make_resolver", lambda _hass: names)
    return names


def twin(gateway: Gateway) -> Gateway:
    """Return another server of the same site, with the same accounts."""
    return Gateway(gateway.world, gateway.dialect, gateway.options)


def move(site: Site, to: str, status: int = 301) -> None:
    """Let a site send its visitors elsewhere, whatever they ask for."""
    for path in ("*", "/api/user/self", "/api/token/", "/api/status"):
        where = f"{to}{path.replace('*', '/')}"
        site.gateway.faults.add(path, Answer(status, "", (("Location", where),)))


async def last(home: Home) -> None:
    """Let time pass until it is no bad moment any more."""
    await home.poll(4)


async def reload(home: Home, entry: ConfigEntry) -> None:
    """Load an entry again."""
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()


def page_of(issue: ir.IssueEntry) -> str:
    """Return the page that an issue leads to."""
    assert issue.learn_more_url is not None
    address, _, page = issue.learn_more_url.partition("/blob/main/docs/repairs/")
    assert address == DOCUMENTATION
    return page


# ------------------------------------------------------------------------------------
# All of them


@pytest.mark.parametrize("issue", Issue)
@pytest.mark.parametrize("suffix", [".md", ".zh-Hans.md"])
def test_each_has_a_page(issue: Issue, suffix: str) -> None:
    """Each repair has a page in each language, which begins with a title."""
    assert (PAGES / f"{issue}{suffix}").read_text().startswith("# ")


def test_no_page_is_left_over() -> None:
    """There is no page about anything else."""
    pages = {path.name for path in PAGES.glob("*.md")}
    assert pages == {
        f"{issue}{end}" for issue in Issue for end in (".md", ".zh-Hans.md")
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_have_texts(language: str) -> None:
    """There are texts for each repair, and for what can go wrong with it."""
    path = FOLDER / "translations" / f"{language}.json"
    texts = json.loads(path.read_text())["issues"]
    assert set(texts) == set(Issue)
    for issue in (Issue.SITE_MOVED, Issue.UNENCRYPTED):
        assert set(texts[issue]["fix_flow"]["error"]) == {
            error for _, error in MISHAPS.values()
        }


async def test_nothing_to_repair(home: Home, site: Site, repairs: Repairs) -> None:
    """What works, or is down for a time, needs nobody."""
    await home.add(site, key=KEY, user="wang")
    await home.poll(2)
    site.gateway.faults.add("*", Reset())
    await home.poll(3)
    site.gateway.faults.add("*", Answer(503, "<html>Back soon</html>", HTML))
    for _ in range(30):
        await home.pass_time(HOURLY)
    assert await repairs.listed() == {}


async def test_what_cannot_be_fixed_here(
    home: Home, site: Site, repairs: Repairs
) -> None:
    """Nobody is offered to fix what only somebody else can."""
    site.gateway.configure(quota_per_unit=0)
    await home.add(site, user="wang")
    issue = await repairs.the(Issue.NO_DIVISOR)
    assert not issue.is_fixable
    with pytest.raises(UnknownStep):
        await repairs.open(issue)


async def test_ignored_stays_ignored(home: Home, site: Site, repairs: Repairs) -> None:
    """Who has decided not to see it does not see it, until it is a new one."""
    entry = await home.add(site, key=KEY, user="wang")
    site.gateway.configure(quota_per_unit=0)
    await home.poll()
    repairs.ignore(await repairs.the(Issue.NO_DIVISOR))
    for _ in range(2):
        await reload(home, entry)
        assert await repairs.listed() == {}
        await home.poll(2)
        assert await repairs.listed() == {}
    site.gateway.configure(quota_per_unit=500_000)
    await home.poll()
    site.gateway.configure(quota_per_unit=0)
    await home.poll()
    assert await repairs.the(Issue.NO_DIVISOR)


async def test_unloading_keeps_it(home: Home, site: Site, repairs: Repairs) -> None:
    """An entry that is not loaded changes nothing about what there is to do."""
    site.gateway.configure(quota_per_unit=0)
    entry = await home.add(site, user="wang")
    await home.hass.config_entries.async_unload(entry.entry_id)
    assert await repairs.the(Issue.NO_DIVISOR)


@pytest.mark.parametrize("loaded", [True, False])
async def test_removal(home: Home, site: Site, repairs: Repairs, loaded: bool) -> None:
    """An entry that is gone needs no repair, whether it could be loaded or not."""
    other = await home.add(site, key="Homework", entry_id="other")
    entry = await home.add(site, user="wang")
    if loaded:
        site.gateway.configure(quota_per_unit=0)
    else:
        move(site, "https://new.example.org")
        await reload(home, entry)
        assert entry.state is ConfigEntryState.SETUP_RETRY
    await last(home)
    registry = ir.async_get(home.hass)
    assert len([each for each in registry.issues if each[0] == DOMAIN]) == 2
    await home.hass.config_entries.async_remove(entry.entry_id)
    await home.settle()
    assert set(await repairs.listed()) == {
        Issue.NO_DIVISOR if loaded else Issue.SITE_MOVED
    }
    await home.hass.config_entries.async_remove(other.entry_id)
    await home.settle()
    assert not [each for each in registry.issues if each[0] == DOMAIN]


async def test_disabling(home: Home, site: Site, repairs: Repairs) -> None:
    """Who disables an entry is left in peace about it, until it is enabled again."""
    move(site, "https://new.example.org")
    entry = await home.add(site, user="wang")
    await last(home)
    assert await repairs.the(Issue.SITE_MOVED)
    manager = home.hass.config_entries
    await manager.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert await repairs.listed() == {}
    await manager.async_set_disabled_by(entry.entry_id, None)
    await last(home)
    assert await repairs.the(Issue.SITE_MOVED)


# ------------------------------------------------------------------------------------
# The site has moved


@pytest.mark.parametrize("status", [301, 308])
@pytest.mark.parametrize(
    "subject", [{"key": KEY}, {"user": "wang"}, {"key": KEY, "user": "wang"}]
)
async def test_site_moved(
    home: Home, site: Site, repairs: Repairs, subject: dict[str, Any], status: int
) -> None:
    """The new address is offered, and hears of nothing before a person agrees."""
    entry = await home.add(site, **subject)
    await home.poll(2)
    title, entities, states = (
        entry.title,
        home.entities(entry),
        home.states(entry.title),
    )
    new = await home.serve(twin(site.gateway))
    move(site, new.url, status)
    await last(home)

    issue = await repairs.the(Issue.SITE_MOVED)
    assert issue.severity is ir.IssueSeverity.ERROR
    assert page_of(issue) == "site_moved.md"
    form = await repairs.open(issue)
    shown = form["description_placeholders"]
    assert shown is not None
    assert (shown["old"], shown["new"]) == (site.url, new.url)
    assert new.gateway.requests == []

    done = await repairs.confirm(issue, form)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert dict(entry.data) == new.form(**subject)
    assert (entry.unique_id or "").startswith(f"{new.url}|")
    assert entry.title == title
    assert works(entry)
    assert home.entities(entry) == entities
    await home.poll(3)
    assert home.states(title) == states
    assert await repairs.listed() == {}
    asked = len(site.gateway.requests)
    await home.poll(2)
    assert len(site.gateway.requests) == asked
    assert await repairs.listed() == {}


@pytest.mark.parametrize("server", ["new_api_0_9", "one_api"])
async def test_pages_on_another_host(home: Home, repairs: Repairs, server: str) -> None:
    """A site that sends what it does not have to its pages has not moved (1.3)."""
    site = await home.serve(household(server))
    pages = (("Location", "https://pages.juheai.top/"),)
    for path in ("/api/subscription/self", "/api/data/self", "/api/data/flow/self"):
        site.gateway.faults.add(path, Answer(301, "", pages))
    await home.add(site, user="wang")
    await last(home)
    assert await repairs.listed() == {}


async def test_site_moved_while_nobody_looked(
    home: Home, site: Site, repairs: Repairs
) -> None:
    """So it is where the entry cannot even be set up."""
    new = await home.serve(twin(site.gateway))
    move(site, new.url)
    entry = await home.add(site, key=KEY, user="wang")
    assert entry.state is ConfigEntryState.SETUP_RETRY
    await last(home)
    issue = await repairs.the(Issue.SITE_MOVED)
    done = await repairs.confirm(issue, await repairs.open(issue))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert works(entry)
    assert home.state(BALANCE_OF_WANG) == "90.01"
    assert await repairs.listed() == {}


async def test_site_moved_into_a_folder(
    home: Home, site: Site, repairs: Repairs
) -> None:
    """A sub-path of the new address is part of it."""
    move(site, "https://new.example.org/ai")
    await home.add(site, user="wang")
    await last(home)
    shown = (await repairs.the(Issue.SITE_MOVED)).translation_placeholders
    assert shown is not None
    assert shown["new"] == "https://new.example.org/ai"


async def test_site_moves_back(home: Home, site: Site, repairs: Repairs) -> None:
    """A site that answers again has not moved."""
    await home.add(site, key=KEY, user="wang")
    move(site, "https://new.example.org")
    await last(home)
    assert await repairs.the(Issue.SITE_MOVED)
    # It is down, which tells nothing about where it is.
    site.gateway.faults.add("*", Reset())
    await home.poll()
    assert await repairs.the(Issue.SITE_MOVED)
    site.gateway.faults.clear()
    await home.poll()
    assert await repairs.listed() == {}


async def test_site_that_seems_to_move_now_and_then(
    home: Home, site: Site, repairs: Repairs
) -> None:
    """A hotel's network that sends everybody to its own page has moved no site."""
    await home.add(site, key=KEY, user="wang")
    for _ in range(6):
        move(site, "https://hotel.example.org")
        await home.poll()
        assert await repairs.listed() == {}
        site.gateway.faults.clear()
        await home.poll()
        assert await repairs.listed() == {}


async def test_site_moves_on(home: Home, site: Site, repairs: Repairs) -> None:
    """The address that is offered is the one that was named last."""
    await home.add(site, user="wang")
    for new in ("https://one.example.org", "https://two.example.org"):
        move(site, new)
        await last(home)
        shown = (await repairs.the(Issue.SITE_MOVED)).translation_placeholders
        assert shown is not None
        assert shown["new"] == new


@pytest.mark.parametrize("status", [302, 303, 307])
async def test_detour(home: Home, site: Site, repairs: Repairs, status: int) -> None:
    """Where a site sends people for a while only, nobody moves to."""
    await home.add(site, user="wang")
    move(site, "https://new.example.org", status)
    await home.poll(4)
    assert home.state(BALANCE_OF_WANG) == "unavailable"
    assert await repairs.listed() == {}


@pytest.mark.parametrize(
    "new", [f"http://{PUBLIC}", "http://8.8.8.8:3000", "http://wang@-/"]
)
async def test_move_that_is_not_offered(
    home: Home, site: Site, repairs: Repairs, new: str
) -> None:
    """Nobody is offered to send a secret unencrypted, or to what is no address."""
    await home.add(site, user="wang")
    move(site, new)
    await home.poll(4)
    assert home.state(BALANCE_OF_WANG) == "unavailable"
    assert await repairs.listed() == {}


def leave(_new: Gateway) -> None:
    """Let it work."""


def another_account(new: Gateway) -> None:
    """Let the token be somebody else's there."""
    wang = new.world.user("wang")
    new.world.users = {99: replace(wang, id=99)}


def other_credentials(new: Gateway) -> None:
    """Let the token be unknown there."""
    new.world.rotate_access_token("wang")


def failing(path: str, fault: Any) -> Callable[[Gateway], None]:
    """Let something fail there."""
    return lambda new: new.faults.add(path, fault)


MISHAPS: Final[dict[str, tuple[Callable[[Gateway], None], str]]] = {
    "down": (failing("*", Reset()), "cannot_connect"),
    "a shop": (failing("*", Answer(200, "<html></html>", HTML)), "not_a_gateway"),
    "a wall": (failing("*", WALL), "blocked"),
    "trouble": (failing("*", Answer(502)), "no_answer"),
    "odd": (failing("/api/user/self", ODD), "no_answer"),
    "moved on": (
        failing("*", Answer(301, "", (("Location", "https://on.example.org/"),))),
        "moved",
    ),
    "other credentials": (other_credentials, "credentials_refused"),
    "other account": (another_account, "other_account"),
    "twice": (leave, "already_configured"),
}


@pytest.mark.parametrize(("happens", "error"), MISHAPS.values(), ids=MISHAPS)
async def test_move_that_fails(
    home: Home,
    site: Site,
    repairs: Repairs,
    happens: Callable[[Gateway], None],
    error: str,
) -> None:
    """What is wrong is said in the form; nothing is lost, and it can be tried again."""
    # Servers of today do not want to know the user ID.
    entry = await home.add(site, user="wang", with_user_id=False)
    new = await home.serve(household())
    if error == "already_configured":
        await home.add(new, user="wang", entry_id="twin")
    move(site, new.url)
    await last(home)
    happens(new.gateway)
    data, unique_id = dict(entry.data), entry.unique_id
    issue = await repairs.the(Issue.SITE_MOVED)
    form = await repairs.open(issue)
    for _ in range(2):
        form = await repairs.confirm(issue, form)
        assert form["type"] is FlowResultType.FORM
        assert form["errors"] == {"base": error}
    assert (dict(entry.data), entry.unique_id) == (data, unique_id)
    assert await repairs.the(Issue.SITE_MOVED)

    if happens in (leave, another_account, other_credentials):
        return
    new.gateway.faults.clear()
    done = await repairs.confirm(issue, form)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert works(entry)


# ------------------------------------------------------------------------------------
# The site gives no usable divisor


@pytest.mark.parametrize("divisor", [0, -500_000, "many", None])
async def test_no_divisor(
    home: Home, site: Site, repairs: Repairs, divisor: Any
) -> None:
    """A site that does not say how it counts is of no use, as long as it does not."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.configure(status={"quota_per_unit": divisor})
    await home.poll()
    assert home.state(BALANCE_OF_WANG) == "unknown"
    issue = await repairs.the(Issue.NO_DIVISOR)
    assert page_of(issue) == "no_divisor.md"
    site.gateway.configure(status={})
    await home.poll()
    assert await repairs.listed() == {}
    assert home.state(BALANCE_OF_WANG) == "90.01"


async def test_no_rate(home: Home, site: Site, repairs: Repairs) -> None:
    """Yuan without an exchange rate are no better."""
    site.gateway.configure(quota_display_type="CNY", usd_exchange_rate=0)
    await home.add(site, user="wang")
    assert await repairs.the(Issue.NO_DIVISOR)


async def test_no_divisor_needed(home: Home, site: Site, repairs: Repairs) -> None:
    """A site that shows raw quota needs no divisor."""
    site.gateway.configure(quota_display_type="TOKENS", quota_per_unit=0)
    await home.add(site, user="wang")
    assert home.state(BALANCE_OF_WANG) == "45005000"
    assert await repairs.listed() == {}


# ------------------------------------------------------------------------------------
# Credentials go unencrypted


def called(site: Site, host: str) -> Site:
    """Return a site under another name."""
    return Site(site.gateway, site.url.replace(HERE, host))


async def test_unencrypted(
    home: Home,
    names: Names,
    repairs: Repairs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who sends secrets unencrypted is offered https, where the site has that now."""
    certificate = make_certificate(tmp_path, PUBLIC)
    trusting = client_context(certificate)
    monkeypatch.setattr(ssl_util, "client_context", lambda *_: trusting)
    gateway = household()
    async with AsyncExitStack() as serving:
        url = await serving.enter_async_context(gateway.serve())
        site = called(Site(gateway, str(url.origin())), PUBLIC)
        entry = await home.add(site, key=KEY, user="wang")
        assert works(entry)
        issue = await repairs.the(Issue.UNENCRYPTED)
        assert issue.severity is ir.IssueSeverity.WARNING
        assert page_of(issue) == "unencrypted.md"
        form = await repairs.open(issue)
        shown = form["description_placeholders"]
        assert shown is not None
        assert shown["old"] == site.url
        assert shown["new"] == site.url.replace("http:", "https:")
        form = await repairs.confirm(issue, form)
        assert form["errors"] == {"base": "cannot_connect"}
        assert entry.data["url"] == site.url
        assert works(entry)

    encrypted = gateway.serve(
        port=url.port or 0, ssl_context=server_context(certificate)
    )
    async with encrypted:
        done = await repairs.confirm(issue, form)
        assert done["type"] is FlowResultType.CREATE_ENTRY
        assert URL(entry.data["url"]).scheme == "https"
        assert works(entry)
        assert home.state(BALANCE_OF_WANG) == "90.01"
        await home.poll()
        assert await repairs.listed() == {}
        await home.hass.config_entries.async_unload(entry.entry_id)


async def test_unencrypted_and_down(
    home: Home, site: Site, names: Names, repairs: Repairs
) -> None:
    """It is said of an entry that cannot be set up too, and can be ignored for good."""
    site.gateway.faults.add("*", Reset())
    entry = await home.add(called(site, PUBLIC), user="wang")
    repairs.ignore(await repairs.the(Issue.UNENCRYPTED))
    site.gateway.faults.clear()
    await home.poll()
    await reload(home, entry)
    assert works(entry)
    await home.poll(3)
    assert await repairs.listed() == {}


# ------------------------------------------------------------------------------------
# The site refuses this address


@pytest.mark.parametrize("subject", [{"key": KEY}, {"key": KEY, "user": "wang"}])
async def test_address_refused(
    home: Home, site: Site, repairs: Repairs, subject: dict[str, Any]
) -> None:
    """A key that may not be used from here can be allowed on the site."""
    entry = await home.add(site, **subject)
    key = site.key(KEY)
    key.allow_ips = ("203.0.113.7",)
    await home.poll()
    issue = await repairs.the(Issue.ADDRESS_REFUSED)
    assert page_of(issue) == "address_refused.md"
    repairs.ignore(issue)
    await reload(home, entry)
    await home.poll()
    assert await repairs.listed() == {}
    key.allow_ips = ()
    await home.poll()
    key.allow_ips = ("203.0.113.7",)
    await home.poll()
    assert await repairs.the(Issue.ADDRESS_REFUSED)
    key.allow_ips = ()
    await home.poll()
    assert await repairs.listed() == {}


@pytest.mark.parametrize("wall", [WALL, CHALLENGE], ids=["wall", "challenge"])
async def test_blocked(home: Home, site: Site, repairs: Repairs, wall: Answer) -> None:
    """A wall before the site is worth a word after an hour, and not before."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("*", wall)
    began = await passes_until(home, repairs)
    assert timedelta(hours=1) < began <= timedelta(hours=1) + 2 * BALANCE
    issue = await repairs.the(Issue.BLOCKED)
    assert page_of(issue) == "blocked.md"
    # It is down, which does not say that the wall is gone.
    site.gateway.faults.add("*", Reset())
    await home.poll(2)
    assert await repairs.the(Issue.BLOCKED)
    site.gateway.faults.clear()
    await home.poll(2)
    assert await repairs.listed() == {}


async def passes_until(home: Home, repairs: Repairs) -> timedelta:
    """Let time pass until there is something to repair; return how much it took."""
    passed = timedelta()
    while not await repairs.listed():
        await home.poll()
        passed += BALANCE
        assert passed < timedelta(days=2), "It never happens"
    return passed


async def test_blocked_from_the_start(home: Home, site: Site, repairs: Repairs) -> None:
    """So it is where the entry cannot even be set up."""
    site.gateway.faults.add("*", WALL)
    entry = await home.add(site, user="wang")
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "blocked"
    assert await passes_until(home, repairs) > timedelta(hours=1)
    assert await repairs.the(Issue.BLOCKED)
    site.gateway.faults.clear()
    await home.pass_time(timedelta(minutes=11))
    assert works(entry)
    assert await repairs.listed() == {}


async def test_blocked_and_down(home: Home, site: Site, repairs: Repairs) -> None:
    """A site that is down for a while is not meanwhile let through."""
    await home.add(site, user="wang")
    site.gateway.faults.add("*", WALL)
    await home.poll(6)
    site.gateway.faults.add("*", Reset())
    await home.poll(6)
    assert await repairs.listed() == {}
    site.gateway.faults.add("*", WALL)
    await home.poll()
    assert await repairs.the(Issue.BLOCKED)


async def test_blocked_before_and_after_a_sleep(
    home: Home, site: Site, repairs: Repairs
) -> None:
    """Two readings with hours between them are no hour of a wall."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("*", WALL)
    await home.poll()
    await home.pass_time(timedelta(hours=8))
    assert await repairs.listed() == {}
    await home.poll()
    assert await repairs.the(Issue.BLOCKED)


async def test_blocked_now_and_then(home: Home, site: Site, repairs: Repairs) -> None:
    """A wall that lets us through each hour is none."""
    await home.add(site, user="wang")
    for _ in range(3):
        site.gateway.faults.add("/api/status", WALL)
        await home.poll(9)
        assert await repairs.listed() == {}
        site.gateway.faults.clear()
        await home.poll()


# ------------------------------------------------------------------------------------
# This version is too old for the site


async def test_unknown_display_type(home: Home, site: Site, repairs: Repairs) -> None:
    """A site that counts in a way that nobody knew needs a newer version."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.configure(status={"quota_display_type": "SHELLS"})
    await home.poll()
    issue = await repairs.the(Issue.OUTDATED)
    assert page_of(issue) == "outdated.md"
    site.gateway.configure(status={})
    await home.poll()
    assert await repairs.listed() == {}


def nothing_known(reply: Any) -> Any:
    """Let the account have another shape."""
    return {**reply, "data": {"balance": {"amount": 1}}}


@pytest.mark.parametrize(
    ("subject", "path"),
    [({"user": "wang"}, "/api/user/self"), ({"user": "wang"}, "/api/token/")],
)
async def test_unexpected_replies(
    home: Home, site: Site, repairs: Repairs, subject: dict[str, Any], path: str
) -> None:
    """Replies that nobody understands are worth a word after a day."""
    entry = await home.add(site, **subject)
    site.gateway.faults.add(path, Rewrite(nothing_known))
    began = await passes_until(home, repairs)
    assert timedelta(days=1) < began <= timedelta(days=1) + 2 * BALANCE
    issue = await repairs.the(Issue.OUTDATED)
    repairs.ignore(issue)
    await reload(home, entry)
    await home.poll(2)
    assert await repairs.listed() == {}
    site.gateway.faults.clear()
    await home.poll(2)
    assert ir.async_get(home.hass).async_get_issue(DOMAIN, issue.issue_id) is None


async def test_account_that_is_taken_away(
    home: Home, site: Site, repairs: Repairs
) -> None:
    """What was wrong with an account is nothing to an entry without it."""
    entry = await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("/api/user/self", Rewrite(nothing_known))
    await passes_until(home, repairs)
    assert await repairs.the(Issue.OUTDATED)
    form = await home.start_reconfigure(entry)
    done = await home.submit(form, site.form(key=KEY))
    assert done["reason"] == "reconfigure_successful"
    await home.poll()
    assert await repairs.listed() == {}


async def test_ignored_over_a_restart(home: Home, site: Site, repairs: Repairs) -> None:
    """What takes a day to be known again is not forgotten meanwhile."""
    entry = await home.add(site, user="wang")
    site.gateway.faults.add("/api/user/self", Rewrite(nothing_known))
    await passes_until(home, repairs)
    repairs.ignore(await repairs.the(Issue.OUTDATED))
    await restart(home, entry)
    for _ in range(30):
        await home.pass_time(HOURLY)
        assert await repairs.listed() == {}
    (issue,) = ir.async_get(home.hass).issues.values()
    assert issue.active
    site.gateway.faults.clear()
    await home.poll()
    assert not ir.async_get(home.hass).issues


async def restart(home: Home, entry: ConfigEntry) -> None:
    """Forget all about the repairs that Home Assistant does not keep."""
    await home.hass.config_entries.async_unload(entry.entry_id)
    registry = ir.async_get(home.hass)
    await flush_store(registry._store)
    await registry.async_load()
    home.hass.data["new_api_issues"].clear()
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()


async def test_unexpected_replies_now_and_then(
    home: Home, site: Site, repairs: Repairs
) -> None:
    """One reply in between that is understood, and it is no matter of versions."""
    await home.add(site, user="wang")
    for _ in range(2):
        site.gateway.faults.add("/api/user/self", Rewrite(nothing_known))
        for _ in range(20):
            await home.pass_time(HOURLY)
        assert await repairs.listed() == {}
        site.gateway.faults.clear()
        await home.poll()
