"""Statistics of the site that are late, not kept for a time, or read bit by bit."""

from datetime import datetime

import pytest

from custom_components.new_api.coordinator import usage_of_models
from custom_components.new_api.gateway.timetable import Timetable
from tests.conftest import NOW
from tests.home import Home, Site
from tests.household import (
    ACCOUNT,
    CODE,
    DAY,
    DOLLAR,
    FLOW,
    GPT,
    HOUR,
    KEY,
    KOLKATA,
    MINUTE,
    MODEL,
    NOT_KNOWN,
    OWN,
    REQUESTS,
    SHANGHAI,
    SPENT,
    STATISTICS,
    TOKENS,
    counted_since,
    live_in,
    lived,
    spend,
    wait_until,
)
from tests.simulator import Answer

MIDNIGHT = datetime(2026, 11, 24, tzinfo=SHANGHAI)


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Have an account so busy that a piece is a day; nothing is announced late.

    Until the list is empty, there is only room for what was announced.
    """
    narrow = [True]
    extend = Timetable.extend
    monkeypatch.setattr(usage_of_models, "_MOST_ROWS", 1)
    monkeypatch.setattr(
        Timetable, "extend", lambda *asked: not narrow and extend(*asked)
    )
    return narrow


async def test_export_comes_on_while_nobody_looks(home: Home, site: Site) -> None:
    """What was not kept is counted from readings, though it is kept now."""
    entry = await home.add(site, user="wang", key=KEY)
    await home.poll(3)
    site.gateway.configure(data_export=False)
    await wait_until(home, MIDNIGHT - HOUR)
    await home.hass.config_entries.async_unload(entry.entry_id)
    await home.pass_time(5 * HOUR)
    spend(site, "5.00")
    await home.pass_time(4 * HOUR)
    site.gateway.configure(data_export=True)
    await home.pass_time(HOUR)
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    spend(site, "0.10")
    await home.poll(14)
    assert home.state(SPENT) == "5.10"
    assert home.state(f"{OWN}_spent_this_month") == "5.10"
    # It may have been spent in the last hour before midnight.
    assert 4 < float(home.state(f"{OWN}_spent_today")) < 5.1
    assert home.attributes(f"{OWN}_spent_today")["estimate"] is True
    assert home.state(REQUESTS) == "2"
    assert home.state(TOKENS) == "unknown"


async def test_export_off_over_midnight(home: Home, site: Site) -> None:
    """The same without a restart: when it came on again, nobody knows."""
    await home.add(site, user="wang", key=KEY)
    await home.poll(3)
    await wait_until(home, MIDNIGHT - 2 * HOUR)
    site.gateway.configure(data_export=False)
    await wait_until(home, MIDNIGHT + MINUTE)
    spend(site, "5.00")
    await home.pass_time(MINUTE)
    site.gateway.configure(data_export=True)
    await home.poll(14)
    assert home.state(SPENT) == "5.00"
    assert home.state(f"{OWN}_spent_this_month") == "5.00"
    assert home.state(TOKENS) == "unknown"


async def test_month_of_a_key_with_a_gap(home: Home, site: Site) -> None:
    """What a key has spent while none were kept is missed neither on the next day."""
    await home.add(site, key=KEY, user="wang")
    spend(site, "1.00")
    await home.pass_hour()
    site.gateway.configure(data_export=False)
    await home.pass_hour()
    spend(site, "2.00")
    await home.pass_hour()
    site.gateway.configure(data_export=True)
    await wait_until(home, MIDNIGHT + 3 * HOUR)
    await home.pass_hour()
    assert home.state(f"{OWN}_spent_today") == "0.00"
    assert home.state(f"{OWN}_spent_this_month") == "3.00"


async def test_day_in_pieces(
    home: Home, monkeypatch: pytest.MonkeyPatch, in_pieces: list[bool]
) -> None:
    """Of a day that takes several pieces, no part is shown."""
    monkeypatch.setattr(usage_of_models, "_FIRST_PIECE", 3600)
    monkeypatch.setattr(usage_of_models, "_SMALLEST_PIECE", 3600)
    monkeypatch.setattr(usage_of_models, "_MOST_ROWS", 2)
    site = await home.serve(lived())
    tokens = home.changes_of(TOKENS)
    await home.add(site, user="wang")
    await home.poll(6)
    in_pieces.clear()
    await home.pass_hour()
    # 1500 in each whole hour since midnight.
    assert [each for each in tokens if each.isdecimal()] == ["24000"]


async def test_newer_than_the_balance(home: Home, site: Site) -> None:
    """What statistics have before the balance does is not counted twice."""
    entry = await home.add(site, user="wang", key=KEY, update_interval=30)
    account = entry.runtime_data.account
    await wait_until(home, NOW + 80 * MINUTE)
    spend(site, "1.00")
    await home.pass_time(6 * MINUTE)
    for view in (account.balance, entry.runtime_data.keys, account.usage):
        await view.async_refresh()
    spend(site, "2.00")
    await home.pass_time(6 * MINUTE)
    await account.usage.async_refresh()
    for path in (STATISTICS, FLOW):
        site.gateway.faults.add(path, Answer(502))
    await home.pass_hour()
    await home.pass_hour()
    assert home.state(SPENT) == "3.00"
    assert home.state(REQUESTS) in ("2", "unknown")
    assert home.state(f"{OWN}_spent_today") in ("3.00", "unknown")


async def test_list_of_keys_fails(home: Home, site: Site) -> None:
    """What a key has spent stays what it was while only the key answers for itself."""
    spend(site, "4.00", NOW - HOUR)
    await home.add(site, user="wang", key=KEY)
    spend(site, "1.00")
    await home.poll(14)
    assert home.state(f"{OWN}_spent_today") == "5.00"
    site.gateway.faults.add("/api/token/", Answer(502))
    await home.poll(3)
    assert home.state(f"{OWN}_spent_today") == "5.00"
    assert home.state(f"{OWN}_spent_this_month") == "5.00"


async def test_reload_in_the_middle(
    home: Home, site: Site, in_pieces: list[bool]
) -> None:
    """After a reload, the rest of the past is read soon."""
    for day in range(20):
        spend(site, "0.10", NOW - day * DAY - HOUR)
    entry = await home.add(site, user="wang", key=KEY)
    await home.pass_time(MINUTE)
    assert home.state(f"{ACCOUNT}_days_left") == "unknown"
    in_pieces.clear()
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    await home.poll(6)
    assert home.state(f"{ACCOUNT}_days_left") != "unknown"


async def test_little_room(home: Home, site: Site, in_pieces: list[bool]) -> None:
    """A long past is read to its end, however little of it there is room for."""
    assert in_pieces
    for day in range(29):
        spend(site, "0.10", NOW - day * DAY - HOUR)
    await home.add(site, user="wang", key=KEY)
    for _ in range(24):
        spend(site, "0.10")
        await home.poll()
    assert home.state(f"{ACCOUNT}_days_left") != "unknown"
    # 30 pieces, some at first larger or smaller, and the last hours anew.
    assert site.asked(STATISTICS) < 50


async def test_known_stays_known(home: Home, site: Site) -> None:
    """What is known after an outage is not unknown again while the rest is read."""
    await home.add(site, user="wang", key=KEY)
    await home.add(site, key=CODE, entry_id="alone")
    spend(site, "1.00")
    await home.poll(8)
    await wait_until(home, MIDNIGHT - 10 * MINUTE)
    site.gateway.faults.add("*", Answer(502))
    await wait_until(home, MIDNIGHT + 10 * MINUTE)
    spend(site, "2.00")
    await wait_until(home, MIDNIGHT + 40 * MINUTE)
    site.gateway.faults.clear()
    seen = []
    for _ in range(60):
        await home.pass_time(MINUTE)
        seen.append(home.state(TOKENS))
    known = seen.index("1500")
    assert set(seen[known:]) == {"1500"}


async def test_days_of_a_half_hour_zone(home: Home) -> None:
    """Days that begin between hours are spread without losing any."""
    await live_in(home, KOLKATA)
    site = await home.serve(lived("one_api", days=6, a_day=12, balance=60))
    await home.add(site, user="wang")
    await home.poll(3)
    assert 4.5 < float(home.state(f"{ACCOUNT}_days_left")) < 5.5


async def test_request_without_a_key(home: Home, site: Site) -> None:
    """What was tried on the site itself is the account's, and no key's."""
    await home.add(site, user="wang", key=KEY)
    spend(site, "1.00")
    site.gateway.play("wang", 2 * DOLLAR)
    await home.poll(14)
    assert home.state(SPENT) == "3.00"
    assert home.state(REQUESTS) == "2"
    assert home.state(TOKENS) == "3000"
    assert home.state(MODEL) == "gpt-4o"
    assert home.state(f"{OWN}_spent_today") == "1.00"


async def test_site_learns_to_tell_keys_apart(home: Home, site: Site) -> None:
    """What keys have used before the site was updated is not forgotten."""
    site.gateway.configure(keys_recorded_since=int(MIDNIGHT.timestamp()) + 24 * 3600)
    await home.add(site, user="wang", key=KEY)
    spend(site, "2.00")
    await home.poll(14)
    for period in ("today", "this_month"):
        assert home.state(f"{OWN}_spent_{period}") == "2.00"
    await wait_until(home, MIDNIGHT + DAY + HOUR)
    spend(site, "1.00")
    await home.poll(14)
    assert home.state(f"{OWN}_spent_today") == "1.00"
    assert home.state(f"{OWN}_spent_this_month") == "3.00"
    spend(site, "0.50")
    await home.poll(14)
    assert home.state(f"{OWN}_spent_this_month") == "3.50"


async def test_keys_fail_alone(home: Home, site: Site) -> None:
    """What models have used is told, though what keys have is not."""
    await home.add(site, user="wang", key=KEY)
    await home.poll(4)
    site.gateway.faults.add(FLOW, Answer(502))
    spend(site, "0.50")
    await home.poll(10)
    assert home.state(TOKENS) == "1500"
    assert home.state(MODEL) == GPT
    assert home.state(f"{OWN}_spent_today") == "0.50"
    site.gateway.faults.clear()
    spend(site, "0.25")
    await home.poll(10)
    assert home.state(f"{OWN}_spent_today") == "0.75"
    assert home.attributes(f"{OWN}_spent_today")["estimate"] is False


async def test_nothing_is_ever_logged(home: Home, site: Site) -> None:
    """Where no requests are logged, no row does not mean no request."""
    site.gateway.configure(log_consumption=False)
    site.gateway.world.log.clear()
    await home.add(site, user="wang", key=KEY)
    await home.poll(14)
    for sensor in (TOKENS, SPENT):
        assert home.state(sensor) == "unknown"
    for sensor in (REQUESTS, f"{OWN}_spent_today", f"{OWN}_spent_this_month"):
        assert counted_since(home, sensor) >= NOW
    spend(site, "0.50")
    await home.poll(2)
    assert home.state(REQUESTS) == "1"
    assert home.state(f"{OWN}_spent_today") == "0.50"


async def test_list_of_keys_is_older(home: Home, site: Site) -> None:
    """What keys have used is not counted twice after their list was missing."""
    await home.add(site, user="wang")
    await home.poll(14)
    site.gateway.faults.add("/api/token/", Answer(502))
    spend(site, "1.00")
    await home.poll(20)
    site.gateway.faults.clear()
    for path in (STATISTICS, FLOW):
        site.gateway.faults.add(path, Answer(502))
    spend(site, "0.25")
    await home.poll(14)
    assert home.state(f"{OWN}_spent_today") in ("1.25", *NOT_KNOWN)
