"""How the services are that a site watches."""

from typing import Final

import pytest

from homeassistant.config_entries import ConfigEntry
from homeassistant.helpers import entity_registry as er
from tests.home import Home, Site, household
from tests.household import ACCOUNT, MINUTE
from tests.simulator import Gateway, Heartbeat, Monitor

UP: Final = f"binary_sensor.{ACCOUNT}_openai_gpt"
DOWN: Final = f"binary_sensor.{ACCOUNT}_openai_images"


def watched(*monitors: Monitor) -> Gateway:
    """Return a gateway whose services are watched."""
    gateway = household()
    gateway.configure(uptime_kuma=True)
    gateway.world.monitors = list(monitors) or [
        Monitor(category="OpenAI", name="GPT", uptime=0.9987),
        Monitor(category="OpenAI", name="Images", status=Heartbeat.DOWN, uptime=0.5),
    ]
    return gateway


async def test_monitors_are_disabled_at_first(home: Home) -> None:
    """Who does not want to know does not see them."""
    site = await home.serve(watched())
    entry = await home.add(site, user="wang")
    await home.pass_hour()
    registry = er.async_get(home.hass)
    monitors = [
        registry.async_get(entity_id)
        for unique_id, entity_id in home.entities(entry).items()
        if "_monitor_" in unique_id
    ]
    assert [monitor.original_name for monitor in monitors if monitor] == [
        "OpenAI: GPT",
        "OpenAI: Images",
    ]
    assert all(monitor and monitor.disabled_by for monitor in monitors)


async def enabled(home: Home, site: Site) -> ConfigEntry:
    """Have an entry all of whose monitors are enabled."""
    entry = await home.add(site, user="wang")
    await home.pass_hour()
    await home.enable(
        *(
            entity_id
            for unique_id, entity_id in home.entities(entry).items()
            if "_monitor_" in unique_id
        )
    )
    for _ in range(4):
        await home.pass_time(MINUTE)
    return entry


async def test_monitors(home: Home) -> None:
    """A service is up or down, and has been for a part of the day."""
    gateway = watched()
    await enabled(home, await home.serve(gateway))
    assert (home.state(UP), home.state(DOWN)) == ("on", "off")
    assert home.attributes(UP)["uptime"] == 99.87
    gateway.world.monitors[0].status = Heartbeat.DOWN
    gateway.world.monitors[1].status = Heartbeat.UP
    await home.poll()
    assert (home.state(UP), home.state(DOWN)) == ("off", "on")


@pytest.mark.parametrize("status", [Heartbeat.PENDING, Heartbeat.MAINTENANCE])
async def test_neither_up_nor_down(home: Home, status: Heartbeat) -> None:
    """A service that is looked at anew, or worked on, is neither up nor down."""
    gateway = watched()
    await enabled(home, await home.serve(gateway))
    gateway.world.monitors[0].status = status
    await home.poll()
    assert home.state(UP) == "unknown"
    assert home.state(DOWN) == "off"


async def test_monitors_come_and_go(home: Home) -> None:
    """A monitor that is not there any more is not shown; it comes back by itself."""
    gateway = watched()
    entry = await enabled(home, await home.serve(gateway))
    gone = gateway.world.monitors.pop(0)
    new = Monitor(category="OpenAI", name="Speech")
    gateway.world.monitors.append(new)
    await home.poll()
    assert home.state(UP) == "unavailable"
    assert home.state(DOWN) == "off"
    assert f"binary_sensor.{ACCOUNT}_openai_speech" in home.entities(entry).values()
    gateway.world.monitors.append(gone)
    await home.poll()
    assert home.state(UP) == "on"


async def test_status_page_does_not_answer(home: Home) -> None:
    """Where the site cannot ask, nobody knows, and all is there again later."""
    gateway = watched()
    await enabled(home, await home.serve(gateway))
    gateway.world.silent_monitors.add("OpenAI")
    await home.poll()
    assert home.state(UP) == "unavailable"
    gateway.world.silent_monitors.clear()
    await home.poll()
    assert (home.state(UP), home.state(DOWN)) == ("on", "off")


async def test_site_without_monitors_is_not_asked(home: Home, site: Site) -> None:
    """Where a site watches nothing, nobody asks."""
    site.gateway.configure(uptime_kuma=False)
    await home.add(site, user="wang")
    await home.pass_hour()
    assert site.asked("/api/uptime/status") == 0
