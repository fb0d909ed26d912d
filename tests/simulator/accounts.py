"""Answers to a system access token."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final
from zoneinfo import ZoneInfo

from . import texts
from .call import Call
from .records import DAY, LogRow, LogType, Subscription
from .replies import Reply, failed, json_reply, succeeded
from .shapes import Row
from .world import summed

_LONGEST_SPAN: Final = 30 * DAY
_MINUTE: Final = 60
_DAYS_ON_THE_DASHBOARD: Final = 7


def myself(call: Call) -> Reply:
    """Answer `/api/user/self`."""
    return succeeded(call.dialect.user_row(call.user))


def another_user(call: Call) -> Reply:
    """Answer `/api/user/:id`, which shadows every page that does not exist."""
    if not call.parameter.isdigit():
        return _not_a_number(call)
    user = call.world.users.get(int(call.parameter))
    if user is None:
        return call.failed(texts.NOT_FOUND)
    return succeeded(call.dialect.user_row(user))


def models(call: Call) -> Reply:
    """Answer `/api/user/models` or `/api/user/available_models`."""
    return succeeded([model.name for model in call.world.models])


def two_factor(_call: Call) -> Reply:
    """Answer `/api/user/2fa/status`."""
    return succeeded({"enabled": False, "locked": False})


def new_access_token(call: Call) -> Reply:
    """Answer `/api/user/token`, which is a GET and yet replaces the access token."""
    return succeeded(call.world.rotate_access_token(call.user.name))


def affiliate_code(call: Call) -> Reply:
    """Answer `/api/user/aff`, which is a GET and yet makes a code."""
    call.user.aff_code = call.user.aff_code or f"A{call.user.id}xy"
    return succeeded(call.user.aff_code)


# Keys


def tokens(call: Call) -> Reply:
    """Answer `/api/token/`."""
    keys = call.world.keys_of(call.user)
    page, size, shown = call.dialect.key_paging.cut(keys, call.query)
    rows = [call.dialect.key_row(key) for key in shown]
    return succeeded(call.dialect.key_paging.wrap(page, size, len(keys), rows))


def token(call: Call) -> Reply:
    """Answer `/api/token/:id`."""
    if not call.parameter.isdigit():
        return _not_a_number(call)
    key = call.world.keys.get(int(call.parameter))
    if key is None or key.user_id != call.user.id:
        return call.failed(texts.NOT_FOUND)
    return succeeded(call.dialect.key_row(key))


# What was spent


def log(call: Call) -> Reply:
    """Answer `/api/log/self`."""
    dialect = call.dialect
    wanted = call.integer(dialect.log_type_parameter)
    rows = [
        row
        for row in call.world.log_of(call.user)
        if wanted in (0, row.type) and _is_asked_for(call, row)
    ]
    page, size, shown = dialect.log_paging.cut(rows, call.query)
    first = (page - dialect.log_paging.first) * size + 1
    lines = [dialect.log_row(row, number) for number, row in enumerate(shown, first)]
    return succeeded(dialect.log_paging.wrap(page, size, len(rows), lines))


def log_stat(call: Call) -> Reply:
    """Answer `/api/log/self/stat`."""
    consumed = [r for r in call.world.log_of(call.user) if r.type == LogType.CONSUME]
    said = {"quota": sum(row.quota for row in consumed if _is_asked_for(call, row))}
    if call.dialect.stat_has_rates:
        # Whatever the range, rates are those of the last minute.
        recent = [row for row in consumed if row.at >= call.now - _MINUTE]
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
    sums = summed(
        (r for r in call.world.exported(call.user) if start <= r.hour <= end),
        lambda row: (row.key_id, row.key_name, row.model),
    )
    return succeeded(
        [
            {
                "token_id": key_id,
                "token_name": key_name,
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
    recent = [
        row
        for row in call.world.log_of(call.user)
        if row.type == LogType.CONSUME and row.at >= call.now - _MINUTE
    ]
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


# Plans, rewards and payments


def subscriptions(call: Call) -> Reply:
    """Answer `/api/subscription/self`."""
    mine = sorted(
        (each for each in call.world.subscriptions if each.user_id == call.user.id),
        key=lambda each: -each.end_time,
    )
    rows = [(plan, _subscription_row(plan, call.now)) for plan in mine]
    return succeeded(
        {
            "all_subscriptions": [row for _, row in rows],
            "billing_preference": call.user.billing_preference,
            "subscriptions": [row for plan, row in rows if plan.is_active(call.now)],
        }
    )


def plans(_call: Call) -> Reply:
    """Answer `/api/subscription/plans`; nothing is for sale."""
    return succeeded([])


def check_in(call: Call) -> Reply:
    """Answer `/api/user/checkin`."""
    if not call.options.check_in:
        return call.failed(texts.CHECK_IN_DISABLED)
    today = f"{_local(call, call.now):%Y-%m-%d}"
    month = call.query.get("month") or today[:7]
    mine = [each for each in call.world.check_ins if each.user_id == call.user.id]
    shown = [each for each in mine if each.date.startswith(month)]
    least, most = call.options.check_in_quota
    said = {
        "enabled": True,
        "max_quota": most,
        "min_quota": least,
        "stats": {
            "checked_in_today": any(each.date == today for each in mine),
            "checkin_count": len(shown),
            "records": [
                {"checkin_date": each.date, "quota_awarded": each.quota}
                for each in reversed(shown)
            ],
            "total_checkins": len(mine),
            "total_quota": sum(each.quota for each in mine),
        },
    }
    return json_reply({"data": said, "success": True})


def veloera_check_in(call: Call) -> Reply:
    """Answer Veloera's `/api/user/check_in_status`."""
    today = f"{_local(call, call.now):%Y-%m-%d}"
    done = any(
        each.user_id == call.user.id and each.date == today
        for each in call.world.check_ins
    )
    return succeeded({"can_check_in": call.options.check_in and not done})


def top_ups(call: Call) -> Reply:
    """Answer `/api/user/topup/self`."""
    paging = call.dialect.log_paging
    mine = [each for each in call.world.top_ups if each.user_id == call.user.id]
    page, size, shown = paging.cut(mine[::-1], call.query)
    rows = [
        {
            "id": each.id,
            "user_id": each.user_id,
            "amount": each.amount,
            "money": each.money,
            "trade_no": each.trade_no,
            "payment_method": "alipay",
            "payment_provider": "epay",
            "create_time": each.at,
            "complete_time": each.at + 30,
            "status": "success",
        }
        for each in shown
    ]
    return succeeded(paging.wrap(page, size, len(mine), rows))


def top_up_info(_call: Call) -> Reply:
    """Answer `/api/user/topup/info`; nothing can be paid here."""
    providers = ("creem", "online", "stripe", "waffo", "waffo_pancake")
    return succeeded(
        {
            "amount_options": [10, 20, 50, 100, 200, 500],
            "creem_products": "[]",
            "discount": {},
            "enable_redemption": False,
            **{f"enable_{provider}_topup": False for provider in providers},
            "min_topup": 1,
            "pay_methods": [],
            "payment_compliance_confirmed": False,
            "payment_compliance_terms_version": "v1",
            "stripe_min_topup": 1,
            "topup_link": "",
            "waffo_min_topup": 1,
            "waffo_pancake_min_topup": 1,
            "waffo_pay_methods": None,
        }
    )


def _subscription_row(plan: Subscription, now: int) -> Row:
    return {
        "subscription": {
            "id": plan.id,
            "user_id": plan.user_id,
            "plan_id": plan.plan_id,
            "amount_total": plan.amount_total,
            "amount_used": plan.amount_used,
            "start_time": plan.start_time,
            "end_time": plan.end_time,
            "status": "active" if plan.is_active(now) else "expired",
            "source": "admin",
            "last_reset_time": plan.last_reset_time,
            "next_reset_time": plan.next_reset_time,
            "upgrade_group": "",
            "prev_user_group": "",
            "downgrade_group": "",
            "allow_wallet_overflow": False,
            "created_at": plan.created_at,
            "updated_at": plan.created_at,
        }
    }


def _dashboard(
    call: Call,
    log: Iterable[LogRow],
    write: Callable[[str, str, list[LogRow]], Row],
) -> Reply:
    """Sum up the last days per day and model."""
    today = _local(call, call.now).replace(hour=0, minute=0, second=0, microsecond=0)
    start = (today - timedelta(days=_DAYS_ON_THE_DASHBOARD - 1)).timestamp()
    rows: dict[tuple[str, str], list[LogRow]] = {}
    for row in log:
        if row.type == LogType.CONSUME and row.at >= start:
            day = f"{_local(call, row.at):%Y-%m-%d}"
            rows.setdefault((day, row.model), []).append(row)
    # A list that was never filled is null there.
    return succeeded([write(*what, rows[what]) for what in sorted(rows)] or None)


def _is_asked_for(call: Call, row: LogRow) -> bool:
    start, end = call.integer("start_timestamp"), call.integer("end_timestamp")
    return (
        row.at >= start
        and (not end or row.at <= end)
        and _matches(row.key_name, call.query.get("token_name", ""))
        and _matches(row.model, call.query.get("model_name", ""))
    )


def _matches(value: str, wanted: str) -> bool:
    return not wanted or fnmatchcase(value, wanted.replace("%", "*"))


def _local(call: Call, at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(call.options.time_zone))


def _not_a_number(call: Call) -> Reply:
    return failed(f'strconv.Atoi: parsing "{call.parameter}": invalid syntax')
