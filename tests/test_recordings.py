"""The recordings can be read and are replayed as they were recorded."""

from collections.abc import AsyncIterator
import gzip
from pathlib import Path

from aiohttp import ClientSession, DummyCookieJar
import pytest
from yarl import URL

from tests import recordings
from tests.recordings import SITES, Exchange, Recording, load
from tests.recordings.replay import UNRECORDED, Replay, replaying

pytestmark = pytest.mark.usefixtures("socket_enabled")

ALL = [(server, site) for server, sites in SITES.items() for site in sites]
EXTRA_HEADERS = ("Veloera-User", "X-Api-User", "voapi-user", "User-id", "neo-api-user")


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """Give a session that neither follows nor remembers anything."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield session


async def ask(
    session: ClientSession,
    replay: Replay,
    path: str,
    headers: dict[str, str] | None = None,
    method: str = "GET",
) -> tuple[int, dict[str, str], str]:
    """Send one request to a replay."""
    url = URL(f"{replay.url.origin()}{path}", encoded=True)
    async with session.request(
        method, url, headers=headers, allow_redirects=False
    ) as response:
        return response.status, dict(response.headers), await response.text()


def test_recordings_are_small_and_reproducible() -> None:
    """Keep the repository light, and a packed recording a function of its content."""
    folder = Path(recordings.__file__).parent
    packed = sorted(folder.glob("*/*.json.gz"))

    names = {(each.parent.name, each.name.removesuffix(".json.gz")) for each in packed}
    assert names == {*ALL, *((server, "truth") for server in SITES)}
    assert sum(each.stat().st_size for each in packed) < 1_000_000
    for each in packed:
        # Bytes 4 to 8 of a gzip file are the time it was packed.
        assert each.read_bytes()[4:8] == bytes(4)
        assert gzip.decompress(each.read_bytes())


@pytest.mark.parametrize(("server", "site"), ALL)
def test_recordings_are_whole(server: str, site: str) -> None:
    """Every recording says what it is and comes with the truth behind it."""
    recording = load(server, site)

    assert (recording.server, recording.site) == (server, site)
    assert recording.options["SystemName"] == "Test Gateway"
    assert recording.exchanges
    assert recording.truth.users["alice"]["quota"] == 45_005_000
    assert recording.truth.keys["main"]["used_quota"] == 101_150_000
    assert recording.truth.spending
    assert load(server, site) is recording


@pytest.mark.parametrize(("server", "site"), ALL)
async def test_replay_answers_as_recorded(
    session: ClientSession, server: str, site: str
) -> None:
    """Each recorded question gets a reply that was recorded for it."""
    recording = load(server, site)
    async with replaying(recording) as replay:
        for exchange in recording.exchanges:
            if exchange.name.startswith("after: "):
                replay.phase = "after"
            headers = exchange.request_headers
            status, sent, body = await ask(
                session, replay, exchange.path, headers, exchange.method
            )
            assert (status, body) in replies_to(recording, exchange), exchange.name
            assert "Server" not in sent

        assert not replay.unrecorded
        assert len(replay.requests) == len(recording.exchanges)


def replies_to(recording: Recording, exchange: Exchange) -> set[tuple[int, str]]:
    """Return every reply recorded for the question, in whatever state of the limits."""
    return {
        (each.status, each.body)
        for each in recording.exchanges
        if (each.method, each.path) == (exchange.method, exchange.path)
        and each.request_headers.get("Authorization", "").strip()
        == exchange.request_headers.get("Authorization", "").strip()
    }


async def test_replay_counts_where_the_site_is_limited(session: ClientSession) -> None:
    """A limited site answers each repetition as it was answered then."""
    recording = load("new_api_main", "limited")
    async with replaying(recording) as replay:
        for exchange in recording.exchanges:
            status, headers, body = await ask(
                session, replay, exchange.path, exchange.request_headers
            )
            assert (status, body) == (exchange.status, exchange.body)
            recorded = dict(exchange.headers)
            for name in ("Retry-After", "Content-Type"):
                assert headers.get(name) == recorded.get(name)


async def test_replay_prefers_a_reply_to_a_429(session: ClientSession) -> None:
    """Serve 429 only where nothing else was recorded."""
    recording = load("new_api_0_9", "usd")
    async with replaying(recording) as replay:
        statuses = [
            (await ask(session, replay, each.path, each.request_headers))[0]
            for each in recording.exchanges
            if each.path == "/api/usage/token/"
        ]

    assert statuses.count(200) >= 3
    assert 429 in statuses


async def test_replay_does_not_mind_what_else_a_client_sends(
    session: ClientSession,
) -> None:
    """Other headers and another order of the query are the same question."""
    recording = load("new_api_rc21", "usd")
    alice = recording.truth.users["alice"]
    headers = {
        "Authorization": f"Bearer {alice['access_token']}",
        "New-Api-User": "2",
        "Accept": "application/json",
        "Cache-Control": "no-store",
        **dict.fromkeys(EXTRA_HEADERS, "2"),
    }
    async with replaying(recording) as replay:
        status, _, body = await ask(
            session, replay, "/api/token/?size=100&p=0", headers
        )

        assert status == 200
        assert body == recording.find("account alice /api/token/?p=0&size=100").body
        method, path, names = replay.requests[0]
        assert (method, path) == ("GET", "/api/token/?size=100&p=0")
        assert names >= {"Authorization", "New-Api-User", *EXTRA_HEADERS}


@pytest.mark.parametrize(
    ("server", "user_id", "status"),
    [
        ("new_api_rc21", None, 401),
        ("new_api_rc21", "3", 401),
        ("new_api_rc21", "31337", UNRECORDED),
        ("new_api_0_9", "alice", 401),
        ("new_api_main", None, 200),
        ("new_api_main", "31337", 200),
        ("one_api", "31337", 200),
        ("one_hub", "31337", 200),
    ],
)
async def test_replay_minds_the_user_id_where_the_server_did(
    session: ClientSession, server: str, user_id: str | None, status: int
) -> None:
    """Only servers that need the user id are particular about it."""
    recording = load(server, "usd")
    token = recording.truth.users["alice"]["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    if user_id is not None:
        headers["New-Api-User"] = user_id
    async with replaying(recording) as replay:
        assert (await ask(session, replay, "/api/user/self", headers))[0] == status


async def test_replay_serves_before_and_after(session: ClientSession) -> None:
    """The two halves of a spending site are told apart by phase."""
    recording = load("new_api_main", "spending")
    headers = recording.find("before: account /api/user/self").request_headers
    async with replaying(recording) as replay:
        before = (await ask(session, replay, "/api/user/self", headers))[2]
        replay.phase = "after"
        after = (await ask(session, replay, "/api/user/self", headers))[2]

    assert before == recording.find("before: account /api/user/self").body
    assert after == recording.find("after: account /api/user/self").body
    assert before != after


async def test_replay_notes_what_was_never_recorded(session: ClientSession) -> None:
    """A question without a recorded reply stands out."""
    async with replaying(load("one_api", "usd")) as replay:
        for method, path in (("GET", "/api/brand-new?x=1"), ("POST", "/api/status")):
            status, _, _ = await ask(session, replay, path, method=method)
            assert status == UNRECORDED

        assert replay.unrecorded == ["GET /api/brand-new?x=1", "POST /api/status"]
