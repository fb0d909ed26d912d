"""What readings of a simulated gateway add up to in a month, next to its own log."""

from dataclasses import dataclass, field
import json
import random
from typing import Final

import pytest

from custom_components.new_api.income import Gain, IncomeWatch
from custom_components.new_api.ledger import Ledger
from tests.simulator import Key, LogRow, LogType, Request, Reservation, User, World
from tests.simulator.records import Accounting

MINUTE: Final = 60
DAY: Final = 86_400
POLL: Final = 5 * MINUTE
DAYS: Final = 30

# Sunday, 1 November 2026, 0:00 UTC.
START: Final = 1_793_491_200


@dataclass
class Household:
    """People who use a gateway by the minute, and what reads their account."""

    seed: int
    accounting: Accounting
    now: int = START
    world: World = field(init=False)
    user: User = field(init=False)
    key: Key = field(init=False)
    account: Ledger = field(default_factory=Ledger)
    requests: Ledger = field(default_factory=Ledger)
    keys: Ledger = field(default_factory=Ledger)
    income: IncomeWatch = field(default_factory=IncomeWatch)
    gains: list[tuple[int, Gain]] = field(default_factory=list)
    received: list[tuple[int, int]] = field(default_factory=list)
    """When something came into the balance without being used, and how much."""
    outages: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    """When nothing was read."""

    def __post_init__(self) -> None:
        """Move in."""
        self.chance = random.Random(self.seed)
        self.world = World(clock=lambda: self.now)
        self.user = self.world.add_user("wang", quota=10**9, used_quota=777)
        self.key = self.world.add_key(self.user, "Home Assistant", quota=10**9)
        self.under_way: list[tuple[int, Reservation]] = []
        self._read()

    def live(self) -> None:
        """Live for a month, and rest in the end."""
        for minute in range(DAYS * DAY // MINUTE):
            # Not on the very second at which it is read.
            self.now = START + minute * MINUTE + 30
            self._use(hour=self.now // 3600 % 24)
            if minute % 60 == 17 and minute > DAY // MINUTE:
                self._happen()
            self.now = START + (minute + 1) * MINUTE
            if self.now % POLL == 0 and self.now > self.outages[-1][1]:
                self._read()
        while self.under_way:
            self.world.release(self.under_way.pop()[1])
        for _ in range(24):
            self.now += POLL
            self._read()

    def spent(self, start: int, end: int) -> int:
        """Return what the log says was used, less what was given back of that."""
        return sum(self._used(row) for row in self.world.log if start <= row.at < end)

    def given_back(self, start: int, end: int) -> int:
        """Return what the log says was taken off what had been used before."""
        return -sum(
            min(0, self._used(row)) for row in self.world.log if start <= row.at < end
        )

    def _used(self, row: LogRow) -> int:
        if row.type == LogType.CONSUME:
            return row.quota
        is_counted = self.accounting.refunds_lower_used
        return -row.quota if row.type == LogType.REFUND and is_counted else 0

    def _use(self, hour: int) -> None:
        for begun in list(self.under_way):
            ends, reservation = begun
            if ends <= self.now:
                self.under_way.remove(begun)
                self._end(reservation)
        if self.chance.random() < (0.3 if 8 <= hour < 23 else 0.002):
            reservation = self.world.reserve(
                self.key, self.chance.randrange(90_000), accounting=self.accounting
            )
            takes = self.chance.choice((0, 0, 0, 1, 3, 12)) * MINUTE
            self.under_way.append((self.now + takes, reservation))

    def _end(self, reservation: Reservation) -> None:
        if self.chance.random() < 0.05:
            self.world.release(reservation)
        else:
            quota = self.chance.randrange(60_000)
            self.world.settle(reservation, quota, Request(model="gpt-5"))

    def _happen(self) -> None:
        """Let something happen once an hour, mostly nothing."""
        match self.chance.randrange(60):
            case 0 | 1:
                amount = self.chance.choice((1, 500_000, 25_000_000))
                self.world.top_up("wang", amount)
                self.received.append((self.now, amount))
            case 2:
                self.world.check_in("wang", 20_000, date=str(self.now))
                self.received.append((self.now, 20_000))
            case 3 | 4:
                self.world.refund(self.key, 40_000, accounting=self.accounting)
                if not self.accounting.refunds_lower_used:
                    self.received.append((self.now, 40_000))
            case 5:
                until = self.now + self.chance.randrange(2 * DAY)
                self.outages.append((self.now, until))
            case 6:
                self._restart()

    def _read(self) -> None:
        self.account.read(self.user.used_quota, self.now)
        self.requests.read(self.user.request_count, self.now)
        self.keys.read(self.key.used_quota, self.now)
        gain = self.income.read(
            self.user.quota, self.user.used_quota, self.now, plan_pays=False
        )
        if gain is not None:
            self.gains.append((self.now, gain))
            self.income.settle(gain)

    def _restart(self) -> None:
        kept = json.loads(
            json.dumps(
                [
                    self.account.as_dict(),
                    self.requests.as_dict(),
                    self.keys.as_dict(),
                    self.income.as_dict(),
                ]
            )
        )
        self.account, self.requests, self.keys = map(Ledger.from_dict, kept[:3])
        self.income = IncomeWatch.from_dict(kept[3])


@pytest.mark.parametrize("seed", range(4))
def test_month(seed: int) -> None:
    """All is as in the log, to the unit: the month, its days, and what came in."""
    # Of the recorded servers half book a refund on what was used, half do not.
    household = Household(
        seed, Accounting(refunds_lower_used=seed % 2 == 1, refunds_are_rows=True)
    )
    household.live()
    log = household.world.log
    end = household.now

    assert household.account.spent(START, end).amount == household.spent(START, end)
    assert household.requests.spent(START, end).amount == sum(
        row.type == LogType.CONSUME for row in log
    )
    assert household.keys.spent(START, end).amount == household.key.used_quota
    for day in range(DAYS):
        _check_day(household, START + day * DAY)
    for at, gain in household.gains:
        assert gain.amount == sum(
            amount for when, amount in household.received if gain.since < when <= at
        )
    assert sum(gain.amount for _, gain in household.gains) == sum(
        amount for _, amount in household.received
    )


def _check_day(household: Household, start: int) -> None:
    """Expect a day as it was, or one that is said to be an estimate for a reason.

    What is given back is taken off what was booked last, or is seen some time later:
    around a midnight it may have come off the other day.
    """
    end = start + DAY
    spending = household.account.spent(start, end)
    assert spending.is_estimate == any(
        begin < midnight < until + POLL
        for begin, until in household.outages
        for midnight in (start, end)
    )
    if not spending.is_estimate:
        difference = abs(spending.amount - household.spent(start, end))
        assert difference <= household.given_back(start - DAY, end + DAY)
