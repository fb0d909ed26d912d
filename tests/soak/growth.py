"""What a program has in its hands at one moment, and what of it has become more."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
import gc
import os
from pathlib import Path
import sys
from typing import Final

from custom_components.new_api.coordinator import NewApiCoordinator
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.util.async_ import get_scheduled_timer_handles

# What interpreters, caches and allocators keep for themselves, however long it goes on.
# The tracebacks of the last failures come and go: half an object per poll of 10000.
_OBJECTS: Final = 5_000
_BLOCKS: Final = 10_000
_RESIDENT_KIB: Final = 8_192

# Those of one entry, that the traceback of the last failure still knows.
_COORDINATORS: Final = 9

# For what does not work, and once more when it works again.
_LINES_PER_POLL: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """All that could grow, at a moment when nothing is under way."""

    polls: int
    requests: int
    log_lines: int
    """What the integration has logged up to now, from INFO on."""
    held: Mapping[str, int]
    """What may not become more at all, see `held`."""
    resident_kib: int
    """The memory of the whole process, its gateways and clients alike."""
    blocks: int
    """The pieces of memory that Python has given out."""
    types: Counter[str] = field(repr=False)
    """How many objects there are of each type, as the garbage collector knows them."""

    @classmethod
    def take(
        cls, hass: HomeAssistant, *, polls: int, requests: int, log_lines: int
    ) -> Sample:
        """Look around."""
        # What a person has deleted Home Assistant remembers for a month.
        er.async_get(hass).deleted_entities.clear()
        dr.async_get(hass)._deleted_devices.clear()
        types = Counter(f"{t.__module__}.{t.__qualname__}" for t in _types())
        return cls(
            polls=polls,
            requests=requests,
            log_lines=log_lines,
            held=held(hass),
            resident_kib=_resident_kib(),
            blocks=sys.getallocatedblocks(),
            types=types,
        )

    @property
    def figures(self) -> dict[str, int]:
        """Return all of it by name, as a person reads it."""
        return {
            "Polls": self.polls,
            "Requests": self.requests,
            "Log lines": self.log_lines,
            **self.held,
            "Resident memory in KiB": self.resident_kib,
            "Blocks of memory": self.blocks,
            "Objects": self.types.total(),
        }


def held(hass: HomeAssistant) -> dict[str, int]:
    """Return how much there is of what may not become more."""
    gc.collect()
    coordinators = [
        each
        for each in gc.get_objects()
        # isinstance would have the class remember every type that is another.
        if NewApiCoordinator in type(each).__mro__
    ]
    descriptors = [*_descriptors()]
    sockets = sum(each.startswith("socket:") for each in descriptors)
    return {
        "Tasks": len(asyncio.all_tasks()),
        "Timers": sum(
            not each.cancelled() for each in get_scheduled_timer_handles(hass.loop)
        ),
        "Sockets": sockets,
        "Other files": len(descriptors) - sockets,
        "Listeners to events": sum(hass.bus.async_listeners().values()),
        "Coordinators": len(coordinators),
        "Listeners to coordinators": sum(len(each._listeners) for each in coordinators),
        "States": len(hass.states.async_all()),
        "Entities": len(er.async_get(hass).entities),
        "Devices": len(dr.async_get(hass).devices),
        "Flows": len(hass.config_entries.flow.async_progress()),
        "Issues": len(ir.async_get(hass).issues),
    }


def more(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Say what has become more."""
    return [
        f"{name}: {before[name]} -> {count}"
        for name, count in after.items()
        if count > before[name]
    ]


def growth(before: Sample, after: Sample) -> list[str]:
    """Say what has grown between two samples that should not have."""
    grown = [
        each
        for each in more(before.held, after.held)
        if not each.startswith("Coordinators")
    ]
    for name, allowed in (
        ("Coordinators", _COORDINATORS),
        ("Objects", _OBJECTS),
        ("Blocks of memory", _BLOCKS),
        ("Resident memory in KiB", _RESIDENT_KIB),
        ("Log lines", int((after.polls - before.polls) * _LINES_PER_POLL)),
    ):
        was, now = before.figures[name], after.figures[name]
        if now - was > allowed:
            grown.append(f"{name}: {was} -> {now}, where {allowed} more are allowed")
    if len(grown) > 0:
        most = (after.types - before.types).most_common(8)
        grown.append(", ".join(f"{count:+} {kind}" for kind, count in most))
    return grown


def table(samples: Sequence[tuple[str, Sample]]) -> str:
    """Return samples side by side."""
    names = list(samples[0][1].figures)
    rows = [["", *(title for title, _ in samples)]]
    rows += [
        [name, *(f"{sample.figures[name]:,}" for _, sample in samples)]
        for name in names
    ]
    return "\n".join(
        f"{name:<26}" + "".join(f"{cell:>16}" for cell in cells)
        for name, *cells in rows
    )


def _types() -> Iterator[type]:
    for each in gc.get_objects():
        # With a mock the harness moves time, one for each timer.
        if not type(each).__module__.startswith("unittest."):
            yield type(each)


def _resident_kib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def _descriptors() -> Iterator[str]:
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            yield str(descriptor.readlink())
        except FileNotFoundError:
            # That with which the folder was read.
            continue
