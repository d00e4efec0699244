"""What comes in: decoded, sorted by channel, handed to the services in batches. Bounded everywhere.

What does not fit is dropped: agents repeat reports until their receipt and presence at each roll call, so an
overflow costs time, never a report.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from hub.core.broker.telemetry import Event
from hub.core.commands.service.puback_times import PubackTimes
from hub.core.commands.service.reports import Arrived, Reports, Unreadable
from hub.core.presence.rules.liveness import Life
from hub.core.presence.service.presence import PresenceService
from hub.core.presence.service.rounds import Sighting
from hub.core.presence.telemetry import Event as PresenceEvent
from hub.errors import UnavailableError
from hub.mqtt.telemetry import Event as MqttEvent
from hub.telemetry.log import Log
from schemas import codec
from schemas.codec import ContractError
from schemas.messages import Heartbeat, State
from schemas.topics import Channel, parse_client_topic

SHARED_GROUP = "floorhub"
MAX_WAITING = 50_000
RETRY_PAUSE_S = 0.5

Item = TypeVar("Item")


class Intake(Generic[Item]):
    """A bounded queue whose items are worked off in batches, one batch at a time."""

    def __init__(self, work: Callable[[list[Item]], Awaitable[None]], *, most: int, bound: int = MAX_WAITING) -> None:
        self._work = work
        self._most = most
        self._queue: asyncio.Queue[Item] = asyncio.Queue(bound)

    def __len__(self) -> int:
        return self._queue.qsize()

    def put(self, item: Item) -> bool:
        """Queue an item; False when there is no room."""
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            return False
        return True

    async def run(self, log: Log) -> None:
        """Work until cancelled. When Postgres is away the batch waits here and is tried again."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < self._most and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._work_off(batch, log)

    async def _work_off(self, batch: list[Item], log: Log) -> None:
        """All of a batch, whatever one item does: a message that broke the loop would break it again after each
        restart, since presence is retained and reports come again."""
        while True:
            try:
                await self._work(batch)
            except UnavailableError as problem:
                log.seldom().warning(Event.REPORTS_RETRIED, code=problem.code, waiting=self._queue.qsize())
                await asyncio.sleep(RETRY_PAUSE_S)
                continue
            except Exception:  # noqa: BLE001 - logged below, and the others of the batch go on
                if len(batch) == 1:
                    client_id = _client_of(batch[0])
                    log.seldom(client_id, "failed").exception(
                        PresenceEvent.MESSAGE_REFUSED, client_id=client_id, reason="failed"
                    )
                    return
                for item in batch:
                    await self._work_off([item], log)
            return


def _client_of(item: Any) -> str | None:
    """Whose message it was, for the log."""
    return getattr(item, "client_id", None)


class Inbound:
    """Implements session.Handler. `run` must be running."""

    def __init__(self, reports: Reports, presence: PresenceService, sent: PubackTimes, log: Log) -> None:
        self._log = log
        self._sent = sent
        self._reports: Intake[Arrived | Unreadable] = Intake(reports.apply, most=500)

        self._presence = presence

        async def look(signs: list[Sighting | Life]) -> None:
            # One queue and their own order for both: a heartbeat must not overtake its birth, nor a will a heartbeat.
            for seen, group in itertools.groupby(signs, lambda sign: isinstance(sign, Sighting)):
                if seen:
                    await presence.see([sign for sign in group if isinstance(sign, Sighting)])
                else:
                    await presence.observe([sign for sign in group if not isinstance(sign, Sighting)])

        self._signs: Intake[Sighting | Life] = Intake(look, most=100)

        async def describe(states: list[State]) -> None:
            latest = {state.client_id: state for state in states}
            for client_id in sorted(latest):
                await presence.describe(client_id, msgspec.to_builtins(latest[client_id]))

        self._states: Intake[State] = Intake(describe, most=200)

    @property
    def reports_waiting(self) -> int:
        """Reports that came in and are not applied yet."""
        return len(self._reports)

    @property
    def observations_waiting(self) -> int:
        """Signs of presence that came in and are not looked at yet."""
        return len(self._signs)

    async def run(self) -> None:
        """Work off what comes in until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._reports.run(self._log), name="reports")
            group.create_task(self._signs.run(self._log), name="presence")
            group.create_task(self._states.run(self._log), name="states")

    def on_ack(self, token: object, *, accepted: bool) -> None:
        """A PUBACK: a run reached the broker."""
        if isinstance(token, UUID) and accepted:
            self._sent.add(token)

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """Take in one message. The topic is the authority on who speaks; the broker vouches for it."""
        parsed = parse_client_topic(topic)
        if parsed is None or not payload:
            return
        if retained and parsed.channel not in (Channel.PRESENCE, Channel.STATE):
            self._refuse(parsed.client_id, parsed.channel, "retained")
            return
        try:
            taken = self._take(parsed.client_id, parsed.channel, payload, retained=retained)
        except ContractError as problem:
            self._refuse(parsed.client_id, parsed.channel, problem.code, message=problem.message)
            return
        if not taken:
            self._log.seldom(parsed.channel).warning(
                MqttEvent.MQTT_OVERFLOW, client_id=parsed.client_id, channel=parsed.channel.value
            )

    def _take(self, client_id: str, channel: Channel, payload: bytes, *, retained: bool) -> bool:
        body = codec.body_of(payload)
        match channel:
            case Channel.REPORTS:
                return self._take_reports(client_id, body)
            case Channel.PRESENCE:
                sighting = Sighting(codec.decode(channel, body), retained)
                return self._same(client_id, sighting.client_id, channel) and self._signs.put(sighting)
            case Channel.HEARTBEAT:
                beat: Heartbeat = codec.decode(channel, body)
                return self._same(client_id, beat.client_id, channel) and self._take_heartbeat(beat)
            case Channel.STATE:
                state: State = codec.decode(channel, body)
                return self._same(client_id, state.client_id, channel) and self._states.put(state)
            case _:
                return True

    def _take_heartbeat(self, beat: Heartbeat) -> bool:
        life = Life(beat.client_id, beat.session, beat.epoch, beat.connection, beat.mark)
        if not self._presence.liveness.is_routine(life):
            return self._signs.put(life)
        self._presence.liveness.note(life)
        return True

    def _take_reports(self, client_id: str, body: bytes) -> bool:
        message = codec.decode_reports(body)
        if not self._same(client_id, message.client_id, Channel.REPORTS):
            return True
        self._presence.liveness.note(Life(client_id, message.session, message.epoch, message.connection, message.mark))
        room = True
        for report in message.reports:
            room &= self._reports.put(Arrived(client_id, message.session, message.epoch, report))
        for bad in message.bad:
            room &= self._reports.put(Unreadable(client_id, bad.report_id, bad.reason, bad.raw))
        return room

    def _same(self, topic_id: str, message_id: str, channel: Channel) -> bool:
        if topic_id == message_id:
            return True
        self._refuse(topic_id, channel, "foreign_client_id", message=message_id)
        return False

    def _refuse(self, client_id: str, channel: Channel, reason: str, **fields: Any) -> None:
        self._log.seldom(client_id, channel, reason).warning(
            PresenceEvent.MESSAGE_REFUSED, client_id=client_id, channel=channel.value, reason=reason, **fields
        )
