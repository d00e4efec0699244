"""The agent's production core in a simulated world: any order of deliveries, repeats, losses and crashes.

The world's disk keeps what was committed and nothing else; a crash may strike before the commit, after it, or between
any two steps that follow. An effect counts from the moment its step is taken, which is the worst case.
"""

import random
from collections import Counter
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from device_agent.drivers.base import Outcome
from device_agent.events import (
    Disconnected,
    EffectEnded,
    EffectHeld,
    EffectProgress,
    EffectResumed,
    Event,
    Publish,
    PublishFailed,
    ReportsPublished,
    StartEffect,
    Step,
)
from device_agent.records import Phase, apply
from schemas import codec
from schemas.messages import Receipt, Report
from schemas.states import END_STATUSES, OnInterrupt, ReportStatus
from schemas.topics import Channel
from tests.unit.device_agent.bench import CLIENT, JOURNAL, T0, Bench, a_cancel, a_run, command_id, moment

COMMANDS = 5
LANES = ["a", "b"]
OUTCOMES: list[Outcome | None] = [
    Outcome(status="completed", data={"pages": 1}),
    Outcome(status="failed", code="jam"),
    Outcome(status="failed", code="printer_offline", retryable=True),
    Outcome(status="unknown"),
    Outcome(status="cancelled"),
    Outcome(status="completed", data={"text": "x" * 70_000}),
    None,
]
numbers = st.integers(1, COMMANDS)
Attempt = tuple[UUID, int]


class World(Bench):
    """A bench whose power fails when told, and whose steps have effects."""

    def __init__(self) -> None:
        self.crash_after: int | None = None
        """Crash in the next turn: 0 before the commit, 1 after it, 1 + n after n steps."""
        self.effects: Counter[Attempt] = Counter()
        self.running: dict[Attempt, StartEffect] = {}
        self.lanes: dict[UUID, str] = {}
        self.unconfirmed: list[int] = []
        self.network: list[Report] = []
        self.online = False
        self.welcomed = False
        super().__init__(max_unfinished=3)

    def start(self) -> None:
        self.welcomed = False
        super().start()

    def welcome(self, journal: str = JOURNAL, **fields: Any) -> Any:
        self.welcomed = True
        return super().welcome(journal, **fields)

    def feed(self, event: Event) -> Any:
        crash_after, self.crash_after = self.crash_after, None
        decision = self.core.handle(event, self.now())
        if crash_after == 0:
            return self.crash()
        apply(self.disk, decision.writes)
        for number, step in enumerate(decision.steps, start=1):
            if crash_after == number:
                return self.crash()
            self._do(step)
        if crash_after is not None:
            self.crash()
        return decision

    def crash(self) -> None:
        self.online = False
        self.running.clear()
        self.unconfirmed.clear()
        self.start()

    def _do(self, step: Step) -> None:
        match step:
            case StartEffect():
                key = (step.command_id, step.attempt)
                assert key not in self.running, "one effect runs twice at the same time"
                busy = {self.lanes[command] for command, _ in self.running}
                assert self.lanes[step.command_id] not in busy, "two effects on one lane"
                self.running[key] = step
                if step.mode == "execute":
                    assert self.welcomed, "an effect began before the welcome of this process"
                    record = self.disk.attempts[step.command_id]
                    assert record.phase is Phase.STARTED, "an effect began before its start was on the disk"
                    self.effects[key] += 1
            case Publish(channel=Channel.REPORTS):
                assert self.online
                assert len(step.payload) <= codec.MAX_PAYLOAD
                assert step.token is not None
                self.unconfirmed.append(step.token)
                assert len(self.unconfirmed) == 1, "reports were not gathered while a publish was in flight"
                self.network += codec.decode(Channel.REPORTS, step.payload).reports


class AgentSimulation(RuleBasedStateMachine):
    """The rules are the adversary; the invariants are the promises."""

    @initialize(reruns=st.sets(numbers), priorities=st.lists(st.integers(1, 10), min_size=COMMANDS, max_size=COMMANDS))
    def begin(self, reruns: set[int], priorities: list[int]) -> None:
        self.world = World()
        self.runs = {
            number: a_run(
                number,
                lane=LANES[number % len(LANES)],
                priority=priorities[number - 1],
                on_interrupt=OnInterrupt.RERUN if number in reruns else OnInterrupt.UNKNOWN,
                timeout_s=30.0,
                expires_at=moment(T0 + 300 + 100 * number),
            )
            for number in range(1, COMMANDS + 1)
        }
        self.world.lanes = {run.command_id: run.lane for run in self.runs.values()}
        self.attempts = dict.fromkeys(self.runs, 1)
        self.heard: dict[UUID, Report] = {}
        self.receipted: set[UUID] = set()
        self.waited: set[UUID] = set()
        self.cancelled_unbegun: dict[UUID, Counter[Attempt]] = {}
        self.epoch = 0
        self.join()

    # --- the network and the hub -----------------------------------------------------------------------------

    @precondition(lambda self: not self.world.online)
    @rule()
    def join(self) -> None:
        """Connect; the hub publishes its keys and welcomes."""
        world = self.world
        world.online = True
        world.connect()
        if world.online:
            world.learn_keys()
        if world.online:
            world.welcome()

    @precondition(lambda self: self.world.online)
    @rule()
    def drop_connection(self) -> None:
        self.world.online = False
        self.world.unconfirmed.clear()
        self.world.feed(Disconnected())

    @precondition(lambda self: self.world.online)
    @rule(number=numbers, older=st.booleans(), times=st.integers(1, 3))
    def deliver_run(self, number: int, *, older: bool, times: int) -> None:
        attempt = 1 if older else self.attempts[number]
        run = self.runs[number]
        for _ in range(times):
            if self.world.online:
                self.world.receive(a_run(**(_fields(run) | {"attempt": attempt})))

    @precondition(lambda self: self.world.online)
    @rule(number=numbers)
    def deliver_cancel(self, number: int) -> None:
        self.world.receive(a_cancel(number))
        if self.world.online:  # no crash: the cancel is on the disk
            record = self.world.disk.attempts.get(command_id(number))
            if record is None or record.phase is not Phase.STARTED:
                self.cancelled_unbegun.setdefault(command_id(number), self._effects_of(command_id(number)))

    @rule(seed=st.integers(0, 1_000), lose=st.booleans())
    def reports_reach_the_hub(self, seed: int, *, lose: bool) -> None:
        """Some of what was published arrives, in any order; the receipt may be lost."""
        random.Random(seed).shuffle(self.world.network)  # noqa: S311 - repeats
        arrived, self.world.network = self.world.network[:20], []
        ids = self._hub_takes(arrived)
        if ids and self.world.online and not lose:
            self._send_receipt(ids)

    @precondition(lambda self: self.world.unconfirmed)
    @rule(confirmed=st.booleans())
    def broker_answers(self, *, confirmed: bool) -> None:
        token = self.world.unconfirmed.pop()
        self.world.feed(ReportsPublished(token) if confirmed else PublishFailed(token))

    @precondition(lambda self: self.world.online)
    @rule(spread_s=st.floats(0, 5))
    def call_the_roll(self, spread_s: float) -> None:
        self.world.roll_call(spread_s)

    # --- the device, the clock, the power --------------------------------------------------------------------

    @precondition(lambda self: self.world.running)
    @rule(pick=st.integers(0, 9), outcome=st.sampled_from(OUTCOMES))
    def effect_ends(self, pick: int, outcome: Outcome | None) -> None:
        key = sorted(self.world.running)[pick % len(self.world.running)]
        del self.world.running[key]
        self.world.feed(EffectEnded(*key, outcome))

    @precondition(lambda self: self.world.running)
    @rule(pick=st.integers(0, 9), what=st.sampled_from([EffectHeld, EffectResumed, EffectProgress]))
    def effect_says(self, pick: int, what: Any) -> None:
        key = sorted(self.world.running)[pick % len(self.world.running)]
        said: dict[Any, list[Any]] = {EffectHeld: [["media-empty"]], EffectResumed: [], EffectProgress: [{"page": 1}]}
        self.world.feed(what(*key, *said[what]))

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 31.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @rule(jump=st.sampled_from([-86_400.0, -600.0, 600.0, 86_400.0]))
    def wall_clock_jumps(self, jump: float) -> None:
        self.world.wall += jump

    @rule(after=st.integers(0, 4))
    def power_will_fail(self, after: int) -> None:
        self.world.crash_after = after

    @rule()
    def power_fails(self) -> None:
        self.world.crash()

    # --- the promises ----------------------------------------------------------------------------------------

    @invariant()
    def an_effect_begins_at_most_once(self) -> None:
        for (command, attempt), times in self.world.effects.items():
            run = self.runs[command.int & 0xFFFF]
            assert times <= 1 or run.on_interrupt is OnInterrupt.RERUN, f"attempt {attempt} of {command}: {times} times"

    @invariant()
    def a_cancelled_command_that_had_not_begun_never_begins(self) -> None:
        for command, before in self.cancelled_unbegun.items():
            assert self._effects_of(command) == before

    @invariant()
    def a_report_leaves_the_disk_only_after_its_receipt(self) -> None:
        waiting = {key for key, record in self.world.disk.reports.items() if not record.receipted}
        assert self.waited - waiting <= self.receipted
        self.waited = waiting

    @invariant()
    def what_ended_has_its_end_report_on_the_disk(self) -> None:
        for record in self.world.disk.attempts.values():
            if record.phase is Phase.FINISHED:
                bodies = [report.body for report in self.world.disk.reports.values() if _is_of(report, record)]
                statuses = {_status(body) for body in bodies}
                assert len(statuses & END_STATUSES) == 1, (record, statuses)

    @invariant()
    def epoch_and_hub_time_never_fall(self) -> None:
        values = self.world.disk.settings
        assert (values.epoch or 0) >= self.epoch
        self.epoch = values.epoch or 0
        assert values.hub_time <= self.world.hub_time + 1

    def teardown(self) -> None:
        """When everything heals, every command that was taken in ends, and the hub hears of it."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.crash_after = None
        for _ in range(60):
            if not world.online:
                self.join()
            for token in list(world.unconfirmed):
                world.unconfirmed.remove(token)
                world.feed(ReportsPublished(token))
            for key in list(world.running):
                del world.running[key]
                world.feed(EffectEnded(*key, OUTCOMES[0]))
            arrived, world.network = world.network, []
            ids = self._hub_takes(arrived)
            if ids:
                self._send_receipt(ids)
            world.pass_time(31)
        for command, record in world.disk.attempts.items():
            assert record.phase is Phase.FINISHED, record
            assert self.heard[command].attempt == record.attempt
        assert all(report.receipted for report in world.disk.reports.values())
        self.what_ended_has_its_end_report_on_the_disk()
        self.an_effect_begins_at_most_once()

    def _effects_of(self, command: UUID) -> Counter[Attempt]:
        return Counter({key: times for key, times in self.world.effects.items() if key[0] == command})

    def _hub_takes(self, reports: list[Report]) -> list[UUID]:
        """The hub stores reports; a failed one that may be tried again makes the next attempt."""
        for report in reports:
            known = self.heard.get(report.command_id)
            if report.status in END_STATUSES and (known is None or report.attempt >= known.attempt):
                if known is not None and known.attempt == report.attempt:
                    assert known.status == report.status, "an attempt ended in two ways"
                self.heard[report.command_id] = report
                number = report.command_id.int & 0xFFFF
                if report.error is not None and report.error.retryable:
                    self.attempts[number] = max(self.attempts[number], report.attempt + 1)
        return [report.report_id for report in reports if report.status is not ReportStatus.PROGRESS]

    def _send_receipt(self, ids: list[UUID]) -> None:
        self.receipted |= set(ids)
        self.world.receive(Receipt(client_id=CLIENT, report_ids=ids, hub_time=moment(self.world.hub_time)))


def _fields(run: Any) -> dict[str, Any]:
    return {name: getattr(run, name) for name in run.__struct_fields__ if name != "v"} | {
        "number": run.command_id.int & 0xFFFF,
        "journal": JOURNAL,
    }


def _is_of(report: Any, record: Any) -> bool:
    return bool(report.command_id == record.command_id and report.attempt == record.attempt)


def _status(body: bytes) -> ReportStatus:
    return msgspec.json.decode(body, type=Report).status


TestAgentSimulation = AgentSimulation.TestCase
TestAgentSimulation.settings = settings(
    max_examples=300, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
