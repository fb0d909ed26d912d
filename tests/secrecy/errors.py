"""Everything that errors tell: the caught ones too."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
import sys
from types import CodeType
from typing import Final

from custom_components import new_api

from .places import Found

_FOLDER: Final = new_api.__path__[0]
_TELLING: Final = ("custom_components.new_api", "homeassistant")
"""Whose errors are made to be shown; what others raise, ours keep to themselves."""

# Neither a debugger's, nor that of coverage or a profiler.
_TOOL: Final = 4


def of_exception(error: BaseException) -> Iterator[tuple[str, str]]:
    """Go through all that an error and those behind it tell."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield "exception", str(each)
        yield "exception", repr(each)
        yield "exception", repr(vars(each))
        waiting.append(each.__cause__)
        if not each.__suppress_context__:
            waiting.append(each.__context__)
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(each.exceptions)


class Errors:
    """Every error that the integration raises, whether or not anybody shows it."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._texts: dict[str, str] = {}

    def __iter__(self) -> Iterator[Found]:
        """Go through all texts, with where they came from."""
        return ((where, text) for text, where in self._texts.items())

    def clear(self) -> None:
        """Forget all."""
        self._texts.clear()

    def watch(self) -> None:
        """Note what is raised from now on."""
        monitoring = sys.monitoring
        monitoring.use_tool_id(_TOOL, "secrecy")
        monitoring.register_callback(_TOOL, monitoring.events.RAISE, self._note)
        monitoring.set_events(_TOOL, monitoring.events.RAISE)

    def unwatch(self) -> None:
        """Note nothing more."""
        sys.monitoring.free_tool_id(_TOOL)

    def _note(self, code: CodeType, _offset: int, error: BaseException) -> None:
        if code.co_filename.startswith(_FOLDER) and type(error).__module__.startswith(
            _TELLING
        ):
            where = f"an error of {Path(code.co_filename).name}"
            # Whatever is raised here would be raised in the code that is watched.
            with suppress(Exception):
                for _, text in of_exception(error):
                    self._texts.setdefault(text, where)
