"""A street to let fail."""

from contextlib import AsyncExitStack
import logging
import ssl

import pytest

from custom_components.new_api.coordinator import base
from homeassistant.const import EVENT_LOGGING_CHANGED
from homeassistant.helpers import aiohttp_client
from homeassistant.helpers.entity import Entity
from homeassistant.util import ssl as ssl_util
from tests.home import Home

from .network import Authority, Names, Network
from .street import Street


@pytest.fixture
def names(mock_zeroconf_resolver: object, monkeypatch: pytest.MonkeyPatch) -> Names:
    """Find the names of sites on this machine."""
    names = Names()
    monkeypatch.setattr(aiohttp_client, "_async_make_resolver", lambda _hass: names)
    return names


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the authority that Home Assistant trusts."""
    return Authority(tmp_path_factory.mktemp("authority"), "An authority")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return an authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"), "A stranger")


@pytest.fixture
def network(
    names: Names,
    authority: Authority,
    stranger: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> Network:
    """Let Home Assistant find the sites, and trust their certificates."""
    client = ssl.create_default_context(cadata=authority.pem)
    monkeypatch.setattr(ssl_util, "client_context", lambda *_: client)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority.valid)
    return Network(names, server, authority, stranger)


@pytest.fixture
def street(
    network: Network,
    home: Home,
    serving: AsyncExitStack,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Street:
    """Return an empty street, in which all entities are enabled."""
    # The page says what is seen each time.
    monkeypatch.setattr(base, "uniform", lambda least, most: (least + most) / 2)
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    caplog.set_level(logging.INFO, logger="homeassistant.core")
    home.hass.bus.async_fire_internal(EVENT_LOGGING_CHANGED)
    return Street(home, network, serving, caplog)
