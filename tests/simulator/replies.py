"""What gateways wrap their answers in."""

from dataclasses import dataclass, field
import json
import math
from typing import Any, Final

type Headers = tuple[tuple[str, str], ...]

JSON_TYPE: Final = "application/json; charset=utf-8"
HTML_TYPE: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, before the server adds the headers that every answer has."""

    status: int
    body: bytes = b""
    headers: Headers = field(default=())

    def with_headers(self, *headers: tuple[str, str]) -> Reply:
        """Return the same answer with more headers."""
        return Reply(self.status, self.body, (*self.headers, *headers))


class Refused(Exception):  # noqa: N818 - it is an answer, not a mistake of ours
    """Carries the answer to a request that is not let through."""

    def __init__(self, reply: Reply) -> None:
        """Remember the answer."""
        super().__init__(reply.status)
        self.reply = reply


def json_reply(content: Any, status: int = 200) -> Reply:
    """Answer with JSON."""
    return Reply(status, encoded(content), (("Content-Type", JSON_TYPE),))


def html_reply(page: str) -> Reply:
    """Answer with a page."""
    return Reply(200, page.encode(), (("Content-Type", HTML_TYPE),))


def succeeded(data: Any) -> Reply:
    """Answer in the dashboard's envelope."""
    return json_reply({"data": data, "message": "", "success": True})


def failed(message: str, status: int = 200, code: str | None = None) -> Reply:
    """Refuse in the dashboard's envelope."""
    said: dict[str, Any] = {"message": message, "success": False}
    if code is not None:
        said["code"] = code
    return json_reply(said, status)


def encoded(content: Any) -> bytes:
    """Write JSON as a gateway does: nothing at all where a number has no JSON."""
    try:
        written = json.dumps(
            _as_go(content), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
    except ValueError:
        return b""
    return written.encode()


def _as_go(value: Any) -> Any:
    match value:
        case float() if math.isfinite(value) and value.is_integer():
            # Gateways write 292, never 292.0.
            return int(value)
        case dict():
            return {name: _as_go(each) for name, each in value.items()}
        case list() | tuple():
            return [_as_go(each) for each in value]
    return value
