"""Whom a TLS connection trusts, and why it does not."""

import re
import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

from schemas.text import TextError, read

_BEGIN = "-----BEGIN "
_CERTIFICATE = re.compile(r"-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[A-Za-z0-9+/=\s]+-----END \1-----")

_NOT_YET_VALID, _EXPIRED = 9, 10
"""What OpenSSL calls X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
_MOST_BYTES = 16 * 1024
_DATE = re.compile(rb"\r\ndate:[ \t]*([^\r\n]{1,64})\r\n", re.IGNORECASE)


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
