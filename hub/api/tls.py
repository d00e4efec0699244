"""The certificate that HTTPS shows: read at the start, and again when its files change."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from hub.errors import SetupError

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM: a certificate (with those between it and its authority) and its key."""

    certificate: Path
    key: Path

    def stamps(self) -> tuple[Stamp | None, ...]:
        """What changes when one of the files is replaced or written."""
        return _stamp(self.certificate), _stamp(self.key)


class Certificate:
    """A TLS context for servers. `load` changes what later connections see; those of before stay as they are."""

    def __init__(self, files: CertificateFiles) -> None:
        """Raises SetupError when the files cannot be used."""
        self._files = files
        self._seen = files.stamps()
        self._usable = True
        self._now = self._next = _context(files)
        self.context, _ = _context(files)
        # Not loaded into the live context: it would keep a certificate of another kind of key beside the new one, and
        # go on to show it to some. OpenSSL calls this for each connection, also for one that names no host.
        self.context.sni_callback = self._answer_with_latest

    @property
    def ends_at(self) -> datetime:
        """When the certificate that is shown ends."""
        return self._now[1]

    @property
    def state(self) -> str:
        """`ok`, or what is wrong with what connections get: `expired`, or `unreadable` files beside a good one."""
        if self.ends_at <= datetime.now(UTC):
            return "expired"
        return "ok" if self._usable else "unreadable"

    def is_due(self) -> bool:
        """Whether the files changed and can be used. Raises SetupError when they changed and cannot be used, once for
        each change; then the certificate of before stays, and each further call tries again: what does not fit together
        may be half-way through a renewal. It reads files, so do not call it in an event loop."""
        now = self._files.stamps()
        changed = now != self._seen
        if not changed and self._usable:
            return False
        self._seen = now
        try:
            self._next = _context(self._files)
        except SetupError:
            self._usable = False
            if changed:
                raise
            return False
        self._usable = True
        return True

    def load(self) -> None:
        """Show the certificate that `is_due` found."""
        self._now = self._next

    def _answer_with_latest(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._now[0]


def _context(files: CertificateFiles) -> tuple[ssl.SSLContext, datetime]:
    """A context for servers, and when its certificate ends. Raises SetupError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    for name, file in (("FLOORHUB_TLS_CERTIFICATE", files.certificate), ("FLOORHUB_TLS_KEY", files.key)):
        try:
            with file.open("rb"):
                pass
        except OSError as problem:
            raise SetupError(
                f"{name}: {file} cannot be read ({problem.strerror}).",
                ko=f"{name}: {file}을(를) 읽을 수 없습니다({problem.strerror}).",
            ) from None
    try:
        context.load_cert_chain(files.certificate, files.key, _no_password)
        [leaf, *_] = x509.load_pem_x509_certificates(files.certificate.read_bytes())
    except (OSError, ValueError) as problem:  # ssl.SSLError is an OSError
        mismatch = isinstance(problem, ssl.SSLError) and "MISMATCH" in str(problem.reason or "")
        why = (
            "they do not belong together" if mismatch else "certificate and key in PEM, without a password, are needed"
        )
        why_ko = "서로 맞지 않습니다" if mismatch else "암호 없는 PEM 형식의 인증서와 키여야 합니다"
        raise SetupError(
            f"FLOORHUB_TLS_CERTIFICATE {files.certificate} and FLOORHUB_TLS_KEY {files.key} cannot be used: {why}.",
            ko=f"FLOORHUB_TLS_CERTIFICATE {files.certificate}, FLOORHUB_TLS_KEY {files.key}을(를) 쓸 수 없습니다. "
            f"{why_ko}.",
        ) from None
    return context, leaf.not_valid_after_utc


def _no_password() -> str:
    """The library would ask the terminal."""
    return ""


def _stamp(file: Path) -> Stamp | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
