"""Names and certificates of the sites, which can be made wrong at any time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
import errno
from pathlib import Path
import socket
import ssl
from typing import Final, override

from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from yarl import URL

from tests.home import Site

from .faults import Outage

DOMAIN: Final = "sites.test"

# TLS goes by the clock of the machine, which no test can stop.
_ALWAYS: Final = datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
_OVER: Final = datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)


class Names(AbstractResolver):
    """Finds every name on this machine, until it does not."""

    def __init__(self) -> None:
        """Start with a network that works."""
        self._are_known = True

    @contextmanager
    def lost(self) -> Iterator[None]:
        """Know no name until the context is left."""
        self._are_known = False
        try:
            yield
        finally:
            self._are_known = True

    @override
    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        """Return the address of a name. Raises OSError."""
        if not self._are_known:
            raise OSError(errno.ENOENT, "Domain name not found")
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    @override
    async def close(self) -> None:
        """Give nothing back, since nothing was taken."""

    async def real_close(self) -> None:
        """Do so also where Home Assistant means it."""


class Authority:
    """Signs the certificates of sites.

    All are made at once, before a test stops the clock that they are made by.
    """

    def __init__(self, folder: Path, name: str) -> None:
        """Make certificates for the sites, and keep them in the folder."""
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._unsigned(self._name, self._key, _ALWAYS).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        own = own.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()),
            critical=False,
        )
        signed = own.add_extension(_usage(signs=True), critical=True).sign(
            self._key, hashes.SHA256()
        )
        self.pem: Final = signed.public_bytes(Encoding.PEM).decode()
        """Its own certificate, for those who trust it."""
        self.valid: Final = self._certify("valid", f"*.{DOMAIN}", _ALWAYS)
        """A file with a certificate of the sites and its key; so are the others."""
        self.expired: Final = self._certify("expired", f"*.{DOMAIN}", _OVER)
        self.misnamed: Final = self._certify("misnamed", "elsewhere.test", _ALWAYS)

    def _certify(
        self, file: str, name: str, validity: tuple[datetime, datetime]
    ) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(
            self._key.public_key()
        )
        certificate = (
            self._unsigned(subject, key, validity)
            .add_extension(names, critical=False)
            .add_extension(issuer, critical=False)
            .add_extension(_usage(signs=False), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        path = self._folder / f"{file}.pem"
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        return path

    def _unsigned(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        validity: tuple[datetime, datetime],
    ) -> x509.CertificateBuilder:
        since, until = validity
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
        )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True, slots=True)
class Network:
    """The names of the sites, and what they prove them with."""

    names: Names
    tls: ssl.SSLContext
    """What sites serve with."""
    authority: Authority
    stranger: Authority
    """One that nobody trusts."""

    @contextmanager
    def certified(self, outage: Outage) -> Iterator[None]:
        """Let the sites prove their names in a wrong way until the context is left."""
        self.tls.load_cert_chain(
            {
                Outage.UNTRUSTED: self.stranger.valid,
                Outage.EXPIRED: self.authority.expired,
                Outage.MISNAMED: self.authority.misnamed,
            }[outage]
        )
        try:
            yield
        finally:
            self.tls.load_cert_chain(self.authority.valid)


@asynccontextmanager
async def speaking_plainly(site: Site) -> AsyncIterator[None]:
    """Answer without TLS where a site was, until the context is left."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        writer.close()

    port = URL(site.url).port
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
