"""A bench for the agent's core: a hub that signs, a disk that is a `Snapshot`, and a clock that only moves when told.

The bench is the shell: it commits the writes of a decision before it takes its steps, and a restart forgets everything
but the disk.
"""

import random
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from device_agent.core.core import Core, Identity
from device_agent.core.events import (
    Connected,
    Decision,
    Event,
    Inbox,
    MessageReceived,
    Note,
    Now,
    Publish,
    ReportsPublished,
    Started,
    StartEffect,
    Step,
    StopEffect,
    Tick,
)
from device_agent.core.gate import Refusal
from device_agent.core.log import Log
from device_agent.core.records import Snapshot, apply
from schemas import codec
from schemas.messages import (
    AgentVersion,
    Birth,
    Cancel,
    Keys,
    Message,
    Receipt,
    Report,
    RollCall,
    Run,
    SigningKey,
    Welcome,
)
from schemas.signing import DOMAIN, KEYS, Signer, encode_key
from schemas.states import OnInterrupt, ReportStatus
from schemas.topics import Channel

CLIENT = "pc-1"
JOURNAL = "journal-1"
T0 = datetime(2026, 11, 21, 9, 0, tzinfo=UTC).timestamp()
ALL_KINDS = ["run", "cancel", "receipt", "welcome"]


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def command_id(number: int) -> UUID:
    return UUID(int=(7 << 76) | (2 << 62) | number)


class HubKeys:
    """The hub's keys: a root that each client pins, and one that signs."""

    def __init__(self) -> None:
        self.root = Signer(b"r" * 32)
        self.signer = Signer(b"s" * 32)

    def key_list(
        self,
        version: int = 1,
        kinds: list[str] | None = None,
        not_after: float = T0 + 1e7,
        expires: float = T0 + 1e7,
        root: Signer | None = None,
    ) -> bytes:
        key = SigningKey(
            kid=self.signer.kid,
            key=encode_key(self.signer.public_key),
            kinds=ALL_KINDS if kinds is None else kinds,
            not_after=moment(not_after),
        )
        body = codec.encode(Keys(version=version, expires=moment(expires), keys=[key]))
        return (root or self.root).sign(KEYS, body)

    def sign(self, message: Message) -> bytes:
        kind = str(type(message).__struct_config__.tag)
        return self.signer.sign(DOMAIN[kind], codec.encode(message))


def a_run(number: int = 1, **fields: Any) -> Run:
    """A run message for this client; expires in an hour."""
    values: dict[str, Any] = {
        "client_id": CLIENT,
        "command_id": command_id(number),
        "attempt": 1,
        "lane": "printer:labels",
        "action": "print",
        "payload": {"n": number},
        "priority": 5,
        "issued_at": moment(T0 + number),
        "expires_at": moment(T0 + 3_600),
        "timeout_s": 60.0,
        "on_interrupt": OnInterrupt.UNKNOWN,
        "journal": JOURNAL,
    }
    return Run(**(values | fields))


def a_cancel(number: int = 1) -> Cancel:
    return Cancel(client_id=CLIENT, cancel_id=command_id(90_000 + number), command_id=command_id(number))


def gate(action: str, payload: dict[str, Any]) -> Refusal | None:
    """This client prints and nothing else."""
    return None if action == "print" else Refusal("unsupported_action", f"no driver carries out {action!r}")


class Bench:
    """One agent on the bench, connected to nothing until told."""

    def __init__(self, *, max_unfinished: int = 32, wall: float = T0, announced: Collection[str] = ()) -> None:
        """`announced`: the actions whose drivers say before they do anything."""
        self.keys = HubKeys()
        self.disk = Snapshot()
        self.wall = wall
        self.mono = 1_000.0
        self.hub_time = T0
        self.epoch = 0
        self.starts = 0
        self.connections = 0
        self.steps: list[Step] = []
        self.notes: list[Note] = []
        self._max_unfinished = max_unfinished
        self._announced = announced
        self.start()

    def start(self) -> None:
        """A new process on the same disk. What the old one had not committed is gone."""
        self.starts += 1
        self.connections = 0
        identity = Identity(
            client_id=CLIENT,
            session=self.session,
            root_key=self.keys.root.public_key,
            agent=AgentVersion(name="floorhub-agent", version="1"),
        )
        rng = random.Random(self.starts)  # noqa: S311 - repeats
        self.core = Core(identity, gate, rng, self._max_unfinished, self._announced)
        self.feed(Started(msgspec.json.decode(msgspec.json.encode(self.disk), type=Snapshot)))

    @property
    def session(self) -> str:
        return f"session-{self.starts}"

    def now(self) -> Now:
        return Now(self.wall, self.mono)

    def feed(self, event: Event) -> Decision:
        decision = self.core.handle(event, self.now())
        apply(self.disk, decision.writes)
        self.steps += decision.steps
        self.notes += decision.notes
        return decision

    def pass_time(self, seconds: float) -> Decision:
        """Both machine clocks and the hub's move on; the core gets a tick."""
        self.wall += seconds
        self.mono += seconds
        self.hub_time += seconds
        return self.feed(Tick())

    def receive(self, message: Message | bytes, *, retained: bool = False) -> Decision:
        payload = message if isinstance(message, bytes) else self.keys.sign(message)
        inbox = Inbox.COMMANDS if isinstance(message, bytes | Run | Cancel) else Inbox.RECEIPTS
        return self.feed(MessageReceived(inbox, payload, retained))

    def connect(self) -> Decision:
        self.connections += 1
        return self.feed(Connected(self.connections))

    def welcome(self, journal: str = JOURNAL, **fields: Any) -> Decision:
        """The hub's answer; without a `nonce` that of an older hub, which answers no birth in particular."""
        self.epoch += 1
        values: dict[str, Any] = {
            "client_id": CLIENT,
            "session": self.session,
            "journal": journal,
            "epoch": self.epoch,
            "hub_time": moment(self.hub_time),
        }
        return self.receive(Welcome(**(values | fields)))

    def learn_keys(self) -> None:
        self.feed(MessageReceived(Inbox.KEYS, self.keys.key_list(), retained=True))

    def ready(self) -> "Bench":
        """Connected and welcomed; the steps that led there are taken off."""
        self.connect()
        self.learn_keys()
        self.welcome()
        self.settle()
        self.steps.clear()
        return self

    def settle(self) -> None:
        """The broker confirms each publish until nothing more goes out."""
        done = 0
        while done < len(self.steps):
            step = self.steps[done]
            done += 1
            if isinstance(step, Publish) and step.token is not None:
                self.feed(ReportsPublished(step.token))

    def receipt(self) -> Decision:
        """The hub confirms everything that is on the disk."""
        ids = [record.report_id for record in self.disk.reports.values() if not record.receipted]
        return self.receive(Receipt(client_id=CLIENT, report_ids=ids, hub_time=moment(self.hub_time)))

    def roll_call(self, spread_s: float) -> None:
        body = codec.encode(RollCall(at=moment(self.hub_time), spread_s=spread_s))
        self.feed(MessageReceived(Inbox.ROLL_CALL, body, retained=True))

    # --- what came out ---------------------------------------------------------------------------------------

    def take(self) -> list[Step]:
        """The steps since the last call."""
        self.settle()
        steps, self.steps = self.steps, []
        return steps

    def reports(self) -> list[Report]:
        """The reports published since the last call, confirmed by the broker."""
        return reports_in(self.take())

    def statuses(self) -> list[ReportStatus]:
        return [report.status for report in self.reports()]

    def logged(self, log: Log) -> list[dict[str, Any]]:
        return [note.fields for note in self.notes if note.log is log]


def reports_in(steps: list[Step]) -> list[Report]:
    found: list[Report] = []
    for step in steps:
        if isinstance(step, Publish) and step.channel is Channel.REPORTS:
            found += codec.decode(Channel.REPORTS, step.payload).reports
    return found


def births_in(steps: list[Step]) -> list[Birth]:
    published = [step for step in steps if isinstance(step, Publish) and step.channel is Channel.PRESENCE]
    return [codec.decode(Channel.PRESENCE, step.payload) for step in published]


def effects_in(steps: list[Step]) -> list[tuple[int, int, str]]:
    """Number of the command, attempt and mode of each effect that was begun."""
    return [
        (step.command_id.int & 0xFFFFFF, step.attempt, step.mode) for step in steps if isinstance(step, StartEffect)
    ]


def stops_in(steps: list[Step]) -> list[tuple[int, str]]:
    return [(step.command_id.int & 0xFFFFFF, step.reason.value) for step in steps if isinstance(step, StopEffect)]
