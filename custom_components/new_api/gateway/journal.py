"""What became of the questions to a site, told without anything that was said.

A journal can be shown to anybody: it holds paths, names and numbers of the client's own
and the shapes of replies, and neither a reply nor an error, which knows its request.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import monotonic, time
from typing import Any, Final

from .errors import (
    BlockedError,
    EmptyReplyError,
    EndpointMissingError,
    GatewayError,
    NotAGatewayError,
    Refusal,
    RefusedError,
    UnexpectedReplyError,
)
from .shape import Shape, shape_of

_UNEXPECTED: Final = (
    BlockedError,
    EmptyReplyError,
    NotAGatewayError,
    UnexpectedReplyError,
)

_CONTENT_TYPES: Final = frozenset(
    {
        "application/json",
        # It stands for none, too.
        "application/octet-stream",
        "application/problem+json",
        "application/xml",
        "text/event-stream",
        "text/html",
        "text/plain",
        "text/xml",
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question or a request ended.

    `at` is in Unix seconds; `milliseconds` include the wait for others. `error` is the
    class of the error, None where there was none, and `reason` why it was refused.
    """

    at: float
    milliseconds: int
    error: str | None = None
    reason: Refusal | None = None


@dataclass(slots=True)
class Received:
    """What arrived of a reply, as far as it was read; None for what did not.

    `status` is the HTTP status, `content_type` is `other` where it is not a common one,
    `length` the number of bytes of the body, `shape` that of its JSON.
    """

    status: int | None = None
    content_type: str | None = None
    length: int | None = None
    shape: Shape | None = None

    def head(self, status: int, content_type: str) -> None:
        """Note how a reply begins."""
        self.status = status
        self.content_type = content_type if content_type in _CONTENT_TYPES else "other"

    def body(self, body: bytes) -> None:
        """Note how long the body is."""
        self.length = len(body)

    def json(self, data: Any) -> None:
        """Note what its JSON looks like."""
        self.shape = shape_of(data)


@dataclass(frozen=True, slots=True)
class Unexpected:
    """A reply that nobody expected; `problem` is in the client's own words."""

    at: float
    error: str
    problem: str
    received: Received


@dataclass(slots=True)
class Endpoint:
    """What became of the requests for one path.

    `asked` counts what the budget held back, too. `is_there` tells whether the site has
    it, None where that is not known. `received` is what the last request brought,
    `unexpected` the last reply of that kind.
    """

    asked: int = 0
    failed: int = 0
    is_there: bool | None = None
    last: Outcome | None = None
    received: Received = field(default_factory=Received)
    unexpected: Unexpected | None = None

    def end(
        self, err: GatewayError | None, outcome: Outcome, received: Received
    ) -> None:
        """Note how a request ended."""
        self.last = outcome
        self.received = received
        if err is None:
            self.is_there = True
            return
        self.failed += 1
        if isinstance(err, EndpointMissingError):
            self.is_there = False
        self._keep(err, outcome.at)

    def reject(self, err: GatewayError) -> None:
        """Note that the last reply turned out to be none that can be read."""
        if self.last is None or self.last.error is not None:
            return
        self.failed += 1
        self.last = replace(self.last, error=type(err).__name__)
        self._keep(err, self.last.at)

    def _keep(self, err: GatewayError, at: float) -> None:
        if isinstance(err, _UNEXPECTED):
            self.unexpected = Unexpected(
                at, type(err).__name__, str(err), self.received
            )


class Journal:
    """Keeps the last outcome of each question and of each path.

    `endpoints` is by path, `questions` by the name of the client's method.
    """

    def __init__(self, clock: Callable[[], float] = time) -> None:
        """Start an empty one; `clock` gives Unix seconds."""
        self._clock = clock
        self.endpoints: dict[str, Endpoint] = {}
        self.questions: dict[str, Outcome] = {}

    @contextmanager
    def question(self, name: str) -> Iterator[None]:
        """Note how a question ends."""
        begun = monotonic()
        try:
            yield
        except GatewayError as err:
            self.questions[name] = self._outcome(err, begun)
            raise
        self.questions[name] = self._outcome(None, begun)

    @contextmanager
    def request(self, path: str) -> Iterator[Received]:
        """Note how a request for a path ends, and what arrives."""
        endpoint = self.endpoints.setdefault(path, Endpoint())
        endpoint.asked += 1
        received = Received()
        begun = monotonic()
        try:
            yield received
        except GatewayError as err:
            endpoint.end(err, self._outcome(err, begun), received)
            raise
        endpoint.end(None, self._outcome(None, begun), received)

    @contextmanager
    def reading(self, *paths: str) -> Iterator[None]:
        """Note where the replies of these paths, all of them good JSON, are not read.

        Which of several is to blame is for the reader of the journal to see.
        """
        try:
            yield
        except _UNEXPECTED as err:
            for path in paths:
                if path in self.endpoints:
                    self.endpoints[path].reject(err)
            raise

    def _outcome(self, err: GatewayError | None, begun: float) -> Outcome:
        return Outcome(
            at=self._clock(),
            milliseconds=round((monotonic() - begun) * 1000),
            error=None if err is None else type(err).__name__,
            reason=err.reason if isinstance(err, RefusedError) else None,
        )
