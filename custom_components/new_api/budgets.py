"""The budgets of all sites, and what of them is kept over a restart."""

from contextlib import suppress
from typing import Any, Final

import probatio
from yarl import URL

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import UnsupportedStorageVersionError
from homeassistant.helpers.singleton import singleton
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .gateway.budget import Bucket, Budget

_RECORD: Final = probatio.Schema(
    {
        probatio.Required("at"): probatio.Coerce(float),
        probatio.Required("critical_calls"): [probatio.Coerce(float)],
        probatio.Required("closed"): {
            probatio.In([bucket.value for bucket in Bucket]): probatio.Coerce(float)
        },
    }
)

_BUDGETS: HassKey[Budgets] = HassKey(f"{DOMAIN}_budgets")

_VERSION: Final = 1

# In seconds. Home Assistant can be killed at any time.
_SAVE_DELAY: Final = 1.0

# In seconds. No site closes for longer.
_FORGOTTEN_AFTER: Final = 86_400.0


class Budgets:
    """One budget for each origin; they outlive the entries that spend them.

    What a site does not want to be asked for some time, it does not want to be asked by
    a Home Assistant that was restarted either.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Start without any."""
        self._hass = hass
        self._store = Store[dict[str, Any]](hass, _VERSION, f"{DOMAIN}.budgets")
        self._budgets: dict[URL, Budget] = {}
        self._before: dict[str, Any] = {}

    async def async_load(self) -> None:
        """Load what was kept, unless another version of this made it."""
        try:
            kept = await self._store.async_load()
        except UnsupportedStorageVersionError:
            return
        if not isinstance(kept, dict):
            return
        for origin, record in kept.items():
            with suppress(probatio.Invalid):
                self._before[origin] = _RECORD(record)

    async def async_remove(self) -> None:
        """Keep nothing over a restart any more, since nobody asks any more."""
        await self._store.async_remove()

    @callback
    def async_of(self, base: URL) -> Budget:
        """Return the budget of the origin of a site."""
        origin = base.origin()
        if (known := self._budgets.get(origin)) is not None:
            return known
        budget = self._budgets[origin] = Budget()
        before = self._before.pop(str(origin), None)
        if before is not None:
            budget.restore(before, _now() - before["at"])
        budget.on_change = self._async_save
        return budget

    @callback
    def _async_save(self) -> None:
        if not self._hass.config_entries.async_entries(DOMAIN):
            # A form that is left leaves nothing behind.
            return
        self._store.async_delay_save(self._to_store, _SAVE_DELAY)

    @callback
    def _to_store(self) -> dict[str, Any]:
        now = _now()
        kept = {
            origin: before
            for origin, before in self._before.items()
            if now - before["at"] < _FORGOTTEN_AFTER
        }
        for origin, budget in self._budgets.items():
            state = budget.state()
            if state["critical_calls"] or state["closed"]:
                kept[str(origin)] = {
                    "at": now,
                    "critical_calls": state["critical_calls"],
                    "closed": state["closed"],
                }
        return kept


@singleton(_BUDGETS, async_=True)
async def async_budgets(hass: HomeAssistant) -> Budgets:
    """Return the budgets."""
    budgets = Budgets(hass)
    await budgets.async_load()
    return budgets


def _now() -> float:
    return dt_util.utcnow().timestamp()
