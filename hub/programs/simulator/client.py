"""One simulated client: the real agent's core and connection, with a journal in memory and a simulated device."""

import asyncio
import contextlib
import random
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import aiomqtt
import msgspec

from device_agent.core.core import Core, Identity
from device_agent.core.events import (
    Connected,
    Decision,
    EffectEnded,
    EffectHeld,
    EffectResumed,
    Event,
    Inbox,
    LeaveBroker,
    MessageReceived,
    Now,
    Publish,
    PublishFailed,
    Started,
    StartEffect,
    StopEffect,
    Tick,
)
from device_agent.core.lifetime import Lifetime
from device_agent.core.log import Log
from device_agent.core.outcome import Outcome
from device_agent.core.records import Snapshot, apply
from device_agent.session import Endpoint, Session
from hub.programs.simulator.plan import NO_ACTION, ClientPlan
from hub.programs.simulator.recorder import Recorder
from schemas import codec
from schemas.actions import ACTIONS, ENDS_AGENT
from schemas.codec import ContractError, body_of
from schemas.messages import AgentVersion, Run, State
from schemas.topics import Channel

CAN_DO = sorted([*(ACTIONS.keys() - ENDS_AGENT), "simulate"])
"""What each simulated client says that it can carry out: nothing that would end it."""


class _Link(Session):
    """The agent's connection, which can also be cut without a word."""

    _current: aiomqtt.Client | None = None
    _cut = False

    def cut(self) -> None:
        """The process is dead: the broker sees the connection end, and publishes the will."""
        self._cut = True
        line = None if self._current is None else self._current._client.socket()
        if isinstance(line, socket.socket):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _client(self, number: int) -> aiomqtt.Client:
        self._current = super()._client(number)
        return self._current

    async def _say_goodbye(self, client: aiomqtt.Client) -> None:
        if not self._cut:
            await super()._say_goodbye(client)


class Device:
    """What lasts through the lives of an agent, besides its journal."""

    def __init__(self) -> None:
        self.done: set[UUID] = set()
        """The commands that took effect."""
        self.actions: dict[UUID, str] = {}
        """The action of each command that was sent to it."""


class _Offer(msgspec.Struct):
    """The part of a run or a cancel that says what it is about."""

    command_id: UUID
    action: str | None = None


class Process:
    """One life of a simulated agent, from its start to its crash or its end."""

    def __init__(
        self, endpoint: Endpoint, root_key: bytes, disk: Snapshot, plan: ClientPlan, recorder: Recorder, device: Device
    ) -> None:
        self._id = endpoint.client_id
        self._plan, self._disk, self._recorder, self._device = plan, disk, recorder, device
        self.session = secrets.token_hex(8)
        rng = random.SystemRandom()
        identity = Identity(
            client_id=self._id,
            session=self.session,
            root_key=root_key,
            agent=AgentVersion(name="floorhub-simulator", version="1"),
        )
        self._core = Core(identity, lambda _action, _payload: None, rng)
        self._life = Lifetime(boot="", process=self.session)
        self._link = _Link(endpoint, self.deliver, self._core.will, self._core.offline, rng)
        self._jobs: dict[tuple[UUID, int], asyncio.Task[None]] = {}
        self._said: set[str] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._wake: asyncio.TimerHandle | None = None
        self._dead = False
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Read the journal and connect."""
        disk = self._disk
        self._take(
            Started(
                Snapshot(
                    settings=disk.settings,
                    attempts=dict(disk.attempts),
                    reports=dict(disk.reports),
                    tombstones=dict(disk.tombstones),
                )
            )
        )
        self._running = asyncio.create_task(self._link.run(), name=f"link-{self._id}")

    async def crash(self) -> None:
        """Die: no good-bye, and what ran is forgotten."""
        self._link.cut()
        self._end()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running}, timeout=5)

    async def stop(self) -> None:
        """End with a good-bye."""
        self._end()
        self._link.stop()
        if self._running is not None:
            await asyncio.wait({self._running}, timeout=5)

    def _end(self) -> None:
        self._dead = True
        for timer in self._timers:
            timer.cancel()
        if self._wake is not None:
            self._wake.cancel()
        for job in self._jobs.values():
            job.cancel()

    async def deliver(self, event: Event) -> None:
        """What the connection hands over."""
        if isinstance(event, MessageReceived) and event.inbox in (Inbox.COMMANDS, Inbox.RECEIPTS):
            actions = NO_ACTION
            if event.inbox is Inbox.COMMANDS:
                self._recorder.counts["command_messages"] += 1
                actions = self._actions_of(event.payload)
            self._faulty("in", actions, lambda: self._take(event))
        else:
            self._take(event)
        if isinstance(event, Connected):
            self._link.send(Publish(channel=Channel.STATE, payload=self._state(), qos=1, retain=True))

    def _actions_of(self, payload: bytes) -> frozenset[str]:
        try:
            offer = msgspec.json.decode(body_of(payload), type=_Offer)
        except (ContractError, msgspec.DecodeError):
            return NO_ACTION  # the core refuses it
        if offer.action is not None:
            self._device.actions[offer.command_id] = offer.action
        return frozenset({self._device.actions.get(offer.command_id, "")})

    def _faulty(self, direction: str, actions: frozenset[str], act: Callable[[], None]) -> bool:
        """Do it as often and as late as the plan says; whether at all."""
        fate = self._plan.message(direction, actions)
        for fault in fate.faults:
            self._recorder.counts[f"{fault}_{direction}"] += 1
        for wait in fate.copies:
            if wait:
                self._later(wait, act)
            else:
                act()
        return bool(fate.copies)

    def _later(self, wait: float, act: Callable[[], None]) -> None:
        def now() -> None:
            self._timers.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(wait, now)
        self._timers.add(timer)

    def _take(self, event: Event) -> None:
        if self._dead:
            return
        mono = time.monotonic()
        refused = self._core.refused.copy() if isinstance(event, MessageReceived) else None
        decision = self._core.handle(event, Now(time.time() + self._plan.skew_s, mono))
        apply(self._disk, decision.writes)
        if isinstance(event, MessageReceived) and refused is not None:
            self._judge(event, self._core.refused - refused, mono)
        self._act(decision)
        if self._wake is not None:
            self._wake.cancel()
        wait = min(60.0, max(0.001, decision.wake_at - mono))
        self._wake = asyncio.get_running_loop().call_later(wait, self._take, Tick())

    def _judge(self, event: MessageReceived, refused: Counter[str], mono: float) -> None:
        for code, count in refused.items():
            has_keys = self._disk.settings.keys is not None
            self._recorder.refused(self._id, code, count, has_keys=has_keys)
        if event.inbox is Inbox.RECEIPTS and not refused:
            self._recorder.hub_time.heard(event.payload, mono)

    def _act(self, decision: Decision) -> None:
        counts = self._recorder.counts
        for note in decision.notes:
            if note.log in (Log.COMMAND_REPEATED, Log.COMMAND_BUSY, Log.WELCOMED, Log.COMMAND_ACCEPTED):
                counts[note.log.label] += 1
            if note.log is Log.WELCOMED:
                self._recorder.welcomed.setdefault(self._id, time.monotonic())
        for step in decision.steps:
            match step:
                case StartEffect():
                    key = (step.command_id, step.attempt)
                    self._jobs[key] = asyncio.create_task(self._work(step), name=f"job-{step.command_id}")
                case StopEffect():
                    job = self._jobs.get((step.command_id, step.attempt))
                    if job is not None:
                        job.cancel()
                        self._answer(step.command_id, step.attempt, Outcome(status="cancelled", code=step.reason.value))
                case Publish():
                    self._publish(step)
                case LeaveBroker():
                    self._link.leave(step.retry_after_s)

    def _publish(self, step: Publish) -> None:
        if step.channel is not Channel.REPORTS:
            self._link.send(step)
            return
        reports = msgspec.json.decode(step.payload)["reports"]
        for report in reports:
            self._recorder.counts["reports_repeated" if report["report_id"] in self._said else "reports"] += 1
            self._said.add(report["report_id"])
        known = self._device.actions
        actions = frozenset(known.get(UUID(report["command_id"]), "") for report in reports)
        if not self._faulty("out", actions, lambda: self._link.send(step)) and step.token is not None:
            token = step.token
            self._later(0.01, lambda: self._take(PublishFailed(token)))

    def _answer(self, command_id: UUID, attempt: int, outcome: Outcome) -> None:
        if self._jobs.pop((command_id, attempt), None) is not None:
            asyncio.get_running_loop().call_soon(self._take, EffectEnded(command_id, attempt, outcome))

    async def _work(self, step: StartEffect) -> None:
        """The simulated device: it knows what it did, also across crashes of the agent."""
        key = step.command_id, step.attempt
        if step.mode == "evidence":
            happened = step.command_id in self._device.done
            self._answer(
                *key,
                Outcome(status="completed")
                if happened
                else Outcome(status="failed", code="not_done", message="the device never had it", retryable=True),
            )
            return
        record = self._disk.attempts.get(step.command_id)
        run = msgspec.json.decode(record.run, type=Run) if record is not None and record.run else None
        if run is not None:
            self._recorder.began(self._id, step.command_id, run.expires_at.timestamp(), time.monotonic())
        job = self._plan.job(step.action)
        self._recorder.counts["slow"] += job.slow
        if job.held_s:
            self._recorder.counts["held"] += 1
            self._take(EffectHeld(*key, ["media-empty"]))
            await asyncio.sleep(job.held_s)
            self._take(EffectResumed(*key))
        await asyncio.sleep(job.work_s)
        if job.end in ("completed", "unknown"):
            self._device.done.add(step.command_id)
            may_repeat = run is not None and run.on_interrupt == "rerun"
            self._recorder.effect(self._id, *key, step.payload, may_repeat=may_repeat)
        self._recorder.counts[job.end] += 1
        if job.end == "completed":
            self._answer(*key, Outcome(status="completed", data={"simulated": True}))
        elif job.end == "unknown":
            self._answer(*key, Outcome(status="unknown", code="simulated", message="simulated: nobody can say"))
        else:
            retryable = job.end == "retryable"
            self._answer(*key, Outcome(status="failed", code="simulated", message="simulated", retryable=retryable))

    def _state(self) -> bytes:
        state = {
            "kind": "state",
            "client_id": self._id,
            "session": self.session,
            "at": datetime.now(UTC),
            "capabilities": CAN_DO,
            "printers": [],
            "displays": [],
        }
        return codec.encode(msgspec.convert(state, State))


async def live(endpoint: Endpoint, root_key: bytes, plan: ClientPlan, recorder: Recorder, stop: asyncio.Event) -> None:
    """One client until `stop`, through all its crashes and leaves."""
    disk, device = Snapshot(), Device()
    while True:
        process = Process(endpoint, root_key, disk, plan, recorder, device)
        process.start()
        crashes = plan.crashes
        if crashes:
            until, down, lost = plan.crash()
        else:
            (until, down), lost = plan.leave() if plan.leaves else (86_400.0, 0.0), False
        if await _within(stop, until):
            await process.stop()
            return
        if crashes:
            recorder.counts["crashed"] += 1
            await process.crash()
            if lost:
                recorder.counts["journals_lost"] += 1
                disk = Snapshot()
        else:
            recorder.counts["left"] += 1
            await process.stop()
        if await _within(stop, down):
            return


async def _within(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()
