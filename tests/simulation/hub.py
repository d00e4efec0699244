"""A worker of the hub as a process that can die: production services over the store in memory.

Its loops are planned by the scheduler; what they do is the production code of `hub`.
"""

import random
from collections.abc import Callable, Coroutine, Iterable
from typing import Any
from uuid import UUID

from hub.core.commands.rules.lifecycle import CancelRequested, decide
from hub.core.commands.service.commands import Commands
from hub.core.commands.service.puback_times import PubackTimes
from hub.core.commands.service.reports import Arrived, Reports
from hub.core.commands.service.waiting import Waiting
from hub.core.commands.telemetry import Metrics
from hub.core.commands.worker.dispatcher import Dispatcher
from hub.core.commands.worker.reaper import Reaper
from hub.core.presence.rules.liveness import Life
from hub.core.presence.rules.presence import ROLL_CALL_SPREAD
from hub.core.presence.service.presence import PresenceService
from hub.core.presence.service.rounds import Sighting
from hub.core.presence.telemetry import Metrics as PresenceMetrics
from hub.errors import UnavailableError
from hub.telemetry.metrics import Meters
from schemas import codec
from schemas.messages import Cancel, Message, Receipt, RollCall, Run, Welcome
from schemas.topics import Channel
from tests.simulation.network import Broker
from tests.simulation.scheduler import Driven, Scheduler
from tests.simulation.store import Store

POLL_S = (2.0, 4.0)
"""The real poll is each second; a simulation may be lazier, since it promises progress, not speed."""
NOTE_S = 0.5
RETRY_S = 0.5
METRICS = Metrics(Meters())
PRESENCE_METRICS = PresenceMetrics(Meters())


async def _write_nothing(_: dict[UUID, float]) -> None:
    """Times of PUBACKs: for people, and for no decision."""


class Worker:
    """One process. `crash` loses all that is not in the store."""

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        rng: random.Random,
        store: Store,
        broker: Broker,
        sign: Callable[[Message], bytes],
        key_list: bytes,
        log: Any,
    ) -> None:
        self.name = name
        self._scheduler = scheduler
        self._rng = rng
        self._store = store
        self._broker = broker
        self._sign = sign
        self._key_list = key_list
        self._log = log
        self.alive = False
        self.connected = False
        self.generation = 0
        self.fuse: int | None = None
        """Dies after so many more steps of its coroutines."""

    # --- life ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        if self.alive:
            return
        self.generation += 1
        self.alive, self.fuse = True, None
        database: Any = self._store
        commands = self._store.command_store
        self.reports = Reports(
            database=database,
            publisher=self,
            signals=self,
            sent=PubackTimes(_write_nothing, self._monotonic),
            waiting=Waiting(database),
            metrics=METRICS,
            log=self._log,
            chance=random.Random(self._rng.getrandbits(32)),  # noqa: S311 - repeats
            transitions=commands,
            monotonic=self._monotonic,
        )
        self.presence = PresenceService(
            database,
            self,
            self,
            PRESENCE_METRICS,
            self._log,
            sessions=self._store.session_store,
            transitions=commands,
            dispatch=commands,
            new_id=self._new_id,
        )
        self.commands = Commands(database, self, METRICS, self._log, transitions=commands)
        self.dispatcher = Dispatcher(
            database, self, METRICS, self._log, handed_out=self.reports.remember, dispatch=commands
        )
        self.reaper = Reaper(database, self.commands, self, dispatch=commands)
        self.presence.observations_wait = lambda: bool(self._signs or "signs" in self._busy)
        self._inbox: list[Arrived] = []
        self._signs: list[Sighting | Life] = []
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._noting = self._begun = False
        self._connect()
        self._later(self._rng.uniform(*POLL_S), self._poll)

    def _monotonic(self) -> float:
        return self._scheduler.now

    def _new_id(self) -> UUID:
        return UUID(int=self._rng.getrandbits(128))

    def crash(self) -> None:
        self.alive = self.connected = False
        self._broker.workers.discard(self.name)

    def _later(self, delay: float, do: Callable[..., None], *arguments: Any) -> None:
        generation = self.generation

        def still_here() -> None:
            if self.alive and self.generation == generation:
                do(*arguments)

        self._scheduler.after(delay, still_here)

    def _drive(self, work: Coroutine[Any, Any, Any], done: Callable[[UnavailableError | None], None]) -> None:
        generation = self.generation

        def alive() -> bool:
            if self.fuse is not None and self.alive and self.generation == generation:
                self.fuse -= 1
                if self.fuse < 0:
                    self._log.trace(f"{self.name} dies between two steps")
                    self.crash()
                    self._log.worker_died(self)
            return self.alive and self.generation == generation

        Driven(self._scheduler, work, alive, done)

    # --- the broker ------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        if self.connected:
            return
        if not self._broker.up:
            self._later(self._rng.uniform(0.5, 2.0), self._connect)
            return
        self.connected = True
        self._broker.join(self)
        self.dispatcher.ready = True
        self.send_again()
        self._announce()

    def lost_broker(self) -> None:
        """The broker died."""
        if self.alive:
            self.connected = self.dispatcher.ready = False
            self._later(self._rng.uniform(0.2, 2.0), self._connect)

    def _announce(self) -> None:
        async def announce() -> None:
            if not self._begun:
                await self.presence.ask_again()
                self._begun = True
            now = await self.presence.now()
            self.presence.roll_called_at = now
            if self.connected:
                body = codec.encode(RollCall(at=now, spread_s=ROLL_CALL_SPREAD.total_seconds()))
                self._broker.publish_to_all("keys", self._key_list)
                self._broker.publish_to_all("roll_call", body)

        def done(problem: UnavailableError | None) -> None:
            if problem is not None:
                self._later(RETRY_S, self._announce)

        self._drive(announce(), done)

    def receive(self, client_id: str, channel: Channel, payload: bytes, *, retained: bool = False) -> None:
        """As `hub.core.broker.worker.inbound` takes it in."""
        body = codec.body_of(payload)
        match channel:
            case Channel.REPORTS:
                message = codec.decode_reports(body)
                assert not message.bad, message.bad
                life = Life(client_id, message.session, message.epoch, message.connection, message.mark)
                self.presence.liveness.note(life)
                self._note_soon()
                self._inbox += [
                    Arrived(client_id, message.session, message.epoch, report) for report in message.reports
                ]
                self._work("reports")
            case Channel.PRESENCE:
                self._signs.append(Sighting(codec.decode(channel, body), retained))
                self._work("signs")
            case Channel.HEARTBEAT:
                beat = codec.decode(channel, body)
                life = Life(client_id, beat.session, beat.epoch, beat.connection, beat.mark)
                if self.presence.liveness.is_routine(life):
                    self.presence.liveness.note(life)
                    self._note_soon()
                else:
                    self._signs.append(life)
                    self._work("signs")

    # --- loops -----------------------------------------------------------------------------------------------

    def _work(self, what: str) -> None:
        """Work off what waits, one batch at a time; tried again while Postgres is away."""
        if what in self._busy:
            self._again.add(what)
            return
        work = self._batch(what)
        if work is None:
            return
        self._busy.add(what)
        self._attempt(what, work)

    def _batch(self, what: str) -> Callable[[], Coroutine[Any, Any, Any]] | None:
        if what == "reports" and self._inbox:
            batch, self._inbox = self._inbox, []
            return lambda: self.reports.apply(batch)
        if what == "signs" and self._signs:
            signs, self._signs = self._signs, []
            return lambda: self._look(signs)
        if what == "dispatch":
            return self._dispatch
        if what == "reap":
            return self._reap
        return None

    async def _look(self, signs: list[Sighting | Life]) -> None:
        for sign in signs:
            if isinstance(sign, Sighting):
                await self.presence.see([sign])
            else:
                await self.presence.observe([sign])

    def _attempt(self, what: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        def done(problem: UnavailableError | None) -> None:
            if problem is not None:
                self._later(RETRY_S, self._attempt, what, work)
                return
            self._busy.discard(what)
            if what in self._again or (
                what in ("reports", "signs") and (self._inbox if what == "reports" else self._signs)
            ):
                self._again.discard(what)
                self._work(what)

        self._drive(work(), done)

    async def _dispatch(self) -> None:
        if self.dispatcher.ready:
            await self.dispatcher.round()

    async def _reap(self) -> None:
        await self.reaper.look()
        await self.presence.age()

    def _poll(self) -> None:
        self._later(self._rng.uniform(*POLL_S), self._poll)
        self._work("reap")
        if self.dispatcher.ready:
            self.dispatcher.look_at_leases()
            self.dispatcher.work_for(client_id for client_id, session in self._store.sessions.items() if session.ready)
            self._work("dispatch")

    def _note_soon(self) -> None:
        if not self._noting:
            self._noting = True
            self._later(NOTE_S, self._write_noted)

    def _write_noted(self) -> None:
        def done(problem: UnavailableError | None) -> None:
            self._noting = False
            if problem is not None:
                self._note_soon()

        self._drive(self.presence.liveness.write(), done)

    def ask_to_cancel(self, command_id: UUID) -> None:
        """What `Commands.cancel` does, less what HTTP asks of it."""

        async def ask() -> None:
            store = self._store.command_store
            async with self._store.transaction() as connection:
                [command] = (await store.lock(connection, [command_id])).values()
                if command.fold(decide(command.state, CancelRequested(), command.now)):
                    await store.apply(connection, [command])
            self.send_again()

        self._drive(ask(), lambda _: None)

    # --- hub.signals.ports: Publisher and Signals -----------------------------------------------------------

    def run(self, run: Run) -> None:
        self._publish(run.client_id, "commands", run)

    def cancel(self, cancel: Cancel) -> None:
        self._publish(cancel.client_id, "commands", cancel)

    def receipt(self, receipt: Receipt) -> None:
        self._log.checks.receipt(receipt.client_id, receipt.report_ids)
        self._publish(receipt.client_id, "receipts", receipt)

    def welcome(self, welcome: Welcome) -> None:
        self._publish(welcome.client_id, "receipts", welcome)

    def _publish(self, client_id: str, inbox: str, message: Message) -> None:
        if self.alive and self.connected:
            self._broker.publish_to_client(client_id, inbox, self._sign(message), message)

    def work_for(self, client_ids: Iterable[str]) -> None:
        self.dispatcher.work_for(client_ids)
        self._later(0.0, self._work, "dispatch")

    def room_for(self, client_ids: Iterable[str]) -> None:
        self.work_for(client_ids)

    def send_again(self) -> None:
        self.dispatcher.look_at_leases()
        self._later(0.0, self._work, "dispatch")

    def ended(self, command_ids: Iterable[UUID]) -> None:
        list(command_ids)

    def broker_changed(self) -> None:
        pass
