"""What differs between the gateways: one dialect builds on the one before it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from . import accounts, keys, public, rewards, shapes, spending, status, texts
from .auth import (
    AccountRules,
    Gate,
    KeyFault,
    KeyRules,
    authenticate_account,
    authenticate_admin,
    authenticate_key,
    authenticate_key_to_read,
    no_authentication,
)
from .call import Call
from .limits import Bucket, Rate, Rates
from .paging import PageNames, Paging
from .records import Accounting, Key, LogRow, Model, User
from .replies import Headers, Reply
from .shapes import Row
from .texts import only_chinese


@dataclass(frozen=True, slots=True)
class Route:
    """A registered path: what answers, who may ask, what it uses up."""

    answer: Callable[[Call], Reply]
    gate: Gate
    buckets: tuple[Bucket, ...] = (Bucket.API,)


type Routes = Mapping[str, Route]
"""Registered paths; one that ends in `/:id` takes anything there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One gateway at one version."""

    name: str
    family: str
    version: str
    """What `/api/status` says."""
    routes: Routes
    rates: Rates
    key_rules: KeyRules
    account_rules: AccountRules
    accounting: Accounting
    status: status.Status
    translated: bool = False
    """Whether it speaks English, and Chinese where asked to."""
    headers: Headers = ()
    """On every answer."""
    signed_in_headers: Headers = ()
    """On every answer to an account that was let through."""
    page_headers: Headers = ()
    """On pages and on paths that do not exist."""
    page: str = "<!doctype html><title>spa</title><div id=root></div>\n"
    names_parameter: bool = True
    """Whether the refusal of an unknown path has a `param`."""
    sends_retry_after: bool = False
    knows_display_types: bool = False
    gates_pricing: bool = False
    versions_prices: bool = False
    own_group: Mapping[str, str] = field(default_factory=dict)
    model_limits: Literal["intersect", "verbatim", "ignore"]
    models_envelope: Row
    one_model: Row = field(default_factory=dict)
    """What `/v1/models/:model` says differently from the list."""
    key_paging: Paging
    log_paging: Paging
    log_type_parameter: str = "type"
    stat_has_rates: bool = True
    top_up_days: int | None = None
    """How many days of payments are shown, None for all."""
    bill: Callable[[Call], keys.Bill]
    user_row: Callable[[User], Row]
    key_row: Callable[[Key], Row]
    log_row: Callable[[LogRow, int], Row]
    model_rows: Callable[[str, Model | None], list[Row]]
    hour_rows: Callable[[Call, int, int], list[Row]] = shapes.new_api_0_9_hours
    price_row: Callable[[Model, int], Row] = public.new_api_0_9_price


def _rates(api: int, web: int) -> Rates:
    return {
        Bucket.API: Rate(api, 180),
        Bucket.WEB: Rate(web, 180),
        Bucket.CRITICAL: Rate(20, 1_200),
    }


def _open(answer: Callable[[Call], Reply]) -> Route:
    return Route(answer, no_authentication)


def _account(answer: Callable[[Call], Reply]) -> Route:
    return Route(answer, authenticate_account)


def _billing(*prefixes: str) -> Routes:
    return {
        f"{prefix}/dashboard/billing/{name}": Route(answer, authenticate_key)
        for prefix in prefixes
        for name, answer in (
            ("subscription", keys.subscription),
            ("usage", keys.usage),
        )
    }


_EVERY_FAMILY_ROUTES: Final[Routes] = {
    "/api/status": _open(public.status),
    "/api/notice": _open(public.notice),
    **_billing("/v1", ""),
    "/v1/models": Route(keys.models, authenticate_key, ()),
    "/v1/models/:model": Route(keys.one_model, authenticate_key, ()),
    "/api/user/self": _account(accounts.myself),
    "/api/user/token": _account(accounts.new_access_token),
    "/api/user/aff": _account(accounts.affiliate_code),
    "/api/user/:id": Route(accounts.another_user, authenticate_admin),
    "/api/token/": _account(accounts.tokens),
    "/api/token/:id": _account(accounts.token),
    "/api/log/self": _account(spending.log),
    "/api/log/self/stat": _account(spending.log_stat),
}

# New API

_NEW_API_TEXTS_0_6: Final = {
    KeyFault.MISSING: only_chinese("未提供令牌"),
    KeyFault.UNKNOWN: only_chinese("无效的令牌"),
    KeyFault.DISABLED: only_chinese("该令牌状态不可用"),
    KeyFault.EXPIRED: only_chinese("该令牌已过期"),
    KeyFault.EXHAUSTED: only_chinese("该令牌额度已用尽 TokenStatusExhausted[{masked}]"),
    KeyFault.RUN_DRY: only_chinese(
        "[{masked}] 该令牌额度已用尽 "
        "!token.UnlimitedQuota && token.RemainQuota = {remain}"
    ),
    KeyFault.BANNED: only_chinese("用户已被封禁"),
    KeyFault.ADDRESS: only_chinese("您的 IP 不在令牌允许访问的列表中"),
    KeyFault.GROUP: only_chinese("令牌分组 {group} 已被禁用"),
    KeyFault.CHANNEL: only_chinese("普通用户不支持指定渠道"),
}

NEW_API_0_6: Final = Dialect(
    name="new_api_0_6",
    family="new_api",
    version="v0.6.0",
    status=status.NEW_API_0_6,
    rates=_rates(api=180, web=60),
    routes={
        **_EVERY_FAMILY_ROUTES,
        "/api/pricing": _open(public.pricing),
        "/api/setup": _open(public.setup),
        "/api/user/groups": _open(public.groups),
        "/api/user/models": _account(accounts.models),
        "/api/user/self/groups": _account(public.groups),
        "/api/data/self": _account(spending.hours),
        "/api/log/token": _open(keys.log_of_token_in_query),
    },
    key_rules=KeyRules(
        texts=_NEW_API_TEXTS_0_6,
        codes=None,
        error_type="new_api_error",
        checks_address=False,
    ),
    account_rules=AccountRules(user_id_header="New-Api-User"),
    accounting=Accounting(),
    own_group={"": "用户分组"},
    model_limits="verbatim",
    models_envelope={"success": True},
    key_paging=Paging(first=0, sizes=("size",)),
    # Who names no size gets an empty page.
    log_paging=Paging(
        sizes=("page_size",),
        default=0,
        names=PageNames("page", "page_size", "total", "items"),
    ),
    bill=keys.new_api_bill,
    user_row=shapes.new_api_0_6_user,
    key_row=shapes.new_api_0_9_key,
    log_row=shapes.new_api_0_9_log,
    model_rows=shapes.new_api_0_6_models,
)

_NEW_API_PAGING: Final = Paging(names=PageNames("page", "page_size", "total", "items"))

NEW_API_0_9: Final = replace(
    NEW_API_0_6,
    name="new_api_0_9",
    version="v0.0.0",
    status=status.NEW_API_0_9,
    routes={
        **NEW_API_0_6.routes,
        "/api/uptime/status": _open(public.uptime),
        "/api/user/2fa/status": _account(accounts.two_factor),
        "/api/usage/token/": Route(
            keys.usage_of_token, authenticate_key, (Bucket.API, Bucket.CRITICAL)
        ),
    },
    key_rules=replace(NEW_API_0_6.key_rules, codes={}, checks_address=True),
    models_envelope={"object": "list", "success": True},
    one_model={"supported_endpoint_types": None},
    key_paging=_NEW_API_PAGING,
    log_paging=_NEW_API_PAGING,
    user_row=shapes.new_api_0_9_user,
    model_rows=shapes.new_api_0_9_models,
)

NEW_API_0_12: Final = replace(
    NEW_API_0_9,
    name="new_api_0_12",
    version="v0.12.6",
    status=status.NEW_API_0_12,
    translated=True,
    headers=(("X-New-Api-Version", "v0.12.6"),),
    signed_in_headers=(("Auth-Version", "864b7076dbcd0a3c01b5520316720ebf"),),
    page_headers=(
        (
            "Cache-Version",
            "b688f2fb5be447c25e5aa3bd063087a83db32a288bf6a4f35f2d8db310e40b14",
        ),
    ),
    routes={
        **NEW_API_0_9.routes,
        "/api/usage/token/": Route(
            keys.usage_of_token, authenticate_key_to_read, (Bucket.API, Bucket.CRITICAL)
        ),
        "/api/log/token": Route(
            keys.log_of_token, authenticate_key_to_read, (Bucket.API, Bucket.CRITICAL)
        ),
        "/api/subscription/self": _account(rewards.subscriptions),
        "/api/subscription/plans": _account(rewards.plans),
        "/api/user/checkin": _account(rewards.check_in),
        "/api/user/topup/self": _account(rewards.top_ups),
        "/api/user/topup/info": _account(rewards.top_up_info),
    },
    key_rules=replace(
        NEW_API_0_9.key_rules,
        codes={KeyFault.ADDRESS: "access_denied"},
        schemes=("Bearer ", "bearer "),
        trims=True,
        from_x_api_key=True,
        reads_disabled=True,
    ),
    accounting=Accounting(plans_pay=True, refunds_are_rows=True),
    knows_display_types=True,
    own_group={},
    user_row=shapes.new_api_0_12_user,
    key_row=shapes.new_api_0_12_key,
    log_row=shapes.new_api_0_12_log,
    price_row=public.new_api_rc_price,
)

NEW_API_RC21: Final = replace(
    NEW_API_0_12,
    name="new_api_rc21",
    version="v1.0.0-rc.21",
    status=status.NEW_API_RC21,
    accounting=Accounting(
        plans_pay=True, plans_can_be_strict=True, refunds_are_rows=True
    ),
    headers=(("X-New-Api-Version", "v1.0.0-rc.21"),),
    rates=_rates(api=360, web=120),
    routes={
        **NEW_API_0_12.routes,
        "/api/perf-metrics/summary": _open(public.performance),
        "/api/data/flow/self": _account(spending.flow),
    },
    key_rules=replace(
        NEW_API_0_12.key_rules,
        texts={
            **_NEW_API_TEXTS_0_6,
            # What is wrong with a key is nobody's business any more.
            **dict.fromkeys(
                (
                    KeyFault.MISSING,
                    KeyFault.UNKNOWN,
                    KeyFault.DISABLED,
                    KeyFault.EXPIRED,
                    KeyFault.EXHAUSTED,
                    KeyFault.RUN_DRY,
                ),
                texts.INVALID_KEY,
            ),
            KeyFault.BANNED: texts.BANNED,
            KeyFault.GROUP: only_chinese("无权访问 {group} 分组"),
        },
        reads_disabled=False,
    ),
    top_up_days=30,
    gates_pricing=True,
    versions_prices=True,
    one_model={"supported_endpoint_types": None, "owned_by": "advanced_custom"},
    user_row=shapes.new_api_rc_user,
    model_rows=shapes.new_api_rc_models,
    hour_rows=shapes.new_api_rc_hours,
)

NEW_API_MAIN: Final = replace(
    NEW_API_RC21,
    name="new_api_main",
    version="v1.0.0-rc.24",
    status=status.NEW_API_MAIN,
    headers=(("X-New-Api-Version", "v1.0.0-rc.24"),),
    account_rules=AccountRules(strict=True),
    accounting=Accounting(
        plans_pay=True,
        plans_can_be_strict=True,
        refunds_lower_used=True,
        refunds_are_rows=True,
    ),
    sends_retry_after=True,
    model_limits="intersect",
    key_row=shapes.new_api_main_key,
)

VELOERA: Final = replace(
    NEW_API_0_6,
    name="veloera",
    family="veloera",
    version="v0.0.0",
    status=status.VELOERA,
    routes={
        **NEW_API_0_6.routes,
        "/api/log/token": _account(keys.log_of_token_in_query),
        "/api/user/check_in_status": _account(rewards.veloera_check_in),
    },
    key_rules=replace(NEW_API_0_6.key_rules, error_type="veloera_error"),
    account_rules=AccountRules(user_id_header="Veloera-User"),
)

# One API and what came of it

ONE_API: Final = Dialect(
    name="one_api",
    family="one_api",
    version="v0.0.0",
    status=status.ONE_API,
    rates=_rates(api=480, web=240),
    routes={
        **_EVERY_FAMILY_ROUTES,
        "/api/user/available_models": _account(accounts.models),
        "/api/user/dashboard": _account(spending.one_api_dashboard),
    },
    key_rules=KeyRules(
        texts={
            **_NEW_API_TEXTS_0_6,
            KeyFault.EXHAUSTED: only_chinese("令牌 {name}（#{id}）额度已用尽"),
            KeyFault.RUN_DRY: only_chinese("该令牌额度已用尽"),
            KeyFault.ADDRESS: only_chinese(
                "该令牌只能在指定网段使用：{subnet}，当前 ip：{address}"
            ),
        },
        codes=None,
        error_type="one_api_error",
    ),
    account_rules=AccountRules(),
    accounting=Accounting(unlimited_keys_move=False),
    page="<!doctype html><title>spa</title>\n",
    model_limits="verbatim",
    models_envelope={"object": "list"},
    key_paging=Paging(first=0, sizes=()),
    log_paging=Paging(first=0, sizes=()),
    stat_has_rates=False,
    bill=keys.one_api_bill,
    user_row=shapes.one_api_user,
    key_row=shapes.one_api_key,
    log_row=shapes.one_api_log,
    model_rows=shapes.one_api_models,
)

_ONE_HUB_PAGING: Final = Paging(
    page="page",
    sizes=("size",),
    refuses_more=True,
    names=PageNames("page", "size", "total_count", "data"),
)

ONE_HUB: Final = replace(
    ONE_API,
    name="one_hub",
    family="one_hub",
    status=status.ONE_HUB,
    rates=_rates(api=300, web=240),
    routes={
        **_EVERY_FAMILY_ROUTES,
        "/api/available_model": _open(public.one_hub_available_models),
        "/api/user_group_map": _open(public.one_hub_groups),
        "/api/prices": _open(public.one_hub_prices),
        "/api/user/dashboard": _account(spending.one_hub_dashboard),
        "/api/user/dashboard/rate": _account(spending.one_hub_rates),
    },
    key_rules=KeyRules(
        texts={
            KeyFault.MISSING: texts.INVALID_KEY,
            KeyFault.UNKNOWN: texts.INVALID_KEY,
            KeyFault.DISABLED: only_chinese("令牌状态不可用"),
            KeyFault.EXPIRED: only_chinese("令牌已过期"),
            KeyFault.EXHAUSTED: only_chinese("令牌额度已用尽"),
            KeyFault.RUN_DRY: only_chinese("令牌额度已用尽"),
            KeyFault.BANNED: texts.INVALID_KEY,
            KeyFault.ADDRESS: only_chinese("IP {address} is not allowed to access"),
            KeyFault.GROUP: only_chinese("分组 {group} 已被弃用"),
            KeyFault.CHANNEL: only_chinese("普通用户不支持指定渠道"),
        },
        codes=None,
        error_type="one_hub_error",
        separator="#",
        shortest=48,
        marks_expired=False,
        bans_silently=True,
    ),
    page=NEW_API_0_6.page,
    names_parameter=False,
    model_limits="ignore",
    key_paging=_ONE_HUB_PAGING,
    log_paging=_ONE_HUB_PAGING,
    log_type_parameter="log_type",
    bill=keys.one_hub_bill,
    user_row=shapes.one_hub_user,
    key_row=shapes.one_hub_key,
    log_row=shapes.one_hub_log,
    model_rows=shapes.one_hub_models,
)

DIALECTS: Final[Mapping[str, Dialect]] = {
    dialect.name: dialect
    for dialect in (
        NEW_API_MAIN,
        NEW_API_RC21,
        NEW_API_0_12,
        NEW_API_0_9,
        NEW_API_0_6,
        ONE_API,
        ONE_HUB,
        VELOERA,
    )
}
"""Every gateway that can be simulated."""
