"""What all entities have in common."""

from collections.abc import Callable
from typing import Protocol, override

from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import NewApiCoordinator
from .gateway.money import Unit


class Reading(Protocol):
    """What was read of amounts of quota."""

    @property
    def unit(self) -> Unit:
        """Return the unit of the site when it was read."""


class NewApiEntity[DataT, SubjectT](CoordinatorEntity[NewApiCoordinator[DataT]]):
    """Says something about one subject: the account, one of its keys, the site."""

    _attr_has_entity_name = True

    def __init__(
        self,
        coordinator: NewApiCoordinator[DataT],
        read: Callable[[DataT], SubjectT | None],
        identifier: str,
        description: EntityDescription,
        context: str | None = None,
        *,
        device: str | None = None,
    ) -> None:
        """Initialize an entity whose unique id begins with `identifier`.

        That names its device too, unless `device` does. `read` finds the subject in
        what the coordinator knows, or None; `context` tells the coordinator what it is
        asked for on behalf of this entity.
        """
        super().__init__(coordinator, context)
        self.entity_description = description
        self._read = read
        self._attr_unique_id = f"{identifier}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, device or identifier)}
        )

    @property
    def subject(self) -> SubjectT | None:
        """Return what the entity is about, as last read."""
        data: DataT | None = self.coordinator.data
        return None if data is None else self._read(data)

    @property
    @override
    def available(self) -> bool:
        """Return whether the last reading knows the subject."""
        return (
            super().available
            and self.coordinator.is_current
            and self.subject is not None
        )
