"""The broker and the wires: messages are lost, doubled, late and overtaken; connections break; the broker forgets."""

import random
from typing import TYPE_CHECKING, Any

from device_agent.core.events import Inbox, Publish
from schemas.messages import Message, Welcome
from schemas.topics import Channel
from tests.simulation.scheduler import Scheduler

if TYPE_CHECKING:
    from tests.simulation.hub import Worker
    from tests.simulation.machine import Machine

ANSWER_S = 10.0
KEEPALIVE_S = 18.0
KEPT = 60


class Broker:
    """One broker. `loss`, `double`, `late` are how often it goes wrong; `ordered`: nothing overtakes on a wire."""

    def __init__(self, scheduler: Scheduler, rng: random.Random, log: Any) -> None:
        self._scheduler = scheduler
        self._rng = rng
        self._log = log
        self.up = True
        self.loss = self.double = self.late = 0.0
        self.ordered = True
        self.workers: set[str] = set()
        self._hubs: dict[str, Worker] = {}
        self.machines: dict[str, Machine] = {}
        self._births: dict[str, bytes] = {}
        self._for_all: dict[str, bytes] = {}
        self._wires: dict[str, float] = {}
        self.recorded: dict[str, list[tuple[str, bytes, Message | None]]] = {}
        """What went to each client, for whoever plays it again."""
        self.disturbed: dict[str, float] = {}
        """When a word from or to a client was last lost or late."""

    # --- wires -----------------------------------------------------------------------------------------------

    def _ways(self, wire: str, client_id: str) -> list[float]:
        """The delays of a message's copies; none: it is lost."""
        rng = self._rng
        if rng.random() < self.loss:
            self.disturb(client_id)
            return []
        copies = 2 if rng.random() < self.double else 1
        return [self._delay(wire, client_id) for _ in range(copies)]

    def _delay(self, wire: str, client_id: str) -> float:
        rng = self._rng
        delay = rng.uniform(0.001, 0.03)
        if rng.random() < self.late:
            delay = rng.uniform(0.1, 8.0)
            self.disturb(client_id)
        if not self.ordered:
            return delay
        at = max(self._scheduler.now + delay, self._wires.get(wire, 0.0))
        self._wires[wire] = at
        return at - self._scheduler.now

    def disturb(self, client_id: str) -> None:
        self.disturbed[client_id] = self._scheduler.now

    def disturb_all(self) -> None:
        for client_id in self.machines:
            self.disturb(client_id)

    # --- hub -> client ---------------------------------------------------------------------------------------

    def publish_to_client(self, client_id: str, inbox: str, payload: bytes, message: Message | None) -> None:
        kept = self.recorded.setdefault(client_id, [])
        kept.append((inbox, payload, message))
        del kept[:-KEPT]
        machine = self.machines[client_id]
        link = machine.link
        if not self.up or link is None:
            self.disturb(client_id)
            return
        for delay in self._ways(f"to {client_id}", client_id):
            self._scheduler.after(delay, self._arrive, machine, link, inbox, payload, False, message)

    def publish_to_all(self, inbox: str, payload: bytes) -> None:
        if self.up:
            self._for_all[inbox] = payload
            for machine in self.machines.values():
                if machine.link is not None:
                    self._scheduler.after(
                        self._rng.uniform(0.001, 0.03), self._arrive, machine, machine.link, inbox, payload, False, None
                    )

    def play_again(self, client_id: str) -> None:
        """Somebody who can write at the broker plays an old message again."""
        machine, kept = self.machines[client_id], self.recorded.get(client_id)
        if kept and machine.link is not None:
            inbox, payload, message = self._rng.choice(kept)
            self._log.trace(f"an old message on {inbox} of {client_id} is played again")
            # A welcome that was lost may come to life so: then it tells an old time.
            late = message if isinstance(message, Welcome) else None
            self._arrive(machine, machine.link, inbox, payload, False, late)

    def _arrive(
        self, machine: "Machine", link: int, inbox: str, payload: bytes, retained: bool, message: Message | None
    ) -> None:
        if self.up and machine.link == link:
            machine.receive(Inbox(inbox), payload, retained=retained, message=message)

    # --- client -> hub ---------------------------------------------------------------------------------------

    def publish_from_client(self, machine: "Machine", publish: Publish) -> None:
        link = machine.link
        if link is None:
            return
        ways = self._ways(f"from {machine.client_id}", machine.client_id)
        for delay in ways:
            self._scheduler.after(
                delay, self._take, machine.client_id, publish.channel, publish.payload, publish.retain
            )
        if publish.token is not None:
            confirmed = bool(ways) and self._rng.random() >= self.loss
            delay = max(ways) if confirmed else ANSWER_S
            self._scheduler.after(delay, machine.published, link, publish.token, confirmed)

    def _take(self, client_id: str, channel: Channel, payload: bytes, retain: bool) -> None:
        if not self.up:
            self.disturb(client_id)
            return
        if retain:
            self._births[client_id] = payload
        there = sorted(self.workers)
        if not there:
            self.disturb(client_id)
            return
        # Presence reaches every worker, the rest one of them.
        for name in there if channel is Channel.PRESENCE else [self._rng.choice(there)]:
            hub = self._hubs[name]
            for delay in self._ways(f"to {name}", client_id):
                self._scheduler.after(delay, self._reach, hub, hub.generation, client_id, channel, payload)

    def _reach(self, hub: "Worker", generation: int, client_id: str, channel: Channel, payload: bytes) -> None:
        if self.up and hub.connected and hub.generation == generation:
            hub.receive(client_id, channel, payload)
        else:
            self.disturb(client_id)

    # --- who is connected ------------------------------------------------------------------------------------

    def join(self, hub: "Worker") -> None:
        """A worker's subscriptions are granted: retained presence comes first."""
        self.workers.add(hub.name)
        self._hubs[hub.name] = hub
        for client_id, payload in sorted(self._births.items()):
            hub.receive(client_id, Channel.PRESENCE, payload, retained=True)

    def welcome_link(self, machine: "Machine", link: int) -> None:
        """A client's subscriptions are granted: what is retained for all comes."""
        for inbox, payload in sorted(self._for_all.items()):
            self._scheduler.after(0.001, self._arrive, machine, link, inbox, payload, True, None)

    def broken(self, client_id: str, will: bytes, link: int) -> None:
        """A connection broke; the broker notices at once, or by its keepalive, or when the client is back."""
        delay = self._rng.choice([0.001, 0.001, self._rng.uniform(1.0, KEEPALIVE_S)])

        def notice() -> None:
            machine = self.machines[client_id]
            if self.up and machine.link != link:
                self._take(client_id, Channel.PRESENCE, will, True)

        self.disturb(client_id)
        self._scheduler.after(delay, notice)

    def die(self, *, forget: bool) -> None:
        self.up = False
        self.disturb_all()
        if forget:
            self._births.clear()
            self._for_all.clear()
        for name in sorted(self.workers):
            self._hubs[name].lost_broker()
        self.workers.clear()
        for machine in self.machines.values():
            machine.lost_broker()

    def come_back(self) -> None:
        self.up = True
