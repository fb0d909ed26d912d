"""What the OpenAI-style billing endpoints say of a key (gateway_api.md 4.3, 4.4, 9.4).

They mean different things on different servers, and no server says which: the key's
figures or its account's, a total or what is left, in the unit of the site or not.
Only what follows for certain becomes a figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Self

from .families import AccountLimit, Dialect, dialect_of
from .fields import read_decimal, read_expiry
from .models import KeyState, KeyStatus, Scope, Site
from .money import UnitKind

# A limited key with nothing left is refused, so where more was used than the limit, it
# is what an account has left. But a key's last request may overdraw it, and a server
# that remembers keys accepts it for some more minutes.
_OVERDRAFT: Final = Decimal("1.5")

# How often the use has to grow under the same limit before it is a key's.
_PROOF: Final = 2

# The limit of an unlimited key, whatever the display type (4.3).
_SENTINEL: Final = 100_000_000


class _Limit(Enum):
    """What the limit was seen to be."""

    TOTAL = "left and used"
    BALANCE = "left"
    UNKNOWN = "one of them"


@dataclass(frozen=True, slots=True)
class Billing:
    """Both replies, in the numbers of the site; None where it says no number.

    `used` is in the unit of `limit`, `expires_at` in Unix seconds.
    """

    limit: Decimal | None
    used: Decimal | None
    expires_at: int | None

    @classmethod
    def from_replies(
        cls, subscription: Mapping[str, Any] | None, usage: Mapping[str, Any] | None
    ) -> Self:
        """Read the replies; None stands for a yes without figures."""
        return cls(
            limit=(
                None
                if subscription is None
                else read_decimal(subscription, "hard_limit_usd")
            ),
            used=None if usage is None else read_decimal(usage, "total_usage") / 100,
            expires_at=(
                read_expiry(subscription, "access_until")
                if subscription is not None and "access_until" in subscription
                else None
            ),
        )


class BillingReader:
    """Reads the billing of one accepted key, and learns from reading to reading."""

    def __init__(self) -> None:
        """Start without having seen anything."""
        self._learned = _Limit.UNKNOWN
        # Whether that only follows from how much more was used than the limit.
        self._is_overdrawn = False
        self._last: tuple[int, int] | None = None
        self._growths = 0

    def read(self, site: Site, billing: Billing) -> KeyState:
        """Return the state of a key that the site accepts."""
        dialect = dialect_of(site.family)
        used = _raw(site, billing.used)
        is_key = dialect.expiry_proves_key and billing.expires_at is not None
        state = KeyState(
            KeyStatus.ACTIVE,
            scope=Scope.KEY if is_key else Scope.UNKNOWN,
            used_quota=used,
            expires_at=billing.expires_at,
        )
        if dialect.sentinel and billing.limit == _SENTINEL:
            if site.unit.kind is UnitKind.TOKENS:
                # Raw quota, so it may as well be an honest limit of 200 dollars (9.5).
                return state
            return replace(state, scope=Scope.KEY, unlimited=True)
        limit = _raw(site, billing.limit)
        if limit is None or used is None:
            return state
        if is_key:
            return replace(state, unlimited=False, remaining_quota=limit - used)
        return self._read_unproven(dialect, state, limit, used)

    def _read_unproven(
        self, dialect: Dialect, state: KeyState, limit: int, used: int
    ) -> KeyState:
        """Read figures that may be the key's or the account's."""
        left = limit - used
        if dialect.account_limit is AccountLimit.TOTAL:
            # Whoever it belongs to, the subtraction is right. A limited key with
            # nothing left is not accepted, so these are the account's.
            scope = Scope.ACCOUNT if left <= 0 else Scope.UNKNOWN
            return replace(state, scope=scope, remaining_quota=left)
        self._learn(limit, used)
        match self._learned, dialect.account_limit:
            case _Limit.TOTAL, AccountLimit.BALANCE:
                return replace(
                    state, scope=Scope.KEY, unlimited=False, remaining_quota=left
                )
            case _Limit.TOTAL, _:
                # It is no balance, but it may be an account's total.
                return replace(state, remaining_quota=left)
            case _Limit.BALANCE, AccountLimit.BALANCE:
                return replace(state, scope=Scope.ACCOUNT, remaining_quota=limit)
            case _Limit.BALANCE, _:
                return replace(state, scope=Scope.ACCOUNT)
        # The limit may be what is left: only where nothing was used both agree.
        return replace(state, remaining_quota=left if used == 0 else None)

    def _learn(self, limit: int, used: int) -> None:
        """Learn what the limit is from what changed since the last reading.

        A key's limit stays as its use grows; an account's limit that is what is left
        falls by as much (9.4). Caches can let the balance fall before the use grows
        (3.6), so growth counts only the second time in a row. Where both change in
        another way, the owner may have changed what the site shows, and nothing
        learned before holds. Nor does it where a limit rises that only seemed to be
        overdrawn: a key could have been, and its owner has raised it.
        """
        last_limit, last_used = self._last or (limit, used)
        self._last = (limit, used)
        falls = used > last_used and last_limit - limit == used - last_used
        if limit < 0 or used > limit * _OVERDRAFT:
            was_known = self._learned is _Limit.BALANCE and not self._is_overdrawn
            self._learned, self._is_overdrawn = (
                _Limit.BALANCE,
                not (falls or was_known),
            )
        elif limit == last_limit:
            self._growths += used > last_used
            if self._growths >= _PROOF:
                self._learned = _Limit.TOTAL
            return
        elif falls:
            self._learned, self._is_overdrawn = _Limit.BALANCE, False
        elif used != last_used or self._is_overdrawn:
            self._learned, self._is_overdrawn = _Limit.UNKNOWN, False
        self._growths = 0


def _raw(site: Site, value: Decimal | None) -> int | None:
    return None if value is None else site.unit.raw_from_billing(value)
