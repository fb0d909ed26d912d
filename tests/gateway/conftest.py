"""What the tests of the gateway client share."""

from collections.abc import AsyncIterator
from pathlib import Path
import ssl

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
import pytest

from tests.network import HERE, client_context, make_certificate, server_context


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[ClientSession]:
    """Give a session as the client wants it: one that keeps no cookies."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield session


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of 127.0.0.1 that vouches for itself, with its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), HERE)


@pytest.fixture(scope="session")
def server_tls(certificate: Path) -> ssl.SSLContext:
    """Give what a server needs to speak https."""
    return server_context(certificate)


@pytest.fixture
async def trusting_session(
    socket_enabled: None, certificate: Path
) -> AsyncIterator[ClientSession]:
    """Give a session that trusts the servers of `server_tls`."""
    connector = TCPConnector(ssl=client_context(certificate))
    async with ClientSession(
        connector=connector, cookie_jar=DummyCookieJar()
    ) as session:
        yield session
