"""Pages have the same in all languages, and links lead somewhere."""

from collections.abc import Iterator
from pathlib import Path
import re

import pytest

from tests.reader import LANGUAGES

from .pages import PAGES, ROOT, SUFFIXES, languages, page


def shape(text: str) -> Iterator[str]:
    """Go through what pages in two languages have in common."""
    code = False
    for line in text.splitlines():
        if line.startswith("```"):
            code = not code
            yield line
        elif code:
            # What is said in it is in the language of the page.
            yield re.sub(r"(alias|message): .*|#.*", r"\1", line).rstrip()
        elif line.startswith("|"):
            yield f"row of {line.count('|') - 1}"
        elif line.strip() and not re.match(r"\[(English|中文).*\]\(", line):
            kind = re.match(r"#+ |- |\d+\. |", line)
            yield f"{kind[0] if kind else ''}{linked(line)}"


def linked(line: str) -> list[str]:
    """Return where a line leads, whatever the language of that page is."""
    return [
        re.sub(r"#.*", "#", target).replace(".zh-Hans.md", ".md")
        for target in re.findall(r"\]\(([^)]+)\)", line)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_pages_have_the_same_in_all_languages(name: str) -> None:
    """Headings, paragraphs, rows, examples and links are the same."""
    english, *others = (list(shape(page(name, language))) for language in LANGUAGES)
    for other in others:
        assert other == english


@languages
@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str, language: str) -> None:
    """Each file and each heading that a page leads to is there."""
    where = ROOT / f"{name}{SUFFIXES[language]}.md"
    text = page(name, language)
    for target in re.findall(r"\]\(([^)]+)\)|(?:src|srcset)=\"([^\"]+)\"", text):
        file, _, heading = "".join(target).partition("#")
        if "://" in file or file == "../../../../issues":
            continue
        there = where.parent / file if file else where
        assert there.is_file(), file
        if heading:
            assert heading in headings_of(there), target


def headings_of(path: Path) -> set[str]:
    """Return the headings of a page, as links call them."""
    return {
        re.sub(r"[^\w\- ]", "", heading).replace(" ", "-").lower()
        for heading in re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    }
