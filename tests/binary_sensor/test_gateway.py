"""Whether the site answers."""

from typing import Final

from tests.home import Home, Site
from tests.household import ACCOUNT, ALONE, HOUR, KEY
from tests.simulator import Answer, Reset

GATEWAY: Final = f"binary_sensor.{ACCOUNT}_gateway"


async def test_gateway(home: Home, site: Site) -> None:
    """That a site does not answer is shown, and nothing else of it is."""
    await home.add(site, key=KEY, user="wang")
    seen = home.changes_of(GATEWAY)
    assert home.state(GATEWAY) == "on"
    site.gateway.faults.add("*", Reset())
    await home.poll(2)
    assert home.state(GATEWAY) == "off"
    assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"
    for _ in range(30):
        await home.pass_time(HOUR)
    assert home.state(GATEWAY) == "off"
    site.gateway.faults.clear()
    await home.poll(2)
    assert home.state(GATEWAY) == "on"
    assert seen == ["off", "on"]


async def test_gateway_of_a_key_alone(home: Home, site: Site) -> None:
    """So it is without an account."""
    await home.add(site, key=KEY)
    assert home.state(f"binary_sensor.{ALONE}_gateway") == "on"
    site.gateway.faults.add("*", Reset())
    await home.poll(2)
    assert home.state(f"binary_sensor.{ALONE}_gateway") == "off"


async def test_site_that_closes_an_account_is_there(home: Home, site: Site) -> None:
    """A site that refuses an account answers."""
    await home.add(site, user="wang")
    site.gateway.world.disable_user("wang")
    await home.poll(3)
    assert home.state(GATEWAY) == "on"


async def test_site_that_has_had_enough_is_there(home: Home, site: Site) -> None:
    """Who says that there were too many questions has answered."""
    await home.add(site, user="wang")
    site.gateway.faults.add("*", Answer(429, "", (("Retry-After", "3600"),)))
    await home.poll(3)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"
    assert home.state(GATEWAY) == "on"
