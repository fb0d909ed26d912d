"""What the account has spent, by the days of the person."""

from dataclasses import dataclass, field
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import View
from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError
from ..gateway.models import Site
from ..gateway.money import Unit
from ..gateway.usage import Spent
from ..memory import Memory
from ..periods import DAYS_OF_AVERAGE, Days, now
from .account import AccountCoordinator, Balance
from .amounts import Amount, amount_of, average_of, rounded
from .base import balance_interval
from .detail import DetailCoordinator
from .incoming import ACCOUNT_LEDGER
from .log_watch import LogWatch
from .site import SiteCoordinator
from .stillness import Counters

RATES: Final = "rates"
"""The context of who wants to know how much is spent at the moment."""

# How often the balance is read before what was spent is asked for again: it costs one
# more request, and says when, not how much is left.
_TURNS: Final = 2

# Up to three more questions, once a day: yesterday, seven days and this month.
_OF_THE_DAY: Final = 3

# What is asked at least in a turn in which something of that is missing.
_AT_LEAST: Final = 2

# In seconds. The last lines of a day may be written a little later.
_LATE: Final = 60


@dataclass(frozen=True, slots=True)
class Spending:
    """What the account has spent in periods that end now or at midnight.

    None where that is not known. The rates are per minute, those of the last one.
    """

    unit: Unit
    days: Days
    today: Amount | None
    yesterday: Amount | None
    month: Amount | None
    average: Amount | None
    requests_per_minute: int | None
    tokens_per_minute: int | None


@dataclass(slots=True)
class _Past:
    """What the log says of the time until midnight, by when that begins.

    Raw quota and Unix seconds, filled in as there is room to ask.
    """

    days: Days
    spent: dict[int, int] = field(default_factory=dict)

    @property
    def missing(self) -> list[int]:
        """Return from when on it is not known yet, the most important first."""
        wanted = (self.days.month, self.days.yesterday, self.days.week)
        return [since for since in dict.fromkeys(wanted) if since not in self.spent]


class SpendingCoordinator(DetailCoordinator[Spending]):
    """Asks the site's log what was spent, unless the log does not tell all."""

    first_calls = 1 + _OF_THE_DAY

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        account: AccountCoordinator,
        memory: Memory,
    ) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass,
            entry,
            client,
            site,
            account,
            view=View.SPENDING,
            poll_interval=_TURNS * balance_interval(entry),
            calls=1,
        )
        self._account = account
        self._memory = memory
        self._past: _Past | None = None
        self._log = LogWatch(memory)
        self._compared: Balance | None = None

    @override
    def _holds(self, reading: Spending) -> bool:
        """Tell whether a reading is of today, and in the unit of today."""
        return reading.unit == self._site.data.unit and reading.days == Days.now()

    @override
    def _adopted(self, reading: Spending) -> Spending:
        """Return a reading of before, some of which may still be to come."""
        if None in (reading.yesterday, reading.month, reading.average):
            self._come_back_soon()
        return reading

    @override
    async def _async_ask(self) -> Spending:
        site = self._site.data
        days = Days.now()
        # A newer one can be read meanwhile.
        balance: Balance = self._account.data
        counters = self._account.counters
        if self._is_known(counters):
            return self.data
        try:
            spent = await self.client.spent(site, days.today, days.tomorrow - 1)
        except EndpointMissingError:
            return self._from_readings(site, days)
        await self._async_look_for_log(site, counters, spent)
        past = await self._async_past(site, days)
        before = past.spent.get(days.month)
        month = None if before is None else before + spent.quota
        told = {days.today: spent.quota}
        if month is not None:
            told[days.month] = month
        if balance is self._compared:
            # Nobody has read it since the log was.
            counters = None
        self._compared = balance
        is_same = self._log.note(counters, past.spent | told, days)
        if month is not None and is_same and counters is not None:
            self._memory.async_note_told(ACCOUNT_LEDGER, counters[0], told)
        return Spending(
            unit=site.unit,
            days=days,
            today=self._amount(spent.quota, days.today, days.tomorrow),
            yesterday=self._amount(
                past.spent.get(days.yesterday), days.yesterday, days.today
            ),
            month=self._amount(month, days.month, days.tomorrow),
            average=self._average(past.spent.get(days.week), days),
            requests_per_minute=spent.requests_per_minute,
            tokens_per_minute=spent.tokens_per_minute,
        )

    def _is_known(self, counters: Counters | None) -> bool:
        """Tell whether the log has nothing new, since the account was not used."""
        last: Spending | None = self.data
        return (
            last is not None
            and self.is_current
            and self._holds(last)
            and self._past is not None
            and not self._past.missing
            and self._memory.is_logged is not None
            and RATES not in self.async_contexts()
            and self._log.is_settled(counters)
        )

    async def _async_past(self, site: Site, days: Days) -> _Past:
        """Ask for the days before today, as far as there is room for it now."""
        if self._past is None or self._past.days != days:
            self._past = _Past(days)
        past = self._past
        if days.month == days.today:
            past.spent[days.today] = 0
        # A site whose clock is slow still writes lines of yesterday.
        if min(now(), self.client.site_time()) > days.today + _LATE:
            for since in past.missing:
                if not self._has_room_for(1):
                    break
                spent = await self.client.spent(site, since, days.today - 1)
                past.spent[since] = spent.quota
        if past.missing:
            self._come_back_with(_AT_LEAST)
        return past

    async def _async_look_for_log(
        self, site: Site, counters: Counters | None, spent: Spent
    ) -> None:
        """Find out whether the site logs anything of what is spent at all."""
        if spent.quota or (counters is not None and not counters[0]):
            self._memory.is_logged = True
        elif self._memory.is_logged is None and self._has_room_for(1):
            ever = await self.client.spent(site, 0, int(now()))
            self._memory.is_logged = ever.quota > 0

    def _amount(self, logged: int | None, since: int, until: int) -> Amount | None:
        """Return what was spent in a period: as logged, or else as it was read."""
        if not self._log.is_silent(since, until):
            is_known = logged is not None and self._memory.is_logged
            return Amount(logged or 0, since) if is_known else None
        return self._as_read(since, until)

    def _as_read(self, since: int, until: int) -> Amount | None:
        amount = amount_of(self._memory, ACCOUNT_LEDGER, since, until)
        is_part = amount is not None and amount.since is not None
        if is_part and self._log.has_said(since):
            # It was more already, and a part of it is no figure to go on with.
            return None
        return amount

    def _average(self, logged: int | None, days: Days) -> Amount | None:
        if not self._log.is_silent(days.week, days.today):
            if logged is None or not self._memory.is_logged:
                return None
            return Amount(rounded(logged, DAYS_OF_AVERAGE), days.week)
        return average_of(self._memory, ACCOUNT_LEDGER, days)

    @callback
    def _from_readings(self, site: Site, days: Days) -> Spending:
        """Return what follows from the readings of the account alone."""
        return Spending(
            unit=site.unit,
            days=days,
            today=self._as_read(days.today, days.tomorrow),
            yesterday=self._as_read(days.yesterday, days.today),
            month=self._as_read(days.month, days.tomorrow),
            average=average_of(self._memory, ACCOUNT_LEDGER, days),
            requests_per_minute=None,
            tokens_per_minute=None,
        )
