"""When the money of an account or a key runs out, from what was spent of it so far."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
from .gateway.plans import Plan
from .history import LONGEST, Hourly
from .memory import Memory
from .periods import hour_of, now


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
        active = (None if plans is None else plans.active) or {}
        return self._once(
            ACCOUNT_LEDGER,
            account.remaining_quota,
            (plans, self._memory.history.until),
            lambda: _forecast(
                account.remaining_quota,
                _spending_of_account(self._memory),
                [_allowance(plan) for plan in active.values() if plan.pays_first],
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
    period: float | None = None
    if plan.next_reset is not None and plan.last_reset is not None:
        # A site whose clock was set back has reset it after that.
        period = float(plan.next_reset - plan.last_reset)
        period = period if period > 0 else None
    return Allowance(
        remaining=plan.remaining,
        total=plan.total,
        next_reset=plan.next_reset,
        period=period,
        ends=plan.ends,
    )
