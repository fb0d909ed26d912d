"""Reading replies without the client."""

from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from fractions import Fraction
import json
import re
from typing import Any, Final

from tests.fuzz.site import Reply, Served

_END_OF_TIME: Final = 253_402_300_799

# With 200, older servers say no as well (7).
_SAY_NO: Final = (200, 401, 403)

_MOST_DIGITS: Final = 4300
_USUAL_DIGITS: Final = 19

_HALVES: Final = re.compile("[\ud800-\udfff]")


class Number(str):
    """A number as it stands in a reply."""

    __slots__ = ()

    def exact(self) -> Fraction | None:
        """Return it, None where it is beyond all that a server could mean."""
        mantissa, _, exponent = self.lower().partition("e")
        if len(mantissa) > _MOST_DIGITS or abs(int(exponent or 0)) > _MOST_DIGITS:
            return None
        return Fraction(mantissa) * Fraction(10) ** int(exponent or 0)


def read(reply: Reply | None) -> Any:
    """Return the JSON of a reply, None where there is none."""
    if reply is None or "json" not in (reply.header("Content-Type") or "").lower():
        return None
    try:
        return json.loads(
            reply.body, parse_int=Number, parse_float=Number, parse_constant=_no_number
        )
    except ValueError, RecursionError:
        return None


def _no_number(text: str) -> None:
    raise ValueError(text)


def yes(reply: Reply | None) -> Mapping[str, Any]:
    """Return the object in a reply that says yes (1.2), or an empty one."""
    data = read(reply)
    if (
        reply is None
        or reply.status != 200
        or not isinstance(data, dict)
        or data.get("success", True) is not True
        or isinstance(data.get("error"), dict)
    ):
        return {}
    return data


def no(reply: Reply | None) -> Mapping[str, Any] | None:
    """Return what says why in a reply that says no, None in any other (7)."""
    data = read(reply)
    if reply is None or reply.status not in _SAY_NO or not isinstance(data, dict):
        return None
    error = data.get("error")
    if isinstance(error, dict):
        return None if reply.status == 200 and data.get("success", True) else error
    return data if data.get("success") is False else None


def whole(value: Any) -> int | None:
    """Return a whole number of a reply."""
    if isinstance(value, Number) and value.isdigit() and len(value) <= _USUAL_DIGITS:
        return int(value)
    exact = value.exact() if isinstance(value, Number) else None
    return int(exact) if exact is not None and exact.denominator == 1 else None


def number(value: Any) -> Fraction | None:
    """Return a number of a reply."""
    return value.exact() if isinstance(value, Number) else None


def text(value: Any) -> str | None:
    """Return a text of a reply, as far as it can be shown."""
    if not isinstance(value, str) or isinstance(value, Number):
        return None
    return printable(value.strip()) or None


def expiry(value: Any) -> int | None:
    """Return when something ends; 0 and -1 are never (trap 27)."""
    moment = whole(value)
    return moment if moment is not None and 0 < moment <= _END_OF_TIME else None


def printable(value: str) -> str:
    """Return what can be shown of a text."""
    return _HALVES.sub("?", value)


def clocks(served: Sequence[Served], clock: float) -> list[float]:
    """Return what the time may be: ours, or the site's."""
    found = [clock]
    for each in served:
        try:
            said = parsedate_to_datetime(
                (each.reply and each.reply.header("Date")) or ""
            )
            found.append(said.timestamp())
        except ValueError, OverflowError, TypeError:
            continue
    return found


def on(served: Sequence[Served], *paths: str) -> list[Served]:
    """Return what was served on some paths."""
    return [each for each in served if each.path in paths]


def datas(served: Sequence[Served], path: str) -> list[Mapping[str, Any]]:
    """Return the objects in all replies on a path that say yes."""
    found = [yes(each.reply).get("data") for each in on(served, path)]
    return [each for each in found if isinstance(each, dict)]


def items_of(page: Mapping[str, Any]) -> list[Any]:
    """Return the items of a page of a list, in every dialect (6.4)."""
    data = page.get("data")
    if isinstance(data, dict):
        data = data["items"] if "items" in data else data.get("data")
    return data if isinstance(data, list) else []
