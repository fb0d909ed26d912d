"""The pages of an account's keys and records, in every dialect (gateway_api.md 6.4)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from .concurrency import at_once
from .errors import UnexpectedReplyError
from .families import Dialect

PAGE_SIZE: Final = 100
"""The largest page that every server gives; One Hub refuses a larger one."""

# One API always gives 10. A page that is no multiple of it is the last.
_SMALLEST_PAGE: Final = 10

_PAGES_AT_ONCE: Final = 3

# A server may count from 1 and take 0 for it, or not mind which page it is asked for.
_REPEATS: Final = 2

_MOST_PAGES: Final = 500

type AskPage = Callable[[str, int], Awaitable[Mapping[str, Any]]]
"""Asks for a page by the name and the value of the page parameter."""

type Count = Callable[[list[Any]], int]
"""Counts the items that are not the same."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page, and the name of the parameter that asks for the next.

    `total` and `size` are counts of items, None where the server does not tell.
    """

    items: list[Any]
    parameter: str
    total: int | None = None
    size: int | None = None

    @classmethod
    def from_reply(cls, reply: Mapping[str, Any]) -> Self:
        data = reply.get("data")
        if not isinstance(data, Mapping):
            return cls(_list(data), "p")
        if "items" in data:
            total = _count(data, "total")
            items = _list(data["items"], total)
            return cls(items, "p", total, _size(data.get("page_size")))
        total = _count(data, "total_count")
        items = _list(data.get("data"), total)
        return cls(items, "page", total, _size(data.get("size")))

    @property
    def may_have_a_next(self) -> bool:
        """Whether this page is as full as a page of some server."""
        return bool(self.items) and len(self.items) % _SMALLEST_PAGE == 0


def distinct(items: list[Any]) -> int:
    """Count distinct ids; what is no id is found out where items are read."""
    return len(
        {
            item["id"]
            for item in items
            if isinstance(item, Mapping) and isinstance(item.get("id"), int)
        }
    )


async def all_items(
    ask: AskPage, dialect: Dialect, count: Count = distinct
) -> list[Any]:
    """Return the items of all pages, as they stand in the replies.

    `count` is for items whose ids are none, such as those of the log (6.5).
    """
    first = _Page.from_reply(await ask(dialect.page, dialect.first_page))
    if first.total is None:
        return await _until_a_short_page(ask, first, count)
    size = max(first.size or PAGE_SIZE, len(first.items))
    last = -(-first.total // size)
    if last > _MOST_PAGES:
        raise UnexpectedReplyError("The list does not end")
    replies = await at_once(
        *(ask(first.parameter, number) for number in range(2, last + 1))
    )
    items = [*first.items]
    for reply in replies:
        items += _Page.from_reply(reply).items
    if count(items) < first.total:
        raise UnexpectedReplyError("The list changed while it was read")
    return items


async def _until_a_short_page(ask: AskPage, first: _Page, count: Count) -> list[Any]:
    """Return the items of 0-based pages of a size that the server does not tell.

    Some are asked for at once, so that a long list does not take for ever.
    """
    items = [*first.items]
    pages = [first]
    repeats = 0
    number = 1
    while all(page.may_have_a_next for page in pages) and repeats < _REPEATS:
        if number > _MOST_PAGES:
            raise UnexpectedReplyError("The list does not end")
        ahead = 1 if number == 1 else _PAGES_AT_ONCE
        replies = await at_once(
            *(ask(first.parameter, number + each) for each in range(ahead))
        )
        number += ahead
        known = count(items)
        pages = [_Page.from_reply(reply) for reply in replies]
        items += [item for page in pages for item in page.items]
        repeats = repeats + 1 if count(items) == known else 0
    return items


def _list(value: Any, total: int | None = None) -> list[Any]:
    """Return a list; Go can write an empty one as null, if it is said to be empty."""
    if value is None and total == 0:
        return []
    if not isinstance(value, list):
        raise UnexpectedReplyError("The list is no list")
    return value


def _count(data: Mapping[str, Any], field: str) -> int:
    value = data.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UnexpectedReplyError("The list does not say how long it is")
    return value


def _size(value: Any) -> int | None:
    """Return the size of a page, where it is one."""
    return value if type(value) is int and value > 0 else None
