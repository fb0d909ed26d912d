"""Models that come and go."""

from datetime import timedelta
from typing import Any, Final

import pytest

from tests.home import BALANCE, Home, Site
from tests.household import ACCOUNT, ALONE, DAY, KEY
from tests.restarts import lose_power, restart
from tests.simulator import Answer, Rewrite

from .told import Told


async def with_models(home: Home, site: Site, **subject: Any) -> Told:
    """Have an entry whose models are known."""
    await home.add(site, **(subject or {"key": KEY, "user": "wang"}))
    told = Told(
        home, f"{ACCOUNT if 'user' in subject or not subject else ALONE}_models"
    )
    await home.poll()
    assert told.is_there
    return told


def added(*models: str) -> dict[str, Any]:
    """Return what is told of new models."""
    return {"event_type": "model_added", "models": list(models)}


def removed(*models: str) -> dict[str, Any]:
    """Return what is told of models that are gone."""
    return {"event_type": "model_removed", "models": list(models)}


SUBJECTS: Final[dict[str, dict[str, Any]]] = {
    "key alone": {"key": KEY},
    "account alone": {"user": "wang"},
    "both": {"key": KEY, "user": "wang"},
}

subjects = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)


@subjects
async def test_new_models(home: Home, site: Site, subject: dict[str, Any]) -> None:
    """New models are told by their ids, all that are new at a time together."""
    told = await with_models(home, site, **subject)
    assert told.all == []
    site.gateway.world.add_model("gpt-6")
    site.gateway.world.add_model("claude-sonnet-5")
    await home.pass_hour()
    await home.pass_hour()
    assert told.all == [added("claude-sonnet-5", "gpt-6")]


@subjects
async def test_models_go(home: Home, site: Site, subject: dict[str, Any]) -> None:
    """A model that is gone is told when a second reading has confirmed it, once."""
    told = await with_models(home, site, **subject)
    site.gateway.world.remove_model("gpt-5-mini")
    await home.pass_hour()
    assert told.all == []
    await home.pass_time(BALANCE)
    assert told.all == [removed("gpt-5-mini")]
    await home.pass_hour()
    await home.pass_hour()
    assert len(told.all) == 1


async def test_model_is_replaced(home: Home, site: Site) -> None:
    """One comes and one goes: both are told."""
    told = await with_models(home, site)
    site.gateway.world.remove_model("gpt-5-mini")
    site.gateway.world.add_model("gpt-6-mini")
    await home.pass_hour()
    await home.pass_time(BALANCE)
    assert told.all == [added("gpt-6-mini"), removed("gpt-5-mini")]


async def test_model_comes_back(home: Home, site: Site) -> None:
    """A model that was gone for a day is told when it is back."""
    told = await with_models(home, site)
    site.gateway.world.remove_model("gpt-5-mini")
    await home.pass_hour()
    await home.pass_time(DAY)
    site.gateway.world.add_model("gpt-5-mini")
    await home.pass_hour()
    assert told.all == [removed("gpt-5-mini"), added("gpt-5-mini")]


async def test_model_missing_now_and_then(home: Home, site: Site) -> None:
    """A list without a model, once, says nothing; nor if that happens again."""
    told = await with_models(home, site)
    without = Rewrite.without_model("gpt-5-mini")
    for _ in range(3):
        for path in ("/api/user/models", "/v1/models"):
            site.gateway.faults.add(path, without, times=1)
        await home.pass_hour()
        await home.pass_time(BALANCE)
        await home.pass_hour()
    assert told.all == []


@subjects
async def test_order_of_models(home: Home, site: Site, subject: dict[str, Any]) -> None:
    """A list in another order each time is the same list."""
    site.gateway.configure(shuffles_models=True)
    told = await with_models(home, site, **subject)
    for _ in range(4):
        await home.pass_hour()
    assert told.all == []


async def test_models_over_a_restart(home: Home, site: Site) -> None:
    """What changed while Home Assistant was off is told; what was told is not again."""
    told = await with_models(home, site)
    (entry,) = home.entries
    site.gateway.world.add_model("gpt-6")
    await home.pass_hour()
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.world.add_model("gpt-7")
    site.gateway.world.remove_model("gpt-5-mini")
    await home.pass_time(DAY)
    await restart(home, entry)
    await home.pass_time(BALANCE)
    await restart(home, entry)
    await home.pass_hour()
    await home.pass_hour()
    assert told.all == [added("gpt-6"), added("gpt-7"), removed("gpt-5-mini")]


@pytest.mark.parametrize("again", ["reloads", "power cut"])
async def test_models_are_not_told_twice(
    home: Home, site: Site, hass_storage: dict[str, Any], again: str
) -> None:
    """What was told some seconds ago stays told, however it begins again."""
    told = await with_models(home, site)
    (entry,) = home.entries
    site.gateway.world.add_model("gpt-6")
    await told.wait()
    await home.pass_time(timedelta(seconds=5))
    if again == "reloads":
        # Until the site has no room for another reading.
        for _ in range(10):
            await home.hass.config_entries.async_reload(entry.entry_id)
    else:
        await lose_power(home, entry, hass_storage)
    await home.pass_hour()
    await home.pass_hour()
    assert told.all == [added("gpt-6")]


async def test_models_of_the_key_alone_change(home: Home, site: Site) -> None:
    """With both, it is the account's models that are told of."""
    told = await with_models(home, site)
    key = site.key(KEY)
    key.model_limits, key.model_limits_enabled = ("gpt-5-mini",), True
    await home.pass_hour()
    await home.pass_hour()
    assert home.state("home_assistant_model_count") == "1"
    assert told.all == []


async def test_account_is_disabled(home: Home, site: Site) -> None:
    """A disabled account has lost no models, nor does it find any when it is back."""
    told = await with_models(home, site)
    site.gateway.world.disable_user("wang")
    for _ in range(5):
        await home.pass_hour()
    site.user("wang").status = 1
    for _ in range(3):
        await home.pass_hour()
    assert home.state(f"{ACCOUNT}_model_count") == "3"
    assert told.all == []


async def test_key_is_used_up(home: Home, site: Site) -> None:
    """A key that is used up has lost no models."""
    told = await with_models(home, site, key=KEY)
    site.gateway.spend(KEY, 13_000_000)
    for _ in range(5):
        await home.pass_hour()
    site.key(KEY).remain_quota = 5_000_000
    for _ in range(3):
        await home.pass_hour()
    assert told.all == []


async def test_site_lists_none(home: Home, site: Site) -> None:
    """A site that lists no models at all has trouble, and has not lost each of them."""
    told = await with_models(home, site)
    none = Answer.json(200, '{"success": true, "data": []}')
    site.gateway.faults.add("/api/user/models", none)
    for _ in range(5):
        await home.pass_hour()
    assert home.state(f"{ACCOUNT}_model_count") == "0"
    site.gateway.faults.clear()
    for _ in range(3):
        await home.pass_hour()
    assert told.all == []


async def test_site_without_models_for_a_moment(home: Home, site: Site) -> None:
    """A site that fails has lost no models."""
    told = await with_models(home, site)
    site.gateway.faults.add("*", Answer(502))
    for _ in range(5):
        await home.pass_hour()
    site.gateway.faults.clear()
    for _ in range(3):
        await home.pass_hour()
    assert told.all == []


async def test_site_lists_none_at_first(home: Home, site: Site) -> None:
    """Models that a site does not list while it starts are not new when it does."""
    none = Answer.json(200, '{"success": true, "data": []}')
    site.gateway.faults.add("/api/user/models", none)
    told = await with_models(home, site)
    assert home.state(f"{ACCOUNT}_model_count") == "0"
    await home.pass_hour()
    site.gateway.faults.clear()
    await home.pass_hour()
    assert home.state(f"{ACCOUNT}_model_count") == "3"
    await home.pass_hour()
    assert told.all == []


async def test_no_models_for_a_moment(home: Home, site: Site) -> None:
    """A site that lists none is soon asked again."""
    await with_models(home, site)
    none = Answer.json(200, '{"success": true, "data": []}')
    site.gateway.faults.add("/api/user/models", none, times=1)
    await home.pass_hour()
    await home.poll(2)
    assert home.state(f"{ACCOUNT}_model_count") == "3"
