"""What is wrong, or to be done, with accounts and keys, and how a site is."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import ExtraStoredData, RestoreEntity
from homeassistant.util import dt as dt_util

from .appearing import async_add_as_they_appear
from .coordinator import MONITOR, Keys, NewApiCoordinator, News
from .data import NewApiConfigEntry, NewApiData
from .devices import account_identifier, key_identifier, main_identifier, site_prefix
from .entity import NewApiEntity, Reading
from .forecast import Forecast
from .gateway.errors import RateLimitedError
from .gateway.models import Account, KeyStatus, Site
from .gateway.money import Unit
from .gateway.news import Monitor
from .gateway.offers import CheckIn
from .key_figures import KeyFigures, configured_key, listed_key
from .warnings import Thresholds, days_before_expiry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class NewApiBinaryDescription[SubjectT](BinarySensorEntityDescription):
    """Describe a binary sensor."""

    is_on_fn: Callable[[SubjectT], bool | None]
    attributes_fn: Callable[[SubjectT], Mapping[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class LowBalanceDescription[SubjectT](BinarySensorEntityDescription):
    """Describe a warning that little is left; raw quota, None where not known."""

    key: str = "low_balance"
    translation_key: str | None = "low_balance"
    device_class: BinarySensorDeviceClass | None = BinarySensorDeviceClass.PROBLEM
    thresholds_fn: Callable[[ConfigEntry, Unit], Thresholds]
    remaining_fn: Callable[[SubjectT], int | None]
    forecast_fn: Callable[[SubjectT], Forecast | None]
    is_unlimited_fn: Callable[[SubjectT], bool] = lambda _: False


def _with_its_rest(key: KeyFigures) -> KeyFigures:
    """Return a key with nothing left where the site only says that it is used up."""
    state = key.state
    if state.status is not KeyStatus.EXHAUSTED or state.remaining_quota is not None:
        return key
    return replace(key, state=replace(state, remaining_quota=0))


_LOW_KEY: Final = LowBalanceDescription[KeyFigures](
    thresholds_fn=Thresholds.of_keys,
    remaining_fn=lambda key: _with_its_rest(key).state.remaining_quota,
    forecast_fn=lambda key: _with_its_rest(key).forecast,
    is_unlimited_fn=lambda key: key.state.unlimited is True,
)

_KEY_PROBLEM: Final = NewApiBinaryDescription[KeyFigures](
    key="key_problem",
    translation_key="key_problem",
    device_class=BinarySensorDeviceClass.PROBLEM,
    is_on_fn=lambda key: key.state.status is not KeyStatus.ACTIVE,
)

_CONNECTED: Final = BinarySensorEntityDescription(
    key="connected",
    translation_key="connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)

_MONITOR: Final = NewApiBinaryDescription[Monitor](
    key="monitor",
    translation_key="monitor",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
    is_on_fn=lambda monitor: monitor.is_up,
    attributes_fn=lambda monitor: {
        "uptime": None if monitor.uptime is None else float(monitor.uptime * 100)
    },
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NewApiConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up what warns of the account and its keys, and what tells of the site."""
    data = entry.runtime_data
    async_add_entities(
        [
            ConnectedSensor(
                data.site,
                lambda site: site,
                site_prefix(entry),
                _CONNECTED,
                device=main_identifier(entry),
            )
        ]
    )
    if (account := data.account) is not None:
        identifier = account_identifier(entry)
        low_balance = LowBalanceDescription[Account](
            thresholds_fn=Thresholds.of_account,
            remaining_fn=lambda account: account.remaining_quota,
            forecast_fn=lambda _: data.outlook.of_account(),
        )
        async_add_entities(
            [
                LowBalanceSensor(
                    account.balance,
                    lambda balance: balance.account,
                    identifier,
                    low_balance,
                )
            ]
        )
        offers = account.offers
        async_add_as_they_appear(
            entry,
            offers,
            lambda: ("check_in",) if offers.data and offers.data.check_in else (),
            lambda _: async_add_entities(
                [
                    NewApiBinarySensor(
                        offers,
                        lambda read: read.check_in,
                        identifier,
                        _check_in_of(data),
                    )
                ]
            ),
            stays=True,
        )
    async_add_as_they_appear(
        entry,
        data.news,
        lambda: _monitors(data.news.data),
        lambda monitor: async_add_entities([_monitor_sensor(entry, *monitor)]),
        stays=True,
    )
    if CONF_API_KEY in entry.data:
        read = configured_key(data)
        async_add_entities(_key_sensors(entry, read, key_identifier(entry)))
    async_add_as_they_appear(
        entry,
        data.keys,
        lambda: data.devices.keys,
        lambda number: async_add_entities(
            _key_sensors(entry, listed_key(data, number), key_identifier(entry, number))
        ),
    )


def _key_sensors(
    entry: NewApiConfigEntry,
    read: Callable[[Keys], KeyFigures | None],
    identifier: str,
) -> list[BinarySensorEntity]:
    keys = entry.runtime_data.keys

    def expires_soon(key: KeyFigures) -> bool:
        days = days_before_expiry(entry)
        if days is None:
            return False
        if key.state.status is KeyStatus.EXPIRED:
            # Some sites no longer say when.
            return True
        if key.state.expires_at is None:
            return False
        soon = dt_util.utcnow() + timedelta(days=days)
        return key.state.expires_at <= soon.timestamp()

    description = NewApiBinaryDescription[KeyFigures](
        key="expires_soon",
        translation_key="expires_soon",
        device_class=BinarySensorDeviceClass.PROBLEM,
        is_on_fn=expires_soon,
    )
    return [
        LowBalanceSensor(keys, read, identifier, _LOW_KEY),
        NewApiBinarySensor(keys, read, identifier, description),
        NewApiBinarySensor(keys, read, identifier, _KEY_PROBLEM),
    ]


def _check_in_of(data: NewApiData) -> NewApiBinaryDescription[CheckIn]:
    def rewards(check_in: CheckIn) -> Mapping[str, Any]:
        unit = data.site.data.unit
        smallest, largest = map(
            unit.amount, (check_in.smallest_reward, check_in.largest_reward)
        )
        if smallest is None or largest is None:
            return {}
        return {"smallest_reward": float(smallest), "largest_reward": float(largest)}

    return NewApiBinaryDescription(
        key="check_in_available",
        translation_key="check_in_available",
        is_on_fn=lambda check_in: check_in.is_available,
        attributes_fn=rewards,
    )


def _monitor_sensor(
    entry: NewApiConfigEntry, group: str, name: str
) -> BinarySensorEntity:
    digest = sha256(f"{group}\n{name}".encode()).hexdigest()[:16]
    return NewApiBinarySensor(
        entry.runtime_data.news,
        lambda news: _monitors(news).get((group, name)),
        site_prefix(entry),
        replace(_MONITOR, key=f"{MONITOR.lstrip('_')}{digest}"),
        {"group": group, "monitor": name},
        device=main_identifier(entry),
    )


def _monitors(news: News | None) -> Mapping[tuple[str, str], Monitor]:
    return {
        (monitor.group, monitor.name): monitor
        for monitor in (() if news is None else news.monitors)
    }


class NewApiBinarySensor[DataT, SubjectT](
    NewApiEntity[DataT, SubjectT], BinarySensorEntity
):
    """A binary sensor that follows from a reading."""

    _unrecorded_attributes = frozenset({"uptime"})

    entity_description: NewApiBinaryDescription[SubjectT]

    def __init__(
        self,
        coordinator: NewApiCoordinator[DataT],
        read: Callable[[DataT], SubjectT | None],
        identifier: str,
        description: NewApiBinaryDescription[SubjectT],
        placeholders: Mapping[str, str] | None = None,
        *,
        device: str | None = None,
    ) -> None:
        """Initialize a binary sensor; `placeholders` are of its name."""
        super().__init__(coordinator, read, identifier, description, device=device)
        self._attr_translation_placeholders = placeholders or {}

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether it is so, None where that is not known."""
        subject = self.subject
        return None if subject is None else self.entity_description.is_on_fn(subject)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return what explains it."""
        attributes_fn, subject = self.entity_description.attributes_fn, self.subject
        if attributes_fn is None or subject is None:
            return None
        return attributes_fn(subject)


class ConnectedSensor(NewApiEntity[Site, Site], BinarySensorEntity):
    """Whether the site answers; that it does not is known too."""

    @property
    @override
    def available(self) -> bool:
        """Return that this is always known."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the site answered when it was last asked.

        Who has no room for questions is there.
        """
        failure = self.coordinator.last_exception
        return self.coordinator.last_update_success or (
            failure is not None and isinstance(failure.__cause__, RateLimitedError)
        )


@dataclass(frozen=True, slots=True)
class _Warned(ExtraStoredData):
    """Whether a person was warned, and by which thresholds, as text.

    The state does not tell where there is none during an outage.
    """

    is_low: bool
    thresholds: str

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return what is kept over a restart."""
        return asdict(self)


class LowBalanceSensor[ReadingT: Reading, SubjectT](
    NewApiEntity[ReadingT, SubjectT], BinarySensorEntity, RestoreEntity
):
    """Whether little is left; it does not end as soon as there is a little more."""

    entity_description: LowBalanceDescription[SubjectT]

    _warned: _Warned | None = None

    @property
    @override
    def extra_restore_state_data(self) -> ExtraStoredData | None:
        """Return what goes on after a restart."""
        return self._warned

    @override
    async def async_added_to_hass(self) -> None:
        """Go on where it was before a restart."""
        await super().async_added_to_hass()
        if (before := await self.async_get_last_extra_data()) is not None:
            data = before.as_dict()
            self._warned = _Warned(data["is_low"], data["thresholds"])
        self._judge()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._judge()
        super()._handle_coordinator_update()

    @callback
    def _judge(self) -> None:
        subject = self.subject
        if subject is None:
            return
        description = self.entity_description
        unit = self.coordinator.data.unit
        thresholds = description.thresholds_fn(self.coordinator.config_entry, unit)
        if description.is_unlimited_fn(subject):
            self._attr_is_on = False
            return
        forecast = None
        if thresholds.days is not None:
            forecast = description.forecast_fn(subject)
        by = thresholds.as_text()
        was_low = self._warned is not None and self._warned == _Warned(True, by)
        self._attr_is_on = thresholds.are_low(
            unit.amount(description.remaining_fn(subject)), forecast, was_low=was_low
        )
        if self._attr_is_on is not None:
            self._warned = _Warned(self._attr_is_on, by)
