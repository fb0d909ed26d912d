"""How a gateway cuts long lists into pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import texts
from .replies import Refused, failed


@dataclass(frozen=True, slots=True)
class PageNames:
    """What the parts of a page are called."""

    page: str
    size: str
    total: str
    items: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """One dialect of paging; what cannot be understood counts as not said."""

    page: str = "p"
    first: int = 1
    """The number of the first page."""
    sizes: tuple[str, ...] = ("page_size", "ps", "size")
    """Parameters that name the size, the most important first."""
    default: int = 10
    cap: int = 100
    refuses_more: bool = False
    """Whether more than `cap` is an error instead of being cut down."""
    names: PageNames | None = None
    """None for a bare list."""

    def cut(
        self, rows: Sequence[Any], query: Mapping[str, str]
    ) -> tuple[int, int, Sequence[Any]]:
        """Return number and size of the page that is asked for, and its rows."""
        size = next(
            (asked for name in self.sizes if (asked := _integer(query, name)) > 0),
            self.default,
        )
        if size > self.cap and self.refuses_more:
            text = texts.SIZE_TOO_LARGE.with_values(cap=self.cap)
            raise Refused(failed(text.chinese))
        size = min(size, self.cap)
        page = max(self.first, _integer(query, self.page))
        start = (page - self.first) * size
        return page, size, rows[start : start + size]

    def wrap(self, page: int, size: int, total: int, items: list[Any]) -> Any:
        """Write a page down."""
        if self.names is None:
            return items
        return {
            self.names.page: page,
            self.names.size: size,
            self.names.total: total,
            self.names.items: items,
        }


def _integer(query: Mapping[str, str], name: str) -> int:
    try:
        return int(query.get(name, ""))
    except ValueError:
        return 0
