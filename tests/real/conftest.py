"""One real Home Assistant for all tests here, and a gateway of its own for each."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import pytest_socket

from .client import Client, Home, Login, eventually
from .gateway import Demo, demo_gateway
from .home_assistant import INTEGRATION, HomeAssistant
from .integration import add_account
from .log import Record

# Said of every custom integration, at each start.
_SAID_OF_EVERY_ONE = "We found a custom integration"


def pytest_configure(config: pytest.Config) -> None:
    """Say what the mark of this folder means."""
    config.addinivalue_line(
        "markers", "troubled: the integration has a reason to complain in the log"
    )


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Let every test here talk to loopback."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def home_assistant(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant for as long as there are tests that want it."""
    # Fixtures of the session are made before those of a test open the sockets.
    pytest_socket.enable_socket()
    directory = tmp_path_factory.mktemp("home_assistant")
    async with HomeAssistant(directory, debug=True) as home_assistant:
        yield home_assistant


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(home_assistant: HomeAssistant) -> AsyncIterator[Client]:
    """Give the browser of the person who onboarded."""
    async with Client(home_assistant.url) as client:
        await client.onboard(Login(), Home())
        await eventually(client.is_running, within=60)
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def demo(
    request: pytest.FixtureRequest, home_assistant: HomeAssistant
) -> AsyncIterator[Demo]:
    """Serve a gateway of the test's own, and see afterwards what was said of it."""
    begin = home_assistant.log.position()
    async with demo_gateway() as demo:
        secrets = {*demo.credentials.secrets()}
        yield demo
        secrets |= {*demo.credentials.secrets()}
    assert not [each for each in secrets if each in home_assistant.log.text(begin)]
    if "troubled" not in request.keywords:
        assert not _complaints(home_assistant, begin)


@pytest_asyncio.fixture(loop_scope="session")
async def entry_id(client: Client, demo: Demo) -> AsyncIterator[str]:
    """Add the demo account, and remove it afterwards."""
    yield await add_account(client, demo.credentials)
    for each in await client.entries(INTEGRATION):
        await client.remove(each["entry_id"])


def _complaints(home_assistant: HomeAssistant, since: int) -> list[str]:
    return [
        each.text
        for each in home_assistant.log.records(since)
        if each.is_trouble and _is_ours(each) and _SAID_OF_EVERY_ONE not in each.text
    ]


def _is_ours(record: Record) -> bool:
    # The lines of a traceback name folders, which may be called anything.
    message = record.text.partition("\n")[0]
    return INTEGRATION in message or f"custom_components/{INTEGRATION}" in record.text
