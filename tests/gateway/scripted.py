"""A server that answers what a test tells it to, and remembers what it was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
import json
from ssl import SSLContext
from typing import Any, Final, Self

from aiohttp import hdrs, web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict
from yarl import URL

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_JSON: Final = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; `type` is left out of the headers where it is None."""

    status: int = 200
    body: bytes = b""
    type: str | None = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(
        cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Self:
        """Return a reply with JSON in it."""
        return cls(status, json.dumps(data).encode(), headers=headers or {})

    @classmethod
    def html(cls, status: int = 200) -> Self:
        """Return a page of HTML, as a gateway's console or a CDN sends it."""
        return cls(status, b"<!doctype html><div id=root></div>", "text/html")

    @classmethod
    def redirect(cls, location: str, status: int = 301) -> Self:
        """Return a redirect."""
        return cls(status, b"", None, {hdrs.LOCATION: location})

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Send it."""
        headers = CIMultiDict(self.headers)
        if self.type is not None:
            headers[hdrs.CONTENT_TYPE] = self.type
        return web.Response(status=self.status, body=self.body, headers=headers)


NO_ENDPOINT: Final = Reply.json(
    {"error": {"message": "Invalid URL", "type": "invalid_request_error"}}, 404
)
"""What every gateway says on a path that it does not have."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived."""

    path: str
    """With the query."""
    headers: CIMultiDict[str]


@dataclass(slots=True)
class Scripted:
    """A running server; `replies` may be changed while it runs."""

    url: URL
    replies: dict[str, Handler | list[Handler]]
    now: float | None = None
    """What its clock says, in Unix seconds; None for the time that it is."""
    says_no_time: bool = False
    asked: list[Asked] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """The paths asked for, in order, with their queries."""
        return [asked.path for asked in self.asked]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer by path and query, by path, or as a gateway without this endpoint.

        Of a list each request takes one, and the last one stays.
        """
        self.asked.append(Asked(request.path_qs, CIMultiDict(request.headers)))
        reply = self.replies.get(request.path_qs, self.replies.get(request.path))
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        return await (reply or NO_ENDPOINT)(request)

    async def date(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Say the time, as every server does."""
        if self.says_no_time:
            del response.headers[hdrs.DATE]
        elif self.now is not None:
            response.headers[hdrs.DATE] = format_datetime(
                datetime.fromtimestamp(self.now, UTC), usegmt=True
            )


@asynccontextmanager
async def scripted(
    replies: Mapping[str, Handler | list[Handler]],
    *,
    ssl: SSLContext | None = None,
    now: float | None = None,
) -> AsyncIterator[Scripted]:
    """Serve until the context is left; `url` is an origin of this machine."""
    gateway = Scripted(URL(), dict(replies), now)
    app = web.Application()
    app.router.add_route(hdrs.METH_ANY, "/{path:.*}", gateway.answer)
    app.on_response_prepare.append(gateway.date)
    server = TestServer(app, scheme="https" if ssl else "http")
    await server.start_server(ssl=ssl)
    async with server:
        gateway.url = server.make_url("/").origin()
        yield gateway
