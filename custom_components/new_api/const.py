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

DEFAULT_UPDATE_INTERVAL: Final = 5
"""Minutes between two questions about balances."""
MIN_UPDATE_INTERVAL: Final = 1
MAX_UPDATE_INTERVAL: Final = 60

SLOW_UPDATE_INTERVAL: Final = timedelta(hours=1)
"""For what seldom changes: the models, and the site where no balance is read."""

MANY_KEYS: Final = 25
"""An account with more keys starts with none of them as a device."""


class View(StrEnum):
    """What an entry asks for; each can fail alone, and has a coordinator of its own."""

    SITE = "site"
    ACCOUNT = "account"
    KEYS = "keys"
    MODELS = "models"
