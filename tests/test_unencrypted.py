"""No credential goes to a public host unencrypted that a person did not agree to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import aiohttp_client
from homeassistant.util import ssl as ssl_util
from tests.home import SECOND_OPINION, Home, Site, household, works
from tests.household import KEY
from tests.network import HERE, Names, client_context, make_certificate, server_context
from tests.test_config_flow import assert_asks_again, filled_in

PUBLIC: Final = "gateway.example.org"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Let all names lead to the servers of the test."""
    names = Names()
    monkeypatch.setattr(aiohttp_client, "_async_make_resolver", lambda _hass: names)
    return names


def called(site: Site, host: str) -> Site:
    """Return a site under another name."""
    return Site(site.gateway, site.url.replace(HERE, host))


def assert_to_be_decided(result: ConfigFlowResult, host: str = PUBLIC) -> None:
    """Check that a person is told what is at stake, and has the choice."""
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "unencrypted"
    assert result["menu_options"] == ["use_https", "change_address", "send_unencrypted"]
    assert result["description_placeholders"] == {"host": host}


async def decide(home: Home, menu: ConfigFlowResult, decision: str) -> ConfigFlowResult:
    """Choose an option."""
    return await home.submit(menu, {"next_step_id": decision})


async def test_nothing_is_sent_before(home: Home, site: Site, names: Names) -> None:
    """A person is asked before the host hears of it, or its name is looked up."""
    public = called(site, PUBLIC)
    for subject in ({"key": KEY}, {"user": "wang"}, {"key": KEY, "user": "wang"}):
        menu = await home.submit(await home.start(), public.form(**subject))
        assert_to_be_decided(menu)
        # Who loads the page again is asked again.
        again = await home.hass.config_entries.flow.async_configure(menu["flow_id"])
        assert_to_be_decided(again)
    assert names.asked == []
    assert site.gateway.requests == []
    assert home.entries == []


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://8.8.8.8:3000/v1", "8.8.8.8"),
        ("http://[2606:4700::1111]:3000", "2606:4700::1111"),
        ("http://[::ffff:8.8.8.8]", "::ffff:8.8.8.8"),
        ("http://134744072", "134744072"),
        ("HTTP://Gateway.Example.org./console", "gateway.example.org."),
        ("http：//例子.com", "例子.com"),
    ],
)
async def test_public_addresses(
    home: Home, names: Names, address: str, host: str
) -> None:
    """However a public address is written, it is one."""
    entered = {"url": address, "api_key": "sk-abcdefgh"}
    assert_to_be_decided(await home.submit(await home.start(), entered), host)
    assert names.asked == []


@pytest.mark.parametrize(
    "host",
    [
        "gateway",
        "gateway.local",
        "gateway.lan",
        "gateway.internal",
        "gateway.home.arpa",
        "localhost",
    ],
)
async def test_at_home_nobody_is_asked(home: Home, site: Site, host: str) -> None:
    """What does not leave the house needs no decision."""
    local = called(site, host)
    entry = await home.create(local.form(key=KEY))
    assert entry.data["url"] == local.url
    assert works(entry)


async def test_without_a_scheme_it_is_encrypted(home: Home, site: Site) -> None:
    """A public name without a scheme means https, which needs no decision."""
    address = called(site, PUBLIC).url.removeprefix("http://")
    entered = site.form(key=KEY) | {"url": address}
    form = await home.submit(await home.start(), entered)
    # This site has no https.
    assert_asks_again(form, {"url": "cannot_connect"}, entered)
    assert site.gateway.requests == []


async def test_mistakes_come_first(home: Home, site: Site) -> None:
    """Nobody has to decide about a form that says nothing."""
    entered = {"url": called(site, PUBLIC).url}
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"base": "nothing_given"}, entered)


async def test_send_unencrypted(home: Home, site: Site) -> None:
    """Who agrees gets an entry that works, as anywhere else."""
    public = called(site, PUBLIC)
    entered = public.form(key=KEY, user="wang")
    menu = await home.submit(await home.start(), entered)
    created = await decide(home, menu, "send_unencrypted")
    assert created["type"] is FlowResultType.CREATE_ENTRY
    (entry,) = home.entries
    assert dict(entry.data) == entered
    assert works(entry)
    assert home.state("juhe_ai_wang_remaining_quota") == "90.01"


async def test_decided_once_for_one_site(home: Home, site: Site) -> None:
    """Who corrects something else is not asked again; for another site it is asked."""
    public = called(site, PUBLIC)
    entered = public.form(user="wang") | {"access_token": "mistyped-token"}
    menu = await home.submit(await home.start(), entered)
    form = await decide(home, menu, "send_unencrypted")
    assert_asks_again(form, {"access_token": "invalid_access_token"}, entered)

    asked = len(site.gateway.requests)
    elsewhere = called(site, "elsewhere.example.org").form(user="wang")
    menu = await home.submit(form, elsewhere)
    assert_to_be_decided(menu, "elsewhere.example.org")
    assert len(site.gateway.requests) == asked

    form = await decide(home, menu, "change_address")
    corrected = await home.submit(form, public.form(user="wang"))
    assert corrected["type"] is FlowResultType.CREATE_ENTRY


async def test_change_address(home: Home, site: Site) -> None:
    """Who goes back finds the form as it was filled in."""
    entered = called(site, PUBLIC).form(key=KEY, user="wang")
    menu = await home.submit(await home.start(), entered)
    form = await decide(home, menu, "change_address")
    assert form["step_id"] == "user"
    assert_asks_again(form, {}, entered)
    assert site.gateway.requests == []
    result = await home.submit(form, filled_in(form) | {"url": site.url})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_use_https(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the site has https, one choice is all that it takes."""
    certificate = make_certificate(tmp_path, PUBLIC)
    trusting = client_context(certificate)
    monkeypatch.setattr(ssl_util, "client_context", lambda *_: trusting)
    gateway = household()
    async with gateway.serve(ssl_context=server_context(certificate)) as url:
        encrypted = called(Site(gateway, str(url.origin())), PUBLIC)
        entered = encrypted.form(key=KEY, user="wang")
        plain = entered | {"url": f"{encrypted.url.replace('https', 'http')}/v1"}
        menu = await home.submit(await home.start(), plain)
        created = await decide(home, menu, "use_https")
        assert created["type"] is FlowResultType.CREATE_ENTRY
        (entry,) = home.entries
        assert dict(entry.data) == entered
        assert home.state("juhe_ai_wang_remaining_quota") == "90.01"
        await home.hass.config_entries.async_unload(entry.entry_id)


async def test_use_https_where_there_is_none(home: Home, site: Site) -> None:
    """Where it does not, a person is told so, and loses nothing that was entered."""
    public = called(site, PUBLIC)
    entered = public.form(key=KEY, user="wang")
    menu = await home.submit(await home.start(), entered)
    form = await decide(home, menu, "use_https")
    tried = entered | {"url": public.url.replace("http", "https")}
    assert_asks_again(form, {"url": "cannot_connect"}, tried)
    assert site.gateway.requests == []
    assert_to_be_decided(await home.submit(form, entered))


def other_key(site: Site) -> dict[str, str]:
    """Change the key, and the address."""
    return site.form(key="Homework", user="wang")


def nothing_but_address(_site: Site) -> dict[str, str]:
    """Keep the credentials as they are."""
    return {}


@pytest.mark.parametrize("change", [other_key, nothing_but_address])
async def test_reconfigure(
    home: Home, site: Site, change: Callable[[Site], dict[str, Any]]
) -> None:
    """So it is where an entry is changed, whose secrets stay hidden all the time."""
    entry = await home.add(site, key=KEY, user="wang")
    data = dict(entry.data)
    public = called(site, PUBLIC)
    form = await home.start_reconfigure(entry)
    entered = filled_in(form) | change(public) | {"url": public.url}
    asked = len(site.gateway.requests)
    menu = await home.submit(form, entered)
    assert_to_be_decided(menu)
    form = await decide(home, menu, "change_address")
    assert form["step_id"] == "reconfigure"
    assert_asks_again(form, {}, entered)
    assert len(site.gateway.requests) == asked
    assert dict(entry.data) == data

    menu = await home.submit(form, entered)
    done = await decide(home, menu, "send_unencrypted")
    assert done["reason"] == "reconfigure_successful"
    assert dict(entry.data) == data | change(public) | {"url": public.url}
    assert home.state("juhe_ai_wang_remaining_quota") == "90.01"


async def test_reauth_keeps_the_decision(home: Home, site: Site) -> None:
    """The address was decided on when it was entered; a new token changes nothing."""
    entry = await home.add(called(site, PUBLIC), user="wang")
    site.gateway.world.rotate_access_token("wang")
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    form = await home.open_reauth(entry)
    done = await home.submit(
        form, {"access_token": site.form(user="wang")["access_token"]}
    )
    assert done["type"] is FlowResultType.ABORT
    assert done["reason"] == "reauth_successful"
