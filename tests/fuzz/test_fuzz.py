"""No reply makes the client crash, hang, tell a secret or a figure that is not in it.

And the other way round: clients that do are caught.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
import json
from typing import Any, Final

import pytest

from custom_components.new_api.gateway import (
    billing,
    client,
    models,
    money,
    pages,
    transport,
)
from custom_components.new_api.gateway.errors import UnexpectedReplyError

from .campaign import Campaign, failure_of, smallest
from .visit import FailureError, Visitor

# Hypothesis' warning about its own generator of random numbers.
pytestmark = pytest.mark.filterwarnings("ignore:It looks like `register_random`")

_QUESTIONS: Final = 3000
_SEED: Final = 20_261_123


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    """Give somebody who pays visits."""
    with Visitor() as visitor:
        yield visitor


def test_nothing_fails(visitor: Visitor) -> None:
    """Thousands of questions have a justified answer or an error of the tree."""
    Campaign(_QUESTIONS, _SEED).run(visitor)
    figures = visitor.figures
    assert figures.all >= _QUESTIONS
    # Were nothing answered, nothing would have been checked.
    assert all(figures.answered[question] for question in figures.questions)
    assert figures.answered.total() > _QUESTIONS / 5
    assert len(figures.refused) > 5


def _off_by_one(patch: pytest.MonkeyPatch) -> None:
    read = models.Account.from_reply

    def wrong(data: Mapping[str, Any]) -> models.Account:
        account = read(data)
        return replace(account, remaining_quota=account.remaining_quota + 1)

    patch.setattr(models.Account, "from_reply", wrong)


def _any_type(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        models, "read_integer", lambda data, field: int(float(data.get(field) or 0))
    )


def _truthy_flags(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(models, "read_flag", lambda data, field: bool(data.get(field)))


def _failures_are_answers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transport, "_require_success", lambda _data, _response: None)


def _unlimited_has_a_rest(patch: pytest.MonkeyPatch) -> None:
    read = models.AccountKey.from_reply

    def wrong(item: Any, now: float, *, configured: bool) -> models.AccountKey:
        key = read(item, now, configured=configured)
        return replace(key, remaining_quota=item["remain_quota"])

    patch.setattr(models.AccountKey, "from_reply", wrong)


def _expired_is_active(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        models,
        "_row_status",
        lambda status, **_about: models._WRITTEN_STATUS.get(
            status, models.KeyStatus.REFUSED
        ),
    )


def _repeated_models(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        client, "read_models", lambda data: tuple(each["id"] for each in data or [])
    )


def _first_page_only(patch: pytest.MonkeyPatch) -> None:
    async def first(ask: pages.AskPage, dialect: Any) -> list[Any]:
        page = pages._Page.from_reply(await ask(dialect.page, dialect.first_page))
        return page.items[:-1]

    patch.setattr(client, "all_items", first)


def _usual_divisor(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(money, "_share", lambda _quota_per_unit: Fraction(1, 500_000))


def _rounded_amount(patch: pytest.MonkeyPatch) -> None:
    exact = money.Unit.amount

    def rounded(unit: money.Unit, raw: int | None) -> Decimal | None:
        amount = exact(unit, raw)
        return None if amount is None else round(amount, 2)

    patch.setattr(money.Unit, "amount", rounded)


def _floored_billing(patch: pytest.MonkeyPatch) -> None:
    def floored(unit: money.Unit, value: Decimal) -> int | None:
        return (
            int(Fraction(value) // unit.billing_per_raw)
            if unit.billing_per_raw
            else None
        )

    patch.setattr(money.Unit, "raw_from_billing", floored)


def _sentinel_is_money(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(billing, "_SENTINEL", -1)


def _exhausted_is_active(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        models.TokenUsage, "status", lambda _usage, _now: models.KeyStatus.ACTIVE
    )


def _tells_the_request(patch: pytest.MonkeyPatch) -> None:
    read = transport._body

    async def told(response: Any) -> bytes:
        if "Authorization" not in response.request_info.headers:
            return await read(response)
        raise UnexpectedReplyError(f"No body for {response.request_info.headers}")

    patch.setattr(transport, "_body", told)


def _forgets_wrong_json(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transport, "_parse", lambda body, _response: json.loads(body))


def _waits_for_ever(patch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def patient(_seconds: float) -> Any:
        yield

    patch.setattr(transport, "within", patient)
    patch.setattr(client, "within", patient)


def _waits_too_long(patch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def patient(seconds: float) -> Any:
        async with asyncio.timeout(100 * seconds):
            yield

    patch.setattr(transport, "within", patient)
    patch.setattr(client, "within", patient)


_WRONG_CLIENTS: Final[tuple[tuple[Callable[[pytest.MonkeyPatch], None], str], ...]] = (
    (_off_by_one, "the account"),
    (_any_type, "the account|the key|crashed"),
    (_truthy_flags, "the key|the status|the figures"),
    (_failures_are_answers, "the |active key|no models"),
    (_unlimited_has_a_rest, "the key"),
    (_expired_is_active, "the key"),
    (_repeated_models, "the models|crashed"),
    (_first_page_only, "the ids"),
    (_usual_divisor, "per raw"),
    (_rounded_amount, "the amount"),
    (_floored_billing, "used of|remaining of"),
    (_sentinel_is_money, "remaining of"),
    (_exhausted_is_active, "the status active"),
    (_forgets_wrong_json, "crashed"),
    (_waits_for_ever, "waits for ever"),
    (_waits_too_long, "waits for ever|waited for|crashed"),
)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        *_WRONG_CLIENTS,
        # What watches all tests finds it, too.
        pytest.param(_tells_the_request, "a part of a secret", marks=pytest.mark.leaks),
    ],
)
def test_a_wrong_client_is_caught(
    spoil: Callable[[pytest.MonkeyPatch], None],
    why: str,
    visitor: Visitor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client with one mistake does not come through as many questions."""
    spoil(monkeypatch)
    with pytest.raises(FailureError, match=why):
        Campaign(_QUESTIONS, _SEED).run(visitor)


def test_a_failure_is_made_small(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails is told with little else, and fails again by itself."""
    _off_by_one(monkeypatch)
    with pytest.raises(FailureError) as caught:
        Campaign(_QUESTIONS, _SEED).run(visitor)
    small = smallest(caught.value)
    assert [ask.question for ask in small.visit.asks] == ["account"]
    again = failure_of(small.visit)
    assert again is not None
    assert again.why == small.why
    monkeypatch.undo()
    assert failure_of(small.visit) is None


def test_the_same_seed_asks_the_same() -> None:
    """A failure that was seen once can be seen again."""
    seen = []
    for _ in range(2):
        with Visitor() as visitor:
            Campaign(600, 5).run(visitor)
            figures = visitor.figures
            seen.append((figures.questions, figures.answered, figures.refused))
    assert seen[0] == seen[1]
