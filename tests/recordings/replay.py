"""Replays a recording over real HTTP on loopback."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

from aiohttp import hdrs, web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict
from yarl import URL

from . import Exchange, Recording

type Phase = Literal["before", "after"]
"""Which half of a `spending` recording is served: before or after the chats."""

UNRECORDED: Final = 599
"""The status of the reply to a request that was never recorded."""

_USER_ID: Final = "New-Api-User"

# These belong to the connection, not to the reply.
_NOT_REPLAYED: Final = frozenset({hdrs.TRANSFER_ENCODING, hdrs.CONTENT_LENGTH})

_NEEDS_USER_ID: Final = frozenset({"new_api_rc21", "new_api_0_9"})


@dataclass(slots=True)
class Replay:
    """A recording being served; `phase` may be changed while it is."""

    url: URL
    phase: Phase
    requests: list[tuple[str, str, frozenset[str]]] = field(default_factory=list)
    """Method, path with query and header names of every request, in order."""
    unrecorded: list[str] = field(default_factory=list)
    """What was asked for and never recorded, as `METHOD path`."""


@asynccontextmanager
async def replaying(
    recording: Recording, *, phase: Phase = "before"
) -> AsyncIterator[Replay]:
    """Serve `recording` until the context is left."""
    replay = Replay(URL(), phase)
    shelf = _Shelf(recording)

    async def answer(request: web.Request) -> web.Response:
        replay.requests.append(
            (request.method, request.path_qs, frozenset(request.headers))
        )
        exchange = shelf.pick(
            request.method, request.rel_url, request.headers, replay.phase
        )
        if exchange is None:
            asked = f"{request.method} {request.path_qs}"
            replay.unrecorded.append(asked)
            return web.Response(status=UNRECORDED, text=f"unrecorded: {asked}")
        return _response(exchange)

    app = web.Application()
    app.router.add_route(hdrs.METH_ANY, "/{path:.*}", answer)
    app.on_response_prepare.append(leave_out_what_aiohttp_adds)
    async with TestServer(app) as server:
        replay.url = server.make_url("/")
        yield replay


@dataclass(frozen=True, slots=True)
class _Question:
    """What makes two requests the same, apart from the user id."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    authorization: str | None
    # On newer servers this header names the key instead of `Authorization`.
    api_key: str | None

    @classmethod
    def asked(cls, method: str, url: URL, headers: CIMultiDict[str]) -> _Question:
        return cls(
            method=method,
            path=url.path,
            query=tuple(sorted(url.query.items())),
            # Blanks at the end of a header's value do not survive the journey.
            authorization=_stripped(headers.get(hdrs.AUTHORIZATION)),
            api_key=_stripped(headers.get("x-api-key")),
        )


class _Shelf:
    """The exchanges of one recording, found by what was asked."""

    def __init__(self, recording: Recording) -> None:
        self._needs_user_id = recording.server in _NEEDS_USER_ID
        self._in_turn = recording.site == "limited"
        self._served = Counter[_Question]()
        self._exchanges: dict[_Question, list[Exchange]] = {}
        for exchange in recording.exchanges:
            headers = CIMultiDict(exchange.request_headers)
            question = _Question.asked(
                exchange.method, URL(exchange.path, encoded=True), headers
            )
            self._exchanges.setdefault(question, []).append(exchange)

    def pick(
        self, method: str, url: URL, headers: Mapping[str, str], phase: Phase
    ) -> Exchange | None:
        """Return the exchange that answers this request, if one was recorded."""
        sent = CIMultiDict(headers)
        question = _Question.asked(method, url, sent)
        candidates = self._same_user(
            [
                each
                for each in self._exchanges.get(question, ())
                if _belongs_to(each, phase)
            ],
            _stripped(sent.get(_USER_ID)),
        )
        if not candidates:
            return None
        if self._in_turn:
            # Here the same question was asked until the server had enough of it.
            turn = self._served[question]
            self._served[question] += 1
            return candidates[min(turn, len(candidates) - 1)]
        language = sent.get(hdrs.ACCEPT_LANGUAGE)
        return min(
            candidates,
            key=lambda each: (
                each.status == web.HTTPTooManyRequests.status_code,
                each.request_headers.get(hdrs.ACCEPT_LANGUAGE) != language,
            ),
        )

    def _same_user(
        self, candidates: list[Exchange], user_id: str | None
    ) -> list[Exchange]:
        recorded_ids = [
            _stripped(each.request_headers.get(_USER_ID)) for each in candidates
        ]
        same = [
            each
            for each, recorded in zip(candidates, recorded_ids, strict=True)
            if recorded == user_id
        ]
        if same:
            return same
        # Where no id was ever recorded, the question is not about an account.
        if self._needs_user_id and any(recorded_ids):
            return []
        return candidates


def _belongs_to(exchange: Exchange, phase: Phase) -> bool:
    prefix, colon, _ = exchange.name.partition(": ")
    return not colon or prefix == phase


def _stripped(value: str | None) -> str | None:
    return None if value is None else value.strip()


def _response(exchange: Exchange) -> web.Response:
    return web.Response(
        status=exchange.status,
        headers=CIMultiDict(
            (name, value)
            for name, value in exchange.headers
            if name not in _NOT_REPLAYED
        ),
        body=exchange.body.encode(),
    )


async def leave_out_what_aiohttp_adds(
    _request: web.Request, response: web.StreamResponse
) -> None:
    """Send only what a gateway sends; an `on_response_prepare` signal."""
    response.headers.popall(hdrs.SERVER, None)
    if response.headers.get(hdrs.CONTENT_TYPE) == "application/octet-stream":
        # A gateway sends no type with an empty body.
        del response.headers[hdrs.CONTENT_TYPE]
