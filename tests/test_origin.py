"""Credentials go to the site that a person entered, and to nobody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
import os
from pathlib import Path
from typing import Final

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import aiohttp_client
from homeassistant.util import ssl as ssl_util
from tests.home import HOURLY, Home, Site, household, works
from tests.household import KEY
from tests.network import (
    HERE,
    Names,
    Tap,
    client_context,
    make_certificate,
    server_context,
    tapped,
)
from tests.simulator import Answer

ROOT: Final = Path(__file__).parents[1]
STATUSES: Final = (301, 302, 303, 307, 308)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Let all names lead to this machine, and note who was looked for."""
    names = Names()
    monkeypatch.setattr(aiohttp_client, "_async_make_resolver", lambda _hass: names)
    return names


@pytest.fixture
async def stranger(socket_enabled: None) -> AsyncIterator[Tap]:
    """Open a port that nobody was told of."""
    async with tapped() as tap:
        yield tap


def assert_unknown(stranger: Tap, names: Names | None = None) -> None:
    """Check that nobody came to a stranger, or so much as looked for one."""
    assert stranger.visits == 0
    assert stranger.heard == b""
    assert names is None or names.asked == []


def gone(status: int, location: str) -> Answer:
    """Send whoever asks somewhere else."""
    return Answer(status, headers=(("Location", location),))


def other_port(site: Site, port: int) -> str:
    """Name another server of the same machine."""
    return f"http://{HERE}:{port}/api/status"


def other_name(site: Site, port: int) -> str:
    """Name the same server in another way."""
    return site.url.replace(HERE, "localhost") + "/api/status"


def other_name_and_port(site: Site, port: int) -> str:
    """Name another host."""
    return f"http://gateway.example.org:{port}/v1/models"


def longer_name(site: Site, port: int) -> str:
    """Name a host whose name begins as the right one."""
    return site.url.replace(HERE, f"{HERE}.example.org")


def other_scheme(site: Site, port: int) -> str:
    """Name the same server with another scheme."""
    return site.url.replace("http://", "https://")


def no_scheme(site: Site, port: int) -> str:
    """Leave out the scheme."""
    return f"//{HERE}:{port}/api/user/self"


def user_of_another(site: Site, port: int) -> str:
    """Put the right host where the name of a user belongs."""
    return f"{site.url}@{HERE}:{port}/api/status"


def user_and_password_of_another(site: Site, port: int) -> str:
    """Bring other credentials to another server."""
    return f"http://alice:hunter2@{HERE}:{port}/"


def backslashes(site: Site, port: int) -> str:
    """Write it as browsers alone understand it."""
    return rf"\\{HERE}:{port}\api\status"


def blanks(site: Site, port: int) -> str:
    """Hide it behind what some leave out."""
    return f" \t//{HERE}:{port}/"


def roundabout(site: Site, port: int) -> str:
    """Go to the same server first, twice, which sends on to another."""
    faults = site.gateway.faults
    faults.add("/first", gone(307, f"{site.url}/second"))
    faults.add("/second", gone(308, f"http://{HERE}:{port}/api/user/self"))
    return "/first"


ELSEWHERE: Final[tuple[Callable[[Site, int], str], ...]] = (
    other_port,
    other_name,
    other_name_and_port,
    longer_name,
    other_scheme,
    no_scheme,
    user_of_another,
    user_and_password_of_another,
    backslashes,
    blanks,
    roundabout,
)
elsewhere = pytest.mark.parametrize("elsewhere", ELSEWHERE)


# ------------------------------------------------------------------------------------
# Redirects


@elsewhere
async def test_redirect_in_the_flow(
    home: Home,
    site: Site,
    stranger: Tap,
    names: Names,
    elsewhere: Callable[[Site, int], str],
    subtests: pytest.Subtests,
) -> None:
    """Wherever a site sends who adds it, the credentials stay; for all kinds of it."""
    location = elsewhere(site, stranger.port)
    form = await home.start()
    for status, path in (
        *((status, "/api/status") for status in STATUSES),
        *((307, path) for path in ("/api/user/self", "/api/token/", "/v1/*")),
    ):
        with subtests.test(f"{status} at {path}"):
            site.gateway.faults.add(path, gone(status, location))
            asked = len(site.gateway.requests)
            form = await home.submit(form, site.form(key=KEY, user="wang"))
            assert len(site.gateway.requests) > asked
            assert_unknown(stranger, names)
        site.gateway.faults.clear()
        elsewhere(site, stranger.port)
        await home.pass_time(timedelta(minutes=5))
        if form["type"] is not FlowResultType.FORM:
            # The account vouches for a key that cannot be asked about.
            (entry,) = home.entries
            await home.hass.config_entries.async_remove(entry.entry_id)
            form = await home.start()


def paths(site: Site) -> set[str]:
    """Return all paths that a site has and was asked for."""
    return {
        asked.path_qs.partition("?")[0]
        for asked in site.gateway.requests
        if asked.status == HTTPStatus.OK
    }


@elsewhere
async def test_redirect_of_everything(
    home: Home,
    site: Site,
    stranger: Tap,
    names: Names,
    elsewhere: Callable[[Site, int], str],
) -> None:
    """A site that moves away, in whatever way, gets no company on its way."""
    await home.add(site, key=KEY, user="wang", entry_id="both")
    await home.add(site, key="Homework", entry_id="key")
    for status in STATUSES:
        site.gateway.faults.add("*", gone(status, elsewhere(site, stranger.port)))
        asked = len(site.gateway.requests)
        await home.pass_time(HOURLY)
        assert len(site.gateway.requests) > asked
        site.gateway.faults.clear()
    assert_unknown(stranger, names)
    assert home.state("juhe_ai_wang_remaining_quota") == "unavailable"


@pytest.mark.parametrize(
    "server", ["new_api_main", "new_api_0_9", "one_api", "one_hub"]
)
async def test_redirect_of_each_question(
    home: Home,
    stranger: Tap,
    names: Names,
    server: str,
    subtests: pytest.Subtests,
) -> None:
    """Of all that is ever asked, nothing is asked elsewhere."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, user="wang", entry_id="both")
    await home.add(site, key="Homework", entry_id="key")
    await home.pass_time(HOURLY)
    questions = paths(site)
    assert {"/api/status", "/api/user/self", "/v1/models"} < questions
    for path in sorted(questions):
        with subtests.test(path):
            location = f"http://{HERE}:{stranger.port}{path}"
            site.gateway.faults.add(path, gone(307, location))
            asked = site.asked(path)
            for _ in range(24):
                # Of an account that nobody uses, little is asked.
                site.gateway.spend(KEY, 100)
                await home.poll()
                if site.asked(path) > asked:
                    break
            assert site.asked(path) > asked
            site.gateway.faults.clear()
            await home.pass_time(HOURLY)
    assert_unknown(stranger, names)


async def test_redirect_from_https(
    home: Home, stranger: Tap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was entered encrypted is not sent unencrypted, not even to the same host."""
    certificate = make_certificate(tmp_path, HERE)
    trusting = client_context(certificate)
    monkeypatch.setattr(ssl_util, "client_context", lambda *_: trusting)
    gateway = household()
    async with gateway.serve(ssl_context=server_context(certificate)) as url:
        site = Site(gateway, str(url.origin()))
        entry = await home.create(site.form(key=KEY, user="wang"))
        for port in (stranger.port, url.port):
            gateway.faults.add("*", gone(301, f"http://{HERE}:{port}/api/status"))
            asked = len(gateway.requests)
            await home.poll()
            assert len(gateway.requests) > asked
            gateway.faults.clear()
        assert_unknown(stranger)
        await home.hass.config_entries.async_unload(entry.entry_id)


async def test_redirect_at_home_brings_nothing_along(home: Home, site: Site) -> None:
    """A site's own redirect is followed, with no cookie, referrer or other name."""
    async with tapped(port_of(site)) as wire:
        near = Site(site.gateway, f"http://{HERE}:{wire.port}")
        with_name = near.url.replace("http://", "http://alice:hunter2@")
        site.gateway.dialect = replace(
            site.gateway.dialect,
            headers=(
                *site.gateway.dialect.headers,
                ("Set-Cookie", "session=PlantedCookie; Path=/"),
            ),
        )
        entry = await home.create(near.form(key=KEY, user="wang"))
        for location in ("/api/status", f"{near.url}/api/status", f"{with_name}/there"):
            site.gateway.faults.add("/api/user/self", gone(302, location))
            await home.poll()
            site.gateway.faults.clear()
        await home.pass_time(HOURLY)
        assert works(entry)
        assert site.asked("/there") == 0
        heard = wire.heard.decode().lower()
        await home.hass.config_entries.async_unload(entry.entry_id)
    assert "authorization: bearer " in heard
    for unwanted in ("cookie", "referer", "basic ", "alice", "hunter2"):
        assert unwanted not in heard


def port_of(site: Site) -> int:
    """Return where a site is served."""
    return int(site.url.rpartition(":")[2])


async def test_credentials_stand_in_one_header_only(home: Home, site: Site) -> None:
    """Neither a URL, which servers log, nor anything else on the wire has them."""
    async with tapped(port_of(site)) as wire:
        near = Site(site.gateway, f"http://{HERE}:{wire.port}")
        entry = await home.create(near.form(key=KEY, user="wang"))
        await home.pass_time(HOURLY)
        await home.hass.config_entries.async_unload(entry.entry_id)
    secrets = {site.key(KEY).secret, site.user("wang").access_token}
    lines = [
        line
        for line in wire.heard.decode().splitlines()
        if any(secret in line for secret in secrets)
    ]
    assert len(lines) > len(secrets)
    assert {line.partition(" ")[0] for line in lines} == {"Authorization:"}


# ------------------------------------------------------------------------------------
# Addresses with somebody else's credentials


@pytest.mark.parametrize(
    "user", ["alice@", "alice:hunter2@", ":hunter2@", ":@", "127.0.0.1@", "a%40b:c@"]
)
async def test_user_in_the_address_is_refused(
    home: Home, site: Site, stranger: Tap, names: Names, user: str
) -> None:
    """An address that carries a name or password is refused before it is used."""
    for host in (site.url.removeprefix("http://"), f"{HERE}:{stranger.port}"):
        entered = site.form(key=KEY, user="wang") | {"url": f"http://{user}{host}"}
        form = await home.submit(await home.start(), entered)
        assert form["errors"] == {"url": "invalid_url"}
    assert site.gateway.requests == []
    assert_unknown(stranger, names)


async def test_user_in_a_stored_address(
    home: Home, site: Site, stranger: Tap, caplog: pytest.LogCaptureFixture
) -> None:
    """An entry with such an address, whoever made it, sends nothing and says why."""
    near = Site(site.gateway, f"http://alice:hunter2@{HERE}:{stranger.port}")
    entry = await home.add(near, key=KEY, user="wang")
    await home.pass_time(HOURLY)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert_unknown(stranger)
    assert home.devices() == []
    assert "hunter2" not in f"{caplog.text}{entry.reason}"
    assert "Reconfigure the entry" in caplog.text
    # The fixture would worry about this error.
    caplog.clear()


# ------------------------------------------------------------------------------------
# Proxies and other settings of the machine


@pytest.fixture
def environment(tmp_path: Path, stranger: Tap) -> dict[str, str]:
    """Give a machine that would send everything through a stranger."""
    netrc = tmp_path / "netrc"
    netrc.write_text(
        f"machine {HERE}\nlogin alice\npassword hunter2\ndefault\nlogin a\npassword b\n"
    )
    netrc.chmod(0o600)
    proxy = f"http://alice:hunter2@{HERE}:{stranger.port}"
    names = ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "ftp_proxy")
    return {
        "NETRC": str(netrc),
        "HOME": str(tmp_path),
        **dict.fromkeys(names, proxy),
        **{name.upper(): proxy for name in names},
    }


async def test_no_proxy_hears_anything(
    home: Home,
    site: Site,
    stranger: Tap,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the machine says of proxies and passwords is not for this integration."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with tapped(port_of(site)) as wire:
        near = Site(site.gateway, f"http://{HERE}:{wire.port}")
        entry = await home.create(near.form(key=KEY, user="wang"))
        await home.pass_time(HOURLY)
        assert works(entry)
        await home.hass.config_entries.async_unload(entry.entry_id)
    assert b"Authorization: Bearer " in wire.heard
    assert b"Basic " not in wire.heard
    assert_unknown(stranger)


async def run_ask(url: str, environment: dict[str, str]) -> tuple[int | None, str]:
    """Run `scripts/ask` as a person does; returns its status and all it printed."""
    process = await asyncio.create_subprocess_exec(
        ROOT / "scripts" / "ask",
        url,
        "--json",
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


def as_asked(site: Site) -> dict[str, str]:
    """Return the credentials as `scripts/ask` takes them."""
    form = site.form(key=KEY, user="wang")
    return {
        "NEW_API_KEY": form["api_key"],
        "NEW_API_USER_ID": form["user_id"],
        "NEW_API_ACCESS_TOKEN": form["access_token"],
        "PATH": os.environ["PATH"],
    }


@pytest.mark.usefixtures("socket_enabled")
async def test_ask_uses_no_proxy(stranger: Tap, environment: dict[str, str]) -> None:
    """So it is for the command that asks without Home Assistant."""
    gateway = household()
    async with gateway.serve() as url, tapped(url.port) as wire:
        site = Site(gateway, f"http://{HERE}:{wire.port}")
        status, said = await run_ask(site.url, environment | as_asked(site))
    assert status == 0, said
    assert b"Authorization: Bearer " in wire.heard
    assert b"Basic " not in wire.heard
    assert_unknown(stranger)


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("path", ["/api/status", "/api/user/self", "/v1/*"])
async def test_ask_is_not_redirected(stranger: Tap, path: str) -> None:
    """And so it is where the site sends it elsewhere."""
    gateway = household()
    async with gateway.serve() as url:
        site = Site(gateway, str(url.origin()))
        gateway.faults.add(path, gone(302, f"http://{HERE}:{stranger.port}{url.path}"))
        _, said = await run_ask(site.url, as_asked(site))
    assert gateway.requests
    assert str(stranger.port) in said
    assert_unknown(stranger)
