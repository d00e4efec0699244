"""Accepting commands: check, resolve documents and lane, store as a group, answer after the commit."""

import contextlib
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from hub.api.text import find_unstorable, kept_size
from hub.batching import Batcher
from hub.core.access.rules import Caller, IdempotencyKey, Scope
from hub.core.access.service import Idempotency
from hub.core.commands.rules import policies
from hub.core.commands.rules.payloads import payload_problems
from hub.core.commands.rules.policies import BackOff, Policy
from hub.core.commands.store import submit as store
from hub.core.commands.store.commands import StoredCommand
from hub.core.commands.store.submit import KeyCollisionError, NewCommand, Verdict
from hub.core.commands.telemetry import OWN, Event, Metrics
from hub.core.documents.rules import DOCUMENT_PATH
from hub.core.documents.store import documents as document_store
from hub.core.documents.store.documents import Document
from hub.database.engine import Database
from hub.errors import FieldProblem, NotFoundError, RejectedError, UnavailableError
from hub.signals.ports import Signals
from hub.telemetry.log import Log
from schemas import actions
from schemas.media_types import claims_otherwise

MAX_PAYLOAD = 48 * 1024
"""Bytes of a payload's JSON: with all that a run message adds it stays below the contract's 64 KiB."""
DOCUMENT_KNOWN_S = 1_800.0
"""How long a document is not looked up again. Its use is noted when it is looked up, and no document is deleted within
a day of its last use, so what is known is there."""


class CommandRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller asks for; None means the default: by the policy of the action, or else the hub's."""

    client_id: str
    action: str
    payload: dict[str, Any] = msgspec.field(default_factory=dict)
    priority: int = 5
    max_retries: int | None = None
    back_off: BackOff | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    expires_in_s: float | None = None
    timeout_s: float | None = None
    on_interrupt: str = "unknown"
    order_key: str | None = None
    when_offline: str = "queue"
    reference: str | None = None
    tags: tuple[str, ...] = ()
    estimated_duration_s: float | None = None
    traceparent: str | None = None


class Quota(msgspec.Struct, frozen=True):
    """What is left of a client's limits after a request."""

    at: datetime
    minute_limit: int
    minute_left: int
    minute_reset: datetime
    day_limit: int
    day_left: int
    day_reset: datetime

    @classmethod
    def of(cls, verdict: Verdict) -> "Quota":
        """As the statement found it."""
        return cls(
            verdict.at,
            verdict.minute_limit,
            verdict.minute_left,
            verdict.minute_reset,
            verdict.day_limit,
            verdict.day_left,
            verdict.day_reset,
        )


class Accepted(msgspec.Struct, frozen=True):
    """A stored command. `repeated`: an earlier request with the same key made it."""

    command_id: UUID
    repeated: bool
    quota: Quota | None
    row: StoredCommand | None = None
    """The command as it was stored, when it is new."""


class OverLimitError(RejectedError):
    """A limit of the client is used up."""

    def __init__(self, code: str, *, quota: Quota, **params: Any) -> None:
        super().__init__(code, **params)
        self.quota = quota


class Sources(Protocol):
    """Brings documents in that a command names by where they lie."""

    async def bring(self, caller: Caller, named: Mapping[str, Any]) -> Document:
        """Store the document that `{"url": ...}` or `{"path": ...}` names. Raises RejectedError."""

    async def discard(self, document: Document) -> None:
        """Forget a document that no command was stored for."""


class Submission:
    """The service; `batcher.run` must be running."""

    def __init__(
        self,
        database: Database,
        signals: Signals,
        sources: Sources,
        metrics: Metrics,
        log: Log,
        idempotency: Idempotency,
        policy_of: Callable[[str], Policy] = lambda _: Policy(),
        *,
        new_id: Callable[[], UUID] = uuid7,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`policy_of` answers from memory what an action's policy is."""
        self._database = database
        self._sources = sources
        self._signals = signals
        self._metrics = metrics
        self._log = log
        self._idempotency = idempotency
        self._policy_of = policy_of
        self._new_id = new_id
        self._monotonic = monotonic
        self._documents: dict[tuple[Scope | None, UUID], tuple[float, dict[str, Any]]] = {}
        self.batcher: Batcher[NewCommand, Verdict | KeyCollisionError] = Batcher(self._write)

    async def submit(
        self,
        caller: Caller,
        request: CommandRequest,
        key: IdempotencyKey | None = None,
        *,
        command_id: UUID | None = None,
    ) -> Accepted:
        """Store one command; the answer comes after the commit. `command_id`: a UUIDv7 of the caller's making.

        A document that the payload names by `url` or `path` is brought in first and named by its id from then on.

        Raises RejectedError (bad payload, action not allowed, limits), NotFoundError (client, document),
        ConflictError (the key was used with another body) and UnavailableError; then nothing was taken.
        """
        if not names_source(request):
            return await self._submit(caller, request, key, command_id)
        check(request)
        made = await self._idempotency.find(caller, key) if key is not None else None
        if made is not None:
            return Accepted(made, repeated=True, quota=None)
        request, document = await self.bring(caller, request)
        try:
            accepted = await self._submit(caller, request, key, command_id)
        except RejectedError:
            # Not after anything else: the commit may have succeeded, or may succeed when the caller has hung up.
            await self.discard(document)
            raise
        if accepted.repeated:
            await self.discard(document)
        return accepted

    async def prepare(self, caller: Caller, request: CommandRequest) -> NewCommand:
        """A command as `submit` would store it, checked and with its document found, for a batch to store. Raises
        RejectedError or NotFoundError for what is wrong with the request itself."""
        return await self._new_command(caller, request, None, self._new_id())

    async def bring(self, caller: Caller, request: CommandRequest) -> tuple[CommandRequest, Document]:
        """Bring the document in that a request names by where it lies: the request that names it by its id, and it.
        Raises RejectedError."""
        document = await self._bring(caller, request.payload["document"])
        return msgspec.structs.replace(request, payload={**request.payload, "document": str(document.id)}), document

    async def discard(self, document: Document) -> None:
        """Forget a document that was brought in for nothing."""
        with contextlib.suppress(UnavailableError):
            await self._sources.discard(document)

    async def _bring(self, caller: Caller, named: Mapping[str, Any]) -> Document:
        try:
            document = await self._sources.bring(caller, named)
        except RejectedError as problem:
            host = problem.params.get("host")
            self._log.seldom(caller.principal_id, problem.code).warning(
                Event.DOCUMENT_REFUSED, code=problem.code, host=host, principal=caller.principal.name
            )
            raise
        self._log.info(Event.DOCUMENT_FETCHED, document_id=document.id, size=document.size)
        return document

    async def _submit(
        self, caller: Caller, request: CommandRequest, key: IdempotencyKey | None, command_id: UUID | None
    ) -> Accepted:
        command = await self._new_command(caller, request, key, command_id or self._new_id())
        verdict = await self.batcher.submit(command)
        if isinstance(verdict, KeyCollisionError) or verdict.refusal == "repeated":
            assert key is not None  # noqa: S101 - only a command with a key can be a repeat
            return Accepted(await self._idempotency.find_repeated(caller, key), repeated=True, quota=None)
        if verdict.refusal is not None:
            self._metrics.refused.labels(verdict.refusal).inc()
            self._log.seldom(request.client_id, verdict.refusal).info(
                Event.COMMAND_REFUSED, client_id=request.client_id, action=request.action, code=verdict.refusal
            )
            raise refusal(verdict, request)
        self._metrics.created.labels(label_of(command.action)).inc()
        self._log.info(Event.COMMAND_CREATED, command_id=command.id, client_id=command.client_id, action=command.action)
        return Accepted(command.id, repeated=False, quota=Quota.of(verdict), row=_stored(command, verdict))

    async def _new_command(
        self, caller: Caller, request: CommandRequest, key: IdempotencyKey | None, command_id: UUID
    ) -> NewCommand:
        scope = caller.scope
        payload, document_ids = await self._resolve(check(request), scope)
        size = kept_size(payload)
        if size > MAX_PAYLOAD:
            raise RejectedError("payload_too_large", size=size, most=MAX_PAYLOAD)
        policy = self._policy_of(request.action)
        default = policies.effective(policy)
        expires_in = request.expires_in_s
        if request.expires_at is None and expires_in is None:
            expires_in = default.expires_in_s
        # Written into its row, so that it keeps what it was accepted with.
        max_retries = default.max_retries if request.max_retries is None else request.max_retries
        timeout_s = request.timeout_s or default.timeout_s
        assert max_retries is not None and timeout_s is not None  # noqa: S101, PT018 - the effective policy is whole
        return NewCommand(
            id=command_id,
            client_id=request.client_id,
            action=request.action,
            lane=actions.lane_of(request.action, payload, request.priority),
            payload=payload,
            document_ids=document_ids,
            priority=request.priority,
            max_retries=max_retries,
            back_off=policies.back_off_of(request.back_off, policy),
            not_before=request.not_before,
            expires_at=request.expires_at,
            expires_in_s=expires_in,
            timeout_s=timeout_s,
            on_interrupt=request.on_interrupt,
            order_key=request.order_key,
            when_offline=request.when_offline,
            reference=request.reference,
            tags=list(request.tags),
            estimated_duration_s=request.estimated_duration_s,
            traceparent=request.traceparent,
            created_by=caller.principal_id,
            limited=scope.limited,
            scope_key=scope.key_id,
            address=caller.address,
            idempotency_route=key.route if key else None,
            idempotency_key=key.key if key else None,
            request_sha256=key.request_sha256.hex() if key else None,
        )

    async def _resolve(self, payload: dict[str, Any], scope: Scope) -> tuple[dict[str, Any], list[UUID]]:
        """Replace the id in `payload.document` by path, hash and size; documents never change, so they are cached. Who
        may not read all of them has a cache of his own: even a document's type is no one else's business."""
        if "document" not in payload:
            return payload, []
        named = payload["document"]
        text = named.get("id") if isinstance(named, dict) else named
        try:
            document_id = uuid.UUID(text)
        except (ValueError, TypeError, AttributeError):
            fields = (FieldProblem("payload.document", "document_reference"),)
            raise RejectedError("validation_error", fields=fields) from None
        place = (scope if scope.limited else None, document_id)
        until, reference = self._documents.get(place, (0.0, {}))
        if until < self._monotonic():
            async with self._database.connection() as connection:
                found = await document_store.use(connection, [document_id], scope)
            document = found.get(document_id)
            if document is None:
                raise NotFoundError("document_not_found", document_id=document_id)
            reference = {
                "id": str(document.id),
                "path": f"{DOCUMENT_PATH}{document.id}",
                "sha256": document.sha256.hex(),
                "size": document.size,
                "content_type": document.content_type,
            }
            if len(self._documents) >= 10_000:
                self._documents.clear()
            self._documents[place] = self._monotonic() + DOCUMENT_KNOWN_S, reference
        wanted = payload.get("content_type")
        if isinstance(wanted, str) and claims_otherwise(wanted, reference["content_type"]):
            known = {"content_type": reference["content_type"]}
            fields = (FieldProblem("payload.content_type", "other_document_type", known),)
            raise RejectedError("validation_error", fields=fields)
        return {**payload, "document": reference}, [document_id]

    async def _write(self, commands: list[NewCommand]) -> list[Verdict | KeyCollisionError]:
        """One statement for all; when a key collided, one for each so that the others are not held up."""
        try:
            async with self._database.connection() as connection:
                verdicts = await store.submit(connection, commands)
        except KeyCollisionError as collision:
            if len(commands) == 1:
                return [collision]
        else:
            # Here, not in the caller: a request that was hung up on has its command all the same.
            self._signals.work_for(
                command.client_id
                for command, verdict in zip(commands, verdicts, strict=True)
                if verdict.refusal is None
            )
            return list(verdicts)
        answers: list[Verdict | KeyCollisionError] = []
        for command in commands:
            answers += await self._write([command])
        return answers


def names_source(request: CommandRequest) -> bool:
    """Whether the payload names its document by where it lies, by `url` or `path`."""
    named = request.payload.get("document")
    return isinstance(named, dict) and "id" not in named


def check(request: CommandRequest) -> dict[str, Any]:
    """The payload of a request as it is stored, its document not yet looked up. Raises RejectedError for what is wrong
    with the request itself."""
    problems: list[FieldProblem] = []
    payload = request.payload
    if not actions.NAME.fullmatch(request.action):
        problems.append(FieldProblem("action", "action_name"))
    for name in ("payload", "reference", "order_key", "tags", "traceparent"):
        found = find_unstorable(getattr(request, name), name)
        if found:
            problems.append(found)
    try:
        payload = actions.accept(request.action, request.payload)
    except actions.PayloadError:
        wrong = payload_problems(request.action, request.payload)
        problems += (problem.below("payload") for problem in wrong if problem.code != "unstorable")  # told above
    if problems:
        raise RejectedError("validation_error", fields=tuple(problems))
    return payload


def _stored(command: NewCommand, verdict: Verdict) -> StoredCommand:
    """A command as it stands right after its commit, without asking the database for it."""
    return StoredCommand(
        id=command.id,
        client_id=command.client_id,
        batch_id=command.batch_id,
        action=command.action,
        lane=command.lane,
        payload=command.payload,
        priority=command.priority,
        status="pending",
        version=1,
        attempt=1,
        max_retries=command.max_retries,
        back_off=command.back_off,
        not_before=command.not_before,
        expires_at=verdict.expires_at,
        timeout_s=command.timeout_s,
        on_interrupt=command.on_interrupt,
        order_key=command.order_key,
        when_offline=command.when_offline,
        reference=command.reference,
        tags=command.tags,
        estimated_duration_s=command.estimated_duration_s,
        created_at=verdict.at,
        replay_of=command.replay_of,
    )


def label_of(action: str) -> str:
    """An action as a label: a site's own names are not told apart, since callers choose them."""
    return action if action in actions.ACTIONS else OWN


def refusal(verdict: Verdict, request: CommandRequest | NewCommand) -> RejectedError:
    """The error for a command that was not accepted."""
    code = verdict.refusal or ""
    match code:
        case "client_not_found" | "client_retired":
            return NotFoundError(code, client_id=request.client_id)
        case "grant_missing":
            return RejectedError(code, client_id=request.client_id, action=request.action, access="command")
        case "document_not_found":
            named = request.payload.get("document")
            return NotFoundError(code, document_id=named.get("id") if isinstance(named, dict) else named)
        case "rate_limited" | "quota_exceeded":
            reset = verdict.minute_reset if code == "rate_limited" else verdict.day_reset
            retry_after = max(1, int((reset - verdict.at).total_seconds()) + 1)
            return OverLimitError(
                code,
                quota=Quota.of(verdict),
                client_id=request.client_id,
                remaining=0,
                reset=reset,
                retry_after_s=retry_after,
            )
        case "already_expired" | "never_due":
            return RejectedError("request_expired", reason=code)
        case _:
            return RejectedError(code, client_id=request.client_id, action=request.action)
