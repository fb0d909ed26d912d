"""A network for tests: names, certificates, and wires that can be listened to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
import socket
import ssl
from typing import Final, override

from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE: Final = "127.0.0.1"


_CHUNK: Final = 65_536
_NOTHING: Final = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: 2\r\n"
    b"Connection: close\r\n\r\n{}"
)


@dataclass(slots=True)
class Tap:
    """A port of this machine, and all that came in there, HTTP or not."""

    port: int
    visits: int = 0
    heard: bytearray = field(default_factory=bytearray)


@asynccontextmanager
async def tapped(beyond: int | None = None) -> AsyncIterator[Tap]:
    """Listen until the context is left, and pass on what is heard to a port `beyond`.

    Where there is none, whoever comes gets an empty JSON object.
    """
    tap = Tap(0)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tap.visits += 1
        with suppress(ConnectionError):
            if beyond is None:
                tap.heard += await reader.read(_CHUNK)
                writer.write(_NOTHING)
                await writer.drain()
            else:
                answers, questions = await asyncio.open_connection(HERE, beyond)
                await asyncio.gather(
                    _pass_on(reader, questions, tap.heard), _pass_on(answers, writer)
                )
        writer.close()

    server = await asyncio.start_server(meet, HERE)
    tap.port = server.sockets[0].getsockname()[1]
    try:
        yield tap
    finally:
        server.close()
        server.close_clients()
        await server.wait_closed()


async def _pass_on(
    source: asyncio.StreamReader,
    target: asyncio.StreamWriter,
    heard: bytearray | None = None,
) -> None:
    while chunk := await source.read(_CHUNK):
        if heard is not None:
            heard += chunk
        target.write(chunk)
        await target.drain()
    target.close()


class Names(AbstractResolver):
    """Finds every name on this machine, and remembers what it was asked for."""

    def __init__(self) -> None:
        """Start with nothing asked for."""
        self.asked: list[str] = []

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        return [
            ResolveResult(
                hostname=host,
                host=HERE,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    @override
    async def close(self) -> None:
        pass

    # The harness closes the resolver of Home Assistant by this name.
    real_close = close


def _signed(key: ec.EllipticCurvePrivateKey, *names: str) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway of a test")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        # Whatever the clock of the test says, OpenSSL has its own.
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(
            x509.SubjectAlternativeName([_alternative(each) for each in names]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )


def make_certificate(folder: Path, *names: str) -> Path:
    """Make a certificate for names and addresses, that vouches for itself.

    Returns the file with it and its key.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    signed = _signed(key, *names)
    path = folder / "gateway.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def server_context(certificate: Path) -> ssl.SSLContext:
    """Return what a server needs to speak https."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def client_context(certificate: Path) -> ssl.SSLContext:
    """Return what a client needs to trust that server."""
    return ssl.create_default_context(cafile=str(certificate))


# cryptography keeps the class of the first moment that it meets. It has to meet one
# before a test stops the clock, which puts another class there.
_signed(ec.generate_private_key(ec.SECP256R1()), HERE)
