"""The shapes of schedules."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from hub.api.shapes import Change, Input
from hub.features.batches.shapes import BatchFields
from hub.features.schedules.rules import DEFAULT_GRACE_S, LONGEST_GRACE_S, Misfire
from hub.features.schedules.service.schedules import ScheduleRequest

_CRON = "Five fields: minute, hour, day of month, month, day of week; as Debian's cron, and L, # beside."
_ZONE = "An IANA name, such as Asia/Seoul."
_MISFIRE = "When no hub was there at the time: skip it, or make up for it once within `grace_s`."


class ScheduleInput(Input):
    """A schedule to be made."""

    name: str = Field(min_length=1, max_length=200, description="For people; no two schedules have the same.")
    cron: str = Field(min_length=1, max_length=200, description=_CRON, examples=["0 7 * * 1-5"])
    time_zone: str = Field("UTC", max_length=100, description=_ZONE, examples=["Asia/Seoul"])
    request: BatchFields = Field(description="What is sent each time, as POST /api/batches takes it.")
    misfire: Literal["skip", "once"] = Field("once", description=_MISFIRE)
    grace_s: int = Field(
        DEFAULT_GRACE_S, ge=0, le=LONGEST_GRACE_S, description="For misfire `once`; at least 60 count."
    )
    enabled: bool = True

    def to_request(self) -> ScheduleRequest:
        """As the service takes it."""
        fields = self.__dict__ | {"misfire": Misfire(self.misfire), "request": self.request.to_request()}
        return ScheduleRequest(**fields)


class ScheduleChange(Change):
    """What to change; a field that is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=200)
    cron: str | None = Field(None, min_length=1, max_length=200, description=_CRON)
    time_zone: str | None = Field(None, max_length=100, description=_ZONE)
    request: BatchFields | None = None
    misfire: Literal["skip", "once"] | None = Field(None, description=_MISFIRE)
    grace_s: int | None = Field(None, ge=0, le=LONGEST_GRACE_S)
    enabled: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give at least one field to change")
        return self

    def changes(self) -> dict[str, Any]:
        """The same, with the request as the service takes it."""
        request = {} if self.request is None else {"request": self.request.to_request()}
        return super().changes() | request


class ScheduleSummary(BaseModel):
    """A schedule without what it sends."""

    id: UUID
    name: str
    cron: str
    time_zone: str
    misfire: Literal["skip", "once"]
    grace_s: int
    enabled: bool
    next_at: datetime | None = Field(description="null: it is disabled, or its time never comes again.")
    last_at: datetime | None = Field(description="The latest time that came, whatever became of it.")
    last_batch_id: UUID | None = Field(description="The latest batch that came of it.")
    last_error: str | None = Field(description="Why no batch came of last_at: `missed`, or a code of an error.")
    runs_as: UUID = Field(description="Whose permissions count: who last changed cron, time_zone or request.")
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    version: int = Field(description="Counts the changes by people.")


class ScheduleOutput(ScheduleSummary):
    """A schedule."""

    request: dict[str, Any] = Field(description="As POST /api/batches takes it, without defaults.")


class SchedulePage(BaseModel):
    """Schedules, newest first."""

    items: list[ScheduleSummary]
    next_cursor: str | None = None


class NextTimes(BaseModel):
    """When a schedule fires, also one that is disabled as if it were not."""

    items: list[datetime]
