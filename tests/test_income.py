"""Which changes of an account are money that came in."""

from copy import deepcopy
from dataclasses import dataclass, field
import json
from typing import Any, Final

from hypothesis import given, strategies as st
import pytest

from custom_components.new_api.income import Gain, IncomeWatch

MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400

NOON: Final = 1_795_435_200
"""Monday, 23 November 2026, 12:00 UTC."""

POLL: Final = 5 * MINUTE

AMOUNTS: Final = st.integers(1, 2**40)


@dataclass
class Account:
    """An account as its owner sees it, read every five minutes."""

    balance: int = 45_000_000
    used: int = 101_000_000
    plan_pays: bool = False
    now: float = NOON
    watch: IncomeWatch = field(default_factory=IncomeWatch)
    gains: list[Gain] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Be read for a while."""
        self.rest()

    def poll(self, after: float = POLL) -> None:
        """Be read once, and have a gain told."""
        self.now += after
        gain = self.watch.read(
            self.balance, self.used, self.now, plan_pays=self.plan_pays
        )
        if gain is not None:
            self.gains.append(gain)
            self.watch.settle(gain)

    def rest(self, times: int = 4) -> None:
        """Be read without being used."""
        for _ in range(times):
            self.poll()

    def spend(self, quota: int) -> None:
        """Pay for a request."""
        self.balance -= quota
        self.used += quota

    def restart(self) -> None:
        """Restart Home Assistant."""
        self.watch = IncomeWatch.from_dict(json.loads(json.dumps(self.watch.as_dict())))

    @property
    def amounts(self) -> list[int | None]:
        """Return what has come in, None where that is not certain."""
        return [gain.amount if gain.is_certain else None for gain in self.gains]


# Money that comes in


@given(AMOUNTS)
def test_top_up(amount: int) -> None:
    """A top-up of any size is told once, to the unit."""
    account = Account()
    before = account.now

    account.balance += amount
    account.rest(20)

    assert account.gains == [Gain(amount, 45_000_000 + amount, before, amount)]


@given(AMOUNTS, st.lists(st.integers(0, 10**6), max_size=20))
def test_top_up_while_in_use(amount: int, spent: list[int]) -> None:
    """What is spent in the same minutes does not make it smaller."""
    account = Account()

    account.balance += amount
    for quota in spent:
        account.spend(quota)
        account.poll()
    account.rest(20)

    assert account.amounts == [amount]


@given(st.lists(AMOUNTS, min_size=1, max_size=5), st.integers(0, 2**41), st.booleans())
def test_outage(amounts: list[int], spent: int, is_restarted: bool) -> None:
    """What came in while nothing was read is told when it is over."""
    account = Account()
    before = account.now

    if is_restarted:
        account.restart()
    account.balance += sum(amounts)
    account.spend(spent)
    account.poll(after=3 * DAY)
    account.rest(20)

    more = sum(amounts) - spent
    assert account.gains == [Gain(sum(amounts), account.balance, before, more)]


def test_quarter_of_an_hour() -> None:
    """It is told when it has stood for as long as hardly any request takes."""
    account = Account()
    account.balance += 500

    account.rest(3)
    assert account.amounts == []

    account.poll()
    assert account.amounts == [500]


@pytest.mark.parametrize("reserved", [2_000, 25_000_000, 40_000_000])
def test_request_begun_with_the_top_up(reserved: int) -> None:
    """The amount is right, however much the person begins with at once."""
    account = Account()
    account.balance += 25_000_000 - reserved
    account.rest(3)
    account.balance += reserved
    account.spend(1_500)
    account.rest()

    assert account.amounts == [25_000_000]


def test_account_that_never_rests() -> None:
    """A top-up is told too where every reading finds something spent."""
    account = Account()
    account.balance += 25_000_000

    for quota in (70_000, 1_000, 33_000, 512, 90_000):
        account.spend(quota)
        account.poll()

    assert account.amounts == [25_000_000]


def test_one_after_the_other() -> None:
    """Each top-up is told with its own amount and the balance after it."""
    account = Account()
    for amount in (500, 20, 500):
        account.balance += amount
        account.rest()

    assert account.amounts == [500, 20, 500]
    assert [gain.balance for gain in account.gains] == [
        45_000_500,
        45_000_520,
        45_001_020,
    ]


def test_account_in_debt() -> None:
    """A balance below zero is one (gateway_api.md 3.4)."""
    account = Account(balance=-700)

    account.balance += 500
    account.rest()

    assert account.gains == [Gain(500, -200, account.now - 4 * POLL, 500)]


def test_gain_that_is_not_settled() -> None:
    """It is not lost, but found again with the next reading, with what came since."""
    watch = IncomeWatch()
    found = [
        watch.read(balance, 0, NOON + turn * POLL, plan_pays=False)
        for turn, balance in enumerate([100] * 4 + [150] * 5 + [170] * 4)
    ]

    since = NOON + 3 * POLL
    told, more = Gain(50, 150, since, 50), Gain(70, 170, since, 70)
    assert found == [None] * 7 + [told] * 2 + [None] * 3 + [more]


def test_settled_gain_over_a_restart() -> None:
    """What was told is not told again."""
    account = Account()
    account.balance += 500
    account.rest()
    account.restart()
    account.rest(20)

    assert account.amounts == [500]


def test_first_readings() -> None:
    """Neither what an account is found with nor a reservation then has come in."""
    watch = IncomeWatch()
    found = [
        watch.read(balance, 0, NOON + turn * POLL, plan_pays=False)
        for turn, balance in enumerate([930] + [1_000] * 9)
    ]

    assert found == [None] * 10


def test_first_readings_while_in_use() -> None:
    """What was reserved when an account was found, and comes back, was not paid in."""
    watch = IncomeWatch()
    found = [
        watch.read(1_000 - turn - reserved, turn, NOON + turn * POLL, plan_pays=False)
        for turn, reserved in enumerate([70] * 8 + [0] * 16)
    ]

    assert found == [None] * 24


def test_top_up_while_a_long_request_is_settled() -> None:
    """What comes back of a reservation makes neither this one nor the next larger."""
    account = Account()
    account.balance -= 1_000
    account.rest()

    account.balance += 1_000
    account.spend(60)
    account.balance += 5_000
    account.rest()
    assert account.amounts == [5_000]

    account.spend(60)
    account.balance += 300
    account.rest()
    assert account.amounts == [5_000, 300]


# Money that does not


@given(st.lists(st.integers(0, 10**9), max_size=50), st.integers(60, 3 * HOUR))
def test_spending(spent: list[int], wait: int) -> None:
    """Spending is no income."""
    account = Account()
    for quota in spent:
        account.spend(quota)
        account.poll(wait)
    account.rest()

    assert account.amounts == []


MOMENTS: Final = st.lists(
    st.tuples(st.integers(0, 4 * HOUR), st.integers(1, 5)), max_size=60
)


@given(
    MOMENTS,
    st.sampled_from([60, 90, 300]),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1),
    st.integers(0, 2),
)
def test_caches_of_different_age(
    moments: list[tuple[int, int]],
    interval: int,
    ages: list[tuple[int, int]],
    top_ups: int,
) -> None:
    """Balance and use of different minutes are no income (gateway_api.md 3.6)."""
    paid = [(HOUR * number, 10**6) for number in range(1, top_ups + 1)]

    def balance(at: int) -> int:
        spent = sum(quota for moment, quota in moments if moment <= at)
        return sum(amount for moment, amount in paid if moment <= at) - spent

    def used(at: int) -> int:
        return sum(quota for moment, quota in moments if moment <= at)

    account = Account(balance=0, used=0)
    start = account.now
    for turn in range(5 * HOUR // interval):
        at = (turn + 1) * interval
        old_balance, old_used = ages[turn % len(ages)]
        account.balance = balance(at - old_balance)
        account.used = used(at - old_used)
        account.poll(start + at - account.now)

    assert sum(gain.amount for gain in account.gains) == 10**6 * top_ups
    assert len(account.amounts) == top_ups


def test_steady_use_behind_a_stale_balance() -> None:
    """A balance that is always a minute older than the use is not a higher one."""
    account = Account()
    for _ in range(100):
        account.spend(5_000)
        account.balance += 5_000
        account.poll()
        account.balance -= 5_000
    account.rest(20)

    assert account.amounts == []


@dataclass(frozen=True)
class Request:
    """A request that is reserved, takes its time and is settled, or fails."""

    start: int
    takes: int
    reserved: int
    costs: int


REQUESTS: Final = st.lists(
    st.builds(
        Request,
        st.integers(0, 40 * MINUTE),
        st.integers(1, 15 * MINUTE),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
    ),
    max_size=12,
)


@given(st.lists(REQUESTS, max_size=4), st.sampled_from([60, 300]), st.booleans())
def test_reservations(
    bouts: list[list[Request]], interval: int, is_restarted: bool
) -> None:
    """What is reserved and given back is no income, however requests overlap."""
    account = Account()
    balance, used = account.balance, account.used
    start = account.now
    requests = [
        (number * 2 * HOUR + request.start, request)
        for number, bout in enumerate(bouts)
        for request in bout
    ]
    for turn in range((len(bouts) * 2 + 1) * HOUR // interval):
        at = (turn + 1) * interval
        account.balance, account.used = balance, used
        for begin, request in requests:
            if begin + request.takes <= at:
                account.spend(request.costs)
            elif begin <= at:
                account.balance -= request.reserved
        if is_restarted and turn % 7 == 0:
            account.restart()
        account.poll(start + at - account.now)

    assert account.amounts == []


@pytest.mark.parametrize("outage", [POLL, DAY])
@pytest.mark.parametrize("cost", [0, 1_234])
def test_request_of_half_an_hour(cost: int, outage: int) -> None:
    """What comes back of a reservation was not paid in, also over an outage."""
    account = Account()

    account.balance -= 700_000
    account.rest(6)
    account.restart()
    account.balance += 700_000
    account.spend(cost)
    account.poll(outage)
    account.rest(20)
    assert account.amounts == []

    account.balance += 500
    account.rest()
    assert account.amounts == [500]


def test_long_requests_side_by_side() -> None:
    """One of two reservations that comes back is as little income as both are."""
    account = Account()
    for change in (-7_000, -500, 500, 7_000):
        account.balance += change
        for _ in range(16):
            account.poll(after=MINUTE)

    assert account.amounts == []


def test_long_requests_that_overlap() -> None:
    """Reservations come back, although for hours there was always one."""
    account = Account()
    account.balance -= 1_000
    for _ in range(4):
        # Each lasts for three quarters of an hour at most, and fails in the end.
        for change in (-3_000, 1_000, -1_000, 3_000):
            account.rest(5)
            account.balance += change
    account.rest(5)
    account.balance += 1_000
    account.rest(20)

    assert account.amounts == []


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=9))
def test_refund_that_lowers_what_was_used(refunds: list[int]) -> None:
    """A refund is booked back on both sides."""
    account = Account()
    for quota in refunds:
        account.spend(quota)
        account.rest(3)
        account.spend(-quota)
        account.rest(3)

    assert account.amounts == []


def test_refund_that_does_not() -> None:
    """It looks like income, and says since when refunds can explain it."""
    account = Account()
    account.spend(800)
    account.rest()
    before = account.now

    account.balance += 800
    account.rest()

    assert account.gains == [Gain(800, 45_000_000, before, 800)]


@given(AMOUNTS, AMOUNTS, st.integers(13, 40))
def test_deduction(taken: int, amount: int, turns: int) -> None:
    """What an administrator takes is no income, and a later top-up is exact."""
    account = Account()

    account.balance -= taken
    account.rest(turns)
    assert account.amounts == []

    account.balance += amount
    account.rest()
    assert account.amounts == [amount]


def test_top_up_long_after_a_plan_was_bought() -> None:
    """An account that never rests knows too that it has the less."""
    account = Account()
    account.balance -= 1_000_000
    account.rest()
    for _ in range(24):
        account.spend(700)
        account.poll()

    account.balance += 500_000
    for _ in range(6):
        account.spend(700)
        account.poll()

    assert account.amounts == [500_000]


@pytest.mark.parametrize(
    ("amount", "turns", "told"),
    [(1_500, 4, None), (1_000_000, 4, None), (300, 14, 300), (999, 14, 999)],
)
def test_top_up_just_after_a_plan_was_bought(
    amount: int, turns: int, told: int | None
) -> None:
    """The amount is not lessened by what the plan has cost.

    That may be a request that has failed, for which nothing tells how much came in.
    Less than that may be nothing else, so it is told after an hour.
    """
    account = Account()
    account.balance -= 1_000
    account.rest()

    account.balance += amount
    account.rest(turns)

    assert account.amounts == [told]


def test_top_up_while_a_long_request_fails() -> None:
    """What comes back of it is not told as paid in."""
    account = Account()
    account.balance -= 1_000
    account.rest()

    account.balance += 1_000 + 50
    account.rest()

    assert account.amounts == [None]


@pytest.mark.parametrize("cost", [0, 60])
@pytest.mark.parametrize("is_restarted", [False, True])
def test_request_just_after_a_plan_was_bought(*, cost: int, is_restarted: bool) -> None:
    """What comes back of a reservation is no income, though the level stays lower."""
    account = Account()
    account.balance -= 1_000
    account.rest()

    account.balance -= 700
    account.rest()
    if is_restarted:
        account.restart()
    account.balance += 700
    account.spend(cost)
    account.rest(20)
    assert account.amounts == []

    account.balance += 300
    account.rest()
    assert account.amounts == [300]


def test_figures_of_another_account() -> None:
    """A reading of somebody else's balance is gone with the next."""
    account = Account()
    for stranger in (10**9, 0, 10**8):
        mine, account.balance = account.balance, stranger
        account.poll()
        account.balance = mine
        account.poll()
    account.rest(20)

    assert account.amounts == []


# Plans


@given(st.lists(st.integers(0, 10**6), max_size=30), st.booleans())
def test_plan_that_pays(spent: list[int], is_restarted: bool) -> None:
    """Use that a plan pays for leaves the balance alone (gateway_api.md 3.5)."""
    account = Account(plan_pays=True)
    for quota in spent:
        account.used += quota
        account.poll()
        if is_restarted:
            account.restart()
    account.rest()

    assert account.amounts == []


@given(AMOUNTS, st.lists(st.integers(0, 10**6), max_size=9))
def test_top_up_beside_a_plan(amount: int, spent: list[int]) -> None:
    """Only the balance tells then."""
    account = Account(plan_pays=True)

    account.balance += amount
    for quota in spent:
        account.used += quota
        account.poll()
    account.rest()

    assert account.amounts == [amount]


def test_plan_ends() -> None:
    """What it has paid for at last is no income, and later top-ups are exact."""
    account = Account(plan_pays=True)
    account.used += 70_000
    account.plan_pays = False
    account.poll(after=DAY)
    account.rest()
    assert account.amounts == []

    account.spend(3_000)
    account.balance += 500
    account.rest()
    assert account.amounts == [500]


def test_plan_begins() -> None:
    """It costs the balance something, and pays from then on."""
    account = Account()
    account.balance -= 10_000_000
    account.plan_pays = True
    account.rest()
    account.used += 123_456
    account.rest()

    assert account.amounts == []


# What is kept


def test_readings_that_come_twice() -> None:
    """The same reading again, or an older one, agrees with nothing."""
    watch = IncomeWatch()

    def read(balance: int, at: float) -> Gain | None:
        return watch.read(balance, 0, at, plan_pays=False)

    read(100, NOON)
    read(100, NOON + HOUR)
    read(150, NOON + 2 * HOUR)
    kept = watch.as_dict()

    assert read(150, NOON + 2 * HOUR) is None
    assert read(150, NOON + 2 * HOUR - 60) is None
    assert watch.as_dict() == kept
    assert read(150, NOON + 3 * HOUR) == Gain(50, 150, NOON + HOUR, 50)


def test_nothing_kept() -> None:
    """Before the first readings there is nothing to keep."""
    assert IncomeWatch.from_dict(IncomeWatch().as_dict()).as_dict() == {}


def test_nothing_to_settle() -> None:
    """Nobody settles what was never found."""
    with pytest.raises(ValueError, match="no such gain"):
        IncomeWatch().settle(Gain(5, 10, NOON, 5))


def _kept() -> dict[str, Any]:
    account = Account()
    account.balance -= 5
    account.rest()
    return account.watch.as_dict()


@pytest.mark.parametrize("part", ["base", "before"])
@pytest.mark.parametrize(
    ("field_name", "value"), [("at", "soon"), ("balance", 1.5), ("used", None)]
)
def test_damage_is_noticed(part: str, field_name: str, value: object) -> None:
    """What was kept is not believed when it cannot be true."""
    kept = _kept()
    assert IncomeWatch.from_dict(kept).as_dict() == kept

    damaged = deepcopy(kept)
    reading = damaged["base"] if part == "base" else damaged["before"][0]
    reading[field_name] = value
    with pytest.raises(ValueError, match="damaged"):
        IncomeWatch.from_dict(damaged)


@pytest.mark.parametrize("reading", [{}, [1, 2, 3], "reading", 5])
def test_damaged_reading_is_noticed(reading: object) -> None:
    """A reading is kept as a whole."""
    for damage in ({"base": reading}, {"before": [reading]}):
        with pytest.raises(ValueError, match="damaged"):
            IncomeWatch.from_dict({**_kept(), **damage})
