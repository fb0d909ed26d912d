"""The page that is committed is whole."""

from .faults import ROWS
from .page import committed, rows_of, summary, written


def test_page_has_every_fault() -> None:
    """Each fault has its line, and nothing else has one."""
    rows = rows_of(committed())
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [
        row.name for row in ROWS
    ]


def test_page_counts_what_it_shows() -> None:
    """The page is what `scripts/fault-matrix` writes of these lines."""
    rows = rows_of(committed())
    assert summary(rows) in committed()
    assert "\n".join(committed()) + "\n" == written(rows)


def test_faults_have_names_of_their_own() -> None:
    """No fault of a kind is named twice, so that each has its line."""
    names = [(row.level, row.name) for row in ROWS]
    assert len(set(names)) == len(names)
