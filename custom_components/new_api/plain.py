"""Text as people read it, made from what the owner of a site wrote."""

from html.parser import HTMLParser
import re
from typing import Final, override

_MOST: Final = 2000

# Of a page, more than enough for that; to read all of one takes too long.
_MOST_READ: Final = 50_000

_SILENT: Final = frozenset({"script", "style", "template", "title"})
_BREAKS: Final = frozenset(
    {"br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "tr", "ul", "ol"}
)

_SPACES: Final = re.compile(r"[^\S\n]+")
_LINES: Final = re.compile(r"\s*\n\s*")


def plain_text(written: str) -> str:
    """Return a text without HTML, in lines; Markdown is left as it is.

    It is cut after 2000 characters, since a state cannot hold a page.
    """
    reader = _Reader()
    reader.feed(written[:_MOST_READ])
    reader.close()
    text = _LINES.sub("\n", _SPACES.sub(" ", "".join(reader.read))).strip()
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


class _Reader(HTMLParser):
    """Reads what a browser would show."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read: list[str] = []
        self._silent = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BREAKS:
            self.read.append("\n")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BREAKS:
            self.read.append("\n")

    @override
    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.read.append(data)
