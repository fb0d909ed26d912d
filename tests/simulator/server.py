"""The simulated gateway itself, served over HTTP, with failures on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import partial
import gzip
import json
import socket
from ssl import SSLContext
import struct
from typing import Final, Self

from aiohttp import hdrs, web
from multidict import CIMultiDict
from yarl import URL

from tests.recordings import Recording
from tests.recordings.replay import leave_out_what_aiohttp_adds

from .backend import Backend
from .demo import demo_options, demo_world
from .dialects import DIALECTS, Dialect
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
from .limits import Bucket, Rates
from .options import Options
from .people import Clock, system_clock
from .recorded import recorded_rates, recorded_world
from .replies import Reply, encoded
from .world import World

_COMPRESSED: Final = ("/api/", "/v1/dashboard/", "/dashboard/billing/")
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


class Gateway(Backend):
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
        super().__init__(world, dialect, options, rates=rates)
        self.faults = Faults()
        self.requests: list[Served] = []
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
        reply, buckets = self._answer_url(
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
