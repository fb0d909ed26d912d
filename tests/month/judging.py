"""Holds what was shown, step by step, against the ledger of the whole month."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN

from .answers import MINUTE, Answers, Count, midnight
from .comparison import Comparison
from .diary import PER_DOLLAR, ZONE, Happening
from .truth import Receipt
from .watching import Shown

ARRIVED: Final = 45 * MINUTE
"""After so long at most, all is there: at first, and when the site is back."""

# A reading is so old at most: with its jitter, the one of the account before it, and
# the step of five minutes on which it is noticed.
_SPENT_LAG: Final = 25 * MINUTE
_USED_LAG: Final = 50 * MINUTE
_READ_LAG: Final = 15 * MINUTE

# So long after midnight, the days before were asked for.
_NIGHT_LAG: Final = 55 * MINUTE

_NOTHING: Final = frozenset({STATE_UNAVAILABLE, STATE_UNKNOWN})
_ALWAYS_KNOWN: Final = "connected"
_HOURLY: Final = ("_models", "_model_count")

type Snapshot = Mapping[str, Shown]
type Answer = Callable[[int, int], range]


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a month of the home, in Unix seconds."""

    begins: int
    ends: int

    @classmethod
    def day(cls, at: int) -> Period:
        """Return the day that a moment is in."""
        day = _day_of(at)
        return cls(midnight(day), midnight(day + timedelta(days=1)))

    @classmethod
    def month(cls, at: int) -> Period:
        """Return the month that a moment is in."""
        first = _day_of(at).replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
        return cls(midnight(first), midnight(following))


class Judge:
    """Compares all figures of a step."""

    def __init__(
        self,
        comparison: Comparison,
        answers: Answers,
        when: Mapping[Happening, int],
        keys: Mapping[str, int],
        gone: Mapping[str, int],
        refunds: Mapping[str, Receipt],
    ) -> None:
        """Take what there is to compare with.

        `keys` are the ids of keys by what the unique ids of their entities begin with,
        `gone` is when one of them was deleted, and `refunds` what those got back that
        are read from what is used of them alone.
        """
        self._comparison = comparison
        self._answers = answers
        self._when = when
        self._keys = keys
        self._gone = gone
        self._refunds = refunds
        first, last = when[Happening.EXPORT_OFF], when[Happening.EXPORT_ON]
        self._night = range(when[Happening.NIGHT_BEGINS], when[Happening.NIGHT_ENDS])
        # The days that the site has no statistics of, and the one on which it may still
        # seem so.
        self._unexported = range(first, last)
        self._in_doubt = range(last, Period.day(last).ends)

    def compare(self, at: int, shown: Snapshot) -> None:
        """Compare all that was shown at a step."""
        self._account(at, shown)
        for prefix in self._keys:
            is_there = f"{prefix}_spent_today" in shown
            if is_there and at < self._gone.get(prefix, at + 1):
                self._key(at, prefix, shown)

    def compare_away(self, at: int, shown: Snapshot) -> None:
        """Look at what is shown of a site that does not answer.

        Models are asked for by the hour.
        """
        known = {
            unique_id
            for unique_id, each in shown.items()
            if each.state != STATE_UNAVAILABLE
            and not unique_id.endswith((_ALWAYS_KNOWN, *_HOURLY))
        }
        self._comparison.equal("outage: shown nevertheless", at, set(), known)
        connected = {
            each.state
            for unique_id, each in shown.items()
            if unique_id.endswith(_ALWAYS_KNOWN)
        }
        self._comparison.equal("outage: Gateway", at, {"off"}, connected)

    # The account

    def _account(self, at: int, shown: Snapshot) -> None:
        answers = self._answers
        day, month = Period.day(at), Period.month(at)

        def logged(since: int, until: int) -> range:
            return answers.logged(since, until, at, _SPENT_LAG)

        self._running("Spent today", at, shown["account_spent_today"], day, logged)
        this_month = shown["account_spent_this_month"]
        is_late = at >= day.begins + _NIGHT_LAG
        if is_late or this_month.state != STATE_UNKNOWN:
            self._running("Spent this month", at, this_month, month, logged)
        if is_late:
            yesterday = Period.day(day.begins - 1)
            past = answers.logged(yesterday.begins, yesterday.ends, at, 0).start
            self._amount("Spent yesterday", at, past, shown["account_spent_yesterday"])
            week = midnight(_day_of(at) - timedelta(days=7))
            past = answers.logged(week, day.begins, at, 0).start
            self._amount(
                "Average per day",
                at,
                (2 * past + 7) // 14,
                shown["account_average_per_day"],
            )
        self._counts(at, shown, day)

    def _counts(self, at: int, shown: Snapshot, day: Period) -> None:
        """Compare what the site's statistics tell of today, and nothing else does."""
        answers, is_exported = self._answers, at not in self._unexported
        unsure = _unsure(at, day)

        def counted(count: Count) -> Answer:
            def answer(since: int, until: int) -> range:
                if is_exported:
                    return answers.exported(
                        since, until, at, _USED_LAG, count=count, unsure=unsure
                    )
                return answers.read(since, until, at, _USED_LAG, count=count)

            return answer

        requests = shown["account_requests_today"]
        self._running("Requests today", at, requests, day, counted("requests"))
        tokens, model = (
            shown["account_tokens_today"],
            shown["account_most_expensive_model"],
        )
        may_be_unknown = at in self._in_doubt or at < day.begins + _NIGHT_LAG
        may_be_unknown &= tokens.state in _NOTHING
        if is_exported and not may_be_unknown:
            self._running("Tokens today", at, tokens, day, counted("tokens"))
            costs = answers.by_model(day.begins, at, _USED_LAG)
            if costs is not None and at >= day.begins + _NIGHT_LAG:
                self._models(at, costs, model)
        elif not is_exported and at >= day.begins + _NIGHT_LAG:
            known = {tokens.state, model.state} - _NOTHING
            self._comparison.equal("not exported: shown nevertheless", at, set(), known)

    def _models(self, at: int, costs: Mapping[str, int], shown: Shown) -> None:
        dearest = max(costs, key=costs.__getitem__, default=STATE_UNKNOWN)
        self._comparison.equal("Most expensive model today", at, dearest, shown.state)
        told = {
            model: Decimal(str(amount)) * PER_DOLLAR
            for model, amount in shown.attributes.get("models", {}).items()
        }
        self._comparison.equal("Most expensive model: amounts", at, costs, told)

    # The keys

    def _key(self, at: int, prefix: str, shown: Snapshot) -> None:
        """Compare what a key has spent: as the site tells it, or else as it is read."""
        key = self._keys[prefix]
        is_alone = not prefix.startswith("account")
        refund = self._refunds.get(prefix)

        def read(since: int, until: int) -> range:
            # The site's statistics may be back.
            lag = _USED_LAG if at in self._in_doubt else _READ_LAG
            return self._answers.read(since, until, at, lag, key=key, refund=refund)

        def exported(since: int, until: int) -> range:
            unsure = _unsure(at, Period.day(at))
            return self._answers.exported(
                since, until, at, _USED_LAG, key=key, unsure=unsure
            )

        day = Period.day(at)
        today = shown[f"{prefix}_spent_today"]
        if is_alone and at >= day.begins + _READ_LAG and today.state not in _NOTHING:
            # Nothing was read around that midnight, and something was spent.
            is_estimate = day.begins in self._night
            told = today.attributes["estimate"]
            self._comparison.equal("Key alone: estimate", at, is_estimate, told)
        for what, period, is_read in (
            (
                "today",
                day,
                at in self._unexported or at in self._in_doubt,
            ),
            ("month", Period.month(at), at >= self._unexported.start),
        ):
            name = "spent_today" if what == "today" else "spent_this_month"
            of = f"Key {'alone' if is_alone else 'of account'}: {what}"
            if is_alone or is_read:
                self._running(
                    f"{of}, as read", at, shown[f"{prefix}_{name}"], period, read
                )
            else:
                self._running(of, at, shown[f"{prefix}_{name}"], period, exported)

    # What they have in common

    def _running(
        self,
        figure: str,
        at: int,
        shown: Shown,
        period: Period,
        answer: Answer,
    ) -> None:
        """Compare what was counted in a period that goes on."""
        if (raw := self._raw(figure, at, shown)) is None:
            return
        begun = int(datetime.fromisoformat(shown.attributes["last_reset"]).timestamp())
        if begun < period.begins and at < period.begins + _SPENT_LAG:
            # Midnight is not noticed before the next reading.
            period = Period.day(begun) if "month" not in figure else Period.month(begun)
        self._comparison.equal("last reset", at, period.begins, begun)
        self._comparison.between(figure, at, answer(begun, period.ends), raw)

    def _amount(self, figure: str, at: int, truth: int, shown: Shown) -> None:
        if (raw := self._raw(figure, at, shown)) is not None:
            self._comparison.equal(figure, at, truth, raw)

    def _raw(self, figure: str, at: int, shown: Shown) -> int | None:
        """Return what is shown in raw units, None where it is nothing."""
        if shown.state in _NOTHING:
            self._comparison.equal(figure, at, "known", shown.state)
            return None
        value = Decimal(shown.state)
        if shown.attributes.get("unit_of_measurement") == "USD":
            value *= PER_DOLLAR
        assert value == int(value), shown.state
        return int(value)


def _unsure(at: int, day: Period) -> int:
    """Return from when on readings stand in for statistics, 0 where they do not."""
    return day.begins if at < day.begins + _NIGHT_LAG else 0


def _day_of(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).astimezone(ZONE).date()
