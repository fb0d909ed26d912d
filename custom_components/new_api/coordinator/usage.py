"""What each model and each key has used, as the site's statistics say it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import USAGE_UPDATE_INTERVAL, View
from ..gaps import Source
from ..gateway.client import Client
from ..gateway.errors import EndpointMissingError, GatewayError, RefusedError
from ..gateway.models import Site
from ..gateway.money import Unit
from ..gateway.usage import ModelDay, ModelUsage
from ..memory import Memory
from ..periods import HOUR, Days, hour_of, midnight, now
from ..statistics import Statistics, async_statistics_of
from .account import REQUESTS_LEDGER, AccountCoordinator
from .detail import DetailCoordinator
from .keys import Keys, KeysCoordinator, ledger_of_key
from .site import SiteCoordinator
from .stillness import Counters, Stillness
from .usage_of_days import UsageOfDays, at_midnight, spread
from .usage_of_keys import UsageOfKeys
from .usage_of_models import UsageOfModels

# Models and keys of today.
_USUAL_CALLS: Final = 2

# Rows come some minutes late, those of other nodes of a site later (3.6).
_LATE: Final = 26 * HOUR


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What was used in a period; raw quota."""

    quota: int = 0
    requests: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What models and keys have used.

    `models` is of today, by name, and None where that is not known; so are `keys_today`
    and `keys_month`, raw quota by the ids of the keys. `is_whole` tells whether no more
    can be known of this day.
    """

    unit: Unit
    days: Days
    is_whole: bool = True
    models: Mapping[str, ModelUse] | None = None
    keys_today: Mapping[int, int] | None = None
    keys_month: Mapping[int, int] | None = None


class UsageCoordinator(DetailCoordinator[Usage]):
    """Asks for the site's statistics, and hands them on to those of Home Assistant."""

    # The month before, too.
    first_calls = 4

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        site: SiteCoordinator,
        account: AccountCoordinator,
        keys: KeysCoordinator,
        memory: Memory,
    ) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass,
            entry,
            client,
            site,
            account,
            view=View.USAGE,
            poll_interval=USAGE_UPDATE_INTERVAL,
            calls=_USUAL_CALLS,
        )
        self._account = account
        self._keys = keys
        self._memory = memory
        self._statistics = async_statistics_of(hass, entry)
        self._models = UsageOfModels(client, self._has_room_for)
        self._of_days = UsageOfDays(client, self._has_room_for, memory)
        self._of_keys = UsageOfKeys(client, self._has_room_for)
        self._stillness = Stillness()
        # Whether the last reading has said the same as the one before.
        self._is_confirmed = False

    @override
    def _holds(self, reading: Usage) -> bool:
        """Tell whether a reading is of today, in the unit of today and all written."""
        return (
            self._is_of_today(reading)
            and self._known_until() >= self._memory.history.until
        )

    def _is_of_today(self, reading: Usage) -> bool:
        return reading.unit == self._site.data.unit and reading.days == Days.now()

    @property
    def _of_today(self) -> Usage | None:
        """Return the last reading, if it was of this day."""
        last: Usage | None = self.data
        return None if last is None or not self._is_of_today(last) else last

    @override
    def _adopted(self, reading: Usage) -> Usage:
        """Return a reading of before, the rest of which is still to come."""
        if not reading.is_whole:
            self._come_back_soon()
        return reading

    @override
    async def _async_ask(self) -> Usage:
        site = self._site.data
        days = Days.now()
        if site.keeps_history is False:
            memory = self._memory
            memory.async_note_gap(Source.STATISTICS, memory.history.until, int(now()))
            return Usage(site.unit, days)
        counters = self._account.counters
        if self._is_known(counters):
            return self.data
        # Newer ones can be read meanwhile.
        used = self._used_by_keys()
        try:
            models = await self._async_models(site, days)
        except EndpointMissingError:
            self._models.forget()
            models = await self._async_models_of_days(site, days)
        keys_today, keys_month = await self._async_keys(site, days, models)
        if self._stillness.is_first:
            # What was used just before is told some minutes later.
            self._come_back_soon()
        if self._is_silent(counters):
            models = keys_today = keys_month = None
        usage = self._without_gaps(
            Usage(
                site.unit,
                days,
                is_whole=self._models.is_whole and self._of_keys.is_whole,
                models=models,
                keys_today=keys_today,
                keys_month=keys_month,
            )
        )
        # They speak of the same moment as the account where neither has moved.
        self._is_confirmed = usage.is_whole and usage == self.data
        if (
            self._is_confirmed
            and not self._memory.is_log_behind
            and counters is not None
            and self._stillness.is_still(counters)
        ):
            self._note_told(usage, counters[1], used)
        self._stillness.note(counters)
        return usage

    def _without_gaps(self, usage: Usage) -> Usage:
        """Return what statistics tell of periods of which they tell all."""
        days, has_gap = usage.days, self._memory.has_gap
        if has_gap(Source.STATISTICS, days.today):
            usage = replace(usage, models=None, keys_today=None)
        if has_gap(Source.STATISTICS, days.month):
            usage = replace(usage, keys_month=None)
        return usage

    @callback
    def async_look_for_gaps(self) -> None:
        """Show nothing any more that turns out to be a part, now that the log is."""
        last: Usage | None = self.data
        if last is not None and (rest := self._without_gaps(last)) != last:
            self.data = rest
            self.async_update_listeners()

    async def _async_keys(
        self, site: Site, days: Days, models: Mapping[str, ModelUse] | None
    ) -> tuple[Mapping[int, int] | None, Mapping[int, int] | None]:
        """Return what keys have used today and this month, None where not known.

        `models` is what models have used today. Raises GatewayError where that is not
        known either.
        """
        of_keys = self._of_keys
        try:
            today, month = await of_keys.async_read(site, days)
        except RefusedError:
            raise
        except GatewayError as err:
            if models is None:
                raise
            self._tell("what keys have used", err)
            self._come_back_with(1 + of_keys.calls)
            return None, None
        self._tell("what keys have used", None)
        last = self._of_today
        if not of_keys.is_whole:
            self._come_back_with(1 + of_keys.calls)
            if last is not None:
                # What was known stands.
                today = last.keys_today if today is None else today
                month = last.keys_month if month is None else month
        # Rows that an older server has written are in the one and not in the other.
        if today is not None and not _covers(today, _quota_of(models)):
            today = None
        if month is not None and not _covers(month, self._quota_since(days.month)):
            month = None
        return today, month

    def _quota_since(self, since: int) -> int | None:
        """Return what all models have used since a time, None until that is known."""
        is_known = self._models.is_whole
        return self._memory.history.total(since) if is_known else None

    def _is_silent(self, counters: Counters | None) -> bool:
        """Tell whether nothing stands in the statistics since nothing is logged."""
        return (
            self._memory.is_logged is False
            and counters is not None
            and counters[0] > 0
            and not self._memory.history.total(0)
        )

    def _used_by_keys(self) -> dict[str, tuple[int, int]]:
        """Return the ids of the keys and what they have used, by their ledgers."""
        keys: Keys | None = self._keys.data
        if not self._keys.last_update_success:
            # They may have been used since they were read.
            return {}
        listed = () if keys is None else keys.listed or ()
        names = {ledger_of_key(number): number for number in listed}
        if keys is not None and keys.own_id is not None:
            names[self._keys.own_ledger] = keys.own_id
        return {
            name: (number, counter)
            for name, number in names.items()
            if (counter := self._memory.ledger(name).counter) is not None
        }

    @callback
    def _note_told(
        self, usage: Usage, requests: int, used: Mapping[str, tuple[int, int]]
    ) -> None:
        """Note what was used, so that readings can go on from there.

        `requests` is how many the account has made in all, and `used` what its keys
        have used in all, when that was asked.
        """
        days, memory = usage.days, self._memory
        if usage.models is not None:
            today = sum(use.requests for use in usage.models.values())
            memory.async_note_told(REQUESTS_LEDGER, requests, {days.today: today})
        if usage.keys_today is None or usage.keys_month is None:
            return
        for name, (number, counter) in used.items():
            told = {
                days.month: usage.keys_month.get(number, 0),
                days.today: usage.keys_today.get(number, 0),
            }
            memory.async_note_told(name, counter, told)

    def _is_known(self, counters: Counters | None) -> bool:
        """Tell whether there is nothing new, since the account was not used."""
        last: Usage | None = self.data
        return (
            last is not None
            and self.is_current
            and self._holds(last)
            and self._models.is_whole
            and self._of_keys.is_settled
            and self._is_confirmed
            and self._stillness.is_settled(counters)
        )

    async def _async_models(
        self, site: Site, days: Days
    ) -> Mapping[str, ModelUse] | None:
        """Return what models have used today, None until all of the past was read."""
        models = self._models
        since = min(hour_of(days.today), hour_of(self._known_until() - _LATE))
        if not await models.async_read(site, since, spare=self._of_keys.calls):
            # What was known stands.
            self._come_back_with(1 + self._of_keys.calls)
            return None if (last := self._of_today) is None else last.models
        if models.is_whole:
            hours: Counter[int] = Counter()
            for row in models.rows:
                hours[row.start] += row.quota
            self._keep(models.rows, hours, models.begins, site.unit)
        else:
            self._come_back_with(models.missing + self._of_keys.calls)
        if not days.is_on_the_hour or models.since > days.today:
            # The hour of midnight belongs to both days.
            return None
        return _by_model(row for row in models.rows if row.start >= days.today)

    async def _async_models_of_days(
        self, site: Site, days: Days
    ) -> Mapping[str, ModelUse] | None:
        """Return the same where a site counts by days of its own."""
        of_days = self._of_days
        await of_days.async_read(site)
        if whole := of_days.whole:
            since = hour_of(midnight(min(row.day for row in whole)))
            self._keep(at_midnight(whole), spread(whole), since, site.unit)
        if not await of_days.async_are_ours(site, days):
            return None
        return _by_model(of_days.today)

    @callback
    def _keep(
        self,
        rows: Sequence[ModelUsage],
        hours: Mapping[int, int],
        since: int,
        unit: Unit,
    ) -> None:
        """Keep what was used, and write it into the statistics of Home Assistant."""
        memory = self._memory
        for begins, ends in [*memory.gaps(Source.STATISTICS)]:
            if begins >= memory.history.until:
                # When since then the site has begun to keep them again, nobody knows.
                memory.async_note_gap(Source.STATISTICS, ends, int(now()))
        memory.history.replace(hours, since, now())
        memory.async_changed()
        if self._statistics is not None:
            # Home Assistant may not have started yet, for which nobody has to wait.
            self.config_entry.async_create_background_task(
                self.hass,
                self._async_write(self._statistics, rows, since, unit),
                f"{self.name} statistics",
            )

    async def _async_write(
        self, statistics: Statistics, rows: Sequence[ModelUsage], since: int, unit: Unit
    ) -> None:
        until = self._memory.history.until
        start = max(since, self._memory.write_from)
        ours = [row for row in rows if row.start >= start]
        await statistics.async_write(ours, start=start, unit=unit)
        self._memory.written_until = until
        self._memory.async_changed()

    def _known_until(self) -> int:
        """Return until when all is known, and written where it shall be."""
        known_until = self._memory.history.until
        if self._statistics is not None:
            known_until = min(known_until, self._memory.written_until)
        # The clock was wrong if that is still to come.
        return known_until if known_until <= now() else 0


def _by_model(rows: Iterable[ModelUsage | ModelDay]) -> dict[str, ModelUse]:
    models: dict[str, ModelUse] = {}
    for row in rows:
        so_far = models.get(row.model, ModelUse())
        models[row.model] = ModelUse(
            so_far.quota + row.quota,
            so_far.requests + row.requests,
            so_far.tokens + row.tokens,
        )
    return models


def _quota_of(models: Mapping[str, ModelUse] | None) -> int | None:
    return None if models is None else sum(use.quota for use in models.values())


def _covers(keys: Mapping[int, int], quota: int | None) -> bool:
    """Tell whether no less went to keys than to models, as far as that is known."""
    return quota is not None and sum(keys.values()) >= quota
