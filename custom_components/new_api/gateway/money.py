"""Raw quota and what a site shows for it (gateway_api.md 3).

Raw quota is an integer everywhere. Amounts are made from it at the very end, and
the floats of the billing endpoints become raw quota as soon as they arrive.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, Self

# What a site that does not say has (gateway_api.md 3.1, 3.2).
DEFAULT_QUOTA_PER_UNIT: Final = Decimal(500_000)
DEFAULT_USD_EXCHANGE_RATE: Final = Decimal("7.3")
DEFAULT_CUSTOM_SYMBOL: Final = "¤"

# A server makes its double in up to six roundings. Beyond this they add up to half a
# unit, and a raw quota read from it might be off by one.
_LARGEST_EXACT: Final = 2**49

# Of an amount that no decimal number, or none of a sane length, can write out.
_PLACES: Final = 12
_MOST_PLACES: Final = 30


class UnitKind(StrEnum):
    """How a site counts quota in front of people."""

    CURRENCY = "currency"
    TOKENS = "tokens"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit in which a site shows quota, and the way from and to raw quota.

    `per_raw` is the shown amount of one raw unit and `billing_per_raw` what the
    billing endpoints say for it; None where the site gives no usable number for it.
    """

    kind: UnitKind
    code: str | None
    symbol: str | None
    per_raw: Fraction | None
    billing_per_raw: Fraction | None

    @classmethod
    def tokens(cls) -> Self:
        """Return the unit of a site that shows raw quota."""
        return cls(UnitKind.TOKENS, None, None, Fraction(1), Fraction(1))

    @classmethod
    def usd(cls, quota_per_unit: Decimal | None) -> Self:
        """Return the unit of a site that shows US dollars."""
        dollar = _share(quota_per_unit)
        return cls(UnitKind.CURRENCY, "USD", "$", dollar, dollar)

    @classmethod
    def cny(cls, quota_per_unit: Decimal | None, rate: Decimal | None) -> Self:
        """Return the unit of a site that shows yuan at `rate` per dollar.

        Its billing endpoints speak of yuan too (gateway_api.md 3.3).
        """
        dollar = _share(quota_per_unit)
        yuan = (
            dollar * Fraction(rate)
            if dollar is not None and rate is not None and rate > 0
            else None
        )
        return cls(UnitKind.CURRENCY, "CNY", "¥", yuan, yuan)

    @classmethod
    def custom(
        cls, quota_per_unit: Decimal | None, rate: Decimal | None, symbol: str
    ) -> Self:
        """Return the unit of a site with a currency of its own.

        Servers take a rate that is not positive for 1. The billing endpoints ignore
        the rate and speak of dollars (gateway_api.md 3.2, 3.3).
        """
        dollar = _share(quota_per_unit)
        shown = (
            dollar * Fraction(rate if rate > 0 else 1)
            if dollar is not None and rate is not None
            else None
        )
        return cls(UnitKind.CUSTOM, None, symbol, shown, dollar)

    @classmethod
    def unknown(cls) -> Self:
        """Return the unit of a site whose display type nobody knows yet."""
        return cls(UnitKind.CUSTOM, None, None, None, None)

    @property
    def label(self) -> str | None:
        """Return how the unit is called: its code, its symbol, or tokens.

        Sites that show raw quota call it so, though it is not a model's tokens.
        """
        if self.kind is UnitKind.TOKENS:
            return "tokens"
        return self.code or self.symbol

    def amount(self, raw: int | None) -> Decimal | None:
        """Return what the site shows for raw quota, to the last digit.

        An amount that never ends (a divisor such as 700 000) is rounded to 12 places.
        """
        if raw is None or self.per_raw is None:
            return None
        exact = raw * self.per_raw
        if self.kind is UnitKind.TOKENS:
            return Decimal(exact.numerator)
        places = _decimal_places(exact.denominator)
        scaled = round(exact * 10**places)
        # Made from text, since arithmetic would round to the context's 28 digits.
        return Decimal(f"{scaled}E-{places}")

    def raw_from_billing(self, value: Decimal) -> int | None:
        """Return the raw quota behind a number of the billing endpoints.

        None where the site gives no usable divisor, or the number is so large that
        a double no longer says which unit is meant.
        """
        if not self.billing_per_raw:
            return None
        raw = round(Fraction(value) / self.billing_per_raw)
        return raw if abs(raw) < _LARGEST_EXACT else None


def _share(quota_per_unit: Decimal | None) -> Fraction | None:
    if quota_per_unit is None or quota_per_unit <= 0:
        return None
    return 1 / Fraction(quota_per_unit)


def _decimal_places(denominator: int) -> int:
    """Return how many places write out a fraction, at least 2 as for money."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator //= 2
        twos += 1
    while denominator % 5 == 0:
        denominator //= 5
        fives += 1
    if denominator != 1 or max(twos, fives) > _MOST_PLACES:
        return _PLACES
    return max(2, twos, fives)
