"""The stores that the same cases run against: SQL on Postgres, and what stands in for it in the simulation.

Time stands still in both until a case lets it pass, so that what they write can be compared to the microsecond.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from hub.core.commands.rules.lifecycle import Event, Reported, decide
from hub.core.commands.store import dispatch, transitions
from hub.core.commands.store.ports import Dispatch, Transitions
from hub.core.commands.store.submit import NewCommand
from hub.core.presence import store as sessions
from hub.core.presence.rules.identity import Identity
from hub.core.presence.rules.presence import Evidence
from hub.core.presence.store import Sessions
from hub.database.engine import Connection, Database
from schemas.states import Presence
from tests.simulation.command_store import CommandStore
from tests.simulation.session_store import SessionStore
from tests.simulation.tables import Session, Tables
from tests.support.factories import JOURNAL, add_client, add_commands, new_command

BEGIN = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PC = "front-pc"

COLUMNS = (
    *("client_id", "lane", "priority", "status", "version", "attempt", "not_before", "scheduled", "expires_at"),
    *("created_at", "queued_at", "journal", "sent_at", "sends", "lease_until", "accepted_at", "started_at"),
    *("held_reasons", "finished_at", "deadline_at", "cancel_requested_at", "cancel_lease_until", "cancel_sends"),
    *("progress", "result", "error", "unknown_reason", "dead_letter_reason", "dead_letter_closed_at"),
    *("dead_letter_closed_by", "on_hold", "goodbye_at"),
)
"""Of a command, with `logs`: what both stores have. A cancel's id is each store's own."""
_LOGGED = ("event", "status", "attempt", "report_id", "detail")


class Trial(ABC):
    """One store with one client, `front-pc`, which is online; and what cases need besides the store."""

    transitions: Transitions
    dispatch: Dispatch
    sessions: Sessions

    def __init__(self) -> None:
        self.now = BEGIN

    def wait(self, seconds: float) -> datetime:
        """Let time pass; the time then."""
        self.now += timedelta(seconds=seconds)
        return self.now

    @abstractmethod
    def transaction(self) -> Any:
        """A context whose value is the connection for functions of the store."""

    @abstractmethod
    async def add_client(self, client_id: str) -> None:
        """A client that is online, whose session is `session-1` with connection 1, and that has a journal."""

    @abstractmethod
    async def change_client(self, client_id: str, **columns: Any) -> None:
        """Set `presence`, `journal`, `keep_away` or `client_status`."""

    @abstractmethod
    async def submit(self, *commands: NewCommand) -> list[UUID]:
        """Store commands; their ids."""

    @abstractmethod
    async def hold(self, command_id: UUID) -> None:
        """As its batch does when it is paused."""

    @abstractmethod
    async def close_letter(self, command_id: UUID) -> None:
        """As a person does."""

    @abstractmethod
    async def row(self, command_id: UUID) -> dict[str, Any]:
        """A command's `COLUMNS` and its log."""

    # --- by the store's own functions ------------------------------------------------------------------------

    async def add(self, client_id: str = PC, **fields: Any) -> UUID:
        """Store one command."""
        [command_id] = await self.submit(new_command(client_id, **fields))
        return command_id

    async def claim(self, *client_ids: str) -> list[UUID]:
        """Claim once; what was handed out, in order."""
        async with self.transaction() as connection:
            return [run.command_id for run in (await self.dispatch.claim(connection, client_ids or (PC,))).runs]

    async def hand_out(self, client_id: str = PC, **fields: Any) -> UUID:
        """Store one command and hand it out."""
        command_id = await self.add(client_id, **fields)
        assert await self.claim(client_id) == [command_id]
        return command_id

    async def happen(self, command_id: UUID, *events: Event) -> dict[str, Any]:
        """Decide about events in one transaction, apply what follows, and read the row."""
        async with self.transaction() as connection:
            locked = (await self.transitions.lock(connection, [command_id]))[command_id]
            for event in events:
                decision = decide(locked.state, event, locked.now)
                locked.fold(decision, uuid7() if isinstance(event, Reported) else None)
            moved = await self.transitions.apply(connection, [locked])
        assert moved == ({command_id} if locked.to_write else set())
        return await self.row(command_id)


class MemoryTrial(Trial):
    """The simulation's stores; a case may bring others over the same tables."""

    def __init__(
        self,
        commands: Callable[[Tables], CommandStore] = CommandStore,
        sessions: Callable[[Tables], SessionStore] = SessionStore,
    ) -> None:
        super().__init__()
        self._tables = Tables(lambda: self.now)
        self.transitions = self.dispatch = commands(self._tables)
        self.sessions = sessions(self._tables)

    def transaction(self) -> Any:
        return nullcontext()

    async def add_client(self, client_id: str) -> None:
        self._tables.sessions[client_id] = Session(
            Evidence(Presence.ONLINE, "test", "session-1", 1, heard_at=self.now, since=self.now),
            Identity(JOURNAL, issued=1, confirmed=1, session="session-1"),
        )
        await self.sessions.save_presence(None, client_id, Evidence(), self._tables.sessions[client_id].evidence)

    async def change_client(self, client_id: str, **columns: Any) -> None:
        session = self._tables.sessions[client_id]
        if "presence" in columns:
            session.evidence = replace(session.evidence, presence=columns.pop("presence"))
        if "journal" in columns:
            session.identity = replace(session.identity, journal=columns.pop("journal"))
        for name, value in columns.items():
            assert name in ("keep_away", "client_status")
            setattr(session, name, value)

    async def submit(self, *commands: NewCommand) -> list[UUID]:
        for command in commands:
            row = {
                name: getattr(command, name)
                for name in (
                    *("id", "client_id", "lane", "action", "payload", "priority", "max_retries", "back_off"),
                    *("not_before", "timeout_s", "on_interrupt", "order_key", "order_place", "traceparent"),
                )
            }
            begins = max(command.not_before or self.now, self.now)
            row["expires_at"] = command.expires_at or begins + timedelta(seconds=command.expires_in_s or 0.0)
            self._tables.submit(row)
        return [command.id for command in commands]

    async def hold(self, command_id: UUID) -> None:
        self._tables.write(self._tables.commands[command_id], {"on_hold": True, "scheduled": True})

    async def close_letter(self, command_id: UUID) -> None:
        row = self._tables.commands[command_id]
        self._tables.write(row, {"dead_letter_closed_at": self.now, "dead_letter_closed_by": "dismissed"})

    async def row(self, command_id: UUID) -> dict[str, Any]:
        row = self._tables.commands[command_id]
        logs = [{name: getattr(log, name) for name in _LOGGED} for log in row["logs"]]
        for log in logs:
            log["detail"] = msgspec.json.decode(msgspec.json.encode(log["detail"]))
        return {name: row[name] for name in COLUMNS} | {"logs": logs}


_FROZEN = b"""
    CREATE OR REPLACE FUNCTION floorhub_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
        SELECT current_setting('floorhub.frozen')::timestamptz
    $$
"""
"""The clock of these tests' database: the time that the connection was told."""


class FrozenDatabase(Database):
    """A database whose clock shows what `frozen_at` says."""

    def __init__(self, url: str) -> None:
        super().__init__(url, size=2)
        self.frozen_at: Callable[[], datetime] = lambda: BEGIN

    async def open(self) -> None:
        await super().open()
        async with super().connection() as connection:
            await connection.execute(_FROZEN)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        async with super().connection() as connection:
            await connection.execute(b"SELECT set_config('floorhub.frozen', %s, false)", (str(self.frozen_at()),))
            yield connection


class PostgresTrial(Trial):
    """The SQL; `empty` first."""

    def __init__(self, database: FrozenDatabase) -> None:
        super().__init__()
        self._database = database
        database.frozen_at = lambda: self.now
        self.transitions, self.dispatch, self.sessions = transitions, dispatch, sessions

    async def empty(self) -> None:
        """Forget what the case before left."""
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                b"SELECT string_agg(quote_ident(tablename), ', ') AS names FROM pg_tables"
                b" WHERE schemaname = 'public' AND (tablename ~ '^(client|command)' OR tablename = 'audit_logs')"
            )
            found = await cursor.fetchone()
            assert found is not None
            await connection.execute(f"TRUNCATE {found['names']} CASCADE".encode())

    def transaction(self) -> Any:
        return self._database.transaction()

    async def add_client(self, client_id: str) -> None:
        await add_client(self._database, client_id)

    async def change_client(self, client_id: str, **columns: Any) -> None:
        async with self._database.connection() as connection:
            for name, value in columns.items():
                table, key = ("clients", "id") if name == "client_status" else ("client_sessions", "client_id")
                column = "status" if name == "client_status" else name
                query = f"UPDATE {table} SET {column} = %s WHERE {key} = %s"  # noqa: S608 - names of ours
                await connection.execute(query.encode(), (value, client_id))

    async def submit(self, *commands: NewCommand) -> list[UUID]:
        return await add_commands(self._database, commands)

    async def hold(self, command_id: UUID) -> None:
        await self._execute(b"UPDATE commands SET on_hold = true, scheduled = true WHERE id = %s", command_id)

    async def close_letter(self, command_id: UUID) -> None:
        await self._execute(
            b"UPDATE commands SET dead_letter_closed_at = floorhub_now(), dead_letter_closed_by = 'dismissed'"
            b" WHERE id = %s",
            command_id,
        )

    async def _execute(self, query: bytes, command_id: UUID) -> None:
        async with self._database.connection() as connection:
            await connection.execute(query, (command_id,))

    async def row(self, command_id: UUID) -> dict[str, Any]:
        async with self._database.connection() as connection:
            cursor = await connection.execute(b"SELECT * FROM commands WHERE id = %s", (command_id,))
            row = await cursor.fetchone()
            cursor = await connection.execute(
                b"SELECT * FROM command_logs WHERE command_id = %s ORDER BY version", (command_id,)
            )
            logs = await cursor.fetchall()
        assert row is not None
        assert [log["version"] for log in logs] == list(range(1, row["version"] + 1))
        return {name: row[name] for name in COLUMNS} | {"logs": [{name: log[name] for name in _LOGGED} for log in logs]}


# --- cases ---------------------------------------------------------------------------------------------------

Case = Callable[[Trial], Awaitable[None]]


class Cases(list[Case]):
    """Cases, each marked with an instance of this as its decorator."""

    def __call__(self, case: Case) -> Case:
        self.append(case)
        return case

    @staticmethod
    def name(case: Case) -> str:
        """Of a test."""
        return case.__name__


async def begin(trial: Trial) -> Trial:
    """With its client."""
    await trial.add_client(PC)
    return trial


async def failing(cases: list[Case], new: Callable[[], Trial]) -> list[str]:
    """The cases that a store does not pass, each begun anew."""
    found = []
    for case in cases:
        try:
            await case(await begin(new()))
        except (AssertionError, LookupError, ValueError):  # the last two: it gave fewer, or more, than a case took
            found.append(case.__name__)
    return found
