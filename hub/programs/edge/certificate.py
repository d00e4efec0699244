"""The certificate with which the edge answers; a renewed one is taken while it runs."""

import asyncio
import os
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from hub.errors import SetupError
from hub.programs.edge.telemetry import Event, Metrics
from hub.telemetry.log import Log

LOOK_S = 2.0
"""Between two looks whether the files are others."""


class Certificate:
    """A context for new connections, made again from the files when they change. Those that stand keep theirs."""

    def __init__(self, certificate: Path, key: Path, log: Log, metrics: Metrics) -> None:
        """Raises SetupError if the files are of no use."""
        self._files = (certificate, key)
        self._log = log
        self._metrics = metrics
        self._seen = self._identity()
        self._problem = ""
        try:
            self.context, self.ends_at = _load(certificate, key)
        except (OSError, ValueError) as problem:
            raise SetupError(
                f"The certificate {certificate} cannot be used with the key {key} ({_said(problem)}): give PEM files "
                "that belong together, which this user may read (FLOORHUB_TLS_CERTIFICATE, FLOORHUB_TLS_KEY).",
                ko=f"인증서 {certificate}을(를) 키 {key}와(과) 함께 쓸 수 없습니다({_said(problem)}). 이 사용자가 읽을 "
                "수 있고 서로 맞는 PEM 파일을 지정하십시오(FLOORHUB_TLS_CERTIFICATE, FLOORHUB_TLS_KEY).",
            ) from None
        metrics.certificate_ends.set(self.ends_at.timestamp())

    @property
    def state(self) -> str:
        """`ok`, or what is wrong with what new connections get: `expired`, or `unreadable` files beside a good one."""
        if self.ends_at <= datetime.now(UTC):
            return "expired"
        return "unreadable" if self._problem else "ok"

    async def watch(self) -> None:
        """Look at the files again and again."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.reload()

    async def reload(self) -> None:
        """Take the files if they are others than before. What does not fit together may be half-way through a renewal:
        then the certificate of before stays, and the next look tries again."""
        seen = self._identity()
        if seen == self._seen and not self._problem:
            return
        try:
            context, ends_at = await asyncio.to_thread(_load, *self._files)
        except (OSError, ValueError) as problem:
            self._problem = _said(problem)
            self._log.seldom("certificate").warning(
                Event.CERTIFICATE_REFUSED, file=str(self._files[0]), error=self._problem
            )
            return
        if seen == self._seen and ends_at == self.ends_at:
            self._problem = ""
            return
        self._seen, self._problem, self.context, self.ends_at = seen, "", context, ends_at
        self._metrics.certificate_ends.set(ends_at.timestamp())
        self._log.info(Event.CERTIFICATE_TAKEN, file=str(self._files[0]), ends_at=ends_at)

    def _identity(self) -> tuple[object, ...]:
        return tuple(map(_identity_of, self._files))


def _identity_of(file: Path) -> tuple[int, ...] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _load(certificate: Path, key: Path) -> tuple[ssl.SSLContext, datetime]:
    """A context for servers, and when its certificate ends. Raises OSError (as ssl.SSLError, too) and ValueError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key, password=_no_password)
    [leaf, *_] = x509.load_pem_x509_certificates(certificate.read_bytes())
    return context, leaf.not_valid_after_utc


def _no_password() -> str:
    # Without it OpenSSL would ask at the terminal, and the start would wait for ever.
    raise ValueError("the key has a password: store it without one")


def _said(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLError):
        return problem.reason or "no PEM file"
    if isinstance(problem, OSError):
        return f"{problem.filename}: {os.strerror(problem.errno)}" if problem.errno else str(problem)
    return str(problem)
