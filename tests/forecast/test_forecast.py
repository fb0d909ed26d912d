"""The day on which the money runs out is told right, or not at all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Literal
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.new_api.forecast import Allowance, Forecast, forecast

from .backtest import Row, compare_all
from .patterns import DAY, HOUR, PATTERNS

# Lives that nobody looked at when the constants of the forecast were chosen.
HELD_OUT = range(48)

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Shanghai")

# A Wednesday, in summer time.
NOON = datetime(2026, 6, 17, 12, tzinfo=BERLIN)


def always(_local: datetime) -> int:
    """Spend 24 000 a day, evenly."""
    return 1000


def awake(local: datetime) -> int:
    """Spend 16 000 a day, from 8 to 24."""
    return 1000 if local.hour >= 8 else 0


def at_work(local: datetime) -> int:
    """Spend 9000 a day, from 9 to 18, Monday to Friday."""
    return 1000 if local.weekday() < 5 and 9 <= local.hour < 18 else 0


def spending(
    spend: Callable[[datetime], int], now: datetime, days: float = 30
) -> dict[int, int]:
    """Spend for so many days until now, which is a full hour."""
    until = int(now.timestamp())
    hours = {
        at: spend(datetime.fromtimestamp(at, BERLIN))
        for at in range(until - round(days * DAY), until, HOUR)
    }
    return {at: spent for at, spent in hours.items() if spent}


def told(
    balance: int,
    spent: dict[int, int],
    now: datetime = NOON,
    *allowances: Allowance,
    since: float | None = None,
) -> Forecast | None:
    """Forecast in Berlin, with 30 days of history unless it began otherwise."""
    return forecast(
        balance,
        spent,
        since=now.timestamp() - 30 * DAY if since is None else since,
        now=now.timestamp(),
        time_zone=BERLIN,
        allowances=allowances,
    )


def days_left(
    balance: int,
    spent: dict[int, int],
    now: datetime = NOON,
    *allowances: Allowance,
) -> float:
    """Return how many days are left, of a forecast that there has to be."""
    answer = told(balance, spent, now, *allowances)
    assert answer is not None
    assert answer.runs_out == pytest.approx(now.timestamp() + answer.days_left * DAY)
    return answer.days_left


def end(balance: int, spent: dict[int, int], now: datetime) -> datetime:
    """Return when a balance is used, in local time."""
    answer = told(balance, spent, now)
    assert answer is not None
    return datetime.fromtimestamp(answer.runs_out, BERLIN)


# What comes out of habits of which anybody can tell the end.


@pytest.mark.parametrize("days", [0.5, 2, 7, 30, 365])
def test_steady(days: float) -> None:
    """What is spent evenly lasts as long as it takes to divide it."""
    assert days_left(round(24_000 * days), spending(always, NOON)) == pytest.approx(
        days, rel=0.001
    )


def test_weekend() -> None:
    """Half a day's work that is left on Friday evening lasts until Monday."""
    friday = datetime(2026, 6, 19, 18, tzinfo=BERLIN)
    runs_out = end(4500, spending(at_work, friday), friday)
    assert runs_out.date() == friday.date() + timedelta(days=3)
    assert 9 <= runs_out.hour < 18


@pytest.mark.parametrize("days", [0.6, 1.5, 4.5, 20.5])
def test_quiet_night(days: float) -> None:
    """As long as nothing is spent, the end stays where it is."""
    midnight = datetime(2026, 6, 18, tzinfo=BERLIN)
    balance = round(16_000 * days)
    ends = [
        end(balance, spending(awake, now), now).timestamp()
        for now in (midnight + timedelta(hours=hours) for hours in range(9))
    ]
    assert max(ends) - min(ends) < 3 * HOUR


@pytest.mark.parametrize("hours_ago", [1, 5, 30, 100, 600])
def test_single_burst(hours_ago: int) -> None:
    """What was dear once does not make the rest look short."""
    spent = spending(always, NOON)
    spent[int(NOON.timestamp()) - hours_ago * HOUR] += 20 * 24_000
    assert days_left(240_000, spent) == pytest.approx(10, rel=0.05)


def test_bursts_that_come_again() -> None:
    """What is dear every third day is part of the habit."""
    spent = spending(always, NOON)
    for day in range(1, 30, 3):
        spent[int(NOON.timestamp()) - day * DAY] += 48_000
    assert days_left(400_000, spent) == pytest.approx(10, rel=0.1)


def test_new_month() -> None:
    """The first of a month is a day as any other."""
    left = [
        days_left(160_000, spending(awake, now), now)
        for now in (datetime(2026, 7, day, 8, tzinfo=BERLIN) for day in (1, 2, 15))
    ]
    assert left == pytest.approx([10] * 3, rel=0.05)


def test_new_level() -> None:
    """After a week, what was before a price tripled no longer counts."""
    week_ago = NOON - timedelta(days=7)
    spent = spending(lambda local: 3000 if local >= week_ago else 1000, NOON)
    assert days_left(720_000, spent) == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize(
    ("day", "is_summer"), [((2026, 3, 28), False), ((2026, 10, 24), True)]
)
def test_change_of_the_clocks(day: tuple[int, int, int], is_summer: bool) -> None:
    """Who spends at nine in the morning does so by the clock on the wall."""
    now = datetime(*day, 12, tzinfo=BERLIN)
    assert bool(now.dst()) is is_summer
    spent = spending(lambda local: 1000 if local.hour == 9 else 0, now)
    runs_out = end(1500, spent, now)
    assert bool(runs_out.dst()) is not is_summer
    assert (runs_out.date() - now.date()).days == 2
    assert runs_out.hour == 9


def test_pause() -> None:
    """Who was away for five days may be so for as long again, and then is as before."""
    spent = spending(always, NOON - timedelta(days=5), 25)
    assert days_left(240_000, spent) == pytest.approx(10 + 5, abs=1.1)


def test_running_hour() -> None:
    """What was spent in the hour that is not over counts, and for that part only."""
    now = NOON + timedelta(minutes=30)
    spent = spending(always, NOON) | {int(NOON.timestamp()): 500}
    assert days_left(240_000, spent, now) == pytest.approx(10, rel=0.001)


# What nobody can tell.


def test_nothing_spent() -> None:
    """Without spending there is no end, and none is told."""
    assert told(1000, {}) is None
    assert told(1000, dict.fromkeys(spending(always, NOON), 0)) is None


@pytest.mark.parametrize(("hours", "is_told"), [(1, False), (23, False), (25, True)])
def test_too_little_history(hours: int, is_told: bool) -> None:
    """Less than a day tells nothing, whether the account is new or was not used."""
    spent = spending(always, NOON, hours / 24)
    assert (told(240_000, spent) is not None) is is_told
    begun = NOON.timestamp() - hours * HOUR
    assert (told(240_000, spent, since=begun) is not None) is is_told


@pytest.mark.parametrize("hours_ago", [5, 30, 48, 60, 5 * 24, 10 * 24])
@pytest.mark.parametrize("hours", [1, 2, 4])
def test_single_day(hours_ago: int, hours: int) -> None:
    """What was tried out once is no habit."""
    at = int(NOON.timestamp()) - hours_ago * HOUR
    spent = {at + hour * HOUR: 1000 for hour in range(hours)}
    assert told(240_000, spent) is None


@pytest.mark.parametrize(("days", "is_told"), [(10, True), (16, False)])
def test_ceased(days: int, is_told: bool) -> None:
    """Who has spent nothing for two weeks may never do so again."""
    spent = spending(always, NOON - timedelta(days=days), 30 - days)
    assert (told(240_000, spent) is not None) is (is_told)


@pytest.mark.parametrize(("years", "is_told"), [(4.9, True), (5.1, False)])
def test_beyond_any_horizon(years: float, is_told: bool) -> None:
    """What lasts for more than five years has no end to speak of."""
    answer = told(round(24_000 * 365 * years), spending(always, NOON))
    assert (answer is not None) is is_told


@pytest.mark.parametrize("balance", [0, -1, -5_000_000])
@pytest.mark.parametrize("spent", [{}, spending(always, NOON)])
def test_nothing_left(balance: int, spent: dict[int, int]) -> None:
    """Without any money it has run out now, whatever is known."""
    answer = told(balance, spent)
    assert answer is not None
    assert answer.runs_out == NOON.timestamp()
    assert answer.days_left == 0


@pytest.mark.parametrize(("days", "known"), [(3, 3), (12, 12), (30, 30), (60, 30)])
def test_says_from_how_much_history(days: int, known: int) -> None:
    """It speaks from the days with a habit, a month at most."""
    spent = spending(always, NOON, days)
    for since in (NOON.timestamp() - days * DAY, NOON.timestamp() - 90 * DAY):
        answer = told(240_000, spent, since=since)
        assert answer is not None
        assert answer.history_days == pytest.approx(known, abs=0.1)


# Plans that pay first. 24 000 a day are wanted, from NOON on.

DAYS_FROM_NOON = NOON.timestamp()
PLAN = Allowance(
    remaining=0, total=0, next_reset=None, period=None, ends=DAYS_FROM_NOON + 900 * DAY
)
MIDNIGHT = DAYS_FROM_NOON + DAY / 2


@pytest.mark.parametrize(
    ("plans", "left"),
    [
        ([], 10),
        ([PLAN], 10),
        # Three days of quota, once.
        ([replace(PLAN, remaining=72_000, total=99_000)], 13),
        # More than can be used until it ends.
        ([replace(PLAN, remaining=720_000, ends=DAYS_FROM_NOON + 5.5 * DAY)], 15.5),
        # It has ended already.
        ([replace(PLAN, remaining=720_000, ends=DAYS_FROM_NOON - 1)], 10),
        # Unlimited, until it ends.
        (
            [
                replace(
                    PLAN, remaining=None, total=None, ends=DAYS_FROM_NOON + 31.25 * DAY
                )
            ],
            41.25,
        ),
        # Half of each day, from the first midnight on: half a day is paid at once.
        (
            [replace(PLAN, total=12_000, next_reset=MIDNIGHT, period=DAY)],
            20,
        ),
        # As before, and the plan ends after six days, of which it pays half.
        (
            [
                replace(
                    PLAN,
                    remaining=6000,
                    total=12_000,
                    next_reset=MIDNIGHT,
                    period=DAY,
                    ends=MIDNIGHT + 6 * DAY,
                )
            ],
            10 + 0.25 + 3,
        ),
        # A single further reset, to two days of quota.
        ([replace(PLAN, total=48_000, next_reset=MIDNIGHT)], 12),
        # The reset is due, and the server has not come to it yet (gateway_api.md 6.8).
        (
            [
                replace(
                    PLAN, total=168_000, next_reset=DAYS_FROM_NOON - 5, period=7 * DAY
                )
            ],
            None,
        ),
        # What ends first is used first, or it were lost (gateway_api.md 6.8).
        (
            [
                replace(PLAN, remaining=48_000),
                replace(PLAN, remaining=240_000, ends=DAYS_FROM_NOON + DAY),
            ],
            13,
        ),
        # More was used than there was.
        ([replace(PLAN, remaining=-5000, total=48_000)], 10),
    ],
)
def test_plans(plans: list[Allowance], left: float | None) -> None:
    """What a plan pays lasts longer by that."""
    answer = told(240_000, spending(always, NOON), NOON, *plans)
    if left is None:
        assert answer is None or answer.runs_out > plans[0].ends
    else:
        assert answer is not None
        assert answer.days_left == pytest.approx(left, abs=0.55)


@pytest.mark.parametrize("zone", [*ZONES, "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_months_are_those_of_the_calendar(zone: str) -> None:
    """A plan is reset on the 1st, at the midnight of a server that may be anywhere."""
    july = datetime(2026, 7, 1, tzinfo=ZoneInfo(zone))
    plan = replace(PLAN, total=27 * 24_000, next_reset=july.timestamp(), period="month")
    # June, and of 31 days that July and August have, 4 and then two and a half.
    days = (july - NOON) / timedelta(days=1) + 4 + 2.5
    answer = told(round(24_000 * days), spending(always, NOON), NOON, plan)
    assert answer is not None
    expected = datetime(2026, 8, 30, 12, tzinfo=ZoneInfo(zone))
    assert answer.runs_out == pytest.approx(expected.timestamp(), abs=0.55 * DAY)


@pytest.mark.parametrize(
    ("known_until", "ends", "is_told"),
    [
        (MIDNIGHT + 12 * DAY, MIDNIGHT + 90 * DAY, True),
        (MIDNIGHT + 10 * DAY, MIDNIGHT + 90 * DAY, False),
        # It has ended before it could be reset.
        (MIDNIGHT + 10 * DAY, MIDNIGHT + 9 * DAY, True),
    ],
)
def test_unknown_resets(known_until: float, ends: float, is_told: bool) -> None:
    """Nothing is told of a time of which nobody knows what a plan pays then."""
    plan = replace(
        PLAN, total=48_000, next_reset=MIDNIGHT, known_until=known_until, ends=ends
    )
    answer = told(240_000, spending(always, NOON), NOON, plan)
    assert (answer is not None) is is_told
    if answer is not None:
        assert answer.days_left == pytest.approx(12, abs=0.55)


@pytest.mark.parametrize(
    ("balance", "remaining", "left"),
    [
        # What the plans do not pay until then is not spent, and all of it after that.
        (240_000, 0, 20.25 + 10),
        (240_000, 24_000, 20.25 + 10),
        (240_000, 24_000 * 25, 25 + 10),
        # Of nothing, nothing can be spared.
        (0, 0, 0),
        (0, 24_000, 1),
    ],
)
def test_spared(balance: int, remaining: int, left: float) -> None:
    """A balance that is not charged for a while lasts longer by that."""
    answer = forecast(
        balance,
        spending(always, NOON),
        since=NOON.timestamp() - 30 * DAY,
        now=NOON.timestamp(),
        time_zone=BERLIN,
        allowances=[replace(PLAN, remaining=remaining, total=remaining)],
        spared_until=DAYS_FROM_NOON + 20.25 * DAY,
    )
    assert answer is not None
    assert answer.days_left == pytest.approx(left, abs=0.55)


@pytest.mark.parametrize("minutes", [0, 30])
def test_plan_is_not_saved_up(minutes: int) -> None:
    """What a plan has over at the weekend is gone at the next reset."""
    # From Thursday on it pays 6000 of the 9000 of a day at work.
    reset = MIDNIGHT + minutes * 60
    plan = replace(PLAN, total=6000, next_reset=reset, period=DAY)
    # The rest of Wednesday, seven days at work, and a half of what Monday takes.
    left = days_left(6000 + 7 * 3000 + 1500, spending(at_work, NOON), NOON, plan)
    runs_out = datetime(2026, 6, 29, 16, 30, tzinfo=BERLIN)
    assert abs(NOON + timedelta(days=left) - runs_out) < timedelta(hours=3)


def test_plan_without_any_money() -> None:
    """An empty wallet has run out when the plan has, not now."""
    spent = spending(always, NOON)
    plan = replace(PLAN, remaining=48_000)
    assert days_left(0, spent, NOON, plan) == pytest.approx(2, abs=0.01)
    assert told(0, {}, NOON, plan) is None
    assert days_left(0, spent, NOON, replace(plan, remaining=0)) == 0


def test_plan_that_is_due_without_any_money() -> None:
    """A wallet has not run out while a reset is due (gateway_api.md 6.8)."""
    plan = replace(PLAN, total=48_000, next_reset=DAYS_FROM_NOON - 5)
    left = days_left(0, spending(always, NOON), NOON, plan)
    assert left == pytest.approx(2, abs=0.01)


# What holds for whatever was spent.


@st.composite
def pasts(draw: st.DrawFn) -> tuple[dict[int, int], float, str]:
    """Make up what was spent until when, and where."""
    moment = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31))  # noqa: DTZ001
    now = draw(moment).replace(tzinfo=UTC).timestamp()
    rows = draw(
        st.lists(
            st.integers(0, 3).map(lambda power: 0 if power == 0 else 37 * 40**power),
            min_size=1,
            max_size=60,
        )
    )
    width = draw(st.sampled_from([1, 5, 12, 24]))
    hour = int(now) // HOUR * HOUR
    spent = {hour - width * HOUR * ago: raw for ago, raw in enumerate(rows)}
    return spent, now, draw(st.sampled_from(ZONES))


def ends_at(
    balance: int,
    past: tuple[dict[int, int], float, str],
    *allowances: Allowance,
) -> float | None:
    """Return when a balance is used after such a past."""
    spent, now, zone = past
    answer = forecast(
        balance,
        spent,
        since=now - 30 * DAY,
        now=now,
        time_zone=ZoneInfo(zone),
        allowances=allowances,
    )
    if answer is None:
        return None
    assert answer.runs_out >= now
    assert answer.days_left >= 0
    assert 0 <= answer.history_days <= 30
    return answer.runs_out


AMOUNTS = st.integers(0, 10**9)


@given(pasts(), AMOUNTS, AMOUNTS)
def test_top_up_only_lengthens(
    past: tuple[dict[int, int], float, str], balance: int, top_up: int
) -> None:
    """More money is never used earlier."""
    before = ends_at(balance, past)
    after = ends_at(balance + top_up, past)
    # That far away nothing is told, and of a past that tells nothing only an empty
    # account has an end.
    if after is not None:
        assert before is not None
        assert after >= before


@given(pasts(), AMOUNTS, st.integers(2, 1000))
def test_free_of_scale(
    past: tuple[dict[int, int], float, str], balance: int, factor: int
) -> None:
    """It makes no difference in which unit a site counts."""
    spent, now, zone = past
    scaled = {at: raw * factor for at, raw in spent.items()}, now, zone
    end = ends_at(balance, past)
    other = ends_at(balance * factor, scaled)
    assert other == (None if end is None else pytest.approx(end, abs=60))


@given(
    pasts(),
    AMOUNTS,
    st.lists(
        st.builds(
            lambda remaining, total, reset, period, length: (
                remaining,
                total,
                reset,
                period,
                length,
            ),
            st.none() | AMOUNTS,
            AMOUNTS,
            st.none() | st.floats(-1, 40),
            st.none() | st.sampled_from([0.01, 1, 7, 30, "month"]),
            st.floats(-1, 400),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_plans_only_lengthen(
    past: tuple[dict[int, int], float, str],
    balance: int,
    plans: list[
        tuple[int | None, int, float | None, float | Literal["month"] | None, float]
    ],
) -> None:
    """With a plan, the wallet is never used earlier."""
    now = past[1]
    allowances = [
        Allowance(
            remaining=remaining,
            total=None if remaining is None else total,
            next_reset=None if reset is None else now + reset * DAY,
            period=period * DAY if isinstance(period, (int, float)) else period,
            ends=now + length * DAY,
        )
        for remaining, total, reset, period, length in plans
    ]
    without = ends_at(balance, past)
    with_plans = ends_at(balance, past, *allowances)
    if with_plans is not None:
        assert without is not None
        assert with_plans >= without


# The back-test: made-up lives, and what came after.


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Forecast all lives, by our method and by the usual rule of thumb."""
    return compare_all(HELD_OUT)


def test_better_than_the_mean_of_a_week(rows: list[Row]) -> None:
    """In the median over all patterns, both errors are smaller by a tenth at least."""
    assert len(rows) == len(PATTERNS)
    assert median(row.robust for row in rows) < 0.9
    assert median(row.relative for row in rows) < 0.9


def test_nowhere_much_worse_than_the_mean_of_a_week(rows: list[Row]) -> None:
    """On no pattern the error is more than 1.1 times as large."""
    assert {row.pattern: row.robust for row in rows if row.robust > 1.1} == {}


def test_known_where_the_mean_of_a_week_is(rows: list[Row]) -> None:
    """It is not better by being silent."""
    assert all(row.ours.known >= row.baseline.known for row in rows)
