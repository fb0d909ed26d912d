"""Fails every test after which a secret is found anywhere.

A real Home Assistant (tests/real) is searched by the tests there.
"""

from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
import logging
from pathlib import Path
from typing import Any, Final

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResult
import tests

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
        self._flows: list[tuple[Result, Any]] = []
        self._watched: Watched | None = None
        self._storage: dict[str, Any] = {}
        watch(self._register, self._patch)
        self._watch_flows()

    def pytest_unconfigure(self) -> None:
        """Leave everything as it was."""
        self._patch.undo()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Forget the test before."""
        self._register.begin_test()
        self._log.clear()
        self._flows.clear()
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
            leaks = self._leaks_in([*found, *self._log])
            if item.get_closest_marker(MARKER) is None:
                _fail_for(leaks)
            elif not leaks:
                pytest.fail("The secret that got out was not found", pytrace=False)
        return result

    # Last, and so within what keeps output from the terminal.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Look at what is left when everything has stopped."""
        self._log.clear()
        result = yield
        if self._is_searched(item):
            found = [*self._log, *stored(self._storage)]
            if self._watched is not None:
                found += self._watched.told()
                found += self._watched.files()
            if item.get_closest_marker(MARKER) is None:
                _fail_for(self._leaks_in(found))
        return result

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
            self._flows.append((result, typed if isinstance(typed, dict) else None))
            return result

        self._patch.setattr(FlowManager, "_async_handle_step", keeping)


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
