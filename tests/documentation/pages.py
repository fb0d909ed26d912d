"""The pages that people read, and what the integration says to them."""

from itertools import groupby
import json
from pathlib import Path
import re
from typing import Any, Final

import pytest
import yaml

from custom_components.new_api.const import DOMAIN
from custom_components.new_api.issues import Issue
from tests.reader import LANGUAGES

ROOT: Final = Path(__file__).parents[2]

# English stands in files without a suffix.
SUFFIXES: Final = {"en": "", "zh-Hans": ".zh-Hans"}

FIGURES: Final = "docs/figures"
PAGES: Final = ("README", FIGURES, *(f"docs/repairs/{issue}" for issue in Issue))

# In raw quota of the simulated sites.
DOLLAR: Final = 500_000

languages = pytest.mark.parametrize("language", LANGUAGES)


def page(name: str, language: str) -> str:
    """Return a page in a language."""
    return (ROOT / f"{name}{SUFFIXES[language]}.md").read_text()


def texts(language: str) -> Any:
    """Return what the integration says in a language."""
    path = ROOT / "custom_components" / DOMAIN / "translations" / f"{language}.json"
    return json.loads(path.read_text())


def tables(text: str) -> list[list[list[str]]]:
    """Return the tables of a page: rows of cells, without the line below the head."""
    return [
        [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in lines
            if not line.startswith("|--")
        ]
        for is_table, lines in groupby(text.splitlines(), lambda x: x.startswith("|"))
        if is_table
    ]


def table_with(cell: str, language: str) -> list[list[str]]:
    """Return the rows of the table of the README that has a cell, without its head."""
    (found,) = (
        each
        for each in tables(page("README", language))
        if any(cell in row for row in each)
    )
    return found[1:]


def table_headed(head: str, name: str, language: str) -> list[list[str]]:
    """Return the rows of the table of a page whose first column is called so."""
    (found,) = (each for each in tables(page(name, language)) if each[0][0] == head)
    return found[1:]


def code_of(language: str) -> list[dict[str, Any]]:
    """Return the examples of the README that a person can copy."""
    text = page("README", language)
    return [
        yaml.safe_load(each)
        for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    ]
