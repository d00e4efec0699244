"""The shapes of what a client that speaks HTTP says and hears."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from hub.api.description import example
from hub.api.shapes import CLIENT_ID, Input, Moment, Output
from hub.api.text import find_unstorable
from hub.errors import FieldProblem, RejectedError
from schemas.messages import Failure, Report, Result
from schemas.states import ReportStatus

SESSION = r"^[A-Za-z0-9._-]{1,50}$"
SessionName = Annotated[str, Field(pattern=SESSION, examples=["0193b3c0-5c6a-7000-8000-000000000000"])]
Words = Annotated[str, Field(max_length=8_000)]
_SESSION = "The name of this run of the client's program: a new one with each start."
_ID, _RUN = "0193b3c0-0000-7000-8000-0000000000a1", "0193b3c0-5c6a-7000-8000-000000000000"
_REPORT = {"report_id": _ID, "session": _RUN, "attempt": 1}
FailureCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["out_of_paper"])]


class Ping(Input):
    """A sign of liveness."""

    session: SessionName = Field(description=_SESSION)

    EXAMPLES: ClassVar = {
        "minimal": example("A run that just began", session="run-1"),
        "full": example("A run named by a UUID", session=_RUN),
    }


class ReportInput(Input):
    """What every report says. The same `report_id` again is the same report."""

    report_id: UUID = Field(description="Made by the client; the same again when it repeats the report.")
    session: SessionName = Field(description=_SESSION)
    attempt: int = Field(ge=1, le=1_000, description="The attempt of the run that this is about.")
    at: Moment | None = Field(None, description="When it happened. Default: now.")

    def said(self, command_id: UUID, status: ReportStatus, **fields: Any) -> Report:
        """The report as it would have come over MQTT. Raises RejectedError for what cannot be stored."""
        # Not `model_dump`, which fails at what is nested deeply.
        found = find_unstorable({name: getattr(self, name) for name in type(self).model_fields}, "")
        if found is not None:
            named = FieldProblem(found.field.removeprefix(".") or "body", found.code, found.params)
            raise RejectedError("validation_error", fields=(named,))
        return Report(
            report_id=self.report_id,
            command_id=command_id,
            attempt=self.attempt,
            status=status,
            at=self.at or datetime.now(UTC),
            **fields,
        )


class StatusInput(ReportInput):
    """A word about an attempt that has not ended."""

    status: Literal["accepted", "started", "held", "progress", "busy"] = Field(
        description="`accepted`: it will be run; `started`; `held`: it needs help, such as paper; `progress`; "
        "`busy`: it cannot be taken now."
    )
    progress: dict[str, Any] | None = Field(
        None,
        description="How far it is; with `held`, `reasons` says what a person must do.",
        examples=[{"percent": 40}],
    )

    EXAMPLES: ClassVar = {
        "minimal": example("The run began", **_REPORT, status="started"),
        "full": example(
            "The run needs paper",
            **_REPORT,
            at="2026-11-21T08:00:00Z",
            status="held",
            progress={"percent": 40, "reasons": ["media-empty"]},
        ),
    }

    def report(self, command_id: UUID) -> Report:
        """The report."""
        return self.said(command_id, ReportStatus(self.status), progress=self.progress)


class ResultInput(ReportInput):
    """An end without a failure, or one of which nobody can say what became of it."""

    status: Literal["completed", "cancelled", "expired", "unknown"] = Field(
        "completed", description="How it ended; `unknown`: it may have happened, and you cannot tell."
    )
    data: dict[str, Any] = Field(default_factory=dict, description="What came of it, for programs.")
    message: Words = Field("", description="What came of it, for people.")
    duration_s: float | None = Field(None, ge=0, le=1e9, description="How many seconds the run took.")

    EXAMPLES: ClassVar = {
        "minimal": example("The run has ended well", **_REPORT),
        "full": example(
            "The run has ended well, with what came of it",
            **_REPORT,
            at="2026-11-21T08:00:05Z",
            status="completed",
            data={"pages": 2},
            message="2 pages printed",
            duration_s=4.2,
        ),
    }

    def report(self, command_id: UUID) -> Report:
        """The report."""
        result = Result(data=self.data, message=self.message, duration_s=self.duration_s)
        return self.said(command_id, ReportStatus(self.status), result=result)


class ErrorInput(ReportInput):
    """The attempt failed."""

    code: FailureCode = Field(description="What went wrong, for programs; yours to choose.")
    message: Words = Field("", description="What went wrong and what to do, for people.")
    retryable: bool = Field(False, description="True only when you know that nothing took effect.")

    EXAMPLES: ClassVar = {
        "minimal": example("The run failed", **_REPORT, code="out_of_paper"),
        "full": example(
            "The run failed before it had any effect",
            **_REPORT,
            at="2026-11-21T08:00:05Z",
            code="out_of_paper",
            message="Tray 2 is empty: fill it",
            retryable=True,
        ),
    }

    def report(self, command_id: UUID) -> Report:
        """The report."""
        error = Failure(code=self.code, message=self.message, retryable=self.retryable)
        return self.said(command_id, ReportStatus.FAILED, error=error)


_HUB_TIME = "The hub's clock."


class ReceiptOutput(Output):
    """The hub has these reports for good."""

    v: int = Field(description="Version of the wire contract.")
    kind: Literal["receipt"] = Field(description="The kind of message.")
    client_id: str = Field(description=CLIENT_ID)
    report_ids: list[UUID] = Field(description="The reports that are stored.")
    hub_time: datetime = Field(description=_HUB_TIME)


class Pong(Output):
    """The hub heard the client."""

    client_id: str = Field(description=CLIENT_ID)
    session: str = Field(description=_SESSION)
    hub_time: datetime = Field(description=_HUB_TIME)


class PolledMessages(Output):
    """What the client is to be sent: cancels first, then the most urgent run first."""

    messages: list[dict[str, Any]] = Field(description="`run` and `cancel` messages of the wire contract.")
    hub_time: datetime = Field(description=_HUB_TIME)
