"""The executor: one answer to each effect, whatever a driver does."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_agent.actions.base import DriverContext, stopping
from device_agent.core.events import (
    EffectEnded,
    EffectFound,
    EffectHeld,
    EffectProgress,
    EffectRemembered,
    EffectResumed,
    Event,
    ResumeEffect,
    StartEffect,
    StopEffect,
)
from device_agent.core.events import StopReason as Reason
from device_agent.core.gate import PayloadError
from device_agent.core.lifetime import Lifetime
from device_agent.core.outcome import Outcome
from device_agent.documents import DocumentError, Documents
from device_agent.executor import DOCUMENT_PROMPT_S, Executor, Surroundings
from device_agent.http_library import load_httpx
from device_agent.hub_http import HubHttp
from schemas.actions import DocumentSent
from tests.support.agent_bench import command_id
from tests.support.waiting import eventually

Body = Callable[[DriverContext], Awaitable[Outcome]]
DONE = Outcome(status="completed")
BEGAN = Lifetime(boot="b", process="p")
STEP = StartEffect(
    command_id=command_id(1),
    attempt=2,
    action="print",
    payload={},
    mode="execute",
    began=BEGAN,
    patience_s=0.0,
)
RESUME = ResumeEffect(command_id=command_id(1), attempt=2)
STOP = StopEffect(command_id=command_id(1), attempt=2, reason=Reason.CANCELLED)


class ScriptedDriver:
    """Does what the test says."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.began = asyncio.Event()

    def check(self, action: str, payload: dict[str, Any]) -> None:
        """Everything is fine."""

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        self.began.set()
        return await self._body(context)

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        return Outcome(status="unknown", data={"asked": context.job_name})


class ExecutorTestbed:
    """An executor with one driver, and the events that came out."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        folder: Path,
        documents: Documents | None = None,
        prompt_s: float = DOCUMENT_PROMPT_S,
    ) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.driver: ScriptedDriver | None = None
        self.documents = documents or Documents(HubHttp("http://127.0.0.1:9", "pc-1", "s"), folder)
        surroundings = Surroundings(documents=self.documents, prompt_s=prompt_s)
        self.executor = Executor(group, lambda _: self.driver, surroundings, self.events.put, stop_grace_s=0.01)

    async def next_event(self) -> Event:
        async with asyncio.timeout(10):
            return await self.events.get()

    async def begin(self, body: Body) -> None:
        """Start the step, and wait until its driver is at work."""
        self.driver = ScriptedDriver(body)
        self.executor.start(STEP)
        await self.driver.began.wait()

    async def end_of(self, body: Body, step: StartEffect = STEP) -> Outcome | None:
        self.driver = ScriptedDriver(body)
        self.executor.start(step)
        event = await self.next_event()
        assert isinstance(event, EffectEnded)
        assert (event.command_id, event.attempt) == (STEP.command_id, STEP.attempt)
        return event.outcome


@pytest.fixture
async def group() -> AsyncIterator[asyncio.TaskGroup]:
    async with asyncio.TaskGroup() as group:
        yield group


@pytest.fixture
def testbed(group: asyncio.TaskGroup, tmp_path: Path) -> ExecutorTestbed:
    return ExecutorTestbed(group, tmp_path)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (PayloadError("bad_copies", "copies: at most 99"), ("failed", "bad_copies", False)),
        (DocumentError("hub_unreachable", "away"), ("failed", "hub_unreachable", True)),
        (DocumentError("document_missing", "gone"), ("failed", "document_missing", False)),
        (ZeroDivisionError("a bug"), ("unknown", "driver_error", False)),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_a_driver_raises_becomes_an_outcome(
    testbed: ExecutorTestbed, problem: Exception, expected: Any
) -> None:
    async def fail(_: DriverContext) -> Outcome:
        raise problem

    outcome = await testbed.end_of(fail)
    assert outcome is not None
    assert (outcome.status, outcome.code, outcome.retryable) == expected


async def test_a_driver_says_how_it_goes_under_the_jobs_name(testbed: ExecutorTestbed) -> None:
    async def talk(context: DriverContext) -> Outcome:
        await context.progress({"page": 1})
        await context.held(["media-empty"])
        await context.resumed()
        return Outcome(status="completed", message=context.job_name)

    testbed.driver = ScriptedDriver(talk)
    testbed.executor.start(STEP)
    kinds = [type(await testbed.next_event()) for _ in range(3)]
    assert kinds == [EffectProgress, EffectHeld, EffectResumed]
    last = await testbed.next_event()
    assert isinstance(last, EffectEnded)
    assert last.outcome is not None
    assert last.outcome.message == f"floorhub-{STEP.command_id}-2"


class SilentHub:
    """Takes connections, and answers when it is let."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        await self.answer.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\na page")
        writer.close()


@pytest.fixture
async def silent_hub(tmp_path: Path) -> AsyncIterator[tuple[SilentHub, Documents]]:
    hub = SilentHub()
    async with await asyncio.start_server(hub.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield hub, Documents(HubHttp(f"http://127.0.0.1:{port}", "pc-1", "s"), tmp_path)
        hub.answer.set()


async def test_nothing_is_done_while_a_document_keeps_one_waiting_and_the_journal_knows_that(
    group: asyncio.TaskGroup, tmp_path: Path, silent_hub: tuple[SilentHub, Documents]
) -> None:
    hub, documents = silent_hub
    testbed = ExecutorTestbed(group, tmp_path, documents, prompt_s=0.0)
    printed = asyncio.Event()

    async def body(context: DriverContext) -> Outcome:
        digest = hashlib.sha256(b"a page").hexdigest()
        await context.document(DocumentSent(path="/d", sha256=digest, size=6))
        printed.set()
        return DONE

    await testbed.begin(body)
    assert await testbed.next_event() == EffectHeld(STEP.command_id, 2, ["document-pending"], untouched=True)
    hub.answer.set()
    assert await testbed.next_event() == EffectResumed(STEP.command_id, 2)
    assert not printed.is_set()
    testbed.executor.resume(RESUME)
    assert await testbed.next_event() == EffectEnded(STEP.command_id, 2, DONE)


async def test_why_a_document_does_not_come_is_told_once_it_is_waited_for(
    group: asyncio.TaskGroup, tmp_path: Path
) -> None:
    testbed = ExecutorTestbed(group, tmp_path, prompt_s=0.5)  # nobody listens at its hub
    load_httpx()  # so that the first try fails before the document counts as late

    async def body(context: DriverContext) -> Outcome:
        await context.document(DocumentSent(path="/d", sha256="0" * 64, size=6))
        return DONE

    testbed.driver = ScriptedDriver(body)
    testbed.executor.start(msgspec.structs.replace(STEP, patience_s=60.0))
    assert await testbed.next_event() == EffectHeld(STEP.command_id, 2, ["document-pending"], untouched=True)
    told = await testbed.next_event()
    assert isinstance(told, EffectProgress)
    assert told.data["waiting_for"] == "document"
    assert told.data["problem"].startswith("the hub at http://127.0.0.1:9 did not send /d: ")
    testbed.executor.stop(StopEffect(command_id=STEP.command_id, attempt=2, reason=Reason.CANCELLED))
    assert isinstance(await testbed.next_event(), EffectEnded)


async def test_what_is_pinned_is_kept_beside_all_that_is_remembered(testbed: ExecutorTestbed) -> None:
    async def body(context: DriverContext) -> Outcome:
        await context.remember({"job_id": 6})
        context.pinned = {"printer": "labels"}
        await context.remember({"job_id": 7})
        return DONE

    await testbed.begin(body)
    told = [await testbed.next_event() for _ in range(2)]
    kept = [msgspec.json.decode(event.evidence) for event in told if isinstance(event, EffectRemembered)]
    assert kept == [{"job_id": 6}, {"job_id": 7, "printer": "labels"}]


async def test_a_driver_that_announces_its_effect_does_so_after_its_document_came(
    group: asyncio.TaskGroup, tmp_path: Path, silent_hub: tuple[SilentHub, Documents]
) -> None:
    hub, documents = silent_hub
    testbed = ExecutorTestbed(group, tmp_path, documents, prompt_s=0.0)
    fetched, printed = asyncio.Event(), asyncio.Event()

    async def body(context: DriverContext) -> Outcome:
        digest = hashlib.sha256(b"a page").hexdigest()
        await context.document(DocumentSent(path="/d", sha256=digest, size=6))
        fetched.set()
        await context.begins()
        printed.set()
        await context.begins()
        return DONE

    testbed.driver = ScriptedDriver(body)
    testbed.executor.start(msgspec.structs.replace(STEP, untouched=True))
    assert await testbed.next_event() == EffectHeld(STEP.command_id, 2, ["document-pending"], untouched=True)
    hub.answer.set()
    await fetched.wait()
    assert await testbed.next_event() == EffectResumed(STEP.command_id, 2)
    assert not printed.is_set()
    testbed.executor.resume(RESUME)
    assert await testbed.next_event() == EffectEnded(STEP.command_id, 2, DONE)


async def test_an_attempt_that_is_held_untouched_anyway_stays_so_when_its_document_comes(
    group: asyncio.TaskGroup, tmp_path: Path, silent_hub: tuple[SilentHub, Documents]
) -> None:
    hub, documents = silent_hub
    testbed = ExecutorTestbed(group, tmp_path, documents, prompt_s=0.0)
    fetched = asyncio.Event()

    async def body(context: DriverContext) -> Outcome:
        await context.held(["printer-unreachable"], untouched=True)
        digest = hashlib.sha256(b"a page").hexdigest()
        await context.document(DocumentSent(path="/d", sha256=digest, size=6))
        fetched.set()
        await context.resumed()
        return DONE

    await testbed.begin(body)
    hub.answer.set()
    assert await testbed.next_event() == EffectHeld(STEP.command_id, 2, ["printer-unreachable"], untouched=True)
    await fetched.wait()
    assert await testbed.next_event() == EffectResumed(STEP.command_id, 2)
    testbed.executor.resume(RESUME)
    assert await testbed.next_event() == EffectEnded(STEP.command_id, 2, DONE)


async def test_a_fetch_ends_with_the_attempt_that_waits_for_it(
    group: asyncio.TaskGroup, tmp_path: Path, silent_hub: tuple[SilentHub, Documents]
) -> None:
    hub, documents = silent_hub
    testbed = ExecutorTestbed(group, tmp_path, documents, prompt_s=0.0)

    async def body(context: DriverContext) -> Outcome:
        await context.document(DocumentSent(path="/d", sha256="0" * 64, size=6))
        return DONE

    await testbed.begin(body)
    await hub.asked.wait()
    testbed.executor.close()
    await eventually(lambda: not documents._in_use)
    assert not any(task.get_name().startswith("document-") for task in asyncio.all_tasks())


class Forgetful(ScriptedDriver):
    """Its device knows more than it does."""

    def __init__(self, body: Body, found: Outcome) -> None:
        super().__init__(body)
        self._found = found

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        return self._found


async def _stray_cancel(_: DriverContext) -> Outcome:
    inner = asyncio.ensure_future(asyncio.Event().wait())
    inner.cancel()
    await inner
    return DONE


async def _bug(_: DriverContext) -> Outcome:
    raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("body", [_bug, _stray_cancel])
@pytest.mark.parametrize(
    ("found", "status", "code"),
    [
        (Outcome(status="completed", data={"evidence": "job 7"}), "completed", ""),
        (Outcome(status="failed", code="interrupted", retryable=True), "failed", "interrupted"),
        (Outcome(status="unknown", code="printer_lost"), "unknown", "driver_error"),
    ],
    ids=lambda value: getattr(value, "status", value),
)
async def test_a_driver_that_fails_is_asked_what_its_device_does(
    testbed: ExecutorTestbed, body: Body, found: Outcome, status: str, code: str
) -> None:
    """As the next start would ask; nobody asked for the effect to stop, so its driver stops nothing."""
    testbed.driver = Forgetful(body, found)
    testbed.executor.start(STEP)
    event = await testbed.next_event()
    assert isinstance(event, EffectEnded)
    assert event.outcome is not None
    assert (event.outcome.status, event.outcome.code) == (status, code)
    assert event.outcome.data == (found.data if status != "unknown" else {})


def waiting(reasons: list[Any], leaves: Outcome | None = None) -> Body:
    """A driver that waits for ever; it notes why it is stopped, and leaves what it found out by then."""

    async def wait(context: DriverContext) -> Outcome:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            reasons.append(context.stop_reason)
            context.cancelled_outcome = leaves
            raise
        return DONE

    return wait


async def test_a_stopped_driver_leaves_what_it_found_out(testbed: ExecutorTestbed) -> None:
    reasons: list[Any] = []
    await testbed.begin(waiting(reasons, leaves=Outcome(status="cancelled", data={"pages": 3})))
    testbed.executor.stop(STOP)
    event = await testbed.next_event()
    assert isinstance(event, EffectEnded)
    assert event.outcome == Outcome(status="cancelled", data={"pages": 3})
    assert reasons == [Reason.CANCELLED]


async def test_a_driver_that_does_not_stop_is_left_behind_and_answered_for(testbed: ExecutorTestbed) -> None:
    release = asyncio.Event()

    async def stubborn(_: DriverContext) -> Outcome:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return DONE

    await testbed.begin(stubborn)
    testbed.executor.stop(STOP)
    event = await testbed.next_event()
    assert isinstance(event, EffectEnded)
    assert event.outcome is None
    release.set()
    assert testbed.events.empty()


async def test_when_the_agent_stops_drivers_are_told_so_and_nothing_is_answered(tmp_path: Path) -> None:
    reasons: list[Any] = []
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        testbed = ExecutorTestbed(group, tmp_path)
        await testbed.begin(waiting(reasons))
        testbed.executor.close()
    assert reasons == [None]
    assert testbed.events.empty()


class Stoppable:
    """An effect of a device that can be asked to stop, driven over a connection whose end takes its time."""

    def __init__(self) -> None:
        self.stopped = False
        self.closed = asyncio.Event()

    async def drive(self, context: DriverContext) -> Outcome:
        async with stopping(context, self._stop):
            try:
                await asyncio.Event().wait()
            finally:
                await self.closed.wait()
        return DONE

    async def _stop(self) -> Outcome:
        self.stopped = True
        return Outcome(status="cancelled")


@pytest.mark.parametrize("message", [None, "cancelled", "timed_out", "the agent stops"])
@pytest.mark.parametrize("cancels", [1, 2, 3])
async def test_whatever_cancels_a_driver_only_a_request_stops_its_effect(
    tmp_path: Path, cancels: int, message: str | None
) -> None:
    effect = Stoppable()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        testbed = ExecutorTestbed(group, tmp_path)
        await testbed.begin(effect.drive)
        [task] = testbed.executor._drivers
        for _ in range(cancels):
            task.cancel(message)
            await asyncio.sleep(0)
        effect.closed.set()
    assert not effect.stopped


async def test_a_request_stops_the_effect_also_when_the_agent_ends_meanwhile(tmp_path: Path) -> None:
    effect = Stoppable()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        testbed = ExecutorTestbed(group, tmp_path)
        await testbed.begin(effect.drive)
        testbed.executor.stop(STOP)
        for _ in range(3):
            await asyncio.sleep(0)
        testbed.executor.close()
        effect.closed.set()
    assert effect.stopped


async def test_an_executor_lets_effects_end_and_answers_for_none_of_them(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def finish(_: DriverContext) -> Outcome:
        await release.wait()
        return DONE

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        testbed = ExecutorTestbed(group, tmp_path)
        await testbed.begin(finish)
        assert testbed.executor.busy
        await testbed.executor.let_end(0.0)
        assert testbed.executor.busy
        release.set()
        await testbed.executor.let_end(10.0)
        assert not testbed.executor.busy
    assert testbed.events.empty()


async def test_evidence_is_asked_for_without_an_effect(testbed: ExecutorTestbed) -> None:
    async def never(_: DriverContext) -> Outcome:
        raise AssertionError("asking for evidence had an effect")

    step = msgspec.structs.replace(STEP, mode="evidence")
    outcome = await testbed.end_of(never, step)
    assert outcome is not None
    assert outcome.data == {"asked": f"floorhub-{STEP.command_id}-2"}


@pytest.mark.parametrize(("mode", "status"), [("execute", "failed"), ("evidence", "unknown")])
async def test_an_action_without_driver_after_a_restart(testbed: ExecutorTestbed, mode: Any, status: str) -> None:
    step = msgspec.structs.replace(STEP, action="gone", mode=mode)
    testbed.executor.start(step)
    event = await testbed.next_event()
    assert isinstance(event, EffectEnded)
    assert event.outcome is not None
    assert (event.outcome.status, event.outcome.code) == (status, "unsupported_action")


@pytest.mark.parametrize("ending", [None, RuntimeError("driver")], ids=["ends", "breaks"])
async def test_a_document_is_in_use_until_its_driver_has_ended(
    testbed: ExecutorTestbed, tmp_path: Path, ending: Exception | None
) -> None:
    content = b"a page"
    file = tmp_path / hashlib.sha256(content).hexdigest()
    file.write_bytes(content)

    async def body(context: DriverContext) -> Outcome:
        await context.document(DocumentSent(path="/d", sha256=file.name, size=len(content)))
        assert testbed.documents._in_use == {file: 1}
        if ending is not None:
            raise ending
        return Outcome(status="completed")

    outcome = await testbed.end_of(body)
    assert outcome is not None
    assert outcome.code == ("" if ending is None else "driver_error")
    assert not testbed.documents._in_use


async def test_an_effect_that_was_held_untouched_goes_on_only_when_it_is_let(testbed: ExecutorTestbed) -> None:
    touched = asyncio.Event()

    async def body(context: DriverContext) -> Outcome:
        await context.held(["printer-unreachable"], untouched=True)
        await context.resumed()
        touched.set()
        await context.remember({"job_id": 17})
        return DONE

    await testbed.begin(body)
    assert await testbed.next_event() == EffectHeld(STEP.command_id, 2, ["printer-unreachable"], untouched=True)
    assert await testbed.next_event() == EffectResumed(STEP.command_id, 2)
    assert not touched.is_set()
    testbed.executor.resume(RESUME)
    assert await testbed.next_event() == EffectRemembered(STEP.command_id, 2, b'{"job_id":17}')
    assert await testbed.next_event() == EffectEnded(STEP.command_id, 2, DONE)
    testbed.executor.resume(RESUME)  # it has ended meanwhile


@pytest.mark.parametrize("problem", [PayloadError("printer_unknown", "no such"), DocumentError("hub_unreachable", "x")])
async def test_whatever_evidence_raises_does_not_say_that_nothing_took_effect(
    testbed: ExecutorTestbed, problem: Exception
) -> None:
    class Raises(ScriptedDriver):
        async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
            raise problem

    testbed.driver = Raises(_bug)
    for step in (msgspec.structs.replace(STEP, mode="evidence"), STEP):
        testbed.executor.start(step)
        event = await testbed.next_event()
        assert isinstance(event, EffectEnded)
        assert event.outcome is not None
        assert (event.outcome.status, event.outcome.retryable) == ("unknown", False)


class Follower(ScriptedDriver):
    """Asked for evidence, it does what the test says."""

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        return await self.execute(action, payload, context)


async def test_looking_for_evidence_has_a_limit_and_following_what_was_found_has_none(
    testbed: ExecutorTestbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device_agent.executor.EVIDENCE_S", 0.05)
    asking = msgspec.structs.replace(STEP, mode="evidence")
    limit = asyncio.Event()

    async def follow(context: DriverContext) -> Outcome:
        await context.found()
        await limit.wait()
        return DONE

    async def look(_: DriverContext) -> Outcome:
        await asyncio.Event().wait()
        return DONE

    testbed.driver = Follower(follow)
    testbed.executor.start(asking)
    assert await testbed.next_event() == EffectFound(STEP.command_id, 2)
    testbed.driver = Follower(look)
    other = msgspec.structs.replace(asking, command_id=command_id(2))
    testbed.executor.start(other)
    lost = await testbed.next_event()
    assert isinstance(lost, EffectEnded)
    assert lost.command_id == command_id(2), "the limit has passed since, and the first one is still followed"
    assert lost.outcome is not None
    assert lost.outcome.status == "unknown"
    limit.set()
    assert await testbed.next_event() == EffectEnded(STEP.command_id, 2, DONE)
