"""Constants of the New API integration."""

from datetime import timedelta
from enum import StrEnum
from logging import Logger, getLogger
from typing import Final

DOMAIN: Final = "new_api"
LOGGER: Final[Logger] = getLogger(__package__)

DEFAULT_URL: Final = "https://api.juheai.top"

CONF_USER_ID: Final = "user_id"
CONF_UPDATE_INTERVAL: Final = "update_interval"
CONF_KEY_DEVICES: Final = "key_devices"
CONF_KEYS: Final = "keys"
CONF_STATISTICS: Final = "statistics"

CONF_WARNINGS: Final = "warnings"
CONF_LOW_BALANCE: Final = "low_balance"
CONF_LOW_BALANCE_DAYS: Final = "low_balance_days"
CONF_LOW_KEY: Final = "low_key"
CONF_LOW_KEY_DAYS: Final = "low_key_days"
CONF_EXPIRES_SOON: Final = "expires_soon"
CONF_UNIT: Final = "unit"
"""The unit that the thresholds are in, since a site can change its own."""

DEFAULT_UPDATE_INTERVAL: Final = 5
"""Minutes between two questions about balances."""
MIN_UPDATE_INTERVAL: Final = 1
MAX_UPDATE_INTERVAL: Final = 60

SLOW_UPDATE_INTERVAL: Final = timedelta(hours=1)
"""For what seldom changes: the models, and the site where no balance is read."""
USAGE_UPDATE_INTERVAL: Final = timedelta(minutes=30)
"""For what each model and key has used; servers sum it up by the hour."""

MOST_DAYS: Final = 365
"""The longest time of which a person can be warned ahead."""

MANY_KEYS: Final = 25
"""An account with more keys starts with none of them as a device."""


class View(StrEnum):
    """What an entry asks for; each can fail alone, and has a coordinator of its own."""

    SITE = "site"
    ACCOUNT = "account"
    KEYS = "keys"
    MODELS = "models"
    SPENDING = "spending"
    USAGE = "usage"
    PLANS = "plans"
    OFFERS = "offers"
    NEWS = "news"
