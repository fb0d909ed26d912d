"""A household that has used its gateway for a month."""

from datetime import UTC, datetime
from typing import Final

from .life import Habits
from .options import Options
from .records import DAY, HOUR, CheckIn, LogType, Model, Subscription
from .world import Clock, World

_LEFT: Final = 45_005_000
_USED: Final = 101_150_000
_REQUESTS: Final = 1_234
_EXHAUSTED: Final = 2_500_000
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
    _share_what_is_older(world, {code.id: 0.6, home.id: 0.25, chat.id: 0.15})
    world.check_ins = [
        CheckIn(user.id, f"{datetime.fromtimestamp(now - days * DAY, UTC):%F}", 5_000)
        for days in (3, 2, 1)
    ]
    world.monitors = [
        {
            "categoryName": "Models",
            "monitors": [
                {"name": "OpenAI", "uptime": 0.9991, "status": 1},
                {"name": "Anthropic", "uptime": 0.9978, "status": 1},
            ],
        }
    ]
    if with_plan:
        user.billing_preference = "wallet_first"
        world.subscriptions = [
            Subscription(
                id=1,
                user_id=user.id,
                amount_total=10_000_000,
                amount_used=2_500_000,
                start_time=now - 10 * DAY,
                end_time=now + 20 * DAY,
                last_reset_time=now - 22 * HOUR,
                next_reset_time=now + 2 * HOUR,
                created_at=now - 10 * DAY,
            )
        ]
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
