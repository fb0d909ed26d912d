"""The page that shows the matrix: `docs/fault-matrix.md`."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
import json
import os
from pathlib import Path
import re
import sys
from typing import Final

from .columns import COLUMNS
from .faults import ROWS, Row
from .street import AS_USUAL, GONE, WRONG

PAGE: Final = Path(__file__).parents[2] / "docs" / "fault-matrix.md"

_SEEN_IN: Final = "FAULT_MATRIX_SEEN_IN"
_NOT_INJECTED: Final = "–"

_INTRODUCTION: Final = (Path(__file__).parent / "introduction.md").read_text()


def seen(row: Row, words: Mapping[str, str]) -> str:
    """Return the line of a row, from what was seen by the titles of the columns."""
    cells = (words.get(column.title, _NOT_INJECTED) for column in COLUMNS)
    return f"| {row.name} | {' | '.join(cells)} |"


def keep(row: Row, line: str) -> bool:
    """Keep a line for the page, where one is being written."""
    folder = os.environ.get(_SEEN_IN)
    if folder is not None:
        Path(folder, f"{ROWS.index(row)}.json").write_text(json.dumps(line))
    return folder is not None


def committed() -> Sequence[str]:
    """Return the lines of the page."""
    return PAGE.read_text().splitlines()


def rows_of(lines: Sequence[str]) -> list[str]:
    """Return the lines of faults, as `seen` makes them."""
    columns = len(COLUMNS) + 1
    rows = [line for line in lines if line.count(" | ") == columns - 1]
    return [line for line in rows if not line.startswith("| Fault |")]


def says(row: str) -> tuple[str, list[frozenset[str]]]:
    """Return what a line says, apart from chance.

    Which of the figures that are gone are unavailable, and which unknown, and whether
    they were gone before a site was asked again, differs from time to time.
    """
    name, *cells = row.strip("| ").split(" | ")
    words = [frozenset(re.split(" → |; |, ", cell)) for cell in cells]
    return name, [each - {AS_USUAL, *GONE} for each in words]


def summary(rows: Sequence[str]) -> str:
    """Return how much was tried, and how much of it was wrong."""
    cells = [
        cell
        for row in rows
        for cell in row.strip("| ").split(" | ")[1:]
        if cell != _NOT_INJECTED
    ]
    wrong = sum(WRONG in cell for cell in cells)
    return f"**{len(rows)} faults, {len(cells)} cells, {wrong} wrong states.**"


def written(rows: Sequence[str]) -> str:
    """Return the page; `rows` are in the order of ROWS."""
    return "\n".join(_page(rows))


def _page(rows: Sequence[str]) -> Iterator[str]:
    yield _INTRODUCTION
    yield from _columns()
    yield summary(rows)
    yield ""
    by_level = groupby(zip(ROWS, rows, strict=True), key=lambda pair: pair[0].level)
    for level, pairs in by_level:
        titles = " | ".join(column.title for column in COLUMNS)
        yield f"## {level}"
        yield ""
        yield f"| Fault | {titles} |"
        yield "|---" * (len(COLUMNS) + 1) + "|"
        yield from (line for _, line in pairs)
        yield ""


def _columns() -> Iterator[str]:
    yield "| Column | What fails |"
    yield "|---|---|"
    for column in COLUMNS:
        paths = ", ".join(f"`{path}`" for path in column.paths)
        entry = "a key and its account" if column.has_account else "a key alone"
        yield f"| {column.title} | {paths}, of an entry with {entry} |"
    yield ""


def main() -> None:
    """Write the page from what the tests kept in a folder, and print it."""
    folder = Path(sys.argv[1])
    rows = [
        json.loads((folder / f"{number}.json").read_text())
        for number in range(len(ROWS))
    ]
    page = written(rows)
    PAGE.write_text(page)
    sys.stdout.write(page)


if __name__ == "__main__":
    main()
