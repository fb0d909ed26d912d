"""When the money of an account or a key runs out, from what was spent of it so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

from homeassistant.util import dt as dt_util

from .coordinator import (
    ACCOUNT_LEDGER,
    AccountCoordinator,
    Balance,
    Plans,
    PlansCoordinator,
)
from .forecast import Allowance, Forecast, forecast
from .gaps import Source
from .gateway.models import KeyState
from .gateway.plans import Period, Plan
from .history import LONGEST, Hourly
from .memory import Memory
from .periods import hour_of, now

_DAY: Final = 86_400

# On multiples of which midnights are, in all zones; in Unix seconds.
_MIDNIGHTS: Final = 900


class Outlook:
    """Looks ahead, for the account and for keys, once for each reading of them."""

    def __init__(
        self,
        memory: Memory,
        account: AccountCoordinator | None,
        plans: PlansCoordinator | None,
    ) -> None:
        """Take what is remembered, and what is read of an account if there is one."""
        self._memory = memory
        self._account = account
        self._plans = plans
        self._known: dict[str, _Seen] = {}

    def of_account(self) -> Forecast | None:
        """Return when the balance runs out, None where nothing tells."""
        balance: Balance | None = None if self._account is None else self._account.data
        account = None if balance is None else balance.account
        if account is None:
            return None
        plans: Plans | None = None if self._plans is None else self._plans.data
        if (
            plans is None
            and self._plans is not None
            and self._plans.last_update_success
        ):
            # Without those that pay, it would warn after each restart.
            return None
        if plans is not None and not plans.wallet_pays:
            return None
        active = (None if plans is None else plans.active) or {}
        first = [plan for plan in active.values() if plan.pays_first]
        return self._once(
            ACCOUNT_LEDGER,
            account.remaining_quota,
            (plans, self._memory.history.until),
            lambda: _forecast(
                account.remaining_quota,
                _spending_of_account(self._memory),
                [_allowance(plan) for plan in first],
                max(
                    (plan.ends for plan in first if not plan.lets_wallet_pay), default=0
                ),
            ),
        )

    def of_key(self, ledger: str, state: KeyState) -> Forecast | None:
        """Return when the limit of a key is used up, None where nothing tells."""
        remaining = state.remaining_quota
        if remaining is None:
            return None
        return self._once(
            ledger,
            remaining,
            (),
            lambda: _forecast(remaining, _spending_as_read(self._memory, ledger)),
        )

    def _once(
        self,
        name: str,
        remaining: int,
        about: tuple[object, ...],
        look: Callable[[], Forecast | None],
    ) -> Forecast | None:
        """Look ahead, unless that was done within the hour and little has changed.

        With each reading, a forecast would move a little, and nobody would learn more.
        But where nothing could be told, the next reading may be what was missing.
        """
        about = (*about, hour_of(now()))
        read_at = self._memory.ledger(name).read_at
        known = self._known.get(name)
        if known is None or not known.holds(remaining, read_at, about):
            known = self._known[name] = _Seen(remaining, read_at, about, look())
        return known.forecast


@dataclass(frozen=True, slots=True)
class _Seen:
    """A forecast, and what it was made of; `read_at` is in Unix seconds."""

    remaining: int
    read_at: float
    about: tuple[object, ...]
    forecast: Forecast | None

    def holds(self, remaining: int, read_at: float, about: tuple[object, ...]) -> bool:
        """Tell whether it still says so; a fiftieth less is within what it can know."""
        if about != self.about:
            return False
        if self.forecast is None:
            return (remaining, read_at) == (self.remaining, self.read_at)
        return remaining <= self.remaining <= remaining + abs(remaining) // 50


def _forecast(
    remaining_quota: int,
    spent: Hourly | None,
    allowances: Sequence[Allowance] = (),
    spared_until: float = 0,
) -> Forecast | None:
    if spent is None:
        return None
    since, spending = spent
    return forecast(
        remaining_quota,
        spending,
        since=since,
        now=now(),
        time_zone=dt_util.get_default_time_zone(),
        allowances=allowances,
        spared_until=spared_until,
    )


def _spending_of_account(memory: Memory) -> Hourly | None:
    """Return what the account has spent.

    As the site's statistics say it, and as it was read where they do not.
    """
    as_read = _spending_as_read(memory, ACCOUNT_LEDGER)
    if not memory.history.until:
        return as_read
    return memory.history.spent(as_read, memory.gaps(Source.STATISTICS), now())


def _spending_as_read(memory: Memory, ledger: str) -> Hourly | None:
    book = memory.ledger(ledger)
    if book.since is None:
        return None
    since = max(book.since, now() - LONGEST)
    return since, book.by_hour(since)


def _allowance(plan: Plan) -> Allowance:
    """Return what a plan pays.

    Where nobody knows how often it is reset, nothing is told of the time from the
    second reset on: that comes no sooner than the last period was long, which was the
    first one as a rule, and so a part of one (gateway_api.md 6.8).
    """
    next_reset, period = plan.next_reset, _period(plan)
    known_until = inf
    if plan.period is Period.NEVER:
        # Its operator has changed that, and servers go by what it is now.
        next_reset = None
    elif next_reset is not None and period is None:
        known_until = next_reset + max(0, next_reset - (plan.last_reset or next_reset))
    return Allowance(
        remaining=plan.remaining,
        total=plan.total,
        next_reset=next_reset,
        period=period,
        ends=plan.ends,
        known_until=known_until,
    )


def _period(plan: Plan) -> float | Literal["month"] | None:
    """Return how often a plan is reset, in seconds or by the month.

    As the site says it, which only tells of plans that are for sale, or else from one
    reset to the next. None where nobody knows.
    """
    match plan.period:
        case Period.DAILY:
            return _DAY
        case Period.WEEKLY:
            return 7 * _DAY
        case Period.MONTHLY:
            return "month"
        case Period.CUSTOM if plan.period_seconds is not None:
            return plan.period_seconds
    if plan.next_reset is None or plan.last_reset is None:
        return None
    begun_for = plan.last_reset - plan.starts
    period = plan.next_reset - plan.last_reset
    # Neither the purchase nor a reset by an administrator is the start of a period, and
    # a site whose clock was set back has reset it after its next reset.
    is_whole = plan.last_reset % _MIDNIGHTS == 0 or begun_for % max(1, period) == 0
    return period if period > 0 and begun_for > 0 and is_whole else None
