"""Finds secrets in texts, however they are written there."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import quote

SHOWN_AT_MOST: Final = 8
"""So many characters of a secret in a row are a leak."""

# Whatever has eight characters of a secret, has five of them in a row that begin at
# a multiple of four: the text can be skimmed for those in steps of four.
_STEP: Final = 4
_SAMPLE: Final = SHOWN_AT_MOST - _STEP + 1

_AROUND: Final = 60
_MASK: Final = "█"


@dataclass(frozen=True, slots=True)
class Secret:
    """What must not get out; `only_whole` where parts of it are no secret."""

    name: str
    value: str
    only_whole: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A secret in a text, told without it."""

    secret: str
    form: str
    excerpt: str

    def __str__(self) -> str:
        """Tell what was found."""
        return f"{self.secret} ({self.form}): {self.excerpt!r}"


class Search:
    """Looks for secrets: for parts of eight characters of everything they can be."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        """Prepare to look for these."""
        self._parts: dict[str, tuple[str, str]] = {}
        self._wholes: dict[str, tuple[str, str]] = {}
        self._samples: set[str] = set()
        for secret in secrets:
            parts, wholes, samples = _prepared(secret)
            self._parts.update(parts)
            self._wholes.update(wholes)
            self._samples.update(samples)

    def find(self, text: str) -> Hit | None:
        """Return the first secret in the text."""
        if self._is_clean(text):
            return None
        places = [*self._places(text)]
        if not places:
            return None
        first, _, (name, form) = min(places)
        masked = list(text)
        for start, end, _ in places:
            masked[start:end] = _MASK * (end - start)
        excerpt = masked[max(0, first - _AROUND) : first + 2 * _AROUND]
        return Hit(name, form, "".join(excerpt))

    def _is_clean(self, text: str) -> bool:
        """Tell quickly of most texts that there is nothing in them."""
        samples = {text[i : i + _SAMPLE] for i in range(0, len(text), _STEP)}
        return samples.isdisjoint(self._samples) and not any(
            whole in text for whole in self._wholes
        )

    def _places(self, text: str) -> Iterator[tuple[int, int, tuple[str, str]]]:
        for start in range(len(text) - SHOWN_AT_MOST + 1):
            end = start + SHOWN_AT_MOST
            if found := self._parts.get(text[start:end]):
                yield start, end, found
        for whole, found in self._wholes.items():
            start = text.find(whole)
            while start >= 0:
                yield start, start + len(whole), found
                start = text.find(whole, start + 1)


def _windows(text: str, length: int) -> Iterator[str]:
    return (text[i : i + length] for i in range(len(text) - length + 1))


@cache
def _prepared(
    secret: Secret,
) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]], frozenset[str]]:
    """Return what to look for: in parts, only whole, and first of all."""
    parts: dict[str, tuple[str, str]] = {}
    wholes: dict[str, tuple[str, str]] = {}
    samples: set[str] = set()
    for form, text in _forms(secret.value, "" if secret.only_whole else "sk-"):
        if secret.only_whole and not form.startswith("base64"):
            wholes[text] = secret.name, form
            continue
        for part in _windows(text, SHOWN_AT_MOST):
            parts.setdefault(part, (secret.name, form))
        samples.update(_windows(text, _SAMPLE))
    return parts, wholes, frozenset(samples)


def _forms(bare: str, prefix: str) -> tuple[tuple[str, str], ...]:
    """Return what a secret can look like, each with its name."""
    whole = prefix + bare
    encoded = quote(whole, safe="")
    # Of those that look the same, the last is the name.
    forms = {
        quote(encoded, safe=""): "URL-encoded twice",
        encoded.lower(): "URL-encoded, lower-cased",
        encoded: "URL-encoded",
        # What is made an entity id is first made small.
        bare.lower(): "lower-cased",
        whole: "as it is",
    }
    raw = bare.encode()
    for before in range(3):
        # It stands behind other text, "Bearer sk-" for one, and before other text: the
        # characters that hold a bit of that are left out.
        known = slice(-(-before * 8 // 6), (before + len(raw)) * 8 // 6)
        padded = bytes(before) + raw
        forms[urlsafe_b64encode(padded).decode()[known]] = "base64 for URLs"
        forms[b64encode(padded).decode()[known]] = "base64"
    return tuple((form, text) for text, form in reversed(forms.items()))
