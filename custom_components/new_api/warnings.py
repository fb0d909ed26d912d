"""What a person wants to be warned of, and when that is the case."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry

from .const import (
    CONF_EXPIRES_SOON,
    CONF_LOW_BALANCE,
    CONF_LOW_BALANCE_DAYS,
    CONF_LOW_KEY,
    CONF_LOW_KEY_DAYS,
    CONF_UNIT,
    CONF_WARNINGS,
)
from .forecast import Forecast
from .gateway.money import Unit

# By how much more than the threshold there has to be before a warning ends, so that it
# does not come and go with every request: a twentieth of an amount, a tenth of a time,
# which is only a forecast.
_AMOUNT_AGAIN: Final = Decimal("1.05")
_DAYS_AGAIN: Final = Decimal("1.1")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """At or below which amount, in the unit of the site, and time there is a warning.

    None where a person wants no warning. `is_foreign` tells that there is an amount in
    another unit, of which nobody knows how much it is in this one.
    """

    amount: Decimal | None = None
    days: Decimal | None = None
    is_foreign: bool = False

    @classmethod
    def of_account(cls, entry: ConfigEntry, unit: Unit) -> Thresholds:
        """Return those for the balance of the account."""
        return cls._read(entry, unit, CONF_LOW_BALANCE, CONF_LOW_BALANCE_DAYS)

    @classmethod
    def of_keys(cls, entry: ConfigEntry, unit: Unit) -> Thresholds:
        """Return those for the limit of each key."""
        return cls._read(entry, unit, CONF_LOW_KEY, CONF_LOW_KEY_DAYS)

    @classmethod
    def _read(
        cls, entry: ConfigEntry, unit: Unit, amount: str, days: str
    ) -> Thresholds:
        options = entry.options.get(CONF_WARNINGS, {})
        threshold = _decimal(options.get(amount))
        # Five dollars are not five yuan, if the site counts in those now.
        is_foreign = threshold is not None and options.get(CONF_UNIT) != unit.label
        return cls(
            None if is_foreign else threshold, _decimal(options.get(days)), is_foreign
        )

    def as_text(self) -> str:
        """Return a text that is another one for others."""
        return f"{self.amount} {self.days}"

    def are_low(
        self, amount: Decimal | None, forecast: Forecast | None, *, was_low: bool
    ) -> bool | None:
        """Tell whether an amount or the time that it lasts is low.

        None where neither is known. Who gives no threshold is not warned.
        """
        if self.amount is None and self.days is None:
            return None if self.is_foreign else False
        days = None if forecast is None else Decimal(forecast.days_left)
        verdicts = (
            _is_low(amount, self.amount, _AMOUNT_AGAIN if was_low else Decimal(1)),
            _is_low(days, self.days, _DAYS_AGAIN if was_low else Decimal(1)),
        )
        return _any(verdicts)


def days_before_expiry(entry: ConfigEntry) -> float | None:
    """Return how long before a key expires a person wants to know."""
    days: float | None = entry.options.get(CONF_WARNINGS, {}).get(CONF_EXPIRES_SOON)
    return days


def _is_low(
    value: Decimal | None, threshold: Decimal | None, factor: Decimal
) -> bool | None:
    if value is None or threshold is None:
        return None
    return value <= threshold * factor


def _any(verdicts: Iterable[bool | None]) -> bool | None:
    known = [verdict for verdict in verdicts if verdict is not None]
    return any(known) if known else None


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
