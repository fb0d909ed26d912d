"""A site in memory: its replies go through aiohttp's real parser, without a socket."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, override
from urllib.parse import urljoin
import zlib

from aiohttp import BaseConnector, ClientRequest
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_parser import HttpResponseParser

from custom_components.new_api.gateway.transport import MAX_BODY

ORIGIN: Final = "http://gateway.test"

_HERE: Final = ("http", "gateway.test", 80)

JSON: Final = ("Content-Type", "application/json; charset=utf-8")

# What comes before it is not the reply yet.
_FINAL: Final = 200

# How much of a body a report quotes.
_SHOWN: Final = 4000

_WBITS: Final = {"gzip": 31, "deflate": 15}

type Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """What happens to the bytes of a reply on their way, at a share of its length."""

    kind: str
    """`cut`, `flip`, `insert` or `drop`."""
    at: float
    value: int = 0

    def of(self, wire: bytes) -> bytes:
        """Return the damaged bytes."""
        at = int(self.at * len(wire))
        match self.kind:
            case "cut":
                return wire[:at]
            case "flip":
                flipped = bytes(each ^ (1 << self.value) for each in wire[at : at + 1])
                return wire[:at] + flipped + wire[at + 1 :]
            case "insert":
                return wire[:at] + bytes([self.value]) + wire[at:]
        return wire[:at] + wire[at + 1 :]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a reply travels; times in seconds."""

    coding: str = "identity"
    framing: str = "length"
    """`length`, `chunked` or `close`: how its end is told."""
    parts: int = 1
    pause: float = 0.0
    """Before the first part and each other one."""
    hangs: bool = False
    """Whether the connection stays open where it should end."""
    damages: tuple[Damage, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; status 0 for a connection that cannot be made."""

    status: int = 200
    headers: Headers = (JSON,)
    body: bytes = b""
    delivery: Delivery = field(default_factory=Delivery)

    def header(self, name: str) -> str | None:
        """Return the first header of this name."""
        name = name.lower()
        return next((said for each, said in self.headers if each.lower() == name), None)

    def with_header(self, name: str, said: str | None) -> Reply:
        """Return it with one header of this name, or none."""
        others = tuple(each for each in self.headers if each[0].lower() != name.lower())
        return replace(
            self, headers=others if said is None else (*others, (name, said))
        )

    def wire(self) -> bytes:
        """Return what travels."""
        body, headers, how = self.body, list(self.headers), self.delivery
        if how.coding in _WBITS:
            packer = zlib.compressobj(1, wbits=_WBITS[how.coding])
            body = packer.compress(body) + packer.flush()
            headers.append(("Content-Encoding", how.coding))
        if how.framing == "chunked":
            headers.append(("Transfer-Encoding", "chunked"))
            pieces = [b"%x\r\n%b\r\n" % (len(each), each) for each in _split(body, 3)]
            body = b"".join([*pieces, b"0\r\n\r\n"])
        elif how.framing == "length":
            headers.append(("Content-Length", str(len(body))))
        head = "".join(f"{name}: {said}\r\n" for name, said in headers)
        wire = (
            f"HTTP/1.1 {self.status} \r\n{head}\r\n".encode(errors="surrogateescape")
            + body
        )
        for damage in how.damages:
            wire = damage.of(wire)
        return wire

    def as_text(self) -> str:
        """Return it as a person reads it."""
        head = "\n".join(f"{name}: {said}" for name, said in self.headers)
        shown = self.body if len(self.body) < _SHOWN else self.body[:_SHOWN] + b"..."
        return f"{self.status} {self.delivery}\n{head}\n\n{shown!r}"


def _split(body: bytes, parts: int) -> list[bytes]:
    size = len(body) // parts + 1
    return [body[at : at + size] for at in range(0, len(body), size)]


@dataclass(frozen=True, slots=True)
class Served:
    """What the client was given on a path it asked for.

    `path` has no query; it is the first one where the site redirected.
    `reply` is what arrived, None where none did or no whole one.
    """

    path: str
    query: str
    reply: Reply | None


class MisbehaviourError(Exception):
    """The client asked something that it never may."""


class Site:
    """Serves replies by path and query, or by path, one after the other.

    The last one of a path stays; without any it has no such endpoint.
    """

    def __init__(
        self,
        secrets: Mapping[str, tuple[str, ...]],
        replies: Mapping[str, Iterable[Reply]],
    ) -> None:
        """Take what may be sent only to paths of some beginnings, and the replies."""
        self._secrets = secrets
        self._replies = {path: list(each) for path, each in replies.items()}
        self._asked = {path.partition("?")[0] for path in self._replies}
        self._redirects: list[tuple[str, str]] = []
        self.served: list[Served] = []
        self.misbehaviour: str | None = None

    def answer(self, head: bytes) -> Reply:
        """Answer a request, whose head is given."""
        line, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = line.partition(" ")
        target = rest.rpartition(" ")[0]
        if method != "GET":
            self.misbehaviour = f"It sent {method}"
        asked = self._origin_of(target)
        path, _, query = asked.partition("?")
        self._check(path, "\n".join(lines))
        replies = self._replies.get(target) or self._replies.get(target.split("?")[0])
        if replies is None and asked != target:
            replies = self._replies.get(asked) or self._replies.get(path)
        if replies is None:
            reply = NO_ENDPOINT
        else:
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if (location := reply.header("Location")) is not None:
            self._redirects.append((_joined(target, location), asked))
        self.served.append(Served(path, query, arrived(reply)))
        return reply

    def _origin_of(self, target: str) -> str:
        """Return what was asked for in the first place."""
        for location, asked in reversed(self._redirects):
            if location == ORIGIN + target:
                return asked
        if self._redirects and target.partition("?")[0] not in self._asked:
            # Where a redirect leads can be written in more ways than one.
            return self._redirects[-1][1]
        return target

    def _check(self, path: str, headers: str) -> None:
        for secret, beginnings in self._secrets.items():
            if secret in headers and not path.startswith(beginnings):
                self.misbehaviour = f"It sent a secret of {beginnings} to {path}"


def _joined(target: str, location: str) -> str:
    try:
        return urljoin(ORIGIN + target, location)
    except ValueError:
        return ""


NO_ENDPOINT: Final = Reply(
    404, body=b'{"error":{"message":"Invalid URL","type":"invalid_request_error"}}'
)
"""What every gateway says on a path that it does not have."""


def arrived(reply: Reply) -> Reply | None:
    """Return what reaches the client of a reply, None for nothing or a part."""
    if reply.status == 0:
        return None
    if not reply.delivery.damages and reply.header("Content-Encoding") is None:
        return reply
    return _read(reply.wire())


def _read(wire: bytes) -> Reply | None:
    """Read the bytes of a reply as aiohttp does, whose business that is."""
    loop = asyncio.get_running_loop()
    protocol: Any = ResponseHandler(loop)
    parser = HttpResponseParser(
        protocol, loop, MAX_BODY, read_until_eof=True, auto_decompress=True
    )
    try:
        messages, _, _ = parser.feed_data(wire)
        parser.feed_eof()
    except Exception:  # noqa: BLE001 - whatever it is, nothing arrived
        return None
    for message, payload in messages:
        if message.code >= _FINAL:
            body = b"".join(getattr(payload, "_buffer", ()))
            return Reply(message.code, tuple(message.headers.items()), body)
    return None


class Connector(BaseConnector):
    """Connects to the one site there is."""

    site: Site

    @override
    async def _create_connection(
        self, req: ClientRequest, traces: Any, timeout: Any
    ) -> ResponseHandler:
        if (req.url.scheme, req.url.host, req.url.port) != _HERE:
            self.site.misbehaviour = "It asked another site"
        protocol = self._factory()
        protocol.connection_made(_Line(self._loop, protocol, self))
        return protocol


class _Line(asyncio.Transport):
    """The connection between the client and the site."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: ResponseHandler,
        connector: Connector,
    ) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._connector = connector
        self._request = b""
        self._closed = False
        self._paused = False
        self._held: list[tuple[Any, ...]] = []

    @override
    def write(self, data: Any) -> None:
        self._request += bytes(data)
        head, end, rest = self._request.partition(b"\r\n\r\n")
        if end:
            self._request = rest
            self._send(self._connector.site.answer(head))

    @override
    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def _send(self, reply: Reply) -> None:
        how = reply.delivery
        steps = self._steps(reply)
        if how.pause == 0:
            for step in steps:
                self._loop.call_soon(*step)
            return
        for number, step in enumerate(steps, 1):
            self._loop.call_later(number * how.pause, *step)

    def _steps(self, reply: Reply) -> Iterator[tuple[Any, ...]]:
        if reply.status == 0:
            yield self._end, ConnectionResetError("reset")
            return
        for part in _split(reply.wire(), reply.delivery.parts):
            yield self._arrive, part
        if not reply.delivery.hangs:
            yield self._end, None

    def _arrive(self, part: bytes) -> None:
        if self._paused:
            self._held.append((self._arrive, part))
        elif not self._closed:
            self._protocol.data_received(part)

    def _end(self, error: Exception | None) -> None:
        if self._paused:
            self._held.append((self._end, error))
        elif not self._closed:
            self._closed = True
            self._protocol.connection_lost(error)

    @override
    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    @override
    def abort(self) -> None:
        self.close()

    @override
    def is_closing(self) -> bool:
        return self._closed

    @override
    def pause_reading(self) -> None:
        """Hold back what comes, as a socket does."""
        self._paused = True

    @override
    def resume_reading(self) -> None:
        """Let go of what was held back."""
        self._paused = False
        held, self._held = self._held, []
        for step in held:
            self._loop.call_soon(*step)

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default
