"""What `/api/status` says, version by version; None is filled in from the options."""

from collections.abc import Mapping
from typing import Any, Final

type Status = Mapping[str, Any]

_LOCALHOST: Final = "http://localhost:3000"

_LOBE: Final = (
    "https://chat-preview.lobehub.com/?settings="
    '{"keyVaults":{"openai":{"apiKey":"{key}","baseURL":"{address}/v1"}}}'
)
_AIAW: Final = (
    'https://aiaw.app/set-provider?provider={"type":"openai","settings":'
    '{"apiKey":"{key}","baseURL":"{address}/v1","compatibility":"strict"}}'
)
_CHATS: Final = {
    "Cherry Studio": "cherrystudio://providers/api-keys?v=1&data={cherryConfig}",
    "AionUI": "aionui://provider/add?v=1&data={aionuiConfig}",
    "流畅阅读": "fluentread",
    "CC Switch": "ccswitch",
    "DeepChat": "deepchat://provider/install?v=1&data={deepchatConfig}",
    "Lobe Chat 官方示例": _LOBE,
    "AI as Workspace": _AIAW,
    "AMA 问天": "ama://set-api-key?server={address}&key={key}",
    "OpenCat": "opencat://team/join?domain={address}&token={key}",
}


def _chats(*without: str) -> list[dict[str, str]]:
    return [{name: link} for name, link in _CHATS.items() if name not in without]


def _without(status: Status, *names: str) -> Status:
    return {name: value for name, value in status.items() if name not in names}


_EVERY_FAMILY: Final[Status] = {
    "email_verification": False,
    "footer_html": "",
    "github_client_id": "",
    "github_oauth": False,
    "logo": "",
    "server_address": _LOCALHOST,
    "top_up_link": "",
    "turnstile_check": False,
    "turnstile_site_key": "",
    "wechat_login": False,
    "wechat_qrcode": "",
}

NEW_API_0_6: Final[Status] = {
    **_EVERY_FAMILY,
    "chats": _chats("AionUI", "CC Switch", "DeepChat"),
    "data_export_default_time": "hour",
    "default_collapse_sidebar": False,
    "demo_site_enabled": False,
    "docs_link": "https://docs.newapi.pro",
    "enable_batch_update": False,
    "enable_data_export": None,
    "enable_drawing": True,
    "enable_online_topup": False,
    "enable_task": True,
    "linuxdo_client_id": "",
    "linuxdo_oauth": False,
    "min_topup": 1,
    "mj_notify_enabled": False,
    "oidc_authorization_endpoint": "",
    "oidc_client_id": "",
    "oidc_enabled": False,
    "price": 7.3,
    "self_use_mode_enabled": True,
    "setup": True,
    "telegram_bot_name": "",
    "telegram_oauth": False,
}

VELOERA: Final[Status] = {**NEW_API_0_6, "check_in_enabled": None}

NEW_API_0_9: Final[Status] = {
    **NEW_API_0_6,
    "HeaderNavModules": None,
    "SidebarModulesAdmin": "",
    "announcements": None,
    "announcements_enabled": None,
    "api_info": [],
    "api_info_enabled": True,
    "default_use_auto_group": False,
    "enable_stripe_topup": False,
    "faq": [],
    "faq_enabled": True,
    "linuxdo_minimum_trust_level": 0,
    "pay_methods": [
        {"color": "rgba(var(--semi-blue-5), 1)", "name": "支付宝", "type": "alipay"},
        {"color": "rgba(var(--semi-green-5), 1)", "name": "微信", "type": "wxpay"},
    ],
    "stripe_min_topup": 1,
    "stripe_unit_price": 8,
    "uptime_kuma_enabled": None,
    "usd_exchange_rate": None,
}

NEW_API_0_12: Final[Status] = {
    **_without(
        NEW_API_0_9,
        "enable_online_topup",
        "enable_stripe_topup",
        "min_topup",
        "pay_methods",
        "stripe_min_topup",
    ),
    "chats": _chats(),
    "checkin_enabled": None,
    "custom_currency_exchange_rate": None,
    "custom_currency_symbol": None,
    "discord_client_id": "",
    "discord_oauth": False,
    "passkey_allow_insecure": False,
    "passkey_attachment": "",
    "passkey_display_name": "New API",
    "passkey_login": False,
    "passkey_origins": _LOCALHOST,
    "passkey_rp_id": "localhost:3000",
    "passkey_user_verification": "preferred",
    "password_login_enabled": True,
    "password_register_enabled": True,
    "privacy_policy_enabled": False,
    "quota_display_type": None,
    "register_enabled": True,
    "user_agreement_enabled": False,
}

NEW_API_RC21: Final[Status] = {
    **_without(NEW_API_0_12, "top_up_link"),
    "theme": "classic",
}

NEW_API_MAIN: Final[Status] = {
    **NEW_API_RC21,
    "oidc_display_name": "OIDC",
    "theme": "default",
}

ONE_API: Final[Status] = {
    **_EVERY_FAMILY,
    "chat_link": "",
    "lark_client_id": "",
    "oidc": False,
    "oidc_authorization_endpoint": "",
    "oidc_client_id": "",
    "oidc_token_endpoint": "",
    "oidc_userinfo_endpoint": "",
    "oidc_well_known": "",
}

ONE_HUB: Final[Status] = {
    **_EVERY_FAMILY,
    "EnableSafe": False,
    "PaymentMinAmount": 1,
    "PaymentUSDRate": 7.3,
    "RechargeDiscount": "",
    # A real server lists some rude words here.
    "SafeKeyWords": [],
    "SafeToolName": "Keyword",
    "UptimeDomain": "",
    "UptimeEnabled": False,
    "UptimePageName": "",
    "UserInvoiceMonth": False,
    "analytics_code": "",
    "chat_link": "",
    "chat_links": "",
    "language": "zh_CN",
    "lark_client_id": "",
    "lark_login": False,
    "mj_notify_enabled": False,
    "oidc_auth": False,
    "telegram_bot": "",
}
