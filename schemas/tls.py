"""Whom a TLS connection trusts, and why it does not."""

import asyncio
import base64
import os
import re
import socket
import ssl
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.text import TextError, read

_BEGIN = "-----BEGIN "
_CERTIFICATE = re.compile(r"-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[A-Za-z0-9+/=\s]+-----END \1-----")

_NOT_YET_VALID, _EXPIRED = 9, 10
"""What OpenSSL calls X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
_MOST_BYTES = 16 * 1024
_DATE = re.compile(rb"\r\ndate:[ \t]*([^\r\n]{1,64})\r\n", re.IGNORECASE)


#: What stands before the seed of an Ed25519 key in PKCS #8 (RFC 8410, 7).
_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
_REFUSED_S = 2.0


def show(context: ssl.SSLContext, certificate: str, seed: bytes) -> None:
    """Have connections of a context show a certificate (PEM) for the Ed25519 key of a seed. Raises OSError, for a
    certificate that is not of this key, too."""
    key = base64.b64encode(_PKCS8 + seed).decode()
    text = f"{certificate.strip()}\n-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n"
    # The library takes files only; this one is for its owner, and gone when this returns.
    descriptor, name = tempfile.mkstemp(prefix="floorhub-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(text)
        context.load_cert_chain(name)
    finally:
        os.unlink(name)  # noqa: PTH108 - a name, no path


def refusal_at(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """With which alert a server ends a connection that it has asked for a certificate, as OpenSSL calls it; None: it
    does not, or says nothing. A server that is content waits, so this does, too: not in an event loop. Raises
    OSError."""
    with (
        socket.create_connection((host, port), _REFUSED_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        try:
            connection.recv(1)
        except ssl.SSLError as problem:
            return alert_in(problem)
        except TimeoutError:
            pass
    return None


async def certificate_at(host: str, port: int, context: ssl.SSLContext | None) -> dict[str, Any]:
    """Connect for a moment: the certificate of the server as `ssl` tells it; empty without TLS. Raises OSError."""
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    certificate: dict[str, Any] = writer.get_extra_info("peercert") or {}
    # No good-bye: after the alert of a server that wants a certificate of ours, it would leave this alert in OpenSSL's
    # queue of the thread, and the next connection that is read in this loop would fail with it.
    writer.transport.abort()
    return certificate


def alert_in(problem: BaseException) -> str | None:
    """The alert of the other side behind an exception; None: there is none."""
    found: BaseException | None = problem
    while found is not None:
        reason = getattr(found, "reason", None)
        if isinstance(found, ssl.SSLError) and isinstance(reason, str) and "_ALERT_" in reason:
            return reason
        found = found.__cause__ or found.__context__
    return None


def trusting(ca_file: str | Path | None) -> ssl.SSLContext:
    """A context for clients that trusts the certificates of a PEM file, or of a PEM text itself, else the system's. It
    reads files, so do not call it in an event loop. Raises OSError when the file has none or cannot be read."""
    if ca_file is None:
        return ssl.create_default_context()
    if isinstance(ca_file, str) and ca_file.lstrip().startswith(_BEGIN):
        try:
            return ssl.create_default_context(cadata=certificates_in(ca_file))
        except (ssl.SSLError, TextError) as problem:
            raise OSError(f"ca: {problem}") from None
    try:
        return ssl.create_default_context(cadata=certificates(Path(ca_file)))
    except TextError as problem:
        raise OSError(f"{ca_file}: {problem}") from None


def certificates(file: Path) -> str:
    """The certificates of a PEM file, whatever else is written in it. Raises TextError and OSError."""
    return certificates_in(read(file))


def certificates_in(text: str) -> str:
    """The same of a text. Raises TextError."""
    found = [block.group() for block in _CERTIFICATE.finditer(text)]
    if not found:
        raise TextError(
            "it holds no certificate: give a PEM file with -----BEGIN CERTIFICATE-----",
            "인증서가 없습니다. -----BEGIN CERTIFICATE-----가 있는 PEM 파일을 지정하십시오",
        )
    return "\n".join(found) + "\n"


def distrust_in(problem: BaseException) -> ssl.SSLCertVerificationError | None:
    """The refused certificate behind an exception; None: there is none. Libraries raise their own exceptions while they
    handle that one, so it is looked for among the exceptions and not in their words."""
    found: BaseException | None = problem
    while found is not None and not isinstance(found, ssl.SSLCertVerificationError):
        found = found.__cause__ or found.__context__
    return found


def is_about_time(problem: BaseException) -> bool:
    """Whether a certificate is not valid now, or no longer: a clock that is wrong looks the same."""
    refused = distrust_in(problem)
    return refused is not None and refused.verify_code in (_NOT_YET_VALID, _EXPIRED)


def date_at(host: str, port: int, within_s: float = 5.0) -> datetime | None:
    """What time it is at an HTTPS server whose certificate is not trusted; None when it does not say. Anybody may have
    answered, so it is good for advice only. It waits, so do not call it in an event loop."""
    from email.utils import parsedate_to_datetime  # late: an agent that works needs none of it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    end = time.monotonic() + within_s
    answer = b""
    try:
        with (
            socket.create_connection((host, port), within_s) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            name = f"[{host}]" if ":" in host else host
            connection.sendall(f"HEAD /health HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            while b"\r\n\r\n" not in answer and len(answer) < _MOST_BYTES and time.monotonic() < end:
                received = connection.recv(4096)
                if not received:
                    break
                answer += received
        found = _DATE.search(answer)
        return None if found is None else parsedate_to_datetime(found[1].decode("ascii")).astimezone(UTC)
    except (OSError, ValueError):
        return None
