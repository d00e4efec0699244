"""The shapes of dead letters, and of what people do about them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from hub.api.description import example
from hub.api.pages import NextCursor, from_cursor
from hub.api.shapes import CLIENT_ID, ActionName, Input, Moment, Output, Slug, Word, number_of
from hub.core.commands.shapes import COMPLETED, CommandId, CommandOutput, ErrorOutput
from hub.errors import FieldProblem
from hub.features.dead_letters.service import MOST, Chosen
from hub.features.dead_letters.store import Filter

Reason = Annotated[Word, Field(max_length=200)]
Reference = Annotated[Word, Field(max_length=200)]
Note = Annotated[str, Field(min_length=1, max_length=500)]
_NOTE = "What you saw, for the log and the audit."
EXPIRES_IN_S = "Seconds from now within which its effect may begin. Default: as long as its original had."
CREATED_AFTER, CREATED_BEFORE = "Stored after this time.", "Stored before this time."
_ID = "0193b3c0-0000-7000-8000-0000000000d1"
_FORCE = "Also if its effect may have happened: then it may happen twice."
_FILTER = "Open ones that fit, the oldest 1,000; {} means all."
_REFUSED = "Why it was refused; it stays open."
_SENTENCE = "The same in a sentence, in the language of `Accept-Language`."
_LEFT = "How many open ones fit the filter beyond these: send it again with `next_cursor`."
_WHAT_BECAME = "What became of each."


class DeadLetter(Output):
    """A command that ended without success and stays on the list until someone handles it."""

    id: CommandId
    client_id: str = Field(description=CLIENT_ID)
    action: str = Field(description="The requested action.")
    lane: str = Field(description="Its queue on the client, such as `printer:office`.")
    status: Literal["failed", "expired", "cancelled", "unknown"] = Field(
        description="`cancelled`: nobody requested that. `unknown`: its effect may have happened."
    )
    reason: str = Field(description="The cause: an error's code, expired, unknown, or cancel_not_requested.")
    error: ErrorOutput | None = Field(description="Why it failed.")
    unknown_reason: str | None = Field(description="Why nobody can know its outcome.")
    attempt: int = Field(description="Its last attempt.")
    priority: int = Field(description="1 to 10; 10 goes first.")
    reference: str | None = Field(description="The caller's own number for it.")
    order_key: str | None = Field(description="Commands of one client with the same key run in order.")
    blocks: bool = Field(description="Newer commands of its order_key are blocked behind it.")
    tags: list[str] = Field(description="Words by which it can be found.")
    batch_id: UUID | None = Field(description="The batch that created it.")
    replay_of: UUID | None = Field(description="The command that this one replays.")
    created_at: datetime = Field(description="When it was stored.")
    expires_at: datetime = Field(description="Its effect was not allowed to begin later.")
    finished_at: datetime = Field(description="When it ended.")


class DeadLetterPage(Output):
    """Open dead letters, newest first."""

    items: list[DeadLetter] = Field(description="The dead letters of this page.")
    next_cursor: NextCursor = None


class Number(Output):
    """How many of one kind."""

    name: str = Field(description="The client, action or cause.")
    number: int = Field(description="How many open dead letters it has.")


class Numbers(Output):
    """How many, by a kind."""

    different: int = Field(description="How many different ones there are.")
    largest: list[Number] = Field(description="The largest, at most 100.")


class DeadLetterSummary(Output):
    """How many open dead letters there are."""

    total: int = Field(description="How many there are.")
    oldest: datetime | None = Field(description="When the first of them ended.")
    client: Numbers = Field(description="By client.")
    action: Numbers = Field(description="By action.")
    reason: Numbers = Field(description="By cause.")


class FilterInput(Input):
    """Which open dead letters; what is left out lets everything through."""

    client_id: Slug | None = Field(None, description="Of this client.")
    action: ActionName | None = Field(None, description="Of this action.")
    reason: Reason | None = Field(None, description="With this cause, such as `printer_stopped` or `expired`.")
    reference: Reference | None = Field(None, description="With this reference.")
    created_after: Moment | None = Field(None, description=CREATED_AFTER)
    created_before: Moment | None = Field(None, description=CREATED_BEFORE)

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        after, before = given.get("created_after"), given.get("created_before")
        if isinstance(after, datetime) and isinstance(before, datetime) and after >= before:
            yield FieldProblem("created_after", "empty_period")

    def to_request(self) -> Filter:
        """As the service takes it."""
        return Filter(**self.__dict__)


class _Several(Input):
    ids: list[UUID] | None = Field(None, min_length=1, max_length=MOST, description="Ids of the commands.")
    filter: FilterInput | None = Field(None, description=_FILTER)
    cursor: str | None = Field(
        None, max_length=200, description="With `filter`: `next_cursor` of the previous answer, to continue."
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        if number_of(given, "ids", "filter") != 1:
            yield FieldProblem("", "one_of", {"names": ("ids", "filter")})
        if number_of(given, "cursor") and not number_of(given, "filter"):
            yield FieldProblem("cursor", "goes_with", {"name": "filter"})

    def to_request(self) -> Chosen:
        """As the service takes it. Raises RejectedError for a cursor that is none."""
        if self.filter is None:
            return Chosen(ids=self.ids)
        return Chosen(wanted=self.filter.to_request(), after=from_cursor(self.cursor))


class RetryInput(Input):
    """How to replay one."""

    force: bool = Field(False, description=_FORCE)
    expires_in_s: float | None = Field(None, gt=0, le=2_592_000, description=EXPIRES_IN_S)

    EXAMPLES: ClassVar = {
        "minimal": example("Replay it if nothing took effect"),
        "full": example("Replay it in any case, within 15 minutes", force=True, expires_in_s=900),
    }


class ReplayInput(_Several):
    """Which to replay, and how."""

    force: bool = Field(False, description=_FORCE)
    expires_in_s: float | None = Field(None, gt=0, le=2_592_000, description=EXPIRES_IN_S)

    EXAMPLES: ClassVar = {
        "minimal": example("Replay one", ids=[_ID]),
        "full": example(
            "Replay all that a client did not print on a day",
            filter={
                "client_id": "front-desk",
                "action": "print",
                "reason": "expired",
                "reference": "order-1001",
                "created_after": "2026-11-21T00:00:00Z",
                "created_before": "2026-11-22T00:00:00Z",
            },
            force=False,
            expires_in_s=900,
        ),
    }


class DismissInput(_Several):
    """Which to dismiss."""

    note: Note | None = Field(None, description=_NOTE)

    EXAMPLES: ClassVar = {
        "minimal": example("Dismiss one", ids=[_ID]),
        "full": example(
            "Dismiss all that expired at a client",
            filter={"client_id": "front-desk", "reason": "expired"},
            note="The order was cancelled",
        ),
    }


class DecideInput(Input):
    """What became of an unknown command."""

    outcome: Literal["completed", "failed", "cancelled"] = Field(
        description="`completed`: it happened; `failed`: it did not; `cancelled`: nobody needs it."
    )
    note: Note | None = Field(None, description=_NOTE)

    EXAMPLES: ClassVar = {
        "minimal": example("It was printed", outcome="completed"),
        "full": example("It was not printed", outcome="failed", note="The tray is empty, and nothing lies there"),
    }


class RetryOutput(CommandOutput):
    """The command that replays another one."""

    EXAMPLE: ClassVar = {**COMPLETED, "replay_of": _ID, "repeated": False}

    repeated: bool = Field(description="True: it was replayed before, and this is the command of that replay.")


class ReplayRow(Output):
    """What became of one."""

    id: UUID = Field(description="Id of the dead letter.")
    outcome: Literal["replayed", "repeated", "refused"] = Field(description="repeated: it was replayed before.")
    command_id: UUID | None = Field(description="The new command.")
    code: str | None = Field(description=_REFUSED)
    detail: str | None = Field(description=_SENTENCE)


class ReplayOutput(Output):
    """What became of each."""

    replayed: int = Field(description="How many were replayed now.")
    repeated: int = Field(description="How many were replayed before.")
    refused: int = Field(description="How many were refused.")
    left: int = Field(description=_LEFT)
    next_cursor: NextCursor
    items: list[ReplayRow] = Field(description=_WHAT_BECAME)


class DismissRow(Output):
    """What became of one."""

    id: UUID = Field(description="Id of the dead letter.")
    outcome: Literal["dismissed", "repeated", "refused"] = Field(description="repeated: it was dismissed before.")
    code: str | None = Field(description=_REFUSED)
    detail: str | None = Field(description=_SENTENCE)


class DismissOutput(Output):
    """What became of each."""

    dismissed: int = Field(description="How many were dismissed now.")
    repeated: int = Field(description="How many were dismissed before.")
    refused: int = Field(description="How many were refused.")
    left: int = Field(description=_LEFT)
    next_cursor: NextCursor
    items: list[DismissRow] = Field(description=_WHAT_BECAME)
