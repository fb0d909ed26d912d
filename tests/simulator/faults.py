"""Failures on demand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Final, Self

from .replies import JSON_TYPE, Headers


class End(Enum):
    """How a connection ends of which something was sent."""

    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer with something else than the gateway would."""

    status: int
    body: str | bytes = b""
    headers: Headers = field(default=())

    @classmethod
    def json(cls, status: int, body: str) -> Self:
        """Answer with JSON, or with what is called so."""
        return cls(status, body, (("Content-Type", JSON_TYPE),))


MISSING: Final = Answer.json(404, '{"error": {"message": "Invalid URL", "code": ""}}')
"""What New API answers on a path that it does not know."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Do not answer at all, until the caller gives up."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the connection off before anything is answered."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Send these bytes, whether or not they are HTTP, and nothing more."""

    sent: bytes
    end: End = End.CLOSE


@dataclass(frozen=True, slots=True)
class Truncate:
    """Send the right headers, the first `length` bytes, and nothing more."""

    length: int = 0
    end: End = End.CLOSE


@dataclass(frozen=True, slots=True)
class Trickle:
    """Send the right answer, a byte each `interval` seconds."""

    interval: float = 1


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Change what the gateway answers: gets the parsed JSON, returns another."""

    change: Callable[[Any], Any]

    @classmethod
    def without_model(cls, name: str) -> Self:
        """Leave a model out of a list, as servers do now and then."""

        def change(reply: Any) -> Any:
            names = [
                each
                for each in reply["data"]
                if name not in (each, each["id"] if isinstance(each, dict) else None)
            ]
            return {**reply, "data": names}

        return cls(change)


@dataclass(frozen=True, slots=True)
class Reword:
    """As Rewrite, but gets the bytes of the body: what comes out need not be JSON."""

    change: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Misdate:
    """Answer by a clock that is `offset` seconds ahead."""

    offset: float


@dataclass(frozen=True, slots=True)
class Rebase:
    """Answer what the gateway would on the path behind `prefix`."""

    prefix: str


type Fault = (
    Answer
    | Hang
    | Misdate
    | Raw
    | Rebase
    | Reset
    | Reword
    | Rewrite
    | Trickle
    | Truncate
)


@dataclass(slots=True)
class _Planned:
    pattern: str
    fault: Fault
    left: int | None


class Faults:
    """The failures that are to come, the latest added first."""

    def __init__(self) -> None:
        """Start with a gateway that works."""
        self._planned: list[_Planned] = []

    def add(self, path: str, fault: Fault, *, times: int | None = None) -> None:
        """Let requests fail whose path, without the query, matches; `*` is allowed."""
        self._planned.insert(0, _Planned(path, fault, times))

    def clear(self) -> None:
        """Let everything work again."""
        self._planned.clear()

    def take(self, path: str) -> Fault | None:
        """Return how a request for `path` shall fail, and count it."""
        for planned in self._planned:
            if planned.left != 0 and fnmatchcase(path, planned.pattern):
                if planned.left is not None:
                    planned.left -= 1
                return planned.fault
        return None
