"""Whether somebody can check in, and that nothing checks in for them."""

from typing import Final

import pytest

from tests.home import Home, Site, household
from tests.household import ACCOUNT, DAY, KEY
from tests.simulator import DIALECTS, Answer

CHECK_IN: Final = f"binary_sensor.{ACCOUNT}_check_in_available"


# The only paths on which a check-in may be looked at; on others, to ask is to do it.
LOOKS: Final = {"/api/user/checkin", "/api/user/check_in_status"}


def said_about_check_ins(site: Site) -> set[str]:
    """Return all requests that have to do with a check-in, by method and path."""
    return {
        f"{request.method} {request.path_qs.partition('?')[0]}"
        for request in site.gateway.requests
        if "check" in request.path_qs or "sign" in request.path_qs
    }


CHECK_INS: Final = {
    "New API": ("new_api_main", "new_api", "GET /api/user/checkin"),
    "WONG": ("new_api_rc21", "wong", "GET /api/user/checkin"),
    "Veloera": ("veloera", "new_api", "GET /api/user/check_in_status"),
}


@pytest.mark.parametrize(
    ("server", "dialect", "question"), CHECK_INS.values(), ids=CHECK_INS
)
async def test_check_in(home: Home, server: str, dialect: str, question: str) -> None:
    """Whether somebody can check in is shown, and nothing checks in for them."""
    gateway = household(server)
    gateway.configure(check_in=True, check_in_dialect=dialect)
    site = await home.serve(gateway)
    await home.add(site, key=KEY, user="wang")
    await home.pass_hour()
    assert home.state(CHECK_IN) == "on"
    gateway.check_in("wang", 2_000)
    await home.pass_hour()
    assert home.state(CHECK_IN) == "off"
    await home.pass_time(DAY)
    await home.pass_hour()
    assert home.state(CHECK_IN) == "on"
    assert said_about_check_ins(site) == {question}
    assert {request.method for request in gateway.requests} == {"GET"}
    assert len(gateway.world.check_ins) == 1


async def test_rewards(home: Home) -> None:
    """How much a check-in brings is told in the unit of the site."""
    gateway = household()
    gateway.configure(check_in=True, check_in_quota=(50_000, 1_000_000))
    await home.add(await home.serve(gateway), user="wang")
    await home.pass_hour()
    said = home.attributes(CHECK_IN)
    assert (said["smallest_reward"], said["largest_reward"]) == (0.1, 2.0)


@pytest.mark.parametrize("server", DIALECTS)
async def test_site_without_check_in(home: Home, server: str) -> None:
    """Where a site offers none, there is none, and nobody asks."""
    site = await home.serve(household(server))
    entry = await home.add(site, key=KEY, user="wang")
    await home.pass_hour()
    assert f"{entry.entry_id}_check_in_available" not in home.entities(entry)
    assert said_about_check_ins(site) == set()


async def test_check_in_is_offered_later(home: Home, site: Site) -> None:
    """A check-in that is offered from now on is there without a restart, and goes."""
    await home.add(site, user="wang")
    for is_offered, state in ((True, "on"), (False, "unavailable"), (True, "on")):
        site.gateway.configure(check_in=is_offered)
        for _ in range(2):
            await home.pass_hour()
        assert home.state(CHECK_IN) == state


async def test_check_in_fails_alone(home: Home, site: Site) -> None:
    """What else is on offer is shown, and the check-in as soon as it works again."""
    site.gateway.configure(check_in=True)
    site.gateway.world.order("wang", 10)
    await home.add(site, user="wang")
    await home.pass_hour()
    assert home.state(CHECK_IN) == "on"
    site.gateway.faults.add("/api/user/checkin", Answer(502))
    site.gateway.world.order("wang", 20)
    await home.pass_hour()
    assert home.state(CHECK_IN) == "unavailable"
    assert home.state(f"{ACCOUNT}_pending_top_ups") == "2"
    site.gateway.faults.clear()
    await home.poll(2)
    assert home.state(CHECK_IN) == "on"
