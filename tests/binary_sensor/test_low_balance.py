"""Whether little is left, of the account and of keys."""

from typing import Final

import pytest

from tests.home import SECOND_OPINION, Home, Site, household
from tests.household import (
    ACCOUNT,
    ALONE,
    DOLLAR,
    KEY,
    MINUTE,
    OWN,
    TELLS_LITTLE,
    leave,
    lived,
    warnings,
)
from tests.restarts import restart
from tests.simulator import Reset

LOW: Final = f"binary_sensor.{ACCOUNT}_low_balance"
LOW_OWN: Final = f"binary_sensor.{OWN}_low_balance"


async def test_off_when_unset(home: Home, site: Site) -> None:
    """Who wants no warning gets none, with nothing left, and with debts."""
    await home.add(site, key=KEY, user="wang")
    for dollars in (90, 0, -5):
        leave(site, dollars)
        await home.poll()
        assert home.state(LOW) == "off"
    assert home.state(LOW_OWN) == "off"
    assert home.state("binary_sensor.homework_low_balance") == "off"


@pytest.mark.parametrize(
    ("dollars", "state"),
    [(90, "off"), (10.01, "off"), (10, "on"), (0, "on"), (-3, "on")],
)
async def test_low_balance(home: Home, site: Site, dollars: float, state: str) -> None:
    """At the threshold and below it there is a warning."""
    leave(site, dollars)
    await home.add(site, user="wang", **warnings(low_balance=10))
    assert home.state(LOW) == state


async def test_threshold_of_nothing(home: Home, site: Site) -> None:
    """Who wants to know when nothing is left is told then, and not before."""
    await home.add(site, user="wang", **warnings(low_balance=0))
    leave(site, 0.01)
    await home.poll()
    assert home.state(LOW) == "off"
    leave(site, 0)
    await home.poll()
    assert home.state(LOW) == "on"
    leave(site, 5)
    await home.poll()
    assert home.state(LOW) == "off"


async def test_low_balance_does_not_flutter(home: Home, site: Site) -> None:
    """A balance that goes to and fro around the threshold is one warning."""
    await home.add(site, user="wang", **warnings(low_balance=10))
    seen = home.changes_of(LOW)
    for dollars in (10.1, 9.99, 10.05, 9.98, 10.4, 10, 10.3):
        leave(site, dollars)
        await home.poll()
    assert seen == ["on"]
    leave(site, 30)
    await home.poll()
    assert seen == ["on", "off"]
    leave(site, 10.3)
    await home.poll()
    assert seen == ["on", "off"]


@pytest.mark.parametrize("again", ["reload", "restart"])
@pytest.mark.parametrize("before", ["on", "off"])
async def test_restart_inside_the_band(
    home: Home, site: Site, again: str, before: str
) -> None:
    """A warning neither begins nor ends by a start while the balance is in between."""
    entry = await home.add(site, user="wang", **warnings(low_balance=10))
    leave(site, 9.9 if before == "on" else 11)
    await home.poll()
    leave(site, 10.2)
    await home.poll()
    assert home.state(LOW) == before
    if again == "restart":
        await restart(home, entry)
    else:
        await home.hass.config_entries.async_reload(entry.entry_id)
    await home.poll()
    assert home.state(LOW) == before


async def test_outage_inside_the_band(home: Home, site: Site) -> None:
    """Nor does it by an outage, nor by a start during one."""
    entry = await home.add(site, user="wang", **warnings(low_balance=10))
    leave(site, 9.9)
    await home.poll()
    leave(site, 10.2)
    await home.poll()
    site.gateway.faults.add("*", Reset())
    await home.poll(2)
    assert home.state(LOW) == "unavailable"
    site.gateway.faults.clear()
    await home.poll(2)
    assert home.state(LOW) == "on"
    site.gateway.faults.add("*", Reset())
    await home.poll(2)
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.pass_time(MINUTE)
    site.gateway.faults.clear()
    await home.pass_time(10 * MINUTE)
    await home.poll()
    assert home.state(LOW) == "on"


@pytest.mark.parametrize("path", ["/api/user/self", "*"], ids=["account", "site"])
async def test_starts_during_an_outage(home: Home, site: Site, path: str) -> None:
    """Nor by many starts during one, whether or not something else still answers."""
    entry = await home.add(site, key=KEY, user="wang", **warnings(low_balance=10))
    leave(site, 9.9)
    await home.poll()
    leave(site, 10.2)
    await home.poll()
    site.gateway.faults.add(path, Reset())
    for _ in range(3):
        await home.poll(2)
        await restart(home, entry)
    site.gateway.faults.clear()
    await home.pass_time(10 * MINUTE)
    await home.poll()
    assert home.state(LOW) == "on"


async def test_unknown_inside_the_band(home: Home, site: Site) -> None:
    """Nor by a time in which nobody knows what the balance is worth."""
    await home.add(site, user="wang", **warnings(low_balance=10))
    leave(site, 9.9)
    await home.poll()
    leave(site, 10.2)
    site.gateway.configure(quota_per_unit=0)
    await home.poll(2)
    assert home.state(LOW) == "unknown"
    site.gateway.configure(quota_per_unit=500_000)
    await home.poll(2)
    assert home.state(LOW) == "on"


async def test_threshold_is_lowered(home: Home, site: Site) -> None:
    """Who lowers the threshold below what is left is warned no more."""
    leave(site, 9)
    entry = await home.add(site, user="wang", **warnings(low_balance=10))
    assert home.state(LOW) == "on"
    home.hass.config_entries.async_update_entry(
        entry, options=warnings(low_balance=8.9)
    )
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.poll()
    assert home.state(LOW) == "off"


async def test_threshold_in_another_unit(home: Home, site: Site) -> None:
    """Ten dollars are not ten yuan: a threshold counts in the unit it was given in."""
    leave(site, 5)
    await home.add(site, user="wang", **warnings("CNY", low_balance=10))
    assert home.state(LOW) == "unknown"


async def test_site_changes_its_unit(home: Home, site: Site) -> None:
    """A warning neither begins nor ends because the site shows another unit."""
    leave(site, 50)
    await home.add(site, user="wang", **warnings(low_balance=100))
    assert home.state(LOW) == "on"
    site.gateway.configure(quota_display_type="CNY", usd_exchange_rate=7.0)
    await home.poll(2)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "350.00"
    assert home.state(LOW) == "unknown"


async def test_low_key(home: Home, site: Site) -> None:
    """Each key with a limit warns; the balance has a threshold of its own."""
    await home.add(site, key=KEY, user="wang", **warnings(low_key=5))
    assert home.state(LOW_OWN) == "off"
    assert home.state("binary_sensor.homework_low_balance") == "on"
    assert home.state(LOW) == "off"
    site.gateway.spend(KEY, 21 * DOLLAR)
    leave(site, 1)
    await home.poll()
    assert home.state(LOW_OWN) == "on"
    assert home.state(LOW) == "off"


async def test_unlimited_key_is_never_low(home: Home, site: Site) -> None:
    """A key without a limit has no low one, whatever figures the server has for it."""
    await home.add(
        site, key=KEY, user="wang", **warnings(low_key=1_000, low_key_days=100)
    )
    assert home.state(LOW_OWN) == "on"
    assert home.state("binary_sensor.claude_code_low_balance") == "off"


async def test_key_alone_is_low(home: Home, site: Site) -> None:
    """A key warns without an account too."""
    await home.add(site, key=KEY, **warnings(low_key=20))
    assert home.state(f"binary_sensor.{ALONE}_low_balance") == "off"
    site.gateway.spend(KEY, 10 * DOLLAR)
    await home.poll()
    assert home.state(f"binary_sensor.{ALONE}_low_balance") == "on"


@pytest.mark.parametrize("threshold", ["low_key", "low_key_days"])
@pytest.mark.parametrize("server", TELLS_LITTLE)
async def test_used_up_key_that_tells_nothing_more(
    home: Home, server: str, threshold: str
) -> None:
    """A key that is used up is low, though it no longer says what is left."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, warnings={"unit": "USD", threshold: 20})
    low = f"binary_sensor.{ALONE}_low_balance"
    for _ in range(3):
        # Some sites prove only so that their figures are those of the key.
        site.gateway.spend(KEY, 2 * DOLLAR)
        await home.poll(2)
    if threshold == "low_key":
        assert home.state(low) == "on"
    seen = home.changes_of(low)
    site.gateway.spend(KEY, site.key(KEY).remain_quota)
    await home.poll(2)
    assert home.state(f"{ALONE}_status") == "exhausted"
    assert home.state(f"{ALONE}_remaining_quota") == "unknown"
    assert home.state(low) == "on"
    assert not {"off", "unknown"} & set(seen)


@pytest.mark.parametrize("status", ["disabled", "expired"])
async def test_key_of_which_nothing_is_known(home: Home, status: str) -> None:
    """What is left of a key that is refused otherwise, nobody knows."""
    site = await home.serve(household("one_hub"))
    await home.add(site, key=KEY, **warnings(low_key=20))
    change = {
        "disabled": site.gateway.world.disable_key,
        "expired": site.gateway.world.expire_key,
    }
    change[status](KEY)
    await home.poll(2)
    assert home.state(f"{ALONE}_status") == status
    assert home.state(f"binary_sensor.{ALONE}_low_balance") == "unknown"


async def test_used_up_key_is_nothing_to_who_does_not_ask(home: Home) -> None:
    """Without a threshold there is no warning of that either."""
    site = await home.serve(household("one_hub"))
    await home.add(site, key="Homework")
    alone = "juhe_ai_homework"
    assert home.state(f"{alone}_status") == "exhausted"
    assert home.state(f"binary_sensor.{alone}_low_balance") == "off"


async def test_account_is_disabled(home: Home, site: Site) -> None:
    """Of an account that is not shown, nobody knows whether it is low."""
    await home.add(site, user="wang", **warnings(low_balance=10))
    site.gateway.world.disable_user("wang")
    await home.poll(2)
    await home.pass_time(SECOND_OPINION)
    assert home.state(LOW) == "unavailable"


async def test_days_left(home: Home) -> None:
    """Where the balance lasts no longer than wanted, there is a warning."""
    site = await home.serve(lived(a_day=10, balance=80))
    await home.add(site, user="wang", **warnings(low_balance_days=7))
    await home.poll()
    assert home.state(LOW) == "off"
    leave(site, 60)
    await home.poll()
    assert home.state(LOW) == "on"
    # A forecast is not so certain that a little more would be the end of it.
    leave(site, 72)
    await home.poll()
    assert home.state(LOW) == "on"
    leave(site, 100)
    await home.poll()
    assert home.state(LOW) == "off"


async def test_amount_or_days(home: Home) -> None:
    """Either of the two is enough."""
    site = await home.serve(lived(a_day=1, balance=9))
    await home.add(site, user="wang", **warnings(low_balance=10, low_balance_days=2))
    await home.poll()
    assert home.state(LOW) == "on"
    leave(site, 90)
    await home.poll()
    assert home.state(LOW) == "off"


async def test_days_left_are_not_known(home: Home, site: Site) -> None:
    """Where nobody knows how long it lasts, nobody is warned, nor told otherwise."""
    await home.add(site, user="wang", **warnings(low_balance_days=7))
    await home.poll()
    assert home.state(f"{ACCOUNT}_days_left") == "unknown"
    assert home.state(LOW) == "unknown"


async def test_nothing_left_is_low_by_days(home: Home, site: Site) -> None:
    """Where nothing is left, it lasts no days, however much is known of the past."""
    leave(site, -1)
    await home.add(site, user="wang", **warnings(low_balance_days=7))
    await home.poll(2)
    assert home.state(LOW) == "on"
