"""Every figure of an account, next to the truth of all recordings, in four homes.

The recorded sites were asked what stands here to the second; the simulator, which is
held to their replies, answers for them at the moment of the recording.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
import sys
from typing import Any, Final
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
import pytest

from tests.home import Home
from tests.recordings import SITES, Recording, load

ACCOUNT: Final = "test_gateway_alice"
KEY: Final = "main"

CARRIED: Final = [
    (server, site)
    for server, sites in SITES.items()
    for site in ("usd", "cny", "tokens", "custom", "closed", "spending")
    if site in sites
]
ZONES: Final = ("UTC", "Europe/Berlin", "Asia/Shanghai", "Asia/Kolkata")

NEWER: Final = ("new_api_main", "new_api_rc21")
"""The servers that tell by key, and of plans, payments and rewards."""

everywhere = pytest.mark.parametrize(
    ("server", "site", "zone"),
    [(server, site, zone) for server, site in CARRIED for zone in ZONES],
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What was spent by the days of a home, from the database behind a recording."""

    recording: Recording
    zone: str

    @property
    def now(self) -> datetime:
        """Return the moment of the recording, where the home is."""
        return datetime.fromtimestamp(self.recording.recorded_at, UTC).astimezone(
            ZoneInfo(self.zone)
        )

    @property
    def today(self) -> date:
        """Return the day on which it was recorded."""
        return self.now.date()

    def midnight(self, day: date) -> datetime:
        """Return when a day begins."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone))

    def rows(self, since: date, until: date) -> list[dict[str, Any]]:
        """Return the hours from the beginning of a day to that of another.

        Requests were made in the first minutes of their hours, so that those of the
        hour in which a day begins at half past are of the day before.
        """
        return [
            row
            for row in self.recording.truth.spending
            if since <= self._day(row["hour"]) < until
        ]

    def spent(self, since: date, until: date) -> int:
        """Return the sum of that, in raw units."""
        return sum(row["quota"] for row in self.rows(since, until))

    def of_today(self, what: str) -> Counter[str]:
        """Return the quota, the count or the tokens of today by model."""
        sums: Counter[str] = Counter()
        for row in self.rows(self.today, self.today + timedelta(days=1)):
            sums[row["model"]] += row[what]
        return sums

    @property
    def spent_today(self) -> int:
        """Return what was spent today."""
        return self.spent(self.today, self.today + timedelta(days=1))

    @property
    def spent_this_month(self) -> int:
        """Return what was spent since the first of the month."""
        return self.spent(self.today.replace(day=1), self.today + timedelta(days=1))

    def _day(self, at: int) -> date:
        return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(self.zone)).date()


def per_raw(recording: Recording) -> tuple[Fraction, str]:
    """Return what the site's console shows for one raw unit (gateway_api.md 3.2)."""
    options, dollar = recording.options, Fraction(1, 500_000)
    match options.get("general_setting.quota_display_type", "USD"):
        case _ if recording.server == "new_api_0_9":
            # It does not know the setting.
            return dollar, "USD"
        case "CNY":
            return dollar * Fraction(options["USDExchangeRate"]), "CNY"
        case "TOKENS":
            return Fraction(1), "tokens"
        case "CUSTOM":
            rate = options["general_setting.custom_currency_exchange_rate"]
            symbol = options["general_setting.custom_currency_symbol"]
            return dollar * Fraction(rate), symbol
    return dollar, "USD"


class Shown:
    """What the home shows of amounts, in raw units."""

    def __init__(self, home: Home, recording: Recording) -> None:
        """Look at the sensors of a recorded site."""
        self._home = home
        self._per_raw, self._unit = per_raw(recording)

    def amount(self, sensor: str) -> Fraction:
        """Return an amount, which is in the unit of the site."""
        assert self._home.attributes(sensor)["unit_of_measurement"] == self._unit
        return Fraction(self._home.state(sensor)) / self._per_raw

    def raw(self, amount: float) -> int:
        """Return what an amount among attributes is."""
        return round(Fraction(amount) / self._per_raw)


async def opened(
    home: Home,
    clock: FrozenDateTimeFactory,
    recording: Recording,
    zone: str,
    **options: Any,
) -> Shown:
    """Add the account and its key at the moment of the recording."""
    clock.move_to(datetime.fromtimestamp(recording.recorded_at, UTC))
    await home.hass.config.async_set_time_zone(zone)
    site = await home.serve_recorded(recording.server, recording.site)
    await home.add(site, key=KEY, user="alice", key_devices="none", **options)
    # What was before today comes as soon as the site has room for it.
    await home.poll()
    return Shown(home, recording)


def since(home: Home, sensor: str) -> datetime:
    """Return from when on a sensor has counted."""
    counted_since = home.attributes(sensor)["counted_since"]
    assert isinstance(counted_since, datetime)
    return counted_since


@pytest.mark.parametrize("server", SITES)
def test_minutes_of_requests(server: str) -> None:
    """Requests were made early in their hours, on which `Truth.rows` relies."""
    logged = recorded(server, "/api/log/self?p=0&page_size=5&type=2")
    rows = logged
    if isinstance(logged, dict):
        # One Hub has another name for them.
        rows = logged["data" if server == "one_hub" else "items"]
    assert rows
    assert all(row["created_at"] % 3_600 < 1_800 for row in rows)


@everywhere
async def test_spending(
    home: Home, clock: FrozenDateTimeFactory, server: str, site: str, zone: str
) -> None:
    """What was spent is right to the unit, or not shown."""
    recording = load(server, site)
    truth = Truth(recording, zone)
    shown = await opened(home, clock, recording, zone)
    check_account(home, shown, truth)
    check_models(home, shown, truth)
    check_key(home, shown, truth)


def check_account(home: Home, shown: Shown, truth: Truth) -> None:
    """Check today, yesterday, this month and a day of the last week."""
    today, day = truth.today, timedelta(days=1)
    first = today.replace(day=1)
    expected = {
        "spent_today": truth.spent_today,
        "spent_yesterday": truth.spent(today - day, today),
        "spent_this_month": truth.spent_this_month,
    }
    found = {name: shown.amount(f"{ACCOUNT}_{name}") for name in expected}
    sys.stdout.write(f"{truth.recording} {truth.zone}: {expected} {found}\n")
    assert found == expected
    assert min(expected.values()) > 0
    week = truth.spent(today - 7 * day, today)
    average = shown.amount(f"{ACCOUNT}_average_per_day_7_days")
    assert abs(average - Fraction(week, 7)) <= Fraction(1, 2)
    begins = {
        "spent_today": today,
        "spent_yesterday": today - day,
        "spent_this_month": first,
        "average_per_day_7_days": today - 7 * day,
    }
    for name, begun in begins.items():
        assert since(home, f"{ACCOUNT}_{name}") == truth.midnight(begun)
        assert home.attributes(f"{ACCOUNT}_{name}")["estimate"] is False


def tells_today(truth: Truth) -> bool:
    """Tell whether the site can say what was used today, by the days of the home."""
    match truth.recording.server:
        case "one_api":
            # It knows its own days, which are those of UTC.
            return truth.zone == "UTC"
        case "one_hub":
            # It fills its days in from time to time, and had not when it was recorded.
            return False
    keeps_hours = truth.recording.options["DataExportEnabled"] == "true"
    return keeps_hours and truth.midnight(truth.today).astimezone(UTC).minute == 0


def check_models(home: Home, shown: Shown, truth: Truth) -> None:
    """Check what models have cost today, and what was asked of them."""
    model = f"{ACCOUNT}_most_expensive_model_today"
    requests, tokens = f"{ACCOUNT}_requests_today", f"{ACCOUNT}_tokens_today"
    if not tells_today(truth):
        for sensor in (model, tokens):
            assert home.state(sensor) == "unknown"
        # Nobody has asked for anything since the home was there.
        assert home.state(requests) == "0"
        assert since(home, requests) == truth.now
        return
    expected = truth.of_today("quota")
    costs = {
        name: shown.raw(amount)
        for name, amount in home.attributes(model)["models"].items()
    }
    assert costs == expected
    assert list(costs) == [name for name, _ in expected.most_common()]
    assert home.state(model) == expected.most_common(1)[0][0]
    for sensor, what in ((requests, "count"), (tokens, "tokens")):
        assert home.state(sensor) == str(truth.of_today(what).total())
        assert since(home, sensor) == truth.midnight(truth.today)


def check_key(home: Home, shown: Shown, truth: Truth) -> None:
    """Check what the key has spent, and that it says of what time that is."""
    by_site = tells_today(truth) and truth.recording.server in NEWER
    for name, expected, begun in (
        ("spent_today", truth.spent_today, truth.today),
        ("spent_this_month", truth.spent_this_month, truth.today.replace(day=1)),
    ):
        sensor = f"{KEY}_{name}"
        if by_site:
            # All that alice has spent, she has spent with this key.
            assert shown.amount(sensor) == expected
            assert since(home, sensor) == truth.midnight(begun)
        else:
            assert shown.amount(sensor) == 0
            assert since(home, sensor) == truth.now


def recorded(server: str, path: str) -> Any:
    """Return what a server was recorded to tell alice."""
    exchange = load(server, "usd").find(f"account alice {path}")
    return exchange.json()["data"]


@pytest.mark.parametrize(
    ("server", "site"), [each for each in CARRIED if each[0] in NEWER]
)
async def test_plans(
    home: Home, clock: FrozenDateTimeFactory, server: str, site: str
) -> None:
    """The plans that are active are there, with their figures and times."""
    recording = load(server, site)
    shown = await opened(home, clock, recording, "Europe/Berlin")
    told = recorded(server, "/api/subscription/self")["subscriptions"]
    plans = [each["subscription"] for each in told]
    assert [plan["amount_total"] for plan in plans] == [10_000_000, 0]
    for plan, suffix in zip(plans, ("", "_2"), strict=True):
        total, used = plan["amount_total"], plan["amount_used"]
        assert shown.amount(f"plan_1_used{suffix}") == used
        remaining = f"plan_1_remaining{suffix}"
        assert home.attributes(remaining)["unlimited"] is not bool(total)
        if total:
            assert shown.amount(f"plan_1_total{suffix}") == total
            assert shown.amount(remaining) == total - used
        else:
            assert home.state(f"plan_1_total{suffix}") == "unknown"
            assert home.state(remaining) == "unknown"
        for name, at in (("next_reset", "next_reset_time"), ("ends", "end_time")):
            # The plans of every site begin when it is recorded.
            later = recording.recorded_at - load(server, "usd").recorded_at
            assert home.state(f"plan_1_{name}{suffix}") == (
                datetime.fromtimestamp(plan[at] + later, UTC).isoformat()
                if plan[at]
                else "unknown"
            )


@pytest.mark.parametrize(
    ("server", "site"), [each for each in CARRIED if each[0] not in NEWER]
)
async def test_no_plans(
    home: Home, clock: FrozenDateTimeFactory, server: str, site: str
) -> None:
    """Where a site knows no plans, payments and rewards, none are shown."""
    await opened(home, clock, load(server, site), "UTC")
    assert not [name for name in home.device_names() if name and "lan" in name]
    for platform, what in (
        ("sensor", "pending_top_ups"),
        ("binary_sensor", "check_in_available"),
    ):
        assert home.hass.states.get(f"{platform}.{ACCOUNT}_{what}") is None


@pytest.mark.parametrize(
    ("server", "site"), [each for each in CARRIED if each[0] in NEWER]
)
async def test_check_in_and_payments(
    home: Home, clock: FrozenDateTimeFactory, server: str, site: str
) -> None:
    """The reward of the day and what is still to be paid are as the site tells."""
    recording = load(server, site)
    shown = await opened(home, clock, recording, "UTC")
    payments = recorded(server, "/api/user/topup/self?p=1&page_size=10")["items"]
    pending = sum(payment["status"] == "pending" for payment in payments)
    assert home.state(f"{ACCOUNT}_pending_top_ups") == str(pending)
    check_in = home.hass.states.get(f"binary_sensor.{ACCOUNT}_check_in_available")
    if recording.options["checkin_setting.enabled"] == "false":
        assert check_in is None
        return
    assert check_in is not None
    told = recorded(server, "/api/user/checkin?month=2026-11")
    assert told["stats"]["checked_in_today"] is False
    assert check_in.state == "on"
    for name, quota in (
        ("smallest_reward", told["min_quota"]),
        ("largest_reward", told["max_quota"]),
    ):
        assert shown.raw(check_in.attributes[name]) == quota


@pytest.mark.parametrize(("server", "site"), CARRIED)
async def test_referral_reward(
    home: Home, clock: FrozenDateTimeFactory, server: str, site: str
) -> None:
    """The reward that waits is right once somebody wants to see it."""
    recording = load(server, site)
    shown = await opened(home, clock, recording, "UTC")
    reward = f"{ACCOUNT}_referral_reward_waiting"
    await home.enable(reward)
    if recording.family == "one_api":
        # It does not tell.
        assert home.state(reward) == "unknown"
    else:
        assert shown.amount(reward) == recording.truth.users["alice"]["aff_quota"]


@pytest.mark.parametrize("server", SITES)
async def test_group(home: Home, clock: FrozenDateTimeFactory, server: str) -> None:
    """So are the group of the account and what it pays, where the site tells."""
    recording = load(server, "usd")
    await opened(home, clock, recording, "UTC")
    for name in ("group", "group_ratio"):
        await home.enable(f"{ACCOUNT}_{name}")
    # An hour later it was asked for.
    await home.poll(14)
    group = recording.truth.users["alice"]["group"]
    assert home.state(f"{ACCOUNT}_group") == group
    expected = "unknown"
    if recording.family == "new_api":
        expected = str(recorded(server, "/api/user/self/groups")[group]["ratio"])
    assert home.state(f"{ACCOUNT}_group_ratio") == expected
