"""Puts the agent together and runs it: the one place that knows all parts.

One task thinks: it takes events in order, commits what the core decided, and only then acts. Everything else feeds it
through one bounded queue. A journal that cannot be written ends the process; its file says where to go on.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from device_agent import description, distrust, logs, refusal
from device_agent.actions.base import Driver, announces_effect
from device_agent.config import AgentConfig
from device_agent.core.core import Core, Identity
from device_agent.core.events import (
    Connected,
    Decision,
    EffectEnded,
    Event,
    LeaveBroker,
    Now,
    Publish,
    ResumeEffect,
    Started,
    StartEffect,
    StopEffect,
    StopRequested,
    Tick,
)
from device_agent.core.gate import ActionGate
from device_agent.core.lifetime import Lifetime
from device_agent.core.log import Log
from device_agent.core.records import Snapshot, merge
from device_agent.documents import Documents
from device_agent.executor import Executor, Surroundings
from device_agent.hub_http import HubHttp
from device_agent.journal import Journal, JournalError, open_journal
from device_agent.marks import Marks
from device_agent.own_certificate import OwnCertificate, endpoint_of
from device_agent.session import Session
from device_agent.supervision import notify
from device_agent.uploads import Uploads
from schemas.messages import AgentVersion
from schemas.version import installed_version

MAX_EVENTS = 1_000
MAX_TOGETHER = 200
"""Events whose writes share a commit; what waited while the last commit ran."""
PULSE_S = 10.0
"""The longest sleep of the thinking task, so that the watchdog hears from it."""
GOODBYE_S = 5.0
COMPACT_S = 3_600.0
"""Between two returns of freed pages to the file system."""


class Devices(Protocol):
    """What is attached to this client: `actions.registry.Drivers`, or a test's."""

    @property
    def actions(self) -> list[str]:
        """The actions that can be carried out here."""

    @property
    def payload_schemas(self) -> Mapping[str, dict[str, Any]]:
        """By action, the JSON Schema that its payload must fit, of a site's own actions that have one."""

    def driver_for(self, action: str) -> Driver | None:
        """What carries an action out."""

    async def describe(self) -> dict[str, Any]:
        """The fields `printers`, `displays` and `battery` of the state message."""


class App:
    """One agent process. `run` once."""

    def __init__(self, config: AgentConfig, devices: Devices, rng: random.Random | None = None) -> None:
        self._config = config
        self._devices = devices
        rng = rng or random.SystemRandom()
        session, boot = secrets.token_hex(8), config.boot
        gate = ActionGate(devices.driver_for, config.allowed_actions, _log_broken_driver, devices.actions)
        self._capabilities = [action for action in devices.actions if gate.is_allowed(action)]
        self._core = Core(
            Identity(
                client_id=config.client_id,
                session=session,
                root_key=config.root_key_bytes,
                agent=AgentVersion(name="floorhub-agent", version=installed_version()),
                boot=boot,
            ),
            gate.refuse,
            rng,
            config.max_unfinished,
            frozenset(name for name in devices.actions if announces_effect(devices.driver_for(name))),
        )
        self._events: asyncio.Queue[Event] = asyncio.Queue(MAX_EVENTS)
        self._closing = False
        self._quiet = asyncio.Event()
        self._stop = asyncio.Event()
        endpoint = endpoint_of(config)
        hub = HubHttp(config.hub_urls, config.client_id, config.secret, ca_file=config.ca_file)
        self._certificate = OwnCertificate(config, hub, endpoint)
        self._session = Session(
            endpoint,
            self._deliver,
            self._core.will,
            self._core.offline,
            rng,
            self._certificate.refused,
            partial(refusal.note, Path(config.data)),
        )
        self._told_distrust: str | None = None
        self._told_at = -description.POLL_S
        self._describer = description.Describer(
            config.client_id,
            session,
            self._capabilities,
            self._describe,
            self._session.send,
            payload_schemas={name: known for name, known in devices.payload_schemas.items() if gate.is_allowed(name)},
        )
        self._marks = Marks(Path(config.data) / "marks")
        self._surroundings = Surroundings(
            documents=Documents(hub, config.cache),
            uploads=Uploads(hub),
            marks=self._marks,
            life=Lifetime(boot=boot, process=session),
            restart=self._restart,
        )
        self.restarting = False
        """Whether a command asked for a new process once this one has ended."""

    async def _describe(self) -> dict[str, Any]:
        code = self._core.distrusts
        await asyncio.to_thread(distrust.note, Path(self._config.data), code)
        return {**await self._devices.describe(), "distrusts": code}

    def stop(self) -> None:
        """Ask for a graceful end; safe from a signal handler of the loop, and more than once."""
        self._stop.set()

    def _restart(self) -> None:
        self.restarting = True
        self.stop()

    async def run(self) -> None:
        """Serve until `stop`. Raises JournalError when the journal cannot be opened or written."""
        journal, snapshot = await open_journal(self._config.journal, self._surroundings.documents.clear_parts)
        if journal.moved_aside is not None:
            message = (
                f"the journal was damaged ({journal.damage}); it is now in {journal.moved_aside}. Unfinished commands "
                "become unknown at the hub: check the devices and decide each command. Check the disk"
            )
            logs.write(Log.JOURNAL_MOVED_ASIDE, message=message)
        try:
            async with asyncio.TaskGroup() as group:
                executor = Executor(group, self._devices.driver_for, self._surroundings, self._deliver)
                thinking = group.create_task(
                    self._or_let_go(self._think(journal, snapshot, executor), executor), name="think"
                )
                session = group.create_task(self._or_let_go(self._session.run(), executor), name="session")
                describing = group.create_task(self._or_let_go(self._describer.run(), executor), name="describe")
                renewing = group.create_task(self._certificate.run(), name="certificate")
                await self._stop.wait()
                await self._drain()
                self._session.stop()
                await asyncio.wait({session}, timeout=GOODBYE_S)
                self._closing = True
                executor.close()
                for task in (thinking, session, describing, renewing):
                    task.cancel()
        except ExceptionGroup as problems:
            # Not `except*`: what is raised within that, Python wraps again before 3.11.4, the one of Debian 12 too.
            lost = problems.subgroup(JournalError)  # two loops may meet the same broken disk in one moment
            if lost is None:
                raise
            raise _first(lost) from None
        finally:
            await journal.close()
        logs.write(Log.AGENT_STOPPED)

    async def _or_let_go(self, work: Coroutine[Any, Any, None], executor: Executor) -> None:
        """When a part of the agent fails, what devices do goes on, and the next start asks for evidence. Effects that
        need this process, such as a program or a document being sent, have as long to end as when the agent is asked
        to stop."""
        try:
            await work
        except Exception:
            self._closing = True
            self._session.stop()  # a connection that loses the group's cancel ends by this
            until = time.monotonic() + self._config.stop_timeout_s
            while (left_s := until - time.monotonic()) > 0 and executor.busy:
                await executor.let_end(min(PULSE_S, left_s))
                notify("WATCHDOG=1")
            executor.close()
            raise

    async def _drain(self) -> None:
        """Take nothing in any more, and let what runs and what waits for a receipt end, until a deadline."""
        notify("STOPPING=1")
        logs.write(Log.AGENT_STOPPING, timeout_s=self._config.stop_timeout_s)
        await self._deliver(StopRequested())
        try:
            async with asyncio.timeout(self._config.stop_timeout_s):
                await self._quiet.wait()
        except TimeoutError:
            return

    async def _deliver(self, event: Event) -> None:
        """Hand an event to the thinking task; waits while that is busy."""
        if not self._closing:
            await self._events.put(event)

    async def _think(self, journal: Journal, snapshot: Snapshot, executor: Executor) -> None:
        try:
            attempts = [(record.command_id, record.attempt) for record in snapshot.attempts.values()]
            await asyncio.to_thread(self._marks.forget_others, attempts)
            wake_at = await self._turn([Started(snapshot)], journal, executor)
            del snapshot, attempts
            notify("READY=1")
            logs.write(Log.AGENT_STARTED, version=installed_version(), actions=self._capabilities)
            compact_at = 0.0
            while True:
                wake_at = await self._turn(await self._next_events(wake_at), journal, executor)
                notify("WATCHDOG=1")
                if compact_at <= time.monotonic():
                    await journal.compact()
                    compact_at = time.monotonic() + COMPACT_S
        except JournalError as problem:
            logs.write(Log.JOURNAL_FAILED, message=str(problem))
            raise

    async def _next_events(self, wake_at: float) -> list[Event]:
        """What has come, or a `Tick` when it is time."""
        try:
            async with asyncio.timeout(min(PULSE_S, max(0.0, wake_at - time.monotonic()))):
                events = [await self._events.get()]
        except TimeoutError:
            return [Tick()]
        while len(events) < MAX_TOGETHER and not self._events.empty():
            events.append(self._events.get_nowait())
        return events

    async def _turn(self, events: list[Event], journal: Journal, executor: Executor) -> float:
        """Decide, commit, act. One commit serves everything that waited. Gives the next `wake_at`."""
        decisions = [self._core.handle(event, Now(time.time(), time.monotonic())) for event in events]
        writes = merge(write for decision in decisions for write in decision.writes)
        await journal.commit(tuple(writes.values()))
        for decision in decisions:
            self._act(decision, executor)
        ended = [(event.command_id, event.attempt) for event in events if isinstance(event, EffectEnded)]
        if self._marks.has(ended):
            await asyncio.to_thread(self._marks.forget, ended)
        if any(isinstance(event, Connected) for event in events):
            self._describer.connected()  # after the birth, which was just handed to the session
        if self._core.distrusts != self._told_distrust and time.monotonic() - self._told_at >= description.POLL_S:
            self._told_distrust, self._told_at = self._core.distrusts, time.monotonic()
            self._describer.connected()  # seldom: whoever plays with signatures must not make this poll printers
        if self._core.quiet:
            self._quiet.set()
        return decisions[-1].wake_at

    def _act(self, decision: Decision, executor: Executor) -> None:
        for note in decision.notes:
            logs.write(note.log, **note.fields)
        for step in decision.steps:
            match step:
                case StartEffect():
                    executor.start(step)
                case ResumeEffect():
                    executor.resume(step)
                case StopEffect():
                    executor.stop(step)
                case Publish():
                    self._session.send(step)
                case LeaveBroker():
                    self._session.leave(step.retry_after_s)


def _log_broken_driver(action: str) -> None:
    logs.write(Log.DRIVER_FAILED, stack=True, action=action)


def _first(problems: ExceptionGroup[JournalError]) -> BaseException:
    """The first exception in a group, however deep."""
    problem: BaseException = problems
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return problem
