"""What an entry holds while it is loaded."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry

from .coordinator import (
    AccountCoordinator,
    KeysCoordinator,
    ModelsCoordinator,
    NewsCoordinator,
    OffersCoordinator,
    PlansCoordinator,
    SiteCoordinator,
    SpendingCoordinator,
    UsageCoordinator,
)
from .devices import Devices
from .memory import Memory
from .outlook import Outlook

type NewApiConfigEntry = ConfigEntry[NewApiData]


@dataclass(frozen=True, slots=True)
class AccountViews:
    """The coordinators of an account, one for each view of it."""

    balance: AccountCoordinator
    spending: SpendingCoordinator
    usage: UsageCoordinator
    plans: PlansCoordinator
    offers: OffersCoordinator


@dataclass(frozen=True, slots=True)
class NewApiData:
    """The coordinators, one for each view, and what follows from their readings.

    `account` is None where only a key is configured.
    """

    site: SiteCoordinator
    keys: KeysCoordinator
    models: ModelsCoordinator
    news: NewsCoordinator
    account: AccountViews | None
    devices: Devices
    memory: Memory
    outlook: Outlook
