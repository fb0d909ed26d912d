"""A home whose entries each have a gateway that fails in its own way."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
import logging
from typing import Final

import pytest

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.home import BALANCE, HOURLY, Home, Site, household
from tests.simulator import Model

from .columns import ACCOUNT, ALL, ALONE, KEY, Column, Figure
from .faults import Outage, Row
from .network import DOMAIN, Network, speaking_plainly
from .truth import Value, says, truth

AS_USUAL: Final = "as usual"
KEPT: Final = "kept"
AS_SAID: Final = "as the site says"
WRONG: Final = "WRONG"
_GONE: Final = ("unavailable", "unknown")

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
_TURNS: Final = 300
_PATIENCE: Final = 400


@dataclass(slots=True)
class House:
    """An entry, its site, and what was wrong with what it showed."""

    column: Column
    site: Site
    entry: ConfigEntry
    read: Mapping[Figure, Value] = field(default_factory=dict)
    """What was true when everything could be read for the last time."""
    spent: int = 0
    seen: list[str] = field(default_factory=list)
    """What a person saw, reading by reading."""
    started: str = ""
    """What a person saw after a start."""
    is_hit: bool = False
    """Whether there is such a fault at the column's endpoints."""
    problems: list[str] = field(default_factory=list)

    def names(self) -> Mapping[str, tuple[str, str]]:
        """Return what devices are called in figures and by people, by identifier."""
        own = f"{self.entry.entry_id}_key"
        if not self.column.has_account:
            return {own: (ALONE, self.entry.title)}
        keys = self.site.gateway.world.keys_of(self.site.user("wang"))
        return {
            self.entry.entry_id: (ACCOUNT, self.entry.title),
            own: (KEY, KEY),
            **{f"{own}_{key.id}": (key.name, key.name) for key in keys},
        }

    @property
    def may_be_retried(self) -> bool:
        """Whether nothing is left that could be shown after a start."""
        column = self.column
        return not column.has_account or column.title in ("status", "all")

    def truth(self) -> Mapping[Figure, Value]:
        """Return what is true of it now."""
        return truth(self.site, has_account=self.column.has_account)

    def spend(self) -> None:
        """Let all figures change, so that old ones are wrong."""
        self.spent += 1
        self.site.gateway.spend(KEY, 7_500 + 500 * self.spent)
        self.site.gateway.spend("Claude Code", 2_500 + 500 * self.spent)

    def add_model(self) -> None:
        """Let the models change too."""
        models = self.site.gateway.world.models
        models.append(Model(name=f"model-{len(models)}"))

    def plant(self, row: Row) -> None:
        """Let the site fail as it can."""
        faults = [
            (path, fault)
            for path in self.column.paths
            if (fault := row.make(self.site, path)) is not None
        ]
        for path, fault in faults:
            self.site.gateway.faults.add(path, fault)
        self.is_hit = bool(faults) or row.outage is not None

    def word(self) -> str:
        """Return what a person saw, in few words."""
        words = [word for word, _ in groupby(self.seen)]
        during = " → ".join(words)
        return during if words == [self.started] else f"{during}; {self.started}"


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

    async def build(self, columns: Sequence[Column], *, is_secure: bool) -> None:
        """Set up an entry for each column, and see that all is well."""
        tls = self.network.tls if is_secure else None
        for number, column in enumerate(columns):
            gateway = household()
            gateway.configure(system_name=f"Site {number}")
            serving = gateway.serve(ssl_context=tls)
            url = await self._serving.enter_async_context(serving)
            site = Site(gateway, str(url.with_host(f"n{number}.{DOMAIN}")).rstrip("/"))
            self.home.know(site)
            entry = await self.home.add(
                site,
                key=KEY,
                user="wang" if column.has_account else None,
                entry_id=f"entry{number}",
            )
            self.houses.append(House(column, site, entry))
        await self.recover(BALANCE)

    # What happens

    @asynccontextmanager
    async def failing(self, row: Row) -> AsyncIterator[None]:
        """Let the sites fail until the context is left."""
        self.is_slow = row.is_slow
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
                house.seen.append(self._look(house, row, elapsed))
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
            house.started = self._look(house, row, _PAUSE)
            self._check_log(house, row, [house.started])

    async def recover(self, *times: timedelta) -> None:
        """Let time pass while everything works, and see that all is back."""
        for time in times:
            for house in self.houses:
                house.spend()
            await self._pass_time(time)
        for house in self.houses:
            self._look(house, None, timedelta())
            house.read = house.truth()
            if self.home.reauths(house.entry):
                house.problems.append("still asks for a credential")
            if house.entry.state is not ConfigEntryState.LOADED:
                house.problems.append(f"is {house.entry.state} in the end")
        self._strange += self._strange_lines()

    # What is seen

    def _look(self, house: House, row: Row | None, elapsed: timedelta) -> str:
        """Judge each figure; return what has become of those that may suffer."""
        true = house.truth()
        shown = self._shown(house)
        for figure in sorted(true.keys() - shown.keys()):
            # That of a key which never expires is disabled.
            if figure[1] != "Expires":
                house.problems.append(f"has lost {'/'.join(figure)}")
        is_retried = house.entry.state is ConfigEntryState.SETUP_RETRY
        suffering = _suffering(house.column, row)
        if is_retried and house.may_be_retried:
            suffering = ALL
        words = set()
        for figure, state in shown.items():
            if figure not in true:
                house.problems.append(f"shows {'/'.join(figure)}: {state}")
                continue
            word = _judge(figure, state, true[figure], house.read.get(figure), row)
            if (
                word is None
                or (word == KEPT and elapsed > _LONGEST_HOLD)
                or (word not in (AS_USUAL, AS_SAID) and figure not in suffering)
            ):
                house.problems.append(
                    f"{'/'.join(figure)} is {state}, truly {true[figure]}, "
                    f"last {house.read.get(figure)}, {elapsed} into it"
                )
                word = word or WRONG
            if figure in house.column.suffers:
                words.add(word)
        if is_retried:
            return "tried again"
        if len(words) > 1:
            words.discard(AS_USUAL)
        return ", ".join(sorted(words))

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
                shown[name, entity.original_name or ""] = state.state
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
        if len(set(views)) < len(views):
            house.problems.append(f"repeats itself: {lines}")
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
        return {
            house.column.title: house.word() for house in self.houses if house.is_hit
        }

    def problems(self) -> list[str]:
        """Return everything that was not as it should be."""
        return self._strange + [
            f"{house.column.title}: {problem}"
            for house in self.houses
            for problem in house.problems
        ]

    # Time

    async def _pass_time(self, time: timedelta) -> None:
        self.home.tick(time)
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


def _suffering(column: Column, row: Row | None) -> frozenset[Figure]:
    """Return the figures that may be gone."""
    if row is None or row.is_harmless:
        return frozenset()
    if not row.stops_site or column.is_site:
        return column.suffers
    if column.paths[0] in _COUNTED_APART:
        return column.suffers
    return ALL - {(KEY, "Model count"), (ALONE, "Model count")}


def _judge(
    figure: Figure, state: str, true: Value, before: Value | None, row: Row | None
) -> str | None:
    """Return what a state is, or None where it is wrong."""
    if says(state, true):
        return AS_USUAL
    if state in _GONE:
        return state
    if row is None:
        return None
    if before is not None and says(state, before):
        return KEPT
    if figure[1] == "Status" and state in row.refusals:
        return state
    claimed = row.also(figure, true)
    return AS_SAID if claimed is not None and says(state, claimed) else None
