"""The agent's production core in a simulated world: any order of deliveries, repeats, losses and crashes.

The world's disk keeps what was committed and nothing else; a crash may strike before the commit, after it, or between
any two steps that follow. An effect counts from the moment its step is taken, which is the worst case.

The hub that answers births is made of the production rules, too (`presence_world.Hub`). In the second simulation the
disk may also be put back to any earlier moment, as often as the search likes.
"""

import copy
import random
from collections import Counter, deque
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from device_agent.core.events import (
    Disconnected,
    EffectEnded,
    EffectFound,
    EffectHeld,
    EffectProgress,
    EffectResumed,
    Event,
    LeaveBroker,
    Publish,
    PublishFailed,
    ReportsPublished,
    StartEffect,
    Step,
)
from device_agent.core.outcome import Outcome
from device_agent.core.records import Phase, Snapshot, apply
from hub.core.presence.rules.presence import ObservationKind
from schemas import codec
from schemas.messages import Birth, Heartbeat, Receipt, Report, Reports, Run
from schemas.states import END_STATUSES, OnInterrupt, ReportStatus
from schemas.topics import Channel
from tests.property.presence.presence_world import Hub, Word
from tests.support.agent_bench import CLIENT, T0, Bench, a_cancel, a_run, command_id, moment
from tests.support.examples import examples

COMMANDS = 5
HEARD = [ReportStatus.ACCEPTED, ReportStatus.STARTED]
LANES = ["a", "b"]
SAYS: dict[Any, list[Any]] = {
    EffectHeld: [["media-empty"]],
    EffectResumed: [],
    EffectProgress: [{"page": 1}],
    EffectFound: [],
}
"""What a driver may say at any time, wrongly, too."""
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
        self.network: list[tuple[Sent, Report]] = []
        self.signs: list[tuple[Sent, ObservationKind]] = []
        self.online = False
        self.leaves = False
        self.welcomed = False
        self.lineage = 0
        """Rises when the disk is put back."""
        self.began: dict[Attempt, tuple[int, int]] = {}
        """Lineage and generation of the first effect of an attempt."""
        self.known: Counter[int] = Counter()
        """The highest generation of each lineage that the hub had heard when it welcomed this process."""
        super().__init__(max_unfinished=3)

    def start(self) -> None:
        self.welcomed = False
        super().start()

    def welcome(self, journal: str = "", **fields: Any) -> Any:
        self.welcomed = True
        return super().welcome(journal, **fields)

    def put_back(self, disk: Snapshot) -> None:
        """The power fails, and an older disk is put in."""
        self.disk = copy.deepcopy(disk)
        self.lineage += 1
        self.crash()

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
        elif self.leaves:
            self.drop()
        return decision

    def drop(self) -> None:
        """The connection ends."""
        self.leaves = False
        self.online = False
        self.unconfirmed.clear()
        self.feed(Disconnected())

    def crash(self) -> None:
        self.leaves = False
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
                    self.began.setdefault(key, (self.lineage, self.disk.settings.generation))
            case LeaveBroker():
                self.leaves = True
            case Publish(channel=Channel.PRESENCE):
                self.signs.append((self._sent(codec.decode(Channel.PRESENCE, step.payload)), ObservationKind.BIRTH))
            case Publish(channel=Channel.HEARTBEAT):
                self.signs.append(
                    (self._sent(codec.decode(Channel.HEARTBEAT, step.payload)), ObservationKind.HEARTBEAT)
                )
            case Publish(channel=Channel.REPORTS):
                assert self.online
                assert len(step.payload) <= codec.MAX_PAYLOAD
                assert step.token is not None
                self.unconfirmed.append(step.token)
                assert len(self.unconfirmed) == 1, "reports were not gathered while a publish was in flight"
                message = codec.decode(Channel.REPORTS, step.payload)
                self.network += [(self._sent(message), report) for report in message.reports]

    def _sent(self, message: Birth | Heartbeat | Reports) -> "Sent":
        assert message.mark is not None
        assert message.mark <= self.disk.settings.generation, "a generation was shown before it was on the disk"
        return Sent(message, self.lineage)


class Sent(msgspec.Struct, frozen=True):
    """What the agent sent, and from which of its pasts."""

    message: Birth | Heartbeat | Reports
    lineage: int

    def word(self, sign: ObservationKind) -> Word:
        """What the hub's rules need of it."""
        message, born = self.message, isinstance(self.message, Birth)
        return Word(
            sign,
            message.session,
            message.connection or 0,
            message.journal if born else None,
            message.epoch,
            message.mark,
            message.nonce if born else None,
        )


class HubCommand(msgspec.Struct):
    """A command as the hub knows it."""

    attempt: int = 1
    journal: str | None = None
    """The journal it was handed out to; None: not yet, in this attempt."""
    observation: ReportStatus | None = None
    over: bool = False
    """It ended, or is unknown: it is not sent again."""


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
        self.hub = Hub()
        self.lost = 0
        self.heard_generations: Counter[int] = Counter()
        self.commands = {number: HubCommand() for number in self.runs}
        self.sent: list[Run] = []
        self.observation: dict[UUID, Report] = {}
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
        self.signs_reach_the_hub()

    @rule()
    def signs_reach_the_hub(self) -> None:
        """Births and heartbeats arrive; what the hub answers does, too."""
        signs, self.world.signs = self.world.signs, []
        for sent, sign in signs:
            self._hub_sees(sent, sign)
            welcomes, self.hub.welcomes = self.hub.welcomes, []
            for welcome in welcomes:
                self.world.known = Counter(self.heard_generations)
                if self.world.online:
                    self.world.welcome(
                        welcome.journal, session=welcome.session, epoch=welcome.epoch, nonce=welcome.nonce
                    )
            if sign is ObservationKind.BIRTH:
                self._offer_again()

    def _hub_sees(self, sent: Sent, sign: ObservationKind) -> None:
        self.heard_generations[sent.lineage] = max(self.heard_generations[sent.lineage], sent.message.mark or 0)
        self.hub.see(sent.word(sign), deque())
        if self.hub.lost == self.lost:
            return
        self.lost = self.hub.lost
        for number, command in self.commands.items():
            if command.journal is not None and not command.over:
                command.journal = self.hub.identity.journal
                command.observation = None
                command.over = self.runs[number].on_interrupt is not OnInterrupt.RERUN

    def _offer_again(self) -> None:
        for number, command in self.commands.items():
            if command.journal is not None and not command.over:
                self._send_run(number)

    def _send_run(self, number: int) -> None:
        command = self.commands[number]
        rerun = self.runs[number].on_interrupt is OnInterrupt.RERUN
        changes = {
            "attempt": command.attempt,
            "journal": command.journal,
            "heard": None if rerun else command.observation,
        }
        run = a_run(**(_fields(self.runs[number]) | changes))
        self.sent.append(run)
        if self.world.online:
            self.world.receive(run)

    @precondition(lambda self: self.world.online)
    @rule()
    def drop_connection(self) -> None:
        self.world.drop()

    @precondition(lambda self: self.world.online)
    @rule(number=numbers, times=st.integers(1, 3))
    def deliver_run(self, number: int, times: int) -> None:
        """The hub hands out a command, or sends it again."""
        command = self.commands[number]
        if command.over or self.hub.identity.journal is None:
            return
        command.journal = command.journal or self.hub.identity.journal
        for _ in range(times):
            self._send_run(number)

    @precondition(lambda self: self.world.online and self.sent)
    @rule(pick=st.integers(0, 99))
    def repeat_a_run(self, pick: int) -> None:
        """The broker delivers once more what the hub sent at some time."""
        self.world.receive(self.sent[pick % len(self.sent)])

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
        self.hub.welcomes.clear()
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
    @rule(pick=st.integers(0, 9), what=st.sampled_from(list(SAYS)))
    def effect_says(self, pick: int, what: Any) -> None:
        key = sorted(self.world.running)[pick % len(self.world.running)]
        self.world.feed(what(*key, *SAYS[what]))

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
            self.signs_reach_the_hub()
            world.pass_time(31)
            self._offer_again()
        for command, record in world.disk.attempts.items():
            assert record.phase is Phase.FINISHED, record
            assert self.observation[command].attempt >= record.attempt
        assert all(report.receipted for report in world.disk.reports.values())
        self.what_ended_has_its_end_report_on_the_disk()
        self.an_effect_begins_at_most_once()

    def _effects_of(self, command: UUID) -> Counter[Attempt]:
        return Counter({key: times for key, times in self.world.effects.items() if key[0] == command})

    def _hub_takes(self, arrived: list[tuple[Sent, Report]]) -> list[UUID]:
        """The hub stores reports; a failed one that may be tried again makes the next attempt."""
        for sent, report in arrived:
            self._hub_sees(sent, ObservationKind.HEARTBEAT)
            command = self.commands[report.command_id.int & 0xFFFF]
            if report.attempt == command.attempt and not command.over and report.status in HEARD:
                command.observation = HEARD[
                    max(HEARD.index(report.status), HEARD.index(command.observation or HEARD[0]))
                ]
            known = self.observation.get(report.command_id)
            if report.status in END_STATUSES and (known is None or report.attempt >= known.attempt):
                if known is not None and known.attempt == report.attempt:
                    self._ended_again(known, report)
                self.observation[report.command_id] = report
                if report.attempt == command.attempt:
                    command.over = True
                    if report.error is not None and report.error.retryable and report.status is ReportStatus.FAILED:
                        self.commands[report.command_id.int & 0xFFFF] = HubCommand(report.attempt + 1)
        return [report.report_id for _, report in arrived if report.status is not ReportStatus.PROGRESS]

    def _ended_again(self, known: Report, report: Report) -> None:
        assert known.status == report.status, "an attempt ended in two ways"

    def _send_receipt(self, ids: list[UUID]) -> None:
        self.receipted |= set(ids)
        self.world.receive(Receipt(client_id=CLIENT, report_ids=ids, hub_time=moment(self.world.hub_time)))


def _fields(run: Any) -> dict[str, Any]:
    return {name: getattr(run, name) for name in run.__struct_fields__ if name != "v"} | {
        "number": run.command_id.int & 0xFFFF,
    }


def _is_of(report: Any, record: Any) -> bool:
    return bool(report.command_id == record.command_id and report.attempt == record.attempt)


def _status(body: bytes) -> ReportStatus:
    return msgspec.json.decode(body, type=Report).status


class PutBackSimulation(AgentSimulation):
    """The same with disks that are put back: what may still happen twice is what nobody can know of.

    Few rules with much in each, and none of the parent's, so that the search meets the odd orders.
    """

    @initialize()
    def begin_without_snapshots(self) -> None:
        self.snapshots: list[Snapshot] = []

    @rule()
    def take_a_snapshot(self) -> None:
        self.snapshots.append(copy.deepcopy(self.world.disk))

    @precondition(lambda self: getattr(self, "snapshots", None))
    @rule(pick=st.integers(0, 9), starts=st.integers(0, 2))
    def put_a_disk_back(self, pick: int, starts: int) -> None:
        self.world.put_back(self.snapshots[pick % len(self.snapshots)])
        for _ in range(starts):
            self.world.crash()
        # What the disk promised is taken back with it.
        self.cancelled_unbegun.clear()
        self.epoch = 0
        self.join()

    @rule()
    def restart(self) -> None:
        self.world.crash()
        self.join()

    @precondition(lambda self: self.world.online)
    @rule()
    def connect_anew(self) -> None:
        self.world.drop()
        self.join()

    @precondition(lambda self: self.world.online)
    @rule(number=numbers)
    def hand_out(self, number: int) -> None:
        self.deliver_run(number, 1)

    @precondition(lambda self: self.world.running)
    @rule()
    def end_an_effect(self) -> None:
        key = min(self.world.running)
        del self.world.running[key]
        self.world.feed(EffectEnded(*key, OUTCOMES[0]))

    @rule(most=st.integers(1, 3))
    def some_reports_arrive(self, most: int) -> None:
        arrived, self.world.network = self.world.network[:most], self.world.network[most:]
        self.hub.welcomes.clear()
        ids = self._hub_takes(arrived)
        if ids and self.world.online:
            self._send_receipt(ids)

    @rule()
    def a_heartbeat_arrives(self) -> None:
        self.world.pass_time(31)
        self.signs_reach_the_hub()

    @precondition(lambda self: self.world.online and self.sent)
    @rule(pick=st.integers(0, 99))
    def the_broker_repeats(self, pick: int) -> None:
        self.world.receive(self.sent[pick % len(self.sent)])

    @invariant()
    def an_effect_begins_at_most_once(self) -> None:
        """Unless the hub had heard nothing that the agent said after it first began, when it welcomed the process that
        began it again."""
        for key, times in self.world.effects.items():
            run = self.runs[key[0].int & 0xFFFF]
            if times > 1 and run.on_interrupt is not OnInterrupt.RERUN:
                lineage, generation = self.world.began[key]
                assert self.world.known[lineage] < generation, f"{key}: {times} times"
                self.world.effects[key] = 1

    def _ended_again(self, known: Report, report: Report) -> None:
        """A past that was put back may have ended it in another way."""

    @invariant()
    def a_report_leaves_the_disk_only_after_its_receipt(self) -> None:
        """Not those of a command that may run twice: a journal with a new name forgets it, and the hub offers it."""

    @classmethod
    def rules(cls) -> Any:
        own = {name for name in vars(cls) if not name.startswith("_")}
        return [known for known in super().rules() if known.function.__name__ in own]


TestAgentSimulation = AgentSimulation.TestCase
TestPutBackSimulation = PutBackSimulation.TestCase
for simulation in (TestAgentSimulation, TestPutBackSimulation):
    simulation.settings = settings(
        max_examples=examples(150), stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
del simulation  # pytest would collect it once more
