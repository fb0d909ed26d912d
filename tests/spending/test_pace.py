"""How soon what is spent is shown, where several entries share a site."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from custom_components.new_api.coordinator import base
from tests.home import Home, Site
from tests.household import CODE, KEY, LOG, MINUTE, SHANGHAI, spend, wait_until


@pytest.mark.parametrize("part", [0, 0.3, 0.6, 1])
async def test_after_midnight(
    home: Home, site: Site, monkeypatch: pytest.MonkeyPatch, part: float
) -> None:
    """That more is asked once a day makes nobody wait for the next figures."""
    monkeypatch.setattr(base, "uniform", lambda a, b: a + part * (b - a))
    midnight = datetime(2026, 11, 24, tzinfo=SHANGHAI)
    await home.add(site, key=KEY, user="wang")
    for name in (CODE, "Homework"):
        await home.add(site, key=name, entry_id=name)
    await wait_until(home, midnight + MINUTE)
    # Until what is asked each hour has its turn again.
    for _ in range(57):
        spend(site, "0.01")
        await home.pass_time(MINUTE)
    asked = [
        each.time
        for each in site.gateway.requests
        if each.path_qs.startswith(LOG) and each.time > midnight.timestamp()
    ]
    # Some questions come together. With the turns of all three, ten minutes can become
    # sixteen, but not more.
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert max(gaps) <= timedelta(minutes=16).total_seconds()
