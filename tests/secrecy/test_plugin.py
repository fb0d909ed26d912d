"""What is planted is found, wherever and however; and nothing else is."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from functools import partial
import gzip
import json
import logging
from pathlib import Path
import sys
from types import MappingProxyType
from typing import Any, Final
from unittest.mock import Mock
from urllib.parse import quote, quote_plus

from aiohttp import DummyCookieJar, web
from aiohttp.test_utils import make_mocked_request
import pytest
from pytest_homeassistant_custom_component.common import MockUser  # type: ignore[import-untyped]
import voluptuous as vol
from yarl import URL

from custom_components.new_api import diagnostics
from custom_components.new_api.const import DOMAIN
from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.models import Account
from homeassistant.components import persistent_notification
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResult, FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.http import current_request
from homeassistant.helpers.storage import Store
from homeassistant.util import slugify
from tests import recordings
from tests.simulator import World

from .held import held_by
from .log import Log
from .places import Found, Watched, of_flow, stored
from .plugin import Plugin, leaks_in
from .register import Register, watch
from .search import Search, Secret

# Made up here, and so unknown to the plugin that watches these tests too.
KEY: Final = "Qm7wZr2LxT9vKc4NpY8sHb3FdJ6gRa5WeU1tXo0iMlVkBnSq"
TOKEN: Final = "t/Jw8+Zb2QvH5=kLr9/Xc3+NfYs7MgPd4"
E_MAIL: Final = "planted+person@example.org"
ADDRESS: Final = "https://hooks.example.org/planted/path"

SEARCH: Final = Search(
    [
        Secret("key", KEY),
        Secret("token", TOKEN),
        Secret("e-mail", E_MAIL, only_whole=True),
        Secret("address", ADDRESS, only_whole=True),
    ]
)

FORMS: Final[dict[str, Callable[[str], str]]] = {
    "whole": str,
    "prefixed": "sk-{}".format,
    "in a header": "{{'Authorization': 'Bearer sk-{}'}}".format,
    "URL-encoded": lambda text: quote(text, safe=""),
    "in a query": lambda text: f"?key={quote_plus(text)}&page=1",
    "URL-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "lower-cased": str.lower,
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 of a header": lambda text: b64encode(f"Bearer sk-{text}".encode()).decode(),
    "base64 of a user": lambda text: b64encode(f"u:{text}:x".encode()).decode(),
    "base64 for URLs": lambda text: urlsafe_b64encode(text.encode()).decode(),
    "JSON": lambda text: json.dumps({"data": {"setting": json.dumps({"a": text})}}),
}


# How it is written


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("secret", [KEY, TOKEN, E_MAIL, ADDRESS])
def test_every_form(secret: str, form: Callable[[str], str]) -> None:
    """A secret is found as whatever it goes out, and not told by who tells of it."""
    written = form(secret)
    for before in ("", "a", "ab", "abc", "…" * 1_000):
        hit = SEARCH.find(f"{before}{written} and more")
        assert hit is not None
        assert Search([Secret("planted", secret)]).find(str(hit)) is None


@pytest.mark.parametrize("form", [FORMS["whole"], FORMS["URL-encoded"]])
@pytest.mark.parametrize("secret", [KEY, TOKEN])
def test_every_part(secret: str, form: Callable[[str], str]) -> None:
    """Eight characters are enough, wherever they are in the secret and in the text."""
    written = form(secret)
    for start in range(len(written) - 7):
        for before in range(9):
            part = written[start : start + 8]
            assert SEARCH.find("." * before + part)
            assert SEARCH.find("." * before + part + ".")


def test_part_in_base64() -> None:
    """So they are where a part was encoded."""
    for start in range(len(KEY) - 12):
        part = b64encode(KEY[start : start + 12].encode()).decode()
        assert SEARCH.find(f"Basic {part}"), start


def test_first_characters_after_prefix() -> None:
    """The prefix counts: who shows the beginning of a key shows that too."""
    assert SEARCH.find(f"sk-{KEY[:5]}")


@pytest.mark.parametrize(
    "harmless",
    [
        f"{KEY[:4]}**********{KEY[-4:]}",
        f"sk-{KEY[:4]}**********{KEY[-4:]}",
        KEY[:7],
        KEY[10:17],
        "someone.else@example.org",
        "https://hooks.example.org/",
        KEY[::-1],
        "",
        "nothing at all " * 1_000,
    ],
)
def test_nothing_else(harmless: str) -> None:
    """Masked keys, domains and all other texts are no leaks."""
    assert SEARCH.find(harmless) is None


# Which secrets


@pytest.fixture
def register() -> Iterator[Register]:
    """Give a register that watches as the plugin's does."""
    register = Register()
    with pytest.MonkeyPatch.context() as patch:
        watch(register, patch)
        yield register


def known(register: Register) -> set[str]:
    """Return all that a register knows."""
    return {secret.value for secret in register}


def test_simulator(register: Register) -> None:
    """Whatever is made in a simulated gateway is noted, as is what replaces it."""
    world = World()
    user = world.add_user("wang", quota=1, email="wang@planted.example")
    key = world.add_key(user, "main")
    first = {key.secret, user.access_token, user.email}
    assert known(register) == first
    world.rotate_key("main")
    world.rotate_access_token("wang")
    user.setting = json.dumps({"gotify_token": "G.planted", "notify_type": "gotify"})
    user.setting = json.dumps({"webhook_secret": "W.planted", "webhook_url": ADDRESS})
    assert known(register) == first | {
        key.secret,
        user.access_token,
        "G.planted",
        "W.planted",
        ADDRESS,
    }


def test_recordings(register: Register) -> None:
    """Whatever was recorded is noted once, for all tests."""
    register.begin_test()
    truth = recordings._truth("new_api_main")
    register.begin_test()
    alice = truth.users["alice"]
    assert {alice["access_token"], truth.keys["main"]["key"]} <= known(register)


def test_typed_ones(register: Register) -> None:
    """Whatever a client is given is noted, until the test is over."""
    register.begin_test()
    Credentials(key=f"sk-{KEY}", access_token=TOKEN)
    assert known(register) == {KEY, TOKEN}
    register.end_test()
    register.begin_test()
    assert not known(register)


@pytest.mark.parametrize("pack", [lambda body: body, gzip.compress], ids=["", "gzip"])
def test_told_ones(register: Register, pack: Callable[[bytes], bytes]) -> None:
    """Whatever a server gives away is noted; what it masks is not."""
    reply = {
        "data": {
            "access_token": TOKEN,
            "email": E_MAIL,
            "name": "nothing secret",
            "setting": json.dumps({"webhook_secret": "W.planted", "kind": "webhook"}),
            "items": [{"key": KEY}, {"key": f"{KEY[:4]}**********{KEY[-4:]}"}],
            "logs": [{"ip": "203.0.113.7"}, {"ip": "127.0.0.1"}],
        }
    }
    web.Response(body=pack(json.dumps(reply).encode()))
    assert known(register) == {TOKEN, E_MAIL, "W.planted", KEY, "203.0.113.7"}
    whole = {each.value for each in register if each.only_whole}
    assert whole == {E_MAIL, "203.0.113.7"}


# Where it is


def assert_found(found: Iterator[Found] | list[Found] | Log, where: str) -> None:
    """Check that there is a leak, in this place, and that it is told without it."""
    leaks = leaks_in(found, SEARCH)
    assert any(where in leak for leak in leaks), leaks
    assert leaks_in([("message", "\n".join(leaks))], SEARCH) == []


class Carrier:
    """Something that shows a key."""

    def __repr__(self) -> str:
        """Show it."""
        return f"<Carrier {KEY}>"


def fail(text: str, *, cause: Exception | None = None) -> None:
    """Log an error as it is logged where it is handled."""
    try:
        raise ValueError(text) from cause  # noqa: TRY301 - this is what is logged
    except ValueError:
        logging.getLogger("custom_components.new_api").exception("Harmless")


LOGGED: Final[dict[str, tuple[str, Callable[[logging.Logger], None]]]] = {
    "message": ("message", lambda log: log.debug(f"with {KEY}")),  # noqa: G004
    "argument": ("message", lambda log: log.debug("with %s", TOKEN)),
    "named argument": ("message", lambda log: log.debug("%(it)s", {"it": TOKEN})),
    "object": ("arguments", lambda log: log.debug("with %.2s", Carrier())),
    "error as argument": (
        "exception",
        lambda log: log.debug("%.1s", ExceptionGroup("", [ValueError(KEY)])),
    ),
    "exception": ("exception", lambda log: fail(KEY)),
    "traceback": ("traceback", lambda log: fail(KEY)),
    "cause": ("exception", lambda log: fail("", cause=ValueError(TOKEN))),
}


@pytest.mark.parametrize(("what", "do"), LOGGED.values(), ids=LOGGED)
def test_log(what: str, do: Callable[[logging.Logger], None]) -> None:
    """Everything that a record carries is searched, from the lowest level."""
    log = Log()
    logger = logging.getLogger("custom_components.new_api")
    logger.addHandler(log)
    try:
        do(logger)
    finally:
        logger.removeHandler(log)
    assert_found(log, f"the log of custom_components.new_api ({_level(log)}), {what}")


def _level(log: Log) -> str:
    return "ERROR" if any("ERROR" in where for where, _ in log) else "DEBUG"


def test_faulty_record() -> None:
    """Arguments that do not fit the message are no way out."""
    log = Log()
    log.handle(
        logging.makeLogRecord({"name": "a", "msg": "no place", "args": ([KEY],)})
    )
    assert_found(log, "the log of a")


@pytest.mark.parametrize("name", ["aiohttp.access", "tests.simulator", "aiohttp.web"])
def test_log_of_servers(name: str) -> None:
    """What a site logs is told on another machine."""
    log = Log()
    log.handle(logging.makeLogRecord({"name": name, "msg": KEY}))
    assert not [*log]


def entry_with(hass: HomeAssistant, **more: Any) -> ConfigEntry:
    """Add an entry that is not set up; its data is the place for secrets."""
    about: dict[str, Any] = {"title": "", "options": {}, "unique_id": None} | more
    entry: ConfigEntry = ConfigEntry(
        data={"api_key": KEY, "url": "https://example.org"},
        discovery_keys=MappingProxyType({}),
        domain=DOMAIN,
        minor_version=1,
        source="user",
        subentries_data=(),
        version=1,
        **about,
    )
    hass.config_entries._entries[entry.entry_id] = entry
    return entry


def plant_entity(hass: HomeAssistant) -> None:
    """Put a key into the entity registry."""
    er.async_get(hass).async_get_or_create("sensor", DOMAIN, f"{KEY}_balance")


def plant_entity_id(hass: HomeAssistant) -> None:
    """Name an entity by a key."""
    hass.states.async_set(f"sensor.{slugify(f'sk-{KEY}')}", "1")


def plant_removed_entity(hass: HomeAssistant) -> None:
    """Put it there and take it away."""
    entities = er.async_get(hass)
    entity = entities.async_get_or_create("sensor", DOMAIN, f"{KEY}_balance")
    entities.async_remove(entity.entity_id)


def plant_device(hass: HomeAssistant) -> None:
    """Put a token into the device registry."""
    entry = entry_with(hass)
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(DOMAIN, TOKEN)}
    )


def plant_issue(hass: HomeAssistant) -> None:
    """Put a token into a repair."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        "issue",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="issue",
        translation_placeholders={"token": TOKEN},
    )


def plant_notification(hass: HomeAssistant) -> None:
    """Show a token for a moment."""
    persistent_notification.async_create(hass, f"It is {TOKEN}", notification_id="a")
    persistent_notification.async_dismiss(hass, "a")


SHOWN: Final[dict[str, tuple[str, Callable[[HomeAssistant], object]]]] = {
    "state": ("the states", lambda hass: hass.states.async_set("a.b", KEY)),
    "attribute": (
        "the states",
        lambda hass: hass.states.async_set("a.b", "1", {"a": [{"b": {TOKEN}}]}),
    ),
    "entity ID": ("the states", plant_entity_id),
    "entity": ("the entity registry", plant_entity),
    "removed entity": ("the entity registry", plant_removed_entity),
    "device": ("the device registry", plant_device),
    "issue": ("the issue registry", plant_issue),
    "notification": ("the persistent notifications", plant_notification),
    "title": ("the entry of new_api", lambda hass: entry_with(hass, title=KEY)),
    "unique ID": ("the entry of new_api", lambda hass: entry_with(hass, unique_id=KEY)),
    "options": (
        "the entry of new_api",
        lambda hass: entry_with(hass, options={"a": KEY}),
    ),
}


@pytest.mark.parametrize(("where", "plant"), SHOWN.values(), ids=SHOWN)
async def test_shown(
    hass: HomeAssistant, where: str, plant: Callable[[HomeAssistant], object]
) -> None:
    """Everything that Home Assistant shows is searched."""
    watched = Watched(hass)
    plant(hass)
    await hass.async_block_till_done()
    found = await watched.shown()
    hass.config_entries._entries.clear()
    assert_found(found, where)


async def test_nothing_shown(hass: HomeAssistant) -> None:
    """The data of an entry is where its credentials belong."""
    watched = Watched(hass)
    entry_with(hass, title="Account", unique_id="https://example.org|user:2")
    hass.states.async_set("a.b", "1")
    found = await watched.shown()
    hass.config_entries._entries.clear()
    assert not leaks_in([*found, *watched.told()], SEARCH)


async def test_diagnostics(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Diagnostics are searched, those of entries too that do not work."""

    async def talkative(_hass: HomeAssistant, entry: ConfigEntry) -> dict[str, Any]:
        return {"data": dict(entry.data)}

    monkeypatch.setattr(diagnostics, "async_get_config_entry_diagnostics", talkative)
    watched = Watched(hass)
    entry_with(hass)
    found = await watched.shown()
    hass.config_entries._entries.clear()
    assert_found(found, "the diagnostics of an entry")


async def test_events(hass: HomeAssistant) -> None:
    """Events are searched, and states that have passed with them."""
    watched = Watched(hass)
    hass.bus.async_fire("planted", {"keys": [{"key": KEY}]})
    hass.states.async_set("a.b", TOKEN)
    hass.states.async_set("a.b", "1")
    await hass.async_block_till_done()
    found = [*watched.told()]
    assert_found(found, "the event planted")
    assert_found(found, "the event state_changed")
    assert not [*watched.told()]


async def test_storage(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """What is stored is searched; what entries need is stored elsewhere."""
    store: Store[dict[str, Any]] = Store(hass, 1, "planted")
    store.async_delay_save(lambda: {"a": TOKEN}, 60)
    hass_storage["core.config_entries"] = {"data": {"api_key": KEY}}
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert_found(stored(hass_storage), "the storage planted")
    hass_storage.pop("planted")
    assert not leaks_in(stored(hass_storage), SEARCH)


async def test_files(hass: HomeAssistant, tmp_path: Path) -> None:
    """Files are searched that a test made or changed, except those with the entries."""
    hass.config.config_dir = str(tmp_path)
    (tmp_path / "old").write_text("harmless")
    (tmp_path / "from before").write_text(KEY)
    watched = Watched(hass)
    (tmp_path / ".storage").mkdir()
    (tmp_path / ".storage/core.config_entries").write_text(KEY)
    assert not leaks_in(watched.files(), SEARCH)
    (tmp_path / "old").write_bytes(b"\xff\x00" + TOKEN.encode())
    (tmp_path / ".storage/new_api").write_text(KEY)
    (tmp_path / KEY).write_text("harmless")
    found = [*watched.files()]
    assert_found(found, "the file old")
    assert_found(found, "the file .storage/new_api")
    assert_found(found, "the name of a file")


def test_flows() -> None:
    """What a form shows is searched; what a flow hands over is not shown."""
    shown: FlowResult[Any, Any] = FlowResult(
        type=FlowResultType.FORM,
        flow_id=KEY,
        handler=DOMAIN,
        description_placeholders={"error": f"what about {KEY}?"},
        data={"api_key": KEY},
    )
    assert_found(of_flow(shown), "description_placeholders of a flow")
    shown["description_placeholders"] = None
    assert not leaks_in(of_flow(shown), SEARCH)


@pytest.mark.parametrize(
    "field",
    [
        vol.Optional("api_key", description={"suggested_value": KEY}),
        vol.Optional("api_key", default=KEY),
    ],
    ids=["suggested", "default"],
)
def test_form(field: vol.Optional) -> None:
    """A credential is not shown again, but to who has just typed it there."""
    schema: Any = vol.Schema({field: str})
    shown: FlowResult[Any, Any] = FlowResult(
        flow_id="", handler=DOMAIN, data_schema=schema
    )
    assert_found(list(of_flow(shown)), "data_schema of a flow")
    assert_found(list(of_flow(shown, [("url", KEY)])), "data_schema of a flow")
    assert not leaks_in(of_flow(shown, [("api_key", KEY)]), SEARCH)


async def test_recorder(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    """What is recorded is searched."""
    watched = Watched(hass)
    hass.states.async_set("sensor.a", "1", {"token": TOKEN})
    await hass.async_block_till_done()
    found = await watched.shown()
    assert_found(found, "the recorder's table state_attributes")


# The plugin as a whole


def raise_here(error: Exception) -> None:
    """Raise an error in the integration's own code, and handle it there."""
    source = "try:\n    raise error\nexcept Exception:\n    pass"
    place = str(Path(diagnostics.__file__).with_name("planted.py"))
    exec(compile(source, place, "exec"), {"error": error})  # noqa: S102 - as if it stood there


def tell_in_log(_hass: HomeAssistant, secret: str) -> None:
    """Log it."""
    logging.getLogger("custom_components.new_api").debug("It is %s", secret)


def tell_in_state(hass: HomeAssistant, secret: str) -> None:
    """Show a part of it."""
    hass.states.async_set("a.b", secret[10:20])


def tell_in_event(hass: HomeAssistant, secret: str) -> None:
    """Fire it."""
    hass.bus.async_fire("planted", {"a": secret})


def tell_in_issue(hass: HomeAssistant, secret: str) -> None:
    """Show it in a repair for a moment."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        "issue",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="issue",
        translation_placeholders={"key": secret},
    )
    ir.async_delete_issue(hass, DOMAIN, "issue")


def tell_in_error(_hass: HomeAssistant, secret: str) -> None:
    """Raise an error with it that nobody sees."""
    raise_here(HomeAssistantError(f"not {secret}"))


def tell_in_cause(_hass: HomeAssistant, secret: str) -> None:
    """Raise an error that another one stands behind."""
    error = HomeAssistantError("no")
    error.__cause__ = ValueError(secret)
    raise_here(error)


def tell_in_output(_hass: HomeAssistant, secret: str) -> None:
    """Print it."""
    sys.stdout.write(secret)


def tell_in_complaint(_hass: HomeAssistant, secret: str) -> None:
    """Print it where errors are printed."""
    sys.stderr.write(secret)


def tell_in_reply(_hass: HomeAssistant, secret: str) -> None:
    """Answer a request to Home Assistant with it."""
    token = current_request.set(make_mocked_request("GET", "/api/planted"))
    web.Response(text=secret)
    current_request.reset(token)


def tell_in_websocket_message(hass: HomeAssistant, secret: str) -> None:
    """Send it to a browser."""
    hass.data["websocket_api"] = {}
    sent: list[Any] = []
    connection = ActiveConnection(
        Mock(), hass, sent.append, MockUser(), None, remote=None
    )
    connection.send_message({"type": "result", "result": secret})
    assert sent


def keep_in_memory(hass: HomeAssistant, secret: str) -> None:
    """Keep it, though nobody shows it."""
    hass.data["new_api_planted"] = {"accounts": [account_called(secret)]}


def keep_in_client(_hass: HomeAssistant, secret: str) -> None:
    """Let a client remember it."""
    session = Mock(cookie_jar=Mock(spec=DummyCookieJar))
    client = Client(session, URL("https://example.org"), Credentials())
    vars(client)["planted"] = secret


def account_called(name: str) -> Account:
    """Return an account with this name."""
    return Account.from_reply(
        {"id": 2, "username": name, "quota": 1, "used_quota": 0, "request_count": 0}
    )


@pytest.mark.leaks
@pytest.mark.parametrize(
    "tell",
    [
        tell_in_log,
        tell_in_state,
        tell_in_event,
        tell_in_issue,
        tell_in_error,
        tell_in_cause,
        tell_in_output,
        tell_in_complaint,
        tell_in_reply,
        tell_in_websocket_message,
        keep_in_memory,
        keep_in_client,
    ],
)
async def test_caught(
    hass: HomeAssistant, tell: Callable[[HomeAssistant, str], None]
) -> None:
    """A secret that gets out is found; this test would fail if it were not."""
    world = World()
    secret = world.add_key(world.add_user("wang", quota=1), "main").secret
    tell(hass, secret)
    await hass.async_block_till_done()


@pytest.mark.leaks
def test_caught_in_output_that_was_read(capsys: pytest.CaptureFixture[str]) -> None:
    """So it is where the test itself has read what was printed."""
    world = World()
    sys.stdout.write(world.add_key(world.add_user("wang", quota=1), "main").secret)
    capsys.readouterr()


# What is kept


def test_held() -> None:
    """Whatever can be reached is searched, and told where it is."""
    held = {"accounts": [(account_called(KEY),)], "later": partial(print, token=TOKEN)}
    found = [*held_by([("the memory", held)])]
    assert_found(found, "the memory['accounts'][…][…].username")
    assert_found(found, "repr of the memory['accounts'][…][…]")
    assert_found(found, "the memory['later'][")


def test_credentials_hide_themselves() -> None:
    """Credentials hold secrets, and show them to nobody."""
    held = {"credentials": Credentials(key=KEY, user_id="2", access_token=TOKEN)}
    found = [*held_by([("the memory", held)])]
    assert any(where.startswith("repr of") for where, _ in found)
    assert not leaks_in(found, SEARCH)


def test_warning() -> None:
    """A warning comes too late to fail its test, so it fails the run."""
    plugin = Plugin.__new__(Plugin)
    plugin._register, plugin._late = Register(), []
    plugin._register.note("key", KEY)
    warning = Mock(message=UserWarning(f"careful with {KEY}"))
    plugin.pytest_warning_recorded(warning, "tests/test_a.py::test_b")
    (leak,) = plugin._late
    assert "a warning in tests/test_a.py::test_b" in leak
    session = Mock(exitstatus=pytest.ExitCode.OK, config=Mock(workeroutput={}))
    next(plugin.pytest_sessionfinish(session))
    assert session.exitstatus == pytest.ExitCode.TESTS_FAILED
    # Where tests run in several processes, the first of them is to know.
    first = Plugin.__new__(Plugin)
    first._late = []
    first.pytest_testnodedown(session.config)
    assert first._late == [leak]
