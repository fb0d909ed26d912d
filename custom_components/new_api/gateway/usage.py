"""What an account spent: in a range of time, and by hour, day, model and key.

All quota is raw. Refunds are not taken off it (gateway_api.md 6.6, 6.7).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from typing import Any, Final, Self

from .errors import UnexpectedReplyError
from .fields import (
    LARGEST_QUOTA,
    check_owner,
    read_count,
    read_integer,
    read_listed,
    read_name,
    read_rows,
)

_HOUR: Final = 3600

LONGEST_RANGE: Final = 30 * 24 * _HOUR
"""For how long servers answer at once, in seconds (gateway_api.md 6.7)."""

# A date of One Hub may carry a time.
_LENGTH_OF_A_DATE: Final = len("2026-11-17")


class LogKind(IntEnum):
    """What a row of the log is about, where that is not what was spent (6.5).

    Of SYSTEM are check-ins, and the refunds of servers that know no REFUND.
    """

    TOP_UP = 1
    MANAGE = 3
    SYSTEM = 4
    REFUND = 6


@dataclass(frozen=True, slots=True)
class Range:
    """A range of time, in Unix seconds, both ends of it included."""

    start: int
    end: int

    @classmethod
    def of_hours(cls, start: int, end: int) -> Self:
        """Return the range that begins with the hour of `start`.

        Servers leave out an hour that began before the range (6.7). Raises ValueError
        for more than 30 days, for which no server answers at once.
        """
        start -= start % _HOUR
        if end - start > LONGEST_RANGE:
            raise ValueError("No server answers for more than 30 days")
        return cls(start, end)

    def __contains__(self, at: int) -> bool:
        """Tell whether a moment is in it."""
        return self.start <= at <= self.end

    def as_params(self) -> dict[str, str]:
        """Return the parameters of a question."""
        return {"start_timestamp": str(self.start), "end_timestamp": str(self.end)}


@dataclass(frozen=True, slots=True)
class Spent:
    """What an account spent in a range of time (`/api/log/self/stat`, 6.6).

    The rates are those of the last 60 seconds, whatever the range is; None where the
    site does not tell them.
    """

    quota: int
    requests_per_minute: int | None
    tokens_per_minute: int | None

    @classmethod
    def from_reply(cls, data: Mapping[str, Any]) -> Self:
        """Read the `data` of a reply."""
        return cls(
            quota=read_integer(data, "quota"),
            requests_per_minute=read_count(data, "rpm") if "rpm" in data else None,
            tokens_per_minute=read_count(data, "tpm") if "tpm" in data else None,
        )


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What went to a model in the hour that begins at `start`, in Unix seconds."""

    model: str
    start: int
    quota: int
    requests: int
    tokens: int


@dataclass(frozen=True, slots=True)
class ModelDay:
    """What went to a model on a day of the site's own time zone."""

    model: str
    day: date
    quota: int
    requests: int
    tokens: int


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What a key spent on a model in a range of time.

    `key_id` is the id of the key on the site; the key may be deleted by now. It is 0
    for what was spent without any.
    """

    key_id: int
    model: str
    quota: int
    requests: int
    tokens: int


def read_hours(
    data: Any, asked: Range, account_id: int | None
) -> tuple[ModelUsage, ...]:
    """Read what `/api/data/self` says of a range (6.7).

    Sorted by hour and model, one of each. Raises UnexpectedReplyError where a row is of
    another account or time.
    """

    def read(row: Mapping[str, Any]) -> ModelUsage:
        check_owner(row, account_id)
        at = read_integer(row, "created_at")
        if at not in asked:
            raise UnexpectedReplyError("A row is of another time")
        return ModelUsage(
            model=read_name(row, "model_name"),
            start=at - at % _HOUR,
            quota=read_integer(row, "quota"),
            requests=read_count(row, "count"),
            tokens=read_count(row, "token_used"),
        )

    return _summed(map(read, read_listed(data)), lambda row: (row.start, row.model))


def read_days(data: Any) -> tuple[ModelDay, ...]:
    """Read what `/api/user/dashboard` says (6.7), in the words of One API or One Hub.

    Sorted by day and model, one of each.
    """
    return _summed(map(_read_day, read_rows(data)), lambda row: (row.day, row.model))


def read_keys(data: Any) -> tuple[KeyUsage, ...]:
    """Read what `/api/data/flow/self` says (6.7); sorted by key and model.

    The id is 0 for what was spent without a key, on the site itself.
    """

    def read(row: Mapping[str, Any]) -> KeyUsage:
        return KeyUsage(
            # Servers leave out what is 0.
            key_id=read_count(row, "token_id") if "token_id" in row else 0,
            model=read_name(row, "model_name"),
            quota=read_integer(row, "quota"),
            requests=read_count(row, "count"),
            tokens=read_count(row, "token_used"),
        )

    return _summed(map(read, read_listed(data)), lambda row: (row.key_id, row.model))


def read_log(
    items: Any, kind: LogKind, asked: Range, account_id: int | None
) -> tuple[int, ...]:
    """Return the raw quota in the rows of a kind (6.5), 0 in those that only tell.

    Rows of other kinds and times are left out: a site that does not know a filter
    leaves it out of account. Raises UnexpectedReplyError where a row is of another
    account.
    """
    quotas = []
    for row in read_rows(items):
        check_owner(row, account_id)
        at = read_integer(row, "created_at")
        if read_integer(row, "type") == kind and at in asked:
            quotas.append(read_count(row, "quota"))
    return tuple(quotas)


def _read_day(row: Mapping[str, Any]) -> ModelDay:
    if "Day" in row:
        return ModelDay(
            model=read_name(row, "ModelName"),
            day=_date(read_name(row, "Day")),
            quota=read_integer(row, "Quota"),
            requests=read_count(row, "RequestCount"),
            tokens=read_count(row, "PromptTokens")
            + read_count(row, "CompletionTokens"),
        )
    return ModelDay(
        model=read_name(row, "model_name"),
        day=_date(read_name(row, "date")),
        quota=read_integer(row, "quota"),
        requests=read_count(row, "request_count"),
        tokens=read_count(row, "prompt_tokens") + read_count(row, "completion_tokens"),
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text[:_LENGTH_OF_A_DATE])
    except ValueError:
        pass
    raise UnexpectedReplyError("A day is no date")


def _summed[Row: (ModelUsage, ModelDay, KeyUsage)](
    rows: Iterable[Row], identity: Callable[[Row], Any]
) -> tuple[Row, ...]:
    """Add up the rows that are about the same, and sort them by what they are about.

    Servers keep more than one where what they are about has more parts, such as the
    group of a request.
    """
    sums: dict[Any, Row] = {}
    for row in rows:
        about = identity(row)
        known = sums.get(about)
        sums[about] = (
            row
            if known is None
            else replace(
                row,
                quota=known.quota + row.quota,
                requests=known.requests + row.requests,
                tokens=known.tokens + row.tokens,
            )
        )
    if any(abs(row.quota) >= LARGEST_QUOTA for row in sums.values()):
        raise UnexpectedReplyError("A sum is larger than any server can count")
    return tuple(sums[about] for about in sorted(sums))
