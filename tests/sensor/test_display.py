"""How figures are shown."""

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.types import PropertyPath, SerializableData

from homeassistant.const import EntityCategory
from homeassistant.helpers import entity_registry as er
from tests.home import Home, Site, household
from tests.household import ACCOUNT, KEY, OWN
from tests.recordings import SITES
from tests.simulator import Status


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
    for device, names in (
        ("Juhe AI (wang)", {"剩余额度", "已用额度", "请求次数", "状态", "模型数量"}),
        (KEY, {"剩余额度", "已用额度", "状态", "过期时间", "模型数量"}),
    ):
        shown = home.states(device).keys()
        assert names <= shown
        assert not [name for name in shown if name.isascii()]
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
