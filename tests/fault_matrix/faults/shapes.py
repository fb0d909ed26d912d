"""JSON that is not in the shape that a gateway gives it."""

from decimal import Decimal
from typing import Final

from tests.fault_matrix.columns import ACCOUNT, Figure
from tests.fault_matrix.replies import every, every_number, in_data, said
from tests.fault_matrix.truth import Value
from tests.home import HOURLY, Site
from tests.simulator import Fault, Rewrite

from .row import Level, Row, same


def _fractions(_site: Site, path: str) -> Fault | None:
    # A divisor may be one.
    return None if path == "/api/status" else every_number("1234.5")


def _no_models(figure: Figure, _value: Value) -> Value | None:
    # Older servers say null where an account has none (gateway_api.md 6.2).
    return Decimal(0) if figure == (ACCOUNT, "Model count") else None


# Where a site does not say that it has a check-in and monitors, it has none.
OFFERED: Final = frozenset({"status", "all", "all, key alone"})

SHAPES: Final = (
    Row(name="text for numbers", level=Level.SHAPE, make=same(every(int | float, str))),
    Row(
        name="null for numbers",
        level=Level.SHAPE,
        make=same(every(int | float, lambda _: None)),
    ),
    Row(
        name="lists for numbers",
        level=Level.SHAPE,
        make=same(every(int | float, lambda number: [number])),
    ),
    Row(
        name="objects for numbers",
        level=Level.SHAPE,
        make=same(every(int | float, lambda number: {"value": number})),
    ),
    Row(
        name="true for numbers",
        level=Level.SHAPE,
        make=same(every(int | float, lambda _: True)),
    ),
    Row(name="numbers for text", level=Level.SHAPE, make=same(every(str, len))),
    Row(
        name="null for text",
        level=Level.SHAPE,
        make=same(every(str, lambda _: None)),
    ),
    Row(
        name="text for yes and no",
        level=Level.SHAPE,
        make=same(every(bool, str)),
        missing=OFFERED,
    ),
    Row(
        name="null for yes and no",
        level=Level.SHAPE,
        make=same(every(bool, lambda _: None)),
        missing=OFFERED,
    ),
    Row(
        name="null for everything",
        level=Level.SHAPE,
        make=same(every(object, lambda _: None)),
        missing=OFFERED,
    ),
    Row(name="NaN", level=Level.SHAPE, make=same(every_number("NaN"))),
    Row(name="Infinity", level=Level.SHAPE, make=same(every_number("-Infinity"))),
    Row(name="1e308", level=Level.SHAPE, make=same(every_number("1e308"))),
    Row(name="1e999", level=Level.SHAPE, make=same(every_number("1e999"))),
    Row(
        name="beyond 2^63",
        level=Level.SHAPE,
        make=same(every_number(str(2**63 + 1))),
    ),
    Row(
        name="a number of 10 000 digits",
        level=Level.SHAPE,
        make=same(every_number("9" * 10_000)),
    ),
    Row(name="fractions", level=Level.SHAPE, make=_fractions),
    Row(name="no data", level=Level.SHAPE, make=same(said(200, {"success": True}))),
    Row(
        name="data null",
        level=Level.SHAPE,
        make=same(in_data(lambda _: None)),
        also=_no_models,
        recovery=(HOURLY,),
    ),
    Row(
        name="data a list of null",
        level=Level.SHAPE,
        make=same(in_data(lambda _: [None])),
    ),
    Row(
        name="data an empty object", level=Level.SHAPE, make=same(in_data(lambda _: {}))
    ),
    # Another text would be another notice.
    Row(name="data a text", level=Level.SHAPE, make=same(in_data(lambda _: ""))),
    Row(name="a list", level=Level.SHAPE, make=same(Rewrite(lambda reply: [reply]))),
    Row(name="null", level=Level.SHAPE, make=same(said(200, None))),
    Row(
        name="another program's JSON",
        level=Level.SHAPE,
        make=same(said(200, {"status": "ok"})),
    ),
)
