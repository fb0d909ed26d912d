"""The devices of an entry: the account, the configured key, and the other keys.

Entities only name the device they belong to; here is where devices come and go.
"""

from collections.abc import Mapping
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_API_KEY, CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .const import CONF_KEY_DEVICES, CONF_KEYS, DOMAIN
from .coordinator import Keys, KeysCoordinator, Plans, PlansCoordinator, SiteCoordinator
from .gateway.plans import Plan

ALL_KEYS: Final = "all"
CHOSEN_KEYS: Final = "chosen"
NO_KEYS: Final = "none"
KEY_DEVICES: Final = (ALL_KEYS, CHOSEN_KEYS, NO_KEYS)


def account_identifier(entry: ConfigEntry) -> str:
    """Return what identifies the account's device and prefixes its entities."""
    return entry.entry_id


def key_identifier(entry: ConfigEntry, number: int | None = None) -> str:
    """Return the same of a key: of the configured one, or of one by its id."""
    configured = f"{entry.entry_id}_key"
    return configured if number is None else f"{configured}_{number}"


def plan_identifier(entry: ConfigEntry, number: int) -> str:
    """Return the same of a plan, by the id of the subscription to it."""
    return f"{entry.entry_id}_plan_{number}"


def main_identifier(entry: ConfigEntry) -> str:
    """Return what identifies the entry's own device: the account, or else the key."""
    has_account = CONF_ACCESS_TOKEN in entry.data
    return account_identifier(entry) if has_account else key_identifier(entry)


def site_prefix(entry: ConfigEntry) -> str:
    """Return what prefixes the entities of the site, whichever device they are on."""
    return f"{entry.entry_id}_site"


def is_wanted(entry: ConfigEntry, number: int) -> bool:
    """Tell whether a key shall have a device, which is not the configured one."""
    mode = entry.options.get(CONF_KEY_DEVICES, ALL_KEYS)
    chosen = entry.options.get(CONF_KEYS, ()) if mode == CHOSEN_KEYS else ()
    return mode == ALL_KEYS or str(number) in chosen


@callback
def async_known_keys(hass: HomeAssistant, entry: ConfigEntry) -> frozenset[int]:
    """Return the ids of the keys that have a device, apart from the configured one."""
    return _async_numbers(hass, entry, f"{key_identifier(entry)}_")


@callback
def async_known_plans(hass: HomeAssistant, entry: ConfigEntry) -> frozenset[int]:
    """Return the ids of the plans that have a device."""
    return _async_numbers(hass, entry, f"{entry.entry_id}_plan_")


@callback
def _async_numbers(
    hass: HomeAssistant, entry: ConfigEntry, prefix: str
) -> frozenset[int]:
    """Return the numbers that follow a prefix in the identifiers of devices."""
    return frozenset(
        int(identifier.removeprefix(prefix))
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        for domain, identifier in device.identifiers
        if domain == DOMAIN and identifier.startswith(prefix)
    )


class Devices:
    """Keeps the device registry in line with what the gateway says."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        site: SiteCoordinator,
        keys: KeysCoordinator,
        plans: PlansCoordinator | None,
    ) -> None:
        """Take an entry and the coordinators that name its devices."""
        self._hass = hass
        self._registry = dr.async_get(hass)
        self._entry = entry
        self._site = site
        self._keys = keys
        self._plans = plans
        self.plans = async_known_plans(hass, entry)
        """The ids of the plans that have a device."""
        self.keys = frozenset(
            number
            for number in async_known_keys(hass, entry)
            if is_wanted(entry, number)
        )
        """The ids of the keys that have a device, apart from the configured one."""

    @callback
    def async_update(self) -> None:
        """Make devices appear, change their names and disappear."""
        entry, site = self._entry, self._site.data
        keys: Keys = self._keys.data or Keys(site.unit)
        account = key = None
        if CONF_ACCESS_TOKEN in entry.data:
            account = self._async_ensure(
                account_identifier(entry),
                name=entry.title,
                model="Account",
                sw_version=site.version,
            )
        via = None if account is None else account.id
        if CONF_API_KEY in entry.data:
            name = keys.configured.name if keys.configured is not None else None
            key = self._async_ensure(
                key_identifier(entry),
                name=entry.title if account is None else name,
                first_name="api_key",
                model="API key",
                sw_version=site.version if account is None else None,
                via_device_id=via,
            )
        if account is None:
            self._async_remove(account_identifier(entry), heir=key)
        if key is None:
            self._async_remove(key_identifier(entry), heir=account)
        if account is None or keys.listed is not None:
            self._async_update_others(keys, via)
        plans: Plans | None = self._plans.data if self._plans is not None else None
        # A proxy can hide the plans for a while.
        if account is None or (plans is not None and plans.active is not None):
            self._async_update_plans((plans and plans.active) or {}, plans, via)

    @callback
    def _async_update_plans(
        self, active: Mapping[int, Plan], plans: Plans | None, via: str | None
    ) -> None:
        entry = self._entry
        for number, plan in active.items():
            self._async_ensure(
                plan_identifier(entry, number),
                name=plan.title,
                first_name="plan",
                number=plan.plan_id,
                model="Plan",
                via_device_id=via,
            )
        present = async_known_plans(self._hass, entry)
        missing = plans.missing if plans is not None else frozenset[int]()
        self.plans = frozenset(active.keys() | (present & missing))
        for number in present - self.plans:
            self._async_remove(plan_identifier(entry, number))

    @callback
    def _async_update_others(self, keys: Keys, via: str | None) -> None:
        entry = self._entry
        wanted = {
            number: key
            for number, key in keys.others.items()
            if is_wanted(entry, number)
        }
        for number, key in wanted.items():
            self._async_ensure(
                key_identifier(entry, number),
                name=key.name,
                first_name="further_api_key",
                number=number,
                model="API key",
                via_device_id=via,
            )
        present = async_known_keys(self._hass, entry)
        self.keys = frozenset(wanted.keys() | (present & keys.missing))
        for number in present - self.keys:
            self._async_remove(key_identifier(entry, number))

    @callback
    def _async_ensure(
        self,
        identifier: str,
        *,
        name: str | None,
        model: str,
        first_name: str | None = None,
        number: int | None = None,
        sw_version: str | None = None,
        via_device_id: str | None = None,
    ) -> dr.DeviceEntry:
        """Create or update a device; where its name is not known, it keeps its own.

        Where it has none, it gets the translated `first_name`, with a `number` in it.
        """
        known = self._registry.async_get_device_by_identifier(
            (DOMAIN, identifier), self._entry.entry_id
        )
        name = name or (None if known is None else known.name)
        return self._registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={(DOMAIN, identifier)},
            entry_type=dr.DeviceEntryType.SERVICE,
            configuration_url=self._entry.data[CONF_URL],
            manufacturer=self._site.data.name or "New API",
            model=model,
            name=name,
            translation_key=None if name else first_name,
            translation_placeholders={"number": str(number)},
            sw_version=sw_version,
            via_device_id=via_device_id,
        )

    @callback
    def is_used(self, device: dr.DeviceEntry) -> bool:
        """Tell whether the entry has entities for a device."""
        used = {key_identifier(self._entry, number) for number in self.keys}
        plans: Plans | None = self._plans.data if self._plans is not None else None
        if plans is None or plans.active is not None:
            used |= {plan_identifier(self._entry, number) for number in self.plans}
        if CONF_ACCESS_TOKEN in self._entry.data:
            used.add(account_identifier(self._entry))
        if CONF_API_KEY in self._entry.data:
            used.add(key_identifier(self._entry))
        return any(identifier in used for _, identifier in device.identifiers)

    @callback
    def _async_remove(
        self, identifier: str, *, heir: dr.DeviceEntry | None = None
    ) -> None:
        """Remove a device and its entities, but those of the site go to `heir`."""
        device = self._registry.async_get_device_by_identifier(
            (DOMAIN, identifier), self._entry.entry_id
        )
        if device is None:
            return
        if heir is not None:
            entities = er.async_get(self._hass)
            for entity in er.async_entries_for_device(
                entities, device.id, include_disabled_entities=True
            ):
                if entity.unique_id.startswith(f"{site_prefix(self._entry)}_"):
                    entities.async_update_entity(entity.entity_id, device_id=heir.id)
        self._registry.async_remove_device(device.id)
