"""The sensors of a plan."""

from datetime import datetime
from functools import partial
from typing import Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)

from ..coordinator import Amount, Plans
from ..data import AccountViews, NewApiConfigEntry
from ..devices import plan_identifier
from ..gateway.fields import LATEST_EXPIRY
from ..gateway.plans import Plan
from .entity import (
    NewApiSensor,
    NewApiSensorDescription,
    QuotaSensor,
    SpendingSensor,
    as_time,
)


def _ends(plan: Plan) -> datetime | None:
    # The latest is as good as never.
    return as_time(plan.ends if plan.ends < LATEST_EXPIRY else None)


_QUOTA: Final[tuple[NewApiSensorDescription[Plan], ...]] = (
    NewApiSensorDescription(
        key="plan_remaining",
        translation_key="plan_remaining",
        state_class=SensorStateClass.TOTAL,
        value_fn=lambda plan: plan.remaining,
        attributes_fn=lambda plan: {"unlimited": plan.total is None},
    ),
    NewApiSensorDescription(
        key="plan_total",
        translation_key="plan_total",
        value_fn=lambda plan: plan.total,
    ),
)

_USED: Final = NewApiSensorDescription[Plan](
    key="plan_used",
    translation_key="plan_used",
    state_class=SensorStateClass.TOTAL,
    value_fn=lambda plan: Amount(plan.used, plan.last_reset or plan.starts),
)

_TIMES: Final[tuple[NewApiSensorDescription[Plan], ...]] = (
    NewApiSensorDescription(
        key="next_reset",
        translation_key="next_reset",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda plan: as_time(plan.next_reset),
    ),
    NewApiSensorDescription(
        key="ends",
        translation_key="ends",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_ends,
    ),
)


def plan_sensors(
    entry: NewApiConfigEntry, account: AccountViews, number: int
) -> list[SensorEntity]:
    """Return the sensors of a plan."""
    data, identifier = entry.runtime_data, plan_identifier(entry, number)
    read = partial(_plan, number)
    return [
        *(
            QuotaSensor(data.site, account.plans, read, identifier, description)
            for description in _QUOTA
        ),
        SpendingSensor(data.site, account.plans, read, identifier, _USED),
        *(
            NewApiSensor(account.plans, read, identifier, description)
            for description in _TIMES
        ),
    ]


def _plan(number: int, plans: Plans) -> Plan | None:
    return (plans.active or {}).get(number)
