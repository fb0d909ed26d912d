"""The simulated gateway itself: routes requests and serves them over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
import gzip
from html import escape
import json
import random
import socket
from ssl import SSLContext
import string
import struct
from typing import Any, Final, Self

from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from tests.recordings import Recording
from tests.recordings.replay import leave_out_what_aiohttp_adds

from .call import Call
from .demo import demo_options, demo_world
from .dialects import DIALECTS, Dialect, Route
from .faults import (
    Answer,
    End,
    Fault,
    Faults,
    Hang,
    Misdate,
    Raw,
    Rebase,
    Reset,
    Reword,
    Rewrite,
    Trickle,
    Truncate,
)
from .limits import Bucket, Limiter, Rates
from .options import Options
from .recorded import recorded_rates, recorded_world
from .records import LogRow
from .replies import Refused, Reply, encoded, html_reply, json_reply
from .world import Clock, World, system_clock

_JSON_PREFIXES: Final = ("/v1", "/api", "/assets")
_COMPRESSED: Final = ("/api/", "/v1/dashboard/", "/dashboard/billing/")
_REQUEST_ID_LETTERS: Final = string.ascii_letters + string.digits
_RESET_WHEN_CLOSED: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Served:
    """A request that was answered, as the gateway noted it."""

    time: float
    method: str
    path_qs: str
    bucket: str
    """The buckets it counted in, or "" for none."""
    status: int | None
    """None where the connection was broken instead."""


class Gateway:
    """A simulated gateway; change `world`, `options`, `dialect` at any time."""

    def __init__(
        self,
        world: World,
        dialect: Dialect,
        options: Options | None = None,
        *,
        rates: Rates | None = None,
    ) -> None:
        """Set up a gateway that limits as its dialect does, unless told otherwise."""
        self.world = world
        self.dialect = dialect
        self.options = options or Options()
        self.limiter = Limiter(dialect.rates if rates is None else rates, world.clock)
        self.faults = Faults()
        self.requests: list[Served] = []
        self._chance = random.Random(2)
        self._closing = asyncio.Event()
        self._runner: web.AppRunner
        self._site: Callable[[], web.TCPSite]

    @classmethod
    def from_recording(
        cls, recording: Recording, *, clock: Clock = system_clock
    ) -> Self:
        """Set up the site that was recorded; its time is `recording.recorded_at`."""
        gateway = cls(
            recorded_world(recording, clock),
            DIALECTS[recording.server],
            Options.from_server(
                recording.options,
                "Asia/Shanghai" if recording.site == "cny" else "UTC",
            ),
            rates=recorded_rates(recording),
        )
        if recording.site != "usd":
            # The sites shared a database, and on the first every key had been tried.
            for key in gateway.world.keys.values():
                gateway.answer("/v1/models", {"Authorization": f"Bearer {key}"})
        return gateway

    @classmethod
    def demo(
        cls,
        profile: str = "new_api_main",
        *,
        clock: Clock = system_clock,
        with_plan: bool = False,
    ) -> Self:
        """Set up a household's gateway, with a month of use behind it."""
        world = demo_world(clock, with_plan=with_plan)
        return cls(world, DIALECTS[profile], demo_options())

    # What an owner and the users do

    def configure(self, **changes: Any) -> None:
        """Change settings of the site, by the names in `Options`."""
        self.options = replace(self.options, **changes)

    def spend(
        self,
        key: str,
        quota: int,
        *,
        model: str = "gpt-4o",
        prompt_tokens: int = 1_000,
        completion_tokens: int = 500,
        at: int | None = None,
    ) -> LogRow:
        """Let a key cost something; no gateway refuses what is already running."""
        return self.world.spend(
            self.world.key(key),
            quota,
            model=model,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            at=at,
            accounting=self.dialect.accounting,
            exported=self.options.data_export,
        )

    def refund(self, key: str, quota: int) -> LogRow:
        """Give back what a key had cost."""
        return self.world.refund(
            self.world.key(key), quota, accounting=self.dialect.accounting
        )

    # Answering

    def answer(
        self,
        path_qs: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = hdrs.METH_GET,
        address: str = "127.0.0.1",
    ) -> Reply:
        """Answer a request without any HTTP."""
        url = URL(path_qs, encoded=True)
        return self._answer(method, url, CIMultiDict(headers or {}), address)[0]

    def _answer(
        self, method: str, url: URL, headers: Mapping[str, str], address: str
    ) -> tuple[Reply, tuple[Bucket, ...]]:
        if method != hdrs.METH_GET:
            return self._no_route(method, url.path)
        found = self._find(url.path)
        if found is None:
            if location := self._other_slash(url):
                return _moved(location), ()
            return self._no_route(method, url.path)
        route, parameter = found
        call = Call(
            world=self.world,
            options=self.options,
            dialect=self.dialect,
            path=url.path,
            query=url.query,
            headers=headers,
            address=address,
            request_id=self._request_id(),
            parameter=parameter,
        )
        if (refusal := self._limited(route.buckets)) is not None:
            return self._signed(refusal, call.request_id), route.buckets
        try:
            route.gate(call)
            reply = route.answer(call)
        except Refused as refused:
            reply = refused.reply
        else:
            if call.signed_in:
                reply = reply.with_headers(*self.dialect.signed_in_headers)
        return self._signed(reply, call.request_id), route.buckets

    def _find(self, path: str) -> tuple[Route, str] | None:
        """Return the route of a path and what stands for its parameter."""
        routes = self.dialect.routes
        if route := routes.get(path):
            return route, ""
        parent, _, last = path.rpartition("/")
        for template, route in routes.items():
            start, is_parameter, _ = template.partition("/:")
            if is_parameter and last and start == parent:
                return route, last
        return None

    def _other_slash(self, url: URL) -> str | None:
        """Return where the path would be found with one slash more or less."""
        path = url.path.removesuffix("/") if url.path.endswith("/") else f"{url.path}/"
        if path and self._find(path):
            return f"{path}?{url.raw_query_string}" if url.raw_query_string else path
        return None

    def _no_route(self, method: str, path: str) -> tuple[Reply, tuple[Bucket, ...]]:
        buckets = (Bucket.WEB,)
        request_id = self._request_id()
        if (refusal := self._limited(buckets)) is not None:
            return self._signed(refusal, request_id), buckets
        if path.startswith(_JSON_PREFIXES):
            error = {
                "message": f"Invalid URL ({method} {path})",
                "type": "invalid_request_error",
                **({"param": ""} if self.dialect.names_parameter else {}),
                "code": "",
            }
            reply = json_reply({"error": error}, 404)
            caching = "max-age=604800"
        else:
            reply = html_reply(self.dialect.page)
            caching = "no-cache"
        reply = reply.with_headers(
            ("Cache-Control", caching), *self.dialect.page_headers
        )
        return self._signed(reply, request_id), buckets

    def _limited(self, buckets: tuple[Bucket, ...]) -> Reply | None:
        """Count a call; return the refusal if it was one too many."""
        for bucket in buckets:
            if not self.limiter.take(bucket):
                reply = Reply(429)
                if self.dialect.sends_retry_after:
                    seconds = self.limiter.retry_after(bucket)
                    reply = reply.with_headers(("Retry-After", str(seconds)))
                return reply
        return None

    def _signed(self, reply: Reply, request_id: str) -> Reply:
        return reply.with_headers(
            *self.dialect.headers, ("X-Oneapi-Request-Id", request_id)
        )

    def _request_id(self) -> str:
        now = datetime.fromtimestamp(self.world.clock(), UTC)
        letters = "".join(self._chance.choices(_REQUEST_ID_LETTERS, k=8))
        return f"{now:%Y%m%d%H%M%S}{len(self.requests):09}{letters}"

    # Serving

    @asynccontextmanager
    async def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        ssl_context: SSLContext | None = None,
    ) -> AsyncIterator[URL]:
        """Serve over HTTP until the context is left; port 0 is any free one."""
        self._closing = asyncio.Event()
        app = web.Application()
        app.router.add_route(hdrs.METH_ANY, "/{path:.*}", self._handle)
        app.on_response_prepare.append(leave_out_what_aiohttp_adds)
        runner = web.AppRunner(
            app,
            access_log=None,
            # Whoever hangs up is not answered any more.
            handler_cancellation=True,
            shutdown_timeout=1,
        )
        self._runner = runner
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, ssl_context=ssl_context).start()
            port = runner.addresses[0][1]
            self._site = partial(
                web.TCPSite, runner, host, port, ssl_context=ssl_context
            )
            scheme = "http" if ssl_context is None else "https"
            yield URL.build(scheme=scheme, host=host, port=port)
        finally:
            # Whoever was left hanging is let go.
            self._closing.set()
            await runner.cleanup()

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Let nobody connect until the context is left."""
        (listening,) = self._runner.sites
        await listening.stop()
        try:
            yield
        finally:
            await self._site().start()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.take(request.path)
        if isinstance(fault, Hang | Raw | Reset):
            self._note(request, (), None)
            return await self._without_answer(request, fault)
        reply, buckets = self._reply_to(request, fault)
        self._note(request, buckets, reply.status)
        offset = fault.offset if isinstance(fault, Misdate) else 0
        date = formatdate(self.world.clock() + offset, usegmt=True)
        reply = reply.with_headers((hdrs.DATE, date))
        if isinstance(fault, Truncate | Trickle):
            return await self._in_part(request, reply, fault)
        return _response(request, reply)

    def _reply_to(
        self, request: web.Request, fault: Fault | None
    ) -> tuple[Reply, tuple[Bucket, ...]]:
        """Return what is answered, and what it counted in."""
        if isinstance(fault, Answer):
            # Something in front of the gateway answers; the gateway hears nothing.
            return _instead(fault), ()
        url = request.rel_url
        if isinstance(fault, Rebase):
            path = url.raw_path.removeprefix(fault.prefix)
            url = url.with_path(path, encoded=True, keep_query=True)
        reply, buckets = self._answer(
            request.method, url, request.headers, request.remote or ""
        )
        if isinstance(fault, Rewrite):
            changed = fault.change(json.loads(reply.body))
            reply = replace(reply, body=encoded(changed))
        if isinstance(fault, Reword):
            reply = replace(reply, body=fault.change(reply.body))
        return reply, buckets

    async def _without_answer(
        self, request: web.Request, fault: Hang | Raw | Reset
    ) -> web.StreamResponse:
        """Send what the fault sends, and end as it does."""
        end = End.RESET
        if isinstance(fault, Raw):
            end = fault.end
            if request.transport is not None:
                request.transport.write(fault.sent)
        if isinstance(fault, Hang) or end is End.HANG:
            await self._closing.wait()
        _break_off(request, reset=end is not End.CLOSE)
        # Nobody is there to get it.
        return web.Response()

    async def _in_part(
        self, request: web.Request, reply: Reply, fault: Truncate | Trickle
    ) -> web.StreamResponse:
        """Send a reply whose end is long in coming, or never comes."""
        response = web.StreamResponse(
            status=reply.status, headers=CIMultiDict(reply.headers)
        )
        response.content_length = len(reply.body)
        await response.prepare(request)
        if isinstance(fault, Trickle):
            await self._trickle(request, response, reply.body, fault.interval)
            return response
        await response.write(reply.body[: fault.length])
        if fault.end is End.HANG:
            await self._closing.wait()
        _break_off(request, reset=fault.end is End.RESET)
        return response

    async def _trickle(
        self,
        request: web.Request,
        response: web.StreamResponse,
        body: bytes,
        interval: float,
    ) -> None:
        for start in range(len(body)):
            if self._closing.is_set() or _is_gone(request):
                return
            await response.write(body[start : start + 1])
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), interval)

    def _note(
        self, request: web.Request, buckets: tuple[Bucket, ...], status: int | None
    ) -> None:
        self.requests.append(
            Served(
                self.world.clock(),
                request.method,
                request.path_qs,
                "+".join(buckets),
                status,
            )
        )


def _moved(location: str) -> Reply:
    page = f'<a href="{escape(location)}">Moved Permanently</a>.\n\n'
    moved = html_reply(page).with_headers(("Location", location))
    return replace(moved, status=301)


def _instead(fault: Answer) -> Reply:
    body = fault.body.encode() if isinstance(fault.body, str) else fault.body
    return Reply(fault.status, body, fault.headers)


def _response(request: web.Request, reply: Reply) -> web.Response:
    headers = CIMultiDict(reply.headers)
    body = reply.body
    if (
        "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
        and request.path.startswith(_COMPRESSED)
        and hdrs.LOCATION not in headers
        and hdrs.CONTENT_ENCODING not in headers
    ):
        # Even an empty answer is sent as a (then empty) stream.
        body = gzip.compress(body, mtime=0)
        headers[hdrs.CONTENT_ENCODING] = "gzip"
        headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    return web.Response(status=reply.status, body=body, headers=headers)


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _break_off(request: web.Request, *, reset: bool) -> None:
    if request.transport is None:
        return
    if not reset:
        request.transport.close()
        return
    connection: socket.socket = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_WHEN_CLOSED)
    request.transport.abort()
