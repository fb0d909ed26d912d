"""Whether a site's log tells all that an account spends."""

from collections.abc import Mapping
from typing import Final

from homeassistant.core import callback

from ..gaps import Source
from ..memory import Logged, Memory
from ..periods import Days, now
from .incoming import ACCOUNT_LEDGER
from .stillness import Counters, Stillness

# So often in a row less than a half of what was used has to be logged. A little of it
# can be charged afterwards, and be logged in another way.
_SILENT: Final = 2
_AT_LEAST: Final = 2

_DAYS_OF_A_MONTH: Final = 31


class LogWatch:
    """Compares what the log says with the account, and with what it said before.

    Owners switch logs off (gateway_api.md 6.6) and purge them.
    """

    def __init__(self, memory: Memory) -> None:
        """Go on with what `memory` keeps, and keep there when the log was silent."""
        self._memory = memory
        self._stillness = Stillness()
        # How often in a row it was behind, since which day, and what was used and
        # logged meanwhile.
        self._behind = 0
        self._since = 0
        self._used = 0
        self._logged = 0
        if memory.logged is not None and memory.logged.is_silent:
            self._behind, self._since = _SILENT, memory.logged.day

    def is_silent(self, since: int, until: int) -> bool:
        """Tell whether the log has not told all of a time, in Unix seconds."""
        return self._memory.has_gap(Source.LOG, since, until)

    def has_said(self, begins: int) -> bool:
        """Tell whether it has ever said what was spent since then."""
        return begins in self._memory.most_logged

    def is_settled(self, counters: Counters | None) -> bool:
        """Tell whether the log has nothing to add to what was read of it last."""
        return not self._behind and self._stillness.is_settled(counters)

    @callback
    def note(
        self, counters: Counters | None, says: Mapping[int, int], days: Days
    ) -> bool:
        """Note what the log says was spent, raw quota by when the periods began.

        `says` has the one of today, and those from before that are known. `counters`
        are of a balance that was read since the last time, or None. Returns whether
        the log and the account speak of the same moment, which is so if neither has
        moved since then.
        """
        self._note_purge(says, days)
        if counters is None:
            return False
        used, logged = counters[0], says[days.today]
        last = self._memory.logged
        is_same = (
            self._stillness.is_still(counters)
            and last is not None
            and (last.day, last.used, last.amount) == (days.today, used, logged)
        )
        self._stillness.note(counters)
        self._compare(used, says, days)
        self._memory.is_log_behind = self._behind > 0
        if self._behind >= _SILENT:
            # It may have been silent since any moment of that day.
            for source in Source:
                self._memory.async_note_gap(source, self._since, int(now()))
        is_silent = self.is_silent(days.month, days.tomorrow)
        return is_same and not self._behind and not is_silent

    def _note_purge(self, says: Mapping[int, int], days: Days) -> None:
        """Notice where the log says less of a period than before: someone purged it.

        Sites purge what is old, so what was spent since a later moment can be whole.
        That is not certain of seven days, which nothing has told before but their days.
        """
        most, of_days = self._memory.most_logged, self._memory.days_logged
        of_days[days.today] = max(of_days.get(days.today, 0), says[days.today])
        before = [days.before(number) for number in range(1, _DAYS_OF_A_MONTH)]

        def of_days_since(since: int) -> int:
            return sum(of_days.get(day, 0) for day in before if day >= since)

        known = {
            days.week: of_days_since(days.week),
            # What comes today must not hide what is missing of the days before.
            days.month: of_days_since(days.month) + says[days.today],
        }
        whole, purged = [], []
        for begins, quota in says.items():
            told = self._memory.told(ACCOUNT_LEDGER, begins)
            is_known = begins in most or told is not None
            said = max(
                most.get(begins, 0),
                known.get(begins, 0),
                0 if told is None else told.amount,
            )
            if quota < said:
                purged.append(begins)
            elif is_known and begins in (days.month, days.yesterday, days.today):
                whole.append(begins)
            most[begins] = max(said, quota)
        for begins in purged:
            until = min((each for each in whole if each > begins), default=int(now()))
            self._memory.async_note_gap(Source.LOG, begins, until)

    def _compare(self, used: int, says: Mapping[int, int], days: Days) -> None:
        """Notice where the log does not grow although the account is used."""
        last, logged = self._memory.logged, says[days.today]
        # All of it may be more than the balance shows yet.
        ahead = logged
        if last is not None and last.day in (days.today, days.yesterday):
            new = logged - last.amount
            if last.day == days.yesterday:
                if days.yesterday not in says:
                    # What came before midnight is not known yet.
                    return
                new += says[days.yesterday]
                if days.yesterday == days.month:
                    # Of a month that has just begun, it is all of it.
                    new -= logged
            if new >= 0:
                # It was not purged.
                more = used - last.used
                self._follow(last, more, new)
                # The balance has made up for what the log was ahead of it before, and
                # the log cannot be ahead by more than what was logged since.
                ahead = max(0, min(new, last.ahead + new - max(0, more)))
        self._memory.async_note_logged(
            Logged(days.today, used, logged, ahead, self._behind >= _SILENT)
        )

    def _follow(self, last: Logged, used: int, logged: int) -> None:
        """Compare what was used and what was logged since the last time.

        What the log was ahead of the balance then comes with this one.
        """
        if not 0 < self._behind < _SILENT:
            self._used, self._logged = 0, last.ahead
            if not self._behind:
                self._since = last.day
        self._used += used
        self._logged += logged
        if self._used > _AT_LEAST * self._logged:
            self._behind += 1
        elif self._behind < _SILENT or self._logged > 0:
            self._behind = 0
