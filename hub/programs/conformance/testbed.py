"""What every check works with: the client's connection, commands through the hub, and runs delivered by hand."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from uuid_utils.compat import uuid4, uuid7

from hub.programs.conformance.process import ClientProcess
from hub.programs.conformance.proxy import Connection, Proxy
from hub.programs.conformance.record import HeldRun, Observation, Record, describe
from schemas import signing
from schemas.codec import encode
from schemas.messages import Failure, Report, Reports
from schemas.signing import Signer
from schemas.states import END_STATUSES, Level, ReportStatus
from schemas.topics import Channel, client_topic

HUB_PATIENCE_S = 15.0
"""How long the hub may take to hand a command out."""
SHOWN_PATIENCE_S = 20.0
"""How long a full agent may take to show the epoch of its welcome: two heartbeats."""
BACK_PATIENCE_S = 60.0
"""How long a client may take to come back, and the hub to see it."""
GONE_PATIENCE_S = 5.0
"""The same, once it was waited for in vain."""
POLL_S = 0.1
LIFE_S = 600.0
"""Of a command: what nobody ends ends by itself soon."""


class MistakeError(Exception):
    """The client does not do what it owes; the message says what was seen."""


class NotReachedError(Exception):
    """Nothing can be said about the client; the message says what was missing."""


class SkippedError(Exception):
    """An optional step that nobody could take."""


class HubApi(Protocol):
    """The hub over HTTP. Every call raises NotReachedError when the hub says no."""

    def get(self, path: str) -> Any:
        """A GET; its JSON."""

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A POST; its JSON."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Which client is examined, and what it can do."""

    client_id: str
    action: str
    payload: Mapping[str, Any]
    patience_s: float = 10.0
    """How long it may take for a report, the action itself included."""


@dataclass(slots=True)
class Testbed:
    """One examination's means. `ask` tells the operator what to do where there is no process of ours."""

    subject: Subject
    hub: HubApi
    signer: Signer
    record: Record
    proxy: Proxy
    process: ClientProcess | None
    ask: Callable[[str], None]
    commands: dict[UUID, HeldRun] = field(default_factory=dict)
    redelivered: set[UUID] = field(default_factory=set)
    """Commands whose reports may come again for a good reason."""
    ends: list[int] = field(default_factory=list)
    """Exit codes of a process that ended by itself."""
    _patience_s: float = BACK_PATIENCE_S
    _shown_patience_s: float = SHOWN_PATIENCE_S

    # --- the client's side -----------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection:
        """The connection that stands. Raises NotReachedError."""
        for connection in reversed(self.proxy.connections):
            if not connection.closed:
                return connection
        raise NotReachedError("the client is not connected")

    @property
    def birth(self) -> Observation:
        """The last birth. Raises NotReachedError."""
        if not self.record.births:
            raise NotReachedError("there was no birth")
        return self.record.births[-1]

    @property
    def full(self) -> bool:
        """Whether the client says that it is a full agent."""
        return bool(self.record.births) and self.birth.message.level is Level.FULL

    async def present(self) -> None:
        """Until the client is connected and born, and the hub knows. A process that ended is started again, and so is
        one whose connection does not come back. Raises NotReachedError.
        """
        loop = asyncio.get_running_loop()
        end, seen = loop.time() + self._patience_s, ""
        restarted = False
        while True:
            ended = self.process.ended if self.process is not None else None
            if self.process is not None and (ended is not None or (loop.time() > end and not restarted)):
                if ended is not None:
                    self.ends.append(ended)
                await self.process.kill()
                await self.process.start()
                end, restarted = loop.time() + self._patience_s, True
            if not self.record.births or self.record.births[-1].connection.closed:
                seen = "the client is not connected"
            else:
                client = await asyncio.to_thread(self.hub.get, f"/api/clients/{self.subject.client_id}")
                if client["presence"] == "online":
                    return
                seen = f"to the hub the client is {client['presence']} ({client['presence_reason']})"
            if loop.time() > end and (restarted or self.process is None):
                self._patience_s = GONE_PATIENCE_S
                raise NotReachedError(seen)
            await asyncio.sleep(POLL_S)

    def topic(self, channel: Channel) -> str:
        """The client's topic."""
        return client_topic(self.subject.client_id, channel)

    def tell(self, payload: bytes, *, channel: Channel = Channel.COMMANDS, retain: bool = False) -> None:
        """Hand the client a payload."""
        self.connection.deliver(self.topic(channel), payload, retain=retain)

    def deliver(self, run: HeldRun) -> None:
        """Hand the client a run as the hub sent it."""
        self.tell(run.payload)

    def sign(self, body: bytes, domain: bytes = signing.COMMAND) -> bytes:
        """A payload as the hub would sign it."""
        return self.signer.sign(domain, body)

    # --- commands --------------------------------------------------------------------------------------------

    async def command(self, action: str | None = None, **fields: Any) -> HeldRun:
        """A command through the hub; its run, which the client does not have yet. Raises NotReachedError."""
        run = await self._handed_out(action, fields)
        if run is None:  # the connection broke meanwhile: what was on its way is lost, perhaps the session with it
            run = await self._handed_out(action, fields)
        if run is None:
            raise NotReachedError("the connection broke before a command reached the client")
        kid = run.payload.split(b" ", 1)[0].decode("ascii", "replace")
        if kid != self.signer.kid:
            raise NotReachedError(f"the hub signs with key {kid}, and the keys given are of {self.signer.kid}")
        self.commands[run.run.command_id] = run
        return run

    async def _handed_out(self, action: str | None, fields: Mapping[str, Any]) -> HeldRun | None:
        """The run of a new command; None when the connection broke before it came. Raises NotReachedError."""
        await self.present()
        if self.full and not await self.record.until(lambda: self.record.epoch_shown, self._shown_patience_s):
            self._shown_patience_s = 0.0
            raise NotReachedError(
                "the hub hands nothing out to a full agent that has never shown the epoch of its welcome in a heartbeat"
            )
        connection, key = self.birth.connection, f"conformance-{uuid4()}"
        self.record.ours.add(key)
        body = {
            "client_id": self.subject.client_id,
            "action": action or self.subject.action,
            "payload": dict(self.subject.payload) if action is None else {},
            "order_key": key,
            "reference": "conformance",
            "max_retries": 0,
            "expires_in_s": LIFE_S,
            **fields,
        }
        posted = await asyncio.to_thread(self.hub.post, "/api/commands", body)
        await self.record.until(lambda: key in self.record.runs or connection.closed, HUB_PATIENCE_S)
        run = self.record.runs.get(key)
        if run is None:
            with suppress(NotReachedError):
                await asyncio.to_thread(self.hub.post, f"/api/commands/{posted['id']}/cancel")
            if not connection.closed:
                raise NotReachedError(f"the hub did not hand out {posted['id']} within {HUB_PATIENCE_S:.0f} s")
        return run

    def died(self, known: int) -> int | None:
        """The exit code with which the process ended by itself since `ends` had this length; None: it did not."""
        return self.ends[-1] if len(self.ends) > known else self.process.ended if self.process else None

    async def ended(self, run: HeldRun, context: str = "") -> list[Report]:
        """The reports of a command, once it ended. Raises MistakeError when it does not."""
        command_id = run.run.command_id
        patience_s = self.subject.patience_s
        connections, ends = len(self.proxy.connections), len(self.ends)
        if await self.record.until(lambda: self.record.end(command_id), patience_s) is None:
            seen = f"{context}{describe(self.record.way(command_id))}, and no end within {patience_s:g} s"
            if (code := self.died(ends)) is not None:
                seen += f"; the process ended with {code}"
            elif len(self.proxy.connections) > connections or self.proxy.connections[-1].closed:
                seen += "; the connection broke"
            raise MistakeError(seen)
        return self.record.way(command_id)

    async def completed(self, run: HeldRun, context: str = "") -> list[Report]:
        """The reports of a command that must complete: accepted, started, completed, each once."""
        way = await self.ended(run, context)
        if _without_holds(way) != [ReportStatus.ACCEPTED, ReportStatus.STARTED, ReportStatus.COMPLETED]:
            hint = ""
            if any(report.error is not None and report.error.code == "unsupported_action" for report in way):
                hint = ": name one that this client has with --action"
            raise MistakeError(f"{context}{describe(way)}{hint}")
        return way

    async def carried_out(self, context: str) -> None:
        """A plain command from its start to its end: what came before it has been worked off by then."""
        run = await self.command()
        self.deliver(run)
        await self.completed(run, f"{context}, a plain run: ")

    async def settle(self) -> None:
        """End at the hub what the client left open, in its place: the hub has a small window for each client."""
        for command_id, run in list(self.commands.items()):
            if any(r.status in END_STATUSES and r.attempt == run.run.attempt for r in self.record.way(command_id)):
                continue
            with suppress(NotReachedError):
                connection, session = self.connection, self.birth.message.session
                error = Failure(code="conformance", message="`floorhub conformance` ended it")
                report = Report(
                    report_id=uuid7(),
                    command_id=command_id,
                    attempt=run.run.attempt,
                    status=ReportStatus.FAILED,
                    at=datetime.now(UTC),
                    error=error,
                )
                self.record.in_its_place.add(report.report_id)
                whole = Reports(client_id=self.subject.client_id, session=session, reports=[report])
                connection.speak(self.topic(Channel.REPORTS), encode(whole))
                del self.commands[command_id]


def _without_holds(way: list[Report]) -> list[ReportStatus]:
    """The statuses, less each `held` and the `started` with which it went on."""
    statuses: list[ReportStatus] = []
    before: ReportStatus | None = None
    for report in way:
        goes_on = before is ReportStatus.HELD and report.status is ReportStatus.STARTED
        if report.status is not ReportStatus.HELD and not goes_on:
            statuses.append(report.status)
        before = report.status
    return statuses
