"""What all tests share."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
import logging
import time
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from hypothesis import settings
import pytest
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension  # type: ignore[import-untyped]
from syrupy.assertion import SnapshotAssertion

# Before the harness puts a `custom_components` of its own on the path.
from custom_components.new_api.gateway.budget import Budget
from custom_components.new_api.gateway.client import Client
from homeassistant.components.recorder import core
from homeassistant.core import HomeAssistant
from tests.home import Home, Site, household

pytest_plugins = ["tests.secrecy.plugin"]

# The same examples every time, in whatever time a busy machine needs.
settings.register_profile(
    "steady", deadline=None, derandomize=True, database=None, max_examples=50
)
settings.load_profile("steady")

NOW: Final = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
"""Just after the last recording was made."""

# What may stand in the log of any test: what does not work, once, and that this is a
# custom integration. Frozen time is slowness to the loop, and breaks aiohttp's own log.
_ALLOWED: Final = (
    "Error fetching ",
    "Error in logging",
    "Executing <",
    "We found a custom integration ",
    "What is remembered of ",
    "zlib_ng and isal are not available",
)
_OURS: Final = "custom_components.new_api"
_ALLOWED_PARTS: Final = (
    " integration cancelled",
    " is taking over 10 seconds",
    " not ready yet",
    " prevent delaying shutdown",
    " rejected by integration",
)


def pytest_configure(config: pytest.Config) -> None:
    """Do without a warning of Hypothesis about its own generator of random numbers."""
    config.addinivalue_line("filterwarnings", "ignore:It looks like `register_random`")


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Do without what the harness switches on here: it takes half of all time."""


@pytest.fixture
def clock(
    freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> FrozenDateTimeFactory:
    """Stop all clocks, those too that the gateway client was given on import."""
    freezer.move_to(NOW)
    client_defaults = {**(Client.__init__.__kwdefaults__ or {}), "clock": time.time}
    monkeypatch.setattr(Client.__init__, "__kwdefaults__", client_defaults)
    monkeypatch.setattr(Budget.__init__, "__defaults__", (time.monotonic,))
    return freezer


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Do without a line in the log for each statement and event: they take a third."""
    for name in ("sqlalchemy.engine", "homeassistant.core"):
        caplog.set_level(logging.WARNING, name)


@pytest.fixture
def recording(
    clock: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    quiet: None,
    recorder_mock: core.Recorder,
) -> None:
    """Have a Home Assistant that keeps statistics; to be asked for before the home."""


@pytest.fixture
async def serving(
    clock: FrozenDateTimeFactory, socket_enabled: None
) -> AsyncIterator[AsyncExitStack]:
    """Serve sites until after Home Assistant has stopped."""
    async with AsyncExitStack() as serving:
        yield serving


@pytest.fixture
def home(
    clock: FrozenDateTimeFactory,
    serving: AsyncExitStack,
    hass_storage: dict[str, Any],
    hass: HomeAssistant,
    enable_custom_integrations: None,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Home]:
    """Give a home; in the end, its log has no secrets and nothing to worry about."""
    home = Home(hass, clock, serving)
    yield home
    log = caplog.text
    assert not [secret for secret in home.secrets if secret in log]
    ours = [each for each in caplog.records if each.name.startswith(_OURS)]
    assert not [
        # What stands for something in a text has been put into it.
        each.getMessage()
        for each in ours
        if each.levelno >= logging.INFO and "{" in each.getMessage()
    ]
    assert not [
        record.getMessage()
        for record in caplog.get_records("call")
        if record.levelno >= logging.WARNING
        and not record.getMessage().startswith(_ALLOWED)
        and not any(part in record.getMessage() for part in _ALLOWED_PARTS)
    ]


@pytest.fixture
async def site(home: Home) -> Site:
    """Serve the gateway of a household."""
    return await home.serve(household())


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Keep snapshots as Home Assistant does."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)
