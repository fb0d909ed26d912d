"""What fails and what is switched off, and what is shown nevertheless."""

from datetime import UTC, datetime
from decimal import Decimal
import logging

import pytest

from tests.conftest import NOW
from tests.home import Home, Site, works
from tests.household import (
    ACCOUNT,
    AVERAGE,
    DAY,
    DEEPSEEK,
    DOLLAR,
    FLOW,
    GPT,
    HAIKU,
    HOUR,
    KEY,
    LOG,
    MINUTE,
    MODEL,
    MONTH,
    NOT_KNOWN,
    OWN,
    REQUESTS,
    SHANGHAI,
    SPENT,
    STATISTICS,
    TOKENS,
    YESTERDAY,
    counted_since,
    nothing_asked,
    spend,
    wait_until,
)
from tests.simulator import Answer, Offer, Reset


async def test_restart(home: Home, site: Site) -> None:
    """After a restart all figures are as they were."""
    spend(site, "1.00", NOW - DAY)
    spend(site, "0.50", NOW - HOUR)
    entry = await home.add(site, key=KEY, user="wang")
    await home.add(site, key="Claude Code", entry_id="alone")
    await home.poll()
    spend(site, "0.25", key="Claude Code")
    await home.poll(7)
    sensors = (
        *(SPENT, YESTERDAY, MONTH, AVERAGE, REQUESTS, TOKENS, MODEL),
        f"{OWN}_spent_today",
        f"{OWN}_spent_this_month",
        "juhe_ai_claude_code_spent_today",
    )
    before = {sensor: home.state(sensor) for sensor in sensors}
    assert not set(NOT_KNOWN) & set(before.values())
    assert before["juhe_ai_claude_code_spent_today"] == "0.25"
    for each in home.entries:
        await home.hass.config_entries.async_unload(each.entry_id)
    await home.pass_time(3 * MINUTE)
    for each in home.entries:
        await home.hass.config_entries.async_setup(each.entry_id)
    await home.settle()
    await home.poll(2)
    assert {sensor: home.state(sensor) for sensor in sensors} == before
    assert works(entry)


@pytest.mark.parametrize("fault", [Answer(502), Reset()], ids=["502", "reset"])
async def test_site_is_down(home: Home, site: Site, fault: Answer | Reset) -> None:
    """While the site is down nothing is shown, and soon afterwards all of it."""
    spend(site, "1.00", NOW - DAY)
    await home.add(site, key=KEY, user="wang")
    await home.poll(2)
    sensors = (SPENT, YESTERDAY, MONTH, AVERAGE, REQUESTS, MODEL, f"{OWN}_spent_today")
    site.gateway.faults.add("*", fault)
    await home.poll()
    assert {home.state(sensor) for sensor in sensors} == {"unavailable"}
    for path in (LOG, STATISTICS, FLOW):
        with nothing_asked(site, path):
            await home.poll(12)
    site.gateway.faults.clear()
    spend(site, "0.50")
    await home.poll(3)
    assert home.state(SPENT) == "0.50"
    assert home.state(YESTERDAY) == "1.00"
    await home.poll(4)
    assert home.state(REQUESTS) == "1"
    assert home.state(f"{OWN}_spent_today") == "0.50"


async def test_log_fails_alone(
    home: Home, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the log, the balance and the statistics are still there."""
    await home.add(site, user="wang")
    spend(site, "0.50")
    await home.poll(2)
    site.gateway.faults.add(LOG, Answer(502))
    spend(site, "0.50")
    await home.poll(8)
    for sensor in (SPENT, YESTERDAY, MONTH, AVERAGE):
        assert home.state(sensor) == "unavailable"
    assert home.state(f"{ACCOUNT}_remaining_quota") == "89.01"
    assert home.state(REQUESTS) == "2"
    failures = [
        record
        for record in caplog.records
        if record.name.startswith("custom_components.new_api")
        and record.levelno >= logging.WARNING
    ]
    assert len(failures) == 1
    site.gateway.faults.clear()
    await home.poll(2)
    assert home.state(SPENT) == "1.00"


async def test_statistics_fail_alone(home: Home, site: Site) -> None:
    """Without the statistics, the log still says what was spent."""
    await home.add(site, user="wang")
    await home.poll(4)
    for path in (STATISTICS, FLOW):
        site.gateway.faults.add(path, Answer(502))
    spend(site, "0.50")
    await home.poll(8)
    assert home.state(SPENT) == "0.50"
    for sensor in (TOKENS, MODEL):
        assert home.state(sensor) == "unavailable"
    # The account and the list of keys were read all the time, from a moment on of which
    # the statistics had told all.
    for sensor, figure in ((REQUESTS, "1"), (f"{OWN}_spent_today", "0.50")):
        assert home.state(sensor) == figure
        assert counted_since(home, sensor) == datetime(2026, 11, 23, tzinfo=SHANGHAI)


async def test_account_is_disabled(home: Home, site: Site) -> None:
    """What a disabled account has spent is not told, and comes back with it."""
    spend(site, "0.50", NOW - HOUR)
    await home.add(site, user="wang")
    await home.poll()
    site.gateway.world.disable_user("wang")
    await home.poll(4)
    assert home.state(f"{ACCOUNT}_status") == "disabled"
    for sensor in (SPENT, YESTERDAY, MONTH, AVERAGE):
        assert home.state(sensor) == "unavailable"
    assert home.reauths() == []
    site.user("wang").status = 1
    await home.poll(5)
    assert home.state(SPENT) == "0.50"


async def test_silent_log(home: Home, site: Site) -> None:
    """Where the site logs nothing, the balance tells what was spent."""
    await home.add(site, user="wang")
    await home.poll(2)
    site.gateway.configure(log_consumption=False)
    for _ in range(12):
        spend(site, "0.10")
        await home.poll()
    spent = Decimal(home.state(SPENT))
    assert Decimal("1.00") <= spent <= Decimal("1.20")
    # The log was whole when the home came, and readings go on from there.
    assert counted_since(home, SPENT) == datetime(2026, 11, 23, tzinfo=SHANGHAI)
    assert home.attributes(SPENT)["estimate"] is True
    await home.poll(3)
    assert home.state(SPENT) == "1.20"
    assert home.state(MONTH) == "1.20"
    # Of the day before, it has told all.
    assert home.state(YESTERDAY) == "0.00"


async def test_log_is_ahead_of_the_balance(home: Home, site: Site) -> None:
    """A request that the log shows first, and the balance later, is no silence."""
    spend(site, "1.00", NOW - DAY)
    await home.add(site, user="wang")
    for _ in range(5):
        spend(site, "0.10")
        await home.poll(4)
    assert home.state(SPENT) == "0.50"
    assert home.attributes(SPENT)["estimate"] is False
    assert home.state(YESTERDAY) == "1.00"


async def test_log_is_ahead_of_the_first_balance(home: Home, site: Site) -> None:
    """Nor is one that the log shows when the account is read for the first time."""
    await home.pass_time(HOUR)
    site.gateway.configure(late={"user.quota": 60, "user.used_quota": 60})
    spend(site, "1.00")
    await home.add(site, user="wang")
    await home.poll(8)
    assert home.state(SPENT) == "1.00"
    assert home.attributes(SPENT)["estimate"] is False


async def test_person_who_presses_while_the_log_is_behind(
    home: Home, site: Site
) -> None:
    """The same balance is compared once, however often the log is asked meanwhile."""
    await home.add(site, user="wang")
    await home.poll(4)
    site.gateway.configure(log_consumption=False)
    spend(site, "0.10")
    site.gateway.configure(log_consumption=True)
    await home.press_update(f"{ACCOUNT}_remaining_quota")
    for _ in range(3):
        await home.press_update(SPENT)
        await home.pass_time(MINUTE / 5)
    spend(site, "0.50")
    await home.poll(5)
    assert home.state(SPENT) == "0.50"
    assert home.attributes(SPENT)["estimate"] is False


async def test_log_is_purged(home: Home, site: Site) -> None:
    """An administrator who throws the log away does not give the money back."""
    await home.add(site, user="wang")
    await home.poll()
    spend(site, "0.75")
    await home.poll(5)
    assert home.state(SPENT) == "0.75"
    site.gateway.world.log_purged_before = int(datetime.now(UTC).timestamp())
    spend(site, "0.25")
    await home.poll(4)
    assert home.state(SPENT) == "1.00"


async def test_log_is_purged_while_money_is_spent(home: Home, site: Site) -> None:
    """Nor is it given back where nobody has seen log and balance at rest before."""
    await home.add(site, user="wang")
    for _ in range(4):
        spend(site, "0.25")
        await home.poll()
    site.gateway.world.log_purged_before = int(datetime.now(UTC).timestamp())
    spend(site, "0.25")
    await home.poll(4)
    # Readings begin in the middle of the day, and more was shown before.
    assert home.state(SPENT) == "unknown"


async def test_log_is_purged_of_the_past(home: Home, site: Site) -> None:
    """Nor does a month become cheaper when its first weeks are thrown away."""
    spend(site, "5.00", NOW - 10 * DAY)
    spend(site, "0.70", NOW - 2 * DAY)
    await home.add(site, user="wang")
    await home.poll()
    spend(site, "1.00")
    await home.poll(5)
    assert home.state(MONTH) == "6.70"
    site.gateway.world.log_purged_before = int((NOW - DAY).timestamp())
    await wait_until(home, datetime(2026, 11, 24, tzinfo=SHANGHAI))
    await home.poll(4)
    spend(site, "0.25")
    await home.poll(4)
    assert home.state(SPENT) == "0.25"
    assert home.state(MONTH) == "6.95"
    # Of the week before, there are readings of a part only.
    assert home.state(YESTERDAY) == "1.00"
    assert home.state(AVERAGE) == "unknown"


async def test_data_export_off_and_on(home: Home, site: Site) -> None:
    """While the site keeps no statistics, nothing is shown that stands still."""
    spend(site, "0.50", NOW - HOUR)
    await home.add(site, key=KEY, user="wang")
    await home.poll()
    assert home.state(MODEL) == GPT
    site.gateway.configure(data_export=False)
    await home.poll(8)
    spend(site, "0.25", model=HAIKU)
    await home.poll(8)
    assert home.state(SPENT) == "0.75"
    assert home.state(MODEL) == "unknown"
    assert home.state(TOKENS) == "unknown"
    # What was told before holds, and readings go on from there.
    for sensor, figure in ((REQUESTS, "2"), (f"{OWN}_spent_today", "0.75")):
        assert home.state(sensor) == figure
        assert counted_since(home, sensor) == datetime(2026, 11, 23, tzinfo=SHANGHAI)

    # What was not kept meanwhile is missing for the rest of the day.
    site.gateway.configure(data_export=True)
    spend(site, "0.05", model=HAIKU)
    await home.poll(20)
    assert home.state(MODEL) == "unknown"
    assert home.state(TOKENS) == "unknown"
    assert home.state(f"{OWN}_spent_today") == "0.80"
    midnight = datetime(2026, 11, 24, tzinfo=SHANGHAI)
    await wait_until(home, midnight + MINUTE)
    spend(site, "0.10", model=DEEPSEEK)
    await home.poll(14)
    assert home.state(MODEL) == DEEPSEEK
    assert home.attributes(MODEL)["models"] == {DEEPSEEK: 0.1}
    assert home.state(TOKENS) == "1500"
    assert home.state(f"{OWN}_spent_today") == "0.10"


async def test_account_is_refunded(home: Home, site: Site) -> None:
    """The log does not take a refund off, and what it says is what is shown (6.6)."""
    await home.add(site, user="wang")
    spend(site, "0.50")
    await home.poll(3)
    site.gateway.refund(KEY, DOLLAR // 4)
    await home.poll(4)
    assert home.state(SPENT) == "0.50"
    assert home.state(f"{ACCOUNT}_remaining_quota") == "89.76"


async def test_plan_pays(home: Home, site: Site) -> None:
    """What a plan has paid was spent too."""
    offer = Offer(id=1, title="Basic", total=10 * DOLLAR)
    site.gateway.world.offers.append(offer)
    site.gateway.subscribe("wang", offer)
    await home.add(site, user="wang")
    spend(site, "0.50")
    await home.poll(3)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.state("basic_used") == "0.50"
    assert home.state(SPENT) == "0.50"
