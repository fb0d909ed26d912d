"""What all coordinators have in common: failures, pauses and turns."""

from abc import abstractmethod
from asyncio import CancelledError, current_task
from datetime import timedelta
from random import uniform
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from ..const import CONF_UPDATE_INTERVAL, DEFAULT_UPDATE_INTERVAL, DOMAIN, LOGGER, View
from ..failures import failure_of
from ..gateway.client import Client
from ..gateway.errors import GatewayError, RateLimitedError, RefusedError
from ..gateway.timetable import Turn
from ..issues import async_issues_of
from .kept import async_drop, async_keep, async_kept, async_kept_for_start

# Some servers take a hiccup of their database for a wrong credential, so a second
# reading has to agree before anybody is bothered (gateway_api.md 2.1, 2.3).
_SECOND_OPINION: Final = timedelta(seconds=60)

# No site is asked more often, whatever it says.
_FLOOR: Final = timedelta(seconds=60)

# Keeps the houses on a site from asking in step, all of which a failure of the site
# may have started at the same moment.
_JITTER: Final = 0.1


class _LeftError(Exception):
    """The entry was unloaded, and nobody is there any more to be told anything."""


class NewApiCoordinator[DataT](DataUpdateCoordinator[DataT]):
    """Asks a gateway one kind of question at its own pace."""

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        *,
        view: View,
        poll_interval: timedelta,
    ) -> None:
        """Initialize the coordinator."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=f"{entry.title} {view}",
            update_interval=jittered(poll_interval),
            always_update=False,
        )
        self.client = client
        self.poll_interval = poll_interval
        """How often it would ask if nothing spoke against it."""
        # Nobody shall wait for an hour where something went wrong for a moment.
        self._soon = min(poll_interval, balance_interval(entry))
        self._is_due_soon = False
        self.issues = async_issues_of(hass, entry)
        self._view = view
        self._title = entry.title
        self._missing_parts: set[str] = set()

    @property
    def is_current(self) -> bool:
        """Whether what was last read can be shown."""
        return self.last_update_success

    @property
    def has_figures(self) -> bool:
        """Whether more can be asked about what was read."""
        return self.last_update_success

    @property
    def is_in_doubt(self) -> bool:
        """Whether a second reading has to tell what the last one was worth."""
        return False

    @abstractmethod
    async def _async_ask(self) -> DataT:
        """Ask the gateway. Raises GatewayError."""

    @override
    async def _async_update_data(self) -> DataT:
        """Ask the gateway and translate what went wrong."""
        self._is_due_soon = False
        try:
            data = await self._async_answer()
        except _LeftError:
            return self.data
        except GatewayError as err:
            self.issues.async_failed(self._view, err)
            self._pause(self._pause_after(err))
            raise _update_failed(err) from err
        self.issues.async_answered(self._view)
        self._pause(self._pause_after_answer)
        return data

    @callback
    def _come_back_soon(self) -> None:
        """Ask again soon after this answer, which does not say all yet."""
        self._is_due_soon = True

    @property
    def _pause_after_answer(self) -> timedelta:
        return self._soon if self._is_due_soon else self.poll_interval

    async def _async_answer(self) -> DataT:
        """Ask in a task that ends with the entry, whoever wants to know."""
        asking = self.config_entry.async_create_background_task(
            self.hass, self._async_ask(), f"{self.name} question"
        )
        try:
            return await asking
        except CancelledError as err:
            task = current_task()
            if task is None or task.cancelling():
                raise
            raise _LeftError from err

    @callback
    def _pause(self, pause: timedelta) -> None:
        """Ask again after a time."""
        self.update_interval = jittered(pause)

    def _pause_after(self, err: GatewayError) -> timedelta:
        if isinstance(err, RateLimitedError):
            return max(timedelta(seconds=err.retry_after), _FLOOR)
        if isinstance(err, RefusedError) and self.is_in_doubt:
            return _SECOND_OPINION
        return self._soon

    @callback
    def _tell(self, part: str, outcome: object) -> None:
        """Log once that a part of the answer is missing, and once that it is back."""
        if not isinstance(outcome, GatewayError):
            if part in self._missing_parts:
                self._missing_parts.remove(part)
                LOGGER.info("Fetching %s of %s works again", part, self._title)
        elif part not in self._missing_parts:
            self._missing_parts.add(part)
            reason = _update_failed(outcome)
            LOGGER.warning("Error fetching %s of %s: %s", part, self._title, reason)


def _update_failed(err: GatewayError) -> UpdateFailed:
    key, placeholders = failure_of(err)
    return UpdateFailed(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


class TurnCoordinator[DataT](NewApiCoordinator[DataT]):
    """Asks when it is its turn among all who ask the same site.

    Where the site has no room for a reading that is asked for between two turns, the
    last one stands, that from before a reload too.
    """

    is_modest = False
    """Whether it leaves the room to those who ask for balances."""

    first_calls = 0
    """How many calls its first turn makes, where those are more."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        client: Client,
        *,
        view: View,
        poll_interval: timedelta,
        calls: int,
    ) -> None:
        """Initialize a coordinator that makes about so many calls in its turn."""
        super().__init__(hass, entry, client, view=view, poll_interval=poll_interval)
        self._timetable = client.budget.timetable
        self._turn: Turn | None = None
        self._usual_calls = self._expected = calls
        self._calls = max(calls, self.first_calls)
        # Whether its next turn is for more than what it asks each time.
        self._is_special = bool(self.first_calls)
        self._outstanding = 0
        self._who = object()
        self._has_asked = False
        self._has_left = False
        entry.async_on_unload(self._async_leave)

    @callback
    def async_begin(self) -> bool:
        """Tell whether a first reading can be had now; if not, book a turn for it."""
        if (
            self.config_entry.pref_disable_polling
            or self._first_reading() is not None
            or self._take() is not None
            or self._kept() is not None
        ):
            return True
        self._pause(timedelta())
        return False

    @override
    async def _async_update_data(self) -> DataT:
        """Ask the gateway, if it is the turn for it or there is room."""
        if self.data is None and (start := self._first_reading()) is not None:
            self.issues.async_answered(self._view)
            reading = self._adopted(start)
            self._pause(self._pause_after_answer)
            return self._kept_from_now_on(reading)
        self._turn = self._take()
        if self._turn is None and not self._is_first_of_nobody():
            self._pause(timedelta())
            return self._unasked()
        self._has_asked = True
        try:
            with self._timetable.during(self._turn):
                reading = await super()._async_update_data()
        except UpdateFailed:
            async_drop(self.hass, self.config_entry.data, self._view)
            raise
        return self._kept_from_now_on(reading)

    @override
    async def _async_answer(self) -> DataT:
        self._outstanding = 0
        reading = await super()._async_answer()
        if self._turn is not None:
            if not self._is_special:
                # So many it will be the next time: a list can have grown by a page.
                made = self._turn.made - self._turn.extra
                self._expected = max(self._usual_calls, made)
            self._calls = self._outstanding or self._expected
            self._is_special = bool(self._outstanding)
        return reading

    def _take(self) -> Turn | None:
        return self._timetable.take(self._who, self._calls, is_modest=self.is_modest)

    def _has_room_for(self, calls: int) -> bool:
        """Tell whether so many more calls can be made, those announced included."""
        if self._turn is None:
            return True
        missing = calls - self._turn.left
        return missing <= 0 or self._timetable.extend(self._turn, missing)

    @callback
    def _come_back_with(self, calls: int) -> None:
        """Ask again soon, so many calls, since there was no room for all of them."""
        self._outstanding = max(self._outstanding, calls)
        self._come_back_soon()

    def _is_first_of_nobody(self) -> bool:
        """Tell whether nothing is known, and no poll would come that changes it."""
        return (
            self.config_entry.pref_disable_polling
            and not self._has_asked
            and self._kept() is None
        )

    def _holds(self, _reading: DataT) -> bool:
        """Tell whether a reading of before can be shown now."""
        return True

    def _adopted(self, reading: DataT) -> DataT:
        """Return what was read by a form as this coordinator would have read it."""
        return reading

    def _lasting(self, reading: DataT) -> DataT:
        """Return what still holds of a reading when it is shown once more."""
        return reading

    def _kept_from_now_on(self, reading: DataT) -> DataT:
        # Home Assistant can stop while the first is read.
        if reading is not None and not self._has_left:
            lasting = self._lasting(reading)
            async_keep(self.hass, self.config_entry.data, self._view, lasting)
        return reading

    def _unasked(self) -> DataT:
        """Return the last reading again, or raise the last failure."""
        if not self.last_update_success and self.last_exception is not None:
            raise self.last_exception
        last: DataT | None = self.data
        if last is None:
            last = self._kept()
        # Where there is none yet, nothing is shown yet.
        return self.data if last is None else last

    def _kept(self) -> DataT | None:
        """Return what was read before a reload, where it would stand without it."""
        reading: DataT | None = async_kept(
            self.hass, self.config_entry.data, self._view, self.poll_interval
        )
        return reading if reading is not None and self._holds(reading) else None

    def _first_reading(self) -> DataT | None:
        """Return a reading that spares the first one: what a form has just read."""
        reading: DataT | None = async_kept_for_start(
            self.hass, self.config_entry.data, self._view
        )
        return reading if reading is not None and self._holds(reading) else None

    @override
    @callback
    def _pause(self, pause: timedelta) -> None:
        """Book the next turn after a time."""
        if self._has_left or self.config_entry.pref_disable_polling:
            self._timetable.cancel(self._who)
            return
        after = jittered(pause).total_seconds()
        booked = self._timetable.book(
            self._who, after, self._calls, is_modest=self.is_modest
        )
        self.update_interval = timedelta(seconds=max(1.0, booked))

    @callback
    def _async_leave(self) -> None:
        self._has_left = True
        self._timetable.cancel(self._who)


def jittered(interval: timedelta) -> timedelta:
    """Return an interval that is a little longer, each time by another part of it."""
    return interval * uniform(1, 1 + _JITTER)  # noqa: S311


def balance_interval(entry: ConfigEntry) -> timedelta:
    """Return how often a person wants balances to be read."""
    return timedelta(
        minutes=entry.options.get(CONF_UPDATE_INTERVAL, DEFAULT_UPDATE_INTERVAL)
    )
