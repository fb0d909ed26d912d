"""What replies justify, read without the client and by the documentation alone.

Each function returns what is wrong with an answer, in words; nothing where every
figure in it stands in a reply. Sections are those of gateway_api.md. An absent figure
is never a wrong one.
"""

from .account import wrong_account, wrong_account_models, wrong_keys, wrong_models
from .details import wrong_check_in, wrong_groups, wrong_pending_top_ups, wrong_plans
from .key import Memory, wrong_key, wrong_listed_key
from .news import wrong_monitors, wrong_notice
from .site import Known, wrong_site
from .spending import (
    wrong_logged,
    wrong_spent,
    wrong_usage_by_day,
    wrong_usage_by_hour,
    wrong_usage_by_key,
)

__all__ = [
    "Known",
    "Memory",
    "wrong_account",
    "wrong_account_models",
    "wrong_check_in",
    "wrong_groups",
    "wrong_key",
    "wrong_keys",
    "wrong_listed_key",
    "wrong_logged",
    "wrong_models",
    "wrong_monitors",
    "wrong_notice",
    "wrong_pending_top_ups",
    "wrong_plans",
    "wrong_site",
    "wrong_spent",
    "wrong_usage_by_day",
    "wrong_usage_by_hour",
    "wrong_usage_by_key",
]
