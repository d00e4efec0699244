"""One seed, one world: clients, workers, a broker and Postgres, commands, and everything that goes wrong."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from device_agent.core.records import Snapshot
from schemas import codec
from schemas.messages import Keys, Message, SigningKey
from schemas.signing import DOMAIN, KEYS, Signer, encode_key
from tests.simulation.checks import Checks, Violation
from tests.simulation.hub import Worker
from tests.simulation.machine import Machine, copy_of
from tests.simulation.network import Broker
from tests.simulation.scheduler import Scheduler
from tests.simulation.store import EPOCH, Store
from tests.simulation.tables import Session

SETTLE_S = 900.0
"""How long after the last fault everything may take. The longest expiry, grace and asking for evidence fit in."""
AFTER_S = 70.0
"""Then nothing is sent any more that would want a receipt."""
PERSON_S = 20.0
KINDS = ["run", "cancel", "receipt", "welcome"]


class Hubkeys:
    """The root that clients pin, and the key that signs. The same in each world: signatures repeat exactly."""

    def __init__(self) -> None:
        root, self.signer = Signer(b"r" * 32), Signer(b"s" * 32)
        self.root_key = root.public_key
        until = EPOCH + timedelta(days=365)
        key = SigningKey(kid=self.signer.kid, key=encode_key(self.signer.public_key), kinds=KINDS, not_after=until)
        self.list = root.sign(KEYS, codec.encode(Keys(version=1, expires=until, keys=[key])))

    def sign(self, message: Message) -> bytes:
        return self.signer.sign(DOMAIN[str(type(message).__struct_config__.tag)], codec.encode(message))


HUB_KEYS = Hubkeys()


@dataclass(frozen=True)
class Result:
    """How a world ended. `digest` is the same for the same seed."""

    seed: int
    violation: str | None
    check: str | None
    commands: int
    faults: int
    events: int
    effects: int
    ends: dict[str, int]
    digest: str


class World:
    """Run it once."""

    def __init__(self, seed: int, *, traced: bool = False) -> None:
        self.seed = seed
        self.lines: list[str] = []
        self._traced = traced
        self.rng = rng = random.Random(seed)  # noqa: S311 - repeats
        self.scheduler = Scheduler()
        self.checks = Checks(self)
        self.store = Store(self.scheduler, rng, self.checks.moved)
        self.broker = Broker(self.scheduler, rng, self)
        self.faults = 0
        self._lost: set[str] = set()
        self.machines = [
            Machine(f"pc-{n}", self.scheduler, rng, self.broker, self.checks, HUB_KEYS.root_key, self)
            for n in range(1, 1 + rng.choice([1, 1, 2]))
        ]
        self.workers = [
            Worker(f"w{n}", self.scheduler, rng, self.store, self.broker, HUB_KEYS.sign, HUB_KEYS.list, self)
            for n in range(1, 1 + rng.choice([1, 1, 2]))
        ]
        for machine in self.machines:
            self.broker.machines[machine.client_id] = machine
            self.store.sessions[machine.client_id] = Session()
        self._plan()

    # --- what happens ----------------------------------------------------------------------------------------

    def _plan(self) -> None:
        rng, after = self.rng, self.scheduler.after
        self.chaos_s = rng.uniform(20.0, 70.0)
        self.calm = rng.random() < 0.1
        for worker in self.workers:
            after(rng.uniform(0.0, 1.0), worker.start)
        for machine in self.machines:
            machine.commit_s = rng.choice([0.002, 0.02, 0.3])
            machine.max_unfinished = rng.choice([2, 6, 32])
            after(rng.uniform(0.0, 3.0), machine.start)
        # In the order of their ids, as UUIDv7 are.
        times = sorted(rng.uniform(0.0, self.chaos_s * 0.8) for _ in range(rng.randint(4, 14)))
        for number, at in enumerate(times, start=1):
            after(at, self._submit, self._command(number))
            if rng.random() < 0.3:
                after(at + rng.choice([rng.uniform(0.0, 15.0), rng.uniform(0.0, 0.2)]), self._cancel, number)
        after(PERSON_S, self._person)
        if self.calm:
            for machine in self.machines:
                machine.device.well = True
            return
        self.broker.ordered = rng.random() < 0.5
        self.broker.loss = rng.choice([0.0, 0.0, 0.03, 0.2])
        self.broker.double = rng.choice([0.0, 0.05, 0.3])
        self.broker.late = rng.choice([0.0, 0.05, 0.2])
        self.store.breaks = rng.choice([0.0, 0.0, 0.02])
        kinds = rng.sample(self._kinds(), k=rng.randint(1, 6))
        for _ in range(rng.randint(1, 9)):
            after(rng.uniform(1.0, self.chaos_s), self._fault, rng.choice(kinds))

    def _command(self, number: int) -> dict[str, Any]:
        rng = self.rng
        return {
            "id": UUID(int=(7 << 76) | (2 << 62) | number),
            "client_id": rng.choice(self.machines).client_id,
            "lane": rng.choice(["printer:a", "printer:a", "printer:b"]),
            "priority": rng.choice([1, 5, 5, 5, 9, 10]),
            "max_retries": rng.choice([0, 1, 3]),
            "action": "print",
            "payload": {"n": number},
            "timeout_s": rng.choice([5.0, 20.0, 60.0]),
            "lives_s": rng.choice([10.0, 60.0, 200.0]),
            "waits_s": rng.choice([None, None, None, 5.0]),
            "on_interrupt": rng.choice(["unknown", "unknown", "rerun"]),
            "order_key": rng.choice([None, None, "order-1", "order-2"]),
        }

    def _submit(self, row: dict[str, Any]) -> None:
        now, waits_s = self.store.at, row.pop("waits_s")
        row["expires_at"] = now + timedelta(seconds=row.pop("lives_s"))
        row["not_before"] = None if waits_s is None else now + timedelta(seconds=waits_s)
        self.store.submit(row)
        for worker in self.workers:
            if worker.alive and row["not_before"] is None:
                worker.work_for([row["client_id"]])
        self.trace(f"c{row['id'].int & 0xFFFF} is posted: {row['lane']}, {row['on_interrupt']}, {row['order_key']}")

    def _cancel(self, number: int) -> None:
        alive = [worker for worker in self.workers if worker.alive]
        command_id = UUID(int=(7 << 76) | (2 << 62) | number)
        if alive and command_id in self.store.commands:
            self.trace(f"c{number}: a cancel is asked for")
            self.rng.choice(alive).ask_to_cancel(command_id)

    def _person(self) -> None:
        """Somebody looks at dead letters and alarms."""
        self.store.dismiss()
        for client_id, session in self.store.sessions.items():
            if session.keep_away is not None:
                self.checks.kept_away(client_id)
                self.store.release(client_id)
        self.scheduler.after(PERSON_S, self._person)

    # --- what goes wrong -------------------------------------------------------------------------------------

    def _kinds(self) -> list[Callable[[], None]]:
        usual = [
            self._agent_dies,
            self._agent_dies_at_a_point,
            self._agent_dies_at_a_point,
            self._agent_stops,
            self._hub_dies,
            self._hub_dies_at_a_point,
            self._broker_dies,
            self._wire_breaks,
            self._postgres_away,
            self._clock_jumps,
            self._message_again,
        ]
        return [*usual, self._disk_put_back, self._disk_lost] if self.rng.random() < 0.2 else usual

    def _fault(self, kind: Callable[[], None]) -> None:
        if self.scheduler.now < self.chaos_s:
            self.faults += 1
            kind()

    def _some(self) -> Machine:
        return self.rng.choice(self.machines)

    def _back_soon(self, start: Callable[[], None], longest: float = 12.0) -> None:
        self.scheduler.after(self.rng.choice([self.rng.uniform(0.1, 2.0), self.rng.uniform(1.0, longest)]), start)

    def _agent_dies(self) -> None:
        machine = self._some()
        machine.crash()
        self._back_soon(machine.start)

    def _agent_dies_at_a_point(self) -> None:
        machine = self._some()
        machine.fuse = self.rng.randint(0, 25)

    def died(self, machine: Machine) -> None:
        """The power failed at a point."""
        self._back_soon(machine.start)

    def _agent_stops(self) -> None:
        machine = self._some()
        machine.stop(lambda: self._back_soon(machine.start))

    def _hub_dies(self) -> None:
        worker = self.rng.choice(self.workers)
        self.trace(f"{worker.name} dies")
        worker.crash()
        self.broker.disturb_all()
        self._back_soon(worker.start)

    def _hub_dies_at_a_point(self) -> None:
        worker = self.rng.choice(self.workers)
        worker.fuse = self.rng.randint(0, 40)

    def worker_died(self, worker: Worker) -> None:
        """It died between two steps."""
        self.broker.disturb_all()
        self._back_soon(worker.start)

    def _broker_dies(self) -> None:
        if self.broker.up:
            forget = self.rng.random() < 0.6
            self.trace(f"the broker dies{' and forgets' if forget else ''}")
            self.broker.die(forget=forget)
            self._back_soon(self.broker.come_back)

    def _wire_breaks(self) -> None:
        machine = self._some()
        self.trace(f"{machine.client_id} loses its connection")
        machine.cut()

    def _postgres_away(self) -> None:
        self.trace("Postgres is away")
        self.store.down = True
        self.broker.disturb_all()

        def back() -> None:
            self.store.down = False
            self.broker.disturb_all()

        self._back_soon(back)

    def _clock_jumps(self) -> None:
        self._some().wall_offset += self.rng.choice([-86_400.0, -600.0, 600.0, 86_400.0])

    def _message_again(self) -> None:
        self.broker.play_again(self._some().client_id)

    def _disk_put_back(self) -> None:
        """The disk is copied now, and put back later."""
        machine = self._some()
        copy = copy_of(machine.disk)
        self.scheduler.after(self.rng.uniform(1.0, 20.0), self._put_back, machine, copy)

    def _disk_lost(self) -> None:
        self._put_back(self._some(), Snapshot())

    def _put_back(self, machine: Machine, disk: Snapshot) -> None:
        if self.scheduler.now >= self.chaos_s:
            return
        machine.crash()
        empty = disk.settings.journal_id is None
        self.trace(f"the disk of {machine.client_id} is {'empty' if empty else 'put back'}")
        self._lost.add(machine.client_id)
        self.checks.rolled_back(machine, empty=empty)
        machine.disk = disk
        self._back_soon(machine.start)

    def lost_journal(self, client_id: str) -> bool:
        """Whether a client's journal was ever lost or put back."""
        return client_id in self._lost

    # --- the log of the hub, and ours ------------------------------------------------------------------------

    def trace(self, text: str) -> None:
        if self._traced:
            self.lines.append(f"{self.scheduler.now:9.3f}  {text}")

    def debug(self, event: Any, **fields: Any) -> None:
        pass

    info = warning = error = debug

    def seldom(self, *_kind: Any, **_most: Any) -> "World":
        """The same log."""
        return self

    def exception(self, event: Any, **fields: Any) -> None:
        """The hub logs what must not happen."""
        raise

    # --- the run ---------------------------------------------------------------------------------------------

    def run(self) -> Result:
        violation: Violation | None = None
        try:
            self._run()
        except Violation as found:
            violation = found
            self.trace(f"VIOLATION {found}")
        rows = self.store.commands.values()
        told = [(row["id"].int & 0xFFFF, str(row["status"]), row["attempt"], row["version"]) for row in rows]
        return Result(
            self.seed,
            None if violation is None else str(violation),
            None if violation is None else violation.check,
            len(told),
            self.faults,
            self.scheduler.count,
            sum(self.checks.effects.values()),
            dict(Counter(status for _, status, _, _ in told)),
            f"{self.scheduler.count} {self.scheduler.now:.6f} {told}",
        )

    def _run(self) -> None:
        self.scheduler.run(self.chaos_s)
        self.trace("faults stop")
        self._heal()
        self.scheduler.run(self.chaos_s + 15.0)
        if self.scheduler.run(self.chaos_s + SETTLE_S, self._at_rest):
            said = [machine.report_messages for machine in self.machines]
            self.scheduler.run(self.scheduler.now + AFTER_S)
            self.checks.at_the_end()
            if said != [machine.report_messages for machine in self.machines]:
                raise Violation("receipts end the sending", "reports were sent although all had their receipt")
        self.checks.at_the_end()

    def _heal(self) -> None:
        self.broker.loss = self.broker.double = self.broker.late = self.store.breaks = 0.0
        self.store.down = False
        self.broker.come_back()
        self.broker.disturb_all()
        for worker in self.workers:
            worker.fuse = None
            worker.start()
        for machine in self.machines:
            machine.fuse = None
            machine.device.well = True
            self.scheduler.after(5.0, machine.start)

    def _at_rest(self) -> bool:
        return all(machine.settled for machine in self.machines) and not any(
            row["status"] in ("pending", "queued", "running") for row in self.store.open.values()
        )
