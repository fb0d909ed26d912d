"""Wrong replies, made from right ones."""

from collections.abc import Callable
from functools import cache
import gzip
import json
import re
from types import UnionType
from typing import Any, Final

from tests.simulator import Answer, Reword, Rewrite

JSON: Final = ("Content-Type", "application/json; charset=utf-8")
HTML: Final = ("Content-Type", "text/html; charset=utf-8")

DASHBOARD_REFUSAL: Final = {
    "success": False,
    "message": "Unauthorized, invalid access token",
}
"""How the dashboard rejects an access token, whatever the status."""

_NUMBER: Final = re.compile(rb"(?<=[:\[,])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?=[,\]}])")
_MEMBER: Final = re.compile(rb'"(\w+)":(-?\d+)(?=[,}])')
_BALANCES: Final = frozenset(
    {"quota", "remain_quota", "hard_limit_usd", "total_available"}
)


def page(status: int, text: str, *headers: tuple[str, str]) -> Answer:
    """Answer with a page, as what stands before a gateway does."""
    body = f"<!DOCTYPE html><html><body><h1>{text}</h1></body></html>"
    return Answer(status, body, (HTML, *headers))


def said(status: int, content: Any, *headers: tuple[str, str]) -> Answer:
    """Answer with JSON."""
    return Answer(status, json.dumps(content, ensure_ascii=False), (JSON, *headers))


def every(kind: type | UnionType, change: Callable[[Any], Any]) -> Rewrite:
    """Change each value of a kind in what a reply says, but not in its envelope."""

    def walk(value: Any) -> Any:
        match value:
            case dict():
                return {name: walk(each) for name, each in value.items()}
            case list():
                return [walk(each) for each in value]
        # True is an integer to Python.
        is_kind = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
        return change(value) if is_kind or kind is object else value

    return in_data(walk)


def in_data(change: Callable[[Any], Any]) -> Rewrite:
    """Change what a reply says, but not its envelope; billing has none."""

    def rewrite(reply: Any) -> Any:
        if "data" in reply:
            return reply | {"data": change(reply["data"])}
        return change(reply)

    return Rewrite(rewrite)


def every_number(written: str) -> Reword:
    """Write something else for each number, which need not be JSON."""
    return Reword(lambda body: _NUMBER.sub(written.encode(), body))


def twice(body: bytes) -> bytes:
    """Name each whole number twice, the second time with another value."""
    return _MEMBER.sub(rb'"\1":\2,"\1":\g<2>1', body)


def overdrawn(value: Any) -> Any:
    """Turn each balance into a debt."""
    match value:
        case dict():
            return {
                name: -each if name in _BALANCES else overdrawn(each)
                for name, each in value.items()
            }
        case list():
            return [overdrawn(each) for each in value]
    return value


def nested(depth: int) -> bytes:
    """Return a list in a list, and so on."""
    return b"[" * depth + b"]" * depth


@cache
def bomb() -> bytes:
    """Return 64 MB of spaces, compressed."""
    return gzip.compress(b" " * 64_000_000, 9, mtime=0)


@cache
def large() -> bytes:
    """Return 20 MB of JSON."""
    return b'{"success":true,"data":"%s"}' % (b"a" * 20_000_000)
