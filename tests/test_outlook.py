"""Runs out, Days left: from what the site and the readings say of the past."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from custom_components.new_api.forecast import Forecast, forecast
from tests.home import Home, Site
from tests.household import (
    ACCOUNT,
    ALONE,
    CODE,
    DAY,
    DOLLAR,
    HOUR,
    KEY,
    MINUTE,
    lived,
    warnings,
)
from tests.restarts import restart
from tests.simulator import Answer

# How exactly the future is told where all hours were the same.
EXACTLY: Final = 0.03


async def go_on(
    home: Home,
    site: Site,
    days: float,
    *,
    key: str = CODE,
    a_day: float = 12,
    step: timedelta = HOUR,
) -> None:
    """Let it go on so for some days, seen all the time."""
    for _ in range(round(days * DAY / step)):
        await home.pass_time(step)
        site.gateway.spend(key, round(a_day * DOLLAR * (step / DAY)))


async def test_from_the_history_of_the_site(home: Home) -> None:
    """From the first day on, the site's own history tells how long it lasts."""
    site = await home.serve(lived())
    await home.add(site, user="wang")
    await home.poll()
    assert float(home.state(f"{ACCOUNT}_days_left")) == pytest.approx(10, rel=EXACTLY)
    runs_out = datetime.fromisoformat(home.state(f"{ACCOUNT}_runs_out"))
    now = datetime.fromtimestamp(site.gateway.world.now, UTC)
    assert abs(runs_out - now - 10 * DAY) < 8 * HOUR
    assert runs_out.minute == runs_out.second == 0
    for sensor in ("days_left", "runs_out"):
        history = home.attributes(f"{ACCOUNT}_{sensor}")["history"]
        assert history == pytest.approx(10, abs=0.5)


async def test_more_money_lasts_longer(home: Home) -> None:
    """Money that comes in is taken into account with the next reading."""
    site = await home.serve(lived())
    await home.add(site, user="wang")
    site.gateway.world.top_up("wang", 120 * DOLLAR, dollars=120)
    await home.poll()
    assert float(home.state(f"{ACCOUNT}_days_left")) == pytest.approx(20, rel=EXACTLY)


@pytest.mark.parametrize("dollars", [0, -5])
async def test_nothing_left(home: Home, dollars: float) -> None:
    """Where nothing is left it has run out, and lasts no days."""
    site = await home.serve(lived(balance=dollars))
    await home.add(site, user="wang")
    await home.poll()
    assert home.state(f"{ACCOUNT}_days_left") == "0.0"
    runs_out = datetime.fromisoformat(home.state(f"{ACCOUNT}_runs_out"))
    now = datetime.fromtimestamp(site.gateway.world.now, UTC)
    assert abs(runs_out - now) <= 2 * HOUR


async def test_unknown_at_first(home: Home, site: Site) -> None:
    """Without any history it is unknown, for a day, and not for ever or nothing."""
    await home.add(site, user="wang")
    for sensor in ("days_left", "runs_out"):
        assert home.state(f"{ACCOUNT}_{sensor}") == "unknown"
        assert "history" not in home.attributes(f"{ACCOUNT}_{sensor}")
    await go_on(home, site, 0.5, step=3 * HOUR)
    assert home.state(f"{ACCOUNT}_days_left") == "unknown"
    await go_on(home, site, 2, step=3 * HOUR)
    left = float(home.state(f"{ACCOUNT}_remaining_quota")) / 12
    assert float(home.state(f"{ACCOUNT}_days_left")) == pytest.approx(left, rel=0.1)


async def test_nobody_spends(home: Home, site: Site) -> None:
    """What nobody spends lasts for nobody knows how long."""
    await home.add(site, user="wang")
    for _ in range(4):
        await home.pass_time(DAY)
        await home.poll(2)
    assert home.state(f"{ACCOUNT}_days_left") == "unknown"
    assert home.state(f"{ACCOUNT}_runs_out") == "unknown"


async def test_hardly_anything_is_spent(home: Home) -> None:
    """Rather nothing is said than that it lasts for a hundred years."""
    site = await home.serve(lived(a_day=0.001))
    await home.add(site, user="wang")
    await home.poll()
    assert home.state(f"{ACCOUNT}_days_left") == "unknown"


async def test_key_alone(home: Home, site: Site) -> None:
    """For a key alone, its own readings tell, over a restart too."""
    entry = await home.add(site, key=KEY)
    assert home.state(f"{ALONE}_days_left") == "unknown"
    # 25 dollars of its limit.
    await go_on(home, site, 2, key=KEY, a_day=2)
    assert float(home.state(f"{ALONE}_days_left")) == pytest.approx(10.5, rel=0.1)
    assert home.attributes(f"{ALONE}_days_left")["history"] == pytest.approx(2, abs=0.2)
    before = home.state(f"{ALONE}_days_left")
    await restart(home, entry)
    assert float(home.state(f"{ALONE}_days_left")) == pytest.approx(
        float(before), abs=0.5
    )


async def test_unlimited_key(home: Home, site: Site) -> None:
    """A key without a limit never runs out."""
    await home.add(site, key=CODE)
    await go_on(home, site, 2)
    assert home.state("juhe_ai_claude_code_days_left") == "unknown"


async def test_site_without_statistics(home: Home, site: Site) -> None:
    """Where the site keeps none, what was read since tells."""
    site.gateway.configure(data_export=False)
    await home.add(site, user="wang")
    await go_on(home, site, 2)
    left = float(home.state(f"{ACCOUNT}_remaining_quota")) / 12
    assert float(home.state(f"{ACCOUNT}_days_left")) == pytest.approx(left, rel=0.1)


@pytest.mark.parametrize("server", ["one_api", "one_hub", "veloera"])
async def test_other_families(home: Home, server: str) -> None:
    """What other servers keep of the past tells how long it lasts."""
    site = await home.serve(lived(server))
    await home.add(site, user="wang")
    await go_on(home, site, 0.5, step=3 * HOUR)
    # More than was read since.
    assert home.attributes(f"{ACCOUNT}_days_left")["history"] > 1
    left = float(home.state(f"{ACCOUNT}_remaining_quota")) / 12
    assert float(home.state(f"{ACCOUNT}_days_left")) == pytest.approx(left, rel=0.15)


async def test_gap_in_the_statistics(home: Home) -> None:
    """Days in which the site kept no statistics were not quiet ones."""
    site = await home.serve(lived(balance=400))
    await home.add(site, user="wang")
    await go_on(home, site, 0.25, step=3 * HOUR)
    site.gateway.configure(data_export=False)
    await go_on(home, site, 2, step=3 * HOUR)
    site.gateway.configure(data_export=True)
    await go_on(home, site, 1, step=3 * HOUR)
    left = float(home.state(f"{ACCOUNT}_remaining_quota")) / 12
    assert float(home.state(f"{ACCOUNT}_days_left")) == pytest.approx(left, rel=0.06)


async def test_history_comes_later(home: Home) -> None:
    """What the site says of the past changes it as soon as it is known."""
    site = await home.serve(lived())
    site.gateway.faults.add("/api/data/self", Answer(502))
    await home.add(site, user="wang")
    await home.poll()
    assert home.state(f"{ACCOUNT}_days_left") == "unknown"
    site.gateway.faults.clear()
    asked = site.asked("/api/data/self")
    while site.asked("/api/data/self") == asked:
        await home.pass_time(timedelta(seconds=20))
    await home.pass_time(MINUTE)
    assert float(home.state(f"{ACCOUNT}_days_left")) == pytest.approx(10, rel=EXACTLY)


async def test_not_with_each_reading(home: Home) -> None:
    """A forecast does not move with each reading, nor does it stand still for ever."""
    site = await home.serve(lived())
    await home.add(site, user="wang")
    await home.pass_hour()
    days_left = home.changes_of(f"{ACCOUNT}_days_left")
    runs_out = home.changes_of(f"{ACCOUNT}_runs_out")
    for _ in range(9):
        site.gateway.spend(CODE, 25_000)
        await home.poll()
    assert len(days_left) <= 2
    assert len(runs_out) <= 3
    await go_on(home, site, 1)
    assert days_left
    assert runs_out
    assert float(home.state(f"{ACCOUNT}_days_left")) == pytest.approx(9, rel=0.05)


@pytest.fixture
def forecasts(monkeypatch: pytest.MonkeyPatch) -> list[Forecast | None]:
    """Return what is told of the future from now on."""
    told: list[Forecast | None] = []

    def noted(*args: Any, **kwargs: Any) -> Forecast | None:
        told.append(forecast(*args, **kwargs))
        return told[-1]

    monkeypatch.setattr("custom_components.new_api.outlook.forecast", noted)
    return told


async def test_nothing_is_told_once(
    home: Home, forecasts: list[Forecast | None]
) -> None:
    """That nothing can be told is found out once for each reading, too."""
    site = await home.serve(lived(a_day=0.001))
    await home.add(site, user="wang", **warnings(low_balance_days=7))
    await home.pass_hour()
    forecasts.clear()
    asked = site.asked("/api/user/self")
    for _ in range(4):
        site.gateway.spend(CODE, 25)
        await home.poll()
    assert home.state(f"{ACCOUNT}_days_left") == "unknown"
    # And once for a new history.
    assert 0 < len(forecasts) <= site.asked("/api/user/self") - asked + 1
    assert set(forecasts) == {None}


async def test_told_as_soon_as_it_can_be(home: Home, site: Site) -> None:
    """That nothing could be told is not held against what is read after it."""
    site.gateway.configure(data_export=False)
    await home.add(site, user="wang")
    await go_on(home, site, 0.99)
    assert home.state(f"{ACCOUNT}_days_left") == "unknown"
    await home.pass_hour()
    site.gateway.spend(CODE, DOLLAR)
    for _ in range(4):
        await home.poll()
    assert home.state(f"{ACCOUNT}_days_left") != "unknown"


async def test_with_a_reading_that_changes_much(home: Home) -> None:
    """What a twentieth of the balance was spent on is seen with the next reading."""
    site = await home.serve(lived())
    await home.add(site, user="wang")
    await home.poll()
    assert float(home.state(f"{ACCOUNT}_days_left")) == pytest.approx(10, rel=EXACTLY)
    site.gateway.spend(CODE, 6 * DOLLAR)
    await home.poll(2)
    assert float(home.state(f"{ACCOUNT}_days_left")) < 9.6


async def test_site_fails(home: Home) -> None:
    """Nothing is told of the future of a balance that is not known."""
    site = await home.serve(lived())
    await home.add(site, user="wang")
    await home.poll()
    site.gateway.faults.add("/api/user/self", Answer(502))
    await home.poll(2)
    assert home.state(f"{ACCOUNT}_days_left") == "unavailable"
    assert home.state(f"{ACCOUNT}_runs_out") == "unavailable"


SUBJECTS: Final[dict[str, dict[str, Any]]] = {
    "account": {"user": "wang"},
    "both": {"key": KEY, "user": "wang"},
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
async def test_restart(home: Home, subject: dict[str, Any]) -> None:
    """What was told before a restart is told after it at once."""
    site = await home.serve(lived())
    entry = await home.add(site, **subject)
    await home.poll()
    before = home.state(f"{ACCOUNT}_runs_out")
    site.gateway.faults.add("/api/data/self", Answer(502))
    await restart(home, entry)
    assert home.state(f"{ACCOUNT}_runs_out") == before
