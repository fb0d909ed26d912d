"""Sensors of accounts and keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import CONF_API_KEY, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import Keys, NewApiCoordinator, SiteCoordinator
from .data import NewApiConfigEntry
from .devices import account_identifier, key_identifier
from .entity import NewApiEntity
from .gateway.models import Account, KeyState, KeyStatus
from .gateway.money import Unit, UnitKind

PARALLEL_UPDATES = 0

# What a site that counts in raw quota calls it.
_TOKENS: Final = "tokens"


@dataclass(frozen=True, kw_only=True)
class QuotaSensorDescription[SubjectT](SensorEntityDescription):
    """Describe an amount of quota; `raw_fn` gives it in raw units."""

    raw_fn: Callable[[SubjectT], int | None]
    attributes_fn: Callable[[SubjectT], Mapping[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class NewApiSensorDescription[SubjectT](SensorEntityDescription):
    """Describe anything else."""

    value_fn: Callable[[SubjectT], str | int | datetime | None]
    attributes_fn: Callable[[SubjectT], Mapping[str, Any]] | None = None


def _figures_of(key: KeyState) -> Mapping[str, Any]:
    return {"unlimited": key.unlimited, "figures_of": key.scope.value}


def _expires_at(key: KeyState) -> datetime | None:
    return (
        None if key.expires_at is None else datetime.fromtimestamp(key.expires_at, UTC)
    )


ACCOUNT_QUOTA: Final = (
    QuotaSensorDescription[Account](
        key="remaining_quota",
        translation_key="remaining_quota",
        # A balance goes up and down; money knows no other state class.
        state_class=SensorStateClass.TOTAL,
        raw_fn=lambda account: account.remaining_quota,
    ),
    QuotaSensorDescription[Account](
        key="used_quota",
        translation_key="used_quota",
        # Refunds make it fall (gateway_api.md 3.5).
        state_class=SensorStateClass.TOTAL,
        raw_fn=lambda account: account.used_quota,
    ),
)

ACCOUNT: Final = (
    NewApiSensorDescription[Account](
        key="request_count",
        translation_key="request_count",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda account: account.request_count,
    ),
)

KEY_QUOTA: Final = (
    QuotaSensorDescription[KeyState](
        key="remaining_quota",
        translation_key="remaining_quota",
        state_class=SensorStateClass.TOTAL,
        raw_fn=lambda key: key.remaining_quota,
        attributes_fn=_figures_of,
    ),
    QuotaSensorDescription[KeyState](
        key="used_quota",
        translation_key="used_quota",
        state_class=SensorStateClass.TOTAL,
        raw_fn=lambda key: key.used_quota,
    ),
)

KEY: Final = (
    NewApiSensorDescription[KeyState](
        key="status",
        translation_key="key_status",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in KeyStatus],
        value_fn=lambda key: key.status.value,
    ),
    NewApiSensorDescription[KeyState](
        key="expires",
        translation_key="expires",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_expires_at,
    ),
)

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
    if (account := data.account) is not None:
        identifier = account_identifier(entry)
        async_add_entities(
            [
                *_subject_sensors(
                    data.site,
                    account,
                    lambda known: known,
                    identifier,
                    ACCOUNT_QUOTA,
                    ACCOUNT,
                ),
                NewApiSensor(
                    data.models, lambda models: models.account, identifier, MODEL_COUNT
                ),
            ]
        )
    if CONF_API_KEY in entry.data:
        identifier = key_identifier(entry)
        async_add_entities(
            [
                *_subject_sensors(
                    data.site,
                    data.keys,
                    lambda keys: keys.configured,
                    identifier,
                    KEY_QUOTA,
                    KEY,
                ),
                NewApiSensor(
                    data.models, lambda models: models.key, identifier, MODEL_COUNT
                ),
            ]
        )

    known: set[int] = set()

    @callback
    def add_new_keys() -> None:
        """Add the sensors of keys that got a device, and forget those that lost it."""
        for number in data.devices.keys - known:
            async_add_entities(
                _subject_sensors(
                    data.site,
                    data.keys,
                    partial(_other_key, number),
                    key_identifier(entry, number),
                    KEY_QUOTA,
                    KEY,
                )
            )
        known.clear()
        known.update(data.devices.keys)

    entry.async_on_unload(data.keys.async_add_listener(add_new_keys))
    add_new_keys()


def _other_key(number: int, keys: Keys) -> KeyState | None:
    key = keys.others.get(number)
    return None if key is None else key.as_state()


def _subject_sensors[DataT, SubjectT](
    site: SiteCoordinator,
    coordinator: NewApiCoordinator[DataT],
    read: Callable[[DataT], SubjectT | None],
    identifier: str,
    quotas: tuple[QuotaSensorDescription[SubjectT], ...],
    others: tuple[NewApiSensorDescription[SubjectT], ...],
) -> list[SensorEntity]:
    """Return all sensors of an account or a key."""
    return [
        *(
            QuotaSensor(site, coordinator, read, identifier, description)
            for description in quotas
        ),
        *(
            NewApiSensor(coordinator, read, identifier, description)
            for description in others
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


class QuotaSensor[DataT, SubjectT](NewApiEntity[DataT, SubjectT], SensorEntity):
    """An amount of quota in the unit in which the site shows it."""

    entity_description: QuotaSensorDescription[SubjectT]

    def __init__(
        self,
        site: SiteCoordinator,
        coordinator: NewApiCoordinator[DataT],
        read: Callable[[DataT], SubjectT | None],
        identifier: str,
        description: QuotaSensorDescription[SubjectT],
    ) -> None:
        """Initialize an amount in the unit of `site`."""
        super().__init__(coordinator, read, identifier, description)
        self._site = site

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the site too: its owner can change the unit at any time."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._site.async_add_listener(self._handle_coordinator_update)
        )

    @property
    def unit(self) -> Unit:
        """Return the unit of the site."""
        return self._site.data.unit

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
    def native_value(self) -> Decimal | None:
        """Return the amount, or None where it is not known or has no limit."""
        subject = self.subject
        if subject is None:
            return None
        return self.unit.amount(self.entity_description.raw_fn(subject))

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return whose amount it is."""
        attributes_fn, subject = self.entity_description.attributes_fn, self.subject
        if attributes_fn is None or subject is None:
            return None
        return attributes_fn(subject)
