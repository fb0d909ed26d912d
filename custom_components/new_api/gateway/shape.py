"""The shape of a reply: types and lengths, and nothing that it says."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

type Shape = str | dict[str, Any]
"""`text(12)`, `integer(7)` and `number(3)` by characters and digits, `boolean`, `null`;
`object(5)` by fields, or `{"object": 5, "fields": {name: Shape}}` with those whose
names are known; `list(9)`, or `{"list": 9, "items": [Shape, ...]}` with some that
differ.
"""

# What the client reads. Any other name may be that of a model or of a person.
_KNOWN_FIELDS: Final = frozenset(
    {
        # Envelopes
        "code",
        "data",
        "error",
        "message",
        "success",
        # Pages
        "items",
        "page_size",
        "size",
        "total",
        "total_count",
        # The site
        "PaymentUSDRate",
        "announcements",
        "announcements_enabled",
        "categoryName",
        "chat_link",
        "check_in_enabled",
        "checkin_enabled",
        "content",
        "custom_currency_exchange_rate",
        "custom_currency_symbol",
        "display_in_currency",
        "enable_data_export",
        "lark_client_id",
        "monitors",
        "publishDate",
        "quota_display_type",
        "quota_per_unit",
        "self_use_mode_enabled",
        "system_name",
        "type",
        "uptime",
        "uptime_kuma_enabled",
        "usd_exchange_rate",
        "version",
        # Accounts and keys
        "aff_quota",
        "expired_time",
        "expires_at",
        "group",
        "id",
        "key",
        "name",
        "quota",
        "remain_quota",
        "request_count",
        "status",
        "total_available",
        "total_used",
        "unlimited_quota",
        "used_quota",
        "user_id",
        "username",
        # Billing
        "access_until",
        "hard_limit_usd",
        "total_usage",
        # Models
        "groups",
        # What was spent
        "CompletionTokens",
        "Day",
        "ModelName",
        "PromptTokens",
        "Quota",
        "RequestCount",
        "completion_tokens",
        "count",
        "created_at",
        "date",
        "model_name",
        "prompt_tokens",
        "rpm",
        "token_id",
        "token_used",
        "tpm",
        # Plans
        "all_subscriptions",
        "allow_wallet_overflow",
        "amount_total",
        "amount_used",
        "billing_preference",
        "end_time",
        "last_reset_time",
        "next_reset_time",
        "plan",
        "plan_id",
        "quota_reset_custom_seconds",
        "quota_reset_period",
        "start_time",
        "subscription",
        "subscriptions",
        "title",
        # What a site offers
        "can_check_in",
        "checked_in",
        "checked_in_today",
        "enabled",
        "max_quota",
        "min_quota",
        "ratio",
        "stats",
    }
)

_DEEPEST: Final = 5
_MOST_VALUES: Final = 1_000
_MOST_ITEMS: Final = 100
_MOST_DIFFERENT: Final = 3

_NO_LENGTHS: Final = str.maketrans("", "", "0123456789")


def shape_of(value: Any) -> Shape:
    """Return the shape of a JSON value, whose size is bounded whatever the value is."""
    return _Sketch().shape(value, 0)


class _Sketch:
    """Looks at a value, for as long as there is paper left."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def shape(self, value: Any, depth: int) -> Shape:
        self._left -= 1
        match value:
            case None:
                return "null"
            case bool():
                return "boolean"
            case int():
                return f"integer({len(str(abs(value)))})"
            case str():
                return f"text({len(value)})"
            case Mapping():
                return self._of_object(value, depth)
            case list():
                return self._of_list(value, depth)
        return f"number({len(Decimal(value).as_tuple().digits)})"

    def _of_object(self, value: Mapping[str, Any], depth: int) -> Shape:
        fields: dict[str, Shape] = {}
        for name in sorted(_KNOWN_FIELDS & value.keys()):
            if not self._may_go_deeper(depth):
                break
            fields[name] = self.shape(value[name], depth + 1)
        if not fields:
            return f"object({len(value)})"
        return {"object": len(value), "fields": fields}

    def _of_list(self, value: list[Any], depth: int) -> Shape:
        different: dict[str, Shape] = {}
        for item in value[:_MOST_ITEMS]:
            if len(different) == _MOST_DIFFERENT or not self._may_go_deeper(depth):
                break
            shape = self.shape(item, depth + 1)
            # The one key without a figure is worth more than three of other lengths.
            different.setdefault(repr(shape).translate(_NO_LENGTHS), shape)
        if not different:
            return f"list({len(value)})"
        return {"list": len(value), "items": [*different.values()]}

    def _may_go_deeper(self, depth: int) -> bool:
        return depth < _DEEPEST and self._left > 0
