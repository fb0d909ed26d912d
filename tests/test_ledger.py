"""What a counter that only tells its total says about days and hours."""

from collections.abc import Sequence
from datetime import UTC, datetime
import json
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.new_api.ledger import Ledger

DAY: Final = 86_400
HOUR: Final = 3_600
MINUTE: Final = 60

# Monday, 23 November 2026, 0:00 UTC.
MONDAY: Final = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())

# More than a server can keep, in readings up to an outage of two months apart.
COUNTERS: Final = st.integers(0, 2**63)
WAITS: Final = st.integers(1, 60 * DAY * 1000).map(lambda wait: wait / 1000)
READINGS: Final = st.lists(st.tuples(WAITS, COUNTERS), min_size=2, max_size=30)


def at(clock: str, day: int = 0) -> int:
    """Return a time of that Monday or of a day after it, in Unix seconds."""
    hour, minute = clock.split(":")
    return MONDAY + day * DAY + int(hour) * HOUR + int(minute) * MINUTE


def read(*readings: tuple[float, int]) -> Ledger:
    """Return a ledger with these readings, each a time and what the counter said."""
    ledger = Ledger()
    for when, counter in readings:
        ledger.read(counter, when)
    return ledger


def timed(readings: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """Return readings with times instead of waits."""
    when = float(MONDAY)
    result = []
    for wait, counter in readings:
        when += wait
        result.append((when, counter))
    return result


def amount(ledger: Ledger, start: float, end: float) -> int:
    """Return what was spent in a period of which all is known for sure."""
    spending = ledger.spent(start, end)
    assert spending.since == start
    assert not spending.is_estimate
    return spending.amount


def reloaded(ledger: Ledger) -> Ledger:
    """Return a ledger after a restart."""
    return Ledger.from_dict(json.loads(json.dumps(ledger.as_dict())))


# Days


def test_today_and_yesterday() -> None:
    """What was spent before midnight is yesterday's."""
    ledger = read(
        (at("0:00"), 1_000),
        (at("12:00"), 1_000),
        (at("12:05"), 1_400),
        (at("23:55"), 1_400),
        (at("0:00", day=1), 1_450),
        (at("0:05", day=1), 1_520),
    )

    assert amount(ledger, at("0:00"), at("0:00", day=1)) == 450
    assert amount(ledger, at("0:00", day=1), at("0:00", day=2)) == 70


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Eucla", "Asia/Kolkata"])
def test_midnight_that_is_not_on_an_hour(zone: str) -> None:
    """The day of a person begins when it does where they live."""
    midnight = datetime(2026, 11, 24, tzinfo=ZoneInfo(zone)).timestamp()
    ledger = read(
        (midnight - DAY, 0),
        (midnight - 300, 0),
        (midnight, 500),
        (midnight + 300, 530),
    )

    assert amount(ledger, midnight - DAY, midnight) == 500
    assert amount(ledger, midnight, midnight + DAY) == 30


def test_reading_across_midnight() -> None:
    """What was spent around midnight is divided by time."""
    ledger = read((at("0:00"), 0), (at("23:58"), 0), (at("0:03", day=1), 1_000))

    assert amount(ledger, at("0:00"), at("0:00", day=1)) == 400
    assert amount(ledger, at("0:00", day=1), at("0:00", day=2)) == 600


def test_hours() -> None:
    """The forecast sees what each hour has cost, and no quiet ones."""
    ledger = read(
        (at("8:00"), 0),
        (at("8:50"), 0),
        (at("8:55"), 100),
        (at("9:05"), 150),
        (at("9:10"), 180),
        (at("11:00"), 180),
        (at("11:10"), 187),
    )

    assert ledger.since == at("8:00")
    assert ledger.by_hour(at("8:00")) == {
        at("8:00"): 125,
        at("9:00"): 55,
        at("11:00"): 7,
    }
    assert ledger.by_hour(at("9:00")) == {at("9:00"): 55, at("11:00"): 7}


# What is known


def test_nothing_read() -> None:
    """Without a reading nothing is known, which is not 0."""
    assert Ledger().spent(at("0:00"), at("12:00")).since is None
    assert Ledger().since is None
    assert Ledger().by_hour(at("0:00")) == {}


def test_first_day() -> None:
    """What was spent before the first reading is not known."""
    ledger = read((at("9:00"), 70_000), (at("9:05"), 70_010))

    spending = ledger.spent(at("0:00"), at("0:00", day=1))
    assert (spending.amount, spending.since) == (10, at("9:00"))
    assert ledger.spent(at("0:00", day=-1), at("0:00")).since is None


def test_month_that_is_forgotten() -> None:
    """After 40 days a ledger does not claim to know."""
    ledger = read((at("0:00"), 0), (at("0:05"), 10))
    for day in range(50):
        ledger.read(20, at("12:00", day))

    spending = ledger.spent(at("0:00"), at("0:00", day=50))
    assert spending.amount == 0
    assert spending.since == at("12:00", day=9)


# Outages


def test_outage_within_a_day() -> None:
    """Nobody knows the hours, but the day is right."""
    ledger = read((at("0:00"), 0), (at("10:00"), 0), (at("14:00"), 8_000))

    assert amount(ledger, at("0:00"), at("0:00", day=1)) == 8_000
    assert ledger.by_hour(at("0:00")) == dict.fromkeys(
        range(at("10:00"), at("14:00"), HOUR), 2_000
    )
    assert ledger.spent(at("0:00"), at("12:00")).is_estimate
    assert ledger.spent(at("12:00"), at("0:00", day=1)).is_estimate


def test_outage_over_a_night() -> None:
    """What was spent meanwhile is booked on both days, and said to be an estimate."""
    ledger = read((at("0:00"), 0), (at("18:00"), 0), (at("12:00", day=1), 1_800))

    yesterday = ledger.spent(at("0:00"), at("0:00", day=1))
    today = ledger.spent(at("0:00", day=1), at("0:00", day=2))
    assert (yesterday.amount, yesterday.is_estimate) == (600, True)
    assert (today.amount, today.is_estimate) == (1_200, True)
    assert amount(ledger, at("0:00"), at("0:00", day=2)) == 1_800


def test_outage_that_ends_at_midnight() -> None:
    """What was spent before a reading at midnight was spent before midnight."""
    ledger = read((at("0:00"), 0), (at("18:00"), 0), (at("0:00", day=1), 900))

    assert amount(ledger, at("0:00"), at("0:00", day=1)) == 900


def test_outage_without_spending() -> None:
    """Where the counter stood still, all is known."""
    ledger = read(
        (at("0:00"), 0), (at("18:00"), 5), (at("12:00", day=1), 5), (at("13:00", 1), 9)
    )

    assert amount(ledger, at("0:00", day=1), at("0:00", day=2)) == 4


def test_outage_is_remembered() -> None:
    """Readings after an outage, and a restart, do not make it certain."""
    ledger = read((at("0:00"), 0), (at("18:00"), 0), (at("12:00", day=1), 1_800))
    for minute in range(1, 300):
        ledger.read(1_800 + minute, at("12:00", day=1) + minute * MINUTE)
    ledger = reloaded(ledger)

    assert ledger.spent(at("0:00", day=1), at("0:00", day=2)).is_estimate


def test_read_once_an_hour() -> None:
    """Who reads so seldom never knows what was spent before midnight, for weeks."""
    ledger = Ledger()
    for hour in range(41 * 24):
        ledger.read(hour * 100, MONDAY + hour * HOUR + 20 * MINUTE)

    assert all(
        ledger.spent(at("0:00", day), at("0:00", day + 1)).is_estimate
        for day in range(11, 41)
    )


# Falls


def test_reservation_that_is_settled() -> None:
    """What was reserved and given back was not spent (gateway_api.md 3.5)."""
    ledger = read((at("9:00"), 0), (at("9:05"), 5_000), (at("9:10"), 300))

    assert amount(ledger, at("9:00"), at("10:00")) == 300


def test_reservation_over_an_outage() -> None:
    """It is given back where it was booked, however long that took."""
    ledger = read(
        (at("0:00"), 0),
        (at("0:15"), 1_000),
        (at("12:00", day=2), 43_000),
        (at("12:05", day=2), 1_500),
    )

    assert amount(ledger, at("0:00"), at("0:00", day=3)) == 1_500
    assert ledger.by_hour(at("1:00", day=1)) == {}


def test_refund_of_something_older() -> None:
    """A refund that lowers the counter is believed when it has stood for a while."""
    ledger = read((at("9:00"), 0), (at("9:05"), 5_000), (at("12:00"), 5_000))

    for minute in range(5, 40, 5):
        ledger.read(2_000, at("12:00") + minute * MINUTE)

    assert amount(ledger, at("0:00", day=0) + 9 * HOUR, at("0:00", day=1)) == 2_000


def test_spending_while_a_fall_is_in_doubt() -> None:
    """What was spent meanwhile is not lost."""
    ledger = read((at("9:00"), 0), (at("9:05"), 5_000), (at("12:00"), 5_000))

    for minute in range(5, 40, 5):
        ledger.read(2_000 + minute, at("12:00") + minute * MINUTE)

    assert amount(ledger, at("9:00"), at("0:00", day=1)) == 2_035
    assert amount(ledger, at("12:00"), at("0:00", day=1)) == 30


def test_counter_that_is_set_anew() -> None:
    """What was spent before stands, and counting goes on."""
    ledger = read((at("0:00"), 800_000), (at("9:00"), 800_100))

    for minute in range(0, 65, 5):
        ledger.read(minute, at("10:00") + minute * MINUTE)

    assert amount(ledger, at("0:00"), at("0:00", day=1)) == 160


@pytest.mark.parametrize("stays", [1, 4])
@pytest.mark.parametrize("other", [0, 17, 3_000_000, 77_000_000])
def test_figures_of_another_account(other: int, stays: int) -> None:
    """A mix-up in a cache leaves nothing behind, wherever the spending was."""
    ledger = read(
        (at("0:00"), 0),
        (at("12:00"), 4_000_000),
        (at("0:00", day=1), 4_500_000),
        (at("8:00", day=1), 5_000_000),
    )
    before = ledger.by_hour(at("0:00"))

    for turn in range(1, stays + 1):
        ledger.read(other, at("8:00", day=1) + turn * 5 * MINUTE)
    ledger.read(5_000_000, at("8:25", day=1))

    assert ledger.by_hour(at("0:00")) == before


def test_figures_of_another_account_after_an_outage() -> None:
    """A rise that was spread over days goes as it came, at once."""
    ledger = read((at("0:00"), 0), (at("0:20"), 700), (at("7:00"), 900))
    before = ledger.by_hour(at("0:00"))

    ledger.read(987_654_321, at("8:00", day=9))
    ledger.read(900, at("8:05", day=9))

    assert ledger.by_hour(at("0:00")) == before


def test_figures_of_another_account_for_hours() -> None:
    """When the right ones have been back for a while, the day is right."""
    ledger = read((at("0:00"), 0), (at("8:00"), 900))
    for hours in range(3):
        ledger.read(77_000_000, at("8:05") + hours * HOUR)

    for minute in range(0, 35, 5):
        ledger.read(900 + minute, at("12:00") + minute * MINUTE)

    assert amount(ledger, at("0:00"), at("0:00", day=1)) == 930


# Always


@given(READINGS)
def test_divided_to_the_unit(readings: list[tuple[float, int]]) -> None:
    """All parts of what was spent sum up to what the counter says."""
    first, last, *_ = timed(readings)
    first_counter, last_counter = sorted((first[1], last[1]))
    when = last[0] - min(last[0] - first[0], 39 * DAY)
    ledger = read((when, first_counter), (last[0], last_counter))

    bound = int(last[0]) // 900 * 900 + 900
    parts = [
        ledger.spent(bound - (count + 1) * DAY, bound - count * DAY).amount
        for count in range(40)
    ]
    assert sum(parts) == last_counter - first_counter
    assert min(parts) >= 0
    assert sum(ledger.by_hour(0).values()) == last_counter - first_counter


@given(st.lists(st.integers(0, 5_000), min_size=2, max_size=200), st.booleans())
def test_sum_is_what_the_counter_says(counters: list[int], is_restarted: bool) -> None:
    """A counter that rises and falls within the hour is followed to the unit."""
    ledger = read((at("0:00"), 0), (at("0:01"), 5_000))
    for turn, counter in enumerate(counters):
        if is_restarted:
            ledger = reloaded(ledger)
        ledger.read(counter, at("0:01") + (turn + 1) * 18)

    assert amount(ledger, at("0:00"), at("2:00")) == counters[-1]


def test_half_a_year_without_a_reading() -> None:
    """What is kept is of no use any more: all begins anew."""
    ledger = read((at("9:00"), 0), (at("9:05"), 5), (at("9:00", day=180), 7_000))
    ledger.read(7_100, at("9:05", day=180))

    spending = ledger.spent(at("0:00", day=150), at("0:00", day=181))
    assert (spending.amount, spending.since) == (100, at("9:00", day=180))


@given(READINGS)
def test_never_negative(readings: list[tuple[float, int]]) -> None:
    """No period has less than nothing, whatever a server says."""
    times = timed(readings)
    ledger = Ledger()
    for when, counter in times:
        ledger.read(counter, when)

        assert ledger.spent(0, when).amount >= 0
        assert all(part > 0 for part in ledger.by_hour(0).values())


@given(READINGS, st.data())
def test_same_reading_again(
    readings: list[tuple[float, int]], data: st.DataObject
) -> None:
    """A reading that comes twice, or a little late, changes nothing."""
    times = timed(readings)
    ledger = read(*times)
    before = ledger.as_dict()

    late = [reading for reading in times if times[-1][0] - reading[0] < 1_800]
    for when, counter in data.draw(st.lists(st.sampled_from(late))):
        assert not ledger.read(counter, when)

    assert ledger.as_dict() == before


def test_clock_was_wrong() -> None:
    """A clock that was far ahead for a moment stops nothing when it is right again."""
    ledger = read((MONDAY, 100), (MONDAY + 60 * DAY, 150))
    assert ledger.read(160, MONDAY + 300)
    ledger.read(170, MONDAY + 600)
    assert ledger.spent(MONDAY, MONDAY + DAY).amount == 10


@given(READINGS, READINGS)
def test_restart_changes_nothing(
    before: list[tuple[float, int]], after: list[tuple[float, int]]
) -> None:
    """A ledger goes on after a restart as if there had been none."""
    times = timed([*before, *after])
    whole = read(*times)
    ledger = reloaded(read(*times[: len(before)]))
    for when, counter in times[len(before) :]:
        ledger.read(counter, when)

    assert ledger.as_dict() == whole.as_dict()
    assert ledger.since == whole.since
    assert ledger.by_hour(0) == whole.by_hour(0)


@given(READINGS, st.integers(0, 2**63), st.floats(301, 39 * DAY))
def test_absurd_reading_leaves_nothing_behind(
    readings: list[tuple[float, int]], absurd: int, outage: float
) -> None:
    """Another account's counter is forgotten when the right one is back."""
    times = timed(readings)
    ledger = read(*times)
    when, counter = times[-1]
    # Whatever was in doubt is settled.
    for _turn in range(20):
        when += 300
        ledger.read(counter, when)
    # What is not forgotten meanwhile.
    start = int(when + outage) // HOUR * HOUR - 39 * DAY
    before = ledger.by_hour(start)

    ledger.read(absurd, when + outage)
    ledger.read(counter, when + outage + 300)

    assert ledger.by_hour(start) == before


# What is kept


def test_kept_in_little_space() -> None:
    """A hundred keys used all day, every day, for 40 days take no 7 MB."""
    ledger = Ledger()
    for turn in range(40 * 288):
        ledger.read(turn * 1_000, MONDAY + turn * 300)

    assert len(json.dumps(ledger.as_dict())) < 70_000


def test_quiet_key_is_kept_in_less() -> None:
    """Only when something was spent is something kept."""
    ledger = Ledger()
    for turn in range(40 * 288):
        ledger.read(1_000, MONDAY + turn * 300)

    assert len(json.dumps(ledger.as_dict())) < 200


KEPT: Final = read(
    (at("0:00"), 0), (at("8:00"), 900), (at("9:00"), 950), (at("9:05"), 3)
).as_dict()


@pytest.mark.parametrize(
    "damage",
    [
        {"since": None},
        {"since": KEPT["at"] + 1},
        {"at": "soon"},
        {"counter": 1.5},
        {"rise": KEPT["at"] + 1},
        {"spent": [1, 2]},
        {"spent": {"tomorrow": 1}},
        {"spent": {str(KEPT["at"] // 900_000): -1}},
        {"spent": {str(KEPT["at"] // 900_000 + 1): 1}},
        {"spent": {str(KEPT["since"] // 900_000 - 1): 1}},
        {"unsure": {"5": 4}},
        {"unsure": {"5": "6"}},
        {"held": [[KEPT["at"] - 1, 3]]},
        {"held": [[KEPT["at"]]]},
        {"held": 5},
    ],
)
def test_damage_is_noticed(damage: dict[str, object]) -> None:
    """What was kept is not believed when it cannot be true."""
    assert Ledger.from_dict(KEPT).as_dict() == KEPT

    with pytest.raises(ValueError, match="ledger"):
        Ledger.from_dict({**KEPT, **damage})


@pytest.mark.parametrize("missing", KEPT)
def test_missing_part_is_noticed(missing: str) -> None:
    """A ledger is kept as a whole."""
    with pytest.raises(ValueError, match="ledger"):
        Ledger.from_dict({name: KEPT[name] for name in KEPT if name != missing})


def test_ledger_that_was_never_read() -> None:
    """Nothing is kept of nothing."""
    ledger = reloaded(Ledger())
    ledger.read(5, at("9:00"))

    assert ledger.since == at("9:00")
