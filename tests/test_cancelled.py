"""What is called off while a site does not answer, and what is left of it: nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import pytest

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import CoreState
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from tests.home import Home, Site, complaints, works
from tests.household import KEY
from tests.simulator import Hang
from tests.soak.growth import held, more

BOTH: Final[dict[str, Any]] = {"key": KEY, "user": "wang"}
ALONE: Final[dict[str, Any]] = {"key": KEY}

# What an entry asks before it is set up.
NEEDED: Final = (
    "/api/status",
    "/api/user/self",
    "/api/token/",
    "/v1/dashboard/billing/subscription",
)
# What it asks after that, too.
HANGING: Final = (*NEEDED, "/v1/models", "/api/user/models")
# The same of a key without an account.
OF_KEY: Final = (
    "/v1/dashboard/billing/subscription",
    "/v1/dashboard/billing/usage",
    "/api/usage/token/",
)

# Longer than a site counts calls, and than any connection is kept.
IDLE: Final = timedelta(seconds=20)
IDLES: Final = 11
LATEST_WRITE: Final = timedelta(minutes=15)

hanging = pytest.mark.parametrize("path", HANGING)
in_set_up = pytest.mark.parametrize(
    ("subject", "path"),
    [(BOTH, path) for path in NEEDED] + [(ALONE, path) for path in OF_KEY],
    ids=[*NEEDED, *(f"{path} of a key" for path in OF_KEY)],
)


async def turns(number: int = 500) -> None:
    """Let what can go on go on, without waiting for what cannot."""
    for _ in range(number):
        await asyncio.sleep(0)


async def idle(home: Home) -> None:
    """Let all end that ends by itself."""
    for _ in range(IDLES):
        home.tick(IDLE)
        await turns()


@pytest.fixture(autouse=True)
async def nothing_left(home: Home, site: Site) -> AsyncIterator[None]:
    """See that after the last entry there is no more than before the first."""
    assert await async_setup_component(home.hass, "homeassistant", {})
    # What the first of all leaves for the others.
    entry = await home.add(site, **BOTH, entry_id="first")
    await home.hass.config_entries.async_remove(entry.entry_id)
    await idle(home)
    site.gateway.requests.clear()
    before = held(home.hass)
    yield
    site.gateway.faults.clear()
    if home.hass.state is CoreState.stopped:
        await turns()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task for task in tasks if "new_api" in repr(task)]
        return
    for entry in home.entries:
        await home.hass.config_entries.async_remove(entry.entry_id)
    await idle(home)
    # What the harness puts in the place of storage calls off no write that is still to
    # come, as storage does when it removes something.
    home.tick(LATEST_WRITE)
    await turns()
    after = held(home.hass)
    # What was logged with a traceback keeps what stands in its frames.
    del after["Coordinators"]
    assert more(before, after) == []


async def hang_at(home: Home, site: Site, path: str) -> None:
    """Let the next reading hang at a path."""
    site.gateway.faults.add(path, Hang())
    asked = site.asked(path)
    for _ in range(14):
        home.tick(timedelta(minutes=5))
        await turns()
        if site.asked(path) > asked:
            break
    await home.until(lambda: site.asked(path) > asked)


async def end(home: Home, ending: asyncio.Task[Any]) -> None:
    """Wait for what may take as long as a site is given to answer."""
    for _ in range(8):
        await turns()
        if ending.done():
            break
        home.tick(timedelta(seconds=31))
    assert ending.done(), "It waits for the site for ever"


def assert_right(home: Home, site: Site, entry: ConfigEntry) -> None:
    """Check that an entry is set up and shows what the site has in its books."""
    assert works(entry), entry.state
    remaining = f"{site.key(KEY).remain_quota / 500_000:.2f}"
    if "access_token" not in entry.data:
        assert home.state("juhe_ai_home_assistant_remaining_quota") == remaining
        return
    left = f"{site.user('wang').quota / 500_000:.2f}"
    assert home.state("juhe_ai_wang_remaining_quota") == left
    assert home.state("home_assistant_remaining_quota") == remaining
    assert home.state("claude_code_used_quota") == "122.00"


# ------------------------------------------------------------------------------------
# While an entry is set up


@in_set_up
async def test_set_up_is_cancelled(
    home: Home,
    site: Site,
    subject: dict[str, Any],
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A set-up that Home Assistant gives up leaves nothing, and the next one works."""
    tasks = asyncio.all_tasks()
    site.gateway.faults.add(path, Hang())
    adding = asyncio.create_task(home.add(site, **subject))
    await home.until(lambda: site.asked(path) == 1)
    (entry,) = home.entries
    adding.cancel()
    await asyncio.wait([adding])
    assert adding.cancelled()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    await turns()
    assert not [task for task in asyncio.all_tasks() - tasks if "new_api" in repr(task)]

    site.gateway.faults.clear()
    site.gateway.spend(KEY, 500_000)
    await idle(home)
    assert await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    assert_right(home, site, entry)
    # Home Assistant itself says that it had to cancel.
    assert [text for text in complaints(caplog) if "cancelled" not in text] == []


@in_set_up
@pytest.mark.parametrize("action", ["remove", "stop"])
async def test_end_while_the_start_hangs(
    home: Home,
    site: Site,
    subject: dict[str, Any],
    path: str,
    action: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also an entry that is just being set up can go."""
    site.gateway.faults.add(path, Hang())
    adding = home.hass.async_create_task(home.add(site, **subject))
    await home.until(lambda: site.asked(path) == 1)
    (entry,) = home.entries
    assert entry.state is ConfigEntryState.SETUP_IN_PROGRESS
    ending: asyncio.Task[object]
    if action == "remove":
        removing = home.hass.config_entries.async_remove(entry.entry_id)
        ending = asyncio.create_task(removing)
    else:
        ending = asyncio.create_task(home.hass.async_stop())
    await end(home, ending)
    await ending
    await asyncio.wait([adding])
    if action == "remove":
        assert home.entries == []
        assert home.hass.states.async_entity_ids("sensor") == []
    # Home Assistant itself says that the site did not answer, or that it had to cancel.
    assert [text for text in complaints(caplog) if "Unexpected" in text] == []


async def test_gateway_is_down_at_the_start(
    home: Home, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """An entry waits for its gateway, without making a fuss, and is right then."""
    async with site.gateway.refusing():
        entry = await home.add(site, **BOTH)
        await home.pass_time(timedelta(minutes=30))
        assert entry.state is ConfigEntryState.SETUP_RETRY
        assert home.hass.states.async_entity_ids("sensor") == []
        site.gateway.spend(KEY, 500_000)
    await home.pass_time(timedelta(minutes=30))
    assert_right(home, site, entry)
    assert complaints(caplog) == []


async def test_remove_while_the_gateway_is_down(
    home: Home, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody tries to set up what is gone."""
    async with site.gateway.refusing():
        entry = await home.add(site, **BOTH)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        await home.hass.config_entries.async_remove(entry.entry_id)
    await home.pass_time(timedelta(hours=1))
    assert site.gateway.requests == []
    assert complaints(caplog) == []


# ------------------------------------------------------------------------------------
# While it is read


@hanging
@pytest.mark.parametrize("action", ["unload", "reload", "remove", "stop"])
async def test_end_while_a_request_hangs(
    home: Home, site: Site, path: str, action: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for a site that does not answer, and nothing goes wrong."""
    entry = await home.add(site, **BOTH)
    await hang_at(home, site, path)
    site.gateway.spend(KEY, 500_000)
    entries = home.hass.config_entries
    match action:
        case "unload":
            assert await entries.async_unload(entry.entry_id)
        case "reload":
            site.gateway.faults.clear()
            assert await entries.async_reload(entry.entry_id)
            await home.settle()
            assert works(entry)
            await home.poll()
            assert_right(home, site, entry)
        case "remove":
            await entries.async_remove(entry.entry_id)
            assert home.hass.states.async_entity_ids("sensor") == []
        case "stop":
            await home.hass.async_stop()
    assert complaints(caplog) == []


@pytest.mark.parametrize(
    ("sensor", "path"),
    [
        ("juhe_ai_wang_remaining_quota", "/api/user/self"),
        ("claude_code_used_quota", "/api/token/"),
        ("home_assistant_status", "/v1/dashboard/billing/subscription"),
        ("home_assistant_model_count", "/v1/models"),
    ],
)
async def test_remove_while_an_automation_asks(
    home: Home, site: Site, sensor: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is said about an entry that is gone."""
    entry = await home.add(site, **BOTH)
    await idle(home)
    site.gateway.faults.add(path, Hang())
    asked = site.asked(path)
    asking = asyncio.create_task(
        home.hass.services.async_call(
            "homeassistant", "update_entity", {"entity_id": f"sensor.{sensor}"}, True
        )
    )
    await home.until(lambda: site.asked(path) > asked)
    await home.hass.config_entries.async_remove(entry.entry_id)
    await end(home, asking)
    await idle(home)
    assert complaints(caplog) == []


@hanging
async def test_hanging_request_is_given_up(home: Home, site: Site, path: str) -> None:
    """A site that does not answer is given up after half a minute."""
    entry = await home.add(site, **BOTH)
    await hang_at(home, site, path)
    site.gateway.faults.clear()
    await home.pass_time(timedelta(seconds=31))
    await home.pass_time(timedelta(hours=1, minutes=7))
    assert works(entry)
    for sensor in (
        "juhe_ai_wang_remaining_quota",
        "juhe_ai_wang_model_count",
        "home_assistant_remaining_quota",
        "home_assistant_model_count",
        "claude_code_used_quota",
    ):
        assert home.state(sensor) != "unavailable"


@hanging
@pytest.mark.parametrize("number", range(1, 4))
async def test_unload_is_cancelled(
    home: Home, site: Site, path: str, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    """An entry that is left halfway can go, and be added again."""
    entry = await home.add(site, **BOTH)
    await hang_at(home, site, path)
    unloading = asyncio.create_task(
        home.hass.config_entries.async_unload(entry.entry_id)
    )
    await turns(number)
    unloading.cancel()
    await asyncio.wait([unloading])
    site.gateway.faults.clear()
    # Home Assistant has no way back from here but this.
    await home.hass.config_entries.async_remove(entry.entry_id)
    assert home.hass.states.async_entity_ids("sensor") == []
    await idle(home)
    again = await home.add(site, **BOTH, entry_id="again")
    assert_right(home, site, again)
    assert complaints(caplog) == []


@pytest.mark.parametrize("path", ["/v1/models", "/api/user/models"])
async def test_unload_while_the_first_models_hang(
    home: Home, site: Site, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does the end wait for models."""
    site.gateway.faults.add(path, Hang())
    adding = home.hass.async_create_task(home.add(site, **BOTH))
    await home.until(lambda: site.asked(path) == 1)
    (entry,) = home.entries
    assert works(entry)
    assert await home.hass.config_entries.async_unload(entry.entry_id)
    await adding
    assert complaints(caplog) == []


# ------------------------------------------------------------------------------------
# While a person fills in a form


@in_set_up
@pytest.mark.parametrize("action", ["browser", "dialog", "stop"])
async def test_flow_is_left(
    home: Home,
    site: Site,
    subject: dict[str, Any],
    path: str,
    action: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever closes the form while the site is asked can begin anew."""
    form = await home.start()
    site.gateway.faults.add(path, Hang())
    entered = site.form(**subject)
    flow = home.hass.config_entries.flow
    submitting = asyncio.create_task(flow.async_configure(form["flow_id"], entered))
    await home.until(lambda: site.asked(path) == 1)
    match action:
        case "browser":
            submitting.cancel()
            await asyncio.wait([submitting])
            flow.async_abort(form["flow_id"])
        case "dialog":
            flow.async_abort(form["flow_id"])
            await end(home, submitting)
        case "stop":
            await end(home, asyncio.create_task(home.hass.async_stop()))
            await end(home, submitting)
    await asyncio.gather(submitting, return_exceptions=True)
    assert complaints(caplog) == []
    if action == "stop":
        return
    assert flow.async_progress() == []
    assert home.entries == []
    site.gateway.faults.clear()
    await idle(home)
    done = await home.submit(await home.start(), entered)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    (entry,) = home.entries
    assert_right(home, site, entry)
