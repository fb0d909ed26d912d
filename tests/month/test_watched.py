"""Home Assistant looks on for the month, and what it shows is what is so."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
import sys
from typing import Final

from freezegun.api import FrozenDateTimeFactory
import pytest

from tests.home import Home

from .answers import MINUTE, Answers
from .comparison import Comparison
from .diary import (
    ANNOUNCEMENT,
    CHAT,
    CODE,
    END,
    HOME,
    LAPTOP,
    NEW_MODEL,
    PER_DOLLAR,
    REMOVED_MODEL,
    START,
    ZONE,
    Happening,
    happenings,
)
from .judging import ARRIVED, Judge, Snapshot
from .month import STEP, Month
from .truth import Truth
from .watching import Watcher

STARTED: Final = int(START.timestamp())
ENDED: Final = int(END.timestamp())
DAY: Final = 86_400
MORNING: Final = 6

WHEN: Final = {what: at for at, what in happenings()}
OUTAGES: Final = (
    range(WHEN[Happening.OUTAGE_BEGINS], WHEN[Happening.OUTAGE_ENDS]),
    range(WHEN[Happening.NIGHT_BEGINS], WHEN[Happening.NIGHT_ENDS]),
)

# So late a balance that has stopped answering is not shown any more.
MISSED: Final = 15 * MINUTE

# The warning of a person who has set 14 dollars; it ends a twentieth above them.
LOW: Final = 14 * PER_DOLLAR
ENOUGH: Final = LOW * 21 // 20
# So long before it is booked, what a request may cost is put aside already.
PUT_ASIDE: Final = 7 * MINUTE

# Money that came in is told when the account was quiet for a while, or steady.
NOTICED: Final = 3_600

# After so many steps in a row everybody had a turn whom a jump of time has cost it.
SETTLED: Final = 6

# Not even the household knows what it is going to do: a forecast is right to a factor,
# where a week or more of the month is left to hold it against.
FACTOR: Final = 3

ACCOUNT: Final = "juhe_ai_wang"
TITLE: Final = "Juhe AI (wang)"
REFUNDED: Final = "sensor.juhe_ai_claude_code_spent_today"

SUMS: Final = (
    f"sensor.{ACCOUNT}_spent_today",
    f"sensor.{ACCOUNT}_spent_this_month",
    "sensor.juhe_ai_chat_spent_today",
    "sensor.juhe_ai_claude_code_spent_today",
    "sensor.home_assistant_spent_today",
    "sensor.claude_code_spent_today",
)

type JudgeBy = Callable[[Comparison], Judge]


@pytest.mark.timeout(900)
async def test_month(recording: None, home: Home, clock: FrozenDateTimeFactory) -> None:
    """All that is shown, counted and told is what the ledger says."""
    month = Month()
    balance = month.user.quota
    site = await home.serve(month.gateway)
    await home.hass.config.async_set_time_zone(ZONE.key)
    watcher, comparison = Watcher(home), Comparison(ZONE)
    warnings = {"unit": "USD", "low_balance": LOW / PER_DOLLAR}
    await home.add(site, key=HOME, user="wang", entry_id="account", warnings=warnings)
    await home.add(site, key=CHAT, entry_id="chat")
    await home.add(site, key=CODE, entry_id="code")
    world = month.gateway.world
    keys = {
        "account_key": world.key(HOME).id,
        "chat_key": world.key(CHAT).id,
        "code_key": world.key(CODE).id,
    }
    laptop = f"account_key_{world.key(LAPTOP).id}"
    balances: dict[int, int] = {}
    for step in month.steps(clock.move_to):
        await home.pass_time(timedelta())
        await watcher.look(step)
        keys |= {f"account_key_{number}": number for number in world.keys}
        balances[int(step.at.timestamp())] = month.user.quota

    answers = Answers(month.truth, WHEN)
    judge_by = partial(
        Judge,
        answers=answers,
        when=WHEN,
        keys=keys,
        gone={laptop: WHEN[Happening.KEY_REPLACED]},
        refunds={"code_key": month.truth.refunds[0]},
    )
    compare_figures(comparison, judge_by, watcher.noted)
    right_again = [minutes_after(each, judge_by, watcher.noted) for each in OUTAGES]
    compare_statistics(comparison, month.truth, await watcher.by_hour())
    compare_sums(comparison, await watcher.sums(*SUMS))
    compare_events(comparison, month.truth, watcher, balances)
    compare_warning(comparison, answers.low_balance(balance, LOW, ENOUGH), watcher)
    factors = compare_forecasts(comparison, answers, watcher.noted, balances)
    sys.stdout.write(
        f"ledger: {month.truth.spent}, received {month.truth.received},"
        f" refunded {month.truth.refunded}\n{comparison}\n"
        f"Days left: {min(factors):.2f} to {max(factors):.2f} times the real future\n"
        f"right again {right_again} minutes after the outages\n"
    )
    assert not comparison.differences
    assert max(right_again) * MINUTE <= ARRIVED


def compare_figures(
    comparison: Comparison, judge_by: JudgeBy, noted: Mapping[int, Snapshot]
) -> None:
    """Compare all figures at all steps."""
    judge = judge_by(comparison)
    for at, shown in noted.items():
        outage = next(
            (each for each in OUTAGES if each.start <= at < each.stop + ARRIVED), None
        )
        if outage is not None:
            if outage.start + MISSED <= at < outage.stop:
                judge.compare_away(at, shown)
        elif at >= STARTED + ARRIVED and is_settled(at, noted):
            judge.compare(at, shown)


def is_settled(at: int, noted: Mapping[int, Snapshot]) -> bool:
    """Tell whether time has gone on for some minutes without a jump."""
    return all(at - number * STEP in noted for number in range(1, SETTLED + 1))


def minutes_after(
    outage: range, judge_by: JudgeBy, noted: Mapping[int, Snapshot]
) -> int:
    """Return how long after an outage everything was right again."""
    for at, shown in noted.items():
        if at >= outage.stop:
            comparison = Comparison(ZONE)
            judge_by(comparison).compare(at, shown)
            if not comparison.differences:
                return (at - outage.stop) // MINUTE
    raise AssertionError("It never was")


def compare_statistics(
    comparison: Comparison, truth: Truth, shown: Mapping[str, Mapping[int, float]]
) -> None:
    """Compare each hour of each model, from before the entry was there on."""
    hours = truth.by_exported_hour()
    for model in sorted({model for _, model in hours}):
        used = {at: each for (at, name), each in hours.items() if name == model}
        for word, right in (
            ("spent", {at: each.quota / PER_DOLLAR for at, each in used.items()}),
            ("requests", {at: each.requests for at, each in used.items()}),
            ("tokens", {at: each.tokens for at, each in used.items()}),
        ):
            rows = shown.get(f"{TITLE} {model} {word}", {})
            comparison.rows(f"statistics by model: {word}", right, rows)


def compare_sums(
    comparison: Comparison, sums: Mapping[str, Mapping[int, float]]
) -> None:
    """Look whether a sum that the recorder makes of a figure ever goes back.

    That of a key alone does once, when the key is given something back, and never below
    nothing.
    """
    for entity in SUMS:
        figure = f"long-term sum: {entity.partition('.')[2]}"
        falls = 0
        for (_, early), (at, late) in pairwise(sums[entity].items()):
            falls += late < early
            is_right = late >= 0 and falls <= (entity == REFUNDED)
            comparison.equal(figure, at, "rises", "rises" if is_right else "falls")


def compare_events(
    comparison: Comparison,
    truth: Truth,
    watcher: Watcher,
    balances: Mapping[int, int],
) -> None:
    """Compare what was told: all of it, in its order, each once."""

    def told(name: str, what: str) -> list[tuple[str, object]]:
        return [
            (each.shown.attributes["event_type"], each.shown.attributes[what])
            for each in watcher.events[f"event.{name}"]
        ]

    top_up = f"{ACCOUNT}_top_up"
    income = [("topped_up", each.quota / PER_DOLLAR) for each in truth.receipts]
    comparison.equal("Top-up", ENDED, income, told(top_up, "amount"))
    for each, receipt in zip(
        watcher.events[f"event.{top_up}"], truth.receipts, strict=False
    ):
        balance = each.shown.attributes["new_balance"]
        right = balances[each.at] / PER_DOLLAR
        comparison.equal("Top-up: new balance", each.at, right, balance)
        late = range(NOTICED + 1)
        comparison.between("Top-up: seconds late", each.at, late, each.at - receipt.at)
    for name in (ACCOUNT, "juhe_ai_chat", "juhe_ai_claude_code"):
        changes = [
            ("model_removed", [REMOVED_MODEL]),
            ("model_added", [NEW_MODEL.name]),
        ]
        comparison.equal("Models", ENDED, changes, told(f"{name}_models", "models"))
        news = [("announcement", ANNOUNCEMENT)]
        comparison.equal("News", ENDED, news, told(f"{name}_news", "text"))


def compare_warning(
    comparison: Comparison, right: list[tuple[int, str]], watcher: Watcher
) -> None:
    """Compare when the warning began and ended, and that it did at no other time."""
    shown = watcher.warnings[f"binary_sensor.{ACCOUNT}_low_balance"]
    states = ["off", *(state for _, state in right)]
    comparison.equal("warning", ENDED, states, [each.shown.state for each in shown])
    for (at, _), each in zip(right, shown[1:], strict=False):
        late = range(-PUT_ASIDE, MISSED + 1)
        comparison.between("warning: seconds late", at, late, each.at - at)


def compare_forecasts(
    comparison: Comparison,
    answers: Answers,
    noted: Mapping[int, Snapshot],
    balances: Mapping[int, int],
) -> list[float]:
    """Compare each morning how long the balance lasts, and return by what factor."""
    factors: list[float] = []
    for at, shown in noted.items():
        now = datetime.fromtimestamp(at, ZONE)
        is_away = any(at in outage for outage in OUTAGES)
        if is_away or (now.hour, now.minute) != (MORNING, 0):
            continue
        days_left = shown["account_days_left"].state
        is_known = days_left not in ("unknown", "unavailable")
        comparison.equal("Days left: known", at, True, is_known)
        if is_known and at <= ENDED - 7 * DAY:
            factor = float(days_left) / answers.lasts(balances[at], at, ENDED)
            factors.append(factor)
            is_sane = 1 / FACTOR <= factor <= FACTOR
            comparison.equal(
                "Days left: sane", at, "sane", "sane" if is_sane else factor
            )
    return factors
