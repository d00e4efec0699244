"""What people do about commands that ended without success: look through them, replay, dismiss, decide."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from msgspec.structs import asdict
from uuid_utils.compat import uuid7

from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import Caller, Permission
from hub.core.audit import store as audit
from hub.core.commands.rules.lifecycle import Close, Command, Ignore, Ignored, LockedCommand, Status
from hub.core.commands.service import reach
from hub.core.commands.service.submission import label_of, refusal
from hub.core.commands.store import submit as submit_store
from hub.core.commands.store import transitions
from hub.core.commands.store.submit import NewCommand
from hub.core.commands.telemetry import Event as CommandEvent
from hub.core.commands.telemetry import Metrics as CommandMetrics
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, NotFoundError, RejectedError
from hub.features.dead_letters import rules as dead_letters
from hub.features.dead_letters import store as store
from hub.features.dead_letters.rules import DECIDED, DISMISSED, REPLAYED, Decide, Dismiss, Replay, judge
from hub.features.dead_letters.store import DeadLetter, Filter, Original
from hub.features.dead_letters.telemetry import Event, Metrics
from hub.signals.ports import Signals
from hub.telemetry.log import Log

MOST = 1_000
"""Dead letters that one request may be about."""
MOST_GROUPS = 100
"""Clients, actions and causes that a summary names, the largest first."""
CHUNK = 100
"""Dead letters in one transaction: late reports about them wait for it, and their payloads go to Postgres together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which dead letters somebody asks about: these, or the oldest MOST open ones that fit a filter, after `after`."""

    ids: Sequence[UUID] | None = None
    wanted: Filter = field(default_factory=Filter)
    after: UUID | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one dead letter that somebody asked about. With `refusal` nothing did, and it says why."""

    id: UUID
    refusal: RejectedError | None = None
    repeated: bool = False
    """The same was asked before, and done."""
    command_id: UUID | None = None
    """The new command of a replay."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Those of the chosen ones; `left` open ones that fit the filter lie beyond, after `following`."""

    items: list[Outcome]
    left: int
    following: UUID | None


@dataclass(frozen=True, slots=True)
class Number:
    """How many of one name."""

    name: str | None
    number: int


@dataclass(slots=True)
class Numbers:
    """How many different names there are of a kind, and the largest of them."""

    different: int = 0
    largest: list[Number] = field(default_factory=list)


@dataclass(slots=True)
class Summary:
    """How many open dead letters there are; `oldest` is when the first of them ended."""

    total: int = 0
    oldest: datetime | None = None
    client: Numbers = field(default_factory=Numbers)
    action: Numbers = field(default_factory=Numbers)
    reason: Numbers = field(default_factory=Numbers)


class DeadLetters:
    """The service. Each dead letter is locked, decided about and closed in one transaction, with its replay."""

    def __init__(
        self,
        database: Database,
        signals: Signals,
        command_metrics: CommandMetrics,
        metrics: Metrics,
        log: Log,
        *,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        self._database = database
        self._signals = signals
        self._command_metrics = command_metrics
        self._metrics = metrics
        self._log = log
        self._new_id = new_id

    # --- looking ---------------------------------------------------------------------------------------------

    async def page(self, caller: Caller, wanted: Filter, *, before: UUID | None, limit: int) -> Page[DeadLetter, UUID]:
        """Up to `limit` open dead letters that a caller may read, newest first."""
        require_storable(**asdict(wanted))
        async with self._database.connection() as connection:
            rows = await store.page(connection, wanted, caller.scope, before=before, limit=limit + 1)
        return Page.of(rows, limit, lambda letter: letter.id)

    async def summary(self, caller: Caller, wanted: Filter) -> Summary:
        """How many there are that a caller may read, and by client, action and reason the largest numbers."""
        require_storable(**asdict(wanted))
        async with self._database.connection() as connection:
            counts = await store.summary(connection, wanted, caller.scope, most=MOST_GROUPS)
        found = Summary()
        numbers = {"client": found.client, "action": found.action, "reason": found.reason}
        for count in counts:
            if count.kind == "total":
                found.total, found.oldest = count.number, count.oldest
            else:
                numbers[count.kind].different = count.groups
                numbers[count.kind].largest.append(Number(count.name, count.number))
        return found

    # --- replay ----------------------------------------------------------------------------------------------

    async def retry(
        self,
        caller: Caller,
        command_id: UUID,
        *,
        force: bool = False,
        expires_in_s: float | None = None,
        new_id: UUID | None = None,
    ) -> Outcome:
        """Have one dead letter run once more, as a new command (`new_id`: a UUIDv7 of the caller's making).

        Asking again names the same command. Raises NotFoundError, ConflictError (no open dead letter, or its effect may
        have happened and `force` is false) and what a submit raises; then nothing was taken and it stays open.
        """
        new_ids = {} if new_id is None else {command_id: new_id}
        [outcome] = await self._replay(caller, [command_id], force, expires_in_s, new_ids)
        if outcome.refusal is not None:
            raise outcome.refusal
        return outcome

    async def replay(
        self, caller: Caller, ids: Iterable[UUID], *, force: bool = False, expires_in_s: float | None = None
    ) -> list[Outcome]:
        """The same for many, oldest first, each for itself: an outcome for each, in the order given."""
        return await _each(ids, lambda some: self._replay(caller, some, force, expires_in_s))

    async def replay_chosen(
        self, caller: Caller, chosen: Chosen, *, force: bool = False, expires_in_s: float | None = None
    ) -> Outcomes:
        """The same for those that somebody chose."""
        return await self._chosen(
            caller, chosen, lambda ids: self.replay(caller, ids, force=force, expires_in_s=expires_in_s)
        )

    async def _replay(
        self,
        caller: Caller,
        ids: Sequence[UUID],
        force: bool,
        expires_in_s: float | None,
        new_ids: dict[UUID, UUID] | None = None,
    ) -> list[Outcome]:
        outcomes: dict[UUID, Outcome] = {}
        closing: list[tuple[LockedCommand, Close]] = []
        replays: dict[UUID, UUID] = {}
        async with self._database.transaction() as connection:
            locked = await self._lock(connection, caller, ids, outcomes)
            for command in locked.values():
                if force and self._needs_decide(caller, command, outcomes):
                    continue
                new_id = (new_ids or {}).get(command.id) or self._new_id()
                decision = judge(command.state, Replay(new_id, caller.principal.name, force), command.now)
                if isinstance(decision, Close):
                    closing.append((command, decision))
                    replays[command.id] = new_id
            earlier = await store.replays(connection, [letter for letter in locked if letter not in replays])
            new, of_new = await self._submit(connection, caller, replays, expires_in_s)
            outcomes |= of_new
            taken = [(command, close) for command, close in closing if outcomes[command.id].refusal is None]
            for command, close in taken:
                command.fold(close)
            await transitions.apply(connection, [command for command, _ in taken])
            await audit.record_commands(
                connection,
                caller,
                "dead_letter.replay",
                {command.id: {"command_id": replays[command.id], "force": force} for command, _ in taken},
            )
        for letter in ids:
            if letter not in outcomes:
                wish = Replay(letter, caller.principal.name, force)
                outcomes[letter] = _nothing(letter, locked.get(letter), wish, earlier.get(letter))
        self._tell_replays(new, of_new)
        self._tell(REPLAYED, [command for command, _ in taken])
        return [outcomes[letter] for letter in ids]

    async def _submit(
        self, connection: Connection, caller: Caller, replays: dict[UUID, UUID], expires_in_s: float | None
    ) -> tuple[list[NewCommand], dict[UUID, Outcome]]:
        """Submit replays of locked commands, as any new command: what was accepted, and what became of each."""
        if not replays:
            return [], {}
        originals = await store.originals(connection, list(replays))
        # Oldest first: when a quota ends, it is the older ones that were taken.
        wanted = [_copy(originals[letter], replays[letter], caller, expires_in_s) for letter in sorted(replays)]
        verdicts = await submit_store.submit(connection, wanted)
        accepted: list[NewCommand] = []
        outcomes: dict[UUID, Outcome] = {}
        for command, verdict in zip(wanted, verdicts, strict=True):
            assert command.replay_of is not None  # noqa: S101 - a copy always says of what
            if verdict.refusal is None:
                accepted.append(command)
                outcomes[command.replay_of] = Outcome(command.replay_of, command_id=command.id)
            else:
                outcomes[command.replay_of] = Outcome(command.replay_of, refusal=refusal(verdict, command))
        return accepted, outcomes

    # --- dismiss ---------------------------------------------------------------------------------------------

    async def dismiss(self, caller: Caller, ids: Iterable[UUID], *, note: str | None = None) -> list[Outcome]:
        """Let dead letters rest: an outcome for each, in the order given. Idempotent. What waited behind
        one by its order key goes."""
        require_storable(note=note)
        return await _each(ids, lambda some: self._dismiss(caller, some, note))

    async def dismiss_chosen(self, caller: Caller, chosen: Chosen, *, note: str | None = None) -> Outcomes:
        """The same for those that somebody chose."""
        return await self._chosen(caller, chosen, lambda ids: self.dismiss(caller, ids, note=note))

    async def _dismiss(self, caller: Caller, ids: Sequence[UUID], note: str | None) -> list[Outcome]:
        outcomes: dict[UUID, Outcome] = {}
        wish = Dismiss(caller.principal.name, note)
        closed: list[LockedCommand] = []
        async with self._database.transaction() as connection:
            locked = await self._lock(connection, caller, ids, outcomes)
            for command in locked.values():
                if self._needs_decide(caller, command, outcomes):
                    continue
                decision = judge(command.state, wish, command.now)
                if isinstance(decision, Close):
                    command.fold(decision)
                    closed.append(command)
                    outcomes[command.id] = Outcome(command.id)
            await transitions.apply(connection, closed)
            await audit.record_commands(
                connection,
                caller,
                "dead_letter.dismiss",
                {command.id: None if note is None else {"note": note} for command in closed},
            )
        for letter in ids:
            if letter not in outcomes:
                outcomes[letter] = _nothing(letter, locked.get(letter), wish)
        self._tell(DISMISSED, closed)
        return [outcomes[letter] for letter in ids]

    # --- decide ----------------------------------------------------------------------------------------------

    async def decide(self, caller: Caller, command_id: UUID, outcome: Status, *, note: str | None = None) -> None:
        """Say what became of an unknown command: somebody has looked at the device. That is final; later reports
        change nothing. Raises NotFoundError, RejectedError `grant_missing`, or ConflictError when it is not unknown."""
        require_storable(note=note)
        async with self._database.transaction() as connection:
            for refused in (await reach.refusals(connection, caller, [command_id], "decide")).values():
                raise refused
            command = (await transitions.lock(connection, [command_id])).get(command_id)
            if command is None:
                raise NotFoundError("command_not_found", command_id=command_id)
            decision = judge(command.state, Decide(outcome, caller.principal.name, note), command.now)
            if isinstance(decision, Ignore):
                status = command.state.status.value
                raise ConflictError("command_not_unknown", command_id=command_id, status=status)
            waited = command.state.waits
            command.fold(decision)
            await transitions.apply(connection, [command])
            await audit.record_commands(
                connection,
                caller,
                "command.decide",
                {command_id: {"outcome": outcome.value, **({} if note is None else {"note": note})}},
            )
        self._command_metrics.completed.labels(outcome.value).inc()
        self._log.info(
            CommandEvent.COMMAND_CHANGED, command_id=command_id, client_id=command.client_id, status=outcome.value
        )
        self._tell(DECIDED, [command] if waited else [])
        self._signals.ended([command_id])

    # --- shared ----------------------------------------------------------------------------------------------

    async def _lock(
        self, connection: Connection, caller: Caller, ids: Sequence[UUID], outcomes: dict[UUID, Outcome]
    ) -> dict[UUID, LockedCommand]:
        """Lock those that a caller may command; of the others `outcomes` says why not, and they are left alone."""
        refused = await reach.refusals(connection, caller, ids)
        outcomes |= {letter: Outcome(letter, refusal=refusal) for letter, refusal in refused.items()}
        return await transitions.lock(connection, [letter for letter in ids if letter not in refused])

    @staticmethod
    def _needs_decide(caller: Caller, command: LockedCommand, outcomes: dict[UUID, Outcome]) -> bool:
        """Whether a caller may not close this one, since nobody knows its effect; `outcomes` says so then."""
        if not command.state.waits or command.state.status is not Status.UNKNOWN or caller.may(Permission.DECIDE):
            return False
        outcomes[command.id] = Outcome(command.id, refusal=RejectedError("decide_missing", command_id=command.id))
        return True

    async def _chosen(
        self, caller: Caller, chosen: Chosen, close: Callable[[Sequence[UUID]], Awaitable[list[Outcome]]]
    ) -> Outcomes:
        if chosen.ids is not None:
            return Outcomes(await close(chosen.ids), 0, None)
        wanted = chosen.wanted
        require_storable(**asdict(wanted))
        async with self._database.connection() as connection:
            ids = await store.matching(connection, wanted, caller.scope, after=chosen.after, limit=MOST)
        items = await close(ids)
        left = 0
        if len(ids) == MOST:
            async with self._database.connection() as connection:
                left = await store.number(connection, wanted, caller.scope, after=ids[-1])
        return Outcomes(items, left, ids[-1] if left else None)

    def _tell_replays(self, new: Sequence[NewCommand], outcomes: dict[UUID, Outcome]) -> None:
        """Count and log what was stored and what was refused, as for a submit."""
        for action, times in Counter(label_of(command.action) for command in new).items():
            self._command_metrics.created.labels(action).inc(times)
        for code, times in Counter(o.refusal.code for o in outcomes.values() if o.refusal is not None).items():
            self._command_metrics.refused.labels(code).inc(times)
        for command in new:
            self._log.info(
                CommandEvent.COMMAND_CREATED,
                command_id=command.id,
                client_id=command.client_id,
                action=command.action,
                replay_of=command.replay_of,
            )

    def _tell(self, by: str, closed: Sequence[LockedCommand]) -> None:
        """Count and log what was closed, and wake the dispatcher: what waited behind its order key may go."""
        for command in closed:
            self._metrics.closed.labels(by).inc()
            self._log.info(Event.DEAD_LETTER_CLOSED, command_id=command.id, client_id=command.client_id, by=by)
        self._signals.work_for({command.client_id for command in closed})


async def _each(ids: Iterable[UUID], close: Callable[[list[UUID]], Awaitable[list[Outcome]]]) -> list[Outcome]:
    """Close some at a time, oldest first; the outcomes in the order given, each id once."""
    wanted = list(dict.fromkeys(ids))
    ordered = sorted(wanted)
    outcomes: dict[UUID, Outcome] = {}
    for start in range(0, len(ordered), CHUNK):
        outcomes |= {outcome.id: outcome for outcome in await close(ordered[start : start + CHUNK])}
    return [outcomes[letter] for letter in wanted]


def _nothing(
    command_id: UUID, command: LockedCommand | None, wish: Replay | Dismiss, earlier: UUID | None = None
) -> Outcome:
    """What to say when a wish changed nothing."""
    if command is None:
        return Outcome(command_id, refusal=NotFoundError("command_not_found", command_id=command_id))
    decision = judge(command.state, wish, command.now)
    assert isinstance(decision, Ignore)  # noqa: S101 - whatever closes one has its outcome already
    if decision.reason is Ignored.REPEATED and (earlier is not None or isinstance(wish, Dismiss)):
        return Outcome(command_id, repeated=True, command_id=earlier)
    return Outcome(command_id, refusal=_conflict(command_id, command.state, decision.reason))


def _conflict(command_id: UUID, state: Command, reason: Ignored) -> ConflictError:
    match reason:
        case Ignored.NEEDS_FORCE:
            return ConflictError("replay_needs_force", command_id=command_id)
        case Ignored.NOT_A_DEAD_LETTER:
            return ConflictError("not_a_dead_letter", command_id=command_id, status=state.status.value)
        case _:
            return ConflictError("dead_letter_closed", command_id=command_id, by=state.dead_letter_closed_by)


def _copy(original: Original, new_id: UUID, caller: Caller, expires_in_s: float | None) -> NewCommand:
    """The replay of a command."""
    fields = asdict(original)
    order_place = fields.pop("order_place") or original.id
    times = {name: fields.pop(name) for name in ("created_at", "not_before", "expires_at", "attempt")}
    return NewCommand(
        **fields
        | {
            "id": new_id,
            "not_before": None,
            "expires_at": None,
            "expires_in_s": dead_letters.time_left(**times, asked_s=expires_in_s),
            "traceparent": None,
            "created_by": caller.principal_id,
            "limited": caller.scope.limited,
            "scope_key": caller.scope.key_id,
            "address": caller.address,
            "replay_of": original.id,
            "order_place": None if original.order_key is None else order_place,
        }
    )
