"""The shapes of schedules."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, ValidationError

from hub.api.description import example
from hub.api.pages import NextCursor
from hub.api.shapes import Change, Input, Output
from hub.errors import FieldProblem
from hub.features.batches.shapes import BatchFields
from hub.features.schedules.rules import DEFAULT_GRACE_S, LONGEST_GRACE_S, Misfire, Timetable, TimetableError
from hub.features.schedules.service.requests import problems_of
from hub.features.schedules.service.schedules import ScheduleRequest

_CRON = "Five fields: minute, hour, day of month, month, day of week; as Debian's cron, and L, # beside."
_ZONE = "An IANA name, such as Asia/Seoul."
_MISFIRE = "If no hub was running at the time: `skip` it, or make up for it `once` within `grace_s`."
_NAME = "For people; no two schedules of one user or integration have the same."
_GRACE = "For misfire `once`: seconds after the time; at least 60 count."
_REQUEST = "What is sent each time, as POST /api/batches takes it."
_ENABLED = "A disabled schedule sends nothing."


def _conflicts(given: Mapping[str, Any], cron: str, time_zone: str) -> Iterator[FieldProblem]:
    """What of a schedule's fields does not fit; what was not given is `cron` and `time_zone`."""
    cron, time_zone = given.get("cron", cron), given.get("time_zone", time_zone)
    if isinstance(cron, str) and isinstance(time_zone, str):
        try:
            Timetable.of(cron, time_zone)
        except TimetableError as wrong:
            yield from wrong.problems
    request = given.get("request")
    if isinstance(request, Mapping):  # as it was sent, since something else is wrong
        try:
            request = BatchFields.model_validate(request)
        except ValidationError:
            return
    if isinstance(request, BatchFields):
        yield from problems_of(request.to_request())


class ScheduleInput(Input):
    """A schedule to be made."""

    name: str = Field(min_length=1, max_length=200, description=_NAME)
    cron: str = Field(min_length=1, max_length=200, description=_CRON, examples=["0 7 * * 1-5"])
    time_zone: str = Field("UTC", max_length=100, description=_ZONE, examples=["Asia/Seoul"])
    request: BatchFields = Field(description=_REQUEST)
    misfire: Literal["skip", "once"] = Field("once", description=_MISFIRE)
    grace_s: int = Field(DEFAULT_GRACE_S, ge=0, le=LONGEST_GRACE_S, description=_GRACE)
    enabled: bool = Field(True, description=_ENABLED)

    EXAMPLES: ClassVar = {
        "minimal": example(
            "Every client's status, every day at 7:00 UTC",
            name="Status of the day",
            cron="0 7 * * *",
            request={"target": {"all": True}, "command": {"action": "status"}},
        ),
        "full": example(
            "A list to print on working days in Seoul",
            name="Picking list",
            cron="30 8 * * 1-5",
            time_zone="Asia/Seoul",
            request={
                "target": {"clients": ["front-desk"]},
                "command": {
                    "action": "print",
                    "payload": {"printer": "office", "document": "0193b3c0-0000-7000-8000-000000000000"},
                    "expires_in_s": 28_800,
                },
            },
            misfire="once",
            grace_s=3_600,
            enabled=True,
        ),
    }

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        return _conflicts(given, _A_CRON, "UTC")

    def to_request(self) -> ScheduleRequest:
        """As the service takes it."""
        fields = self.__dict__ | {"misfire": Misfire(self.misfire), "request": self.request.to_request()}
        return ScheduleRequest(**fields)


class ScheduleChange(Change):
    """What to change; a field that is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=200, description=_NAME)
    cron: str | None = Field(None, min_length=1, max_length=200, description=_CRON)
    time_zone: str | None = Field(None, max_length=100, description=_ZONE)
    request: BatchFields | None = Field(None, description=_REQUEST)
    misfire: Literal["skip", "once"] | None = Field(None, description=_MISFIRE)
    grace_s: int | None = Field(None, ge=0, le=LONGEST_GRACE_S, description=_GRACE)
    enabled: bool | None = Field(None, description=_ENABLED)

    EXAMPLES: ClassVar = {
        "minimal": example("Disable it", enabled=False),
        "full": example(
            "Change everything that can be changed",
            name="Picking list of the morning",
            cron="0 8 * * 1-5",
            time_zone="Asia/Seoul",
            request={"target": {"all": True}, "command": {"action": "status"}},
            misfire="skip",
            grace_s=0,
            enabled=True,
        ),
    }

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        yield from super().conflicts(given)
        yield from _conflicts(given, _A_CRON, "UTC")
        if not given:
            yield FieldProblem("", "nothing_to_change", {"names": tuple(cls.model_fields)})

    def changes(self) -> dict[str, Any]:
        """The same, with the request as the service takes it."""
        request = {} if self.request is None else {"request": self.request.to_request()}
        return super().changes() | request


_A_CRON = "* * * * *"


class ScheduleSummary(Output):
    """A schedule without what it sends."""

    id: UUID = Field(description="Id of the schedule.")
    name: str = Field(description=_NAME)
    cron: str = Field(description=_CRON)
    time_zone: str = Field(description=_ZONE)
    misfire: Literal["skip", "once"] = Field(description=_MISFIRE)
    grace_s: int = Field(description=_GRACE)
    enabled: bool = Field(description=_ENABLED)
    next_at: datetime | None = Field(description="null: it is disabled, or has no further time.")
    last_at: datetime | None = Field(description="The latest time that has passed, whether or not a batch was created.")
    last_batch_id: UUID | None = Field(description="The latest batch that it created.")
    last_error: str | None = Field(description="Why no batch was created at last_at: `missed`, or an error code.")
    runs_as: UUID = Field(
        description="Whose permissions apply: the person who last changed cron, time_zone or request."
    )
    created_by: UUID = Field(description="Id of the principal that made it.")
    created_at: datetime = Field(description="When it was created.")
    updated_at: datetime = Field(description="When somebody last changed it.")
    version: int = Field(description="Counts the changes by people.")


class ScheduleOutput(ScheduleSummary):
    """A schedule with what it sends."""

    request: dict[str, Any] = Field(description="As sent to POST /api/batches, without defaults.")


class SchedulePage(Output):
    """Schedules, newest first."""

    items: list[ScheduleSummary] = Field(description="The schedules of this page.")
    next_cursor: NextCursor = None


class NextTimes(Output):
    """When a schedule fires, also one that is disabled as if it were not."""

    items: list[datetime] = Field(description="Its next times.")
