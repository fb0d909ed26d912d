"""Answers to a system access token about what was spent."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Final

from . import texts
from .call import Call
from .records import DAY, LogRow, LogType
from .replies import Reply, failed, succeeded
from .shapes import Row
from .world import summed

_LONGEST_SPAN: Final = 30 * DAY
_MINUTE: Final = 60
_DAYS_ON_THE_DASHBOARD: Final = 7


def log(call: Call) -> Reply:
    """Answer `/api/log/self`."""
    dialect = call.dialect
    wanted = call.integer(dialect.log_type_parameter)
    rows = [row for row in _asked_for(call) if wanted in (0, row.type)]
    page, size, shown = dialect.log_paging.cut(rows, call.query)
    first = (page - dialect.log_paging.first) * size + 1
    lines = [dialect.log_row(row, number) for number, row in enumerate(shown, first)]
    return succeeded(dialect.log_paging.wrap(page, size, len(rows), lines))


def log_stat(call: Call) -> Reply:
    """Answer `/api/log/self/stat`."""
    said = {
        "quota": sum(
            row.quota for row in _asked_for(call) if row.type == LogType.CONSUME
        )
    }
    if call.dialect.stat_has_rates:
        # Whatever the range, rates are those of the last minute.
        recent = _last_minute(call)
        said |= {"rpm": len(recent), "tpm": sum(row.tokens for row in recent)}
    return succeeded(said)


def hours(call: Call) -> Reply:
    """Answer `/api/data/self`."""
    start, end = call.integer("start_timestamp"), call.integer("end_timestamp")
    if end - start > _LONGEST_SPAN:
        return call.failed(texts.SPAN_TOO_LONG)
    return succeeded(call.dialect.hour_rows(call, start, end))


def flow(call: Call) -> Reply:
    """Answer `/api/data/flow/self`: spending per key and model."""
    start, end = call.integer("start_timestamp"), call.integer("end_timestamp")
    if not 0 < start <= end:
        return failed("invalid time range")
    if end - start > _LONGEST_SPAN:
        return call.failed(texts.SPAN_TOO_LONG)
    start = max(start, call.options.keys_recorded_since)
    sums = summed(
        (r for r in call.world.exported(call.user) if start <= r.hour <= end),
        lambda row: (row.key_id, row.key_name, row.model),
    )
    return succeeded(
        [
            {
                **_origin(key_id, key_name),
                "use_group": "default",
                "model_name": model,
                "token_used": spent.tokens,
                "count": spent.count,
                "quota": spent.quota,
            }
            for (key_id, key_name, model), spent in sorted(
                sums.items(), key=lambda item: -item[1].quota
            )
        ]
    )


def _origin(key_id: int, key_name: str) -> Row:
    """Return what a request came from; the server leaves out what is zero or empty."""
    if not key_id:
        return {"token_source": "playground"}
    return {"token_id": key_id, "token_name": key_name}


def one_api_dashboard(call: Call) -> Reply:
    """Answer One API's `/api/user/dashboard`."""
    return _dashboard(
        call,
        call.world.log_of(call.user),
        lambda day, model, rows: {
            "Day": day,
            "ModelName": model,
            "RequestCount": len(rows),
            "Quota": sum(row.quota for row in rows),
            "PromptTokens": sum(row.prompt_tokens for row in rows),
            "CompletionTokens": sum(row.completion_tokens for row in rows),
        },
    )


def one_hub_dashboard(call: Call) -> Reply:
    """Answer One Hub's `/api/user/dashboard`, which is filled from time to time."""
    return _dashboard(
        call,
        call.world.exported(call.user),
        lambda day, model, rows: {
            "date": day,
            "request_count": len(rows),
            "quota": sum(row.quota for row in rows),
            "prompt_tokens": sum(row.prompt_tokens for row in rows),
            "completion_tokens": sum(row.completion_tokens for row in rows),
            "request_time": 2_000 * len(rows),
            "model_name": model,
        },
    )


def one_hub_rates(call: Call) -> Reply:
    """Answer One Hub's `/api/user/dashboard/rate`."""
    most = 600
    recent = _last_minute(call)
    return succeeded(
        {
            "maxRPM": most,
            "maxTPM": 0,
            "rpm": len(recent),
            "tpm": 0,
            "usageRpmRate": len(recent) / most * 100,
            "usageTpmRate": 0,
        }
    )


def _dashboard(
    call: Call,
    log: Iterable[LogRow],
    write: Callable[[str, str, list[LogRow]], Row],
) -> Reply:
    """Sum up the last days per day and model."""
    today = call.local_time(call.now).replace(hour=0, minute=0, second=0, microsecond=0)
    start = (today - timedelta(days=_DAYS_ON_THE_DASHBOARD - 1)).timestamp()
    rows: dict[tuple[str, str], list[LogRow]] = {}
    for row in log:
        if row.type == LogType.CONSUME and row.at >= start:
            day = f"{call.local_time(row.at):%Y-%m-%d}"
            rows.setdefault((day, row.model), []).append(row)
    # A list that was never filled is null there.
    return succeeded([write(*what, rows[what]) for what in sorted(rows)] or None)


def _asked_for(call: Call) -> list[LogRow]:
    """Return the lines of the log that are asked for, of whatever type."""
    start, end = call.integer("start_timestamp"), call.integer("end_timestamp")
    key, model = call.query.get("token_name", ""), call.query.get("model_name", "")
    return [
        row
        for row in call.world.log_of(call.user)
        if row.at >= start
        and (not end or row.at <= end)
        and _matches(row.key_name, key)
        and _matches(row.model, model)
    ]


def _last_minute(call: Call) -> list[LogRow]:
    return [
        row
        for row in call.world.log_of(call.user)
        if row.type == LogType.CONSUME and row.at >= call.now - _MINUTE
    ]


def _matches(value: str, wanted: str) -> bool:
    return not wanted or fnmatchcase(value, wanted.replace("%", "*"))
