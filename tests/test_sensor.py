"""What the sensors show, of every recorded gateway."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.types import PropertyPath, SerializableData

from homeassistant.const import EntityCategory
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.home import Home, Site, household
from tests.recordings import SITES, Recording, load
from tests.simulator import Status

KEY: Final = "Home Assistant"
ACCOUNT: Final = "juhe_ai_wang"
OWN: Final = "home_assistant"
ALONE: Final = "juhe_ai_home_assistant"

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

# Sites that count and show as `usd` does.
SAME_AS_USD: Final = {"closed", "limited", "spending"}

# v0.9.0 knows no display types.
DISPLAY_TYPES: Final = {"cny", "cny_account_level", "tokens", "custom"}

DIFFERENT: Final = [
    pytest.param(server, site, id=f"{server}-{site}")
    for server, sites in SITES.items()
    for site in sites
    if site not in SAME_AS_USD
    and not (server == "new_api_0_9" and site in DISPLAY_TYPES)
]

KEYS: Final = ("unlimited", "exhausted", "expired", "disabled", "expires_later", "tiny")
"""Keys of alice's that differ in what is shown of them."""
KEYS_ALONE: Final = ("main", "unlimited", "expires_later", "expired")
"""As many as have a critical call each."""


# ------------------------------------------------------------------------------------
# The truth


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


# ------------------------------------------------------------------------------------
# All that is shown


def picture(home: Home) -> str:
    """Return all that Home Assistant shows, a line for each device and sensor."""
    devices = sorted(home.devices(), key=lambda device: str(device.identifiers))
    names = {device.id: device.name for device in devices}
    lines = []
    for device in devices:
        via = names.get(device.via_device_id or "")
        lines.append(
            f"{device.name}: {device.model}, version {device.sw_version}, via {via}"
        )
        lines += sensors_of(home, device)
    return "\n".join(lines)


def sensors_of(home: Home, device: dr.DeviceEntry) -> Iterator[str]:
    """Return the sensors of a device, with what differs from site to site."""
    entities = er.async_entries_for_device(er.async_get(home.hass), device.id)
    for entity in sorted(entities, key=lambda entity: entity.unique_id):
        state = home.hass.states.get(entity.entity_id)
        if state is None:
            yield f"  {entity.entity_id}: {entity.disabled_by}"
            continue
        details = [state.state]
        details += [
            f"{name} {state.attributes[name]}"
            for name in ("device_class", "unlimited", "figures_of")
            if name in state.attributes
        ]
        if unit := state.attributes.get("unit_of_measurement"):
            details[0] += f" {unit}"
        yield f"  {entity.entity_id}: {', '.join(details)}"


async def picture_is_taken(home: Home, server: str, name: str) -> Truth:
    """Add accounts and keys of a recorded site, and check all that is shown.

    Each is asked at a site of its own, since one alone would not be asked so much.
    """
    truth = Truth(load(server, name))
    await home.add(
        await home.serve_recorded(server, name),
        key="main",
        user="alice",
        entry_id="both",
        key_devices="chosen",
        keys=[str(truth.key(key)["id"]) for key in KEYS],
    )
    site = await home.serve_recorded(server, name)
    await home.add(site, user="bob", entry_id="debts", key_devices="none")
    for key in KEYS_ALONE:
        site = await home.serve_recorded(server, name)
        await home.add(site, key=key, entry_id=f"only {key}")
    for user in ("alice", "bob"):
        assert_account(home, truth, user)
    for key in ("main", *KEYS):
        assert_key_of_account(home, truth, key)
    for key in KEYS_ALONE:
        assert_key_alone(home, truth, key)
    return truth


@pytest.mark.parametrize(("server", "name"), DIFFERENT)
async def test_recorded_site(
    home: Home, server: str, name: str, snapshot: SnapshotAssertion
) -> None:
    """All that is shown of a recorded site is true, and stays as it is."""
    await picture_is_taken(home, server, name)
    shown = picture(home)
    assert not [secret for secret in home.secrets if secret in shown]
    assert shown == snapshot


@pytest.mark.parametrize("name", sorted(SAME_AS_USD))
@pytest.mark.parametrize("server", SITES)
async def test_recorded_site_that_differs_elsewhere(
    home: Home, server: str, name: str
) -> None:
    """What differs in other respects makes no difference to what is shown."""
    truth = await picture_is_taken(home, server, name)
    assert truth.unit == "USD"


@pytest.mark.parametrize("server", SITES)
async def test_all_keys_of_an_account(home: Home, server: str) -> None:
    """Each key of an account is shown, whatever is the matter with it."""
    site = await home.serve_recorded(server)
    truth = Truth(load(server, "usd"))
    await home.add(site, user="alice")
    keys = truth.keys_of("alice")
    assert len(keys) == 11
    assert home.device_names() == {"Test Gateway (alice)", *keys}
    for key in keys:
        assert_key_of_account(home, truth, key)


@pytest.mark.parametrize("server", SITES)
async def test_other_accounts(home: Home, server: str) -> None:
    """Debts, nothing and great riches are shown as they are."""
    truth = Truth(load(server, "usd"))
    for user in ("bob", "dora", "erin", "adam"):
        site = await home.serve_recorded(server)
        await home.add(site, user=user, entry_id=user, key_devices="none")
        assert_account(home, truth, user)
    assert home.state("test_gateway_bob_remaining_quota") == "-0.246912"
    assert home.state("test_gateway_dora_remaining_quota") == "0.00"


@pytest.mark.parametrize("server", ["new_api_main", "new_api_rc21"])
async def test_new_api_knows_all_of_a_key_alone(home: Home, server: str) -> None:
    """A key alone shows its own figures on any site of New API, also account-level."""
    site = await home.serve_recorded(server, "account_level")
    truth = Truth(load(server, "account_level"))
    for key in ("main", "unlimited", "expires_later", "exhausted"):
        await home.add(site, key=key, entry_id=key)
        row, sensor = truth.key(key), f"test_gateway_{key}"
        remaining = None if row.get("unlimited_quota") else row["remain_quota"]
        assert_amount(home, truth, f"{sensor}_remaining_quota", remaining)
        assert_amount(home, truth, f"{sensor}_used_quota", row["used_quota"])
        assert home.state(f"{sensor}_expires") == truth.expires(key)


@pytest.mark.parametrize("server", SITES)
async def test_models(home: Home, server: str) -> None:
    """Models are those that the site named, each counted once."""
    site = await home.serve_recorded(server)
    truth = Truth(load(server, "usd"))
    await home.add(site, key="main", user="alice")
    await home.add(site, key="model_limited", entry_id="limited")
    for sensor, exchange in (
        ("main", "key main /v1/models"),
        ("test_gateway_model_limited", "key model_limited /v1/models"),
    ):
        models = truth.models(exchange)
        assert home.state(f"{sensor}_model_count") == str(len(models))
        assert home.attributes(f"{sensor}_model_count")["models"] == sorted(models)
    assert home.state("test_gateway_alice_model_count") == "4"


# ------------------------------------------------------------------------------------
# How it is shown


@pytest.mark.parametrize(
    "subject", [{"key": KEY}, {"key": KEY, "user": "wang"}], ids=["key alone", "both"]
)
async def test_registry(
    home: Home, site: Site, subject: dict[str, Any], snapshot: SnapshotAssertion
) -> None:
    """All that Home Assistant keeps of the devices and entities of a household."""
    await home.add(site, **subject)
    entities = er.async_get(home.hass)

    def without_port(
        data: SerializableData, path: PropertyPath
    ) -> SerializableData | None:
        return str(data).replace(site.url, "the site") if data == site.url else data

    for device in home.devices():
        assert device == snapshot(name=f"{device.name}-device", matcher=without_port)
        for entity in er.async_entries_for_device(entities, device.id):
            assert entity == snapshot(name=f"{entity.entity_id}-entry")
            state = home.hass.states.get(entity.entity_id)
            assert state == snapshot(name=f"{entity.entity_id}-state")


async def test_names(home: Home, site: Site) -> None:
    """Sensors have names in English."""
    await home.add(site, key=KEY, user="wang")
    assert {
        entity_id: home.attributes(entity_id)["friendly_name"]
        for entity_id in (
            f"{ACCOUNT}_remaining_quota",
            f"{ACCOUNT}_model_count",
            f"{OWN}_status",
            "homework_used_quota",
        )
    } == {
        f"{ACCOUNT}_remaining_quota": "Juhe AI (wang) Remaining quota",
        f"{ACCOUNT}_model_count": "Juhe AI (wang) Model count",
        f"{OWN}_status": "Home Assistant Status",
        "homework_used_quota": "Homework Used quota",
    }
    assert home.attributes(f"{ACCOUNT}_request_count")["unit_of_measurement"] == (
        "requests"
    )
    assert home.attributes(f"{ACCOUNT}_model_count")["unit_of_measurement"] == "models"


async def test_names_in_chinese(home: Home, site: Site) -> None:
    """Sensors have names in Chinese, and IDs that anybody can type."""
    home.hass.config.language = "zh-Hans"
    await home.add(site, key=KEY, user="wang")
    assert home.states("Juhe AI (wang)").keys() == {
        "剩余额度",
        "已用额度",
        "请求次数",
        "状态",
        "模型数量",
    }
    assert home.states(KEY).keys() == {
        "剩余额度",
        "已用额度",
        "状态",
        "过期时间",
        "模型数量",
    }
    # Units are kept in English, since statistics are kept in them.
    assert home.attributes(f"{ACCOUNT}_request_count")["unit_of_measurement"] == (
        "requests"
    )
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


async def test_kinds(home: Home, site: Site) -> None:
    """Each sensor is of its kind, so that it is shown and recorded as such."""
    await home.add(site, key=KEY, user="wang")
    money: dict[str, object] = {"device_class": "monetary", "state_class": "total"}
    expected: dict[str, dict[str, object]] = {
        f"{ACCOUNT}_remaining_quota": money,
        f"{ACCOUNT}_used_quota": money,
        f"{ACCOUNT}_request_count": {"state_class": "total_increasing"},
        f"{ACCOUNT}_model_count": {"state_class": "measurement"},
        f"{OWN}_remaining_quota": money,
        f"{OWN}_used_quota": money,
        f"{OWN}_status": {"device_class": "enum"},
        f"{OWN}_expires": {"device_class": "timestamp"},
        f"{OWN}_model_count": {"state_class": "measurement"},
        "homework_remaining_quota": money,
        "homework_used_quota": money,
        "homework_status": {"device_class": "enum"},
    }
    registry = er.async_get(home.hass)
    for sensor, kind in expected.items():
        attributes = home.attributes(sensor)
        assert {
            name: attributes[name]
            for name in ("device_class", "state_class")
            if name in attributes
        } == kind
        entity = registry.async_get(f"sensor.{sensor}")
        assert entity is not None
        assert entity.disabled_by is None
        is_diagnostic = sensor.endswith("_expires")
        assert (entity.entity_category is EntityCategory.DIAGNOSTIC) == is_diagnostic


async def test_list_of_models_is_not_recorded(home: Home, site: Site) -> None:
    """A list that may be long is for people to see, not for the database to keep."""
    await home.add(site, key=KEY, user="wang")
    for sensor in (f"{ACCOUNT}_model_count", f"{OWN}_model_count"):
        state = home.hass.states.get(f"sensor.{sensor}")
        assert state is not None
        assert state.attributes["models"] == [
            "claude-haiku-4-5",
            "deepseek-chat",
            "gpt-5-mini",
        ]
        assert state.state_info is not None
        assert "models" in state.state_info["unrecorded_attributes"]


@pytest.mark.parametrize(
    ("options", "remaining", "unit", "device_class", "precision"),
    [
        pytest.param({}, "90.01", "USD", "monetary", 2, id="dollars"),
        pytest.param(
            {"quota_display_type": "CNY", "usd_exchange_rate": 7.2},
            "648.072",
            "CNY",
            "monetary",
            2,
            id="yuan",
        ),
        pytest.param(
            {"quota_display_type": "TOKENS"}, "45005000", "tokens", None, 0, id="tokens"
        ),
        pytest.param(
            {
                "quota_display_type": "CUSTOM",
                "custom_currency_symbol": "点",
                "custom_currency_exchange_rate": 0.85,
            },
            "76.5085",
            "点",
            None,
            2,
            id="custom",
        ),
        pytest.param(
            {"quota_per_unit": 700_000},
            "64.292857142857",
            "USD",
            "monetary",
            2,
            id="a divisor that never ends",
        ),
        pytest.param(
            {"quota_per_unit": 0}, "unknown", "USD", "monetary", 2, id="no divisor"
        ),
        pytest.param(
            {"status": {"quota_display_type": "SHELLS"}},
            "unknown",
            None,
            None,
            2,
            id="a unit from the future",
        ),
    ],
)
async def test_units(
    home: Home,
    site: Site,
    options: dict[str, Any],
    remaining: str,
    unit: str | None,
    device_class: str | None,
    precision: int,
) -> None:
    """Amounts are shown to the last digit, in the unit in which the site shows them."""
    site.gateway.configure(**options)
    await home.add(site, user="wang")
    sensor = f"{ACCOUNT}_remaining_quota"
    assert home.state(sensor) == remaining
    attributes = home.attributes(sensor)
    assert attributes.get("unit_of_measurement") == unit
    assert attributes.get("device_class") == device_class
    entity = er.async_get(home.hass).async_get(f"sensor.{sensor}")
    assert entity is not None
    assert entity.options["sensor"]["suggested_display_precision"] == precision
    # What is counted is known in any case.
    assert home.state(f"{ACCOUNT}_request_count") == "1234"


async def test_without_a_limit(home: Home, site: Site) -> None:
    """What has no limit is not a number, and says so."""
    await home.add(site, key=KEY, user="wang")
    assert home.state("claude_code_remaining_quota") == "unknown"
    assert home.attributes("claude_code_remaining_quota")["unlimited"] is True
    assert home.attributes(f"{OWN}_remaining_quota")["unlimited"] is False
    assert "unlimited" not in home.attributes(f"{OWN}_used_quota")
    site.gateway.spend("Claude Code", 1)
    await home.poll()
    assert home.state("claude_code_used_quota") == "122.000002"


async def test_debts(home: Home, site: Site) -> None:
    """An account in debt and an overdrawn key are shown as such."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.spend(KEY, 45_005_001)
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "-0.000002"
    assert home.state(f"{OWN}_remaining_quota") == "-65.010002"
    assert home.state(f"{OWN}_status") == "exhausted"


async def test_refund(home: Home, site: Site) -> None:
    """What was used can become less."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.refund(KEY, 500_000)
    await home.poll()
    assert home.state(f"{OWN}_used_quota") == "47.00"
    assert home.state(f"{ACCOUNT}_remaining_quota") == "91.01"


async def test_huge_figures(home: Home, site: Site) -> None:
    """No digit of a large balance is lost on the way."""
    site.user("wang").quota = 2**53 + 1
    site.user("wang").used_quota = 2**62 + 1
    await home.add(site, user="wang")
    assert home.state(f"{ACCOUNT}_remaining_quota") == "18014398509.481986"
    assert home.state(f"{ACCOUNT}_used_quota") == "9223372036854.77581"


async def test_expiry_of_other_keys(home: Home, site: Site) -> None:
    """When another key than the configured one ends is shown where it does.

    An account can have many keys that never end: of these it is not shown at first.
    """
    site.key("Homework").expires_at = site.gateway.world.now + 600
    await home.add(site, key=KEY, user="wang")
    assert home.state("homework_expires") == "2026-11-23T08:25:00+00:00"
    assert home.hass.states.get("sensor.claude_code_expires") is None
    await home.enable("claude_code_expires")
    assert home.state("claude_code_expires") == "unknown"


async def test_key_expires(home: Home, site: Site) -> None:
    """A key shows when it ends, and that it has ended."""
    site.key(KEY).expires_at = site.gateway.world.now + 600
    await home.add(site, key=KEY, user="wang")
    assert home.state(f"{OWN}_expires") == "2026-11-23T08:25:00+00:00"
    assert home.state(f"{OWN}_status") == "active"
    await home.poll(2)
    assert home.state(f"{OWN}_status") == "expired"
    assert home.state(f"{OWN}_remaining_quota") == "25.00"


@pytest.mark.parametrize("server", SITES)
async def test_state_in_the_list_lags_behind(home: Home, server: str) -> None:
    """A key that has run out is not called active because the site did not notice."""
    site = await home.serve(household(server))
    site.key("Homework").status = Status.ENABLED
    site.key("Claude Code").expires_at = site.gateway.world.now - 1
    await home.add(site, user="wang")
    assert home.state("homework_status") == "exhausted"
    assert home.state("claude_code_status") == "expired"
