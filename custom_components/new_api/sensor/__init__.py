"""Sensors of accounts, keys and plans."""

from collections.abc import Collection

from homeassistant.const import CONF_API_KEY
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..appearing import async_add_as_they_appear
from ..coordinator import Offers
from ..data import NewApiConfigEntry
from ..devices import account_identifier, key_identifier
from ..key_figures import configured_key, listed_key
from .account import PENDING_TOP_UPS, account_sensors
from .entity import NewApiSensor
from .key import key_sensors
from .plan import plan_sensors
from .quota import MODEL_COUNT

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NewApiConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of the account, its plans, the configured and other keys."""
    data = entry.runtime_data
    if (account := data.account) is not None:
        async_add_entities(account_sensors(entry, account))
        async_add_as_they_appear(
            entry,
            account.plans,
            lambda: data.devices.plans,
            lambda number: async_add_entities(plan_sensors(entry, account, number)),
        )
        async_add_as_they_appear(
            entry,
            account.offers,
            lambda: _pending(account.offers.data),
            lambda _: async_add_entities(
                [
                    NewApiSensor(
                        account.offers,
                        lambda offers: offers.pending_top_ups,
                        account_identifier(entry),
                        PENDING_TOP_UPS,
                    )
                ]
            ),
            stays=True,
        )
    if CONF_API_KEY in entry.data:
        identifier = key_identifier(entry)
        async_add_entities(
            [
                *key_sensors(
                    entry, configured_key(data), identifier, forecast=account is None
                ),
                NewApiSensor(
                    data.models, lambda models: models.key, identifier, MODEL_COUNT
                ),
            ]
        )

    def add_key(number: int) -> None:
        read = listed_key(data, number)
        key = None if data.keys.data is None else read(data.keys.data)
        async_add_entities(
            key_sensors(
                entry,
                read,
                key_identifier(entry, number),
                expires=key is not None and key.state.expires_at is not None,
            )
        )

    async_add_as_they_appear(entry, data.keys, lambda: data.devices.keys, add_key)


def _pending(offers: Offers | None) -> Collection[str]:
    """Return what stands for payments that are pending, where the site knows of any."""
    is_known = offers is not None and offers.pending_top_ups is not None
    return ("pending_top_ups",) if is_known else ()
