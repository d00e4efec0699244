"""The shapes of commands."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from hub.api.description import example, payloads
from hub.api.field_catalogue import all_of
from hub.api.pages import NextCursor
from hub.api.shapes import ActionName, Input, Moment, Output, Slug, Tag
from hub.api.text import find_unstorable
from hub.core.commands.rules.payloads import payload_problems, url_problems
from hub.core.commands.rules.policies import BackOff
from hub.core.commands.service.submission import CommandRequest
from hub.errors import FieldProblem
from schemas import actions, names

CommandStatus = Literal[
    "pending", "queued", "running", "completed", "failed", "cancelled", "expired", "rejected", "unknown"
]
CommandId = Annotated[UUID, Field(description="Id of the command.")]


class BackOffInput(Input):
    """How long to wait before further attempts. What is left out is as the action's policy, or else the hub, has it."""

    first_delay_s: float | None = Field(
        None, ge=0.1, le=3_600, description="Seconds before the second attempt. Default: 1."
    )
    factor: float | None = Field(
        None, ge=1, le=10, description="Each delay is the previous one times this. Default: 2."
    )
    cap_s: float | None = Field(None, ge=0.1, le=86_400, description="The longest delay in seconds. Default: 32.")

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        first, cap = given.get("first_delay_s"), given.get("cap_s")
        if isinstance(first, int | float) and isinstance(cap, int | float) and cap < first:
            yield FieldProblem("cap_s", "not_below", {"other": "first_delay_s"})

    def to_request(self) -> BackOff:
        """As the services take it."""
        return BackOff(first_delay_s=self.first_delay_s, factor=self.factor, cap_s=self.cap_s)


class BackOffOutput(Output):
    """How long a command waits before further attempts: half to all of each step, at random."""

    first_delay_s: float = Field(description="Seconds before the second attempt.")
    factor: float = Field(description="Each delay is the previous one times this.")
    cap_s: float = Field(description="The longest delay in seconds.")


class CommandFields(Input):
    """A command, whoever it is for."""

    other_names: ClassVar[Mapping[str, str]] = names.of(names.COMMAND)
    action: ActionName = Field(description="What the client does: a built-in action such as `print`, or your own.")
    payload: dict[str, Any] = Field(
        default_factory=dict,
        description="The payload of the action. Your own actions accept any object.",
        json_schema_extra=payloads,
    )
    priority: int = Field(5, ge=1, le=10, description="10 goes first; 9 and 10 overtake a full window.")
    max_retries: int | None = Field(
        None,
        ge=0,
        le=100,
        description="Further attempts after failures that certainly had no effect. Default: the action's policy, or 3.",
    )
    back_off: BackOffInput | None = Field(
        None, description="How long to wait before further attempts. Default: the action's policy."
    )
    not_before: Moment | None = Field(None, description="The hub hands the command out at this time or later.")
    expires_at: Moment | None = Field(
        None, description="The effect must begin before this time. Default: the action's policy, or in 1 h."
    )
    expires_in_s: float | None = Field(
        None,
        gt=0,
        le=2_592_000,
        description="The same in seconds, counted from `not_before`, or from now if that is not set.",
    )
    timeout_s: float | None = Field(
        None, gt=0, le=86_400, description="Seconds that a run may take. Default: the action's policy, or 300."
    )
    on_interrupt: Literal["rerun", "unknown"] = Field(
        "unknown",
        description="After a crash in the middle: `rerun` runs it again (for what may happen twice); `unknown` looks "
        "for evidence, and without any the command becomes `unknown`.",
    )
    order_key: str | None = Field(
        None, min_length=1, max_length=200, description="Commands of one client with the same key run in order."
    )
    when_offline: Literal["queue", "fail"] = Field(
        "queue", description="`queue` waits for a client that is offline; `fail` refuses the command."
    )
    reference: str | None = Field(
        None, min_length=1, max_length=200, description="Your own number for it, such as an order's; searchable."
    )
    tags: list[Tag] = Field(default_factory=list, max_length=20, description="Words by which it can be found.")
    estimated_duration_s: float | None = Field(
        None, ge=0, le=604_800, description="How many seconds you expect it to take. Only for people."
    )

    def to_request(self, traceparent: str | None = None) -> CommandRequest:
        """As the service takes it; for nobody, unless the fields say for whom."""
        back_off = None if self.back_off is None else self.back_off.to_request()
        given = {**self.__dict__, "tags": tuple(self.tags), "back_off": back_off}
        fields = {"client_id": "", **given}
        return CommandRequest(**fields, traceparent=traceparent)

    @field_validator("payload")
    @classmethod
    def _fits_the_action(cls, payload: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # The service looks again, for callers that are not HTTP; here, a caller hears of it with all other faults.
        action = info.data.get("action", "")
        problems: list[FieldProblem] = []
        unstorable = find_unstorable(payload, "")
        try:
            stored = actions.accept(action, payload)
            problems += url_problems(action, payload, stored)
        except actions.PayloadError:
            found = payload_problems(action, payload)
            problems += found if unstorable is None else (each for each in found if each.code != "unstorable")
        if unstorable is not None:
            problems.append(FieldProblem(unstorable.field.removeprefix("."), unstorable.code, unstorable.params))
        if problems:
            raise all_of(problems)
        return stored

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        if given.get("expires_at") is not None and given.get("expires_in_s") is not None:
            yield FieldProblem("expires_in_s", "contradicts", {"other": "expires_at"})


class CommandInput(CommandFields):
    """A command for one client."""

    client_id: Slug = Field(description="Id of the client that carries it out.")

    EXAMPLES: ClassVar = {
        "minimal": example("Ask a client for its status", client_id="front-desk", action="status"),
        "full": example(
            "Print a document, with everything said",
            client_id="front-desk",
            action="print",
            payload={
                "printer": "office",
                "document": "0193b3c0-0000-7000-8000-000000000000",
                "copies": 2,
                "sides": "two-sided-long-edge",
                "media": "a4",
                "orientation": "portrait",
                "color": "monochrome",
                "title": "Order 1001",
                "fidelity": "closest",
            },
            priority=7,
            max_retries=5,
            back_off={"first_delay_s": 2, "factor": 2, "cap_s": 60},
            expires_in_s=900,
            timeout_s=120,
            on_interrupt="unknown",
            order_key="truck-7",
            when_offline="queue",
            reference="order-1001",
            tags=["morning"],
            estimated_duration_s=10,
        ),
    }


COMPLETED: dict[str, Any] = {
    "id": "0193b3c0-5c6a-7000-8000-000000000001",
    "client_id": "front-desk",
    "action": "print",
    "lane": "printer:office",
    "payload": {
        "printer": "office",
        "document": {
            "id": "0193b3c0-0000-7000-8000-000000000000",
            "path": "/api/documents/0193b3c0-0000-7000-8000-000000000000",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "size": 18_412,
            "content_type": "application/pdf",
        },
        "copies": 2,
    },
    "priority": 7,
    "status": "completed",
    "version": 5,
    "attempt": 1,
    "max_retries": 3,
    "back_off": None,
    "created_at": "2026-11-21T08:00:00.012Z",
    "not_before": None,
    "expires_at": "2026-11-21T08:15:00.012Z",
    "timeout_s": 300.0,
    "on_interrupt": "unknown",
    "order_key": None,
    "when_offline": "queue",
    "reference": "order-1001",
    "tags": [],
    "estimated_duration_s": None,
    "queued_at": "2026-11-21T08:00:00.020Z",
    "sent_at": "2026-11-21T08:00:00.023Z",
    "accepted_at": "2026-11-21T08:00:00.031Z",
    "started_at": "2026-11-21T08:00:00.034Z",
    "held_reasons": None,
    "finished_at": "2026-11-21T08:00:04.305Z",
    "cancel_requested_at": None,
    "progress": None,
    "result": {"message": "printed", "data": {"job_id": 17, "pages": 2}, "duration_s": 4.27},
    "error": None,
    "unknown_reason": None,
    "dead_letter_reason": None,
    "dead_letter_closed_at": None,
    "dead_letter_closed_by": None,
    "replay_of": None,
    "replayed_by": None,
    "batch_id": None,
}
"""An example of an answer."""


class ErrorOutput(BaseModel):
    """Why a command did not complete."""

    code: str = Field(description="For programs, such as `printer_stopped`; docs/reference/errors.md lists all.")
    message: str = Field("", description="What the agent says about it, for people.")
    retryable: bool = Field(False, description="True when certainly nothing took effect.")


class CommandOutput(Output):
    """A command with its current status."""

    EXAMPLE: ClassVar = COMPLETED

    id: CommandId
    client_id: str = Field(description="Id of the client that carries it out.")
    action: str = Field(description="What the client does.")
    lane: str = Field(description="Its queue on the client, such as `printer:office`: one command runs at a time.")
    payload: dict[str, Any] = Field(description="The payload as stored: the document with its hash.")
    priority: int = Field(description="1 to 10; 10 goes first.")
    status: CommandStatus = Field(
        description="`unknown`: the effect may or may not have happened; see `result.data.evidence`."
    )
    version: int = Field(description="Counts the changes; one row in the log each.")
    attempt: int = Field(description="The current attempt, from 1.")
    max_retries: int = Field(description="Further attempts after failures that certainly had no effect.")
    back_off: BackOffOutput | None = Field(
        None, description="The delays before further attempts; null: 1, 2, 4 ... 32 s."
    )
    created_at: datetime = Field(description="When it was stored.")
    not_before: datetime | None = Field(None, description="It is handed out at this time or later.")
    expires_at: datetime = Field(description="The effect must begin before this time.")
    timeout_s: float = Field(description="Seconds that a run may take.")
    on_interrupt: str = Field(description="What happens after a crash in the middle: `rerun` or `unknown`.")
    order_key: str | None = Field(None, description="Commands of one client with the same key run in order.")
    when_offline: str = Field(description="`queue` or `fail`: what happens when the client is offline.")
    reference: str | None = Field(None, description="The caller's own number for it.")
    tags: list[str] = Field(description="Words by which it can be found.")
    estimated_duration_s: float | None = Field(None, description="Seconds that the caller expects it to take.")
    queued_at: datetime | None = Field(None, description="When it was handed out in its current attempt.")
    sent_at: datetime | None = Field(None, description="When the broker acknowledged it; proves nothing.")
    accepted_at: datetime | None = Field(None, description="When the agent had stored it in its journal.")
    started_at: datetime | None = Field(
        None,
        description="When the hub was told that its run began. Null if the end arrived first, elsewhere.",
    )
    held_reasons: list[str] | None = Field(
        None, description="What the running command waits for, such as `media-empty`."
    )
    finished_at: datetime | None = Field(None, description="When it ended.")
    cancel_requested_at: datetime | None = Field(None, description="When somebody requested a cancel.")
    progress: dict[str, Any] | None = Field(None, description="The last progress that the agent reported.")
    result: dict[str, Any] | None = Field(None, description="The result: `message`, `data`, `duration_s`.")
    error: ErrorOutput | None = Field(None, description="Why it failed.")
    unknown_reason: str | None = Field(None, description="Why nobody can know its outcome.")
    dead_letter_reason: str | None = Field(None, description="Why it is, or was, a dead letter.")
    dead_letter_closed_at: datetime | None = Field(None, description="When the dead letter was closed.")
    dead_letter_closed_by: str | None = Field(
        None, description="What closed the dead letter: `late_answer`, `replayed`, `dismissed` or `decided`."
    )
    replay_of: UUID | None = Field(None, description="The command that this one replays.")
    replayed_by: UUID | None = Field(None, description="The command that replays this one.")
    batch_id: UUID | None = Field(None, description="The batch that created it.")


class CommandPage(Output):
    """Commands, newest first."""

    items: list[CommandOutput] = Field(description="The commands of this page.")
    next_cursor: NextCursor = None


class LogEntry(Output):
    """One change of a command."""

    version: int = Field(description="The command's version after the change.")
    at: datetime = Field(description="When it happened.")
    event: str = Field(description="What happened, such as `created`, `dispatched` or `completed`.")
    status: str = Field(description="The command's status after the change.")
    attempt: int = Field(description="The attempt that it is about.")
    detail: dict[str, Any] | None = Field(None, description="What belongs to the event.")


class CommandLogs(Output):
    """Every change of a command, oldest first."""

    command_id: CommandId
    items: list[LogEntry] = Field(description="The changes.")
