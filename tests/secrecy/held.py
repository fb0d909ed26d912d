"""What objects of the integration hold, however deep, and say of themselves."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from enum import Enum
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Final

from yarl import URL

from custom_components.new_api.gateway.credentials import Credentials
from homeassistant.config_entries import ConfigFlow

from .errors import of_exception
from .places import Found

_OURS: Final = "custom_components.new_api"
_MANY: Final = (list, tuple, set, frozenset, deque)
_CALLABLE: Final = (partial, MethodType, FunctionType)

# What a person types is in the hands of the flow until it ends.
_MAY_HOLD: Final = (Credentials, ConfigFlow)


def held_by(roots: Iterable[tuple[str, Any]]) -> Iterator[Found]:
    """Go through all texts that can be reached from objects, each object once.

    Credentials may hold what they are for; whatever else is Home Assistant's or another
    library's is not looked into.
    """
    seen: set[int] = set()
    waiting = [*roots]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, str) and not isinstance(value, Enum):
            yield where, value
        elif isinstance(value, bytes | bytearray):
            yield where, value.decode(errors="replace")
        elif isinstance(value, URL):
            yield where, str(value)
        elif id(value) not in seen:
            seen.add(id(value))
            if _is_ours(value):
                yield f"repr of {where}", repr(value)
                yield f"text of {where}", str(value)
            if isinstance(value, BaseException):
                for what, text in of_exception(value):
                    yield f"{what} in {where}", text
            waiting += _parts(where, value)


def _is_ours(value: Any) -> bool:
    return type(value).__module__.startswith(_OURS)


def _parts(where: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield f"{where}, key", key
            yield f"{where}[{key!r:.20}]", item
    elif isinstance(value, _MANY):
        for item in value:
            yield f"{where}[…]", item
    elif isinstance(value, _CALLABLE):
        yield from _enclosed(where, value)
    elif _is_ours(value) and not isinstance(value, _MAY_HOLD):
        for name, item in _attributes(value):
            yield f"{where}.{name}", item


def _enclosed(
    where: str, value: partial[Any] | MethodType | FunctionType
) -> Iterator[tuple[str, Any]]:
    """Go through what a callable brings along."""
    if isinstance(value, partial):
        yield from ((where, each) for each in (value.func, value.args, value.keywords))
    elif isinstance(value, MethodType):
        yield where, value.__self__
    elif str(value.__module__).startswith(_OURS):
        for cell in value.__closure__ or ():
            with suppress(ValueError):
                # Until it is filled, there is nothing in it.
                yield f"{where}, enclosed", cell.cell_contents


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(value, "__dict__", {}).items()
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in [slots] if isinstance(slots, str) else slots:
            if name.startswith("__") or not hasattr(value, name):
                continue
            yield name, getattr(value, name)
