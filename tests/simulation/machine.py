"""A client's machine: the agent's process around the production core, its disk, its device and its connection.

As `device_agent.app` does it, several events share a commit, and steps come after it. The power may fail before the
commit, while it runs (then the disk may have it or not), after it, or between any two steps.
"""

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

from device_agent.core.core import Core, Identity
from device_agent.core.events import (
    Connected,
    Decision,
    Disconnected,
    EffectEnded,
    EffectFound,
    EffectHeld,
    EffectResumed,
    Event,
    Inbox,
    LeaveBroker,
    MessageReceived,
    Now,
    Publish,
    PublishFailed,
    ReportsPublished,
    Started,
    StartEffect,
    Step,
    StopEffect,
    StopRequested,
    Tick,
)
from device_agent.core.gate import Refusal
from device_agent.core.outcome import Outcome
from device_agent.core.records import Phase, Snapshot, Write, apply, merge
from schemas.messages import AgentVersion, Cancel, Message, Welcome
from schemas.topics import Channel
from tests.simulation.checks import Checks
from tests.simulation.device import Device
from tests.simulation.network import Broker
from tests.simulation.scheduler import Scheduler
from tests.simulation.store import EPOCH

MOST_TOGETHER = 200
STOP_S = 8.0
RECONNECT_S = (0.5, 5.0)
LONGEST_NAP_S = 60.0


def allow(action: str, payload: dict[str, Any]) -> Refusal | None:
    """This client prints, but not everything."""
    return Refusal("bad_payload", "no") if payload["n"] % 17 == 16 else None


class Machine:
    """One machine with one agent. `running` says whether the agent's process lives."""

    def __init__(
        self,
        client_id: str,
        scheduler: Scheduler,
        rng: random.Random,
        broker: Broker,
        checks: Checks,
        root_key: bytes,
        log: Any,
    ) -> None:
        self.client_id = client_id
        self._scheduler = scheduler
        self._rng = rng
        self._broker = broker
        self._checks = checks
        self._root_key = root_key
        self._log = log
        self.device = Device(scheduler, rng, checks.effect)
        self.disk = Snapshot()
        self.wall_offset = rng.choice([0.0, 0.0, 4_000.0, -4_000.0])
        self.running = False
        self.generation = 0
        self.link: int | None = None
        self.fuse: int | None = None
        """The power fails after so many more points at which it can."""
        self.commit_s = 0.005
        self.max_unfinished = 32
        self.report_messages = 0

    # --- the process -----------------------------------------------------------------------------------------

    def start(self) -> None:
        if self.running:
            return
        self.generation += 1
        self.running, self.fuse = True, None
        self._stopping: Callable[[], None] | None = None
        self._connections = 0
        self._queue: list[Event] = []
        self._busy = False
        self._committing: list[Write] = []
        self._wake = 0
        self._effects: set[tuple[UUID, int]] = set()
        self._heard: dict[bytes, Message] = {}
        self.lag = 0.0
        """The most by which a welcome was late: so far its idea of the hub's time may be behind."""
        identity = Identity(
            client_id=self.client_id,
            session=f"s{self.generation}",
            root_key=self._root_key,
            agent=AgentVersion(name="simulated", version="1"),
            boot="boot",
        )
        chance = random.Random(self._rng.getrandbits(32))  # noqa: S311 - repeats
        self.core = Core(identity, allow, chance, self.max_unfinished)
        self._log.trace(f"{self.client_id} starts as s{self.generation}")
        self._checks.started(self)
        self.deliver(Started(copy_of(self.disk)))
        self._later(self._rng.uniform(0.05, 0.5), self._connect)

    def crash(self) -> None:
        """The power fails. A commit that was under way may be on the disk or not."""
        if not self.running:
            return
        if self._committing and self._rng.random() < 0.5:
            apply(self.disk, self._committing)
        self._log.trace(f"{self.client_id} dies")
        self._gone(clean=False)

    def stop(self, then: Callable[[], None]) -> None:
        """Stop in peace: what runs may end, until a deadline."""
        if self.running and self._stopping is None:
            self._stopping = then
            self.deliver(StopRequested())
            self._later(STOP_S, self._stopped)

    def _stopped(self) -> None:
        then = self._stopping
        if then is not None:
            self._log.trace(f"{self.client_id} stops in peace")
            self._gone(clean=True)
            then()

    def _gone(self, *, clean: bool) -> None:
        self._checks.interrupted(self)
        self._hang_up(clean=clean)
        self.running = False
        self._committing = []

    def _later(self, delay: float, do: Callable[..., None], *arguments: Any) -> None:
        generation = self.generation

        def still_here() -> None:
            if self.running and self.generation == generation:
                do(*arguments)

        self._scheduler.after(delay, still_here)

    def _fails_here(self) -> bool:
        if self.fuse is None:
            return False
        self.fuse -= 1
        if self.fuse >= 0:
            return False
        self.fuse = None
        self.crash()
        self._log.died(self)
        return True

    # --- the thinking task -----------------------------------------------------------------------------------

    def deliver(self, event: Event) -> None:
        if self.running:
            self._queue.append(event)
            if not self._busy:
                self._busy = True
                self._later(0.0, self._turn)

    def _turn(self) -> None:
        events, self._queue = self._queue[:MOST_TOGETHER], self._queue[MOST_TOGETHER:]
        mono = self._scheduler.now + 1_000.0
        at = Now(EPOCH.timestamp() + self._scheduler.now + self.wall_offset, mono)
        cancels: list[tuple[UUID, int]] = []
        decisions = []
        for event in events:
            cancels += self._cancels(event)
            decisions.append(self.core.handle(event, at))
        writes = list(merge(write for decision in decisions for write in decision.writes).values())
        if self._fails_here():
            return
        if writes:
            self._committing = writes
            self._later(self._rng.uniform(0.2, 1.8) * self.commit_s, self._committed, decisions, cancels)
        else:
            self._committed(decisions, cancels)

    def _cancels(self, event: Event) -> list[tuple[UUID, int]]:
        """The command of a cancel that the agent is about to obey, and the attempt that is under way (0: none)."""
        message = self._heard.pop(event.payload, None) if isinstance(event, MessageReceived) else None
        if not isinstance(message, Cancel) or self.core._trust.version == 0 or self.core._fenced:
            return []
        entry = self.core._commands._ledger.unfinished(message.command_id)
        return [(message.command_id, entry.record.attempt if entry is not None and entry.began else 0)]

    def _committed(self, decisions: list[Decision], cancels: list[tuple[UUID, int]]) -> None:
        writes, self._committing = self._committing, []
        apply(self.disk, writes)
        for command_id, attempt in cancels:
            self._checks.cancel_taken(command_id, attempt)
        if self._fails_here():
            return
        for decision in decisions:
            for step in decision.steps:
                self._take(step)
                if self._fails_here():
                    return
        if self._stopping is not None and self.core.quiet:
            self._stopped()
            return
        self._busy = False
        if self._queue:
            self._busy = True
            self._later(0.0, self._turn)
            return
        self._wake += 1
        delay = decisions[-1].wake_at - 1_000.0 - self._scheduler.now
        self._later(min(max(delay, 0.001), LONGEST_NAP_S), self._tick, self._wake)

    def _tick(self, number: int) -> None:
        if number == self._wake and not self._busy:
            self.deliver(Tick())

    def _take(self, step: Step) -> None:
        match step:
            case StartEffect():
                self._begin(step)
            case StopEffect():
                key = (step.command_id, step.attempt)
                self._log.trace(f"{self.client_id} stops the effect of {number(step.command_id)}: {step.reason.value}")
                if key in self._effects:
                    self.device.stop(*key, self._teller(*key))
            case Publish():
                if self.link is not None:
                    if step.channel is Channel.REPORTS:
                        self.report_messages += 1
                    self._broker.publish_from_client(self, step)
            case LeaveBroker():
                self._hang_up(clean=True)
                self._later(step.retry_after_s, self._connect)

    def _begin(self, step: StartEffect) -> None:
        key = (step.command_id, step.attempt)
        self._log.trace(f"{self.client_id} {step.mode}s {number(step.command_id)}, attempt {step.attempt}")
        self._effects.add(key)
        if step.mode == "evidence":
            self.device.ask(*key, self._teller(*key))
            return
        self._checks.begins(self, *key)
        generation = self.generation
        self.device.begin(*key, lambda: self.running and self.generation == generation, self._teller(*key))

    def _teller(self, command_id: UUID, attempt: int) -> Callable[[str, Outcome | None], None]:
        generation = self.generation

        def say(what: str, outcome: Outcome | None) -> None:
            if not self.running or self.generation != generation or (command_id, attempt) not in self._effects:
                return
            if what == "held":
                self.deliver(EffectHeld(command_id, attempt, ["media-empty"]))
            elif what == "found":
                self.deliver(EffectFound(command_id, attempt))
            elif what == "resumed":
                self.deliver(EffectResumed(command_id, attempt))
            else:
                self._effects.discard((command_id, attempt))
                self._checks.told(command_id, outcome)
                self.deliver(EffectEnded(command_id, attempt, outcome))

        return say

    # --- the connection --------------------------------------------------------------------------------------

    def _connect(self) -> None:
        if self.link is not None or self._stopping is not None:
            return
        if not self._broker.up:
            self._later(self._rng.uniform(*RECONNECT_S), self._connect)
            return
        self._connections += 1
        self._will = self.core.will(self._connections)
        self.link = self.generation * 10_000 + self._connections
        self.deliver(Connected(self._connections))
        self._broker.welcome_link(self, self.link)

    def cut(self) -> None:
        """The wire breaks."""
        if self.link is not None:
            self._hang_up(clean=False)
            self._later(self._rng.uniform(*RECONNECT_S), self._connect)

    def lost_broker(self) -> None:
        """The broker died: nobody publishes a will."""
        if self.link is not None:
            self.link = None
            self.deliver(Disconnected())
            self._later(self._rng.uniform(*RECONNECT_S), self._connect)

    def _hang_up(self, *, clean: bool) -> None:
        link = self.link
        if link is None:
            return
        if clean:
            self._broker.publish_from_client(
                self, Publish(channel=Channel.PRESENCE, payload=self.core.offline(), qos=1, retain=True)
            )
        self.link = None
        self.deliver(Disconnected())
        if not clean:
            self._broker.broken(self.client_id, self._will, link)

    def receive(self, inbox: Inbox, payload: bytes, *, retained: bool, message: Message | None) -> None:
        if isinstance(message, Welcome):
            self.lag = max(self.lag, EPOCH.timestamp() + self._scheduler.now - message.hub_time.timestamp())
        if isinstance(message, Cancel):
            self._heard[payload] = message
        self.deliver(MessageReceived(inbox, payload, retained))

    def published(self, link: int, token: int, confirmed: bool) -> None:
        if self.link == link:
            self.deliver(ReportsPublished(token) if confirmed else PublishFailed(token))

    @property
    def settled(self) -> bool:
        """Nothing unfinished and nothing without receipt on the disk."""
        return (
            self.running
            and not self._queue
            and not self._committing
            and all(record.phase is Phase.FINISHED for record in self.disk.attempts.values())
            and all(report.receipted for report in self.disk.reports.values())
        )


def copy_of(disk: Snapshot) -> Snapshot:
    """What a process that starts reads; the records themselves cannot change."""
    return Snapshot(
        settings=disk.settings,
        attempts=dict(disk.attempts),
        reports=dict(disk.reports),
        tombstones=dict(disk.tombstones),
    )


def number(command_id: UUID) -> str:
    """How traces name a command."""
    return f"c{command_id.int & 0xFFFF}"
