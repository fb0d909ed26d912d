"""Where faults happen, and which of the figures may suffer from them."""

from dataclasses import dataclass
from typing import Final

KEY: Final = "Home Assistant"
"""The key that entries are set up with."""

ACCOUNT: Final = "the account"
ALONE: Final = "the key alone"
PLAN: Final = "Max"
"""What the account has subscribed to."""

type Figure = tuple[str, str]
"""A device and an entity of it, by the names that a person reads.

The devices that are named after their entry are called ACCOUNT and ALONE.
"""

_STATUS: Final = "/api/status"
_SELF: Final = "/api/user/self"
_LIST: Final = "/api/token/"
_SUBSCRIPTION: Final = "/v1/dashboard/billing/subscription"
_USAGE: Final = "/v1/dashboard/billing/usage"
_TOKEN_USAGE: Final = "/api/usage/token/"
_KEY_MODELS: Final = "/v1/models"
_ACCOUNT_MODELS: Final = "/api/user/models"
_SPENT: Final = "/api/log/self/stat"
_BY_HOUR: Final = "/api/data/self"
_BY_KEY: Final = "/api/data/flow/self"
_PLANS: Final = "/api/subscription/self"
_OFFERED_PLANS: Final = "/api/subscription/plans"
_CHECK_IN: Final = "/api/user/checkin"
_TOP_UPS: Final = "/api/user/topup/self"
_GROUPS: Final = "/api/user/self/groups"
_NOTICE: Final = "/api/notice"
_MONITORS: Final = "/api/uptime/status"


@dataclass(frozen=True, slots=True)
class Column:
    """Endpoints that fail together, as an entry asks them."""

    title: str
    paths: tuple[str, ...]
    suffers: frozenset[Figure]
    """The figures that come from there, or cannot be read without it."""
    has_account: bool = True
    is_site: bool = False
    """Whether all that is asked fails."""

    @property
    def stops_details(self) -> bool:
        """Whether what all details add to fails, so that nobody asks for them."""
        leaders = {_STATUS, _SELF} if self.has_account else {_SUBSCRIPTION, _USAGE}
        return not leaders.isdisjoint(self.paths)


def _figures(device: str, *names: str) -> frozenset[Figure]:
    return frozenset((device, name) for name in names)


def _key(device: str) -> frozenset[Figure]:
    """Return what is known of a key by itself."""
    return _figures(
        device,
        "Remaining quota",
        "Used quota",
        "Status",
        "Expires",
        "Runs out",
        "Days left",
        "Low balance",
        "Expires soon",
        "Not usable",
    )


OTHERS: Final = ("Claude Code", "Homework")

_SPENT_OF_KEY: Final = ("Spent today", "Spent this month")
_OUTLOOK: Final = _figures(ACCOUNT, "Runs out", "Days left")

_OF_SPENDING: Final = _figures(
    ACCOUNT,
    "Spent today",
    "Spent yesterday",
    "Spent this month",
    "Average per day (7 days)",
    "Requests per minute",
    "Tokens per minute",
)
_OF_USAGE: Final = _figures(
    ACCOUNT, "Requests today", "Tokens today", "Most expensive model today"
).union(*(_figures(device, *_SPENT_OF_KEY) for device in (KEY, *OTHERS)))
_OF_PLANS: Final = _figures(PLAN, "Remaining", "Used", "Total", "Next reset", "Ends")
_OF_OFFERS: Final = _figures(
    ACCOUNT, "Check-in available", "Pending top-ups", "Group ratio"
)
_OF_NEWS: Final = _figures(ACCOUNT, "News", "Services: Relay")
_DETAILS: Final = _OF_SPENDING | _OF_USAGE | _OF_PLANS | _OF_OFFERS | _OF_NEWS

_OF_ACCOUNT: Final = (
    _figures(
        ACCOUNT,
        "Remaining quota",
        "Used quota",
        "Request count",
        "Status",
        "Group",
        "Referral reward waiting",
        "Low balance",
        "Top-up",
    )
    | _OUTLOOK
)
_OF_KEY: Final = _key(KEY) | _figures(KEY, *_SPENT_OF_KEY)
_OF_OTHERS: Final = frozenset[Figure]().union(
    *(_key(device) | _figures(device, *_SPENT_OF_KEY) for device in OTHERS)
)
_MODELS: Final = _figures(KEY, "Model count") | _figures(
    ACCOUNT, "Model count", "Models"
)
_OF_ALONE: Final = _key(ALONE) | _figures(ALONE, *_SPENT_OF_KEY)
_NEWS_OF_ALONE: Final = _figures(ALONE, "News", "Services: Relay")
_MODELS_OF_ALONE: Final = _figures(ALONE, "Model count", "Models")

ALL_MODELS: Final = _MODELS | _MODELS_OF_ALONE
"""What is said of models, with the account and without."""

ALL: Final = (
    _OF_ACCOUNT
    | _DETAILS
    | _OF_KEY
    | _OF_OTHERS
    | _OF_ALONE
    | _NEWS_OF_ALONE
    | ALL_MODELS
    | _figures(ACCOUNT, "Gateway")
    | _figures(ALONE, "Gateway")
)
"""All figures there are, with the account and without."""

DETAILS: Final = _DETAILS | _NEWS_OF_ALONE
"""Those that are asked for only while the balances can be read."""

SITE_COLUMNS: Final = (
    Column(
        "all",
        (
            _STATUS,
            _SELF,
            _LIST,
            _SUBSCRIPTION,
            _USAGE,
            _TOKEN_USAGE,
            _KEY_MODELS,
            _ACCOUNT_MODELS,
            _SPENT,
            _BY_HOUR,
            _BY_KEY,
            _PLANS,
            _OFFERED_PLANS,
            _CHECK_IN,
            _TOP_UPS,
            _GROUPS,
            _NOTICE,
            _MONITORS,
        ),
        ALL,
        is_site=True,
    ),
    Column(
        "all, key alone",
        (
            _STATUS,
            _SUBSCRIPTION,
            _USAGE,
            _TOKEN_USAGE,
            _KEY_MODELS,
            _NOTICE,
            _MONITORS,
        ),
        ALL,
        has_account=False,
        is_site=True,
    ),
)
"""Where a fault of the connection strikes, which knows of no paths."""

COLUMNS: Final = (
    # No amount is shown in a unit that the site does not confirm.
    Column("status", (_STATUS,), ALL - ALL_MODELS),
    Column("self", (_SELF,), _OF_ACCOUNT | _DETAILS),
    # The configured key can answer for itself, but not say which one it is.
    Column("token", (_LIST,), _OF_OTHERS | _figures(KEY, *_SPENT_OF_KEY)),
    # The list has the figures; only the key itself knows whether it is accepted.
    Column("subscription", (_SUBSCRIPTION,), _OF_KEY),
    Column("models", (_KEY_MODELS,), _figures(KEY, "Model count")),
    Column(
        "user/models", (_ACCOUNT_MODELS,), _figures(ACCOUNT, "Model count", "Models")
    ),
    # So that each view fails once while another works.
    Column("stat, checkin", (_SPENT, _CHECK_IN), _OF_SPENDING | _OF_OFFERS),
    Column(
        "data, plans, notice",
        (_BY_HOUR, _PLANS, _NOTICE),
        _OF_USAGE | _OUTLOOK | _OF_PLANS | _OF_NEWS,
    ),
    Column(
        "flow, topup, uptime",
        (_BY_KEY, _OFFERED_PLANS, _TOP_UPS, _MONITORS),
        _OF_USAGE | _OUTLOOK | _OF_OFFERS | _OF_NEWS,
    ),
    Column(
        "subscription, key alone",
        (_SUBSCRIPTION,),
        _OF_ALONE | _NEWS_OF_ALONE,
        has_account=False,
    ),
    Column(
        "usage, key alone", (_USAGE,), _OF_ALONE | _NEWS_OF_ALONE, has_account=False
    ),
    Column("usage/token, key alone", (_TOKEN_USAGE,), _OF_ALONE, has_account=False),
    *SITE_COLUMNS,
)
