"""What a site tells everybody."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from custom_components.new_api.gateway.news import Announcement, Monitor
from tests.fuzz.site import Served

from .reading import number, on, text, whole, yes

_IS_UP: Final = {0: False, 1: True}


def wrong_announcements(
    announcements: Sequence[Announcement], status: Mapping[str, Any]
) -> Iterator[str]:
    """Compare the announcements in the `data` of `/api/status` (5.1)."""
    listed = status.get("announcements")
    if status.get("announcements_enabled") is not True or not isinstance(listed, list):
        listed = []
    said = [(each.content, each.kind, each.published) for each in announcements]
    found = [
        (text(item["content"]), text(item.get("type")), text(item.get("publishDate")))
        for item in listed
        if isinstance(item, dict)
        and text(item.get("content")) is not None
        and all(_is_text(item.get(name)) for name in ("type", "publishDate"))
    ]
    if said != found:
        yield f"the announcements {said} and not {found}"


def wrong_notice(notice: str | None, served: Sequence[Served]) -> Iterator[str]:
    """Compare the notice of a site (5.2)."""
    found = [
        text(said["data"])
        for each in on(served, "/api/notice")
        if "data" in (said := yes(each.reply)) and _is_text(said["data"])
    ]
    if notice not in found:
        yield f"the notice {notice!r} and not one of {found}"


def wrong_monitors(
    monitors: Sequence[Monitor], served: Sequence[Served]
) -> Iterator[str]:
    """Compare the monitors of a site (5.4)."""
    said = [
        (each.group, each.name, each.is_up, _share(each.uptime)) for each in monitors
    ]
    found = [
        _monitors(yes(each.reply).get("data"))
        for each in on(served, "/api/uptime/status")
    ]
    if said not in found:
        yield f"the monitors {said} and not one of {found}"


def _monitors(data: Any) -> list[tuple[str, str, bool | None, Fraction | None]]:
    """Return those whose names tell them apart."""
    read = []
    for group in _objects(data):
        for monitor in _objects(group.get("monitors")):
            uptime = number(monitor.get("uptime"))
            is_share = uptime is not None and 0 <= uptime <= 1
            read.append(
                (
                    text(group.get("categoryName")) or "",
                    text(monitor.get("name")) or "",
                    _IS_UP.get(_or_pending(monitor.get("status"))),
                    uptime if is_share else None,
                )
            )
    times = Counter(each[:2] for each in read)
    return [each for each in read if times[each[:2]] == 1]


def _or_pending(status: Any) -> int:
    known = whole(status)
    return 2 if known is None else known


def _share(uptime: Any) -> Fraction | None:
    return None if uptime is None else Fraction(uptime)


def _objects(data: Any) -> list[Mapping[str, Any]]:
    listed = data if isinstance(data, list) else []
    return [item for item in listed if isinstance(item, dict)]


def _is_text(value: Any) -> bool:
    # Numbers are kept as text here.
    return value is None or type(value) is str
