"""One GET: every way in which a site can answer, or not answer."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
import gzip
import logging
import socket
from ssl import SSLContext
from typing import Any, Final
from unittest.mock import Mock

from aiohttp import ClientSession, CookieJar, DummyCookieJar, TCPConnector, hdrs, web
from aiohttp.abc import AbstractResolver, ResolveResult
import pytest
from yarl import URL

from custom_components.new_api.gateway import transport as transport_module
from custom_components.new_api.gateway.budget import Budget
from custom_components.new_api.gateway.errors import (
    BlockedError,
    CannotConnectError,
    DeclinedError,
    EmptyReplyError,
    EndpointMissingError,
    GatewayError,
    MovedError,
    NotAGatewayError,
    RateLimitedError,
    Refusal,
    RefusedError,
    ServerTroubleError,
    TooLargeError,
    UnexpectedReplyError,
)
from custom_components.new_api.gateway.transport import (
    MAX_BODY,
    Reply as Answer,
    Transport,
)
from tests.gateway.scripted import NO_ENDPOINT, Handler, Reply, Scripted, scripted
from tests.gateway.secrecy import KEY, SAID, assert_tells_nothing

PATH: Final = "/api/status"
CREDENTIAL: Final[dict[str, str]] = {hdrs.AUTHORIZATION: f"Bearer {KEY}"}
SQUEEZED: Final[dict[str, str]] = {hdrs.CONTENT_ENCODING: "gzip"}


async def get(session: ClientSession, gateway: Scripted, **params: str) -> Answer:
    """Ask a scripted gateway for PATH with a key."""
    transport = Transport(session, gateway.url, Budget())
    return await transport.get(PATH, params=params or None, headers=CREDENTIAL)


async def failure[E: GatewayError](
    session: ClientSession, reply: Handler, kind: type[E]
) -> tuple[E, Scripted]:
    """Return the error that a reply leads to; it must be exactly of this kind."""
    async with scripted({PATH: reply}) as gateway:
        with pytest.raises(GatewayError) as raised:
            await get(session, gateway)
    assert type(raised.value) is kind
    assert_tells_nothing(raised.value)
    return raised.value, gateway


def openai(status: int, message: str = SAID, **more: Any) -> Reply:
    """Return a reply in the envelope of OpenAI (gateway_api.md 1.2)."""
    return Reply.json({"error": {"message": message, **more}}, status)


def dashboard(status: int, message: str = SAID, **more: Any) -> Reply:
    """Return a no in the envelope of the dashboard (gateway_api.md 1.2)."""
    return Reply.json({"success": False, "message": message, **more}, status)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        pytest.param(Reply.html(), NotAGatewayError, id="200 HTML"),
        pytest.param(Reply(), EmptyReplyError, id="200 empty"),
        pytest.param(Reply(body=b" \r\n"), EmptyReplyError, id="200 blank"),
        pytest.param(Reply(type=None), EmptyReplyError, id="200 empty, no type"),
        pytest.param(openai(200), ServerTroubleError, id="200 error"),
        pytest.param(dashboard(200), RefusedError, id="200 success false"),
        pytest.param(
            Reply.json({"success": True, "error": {"message": SAID}}),
            ServerTroubleError,
            id="200 success and error",
        ),
        pytest.param(
            # What was accepted is not refused in the same breath (1.1).
            Reply.json(
                {"success": False, "message": SAID}, headers={"Auth-Version": "864b"}
            ),
            DeclinedError,
            id="200 success false, authenticated",
        ),
        pytest.param(
            Reply.json({"success": "no"}), UnexpectedReplyError, id="200 success text"
        ),
        pytest.param(
            Reply.json({"success": None}), UnexpectedReplyError, id="200 success null"
        ),
        # Older servers say 401 where it is their database that failed (2.1).
        pytest.param(openai(401, "数据库错误"), ServerTroubleError, id="401 database"),
        pytest.param(openai(401, "令牌验证失败"), ServerTroubleError, id="401 One API"),
        pytest.param(
            dashboard(401, "Database error"), ServerTroubleError, id="401 database no"
        ),
        pytest.param(
            dashboard(200, "database is locked"), ServerTroubleError, id="200 database"
        ),
        pytest.param(openai(401), RefusedError, id="401 error"),
        pytest.param(dashboard(401), RefusedError, id="401 success false"),
        pytest.param(openai(403), RefusedError, id="403 error"),
        pytest.param(dashboard(403), RefusedError, id="403 success false"),
        pytest.param(Reply.html(401), BlockedError, id="401 HTML"),
        pytest.param(Reply.html(403), BlockedError, id="403 HTML"),
        # As Cloudflare refuses who is no browser.
        pytest.param(
            Reply(403, b"error code: 1020", "text/plain"), BlockedError, id="403 text"
        ),
        pytest.param(Reply(403, b"", None), ServerTroubleError, id="403 empty"),
        pytest.param(Reply.json({"detail": SAID}, 401), UnexpectedReplyError, id="401"),
        pytest.param(NO_ENDPOINT, EndpointMissingError, id="404 error"),
        pytest.param(Reply.html(404), NotAGatewayError, id="404 HTML"),
        pytest.param(Reply.json({"detail": SAID}, 404), UnexpectedReplyError, id="404"),
        pytest.param(dashboard(400), UnexpectedReplyError, id="400"),
        pytest.param(Reply.json({"a": SAID}, 201), UnexpectedReplyError, id="201"),
        pytest.param(Reply(204, b"", None), ServerTroubleError, id="204"),
        pytest.param(Reply(304, b"", None), ServerTroubleError, id="304"),
        pytest.param(Reply(500, b"", None), ServerTroubleError, id="500 empty"),
        pytest.param(
            openai(500, type="new_api_panic"), ServerTroubleError, id="500 panic"
        ),
        pytest.param(dashboard(500), ServerTroubleError, id="500 success false"),
        pytest.param(Reply.html(502), ServerTroubleError, id="502 HTML"),
        pytest.param(Reply.html(503), ServerTroubleError, id="503 HTML"),
    ],
)
async def test_error_matrix(
    session: ClientSession, reply: Reply, kind: type[GatewayError]
) -> None:
    """Each row of the error matrix is one error (gateway_api.md 7)."""
    _, gateway = await failure(session, reply, kind)
    assert gateway.paths == [PATH]


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"{}", {}),
        (b'\n{"success": true, "data": null}\n', {"success": True, "data": None}),
        (b'{"code": true, "data": {"a": 1}}', {"code": True, "data": {"a": 1}}),
        (b'{"error": null, "success": true}', {"error": None, "success": True}),
        (b'{"a": 0.1}', {"a": Decimal("0.1")}),
        (b'{"a": 145656.00000000003}', {"a": Decimal("145656.00000000003")}),
        (b'{"a": 1.44e-05}', {"a": Decimal("0.0000144")}),
        (b'{"a": -2E+3}', {"a": Decimal(-2000)}),
        (b'{"a": 9223372036854775807}', {"a": 2**63 - 1}),
        ('{"名": "余额"}'.encode(), {"名": "余额"}),
        (b"{}" + b" " * (MAX_BODY - 2), {}),
    ],
    ids=str,
)
async def test_reply_to_the_last_digit(
    session: ClientSession, body: bytes, data: dict[str, Any]
) -> None:
    """A yes is read as it stands there, numbers to their last digit."""
    async with scripted({PATH: Reply(body=body)}) as gateway:
        reply = await get(session, gateway)
    assert reply.data == data


async def test_reply_with_headers(session: ClientSession) -> None:
    """The headers come with the reply, and stay out of what is printed."""
    answer = Reply.json({"success": True}, headers={"X-New-Api-Version": "v9"})
    async with scripted({PATH: answer}) as gateway:
        reply = await get(session, gateway)
    assert reply.headers["x-new-api-version"] == "v9"
    assert "v9" not in repr(reply)


async def test_compressed_reply(session: ClientSession) -> None:
    """Gateways compress when they may (gateway_api.md 1.5)."""
    squeezed = Reply(
        body=gzip.compress(b'{"success": true}'),
        headers=SQUEEZED,
    )
    nothing = Reply(body=gzip.compress(b""), headers=SQUEEZED)
    async with scripted({PATH: [squeezed, nothing]}) as gateway:
        assert (await get(session, gateway)).data == {"success": True}
        with pytest.raises(EmptyReplyError):
            await get(session, gateway)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"a": ', id="cut"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": Infinity}', id="Infinity"),
        pytest.param(b'{"a": -Infinity}', id="-Infinity"),
        pytest.param(b'{"a": 1e309}', id="larger than a double"),
        pytest.param(b'{"a": 1e-309}', id="smaller than a double"),
        pytest.param(b'{"a": 1e99999999999999999999}', id="huge exponent"),
        pytest.param(b'{"a": 0.' + b"1" * 100 + b"}", id="more digits than a double"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="5000 digits"),
        pytest.param(b"[" * 200_000, id="nesting without end"),
        pytest.param(b'{"a":' * 700_000, id="nesting up to the size cap"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"text"', id="text"),
        pytest.param(b"17", id="number"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param(SAID.encode(), id="no JSON"),
    ],
)
async def test_unreadable_reply(session: ClientSession, body: bytes) -> None:
    """What is not one sane JSON object is no answer."""
    await failure(session, Reply(body=body), UnexpectedReplyError)


async def test_large_reply(session: ClientSession) -> None:
    """Who asks can ask for less of it."""
    body = b'{"a": "' + b"x" * MAX_BODY + b'"}'
    await failure(session, Reply(body=body), TooLargeError)


async def test_deep_reply_is_harmless(session: ClientSession) -> None:
    """A reply 10000 objects deep is read or refused, and nothing falls over."""
    deep = b'{"data":' * 10_000 + b"1" + b"}" * 10_000
    async with scripted({PATH: Reply(body=deep)}) as gateway:
        try:
            reply = await get(session, gateway)
        except UnexpectedReplyError:
            return
    assert isinstance(reply.data["data"], dict)


async def test_invalid_utf8(session: ClientSession) -> None:
    """Text that is no UTF-8 is no answer, and is not quoted in the error."""
    await failure(
        session,
        Reply(body=b'{"a": "' + SAID.encode() + b'\xff"}'),
        UnexpectedReplyError,
    )


async def test_gzip_bomb(session: ClientSession) -> None:
    """A small body that swells up is given up at the cap, not unpacked whole."""
    bomb = gzip.compress(bytes(64 * 1024 * 1024), compresslevel=1)
    assert len(bomb) < MAX_BODY
    await failure(
        session,
        Reply(body=bomb, headers=SQUEEZED),
        TooLargeError,
    )


async def test_body_that_is_no_gzip(session: ClientSession) -> None:
    """A body that cannot be unpacked has not arrived."""
    await failure(
        session,
        Reply(body=SAID.encode(), headers=SQUEEZED),
        CannotConnectError,
    )


REASONS: Final = [
    # One API and One Hub; the first quotes the name of the key.
    (openai(401, "令牌 已过期（#3）额度已用尽"), Refusal.EXHAUSTED),
    (openai(401, "该令牌额度已用尽 TokenStatusExhausted[sk-a***b]"), Refusal.EXHAUSTED),
    (openai(401, "该令牌已过期"), Refusal.EXPIRED),
    (openai(401, "该令牌状态不可用"), Refusal.DISABLED),
    (openai(401, "无效的令牌"), Refusal.INVALID),
    (openai(403, "用户已被封禁"), Refusal.OWNER_DISABLED),
    (openai(403, "User has been banned (request id: 1)"), Refusal.OWNER_DISABLED),
    (openai(403, "您的 IP 不在令牌允许访问的列表中"), Refusal.IP_RESTRICTED),
    (openai(403, SAID, code="access_denied"), Refusal.IP_RESTRICTED),
    (openai(403, "该令牌只能在指定网段使用：203.0.113.0/24"), Refusal.IP_RESTRICTED),
    (openai(403, "IP 127.0.0.1 is not allowed to access"), Refusal.IP_RESTRICTED),
    (openai(403, "普通用户不支持指定渠道"), Refusal.UNEXPLAINED),
    (openai(401, "令牌 database（#3）额度已用尽"), Refusal.EXHAUSTED),
    # Every cause says this since v0.12.7; only read-only authentication means it.
    (openai(401, "Invalid token (request id: 1)"), Refusal.UNEXPLAINED),
    (openai(401, "Invalid token"), Refusal.UNEXPLAINED),
    (dashboard(401, "Invalid token"), Refusal.INVALID),
    (dashboard(401, "This token status is unavailable"), Refusal.DISABLED),
    (dashboard(403, "User has been banned"), Refusal.OWNER_DISABLED),
    (dashboard(401, SAID, code="AUTH_USER_DISABLED"), Refusal.OWNER_DISABLED),
    (dashboard(401, SAID, code="AUTH_UNAUTHORIZED"), Refusal.UNEXPLAINED),
    (dashboard(200, "无权进行此操作，access token 无效"), Refusal.UNEXPLAINED),
    (dashboard(200, "用户已被封禁"), Refusal.OWNER_DISABLED),
    (dashboard(401, "New-Api-User header not provided"), Refusal.USER_ID_MISSING),
    (dashboard(401, "无权进行此操作，未提供 Veloera-User"), Refusal.USER_ID_MISSING),
    (dashboard(401, "New-Api-User 与登录用户不匹配"), Refusal.USER_ID_MISMATCH),
    (dashboard(401, "New-Api-User header format error"), Refusal.USER_ID_MISMATCH),
    (dashboard(401, "rix-api-user does not match"), Refusal.USER_ID_MISMATCH),
    # The same text about a key is about no account.
    (openai(401, "New-Api-User header not provided"), Refusal.UNEXPLAINED),
    (Reply.json({"success": False}, 401), Refusal.UNEXPLAINED),
    (
        Reply.json({"success": False, "message": 17, "code": 3}, 401),
        Refusal.UNEXPLAINED,
    ),
    (Reply.json({"error": {}}, 403), Refusal.UNEXPLAINED),
    (Reply.json({"error": {"message": None, "code": ["a"]}}, 403), Refusal.UNEXPLAINED),
]


@pytest.mark.parametrize(("reply", "reason"), REASONS)
async def test_reason_of_refusal(
    session: ClientSession, reply: Reply, reason: Refusal
) -> None:
    """A refusal says why, as far as the server does, and with which status."""
    error, _ = await failure(session, reply, RefusedError)
    assert (error.reason, error.status) == (reason, reply.status)
    assert repr(error) == f"RefusedError({reason.value}, {reply.status})"


NOW: Final = datetime(2026, 11, 23, 8, 13, 58, tzinfo=UTC)
WINDOW: Final = 180


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("1200", 1200),
        (" 7 ", 7),
        ("0", WINDOW),
        ("-5", WINDOW),
        ("1.5", WINDOW),
        ("soon", WINDOW),
        ("²", WINDOW),
        ("", WINDOW),
        (None, WINDOW),
        ("9" * 400, 86_400),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), WINDOW),
        ("Mon, 23 Nov 2026 08:14:28 -0000", WINDOW),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 31 Dec 99999 23:59:59 GMT", WINDOW),
        ("99 Nov 2026 25:61:61 GMT", WINDOW),
    ],
)
async def test_retry_after(
    session: ClientSession, freezer: Any, said: str | None, wait: float
) -> None:
    """A 429 says how long to wait; where it does not do so sanely, the window does."""
    freezer.move_to(NOW)
    headers: dict[str, str] = {} if said is None else {hdrs.RETRY_AFTER: said}
    error, _ = await failure(session, Reply(429, b"", None, headers), RateLimitedError)
    assert error.retry_after == pytest.approx(wait, abs=1)


async def test_retry_after_with_a_body(session: ClientSession) -> None:
    """A CDN may explain its 429: the body is nothing to us."""
    for reply in (Reply.html(429), openai(429), Reply(429, b"\xff")):
        error, _ = await failure(session, reply, RateLimitedError)
        assert error.retry_after == WINDOW


@pytest.mark.parametrize("status", [200, 403, 429, 503])
async def test_challenge(session: ClientSession, status: int) -> None:
    """Cloudflare says by a header that it wants to see a browser, whatever else."""
    challenge = Reply(
        status,
        b"<title>Just a moment</title>",
        "text/html",
        {"cf-mitigated": "challenge"},
    )
    await failure(session, challenge, BlockedError)


async def test_what_is_sent(session: ClientSession) -> None:
    """A GET of JSON, in English, past all caches, with the credential and no cookie."""
    async with scripted({PATH: Reply.json({})}) as gateway:
        await get(session, gateway, p="0", size="100")
    (asked,) = gateway.asked
    assert asked.path == f"{PATH}?p=0&size=100"
    assert asked.headers[hdrs.ACCEPT] == "application/json"
    assert asked.headers[hdrs.ACCEPT_LANGUAGE] == "en"
    assert asked.headers[hdrs.CACHE_CONTROL] == "no-store"
    assert asked.headers[hdrs.AUTHORIZATION] == f"Bearer {KEY}"
    assert hdrs.COOKIE not in asked.headers


@pytest.mark.parametrize("base", ["/", "/ai", "/ai/gateway"])
async def test_base_path(session: ClientSession, base: str) -> None:
    """A site below a path is asked below it."""
    path = f"{base.rstrip('/')}/api/usage/token/"
    async with scripted({path: Reply.json({"found": True})}) as gateway:
        transport = Transport(session, gateway.url.with_path(base), Budget())
        assert (await transport.get("/api/usage/token/")).data == {"found": True}
    assert gateway.paths == [path]


async def test_cookies_are_neither_kept_nor_sent(session: ClientSession) -> None:
    """Up to v1.0.0-rc.21 a session cookie would go before the token (trap 36)."""
    cookie = Reply.json({}, headers={"Set-Cookie": "session=alice; Path=/"})
    moved = Reply(
        301,
        b"",
        None,
        {"Location": f"{PATH}/", "Set-Cookie": "session=bob; Path=/"},
    )
    async with scripted({PATH: [cookie, moved], f"{PATH}/": cookie}) as gateway:
        for _ in range(3):
            await get(session, gateway)
    assert len(gateway.asked) == 5
    assert not any(hdrs.COOKIE in asked.headers for asked in gateway.asked)


async def test_session_with_cookies_is_refused(socket_enabled: None) -> None:
    """A session that others share could mix up accounts."""
    async with ClientSession(cookie_jar=CookieJar()) as session:
        with pytest.raises(TypeError, match="cookies"):
            Transport(session, URL("http://127.0.0.1"), Budget())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_at_home(session: ClientSession, status: int) -> None:
    """A redirect to the same origin, as of a missing slash (1.4), is followed."""
    async with scripted({"/there": Reply.json({"found": True})}) as gateway:
        gateway.replies[PATH] = Reply.redirect("/here?a=b", status)
        gateway.replies["/here?a=b"] = Reply.redirect(f"{gateway.url}/there", status)
        assert (await get(session, gateway)).data == {"found": True}
    assert gateway.paths == [PATH, "/here?a=b", "/there"]
    for asked in gateway.asked:
        assert asked.headers[hdrs.AUTHORIZATION] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        ("/there?start=1&more=2", None),
        ("/there", UnexpectedReplyError),
        ("/there?start=2", UnexpectedReplyError),
    ],
)
async def test_redirect_of_a_question(
    session: ClientSession, location: str, kind: type[GatewayError] | None
) -> None:
    """Who is sent on without what was asked for would be answered something else."""
    there = {location: Reply.json({"found": True})}
    async with scripted(there) as gateway:
        gateway.replies[f"{PATH}?start=1"] = Reply.redirect(location, 302)
        transport = Transport(session, gateway.url, Budget())
        if kind is None:
            reply = await transport.get(PATH, params={"start": "1"})
            assert reply.data == {"found": True}
        else:
            with pytest.raises(kind):
                await transport.get(PATH, params={"start": "1"})
            assert gateway.paths == [f"{PATH}?start=1"]


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(301, True), (302, False), (303, False), (307, False), (308, True)],
)
async def test_redirect_abroad(
    session: ClientSession, status: int, permanent: bool
) -> None:
    """A redirect to another origin is told, not followed: credentials stay here."""
    async with scripted({}) as other, scripted({}) as gateway:
        gateway.replies[PATH] = Reply.redirect(f"{other.url}/x?secret={SAID}", status)
        with pytest.raises(MovedError) as raised:
            await get(session, gateway)
    assert raised.value.location == str(other.url)
    assert raised.value.permanent is permanent
    assert_tells_nothing(raised.value)
    assert other.asked == []


@pytest.mark.parametrize(
    ("location", "base"),
    [
        ("https://new.example/api/status", "https://new.example"),
        ("https://new.example/api/status/", "https://new.example"),
        ("https://new.example:8443/api/status", "https://new.example:8443"),
        ("https://new.example/ai/api/status?x=1#y", "https://new.example/ai"),
        ("https://new.example/%E4%BD%A0/api/status", "https://new.example/%E4%BD%A0"),
        ("https://wang:secret@new.example/ai/api/status", "https://new.example/ai"),
        ("https://new.example", "https://new.example"),
        ("https://new.example/?from=/api/status", "https://new.example"),
        ("https://new.example/login", "https://new.example"),
        ("https://new.example/other-api/status", "https://new.example"),
    ],
)
async def test_where_a_site_moved(
    session: ClientSession, location: str, base: str
) -> None:
    """The base of the site there is what goes before the path that was asked for."""
    error, _ = await failure(session, Reply.redirect(location), MovedError)
    assert error.location == base


async def test_sub_folder_moves(session: ClientSession) -> None:
    """A site in a sub-folder may move into another, or into none."""
    async with scripted({}) as gateway:
        transport = Transport(session, gateway.url / "old", Budget())
        for folder in ("/new", ""):
            there = f"https://new.example{folder}"
            gateway.replies[f"/old{PATH}"] = Reply.redirect(f"{there}{PATH}")
            with pytest.raises(MovedError) as raised:
                await transport.get(PATH)
            assert raised.value.location == there


async def test_redirect_abroad_on_the_way(session: ClientSession) -> None:
    """A redirect at home does not open the door to another."""
    async with scripted({PATH: Reply.json({})}) as other, scripted({}) as gateway:
        gateway.replies[PATH] = Reply.redirect("/here")
        gateway.replies["/here"] = Reply.redirect(f"//127.0.0.1:{other.url.port}{PATH}")
        with pytest.raises(MovedError):
            await get(session, gateway)
    assert other.asked == []


async def test_redirect_from_https_to_http(
    trusting_session: ClientSession, server_tls: SSLContext
) -> None:
    """Credentials do not leave encryption, nor another origin, on a server's word."""
    async with (
        scripted({PATH: Reply.json({})}) as plain,
        scripted({PATH: Reply.json({})}, ssl=server_tls) as gateway,
    ):
        assert (await get(trusting_session, gateway)).data == {}
        for abroad in (plain.url, gateway.url.with_scheme("http")):
            gateway.replies[PATH] = Reply.redirect(f"{abroad}{PATH}")
            with pytest.raises(MovedError) as raised:
                await get(trusting_session, gateway)
            assert raised.value.location == str(abroad)
    assert len(gateway.asked) == 3
    assert plain.asked == []


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        (PATH, 4),
        ("", 4),
        ("?again", 4),
        ("http://[::1", 1),
        (f"http://{SAID.replace(' ', '-')}:port/", 1),
        ("javascript:alert(1)", 1),
        ("mailto:somebody@example.org", 1),
    ],
)
async def test_redirect_to_nowhere(
    session: ClientSession, location: str, asked: int
) -> None:
    """A redirect in a circle ends, and one to nowhere is no answer."""
    _, gateway = await failure(session, Reply.redirect(location), UnexpectedReplyError)
    assert len(gateway.asked) == asked


async def test_redirect_without_location(session: ClientSession) -> None:
    """A redirect that does not say where to is no answer."""
    await failure(session, Reply(302, b"", None), UnexpectedReplyError)


async def test_redirect_with_a_name_in_it(session: ClientSession) -> None:
    """A redirect home that brings other credentials is no answer."""
    async with scripted({}) as gateway:
        gateway.replies[PATH] = Reply.redirect(
            str(gateway.url.with_user("u").with_password("p").with_path("/here"))
        )
        with pytest.raises(GatewayError):
            await get(session, gateway)


async def reset(request: web.Request) -> web.StreamResponse:
    """Cut the connection before anything is answered."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cut(request: web.Request) -> web.StreamResponse:
    """Cut the connection in the middle of a body."""
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "application/json"})
    response.content_length = 100
    await response.prepare(request)
    await response.write(b'{"success": true')
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.mark.parametrize("handler", [reset, cut])
async def test_broken_connection(session: ClientSession, handler: Handler) -> None:
    """A reply that did not arrive whole is none."""
    await failure(session, handler, CannotConnectError)


async def test_refused_connection(session: ClientSession) -> None:
    """Nobody listens there any more."""
    async with scripted({}) as gateway:
        url = gateway.url
    with pytest.raises(CannotConnectError) as raised:
        await Transport(session, url, Budget()).get(PATH, headers=CREDENTIAL)
    assert_tells_nothing(raised.value, "127.0.0.1")


@pytest.mark.parametrize(
    "error", [OSError(5, SAID), ConnectionResetError(SAID), TimeoutError(SAID)]
)
async def test_error_of_the_system(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    """What the system says is no more than that the site cannot be reached."""
    monkeypatch.setattr(ClientSession, "get", Mock(side_effect=error))
    with pytest.raises(CannotConnectError) as raised:
        await Transport(session, URL("http://127.0.0.1"), Budget()).get(PATH)
    assert_tells_nothing(raised.value)


async def test_no_http(session: ClientSession) -> None:
    """Something listens there that speaks another language."""

    async def speak(
        _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(f"220 {SAID}\r\n".encode())
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        url = URL.build(
            scheme="http", host="127.0.0.1", port=server.sockets[0].getsockname()[1]
        )
        with pytest.raises(CannotConnectError) as raised:
            await Transport(session, url, Budget()).get(PATH, headers=CREDENTIAL)
    assert_tells_nothing(raised.value)


class Names(AbstractResolver):
    """Knows where some names of hosts are on this machine, and asks no network."""

    def __init__(self, **ports: int) -> None:
        """Take the port of each name that is known."""
        self._ports = ports

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return where a host is, or raise."""
        if host not in self._ports:
            raise OSError(socket.EAI_NONAME, f"No address of {host}")
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=self._ports[host],
                family=family,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        """Have nothing to close."""


def session_with(names: Names) -> ClientSession:
    """Return a session that knows these names and no others."""
    return ClientSession(
        connector=TCPConnector(resolver=names, family=socket.AF_INET),
        cookie_jar=DummyCookieJar(),
    )


async def test_name_not_found(socket_enabled: None) -> None:
    """The address is misspelt, or the name server is away."""
    async with session_with(Names()) as session:
        transport = Transport(session, URL("https://gateway.invalid"), Budget())
        with pytest.raises(CannotConnectError) as raised:
            await transport.get(PATH, headers=CREDENTIAL)
    assert_tells_nothing(raised.value, "gateway.invalid")


@pytest.mark.parametrize(
    ("base", "location"),
    [
        ("http://gateway", "http://GATEWAY/there"),
        ("http://gateway", "http://gateway:80/there"),
        ("http://gateway:80", "http://gateway/there"),
    ],
)
async def test_redirect_at_home_by_another_name(
    socket_enabled: None, base: str, location: str
) -> None:
    """Proxies write a redirect home with the default port, or the name in capitals."""
    async with scripted(
        {PATH: Reply.redirect(location), "/there": Reply.json({"found": True})}
    ) as gateway:
        assert gateway.url.port is not None
        async with session_with(Names(gateway=gateway.url.port)) as session:
            reply = await Transport(session, URL(base), Budget()).get(PATH)
    assert reply.data == {"found": True}


async def test_wrong_certificate(
    session: ClientSession, server_tls: SSLContext
) -> None:
    """A site whose certificate nobody vouches for is not talked to."""
    async with scripted({PATH: Reply.json({})}, ssl=server_tls) as gateway:
        with pytest.raises(CannotConnectError):
            await get(session, gateway)
    assert gateway.asked == []


@pytest.mark.parametrize("begun", [False, True])
async def test_hang(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """A request that gets no whole answer in its time is given up."""
    monkeypatch.setattr(transport_module, "REQUEST_TIMEOUT", 0.05)
    done = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "application/json"})
        if begun:
            await response.prepare(request)
            await response.write(b'{"success": ')
        await done.wait()
        return response

    async with scripted({PATH: hang}) as gateway:
        with pytest.raises(CannotConnectError) as raised:
            async with asyncio.timeout(10):
                await get(session, gateway)
        done.set()
    assert_tells_nothing(raised.value)


async def test_nothing_is_logged(
    session: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong is raised, not logged as well."""
    caplog.set_level(logging.DEBUG, "custom_components")
    await failure(session, openai(401), RefusedError)
    assert not [each for each in caplog.records if "custom_components" in each.name]
