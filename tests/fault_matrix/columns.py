"""Where faults happen, and which of the figures may suffer from them."""

from dataclasses import dataclass
from typing import Final

KEY: Final = "Home Assistant"
"""The key that entries are set up with."""

ACCOUNT: Final = "the account"
ALONE: Final = "the key alone"

type Figure = tuple[str, str]
"""A device and a sensor of it, by the names that a person reads.

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


@dataclass(frozen=True, slots=True)
class Column:
    """Endpoints that fail together, as an entry asks them."""

    title: str
    paths: tuple[str, ...]
    suffers: frozenset[Figure]
    """The figures that come from there, or cannot be read without it."""
    has_account: bool = True

    @property
    def is_site(self) -> bool:
        """Whether all that is asked fails."""
        return len(self.paths) > 1


def _figures(device: str, *names: str) -> frozenset[Figure]:
    return frozenset((device, name) for name in names)


_AMOUNTS: Final = ("Remaining quota", "Used quota")
_OF_ACCOUNT: Final = _figures(ACCOUNT, *_AMOUNTS, "Request count", "Status")
_OF_KEY: Final = _figures(KEY, *_AMOUNTS, "Status", "Expires")
_OF_OTHERS: Final = _figures("Claude Code", *_AMOUNTS, "Status") | _figures(
    "Homework", *_AMOUNTS, "Status"
)
_MODELS: Final = _figures(KEY, "Model count") | _figures(ACCOUNT, "Model count")
_OF_ALONE: Final = _figures(ALONE, *_AMOUNTS, "Status", "Expires")
_MODELS_OF_ALONE: Final = _figures(ALONE, "Model count")

ALL: Final = _OF_ACCOUNT | _OF_KEY | _OF_OTHERS | _MODELS | _OF_ALONE | _MODELS_OF_ALONE
"""All figures there are, with the account and without."""

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
        ),
        ALL,
    ),
    Column(
        "all, key alone",
        (_STATUS, _SUBSCRIPTION, _USAGE, _TOKEN_USAGE, _KEY_MODELS),
        ALL,
        has_account=False,
    ),
)
"""Where a fault of the connection strikes, which knows of no paths."""

COLUMNS: Final = (
    # No amount is shown in a unit that the site does not confirm.
    Column("status", (_STATUS,), _OF_ACCOUNT | _OF_KEY | _OF_OTHERS),
    Column("self", (_SELF,), _OF_ACCOUNT),
    # The configured key can answer for itself.
    Column("token", (_LIST,), _OF_OTHERS),
    # The list has the figures; only the key itself knows whether it is accepted.
    Column("subscription", (_SUBSCRIPTION,), _OF_KEY),
    Column("models", (_KEY_MODELS,), _figures(KEY, "Model count")),
    Column("user/models", (_ACCOUNT_MODELS,), _figures(ACCOUNT, "Model count")),
    Column("subscription, key alone", (_SUBSCRIPTION,), _OF_ALONE, has_account=False),
    Column("usage, key alone", (_USAGE,), _OF_ALONE, has_account=False),
    Column("usage/token, key alone", (_TOKEN_USAGE,), _OF_ALONE, has_account=False),
    *SITE_COLUMNS,
)
