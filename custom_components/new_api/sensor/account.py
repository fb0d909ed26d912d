"""The sensors of an account."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorStateClass,
)
from homeassistant.const import MAX_LENGTH_STATE_STATE, EntityCategory

from ..account_figures import (
    average_per_day,
    models_by_price,
    requests_today,
    spent_this_month,
    spent_today,
    spent_yesterday,
    tokens_today,
)
from ..coordinator import RATES, RATIOS, Balance, Offers, Spending, Usage
from ..data import AccountViews, NewApiConfigEntry
from ..devices import account_identifier
from ..gateway.models import Account, AccountStatus
from .entity import (
    NewApiSensor,
    NewApiSensorDescription,
    PeriodSensor,
    QuotaSensor,
    SpendingSensor,
)
from .quota import MODEL_COUNT, amounts, forecasts

_QUOTA: Final[tuple[NewApiSensorDescription[Account], ...]] = (
    *amounts(),
    NewApiSensorDescription(
        key="referral_reward",
        translation_key="referral_reward",
        # It is gone when it was taken over into the balance.
        state_class=SensorStateClass.TOTAL,
        entity_registry_enabled_default=False,
        value_fn=lambda account: account.referral_reward,
    ),
)

_ACCOUNT: Final[tuple[NewApiSensorDescription[Account], ...]] = (
    NewApiSensorDescription(
        key="request_count",
        translation_key="request_count",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda account: account.request_count,
    ),
    NewApiSensorDescription(
        key="group",
        translation_key="group",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda account: (account.group or "")[:MAX_LENGTH_STATE_STATE] or None,
    ),
)

_STATUS: Final = NewApiSensorDescription[Balance](
    key="status",
    translation_key="account_status",
    device_class=SensorDeviceClass.ENUM,
    options=[status.value for status in AccountStatus],
    value_fn=lambda balance: balance.status.value,
)


_SPENDING: Final[tuple[NewApiSensorDescription[Spending], ...]] = (
    NewApiSensorDescription(
        key="spent_today",
        translation_key="spent_today",
        state_class=SensorStateClass.TOTAL,
        value_fn=spent_today,
    ),
    NewApiSensorDescription(
        key="spent_yesterday",
        translation_key="spent_yesterday",
        value_fn=spent_yesterday,
    ),
    NewApiSensorDescription(
        key="spent_this_month",
        translation_key="spent_this_month",
        state_class=SensorStateClass.TOTAL,
        value_fn=spent_this_month,
    ),
    NewApiSensorDescription(
        key="average_per_day",
        translation_key="average_per_day",
        value_fn=average_per_day,
    ),
)

_RATES: Final[tuple[NewApiSensorDescription[Spending], ...]] = (
    NewApiSensorDescription(
        key="requests_per_minute",
        translation_key="requests_per_minute",
        state_class=SensorStateClass.MEASUREMENT,
        entity_registry_enabled_default=False,
        value_fn=lambda spending: spending.requests_per_minute,
        context=RATES,
    ),
    NewApiSensorDescription(
        key="tokens_per_minute",
        translation_key="tokens_per_minute",
        state_class=SensorStateClass.MEASUREMENT,
        entity_registry_enabled_default=False,
        value_fn=lambda spending: spending.tokens_per_minute,
        context=RATES,
    ),
)


def _most_expensive(usage: Usage) -> str | None:
    model = next(iter(models_by_price(usage)), None)
    return None if model is None else model[:MAX_LENGTH_STATE_STATE]


def _amounts(usage: Usage) -> Mapping[str, Any]:
    unit = usage.unit
    amounts_ = {
        model: unit.amount(quota) for model, quota in models_by_price(usage).items()
    }
    return {
        "models": {
            model: float(amount)
            for model, amount in amounts_.items()
            if amount is not None
        },
        "unit": unit.label,
    }


_TOKENS_TODAY: Final = NewApiSensorDescription[Usage](
    key="tokens_today",
    translation_key="tokens_today",
    state_class=SensorStateClass.TOTAL,
    value_fn=tokens_today,
)

_MOST_EXPENSIVE: Final = NewApiSensorDescription[Usage](
    key="most_expensive_model",
    translation_key="most_expensive_model",
    value_fn=_most_expensive,
    attributes_fn=_amounts,
)

PENDING_TOP_UPS: Final = NewApiSensorDescription[int](
    key="pending_top_ups",
    translation_key="pending_top_ups",
    state_class=SensorStateClass.MEASUREMENT,
    entity_category=EntityCategory.DIAGNOSTIC,
    value_fn=lambda pending: pending,
)


def account_sensors(
    entry: NewApiConfigEntry, account: AccountViews
) -> list[SensorEntity]:
    """Return the sensors of an account."""
    data, identifier = entry.runtime_data, account_identifier(entry)
    requests = NewApiSensorDescription[Balance](
        key="requests_today",
        translation_key="requests_today",
        state_class=SensorStateClass.TOTAL,
        value_fn=lambda _: requests_today(account, data.memory),
    )

    def ratio(offers: Offers) -> Decimal | None:
        balance: Balance | None = account.balance.data
        known = None if balance is None else balance.account
        group = None if known is None else known.group
        return None if group is None else (offers.ratios or {}).get(group)

    group_ratio = NewApiSensorDescription[Offers](
        key="group_ratio",
        translation_key="group_ratio",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=ratio,
        context=RATIOS,
    )
    return [
        *(
            QuotaSensor(data.site, account.balance, _account, identifier, description)
            for description in _QUOTA
        ),
        *(
            NewApiSensor(account.balance, _account, identifier, description)
            for description in _ACCOUNT
        ),
        *(
            NewApiSensor(account.balance, _itself, identifier, description)
            for description in (
                _STATUS,
                *forecasts(lambda _: data.outlook.of_account(), enabled=True),
            )
        ),
        *(
            SpendingSensor(
                data.site, account.spending, _itself, identifier, description
            )
            for description in _SPENDING
        ),
        *(
            NewApiSensor(account.spending, _itself, identifier, description)
            for description in _RATES
        ),
        PeriodSensor(account.balance, _itself, identifier, requests),
        PeriodSensor(account.usage, _itself, identifier, _TOKENS_TODAY),
        NewApiSensor(account.usage, _itself, identifier, _MOST_EXPENSIVE),
        NewApiSensor(account.offers, _itself, identifier, group_ratio),
        NewApiSensor(
            data.models, lambda models: models.account, identifier, MODEL_COUNT
        ),
    ]


def _account(balance: Balance) -> Account | None:
    return balance.account


def _itself[T](data: T) -> T:
    return data
