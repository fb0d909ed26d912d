"""What an account is told of what it spent."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from custom_components.new_api.gateway.usage import (
    KeyUsage,
    ModelDay,
    ModelUsage,
    Spent,
)
from tests.fuzz.site import Served

from .reading import datas, items_of, on, text, whole, yes

_HOUR: Final = 3600
_LENGTH_OF_A_DATE: Final = len("2026-11-17")

type Span = tuple[int, int]
"""What was asked for, in Unix seconds, both ends included."""

type _Sums = dict[tuple[Any, ...], tuple[int | None, ...]]
"""Quota, requests and tokens, by what they are about."""


def wrong_spent(spent: Spent, served: Sequence[Served]) -> Iterator[str]:
    """Compare what was spent in a range (6.6)."""
    said = (spent.quota, spent.requests_per_minute, spent.tokens_per_minute)
    found = [
        (whole(data.get("quota")), whole(data.get("rpm")), whole(data.get("tpm")))
        for data in datas(served, "/api/log/self/stat")
    ]
    if said not in found:
        yield f"{said} spent and not one of {found}"


def wrong_usage_by_hour(
    rows: Sequence[ModelUsage],
    served: Sequence[Served],
    span: Span,
    account_id: int | None,
) -> Iterator[str]:
    """Compare what went to models by the hour (6.7)."""
    start, end = span[0] - span[0] % _HOUR, span[1]

    def about(row: Mapping[str, Any]) -> tuple[Any, ...]:
        at = whole(row.get("created_at"))
        hour = at - at % _HOUR if at is not None and start <= at <= end else None
        return (hour, text(row.get("model_name")) or "")

    said = {
        (row.start, row.model): (row.quota, row.requests, row.tokens) for row in rows
    }
    yield from _wrong_sums(said, len(rows), served, "/api/data/self", about)
    yield from _wrong_owners(served, "/api/data/self", account_id)


def wrong_usage_by_key(
    rows: Sequence[KeyUsage], served: Sequence[Served]
) -> Iterator[str]:
    """Compare what keys spent on models (6.7)."""
    said = {
        (row.key_id, row.model): (row.quota, row.requests, row.tokens) for row in rows
    }
    yield from _wrong_sums(
        said,
        len(rows),
        served,
        "/api/data/flow/self",
        lambda row: (whole(row.get("token_id")), text(row.get("model_name")) or ""),
    )


def wrong_usage_by_day(
    rows: Sequence[ModelDay], served: Sequence[Served]
) -> Iterator[str]:
    """Compare what went to models by the day (6.7), in both dialects."""
    said: _Sums = {
        (row.day, row.model): (row.quota, row.requests, row.tokens) for row in rows
    }
    found = []
    for reply in on(served, "/api/user/dashboard"):
        sums: _Sums = {}
        for row in _rows(yes(reply.reply).get("data")):
            names = _ONE_API if "Day" in row else _ONE_HUB
            day, model, quota, requests, prompt, completion = map(row.get, names)
            figures = (whole(quota), whole(requests), _plus(prompt, completion))
            _add(sums, (_date(day), text(model) or ""), figures)
        found.append(sums)
    if said not in found or len(said) != len(rows):
        yield f"the days {said} and not one of {found}"


_ONE_API: Final = (
    "Day",
    "ModelName",
    "Quota",
    "RequestCount",
    "PromptTokens",
    "CompletionTokens",
)
_ONE_HUB: Final = (
    "date",
    "model_name",
    "quota",
    "request_count",
    "prompt_tokens",
    "completion_tokens",
)


def wrong_logged(
    amounts: Sequence[int],
    served: Sequence[Served],
    kind: int,
    span: Span,
    account_id: int | None,
) -> Iterator[str]:
    """Compare what stands in rows of a kind, in a range (6.5)."""
    rows = [
        row
        for each in on(served, "/api/log/self")
        for row in _rows(items_of(yes(each.reply)))
    ]
    found = [
        whole(row.get("quota"))
        for row in rows
        if whole(row.get("type")) == kind
        and span[0] <= (whole(row.get("created_at")) or 0) <= span[1]
    ]
    if Counter(amounts) != Counter(found):
        yield f"the rows {amounts} and not {found}"
    yield from _wrong_owners(served, "/api/log/self", account_id)


def _wrong_sums(
    said: Mapping[tuple[Any, ...], tuple[int, ...]],
    count: int,
    served: Sequence[Served],
    path: str,
    about: Callable[[Mapping[str, Any]], tuple[Any, ...]],
) -> Iterator[str]:
    found = []
    for each in on(served, path):
        sums: _Sums = {}
        for row in _rows(yes(each.reply).get("data")):
            figures = tuple(map(whole, map(row.get, ("quota", "count", "token_used"))))
            _add(sums, about(row), figures)
        found.append(sums)
    if said not in found or count != len(said):
        yield f"the sums {said} and not one of {found}"


def _add(sums: _Sums, about: tuple[Any, ...], figures: tuple[int | None, ...]) -> None:
    before = sums.get(about, (0,) * len(figures))
    sums[about] = tuple(
        None if one is None or other is None else one + other
        for one, other in zip(before, figures, strict=True)
    )


def _wrong_owners(
    served: Sequence[Served], path: str, account_id: int | None
) -> Iterator[str]:
    """Find rows of others (1.5) in an answer that has to be from all replies."""
    if account_id is None:
        return
    for each in on(served, path):
        rows = _rows(items_of(yes(each.reply)))
        if any(whole(row.get("user_id")) != account_id for row in rows):
            yield f"figures of another account on {path}"


def _rows(data: Any) -> list[Mapping[str, Any]]:
    rows = data if isinstance(data, list) else []
    return [row for row in rows if isinstance(row, dict)]


def _plus(one: Any, other: Any) -> int | None:
    first, second = whole(one), whole(other)
    return None if first is None or second is None else first + second


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat((text(value) or "")[:_LENGTH_OF_A_DATE])
    except ValueError:
        return None
