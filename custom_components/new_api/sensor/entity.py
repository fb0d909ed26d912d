"""What the sensors have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)

from ..coordinator import Amount, NewApiCoordinator, SiteCoordinator
from ..entity import NewApiEntity, Reading
from ..gateway.money import Unit, UnitKind

type Value = str | int | float | Decimal | datetime


@dataclass(frozen=True, kw_only=True)
class NewApiSensorDescription[SubjectT](SensorEntityDescription):
    """Describe a sensor: its value, or of an amount of quota the raw units.

    `context` is what a coordinator asks for only while somebody wants to know it.
    """

    value_fn: Callable[[SubjectT], Value | Amount | None]
    attributes_fn: Callable[[SubjectT], Mapping[str, Any]] | None = None
    context: str | None = None


class NewApiSensor[DataT, SubjectT](NewApiEntity[DataT, SubjectT], SensorEntity):
    """A sensor that shows what a reply says as it is."""

    _unrecorded_attributes = frozenset({"history", "models"})

    entity_description: NewApiSensorDescription[SubjectT]

    def __init__(
        self,
        coordinator: NewApiCoordinator[DataT],
        read: Callable[[DataT], SubjectT | None],
        identifier: str,
        description: NewApiSensorDescription[SubjectT],
    ) -> None:
        """Initialize a sensor."""
        super().__init__(
            coordinator, read, identifier, description, description.context
        )

    @property
    def described(self) -> Value | Amount | None:
        """Return what the description says of the subject."""
        subject = self.subject
        return None if subject is None else self.entity_description.value_fn(subject)

    @property
    @override
    def native_value(self) -> Value | None:
        """Return the value, or None where it is not known."""
        value = self.described
        return None if isinstance(value, Amount) else value

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what explains the value."""
        attributes_fn, subject = self.entity_description.attributes_fn, self.subject
        if attributes_fn is None or subject is None:
            return None
        return attributes_fn(subject)


class QuotaSensor[ReadingT: Reading, SubjectT](NewApiSensor[ReadingT, SubjectT]):
    """An amount of quota in the unit in which the site shows it."""

    def __init__(
        self,
        site: SiteCoordinator,
        coordinator: NewApiCoordinator[ReadingT],
        read: Callable[[ReadingT], SubjectT | None],
        identifier: str,
        description: NewApiSensorDescription[SubjectT],
    ) -> None:
        """Initialize an amount in the unit of `site`."""
        super().__init__(coordinator, read, identifier, description)
        self._site = site

    @property
    def unit(self) -> Unit:
        """Return the unit of the site when the figure was read."""
        data: ReadingT | None = self.coordinator.data
        return self._site.data.unit if data is None else data.unit

    @property
    @override
    def device_class(self) -> SensorDeviceClass | None:
        """Return money where the unit is a currency that Home Assistant knows."""
        is_money = self.unit.kind is UnitKind.CURRENCY
        return SensorDeviceClass.MONETARY if is_money else None

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """Return the currency, or what the site calls its own unit."""
        return self.unit.label

    @property
    @override
    def suggested_display_precision(self) -> int:
        """Return how many decimals are of use."""
        return 0 if self.unit.kind is UnitKind.TOKENS else 2

    @property
    @override
    def native_value(self) -> str | None:
        """Return the amount to its last digit, or None where there is none."""
        raw = self.described
        if isinstance(raw, Amount):
            raw = raw.quota
        amount = self.unit.amount(raw) if isinstance(raw, int) else None
        # A Decimal would show a very small amount as 7E-9.
        return None if amount is None else f"{amount:f}"


class PeriodSensor[DataT, SubjectT](NewApiSensor[DataT, SubjectT]):
    """What was counted since the beginning of a period."""

    @property
    @override
    def native_value(self) -> Value | None:
        """Return the number, or None where it is not known."""
        amount = self.described
        return amount.quota if isinstance(amount, Amount) else None

    @property
    @override
    def last_reset(self) -> datetime | None:
        """Return when the period began, where it goes on."""
        amount = self.described
        if self.state_class is None or not isinstance(amount, Amount):
            return None
        return datetime.fromtimestamp(amount.reset or amount.begins, UTC)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what explains the number."""
        amount = self.described
        if not isinstance(amount, Amount):
            return None
        since = amount.begins if amount.since is None else amount.since
        return {
            **(super().extra_state_attributes or {}),
            "counted_since": datetime.fromtimestamp(since, UTC),
            "estimate": amount.is_estimate,
        }


class SpendingSensor[ReadingT: Reading, SubjectT](
    QuotaSensor[ReadingT, SubjectT], PeriodSensor[ReadingT, SubjectT]
):
    """What was spent since the beginning of a period, in the unit of the site."""


def as_time(at: float | None) -> datetime | None:
    """Return a time in Unix seconds as Home Assistant shows it."""
    return None if at is None else datetime.fromtimestamp(at, UTC)
