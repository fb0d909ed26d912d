"""Compares what is shown with what is so, and keeps count for a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

# So many differences of one figure tell as much as all.
_ENOUGH: Final = 5


@dataclass(slots=True)
class _Tally:
    """How often a figure was compared, with one right answer, and how far it was off.

    With more than one, what was shown lay between two readings that could be so.
    """

    compared: int = 0
    equal: int = 0
    between: int = 0
    furthest: int = 0


class Comparison:
    """Holds each figure against the ledger."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Begin; differences are dated in the time of the home."""
        self._zone = zone
        self._tallies: dict[str, _Tally] = {}
        self.differences: dict[str, list[str]] = {}

    def equal(self, figure: str, at: int, truth: object, shown: object) -> bool:
        """Compare a figure that has one right answer."""
        tally = self._tally(figure)
        is_right = shown == truth
        tally.equal += is_right
        if not is_right:
            off = abs(shown - truth) if _are_numbers(shown, truth) else 0  # type: ignore[operator]
            tally.furthest = max(tally.furthest, off)
            self._note(figure, at, truth, shown)
        return is_right

    def between(self, figure: str, at: int, truth: range, shown: object) -> bool:
        """Compare a figure that was read some minutes ago, or on the way to them."""
        low, high = truth.start, truth.stop - 1
        if low == high:
            return self.equal(figure, at, low, shown)
        tally = self._tally(figure)
        is_right = isinstance(shown, int) and shown in truth
        tally.between += is_right
        if not is_right:
            if isinstance(shown, int):
                off = max(low - shown, shown - high)
                tally.furthest = max(tally.furthest, off)
            self._note(figure, at, f"{low}..{high}", shown)
        return is_right

    def rows(
        self, figure: str, truth: Mapping[int, object], shown: Mapping[int, object]
    ) -> None:
        """Compare all that there is of something, by its time."""
        for at in sorted({*truth, *shown}):
            self.equal(figure, at, truth.get(at, "-"), shown.get(at, "-"))

    def count(self, figure: str) -> int:
        """Return how often a figure was compared with the one right answer."""
        tally = self._tallies.get(figure, _Tally())
        return tally.compared - tally.between

    def __str__(self) -> str:
        """Return the table, and the first differences."""
        lines = [
            f"{'':<34}{'compared':>9}{'equal':>9}{'between':>9}{'furthest off':>14}"
        ]
        lines += [
            f"{figure:<34}{tally.compared:>9}{tally.equal:>9}{tally.between:>9}"
            f"{tally.furthest:>14}"
            for figure, tally in self._tallies.items()
        ]
        for differences in self.differences.values():
            lines += differences[:_ENOUGH]
            if len(differences) > _ENOUGH:
                lines.append(f"... {len(differences)} in all, last {differences[-1]}")
        return "\n".join(lines)

    def _tally(self, figure: str) -> _Tally:
        tally = self._tallies.setdefault(figure, _Tally())
        tally.compared += 1
        return tally

    def _note(self, figure: str, at: int, truth: object, shown: object) -> None:
        when = datetime.fromtimestamp(at, UTC).astimezone(self._zone)
        self.differences.setdefault(figure, []).append(
            f"{when:%m-%d %H:%M} {figure}: is {truth}, shown {shown}"
        )


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int) for value in values)
