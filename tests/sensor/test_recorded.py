"""All that is shown of every recorded site is true."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pytest
from syrupy.assertion import SnapshotAssertion

from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.home import Home
from tests.recordings import SITES, load

from .truth import (
    Truth,
    assert_account,
    assert_amount,
    assert_key_alone,
    assert_key_of_account,
)

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

WITH_PLANS: Final = ("new_api_main", "new_api_rc21")
"""The servers that sell plans, of which alice has one."""

KEYS: Final = ("unlimited", "exhausted", "expired", "disabled", "expires_later", "tiny")
"""Keys of alice's that differ in what is shown of them."""
KEYS_ALONE: Final = ("main", "unlimited", "expires_later", "expired")
"""As many as have a critical call each."""


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
    plans = set(home.device_names()) - {"Test Gateway (alice)", *keys}
    assert len(plans) == (1 if server in WITH_PLANS else 0)
    assert {"Test Gateway (alice)", *keys} <= home.device_names()
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
        # Nobody wants to know so much of one site at once.
        await home.pass_time(timedelta(minutes=4))
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
