"""The world behind the recordings: what their truth says, and what it leaves out."""

from collections.abc import Mapping
from typing import Any, Final

from tests.recordings import Recording

from .limits import UNLIMITED, Bucket, Rate, Rates, from_environment
from .people import Clock
from .plans import Subscription
from .records import (
    DAY,
    HOUR,
    NEVER,
    CheckIn,
    Key,
    LogType,
    Model,
    Payment,
    TopUp,
    User,
)
from .world import World

_MINUTE: Final = 60


def recorded_world(recording: Recording, clock: Clock) -> World:
    """Return the people, keys and spending that were recorded."""
    truth, now = recording.truth, recording.recorded_at
    world = World(started_at=now, clock=clock)
    world.users = {row["id"]: _user(row) for row in truth.users.values()}
    world.keys = {row["id"]: _key(row, recording.family) for row in truth.keys.values()}
    world.models = _models(recording.server)
    _write_log(world, truth.spending, exported=recording.family != "one_hub")
    _give_alice_what_the_truth_leaves_out(world, now)
    return world


def recorded_rates(recording: Recording) -> Rates:
    """Return the limits of the recorded site; most were recorded without."""
    if recording.environment:
        return from_environment(recording.environment)
    if recording.server == "new_api_0_9":
        # This one could not be switched off yet.
        return {Bucket.CRITICAL: Rate(20, 1_200)}
    return UNLIMITED


def _user(row: Mapping[str, Any]) -> User:
    return User(
        id=row["id"],
        name=row["username"],
        access_token=row["access_token"],
        quota=row["quota"],
        used_quota=row["used_quota"],
        request_count=row["request_count"],
        display_name=row["display_name"],
        email=row["email"],
        role=row["role"],
        status=row["status"],
        group=row["group"],
        aff_code=row["aff_code"],
        aff_count=row.get("aff_count", 0),
        aff_quota=row.get("aff_quota", 0),
        aff_history=row.get("aff_history", 0),
        setting=row["setting"],
        created_at=row["created_at"],
    )


def _key(row: Mapping[str, Any], family: str) -> Key:
    limits = tuple(filter(None, row.get("model_limits", "").split(",")))
    addresses = tuple(filter(None, row.get("allow_ips", "").split("\n")))
    if family == "one_hub" and addresses:
        # There the recorder had written both limits and switched on only one.
        limits = ("gpt-4o-mini", "no-such-model")
    return Key(
        id=row["id"],
        user_id=row["user_id"],
        name=row["name"],
        secret=row["key"],
        remain_quota=row["remain_quota"],
        used_quota=row["used_quota"],
        unlimited=bool(row.get("unlimited_quota")),
        status=row["status"],
        expires_at=row.get("expired_time", NEVER),
        created_at=row["created_time"],
        accessed_at=row["accessed_time"],
        group=row["group"],
        model_limits=limits,
        model_limits_enabled=bool(row.get("model_limits_enabled")),
        allow_ips=addresses,
        subnet=row.get("subnet", ""),
    )


def _models(server: str) -> list[Model]:
    return [
        Model(name="gpt-4o", ratio=1.25, completion_ratio=4, cache_ratio=0.5),
        Model(name="gpt-4o-mini", ratio=0.075, completion_ratio=4, cache_ratio=0.5),
        Model(
            name="claude-3-5-sonnet-20241022",
            vendor="Anthropic",
            ratio=1.5,
            completion_ratio=5,
            cache_ratio=0.1,
            create_cache_ratio=1.25,
        ),
        Model(
            name="deepseek-chat",
            vendor="DeepSeek",
            ratio=0.135,
            # Later versions know better.
            completion_ratio=4 if server == "new_api_0_9" else 1,
            cache_ratio=0.25,
        ),
    ]


def _write_log(world: World, spending: list[dict[str, Any]], *, exported: bool) -> None:
    """Write the hours down as the requests they were recorded with."""
    alice, key = world.user("alice"), world.key("main")
    for spent in spending:
        count, hour = spent["count"], spent["hour"]
        for number in range(count):
            is_last = number == count - 1
            world.write(
                alice,
                LogType.CONSUME,
                _share(spent["quota"], count, is_last=is_last),
                key=key,
                at=hour + number * _MINUTE,
                model=spent["model"],
                prompt_tokens=_share(spent["tokens"], count, is_last=is_last),
                request_id=f"r{hour}{number}",
                exported=exported,
            )


def _share(total: int, count: int, *, is_last: bool) -> int:
    """Share evenly; what does not come out even falls to the last."""
    share = total // count
    return total - share * (count - 1) if is_last else share


def _give_alice_what_the_truth_leaves_out(world: World, now: int) -> None:
    alice = world.user("alice")
    world.write(
        alice,
        LogType.TOP_UP,
        25_000_000,
        at=now - 5 * DAY,
        content="top-up of $50",
        exported=False,
    )
    world.top_ups = [
        TopUp(
            id=1,
            user_id=alice.id,
            amount=50,
            money=365,
            trade_no=f"USR{alice.id}NOabc",
            at=now - 5 * DAY,
            status=Payment.SUCCESS,
            completed_at=now - 5 * DAY + 30,
        )
    ]
    world.check_ins = [CheckIn(alice.id, "2026-11-22", 5_000)]
    ends_and_amounts = (
        (now + 20 * DAY, 10_000_000, 2_500_000),
        (now + 3 * DAY, 0, 123),
        (now - DAY, 5_000_000, 5_000_000),
    )
    world.subscriptions = [
        Subscription(
            id=number,
            user_id=alice.id,
            amount_total=total,
            amount_used=used,
            start_time=now - 10 * DAY,
            end_time=end,
            last_reset_time=now - 22 * HOUR,
            next_reset_time=now + 2 * HOUR if number == 1 else 0,
            allows_overflow=False,
            created_at=now,
        )
        for number, (end, total, used) in enumerate(ends_and_amounts, 1)
    ]
