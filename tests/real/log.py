"""What a Home Assistant wrote to its console, record by record."""

from dataclasses import dataclass
from pathlib import Path
import re
from typing import Final

_HEAD: Final = re.compile(
    r"^\d{4}-\d\d-\d\d \S+ (?P<level>[A-Z]+) \(.*?\) \[(?P<logger>[^]]+)\] "
)
_TROUBLE: Final = frozenset({"WARNING", "ERROR", "CRITICAL"})
_TAIL_LINES: Final = 25


@dataclass(frozen=True, slots=True)
class Record:
    """One record with all its lines, a traceback included."""

    level: str
    logger: str
    text: str

    @property
    def is_trouble(self) -> bool:
        """Return whether it is a warning or worse."""
        return self.level in _TROUBLE


class Log:
    """The log of all runs in one directory, oldest first."""

    def __init__(self, path: Path) -> None:
        """Remember where it is; it need not be there yet."""
        self.path = path

    def text(self, since: int = 0) -> str:
        """Return all that was written after a position that `position` gave."""
        if not self.path.exists():
            return ""
        with self.path.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def position(self) -> int:
        """Return where the next record will be written."""
        return self.path.stat().st_size if self.path.exists() else 0

    def records(self, since: int = 0) -> list[Record]:
        """Return the records that begin after a position."""
        records: list[Record] = []
        for line in self.text(since).splitlines():
            if head := _HEAD.match(line):
                records.append(Record(head["level"], head["logger"], line))
            elif records:
                last = records[-1]
                records[-1] = Record(last.level, last.logger, f"{last.text}\n{line}")
        return records

    def tail(self) -> str:
        """Return the last lines, for a person to see what went wrong."""
        return "\n".join(self.text().splitlines()[-_TAIL_LINES:])
