"""When to ask a gateway what, and what a failure means for Home Assistant."""

from .account import AccountCoordinator, Balance
from .base import NewApiCoordinator, TurnCoordinator
from .kept import async_forget_kept, async_keep
from .keys import Keys, KeysCoordinator
from .models import Models, ModelsCoordinator
from .reauth import REJECTED, Reauth
from .site import SiteCoordinator, async_site_reading

__all__ = [
    "REJECTED",
    "AccountCoordinator",
    "Balance",
    "Keys",
    "KeysCoordinator",
    "Models",
    "ModelsCoordinator",
    "NewApiCoordinator",
    "Reauth",
    "SiteCoordinator",
    "TurnCoordinator",
    "async_forget_kept",
    "async_keep",
    "async_site_reading",
]
