"""A home whose entries each have a gateway that fails in its own way."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
import logging
import math
from typing import Final

import pytest

from custom_components.new_api.const import View
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import State
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
from tests.home import BALANCE, HOURLY, Home, Site

from .columns import ALL, ALL_MODELS, ALONE, DETAILS, KEY, Column, Figure
from .faults import Outage, Row
from .house import WARNINGS, House, Moment, lived_in, values
from .network import DOMAIN, Network, speaking_plainly
from .truth import Value, age, says

AS_USUAL: Final = "as usual"
KEPT: Final = "kept"
AS_SAID: Final = "as the site says"
WRONG: Final = "WRONG"
GONE: Final = ("unavailable", "unknown")

# What is said of an amount where nothing was read for a day: nobody knows better.
_ESTIMATE: Final = "an estimate"

# How long a figure may be shown that could not be read again.
_LONGEST_HOLD: Final = timedelta(hours=1)

# What is read while a site fails: its unit is too old to count in after the second, and
# the models are read only in the last.
_READINGS: Final = (BALANCE, BALANCE * 2, HOURLY)

# So long that no reading from before is shared any more, and no call counted.
_PAUSE: Final = timedelta(minutes=40)

# Servers count these apart from all else (gateway_api.md 1.6).
_COUNTED_APART: Final = ("/v1/models", "/api/usage/token/")

_OURS: Final = "custom_components.new_api"

_DETAILS: Final = {View.SPENDING, View.USAGE, View.PLANS, View.OFFERS, View.NEWS}
_TURNS: Final = 300
_PATIENCE: Final = 400

# So often that details are tried twice.
_STEPS_OF_AN_HOUR: Final = 4

# A turn that nobody takes for longer is forgotten.
_TURN: Final = timedelta(minutes=3)


class Street:
    """Sets houses up, lets them fail together, and looks at each."""

    def __init__(
        self,
        home: Home,
        network: Network,
        serving: AsyncExitStack,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Start with an empty street."""
        self.home = home
        self.network = network
        self.houses: list[House] = []
        self.is_slow = False
        self._serving = serving
        self._caplog = caplog
        self._strange: list[str] = []
        self._late = timedelta()
        self._follows: frozenset[Figure] = frozenset()
        self._has_skipped = False
        """Whether so much time has passed at once that amounts can be estimates."""

    async def build(self, columns: Sequence[Column], row: Row) -> None:
        """Set up an entry for each column that can fail, and see that all is well."""
        tls = self.network.tls if row.is_secure else None
        for number, column in enumerate(columns):
            gateway = lived_in(f"Site {number}")
            serving = gateway.serve(ssl_context=tls)
            url = await self._serving.enter_async_context(serving)
            site = Site(gateway, str(url.with_host(f"n{number}.{DOMAIN}")).rstrip("/"))
            if not row.hits(site, column.paths):
                continue
            self.home.know(site)
            entry = await self.home.add(
                site,
                key=KEY,
                user="wang" if column.has_account else None,
                entry_id=f"entry{number}",
                warnings=WARNINGS,
            )
            now = dt_util.utcnow().timestamp()
            is_counting = column.title in row.missing
            self.houses.append(House(column, site, entry, now, is_counting))
        await self.recover(BALANCE)

    # What happens

    @asynccontextmanager
    async def failing(self, row: Row) -> AsyncIterator[None]:
        """Let the sites fail until the context is left."""
        self.is_slow = row.is_slow
        self._follows = row.follows
        for house in self.houses:
            house.plant(row)
        async with AsyncExitStack() as stack:
            if row.outage is not None:
                for house in self.houses:
                    await stack.enter_async_context(self._outage(house, row.outage))
            yield
        for house in self.houses:
            house.site.gateway.faults.clear()
        self.is_slow = False

    @asynccontextmanager
    async def _outage(self, house: House, outage: Outage) -> AsyncIterator[None]:
        gateway = house.site.gateway
        match outage:
            case Outage.REFUSED:
                async with gateway.refusing():
                    yield
            case Outage.NAMELESS:
                with self.network.names.lost():
                    yield
            case Outage.BARE:
                async with gateway.refusing(), speaking_plainly(house.site):
                    yield
            case _:
                with self.network.certified(outage):
                    yield

    async def suffer(self, row: Row) -> None:
        """Let time pass while the sites fail, and look at what is shown."""
        self._caplog.clear()
        elapsed = timedelta()
        for time in _READINGS:
            for house in self.houses:
                house.spend()
                if time is HOURLY:
                    house.add_model()
            elapsed += time
            await self._pass_time(time)
            for house in self.houses:
                # Before that, which details were read is chance.
                word = self._look(
                    house, row, f"{elapsed} into it", tells_details=time is HOURLY
                )
                house.seen.append(word)
        for house in self.houses:
            self._check_log(house, row, house.seen)
            self._check_reauth(house, row)

    async def stop(self) -> None:
        """Unload the entries, for so long that nothing read before holds."""
        entries = self.home.hass.config_entries
        for house in self.houses:
            assert await entries.async_unload(house.entry.entry_id)
        await self._pass_time(_PAUSE)

    async def start(self, row: Row) -> None:
        """Set the entries up while the sites fail, and look at what is shown."""
        self._caplog.clear()
        for house in self.houses:
            house.spend()
        starts = [
            asyncio.create_task(
                self.home.hass.config_entries.async_setup(house.entry.entry_id)
            )
            for house in self.houses
        ]
        await self._finish(asyncio.wait(starts))
        await self._settle()
        for house in self.houses:
            house.started = self._look(
                house, row, "after the start", is_end=False, tells_details=False
            )
            self._check_log(house, row, [house.started])

    async def recover(self, *times: timedelta, is_end: bool = False) -> None:
        """Let time pass while everything works, and see that all is back.

        Details can take two readings more, since nobody asks for them before what they
        add to works, and each has its turn. That time is given in the end. Balances can
        take one more: those who come back share the turns of the site. Some details are
        read once an hour.
        """
        times = (*times, *([HOURLY, BALANCE, BALANCE] if is_end else [BALANCE]))
        for time in times:
            for house in self.houses:
                house.spend()
            # After a long time without a reading, nobody knows when it was spent.
            await self._pass_time(BALANCE)
            if time > BALANCE:
                await self._pass_time(time - BALANCE)
        for house in self.houses:
            when = "in the end" if is_end else "afterwards"
            self._look(house, None, when, is_end=is_end)
            if self.home.reauths(house.entry):
                house.problems.append("still asks for a credential")
            if house.entry.state is not ConfigEntryState.LOADED:
                house.problems.append(f"is {house.entry.state} in the end")
        self._strange += self._strange_lines()

    # What is seen

    def _look(
        self,
        house: House,
        row: Row | None,
        when: str,
        *,
        is_end: bool = True,
        tells_details: bool = True,
    ) -> str:
        """Judge each figure; return what has become of those that may suffer."""
        moments, shown = house.moments(), self._shown(house)
        for figure in sorted(moments[-1].figures.keys() - shown.keys()):
            house.problems.append(f"has lost {'/'.join(figure)}")
        is_retried = house.entry.state is ConfigEntryState.SETUP_RETRY
        suffering = _suffering(house.column, row)
        if is_retried and house.may_be_retried:
            suffering = ALL
        elif not is_end:
            suffering |= _late(house.column)
        words = set()
        for figure, state in shown.items():
            if figure not in moments[-1].figures:
                house.problems.append(f"shows {'/'.join(figure)}: {state}")
                continue
            word = self._word(figure, state, moments, row)
            if word == WRONG or (
                word not in (AS_USUAL, AS_SAID) and figure not in suffering
            ):
                true = moments[-1].figures[figure][0]
                house.problems.append(
                    f"{'/'.join(figure)} is {state}, truly {true}, {when}"
                )
            is_told = tells_details or figure not in DETAILS
            if is_told and figure in house.column.suffers:
                words.add(word)
        if is_retried:
            return "tried again"
        if len(words) > 1:
            words.discard(AS_USUAL)
        return ", ".join(sorted(words))

    def _word(
        self, figure: Figure, state: str, moments: Sequence[Moment], row: Row | None
    ) -> str:
        """Return what a state is."""
        oldest = age(figure) + (self._late if figure in DETAILS else timedelta())
        true = values(figure, moments, oldest)
        kept = values(figure, moments, max(oldest, _LONGEST_HOLD))
        worst = AS_SAID if figure in self._follows else WRONG
        return _judge(figure, state, true, kept, row) or worst

    def _shown(self, house: House) -> dict[Figure, str]:
        """Return the states of an entry, by what a person calls them."""
        hass, entry = self.home.hass, house.entry
        devices = dr.async_get(hass)
        names = house.names()
        shown = {}
        for entity in er.async_entries_for_config_entry(
            er.async_get(hass), entry.entry_id
        ):
            state = hass.states.get(entity.entity_id)
            device = devices.async_get(entity.device_id or "")
            if entity.disabled_by is None and state is not None and device is not None:
                ((_, identifier),) = device.identifiers
                name, called = names.get(identifier, (identifier, None))
                if device.name != called:
                    house.problems.append(f"calls {name} {device.name}")
                is_estimate = self._has_skipped and state.attributes.get("estimate")
                said = _ESTIMATE if is_estimate else _said(state)
                shown[name, entity.original_name or ""] = said
        return shown

    def _check_reauth(self, house: House, row: Row) -> None:
        asks = len(self.home.reauths(house.entry))
        if asks != (house.column.title in row.rejects):
            house.problems.append(f"asks for {asks} credentials")
        if asks:
            house.seen.append("asks for the credential")

    def _check_log(self, house: House, row: Row, words: Sequence[str]) -> None:
        """See that the reason is told, once for each view, without a traceback."""
        records = [
            record
            for record in self._caplog.records
            if record.name.startswith(_OURS)
            and record.levelno >= logging.WARNING
            and house.entry.title in record.getMessage()
        ]
        lines = [record.getMessage() for record in records]
        views = [line.partition(": ")[0] for line in lines]
        told = {view for view in View if any(f" {view} data" in line for line in views)}
        # Between two times in which a site wants to hear nothing, much is read again.
        if not row.stops_site:
            # That a key is refused is an answer, after which a view can fail anew.
            if len(set(views)) < len(views) and not row.refusals:
                house.problems.append(f"repeats itself: {lines}")
            if View.SITE in told and told & _DETAILS:
                house.problems.append(f"says it of details too: {lines}")
        # What is tried again says why where entries are listed.
        is_gone = any("unavailable" in word for word in words)
        if is_gone and not lines and house.column.title not in row.missing:
            house.problems.append("does not say why")
        if any(record.exc_info for record in records):
            house.problems.append("logs a traceback")

    def _strange_lines(self) -> Iterator[str]:
        """Return what others than the integration had to complain about."""
        for record in self._caplog.records:
            if record.name.startswith(("asyncio", "aiohttp")) and (
                record.levelno >= logging.WARNING and "Executing" not in record.msg
            ):
                yield record.getMessage()

    def words(self) -> dict[str, str]:
        """Return what was seen where a site failed, by the titles of the columns."""
        return {house.column.title: house.word() for house in self.houses}

    def problems(self) -> list[str]:
        """Return everything that was not as it should be."""
        return self._strange + [
            f"{house.column.title}: {problem}"
            for house in self.houses
            for problem in dict.fromkeys(house.problems)
        ]

    # Time

    async def _pass_time(self, time: timedelta) -> None:
        # Where much is due at once, a site has room for the balances only.
        self._late = time if time > 2 * BALANCE else timedelta()
        self._has_skipped |= time > 2 * HOURLY
        steps = _STEPS_OF_AN_HOUR if self._late else math.ceil(time / _TURN)
        for _ in range(steps):
            self.home.tick(time / steps)
            await self._settle()

    async def _settle(self) -> None:
        await self._finish(self.home.settle())

    async def _finish(self, doing: object) -> None:
        """Wait until something is done, if need be for as long as it takes."""
        task = asyncio.ensure_future(doing)  # type: ignore[call-overload]
        if not self.is_slow:
            await task
            return
        for _ in range(_PATIENCE):
            for _ in range(_TURNS):
                await asyncio.sleep(0)
                if task.done():
                    await task
                    return
            self.home.tick(timedelta(seconds=1))
        raise AssertionError("It never ends")


def _said(state: State) -> str:
    """Return what a person reads: of an event, which it was."""
    if state.domain != "event" or state.state in GONE:
        # That a site does not answer is all that can be known of it.
        is_off = state.attributes.get("device_class") == "connectivity"
        return "unavailable" if is_off and state.state == "off" else state.state
    event = state.attributes
    return " ".join([event["event_type"], *event.get("models", ())])


def _suffering(column: Column, row: Row | None) -> frozenset[Figure]:
    """Return the figures that may be gone."""
    if row is None or row.is_harmless:
        return frozenset()
    if not row.stops_site or column.is_site:
        return column.suffers
    if column.paths[0] in _COUNTED_APART:
        return column.suffers
    return ALL - {(KEY, "Model count"), (ALONE, "Model count")}


def _late(column: Column) -> frozenset[Figure]:
    """Return the figures that come back with one of the next turns."""
    return DETAILS | ALL_MODELS if column.is_site else DETAILS


def _judge(
    figure: Figure,
    state: str,
    true: Sequence[Value],
    kept: Sequence[Value],
    row: Row | None,
) -> str | None:
    """Return what a state is, or None where it is wrong."""
    if state == _ESTIMATE or any(says(state, value) for value in true):
        return AS_USUAL
    if state in GONE:
        return state
    if row is None:
        return None
    if any(says(state, value) for value in kept):
        return KEPT
    if figure[1] == "Status" and state in row.refusals:
        return state
    if figure[1] == "Not usable" and state == "on" and row.refusals:
        return "refused"
    claims = (row.also(figure, value) for value in true)
    is_claimed = any(claim is not None and says(state, claim) for claim in claims)
    return AS_SAID if is_claimed else None
