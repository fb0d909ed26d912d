"""What a site tells everybody of itself: announcements and monitors."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from .errors import UnexpectedReplyError
from .fields import as_number, read_integer, read_name, read_rows, read_text

# More than anybody looks at; a site can show any number.
_MOST_MONITORS: Final = 100

# As Uptime Kuma numbers them; 2 is pending and 3 maintenance (gateway_api.md 5.4).
_IS_UP: Final = {0: False, 1: True}


@dataclass(frozen=True, slots=True)
class Announcement:
    """An announcement of a site (`/api/status`, gateway_api.md 5.1).

    `content` is Markdown or HTML, as the site wrote it; `kind` such as `warning`, and
    `published` the time in the site's own words, None where it does not tell.
    """

    content: str
    kind: str | None
    published: str | None


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor that a site shows (`/api/uptime/status`, gateway_api.md 5.4).

    `is_up` is None while that is pending, under maintenance or unknown. `uptime` is the
    part of the last 24 hours, 0 to 1, None where unknown.
    """

    group: str
    name: str
    is_up: bool | None
    uptime: Decimal | None


def read_announcements(data: Mapping[str, Any]) -> tuple[Announcement, ...]:
    """Return those in the `data` of a site's status, in its order: newest first.

    One that cannot be read is left out: a site is no less a site for it.
    """
    listed = data.get("announcements")
    if data.get("announcements_enabled") is not True or not isinstance(listed, list):
        return ()
    read = (_announcement(item) for item in listed if isinstance(item, Mapping))
    return tuple(each for each in read if each is not None)


def read_notice(data: Any) -> str | None:
    """Return the notice of a site (5.2), None where there is none."""
    return read_text({"data": data}, "data")


def read_monitors(data: Any) -> tuple[Monitor, ...]:
    """Return the monitors of all groups, in the site's order.

    Of those with one name in one group none can be told from the other, so they are
    left out; so are those beyond the first hundred.
    """
    monitors = [
        _monitor(read_name(group, "categoryName"), monitor)
        for group in read_rows(data)
        for monitor in read_rows(group.get("monitors"))
    ]
    times = Counter((each.group, each.name) for each in monitors)
    unique = [each for each in monitors if times[each.group, each.name] == 1]
    return tuple(unique[:_MOST_MONITORS])


def _announcement(item: Mapping[str, Any]) -> Announcement | None:
    try:
        content = read_text(item, "content")
        if content is None:
            return None
        return Announcement(
            content, read_text(item, "type"), read_text(item, "publishDate")
        )
    except UnexpectedReplyError:
        return None


def _monitor(group: str, data: Mapping[str, Any]) -> Monitor:
    uptime = as_number(data.get("uptime"))
    is_up = _IS_UP.get(read_integer(data, "status"))
    if is_up is False and not uptime:
        # So servers show what they know nothing of, too.
        is_up, uptime = None, None
    return Monitor(
        group=group,
        name=read_name(data, "name"),
        is_up=is_up,
        uptime=uptime if uptime is not None and 0 <= uptime <= 1 else None,
    )
