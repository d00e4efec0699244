"""The certificate with which the edge answers; a renewed one is taken while it runs."""

import asyncio
from pathlib import Path

from hub.api.tls import Certificate, CertificateFiles
from hub.errors import SetupError
from hub.programs.edge.telemetry import Event, Metrics
from hub.telemetry.log import Log

LOOK_S = 2.0
"""Between two looks whether the files are others."""


class CertificateWatch:
    """Takes the files when they change. Connections that stand keep theirs."""

    def __init__(self, certificate: Path, key: Path, log: Log, metrics: Metrics) -> None:
        """Raises SetupError if the files are of no use."""
        self.shown = Certificate(CertificateFiles(certificate, key))
        self._file = str(certificate)
        self._log = log
        self._metrics = metrics
        metrics.certificate_ends.set(self.shown.ends_at.timestamp())

    async def run(self) -> None:
        """Look at the files again and again."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Take the files if they are others than before."""
        shown = self.shown
        try:
            if not await asyncio.to_thread(shown.is_due):
                return
            shown.load()
        except SetupError as problem:
            self._log.seldom("certificate").warning(Event.CERTIFICATE_REFUSED, file=self._file, error=problem.sentence)
            return
        self._metrics.certificate_ends.set(shown.ends_at.timestamp())
        self._log.info(Event.CERTIFICATE_TAKEN, file=self._file, ends_at=shown.ends_at)
