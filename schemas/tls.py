"""Whom a TLS connection trusts."""

import re
import ssl
from pathlib import Path

from schemas.text import TextError, read

_CERTIFICATE = re.compile(r"-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[A-Za-z0-9+/=\s]+-----END \1-----")


def trusting(ca_file: str | Path | None) -> ssl.SSLContext:
    """A context for clients that trusts the certificates of a PEM file, else the system's. It reads files, so do not
    call it in an event loop. Raises OSError when the file has none or cannot be read."""
    if ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=certificates(Path(ca_file)))
    except TextError as problem:
        raise OSError(f"{ca_file}: {problem}") from None


def certificates(file: Path) -> str:
    """The certificates of a PEM file, whatever else is written in it. Raises TextError and OSError."""
    found = [block.group() for block in _CERTIFICATE.finditer(read(file))]
    if not found:
        raise TextError(
            "it holds no certificate: give a PEM file with -----BEGIN CERTIFICATE-----",
            "인증서가 없습니다. -----BEGIN CERTIFICATE-----가 있는 PEM 파일을 지정하십시오",
        )
    return "\n".join(found) + "\n"
