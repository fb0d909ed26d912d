"""The sensors of a key."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.const import EntityCategory

from ..coordinator import Keys
from ..data import NewApiConfigEntry
from ..forecast import Forecast
from ..gateway.models import KeyState, KeyStatus
from ..key_figures import KeyFigures
from .entity import (
    NewApiSensor,
    NewApiSensorDescription,
    QuotaSensor,
    SpendingSensor,
    as_time,
)
from .quota import amounts, forecasts


def _figures_of(key: KeyState) -> Mapping[str, Any]:
    return {"unlimited": key.unlimited, "figures_of": key.scope.value}


def _scope_of(key: KeyFigures) -> Mapping[str, Any]:
    return {"figures_of": key.state.scope.value}


_QUOTA: Final = amounts(_figures_of)

_STATUS: Final = NewApiSensorDescription[KeyState](
    key="status",
    translation_key="key_status",
    device_class=SensorDeviceClass.ENUM,
    options=[status.value for status in KeyStatus],
    value_fn=lambda key: key.status.value,
)

_EXPIRES: Final = NewApiSensorDescription[KeyState](
    key="expires",
    translation_key="expires",
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
    value_fn=lambda key: as_time(key.expires_at),
)

_SPENDING: Final[tuple[NewApiSensorDescription[KeyFigures], ...]] = (
    NewApiSensorDescription(
        key="spent_today",
        translation_key="spent_today",
        state_class=SensorStateClass.TOTAL,
        value_fn=lambda key: key.spent_today,
        attributes_fn=_scope_of,
    ),
    NewApiSensorDescription(
        key="spent_this_month",
        translation_key="spent_this_month",
        state_class=SensorStateClass.TOTAL,
        value_fn=lambda key: key.spent_this_month,
        attributes_fn=_scope_of,
    ),
)


def key_sensors(
    entry: NewApiConfigEntry,
    read: Callable[[Keys], KeyFigures | None],
    identifier: str,
    *,
    expires: bool = True,
    forecast: bool = False,
) -> list[SensorEntity]:
    """Return the sensors of a key.

    Disabled at first are its expiry, unless `expires`, and its forecast, unless
    `forecast`: an account can have many keys.
    """
    data = entry.runtime_data

    def state(keys: Keys) -> KeyState | None:
        key = read(keys)
        return None if key is None else key.state

    return [
        *(
            QuotaSensor(data.site, data.keys, state, identifier, description)
            for description in _QUOTA
        ),
        *(
            NewApiSensor(data.keys, state, identifier, description)
            for description in (
                _STATUS,
                replace(_EXPIRES, entity_registry_enabled_default=expires),
            )
        ),
        *(
            SpendingSensor(data.site, data.keys, read, identifier, description)
            for description in _SPENDING
        ),
        *(
            NewApiSensor(data.keys, read, identifier, description)
            for description in forecasts(_forecast, enabled=forecast)
        ),
    ]


def _forecast(key: KeyFigures) -> Forecast | None:
    return key.forecast
