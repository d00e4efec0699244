"""The sealer: puts rows that are committed into the next block of the chain.

Every process of the hub seals what it finds, so that none depends on another; the number of a block goes to whoever
comes first. It is woken after each commit that wrote rows, makes at most one block in 200 ms, and looks each second for
what others wrote. A row whose transaction ends late is in a later block; nothing waits for it.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.core.audit.rules.chain import Noted, Row, Seal, rows_hash, sealed
from hub.core.audit.rules.ids import Ids
from hub.core.audit.rules.verification import TrustedKeys
from hub.core.audit.service.anchor import Anchor, DayFile
from hub.core.audit.service.flushing import Flushing
from hub.core.audit.service.keys import AuditKey, public_key_of
from hub.core.audit.store import record_security, seals
from hub.core.audit.telemetry import Event, Metrics
from hub.database.engine import Connection, Database
from hub.errors import UnavailableError
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters

GATHER_S = 0.015
"""How long a first row waits for others."""
SPACING_S = 0.2
"""Between two blocks. A block costs hub and database about a millisecond each, whatever is in it: one every 40 ms took
3 to 8 % of the rate."""
POLL_S = 1.0
NOTE_EVERY_S = 1.0
MOST = 1000
"""Rows of a block."""
_IN_A_THREAD = 100
"""So many rows take longer than a hop to a thread."""
_GUARD_S = 5.0
"""Between drawing its number and its first write a statement has no transaction number, for microseconds."""
_GAPS_OF = timedelta(hours=1)
_MOST_GAPS = 5_000
_DAY_LOOK_S = 60.0
_HIGHEST = 2**63 - 2
"""Of a row; a range ends with the number after it, which Postgres must know, too."""


@dataclass(slots=True)
class _Gap:
    """Numbers that were left out: their transaction has not ended, or was rolled back. `horizon`: once all transactions
    below it have ended, no row comes any more."""

    ids: Ids
    noticed: float
    horizon: int | None = None
    settled: bool = False


class Sealing:
    """The service; `run` is its loop. `state` is `ok`, or what an operator should look at."""

    def __init__(
        self,
        database: Database,
        key: AuditKey,
        anchor: Anchor,
        log: Log,
        metrics: Metrics | None = None,
        days: DayFile | None = None,
    ) -> None:
        self._database = database
        self._key = key
        self._anchor = anchor
        self._log = log
        self._metrics = metrics or Metrics(Meters())
        self._days = days
        self._wanted = asyncio.Event()
        self._turn = asyncio.Lock()
        self._begun = False
        self._last: Seal | None = None
        self._flushing = Flushing()
        self._gaps: list[_Gap] = []
        self._noted: int = 0
        self._next_note = 0.0
        self._next_day_look = 0.0
        self._next_slow_look = 0.0
        self._not_noted: str | None = None

    @property
    def state(self) -> str:
        """For health checks."""
        return self._not_noted or "ok"

    @property
    def last(self) -> Seal | None:
        """The newest block that this process knows."""
        return self._last

    @property
    def under_way(self) -> Sequence[Seal]:
        """Blocks that may not be on the database's disk yet."""
        return self._flushing.under_way

    @property
    def public_key(self) -> str:
        """What verifies: base64url. Raises RuntimeError before there is a key."""
        return public_key_of(self._key.signer)

    def wake(self) -> None:
        """There are rows that were committed."""
        self._wanted.set()

    async def prepare(self) -> None:
        """Load the key, and compare the chain with what the data folder notes. Raises SetupError, UnavailableError."""
        await self._key.establish(self._database)
        async with self._database.connection() as connection:
            await self._begin(connection)

    async def run(self) -> None:
        """The loop."""
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._wanted.wait()
                    await asyncio.sleep(GATHER_S)
                self._wanted.clear()
                try:
                    if await self.seal_some():
                        self._wanted.set()
                    await self._note()
                except UnavailableError as problem:
                    self._log.seldom("audit").warning(Event.AUDIT_NOT_SEALED, code=problem.code)
                    await asyncio.sleep(POLL_S)
                await asyncio.sleep(SPACING_S - GATHER_S)
        finally:
            last = self._flushing.flushed
            if last is not None and last.number != self._noted:
                with contextlib.suppress(OSError):
                    self._anchor.write(last)

    async def seal_all(self) -> None:
        """Seal all that is committed now. Raises SetupError, UnavailableError."""
        if not self._key.established:
            await self.prepare()
        while await self.seal_some():
            pass

    async def seal_some(self) -> bool:
        """Make a block of what is committed; whether there may be more at once. Raises UnavailableError."""
        async with self._turn, self._database.connection() as connection:
            if not self._begun:
                await self._begin(connection)
            return await self._seal(connection)

    async def append(self, connection: Connection, content: dict[str, object]) -> Seal | None:
        """Add a block that says that the oldest ones are cut; None when another process was first."""
        async with self._turn:
            await self._catch_up(connection)
            now = await self._database.now(connection)
            seal = sealed(self._key.signer, self._last, now, kind="cut", content=content)
            return seal if await seals.append(connection, seal) else None

    async def _seal(self, connection: Connection) -> bool:
        moment = time.monotonic()
        slow = moment >= self._next_slow_look
        if slow:
            self._next_slow_look = moment + POLL_S
        # One more look when all have ended: it sees what the last of them wrote.
        looked_at = [gap for gap in self._gaps if slow or not gap.settled]
        left_out = Ids(each for gap in looked_at for each in gap.ids.ranges)
        high = self._last.high if self._last is not None else 0
        found = await seals.unsealed(connection, high, left_out, MOST, block=self._flushing.expected)
        self._flushing.looked(found.flushed, found.written, found.block)
        for gap in self._gaps:
            if gap.horizon is None:
                gap.horizon = found.next
            gap.settled = found.oldest >= gap.horizon
        rows = found.rows
        full = sum(row.id > high for row in rows) == MOST
        self._gaps = [
            gap
            for gap in self._gaps
            if not (gap in looked_at and gap.settled and moment - gap.noticed > _GUARD_S)
            or any(row.id in gap.ids for row in rows)
        ]
        if not rows:
            return False
        rows = await self._salted(connection, rows)
        seal = await self._made(rows, found.at)
        if not await seals.append_soon(connection, seal):
            await self._key.check(self._database)
            await self._catch_up(connection)
            return True
        self._follow(seal, Ids.of(row.id for row in rows), moment)
        self._metrics.seals.inc()
        self._metrics.rows.inc(len(rows))
        self._metrics.delay.set(max((found.at - min(row.at for row in rows)).total_seconds(), 0.0))
        return full

    async def _made(self, rows: list[Row], at: datetime) -> Seal:
        if len(rows) > _IN_A_THREAD:
            return await asyncio.to_thread(sealed, self._key.signer, self._last, at, rows)
        return sealed(self._key.signer, self._last, at, rows)

    async def _salted(self, connection: Connection, rows: list[Row]) -> list[Row]:
        """Rows from before there were salts get theirs first."""
        bare = [row.id for row in rows if row.salt is None and row.digest is None]
        if not bare:
            return rows
        await seals.salt(connection, bare)
        return await seals.among(connection, Ids.of(row.id for row in rows), len(rows))

    def _follow(self, seal: Seal, ids: Ids, moment: float) -> None:
        """Go on from a block: what it has is sealed, what it left out may come."""
        high = self._last.high if self._last is not None else 0
        for gap in self._gaps:
            gap.ids = gap.ids - ids
        if seal.high > high and (left_out := Ids([(high + 1, min(seal.high, _HIGHEST) + 1)]) - ids).ranges:
            self._gaps.append(_Gap(left_out, moment))
        self._gaps = [gap for gap in self._gaps if gap.ids.ranges]
        self._last = seal
        self._flushing.added(seal)

    async def _begin(self, connection: Connection) -> None:
        """Find the end of the chain, what may still come, and whether the chain is the one that was noted."""
        noted = await asyncio.to_thread(self._anchor.read)
        await self._load(connection)
        if noted is not None:
            await self._compare(connection, noted)
        self._begun = True

    async def _load(self, connection: Connection) -> None:
        """The end of the chain and its gaps, from the database."""
        now = await self._database.now(connection)
        recent = await seals.since(connection, now - _GAPS_OF, _MOST_GAPS)
        moment = time.monotonic()
        self._gaps = []
        self._flushing = Flushing()
        if not recent:
            self._last = await seals.last(connection)
            if self._last is not None:
                self._flushing.added(self._last)
            return
        self._last = await seals.one(connection, recent[0].number - 1)
        for seal in recent:
            if self._last is None and seal.number > 1:
                self._last = seal
                continue
            self._follow(seal, Ids.parse(seal.ids), moment)

    async def _catch_up(self, connection: Connection) -> None:
        """Take what others have added. When the chain is not the one that this process knows, say so in it."""
        known, lost = self._last, self._flushing
        moment = time.monotonic()
        while True:
            found = await seals.read_from(connection, self._last.number if self._last is not None else 1, MOST)
            if self._last is not None:
                if not found or found[0].hash != self._last.hash:
                    break
                found = found[1:]
            if not found:
                return
            for seal in found:
                if self._last is not None and seal.number != self._last.number + 1:
                    return  # written by hand: verification names it
                self._follow(seal, Ids.parse(seal.ids), moment)
        await self._load(connection)
        if lost.under_way and await _have_their_rows(connection, lost.under_way):
            # The database has crashed before it had written them: what they sealed is sealed again.
            known = lost.flushed
            self._log.warning(Event.AUDIT_SEALED_AGAIN, seals=len(lost.under_way))
        if known is not None:
            await self._compare(connection, known.noted)

    async def _compare(self, connection: Connection, noted: Noted) -> None:
        """Hold the chain against a block that was noted. What has lost it gets a block that says so, signed."""
        if await _has(connection, noted):
            return
        special = await seals.special(connection)
        keys = TrustedKeys(self.public_key, special)
        restores = [one for one in special if one.kind in {"restore", "break"} and keys.has_signed(one)]
        if any(one.number <= noted.number <= int(one.said.get("number", 0)) for one in restores):
            return
        last = self._last
        whole = last is None or keys.has_signed(last)
        # `floorhub restore` signs that it restored; what was noted before that is lost by it, also at other hubs.
        recorded = noted.at is not None and any(
            one.said.get("recorded") and one.number <= noted.number and noted.at <= one.at for one in restores
        )
        content = {"number": noted.number, "hash": noted.hash.hex(), "recorded": recorded}
        now = await self._database.now(connection)
        seal = sealed(self._key.signer, last, now, kind="restore" if whole else "break", content=content)
        if not await seals.append(connection, seal):
            await self._load(connection)
            return  # another process says it
        self._follow(seal, Ids(), time.monotonic())
        kept = last.number if last is not None else 0
        event = Event.AUDIT_RESTORED if whole else Event.AUDIT_BROKEN
        self._log.warning(event, seal=seal.number, kept=kept, lost=noted.number, recorded=recorded)
        await record_security(
            connection,
            "audit_restored" if whole else "audit_broken",
            "warning" if whole and recorded else "critical",
            detail={"seal": seal.number, "kept": kept, "lost": noted.number, "recorded": recorded},
        )

    async def _note(self) -> None:
        """Note the last block outside of the database, now and then."""
        moment = time.monotonic()
        last = self._flushing.flushed
        if last is None:
            return
        problem: OSError | None = None
        if last.number != self._noted and moment >= self._next_note:
            self._next_note = moment + NOTE_EVERY_S
            try:
                await asyncio.to_thread(self._anchor.write, last)
                self._noted = last.number
            except OSError as refused:
                problem = refused
        if self._days is not None and moment >= self._next_day_look:
            try:
                async with self._database.connection() as connection:
                    now = await self._database.now(connection)
                if await asyncio.to_thread(self._days.write, last, now):
                    self._log.info(Event.AUDIT_DAY_SEALED, seal=last.number, file=str(self._days.file))
                self._next_day_look = moment + _DAY_LOOK_S
                self._not_noted = None
            except OSError as refused:
                problem = refused
                self._next_day_look = moment + POLL_S
                self._not_noted = "day_seal_not_written"
        if problem is not None:
            self._log.seldom("audit-note").error(
                Event.AUDIT_NOT_NOTED, file=str(problem.filename or ""), error=problem.strerror or str(problem)
            )


async def _have_their_rows(connection: Connection, blocks: Sequence[Seal]) -> bool:
    """Whether all rows of blocks are there as they were sealed."""
    for seal in blocks:
        if seal.kind != "rows":
            return False  # such a block is on the disk before anybody goes on from it
        rows = await seals.among(connection, Ids.parse(seal.ids), seal.rows + 1)
        if len(rows) != seal.rows or rows_hash(rows) != seal.rows_hash:
            return False
    return True


async def _has(connection: Connection, noted: Noted) -> bool:
    """Whether the chain has a block, or had it until clean-up took it."""
    found = await seals.read_from(connection, noted.number, 1)
    if found and found[0].number == noted.number:
        return found[0].hash == noted.hash
    first = await seals.read_from(connection, 0, 1)
    return bool(found) and bool(first) and first[0].number > noted.number
