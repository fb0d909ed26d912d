"""Answers that need no credential."""

from typing import Any, Final

from . import texts
from .auth import authenticate_account
from .call import Call
from .records import Model, Monitor
from .replies import Reply, json_reply, succeeded
from .shapes import Row, one_hub_owner, one_hub_price

_PRICING_VERSION: Final = "a42d372ccf0b5dd13ecf71203521f9d2"
_PRICE_RULES_VERSION: Final = (
    "5a90f2b86c08bd983a9a2e6d66c255f4eaef9c4bc934386d2b6ae84ef0ff1f1f"
)
_VENDOR_ICONS: Final = {"OpenAI": "OpenAI", "Anthropic": "Claude.Color"}


def status(call: Call) -> Reply:
    """Answer `/api/status`."""
    options, dialect = call.options, call.dialect
    said: dict[str, Any] = {
        **dialect.status,
        "display_in_currency": (
            options.quota_display_type != "TOKENS"
            if dialect.knows_display_types
            else options.display_in_currency
        ),
        "quota_per_unit": options.quota_per_unit,
        "start_time": call.world.started_at,
        "system_name": options.system_name,
        "version": dialect.version,
    }
    settings = {
        "HeaderNavModules": options.header_nav_modules,
        "announcements": list(options.announcements),
        "announcements_enabled": options.announcements_enabled,
        "check_in_enabled": options.check_in,
        "checkin_enabled": options.check_in,
        "custom_currency_exchange_rate": options.custom_currency_exchange_rate,
        "custom_currency_symbol": options.custom_currency_symbol,
        "enable_data_export": options.data_export,
        "uptime_kuma_enabled": options.uptime_kuma,
        "quota_display_type": options.quota_display_type,
        "usd_exchange_rate": options.usd_exchange_rate,
    }
    # A server only says what it knows of.
    filled = {
        name: settings[name] if value is None else value for name, value in said.items()
    }
    if not options.announcements_enabled:
        filled.pop("announcements", None)
    return succeeded({**filled, **options.status})


def notice(call: Call) -> Reply:
    """Answer `/api/notice`."""
    return succeeded(call.options.notice)


def pricing(call: Call) -> Reply:
    """Answer `/api/pricing`."""
    options, dialect = call.options, call.dialect
    if dialect.gates_pricing:
        if options.pricing_is_hidden:
            return call.failed(texts.NO_PRICING, 403)
        if options.pricing_needs_login:
            authenticate_account(call)
    vendors = list(dict.fromkeys(model.vendor for model in call.world.models))
    prices = [
        dialect.price_row(model, vendors.index(model.vendor) + 1)
        for model in call.world.models
    ]
    groups = call.world.groups
    said: dict[str, Any] = {
        "auto_groups": ["default"],
        "data": prices,
        "group_ratio": {name: group.ratio for name, group in groups.items()},
        "success": True,
        "supported_endpoint": {
            "openai": {"path": "/v1/chat/completions", "method": "POST"}
        },
        "usable_group": {
            **dialect.own_group,
            **{name: group.description for name, group in groups.items()},
        },
        "vendors": [
            {
                "id": number,
                "name": vendor,
                "icon": _VENDOR_ICONS.get(vendor, f"{vendor}.Color"),
            }
            for number, vendor in enumerate(vendors, 1)
        ],
    }
    if dialect.versions_prices:
        said["pricing_version"] = _PRICING_VERSION
        if prices:
            # The version of the price rules stands in the first row, whichever it is.
            prices[0]["pricing_version"] = _PRICE_RULES_VERSION
    return json_reply(said)


def new_api_0_9_price(model: Model, vendor_id: int) -> Row:
    """Write the price of a model."""
    return {
        "model_name": model.name,
        "vendor_id": vendor_id,
        "quota_type": 0,
        "model_ratio": model.ratio,
        "model_price": 0,
        "owner_by": "",
        "completion_ratio": model.completion_ratio,
        "enable_groups": ["default"],
        "supported_endpoint_types": ["openai"],
    }


def new_api_rc_price(model: Model, vendor_id: int) -> Row:
    """Add what cached tokens cost."""
    row = new_api_0_9_price(model, vendor_id)
    if model.cache_ratio is not None:
        row["cache_ratio"] = model.cache_ratio
    if model.create_cache_ratio is not None:
        row["create_cache_ratio"] = model.create_cache_ratio
    return row


def uptime(call: Call) -> Reply:
    """Answer `/api/uptime/status`."""
    world = call.world
    categories = dict.fromkeys(monitor.category for monitor in world.monitors)
    return succeeded(
        [
            {
                "categoryName": category,
                "monitors": [
                    _monitor_row(monitor)
                    for monitor in world.monitors
                    if monitor.category == category
                    and category not in world.silent_monitors
                ],
            }
            for category in categories
        ]
    )


def _monitor_row(monitor: Monitor) -> Row:
    row: Row = {
        "name": monitor.name,
        "uptime": monitor.uptime,
        "status": int(monitor.status),
    }
    return {**row, "group": monitor.group} if monitor.group else row


def performance(call: Call) -> Reply:
    """Answer `/api/perf-metrics/summary`."""
    return json_reply({"data": {"models": call.world.performance}, "success": True})


def groups(call: Call) -> Reply:
    """Answer `/api/user/groups` and `/api/user/self/groups`."""
    return succeeded(
        {
            name: {"desc": group.description, "ratio": group.ratio}
            for name, group in call.world.groups.items()
        }
    )


def setup(_call: Call) -> Reply:
    """Answer `/api/setup`."""
    done = {"status": True, "root_init": False, "database_type": ""}
    return json_reply({"data": done, "success": True})


def one_hub_available_models(call: Call) -> Reply:
    """Answer One Hub's `/api/available_model`."""
    return succeeded(
        {
            model.name: {
                "groups": ["default"],
                "owned_by": one_hub_owner(model.name),
                "price": one_hub_price(model.name),
            }
            for model in call.world.models
        }
    )


def one_hub_groups(call: Call) -> Reply:
    """Answer One Hub's `/api/user_group_map`."""
    group = call.world.groups["default"]
    return succeeded(
        {
            "default": {
                "id": 3,
                "symbol": "default",
                "name": group.description,
                "ratio": group.ratio,
                "api_rate": 600,
                "public": True,
                "promotion": False,
                "min": 0,
                "max": 0,
                "enable": True,
            }
        }
    )


def one_hub_prices(call: Call) -> Reply:
    """Answer One Hub's `/api/prices`."""
    return succeeded([one_hub_price(model.name) for model in call.world.models])
