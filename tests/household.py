"""The household of most tests: who is there, what it does, and what is shown of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.home import BALANCE, Home, Site, household
from tests.simulator import Gateway, Offer, Period, Subscription

ACCOUNT: Final = "juhe_ai_wang"
KEY: Final = "Home Assistant"
CODE: Final = "Claude Code"
OWN: Final = "home_assistant"
ALONE: Final = "juhe_ai_home_assistant"

SPENT: Final = f"{ACCOUNT}_spent_today"
YESTERDAY: Final = f"{ACCOUNT}_spent_yesterday"
MONTH: Final = f"{ACCOUNT}_spent_this_month"
AVERAGE: Final = f"{ACCOUNT}_average_per_day_7_days"
REQUESTS: Final = f"{ACCOUNT}_requests_today"
TOKENS: Final = f"{ACCOUNT}_tokens_today"
MODEL: Final = f"{ACCOUNT}_most_expensive_model_today"

LOG: Final = "/api/log/self/stat"
STATISTICS: Final = "/api/data/self"
FLOW: Final = "/api/data/flow/self"

TELLS_LITTLE: Final = ("one_api", "one_hub", "veloera", "new_api_0_6", "new_api_0_9")
"""On these servers, a refused key tells why, and no figures (gateway_api.md 2.1)."""

DOLLAR: Final = 500_000
"""So much raw quota is a dollar on the sites here."""
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

HAIKU: Final = "claude-haiku-4-5"
DEEPSEEK: Final = "deepseek-chat"
GPT: Final = "gpt-5-mini"

BERLIN: Final = ZoneInfo("Europe/Berlin")
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
KOLKATA: Final = ZoneInfo("Asia/Kolkata")

NOT_KNOWN: Final = ("unknown", "unavailable")


def lived(
    server: str = "new_api_main",
    *,
    days: int = 10,
    a_day: float = 12,
    balance: float = 120,
) -> Gateway:
    """Return a gateway whose account has spent evenly, every hour of some days.

    Amounts are dollars, and `balance` is what is left now.
    """
    gateway = household(server)
    hour = int(HOUR.total_seconds())
    this_hour = gateway.world.now - gateway.world.now % hour
    for number in range(24 * days, 0, -1):
        at = this_hour - number * hour
        gateway.spend(CODE, round(a_day * DOLLAR / 24), at=at)
    gateway.world.user("wang").quota = round(balance * DOLLAR)
    return gateway


def leave(site: Site, dollars: float) -> None:
    """Let so much be left in the account."""
    site.user("wang").quota = round(dollars * DOLLAR)


def warnings(unit: str = "USD", **thresholds: float) -> dict[str, Any]:
    """Return the options of somebody who wants to be warned."""
    return {"warnings": {"unit": unit, **thresholds}}


def plan(**changes: Any) -> Offer:
    """Return a plan that a site sells, as a rule 50 dollars each day for 30 days."""
    about = {"id": 7, "title": "Pro", "total": 50 * DOLLAR, "reset": Period.DAILY}
    return Offer(**{**about, **changes})


def subscribe(gateway: Gateway, **changes: Any) -> Subscription:
    """Let a plan be bought with money that never was in the account."""
    bought = plan(**changes)
    gateway.world.offers.append(bought)
    return gateway.subscribe("wang", bought)


async def live_in(home: Home, zone: ZoneInfo) -> None:
    """Move the home to a time zone."""
    await home.hass.config.async_set_time_zone(zone.key)


async def wait_until(home: Home, moment: datetime) -> None:
    """Let time pass up to a moment, with all that is due on the way."""
    while datetime.now(UTC) < moment - BALANCE:
        await home.poll()
    await home.pass_time(moment - datetime.now(UTC))


def spend(
    site: Site,
    dollars: str,
    at: datetime | None = None,
    *,
    key: str = KEY,
    model: str = GPT,
) -> None:
    """Let a key spend an amount, now or at another time; it takes 1500 tokens."""
    site.gateway.spend(
        key,
        int(Decimal(dollars) * DOLLAR),
        model=model,
        at=None if at is None else int(at.timestamp()),
    )


def counted_since(home: Home, sensor: str) -> datetime:
    """Return from when on a figure is whole, as it says."""
    since = home.attributes(sensor)["counted_since"]
    assert isinstance(since, datetime)
    return since


def last_reset(home: Home, sensor: str) -> datetime:
    """Return when a figure began at zero, as it says."""
    return datetime.fromisoformat(home.attributes(sensor)["last_reset"])


@contextmanager
def nothing_asked(site: Site, path: str) -> Iterator[None]:
    """Make sure that something is not asked for meanwhile."""
    before = site.asked(path)
    yield
    assert site.asked(path) == before
