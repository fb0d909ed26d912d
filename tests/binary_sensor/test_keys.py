"""Keys that expire soon, and keys that cannot be used."""

from datetime import timedelta

import pytest

from tests.home import SECOND_OPINION, Home, Site, household
from tests.household import (
    ALONE,
    DAY,
    DOLLAR,
    HOUR,
    KEY,
    MINUTE,
    OWN,
    TELLS_LITTLE,
    warnings,
)
from tests.simulator import Status


def expire(site: Site, name: str, after: timedelta) -> None:
    """Let a key expire after a time."""
    at = site.gateway.world.now + int(after.total_seconds())
    site.gateway.world.edit_key(name, expires_at=at)


@pytest.mark.parametrize("alone", [False, True], ids=["account", "key alone"])
async def test_expires_soon(home: Home, site: Site, alone: bool) -> None:
    """As time passes and nothing else happens, there is a warning, one."""
    expire(site, KEY, 9 * DAY)
    await home.add(
        site, key=KEY, user=None if alone else "wang", **warnings(expires_soon=7)
    )
    name = f"binary_sensor.{ALONE if alone else OWN}_expires_soon"
    seen = home.changes_of(name)
    assert home.state(name) == "off"
    for _ in range(9):
        await home.pass_time(5 * HOUR)
    assert home.state(name) == "off"
    for _ in range(2):
        await home.pass_time(5 * HOUR)
    assert home.state(name) == "on"
    assert seen == ["on"]


async def test_expires_soon_between_two_readings(home: Home, site: Site) -> None:
    """It is told when it is so far, not when the site is next asked."""
    expire(site, KEY, 7 * DAY + 20 * MINUTE)
    await home.add(
        site, key=KEY, user="wang", update_interval=60, **warnings(expires_soon=7)
    )
    assert home.state(f"binary_sensor.{OWN}_expires_soon") == "off"
    asked = site.asked("/api/token/")
    # It is a quarter past; at the full hour all is shown anew.
    await home.pass_time(46 * MINUTE)
    assert site.asked("/api/token/") == asked
    assert home.state(f"binary_sensor.{OWN}_expires_soon") == "on"


@pytest.mark.parametrize("server", TELLS_LITTLE)
async def test_expired_key_that_tells_nothing_more(home: Home, server: str) -> None:
    """The warning goes on when the key has expired, though it no longer says when."""
    site = await home.serve(household(server))
    expire(site, KEY, DAY)
    await home.add(site, key=KEY, **warnings(expires_soon=7))
    name = f"binary_sensor.{ALONE}_expires_soon"
    seen = home.changes_of(name)
    assert home.state(name) == "on"
    for _ in range(7):
        await home.pass_time(5 * HOUR)
    assert home.state(f"{ALONE}_status") == "expired"
    assert home.state(f"{ALONE}_expires") == "unknown"
    assert home.state(name) == "on"
    assert "off" not in seen
    site.gateway.world.edit_key(KEY, expires_at=-1)
    site.gateway.world.enable_key(KEY)
    await home.poll(2)
    assert home.state(name) == "off"


@pytest.mark.parametrize("server", ["one_api", "new_api_main"])
async def test_expired_key_is_nothing_to_who_does_not_ask(
    home: Home, server: str
) -> None:
    """Without the option there is no warning of that either."""
    site = await home.serve(household(server))
    expire(site, KEY, -HOUR)
    await home.add(site, key=KEY)
    assert home.state(f"{ALONE}_status") == "expired"
    assert home.state(f"binary_sensor.{ALONE}_expires_soon") == "off"


async def test_key_is_prolonged(home: Home, site: Site) -> None:
    """A key that is prolonged, or never expires any more, warns no more."""
    expire(site, KEY, DAY)
    expire(site, "Claude Code", DAY)
    await home.add(site, key=KEY, user="wang", **warnings(expires_soon=7))
    assert home.state(f"binary_sensor.{OWN}_expires_soon") == "on"
    assert home.state("binary_sensor.claude_code_expires_soon") == "on"
    assert home.state("binary_sensor.homework_expires_soon") == "off"
    expire(site, KEY, 100 * DAY)
    site.gateway.world.edit_key("Claude Code", expires_at=-1)
    await home.poll()
    assert home.state(f"binary_sensor.{OWN}_expires_soon") == "off"
    assert home.state("binary_sensor.claude_code_expires_soon") == "off"


async def test_expiry_is_nothing_to_who_does_not_ask(home: Home, site: Site) -> None:
    """Without the option there is no warning."""
    expire(site, KEY, HOUR)
    await home.add(site, key=KEY, user="wang")
    assert home.state(f"binary_sensor.{OWN}_expires_soon") == "off"


def use_up(site: Site) -> None:
    """Let a key use all it had."""
    site.gateway.spend("Claude Code", site.key("Claude Code").remain_quota)


async def test_key_not_usable(home: Home, site: Site) -> None:
    """A key that cannot be used is a problem, for each reason; then it is none."""
    key = site.key("Claude Code")
    key.unlimited, key.remain_quota = False, 10 * DOLLAR
    await home.add(site, user="wang")
    problem = "binary_sensor.claude_code_not_usable"
    assert home.state(problem) == "off"
    assert home.state("binary_sensor.homework_not_usable") == "on"

    site.gateway.world.disable_key("Claude Code")
    await home.poll()
    assert home.state("claude_code_status") == "disabled"
    assert home.state(problem) == "on"
    site.gateway.world.enable_key("Claude Code")
    await home.poll()
    assert home.state(problem) == "off"

    site.gateway.world.expire_key("Claude Code")
    await home.poll()
    assert home.state("claude_code_status") == "expired"
    assert home.state(problem) == "on"
    site.gateway.world.edit_key("Claude Code", expires_at=-1)
    await home.poll()
    assert home.state(problem) == "off"

    use_up(site)
    await home.poll()
    assert home.state("claude_code_status") == "exhausted"
    assert home.state(problem) == "on"
    site.gateway.world.edit_key("Claude Code", remain_quota=DOLLAR)
    await home.poll()
    assert home.state(problem) == "off"


async def test_own_key_not_usable(home: Home, site: Site) -> None:
    """So it is with the configured key: a wrong address, a disabled account."""
    await home.add(site, key=KEY)
    problem = f"binary_sensor.{ALONE}_not_usable"
    assert home.state(problem) == "off"
    site.gateway.world.disable_user("wang")
    await home.poll(2)
    assert home.state(f"{ALONE}_status") == "owner_disabled"
    assert home.state(problem) == "on"
    site.user("wang").status = Status.ENABLED
    await home.poll()
    assert home.state(problem) == "off"


async def test_unknown_key_is_a_problem_when_it_is_certain(
    home: Home, site: Site
) -> None:
    """A hiccup of the site is no problem of a key; a second refusal is."""
    await home.add(site, key=KEY)
    seen = home.changes_of(f"binary_sensor.{ALONE}_not_usable")
    site.gateway.world.rotate_key(KEY)
    await home.poll()
    assert "on" not in seen
    await home.pass_time(SECOND_OPINION)
    assert home.state(f"binary_sensor.{ALONE}_not_usable") == "on"
