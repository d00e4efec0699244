"""A certificate authority, and TLS in front of services that have none, as the public listeners have it."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.fault_proxy import HOST, Loop

_DAYS = timedelta(days=2)


@dataclass(frozen=True)
class Authority:
    """A certificate authority, and a certificate of it for 127.0.0.1."""

    file: Path
    chain: Path

    @property
    def pem(self) -> str:
        """Its own certificate."""
        return self.file.read_text()


def authority(folder: Path) -> Authority:
    """A new one, with its files in a folder."""
    key, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the shop's authority")])
    root = _builder(name, name, key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    leaf = _builder(x509.Name([]), name, own.public_key()).add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=True
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    signed = root.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    made = Authority(folder / "ca.pem", folder / "server.pem")
    made.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made.chain.write_bytes(leaf.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + secret)
    return made


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAYS)
        .not_valid_after(now + _DAYS)
    )


class TlsFront:
    """One listener with TLS that hands everything on to a port of this machine. Close it."""

    def __init__(self, loop: Loop, target: int, chain: Path, host: str = HOST, *, again: bool = False) -> None:
        """`host`: where it listens, and finds the port; `again`: that port has TLS, too, of whomever."""
        self._target = target
        self._host = host
        self._loop = loop
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(chain)
        self._beyond: ssl.SSLContext | None = None
        if again:
            self._beyond = ssl.create_default_context()
            self._beyond.check_hostname = False
            self._beyond.verify_mode = ssl.CERT_NONE
        self.lose = b""
        """Of the next request that begins so, the answer gets lost."""
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server = loop.call(self._start())
        self.port: int = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Take nothing more."""
        self._loop.call(self._stop())

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, self._host, 0, ssl=self._context)

    async def _stop(self) -> None:
        self._server.close()
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving: asyncio.Task[None] | None = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        answers, requests = await asyncio.open_connection(self._host, self._target, ssl=self._beyond)
        lost = asyncio.Event()

        async def hand_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, *, up: bool) -> None:
            while block := await source.read(65_536):
                if up and self.lose and block.startswith(self.lose):
                    self.lose = b""
                    lost.set()
                elif not up and lost.is_set():
                    return
                target.write(block)
                await target.drain()

        ways = {
            asyncio.create_task(hand_on(reader, requests, up=True)),
            asyncio.create_task(hand_on(answers, writer, up=False)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for each in (requests, writer):
                each.transport.abort()
                with contextlib.suppress(OSError):
                    await each.wait_closed()
