"""Where a site is: from what a person types or pastes to the base of its URLs."""

from ipaddress import ip_address
import re
from typing import Final

from yarl import URL

from .errors import InvalidAddressError

# A Chinese keyboard types these without asking.
_FULL_WIDTH: Final = str.maketrans("：／．。？＃", ":/..?#")

_SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)

# What people copy from the address bar or from the documentation of an API.
_KNOWN_TAIL: Final = re.compile(
    r"/(?:v1(?:beta)?"
    r"|api/(?:status|user|token|usage|log|data|notice|pricing)"
    r"|dashboard/billing"
    r"|console|panel|login|register|pricing|about|token|topup)"
    r"(?:/.*)?$"
)


def parse_address(text: str) -> URL:
    """Return the base of a site's URLs, without a slash at its end.

    Forgives a missing scheme, spaces, a trailing slash, a pasted `/v1/models` or page
    of the console, and keeps a sub-path. Raises InvalidAddressError.
    """
    cleaned = text.translate(_FULL_WIDTH).strip().strip("\"'<>").strip()
    if not cleaned:
        raise InvalidAddressError("The address is empty")
    bare = not _SCHEME.match(cleaned)
    try:
        url = URL(f"https://{cleaned}" if bare else cleaned)
        host = url.host
        # Reading it is what checks it.
        _ = url.port
    except ValueError as err:
        raise InvalidAddressError("The address is not a URL") from err
    if url.scheme not in ("http", "https") or not host or re.search(r"\s", host):
        raise InvalidAddressError("The address is not a web address")
    if url.user is not None or url.password is not None:
        raise InvalidAddressError("The address carries a name or a password")
    if bare and _is_local(host):
        url = url.with_scheme("http")
    path = _base_path(url.path)
    return url.origin().with_path(path) if path else url.origin()


def _base_path(path: str) -> str:
    collapsed = re.sub(r"/{2,}", "/", path).rstrip("/")
    return _KNOWN_TAIL.sub("", collapsed)


def _is_local(host: str) -> bool:
    """Tell whether a host is of the kind that seldom has a certificate."""
    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal"))
    return address.is_private or address.is_loopback or address.is_link_local
