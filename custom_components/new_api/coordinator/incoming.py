"""Money that comes into an account, which nothing says so (gateway_api.md 3.5)."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from homeassistant.core import callback

from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError, GatewayError
from ..gateway.families import logs_refunds
from ..gateway.models import Account, Site
from ..gateway.plans import Plan
from ..gateway.usage import LogKind
from ..income import Gain
from ..memory import Memory
from ..periods import now

ACCOUNT_LEDGER: Final = "account"
"""The name of the ledger of what the account has used, raw quota."""

CALLS: Final = 5
"""Up to so many questions tell where a gain comes from."""

# In seconds. Balances of some servers lag a little behind their logs (3.6), and a plan
# can have ended before a request that it pays.
_LAG: Final = 10
_LONGEST_REQUEST: Final = 3600


@dataclass(frozen=True, slots=True)
class Income:
    """Money that came in, raw quota; `balance` is what is there now.

    `amount` is None where nothing tells how much of it is income, since a refund came
    at the same time, a plan has paid or a request may have failed.
    """

    amount: int | None
    balance: int


class Incoming:
    """Tells income from refunds and from what plans have paid."""

    def __init__(self, client: Client, memory: Memory) -> None:
        """Begin; `memory` keeps what is known of the account's level."""
        self._client = client
        self._memory = memory
        # What plans there are that may pay, None until that is known.
        self._plans: tuple[Plan, ...] | None = None

    @callback
    def note_plans(self, plans: Iterable[Plan]) -> None:
        """Note which plans the account has; they can pay for it too."""
        self._plans = tuple(
            plan for plan in plans if plan.may_pay and not plan.is_used_up
        )

    @callback
    def note(self, account: Account) -> Gain | None:
        """Note a reading of the account, and return what seems to have come in."""
        if self._plans is None:
            # What a plan pays would look like income.
            return None
        return self._memory.income.read(
            account.remaining_quota,
            account.used_quota,
            now(),
            plan_pays=bool(self._plans),
        )

    async def async_look_into(self, site: Site, gain: Gain) -> Income | None:
        """Return what came in, None where nothing did or that is not known yet."""
        try:
            is_known, had_plan = await self._async_plans(site, gain)
            if not is_known:
                # It is looked at again, now that it is.
                return None
            income = await self._async_income(site, gain, had_plan=had_plan)
            self._memory.income.settle(gain)
        except GatewayError, ValueError:
            # It is noticed again with the next reading, which may have come meanwhile.
            return None
        self._memory.async_changed(was_told=True)
        return income

    async def _async_plans(self, site: Site, gain: Gain) -> tuple[bool, bool]:
        """Tell whether all that pay were known, and whether one has paid before.

        One has, or may have, that has ended or was used up meanwhile.
        """
        before = self._plans
        plans: tuple[Plan, ...] = ()
        with suppress(EndpointMissingError):
            ended_after = gain.since - _LONGEST_REQUEST
            plans = (await self._client.plans(site, ended_after=ended_after)).plans
        self.note_plans(plan for plan in plans if plan.is_active)
        had_plan = any(
            plan.may_pay
            and (
                not plan.is_active
                or (plan.is_used_up and plan.begun_at > gain.since - _LAG)
            )
            for plan in plans
        )
        return bool(before) or not self._plans, had_plan

    async def _async_income(
        self, site: Site, gain: Gain, *, had_plan: bool
    ) -> Income | None:
        """Return what came in, unless it came back. Raises GatewayError."""
        since, until = int(gain.since) - _LAG, int(now())

        async def logged(kind: LogKind) -> tuple[int, ...]:
            try:
                return await self._client.logged(site, kind, since, until)
            except EndpointMissingError:
                return ()

        refunds = await logged(LogKind.REFUND)
        # What the plan has paid for is all that was used, or a part of it.
        if sum(refunds) >= (gain.more if had_plan else gain.amount):
            return None
        is_certain = (
            gain.is_certain
            and not refunds
            and not had_plan
            and self._is_all_income(gain)
        )
        if not logs_refunds(site.family, site.version) and await logged(LogKind.SYSTEM):
            # It may be a refund, or a check-in.
            is_certain = False
            if not await logged(LogKind.TOP_UP) and not await logged(LogKind.MANAGE):
                return None
        return Income(gain.amount if is_certain else None, gain.balance)

    def _is_all_income(self, gain: Gain) -> bool:
        """Tell whether the amount is right, whether the wallet or a plan has paid."""
        if not self._plans or all(plan.pays_first for plan in self._plans):
            return True
        return not self._memory.ledger(ACCOUNT_LEDGER).spent(gain.since, now()).amount
