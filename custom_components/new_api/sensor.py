"""Sensors of accounts and keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Protocol, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import CONF_API_KEY, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import Balance, Keys, NewApiCoordinator, SiteCoordinator
from .data import NewApiConfigEntry
from .devices import account_identifier, key_identifier
from .entity import NewApiEntity
from .gateway.models import Account, AccountStatus, KeyState, KeyStatus
from .gateway.money import Unit, UnitKind

PARALLEL_UPDATES = 0

# What a site that counts in raw quota calls it.
_TOKENS: Final = "tokens"


@dataclass(frozen=True, kw_only=True)
class NewApiSensorDescription[SubjectT](SensorEntityDescription):
    """Describe a sensor: its value, or of an amount of quota the raw units."""

    value_fn: Callable[[SubjectT], str | int | datetime | None]
    attributes_fn: Callable[[SubjectT], Mapping[str, Any]] | None = None


def _figures_of(key: KeyState) -> Mapping[str, Any]:
    return {"unlimited": key.unlimited, "figures_of": key.scope.value}


def _expires_at(key: KeyState) -> datetime | None:
    if key.expires_at is None:
        return None
    return datetime.fromtimestamp(key.expires_at, UTC)


class HasQuota(Protocol):
    """An account or a key; its figures are raw quota, None where not known."""

    @property
    def remaining_quota(self) -> int | None:
        """Return what is left; negative for debts."""

    @property
    def used_quota(self) -> int | None:
        """Return what was ever used."""


def _amounts[SubjectT: HasQuota](
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


ACCOUNT_QUOTA: Final[tuple[NewApiSensorDescription[Account], ...]] = _amounts()
KEY_QUOTA: Final = _amounts(_figures_of)

ACCOUNT_STATUS: Final = NewApiSensorDescription[Balance](
    key="status",
    translation_key="account_status",
    device_class=SensorDeviceClass.ENUM,
    options=[status.value for status in AccountStatus],
    value_fn=lambda balance: balance.status.value,
)

REQUEST_COUNT: Final = NewApiSensorDescription[Account](
    key="request_count",
    translation_key="request_count",
    state_class=SensorStateClass.TOTAL_INCREASING,
    value_fn=lambda account: account.request_count,
)

KEY_STATUS: Final = NewApiSensorDescription[KeyState](
    key="status",
    translation_key="key_status",
    device_class=SensorDeviceClass.ENUM,
    options=[status.value for status in KeyStatus],
    value_fn=lambda key: key.status.value,
)

KEY_EXPIRES: Final = NewApiSensorDescription[KeyState](
    key="expires",
    translation_key="expires",
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
    value_fn=_expires_at,
)

# An account can have many keys that never expire.
KEY_NEVER_EXPIRES: Final = replace(KEY_EXPIRES, entity_registry_enabled_default=False)

MODEL_COUNT: Final = NewApiSensorDescription[tuple[str, ...]](
    key="model_count",
    translation_key="model_count",
    state_class=SensorStateClass.MEASUREMENT,
    value_fn=len,
    attributes_fn=lambda models: {"models": list(models)},
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NewApiConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of the account, the configured key and the other keys."""
    data = entry.runtime_data
    if data.account is not None:
        async_add_entities(
            [
                *(
                    QuotaSensor(
                        data.site,
                        data.account,
                        _account,
                        account_identifier(entry),
                        description,
                    )
                    for description in ACCOUNT_QUOTA
                ),
                NewApiSensor(
                    data.account, _account, account_identifier(entry), REQUEST_COUNT
                ),
                NewApiSensor(
                    data.account,
                    lambda balance: balance,
                    account_identifier(entry),
                    ACCOUNT_STATUS,
                ),
                NewApiSensor(
                    data.models,
                    lambda models: models.account,
                    account_identifier(entry),
                    MODEL_COUNT,
                ),
            ]
        )
    if CONF_API_KEY in entry.data:
        async_add_entities(
            [
                *_key_sensors(
                    entry, lambda keys: keys.configured, key_identifier(entry)
                ),
                NewApiSensor(
                    data.models,
                    lambda models: models.key,
                    key_identifier(entry),
                    MODEL_COUNT,
                ),
            ]
        )

    known: set[int] = set()

    @callback
    def add_new_keys() -> None:
        """Add the sensors of keys that got a device, and forget those that lost it."""
        for number in data.devices.keys - known:
            read = partial(_other_key, number)
            key = read(data.keys.data) if data.keys.data is not None else None
            async_add_entities(
                _key_sensors(
                    entry,
                    read,
                    key_identifier(entry, number),
                    KEY_EXPIRES if key and key.expires_at else KEY_NEVER_EXPIRES,
                )
            )
        known.clear()
        known.update(data.devices.keys)

    entry.async_on_unload(data.keys.async_add_listener(add_new_keys))
    add_new_keys()


def _account(balance: Balance) -> Account | None:
    return balance.account


def _other_key(number: int, keys: Keys) -> KeyState | None:
    key = keys.others.get(number)
    return None if key is None else key.as_state()


def _key_sensors(
    entry: NewApiConfigEntry,
    read: Callable[[Keys], KeyState | None],
    identifier: str,
    expires: NewApiSensorDescription[KeyState] = KEY_EXPIRES,
) -> list[SensorEntity]:
    """Return the sensors of a key."""
    data = entry.runtime_data
    return [
        *(
            QuotaSensor(data.site, data.keys, read, identifier, description)
            for description in KEY_QUOTA
        ),
        *(
            NewApiSensor(data.keys, read, identifier, description)
            for description in (KEY_STATUS, expires)
        ),
    ]


class NewApiSensor[DataT, SubjectT](NewApiEntity[DataT, SubjectT], SensorEntity):
    """A sensor that shows what a reply says as it is."""

    _unrecorded_attributes = frozenset({"models"})

    entity_description: NewApiSensorDescription[SubjectT]

    @property
    @override
    def native_value(self) -> str | int | datetime | None:
        """Return the value, or None where it is not known."""
        subject = self.subject
        return None if subject is None else self.entity_description.value_fn(subject)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what explains the value."""
        attributes_fn, subject = self.entity_description.attributes_fn, self.subject
        if attributes_fn is None or subject is None:
            return None
        return attributes_fn(subject)


class Reading(Protocol):
    """What was read of amounts of quota."""

    @property
    def unit(self) -> Unit:
        """Return the unit of the site when it was read."""


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
        if self.unit.kind is UnitKind.TOKENS:
            return _TOKENS
        return self.unit.code or self.unit.symbol

    @property
    @override
    def suggested_display_precision(self) -> int:
        """Return how many decimals are of use."""
        return 0 if self.unit.kind is UnitKind.TOKENS else 2

    @property
    @override
    def native_value(self) -> str | None:
        """Return the amount to its last digit, or None where there is none."""
        raw = super().native_value
        amount = self.unit.amount(raw) if isinstance(raw, int) else None
        # A Decimal would show a very small amount as 7E-9.
        return None if amount is None else f"{amount:f}"
