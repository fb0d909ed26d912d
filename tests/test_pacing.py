"""What a site is asked in a day, whatever number of entries ask it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
import json
import logging
import sys
from typing import Any, Final

import pytest

from homeassistant.helpers import entity_registry as er
from tests.home import BALANCE, Home, Site, works
from tests.household import KEY, MINUTE
from tests.simulator import Answer, Bucket, Rewrite

SECOND: Final = timedelta(seconds=1)

# What New API grants at the least (gateway_api.md 1.6), in so many seconds.
GENERAL: Final = (180, 180)
CRITICAL: Final = (20, 1200)

# Raw quota in a dollar.
RAW: Final = 500_000

STEPS_A_DAY: Final = 24 * 60 * 6
BUSY: Final = 4 * 6
"""After so many steps, all entries are used once more."""
QUIET: Final = 21 * 60 * 6
NEARLY_MIDNIGHT: Final = 23 * 60 * 6

# The promises: a tenth of one, and a fifth of the other.
GENERAL_SHARE: Final = 18
CRITICAL_SHARE: Final = 4

KINDS: Final[dict[str, tuple[bool, bool]]] = {
    "with account": (True, True),
    "key alone": (True, False),
}


async def move_in(home: Home, site: Site, count: int, kind: str) -> None:
    """Add entries one after the other, and start Home Assistant anew.

    Then all of them begin at the same moment.
    """
    has_key, has_account = KINDS[kind]
    for number in range(count):
        name = f"person {number}"
        user = site.gateway.world.add_user(name, quota=5_000_000)
        site.gateway.world.add_key(user, name, quota=1_000_000)
        await home.create(
            site.form(key=name if has_key else None, user=name if has_account else None)
        )
        if not has_account:
            # Only the critical calls tell what a key is called.
            await home.pass_time(7 * MINUTE)
    for entry in home.entries:
        assert await home.hass.config_entries.async_unload(entry.entry_id)
    await home.pass_time(20 * MINUTE)
    site.gateway.requests.clear()
    await asyncio.gather(
        *(home.hass.config_entries.async_setup(each.entry_id) for each in home.entries)
    )
    await home.settle()


def busiest(times: list[float], seconds: int) -> int:
    """Return how many requests the busiest window of so many seconds has seen."""
    most = first = 0
    for last, time in enumerate(times):
        while times[first] <= time - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def asked(site: Site, *buckets: Bucket) -> list[float]:
    """Return when the site was asked what counts in the buckets, or in none."""
    return [
        request.time
        for request in site.gateway.requests
        if (set(request.bucket.split("+")) & set(buckets))
        or (not buckets and not request.bucket)
    ]


def is_shown(home: Home, number: int) -> bool:
    """Tell whether the balance of a person and of the key is shown."""
    sensors = (f"juhe_ai_person_{number}", f"person_{number}")
    return [home.state(f"{sensor}_remaining_quota") for sensor in sensors] == [
        "10.00",
        "2.00",
    ]


def is_right(home: Home, site: Site, *, has_account: bool) -> None:
    """Look at what is shown of every entry."""
    for number, entry in enumerate(home.entries):
        shown = {
            unique_id.removeprefix(entry.entry_id): state.state
            for unique_id, entity_id in home.entities(entry).items()
            if (state := home.hass.states.get(entity_id)) is not None
        }
        user, key = site.user(f"person {number}"), site.key(f"person {number}")
        if has_account:
            assert Decimal(shown["_remaining_quota"]) == Decimal(user.quota) / RAW
            assert shown["_model_count"] == "3"
            assert shown["_days_left"] != "unavailable"
            # Of twenty, what was spent is asked for once in hours.
            if len(home.entries) <= 5:
                spent = Decimal(user.used_quota) / RAW
                assert Decimal(shown["_spent_this_month"]) == spent
        remaining = shown["_key_remaining_quota"]
        if has_account or len(home.entries) <= 5 or remaining != "unknown":
            # Of more than twelve keys alone, not each can be read within the hour.
            assert Decimal(remaining) == Decimal(key.remain_quota) / RAW
        if len(home.entries) <= 5:
            spent = Decimal(key.used_quota) / RAW
            assert Decimal(shown["_key_spent_this_month"]) == spent
        assert shown["_key_status"] == "active"
        assert shown["_key_model_count"] == "3"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("count", "is_busy"), [(1, False), (1, True), (5, False), (5, True), (20, True)]
)
async def test_day(
    home: Home,
    site: Site,
    caplog: pytest.LogCaptureFixture,
    count: int,
    is_busy: bool,
    kind: str,
) -> None:
    """A day from the start on: a tenth of the general budget and four logins."""
    _, has_account = KINDS[kind]
    await move_in(home, site, count, kind)
    for step in range(STEPS_A_DAY):
        # Nobody asks anything in the last hours, so that all of it is known then.
        if is_busy and step % BUSY == 0 and step < QUIET:
            for number in range(count):
                site.gateway.spend(f"person {number}", 50)
        await home.pass_time(10 * SECOND)
        if step == NEARLY_MIDNIGHT:
            is_right(home, site, has_account=has_account)
    path = "/api/user/self" if has_account else "/v1/dashboard/billing/usage"
    general = asked(site, Bucket.API)
    critical = asked(site, Bucket.CRITICAL)
    seen = {
        "entries": f"{count} {kind}, {'busy' if is_busy else 'quiet'}",
        "general a day": len(general),
        "in 3 minutes": f"{busiest(general, GENERAL[1])} of {GENERAL[0]}",
        "critical a day": len(critical),
        "in 20 minutes": f"{busiest(critical, CRITICAL[1])} of {CRITICAL[0]}",
        "web a day": len(asked(site, Bucket.WEB)),
        "models a day": len(asked(site)),
        "every": f"{24 * 60 * count / site.asked(path):.1f} min",
    }
    # Seen with -rP; the README has it.
    sys.stdout.write(
        "".join(f"| {' | '.join(map(str, row))} |\n" for row in (seen, seen.values()))
    )
    assert busiest(general, GENERAL[1]) <= GENERAL_SHARE
    assert busiest(critical, CRITICAL[1]) <= CRITICAL_SHARE
    # Nothing is asked for that the site does not have, and nothing is refused.
    assert asked(site, Bucket.WEB) == []
    assert {request.status for request in site.gateway.requests} == {200}
    # Whoever asks gets an answer: every five minutes, or as often as there is room.
    assert site.asked(path) / count > 24 * 60 / (6 if count <= 5 else 21)
    assert not [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and record.name.startswith("custom_components.new_api")
    ]


async def test_start_of_many_entries(home: Home, site: Site) -> None:
    """Five entries show all at once; of twenty the others follow one by one."""
    await move_in(home, site, 20, "with account")
    assert all(works(entry) for entry in home.entries)
    known = [is_shown(home, number) for number in range(20)]
    assert known == [*([True] * 5), *([False] * 15)]
    counts = []
    for _ in range(30):
        await home.pass_time(MINUTE)
        counts.append(sum(is_shown(home, number) for number in range(20)))
    assert counts == sorted(counts)
    assert counts[19] == 20
    # One by one, and not all of a window at once.
    assert max(later - earlier for earlier, later in pairwise(counts)) <= 6


async def test_polls_are_never_in_step(home: Home, site: Site) -> None:
    """Entries that started at the same moment ask at different times."""
    await move_in(home, site, 5, "with account")
    site.gateway.requests.clear()
    for _ in range(22 * 60):
        await home.pass_time(SECOND)
    times = {
        f"{path} {number}": [
            request.time
            for request in site.gateway.requests
            if request.path_qs.startswith(path)
        ]
        for number, path in enumerate(("/api/user/self", "/api/token/"))
    }
    moments = sorted(time for each in times.values() for time in each)
    assert len(moments) >= 2 * 5 * 3
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 3


async def test_settings_of_a_site_are_read_for_all(home: Home, site: Site) -> None:
    """Five entries that start together ask only once what the site is."""
    await move_in(home, site, 5, "with account")
    assert site.asked("/api/status") == 1
    site.gateway.requests.clear()
    for _ in range(60):
        await home.pass_time(10 * SECOND)
    times = [
        request.time
        for request in site.gateway.requests
        if request.path_qs == "/api/status"
    ]
    assert 1 < len(times) < 10
    assert min(later - earlier for earlier, later in pairwise(times)) >= 60


async def test_site_that_is_down_is_asked_once_for_all(home: Home, site: Site) -> None:
    """Five entries that start together learn together that the site is down."""
    await move_in(home, site, 5, "with account")
    for entry in home.entries:
        assert await home.hass.config_entries.async_unload(entry.entry_id)
    await home.pass_time(10 * MINUTE)
    site.gateway.requests.clear()
    site.gateway.faults.add("*", Answer(502))
    await asyncio.gather(
        *(home.hass.config_entries.async_setup(each.entry_id) for each in home.entries)
    )
    await home.settle()
    assert {entry.error_reason_translation_key for entry in home.entries} == {
        "server_trouble"
    }
    assert site.asked("/api/status") == len(site.gateway.requests) == 1


@pytest.mark.parametrize("path", ["*", "/api/status", "/api/token/"])
async def test_outage(home: Home, site: Site, path: str) -> None:
    """Nor is a site asked more that fails, and afterwards each is read as before."""
    await move_in(home, site, 20, "with account")

    async def readings() -> int:
        site.gateway.requests.clear()
        for _ in range(60):
            await home.pass_time(MINUTE)
        assert busiest(asked(site, Bucket.API), GENERAL[1]) <= GENERAL_SHARE
        return site.asked("/api/user/self")

    before = await readings()
    site.gateway.faults.add(path, Answer(502))
    await readings()
    site.gateway.faults.clear()
    await home.pass_time(20 * MINUTE)
    assert await readings() >= before - 12
    for number in range(20):
        assert is_shown(home, number)


async def test_person_who_presses_a_button(home: Home, site: Site) -> None:
    """A figure that is asked for in between is new, as long as there is room."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.spend(KEY, 500_000)
    await home.press_update("juhe_ai_wang_remaining_quota")
    assert home.state("juhe_ai_wang_remaining_quota") == "89.01"


async def test_automation_that_presses_it_all_the_time(
    home: Home, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asks without pause gets the last figures, and the site has its peace."""
    await home.add(site, key=KEY, user="wang")
    for _ in range(120):
        await home.press_update("juhe_ai_wang_remaining_quota")
        await home.press_update("home_assistant_remaining_quota")
        assert home.state("juhe_ai_wang_remaining_quota") == "90.01"
        await home.pass_time(10 * SECOND)
    general = asked(site, Bucket.API)
    assert busiest(general, GENERAL[1]) <= GENERAL_SHARE
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_reload_again_and_again(home: Home, site: Site) -> None:
    """Who changes options many times sees figures all the time."""
    entry = await home.add(site, key=KEY, user="wang")
    for _ in range(12):
        assert await home.hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
        assert home.state("juhe_ai_wang_remaining_quota") == "90.01"
        assert home.state("home_assistant_remaining_quota") == "25.00"
        assert home.state("home_assistant_model_count") == "3"
    assert busiest(asked(site, Bucket.API), GENERAL[1]) <= GENERAL_SHARE
    # And new ones as soon as there is room.
    site.gateway.spend(KEY, 500_000)
    await home.pass_time(4 * MINUTE)
    assert home.state("juhe_ai_wang_remaining_quota") == "89.01"


async def test_figures_that_are_too_old(home: Home, site: Site) -> None:
    """What was read before an entry was switched off for long does not come back."""
    entry = await home.add(site, user="wang")
    site.gateway.world.add_user("li", quota=500_000)
    other = await home.add(site, user="li", entry_id="other")
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.spend(KEY, 500_000)
    await home.pass_time(30 * MINUTE)
    for _ in range(40):
        await home.hass.config_entries.async_reload(other.entry_id)
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    assert home.state("juhe_ai_wang_remaining_quota") in ("unknown", "unavailable")
    await home.pass_time(4 * MINUTE)
    assert home.state("juhe_ai_wang_remaining_quota") == "89.01"


async def test_reload_after_a_failure(home: Home, site: Site) -> None:
    """A figure that could not be read again does not come back by a reload."""
    entry = await home.add(site, key=KEY, user="wang", update_interval=60)
    site.gateway.faults.add("/api/user/self", Answer(502))
    site.gateway.spend(KEY, 500_000)
    await home.press_update("juhe_ai_wang_remaining_quota")
    for _ in range(12):
        assert home.state("juhe_ai_wang_remaining_quota") == "unavailable"
        await home.hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
    site.gateway.faults.clear()
    await home.pass_time(4 * MINUTE)
    assert home.state("juhe_ai_wang_remaining_quota") == "89.01"


async def test_reload_after_the_unit_has_changed(home: Home, site: Site) -> None:
    """A figure in the old unit does not come back by a reload."""
    entry = await home.add(site, user="wang", update_interval=60)
    for _ in range(5):
        await home.hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
    options = site.gateway.options
    site.gateway.options = replace(options, quota_display_type="TOKENS")
    assert await home.hass.config_entries.async_unload(entry.entry_id)
    home.tick(61 * SECOND)
    assert await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    assert home.state("juhe_ai_wang_remaining_quota") == "unavailable"
    await home.pass_time(4 * MINUTE)
    assert home.state("juhe_ai_wang_remaining_quota") == "45005000"
    attributes = home.attributes("juhe_ai_wang_remaining_quota")
    assert attributes["unit_of_measurement"] == "tokens"
    entity = er.async_get(home.hass).async_get("sensor.juhe_ai_wang_remaining_quota")
    assert entity is not None
    assert (entity.unit_of_measurement, entity.original_device_class) == (
        "tokens",
        None,
    )


async def test_polling_is_switched_off(home: Home, site: Site) -> None:
    """Without polling an automation asks, and the site has its peace all the same."""
    entry = await home.add(site, key=KEY, user="wang")
    home.hass.config_entries.async_update_entry(entry, pref_disable_polling=True)
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    site.gateway.requests.clear()
    await home.pass_time(60 * MINUTE)
    assert site.gateway.requests == []
    site.gateway.spend(KEY, 500_000)
    await home.press_update("juhe_ai_wang_remaining_quota")
    assert home.state("juhe_ai_wang_remaining_quota") == "89.01"
    for _ in range(60):
        await home.press_update("juhe_ai_wang_remaining_quota")
        await home.press_update("home_assistant_remaining_quota")
        assert home.state("juhe_ai_wang_remaining_quota") == "89.01"
        await home.pass_time(10 * SECOND)
        await home.hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
    general = asked(site, Bucket.API)
    assert busiest(general, GENERAL[1]) <= GENERAL_SHARE


@pytest.mark.parametrize("kind", KINDS)
async def test_form_reads_for_the_entry(home: Home, site: Site, kind: str) -> None:
    """A new entry shows at once what its form has read, without asking again."""
    has_key, has_account = KINDS[kind]
    form = await home.start()
    entered = site.form(
        key=KEY if has_key else None, user="wang" if has_account else None
    )
    site.gateway.requests.clear()
    await home.submit(form, entered)
    path = "/api/user/self" if has_account else "/v1/dashboard/billing/usage"
    assert site.asked(path) == 1
    assert site.asked("/api/token/") == has_account
    assert len(asked(site, Bucket.CRITICAL)) == (not has_account)
    device = "home_assistant" if has_account else "juhe_ai_home_assistant"
    assert home.state(f"{device}_remaining_quota") == "25.00"


async def test_list_that_misses_a_key_in_a_form(home: Home, site: Site) -> None:
    """A key that one reading of the list misses keeps its device, in a form too."""
    entry = await home.add(site, key=KEY, user="wang")
    homework = home.device("Homework").id

    def miss(reply: dict[str, Any]) -> dict[str, Any]:
        items = [each for each in reply["data"]["items"] if each["name"] != "Homework"]
        return {**reply, "data": {**reply["data"], "items": items, "total": 2}}

    site.gateway.faults.add("/api/token/", Rewrite(miss), times=1)
    form = await home.start_reconfigure(entry)
    done = await home.submit(form, site.form(key=KEY, user="wang"))
    assert done["reason"] == "reconfigure_successful"
    assert home.device("Homework").id == homework
    await home.poll()
    assert home.state("homework_status") == "exhausted"


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"data": []},
        {"data": {"http://x": {"critical_calls": [], "closed": {}}}},
        {"data": {"SITE": {"at": "x", "critical_calls": [], "closed": {}}}},
        {"data": {"SITE": {"at": 0, "critical_calls": [], "closed": {"other": 5}}}},
        {"data": {"SITE": 5}},
        {"version": 2, "data": {"SITE": {}}},
    ],
)
async def test_what_was_kept_does_not_fit(
    home: Home, site: Site, hass_storage: dict[str, Any], kept: dict[str, Any]
) -> None:
    """What another version has kept of the budgets stops no entry."""
    stored = {"version": 1, "minor_version": 1, "key": "new_api.budgets", "data": {}}
    stored |= json.loads(json.dumps(kept).replace("SITE", site.url))
    hass_storage["new_api.budgets"] = stored
    entry = await home.add(site, key=KEY)
    assert works(entry)
    assert home.state("juhe_ai_home_assistant_remaining_quota") == "25.00"
    await home.pass_time(2 * SECOND)
    now_kept = hass_storage["new_api.budgets"]
    assert now_kept["version"] == 1
    assert len(now_kept["data"][site.url]["critical_calls"]) == 1


async def test_figures_of_another_credential_are_not_kept(
    home: Home, site: Site
) -> None:
    """What was read for one key is never shown for another."""
    entry = await home.add(site, key=KEY)
    for _ in range(8):
        assert await home.hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
        assert home.state("juhe_ai_home_assistant_used_quota") == "48.00"
    home.hass.config_entries.async_update_entry(
        entry, data=site.form(key="Claude Code")
    )
    assert await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    assert home.state("juhe_ai_home_assistant_used_quota") == "unavailable"
    await home.pass_time(4 * MINUTE)
    assert home.state("juhe_ai_home_assistant_used_quota") == "122.00"


@pytest.mark.parametrize("again", ["reload", "restart"])
async def test_429_is_heeded_over_a_restart(
    home: Home, site: Site, hass_storage: dict[str, Any], again: str
) -> None:
    """What a site closed for half an hour stays closed, whatever is restarted."""
    entry = await home.add(site, key=KEY, user="wang")
    refused = Answer(429, headers=(("Retry-After", "1800"),))
    site.gateway.faults.add("/api/*", refused, times=1)
    await home.poll()
    asked_before = len(asked(site, Bucket.API, Bucket.CRITICAL))
    site.gateway.faults.clear()
    await home.pass_time(2 * SECOND)
    for _ in range(4):
        if again == "restart":
            # All that the integration knows by heart.
            for key in [key for key in home.hass.data if "new_api" in str(key)]:
                del home.hass.data[key]
            assert "new_api.budgets" in hass_storage
        await home.hass.config_entries.async_reload(entry.entry_id)
        await home.pass_time(5 * MINUTE)
    assert len(asked(site, Bucket.API, Bucket.CRITICAL)) == asked_before
    await home.pass_time(10 * MINUTE)
    await home.pass_time(2 * BALANCE)
    assert works(entry)
    assert home.state("juhe_ai_wang_remaining_quota") == "90.01"


async def test_nothing_is_left_of_the_last_entry(
    home: Home, site: Site, hass_storage: dict[str, Any]
) -> None:
    """What is kept of the budgets goes with the last entry."""
    entries = [
        await home.add(site, key=KEY),
        await home.add(site, user="wang", entry_id="other"),
    ]
    await home.pass_time(2 * SECOND)
    assert "new_api.budgets" in hass_storage
    for entry in entries:
        assert "new_api.budgets" in hass_storage
        await home.hass.config_entries.async_remove(entry.entry_id)
    await home.pass_time(2 * SECOND)
    assert "new_api.budgets" not in hass_storage
