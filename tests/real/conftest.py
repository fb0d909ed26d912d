"""One real Home Assistant for all tests here, and a gateway of its own for each."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import pytest_socket

from .client import Client, Home, Login, eventually
from .gateway import Demo, demo_gateway
from .home_assistant import INTEGRATION, HomeAssistant
from .integration import add_account, complaints


def pytest_configure(config: pytest.Config) -> None:
    """Say what the mark of this folder means."""
    config.addinivalue_line(
        "markers", "troubled: the integration has a reason to complain in the log"
    )
    config.addinivalue_line(
        "markers", "with_plan: a plan of the account pays before the wallet"
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
    with_plan = "with_plan" in request.keywords
    async with demo_gateway(with_plan=with_plan) as demo:
        secrets = {*demo.credentials.secrets()}
        yield demo
        secrets |= {*demo.credentials.secrets()}
    assert not [each for each in secrets if each in home_assistant.log.text(begin)]
    if "troubled" not in request.keywords:
        assert not complaints(home_assistant.log, begin)


@pytest_asyncio.fixture(loop_scope="session")
async def entry_id(client: Client, demo: Demo) -> AsyncIterator[str]:
    """Add the demo account, and remove it afterwards."""
    yield await add_account(client, demo.credentials)
    for each in await client.entries(INTEGRATION):
        await client.remove(each["entry_id"])
