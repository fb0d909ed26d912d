"""What an entry knows outlives Home Assistant, and no damage to it does any."""

import json
from typing import Any, Final

import pytest

from custom_components.new_api.ledger import Ledger
from tests.home import Home, Site, works
from tests.household import ACCOUNT, ALONE, DAY, DOLLAR, HOUR, KEY, MINUTE
from tests.restarts import lose_power, restart, write
from tests.simulator import Answer

STORE: Final = "new_api.entry"


async def spend(home: Home, site: Site, *dollars: float) -> None:
    """Let a key spend, each time seen a few minutes later."""
    for each in dollars:
        site.gateway.spend(KEY, round(each * DOLLAR))
        await home.poll()


@pytest.mark.parametrize("is_orderly", [True, False], ids=["restart", "power cut"])
async def test_what_was_spent(
    home: Home, site: Site, hass_storage: dict[str, Any], is_orderly: bool
) -> None:
    """What a key alone has spent today is known after a start, to the unit."""
    entry = await home.add(site, key=KEY)
    await spend(home, site, 1, 2.5)
    # Readings are written every quarter of an hour.
    await home.pass_time(16 * MINUTE)
    assert home.state(f"{ALONE}_spent_today") == "3.50"
    if is_orderly:
        await restart(home, entry)
    else:
        await lose_power(home, entry, hass_storage)
    assert home.state(f"{ALONE}_spent_today") == "3.50"
    await spend(home, site, 0.5)
    assert home.state(f"{ALONE}_spent_today") == "4.00"
    assert home.state(f"{ALONE}_spent_this_month") == "4.00"


async def test_power_cut_between_two_writes(
    home: Home, site: Site, hass_storage: dict[str, Any]
) -> None:
    """What was read since it was last written is read anew: nothing is lost."""
    entry = await home.add(site, key=KEY)
    await spend(home, site, 1)
    await home.pass_time(16 * MINUTE)
    await spend(home, site, 2)
    await lose_power(home, entry, hass_storage)
    await home.poll()
    assert home.state(f"{ALONE}_spent_today") == "3.00"


async def test_spent_while_home_assistant_was_off(home: Home, site: Site) -> None:
    """What was spent meanwhile is booked, and called an estimate where it is one."""
    entry = await home.add(site, key=KEY)
    await spend(home, site, 1)
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.spend(KEY, 2 * DOLLAR)
    await home.pass_time(2 * HOUR)
    await restart(home, entry)
    await home.poll()
    assert home.state(f"{ALONE}_spent_today") == "3.00"


async def test_reload(home: Home, site: Site) -> None:
    """A reload forgets nothing, and needs no disk for it."""
    entry = await home.add(site, key=KEY)
    await spend(home, site, 1)
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    assert home.state(f"{ALONE}_spent_today") == "1.00"


async def test_not_written_with_each_reading(
    home: Home, site: Site, hass_storage: dict[str, Any]
) -> None:
    """The disk of a small computer is spared: four writes an hour are enough."""
    await home.add(site, key=KEY, user="wang", update_interval=1)
    await home.pass_time(16 * MINUTE)
    writes = 0
    before = json.dumps(hass_storage[STORE])
    for _ in range(60):
        site.gateway.spend(KEY, 10_000)
        await home.pass_time(MINUTE)
        now = json.dumps(hass_storage[STORE])
        writes += now != before
        before = now
    assert 2 <= writes <= 5


DAMAGE: Final[dict[str, Any]] = {
    "empty": {},
    "a list": [],
    "text": "nothing",
    "null": None,
    "foreign": {"hello": "world", "entries": [1, 2]},
    "ledgers of numbers": {"ledgers": {"account": 5}},
    "ledger of something else": {"ledgers": {"account": {"a": "b"}}},
    "income of something else": {"income": {"base": {"at": "noon"}}},
    "hours of text": {"hours": {"noon": 5}},
    "hours of halves": {"hours": {"3600": 0.5}},
    "gap without an end": {"gaps": {"log": [1]}},
    "news of numbers": {"news": [1]},
    "models of numbers": {"models": {"account": [1]}},
    "models of a null": {"models": {"account": None}},
    "until of text": {"hours_until": "now"},
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_damage(
    home: Home, site: Site, hass_storage: dict[str, Any], damage: Any
) -> None:
    """What cannot be understood is forgotten, and everything works."""
    hass_storage[STORE] = {
        "version": 1,
        "minor_version": 1,
        "key": STORE,
        "data": damage,
    }
    entry = await home.add(site, key=KEY, user="wang")
    assert works(entry)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    await spend(home, site, 1)
    await home.poll(2)
    await home.pass_time(16 * MINUTE)
    assert home.state(f"{ACCOUNT}_spent_today") == "1.00"
    assert works(entry)
    # It is written anew, and understood.
    await restart(home, entry)
    assert home.state(f"{ACCOUNT}_spent_today") == "1.00"


async def test_one_part_is_damaged(
    home: Home, site: Site, hass_storage: dict[str, Any]
) -> None:
    """Where one part is damaged nothing of the rest is believed."""
    entry = await home.add(site, key=KEY)
    await spend(home, site, 1)
    await restart(home, entry)
    await home.pass_time(16 * MINUTE)
    assert hass_storage[STORE]["data"]["ledgers"]
    await home.hass.config_entries.async_unload(entry.entry_id)
    for key in [key for key in home.hass.data if "new_api" in str(key)]:
        del home.hass.data[key]
    hass_storage[STORE]["data"]["news"] = "gone"
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    assert works(entry)
    assert home.state(f"{ALONE}_spent_today") == "0.00"


@pytest.mark.parametrize("version", [2, 99])
async def test_of_a_newer_version(
    home: Home,
    site: Site,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    version: int,
) -> None:
    """What a newer version has kept does not keep this one from starting.

    It finds it again, and a person knows why nothing new is remembered.
    """
    kept = {
        "version": version,
        "minor_version": 1,
        "key": STORE,
        "data": {"all": "new"},
    }
    hass_storage[STORE] = dict(kept)
    entry = await home.add(site, key=KEY, user="wang")
    assert works(entry)
    await spend(home, site, 1)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "89.01"
    await home.pass_time(HOUR)
    await write(home)
    assert hass_storage[STORE] == kept
    assert caplog.text.count("was written by a newer version") == 1


@pytest.mark.parametrize("subject", [{"key": KEY}, {"key": KEY, "user": "wang"}])
async def test_removed_entry_leaves_nothing(
    home: Home, site: Site, hass_storage: dict[str, Any], subject: dict[str, Any]
) -> None:
    """What an entry knew goes with it."""
    entry = await home.add(site, **subject)
    await spend(home, site, 1)
    await write(home)
    assert STORE in hass_storage
    await home.hass.config_entries.async_remove(entry.entry_id)
    await home.pass_time(HOUR)
    assert STORE not in hass_storage


async def test_entry_that_was_never_set_up(
    home: Home, site: Site, hass_storage: dict[str, Any]
) -> None:
    """So it does where the entry is removed without having worked again."""
    entry = await home.add(site, key=KEY)
    await spend(home, site, 1)
    await home.pass_time(16 * MINUTE)
    site.gateway.faults.add("*", Answer(502))
    await restart(home, entry)
    assert not works(entry)
    await home.hass.config_entries.async_remove(entry.entry_id)
    await home.pass_time(HOUR)
    assert STORE not in hass_storage


async def test_other_entries_stay(
    home: Home, site: Site, hass_storage: dict[str, Any]
) -> None:
    """An entry that goes takes nothing of another along."""
    first = await home.add(site, key=KEY)
    await home.add(site, user="wang", entry_id="other")
    await spend(home, site, 1, 1, 1)
    await write(home)
    await home.hass.config_entries.async_remove(first.entry_id)
    await home.pass_time(HOUR)
    assert STORE not in hass_storage
    assert "new_api.other" in hass_storage


def test_size() -> None:
    """A counter that moves in every quarter of an hour stays small, however long."""
    ledger = Ledger()
    sizes = []
    for quarter in range(60 * 24 * 4):
        ledger.read(quarter * 12_345, 1_795_422_600 + quarter * 900)
        if quarter and quarter % (20 * 24 * 4) == 0:
            sizes.append(len(json.dumps(ledger.as_dict())))
    assert sizes[-1] < 100_000
    # 40 days are kept, and none of those before.
    assert sizes[-1] < 2.1 * sizes[0]


async def test_keys_that_are_gone(
    home: Home, site: Site, hass_storage: dict[str, Any]
) -> None:
    """Of a key that was deleted long ago nothing is kept."""
    entry = await home.add(site, key=KEY, user="wang")
    site.gateway.spend("Claude Code", 10_000)
    await home.poll()
    number = site.key("Claude Code").id
    site.gateway.world.delete_key("Claude Code")
    for _ in range(45):
        await home.pass_time(DAY)
    await home.poll(2)
    await restart(home, entry)
    assert f"key_{number}" not in hass_storage[STORE]["data"]["ledgers"]


async def test_no_secrets(home: Home, site: Site, hass_storage: dict[str, Any]) -> None:
    """Nothing that opens anything is in it."""
    await home.add(site, key=KEY, user="wang")
    await spend(home, site, 1)
    await home.pass_time(16 * MINUTE)
    written = json.dumps(hass_storage[STORE])
    assert not [secret for secret in site.secrets if secret in written]
    assert "wang" not in written
