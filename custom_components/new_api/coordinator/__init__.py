"""When to ask a gateway what, and what a failure means for Home Assistant."""

from .account import REQUESTS_LEDGER, AccountCoordinator, Balance
from .amounts import Amount, amount_until_told
from .base import NewApiCoordinator, TurnCoordinator
from .detail import DetailCoordinator
from .incoming import ACCOUNT_LEDGER, Income
from .kept import async_forget_kept, async_keep
from .keys import Keys, KeysCoordinator, ledger_of_key
from .models import Models, ModelsCoordinator
from .news import MONITOR, News, NewsCoordinator
from .offers import RATIOS, Offers, OffersCoordinator
from .plans import Plans, PlansCoordinator
from .reauth import REJECTED, Reauth
from .site import SiteCoordinator, async_site_reading
from .spending import RATES, Spending, SpendingCoordinator
from .usage import ModelUse, Usage, UsageCoordinator

__all__ = [
    "ACCOUNT_LEDGER",
    "MONITOR",
    "RATES",
    "RATIOS",
    "REJECTED",
    "REQUESTS_LEDGER",
    "AccountCoordinator",
    "Amount",
    "Balance",
    "DetailCoordinator",
    "Income",
    "Keys",
    "KeysCoordinator",
    "ModelUse",
    "Models",
    "ModelsCoordinator",
    "NewApiCoordinator",
    "News",
    "NewsCoordinator",
    "Offers",
    "OffersCoordinator",
    "Plans",
    "PlansCoordinator",
    "Reauth",
    "SiteCoordinator",
    "Spending",
    "SpendingCoordinator",
    "TurnCoordinator",
    "Usage",
    "UsageCoordinator",
    "amount_until_told",
    "async_forget_kept",
    "async_keep",
    "async_site_reading",
    "ledger_of_key",
]
