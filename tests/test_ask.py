"""`scripts/ask` prints what the client knows, exactly as agreed, and no secret."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import partial
import json
import os
from pathlib import Path
import re
from typing import Any, Final

from aiohttp import TCPConnector
import pytest

from custom_components.new_api.gateway.client import Client
from scripts import ask_gateway
from tests.gateway import expectations as expected
from tests.gateway.cells import Cells
from tests.gateway.dated import replaying_then
from tests.gateway.scripted import NO_ENDPOINT, Reply, scripted
from tests.gateway.secrecy import KEY, TOKEN
from tests.recordings import Recording, load
from tests.recordings.replay import Replay, replaying

pytestmark = pytest.mark.usefixtures("socket_enabled")

# As long as each recording is asked all that it can answer.
ALL_CELLS: Final = 825

recordings = pytest.mark.parametrize(("server", "site"), expected.RECORDED)

# What the issue tracker's form for bugs expects.
KEY_FIELDS: Final = {
    "status",
    "scope",
    "unlimited",
    "remaining_quota",
    "used_quota",
    "remaining",
    "used",
    "expires_at",
    "models",
    "error",
}
ACCOUNT_FIELDS: Final = {
    "status",
    "id",
    "username",
    "group",
    "remaining_quota",
    "used_quota",
    "remaining",
    "used",
    "request_count",
    "keys",
    "error",
}


@pytest.fixture(scope="module")
def cells() -> Cells:
    """Count over all tests of this file."""
    return Cells()


@dataclass(frozen=True, slots=True)
class Printed:
    """What a run printed, and how it ended."""

    status: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Parse the only line that was printed."""
        (line,) = self.out.splitlines()
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer


type Run = Callable[..., Awaitable[Printed]]
type StandAt = Callable[[Recording], None]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a way to run the program as a person does."""

    async def run(
        *arguments: str,
        key: str | None = None,
        access_token: str | None = None,
        user_id: str | None = None,
    ) -> Printed:
        environment = {
            ask_gateway.KEY: key,
            ask_gateway.ACCESS_TOKEN: access_token,
            ask_gateway.USER_ID: user_id,
        }
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                if value is None:
                    patch.delenv(name, raising=False)
                else:
                    patch.setenv(name, value)
            # It has an event loop of its own.
            status = await asyncio.to_thread(ask_gateway.main, arguments)
        captured = capsys.readouterr()
        printed = Printed(status, captured.out, captured.err)
        for secret in (key, access_token):
            assert_hidden(secret, printed)
        return printed

    return run


def assert_hidden(secret: str | None, printed: Printed) -> None:
    """Check that a secret, with or without what surrounds it, was not printed."""
    bare = re.sub(r"^(?:bearer\s+)?(?:sk-)?", "", secret or "", flags=re.IGNORECASE)
    if len(bare) > 8:
        assert bare not in printed.out + printed.err


@pytest.fixture
def at_recording(monkeypatch: pytest.MonkeyPatch) -> StandAt:
    """Give a way to let the clock stand at a recording."""

    def stand(recording: Recording) -> None:
        monkeypatch.setattr(
            ask_gateway,
            "Client",
            partial(Client, clock=lambda: float(recording.recorded_at)),
        )

    return stand


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks a replayed site with the program."""

    recording: Recording
    replay: Replay
    run: Run

    @property
    def url(self) -> str:
        """The address, as it is printed."""
        return str(self.replay.url).rstrip("/")

    async def answer(self, **credentials: str | None) -> dict[str, Any]:
        """Return the answer to the credentials; the program says nothing else."""
        printed = await self.run(f"{self.url}/v1", "--json", **credentials)
        assert printed.status == 0
        assert printed.err == ""
        answer = printed.json()
        assert list(answer) == ["site", "key", "account"]
        assert answer["site"] == self.site()
        return answer

    def site(self) -> dict[str, Any]:
        """Return what is to be said of the site."""
        site = expected.site(self.recording)
        return {
            "url": self.url,
            "family": site.family,
            "version": site.version,
            "name": site.name,
            "quota_per_unit": site.quota_per_unit and int(site.quota_per_unit),
            "unit": {"kind": site.kind, "code": site.code, "symbol": site.symbol},
        }

    def assert_key(
        self, said: Any, right: expected.Key, models: list[str] | None
    ) -> None:
        """Check all that is said of a key."""
        assert set(said) == KEY_FIELDS
        error, rest = _without_error(said)
        assert (error is None) == (right.status == "active" and not right.is_incomplete)
        self._take_amounts(rest)
        figures = asdict(right)
        del figures["is_incomplete"]
        assert rest == {**figures, "models": models}

    def assert_account(
        self, said: Any, right: expected.Account | str, keys: list[Any] | None
    ) -> None:
        """Check all that is said of an account; `keys` is None where none are known."""
        assert set(said) == ACCOUNT_FIELDS
        error, rest = _without_error(said)
        self._take_amounts(rest)
        if isinstance(right, str):
            status = {"owner_disabled": "disabled", "user_id_mismatch": "mismatch"}
            assert error is not None
            assert rest.pop("status") == status.get(right, "refused")
            assert set(rest.values()) == {None}
            return
        # Where no list was recorded, the replay has none to give.
        assert (error is None) == (keys is not None)
        said = asdict(right)
        del said["referral_reward"]
        assert rest == {**said, "status": "active", "keys": keys}

    def _take_amounts(self, said: dict[str, Any]) -> None:
        """Check the amounts, and take them out."""
        for name in ("remaining", "used"):
            amount = said.pop(name)
            right = expected.shown(self.recording, said[f"{name}_quota"])
            assert amount is None or re.fullmatch(r"-?\d+(\.\d\d+)?", amount)
            assert right == (None if amount is None else Decimal(amount))


def _without_error(said: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Return the error, which is a sentence or none, and the rest."""
    rest = dict(said)
    error = rest.pop("error")
    assert error is None or re.fullmatch(r"[A-Z].*\.", error)
    return error, rest


@asynccontextmanager
async def asking(
    run: Run, at_recording: StandAt, server: str, site: str
) -> AsyncIterator[Asker]:
    """Replay a recording, and look in the end at what it was asked."""
    recording = load(server, site)
    at_recording(recording)
    async with replaying_then(recording) as replay:
        yield Asker(recording, replay, run)
    assert {method for method, _, _ in replay.requests} == {"GET"}
    assert not any(
        path.startswith(expected.FORBIDDEN) for _, path, _ in replay.requests
    )
    # Of some accounts no list was recorded.
    assert all(each.startswith("GET /api/token/?p") for each in replay.unrecorded)


@recordings
async def test_key_alone(
    run: Run,
    at_recording: StandAt,
    subtests: pytest.Subtests,
    cells: Cells,
    server: str,
    site: str,
) -> None:
    """Every key alone, and every mistake with one."""
    async with asking(run, at_recording, server, site) as asker:
        recording = asker.recording
        for name in expected.keys_asked(recording):
            with cells.cell(subtests, f"key {name}"):
                answer = await asker.answer(key=expected.secret(recording, name))
                assert answer["account"] is None
                asker.assert_key(
                    answer["key"],
                    expected.key_alone(recording, name),
                    expected.models_of_key(recording, name),
                )
        for mistake, pasted in expected.key_mistakes(recording).items():
            with cells.cell(subtests, mistake):
                answer = await asker.answer(key=pasted)
                right = expected.key_mistaken(recording, mistake)
                models = expected.models_of_key(recording, "main")
                asker.assert_key(
                    answer["key"], right, models if right.status == "active" else None
                )
        assert asker.replay.unrecorded == []


@recordings
async def test_account_alone(
    run: Run,
    at_recording: StandAt,
    subtests: pytest.Subtests,
    cells: Cells,
    server: str,
    site: str,
) -> None:
    """Every account alone, and every mistake with one."""
    async with asking(run, at_recording, server, site) as asker:
        recording = asker.recording
        for name in expected.accounts_asked(recording):
            token, user_id = expected.account_sent(recording, name)
            right = expected.account(recording, name)
            user = name if name in recording.truth.users else "alice"
            keys = None
            if user in expected.lists_asked(recording):
                keys = [asdict(key) for key in expected.keys_of(recording, user)]
            with cells.cell(subtests, f"account {name}"):
                answer = await asker.answer(access_token=token, user_id=user_id)
                assert answer["key"] is None
                asker.assert_account(answer["account"], right, keys)


@recordings
async def test_key_with_account(
    run: Run,
    at_recording: StandAt,
    subtests: pytest.Subtests,
    cells: Cells,
    server: str,
    site: str,
) -> None:
    """Every key together with its account."""
    async with asking(run, at_recording, server, site) as asker:
        recording = asker.recording
        for name in expected.keys_asked(recording):
            owner = expected.owner_of(recording, name)
            if owner not in expected.lists_asked(recording):
                continue
            token, user_id = expected.account_sent(recording, owner)
            with cells.cell(subtests, f"key {name} of {owner}"):
                answer = await asker.answer(
                    key=expected.secret(recording, name),
                    access_token=token,
                    user_id=user_id,
                )
                asker.assert_key(
                    answer["key"],
                    expected.key_with_account(recording, name),
                    expected.models_of_key(recording, name),
                )
                asker.assert_account(
                    answer["account"],
                    expected.account(recording, owner),
                    [asdict(key) for key in expected.keys_of(recording, owner)],
                )
        assert asker.replay.unrecorded == []


@pytest.mark.parametrize("server", sorted({server for server, _ in expected.RECORDED}))
async def test_one_of_two_refused(
    run: Run,
    at_recording: StandAt,
    subtests: pytest.Subtests,
    cells: Cells,
    server: str,
) -> None:
    """Where one of two credentials is refused, the other is answered all the same."""
    async with asking(run, at_recording, server, "usd") as asker:
        recording = asker.recording
        token, user_id = expected.account_sent(recording, "alice")
        wrong, _ = expected.account_sent(recording, "wrong token")
        with cells.cell(subtests, "a good key and a wrong token"):
            answer = await asker.answer(
                key=expected.secret(recording, "main"),
                access_token=wrong,
                user_id=user_id,
            )
            asker.assert_key(
                answer["key"],
                expected.key_alone(recording, "main"),
                expected.models_of_key(recording, "main"),
            )
            asker.assert_account(answer["account"], "invalid", None)
        with cells.cell(subtests, "a wrong key and a good token"):
            answer = await asker.answer(
                key=expected.key_mistakes(recording)["unknown key"],
                access_token=token,
                user_id=user_id,
            )
            asker.assert_key(answer["key"], expected.Key("invalid"), None)
            asker.assert_account(
                answer["account"],
                expected.account(recording, "alice"),
                [asdict(key) for key in expected.keys_of(recording, "alice")],
            )


def test_cells_right_of_all(request: pytest.FixtureRequest, cells: Cells) -> None:
    """Every cell that the recordings hold was asked, and is right."""
    cells.report("scripts/ask", ALL_CELLS, request)


# ------------------------------------------------------------------------------------
# The form of the answer.


async def test_answer_as_agreed(run: Run, at_recording: StandAt) -> None:
    """The whole answer to a key and its account, as it stands in the issue."""
    async with asking(run, at_recording, "new_api_rc21", "cny") as asker:
        answer = await asker.answer(
            key=expected.secret(asker.recording, "main"),
            access_token=asker.recording.truth.users["alice"]["access_token"],
            user_id="2",
        )
    keys = answer["account"].pop("keys")
    assert answer == {
        "site": {
            "url": asker.url,
            "family": "new_api",
            "version": "v1.0.0-rc.21",
            "name": "Test Gateway",
            "quota_per_unit": 500000,
            "unit": {"kind": "currency", "code": "CNY", "symbol": "¥"},
        },
        "key": {
            "status": "active",
            "scope": "key",
            "unlimited": False,
            "remaining_quota": 45005000,
            "used_quota": 101150000,
            "remaining": "648.072",
            "used": "1456.56",
            "expires_at": None,
            "models": [
                "claude-3-5-sonnet-20241022",
                "deepseek-chat",
                "gpt-4o",
                "gpt-4o-mini",
            ],
            "error": None,
        },
        "account": {
            "status": "active",
            "id": 2,
            "username": "alice",
            "group": "default",
            "remaining_quota": 45005000,
            "used_quota": 101150000,
            "remaining": "648.072",
            "used": "1456.56",
            "request_count": 1234,
            "error": None,
        },
    }
    assert len(keys) == 11
    assert keys[-2:] == [
        {
            "id": 2,
            "name": "unlimited",
            "status": "active",
            "unlimited": True,
            "remaining_quota": None,
            "used_quota": 7500000,
            "expires_at": None,
        },
        {
            "id": 1,
            "name": "main",
            "status": "active",
            "unlimited": False,
            "remaining_quota": 45005000,
            "used_quota": 101150000,
            "expires_at": None,
        },
    ]


async def test_amounts_as_text(run: Run, at_recording: StandAt) -> None:
    """Amounts are written as on the card: 90.01 left, 202.30 used."""
    async with asking(run, at_recording, "new_api_main", "usd") as asker:
        answer = await asker.answer(key=expected.secret(asker.recording, "main"))
    assert (answer["key"]["remaining"], answer["key"]["used"]) == ("90.01", "202.30")


async def test_no_credentials(run: Run, at_recording: StandAt) -> None:
    """A site can be asked what it is by anybody."""
    async with asking(run, at_recording, "one_hub", "usd") as asker:
        answer = await asker.answer()
        assert answer["key"] is answer["account"] is None
        printed = await run(asker.url)
    assert ask_gateway.KEY in printed.out
    assert ask_gateway.ACCESS_TOKEN in printed.out


def site_of(**more: Any) -> Reply:
    """Return what a site says of itself."""
    data = {
        "system_name": "Mine",
        "quota_per_unit": 500_000,
        "enable_data_export": True,
    }
    return Reply.json({"success": True, "data": data | more})


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        (500_000, "500000"),
        (0.5, "0.5"),
        (0, "null"),
        ("x", "null"),
        (1e15, "1000000000000000"),
    ],
)
async def test_divisor_as_a_number(run: Run, said: Any, printed: str) -> None:
    """The divisor is a number as people write it, or null where it is unusable."""
    async with scripted({"/api/status": site_of(quota_per_unit=said)}) as gateway:
        answer = await run(str(gateway.url), "--json")
    assert f'"quota_per_unit": {printed},' in answer.out


# ------------------------------------------------------------------------------------
# What a person reads.


async def test_summary(run: Run, at_recording: StandAt) -> None:
    """Without --json the same figures are said in words."""
    async with asking(run, at_recording, "new_api_main", "usd") as asker:
        printed = await run(
            asker.url,
            key=expected.secret(asker.recording, "unlimited"),
            access_token=asker.recording.truth.users["alice"]["access_token"],
            user_id="2",
        )
    assert (printed.status, printed.err) == (0, "")
    assert printed.out.splitlines() == [
        f"Test Gateway at {asker.url}",
        "  family: new_api, version: v1.0.0-rc.24",
        "  shows USD, 500000 raw quota per unit",
        "API key: active",
        "  remaining: unlimited",
        "  used: 15.00 USD",
        "  figures of: key",
        "  models: 4",
        "Account alice: active",
        "  remaining: 90.01 USD",
        "  used: 202.30 USD",
        "  requests: 1234",
        "  keys: 11",
    ]


async def test_summary_of_what_is_refused(run: Run, at_recording: StandAt) -> None:
    """A refusal is a sentence, and says what can be done."""
    async with asking(run, at_recording, "new_api_rc21", "usd") as asker:
        printed = await run(
            asker.url,
            key=expected.secret(asker.recording, "exhausted"),
            access_token=asker.recording.truth.users["alice"]["access_token"],
        )
    assert printed.status == 0
    assert "API key: exhausted\n  The key has nothing left.\n" in printed.out
    assert "  remaining: 0.00 USD\n  used: 5.00 USD\n" in printed.out
    assert (
        f"Account: refused\n  The site needs the user ID: set {ask_gateway.USER_ID}."
        in (printed.out)
    )
    assert "models" not in printed.out


@pytest.mark.parametrize(
    ("said", "shows"),
    [
        ({"quota_display_type": "TOKENS"}, "shows quota, 500000 raw quota per unit"),
        ({"quota_display_type": "CUSTOM"}, "shows ¤, 500000 raw quota per unit"),
        ({"quota_display_type": "CNY"}, "shows CNY, 500000 raw quota per unit"),
        ({"quota_display_type": "EUR"}, "shows quota, 500000 raw quota per unit"),
        ({"quota_per_unit": 0}, "shows USD, no usable raw quota per unit"),
    ],
)
async def test_summary_of_a_unit(run: Run, said: dict[str, Any], shows: str) -> None:
    """The unit is named as far as it has a name."""
    async with scripted({"/api/status": site_of(**said)}) as gateway:
        printed = await run(str(gateway.url))
    assert f"\n  {shows}\n" in printed.out


async def test_summary_of_a_site_without_a_name(run: Run) -> None:
    """A site need not have a name or a version."""
    async with scripted({"/api/status": site_of(system_name="")}) as gateway:
        printed = await run(str(gateway.url))
    assert printed.out.startswith(f"Unnamed site at {gateway.url}\n")
    assert "version: unknown" in printed.out


@pytest.mark.parametrize("name", ["\x1b]0;mine\x07", "\ud800", "a\rb"])
async def test_summary_of_a_name_that_is_no_text(run: Run, name: str) -> None:
    """A site's texts do not steer the terminal, nor stop the program."""
    async with scripted({"/api/status": site_of(system_name=name)}) as gateway:
        printed = await run(str(gateway.url))
    printed.out.encode()
    assert printed.out.replace("\n", "").isprintable()


# ------------------------------------------------------------------------------------
# When the gateway cannot be asked.


async def assert_fails(
    run: Run, *arguments: str, says: str, **credentials: str
) -> None:
    """Check that the program says why on stderr, and with --json on stdout as well."""
    printed = await run(*arguments, **credentials)
    assert (printed.status, printed.out) == (1, "")
    assert re.fullmatch(rf"{says}\.\n", printed.err)
    printed = await run(*arguments, "--json", **credentials)
    assert printed.status == 1
    assert re.fullmatch(rf"{says}\.\n", printed.err)
    assert printed.json() == {"error": printed.err.strip()}


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "The address is empty"),
        ("ftp://example.org", "The address is not a web address"),
        (
            "https://alice:hunter2@example.org",
            "The address carries a name or a password",
        ),
        ("http://[", "The address is not a URL"),
    ],
)
async def test_wrong_address(run: Run, address: str, says: str) -> None:
    """An address that is none is not asked."""
    await assert_fails(run, address, says=says)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply.html(), "A web page or file answers, not a gateway"),
        (NO_ENDPOINT, "The site does not say what it is"),
        (Reply(502), "The site answers with status 502"),
        (Reply(429, headers={"Retry-After": "77"}), "Rate limited for 77 seconds"),
        (Reply(body=b"{"), "The site does not say what it is"),
        (
            Reply.redirect("https://example.org/api/status"),
            "The site sends its callers to https://example.org",
        ),
    ],
)
async def test_no_gateway(run: Run, reply: Reply, says: str) -> None:
    """What answers there is no gateway, or none that can be asked now."""
    async with scripted({"/api/status": reply}) as gateway:
        await assert_fails(run, str(gateway.url), says=says, key=KEY)


async def test_nobody_there(run: Run) -> None:
    """Nobody answers there."""
    async with scripted({}) as gateway:
        address = str(gateway.url)
    await assert_fails(run, address, says=r"The site cannot be reached \(\w+\)")


async def test_unencrypted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes to a public host in plain text unless a person says so."""
    looked_up = []

    async def look_up(_: TCPConnector, host: str, *__: object, **___: object) -> None:
        looked_up.append(host)
        raise OSError

    monkeypatch.setattr(TCPConnector, "_resolve_host", look_up)
    await assert_fails(
        run,
        "http://gateway.example",
        key=KEY,
        says="The credentials would be sent unencrypted, .* or add --unencrypted",
    )
    assert looked_up == []
    printed = await run("http://gateway.example", "--unencrypted", key=KEY)
    assert printed.status == 1
    assert printed.err.startswith("The site cannot be reached")
    # What is no secret may be asked by anybody.
    await run("http://gateway.example")
    assert looked_up == ["gateway.example"] * 2


@pytest.mark.parametrize("field", ["key", "access_token", "user_id"])
async def test_no_credential(run: Run, field: str) -> None:
    """What cannot be a credential is not sent, and not repeated."""
    await assert_fails(
        run,
        "http://127.0.0.1",
        says=f"The {field} contains characters that no credential has",
        **{field: f"{KEY}\n{TOKEN}"},
    )


GOOD: Final[dict[str, Reply]] = {
    "/api/status": site_of(),
    "/v1/models": Reply.json({"data": [{"id": "a"}]}),
    "/v1/dashboard/billing/subscription": Reply.json(
        {"hard_limit_usd": 10, "access_until": 1795680838}
    ),
    "/v1/dashboard/billing/usage": Reply.json({"total_usage": 100}),
    "/api/user/self": Reply.json(
        {
            "success": True,
            "data": {
                "id": 2,
                "username": "alice",
                "group": "default",
                "quota": 45_005_000,
                "used_quota": 101_150_000,
                "request_count": 1234,
            },
        }
    ),
    "/api/token/": Reply.json({"success": True, "data": []}),
}


async def ask_with(run: Run, **replies: Reply) -> Printed:
    """Ask a site that answers well, but for some of its replies."""
    async with scripted(GOOD | replies) as gateway:
        return await run(
            str(gateway.url), "--json", key=KEY, access_token=TOKEN, user_id="2"
        )


@pytest.mark.parametrize("reply", [Reply(500), Reply.html(403)])
async def test_lists_that_fail(run: Run, reply: Reply) -> None:
    """The figures are said without the lists, and what became of those."""
    answer = (await ask_with(run, **{"/v1/models": reply, "/api/token/": reply})).json()
    key, account = answer["key"], answer["account"]
    assert (key["status"], key["remaining"], key["models"]) == ("active", "9.00", None)
    assert key["error"].startswith("The models cannot be listed: ")
    assert (account["status"], account["remaining"]) == ("active", "90.01")
    assert account["keys"] is None
    assert account["error"].startswith("The keys cannot be listed: ")


@pytest.mark.parametrize("failing", ["/v1/dashboard/billing/usage", "/api/user/self"])
async def test_figures_that_fail(run: Run, failing: str) -> None:
    """Without the figures there is no answer, and no status is made up for them."""
    printed = await ask_with(run, **{failing: Reply(500)})
    assert printed.status == 1
    assert printed.json() == {"error": "The site answers with status 500."}


async def test_half_of_the_figures(run: Run) -> None:
    """What billing leaves open is unknown, and the answer says why."""
    replies = {
        "/v1/dashboard/billing/subscription": Reply.json(
            {"hard_limit_usd": 10, "access_until": 0}
        ),
        "/api/usage/token/": Reply(429, headers={"Retry-After": "77"}),
    }
    key = (await ask_with(run, **replies)).json()["key"]
    assert (key["scope"], key["unlimited"], key["remaining"]) == (
        "unknown",
        None,
        "9.00",
    )
    assert key["error"].endswith(": Rate limited for 77 seconds.")


@pytest.mark.parametrize(
    "message", ["IP 127.0.0.1 is not allowed to access", "该令牌已过期"]
)
async def test_account_behind_a_wall(run: Run, message: str) -> None:
    """Whatever a site says that refuses the account, it is told in our words."""
    wall = Reply.json({"success": False, "message": message}, 403)
    answer = (await ask_with(run, **{"/api/user/self": wall})).json()
    assert answer["account"]["status"] == "refused"
    assert answer["account"]["error"]


# ------------------------------------------------------------------------------------
# Where the credentials come from.


@pytest.mark.parametrize(
    "arguments",
    [
        ["--key", KEY],
        [f"--api-key={KEY}"],
        ["--access-token", TOKEN],
        [KEY],
    ],
)
def test_no_credentials_in_arguments(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """Arguments are seen by everybody on the machine: none is taken, nor repeated."""
    with pytest.raises(SystemExit) as raised:
        ask_gateway.main(["http://127.0.0.1", *arguments])
    assert raised.value.code == 2
    captured = capsys.readouterr()
    for secret in (KEY, TOKEN):
        assert secret not in captured.out + captured.err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The help names where the credentials come from."""
    with pytest.raises(SystemExit) as raised:
        ask_gateway.main(["--help"])
    assert raised.value.code == 0
    text = capsys.readouterr().out
    for name in ("NEW_API_KEY", "NEW_API_USER_ID", "NEW_API_ACCESS_TOKEN", "--json"):
        assert name in text


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Let a person type at each prompt; what was typed is never shown."""
    answers: dict[str, str] = {}
    prompts: list[str] = []

    def getpass(prompt: str) -> str:
        prompts.append(prompt)
        return answers.pop(prompt, "")

    monkeypatch.setattr(ask_gateway, "getpass", getpass)
    yield answers
    assert not answers, "not asked for"


@pytest.mark.parametrize(
    ("answers", "credentials"),
    [
        ({}, (None, None, None)),
        ({"API key: ": KEY}, (KEY, None, None)),
        (
            {"System access token: ": TOKEN, "User ID: ": "2"},
            (None, TOKEN, "2"),
        ),
        (
            {"API key: ": f" {KEY} ", "System access token: ": TOKEN},
            (KEY, TOKEN, None),
        ),
    ],
)
def test_typed_credentials(
    typed: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    answers: dict[str, str],
    credentials: tuple[str | None, ...],
) -> None:
    """On a terminal, credentials that are not in the environment are asked for."""
    typed |= answers
    found = ask_gateway.credentials_from({}, terminal=True)
    assert (found.key, found.access_token, found.user_id) == credentials
    assert KEY not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "terminal"),
    [({ask_gateway.KEY: KEY}, True), ({ask_gateway.KEY: KEY}, False), ({}, False)],
)
def test_nothing_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], terminal: bool
) -> None:
    """What is in the environment is enough, and a pipe is nobody to ask."""
    monkeypatch.delattr(ask_gateway, "getpass")
    found = ask_gateway.credentials_from(environment, terminal=terminal)
    assert found.key == environment.get(ask_gateway.KEY)


async def test_without_home_assistant(tmp_path: Path) -> None:
    """It runs as a program, from anywhere, without loading Home Assistant."""
    program = Path(ask_gateway.__file__).with_name("ask")
    recording = load("one_api", "usd")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPROFILEIMPORTTIME": "1",
        ask_gateway.KEY: expected.secret(recording, "main"),
    }
    async with replaying(recording) as replay:
        process = await asyncio.create_subprocess_exec(
            program,
            str(replay.url),
            "--json",
            cwd=tmp_path,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
    assert process.returncode == 0
    answer = json.loads(out)
    assert answer["site"]["family"] == "one_api"
    assert (answer["key"]["status"], answer["key"]["used"]) == ("active", "202.30")
    imported = {line.rpartition("|")[2].strip() for line in err.decode().splitlines()}
    assert "custom_components.new_api.gateway.client" in imported
    assert not {name for name in imported if name.startswith("homeassistant")}
