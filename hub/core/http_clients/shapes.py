"""The shapes of what a client that speaks HTTP says and hears.

A report has a full form, with `report_id`, `session` and `attempt`, and a simple one without any of them, for clients
that know only their key: the hub fills those in.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag

from hub.api.description import example
from hub.api.field_catalogue import FORMS
from hub.api.shapes import CLIENT_ID, Input, Moment, Output
from hub.api.text import clean, clean_text, find_unstorable
from hub.core.http_clients import rules
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

    session: SessionName | None = Field(
        None, description=f"{_SESSION} Only a client with a bearer key can leave it out."
    )
    timestamp: Any = Field(None, description="Ignored: the hub's clock counts.", examples=["2026-11-21T08:00:00Z"])

    EXAMPLES: ClassVar = {
        "minimal": example("A run that just began", session="run-1"),
        "full": example("A run named by a UUID", session=_RUN, timestamp="2026-11-21T08:00:00Z"),
        "simple": example("A client with a bearer key"),
    }


class ReportInput(Input):
    """What every report says. The same `report_id` again is the same report."""

    report_id: UUID = Field(description="Chosen by the client, and the same when it repeats the report.")
    session: SessionName = Field(description=_SESSION)
    attempt: int = Field(ge=1, le=1_000, description="The attempt of the run that this is about.")
    at: Moment | None = Field(None, description="When it happened. Default: now.")

    def report(self, command_id: UUID) -> Report:
        """The report."""
        raise NotImplementedError

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
        description="Progress; with `held`, `reasons` says what needs attention.",
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
        "completed", description="How it ended; `unknown`: it may have happened, and you do not know."
    )
    data: dict[str, Any] = Field(default_factory=dict, description="The result, for programs.")
    message: Words = Field("", description="The result, for people.")
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


# --- the simple form -----------------------------------------------------------------------------------------

MOST_TEXT = 8_000
"""Characters of a text that are kept; the rest is cut off, since nobody would send it again without."""
SIMPLE_ERROR = "reported_error"
"""The code of a failure that came without one."""
_OF_FULL = ("report_id", "reportId", "session", "attempt")


def _text(value: Any) -> Any:
    return clean_text(value[:MOST_TEXT]) if isinstance(value, str) else "" if value is None else value


CutText = Annotated[str, BeforeValidator(_text)]


class SimpleReport(Input):
    """A report without ids. What else is in it is kept as data."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"not": {"anyOf": [{"required": [name]} for name in _OF_FULL]}}
    )

    def report(self, command_id: UUID, attempt: int) -> Report:
        """The report. Raises RejectedError for what cannot be stored."""
        raise NotImplementedError

    def _further(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


def simple_report(
    command_id: UUID, attempt: int, status: ReportStatus, *, result: Result, error: Failure | None = None
) -> Report:
    """The report as a client that knows its attempt would send it. Raises RejectedError for what cannot be stored."""
    kept = clean({"data": result.data, "message": result.message})
    if (found := find_unstorable(kept["data"], "data")) is not None:
        raise RejectedError("validation_error", fields=(found,))
    return Report(
        report_id=rules.report_id(command_id, attempt, status),
        command_id=command_id,
        attempt=attempt,
        status=status,
        at=datetime.now(UTC),
        result=Result(data=kept["data"], message=kept["message"], duration_s=result.duration_s),
        error=None
        if error is None
        else Failure(code=error.code, message=clean(error.message), retryable=error.retryable),
    )


class SimpleStatus(SimpleReport):
    """How a run goes, or how it ended."""

    status: Literal["running", "completed", "failed"] = Field(
        description="`running`: its effect begins. `completed`, `failed`: its end, as `POST .../result` and "
        "`.../error` say it."
    )
    message: CutText = Field("", description="A note about it, for people.")

    EXAMPLES: ClassVar = {
        "simple": example("With a bearer key: the run began", status="running", message="in the queue of the printer"),
    }

    def report(self, command_id: UUID, attempt: int) -> Report:
        """The report."""
        status = ReportStatus.STARTED if self.status == "running" else ReportStatus(self.status)
        error = Failure(code=SIMPLE_ERROR, message=self.message) if status is ReportStatus.FAILED else None
        said = Result(data=self._further(), message=self.message)
        return simple_report(command_id, attempt, status, result=said, error=error)


class SimpleResult(SimpleReport):
    """What came of a run."""

    success: bool = Field(description="Whether it succeeded.")
    data: Any = Field(None, description="The result: an object; anything else is kept as its field `value`.")
    message: CutText = Field("", description="The result, for people; if `success` is false, why it failed.")
    duration: float | None = Field(None, description="How many seconds the run took.")

    EXAMPLES: ClassVar = {
        "simple": example(
            "With a bearer key: the run has ended well",
            success=True,
            data={"pages": 2},
            message="2 pages printed",
            duration=4.2,
        ),
    }

    def report(self, command_id: UUID, attempt: int) -> Report:
        """The report."""
        given = {} if self.data is None else self.data if isinstance(self.data, dict) else {"value": self.data}
        took = self.duration if self.duration is not None and 0 <= self.duration <= 1e9 else None
        said = Result(data={**self._further(), **given}, message=self.message, duration_s=took)
        if self.success:
            return simple_report(command_id, attempt, ReportStatus.COMPLETED, result=said)
        error = Failure(code=SIMPLE_ERROR, message=self.message)
        return simple_report(command_id, attempt, ReportStatus.FAILED, result=said, error=error)


class SimpleError(SimpleReport):
    """A run failed."""

    message: CutText = Field("", description="What went wrong and what to do, for people.")
    stack: CutText = Field("", description="Where in the program; kept as `result.data.stack`.")
    code: FailureCode = Field(SIMPLE_ERROR, description="What went wrong, for programs; yours to choose.")
    retryable: bool = Field(
        False, description="True only when you know that nothing took effect: then the hub sends it again."
    )

    EXAMPLES: ClassVar = {
        "simple": example(
            "With a bearer key: the run failed before it had any effect",
            message="Tray 2 is empty: fill it",
            stack="Error: no paper\n  at print (client.js:40)",
            code="out_of_paper",
            retryable=True,
        ),
    }

    def report(self, command_id: UUID, attempt: int) -> Report:
        """The report."""
        data = self._further() | ({"stack": self.stack} if self.stack else {})
        error = Failure(code=self.code, message=self.message, retryable=self.retryable)
        said = Result(data=data, message=self.message)
        return simple_report(command_id, attempt, ReportStatus.FAILED, result=said, error=error)


FULL, SIMPLE = FORMS


def _form(body: Any) -> str:
    if isinstance(body, Mapping):
        return FULL if any(name in body for name in _OF_FULL) else SIMPLE
    return FULL if isinstance(body, ReportInput) else SIMPLE


StatusBody = Annotated[Annotated[StatusInput, Tag(FULL)] | Annotated[SimpleStatus, Tag(SIMPLE)], Discriminator(_form)]
ResultBody = Annotated[Annotated[ResultInput, Tag(FULL)] | Annotated[SimpleResult, Tag(SIMPLE)], Discriminator(_form)]
ErrorBody = Annotated[Annotated[ErrorInput, Tag(FULL)] | Annotated[SimpleError, Tag(SIMPLE)], Discriminator(_form)]


# --- answers -------------------------------------------------------------------------------------------------

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
    session: str | None = Field(description=f"{_SESSION} null: the ping named none.")
    hub_time: datetime = Field(description=_HUB_TIME)


class PolledMessages(Output):
    """What the client is to be sent: cancels first, then the most urgent run first."""

    messages: list[dict[str, Any]] = Field(description="`run` and `cancel` messages of the wire contract.")
    hub_time: datetime = Field(description=_HUB_TIME)
