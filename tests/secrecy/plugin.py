"""Fails every test after which a secret is found anywhere.

A real Home Assistant (tests/real) is searched by the tests there.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
import logging
from pathlib import Path
import sys
from typing import Any, Final

from aiohttp import web
import pytest

from custom_components.new_api.gateway.client import Client
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResult
from homeassistant.helpers.http import current_request
import tests

from .errors import Errors
from .held import held_by
from .log import Log
from .places import Found, Watched, of_flow, stored
from .register import Register, watch
from .search import Search, Secret

type Result = FlowResult[Any, Any]

MARKER: Final = "leaks"
"""Marks a test of this plugin that fails where nothing is found."""

_SEARCHED_ELSEWHERE: Final = Path(tests.__file__).with_name("real")


class Plugin:
    """Watches one test after the other."""

    def __init__(self) -> None:
        """Note secrets from now on, which is before any test is imported."""
        self._register = Register()
        self._patch = pytest.MonkeyPatch()
        self._log = Log()
        self._errors = Errors()
        self._clients: list[Client] = []
        self._printed: list[str] = []
        self._replies: list[Found] = []
        self._late: list[str] = []
        self._flows: list[tuple[Result, list[tuple[str, Any]]]] = []
        self._typed: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
        self._watched: Watched | None = None
        self._storage: dict[str, Any] = {}
        watch(self._register, self._patch)
        self._errors.watch()
        self._watch_flows()
        self._watch_clients()
        self._watch_replies()
        self._watch_what_tests_read()

    def pytest_unconfigure(self) -> None:
        """Leave everything as it was."""
        self._errors.unwatch()
        self._patch.undo()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Forget the test before."""
        self._register.begin_test()
        self._forget_what_was_said()
        self._clients.clear()
        self._flows.clear()
        self._typed.clear()
        self._watched = None
        self._storage = {}
        try:
            with _logging(self._log):
                return (yield)
        finally:
            self._watched = None
            self._register.end_test()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, Any, Any]:
        """Watch Home Assistant from its start."""
        value = yield
        if fixturedef.argname == "hass_storage":
            self._storage = value
        elif isinstance(value, HomeAssistant):
            self._watched = Watched(value)
        return value

    # Last, and so within what keeps output from the terminal.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Look at what Home Assistant shows while it still runs, if all went well."""
        result = yield
        if self._is_searched(item):
            found = [found for each in self._flows for found in of_flow(*each)]
            if self._watched is not None:
                hass = self._watched.hass
                found += hass.loop.run_until_complete(self._watched.shown())
                found += self._watched.told()
            found += held_by(self._holders())
            found += self._said_by(item)
            leaks = self._leaks_in(found)
            if item.get_closest_marker(MARKER) is None:
                _fail_for(leaks)
            elif not leaks:
                pytest.fail("The secret that got out was not found", pytrace=False)
        return result

    # Last, and so within what keeps output from the terminal.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Look at what is left when everything has stopped."""
        self._forget_what_was_said()
        result = yield
        if self._is_searched(item):
            found = [*self._said_by(item), *stored(self._storage)]
            if self._watched is not None:
                found += self._watched.told()
                found += self._watched.files()
            if item.get_closest_marker(MARKER) is None:
                _fail_for(self._leaks_in(found))
        return result

    def pytest_warning_recorded(self, warning_message: Any, nodeid: str) -> None:
        """Look at a warning, of which we hear when its test is over."""
        found = [(f"a warning in {nodeid}", str(warning_message.message))]
        self._late += self._leaks_in(found)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(
        self, session: pytest.Session
    ) -> Generator[None, Any, Any]:
        """Fail the run for what was found too late to fail a test."""
        if self._late and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if hasattr(session.config, "workeroutput"):
            # Only the process that started this one says how the run ended.
            session.config.workeroutput["secrecy"] = self._late
        return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what was found in another process."""
        self._late += getattr(node, "workeroutput", {}).get("secrecy", [])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say why."""
        for leak in self._late:
            terminalreporter.write_line(leak, red=True)

    def _holders(self) -> Iterator[tuple[str, Any]]:
        if self._watched is not None:
            yield from self._watched.held()
        for client in self._clients:
            yield "a client", client

    def _forget_what_was_said(self) -> None:
        for said in (self._log, self._errors, self._printed, self._replies):
            said.clear()

    def _said_by(self, item: pytest.Item) -> Iterator[Found]:
        """Go through what was logged, raised, printed and replied."""
        yield from self._log
        yield from self._errors
        yield from self._replies
        for text in (*self._printed, *_read_again(item.config)):
            yield "the output", text

    def _is_searched(self, item: pytest.Item) -> bool:
        return not item.path.is_relative_to(_SEARCHED_ELSEWHERE)

    def _leaks_in(self, found: Iterable[Found]) -> list[str]:
        return leaks_in(found, _search_for(frozenset(self._register)))

    def _watch_flows(self) -> None:
        """Keep what every step of a flow shows."""
        handle: Callable[..., Awaitable[Result]] = FlowManager._async_handle_step

        async def keeping(
            manager: FlowManager[Any, Any, Any], flow: Any, step: str, typed: Any
        ) -> Result:
            result = await handle(manager, flow, step, typed)
            in_flow = self._typed[flow.flow_id]
            in_flow += typed.items() if isinstance(typed, dict) else ()
            self._flows.append((result, [*in_flow]))
            return result

        self._patch.setattr(FlowManager, "_async_handle_step", keeping)

    def _watch_clients(self) -> None:
        """Keep every client of a test, for what it may have kept."""

        def make(kind: type[Client], *_args: Any, **_kwargs: Any) -> Client:
            client = object.__new__(kind)
            self._clients.append(client)
            return client

        self._patch.setattr(Client, "__new__", make)

    def _watch_replies(self) -> None:
        """Keep what Home Assistant itself answers, by HTTP and by WebSocket."""
        make_reply = web.Response.__init__
        make_connection = ActiveConnection.__init__

        def reply(response: web.Response, *args: Any, **kwargs: Any) -> None:
            make_reply(response, *args, **kwargs)
            request = current_request.get()
            # Those of flows are searched as such.
            if request is not None and "/flow" not in request.path:
                self._replies.append(
                    (f"a reply on {request.path}", response.text or "")
                )

        def connection(
            connected: ActiveConnection,
            logger: Any,
            hass: Any,
            send: Any,
            *rest: Any,
            **more: Any,
        ) -> None:
            def keeping(message: Any) -> None:
                text = message.decode() if isinstance(message, bytes) else str(message)
                self._replies.append(("a WebSocket message", text))
                send(message)

            make_connection(connected, logger, hass, keeping, *rest, **more)

        self._patch.setattr(web.Response, "__init__", reply)
        self._patch.setattr(ActiveConnection, "__init__", connection)

    def _watch_what_tests_read(self) -> None:
        """Keep what was printed, where a test reads it itself."""
        read = pytest.CaptureFixture.readouterr

        def keeping(capture: pytest.CaptureFixture[Any]) -> Any:
            captured = read(capture)
            self._printed += map(str, captured)
            return captured

        self._patch.setattr(pytest.CaptureFixture, "readouterr", keeping)


@contextmanager
def _logging(log: Log) -> Iterator[None]:
    """Log everything, but not more of it to the terminal than before."""
    root = logging.getLogger()
    level = root.level
    streams = {each: each.level for each in root.handlers if _is_stream(each)}
    for each in streams:
        each.setLevel(max(each.level, level))
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(log)
        for each, its_level in streams.items():
            each.setLevel(its_level)


def _read_again(config: pytest.Config) -> tuple[str, str]:
    """Return what was printed, and leave it for the report of the test."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None or not capture.is_globally_capturing():
        return "", ""
    printed, complained = capture.read_global_capture()
    sys.stdout.write(printed)
    sys.stderr.write(complained)
    return printed, complained


def _is_stream(handler: logging.Handler) -> bool:
    # Those of pytest are made from this one.
    return type(handler) is logging.StreamHandler


@lru_cache(maxsize=8)
def _search_for(secrets: frozenset[Secret]) -> Search:
    """Prepare only once for what many tests in a row use."""
    return Search(secrets)


def _fail_for(leaks: list[str]) -> None:
    if leaks:
        pytest.fail("\n".join(leaks), pytrace=False)


def leaks_in(found: Iterable[Found], search: Search) -> list[str]:
    """Say where which secrets are, without them; each place once."""
    leaks = {
        f"A secret got out into {where}: {hit}": None
        for where, text in found
        if (hit := search.find(text)) is not None
    }
    return [*leaks]


def pytest_configure(config: pytest.Config) -> None:
    """Begin."""
    config.addinivalue_line("markers", f"{MARKER}: a secret gets out on purpose")
    config.pluginmanager.register(Plugin(), "secrecy")
