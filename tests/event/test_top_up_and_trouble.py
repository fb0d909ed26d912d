"""Neither a start nor a failure makes up income, or hides it."""

from datetime import timedelta
from typing import Any

import pytest

from tests.home import Home, Site, household
from tests.household import ACCOUNT, DAY, DOLLAR, HOUR, KEY, nothing_asked
from tests.restarts import lose_power, restart
from tests.simulator import MISSING, Answer, Reset, Rewrite, User

from .money import BALANCE_AT_FIRST, CERTAIN, came_in, watched
from .told import Told


@pytest.mark.parametrize("again", ["reload", "restart"])
async def test_nothing_is_told_twice(home: Home, site: Site, again: str) -> None:
    """What was told stays told, whatever is started anew."""
    told = await watched(home, site)
    (entry,) = home.entries
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await home.poll(CERTAIN)
    for _ in range(3):
        if again == "restart":
            await restart(home, entry)
        else:
            await home.hass.config_entries.async_reload(entry.entry_id)
        await home.poll(CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 10)]


async def test_nothing_is_told_twice_without_a_new_reading(
    home: Home, site: Site
) -> None:
    """Where the site has no room for one after a reload, the last tells nothing."""
    told = await watched(home, site)
    (entry,) = home.entries
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await told.wait()
    # Others ask it all that may be asked.
    site.gateway.world.add_user("li", quota=DOLLAR)
    other = await home.add(site, user="li", entry_id="other")
    for _ in range(40):
        await home.hass.config_entries.async_reload(other.entry_id)
    with nothing_asked(site, "/api/user/self"):
        await home.hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
    await home.poll(CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 10)]


async def test_nothing_is_told_twice_when_somebody_presses(
    home: Home, site: Site
) -> None:
    """The last reading, shown again where there is no room for one, tells nothing."""
    told = await watched(home, site)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    for _ in range(12):
        site.gateway.spend(KEY, 1_000)
        await home.poll()
        if told.all:
            break
    site.gateway.world.add_user("li", quota=DOLLAR)
    other = await home.add(site, user="li", entry_id="other")
    for _ in range(40):
        await home.hass.config_entries.async_reload(other.entry_id)
    with nothing_asked(site, "/api/user/self"):
        await home.press_update(f"{ACCOUNT}_remaining_quota")
    assert len(told.all) == 1


async def test_money_comes_in_after_a_reload(home: Home, site: Site) -> None:
    """Who has just saved options is told as soon as anybody else."""
    told = await watched(home, site)
    (entry,) = home.entries
    await home.hass.config_entries.async_reload(entry.entry_id)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await home.poll(CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 10)]


async def test_nothing_is_told_twice_after_a_power_cut(
    home: Home, site: Site, hass_storage: dict[str, Any]
) -> None:
    """What was told some seconds ago stays told without an orderly end."""
    told = await watched(home, site)
    (entry,) = home.entries
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await told.wait()
    await home.pass_time(timedelta(seconds=5))
    await lose_power(home, entry, hass_storage)
    await home.poll(2 * CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 10)]


async def test_money_comes_in_while_nobody_looks(home: Home, site: Site) -> None:
    """What came in while Home Assistant was off is told when it is on again."""
    told = await watched(home, site)
    (entry,) = home.entries
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    site.gateway.spend(KEY, 2 * DOLLAR)
    await home.pass_time(2 * DAY)
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    await restart(home, entry)
    await home.poll(CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 8)]


async def test_outage(home: Home, site: Site) -> None:
    """What came in during an outage of days is told once, after it."""
    told = await watched(home, site)
    site.gateway.faults.add("*", Reset())
    for hour in range(50):
        await home.pass_time(HOUR)
        if hour == 20:
            site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
        site.gateway.spend(KEY, 10_000)
    assert told.all == []
    site.gateway.faults.clear()
    await home.poll(15)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 10 - 1)]


async def test_log_fails(home: Home, site: Site) -> None:
    """While the log does not say what was given back, nothing is said of income."""
    told = await watched(home, site)
    site.gateway.faults.add("/api/log/self", Answer(502))
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await home.poll(8)
    assert told.all == []
    site.gateway.faults.clear()
    await home.poll()
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 10)]


async def test_site_without_a_log(home: Home, site: Site) -> None:
    """A site without a log tells of income all the same."""
    site.gateway.faults.add("/api/log/self", MISSING)
    told = await watched(home, site)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await home.poll(CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 10)]


async def test_log_is_only_asked_when_something_came_in(home: Home, site: Site) -> None:
    """The log costs a request, and is not read in vain."""
    await watched(home, site)
    for _ in range(10):
        site.gateway.spend(KEY, 10_000)
        await home.poll()
    assert site.asked("/api/log/self") == 0
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await home.poll(10)
    assert site.asked("/api/log/self") == 1


async def test_account_of_somebody_else(home: Home, site: Site) -> None:
    """Money of another account that a cache shows for a moment is no income."""
    site.gateway.world.add_user("li", quota=900_000_000)
    told = await watched(home, site)

    def of_li(reply: dict[str, Any]) -> dict[str, Any]:
        li: User = site.user("li")
        data = {**reply["data"], "id": li.id, "quota": li.quota, "used_quota": 0}
        return {**reply, "data": data}

    site.gateway.faults.add("/api/user/self", Rewrite(of_li))
    await home.poll(CERTAIN)
    site.gateway.faults.clear()
    await home.poll(5)
    assert told.all == []


async def test_divisor_changes(home: Home, site: Site) -> None:
    """A site that counts otherwise from now on has given nobody anything."""
    told = await watched(home, site)
    site.gateway.configure(quota_per_unit=250_000)
    await home.poll(5)
    assert told.all == []
    assert home.state(f"{ACCOUNT}_remaining_quota") == "180.02"


async def test_site_is_built_anew(home: Home, site: Site) -> None:
    """An account elsewhere that has the number of the old one has received nothing."""
    told = await watched(home, site)
    (entry,) = home.entries
    anew = await home.serve(household())
    anew.user("wang").quota += 500 * DOLLAR
    anew.gateway.world.add_model("gpt-7")
    models = Told(home, f"{ACCOUNT}_models")
    form = await home.start_reconfigure(entry)
    await home.submit(form, anew.form(user="wang"))
    await home.poll(12)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "590.01"
    assert told.all == []
    assert models.all == []
