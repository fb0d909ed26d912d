"""What a no to a question about an account means."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from aiohttp import ClientSession
import pytest

from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.errors import (
    BlockedError,
    CannotConnectError,
    EndpointMissingError,
    GatewayError,
    NotAGatewayError,
    RateLimitedError,
    Refusal,
    RefusedError,
    ServerTroubleError,
    UnexpectedReplyError,
)
from custom_components.new_api.gateway.models import Family, Site
from custom_components.new_api.gateway.offers import CheckInDialect
from custom_components.new_api.gateway.usage import LogKind
from tests.gateway.scripted import NO_ENDPOINT, Handler, Reply, scripted
from tests.gateway.secrecy import SAID, assert_tells_nothing
from tests.gateway.test_client import (
    ACCOUNT,
    NOW,
    SELF,
    SITES,
    STATUS,
    client_of,
    no,
    refusal,
    yes,
)

type Question = Callable[[Client, Site], Awaitable[object]]

START: Final = NOW - NOW % 3_600

QUESTIONS: Final[Mapping[str, Question]] = {
    "/api/log/self/stat": lambda client, site: client.spent(site, START, NOW),
    "/api/log/self": lambda client, site: client.logged(
        site, LogKind.REFUND, START, NOW
    ),
    "/api/data/self": lambda client, site: client.usage_by_hour(site, START, NOW),
    "/api/data/flow/self": lambda client, site: client.usage_by_key(site, START, NOW),
    "/api/user/dashboard": lambda client, site: client.usage_by_day(site),
    "/api/subscription/self": lambda client, site: client.plans(site),
    "/api/user/topup/self": lambda client, site: client.pending_top_ups(site),
    "/api/user/self/groups": lambda client, site: client.groups(site),
    "/api/user/checkin": lambda client, site: client.check_in(
        replace(site, check_in=CheckInDialect.NEW_API), "2026-11"
    ),
    "/api/user/check_in_status": lambda client, site: client.check_in(
        replace(site, check_in=CheckInDialect.VELOERA), "2026-11"
    ),
}
# A site that says to have one of these has it (5.1).
OFFERED: Final = frozenset({"/api/user/checkin", "/api/user/check_in_status"})
# Servers without these take the name for the id of a user (1.3).
SHADOWED: Final = frozenset(
    {"/api/user/dashboard", "/api/user/checkin", "/api/user/check_in_status"}
)

questions = pytest.mark.parametrize("path", QUESTIONS)


async def answers(
    session: ClientSession, path: str, replies: Mapping[str, Handler], times: int = 1
) -> tuple[GatewayError, list[str]]:
    """Return the error that a question ends with, and the paths asked for."""
    async with scripted({STATUS: SITES[Family.NEW_API], **replies}, now=NOW) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
        gateway.asked.clear()
        for _ in range(times):
            with pytest.raises(GatewayError) as raised:
                await QUESTIONS[path](client, site)
        assert_tells_nothing(raised.value)
        return raised.value, [asked.path.partition("?")[0] for asked in gateway.asked]


@questions
async def test_there_is_no_such_endpoint(session: ClientSession, path: str) -> None:
    """What is not there is asked for once."""
    error, asked = await answers(session, path, {path: NO_ENDPOINT}, times=3)
    assert isinstance(error, EndpointMissingError)
    assert asked == [path]


@questions
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (no(SAID, 401, code="AUTH_UNAUTHORIZED"), Refusal.INVALID),
        (no(SAID, 401, code="AUTH_USER_DISABLED"), Refusal.OWNER_DISABLED),
        (no("New-Api-User header not provided", 401), Refusal.USER_ID_MISSING),
        (no("New-Api-User does not match", 401), Refusal.USER_ID_MISMATCH),
        (no("User has been banned"), Refusal.OWNER_DISABLED),
        (refusal(SAID, 403), Refusal.UNEXPLAINED),
    ],
)
async def test_the_credentials_are_wrong(
    session: ClientSession, path: str, said: Reply, reason: Refusal
) -> None:
    """A refusal of the credentials is one, and not taken for a missing endpoint."""
    error, asked = await answers(session, path, {path: said}, times=2)
    assert isinstance(error, RefusedError)
    assert error.reason is reason
    assert asked == [path, path]


@questions
async def test_the_token_may_be_wrong(session: ClientSession, path: str) -> None:
    """Where a no in a 200 may be about the token, the account itself tells."""
    error, asked = await answers(session, path, {path: no(SAID), SELF: no(SAID)})
    assert isinstance(error, RefusedError)
    assert error.reason is Refusal.INVALID
    assert asked == [path, SELF]


@questions
@pytest.mark.parametrize(
    "said",
    [
        no("Unauthorized, insufficient privileges"),
        no("strconv.Atoi: parsing: invalid syntax"),
        no(SAID),
    ],
)
async def test_the_token_is_right(
    session: ClientSession, path: str, said: Reply
) -> None:
    """Where the account is shown, a no in a 200 is about the question.

    Where the path can be taken for a user's, it is not there; elsewhere, and where the
    site says that it is there, something failed, and may work the next time.
    """
    replies = {path: said, SELF: yes(ACCOUNT)}
    error, asked = await answers(session, path, replies, times=2)
    if path in SHADOWED - OFFERED:
        assert isinstance(error, EndpointMissingError)
        assert asked == [path, SELF]
    else:
        assert isinstance(error, ServerTroubleError)
        assert asked == [path, SELF, path, SELF]


@questions
async def test_the_account_may_not_ask(session: ClientSession, path: str) -> None:
    """What an account may not ask is not there for it."""
    replies = {
        path: no(SAID, 403, code="AUTH_INSUFFICIENT_PRIVILEGE"),
        SELF: yes(ACCOUNT),
    }
    error, asked = await answers(session, path, replies, times=2)
    assert isinstance(error, EndpointMissingError)
    assert asked == [path, SELF]


@questions
async def test_the_account_cannot_be_asked(session: ClientSession, path: str) -> None:
    """As long as nobody can tell, it is neither the token nor the endpoint."""
    replies = {path: no(SAID), SELF: Reply(502, b"", None)}
    error, asked = await answers(session, path, replies, times=2)
    assert isinstance(error, ServerTroubleError)
    assert asked == [path, SELF, path, SELF]


@questions
async def test_the_site_took_the_token(session: ClientSession, path: str) -> None:
    """Newer servers say in a header that it is not the token (1.1)."""
    said = replace(no(SAID), headers={"Auth-Version": "864b7076"})
    error, asked = await answers(session, path, {path: said}, times=2)
    if path in SHADOWED - OFFERED:
        assert isinstance(error, EndpointMissingError)
        assert asked == [path]
    else:
        assert isinstance(error, ServerTroubleError)
        assert asked == [path, path]


@questions
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Reply.html(), NotAGatewayError),
        (Reply.html(403), BlockedError),
        (Reply(429, b"", None), RateLimitedError),
        (Reply(500, b"", None), ServerTroubleError),
        (no("database error", 401), ServerTroubleError),
        (Reply.json({"data": []}), UnexpectedReplyError),
        (Reply.json({"success": True}), UnexpectedReplyError),
        (yes("all is well"), UnexpectedReplyError),
        (yes(["all is well"]), UnexpectedReplyError),
    ],
)
async def test_no_answer(
    session: ClientSession, path: str, said: Reply, kind: type[GatewayError]
) -> None:
    """What is no answer is neither zero, nor a refusal, nor a missing endpoint."""
    error, asked = await answers(session, path, {path: said})
    assert type(error) is kind
    assert asked == [path]


async def test_missing_for_a_day(session: ClientSession) -> None:
    """A day later, or after an update, it is looked for again."""
    now = float(NOW)
    path = "/api/data/self"
    async with scripted({STATUS: SITES[Family.NEW_API]}, now=NOW) as gateway:
        client = client_of(session, gateway, clock=lambda: now)
        site = await client.site()
        with pytest.raises(EndpointMissingError):
            await QUESTIONS[path](client, site)
        gateway.replies[path] = yes([])
        with pytest.raises(EndpointMissingError):
            await QUESTIONS[path](client, site)
        assert await QUESTIONS[path](client, replace(site, version="v9.9.9")) == ()
        now += 24 * 3_600
        assert await QUESTIONS[path](client, site) == ()


@pytest.mark.parametrize("said", [no(SAID), no(SAID, 401), refusal(SAID, 403)])
async def test_not_for_everybody(session: ClientSession, said: Reply) -> None:
    """Where no credential was sent, none can be wrong."""
    replies = {"/api/notice": said, "/api/uptime/status": said}
    async with scripted({STATUS: SITES[Family.NEW_API], **replies}) as gateway:
        client = client_of(session, gateway)
        site = replace(await client.site(), has_monitors=True)
        for question in (client.notice(), client.monitors(site)):
            with pytest.raises(ServerTroubleError) as raised:
                await question
            assert_tells_nothing(raised.value)


async def test_nobody_is_there(session: ClientSession) -> None:
    """A site that cannot be reached says nothing of the token."""
    async with scripted({STATUS: SITES[Family.NEW_API]}) as gateway:
        client = client_of(session, gateway)
        site = await client.site()
    with pytest.raises(CannotConnectError):
        await client.spent(site, START, NOW)
