"""Raw quota, what a site shows for it, and what its billing says for it."""

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
import json

from hypothesis import example, given, strategies as st
import pytest

from custom_components.new_api.gateway.money import Unit, UnitKind

# What a site is set up with: the divisor and the rate, as `/api/status` writes them.
DIVISORS = ["500000", "1000000", "700000", "1", "0.3", "123456.789", "5e+06"]
RATES = ["7.3", "7.2", "1", "0.85", "6.8954", "150.37"]

type MakeUnit = Callable[[Decimal, Decimal], Unit]
type GoBilling = Callable[[int, float, float], float]

# Each display type: our unit, and what Go computes for the billing endpoints in float64
# (gateway_api.md 3.3). Python's floats are the same doubles.
DISPLAY_TYPES: dict[str, tuple[MakeUnit, GoBilling]] = {
    "USD": (
        lambda divisor, _rate: Unit.usd(divisor),
        lambda raw, divisor, _rate: float(raw) / divisor,
    ),
    "CNY": (
        Unit.cny,
        lambda raw, divisor, rate: float(raw) / divisor * rate,
    ),
    "TOKENS": (
        lambda _divisor, _rate: Unit.tokens(),
        lambda raw, _divisor, _rate: float(raw),
    ),
    "CUSTOM": (
        lambda divisor, rate: Unit.custom(divisor, rate, "₭"),
        lambda raw, divisor, _rate: float(raw) / divisor,
    ),
}


def on_the_wire(number: float) -> Decimal:
    """Return what is read of a double, which JSON writes in as few digits as it can."""
    return Decimal(json.dumps(number))


def billed(
    display_type: str, raw: int, divisor: str, rate: str
) -> tuple[int | None, int | None]:
    """Send raw quota through a server's billing, as a limit and as hundredths used."""
    make, bill = DISPLAY_TYPES[display_type]
    unit = make(Decimal(divisor), Decimal(rate))
    amount = bill(raw, float(divisor), float(rate))
    return (
        unit.raw_from_billing(on_the_wire(amount)),
        unit.raw_from_billing(on_the_wire(amount * 100) / 100),
    )


@pytest.mark.parametrize("display_type", DISPLAY_TYPES)
@given(
    raw=st.integers(-(2**49) + 1, 2**49 - 1),
    divisor=st.sampled_from(DIVISORS),
    rate=st.sampled_from(RATES),
)
def test_billing_brings_raw_quota_back(
    display_type: str, raw: int, divisor: str, rate: str
) -> None:
    """What a server makes doubles of comes back as the same raw quota.

    Six roundings of half a unit in the last place, of the divisor, the rate, the three
    operations and the text, stay below half a unit of raw quota up to 2**49.
    """
    assert billed(display_type, raw, divisor, rate) == (raw, raw)


@pytest.mark.parametrize(
    ("display_type", "raw", "divisor", "rate"),
    [
        ("CNY", 2232489510435539, "500000", "7.3"),
        ("CNY", 2251507217476680, "1000000", "7.3"),
        ("USD", 2206575229776859, "0.3", "1"),
    ],
)
def test_billing_is_right_or_silent(
    display_type: str, raw: int, divisor: str, rate: str
) -> None:
    """Where a double no longer tells the unit, nothing is better than a wrong one."""
    for came_back in billed(display_type, raw, divisor, rate):
        assert came_back in (raw, None)


@pytest.mark.parametrize("raw", [2**53, -(2**53), 10**18, 2**63])
@pytest.mark.parametrize("display_type", DISPLAY_TYPES)
def test_billing_of_too_much(display_type: str, raw: int) -> None:
    """Beyond what doubles tell apart, billing says nothing."""
    assert billed(display_type, raw, "500000", "7.3") == (None, None)


@pytest.mark.parametrize("display_type", DISPLAY_TYPES)
@given(
    raw=st.integers(-(2**63), 2**63),
    divisor=st.sampled_from(DIVISORS),
    rate=st.sampled_from(RATES),
)
def test_amount_is_exact(display_type: str, raw: int, divisor: str, rate: str) -> None:
    """An amount that can be written out is written out, to the last digit."""
    unit = DISPLAY_TYPES[display_type][0](Decimal(divisor), Decimal(rate))
    right = {
        "USD": raw / Fraction(divisor),
        "CNY": raw / Fraction(divisor) * Fraction(rate),
        "TOKENS": Fraction(raw),
        "CUSTOM": raw / Fraction(divisor) * Fraction(rate),
    }[display_type]
    amount = unit.amount(raw)
    assert amount is not None
    if divisor in ("700000", "0.3", "123456.789"):
        # Most of these never end: they are rounded, far below what anybody pays.
        assert abs(Fraction(amount) - right) <= Fraction(1, 2 * 10**12)
    else:
        assert Fraction(amount) == right


@given(raw=st.integers(-(2**63), 2**63))
def test_amount_does_not_mind_the_context(raw: int) -> None:
    """Nobody's precision rounds an amount."""
    unit = Unit.cny(Decimal(500_000), Decimal("7.3"))
    with localcontext(prec=3):
        rounded = unit.amount(raw)
    assert rounded == unit.amount(raw)


@pytest.mark.parametrize(
    ("unit", "raw", "text"),
    [
        (Unit.usd(Decimal(500_000)), 45_005_000, "90.01"),
        (Unit.usd(Decimal(500_000)), 101_150_000, "202.30"),
        (Unit.usd(Decimal(500_000)), 0, "0.00"),
        (Unit.usd(Decimal(500_000)), 500_000, "1.00"),
        (Unit.usd(Decimal(500_000)), 1, "0.000002"),
        (Unit.usd(Decimal(500_000)), -123_456, "-0.246912"),
        (Unit.usd(Decimal(500_000)), 2_000_000_000, "4000.00"),
        (Unit.usd(Decimal(500_000)), 2**63, "18446744073709.551616"),
        (Unit.usd(Decimal(700_000)), 1, "0.000001428571"),
        (Unit.usd(Decimal("0.5")), 7, "14.00"),
        (Unit.cny(Decimal(500_000), Decimal("7.2")), 45_005_000, "648.072"),
        (Unit.cny(Decimal(500_000), Decimal("7.3")), 1, "0.0000146"),
        (Unit.custom(Decimal(500_000), Decimal("0.85"), "₭"), 45_005_000, "76.5085"),
        (Unit.tokens(), 45_005_000, "45005000"),
        (Unit.tokens(), -1, "-1"),
        (Unit.tokens(), 0, "0"),
    ],
)
def test_amount_as_text(unit: Unit, raw: int, text: str) -> None:
    """An amount has at least the places of money, and as many more as it needs."""
    assert f"{unit.amount(raw):f}" == text


@pytest.mark.parametrize("divisor", [None, Decimal(0), Decimal(-1), Decimal("-0.5")])
def test_no_usable_divisor(divisor: Decimal | None) -> None:
    """Without a divisor nothing is shown, but by those who show raw quota."""
    for unit in (
        Unit.usd(divisor),
        Unit.cny(divisor, Decimal("7.3")),
        Unit.custom(divisor, Decimal(1), "¤"),
    ):
        assert unit.amount(1) is None
        assert unit.raw_from_billing(Decimal(1)) is None
    assert Unit.tokens().amount(7) == Decimal(7)
    assert Unit.tokens().raw_from_billing(Decimal(7)) == 7


@pytest.mark.parametrize("rate", [None, Decimal(0), Decimal(-1)])
def test_no_usable_rate(rate: Decimal | None) -> None:
    """Yuan need a rate; servers take a custom one that is not positive for 1 (3.2)."""
    yuan = Unit.cny(Decimal(500_000), rate)
    assert yuan.amount(1) is None
    assert yuan.raw_from_billing(Decimal(1)) is None
    if rate is not None:
        custom = Unit.custom(Decimal(500_000), rate, "¤")
        assert custom.amount(1_000_000) == Decimal(2)


def test_unreadable_custom_rate() -> None:
    """A custom currency whose rate nobody knows shows nothing."""
    assert Unit.custom(Decimal(500_000), None, "¤").amount(1_000_000) is None


def test_kinds() -> None:
    """Dollars and yuan are currencies, the others are not."""
    usd, cny = Unit.usd(Decimal(1)), Unit.cny(Decimal(1), Decimal(7))
    assert (usd.kind, usd.code, usd.symbol) == (UnitKind.CURRENCY, "USD", "$")
    assert (cny.kind, cny.code, cny.symbol) == (UnitKind.CURRENCY, "CNY", "¥")
    custom = Unit.custom(Decimal(1), Decimal(1), "₭")
    assert (custom.kind, custom.code, custom.symbol) == (UnitKind.CUSTOM, None, "₭")
    tokens = Unit.tokens()
    assert (tokens.kind, tokens.code, tokens.symbol) == (UnitKind.TOKENS, None, None)


def test_unknown_display_type() -> None:
    """In a unit that nobody knows yet, nothing is shown and nothing understood."""
    unit = Unit.unknown()
    assert (unit.kind, unit.code, unit.symbol) == (UnitKind.CUSTOM, None, None)
    assert unit.amount(1) is None
    assert unit.raw_from_billing(Decimal(1)) is None


@pytest.mark.parametrize(
    "unit",
    [
        Unit.usd(Decimal(500_000)),
        Unit.cny(Decimal(500_000), Decimal("7.3")),
        Unit.custom(Decimal(500_000), Decimal(2), "¤"),
        Unit.tokens(),
        Unit.unknown(),
    ],
)
def test_no_quota(unit: Unit) -> None:
    """What is not known is not shown."""
    assert unit.amount(None) is None


@given(
    value=st.decimals(allow_nan=False, allow_infinity=False, places=20)
    | st.sampled_from([Decimal("1e308"), Decimal("-1e308"), Decimal("1e-308")]),
    divisor=st.decimals(allow_nan=False, allow_infinity=False),
)
@example(value=Decimal(1), divisor=Decimal("1e-300"))
@example(value=Decimal("1e300"), divisor=Decimal("1e300"))
def test_any_numbers(value: Decimal, divisor: Decimal) -> None:
    """Whatever a site says, there is an amount or none, and never an accident."""
    unit = Unit.usd(divisor)
    raw = unit.raw_from_billing(value)
    assert raw is None or abs(raw) < 2**51
    assert (unit.amount(raw) is None) == (raw is None)
