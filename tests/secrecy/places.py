"""Everything that a Home Assistant shows, keeps or tells, as text."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
import dataclasses
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import attr

from custom_components.new_api import diagnostics
from custom_components.new_api.const import DOMAIN
from homeassistant.components import persistent_notification
from homeassistant.components.recorder.const import DOMAIN as RECORDER
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.data_entry_flow import FlowResult
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
    recorder as recorder_helper,
    restore_state,
)
from homeassistant.helpers.json import json_bytes

type Found = tuple[str, str]
"""Where a text was found, and the text."""

STORAGE_OF_ENTRIES: Final = "core.config_entries"
"""Where Home Assistant itself keeps what an entry needs, credentials too."""

# What a flow hands over to Home Assistant to be kept, and what stands for itself.
_NOT_SHOWN: Final = frozenset({"context", "data", "flow_id", "handler", "result"})
_LARGEST_FILE: Final = 20_000_000


class Watched:
    """A Home Assistant from its first moment to its last."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Listen to all that it tells."""
        self.hass = hass
        self._events: list[Event[Mapping[str, Any]]] = []
        self._issues: list[Any] = []
        self._notifications: list[Any] = []
        self._folder = Path(hass.config.config_dir)
        self._before = {*_files(self._folder)}

        @callback
        def hear(event: Event[Mapping[str, Any]]) -> None:
            self._events.append(event)
            if event.event_type == ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED:
                # It may be gone before anybody looks.
                issues = ir.async_get(hass).issues
                about = event.data["domain"], event.data["issue_id"]
                self._issues.append(issues.get(about))

        @callback
        def read(
            _update: persistent_notification.UpdateType,
            notifications: dict[str, persistent_notification.Notification],
        ) -> None:
            self._notifications.extend(notifications.values())

        hass.bus.async_listen(MATCH_ALL, hear)
        persistent_notification.async_register_callback(hass, read)

    async def shown(self) -> list[Found]:
        """Return what it shows while it runs."""
        hass = self.hass
        return [
            *_found("the states", hass.states.async_all()),
            _kept("the entity registry", er.async_get(hass)),
            _kept("the device registry", dr.async_get(hass)),
            *_found("the issue registry", ir.async_get(hass).issues),
            *_found("the issues up to now", self._issues),
            *_found("the states to restore", _to_restore(hass)),
            *_found("the persistent notifications", self._notifications),
            *_found("the flows", hass.config_entries.flow.async_progress()),
            *[found for entry in _entries(hass) for found in _of_entry(entry)],
            *[
                found
                for entry in hass.config_entries.async_entries(DOMAIN)
                for found in await _diagnostics(hass, entry, diagnostics)
            ],
            *await _recorded(hass),
        ]

    def held(self) -> Iterator[tuple[str, Any]]:
        """Go through what it keeps in memory for the integration."""
        for entry in self.hass.config_entries.async_entries(DOMAIN):
            yield "the runtime data", getattr(entry, "runtime_data", None)
        for key, value in self.hass.data.items():
            if str(key).startswith(DOMAIN):
                yield f"the data of {key}", value

    def told(self) -> Iterator[Found]:
        """Go through the events up to now, and forget them."""
        events, self._events = self._events, []
        for event in events:
            yield from _found(f"the event {event.event_type}", event.data)

    def files(self) -> Iterator[Found]:
        """Go through the files that have come or changed in the configuration."""
        for path, size, _ in {*_files(self._folder)} - self._before:
            yield "the name of a file", str(path.relative_to(self._folder))
            if path.name != STORAGE_OF_ENTRIES and size <= _LARGEST_FILE:
                text = path.read_bytes().decode(errors="replace")
                yield f"the file {path.relative_to(self._folder)}", text


def stored(storage: Mapping[str, Any]) -> Iterator[Found]:
    """Go through what was stored, where the harness keeps that in memory."""
    for key, data in storage.items():
        if key != STORAGE_OF_ENTRIES:
            yield from _found(f"the storage {key}", data)


def of_flow(
    result: FlowResult[Any, Any], typed: Collection[tuple[str, Any]] = ()
) -> Iterator[Found]:
    """Go through what a step of a flow shows, its form included.

    What was `typed` into a field during this flow may stand there again for its typist
    to mend; what is kept already may not.
    """
    for key in result.keys() - _NOT_SHOWN:
        value = result.get(key)
        if key == "data_schema":
            fields = getattr(value, "schema", None) or {}
            value = [_prefilled(field, typed) for field in fields]
        yield from _found(f"{key} of a flow", value)


def _prefilled(field: Any, typed: Collection[tuple[str, Any]]) -> list[Any]:
    default = getattr(field, "default", None)
    shown = [
        getattr(field, "description", None) or {},
        {"default": default() if callable(default) else None},
    ]
    return [
        str(field),
        *[
            value
            for each in shown
            for value in (each.values() if isinstance(each, Mapping) else [each])
            if (str(field), value) not in typed
        ],
    ]


def _kept(where: str, registry: er.EntityRegistry | dr.DeviceRegistry) -> Found:
    """Return a registry as it is stored, what was deleted from it included."""
    return where, json_bytes(registry._data_to_save()).decode()


def _entries(hass: HomeAssistant) -> list[ConfigEntry]:
    return hass.config_entries.async_entries()


def _of_entry(entry: ConfigEntry) -> Iterator[Found]:
    yield from _found(
        f"the entry of {entry.domain}",
        {
            "title": entry.title,
            "unique id": entry.unique_id,
            "entry id": entry.entry_id,
            "options": entry.options,
            "reason": entry.reason,
            "placeholders": entry.error_reason_translation_placeholders,
            "repr": repr(entry),
        },
    )


async def _diagnostics(
    hass: HomeAssistant, entry: ConfigEntry, asked: ModuleType
) -> list[Found]:
    of_entry = await asked.async_get_config_entry_diagnostics(hass, entry)
    found = [*_found("the diagnostics of an entry", of_entry)]
    if of_device := getattr(asked, "async_get_device_diagnostics", None):
        devices = dr.async_get(hass)
        for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
            data = await of_device(hass, entry, device)
            found += _found("the diagnostics of a device", data)
    return found


def _to_restore(hass: HomeAssistant) -> Iterable[Any]:
    if restore_state.DATA_RESTORE_STATE not in hass.data:
        return []
    kept = restore_state.async_get(hass)
    return [
        [each.state, each.extra_data and each.extra_data.as_dict()]
        for each in [*kept.last_states.values(), *kept.async_get_stored_states()]
    ]


async def _recorded(hass: HomeAssistant) -> list[Found]:
    """Return every row of the recorder's database, statistics among them."""
    if RECORDER not in hass.config.components:
        return []
    recorder = recorder_helper.get_instance(hass)
    await recorder.async_block_till_done()

    def read() -> list[Found]:
        from sqlalchemy import MetaData, select  # noqa: PLC0415 - few tests need it

        assert recorder.engine is not None
        tables = MetaData()
        tables.reflect(recorder.engine)
        with recorder.engine.connect() as connection:
            return [
                found
                for table in tables.sorted_tables
                for row in connection.execute(select(table))
                for found in _found(f"the recorder's table {table.name}", tuple(row))
            ]

    return await recorder.async_add_executor_job(read)


def _files(folder: Path) -> Iterator[tuple[Path, int, int]]:
    for path in folder.rglob("*"):
        if path.suffix != ".pyc" and path.is_file():
            about = path.stat()
            yield path, about.st_size, about.st_mtime_ns


def _found(where: str, value: Any) -> Iterator[Found]:
    """Return all texts in a value, names included, joined to one."""
    parts: list[str] = []
    _collect(value, parts.append)
    if parts:
        yield where, "\n".join(parts)


def _collect(value: Any, take: Callable[[str], None]) -> None:
    if isinstance(value, str):
        take(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _collect(key, take)
            _collect(item, take)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            _collect(item, take)
    elif value is not None and not isinstance(value, bool | int | float):
        parts = _parts(value)
        if parts is None:
            take(repr(value))
        else:
            _collect(parts, take)


def _parts(value: Any) -> list[Any] | None:
    """Return what an object holds, where that is more than it shows of itself."""
    if isinstance(value, State):
        return [value.entity_id, value.state, value.attributes]
    if isinstance(value, bytes):
        return [value.decode(errors="replace")]
    if isinstance(value, Enum):
        return [value.value]
    kind = type(value)
    if attr.has(kind):
        names = [field.name for field in attr.fields(kind)]
    elif dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    else:
        return None
    return [getattr(value, name) for name in names if not name.startswith("_")]
