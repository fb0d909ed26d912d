"""What is wrong is noticed, and what cannot be known is not called wrong."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
import pytest

from tests.home import household
from tests.household import BERLIN, CODE, DOLLAR, GPT, HAIKU
from tests.simulator import Gateway

from .claims import Claim
from .comparison import Comparison, Period
from .ledger import Ledger, Refund

HOUR: Final = 3_600
SPENT: Final = "account_spent_today"


class Books:
    """An account that has spent two dollars today, and one each on two days before."""

    def __init__(self, gateway: Gateway) -> None:
        """Write them."""
        self.gateway = gateway
        self.ledger = Ledger(gateway.world, BERLIN)
        self.comparison = Comparison(self.ledger)
        self.midnight = self.ledger.days_ago(0)
        self.today = Period(
            begins=self.midnight, ends=self.ledger.now + 1, count=self.ledger.quota()
        )
        for at, model in (
            (self.midnight - 30 * HOUR, GPT),
            (self.midnight - HOUR, GPT),
            (self.midnight + 2 * HOUR, GPT),
            (self.midnight + 4 * HOUR, HAIKU),
        ):
            gateway.spend(CODE, DOLLAR, model=model, at=at)

    def claim(self, dollars: float, **about: Any) -> Claim:
        """Claim that so much was spent today."""
        about = {"since": self.midnight, **about}
        return Claim(figure=SPENT, value=Decimal(str(dollars)) * DOLLAR, **about)


@pytest.fixture
def books(clock: FrozenDateTimeFactory) -> Books:
    """Give the books of an account."""
    return Books(household())


def test_right(books: Books) -> None:
    """What is so is no difference, and is counted."""
    comparison, ledger = books.comparison, books.ledger
    balance = ledger.world.user("wang").quota
    comparison.exact(
        Claim(figure="account_remaining_quota", value=Decimal(balance)), balance
    )
    comparison.period(books.claim(2), books.today)
    dearest = Claim(
        figure="account_most_expensive_model",
        value=Decimal(DOLLAR),
        models={GPT: Decimal(DOLLAR), HAIKU: Decimal(DOLLAR)},
        dearest=HAIKU,
    )
    comparison.models(dearest, ledger.models(books.midnight))
    ledger.income.append(5 * DOLLAR)
    comparison.top_ups([Decimal(5 * DOLLAR)])
    ledger.announced["model_added", "gpt-6"] += 1
    comparison.told("event.models", Counter({("model_added", "gpt-6"): 1}))
    assert comparison.differences == []
    assert comparison.made == {"exact": 1, "whole": 1, "models": 1, "told": 2}


def test_nothing_claimed(books: Books) -> None:
    """Where nothing is claimed nothing is wrong, but it does not count as compared."""
    books.comparison.exact(None, 1)
    books.comparison.period(None, books.today)
    books.comparison.models(None, {GPT: 1})
    assert books.comparison.differences == []
    assert books.comparison.made == {"unknown": 3}


def test_wrong_balance(books: Books) -> None:
    """A single unit of quota is noticed."""
    claim = Claim(figure="account_remaining_quota", value=Decimal(45_000_001))
    books.comparison.exact(claim, 45_000_000)
    assert books.comparison.differences == [
        "account_remaining_quota: shown 45000001, right 45000000"
    ]


@pytest.mark.parametrize("dollars", [1.99, 2.01, 3, 0])
def test_wrong_sum(books: Books, dollars: float) -> None:
    """What was spent is noticed to be wrong, in either direction."""
    books.comparison.period(books.claim(dollars), books.today)
    (difference,) = books.comparison.differences
    assert difference.startswith(f"{SPENT}: shown {Decimal(str(dollars)) * DOLLAR}")
    assert difference.endswith(f"right {2 * DOLLAR}..{2 * DOLLAR}")


def test_count_of_another_time(books: Books) -> None:
    """A figure of today must not count from yesterday on, even if it is right."""
    claim = books.claim(2, since=books.midnight - 1)
    books.comparison.period(claim, books.today)
    assert len(books.comparison.differences) == 1


@pytest.mark.parametrize(
    ("dollars", "since", "is_estimate", "is_wrong"),
    [
        # From between the two requests of today.
        (1, 3 * HOUR, False, False),
        (2, 3 * HOUR, False, True),
        (0, 3 * HOUR, False, True),
        # One of them was made just then, so that a reading may have it or not.
        (1, 2 * HOUR + 600, False, False),
        (2, 2 * HOUR + 600, False, False),
        (3, 2 * HOUR + 600, False, True),
        # Nothing was made around midnight, whatever it is called.
        (2, 0, True, False),
        (3, 0, True, True),
    ],
)
def test_part(
    books: Books, dollars: float, since: int, *, is_estimate: bool, is_wrong: bool
) -> None:
    """Of what is marked, that is compared which can be known."""
    claim = books.claim(dollars, since=books.midnight + since, is_estimate=is_estimate)
    books.comparison.period(claim, books.today)
    assert bool(books.comparison.differences) == is_wrong
    assert books.comparison.made == {"in part": 1}


def test_estimate_over_a_time_without_readings(books: Books) -> None:
    """What was spent while nobody could read may belong to either side."""
    books.ledger.unread.append((books.midnight - 2 * HOUR, books.midnight + HOUR))
    for dollars in (2, 3):
        books.comparison.period(books.claim(dollars, is_estimate=True), books.today)
    assert books.comparison.differences == []
    books.comparison.period(books.claim(4, is_estimate=True), books.today)
    assert len(books.comparison.differences) == 1


def test_whole_is_whole(books: Books) -> None:
    """What is not marked has to be right, though nobody could read for a while."""
    books.ledger.unread.append((books.midnight - 2 * HOUR, books.midnight + HOUR))
    books.comparison.period(books.claim(3), books.today)
    assert len(books.comparison.differences) == 1


def test_readings_around_midnight(books: Books) -> None:
    """A reading is never made just at midnight, but the log is asked just up to it."""
    gateway = books.gateway
    gateway.spend(CODE, DOLLAR, at=books.midnight + 600)
    by_readings = replace(books.today, by_readings=True)
    for dollars in (2, 3):
        books.comparison.period(books.claim(dollars), by_readings)
    assert books.comparison.differences == []
    books.comparison.period(books.claim(2), books.today)
    assert len(books.comparison.differences) == 1
    books.comparison.period(books.claim(1), by_readings)
    assert len(books.comparison.differences) == 2


def test_refund(books: Books) -> None:
    """A refund may be taken off, but not twice, and not off what another key spent."""
    gateway_key = books.ledger.world.key(CODE).id
    books.ledger.refunds.append(
        Refund(books.midnight + 3 * HOUR, DOLLAR // 2, gateway_key)
    )
    for dollars in (1.5, 2):
        books.comparison.period(books.claim(dollars), books.today)
    assert books.comparison.differences == []
    books.comparison.period(books.claim(1), books.today)
    assert len(books.comparison.differences) == 1


@pytest.mark.parametrize(
    ("models", "dearest"),
    [
        ({GPT: 2}, GPT),
        ({GPT: 1, HAIKU: 1, "gpt-6": 1}, GPT),
        ({GPT: 1, HAIKU: 2}, HAIKU),
    ],
)
def test_wrong_models(books: Books, models: dict[str, int], dearest: str) -> None:
    """A model that is missing, one too much or one that cost less is noticed."""
    cost = {name: Decimal(dollars * DOLLAR) for name, dollars in models.items()}
    claim = Claim(
        figure="account_most_expensive_model",
        value=cost[dearest],
        models=cost,
        dearest=dearest,
    )
    books.comparison.models(claim, books.ledger.models(books.midnight))
    assert len(books.comparison.differences) == 1


def test_not_the_dearest(books: Books) -> None:
    """A model that is called the most expensive and is not is noticed."""
    cost = {GPT: Decimal(2), HAIKU: Decimal(1)}
    claim = Claim(figure="model", value=Decimal(1), models=cost, dearest=HAIKU)
    books.comparison.models(claim, {GPT: 2, HAIKU: 1})
    assert len(books.comparison.differences) == 1


@pytest.mark.parametrize(
    ("income", "told", "is_wrong"),
    [
        ([5], [], False),
        ([5, 10], [15], False),
        ([5], [None], False),
        ([], [5], True),
        ([], [None], True),
        ([5], [5, None], True),
        ([5], [5.01], True),
        ([5, 10], [5, 15], True),
    ],
)
def test_top_up(
    books: Books, income: list[int], told: list[float | None], *, is_wrong: bool
) -> None:
    """Money that never came in is noticed, also where no amount is told."""
    books.ledger.income += [dollars * DOLLAR for dollars in income]
    books.comparison.top_ups(
        [None if each is None else Decimal(str(each)) * DOLLAR for each in told]
    )
    assert bool(books.comparison.differences) == is_wrong


def test_told_twice(books: Books) -> None:
    """A model that came once, and was told twice, is noticed."""
    news = ("model_added", "gpt-6")
    books.ledger.announced[news] += 1
    books.comparison.told("event.models", Counter({news: 2}))
    assert books.comparison.differences == [
        "event.models: told ('model_added', 'gpt-6'), 1 times too often"
    ]
