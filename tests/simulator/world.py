"""What a simulated gateway knows: people, keys, money and what was spent."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
import random
import string
import time
from typing import Any, Final

from .records import (
    Accounting,
    CheckIn,
    Group,
    Key,
    LogRow,
    LogType,
    Model,
    Spent,
    Status,
    Subscription,
    TopUp,
    User,
)

type Clock = Callable[[], float]

_EXPORT_INTERVAL: Final = 300

_KEY_ALPHABET: Final = string.ascii_letters + string.digits
_TOKEN_ALPHABET: Final = _KEY_ALPHABET + "+/"


def system_clock() -> float:
    """Tell the time, looked up anew each time so that a frozen clock is seen."""
    return time.time()


@dataclass(slots=True, kw_only=True)
class World:
    """Everything behind one gateway; change it as its owner and its users would."""

    clock: Clock = system_clock
    users: dict[int, User] = field(default_factory=dict)
    keys: dict[int, Key] = field(default_factory=dict)
    models: list[Model] = field(default_factory=list)
    groups: dict[str, Group] = field(
        default_factory=lambda: {
            "default": Group("默认分组"),
            "vip": Group("vip分组"),
        }
    )
    log: list[LogRow] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    top_ups: list[TopUp] = field(default_factory=list)
    check_ins: list[CheckIn] = field(default_factory=list)
    monitors: list[dict[str, Any]] = field(default_factory=list)
    """What `/api/uptime/status` shows: categories with their monitors."""
    performance: list[dict[str, Any]] = field(default_factory=list)
    """What `/api/perf-metrics/summary` shows, per model."""
    started_at: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    """Where made-up secrets come from."""

    def __post_init__(self) -> None:
        """Start now unless told otherwise."""
        self.started_at = self.started_at or self.now

    @property
    def now(self) -> int:
        """Return the time in whole Unix seconds."""
        return int(self.clock())

    # People and keys

    def user(self, name: str) -> User:
        """Return the user of this name."""
        return next(each for each in self.users.values() if each.name == name)

    def key(self, name: str) -> Key:
        """Return the first key of this name."""
        return next(each for each in self.keys.values() if each.name == name)

    def keys_of(self, user: User) -> list[Key]:
        """Return a user's keys, newest first."""
        return sorted(
            (each for each in self.keys.values() if each.user_id == user.id),
            key=lambda each: -each.id,
        )

    def key_of_secret(self, secret: str) -> Key | None:
        """Return the key with this secret."""
        return next((k for k in self.keys.values() if k.secret == secret), None)

    def user_of_token(self, access_token: str) -> User | None:
        """Return the user with this system access token."""
        return next(
            (u for u in self.users.values() if access_token == u.access_token), None
        )

    def add_user(self, name: str, *, quota: int, **more: Any) -> User:
        """Register a user."""
        user = User(
            id=max(self.users, default=1) + 1,
            name=name,
            access_token=self._make_secret(_TOKEN_ALPHABET, 32),
            quota=quota,
            display_name=more.pop("display_name", name.title()),
            created_at=more.pop("created_at", self.now),
            **more,
        )
        self.users[user.id] = user
        return user

    def add_key(self, user: User, name: str, *, quota: int = 0, **more: Any) -> Key:
        """Make a key for a user."""
        key = Key(
            id=max(self.keys, default=0) + 1,
            user_id=user.id,
            name=name,
            secret=self._make_secret(_KEY_ALPHABET, 48),
            remain_quota=quota,
            created_at=more.pop("created_at", self.now),
            accessed_at=more.pop("accessed_at", self.now),
            **more,
        )
        self.keys[key.id] = key
        return key

    def delete_key(self, name: str) -> None:
        """Delete a key, as its owner can."""
        del self.keys[self.key(name).id]

    def disable_key(self, name: str) -> None:
        """Disable a key, as its owner can."""
        self.key(name).status = Status.DISABLED

    def enable_key(self, name: str) -> None:
        """Enable a key again."""
        self.key(name).status = Status.ENABLED

    def expire_key(self, name: str) -> None:
        """Let a key's time be over."""
        self.key(name).expires_at = self.now - 1

    def disable_user(self, name: str) -> None:
        """Ban a user, as an administrator can."""
        self.user(name).status = Status.DISABLED

    def rotate_access_token(self, name: str) -> str:
        """Give a user a new system access token; the old one opens nothing more."""
        token = self._make_secret(_TOKEN_ALPHABET, 32)
        self.user(name).access_token = token
        return token

    def rotate_key(self, name: str) -> str:
        """Give a key a new secret; return it as a person copies it."""
        key = self.key(name)
        key.secret = self._make_secret(_KEY_ALPHABET, 48)
        return str(key)

    # Money

    def spend(
        self,
        key: Key,
        quota: int,
        *,
        model: str,
        prompt_tokens: int = 1_000,
        completion_tokens: int = 500,
        at: int | None = None,
        accounting: Accounting,
        exported: bool = True,
    ) -> LogRow:
        """Book one request made with `key`, now or `at` a time not long ago."""
        user = self.users[key.user_id]
        at = self.now if at is None else at
        if self._move(key, quota, accounting):
            key.accessed_at = at
        plan = self._paying_plan(user, quota) if accounting.plans_pay else None
        if plan is not None:
            plan.amount_used += quota
        else:
            user.quota -= quota
        user.used_quota += quota
        user.request_count += 1
        return self.write(
            user,
            LogType.CONSUME,
            quota,
            at=at,
            key=key,
            model=model,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            request_id=f"r{at}{len(self.log)}",
            exported=exported,
        )

    def refund(self, key: Key, quota: int, *, accounting: Accounting) -> LogRow:
        """Give back what a failed task had cost."""
        user = self.users[key.user_id]
        self._move(key, -quota, accounting)
        user.quota += quota
        if accounting.refunds_lower_used:
            user.used_quota -= quota
        return self.write(user, LogType.REFUND, quota, key=key, exported=False)

    def top_up(self, name: str, quota: int, *, dollars: int = 0) -> LogRow:
        """Let a user pay for more."""
        user = self.user(name)
        user.quota += quota
        if dollars:
            self.top_ups.append(
                TopUp(
                    id=len(self.top_ups) + 1,
                    user_id=user.id,
                    amount=dollars,
                    money=round(dollars * 7.3, 2),
                    trade_no=f"USR{user.id}NO{self.now}",
                    at=self.now,
                )
            )
        return self.write(
            user, LogType.TOP_UP, quota, content=f"top-up of ${dollars}", exported=False
        )

    def check_in(self, name: str, quota: int, *, date: str) -> None:
        """Let a user fetch the daily reward."""
        user = self.user(name)
        user.quota += quota
        self.check_ins.append(CheckIn(user.id, date, quota))

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
            id=len(self.log) + 1,
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

    # What was spent

    def log_of(self, user: User) -> list[LogRow]:
        """Return a user's lines of the log, newest first."""
        return [row for row in reversed(self.log) if row.user_id == user.id]

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
            ):
                yield row

    def hours_of(self, user: User) -> dict[tuple[int, str], Spent]:
        """Return a user's spending per hour and model, as the statistics keep it."""
        return summed(self.exported(user), lambda row: (row.hour, row.model))

    def _move(self, key: Key, quota: int, accounting: Accounting) -> bool:
        """Book on the key; return whether anything was."""
        if key.unlimited and not accounting.unlimited_keys_move:
            return False
        key.remain_quota -= quota
        key.used_quota += quota
        return True

    def _paying_plan(self, user: User, quota: int) -> Subscription | None:
        if user.billing_preference != "subscription_first":
            return None
        candidates = [
            each
            for each in self.subscriptions
            if each.user_id == user.id
            and each.is_active(self.now)
            and each.covers(quota)
        ]
        # The plan that ends first is used up first.
        return min(candidates, key=lambda each: each.end_time, default=None)

    def _make_secret(self, alphabet: str, length: int) -> str:
        return "".join(self.chance.choices(alphabet, k=length))


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
