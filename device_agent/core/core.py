"""The agent's decisions, without I/O: events and the time in, a `Decision` out.

Nothing here opens a file or a socket, reads a clock or sleeps, so a simulation can run this very module through any
order of deliveries, losses and crashes. Memory changes only in `Core.handle`; what it decided takes effect only after
its writes are committed. A core whose commit failed must not be used again.
"""

import random
from collections import Counter
from collections.abc import Collection
from typing import assert_never

import msgspec

from device_agent.core import generation
from device_agent.core.clock import HubClock
from device_agent.core.commands import Commands, Turn
from device_agent.core.events import (
    Connected,
    Decision,
    Disconnected,
    EffectEnded,
    EffectFound,
    EffectHeld,
    EffectProgress,
    EffectRemembered,
    EffectResumed,
    Event,
    Inbox,
    LeaveBroker,
    MessageReceived,
    Now,
    Publish,
    PublishFailed,
    ReportsPublished,
    Started,
    StopRequested,
    Tick,
)
from device_agent.core.gate import Gate
from device_agent.core.lifetime import Lifetime
from device_agent.core.link import Link
from device_agent.core.log import Log
from device_agent.core.records import PutAttempt, PutSettings, PutTombstone, Settings, merge
from device_agent.core.trust import TRUST_CODES, Trust
from schemas import codec
from schemas.codec import ContractError
from schemas.messages import AgentVersion, Cancel, Receipt, Run, Welcome
from schemas.topics import Channel

FENCED_RETRY_S = 60.0
NEW_IDENTITY_RETRY_S = 0.5
ROLL_CALL_AGE_S = 2.0
REFUSAL_LOG_S = 10.0
"""A forger shall not fill the disk: one line per code in this time; the counts are exact."""
HUB_TIME_STEP_S = 1.0


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who this agent is; the same for the whole process."""

    client_id: str
    session: str
    """New with each process start."""
    root_key: bytes
    """The hub's public root key, 32 bytes."""
    agent: AgentVersion
    boot: str = ""
    """The machine's boot, new with each start of it."""


class Core:
    """One per process. `Started` is its first event; every other one before it raises RuntimeError."""

    def __init__(
        self,
        identity: Identity,
        gate: Gate,
        rng: random.Random,
        max_unfinished: int = 32,
        announced: Collection[str] = (),
    ) -> None:
        """`announced`: the actions whose drivers say before they do anything."""
        self._identity = identity
        self._link = Link(identity.client_id, identity.session, identity.agent, rng, identity.boot)
        life = Lifetime(boot=identity.boot, process=identity.session)
        self._commands = Commands(gate, max_unfinished, rng, life, announced)
        self._trust = Trust(identity.root_key)
        self._clock = HubClock(0.0)
        self._settings: Settings | None = None
        self._welcomed = False
        self._fenced = False
        self._bound = False
        """Whether this hub's welcomes say which birth they answer; from then on one that does not is refused."""
        self._token = 0
        self._in_flight: int | None = None
        self._refused_at: dict[str, float] = {}
        self.refused: Counter[str] = Counter()
        """Messages that were not obeyed, by code."""
        self._refused_list: str | None = None
        self._refused_message: str | None = None

    @property
    def epoch(self) -> int | None:
        """The last epoch that a welcome carried."""
        return None if self._settings is None else self._settings.epoch

    @property
    def distrusts(self) -> str | None:
        """Why what the hub signs is refused now; None once something of it was trusted. The list is the reason where
        one was refused, too."""
        return None if self._refused_message is None else self._refused_list or self._refused_message

    @property
    def quiet(self) -> bool:
        """Whether an agent that was asked to stop has nothing left to wait for."""
        waits = self._link.up and not self._fenced and self._commands.outbox.unreceipted > 0
        return not self._commands.taking and self._commands.active == 0 and not waits

    def will(self, connection: int) -> bytes:
        """The payload of the last will for a connection that is about to be opened."""
        return self._link.will(connection, self.epoch)

    def offline(self) -> bytes:
        """The payload of the clean good-bye."""
        return self._link.offline(self.epoch)

    def handle(self, event: Event, at: Now) -> Decision:
        """Take in one event. The caller commits `writes`, then takes `steps` in order."""
        turn = Turn(at=at, hub_now=self._clock.now(at))
        if isinstance(event, Started):
            self._start(event, turn)
        elif self._settings is None:
            raise RuntimeError("the first event of a core is Started")
        else:
            self._take(event, turn)
        self._advance(turn)
        return Decision(
            writes=tuple(merge(turn.writes).values()),
            steps=tuple(turn.steps),
            notes=tuple(turn.notes),
            wake_at=self._wake_at(turn),
        )

    def _take(self, event: Event, turn: Turn) -> None:
        match event:
            case Connected():
                self._link.opened(event.connection, turn.at.mono)
                self._in_flight = None
                self._commands.outbox.all_due(turn.at.mono)
            case Disconnected():
                self._link.closed()
                self._in_flight = None
            case MessageReceived():
                self._receive(event, turn)
            case EffectEnded():
                self._commands.ended(event.command_id, event.attempt, event.outcome, turn)
            case EffectHeld():
                self._commands.held(event, turn)
            case EffectResumed():
                self._commands.resumed(event.command_id, event.attempt, turn)
            case EffectRemembered():
                self._commands.remembered(event.command_id, event.attempt, event.evidence, turn)
            case EffectFound():
                self._commands.found(event.command_id, event.attempt, turn)
            case EffectProgress():
                self._commands.progress(event.command_id, event.attempt, event.data, turn)
            case ReportsPublished() | PublishFailed():
                # Unconfirmed is unknown, not failed: either way only the receipt counts, and the back-off runs.
                if event.token == self._in_flight:
                    self._in_flight = None
            case StopRequested():
                self._commands.taking = False
            case Tick() | Started():
                pass
            case _:
                assert_never(event)

    def _start(self, event: Started, turn: Turn) -> None:
        self._settings = event.snapshot.settings
        self._clock = HubClock(self._settings.hub_time)
        turn.hub_now = self._clock.now(turn.at)
        if self._settings.keys is not None:
            try:
                self._trust.learn(self._settings.keys, self._clock.for_key_expiry(turn.at))
            except ContractError as problem:  # another root key was pinned, or the list is too old: a new one comes
                self._refuse(problem.code, problem.message, turn)
        # So that whatever this process shows is above all that earlier ones can have shown.
        self._remember(turn, generation=generation.after_start(self._settings.generation))
        self._commands.load(event.snapshot, turn)

    def _receive(self, event: MessageReceived, turn: Turn) -> None:
        try:
            self._read(event, turn)
        except ContractError as problem:
            self._refuse(problem.code, problem.message, turn, inbox=event.inbox.value)
            if event.inbox is Inbox.KEYS:
                self._refused_list = problem.code
            elif problem.code in TRUST_CODES:
                self._refused_message = problem.code
            if event.inbox is Inbox.RECEIPTS and problem.code in {"unknown_key", "key_expired", "key_list_expired"}:
                self._link.ask_welcome(turn.at.mono)

    def _read(self, event: MessageReceived, turn: Turn) -> None:
        """Raises ContractError for whatever is not obeyed."""
        now = self._clock.for_key_expiry(turn.at)
        match event.inbox:
            case Inbox.KEYS:
                learned = self._trust.learn(event.payload, now)
                self._refused_list = None
                if learned:
                    turn.note(Log.KEYS_ACCEPTED, version=self._trust.version)
                    self._remember(turn, keys=event.payload)
            case Inbox.ROLL_CALL:
                self._link.roll_call(codec.decode_roll_call(event.payload).spread_s, turn.at.mono)
            case Inbox.RESPONSES:
                raise ContractError("unexpected", "this agent asks nothing, so that nothing can be answered")
            case Inbox.COMMANDS | Inbox.RECEIPTS:
                if event.retained:
                    raise ContractError("retained", "the hub never retains what is for one client: a replay")
                channel = Channel.COMMANDS if event.inbox is Inbox.COMMANDS else Channel.RECEIPTS
                message, body = self._trust.open(channel, event.payload, now)
                self._refused_message = None
                if message.client_id != self._identity.client_id:
                    raise ContractError("foreign_client", f"it is for the client {message.client_id}")
                self._obey(message, body, turn)
            case _:
                assert_never(event.inbox)

    def _obey(self, message: Run | Cancel | Receipt | Welcome, body: bytes, turn: Turn) -> None:
        match message:
            case Receipt():
                self._clock.adopt_receipt(message.hub_time.timestamp(), turn.at)
                turn.hub_now = self._clock.now(turn.at)
                turn.writes += self._commands.outbox.receipt(message.report_ids)
            case Welcome():
                self._welcome(message, turn)
            case Run() | Cancel() if self._fenced:
                raise ContractError("fenced", "the hub told this agent to keep away")
            case Cancel():
                self._commands.cancel(message, turn)
            case Run():
                journal = None if self._settings is None else self._settings.journal_id
                if journal is None or message.journal != journal:
                    # No report: this agent cannot know what became of it. A welcome settles which journal counts.
                    self._link.ask_welcome(turn.at.mono)
                    raise ContractError(
                        "wrong_journal", f"it is meant for journal {message.journal}, this is {journal}"
                    )
                if not self._commands.run(message, body, turn, clock_known=self._clock.anchored):
                    self._give_up_journal(message, turn)
            case _:
                assert_never(message)

    def _welcome(self, welcome: Welcome, turn: Turn) -> None:
        settings = self._settings or Settings()
        if welcome.session != self._identity.session:
            raise ContractError("stale_welcome", "it answers a birth of another process")
        if settings.epoch is not None and welcome.epoch < settings.epoch:
            raise ContractError("stale_welcome", f"epoch {welcome.epoch} is older than {settings.epoch}")
        if welcome.nonce is not None and welcome.nonce == self._link.answered:
            return  # another worker of the hub says the same
        if self._bound if welcome.nonce is None else not self._link.asked(welcome.nonce):
            raise ContractError("stale_welcome", "it answers no birth that waits for an answer")
        self._bound = welcome.nonce is not None
        replaced = welcome.journal != settings.journal_id
        self._link.welcomed(turn.at.mono, welcome.nonce, new_journal=replaced)
        if welcome.keep_away is not None:
            # Neither epoch nor journal id is taken over: they belong to the machine that may stay.
            self._fenced = True
            turn.note(Log.FENCED, reason=welcome.keep_away)
            turn.steps.append(LeaveBroker(reason=welcome.keep_away, retry_after_s=FENCED_RETRY_S))
            return
        self._clock.adopt_welcome(welcome.hub_time.timestamp(), turn.at)
        turn.hub_now = self._clock.now(turn.at)
        self._remember(turn, journal_id=welcome.journal, epoch=welcome.epoch)
        if replaced:
            if settings.journal_id is not None:
                turn.note(Log.JOURNAL_REPLACED, before=settings.journal_id, now=welcome.journal)
            self._commands.journal_replaced(turn)
        self._welcomed = True
        self._fenced = False
        skew = self._clock.skew(turn.at)
        if skew is not None:
            turn.note(Log.CLOCK_SKEW, ahead_s=round(skew), message="set this machine's clock; the hub's time is used")
        turn.note(Log.WELCOMED, epoch=welcome.epoch, journal=welcome.journal)

    def _give_up_journal(self, run: Run, turn: Turn) -> None:
        """This journal is an older copy of itself: begin nothing that it holds, and ask the hub for a new identity."""
        message = f"the hub has heard more of command {run.command_id} than this journal knows"
        turn.note(Log.JOURNAL_ROLLED_BACK, message=message, command_id=run.command_id)
        self._remember(turn, journal_id=None)
        self._welcomed = False
        turn.steps.append(LeaveBroker(reason="the journal was rolled back", retry_after_s=NEW_IDENTITY_RETRY_S))

    def _advance(self, turn: Turn) -> None:
        mono, known = turn.at.mono, self._clock.anchored
        self._commands.advance(turn, clock_known=known, may_begin=self._welcomed and not self._fenced)
        if self._link.take_roll_call(mono):
            self._commands.outbox.all_due(mono, made_before=turn.hub_now - ROLL_CALL_AGE_S)
        if self._welcomed and any(isinstance(write, PutAttempt | PutTombstone) for write in turn.writes):
            before = (self._settings or Settings()).generation
            self._remember(turn, generation=generation.after_change(before))
        settings = self._settings or Settings()
        turn.steps += self._link.due(turn.at, settings.journal_id, settings.epoch, settings.generation)
        if self._link.up and not self._fenced and self._in_flight is None:
            payload = self._commands.outbox.batch(
                self._identity.client_id,
                self._identity.session,
                settings.epoch,
                mono,
                connection=self._link.connection,
                generation=settings.generation,
            )
            if payload is not None:
                self._token += 1
                self._in_flight = self._token
                turn.steps.append(Publish(channel=Channel.REPORTS, payload=payload, qos=1, token=self._token))
        if turn.writes and known and turn.hub_now >= settings.hub_time + HUB_TIME_STEP_S:
            self._remember(turn, hub_time=turn.hub_now)

    def _wake_at(self, turn: Turn) -> float:
        dues = [self._commands.next_due(turn, clock_known=self._clock.anchored)]
        link = self._link.next_due()
        if link is not None:
            dues.append(link)
            reports = self._commands.outbox.next_due()
            if reports is not None and self._in_flight is None and not self._fenced:
                dues.append(reports)
        return min(dues)

    def _remember(self, turn: Turn, **values: str | int | float | bytes | None) -> None:
        self._settings = msgspec.structs.replace(self._settings or Settings(), **values)
        turn.writes.append(PutSettings(self._settings))

    def _refuse(self, code: str, message: str, turn: Turn, **fields: str) -> None:
        """Count what is not obeyed; log it without letting a forger fill the disk."""
        self.refused[code] += 1
        last = self._refused_at.get(code)
        if last is None or turn.at.mono - last >= REFUSAL_LOG_S:
            self._refused_at[code] = turn.at.mono
            turn.note(Log.MESSAGE_REFUSED, code=code, message=message, count=self.refused[code], **fields)
