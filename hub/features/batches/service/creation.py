"""One request, many commands: who gets one is found out, stored with a row for each, and answered after the commit."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
from msgspec.structs import replace as copy
from uuid_utils.compat import uuid7

from hub.core.access.rules import Caller, IdempotencyKey, Permission, Scope
from hub.core.access.service import Idempotency
from hub.core.access.store.idempotency import take_idempotent
from hub.core.audit import store as audit
from hub.core.clients.rules import Target
from hub.core.clients.service import groups
from hub.core.clients.store import groups as group_store
from hub.core.commands.service.submission import CommandRequest, Submission, check, label_of, names_source
from hub.core.commands.store import submit as submit_store
from hub.core.commands.store.submit import NewCommand, Verdict
from hub.core.commands.telemetry import Metrics
from hub.database import engine
from hub.database.engine import Connection, Database
from hub.errors import FieldProblem, RejectedError
from hub.features.batches import rules as batches
from hub.features.batches import store as store
from hub.features.batches.rules import Rollout
from hub.features.batches.telemetry import Event
from hub.signals.ports import Signals
from hub.telemetry.log import Log

MOST_COMMANDS = 1_000
"""Different commands in one request; its body of at most 1 MiB is the other bound."""
MOST_BYTES = 32 * 1024 * 1024
"""Payloads of all commands of a batch together: what goes to Postgres in one statement."""


STOPS_MACHINE = frozenset({"reboot", "shutdown"})
"""Actions that end all else that runs on a machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """What a caller asks for: `command` for each client of `target` (its own `client_id` does not count), or else
    `commands` as they are."""

    target: Target | None = None
    command: CommandRequest | None = None
    commands: tuple[CommandRequest, ...] = ()
    max_failures: int | None = None
    max_failures_percent: float | None = None
    rollout: Rollout | None = None
    dry_run: bool = False

    @property
    def stops_machines(self) -> bool:
        """Whether it takes several machines away from their work: a person gives his password for that."""
        if self.command is not None:
            return self.command.action in STOPS_MACHINE
        return len(self.commands) > 1 and any(command.action in STOPS_MACHINE for command in self.commands)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one command: `code` None means that it is accepted, else why not."""

    client_id: str
    action: str
    code: str | None
    presence: str

    @property
    def status(self) -> str:
        """What its row would say."""
        return "pending" if self.code is None else "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a batch would do now; nothing was stored or taken."""

    items: list[Outcome]
    """In the order of the request."""
    total: int
    accepted: int
    rejected: int
    rejections: dict[str, int]
    """By code."""
    offline: int
    unresponsive: int
    dry_run: bool = True

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> "Preview":
        """With its numbers; accepted ones count by their clients' presence."""
        rejections = Counter(outcome.code for outcome in outcomes if outcome.code is not None)
        presences = Counter(outcome.presence for outcome in outcomes if outcome.code is None)
        return cls(
            items=outcomes,
            total=len(outcomes),
            accepted=presences.total(),
            rejected=rejections.total(),
            rejections=dict(rejections),
            offline=presences["offline"],
            unresponsive=presences["unknown"],
        )


@dataclass(frozen=True, slots=True)
class Created:
    """A stored batch. `repeated`: an earlier request with the same key made it."""

    batch_id: UUID
    repeated: bool


class BatchCreation:
    """The service."""

    def __init__(
        self,
        database: Database,
        submission: Submission,
        idempotency: Idempotency,
        signals: Signals,
        metrics: Metrics,
        log: Log,
        *,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        self._database = database
        self._submission = submission
        self._idempotency = idempotency
        self._signals = signals
        self._metrics = metrics
        self._log = log
        self._new_id = new_id

    async def create(self, caller: Caller, request: BatchRequest, key: IdempotencyKey | None = None) -> Created:
        """Store a batch with a row for each command; the answer comes after the commit.

        Raises RejectedError or NotFoundError for what is wrong with the request itself, ConflictError (the key was used
        with another body) and UnavailableError; then nothing was taken. What quota, permission or the state of a client
        forbids makes a row `rejected`, and takes nothing either.
        """
        made = await self._idempotency.find(caller, key) if key is not None else None
        if made is not None:
            return Created(made, repeated=True)
        stored = await self._carry_out(caller, request, key)
        if stored is None:
            assert key is not None  # noqa: S101 - only a request with a key can be a repeat
            return Created(await self._idempotency.find_repeated(caller, key), repeated=True)
        self.tell(stored)
        return Created(stored.batch_id, repeated=False)

    async def preview(self, caller: Caller, request: BatchRequest) -> Preview:
        """What `create` would do now, one by one: the same way to the last step, which takes everything back. Raises
        like `create`."""
        stored = await self._carry_out(caller, replace(request, dry_run=True), None)
        assert stored is not None  # noqa: S101 - only a key that is taken stores nothing
        client_ids = list({command.client_id for command in stored.commands})
        async with self._database.connection() as connection:
            presences = await store.presences(connection, client_ids)
        return Preview.of(
            [
                Outcome(command.client_id, command.action, verdict.refusal, presences.get(command.client_id, "unknown"))
                for command, verdict in zip(stored.commands, stored.verdicts, strict=True)
            ]
        )

    async def _carry_out(self, caller: Caller, request: BatchRequest, key: IdempotencyKey | None) -> "Stored | None":
        """Bring the document in if need be, store, and forget the document when that was for nothing."""
        if request.command is None or not names_source(request.command):
            return await self._store(caller, request, key)
        check(request.command)
        command, document = await self._submission.bring(caller, request.command)
        try:
            stored = await self._store(caller, replace(request, command=command), key)
        except RejectedError:
            await self._submission.discard(document)
            raise
        if stored is None or request.dry_run:
            await self._submission.discard(document)
        return stored

    async def judge(self, caller: Caller, request: BatchRequest) -> list[UUID]:
        """Raise what `create` would for the request itself, and store nothing; the documents that it names. A target
        that means nobody just now is none of its faults."""
        prepared = await self.prepare(caller, request)
        async with self._database.connection() as connection:
            try:
                commands = await self._commands(connection, caller.scope, prepared, self._new_id())
            except RejectedError as problem:
                if problem.code != "no_targets":
                    raise
            else:
                await _require_reach(connection, caller.scope, commands)
        return list(dict.fromkeys(one for command in prepared.templates for one in command.document_ids))

    async def prepare(self, caller: Caller, request: BatchRequest) -> "Prepared":
        """Check a request that names no document by where it lies, as far as that needs no transaction. Raises
        RejectedError, NotFoundError or UnavailableError."""
        _check(request)
        return Prepared(request, await self._templates(caller, request))

    async def _store(self, caller: Caller, request: BatchRequest, key: IdempotencyKey | None) -> "Stored | None":
        """The one transaction; None when the key is taken."""
        prepared = await self.prepare(caller, request)
        batch_id = self._new_id()
        async with (
            self._database.connection() as connection,
            connection.transaction(force_rollback=request.dry_run),
        ):
            if key is not None and not await take_idempotent(connection, caller.principal_id, key, batch_id):
                return None
            stored = await self.store_in(connection, caller, prepared, batch_id)
            stored.require_granted()
            return stored

    async def store_in(
        self,
        connection: Connection,
        caller: Caller,
        prepared: "Prepared",
        batch_id: UUID | None = None,
        *,
        lenient: bool = False,
    ) -> "Stored":
        """Store a batch in the caller's transaction, who calls `tell` after its commit. `lenient`: clients that there
        are not (any more) for him are left out. Raises RejectedError or NotFoundError; then the caller takes everything
        back."""
        request = prepared.request
        batch_id = batch_id or self._new_id()
        commands = await self._commands(connection, caller.scope, prepared, batch_id, lenient=lenient)
        pace = None
        if request.rollout is not None:
            pace = request.rollout.pace(len(commands))
            if batches.takes_too_long(len(commands), pace):
                raise RejectedError("validation_error", fields=(_TOO_SLOW,))
            commands = await _spread(connection, commands, pace)
        verdicts = await submit_store.submit_many(connection, commands)
        _require_possible(verdicts)
        accepted = sum(verdict.refusal is None for verdict in verdicts)
        batch = store.NewBatch(
            id=batch_id,
            created_by=caller.principal_id,
            target=request.target.as_json() if request.target is not None else {"commands": len(commands)},
            total=len(commands),
            action=request.command.action if request.command is not None else None,
            accepted=accepted,
            rejected=len(commands) - accepted,
            max_failures=batches.failures_allowed(request.max_failures, request.max_failures_percent, accepted),
            per_minute=pace,
        )
        await store.insert_batch(connection, batch)
        await audit.record(
            connection,
            caller,
            "batch.create",
            "batch",
            str(batch_id),
            {"target": batch.target, "action": batch.action, "accepted": accepted},
        )
        return Stored(batch_id, commands, verdicts)

    async def _commands(
        self, connection: Connection, scope: Scope, prepared: "Prepared", batch_id: UUID, *, lenient: bool = False
    ) -> list[NewCommand]:
        """A command for each target, in the order in which they are to be stored."""
        request, templates = prepared.request, prepared.templates
        if request.target is not None:
            template = templates[0]
            client_ids = await _meant(connection, scope, request.target, template.action, lenient=lenient)
            _check_size(templates, len(client_ids))
            return [
                copy(template, id=self._new_id(), client_id=client_id, batch_id=batch_id) for client_id in client_ids
            ]
        wanted = [command.client_id for command in templates]
        if lenient:
            there = await group_store.present(connection, scope, wanted, want=scope.sees, with_retired=True)
            templates = [command for command in templates if command.client_id in there]
            if not templates:
                raise RejectedError("no_targets")
        else:
            await groups.require_clients(
                connection, scope, wanted, "commands[{}].client_id", want=scope.sees, with_retired=True
            )
        _check_size(templates, 1)
        return [copy(template, batch_id=batch_id) for template in templates]

    async def _templates(self, caller: Caller, request: BatchRequest) -> list[NewCommand]:
        """The commands of a request, checked: the one for all clients, or each of its own. Raises RejectedError."""
        if request.command is not None:
            return [await self._prepare(caller, request.command, "command")]
        prepared: list[NewCommand] = []
        problems: list[FieldProblem] = []
        for place, command in enumerate(request.commands):
            try:
                prepared.append(await self._prepare(caller, command, f"commands[{place}]"))
            except RejectedError as problem:
                problems += problem.fields
                if len(problems) >= groups.MOST_NAMED:
                    break
        if problems:
            raise RejectedError("validation_error", fields=tuple(problems[: groups.MOST_NAMED]))
        return prepared

    async def _prepare(self, caller: Caller, command: CommandRequest, path: str) -> NewCommand:
        try:
            return await self._submission.prepare(caller, command)
        except RejectedError as problem:
            fields = tuple(field.below(path) for field in problem.fields)
            if not fields and path == "command":
                raise
            found = fields or (FieldProblem(path, problem.code),)
            raise RejectedError("validation_error", fields=found) from None

    def tell(self, stored: "Stored") -> None:
        """Wake the dispatcher; count; one line in the log for all."""
        judged = list(zip(stored.commands, stored.verdicts, strict=True))
        self._signals.work_for(
            command.client_id for command, verdict in judged if verdict.refusal is None and command.not_before is None
        )
        made = Counter(label_of(command.action) for command, verdict in judged if verdict.refusal is None)
        for action, number in made.items():
            self._metrics.created.labels(action).inc(number)
        refused = Counter(verdict.refusal for verdict in stored.verdicts if verdict.refusal is not None)
        for code, number in refused.items():
            self._metrics.refused.labels(code).inc(number)
        self._log.info(Event.BATCH_CREATED, batch_id=stored.batch_id, accepted=made.total(), rejected=refused.total())


_TOO_SLOW = FieldProblem("rollout", "rollout_too_slow", {"days": batches.LONGEST_ROLLOUT.days})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that was checked, and the commands that it makes: one for all clients, or each of its own."""

    request: BatchRequest
    templates: list[NewCommand]


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch with its commands and what became of each."""

    batch_id: UUID
    commands: list[NewCommand]
    verdicts: list[Verdict]

    def require_granted(self) -> None:
        """Raise RejectedError when no client got anything because its principal is not allowed to command any."""
        if all(verdict.refusal in ("grant_missing", "client_not_found") for verdict in self.verdicts):
            raise _not_granted(self.commands)


async def _require_reach(connection: Connection, scope: Scope, commands: Sequence[NewCommand]) -> None:
    """Raise RejectedError when a caller may send none of these commands."""
    wanted = [store.Beyond(command.client_id, command.action) for command in commands]
    if scope.limited and not await store.reaches_any(connection, scope, wanted):
        raise _not_granted(commands)


def _not_granted(commands: Sequence[NewCommand]) -> RejectedError:
    first = commands[0]
    return RejectedError("grant_missing", client_id=first.client_id, action=first.action, access="command")


async def _meant(connection: Connection, scope: Scope, target: Target, action: str, *, lenient: bool) -> list[str]:
    """The clients of a target that a caller may command. Raises like `groups.resolve`, and RejectedError that says what
    to ask for when he may read some of them, and command none."""
    try:
        return await groups.resolve(connection, scope, target, want=Permission.COMMAND, action=action, lenient=lenient)
    except RejectedError as problem:
        if problem.code != "no_targets" or not scope.limited:
            raise
        readable = await group_store.matching(connection, scope, target, 1, want=scope.sees, action=None)
        if target.clients is not None or not readable:
            raise
        raise RejectedError("grant_missing", client_id=readable[0], action=action, access="command") from None


async def _spread(connection: Connection, commands: Sequence[NewCommand], pace: float) -> list[NewCommand]:
    """The commands of a staged rollout, each with its time."""
    now = await engine.now(connection)
    return [
        copy(command, not_before=max(command.not_before or now, now) + batches.begins_after(place, pace))
        if place
        else command
        for place, command in enumerate(commands)
    ]


def _check(request: BatchRequest) -> None:
    problems: list[FieldProblem] = []
    if request.rollout is not None:
        for place, command in enumerate((request.command, *request.commands)):
            if command is not None and command.expires_at is not None:
                path = f"commands[{place - 1}]" if place else "command"
                problems.append(FieldProblem(f"{path}.expires_at", "relative_expiry"))
    for place, command in enumerate(request.commands):
        if names_source(command):
            problems.append(FieldProblem(f"commands[{place}].payload.document", "document_by_id"))
    if problems:
        raise RejectedError("validation_error", fields=tuple(problems[: groups.MOST_NAMED]))


def _check_size(templates: Sequence[NewCommand], times: int) -> None:
    size = sum(len(msgspec.json.encode(template.payload)) for template in templates) * times
    if size > MOST_BYTES:
        raise RejectedError("batch_too_large", size=size, most=MOST_BYTES)


def _require_possible(verdicts: Sequence[Verdict]) -> None:
    """A command that could never begin is the caller's mistake, not a client's refusal."""
    for verdict in verdicts:
        if verdict.refusal in ("already_expired", "never_due"):
            raise RejectedError("request_expired", reason=verdict.refusal)
