"""Whatever the order of takeover, will, birth, late copies and restarts: no wrong state at rest, and no false alarm."""

import copy
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.states import Level, Presence
from tests.property.presence.presence_world import Machine, World
from tests.support.examples import examples

workers = st.integers(0, 1)


class OneMachine(RuleBasedStateMachine):
    """One client, whose disk may also be put back while it is off; two workers."""

    level = Level.FULL

    @initialize()
    def begin(self) -> None:
        self.world = World(self.level)
        self.machine = self.world.machines[0]
        self.snapshots: list[Any] = []

    # --- the machine: few rules with much in each, so that a search of some dozen steps meets the odd orders --------

    @rule(noticed=st.booleans())
    def restarts(self, *, noticed: bool) -> None:
        """`noticed`: the broker saw the connection break before the next one came."""
        self._go(noticed=noticed)
        self.machine.start()
        self.world.connect(self.machine)

    @rule(noticed=st.booleans())
    def goes(self, *, noticed: bool) -> None:
        self._go(noticed=noticed)

    def _go(self, *, noticed: bool) -> None:
        self.world.die(self.machine)
        if noticed:
            self.world.drop()

    @precondition(lambda self: self.machine.session is not None)
    @rule(noticed=st.booleans())
    def connects_anew(self, *, noticed: bool) -> None:
        if noticed:
            self.world.drop()
        self.machine.connected = False
        self.world.connect(self.machine)

    @precondition(lambda self: self.machine.session is not None)
    @rule(times=st.integers(1, 3))
    def works(self, times: int) -> None:
        """Commands are received, started or ended."""
        self.machine.disk.mark += times

    @precondition(lambda self: self.level is Level.FULL)
    @rule()
    def takes_a_snapshot(self) -> None:
        self.snapshots.append(copy.deepcopy(self.machine.disk))

    @precondition(lambda self: self.snapshots)
    @rule(pick=st.integers(0, 9))
    def is_put_back_to_a_snapshot(self, pick: int) -> None:
        self._go(noticed=True)
        self.machine.disk = copy.deepcopy(self.snapshots[pick % len(self.snapshots)])
        self.machine.start()
        self.world.connect(self.machine)

    # --- the hub and the broker ------------------------------------------------------------------------------

    @rule(number=workers)
    def all_is_heard_and_answered(self, number: int) -> None:
        """By one worker; the other may be anywhere."""
        worker = self.world.workers[number]
        self.world.join(worker)
        for _ in range(2):
            while worker.queue:
                self.world.look(worker)
            self.world.deliver()
            if self.machine.connected and self.level is Level.FULL:
                worker.queue.append(self.machine.heartbeat())

    @rule(number=workers, most=st.integers(1, 3))
    def a_worker_looks(self, number: int, most: int) -> None:
        for _ in range(most):
            self.world.look(self.world.workers[number])

    @rule(lose=st.booleans())
    def welcomes_arrive(self, *, lose: bool) -> None:
        self.world.deliver(lose=lose)

    @rule(number=workers)
    def a_worker_loses_its_connection(self, number: int) -> None:
        self.world.workers[number].connected = False

    @rule(number=workers)
    def a_worker_connects(self, number: int) -> None:
        self.world.join(self.world.workers[number])

    @precondition(lambda self: self.level is Level.FULL)
    @rule(number=workers)
    def a_worker_dies(self, number: int) -> None:
        worker = self.world.workers[number]
        worker.connected = False
        worker.queue.clear()
        worker.stream.clear()

    @rule(killed=st.booleans(), saved=st.booleans())
    def the_broker_restarts(self, *, killed: bool, saved: bool) -> None:
        if saved:
            self.world.saved = self.world.retained
        self.world.restart_broker(killed=killed)

    # --- the promises ----------------------------------------------------------------------------------------

    @invariant()
    def one_machine_is_never_taken_for_two(self) -> None:
        assert self.world.hub.alarms == []

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world, machine = self.world, self.machine
        world.settle()
        evidence = world.hub.evidence
        if machine.session is None:
            if self.level is Level.FULL or not world.unsure:
                assert evidence.presence is not Presence.ONLINE
            return
        assert (evidence.presence, evidence.session, evidence.connection) == (
            Presence.ONLINE,
            machine.session,
            machine.connection,
        )
        if self.level is Level.FULL:
            assert world.hub.identity.journal == machine.disk.journal, "runs would be refused"
        self.one_machine_is_never_taken_for_two()


class OneBasicMachine(OneMachine):
    """It keeps no journal, so that only the order in which each worker hears it can tell."""

    level = Level.BASIC


class TwoMachines(OneMachine):
    """A second one, with a copy of the configuration and perhaps of the journal, comes and goes as well."""

    @initialize(target=None, copied=st.booleans())
    def a_second_machine(self, *, copied: bool) -> None:
        self.copied = copied
        self.second: Machine | None = None

    @rule()
    def the_second_comes(self) -> None:
        if self.second is None:
            self.second = Machine("b")
            if self.copied:
                self.second.disk = copy.deepcopy(self.machine.disk)
            self.world.machines.append(self.second)
        if self.second.session is None:
            self.second.start()
        self.world.connect(self.second)

    @invariant()
    def one_machine_is_never_taken_for_two(self) -> None:
        """Here it may be, once there are two."""
        if getattr(self, "second", None) is None:
            assert self.world.hub.alarms == []

    def teardown(self) -> None:
        """When both go on fighting for the connection, the alarm comes within five rounds, and one leaves."""
        if getattr(self, "second", None) is None:
            return
        world, second = self.world, self.second
        assert second is not None
        for machine in (self.machine, second):
            if machine.session is None:
                machine.start()
        for _ in range(5):
            for machine in (self.machine, second):
                if machine.away:
                    continue
                world.connect(machine)
                for _ in range(3):
                    for worker in world.workers:
                        world.join(worker)
                        while worker.queue:
                            world.look(worker)
                    world.deliver()
                    if world.holder is machine:
                        world.publish(machine.heartbeat())
        assert world.hub.alarms
        assert [self.machine.away, second.away].count(True) == 1
        stays = second if self.machine.away else self.machine
        assert world.hub.evidence.session == stays.session


TestOneMachine = OneMachine.TestCase
TestOneBasicMachine = OneBasicMachine.TestCase
TestTwoMachines = TwoMachines.TestCase
for tested in (TestOneMachine, TestOneBasicMachine, TestTwoMachines):
    tested.settings = settings(
        max_examples=examples(300), stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
del tested  # pytest would collect it once more
