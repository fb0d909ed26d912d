"""Keeps all that is logged, at level DEBUG, as text."""

from collections.abc import Iterator
import logging
from typing import Final, override

from .errors import of_exception
from .places import Found

_NOT_OURS: Final = (
    # The servers that a test runs: what they log is told on the site's machine.
    "aiohttp.access",
    "aiohttp.server",
    "aiohttp.web",
    # What a test says itself.
    "hypothesis",
    "pytest_homeassistant_custom_component",
    "tests",
)
_PLAIN: Final = (str, int, float, type(None))
_FORMATTER: Final = logging.Formatter()


class Log(logging.Handler):
    """Every record with all that it carries; each text once."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__(logging.DEBUG)
        self._texts: dict[str, str] = {}

    def __iter__(self) -> Iterator[Found]:
        """Go through all texts, with where they came from."""
        return ((where, text) for text, where in self._texts.items())

    def clear(self) -> None:
        """Forget all."""
        self._texts.clear()

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if any(
            record.name == name or record.name.startswith(f"{name}.")
            for name in _NOT_OURS
        ):
            return
        where = f"the log of {record.name} ({record.levelname})"
        for what, text in _texts(record):
            self._texts.setdefault(text, f"{where}, {what}")


def _texts(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    try:
        yield "message", record.getMessage()
    except TypeError, ValueError:
        # The arguments do not fit; whoever writes the log says so.
        yield "message", str(record.msg)
    args = record.args or ()
    for arg in args.values() if isinstance(args, dict) else args:
        if not isinstance(arg, _PLAIN):
            yield "arguments", repr(arg)
        if isinstance(arg, BaseException):
            yield from of_exception(arg)
    if record.stack_info:
        yield "stack", record.stack_info
    if record.exc_info and record.exc_info[1] is not None:
        # Kept by the record for whoever writes it next.
        record.exc_text = record.exc_text or _FORMATTER.formatException(record.exc_info)
        yield from of_exception(record.exc_info[1])
    if record.exc_text:
        yield "traceback", record.exc_text
