"""The client tells the truth about every recorded key, account and mistake."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from aiohttp import ClientSession
import pytest

from custom_components.new_api.gateway.address import parse_address
from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.errors import RefusedError
from custom_components.new_api.gateway.models import Site
from tests.gateway import expectations as expected
from tests.gateway.cells import Cells
from tests.gateway.dated import replaying_then
from tests.gateway.known import known, listed
from tests.recordings import SITES, Recording, load
from tests.recordings.replay import Replay

# All that the recordings can answer.
ALL_CELLS = 1298

recordings = pytest.mark.parametrize(("server", "site"), expected.RECORDED)
# Only `usd` was asked the long list of questions.
servers = pytest.mark.parametrize("server", SITES)


@pytest.fixture(scope="module")
def cells() -> Cells:
    """Count over all tests of this file."""
    return Cells()


@dataclass(frozen=True, slots=True)
class Asker:
    """Makes clients of a replayed site, whose clock stands at its recording."""

    session: ClientSession
    recording: Recording
    replay: Replay

    def client(self, **credentials: str | None) -> Client:
        """Return a client as somebody gets it who pastes these credentials."""
        return Client(
            self.session,
            parse_address(str(self.replay.url)),
            Credentials.from_text(**credentials),
            clock=lambda: self.recording.recorded_at,
        )

    def client_of(self, user: str, key: str | None = None) -> Client:
        """Return a client of an account, or of what was sent by mistake for one."""
        token, user_id = expected.account_sent(self.recording, user)
        secret = None if key is None else expected.secret(self.recording, key)
        return self.client(key=secret, access_token=token, user_id=user_id)

    def assert_shown(self, site: Site, *figures: int | None) -> None:
        """Check that amounts are those of the site's console, to the last digit."""
        for raw in figures:
            assert site.unit.amount(raw) == expected.shown(self.recording, raw)


@asynccontextmanager
async def asking(
    session: ClientSession, server: str, site: str
) -> AsyncIterator[Asker]:
    """Replay a recording, and look in the end at what it was asked."""
    recording = load(server, site)
    async with replaying_then(recording) as replay:
        yield Asker(session, recording, replay)
    assert replay.unrecorded == []
    assert {method for method, _, _ in replay.requests} == {"GET"}
    for _, path, headers in replay.requests:
        assert not path.startswith(expected.FORBIDDEN)
        assert headers.isdisjoint({"Cookie", "X-Api-Key", "X-Goog-Api-Key"})


@recordings
async def test_site(
    session: ClientSession,
    subtests: pytest.Subtests,
    cells: Cells,
    server: str,
    site: str,
) -> None:
    """The site is recognised, and its unit is the one of its console."""
    async with asking(session, server, site) as asker:
        with cells.cell(subtests, "site"):
            said = await asker.client().site()
            assert expected.site(asker.recording) == expected.Site(
                family=said.family.value,
                version=said.version or "",
                name=said.name or "",
                quota_per_unit=said.quota_per_unit,
                kind=said.unit.kind.value,
                code=said.unit.code,
                symbol=said.unit.symbol,
            )


async def assert_models(client: Client, models: list[str] | None) -> None:
    """Check the models of a key; None where the site refuses to show them."""
    if models is None:
        with pytest.raises(RefusedError):
            await client.key_models()
    else:
        assert list(await client.key_models()) == models


@recordings
async def test_key_alone(
    session: ClientSession,
    subtests: pytest.Subtests,
    cells: Cells,
    server: str,
    site: str,
) -> None:
    """Of a key alone the client says what the server lets it know, and no more."""
    async with asking(session, server, site) as asker:
        said = await asker.client().site()
        for name in expected.keys_asked(asker.recording):
            client = asker.client(key=expected.secret(asker.recording, name))
            asker.replay.requests.clear()
            with cells.cell(subtests, f"key {name}"):
                state = await client.key(said)
                assert known(state) == expected.key_alone(asker.recording, name)
                asker.assert_shown(said, state.remaining_quota, state.used_quota)
                assert state.name in (name, None)
                asked = [path for _, path, _ in asker.replay.requests]
                assert len(asked) == len(set(asked)) <= 3
            with cells.cell(subtests, f"models of key {name}"):
                await assert_models(
                    client, expected.models_of_key(asker.recording, name)
                )


@servers
async def test_key_mistaken(
    session: ClientSession, subtests: pytest.Subtests, cells: Cells, server: str
) -> None:
    """What was pasted instead of a key is put right where it can be, or refused."""
    async with asking(session, server, "usd") as asker:
        said = await asker.client().site()
        models = expected.models_of_key(asker.recording, "main")
        for mistake, pasted in expected.key_mistakes(asker.recording).items():
            client = asker.client(key=pasted)
            right = expected.key_mistaken(asker.recording, mistake)
            with cells.cell(subtests, mistake):
                state = await client.key(said)
                assert known(state) == right
                asker.assert_shown(said, state.remaining_quota, state.used_quota)
            with cells.cell(subtests, f"models of {mistake}"):
                await assert_models(
                    client, models if right.status == "active" else None
                )


@recordings
async def test_account(
    session: ClientSession,
    subtests: pytest.Subtests,
    cells: Cells,
    server: str,
    site: str,
) -> None:
    """An account's balance is the truth, and a refusal says what is wrong."""
    async with asking(session, server, site) as asker:
        said = await asker.client().site()
        for name in expected.accounts_asked(asker.recording):
            client = asker.client_of(name)
            right = expected.account(asker.recording, name)
            with cells.cell(subtests, f"account {name}"):
                if isinstance(right, str):
                    with pytest.raises(RefusedError) as raised:
                        await client.account()
                    assert raised.value.reason.value == right
                else:
                    account = await client.account()
                    assert asdict(account) == asdict(right)
                    asker.assert_shown(said, right.remaining_quota, right.used_quota)


@servers
async def test_models_of_account(
    session: ClientSession, subtests: pytest.Subtests, cells: Cells, server: str
) -> None:
    """The models of an account are those that its site showed."""
    async with asking(session, server, "usd") as asker:
        said = await asker.client().site()
        for user in expected.lists_asked(asker.recording):
            models = expected.models_of_account(asker.recording, user)
            if models is None:
                continue
            client = asker.client_of(user)
            with cells.cell(subtests, f"models of {user}"):
                account = await client.account()
                assert list(await client.account_models(said, account.group)) == models


@recordings
async def test_keys_of_account(
    session: ClientSession,
    subtests: pytest.Subtests,
    cells: Cells,
    server: str,
    site: str,
) -> None:
    """The list has all keys, newest first, with their true figures."""
    async with asking(session, server, site) as asker:
        said = await asker.client().site()
        for user in expected.lists_asked(asker.recording):
            with cells.cell(subtests, f"keys of {user}"):
                keys = await asker.client_of(user).keys(said)
                right = expected.keys_of(asker.recording, user)
                assert [listed(key) for key in keys] == right
                assert len(keys) == {"alice": 11, "dora": 2, "erin": 105}[user]
                assert not any(key.configured for key in keys)
                for key in keys:
                    asker.assert_shown(said, key.remaining_quota, key.used_quota)


@recordings
async def test_key_with_account(
    session: ClientSession,
    subtests: pytest.Subtests,
    cells: Cells,
    server: str,
    site: str,
) -> None:
    """With its account, a key is recognised in the list and has its own figures."""
    async with asking(session, server, site) as asker:
        said = await asker.client().site()
        for name in expected.keys_asked(asker.recording):
            owner = expected.owner_of(asker.recording, name)
            if owner not in expected.lists_asked(asker.recording):
                continue
            client = asker.client_of(owner, name)
            with cells.cell(subtests, f"key {name} of {owner}"):
                keys = await client.keys(said)
                (configured,) = (key for key in keys if key.configured)
                assert configured.name == name
                asker.replay.requests.clear()
                state = await client.key(said, configured)
                assert known(state) == expected.key_with_account(asker.recording, name)
                asker.assert_shown(said, state.remaining_quota, state.used_quota)
                assert state.name == name
                # The list has the figures, and the critical calls are not needed.
                assert [path for _, path, _ in asker.replay.requests] == [
                    "/v1/dashboard/billing/subscription"
                ]


@servers
async def test_key_of_another_account(
    session: ClientSession, subtests: pytest.Subtests, cells: Cells, server: str
) -> None:
    """A key that is not in the account's list is none of the account's."""
    async with asking(session, server, "usd") as asker:
        with cells.cell(subtests, "bob's key and alice's account"):
            client = asker.client_of("alice", "negative_owner")
            keys = await client.keys(await client.site())
            assert len(keys) == 11
            assert not any(key.configured for key in keys)


def test_cells_right_of_all(request: pytest.FixtureRequest, cells: Cells) -> None:
    """Every cell that the recordings hold was asked for, and is right."""
    cells.report("gateway client", ALL_CELLS, request)
