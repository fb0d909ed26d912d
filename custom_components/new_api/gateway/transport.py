"""One GET to a gateway: from a path to JSON, or to one error of the tree."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from http import HTTPStatus
import json
from typing import Any, Final

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    hdrs,
)
from yarl import URL

from .budget import Bucket, Budget
from .concurrency import REQUEST_TIMEOUT, within
from .errors import (
    BlockedError,
    CannotConnectError,
    DeclinedError,
    EmptyReplyError,
    EndpointMissingError,
    GatewayError,
    InvalidAddressError,
    MovedError,
    NotAGatewayError,
    Refusal,
    RefusedError,
    ServerTroubleError,
    TooLargeError,
    UnexpectedReplyError,
)
from .families import USER_ID_HEADERS
from .journal import Journal, Received

# The longest list of 100 keys takes 40 kB, of 1000 models 200 kB.
MAX_BODY: Final = 4 * 1024 * 1024

_MAX_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PERMANENT: Final = frozenset({301, 308})
_REFUSALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

SUCCESS: Final = "success"
"""The marker by which the dashboard's envelope says yes (gateway_api.md 1.2)."""

# With it Cloudflare says that it sends a task for browsers instead of the site's reply.
_MITIGATED: Final = "Cf-Mitigated"

_HEADERS: Final[dict[str, str]] = {
    hdrs.ACCEPT: "application/json",
    # Newer servers translate their refusals, see _REASONS.
    hdrs.ACCEPT_LANGUAGE: "en",
    # A cache on the way once handed one user's balance to another (1.5).
    hdrs.CACHE_CONTROL: "no-store",
}

# A double has at most 17 digits and an exponent of at most 308.
_LONGEST_NUMBER: Final = 64
_LARGEST_EXPONENT: Final = 308

# Fragments of what servers say in a refusal, tried in this order. They never decide
# that a credential is refused, only why: most servers have no other way to say it.
# gateway_api.md 2.1 and 2.2, and the recordings of all five servers. The first goes
# first since One API quotes the key's name in it.
_QUOTES_THE_KEY: Final = "额度已用尽"
_REASONS: Final = (
    (_QUOTES_THE_KEY, Refusal.EXHAUSTED),
    ("已过期", Refusal.EXPIRED),
    ("状态不可用", Refusal.DISABLED),
    ("token status is unavailable", Refusal.DISABLED),
    ("无效的令牌", Refusal.INVALID),
    ("已被封禁", Refusal.OWNER_DISABLED),
    ("has been banned", Refusal.OWNER_DISABLED),
    ("IP 不在令牌允许", Refusal.IP_RESTRICTED),
    ("只能在指定网段使用", Refusal.IP_RESTRICTED),
    ("is not allowed to access", Refusal.IP_RESTRICTED),
)

# What servers say when it is their database that failed; the last is One API's (2.1).
_TROUBLE: Final = ("数据库", "database", "令牌验证失败")

_AUTHENTICATED: Final = "Auth-Version"

_CODES: Final = {
    "access_denied": Refusal.IP_RESTRICTED,
    "AUTH_USER_DISABLED": Refusal.OWNER_DISABLED,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that says yes."""

    data: Mapping[str, Any]
    headers: Mapping[str, str] = field(repr=False)

    def mapping(
        self,
        error: type[NotAGatewayError | UnexpectedReplyError] = UnexpectedReplyError,
        *,
        marker: str = SUCCESS,
    ) -> Mapping[str, Any]:
        """Return the `data` of an envelope that says yes by its marker (1.2)."""
        data = self.data.get("data")
        if self.data.get(marker) is not True or not isinstance(data, Mapping):
            raise error("The reply has no data")
        return data

    def payload(self, *, marker: str | None = None) -> Any:
        """Return the `data`, which may be null, but not missing.

        With a marker, of an envelope that says yes by it.
        """
        says_yes = marker is None or self.data.get(marker) is True
        if not says_yes or "data" not in self.data:
            raise UnexpectedReplyError("The reply has no data")
        return self.data["data"]

    def at(self) -> float | None:
        """Return the site's own time of the reply, in Unix seconds.

        Whether a key has expired is the site's to say, whose clock may not be ours.
        """
        moment = _moment(self.headers.get(hdrs.DATE, ""))
        return None if moment is None else moment.timestamp()


class Transport:
    """Sends GET requests to one site, and nothing else to nobody else."""

    def __init__(
        self,
        session: ClientSession,
        base: URL,
        budget: Budget,
        journal: Journal | None = None,
    ) -> None:
        """Take a session that keeps no cookies, and a base without a name in it.

        Up to v1.0.0-rc.21 a session cookie goes before the access token (1.9), so a
        shared cookie jar would show one account's figures as another's. Raises
        InvalidAddressError where the base carries credentials of its own.
        """
        if not isinstance(session.cookie_jar, DummyCookieJar):
            raise TypeError("The session must not keep cookies")
        if base.user is not None or base.password is not None:
            raise InvalidAddressError("The address carries a name or a password")
        self._session = session
        self._base = base
        self._budget = budget
        self._journal = journal or Journal()

    async def get(
        self,
        path: str,
        *,
        bucket: Bucket = Bucket.GENERAL,
        reserve: int = 0,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Reply:
        """Return the JSON object that the site answers on `path`.

        `headers` carry the credential; `reserve` is the budget's; `patience` is in
        seconds, for a site that needs long. Raises an error of the tree.
        """
        url = self._base.joinpath(path.removeprefix("/")).with_query(params)
        with self._journal.request(path) as received:
            async with (
                self._budget.spend(bucket, reserve=reserve),
                within(patience or REQUEST_TIMEOUT),
            ):
                try:
                    return await self._ask(
                        url, bucket, {**_HEADERS, **(headers or {})}, path, received
                    )
                except (ClientError, OSError) as err:
                    # It knows the headers of the request, so it goes no further.
                    kind = type(err).__name__
            raise CannotConnectError(f"The site cannot be reached ({kind})")

    async def _ask(
        self,
        url: URL,
        bucket: Bucket,
        headers: Mapping[str, str],
        path: str,
        received: Received,
    ) -> Reply:
        question = url.query
        for hop in range(_MAX_REDIRECTS + 1):
            if hop and bucket is not Bucket.MODELS:
                # A server redirects before it counts a critical call (1.4).
                self._budget.count(Bucket.GENERAL)
            async with self._session.get(
                url,
                headers=headers,
                allow_redirects=False,
                timeout=ClientTimeout(total=None),
            ) as response:
                received.head(response.status, response.content_type)
                if response.status not in _REDIRECTS:
                    return await self._read(response, bucket, received)
                url = self._next(url, response, path)
                if any(url.query.get(name) != each for name, each in question.items()):
                    # What is answered there is another question.
                    raise UnexpectedReplyError("The site redirects to another question")
        raise UnexpectedReplyError("The site redirects in a circle")

    def _next(self, url: URL, response: ClientResponse, path: str) -> URL:
        """Return where a redirect leads; credentials stay with their origin."""
        try:
            target = url.join(URL(response.headers[hdrs.LOCATION]))
            origin = target.origin()
        except KeyError, ValueError:
            origin = None
        if origin is None:
            raise UnexpectedReplyError("The site redirects to nowhere")
        if _origin_of(target) != _origin_of(self._base):
            raise MovedError(
                str(_base_at(target, path)), permanent=response.status in _PERMANENT
            )
        if target.user is not None or target.password is not None:
            raise UnexpectedReplyError("The site redirects with other credentials")
        return target

    async def _read(
        self, response: ClientResponse, bucket: Bucket, received: Received
    ) -> Reply:
        status = response.status
        if _MITIGATED in response.headers:
            raise BlockedError("Something in front of the site wants to see a browser")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise self._budget.close(bucket, _retry_after(response))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ServerTroubleError(f"The site answers with status {status}")
        body = await _body(response)
        received.body(body)
        if status == HTTPStatus.NOT_FOUND and not _is_json(response):
            raise NotAGatewayError("Nothing is there, not even a gateway")
        if status in _REFUSALS and body.strip() and not _is_json(response):
            raise BlockedError(f"Something in front of the site answers with {status}")
        data = _parse(body, response, received)
        if status != HTTPStatus.OK:
            raise _error_of(status, data)
        _require_success(data, response)
        return Reply(data, response.headers)


def _require_success(data: Mapping[str, Any], response: ClientResponse) -> None:
    """Raise where a reply with status 200 says no (gateway_api.md 7)."""
    success = data.get("success", True)
    if success is True and not isinstance(data.get("error"), Mapping):
        return
    if not isinstance(success, bool):
        raise UnexpectedReplyError("'success' is not true or false")
    if success or _is_trouble(data):
        raise ServerTroubleError("The site failed to answer")
    # This header comes with a credential that was accepted (1.1).
    if _AUTHENTICATED in response.headers:
        raise DeclinedError("The site says no to a question")
    raise _refused(data, HTTPStatus.OK)


def _error_of(status: int, data: Mapping[str, Any]) -> GatewayError:
    if not isinstance(data.get("error"), Mapping) and data.get("success") is not False:
        return UnexpectedReplyError(f"Something answers with status {status}")
    if _is_trouble(data):
        return ServerTroubleError("The site failed to answer")
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return _refused(data, status)
        case HTTPStatus.NOT_FOUND:
            return EndpointMissingError("The site has no such endpoint")
    return UnexpectedReplyError(f"The site answers with status {status}")


def _refused(data: Mapping[str, Any], status: int) -> RefusedError:
    return RefusedError(_reason(data), status, by_dashboard=_said(data) is data)


def _said(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of an envelope that says why."""
    said = data.get("error")
    return said if isinstance(said, Mapping) else data


def _is_trouble(data: Mapping[str, Any]) -> bool:
    """Tell a database that failed from a credential that is wrong.

    Older servers answer 401 for both (2.1).
    """
    message = _said(data).get("message")
    if not isinstance(message, str) or _QUOTES_THE_KEY in message:
        return False
    return any(each in message.lower() for each in _TROUBLE)


def _reason(data: Mapping[str, Any]) -> Refusal:
    """Tell why, from an envelope that says no."""
    said = _said(data)
    code, message = said.get("code"), said.get("message")
    if isinstance(code, str) and code in _CODES:
        return _CODES[code]
    if not isinstance(message, str):
        return Refusal.UNEXPLAINED
    if said is data:
        if mention := _user_id_reason(message):
            return mention
        if message == "Invalid token":
            # Read-only key authentication, of an unknown key (2.2). The same text
            # inside `error` stands for every cause there is, since v0.12.7 (2.1).
            return Refusal.INVALID
    return next(
        (reason for fragment, reason in _REASONS if fragment in message),
        Refusal.UNEXPLAINED,
    )


def _user_id_reason(message: str) -> Refusal | None:
    """Tell what is wrong with the user ID, where a message names its header.

    Servers name it in every language, and only after they took the token (2.3). They
    say `not provided` in English and 未提供 in Chinese.
    """
    if not any(header.lower() in message.lower() for header in USER_ID_HEADERS):
        return None
    if "not provided" in message or "未提供" in message:
        return Refusal.USER_ID_MISSING
    return Refusal.USER_ID_MISMATCH


def _retry_after(response: ClientResponse) -> float | None:
    """Return the seconds that the server wants us to wait, if it says so sanely."""
    said = response.headers.get(hdrs.RETRY_AFTER, "").strip()
    if said.isdecimal():
        seconds = float(said)
    else:
        moment = _moment(said)
        if moment is None:
            return None
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return seconds if seconds > 0 else None


def _moment(said: str) -> datetime | None:
    """Return the moment that a header names."""
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


async def _body(response: ClientResponse) -> bytes:
    """Return the body, decompressed, up to the largest sane size."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLargeError("The reply is too large")
    return bytes(body)


def _parse(
    body: bytes, response: ClientResponse, received: Received
) -> Mapping[str, Any]:
    if not body.strip():
        if response.status == HTTPStatus.OK:
            raise EmptyReplyError("The reply is empty")
        raise ServerTroubleError(f"The reply is empty, with status {response.status}")
    if not _is_json(response):
        raise NotAGatewayError("A web page or file answers, not a gateway")
    try:
        data = json.loads(
            body.decode(), parse_float=_parse_float, parse_constant=_parse_float
        )
    except ValueError, RecursionError:
        # The error knows the whole reply, so it goes no further.
        data = None
    else:
        received.json(data)
    if not isinstance(data, dict):
        raise UnexpectedReplyError("The reply is not a JSON object")
    return data


def _is_json(response: ClientResponse) -> bool:
    return "json" in response.content_type


def _base_at(target: URL, path: str) -> URL:
    """Return the base of a site that sends who asks it for `path` to `target`.

    Where the path is not the same there, only the origin is known.
    """
    found = target.raw_path.rstrip("/")
    tail = "/" + path.strip("/")
    base_path = found.removesuffix(tail) if found.endswith(tail) else ""
    origin = target.origin()
    return origin.with_path(base_path, encoded=True) if base_path else origin


def _origin_of(url: URL) -> tuple[str, str | None, int | None]:
    """Return what makes two URLs of one origin, with the port that goes unsaid."""
    return url.scheme, url.raw_host, url.port


def _parse_float(text: str) -> Decimal:
    """Read a number to its last digit, which floats and orjson would round."""
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("A number is too long")
    try:
        number = Decimal(text)
    except InvalidOperation as err:
        raise ValueError("A number is none") from err
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("A number is out of range")
    return number
