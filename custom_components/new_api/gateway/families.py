"""What differs between the families of gateways: paths, paging and meanings.

gateway_api.md 2.3, 4.3, 6.2, 6.4 and 8; recorded of New API, One API and One Hub.
"""

from dataclasses import dataclass
from enum import Enum
import re
from typing import Final

from .models import Family

# Each server reads its own and ignores the others, so all are sent at once (8).
USER_ID_HEADERS: Final = (
    "New-Api-User",
    "Veloera-User",
    "X-Api-User",
    "voapi-user",
    "User-id",
    "Rix-Api-User",
    "neo-api-user",
)


MODELS_BY_GROUP: Final = "/api/available_model"
"""Shows everybody all models, with the groups of accounts that may use them (5.3)."""

_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-rc\.(\d+))?")

# Those that serve the figures of a disabled key (2.2, trap 46). A release has no rc,
# which counts as more than any.
_RELEASED: Final = 1_000_000
# Its source does so everywhere; that of 0.10.8 knows such rows and writes none.
_FIRST_TO_LOG_REFUNDS: Final = (0, 13, 2, 0)
_FIRST_TO_SHOW_DISABLED: Final = (0, 10, 8, 0)
_LAST_TO_SHOW_DISABLED: Final = (1, 0, 0, 16)


class AccountLimit(Enum):
    """What `hard_limit_usd` is where billing speaks of the account (4.3)."""

    TOTAL = "left and used"
    BALANCE = "left"
    UNKNOWN = "one of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a family answers the questions that not all answer alike."""

    token_usage: bool
    """Whether it may have `/api/usage/token/`."""

    sentinel: bool
    """Whether an unlimited key's limit reads 100000000 (4.3)."""

    account_limit: AccountLimit
    """What the limit means where it is the account's."""

    expiry_proves_key: bool
    """Whether only the figures of a key come with an expiry (9.4)."""

    account_models: tuple[str, ...]
    """Where the account's models may be, most likely first (6.2)."""

    counts_unlimited: bool
    """Whether an unlimited key counts what it uses (3.4)."""

    page: str
    """The name of the page parameter of the list of keys (6.4)."""

    first_page: int
    """The page to begin with; 1-based servers take 0 for 1 (6.4)."""


_DIALECTS: Final = {
    Family.NEW_API: Dialect(
        token_usage=True,
        sentinel=True,
        account_limit=AccountLimit.TOTAL,
        expiry_proves_key=True,
        account_models=("/api/user/models",),
        counts_unlimited=True,
        page="p",
        first_page=0,
    ),
    Family.VELOERA: Dialect(
        token_usage=False,
        sentinel=True,
        account_limit=AccountLimit.TOTAL,
        expiry_proves_key=True,
        account_models=("/api/user/models",),
        counts_unlimited=True,
        page="p",
        first_page=0,
    ),
    Family.ONE_API: Dialect(
        token_usage=False,
        sentinel=True,
        account_limit=AccountLimit.BALANCE,
        expiry_proves_key=True,
        account_models=("/api/user/available_models",),
        counts_unlimited=False,
        page="p",
        first_page=0,
    ),
    Family.ONE_HUB: Dialect(
        token_usage=False,
        sentinel=False,
        account_limit=AccountLimit.TOTAL,
        # Done Hub can be set to show the account's figures to a key that expires.
        expiry_proves_key=False,
        account_models=(MODELS_BY_GROUP,),
        counts_unlimited=False,
        page="page",
        first_page=1,
    ),
    # Nothing is taken for granted here, and everything is tried.
    Family.UNKNOWN: Dialect(
        token_usage=True,
        sentinel=True,
        account_limit=AccountLimit.UNKNOWN,
        expiry_proves_key=False,
        account_models=("/api/user/models", "/api/user/available_models"),
        counts_unlimited=False,
        page="p",
        first_page=0,
    ),
}


def dialect_of(family: Family) -> Dialect:
    """Return how a family answers."""
    return _DIALECTS[family]


def counts_unlimited_keys(family: Family) -> bool:
    """Tell whether what an unlimited key has used can be read off its counter."""
    return dialect_of(family).counts_unlimited


def may_show_disabled_keys(version: str | None) -> bool:
    """Tell whether `/api/usage/token/` may serve a key that the rest refuses.

    True too for a build that does not say which version it is.
    """
    number = _number(version)
    if number is None or number[:3] == (0, 0, 0):
        return True
    return _FIRST_TO_SHOW_DISABLED <= number <= _LAST_TO_SHOW_DISABLED


def logs_refunds(family: Family, version: str | None) -> bool:
    """Tell whether a refund is sure to be a row of its own in the log (6.5).

    Other servers tell of it in words only.
    """
    number = _number(version)
    is_new = number is not None and number >= _FIRST_TO_LOG_REFUNDS
    return family is Family.NEW_API and is_new


def _number(version: str | None) -> tuple[int, int, int, int] | None:
    found = _VERSION.fullmatch(version or "")
    if found is None:
        return None
    major, minor, patch, candidate = (
        int(each) if each else _RELEASED for each in found.groups()
    )
    return major, minor, patch, candidate
