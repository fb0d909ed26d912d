"""What stood in the databases of recorded sites, next to what is shown."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from tests.home import Home
from tests.recordings import Recording

# What a server has that was not told otherwise.
DEFAULTS: Final = {
    "QuotaPerUnit": "500000",
    "USDExchangeRate": "7.3",
    "DisplayInCurrencyEnabled": "true",
    "general_setting.quota_display_type": "USD",
    "general_setting.custom_currency_exchange_rate": "1",
    "general_setting.custom_currency_symbol": "¤",
}

STATUS: Final = {1: "active", 2: "disabled", 3: "expired", 4: "exhausted"}


class Truth:
    """What stood in the database of a recorded site, as its own console shows it."""

    def __init__(self, recording: Recording) -> None:
        """Take a recording."""
        self._recording = recording

    @property
    def display_type(self) -> str:
        """Return how the site shows quota."""
        if self._option("DisplayInCurrencyEnabled") == "false":
            return "TOKENS"
        if self._recording.server not in ("new_api_main", "new_api_rc21"):
            return "USD"
        return self._option("general_setting.quota_display_type")

    @property
    def unit(self) -> str:
        """Return the unit of amounts."""
        return {
            "TOKENS": "tokens",
            "CUSTOM": self._option("general_setting.custom_currency_symbol"),
        }.get(self.display_type, self.display_type)

    @property
    def device_class(self) -> str | None:
        """Return whether amounts are money."""
        return "monetary" if self.display_type in ("USD", "CNY") else None

    def amount(self, raw: int) -> Decimal | None:
        """Return what the console shows for raw quota (gateway_api.md 3.2)."""
        if self.display_type == "TOKENS":
            return Decimal(raw)
        divisor = Decimal(self._option("QuotaPerUnit"))
        rate = {
            "CNY": self._option("USDExchangeRate"),
            "CUSTOM": self._option("general_setting.custom_currency_exchange_rate"),
        }.get(self.display_type, "1")
        return raw / divisor * Decimal(rate) if divisor else None

    def user(self, name: str) -> dict[str, Any]:
        """Return the row of a user."""
        return self._recording.truth.users[name]

    def key(self, name: str) -> dict[str, Any]:
        """Return the row of a key."""
        return self._recording.truth.keys[name]

    def keys_of(self, user: str) -> list[str]:
        """Return the names of a user's keys."""
        number = self.user(user)["id"]
        keys = self._recording.truth.keys.items()
        return [name for name, key in keys if key["user_id"] == number]

    def status(self, name: str) -> str:
        """Return what a key is good for: what is written lags behind."""
        key = self.key(name)
        written = STATUS[key["status"]]
        if (
            written == "active"
            and 0 < key["expired_time"] < self._recording.recorded_at
        ):
            return "expired"
        is_empty = not key.get("unlimited_quota") and key["remain_quota"] <= 0
        return "exhausted" if written == "active" and is_empty else written

    def expires(self, name: str) -> str:
        """Return when a key ends, as a state."""
        at = self.key(name)["expired_time"]
        return "unknown" if at < 0 else datetime.fromtimestamp(at, UTC).isoformat()

    def models(self, exchange: str) -> set[str]:
        """Return the models that the site named in a recorded exchange."""
        data = self._recording.find(exchange).json()["data"]
        return {each["id"] if isinstance(each, dict) else each for each in data}

    def _option(self, name: str) -> str:
        return self._recording.options.get(name, DEFAULTS[name])


def number(state: str) -> Decimal | None:
    """Return a state as a number, None for unknown."""
    return None if state == "unknown" else Decimal(state)


def assert_amount(home: Home, truth: Truth, sensor: str, raw: int | None) -> None:
    """Check an amount to the last digit, and what it is an amount of."""
    amount = None if raw is None else truth.amount(raw)
    assert number(home.state(sensor)) == amount, sensor
    attributes = home.attributes(sensor)
    assert attributes["unit_of_measurement"] == truth.unit
    assert attributes.get("device_class") == truth.device_class
    assert attributes["state_class"] == "total"


def assert_account(home: Home, truth: Truth, user: str) -> None:
    """Check the figures of an account."""
    row, account = truth.user(user), f"test_gateway_{user}"
    assert_amount(home, truth, f"{account}_remaining_quota", row["quota"])
    assert_amount(home, truth, f"{account}_used_quota", row["used_quota"])
    assert home.state(f"{account}_request_count") == str(row["request_count"])


def assert_key_of_account(home: Home, truth: Truth, key: str) -> None:
    """Check the figures of a key that stands in the list of its account."""
    row = truth.key(key)
    limited = not row.get("unlimited_quota")
    remaining = row["remain_quota"] if limited else None
    assert_amount(home, truth, f"{key}_remaining_quota", remaining)
    assert_amount(home, truth, f"{key}_used_quota", row["used_quota"])
    assert home.state(f"{key}_status") == truth.status(key)
    attributes = home.attributes(f"{key}_remaining_quota")
    assert attributes["unlimited"] is not limited
    assert attributes["figures_of"] == "key"


def assert_key_alone(home: Home, truth: Truth, key: str) -> None:
    """Check that what a key alone shows is true of whom it is said, or unknown."""
    row, alice, sensor = truth.key(key), truth.user("alice"), f"test_gateway_{key}"
    assert home.state(f"{sensor}_status") == truth.status(key)
    assert home.state(f"{sensor}_expires") in (truth.expires(key), "unknown")
    attributes = home.attributes(f"{sensor}_remaining_quota")
    remaining = {"key": {row["remain_quota"]}, "account": {alice["quota"]}}
    used = {"key": {row["used_quota"]}, "account": {alice["used_quota"]}}
    for figures in (remaining, used):
        figures["unknown"] = figures["key"] | figures["account"]
    whose = attributes["figures_of"]
    if whose == "key" and row.get("unlimited_quota"):
        assert attributes["unlimited"] is True
        remaining["key"] = set()
    for name, figures in (("remaining_quota", remaining), ("used_quota", used)):
        shown = number(home.state(f"{sensor}_{name}"))
        amounts = {truth.amount(raw) for raw in figures[whose]}
        assert shown is None or shown in amounts
