"""The simulated gateway sells plans that pay, begin anew and end."""

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
import pytest

from tests.simulator import Gateway, NothingPaysError, Offer, Period
from tests.simulator.visiting import data

NOW: Final = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
DAY: Final = 86_400
KEY: Final = "Home Assistant"

QUOTA: Final = 45_005_000
USED: Final = 101_150_000


@pytest.fixture
def gateway(freezer: FrozenDateTimeFactory) -> Gateway:
    """Give the household's gateway, with a clock that stands still."""
    freezer.move_to(NOW)
    return Gateway.demo()


def balance(gateway: Gateway) -> int:
    """Return what is left in the wallet."""
    left: int = data(gateway, "/api/user/self")["quota"]
    return left


def plan(gateway: Gateway) -> dict[str, Any]:
    """Return the only active plan."""
    (only,) = data(gateway, "/api/subscription/self")["subscriptions"]
    told: dict[str, Any] = only["subscription"]
    return told


def test_a_plan_pays_first_and_begins_anew(
    gateway: Gateway, freezer: FrozenDateTimeFactory
) -> None:
    """What it covers is not taken from the wallet, anew from each midnight on."""
    gateway.configure(time_zone="Asia/Shanghai")
    offer = Offer(id=7, title="Every day", total=1_000, reset=Period.DAILY)
    gateway.world.offers.append(offer)
    gateway.subscribe("wang", offer, from_wallet=50_000)
    gateway.spend(KEY, 900)
    gateway.spend(KEY, 200)
    midnight = int(datetime(2026, 11, 23, 16, tzinfo=UTC).timestamp())

    assert balance(gateway) == QUOTA - 50_000 - 200
    assert data(gateway, "/api/user/self")["used_quota"] == USED + 1_100
    assert plan(gateway)["amount_used"] == 900
    assert plan(gateway)["next_reset_time"] == midnight
    # The task that resets plans comes once a minute; whoever uses one finds it reset.
    gateway.world.subscriptions[0].next_reset_time += 30
    freezer.move_to(datetime(2026, 11, 23, 16, 0, 40, tzinfo=UTC))
    assert plan(gateway)["amount_used"] == 900
    gateway.spend(KEY, 300)
    assert plan(gateway)["amount_used"] == 300
    assert plan(gateway)["last_reset_time"] == midnight + 30
    freezer.tick(3 * DAY)
    assert plan(gateway)["amount_used"] == 0
    assert plan(gateway)["next_reset_time"] == midnight + 4 * DAY
    titles = [each["plan"] for each in data(gateway, "/api/subscription/plans")]
    assert [(each["id"], each["title"]) for each in titles] == [(7, "Every day")]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (Period.NEVER, None),
        (Period.DAILY, (2026, 10, 25)),
        (Period.WEEKLY, (2026, 10, 26)),
        (Period.MONTHLY, (2026, 11, 1)),
    ],
)
def test_periods_are_those_of_the_server(
    period: Period, expected: tuple[int, int, int] | None
) -> None:
    """Days, weeks from Monday and months end at the midnight of its zone."""
    zone = ZoneInfo("Europe/Berlin")
    saturday = int(datetime(2026, 10, 24, 13, 30, tzinfo=zone).timestamp())
    offer = Offer(id=1, title="", total=0, reset=period)
    at = int(datetime(*expected, tzinfo=zone).timestamp()) if expected else 0

    assert offer.next_reset(saturday, saturday + 30 * DAY, zone) == at
    # None comes after the end.
    assert offer.next_reset(saturday, saturday + 3_600, zone) == 0


def test_a_day_with_25_hours() -> None:
    """The period over the clock change is an hour longer; a custom one is not."""
    zone = ZoneInfo("Europe/Berlin")
    midnight = int(datetime(2026, 10, 25, tzinfo=zone).timestamp())
    daily = Offer(id=1, title="", total=0, reset=Period.DAILY)
    custom = Offer(id=1, title="", total=0, reset=Period.CUSTOM, reset_seconds=DAY)

    assert daily.next_reset(midnight, 2**40, zone) == midnight + 25 * 3_600
    assert custom.next_reset(midnight, 2**40, zone) == midnight + DAY


def test_plans_end(gateway: Gateway, freezer: FrozenDateTimeFactory) -> None:
    """A plan that is over or was cancelled is told of, but pays nothing."""
    offer = Offer(id=1, title="Unlimited", total=0, days=1)
    gateway.subscribe("wang", offer)
    gateway.subscribe("wang", offer)
    gateway.world.subscriptions[0].is_cancelled = True
    gateway.spend(KEY, 10_000_000)
    assert balance(gateway) == QUOTA
    assert (plan(gateway)["amount_total"], plan(gateway)["next_reset_time"]) == (0, 0)
    freezer.tick(DAY)
    gateway.spend(KEY, 5)
    told = data(gateway, "/api/subscription/self")

    assert balance(gateway) == QUOTA - 5
    assert told["subscriptions"] == []
    assert [each["subscription"]["status"] for each in told["all_subscriptions"]] == [
        "cancelled",
        "expired",
    ]


@pytest.mark.parametrize(
    ("preference", "quota", "from_wallet"),
    [
        ("subscription_first", 10_000, 0),
        ("wallet_first", 10_000, 500),
        ("wallet_first", 100, 0),
        ("wallet_only", 100, 500),
        ("subscription_only", 10_000, 0),
    ],
)
def test_what_pays_first(
    gateway: Gateway, preference: str, quota: int, from_wallet: int
) -> None:
    """The user chooses; who prefers the wallet falls back on the plan."""
    user = gateway.world.user("wang")
    user.billing_preference, user.quota = preference, quota
    gateway.subscribe("wang", Offer(id=1, title="", total=1_000))
    gateway.spend(KEY, 500)

    assert data(gateway, "/api/subscription/self")["billing_preference"] == preference
    assert user.quota == quota - from_wallet
    assert plan(gateway)["amount_used"] == 500 - from_wallet


def ends_after(gateway: Gateway, days: int, *, allows_overflow: bool) -> None:
    """Let a plan of 1000 be bought."""
    gateway.subscribe(
        "wang",
        Offer(id=1, title="", total=1_000, days=days, allows_overflow=allows_overflow),
    )


def test_a_strict_plan_keeps_the_wallet_shut(
    gateway: Gateway, freezer: FrozenDateTimeFactory
) -> None:
    """As long as one of the plans forbids it, the wallet pays nothing."""
    ends_after(gateway, 1, allows_overflow=False)
    ends_after(gateway, 2, allows_overflow=True)
    for _ in range(2):
        gateway.spend(KEY, 900)
    with pytest.raises(NothingPaysError):
        gateway.spend(KEY, 200)
    assert balance(gateway) == QUOTA
    assert data(gateway, "/api/user/self")["used_quota"] == USED + 1_800
    freezer.tick(DAY)
    gateway.spend(KEY, 200)
    assert balance(gateway) == QUOTA - 200


def test_a_strict_plan_comes_after_the_wallet(gateway: Gateway) -> None:
    """Who prefers the wallet pays from it, whatever the plan forbids."""
    gateway.world.user("wang").billing_preference = "wallet_first"
    ends_after(gateway, 1, allows_overflow=False)
    gateway.spend(KEY, 5_000)
    assert balance(gateway) == QUOTA - 5_000


def test_nothing_but_plans(gateway: Gateway) -> None:
    """Who wants nothing else pays nothing without a plan, and gets nothing."""
    gateway.world.user("wang").billing_preference = "subscription_only"
    with pytest.raises(NothingPaysError):
        gateway.spend(KEY, 1)
    assert balance(gateway) == QUOTA


@pytest.mark.parametrize(
    ("server", "strict"),
    [("new_api_0_12", None), ("new_api_rc21", False), ("new_api_main", False)],
)
def test_older_servers_know_no_strict_plans(
    freezer: FrozenDateTimeFactory, server: str, strict: bool | None
) -> None:
    """Before rc.12 the wallet pays what a plan does not, and nothing is said of it."""
    freezer.move_to(NOW)
    gateway = Gateway.demo(server)
    ends_after(gateway, 1, allows_overflow=False)
    assert plan(gateway).get("allow_wallet_overflow") is strict
    if strict is None:
        gateway.spend(KEY, 2_000)
        assert balance(gateway) == QUOTA - 2_000
    else:
        with pytest.raises(NothingPaysError):
            gateway.spend(KEY, 2_000)
