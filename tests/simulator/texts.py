"""What gateways say in words."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Text:
    """A message in the two languages that gateways speak."""

    chinese: str
    english: str

    def with_values(self, **values: object) -> Text:
        """Fill in the blanks."""
        return Text(self.chinese.format(**values), self.english.format(**values))


def only_chinese(text: str) -> Text:
    """Return a message that was never translated."""
    return Text(text, text)


NOT_LOGGED_IN: Final = Text(
    "无权进行此操作，未登录且未提供 access token",
    "Unauthorized, not logged in and no access token provided",
)
INVALID_ACCESS_TOKEN: Final = Text(
    "无权进行此操作，access token 无效", "Unauthorized, invalid access token"
)
NO_USER_ID: Final = Text(
    "无权进行此操作，未提供 {header}", "Unauthorized, {header} header not provided"
)
MALFORMED_USER_ID: Final = Text(
    "无权进行此操作，{header} 格式错误", "Unauthorized, {header} header format error"
)
OTHER_USER_ID: Final = Text(
    "无权进行此操作，{header} 与登录用户不匹配",
    "Unauthorized, {header} does not match logged in user",
)
INSUFFICIENT_PRIVILEGE: Final = Text(
    "无权进行此操作，权限不足", "Unauthorized, insufficient privileges"
)
BANNED: Final = Text("用户已被封禁", "User has been banned")

INVALID_KEY: Final = Text("无效的令牌", "Invalid token")
KEY_MISSING: Final = Text("未提供令牌", "Token not provided")
KEY_UNAVAILABLE: Final = Text("该令牌状态不可用", "This token status is unavailable")
KEY_NOT_READ: Final = Text(
    "获取令牌信息失败，请稍后重试", "Failed to get token info, please try again later"
)
NO_BEARER: Final = Text("Invalid Bearer token", "Invalid Bearer token")

SPAN_TOO_LONG: Final = only_chinese("时间跨度不能超过 1 个月")
CHECK_IN_DISABLED: Final = only_chinese("签到功能未启用")
SIZE_TOO_LARGE: Final = only_chinese("size 参数不能超过 {cap}")
NOT_FOUND: Final = only_chinese("record not found")
NO_PRICING: Final = Text("价格页面已禁用", "pricing is disabled")
