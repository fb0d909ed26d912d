"""Counts what is right of all that was recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import sys

import pytest


@dataclass(slots=True)
class Cells:
    """The cells of a table of expectations: one question about one subject each."""

    right: int = 0
    all: int = 0

    @contextmanager
    def cell(self, subtests: pytest.Subtests, name: str) -> Iterator[None]:
        """Check one cell; a wrong one does not keep the next from being checked."""
        self.all += 1
        with subtests.test(name):
            yield
            self.right += 1

    def report(self, asked: str, recorded: int, request: pytest.FixtureRequest) -> None:
        """Print how many cells are right, and check that none was left out.

        Skips where only a part of the tests was selected.
        """
        capture = request.getfixturevalue("capsys")
        with capture.disabled():
            sys.stdout.write(
                f"\n{asked}: {self.right} of {self.all} recorded cells right\n"
            )
        config = request.config
        if config.getoption("keyword") or any("::" in path for path in config.args):
            pytest.skip("Only a part of the recorded cells was asked for")
        assert (self.right, self.all) == (recorded, recorded)
