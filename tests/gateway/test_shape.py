"""Shapes: enough to see what is odd about a reply, and nothing that it says."""

import ast
from decimal import Decimal
import json
from pathlib import Path
from typing import Any, Final

from hypothesis import given, strategies as st
import pytest

from custom_components.new_api import gateway as package
from custom_components.new_api.gateway.shape import _KNOWN_FIELDS, Shape, shape_of

# What reads a field of a reply, by the place of the name among its arguments.
_READERS: Final = {
    "get": 0,
    "_count": 1,
    "_if_said": 1,
    "_object": 1,
    "read_count": 1,
    "read_decimal": 1,
    "read_expiry": 1,
    "read_flag": 1,
    "read_integer": 1,
    "read_name": 1,
    "read_text": 1,
}
_READING: Final = (
    "billing.py",
    "client.py",
    "fields.py",
    "models.py",
    "news.py",
    "offers.py",
    "pages.py",
    "plans.py",
    "transport.py",
    "usage.py",
)

_MOST_CHARACTERS: Final = 64_000


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (None, "null"),
        (True, "boolean"),
        (0, "integer(1)"),
        (-45_005_000, "integer(8)"),
        (Decimal("7.30"), "number(3)"),
        ("", "text(0)"),
        ("额度", "text(2)"),
        ({}, "object(0)"),
        ([], "list(0)"),
        ({"gpt-5": 1, "wang@example.org": 2}, "object(2)"),
        (
            {"success": True, "secret": "no", "data": {"quota": "many"}},
            {
                "object": 3,
                "fields": {
                    "data": {"object": 1, "fields": {"quota": "text(4)"}},
                    "success": "boolean",
                },
            },
        ),
        (["a", "b"], {"list": 2, "items": ["text(1)"]}),
    ],
)
def test_shape(value: Any, shape: Shape) -> None:
    """Types and lengths can be seen, and the names of fields that the client reads."""
    assert shape_of(value) == shape


def test_the_odd_one_out_is_seen() -> None:
    """Among items of one shape, the one that differs is shown."""
    items: list[dict[str, Any]] = [{"id": 10**number} for number in range(40)]
    items[30]["id"] = None
    shape = shape_of(items)
    assert shape == {
        "list": 40,
        "items": [
            {"object": 1, "fields": {"id": "integer(1)"}},
            {"object": 1, "fields": {"id": "null"}},
        ],
    }


names = st.sampled_from(sorted(_KNOWN_FIELDS)) | st.text(max_size=20)


@st.composite
def replies(draw: st.DrawFn) -> tuple[Any, list[str]]:
    """Give JSON, and the secrets in its names and texts."""
    secrets: list[str] = []

    def planted(letters: str) -> str:
        secrets.append(letters)
        return letters

    secret = st.text("ghjklmnpqrstvwxyz0123456789", min_size=16, max_size=64).map(
        planted
    )
    leaves = st.none() | st.booleans() | st.integers() | secret | st.text()
    value = draw(
        st.recursive(
            leaves | st.decimals(allow_nan=False, allow_infinity=False),
            lambda inner: (
                st.lists(inner, max_size=8)
                | st.dictionaries(names | secret, inner, max_size=8)
            ),
            max_leaves=60,
        )
    )
    return value, secrets


@given(replies())
def test_nothing_that_was_said(reply: tuple[Any, list[str]]) -> None:
    """No text of a reply and no name that the client does not know gets through."""
    value, secrets = reply
    told = json.dumps(shape_of(value), ensure_ascii=False)
    assert not [secret for secret in secrets if secret in told]
    assert set(_names(shape_of(value))) <= _KNOWN_FIELDS


def _names(shape: Shape) -> list[str]:
    if isinstance(shape, str):
        return []
    fields: dict[str, Shape] = shape.get("fields", {})
    inner = [*fields.values(), *shape.get("items", [])]
    return [*fields, *(name for each in inner for name in _names(each))]


@pytest.mark.parametrize("levels", range(1, 9))
def test_size_is_bounded(levels: int) -> None:
    """Whatever a site sends, a shape fits into a report."""
    value: Any = "x" * 1_000_000
    for _ in range(levels):
        # The same object again and again, so this is far larger than memory.
        value = [dict.fromkeys(sorted(_KNOWN_FIELDS), value)] * 1_000
    assert len(json.dumps(shape_of(value))) < _MOST_CHARACTERS


def test_depth_is_bounded() -> None:
    """What is nested deeper than Python can go is no trouble."""
    value: Any = []
    for _ in range(100_000):
        value = [value]
    assert len(json.dumps(shape_of(value))) < _MOST_CHARACTERS


def test_every_field_that_is_read_is_known() -> None:
    """A field that the client reads is one that a shape shows."""
    folder = Path(package.__path__[0])
    read = {
        name.value
        for module in _READING
        for node in ast.walk(ast.parse((folder / module).read_text()))
        if isinstance(name := _name_read_by(node), ast.Constant)
        and isinstance(name.value, str)
    }
    assert {"quota", "items", "PaymentUSDRate", "hard_limit_usd", "Day"} <= read
    assert read <= _KNOWN_FIELDS


def _name_read_by(node: ast.AST) -> ast.expr | None:
    """Return what stands where code names a field of a reply."""
    match node:
        case (
            ast.Subscript(slice=name)
            | ast.Compare(left=name, ops=[ast.In()], comparators=[ast.Name(id="data")])
        ):
            return name
        case ast.Call(func=ast.Name(id=reader) | ast.Attribute(attr=reader), args=args):
            place = _READERS.get(reader, len(args))
            return args[place] if place < len(args) else None
    return None
