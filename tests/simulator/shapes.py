"""How each family writes down people, keys, models and lines of the log."""

from collections.abc import Mapping
import json
from typing import Any, Final

from .call import Call
from .records import NEVER, Key, LogRow, LogType, Model, Role, User

type Row = dict[str, Any]

_SECONDS_OF_A_REQUEST: Final = 2

# People


def new_api_0_6_user(user: User) -> Row:
    """Write the whole row, as New API did before v0.9.0."""
    return {
        **_first_fields_of(user),
        "github_id": "",
        "oidc_id": "",
        "wechat_id": "",
        "telegram_id": "",
        "verification_code": "",
        "access_token": None,
        "quota": user.quota,
        "used_quota": user.used_quota,
        "request_count": user.request_count,
        "group": user.group,
        "aff_code": user.aff_code,
        "aff_count": user.aff_count,
        "aff_quota": user.aff_quota,
        "aff_history_quota": user.aff_history,
        "inviter_id": 0,
        "DeletedAt": None,
        "linux_do_id": "",
        "setting": _setting(user),
    }


def new_api_0_9_user(user: User) -> Row:
    """Write the chosen fields that New API shows since v0.9.0."""
    return {
        "aff_code": user.aff_code,
        "aff_count": user.aff_count,
        "aff_history_quota": user.aff_history,
        "aff_quota": user.aff_quota,
        "display_name": user.display_name,
        "email": user.email,
        "group": user.group,
        "id": user.id,
        "inviter_id": 0,
        "linux_do_id": "",
        "permissions": {
            "sidebar_modules": {"admin": _admin_sidebar(user)},
            "sidebar_settings": True,
        },
        "quota": user.quota,
        "request_count": user.request_count,
        "role": user.role,
        "setting": _setting(user),
        "sidebar_modules": "",
        "status": user.status,
        "stripe_customer": "",
        "used_quota": user.used_quota,
        "username": user.name,
    }


def new_api_0_12_user(user: User) -> Row:
    """Add the accounts at third parties."""
    return {
        **new_api_0_9_user(user),
        "discord_id": "",
        "github_id": "",
        "oidc_id": "",
        "telegram_id": "",
        "wechat_id": "",
    }


def new_api_rc_user(user: User) -> Row:
    """Add what an administrator may do."""
    row = new_api_0_12_user(user)
    is_admin = user.role >= Role.ADMIN
    row["permissions"]["admin_permissions"] = {
        "channel": {
            "operate": is_admin,
            "read": is_admin,
            "secret_view": False,
            "sensitive_write": False,
            "write": is_admin,
        }
    }
    return row


def one_api_user(user: User) -> Row:
    """Write One API's row."""
    return {
        **_first_fields_of(user),
        "github_id": "",
        "wechat_id": "",
        "lark_id": "",
        "oidc_id": "",
        "verification_code": "",
        "access_token": "",
        "quota": user.quota,
        "used_quota": user.used_quota,
        "request_count": user.request_count,
        "group": user.group,
        "aff_code": user.aff_code,
        "inviter_id": 0,
    }


def one_hub_user(user: User) -> Row:
    """Write One Hub's row, which gives the access token away."""
    return {
        **_first_fields_of(user),
        "avatar_url": "",
        "oidc_id": "",
        "github_id": "",
        "github_id_new": 0,
        "wechat_id": "",
        "telegram_id": 0,
        "lark_id": "",
        "verification_code": "",
        "access_token": user.access_token,
        "quota": user.quota,
        "used_quota": user.used_quota,
        "request_count": user.request_count,
        "group": user.group,
        "aff_code": user.aff_code,
        "aff_count": user.aff_count,
        "aff_quota": user.aff_quota,
        "aff_history_quota": user.aff_history,
        "inviter_id": 0,
        "last_login_time": 0,
        "last_login_ip": "",
        "created_time": user.created_at,
    }


def _first_fields_of(user: User) -> Row:
    return {
        "id": user.id,
        "username": user.name,
        "password": "",
        "display_name": user.display_name,
        "role": user.role,
        "status": user.status,
        "email": user.email,
    }


def _admin_sidebar(user: User) -> Any:
    # What is not named here is allowed.
    return {"setting": False} if user.role >= Role.ADMIN else False


def _setting(user: User) -> str:
    if user.setting or user.billing_preference == "subscription_first":
        return user.setting
    return json.dumps({"billing_preference": user.billing_preference})


# Keys


def new_api_0_9_key(key: Key) -> Row:
    """Write a key with its secret, as New API did up to v0.11.3."""
    return {
        "id": key.id,
        "user_id": key.user_id,
        "key": key.secret,
        "status": key.status,
        "name": key.name,
        "created_time": key.created_at,
        "accessed_time": key.accessed_at,
        "expired_time": key.expires_at,
        "remain_quota": key.remain_quota,
        "unlimited_quota": key.unlimited,
        "model_limits_enabled": key.model_limits_enabled,
        "model_limits": ",".join(key.model_limits),
        "allow_ips": "\n".join(key.allow_ips),
        "used_quota": key.used_quota,
        "group": key.group,
        "DeletedAt": None,
    }


def new_api_0_12_key(key: Key) -> Row:
    """Mask the secret."""
    return {
        **new_api_0_9_key(key),
        "key": f"{key.secret[:4]}**********{key.secret[-4:]}",
        "cross_group_retry": False,
    }


def new_api_main_key(key: Key) -> Row:
    """Add the groups a key may fall back to."""
    return {**new_api_0_12_key(key), "auto_groups": None}


def one_api_key(key: Key) -> Row:
    """Write One API's row."""
    return {
        **_first_fields_of_key(key),
        "models": ",".join(key.model_limits) if key.model_limits else None,
        "subnet": key.subnet,
    }


def one_hub_key(key: Key) -> Row:
    """Write One Hub's row with its nested setting."""
    # The lists are null until the first of the two limits is set.
    models, addresses = list(key.model_limits), list(key.allow_ips)
    was_set = bool(models or addresses)
    return {
        **_first_fields_of_key(key),
        "group": key.group,
        "backup_group": "",
        "setting": {
            "heartbeat": {"enabled": False, "timeout_seconds": 0},
            "limits": {
                "limit_model_setting": {
                    "enabled": key.model_limits_enabled,
                    "models": models if was_set else None,
                },
                "limits_ip_setting": {
                    "enabled": bool(addresses),
                    "whitelist": addresses if was_set else None,
                },
            },
        },
    }


def _first_fields_of_key(key: Key) -> Row:
    return {
        "id": key.id,
        "user_id": key.user_id,
        "key": key.secret,
        "status": key.status,
        "name": key.name,
        "created_time": key.created_at,
        "accessed_time": key.accessed_at,
        "expired_time": key.expires_at,
        "remain_quota": key.remain_quota,
        "unlimited_quota": key.unlimited,
        "used_quota": key.used_quota,
    }


def token_usage(key: Key) -> Row:
    """Write what `/api/usage/token/` says."""
    return {
        "object": "token_usage",
        "name": key.name,
        "total_granted": key.remain_quota + key.used_quota,
        "total_used": key.used_quota,
        "total_available": key.remain_quota,
        "unlimited_quota": key.unlimited,
        "model_limits": dict.fromkeys(key.model_limits, True),
        "model_limits_enabled": key.model_limits_enabled,
        "expires_at": 0 if key.expires_at == NEVER else key.expires_at,
    }


# The log


def new_api_0_9_log(row: LogRow, _number: int) -> Row:
    """Write a line with its number in the database, cut down."""
    return {
        "id": row.id % 1024,
        "user_id": row.user_id,
        "created_at": row.at,
        "type": row.type,
        "content": row.content,
        "username": row.user_name,
        "token_name": row.key_name,
        "model_name": row.model,
        "quota": row.quota,
        "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens,
        "use_time": _SECONDS_OF_A_REQUEST if _is_request(row) else 0,
        "is_stream": False,
        "channel": int(_is_request(row)),
        "channel_name": "",
        "token_id": row.key_id,
        "group": "default" if _is_request(row) else "",
        "ip": "",
        "other": "{}" if _is_request(row) else "null",
    }


def new_api_0_12_log(row: LogRow, number: int) -> Row:
    """Give the lines of the answer numbers, and name the request."""
    written = {**new_api_0_9_log(row, number), "id": number}
    if row.request_id:
        written["request_id"] = row.request_id
    return written


def one_api_log(row: LogRow, _number: int) -> Row:
    """Write One API's line."""
    return {
        **_first_fields_of_log(row),
        "channel": int(_is_request(row)),
        "request_id": row.request_id,
        "elapsed_time": _SECONDS_OF_A_REQUEST * 1000 if _is_request(row) else 0,
        "is_stream": False,
        "system_prompt_reset": False,
    }


def one_hub_log(row: LogRow, _number: int) -> Row:
    """Write One Hub's line."""
    return {
        **_first_fields_of_log(row),
        "channel_id": int(_is_request(row)),
        "request_time": _SECONDS_OF_A_REQUEST * 1000 if _is_request(row) else 0,
        "is_stream": False,
        "source_ip": "",
        "metadata": {} if _is_request(row) else None,
        "channel": None,
    }


def _first_fields_of_log(row: LogRow) -> Row:
    return {
        "id": 0,
        "user_id": row.user_id,
        "created_at": row.at,
        "type": row.type,
        "content": row.content,
        "username": row.user_name,
        "token_name": row.key_name,
        "model_name": row.model,
        "quota": row.quota,
        "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens,
    }


def _is_request(row: LogRow) -> bool:
    return row.type == LogType.CONSUME


# Models

_CREATED: Final = 1_626_777_600
_ONE_HUB_CREATED: Final = 1_677_649_963

_ONE_API_PERMISSION: Final = {
    "id": "modelperm-LwHkVFn8AcMItP432fKKDIKJ",
    "object": "model_permission",
    "created": _CREATED,
    "allow_create_engine": True,
    "allow_sampling": True,
    "allow_logprobs": True,
    "allow_search_indices": False,
    "allow_view": True,
    "allow_fine_tuning": False,
    "organization": "*",
    "group": None,
    "is_blocking": False,
}

# Which adaptors know the models of a vendor, in the order of their lists.
_ONE_API_OWNERS: Final = {
    "OpenAI": ("openai",),
    "Anthropic": ("anthropic", "aws"),
    "DeepSeek": ("deepseek",),
}
_NEW_API_0_9_OWNERS: Final = {
    "OpenAI": "openai",
    "Anthropic": "vertex-ai",
    "DeepSeek": "deepseek",
}

ONE_HUB_PRICES: Final[Mapping[str, Row]] = {
    name: {
        "model": name,
        "type": "tokens",
        "channel_type": channel_type,
        "input": price,
        "output": completion_price,
        "locked": False,
    }
    for name, channel_type, price, completion_price in (
        ("gpt-4o", 1, 2.5, 7.5),
        ("deepseek-chat", 28, 0.75, 0.75),
    )
}
_ONE_HUB_NO_PRICE: Final = {
    "model": "",
    "type": "tokens",
    "channel_type": 0,
    "input": 30,
    "output": 30,
    "locked": False,
}
_ONE_HUB_OWNERS: Final = {1: "OpenAI", 28: "Deepseek"}


def new_api_0_6_models(name: str, model: Model | None) -> list[Row]:
    """Write a model as OpenAI once did."""
    owner = _NEW_API_0_9_OWNERS.get(model.vendor, "custom") if model else "custom"
    return [_openai_model(name, owner)]


def new_api_0_9_models(name: str, model: Model | None) -> list[Row]:
    """Name the adaptor that knows the model, and what can be called."""
    owner = _NEW_API_0_9_OWNERS.get(model.vendor, "custom") if model else "custom"
    return [_new_api_model(name, owner, known=model is not None)]


def new_api_rc_models(name: str, model: Model | None) -> list[Row]:
    """Name the channel that serves the model; all are of one kind here."""
    owner = "openai" if model else "custom"
    return [_new_api_model(name, owner, known=model is not None)]


def one_api_models(name: str, model: Model | None) -> list[Row]:
    """Write a model once for every adaptor that knows it."""
    if model is None:
        return [{**_openai_model(name, "custom"), "permission": None}]
    owners = _ONE_API_OWNERS.get(model.vendor, ("custom",))
    return [_openai_model(name, owner) for owner in owners]


def one_hub_models(name: str, _model: Model | None) -> list[Row]:
    """Write a model in short."""
    return [
        {
            "id": name,
            "object": "model",
            "created": _ONE_HUB_CREATED,
            "owned_by": one_hub_owner(name),
        }
    ]


def one_hub_price(name: str) -> Row:
    """Return what One Hub takes for a model."""
    return ONE_HUB_PRICES.get(name, _ONE_HUB_NO_PRICE)


def one_hub_owner(name: str) -> str:
    """Return whose model One Hub believes this to be."""
    return _ONE_HUB_OWNERS.get(one_hub_price(name)["channel_type"], "未知")


def _openai_model(name: str, owner: str) -> Row:
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "owned_by": owner,
        "permission": [_ONE_API_PERMISSION],
        "root": name,
        "parent": None,
    }


def _new_api_model(name: str, owner: str, *, known: bool) -> Row:
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "owned_by": owner,
        "supported_endpoint_types": ["openai"] if known else [],
    }


# Hours


def new_api_0_9_hours(call: Call, start: int, end: int) -> list[Row]:
    """Write what was spent per model and hour, in the order it was booked."""
    return [
        {
            "id": spent.id,
            "user_id": call.user.id,
            "username": call.user.name,
            "model_name": model,
            "created_at": hour,
            "token_used": spent.tokens,
            "count": spent.count,
            "quota": spent.quota,
        }
        for (hour, model), spent in call.world.hours_of(call.user).items()
        if start <= hour <= end
    ]


def new_api_rc_hours(call: Call, start: int, end: int) -> list[Row]:
    """Group and sort them, with fields for what was grouped away."""
    return [
        {
            **row,
            "id": 0,
            "use_group": "",
            "token_id": 0,
            "channel_id": 0,
            "node_name": "",
        }
        for row in sorted(
            new_api_0_9_hours(call, start, end),
            key=lambda row: (row["model_name"], row["created_at"]),
        )
    ]
