"""A household that has used its gateway for a month."""

from datetime import UTC, datetime
from typing import Final

from .life import Habits
from .options import Options
from .people import Clock
from .plans import Offer, Period, Subscription
from .records import (
    DAY,
    HOUR,
    CheckIn,
    Heartbeat,
    LogType,
    Model,
    Monitor,
    Payment,
    User,
)
from .world import World

_LEFT: Final = 45_005_000
_USED: Final = 101_150_000
_REQUESTS: Final = 1_234
_EXHAUSTED: Final = 2_500_000
_PER_DOLLAR: Final = 500_000
_PLAN: Final = 500_000
_REFUND: Final = 42_000
_REWARD: Final = 5_000
# How many days ago how many dollars were paid; the older is not shown everywhere.
_TOP_UPS: Final = ((41, 100), (17, 50), (6, 20))
_NEXT_TOP_UP: Final = 20
_MINUTE: Final = 60

_MODELS: Final = (
    Model(name="claude-sonnet-4-5", vendor="Anthropic", ratio=1.5, completion_ratio=5),
    Model(name="gpt-5-mini", ratio=0.125, completion_ratio=8),
    Model(name="deepseek-chat", vendor="DeepSeek", ratio=0.135, completion_ratio=1.5),
    Model(name="gpt-5", ratio=0.625, completion_ratio=8),
    Model(name="qwen3-max", vendor="Qwen", ratio=0.6, completion_ratio=5),
    Model(name="gemini-2.5-flash", vendor="Google", ratio=0.15, completion_ratio=8.3),
    Model(name="claude-haiku-4-5", vendor="Anthropic", ratio=0.5, completion_ratio=5),
    Model(name="glm-4.6", vendor="Zhipu", ratio=0.3, completion_ratio=3.7),
    Model(name="kimi-k2", vendor="Moonshot", ratio=0.28, completion_ratio=4),
    Model(name="gemini-2.5-pro", vendor="Google", ratio=0.625, completion_ratio=8),
    Model(name="deepseek-reasoner", vendor="DeepSeek", ratio=0.275, completion_ratio=4),
    Model(name="gpt-4o-mini", ratio=0.075, completion_ratio=4),
)


def demo_options() -> Options:
    """Return how the owner of the site has set it up."""
    return Options(
        system_name="Juhe AI",
        notice="Welcome! The gateway is in good health.",
        check_in=True,
        announcements=(
            {
                "content": "**claude-haiku-4-5** is available now",
                "publishDate": "2026-11-20T08:00:00Z",
                "type": "success",
                "extra": "",
            },
        ),
    )


def demo_world(clock: Clock, *, with_plan: bool = False) -> World:
    """Return the household: 90.01 dollars left, 202.30 used, five keys."""
    world = World(clock=clock)
    world.models = list(_MODELS)
    now = world.now
    user = world.add_user(
        "wang",
        quota=_LEFT,
        used_quota=_USED,
        request_count=_REQUESTS,
        display_name="Wang",
        email="wang@example.org",
        aff_code="W2xy",
        created_at=now - 200 * DAY,
    )
    born = {"created_at": now - 90 * DAY, "accessed_at": now - 2 * DAY}
    home = world.add_key(user, "Home Assistant", quota=12_500_000, **born)
    code = world.add_key(user, "Claude Code", unlimited=True, **born)
    chat = world.add_key(
        user, "聊天机器人", quota=5_000_000, expires_at=now + 30 * DAY, **born
    )
    world.add_key(user, "Homework", quota=0, used_quota=_EXHAUSTED, **born)
    photos = world.add_key(user, "Photo captions", quota=1_000_000, **born)
    world.disable_key(photos.name)
    _write_a_month(world, {code.id: 0.6, home.id: 0.25, chat.id: 0.15})
    _write_what_came_in(world)
    _share_what_is_older(world, {code.id: 0.6, home.id: 0.25, chat.id: 0.15})
    world.monitors = [
        Monitor(category="Models", name="OpenAI", uptime=0.9991),
        Monitor(category="Models", name="Anthropic", uptime=0.9978),
        Monitor(
            category="Site", name="Console", status=Heartbeat.MAINTENANCE, uptime=0.98
        ),
    ]
    if with_plan:
        _add_plan(world, user)
    return world


def _write_a_month(world: World, shares: dict[int, float]) -> None:
    """Write thirty days of requests into the log; the balances know them already."""
    user = world.users[world.keys[next(iter(shares))].user_id]
    habits, now = Habits(seed=7), world.now
    keys, weights = [world.keys[number] for number in shares], list(shares.values())
    for at in range(now - 30 * DAY, now - 10 * _MINUTE, _MINUTE):
        if not habits.asks_in_minute(at):
            continue
        key = habits.choose_key(keys, weights)
        model = habits.choose_model(world.models)
        prompt_tokens, completion_tokens = habits.tokens()
        quota = model.price(prompt_tokens, completion_tokens)
        key.used_quota += quota
        key.accessed_at = at
        world.write(
            user,
            LogType.CONSUME,
            quota,
            key=key,
            at=at,
            model=model.name,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            request_id=f"r{at}",
        )


def _write_what_came_in(world: World) -> None:
    """Write down what was paid, given and given back; the balances know it already."""
    user, now = world.user("wang"), world.now
    for days, dollars in _TOP_UPS:
        order = world.order(user.name, dollars)
        order.at = now - days * DAY
        order.status, order.completed_at = Payment.SUCCESS, order.at + _MINUTE
        quota = round(dollars * _PER_DOLLAR)
        world.write(user, LogType.TOP_UP, quota, at=order.completed_at)
    # Somebody went to get their card and has not come back yet.
    world.order(user.name, _NEXT_TOP_UP).at = now - HOUR
    failed = world.key("Claude Code")
    world.write(user, LogType.REFUND, _REFUND, key=failed, at=now - 4 * DAY)
    failed.used_quota -= _REFUND
    for days in (3, 2, 1):
        at = now - days * DAY
        date = f"{datetime.fromtimestamp(at, UTC):%F}"
        world.check_ins.append(CheckIn(user.id, date, _REWARD, at))
        world.write(user, LogType.SYSTEM, 0, at=at, content="checked in")
    world.log.sort(key=lambda row: row.at)
    user.aff_count, user.aff_quota, user.aff_history = 2, _REWARD, 3 * _REWARD


def _add_plan(world: World, user: User) -> None:
    """Let a plan of every day pay before the wallet, for ten days already."""
    now = world.now
    offer = Offer(
        id=1,
        title="Coding plan",
        total=_PLAN,
        price=29,
        days=30,
        reset=Period.DAILY,
    )
    bought, today = now - 10 * DAY, now - now % DAY
    plan = Subscription(
        id=1,
        user_id=user.id,
        plan_id=offer.id,
        amount_total=offer.total,
        start_time=bought,
        end_time=bought + offer.days * DAY,
        last_reset_time=today,
        next_reset_time=today + DAY,
        source="order",
        created_at=bought,
    )
    world.offers, world.subscriptions = [offer], [plan]
    for row in world.log:
        # What it does not cover, the wallet has paid.
        if row.type == LogType.CONSUME and row.at >= today and plan.covers(row.quota):
            plan.amount_used += row.quota


def _share_what_is_older(world: World, shares: dict[int, float]) -> None:
    """Let the keys have used what the account has, in sum and to the unit."""
    missing = _USED - sum(key.used_quota for key in world.keys.values())
    (first, _), *others = shares.items()
    for number, share in others:
        part = round(missing * share)
        world.keys[number].used_quota += part
        missing -= part
    world.keys[first].used_quota += missing
    # An unlimited key counts down from nothing.
    world.keys[first].remain_quota = -world.keys[first].used_quota
