"""Machines, a broker and hub workers in one small world, for tests of who is there and who may command.

The hub's decisions are the production ones (`meeting`, `identity`, `presence`). What stands around them is as bad as it
can be: wills and takeovers, workers that lag, miss messages and die, a broker that dies and forgets.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hub.core.presence.rules.admission import Admission, Verdict, admit
from hub.core.presence.rules.identity import Claim, Finding, Identity, Lived, take_offer
from hub.core.presence.rules.presence import ROLL_CALL_PATIENCE, Evidence, Observation, ObservationKind, age, observe
from schemas.states import Level

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Word:
    """A presence message."""

    kind: ObservationKind
    session: str
    connection: int
    journal: str | None = None
    epoch: int | None = None
    mark: int | None = None
    nonce: str | None = None
    retained: bool = False


@dataclass(frozen=True)
class Welcome:
    session: str
    nonce: str | None
    journal: str
    epoch: int
    keep_away: bool


@dataclass
class Disk:
    """What a journal holds, as far as the hub is concerned."""

    journal: str | None = None
    epoch: int | None = None
    mark: int = 0


@dataclass
class Machine:
    """One agent, or none: `session` is its process. A basic client has neither journal nor marks."""

    name: str
    level: Level = Level.FULL
    disk: Disk = field(default_factory=Disk)
    session: str | None = None
    connection: int = 0
    connected: bool = False
    nonce: str | None = None
    away: bool = False
    starts: int = 0

    def start(self) -> None:
        self.starts += 1
        self.session, self.connection, self.connected = f"{self.name}{self.starts}", 0, False
        self.away = False
        self.disk.mark += 1

    def birth(self) -> Word:
        self.nonce = f"{self.session}/{self.connection}"
        return self._word(ObservationKind.BIRTH, nonce=self.nonce)

    def heartbeat(self) -> Word:
        return self._word(ObservationKind.HEARTBEAT)

    def _word(self, kind: ObservationKind, nonce: str | None = None) -> Word:
        full = self.level is Level.FULL
        return Word(
            kind,
            str(self.session),
            self.connection,
            self.disk.journal if full else None,
            self.disk.epoch if full else None,
            self.disk.mark if full else None,
            nonce,
        )

    def observe(self, welcome: Welcome) -> None:
        if self.level is Level.BASIC or not self.connected or welcome.nonce != self.nonce:
            return
        if welcome.session != self.session or welcome.epoch < (self.disk.epoch or 0):
            return
        self.nonce = None
        if welcome.keep_away:
            self.away = True
        else:
            self.disk.journal, self.disk.epoch = welcome.journal, welcome.epoch


@dataclass
class Hub:
    """One client's rows, and what workers do with them."""

    level: Level = Level.FULL
    evidence: Evidence = field(default_factory=Evidence)
    identity: Identity = field(default_factory=Identity)
    births: list[tuple[str, int, int | None, int]] = field(default_factory=list)
    """Session, connection, epoch shown, epoch issued: the history."""
    alarms: list[tuple[str, str]] = field(default_factory=list)
    stays: str | None = None
    welcomes: list[Welcome] = field(default_factory=list)
    lost: int = 0
    now: datetime = START
    watched_from: int = 0

    def see(self, word: Word, stream: deque[tuple[str, int]]) -> None:
        self.now += timedelta(milliseconds=1)
        match word.kind:
            case ObservationKind.BIRTH:
                self._birth(word, stream)
            case ObservationKind.HEARTBEAT:
                self._alive(word)
            case ObservationKind.WILL | ObservationKind.GOOD_BYE:
                observation = Observation(word.kind, word.session, word.connection, self.evidence.level, word.retained)
                self.evidence = observe(self.evidence, observation, self.now)

    def _birth(self, word: Word, stream: deque[tuple[str, int]]) -> None:
        present = (str(self.evidence.session), self.evidence.connection)
        follows = word.mark is None and present in stream
        stream.append((word.session, word.connection))
        admission = admit(
            self.evidence,
            replace(self.identity, session=self.evidence.session),
            Claim(
                level=self.level,
                session=word.session,
                connection=word.connection,
                journal=word.journal,
                epoch=word.epoch,
                mark=word.mark,
            ),
            kept_away=self.stays is not None,
            superseded=any(s == word.session and c >= word.connection for s, c, _, _ in self.births),
            follows=follows,
            lives=self.lives(),
            fresh=f"journal-{len(self.births)}-{self.identity.issued}",
        )
        self._follow(word, admission)

    def _follow(self, word: Word, admission: Admission) -> None:
        observation = Observation(ObservationKind.BIRTH, word.session, word.connection, self.level, word.retained)
        match admission.verdict:
            case Verdict.LATE:
                self._offer(word)
            case Verdict.REPEATED:
                after = observe(self.evidence, observation, self.now)
                if after != self.evidence:
                    self.evidence = after
                    if self.identity.confirmed < self.identity.issued:
                        self._welcome(word, self.identity)
            case Verdict.TURNED_AWAY | Verdict.ALARM_LEAVES:
                self._welcome(word, self.identity, keep_away=True)
            case Verdict.DOUBTED:
                self.identity = admission.identity
                self.births.append((word.session, word.connection, word.epoch, self.identity.issued))
                self._offer(word)
            case Verdict.TAKEN | Verdict.ALARM_STAYS:
                self.lost += admission.finding is Finding.LOST
                self.identity = admission.identity
                self.evidence = observe(self.evidence, observation, self.now)
                self.births.append((word.session, word.connection, word.epoch, self.identity.issued))
                self._welcome(word, self.identity)
        if admission.twin is not None:
            self.alarms.append((word.session, admission.twin))
            self.stays = admission.twin if admission.verdict is Verdict.ALARM_LEAVES else word.session

    def _alive(self, word: Word) -> None:
        identity = self.identity
        if word.session == self.evidence.session:
            shown = min(word.epoch or 0, identity.issued)
            mark = max(identity.mark, word.mark or 0) if word.connection == self.evidence.connection else identity.mark
            self.identity = replace(identity, confirmed=max(identity.confirmed, shown), mark=mark)
        taken = take_offer(replace(self.identity, session=self.evidence.session), word.session, word.epoch, word.mark)
        observation = Observation(ObservationKind.HEARTBEAT, word.session, word.connection, self.evidence.level)
        if taken is not None and self.stays is None:
            self.identity, offer, finding = taken
            self.lost += finding is Finding.LOST
            observation = Observation(
                ObservationKind.BIRTH, offer.session, max(offer.connection, word.connection), Level.FULL
            )
        self.evidence = observe(self.evidence, observation, self.now)

    def _welcome(self, word: Word, identity: Identity, *, keep_away: bool = False) -> None:
        welcome = Welcome(word.session, word.nonce, identity.journal or "", identity.issued, keep_away)
        self.welcomes.append(welcome)

    def _offer(self, word: Word) -> None:
        for offer in self.identity.offers:
            if (offer.session, offer.connection) == (word.session, word.connection):
                self.welcomes.append(Welcome(word.session, word.nonce, offer.journal, offer.epoch, keep_away=False))

    def lives(self) -> list[Lived]:
        found = []
        for session in {s for s, _, _, _ in self.births}:
            rows = [row for row in self.births if row[0] == session and row[3] > self.watched_from]
            if rows:
                shown = max((row[2] for row in rows if row[2] is not None), default=None)
                found.append(Lived(session, min(row[3] for row in rows), shown))
        return found


@dataclass
class Worker:
    """One process of the hub: what it has received and not looked at yet, and the births it has heard."""

    connected: bool = True
    queue: deque[Word] = field(default_factory=deque)
    stream: deque[tuple[str, int]] = field(default_factory=lambda: deque(maxlen=8))


class World:
    """The broker knows one client id, so whoever connects takes the connection from whoever has it."""

    def __init__(self, level: Level = Level.FULL, workers: int = 2) -> None:
        self.level = level
        self.hub = Hub(level)
        self.workers = [Worker() for _ in range(workers)]
        self.machines = [Machine("a", level)]
        self.holder: Machine | None = None
        self.held: Word | None = None
        """The will of the connection that the broker holds."""
        self.retained: Word | None = None
        self.saved: Word | None = None
        """What the broker's disk has of it."""
        self.unsure = False
        """The broker was killed, and wills with it: only silence tells that somebody is gone."""

    # --- the broker ------------------------------------------------------------------------------------------

    def publish(self, word: Word) -> None:
        if word.kind is ObservationKind.HEARTBEAT:
            listening = [worker for worker in self.workers if worker.connected]
            if listening:
                listening[word.connection % len(listening)].queue.append(word)
            return
        self.retained = word
        for worker in self.workers:
            if worker.connected:
                worker.queue.append(word)

    def connect(self, machine: Machine) -> None:
        if machine.session is None or machine.connected:
            return
        self.drop()
        machine.connection += 1
        machine.connected = True
        self.holder, self.held = machine, Word(ObservationKind.WILL, machine.session, machine.connection)
        self.publish(machine.birth())

    def drop(self) -> None:
        """The broker notices that its connection is gone, or somebody takes it."""
        if self.holder is not None and self.held is not None:
            if self.holder.session == self.held.session:
                self.holder.connected = False
            self.publish(self.held)
        self.holder = self.held = None

    def die(self, machine: Machine) -> None:
        """The process is killed; whether the broker notices now or later is for others to say."""
        machine.session, machine.connected = None, False

    def restart_broker(self, *, killed: bool) -> None:
        if not killed:
            self.drop()
            self.saved = self.retained
        else:
            self.unsure = True
            if self.holder is not None:
                self.holder.connected = False
            self.holder = self.held = None
        self.retained = self.saved
        for worker in self.workers:
            worker.connected = False

    # --- the hub ---------------------------------------------------------------------------------------------

    def join(self, worker: Worker) -> None:
        if worker.connected:
            return
        worker.connected = True
        if self.retained is not None:
            worker.queue.append(replace(self.retained, retained=True))

    def look(self, worker: Worker) -> None:
        if worker.queue:
            self.hub.see(worker.queue.popleft(), worker.stream)

    def deliver(self, *, lose: bool = False) -> None:
        """What the hub has sent arrives at whoever is connected, or does not."""
        welcomes, self.hub.welcomes = self.hub.welcomes, []
        if self.holder is not None and not lose:
            for welcome in welcomes:
                self.holder.observe(welcome)

    def settle(self, rounds: int = 12) -> None:
        """Everything arrives: queues run empty, agents that live are connected, welcomed and heard, the roll is
        called."""
        for _ in range(rounds):
            for worker in self.workers:
                self.join(worker)
            if self.holder is not None and not self.holder.connected:
                self.drop()
            self._agent_goes_on()
            for worker in self.workers:
                while worker.queue:
                    self.look(worker)
            self.deliver()
        called = self.hub.now + timedelta(seconds=1)
        self.hub.now = called
        self._agent_goes_on()
        for worker in self.workers:
            while worker.queue:
                self.look(worker)
        self.hub.evidence = age(self.hub.evidence, self.hub.now + ROLL_CALL_PATIENCE, called)

    def _agent_goes_on(self) -> None:
        living = [machine for machine in self.machines if machine.session is not None and not machine.away]
        if living and self.holder is None:
            self.connect(living[0])
        if self.holder is not None and self.level is Level.FULL:
            if self.holder.nonce is not None:  # no welcome yet: it says its birth again
                self.publish(self.holder.birth())
            self.publish(self.holder.heartbeat())
