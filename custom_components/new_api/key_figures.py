"""What is known of a key, from whichever view knows it best."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from .coordinator import Amount, Keys, Usage, amount_until_told, ledger_of_key
from .data import NewApiData
from .forecast import Forecast
from .gateway.families import counts_unlimited_keys
from .gateway.models import KeyState
from .periods import Days, has_just_begun


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """A key: its state, its id on the site where known, and what it has spent.

    `since` is when it took the place of another, in Unix seconds.
    """

    state: KeyState
    number: int | None
    ledger: str
    data: NewApiData
    since: int = 0

    @property
    def spent_today(self) -> Amount | None:
        """Return what the key has spent since midnight, None where nobody knows."""
        days, usage = Days.now(), self._usage
        told: Mapping[int, int] | None = None
        if usage is not None:
            told = _current(usage.keys_today, usage.days, usage.days.today, days.today)
        return self._spent(told, days.today, days.tomorrow)

    @property
    def spent_this_month(self) -> Amount | None:
        """Return what the key has spent since the month began."""
        days, usage = Days.now(), self._usage
        told: Mapping[int, int] | None = None
        if usage is not None:
            told = _current(usage.keys_month, usage.days, usage.days.month, days.month)
        return self._spent(told, days.month, days.tomorrow)

    @property
    def forecast(self) -> Forecast | None:
        """Return when its limit is used up, None where nothing tells."""
        return self.data.outlook.of_key(self.ledger, self.state)

    @property
    def _usage(self) -> Usage | None:
        """Return what the site's statistics say, if they can be read."""
        views = self.data.account
        if views is None or not views.usage.is_current:
            return None
        usage: Usage | None = views.usage.data
        return usage

    @property
    def _is_counted(self) -> bool:
        """Tell whether its counter moves with what it spends."""
        family = self.data.site.data.family
        return not self.state.unlimited or counts_unlimited_keys(family)

    def _spent(
        self, told: Mapping[int, int] | None, begins: int, ends: int
    ) -> Amount | None:
        """Return what was spent in a period; its count begins with the key."""
        amount = self._told_or_read(told, begins, ends)
        if amount is None or self.since <= begins:
            return amount
        return replace(amount, reset=self.since)

    def _told_or_read(
        self, told: Mapping[int, int] | None, begins: int, ends: int
    ) -> Amount | None:
        """Return what the site tells, or else what was read."""
        if told is not None and self.number is not None:
            return Amount(told.get(self.number, 0), begins)
        if self.state.used_quota is None or not self._is_counted:
            # Nobody knows what it has spent since its counter was last read.
            return None
        usage = self._usage
        return amount_until_told(
            self.data.memory,
            self.ledger,
            begins,
            ends,
            will_be_told=self.data.account is not None
            and (usage is None or not usage.is_whole),
        )


def _current(
    keys: Mapping[int, int] | None, read: Days, began: int, begins: int
) -> Mapping[int, int] | None:
    """Return what keys have used in a period, of which nothing may be read yet."""
    if keys is None or began == begins:
        return keys
    return {} if has_just_begun(read, begins) else None


def configured_key(data: NewApiData) -> Callable[[Keys], KeyFigures | None]:
    """Return what finds the configured key in a reading of the keys."""

    def read(keys: Keys) -> KeyFigures | None:
        if keys.configured is None:
            return None
        ledger = data.keys.ledger_of(keys.configured)
        since = data.memory.own_since
        return KeyFigures(keys.configured, keys.own_id, ledger, data, since)

    return read


def listed_key(data: NewApiData, number: int) -> Callable[[Keys], KeyFigures | None]:
    """Return what finds a key of the account by its id on the site."""

    def read(keys: Keys) -> KeyFigures | None:
        key = keys.others.get(number)
        if key is None:
            return None
        return KeyFigures(key.as_state(), number, ledger_of_key(number), data)

    return read
