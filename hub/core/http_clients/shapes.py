"""The shapes of what a client that speaks HTTP says and hears."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.api.shapes import Input, Moment
from hub.api.text import find_unstorable
from hub.errors import FieldProblem, RejectedError
from schemas.messages import Failure, Report, Result
from schemas.states import ReportStatus

SESSION = r"^[A-Za-z0-9._-]{1,50}$"
SessionName = Annotated[str, Field(pattern=SESSION, examples=["0193b3c0-5c6a-7000-8000-000000000000"])]
Words = Annotated[str, Field(max_length=8_000)]
FailureCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["out_of_paper"])]


class Ping(Input):
    """A sign of liveness."""

    session: SessionName = Field(description="New with each start of the client's program.")


class ReportInput(Input):
    """What every report says. The same `report_id` again is the same report."""

    report_id: UUID = Field(description="Made by the client; the same again when it repeats the report.")
    session: SessionName
    attempt: int = Field(ge=1, le=1_000, description="The attempt of the run that this is about.")
    at: Moment | None = Field(None, description="When it happened; without it, now.")

    def said(self, command_id: UUID, status: ReportStatus, **fields: Any) -> Report:
        """The report as it would have come over MQTT. Raises RejectedError for what cannot be stored."""
        # Not `model_dump`, which fails at what is nested deeply.
        found = find_unstorable({name: getattr(self, name) for name in type(self).model_fields}, "")
        if found is not None:
            raise RejectedError(
                "validation_error", fields=(FieldProblem(found[0].removeprefix(".") or "body", found[1]),)
            )
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

    status: Literal["accepted", "started", "held", "progress", "busy"]
    progress: dict[str, Any] | None = Field(
        None,
        description="How far it is; with `held`, `reasons` says what a person must do.",
        examples=[{"percent": 40}],
    )

    def report(self, command_id: UUID) -> Report:
        """The report."""
        return self.said(command_id, ReportStatus(self.status), progress=self.progress)


class ResultInput(ReportInput):
    """An end without a failure, or one of which nobody can say what became of it."""

    status: Literal["completed", "cancelled", "expired", "unknown"] = "completed"
    data: dict[str, Any] = Field(default_factory=dict)
    message: Words = ""
    duration_s: float | None = Field(None, ge=0, le=1e9)

    def report(self, command_id: UUID) -> Report:
        """The report."""
        result = Result(data=self.data, message=self.message, duration_s=self.duration_s)
        return self.said(command_id, ReportStatus(self.status), result=result)


class ErrorInput(ReportInput):
    """The attempt failed."""

    code: FailureCode
    message: Words = ""
    retryable: bool = Field(False, description="True only when you know that nothing took effect.")

    def report(self, command_id: UUID) -> Report:
        """The report."""
        error = Failure(code=self.code, message=self.message, retryable=self.retryable)
        return self.said(command_id, ReportStatus.FAILED, error=error)


class ReceiptOutput(BaseModel):
    """The hub has these reports for good."""

    v: int
    kind: Literal["receipt"]
    client_id: str
    report_ids: list[UUID]
    hub_time: datetime


class Pong(BaseModel):
    """The hub heard it."""

    client_id: str
    session: str
    hub_time: datetime


class Messages(BaseModel):
    """What the client is to be sent: cancels first, then the most urgent run first."""

    messages: list[dict[str, Any]]
    hub_time: datetime
