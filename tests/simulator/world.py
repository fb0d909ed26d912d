"""What a simulated gateway knows: people, keys, money and what was spent."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from .past import Past
from .people import People
from .plans import Offer, Subscription
from .records import (
    DAY,
    Accounting,
    CheckIn,
    Group,
    Key,
    LogRow,
    LogType,
    Model,
    Monitor,
    Payment,
    Spent,
    TopUp,
    User,
)

_EXPORT_INTERVAL: Final = 300
_YUAN_PER_DOLLAR: Final = 7.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a model; `at` None is now."""

    model: str
    prompt_tokens: int = 1_000
    completion_tokens: int = 500
    at: int | None = None
    logged: bool = True
    exported: bool = True


class NothingPaysError(Exception):
    """Nothing pays for a request, so there is none."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money put aside for a request that is under way."""

    key: Key
    quota: int
    plan: Subscription | None
    """What pays, None for the wallet."""
    moves_key: bool


@dataclass(slots=True, kw_only=True)
class World(People):
    """Everything behind one gateway; change it as its owner and its users would."""

    models: list[Model] = field(default_factory=list)
    groups: dict[str, Group] = field(
        default_factory=lambda: {
            "default": Group("默认分组"),
            "vip": Group("vip分组"),
        }
    )
    log: list[LogRow] = field(default_factory=list)
    """All that has happened, also what the site does not show or has thrown away."""
    offers: list[Offer] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    top_ups: list[TopUp] = field(default_factory=list)
    check_ins: list[CheckIn] = field(default_factory=list)
    monitors: list[Monitor] = field(default_factory=list)
    silent_monitors: set[str] = field(default_factory=set)
    """The categories of monitors whose status page does not answer."""
    performance: list[dict[str, Any]] = field(default_factory=list)
    """What `/api/perf-metrics/summary` shows, per model."""
    started_at: int = 0
    log_purged_before: int = 0
    """Up to when an administrator has thrown the log away; statistics stay."""
    past: Past = field(default_factory=Past)
    _held_back: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Start now unless told otherwise."""
        self.started_at = self.started_at or self.now

    # Models

    def add_model(self, name: str, **more: Any) -> Model:
        """Offer one model more."""
        model = Model(name=name, **more)
        self.models.append(model)
        return model

    def remove_model(self, name: str) -> None:
        """Offer a model no longer."""
        self.models = [model for model in self.models if model.name != name]

    # Spending

    def spend(
        self, key: Key, quota: int, request: Request, *, accounting: Accounting
    ) -> LogRow:
        """Book one request made with `key`, which cost what was put aside for it."""
        reservation = self.reserve(key, quota, accounting=accounting)
        return self.settle(reservation, quota, request)

    def play(self, user: User, quota: int, request: Request) -> LogRow:
        """Book one request made on the site itself, without any key."""
        self.past.note(user, self.now)
        user.quota -= quota
        user.used_quota += quota
        user.request_count += 1
        return self._book(user, quota, request)

    def reserve(self, key: Key, quota: int, *, accounting: Accounting) -> Reservation:
        """Put money aside for a request; what the user has used follows at the end.

        Raises NothingPaysError where no plan pays and the wallet must not.
        """
        user = self.users[key.user_id]
        reservation = Reservation(
            key,
            quota,
            self._paying_plan(user, quota, accounting),
            moves_key=not key.unlimited or accounting.unlimited_keys_move,
        )
        self._move(reservation, quota)
        return reservation

    def settle(self, reservation: Reservation, quota: int, request: Request) -> LogRow:
        """Book what a request has cost in the end."""
        key = reservation.key
        user = self.users[key.user_id]
        self._move(reservation, quota - reservation.quota)
        if reservation.moves_key:
            key.accessed_at = self.now if request.at is None else request.at
        user.used_quota += quota
        user.request_count += 1
        return self._book(user, quota, request, key)

    def release(self, reservation: Reservation) -> None:
        """Give back what was put aside for a request that has failed."""
        self._move(reservation, -reservation.quota)

    def refund(self, key: Key, quota: int, *, accounting: Accounting) -> LogRow:
        """Give back what a failed task had cost."""
        user = self.users[key.user_id]
        moves_key = not key.unlimited or accounting.unlimited_keys_move
        self._move(Reservation(key, quota, None, moves_key), -quota)
        if accounting.refunds_lower_used:
            user.used_quota -= quota
        if accounting.refunds_are_rows:
            return self.write(user, LogType.REFUND, quota, key=key, exported=False)
        return self.write(user, LogType.SYSTEM, 0, content=f"refund of {quota}")

    # Money that comes in

    def top_up(self, name: str, quota: int, *, dollars: int = 0) -> LogRow:
        """Let a user pay for more; without dollars nothing stands in the history."""
        user = self.user(name)
        if dollars:
            order = self.order(name, dollars)
            order.status, order.completed_at = Payment.SUCCESS, self.now
        self._receive(user, quota)
        return self.write(user, LogType.TOP_UP, quota, content=f"top-up of ${dollars}")

    def order(self, name: str, dollars: int) -> TopUp:
        """Let a user begin to pay."""
        user = self.user(name)
        order = TopUp(
            id=len(self.top_ups) + 1,
            user_id=user.id,
            amount=dollars,
            money=round(dollars * _YUAN_PER_DOLLAR, 2),
            trade_no=f"USR{user.id}NO{self.now}",
            at=self.now,
        )
        self.top_ups.append(order)
        return order

    def complete(self, order: TopUp, quota: int) -> LogRow:
        """Let a payment arrive."""
        order.status, order.completed_at = Payment.SUCCESS, self.now
        user = self.users[order.user_id]
        self._receive(user, quota)
        return self.write(
            user, LogType.TOP_UP, quota, content=f"top-up of ${order.amount}"
        )

    def redeem(self, name: str, quota: int) -> LogRow:
        """Let a user enter a redemption code; the log only tells of it in words."""
        user = self.user(name)
        self._receive(user, quota)
        return self.write(user, LogType.TOP_UP, 0, content=f"redeemed {quota}")

    def grant(self, name: str, quota: int) -> LogRow:
        """Let an administrator give money, or take it where it is negative."""
        user = self.user(name)
        self._receive(user, quota)
        return self.write(user, LogType.MANAGE, 0, content=f"balance moved by {quota}")

    def check_in(self, name: str, quota: int, *, date: str) -> LogRow:
        """Let a user fetch the daily reward."""
        user = self.user(name)
        self._receive(user, quota)
        self.check_ins.append(CheckIn(user.id, date, quota, self.now))
        return self.write(user, LogType.SYSTEM, 0, content=f"checked in for {quota}")

    def reward_referral(self, name: str, quota: int) -> None:
        """Let somebody register whom a user has sent; the reward waits."""
        user = self.user(name)
        user.aff_count += 1
        user.aff_quota += quota
        user.aff_history += quota

    def fetch_referral_reward(self, name: str) -> None:
        """Let a user move the waiting reward to the balance."""
        user = self.user(name)
        self._receive(user, user.aff_quota)
        user.aff_quota = 0

    # Plans

    def subscribe(
        self, name: str, offer: Offer, zone: ZoneInfo, *, from_wallet: int = 0
    ) -> Subscription:
        """Let a user buy a plan, elsewhere or with money of the account."""
        user, now = self.user(name), self.now
        end = now + offer.days * DAY
        plan = Subscription(
            id=len(self.subscriptions) + 1,
            user_id=user.id,
            plan_id=offer.id,
            amount_total=offer.total,
            start_time=now,
            end_time=end,
            last_reset_time=now,
            next_reset_time=offer.next_reset(now, end, zone),
            allows_overflow=offer.allows_overflow,
            source="order",
            created_at=now,
        )
        self.subscriptions.append(plan)
        self._receive(user, -from_wallet)
        self.write(user, LogType.TOP_UP, 0, content=f"bought {offer.title}")
        return plan

    def begin_plans_anew(self, zone: ZoneInfo, now: int) -> None:
        """Forget what was used of plans in periods that are over."""
        offers = {offer.id: offer for offer in self.offers}
        for plan in self.subscriptions:
            if plan.is_active(now) and (offer := offers.get(plan.plan_id)):
                plan.begin_anew(now, offer, zone)

    # The log and the statistics

    def write(
        self,
        user: User,
        kind: LogType,
        quota: int,
        *,
        key: Key | None = None,
        **more: Any,
    ) -> LogRow:
        """Write one line into the log."""
        row = LogRow(
            id=self.log[-1].id + 1 if self.log else 1,
            user_id=user.id,
            user_name=user.name,
            at=more.pop("at", self.now),
            type=kind,
            quota=quota,
            key_id=key.id if key else 0,
            key_name=key.name if key else "",
            **more,
        )
        self.log.append(row)
        return row

    def log_of(self, user: User) -> list[LogRow]:
        """Return a user's lines of the log, newest first."""
        return [
            row
            for row in reversed(self.log)
            if row.user_id == user.id
            and row.logged
            and row.at >= self.log_purged_before
        ]

    def hold_back(self, *rows: LogRow) -> None:
        """Keep rows from the statistics: another node has not written them yet."""
        self._held_back.update(row.id for row in rows)

    def deliver(self) -> None:
        """Let all arrive that was held back."""
        self._held_back.clear()

    def exported(self, user: User) -> Iterator[LogRow]:
        """Return what has reached the statistics of a user's spending."""
        rounds = (self.now - self.started_at) // _EXPORT_INTERVAL
        flushed_at = self.started_at + rounds * _EXPORT_INTERVAL
        for row in self.log:
            if (
                row.user_id == user.id
                and row.type == LogType.CONSUME
                and row.exported
                and row.at < flushed_at
                and row.id not in self._held_back
            ):
                yield row

    def hours_of(self, user: User) -> dict[tuple[int, str], Spent]:
        """Return a user's spending per hour and model, as the statistics keep it."""
        return summed(self.exported(user), lambda row: (row.hour, row.model))

    def _book(
        self, user: User, quota: int, request: Request, key: Key | None = None
    ) -> LogRow:
        """Write what a request has cost into the log."""
        at = self.now if request.at is None else request.at
        return self.write(
            user,
            LogType.CONSUME,
            quota,
            at=at,
            key=key,
            model=request.model,
            prompt_tokens=request.prompt_tokens,
            completion_tokens=request.completion_tokens,
            request_id=f"r{at}{len(self.log)}",
            logged=request.logged,
            # Statistics are made of what is logged.
            exported=request.exported and request.logged,
        )

    def _move(self, reservation: Reservation, quota: int) -> None:
        """Take money from whatever pays, and book it on the key."""
        key, plan = reservation.key, reservation.plan
        user = self.users[key.user_id]
        self.past.note(user, self.now)
        self.past.note(key, self.now)
        if plan is not None:
            plan.amount_used += quota
        else:
            user.quota -= quota
        if reservation.moves_key:
            key.remain_quota -= quota
            key.used_quota += quota

    def _receive(self, user: User, quota: int) -> None:
        self.past.note(user, self.now)
        user.quota += quota

    def _paying_plan(
        self, user: User, quota: int, accounting: Accounting
    ) -> Subscription | None:
        """Return what pays for a request, None for the wallet."""
        if not accounting.plans_pay:
            return None
        match user.billing_preference:
            case "wallet_only":
                return None
            case "wallet_first" if user.quota >= quota:
                return None
        active = [
            each
            for each in self.subscriptions
            if each.user_id == user.id and each.is_active(self.now)
        ]
        # The plan that ends first is used up first.
        if candidates := [each for each in active if each.covers(quota)]:
            return min(candidates, key=lambda each: each.end_time)
        match user.billing_preference:
            case "subscription_only":
                raise NothingPaysError
            case "subscription_first" if accounting.plans_can_be_strict and not all(
                each.allows_overflow for each in active
            ):
                raise NothingPaysError
        return None


def summed[T](rows: Iterable[LogRow], by: Callable[[LogRow], T]) -> dict[T, Spent]:
    """Sum up what was spent, in order of first appearance."""
    sums: dict[T, Spent] = {}
    for row in rows:
        what = by(row)
        so_far = sums.get(what) or Spent(len(sums) + 1, 0, 0, 0)
        sums[what] = replace(
            so_far,
            count=so_far.count + 1,
            tokens=so_far.tokens + row.tokens,
            quota=so_far.quota + row.quota,
        )
    return sums
