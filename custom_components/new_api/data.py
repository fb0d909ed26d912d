"""What an entry holds while it is loaded."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry

from .coordinator import (
    AccountCoordinator,
    KeysCoordinator,
    ModelsCoordinator,
    SiteCoordinator,
)
from .devices import Devices

type NewApiConfigEntry = ConfigEntry[NewApiData]


@dataclass(frozen=True, slots=True)
class NewApiData:
    """The coordinators, one for each view, and the devices."""

    site: SiteCoordinator
    keys: KeysCoordinator
    models: ModelsCoordinator
    account: AccountCoordinator | None
    devices: Devices
