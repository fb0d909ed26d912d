"""System health: which gateways are configured, and whether they answer."""

from typing import Any

from pytest_homeassistant_custom_component.common import get_system_health_info  # type: ignore[import-untyped]

from custom_components.new_api.const import DOMAIN
from homeassistant.setup import async_setup_component
from tests.home import HOURLY, Home, Site, household
from tests.household import KEY
from tests.simulator import Answer, Rewrite


async def health(home: Home) -> dict[str, Any]:
    """Look at the system health, as it is shown to a person."""
    assert await async_setup_component(home.hass, "system_health", {})
    await home.settle()
    info: dict[str, Any] = await get_system_health_info(home.hass, DOMAIN)
    return info


async def test_gateways(home: Home, site: Site) -> None:
    """Each kind of gateway is named once, and nothing is asked for it."""
    site.gateway.world.add_user("li", quota=1)
    other = await home.serve(household("one_api"))
    await home.add(site, key=KEY, user="wang")
    await home.add(site, user="li", entry_id="li")
    await home.add(other, key=KEY, entry_id="other")
    asked = len(site.gateway.requests)
    assert await health(home) == {
        "entries": 3,
        "sites": "new_api v1.0.0-rc.24, one_api v0.0.0",
        "reached": "2/2",
    }
    assert len(site.gateway.requests) == asked


async def test_gateway_that_does_not_answer(home: Home, site: Site) -> None:
    """A gateway that did not answer last time does not count."""
    other = await home.serve(household("one_api"))
    await home.add(site, key=KEY)
    await home.add(other, key=KEY, entry_id="other")
    other.gateway.faults.add("*", Answer(502))
    await home.pass_time(HOURLY)
    assert (await health(home))["reached"] == "1/2"


async def test_entry_that_does_not_start(home: Home, site: Site) -> None:
    """An entry that does not start is one all the same."""
    site.gateway.faults.add("*", Answer(502))
    await home.add(site, key=KEY)
    info = await health(home)
    assert info["entries"] == 1
    assert info["reached"] == "0/0"


async def test_site_without_a_version(home: Home, site: Site) -> None:
    """A site that does not say its version is named without one."""

    def silent(reply: dict[str, Any]) -> dict[str, Any]:
        del reply["data"]["version"]
        return reply

    other = await home.serve(household("one_api"))
    other.gateway.faults.add("/api/status", Rewrite(silent))
    await home.add(other, key=KEY)
    assert (await health(home))["sites"] == "one_api"
