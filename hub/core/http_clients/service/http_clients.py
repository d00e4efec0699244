"""Clients that speak HTTP: their births, liveness and reports, by the same services as over the broker."""

import contextlib
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from hub.batching import Batcher
from hub.core.commands.service.reports import Arrived, Reports
from hub.core.http_clients import rules
from hub.core.http_clients import store as store
from hub.core.http_clients.service.channels import Channel, Channels
from hub.core.http_clients.store import Met, Standing
from hub.core.presence.rules.liveness import Life
from hub.core.presence.rules.presence import BY_HUB, HTTP
from hub.core.presence.service.presence import PresenceService
from hub.core.presence.service.rounds import Sighting
from hub.core.presence.telemetry import Event
from hub.database.engine import Database
from hub.errors import ConflictError, NotFoundError, RejectedError, UnavailableError
from hub.telemetry.log import Log
from schemas.codec import MAX_PAYLOAD
from schemas.messages import AgentVersion, Birth, Cancel, Receipt, Report, Run, Will
from schemas.states import END_STATUSES, Level, Presence

LONGEST_POLL_S = 20.0
"""However long a poll wants to wait: its client is heard when it asks, and must be heard again before it counts as
silent."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Who asks: a client, the session that it names, and the program as it calls itself."""

    client_id: str
    session: str
    secret_sha256: bytes = field(repr=False)
    """Of the secret that it showed."""
    name: str = "http"
    version: str = "-"

    @property
    def stored_session(self) -> str:
        """The session as the hub keeps it, apart from those of MQTT."""
        return HTTP + self.session


class HttpClients:
    """The service; `reports.run` must be running."""

    def __init__(
        self,
        database: Database,
        presence: PresenceService,
        reports: Reports,
        channels: Channels,
        log: Log,
        *,
        longest_poll_s: float = LONGEST_POLL_S,
    ) -> None:
        self._longest_poll_s = longest_poll_s
        self._database = database
        self._presence = presence
        self._channels = channels
        self._log = log

        async def apply(arrived: list[Arrived]) -> list[None]:
            await reports.apply(arrived)
            return [None] * len(arrived)

        self.reports: Batcher[Arrived, None] = Batcher(apply, lanes=1)

    # --- what a client is sent -------------------------------------------------------------------------------

    async def open_stream(self, agent: Agent, *, once: bool = False) -> Channel:
        """A channel for a new stream, which is a new connection of its session, and takes over from any other. `once`:
        each attempt goes out once, and no cancel.

        `closed` must be told of its end. Raises ConflictError for a session that is over, UnavailableError.
        """
        self._channels.check_room(agent.client_id)
        met = await self._meet(agent, anew=True)
        same = (agent.client_id, agent.stored_session, met.connection, met.secret_sha256)
        channel = Channel(*same, polled=False, once=once)
        await self._channels.attach(channel)
        return channel

    def is_read(self, channel: Channel) -> None:
        """A stream took in something: its client lives, which may never say so itself.

        Without the connection's number: written down after the stream's end, it does not bring the client back.
        """
        self._presence.liveness.note(Life(channel.client_id, channel.session, None))

    async def closed(self, channel: Channel, *, lost: bool) -> None:
        """A stream is over. `lost`: the client's side ended it, so that the client is gone unless it has come back."""
        channel.end("closed")
        self._channels.detach(channel)
        if not lost:
            return
        gone = Will(client_id=channel.client_id, session=channel.session, connection=channel.connection)
        with contextlib.suppress(UnavailableError):  # its silence would tell
            await self._presence.see([Sighting(gone)])

    async def poll(self, agent: Agent, wait_s: float) -> tuple[list[Run | Cancel], datetime]:
        """What the client is to be sent, waiting for the first of it at most so long and at most
        `LONGEST_POLL_S`, and the hub's time at the beginning. Raises as `open_stream` does."""
        self._channels.check_room(agent.client_id)
        met = await self._meet(agent)
        channel = self._channels.get(agent.client_id)
        same = (agent.stored_session, met.connection)
        if (
            channel is None
            or not channel.polled
            or channel.over.is_set()
            or same != (channel.session, channel.connection)
        ):
            channel = Channel(agent.client_id, *same, met.secret_sha256, polled=True)
        await self._channels.attach(channel)
        return await channel.take(min(wait_s, self._longest_poll_s)), met.now

    async def ping(self, agent: Agent) -> datetime:
        """The client lives; the hub's time. Raises as `open_stream` does."""
        return (await self._meet(agent)).now

    async def now(self) -> datetime:
        """The hub's time."""
        return await self._presence.now()

    async def _meet(self, agent: Agent, *, anew: bool = False) -> Met:
        """Observe a client: its birth when its session is new, or its connection (`anew`), or the hub had ended that;
        else that it lives. How it stands then."""
        met = await self._look(agent)
        session = agent.stored_session
        if met.keep_away is not None:
            raise ConflictError("fenced", client_id=agent.client_id)
        if met.session == session and not anew and met.reason not in BY_HUB:
            await self._presence.observe([Life(agent.client_id, session, None, met.connection)])
            return met
        if met.session != session and met.last is not None:
            raise ConflictError("session_over", client_id=agent.client_id)
        # Two streams that open at the very same time may both get this number. Each can then take the other offline,
        # until its next ping.
        number = max(met.last or 0, met.connection if met.session == session else 0) + 1
        birth = Birth(
            client_id=agent.client_id,
            level=Level.BASIC,
            session=session,
            connection=number,
            agent=AgentVersion(name=agent.name, version=agent.version),
            clock=met.now,
        )
        await self._presence.see([Sighting(birth)])
        born = await self._look(agent)
        if born.session == session and born.presence == Presence.ONLINE:
            return born
        raise ConflictError("session_over", client_id=agent.client_id)

    async def _look(self, agent: Agent) -> Met:
        async with self._database.connection() as connection:
            met = await store.meet(connection, agent.client_id, agent.stored_session)
        if met is None or met.secret_sha256 != agent.secret_sha256:
            raise RejectedError("unauthorized")  # Disabled, retired or given another secret since it was let in.
        return met

    # --- what a client says ----------------------------------------------------------------------------------

    async def report(self, client_id: str, session: str, report: Report) -> Receipt:
        """Apply a report and answer with its receipt, after the commit; a repeated one gets the same answer.

        Raises NotFoundError unless the command is this client's, RejectedError when it is too large, and
        UnavailableError: the report may have been applied, and may be sent again. Its text must be storable.
        """
        _require_small(report)
        standing = await self._standing(client_id, report)
        self._presence.liveness.note(Life(client_id, HTTP + session, None))
        await self.reports.submit(Arrived(client_id, HTTP + session, None, report))
        return Receipt(client_id=client_id, report_ids=[report.report_id], hub_time=standing.now)

    async def simple_report(self, client_id: str, report: Report) -> Receipt:
        """The same for a client that gives its reports no ids, and hears when one changes nothing.

        Raises ConflictError for a report about an attempt that is over, has ended otherwise or was not handed out;
        else as `report` does.
        """
        _require_small(report)
        standing = await self._standing(client_id, report)
        said, attempt = report.status, report.attempt
        if not rules.fits(said, attempt, standing):
            if rules.may_be_applied(attempt, standing):
                await self.reports.submit(Arrived(client_id, HTTP + rules.SESSION, None, report))
                standing = await self._standing(client_id, report)
            if not rules.fits(said, attempt, standing):
                raise ConflictError(
                    "report_not_used",
                    command_id=report.command_id,
                    status=standing.status,
                    attempt=standing.attempt,
                    said=said.value,
                    said_attempt=attempt,
                )
        elif said in END_STATUSES and report.result is not None and report.result.data:
            # Some tell the end as a status first, and what came out of it afterwards.
            async with self._database.connection() as connection:
                await store.add_result(connection, report)
        return Receipt(client_id=client_id, report_ids=[report.report_id], hub_time=standing.now)

    async def _standing(self, client_id: str, report: Report) -> Standing:
        """Where the command of a report is. Raises NotFoundError unless it is this client's."""
        async with self._database.connection() as connection:
            found = await store.standing(connection, report.command_id, report.report_id)
        if found is not None and found.client_id == client_id:
            return found
        if found is not None:
            self._log.seldom(client_id, "foreign_command").warning(
                Event.MESSAGE_REFUSED, client_id=client_id, reason="foreign_command"
            )
        raise NotFoundError("command_not_found", command_id=report.command_id)


def _require_small(report: Report) -> None:
    """Raise RejectedError for a report that would not fit into a message."""
    if (size := len(msgspec.json.encode(report))) > MAX_PAYLOAD:
        raise RejectedError("payload_too_large", size=size, most=MAX_PAYLOAD)
