"""The descriptions that accounts and keys share."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import UnitOfTime

from ..forecast import Forecast
from .entity import NewApiSensorDescription


class HasQuota(Protocol):
    """An account or a key; its figures are raw quota, None where not known."""

    @property
    def remaining_quota(self) -> int | None:
        """Return what is left; negative for debts."""

    @property
    def used_quota(self) -> int | None:
        """Return what was ever used."""


def amounts[SubjectT: HasQuota](
    attributes_fn: Callable[[SubjectT], Mapping[str, Any]] | None = None,
) -> tuple[NewApiSensorDescription[SubjectT], ...]:
    """Describe both amounts; `attributes_fn` explains what is left."""
    return (
        NewApiSensorDescription(
            key="remaining_quota",
            translation_key="remaining_quota",
            # A balance goes up and down; money knows no other state class.
            state_class=SensorStateClass.TOTAL,
            value_fn=lambda subject: subject.remaining_quota,
            attributes_fn=attributes_fn,
        ),
        NewApiSensorDescription(
            key="used_quota",
            translation_key="used_quota",
            # Refunds make it fall (gateway_api.md 3.5).
            state_class=SensorStateClass.TOTAL,
            value_fn=lambda subject: subject.used_quota,
        ),
    )


MODEL_COUNT: Final = NewApiSensorDescription[tuple[str, ...]](
    key="model_count",
    translation_key="model_count",
    state_class=SensorStateClass.MEASUREMENT,
    value_fn=len,
    attributes_fn=lambda models: {"models": list(models)},
)


def forecasts[SubjectT](
    forecast_of: Callable[[SubjectT], Forecast | None], *, enabled: bool
) -> tuple[NewApiSensorDescription[SubjectT], ...]:
    """Describe when what is left runs out, and in how many days."""

    def runs_out(subject: SubjectT) -> datetime | None:
        forecast = forecast_of(subject)
        if forecast is None:
            return None
        # A forecast is not known to the minute, nor shall each reading change it.
        at = datetime.fromtimestamp(forecast.runs_out, UTC)
        return at.replace(minute=0, second=0, microsecond=0)

    def days_left(subject: SubjectT) -> float | None:
        forecast = forecast_of(subject)
        return None if forecast is None else round(forecast.days_left, 1)

    def history(subject: SubjectT) -> dict[str, float]:
        forecast = forecast_of(subject)
        return {} if forecast is None else {"history": round(forecast.history_days, 1)}

    return (
        NewApiSensorDescription(
            key="runs_out",
            translation_key="runs_out",
            device_class=SensorDeviceClass.TIMESTAMP,
            entity_registry_enabled_default=enabled,
            value_fn=runs_out,
            attributes_fn=history,
        ),
        NewApiSensorDescription(
            key="days_left",
            translation_key="days_left",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.DAYS,
            suggested_display_precision=1,
            state_class=SensorStateClass.MEASUREMENT,
            entity_registry_enabled_default=enabled,
            value_fn=days_left,
            attributes_fn=history,
        ),
    )
