"""When the site is asked what, and what its failures mean."""

from collections.abc import Callable
from datetime import timedelta
import logging
from typing import Any, Final

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import (
    Event,
    EventStateChangedData,
    EventStateEventData,
    EventStateReportedData,
    callback,
)
from homeassistant.helpers import entity_registry as er
from tests.home import HOURLY, Home, Site, household, works
from tests.household import ACCOUNT, ALONE, KEY, MINUTE, OWN
from tests.simulator import (
    MISSING,
    Answer,
    Bucket,
    Fault,
    Gateway,
    Reset,
    Rewrite,
    Status,
    Truncate,
)

WINDOW: Final = timedelta(seconds=200)
"""After this, there is room again for what a site may be asked."""
SECOND: Final = timedelta(seconds=1)

HTML: Final = (("Content-Type", "text/html; charset=utf-8"),)

FAILURES: Final[dict[str, Fault]] = {
    "502": Answer(502, "Bad gateway", HTML),
    "reset": Reset(),
    "truncated": Truncate(20),
    "page of a firewall": Answer(403, "<html>Are you a robot?</html>", HTML),
    "page for all": Answer(200, "<html></html>", HTML),
    "other JSON": Answer.json(200, '{"hello": "world"}'),
}


def failures_logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the errors that the integration wrote into the log."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.new_api")
        and record.levelno >= logging.WARNING
    ]


def recoveries_logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what it wrote about things that work again."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.new_api")
        and record.levelno == logging.INFO
    ]


# ------------------------------------------------------------------------------------
# Each view fails alone


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES)
async def test_account_fails_alone(
    home: Home, site: Site, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the balance of the account, all keys are still known."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("/api/user/self", fault)
    await home.poll(3)
    for sensor in ("remaining_quota", "used_quota", "request_count"):
        assert home.state(f"{ACCOUNT}_{sensor}") == "unavailable"
    assert home.state(f"{OWN}_remaining_quota") == "25.00"
    assert home.state(f"{OWN}_status") == "active"
    assert home.state("claude_code_used_quota") == "122.00"
    assert len(failures_logged(caplog)) == 1

    site.gateway.faults.clear()
    site.gateway.spend(KEY, 500_000)
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "89.01"
    assert len(failures_logged(caplog)) == 1
    assert len(recoveries_logged(caplog)) == 1


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES)
async def test_list_of_keys_fails_alone(home: Home, site: Site, fault: Fault) -> None:
    """Without the list, the account and the configured key are still known."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("/api/token/", fault)
    site.gateway.spend(KEY, 500_000)
    await home.poll(2)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "89.01"
    assert home.state(f"{OWN}_remaining_quota") == "24.00"
    assert home.state("claude_code_used_quota") == "unavailable"
    assert home.state("homework_status") == "unavailable"

    site.gateway.faults.clear()
    await home.poll()
    assert home.state("claude_code_used_quota") == "122.00"
    assert home.state("homework_status") == "exhausted"


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES)
async def test_list_of_keys_fails_without_a_key(
    home: Home, site: Site, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no key is configured, the account is still known without the list."""
    await home.add(site, user="wang")
    site.gateway.faults.add("/api/token/", fault)
    await home.poll(3)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.state(f"{OWN}_remaining_quota") == "unavailable"
    assert len(failures_logged(caplog)) == 1
    site.gateway.faults.clear()
    await home.poll()
    assert home.state(f"{OWN}_remaining_quota") == "25.00"
    assert len(failures_logged(caplog)) == 1
    assert len(recoveries_logged(caplog)) == 1


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES)
async def test_key_fails_alone(home: Home, site: Site, fault: Fault) -> None:
    """What the key itself does not answer, the account's list knows."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("/v1/*", fault)
    site.gateway.spend(KEY, 500_000)
    await home.poll(2)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "89.01"
    assert home.state("claude_code_used_quota") == "122.00"
    assert home.state(f"{OWN}_remaining_quota") == "24.00"
    site.gateway.faults.clear()
    await home.poll()
    assert home.state(f"{OWN}_status") == "active"


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES)
async def test_key_alone_fails(
    home: Home, site: Site, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """A key whose figures cannot be read shows nothing rather than old ones."""
    await home.add(site, key=KEY)
    site.gateway.faults.add("/v1/dashboard/*", fault)
    site.gateway.faults.add("/api/usage/token/", fault)
    await home.poll(3)
    for sensor in ("remaining_quota", "used_quota", "status"):
        assert home.state(f"{ALONE}_{sensor}") == "unavailable"
    assert home.state(f"{ALONE}_model_count") == "3"
    assert len(failures_logged(caplog)) == 1
    site.gateway.faults.clear()
    await home.poll()
    assert home.state(f"{ALONE}_remaining_quota") == "25.00"
    assert len(failures_logged(caplog)) == 1
    assert len(recoveries_logged(caplog)) == 1


@pytest.mark.parametrize(
    ("path", "sensor", "other"),
    [
        ("/v1/models", OWN, ACCOUNT),
        ("/api/user/models", ACCOUNT, OWN),
    ],
)
@pytest.mark.parametrize("fault", [FAILURES["502"], FAILURES["other JSON"]])
async def test_models_fail_alone(
    home: Home, site: Site, path: str, sensor: str, other: str, fault: Fault
) -> None:
    """Without the models of one, those of the other and all figures are known."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add(path, fault)
    site.gateway.world.models.pop()
    await home.pass_time(HOURLY)
    assert home.state(f"{other}_model_count") == "2"
    assert home.state(f"{sensor}_model_count") == "unavailable"
    assert home.state(f"{sensor}_remaining_quota") != "unavailable"
    # What seldom changes may be taken for true for some time, but not for ever.
    for _ in range(6):
        await home.pass_time(HOURLY)
    assert home.state(f"{sensor}_model_count") == "unavailable"
    site.gateway.faults.clear()
    # Nobody waits for an hour after that.
    await home.poll()
    assert home.state(f"{sensor}_model_count") == "2"


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES)
async def test_site_fails_alone(
    home: Home, site: Site, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """A site that said lately how it counts goes on counting so, but not for long."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("/api/status", fault)
    site.gateway.spend(KEY, 500_000)
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "89.01"
    assert home.state(f"{OWN}_remaining_quota") == "24.00"
    assert len(failures_logged(caplog)) == 1
    await home.poll(5)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"
    assert home.state(f"{OWN}_remaining_quota") == "unavailable"
    # The site, the account and the keys.
    assert len(failures_logged(caplog)) == 3
    site.gateway.faults.clear()
    await home.poll(2)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "89.01"
    assert len(failures_logged(caplog)) == 3


async def test_site_without_models_of_the_account(home: Home, site: Site) -> None:
    """What a site does not have is not asked for again each hour."""
    site.gateway.faults.add("/api/user/models", MISSING)
    await home.add(site, user="wang")
    assert home.state(f"{ACCOUNT}_model_count") == "unavailable"
    await home.pass_time(HOURLY)
    await home.pass_time(HOURLY)
    assert site.asked("/api/user/models") == 1
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


def leave(gateway: Gateway) -> None:
    """Let the site be as it is."""


def upgrade(gateway: Gateway) -> None:
    """Let the site run another version."""
    gateway.dialect = household("new_api_rc21").dialect


@pytest.mark.parametrize(
    ("change", "waits"),
    [
        pytest.param(leave, 21, id="a day passes"),
        pytest.param(upgrade, 1, id="the site is updated"),
    ],
)
async def test_site_gets_what_it_did_not_have(
    home: Home, site: Site, change: Callable[[Gateway], None], waits: int
) -> None:
    """What a site did not have is asked for again after an update, or a day."""
    site.gateway.faults.add("/api/user/models", MISSING)
    await home.add(site, user="wang")
    site.gateway.faults.clear()
    change(site.gateway)
    for _ in range(waits):
        assert home.state(f"{ACCOUNT}_model_count") == "unavailable"
        await home.pass_time(HOURLY)
    for _ in range(2):
        await home.pass_time(HOURLY)
    assert home.state(f"{ACCOUNT}_model_count") == "3"


# ------------------------------------------------------------------------------------
# The whole site fails


async def test_site_down(
    home: Home, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A site that goes down takes all figures with it, and brings them back."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add("*", Reset())
    for _ in range(7):
        await home.pass_time(HOURLY)
    assert {state.state for state in home.hass.states.async_all("sensor")} == {
        "unavailable"
    }
    # One line for each view: the site, the account, the keys and the models.
    assert len(failures_logged(caplog)) == 4
    assert len(set(failures_logged(caplog))) == 4

    site.gateway.faults.clear()
    await home.pass_time(HOURLY)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.state(f"{ACCOUNT}_model_count") == "3"
    assert home.state(f"{OWN}_model_count") == "3"
    assert len(failures_logged(caplog)) == 4
    assert len(recoveries_logged(caplog)) == 4


REASONS: Final = {
    "502": "server_trouble",
    "reset": "cannot_connect",
    "truncated": "cannot_connect",
    "page of a firewall": "blocked",
    "page for all": "not_a_gateway",
    "other JSON": "not_a_gateway",
}
"""What is said of an entry that such a failure keeps from starting."""


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(fault, REASONS[name]) for name, fault in FAILURES.items()],
    ids=FAILURES,
)
async def test_site_down_at_the_start(
    home: Home,
    site: Site,
    fault: Fault,
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An entry whose site is down is tried again by itself, with few words."""
    site.gateway.faults.add("/api/status", fault)
    entry = await home.add(site, key=KEY, user="wang")
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == reason
    assert {request.path_qs for request in site.gateway.requests} == {"/api/status"}
    for _ in range(5):
        await home.pass_time(10 * MINUTE)
    assert failures_logged(caplog) == []
    site.gateway.faults.clear()
    await home.pass_time(11 * MINUTE)
    assert works(entry)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


@pytest.mark.parametrize(
    "subject", [{"key": KEY}, {"user": "wang"}, {"key": KEY, "user": "wang"}]
)
async def test_nothing_known_at_the_start(
    home: Home,
    site: Site,
    subject: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the site says what it is and no more, the entry is tried again."""
    site.gateway.faults.add("/api/user/*", Answer(502))
    site.gateway.faults.add("/api/token/", Answer(502))
    site.gateway.faults.add("/api/usage/*", Answer(502))
    site.gateway.faults.add("/v1/*", Answer(502))
    entry = await home.add(site, **subject)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "server_trouble"
    views = len(failures_logged(caplog))
    assert views <= 2
    for _ in range(5):
        await home.pass_time(10 * MINUTE)
    # It was said; nothing new has happened.
    assert len(failures_logged(caplog)) == views
    site.gateway.faults.clear()
    await home.pass_time(11 * MINUTE)
    assert works(entry)


@pytest.mark.parametrize("path", ["/api/user/self", "/v1/dashboard/*"])
async def test_one_view_is_enough_to_start(home: Home, site: Site, path: str) -> None:
    """An entry of which something is known works, and the rest follows."""
    site.gateway.faults.add(path, Answer(502))
    entry = await home.add(site, key=KEY, user="wang")
    assert works(entry)
    site.gateway.faults.clear()
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.state(f"{OWN}_remaining_quota") == "25.00"


async def test_models_of_an_account_that_comes_later(home: Home, site: Site) -> None:
    """The models of an account that failed at the start follow with it."""
    site.gateway.faults.add("/api/user/self", Answer(502))
    await home.add(site, user="wang")
    site.gateway.faults.clear()
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    await home.pass_time(HOURLY)
    assert home.state(f"{ACCOUNT}_model_count") == "3"


# ------------------------------------------------------------------------------------
# How often


async def test_pace(home: Home, site: Site) -> None:
    """Balances are read every five minutes, what seldom changes every hour."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.requests.clear()
    minutes = 12 * 60
    for _ in range(minutes):
        await home.pass_time(MINUTE)
    for path, interval in (
        ("/api/user/self", 5),
        ("/api/token/", 5),
        ("/v1/dashboard/billing/subscription", 5),
        ("/v1/models", 60),
        ("/api/user/models", 60),
    ):
        # Up to a tenth later each time, and a look each minute.
        fastest, slowest = minutes / interval, minutes / (interval * 1.1 + 1)
        assert slowest - 1 <= site.asked(path) <= fastest
    # In which unit the site counts is asked together with the balances.
    assert site.asked("/api/status") <= 2 * minutes / 5 + minutes / 60
    # The list of the account makes this one superfluous.
    assert site.asked("/api/usage/token/") == 0
    assert {request.method for request in site.gateway.requests} == {"GET"}
    assert {request.status for request in site.gateway.requests} == {200}


@pytest.mark.parametrize(
    "server", ["new_api_main", "new_api_0_9", "new_api_0_6", "veloera", "one_api"]
)
async def test_balance_of_the_account_is_not_the_key_s(home: Home, server: str) -> None:
    """Without its list, a key shows nothing that may be the account's.

    Some sites let billing speak of the account (gateway_api.md 4.3).
    """
    site = await home.serve(household(server))
    site.gateway.configure(key_level_billing=False)
    entry = await home.add(site, key=KEY, user="wang")
    assert home.state(f"{OWN}_remaining_quota") == "25.00"
    site.gateway.faults.add("/api/token/", FAILURES["502"])
    for _ in range(3):
        await home.pass_time(10 * MINUTE)
        # All of them were read at once just now, and a reload needs room too.
        await home.pass_time(WINDOW)
        await home.hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
        assert home.state(f"{OWN}_remaining_quota") in ("25.00", "unknown")
        assert home.state(f"{OWN}_used_quota") in ("48.00", "unknown")
        assert home.state(f"{OWN}_status") == "active"
        await home.pass_time(70 * MINUTE)
        assert home.state(f"{OWN}_remaining_quota") in ("25.00", "unknown")
    site.gateway.faults.clear()
    await home.poll()
    assert home.state(f"{OWN}_remaining_quota") == "25.00"


async def test_what_was_learned_holds_over_a_reload(home: Home) -> None:
    """What a site's limit means is learned from spending, and not forgotten (9.4)."""
    site = await home.serve(household("one_api"))
    entry = await home.add(site, key=KEY)
    assert home.state(f"{ALONE}_remaining_quota") == "unknown"
    for _ in range(2):
        site.gateway.spend(KEY, 500_000)
        await home.poll()
    assert home.state(f"{ALONE}_remaining_quota") == "23.00"
    await home.pass_time(10 * MINUTE)
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    assert home.state(f"{ALONE}_remaining_quota") == "23.00"
    site.gateway.spend(KEY, 500_000)
    await home.poll()
    assert home.state(f"{ALONE}_remaining_quota") == "22.00"


async def test_critical_calls_are_saved(home: Home, site: Site) -> None:
    """A key alone leaves most of the critical calls to the people of the house."""
    await home.add(site, key=KEY, update_interval=1)
    for _ in range(20):
        await home.pass_time(66 * SECOND)
    times = [
        request.time
        for request in site.gateway.requests
        if Bucket.CRITICAL in request.bucket
    ]
    assert times
    # Never more than four in any twenty minutes.
    assert all(
        later - earlier >= 1200
        for earlier, later in zip(times, times[4:], strict=False)
    )


# ------------------------------------------------------------------------------------
# The site wants fewer questions


@pytest.mark.parametrize(
    ("path", "sensor"),
    [
        ("/api/user/self", f"{ACCOUNT}_remaining_quota"),
        ("/api/token/", "claude_code_used_quota"),
    ],
)
@pytest.mark.parametrize("seconds", [30, 1800])
async def test_retry_after(
    home: Home, site: Site, path: str, sensor: str, seconds: int
) -> None:
    """A site that says for how long it wants no questions is left alone as long."""
    await home.add(site, user="wang")
    limited = Answer(429, headers=(("Retry-After", str(seconds)),))
    site.gateway.faults.add(path, limited, times=1)
    await home.poll()
    assert home.state(sensor) == "unavailable"
    site.gateway.requests.clear()

    await home.pass_time(timedelta(seconds=seconds - 1))
    assert [
        request
        for request in site.gateway.requests
        # Models are counted nowhere.
        if request.bucket
    ] == []
    await home.pass_time(timedelta(seconds=max(seconds, 60)) * 0.1 + 32 * SECOND)
    assert home.state(sensor) not in ("unavailable", "unknown")


async def test_retry_after_is_for_all_entries(home: Home, site: Site) -> None:
    """What the site says to one entry holds for all of the house."""
    site.gateway.world.add_user("li", quota=1)
    await home.add(site, user="wang")
    await home.add(site, user="li", entry_id="other")
    limited = Answer(429, headers=(("Retry-After", "900"),))
    site.gateway.faults.add("*", limited, times=1)
    await home.poll()
    assert len([r for r in site.gateway.requests if r.status == 429]) == 1
    site.gateway.requests.clear()
    await home.poll(2)
    assert site.gateway.requests == []
    await home.poll(2)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.state("juhe_ai_li_remaining_quota") == "0.000002"


async def test_rate_limited_at_the_start(home: Home, site: Site) -> None:
    """An entry that starts while the site wants no questions waits for its time."""
    limited = Answer(429, headers=(("Retry-After", "1200"),))
    site.gateway.faults.add("*", limited, times=1)
    entry = await home.add(site, user="wang")
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "rate_limited"
    for _ in range(19):
        await home.pass_time(MINUTE)
    assert len(site.gateway.requests) == 1
    for _ in range(11):
        await home.pass_time(MINUTE)
    assert works(entry)


async def test_limits_of_the_server(home: Home) -> None:
    """A house with many accounts stays within what a real server grants."""
    site = await home.serve_recorded("new_api_main", "limited")
    for number in range(10):
        name = f"user {number}"
        site.gateway.world.add_user(name, quota=number)
        await home.add(site, user=name, entry_id=name)
        await home.pass_time(20 * SECOND)
    await home.poll(12)
    assert {request.status for request in site.gateway.requests} <= {200, 429}
    # What is refused costs nothing more than one call each time.
    refused = [r for r in site.gateway.requests if r.status == 429]
    assert len(refused) < len(site.gateway.requests) / 10


# ------------------------------------------------------------------------------------
# What is shown in between


async def test_nothing_new(home: Home, site: Site) -> None:
    """Where nothing has changed, nothing is written.

    Only at a full hour is looked whether something follows from the time.
    """
    await home.add(site, key=KEY, user="wang")
    # The details come when there is room for them.
    await home.poll(3)
    changed: list[str] = []
    reported: list[str] = []

    @callback
    def note_change(event: Event[EventStateChangedData]) -> None:
        changed.append(event.data["entity_id"])

    @callback
    def note_report(event: Event[EventStateReportedData]) -> None:
        reported.append(event.data["entity_id"])

    @callback
    def all_of_them(data: EventStateEventData) -> bool:
        return True

    home.hass.bus.async_listen(EVENT_STATE_CHANGED, note_change)
    home.hass.bus.async_listen(
        EVENT_STATE_REPORTED, note_report, event_filter=all_of_them
    )
    await home.poll(3)
    assert (changed, reported) == ([], [])
    await home.pass_time(HOURLY)
    assert changed == []
    site.gateway.spend(KEY, 500_000)
    await home.poll()
    assert f"sensor.{ACCOUNT}_remaining_quota" in changed
    assert f"sensor.{ACCOUNT}_model_count" not in changed


async def test_site_changes_its_unit(home: Home, site: Site) -> None:
    """Amounts are in the unit in which the site shows them, also when it changes."""
    await home.add(site, key=KEY, user="wang")
    remaining = f"{ACCOUNT}_remaining_quota"
    site.gateway.configure(quota_display_type="CNY", usd_exchange_rate=7.2)
    await home.pass_time(HOURLY)
    assert home.state(remaining) == "648.072"
    assert home.state(f"{OWN}_remaining_quota") == "180.00"
    registry = er.async_get(home.hass)
    for sensor in (remaining, "claude_code_used_quota"):
        assert home.attributes(sensor)["unit_of_measurement"] == "CNY"
        entity = registry.async_get(f"sensor.{sensor}")
        assert entity is not None
        assert entity.unit_of_measurement == "CNY"
    site.gateway.configure(quota_display_type="TOKENS")
    await home.pass_time(HOURLY)
    assert home.state(remaining) == "45005000"
    assert home.attributes(remaining)["unit_of_measurement"] == "tokens"
    assert "device_class" not in home.attributes(remaining)
    entity = registry.async_get(f"sensor.{remaining}")
    assert entity is not None
    assert entity.original_device_class is None
    site.gateway.configure(quota_display_type="USD", quota_per_unit=1_000_000)
    await home.pass_time(HOURLY)
    assert home.state(remaining) == "45.005"
    assert home.attributes(remaining)["device_class"] == "monetary"


UNITS: Final[dict[str, dict[str, Any]]] = {
    "another divisor": {"quota_per_unit": 1_000_000},
    "no divisor": {"quota_per_unit": 0},
    "tokens": {"quota_display_type": "TOKENS", "display_in_currency": False},
    # This one only New API knows.
    "yuan": {"quota_display_type": "CNY", "usd_exchange_rate": 7.2},
}


@pytest.mark.parametrize(
    ("server", "options"),
    [
        pytest.param(server, options, id=f"{server}-{name}")
        for server in ("new_api_main", "one_api", "one_hub")
        for name, options in UNITS.items()
        if name != "yuan" or server == "new_api_main"
    ],
)
async def test_no_amount_in_the_wrong_unit(
    home: Home, server: str, options: dict[str, Any]
) -> None:
    """Whenever a site changes its unit, no amount is ever shown in the wrong one."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, entry_id="key")
    await home.add(site, key="Claude Code", entry_id="unlimited")
    await home.add(site, user="wang", entry_id="account", key_devices="none")
    sensors = (ALONE, "juhe_ai_claude_code", ACCOUNT)

    def amounts() -> set[tuple[str, str, str]]:
        return {
            (sensor, home.state(used), home.attributes(used)["unit_of_measurement"])
            for sensor in sensors
            for used in [f"{sensor}_used_quota"]
            if home.state(used) not in ("unavailable", "unknown")
        }

    before = amounts()
    assert len(before) == len(sensors)
    site.gateway.configure(**options)
    seen = set()
    for _ in range(10):
        await home.poll()
        seen |= amounts()
    settled = amounts()
    assert seen <= before | settled
    assert not settled & before


@pytest.mark.parametrize("server", ["new_api_main", "new_api_0_9"])
async def test_site_changes_whose_figures_it_shows(home: Home, server: str) -> None:
    """Figures of the key do not become its account's when the site changes its mind."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY)
    remaining = f"{ALONE}_remaining_quota"
    for key_level, left in ((False, "24.00"), (False, "23.00"), (True, "22.00")):
        site.gateway.configure(key_level_billing=key_level)
        site.gateway.spend(KEY, 500_000)
        await home.pass_time(timedelta(minutes=20))
        assert home.state(remaining) == left
        assert home.attributes(remaining)["figures_of"] == "key"


async def test_owner_changes_what_a_key_may_spend(home: Home, site: Site) -> None:
    """What was learned of a key does not outlive a change of its limit."""
    await home.add(site, key=KEY)
    remaining = f"{ALONE}_remaining_quota"
    site.key(KEY).remain_quota += 5_000_000
    await home.poll()
    assert home.state(remaining) == "35.00"
    site.key(KEY).unlimited = True
    await home.poll()
    assert home.state(remaining) == "unknown"
    assert home.attributes(remaining)["unlimited"] is True
    site.key(KEY).unlimited = False
    await home.poll()
    assert home.state(remaining) == "35.00"


async def test_key_held_while_critical_calls_are_used_up(home: Home) -> None:
    """Figures of the key do not give way to those of its account in between."""
    site = await home.serve(household())
    site.gateway.configure(key_level_billing=False)
    await home.add(site, key=KEY, update_interval=1)
    seen = set()
    for _ in range(30):
        await home.pass_time(66 * SECOND)
        seen.add(home.state(f"{ALONE}_remaining_quota"))
    assert seen == {"25.00"}
    assert home.attributes(f"{ALONE}_remaining_quota")["figures_of"] == "key"
    site.gateway.spend(KEY, 500_000)
    for _ in range(20):
        await home.pass_time(66 * SECOND)
        seen.add(home.state(f"{ALONE}_remaining_quota"))
    assert seen == {"25.00", "24.00"}


async def test_key_held_no_longer_than_an_hour(home: Home) -> None:
    """Figures that nobody has confirmed for an hour are not shown any more."""
    site = await home.serve(household())
    site.gateway.configure(key_level_billing=False)
    await home.add(site, key=KEY)
    site.gateway.faults.add("/api/usage/token/", Answer(429))
    for _ in range(9):
        await home.poll()
        assert home.state(f"{ALONE}_remaining_quota") == "25.00"
    await home.poll(4)
    assert home.state(f"{ALONE}_remaining_quota") in ("unavailable", "unknown")
    assert home.state(f"{ALONE}_used_quota") in ("unavailable", "unknown")
    site.gateway.faults.clear()
    await home.pass_time(timedelta(minutes=20))
    await home.poll()
    assert home.state(f"{ALONE}_remaining_quota") == "25.00"


@pytest.mark.parametrize("minutes", [1, 5])
@pytest.mark.parametrize("server", ["new_api_main", "new_api_rc21"])
async def test_key_used_up_while_critical_calls_are(
    home: Home, server: str, minutes: int
) -> None:
    """A key that the site refuses is not called active, whatever it was before."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, update_interval=minutes)
    interval = minutes * MINUTE * 1.1 + SECOND
    for _ in range(10):
        await home.pass_time(interval)
    site.gateway.spend(KEY, site.key(KEY).remain_quota)
    seen = []
    for _ in range(30 // minutes):
        await home.pass_time(interval)
        seen.append(home.state(f"{ALONE}_status"))
    assert set(seen) <= {"exhausted", "refused", "unavailable"}
    # What was found out once stays true for as long as nothing changes.
    assert set(seen[seen.index("exhausted") :]) == {"exhausted"}
    assert home.state(f"{ALONE}_remaining_quota") == "0.00"


async def test_old_explanation_of_a_refusal(home: Home, site: Site) -> None:
    """Why a key was refused once says nothing about the next time."""
    await home.add(site, key=KEY)
    key = site.key(KEY)
    site.gateway.spend(KEY, key.remain_quota)
    await home.poll()
    assert home.state(f"{ALONE}_status") == "exhausted"
    key.remain_quota, key.status = 2_500_000, Status.ENABLED
    await home.poll(4)
    assert home.state(f"{ALONE}_status") == "active"
    assert home.state(f"{ALONE}_remaining_quota") == "5.00"
    site.gateway.world.disable_key(KEY)
    site.gateway.faults.add("/api/usage/token/", Answer(429), times=1)
    await home.poll()
    assert home.state(f"{ALONE}_status") != "exhausted"
    await home.poll(5)
    assert home.state(f"{ALONE}_status") == "disabled"


async def test_one_api_proves_whose_figures_they_are(home: Home) -> None:
    """What remains is unknown until spending shows whether it is the key's."""
    site = await home.serve(household("one_api"))
    await home.add(site, key=KEY)
    remaining = f"{ALONE}_remaining_quota"
    await home.poll(2)
    assert home.state(remaining) == "unknown"
    assert home.attributes(remaining)["figures_of"] == "unknown"
    assert home.state(f"{ALONE}_used_quota") == "48.00"
    for _ in range(2):
        site.gateway.spend(KEY, 250_000)
        await home.poll()
    assert home.state(remaining) == "24.00"
    assert home.attributes(remaining)["figures_of"] == "key"
    await home.poll()
    assert home.state(remaining) == "24.00"


async def test_one_api_proves_that_they_are_the_accounts(home: Home) -> None:
    """On a site that shows a key its account, spending shows that too."""
    site = await home.serve(household("one_api"))
    site.gateway.configure(key_level_billing=False)
    # More left than used, else it is clear from the start.
    site.user("wang").quota = 450_050_000
    await home.add(site, key=KEY)
    remaining = f"{ALONE}_remaining_quota"
    assert home.state(remaining) == "unknown"
    site.gateway.spend(KEY, 500_000)
    await home.poll()
    assert home.state(remaining) == "899.10"
    assert home.attributes(remaining)["figures_of"] == "account"


async def test_reply_that_cannot_be_trusted(home: Home, site: Site) -> None:
    """A balance that is no number is no balance, and neither is what stands by it."""
    await home.add(site, user="wang")

    def garble(reply: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
        reply["data"]["quota"] = "90.01"
        return reply

    site.gateway.faults.add("/api/user/self", Rewrite(garble), times=1)
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"
    assert home.state(f"{ACCOUNT}_request_count") == "unavailable"
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


async def test_polling_switched_off(home: Home, site: Site) -> None:
    """A person who switches polling off decides when the site is asked."""
    entry = await home.add(site, user="wang")
    home.hass.config_entries.async_update_entry(entry, pref_disable_polling=True)
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    asked = len(site.gateway.requests)
    await home.poll(3)
    assert len(site.gateway.requests) == asked
