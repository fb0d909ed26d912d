"""What the owner of a gateway can set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import json
from typing import Any, Final, Literal, Self, get_args

type DisplayType = Literal["USD", "CNY", "TOKENS", "CUSTOM"]

_DISPLAY_TYPES: Final[tuple[DisplayType, ...]] = get_args(DisplayType.__value__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of a site that a monitor can notice."""

    system_name: str = "New API"
    notice: str = ""
    quota_per_unit: float = 500_000
    display_in_currency: bool = True
    """How older servers tell dollars from raw quota."""
    quota_display_type: DisplayType = "USD"
    usd_exchange_rate: float = 7.3
    custom_currency_symbol: str = "¤"
    custom_currency_exchange_rate: float = 1
    key_level_billing: bool = True
    """Whether billing speaks of the key (`DisplayTokenStatEnabled`)."""
    data_export: bool = True
    keys_recorded_since: int = 0
    """Since when statistics know keys: an older server has written those of before."""
    log_consumption: bool = True
    """Whether requests are logged; without, statistics stand still as well."""
    check_in: bool = False
    check_in_quota: tuple[int, int] = (1_000, 10_000)
    check_in_dialect: Literal["new_api", "wong"] = "new_api"
    announcements: tuple[Mapping[str, Any], ...] = ()
    """Newest first."""
    announcements_enabled: bool = True
    uptime_kuma: bool = True
    shuffles_models: bool = False
    """Whether lists of models come in another order each time."""
    late: Mapping[str, int] = field(default_factory=dict)
    """By how many seconds, up to ten minutes, a figure comes late out of a cache:
    `{"user.quota": 60}`, with the names in `User` and `Key`."""
    header_nav_modules: str = ""
    """JSON in a string; may hide the pricing page or ask for a login."""
    time_zone: str = "UTC"
    """Where the server thinks it is; decides when "today" begins."""
    status: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else `/api/status` shall say, over everything above."""

    @classmethod
    def from_server(cls, options: Mapping[str, str], time_zone: str = "UTC") -> Self:
        """Read the options as a server keeps them: all of them text."""
        read = {
            field: reader(options[name])
            for name, (field, reader) in _SERVER_OPTIONS.items()
            if name in options
        }
        if not read.get("display_in_currency", True):
            # The old switch still turns the new one.
            read.setdefault("quota_display_type", "TOKENS")
        return cls(time_zone=time_zone, **read)

    @property
    def pricing_needs_login(self) -> bool:
        """Tell whether the pricing page is for users only."""
        return bool(self._pricing_page.get("requireAuth"))

    @property
    def pricing_is_hidden(self) -> bool:
        """Tell whether there is no pricing page."""
        return not self._pricing_page.get("enabled", True)

    @property
    def _pricing_page(self) -> dict[str, Any]:
        modules = json.loads(self.header_nav_modules or "{}")
        page = modules.get("pricing", {})
        return page if isinstance(page, dict) else {"enabled": page}


def _is_on(value: str) -> bool:
    return value == "true"


def _display_type(value: str) -> DisplayType:
    for known in _DISPLAY_TYPES:
        if value == known:
            return known
    raise ValueError(f"unknown display type {value!r}")


def _announcements(value: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(json.loads(value))


_SERVER_OPTIONS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "SystemName": ("system_name", str),
    "Notice": ("notice", str),
    "QuotaPerUnit": ("quota_per_unit", float),
    "DisplayInCurrencyEnabled": ("display_in_currency", _is_on),
    "DisplayTokenStatEnabled": ("key_level_billing", _is_on),
    "USDExchangeRate": ("usd_exchange_rate", float),
    "DataExportEnabled": ("data_export", _is_on),
    "LogConsumeEnabled": ("log_consumption", _is_on),
    "HeaderNavModules": ("header_nav_modules", str),
    "checkin_setting.enabled": ("check_in", _is_on),
    "console_setting.announcements_enabled": ("announcements_enabled", _is_on),
    "console_setting.uptime_kuma_enabled": ("uptime_kuma", _is_on),
    "console_setting.announcements": ("announcements", _announcements),
    "general_setting.quota_display_type": ("quota_display_type", _display_type),
    "general_setting.custom_currency_symbol": ("custom_currency_symbol", str),
    "general_setting.custom_currency_exchange_rate": (
        "custom_currency_exchange_rate",
        float,
    ),
}
