"""The audit trail in tests: a sealer of its own, rows to seal, and verification."""

from pathlib import Path
from uuid import UUID

from hub.core.audit.service.anchor import Anchor, DayFile
from hub.core.audit.service.keys import AuditKey, public_key_of
from hub.core.audit.service.sealing import Sealing
from hub.core.audit.service.verifying import Result, verify
from hub.core.audit.store import record
from hub.database.engine import Database
from hub.telemetry.log import Log

SOMEBODY = UUID("00000000-0000-7000-8000-00000000000a")


class Somebody:
    """Who writes the rows of a test."""

    principal_id = SOMEBODY
    address = "192.0.2.7"


class Trail:
    """A hub's audit, without the hub: its data folder, its sealer, and what verification says of it."""

    def __init__(self, database: Database, folder: Path, days: DayFile | None = None) -> None:
        self.database = database
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.key = AuditKey(folder / "keys")
        self.anchor = Anchor(folder)
        self.sealing = Sealing(database, self.key, self.anchor, Log(), days=days)

    async def seal(self) -> None:
        """Seal what is committed, have it on the disk, and note the last seal in the folder."""
        await self.sealing.seal_all()
        while self.sealing.under_way:
            async with self.database.connection() as connection:
                # A commit that waits for the disk takes all that was committed before with it.
                await connection.execute("SELECT pg_logical_emit_message(true, 'test', '')")
            await self.sealing.seal_some()
        if self.sealing.last is not None:
            self.anchor.write(self.sealing.last)

    async def write(self, *names: str) -> None:
        """A row for each name, and a seal over them."""
        async with self.database.transaction() as connection:
            for name in names:
                await record(connection, Somebody(), "thing.update", "thing", name, {"before": 1, "after": name})
        await self.seal()

    async def verify(self, accepted: tuple[int, ...] = (), *, noted: bool = True) -> Result:
        """What verification says, with what the folder notes."""
        last = self.anchor.read() if noted else None
        return await verify(
            self.database,
            public_key_of(self.key.signer),
            noted=[] if last is None else [last],
            accepted=accepted,
        )
