"""Faults of the connection, and of what proves who answers."""

from typing import Final

from tests.simulator import End, Hang, Raw, Reset, Trickle, Truncate

from .row import Level, Outage, Row, same

_LINE: Final = b"HTTP/1.1 200 OK\r\n"
_HEAD: Final = _LINE + b"Content-Type: application/json\r\n"

CONNECTION: Final = (
    Row(name="refused", level=Level.CONNECTION, outage=Outage.REFUSED),
    Row(name="name not found", level=Level.CONNECTION, outage=Outage.NAMELESS),
    Row(name="reset before the reply", level=Level.CONNECTION, make=same(Reset())),
    Row(name="closed before the reply", level=Level.CONNECTION, make=same(Raw(b""))),
    Row(
        name="reset in the headers",
        level=Level.CONNECTION,
        make=same(Raw(_HEAD[:30], End.RESET)),
    ),
    Row(
        name="closed in the headers",
        level=Level.CONNECTION,
        make=same(Raw(_HEAD[:30])),
    ),
    Row(
        name="reset in the body",
        level=Level.CONNECTION,
        make=same(Truncate(20, End.RESET)),
    ),
    Row(name="closed in the body", level=Level.CONNECTION, make=same(Truncate(20))),
    Row(
        name="closed in a chunk",
        level=Level.CONNECTION,
        make=same(
            Raw(_HEAD + b'Transfer-Encoding: chunked\r\n\r\n40\r\n{"success":true,')
        ),
    ),
    Row(
        name="hangs before the reply",
        level=Level.CONNECTION,
        make=same(Hang()),
        is_slow=True,
    ),
    Row(
        name="hangs in the headers",
        level=Level.CONNECTION,
        make=same(Raw(_HEAD[:30], End.HANG)),
        is_slow=True,
    ),
    Row(
        name="hangs in the body",
        level=Level.CONNECTION,
        make=same(Truncate(20, End.HANG)),
        is_slow=True,
    ),
    Row(
        name="a byte a second",
        level=Level.CONNECTION,
        make=same(Trickle()),
        is_slow=True,
    ),
    Row(
        name="no HTTP at all",
        level=Level.CONNECTION,
        make=same(Raw(b"SSH-2.0-OpenSSH_9.9\r\n")),
    ),
    Row(
        name="no chunk where one should be",
        level=Level.CONNECTION,
        make=same(Raw(_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n")),
    ),
    Row(
        name="two lengths",
        level=Level.CONNECTION,
        make=same(Raw(_HEAD + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}")),
    ),
    Row(
        name="a header of 100 kB",
        level=Level.CONNECTION,
        make=same(Raw(_HEAD + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n{}")),
    ),
)


TLS: Final = (
    Row(
        name="an authority that nobody trusts",
        level=Level.TLS,
        outage=Outage.UNTRUSTED,
        is_secure=True,
    ),
    Row(
        name="an expired certificate",
        level=Level.TLS,
        outage=Outage.EXPIRED,
        is_secure=True,
    ),
    Row(
        name="the certificate of another site",
        level=Level.TLS,
        outage=Outage.MISNAMED,
        is_secure=True,
    ),
    Row(name="no TLS at all", level=Level.TLS, outage=Outage.BARE, is_secure=True),
)
