"""Where a site is: from what a person types or pastes to the base of its URLs."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
import re
from typing import Final
from unicodedata import normalize

from yarl import URL

from .errors import InvalidAddressError

_SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)

# A scheme, with a colon or a slash too few or too many. The form comes with one, behind
# which people paste another.
_SLIP: Final = re.compile(r"^(?:(https?)(?::/+|/{2,}|:(?=[^/\d])))+", re.IGNORECASE)

_QUOTES: Final = "\"'`<>“”「」《》"

# Of a name as it is sent, after IDNA. Some networks have names with underscores.
_NAME: Final = re.compile(r"(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?", re.IGNORECASE)

# What people copy from the address bar or from the documentation of an API.
_KNOWN_TAIL: Final = re.compile(
    r"/(?:v1(?:beta)?"
    r"|api/(?:status|user|token|usage|log|data|notice|pricing)"
    r"|dashboard/billing"
    r"|console|panel|login|register|pricing|about|token|topup)"
    r"(?:/.*)?$"
)

_LOCAL_NETWORKS: Final = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/32",  # this machine, as servers print it
        "10.0.0.0/8",
        "100.64.0.0/10",  # behind a provider's NAT, and overlays such as Tailscale
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::/128",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)

# Names that no public server answers to: RFC 6761, 6762, 8375, and what routers use.
_LOCAL_SUFFIXES: Final = (
    ".home",
    ".home.arpa",
    ".internal",
    ".lan",
    ".local",
    ".localhost",
)

# An IPv4 address as only old programs read it: 134744072 is 8.8.8.8.
_NUMBER: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)


def parse_address(text: str) -> URL:
    """Return the base of a site's URLs, without a slash at its end.

    Forgives a missing scheme, spaces, a trailing slash, a pasted `/v1/models` or page
    of the console, and keeps a sub-path. Raises InvalidAddressError.
    """
    # A Chinese keyboard types full-width characters without asking.
    cleaned = normalize("NFKC", text).replace("。", ".").strip().strip(_QUOTES).strip()
    if not cleaned:
        raise InvalidAddressError("The address is empty")
    cleaned = _SLIP.sub(r"\1://", cleaned)
    bare = not _SCHEME.match(cleaned)
    try:
        url = URL(f"https://{cleaned}" if bare else cleaned)
        # Reading them is what checks them.
        _ = url.port, url.host
    except ValueError as err:
        raise InvalidAddressError("The address is not a URL") from err
    host = url.raw_host
    if url.scheme not in ("http", "https") or not host or not _is_host(host):
        raise InvalidAddressError("The address is not a web address")
    if url.user is not None or url.password is not None:
        raise InvalidAddressError("The address carries a name or a password")
    if bare and _is_local(host):
        url = url.with_scheme("http")
    origin = url.origin()
    if url.is_default_port():
        origin = origin.with_port(None)
    path = _base_path(url.path)
    return origin.with_path(path) if path else origin


def is_exposed(base: URL) -> bool:
    """Tell whether what is sent to a site can be read by anybody on the way.

    That is plain http to a public host. Loopback, private and link-local addresses,
    names without a dot and those of home networks are no public hosts.
    """
    return base.scheme == "http" and not _is_local(base.raw_host or "")


def _base_path(path: str) -> str:
    collapsed = re.sub(r"/{2,}", "/", path).rstrip("/")
    return _KNOWN_TAIL.sub("", collapsed)


def _is_host(host: str) -> bool:
    return _address_of(host) is not None or _NAME.fullmatch(host) is not None


def _is_local(host: str) -> bool:
    """Tell whether a host is at home, where few have a certificate."""
    host = host.rstrip(".").lower()
    address = _address_of(host)
    if address is None:
        label = host.rpartition(".")[2]
        is_single = label == host
        return not _NUMBER.fullmatch(label) and (
            is_single or host.endswith(_LOCAL_SUFFIXES)
        )
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return any(address in network for network in _LOCAL_NETWORKS)


def _address_of(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
