"""Schedules: making, showing, changing and removing them. `service.runner` fires them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.api.text import find_unstorable
from hub.core.access.rules import Caller
from hub.core.audit import store as audit
from hub.database.engine import Database
from hub.errors import ConflictError, FieldProblem, NotFoundError, RejectedError
from hub.features.batches.service.creation import BatchCreation, BatchRequest
from hub.features.schedules import rules as domain
from hub.features.schedules import store as store
from hub.features.schedules.rules import Misfire, Timetable, TimetableError
from hub.features.schedules.service import requests as requests
from hub.features.schedules.telemetry import Event
from hub.telemetry.log import Log

Row = dict[str, Any]
_AS_WHOM = ("cron", "time_zone", "request")
"""Who changes one of these answers for what comes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRequest:
    """A schedule that somebody asks for."""

    name: str
    cron: str
    time_zone: str
    request: BatchRequest
    misfire: Misfire = Misfire.ONCE
    grace_s: int = domain.DEFAULT_GRACE_S
    enabled: bool = True


class Schedules:
    """The service."""

    def __init__(self, database: Database, creation: BatchCreation, log: Log) -> None:
        self._database = database
        self._creation = creation
        self._log = log

    async def create(self, caller: Caller, asked: ScheduleRequest) -> Row:
        """A new schedule, which fires with this caller's permissions. Raises RejectedError, NotFoundError for what its
        request names, and ConflictError when the name is taken."""
        _check_name(asked.name)
        timetable = _timetable(asked.cron, asked.time_zone)
        document_ids = await self._judge(caller, asked.request)
        schedule_id = uuid7()
        async with self._database.transaction() as connection:
            next_at = _first(timetable, await self._database.now(connection), None)
            new = store.Stored(
                name=asked.name,
                cron=asked.cron,
                time_zone=asked.time_zone,
                request=requests.to_json(asked.request),
                document_ids=document_ids,
                misfire=asked.misfire.value,
                grace_s=asked.grace_s,
                enabled=asked.enabled,
                next_at=next_at if asked.enabled else None,
                runs_as=caller.principal_id,
            )
            if not await store.insert(connection, schedule_id, new):
                raise ConflictError("schedule_exists", name=asked.name)
            await audit.record(
                connection,
                caller,
                "schedule.create",
                "schedule",
                str(schedule_id),
                {"cron": new.cron, "zone": new.time_zone},
            )
        return await self._changed(schedule_id)

    async def get(self, schedule_id: UUID) -> Row:
        """One schedule. Raises NotFoundError."""
        async with self._database.connection() as connection:
            found = await store.find(connection, id=schedule_id)
        if not found:
            raise NotFoundError("schedule_not_found", schedule_id=schedule_id)
        return found[0]

    async def page(
        self, *, before: UUID | None, limit: int, name: str | None = None, enabled: bool | None = None
    ) -> tuple[list[Row], UUID | None]:
        """Up to `limit` schedules, newest first, and the cursor of the next page (None at the end)."""
        async with self._database.connection() as connection:
            rows = await store.find(connection, before=before, name=name, enabled=enabled, limit=limit + 1)
        return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None

    async def preview(self, schedule_id: UUID, count: int) -> list[datetime]:
        """The next times from now on, also of one that is disabled; fewer when there are no more. Raises
        NotFoundError."""
        row = await self.get(schedule_id)
        async with self._database.connection() as connection:
            now = await self._database.now(connection)
        timetable = _timetable(row["cron"], row["time_zone"])
        times: list[datetime] = []
        following = domain.first(timetable, now, row["last_at"])
        while following is not None and len(times) < count:
            times.append(following)
            following = timetable.after(following)
        return times

    async def change(self, caller: Caller, schedule_id: UUID, changes: Mapping[str, Any]) -> Row:
        """Change fields of ScheduleRequest; times that have passed until now are not made up for when `cron` or
        `time_zone` change, or when it is enabled. Raises like `create`, and NotFoundError."""
        if "name" in changes:
            _check_name(changes["name"])
        fields = dict(changes)
        if "request" in changes:
            fields["document_ids"] = await self._judge(caller, changes["request"])
            fields["request"] = requests.to_json(changes["request"])
        if any(name in changes for name in _AS_WHOM):
            fields["runs_as"] = caller.principal_id
        try:
            async with self._database.transaction() as connection:
                locked = await store.lock(connection, schedule_id)
                if locked is None:
                    raise NotFoundError("schedule_not_found", schedule_id=schedule_id)
                changed = replace(locked.stored, **fields)
                next_at = changed.next_at
                moved = (changed.cron, changed.time_zone) != (locked.stored.cron, locked.stored.time_zone)
                if moved or (changed.enabled and next_at is None):
                    next_at = _first(_timetable(changed.cron, changed.time_zone), locked.now, locked.last_at)
                changed = replace(changed, next_at=next_at if changed.enabled else None)
                await store.change(connection, schedule_id, changed)
                await audit.record(
                    connection, caller, "schedule.change", "schedule", str(schedule_id), {"changed": sorted(changes)}
                )
        except store.NameTakenError:
            raise ConflictError("schedule_exists", name=changes["name"]) from None
        return await self._changed(schedule_id)

    async def delete(self, caller: Caller, schedule_id: UUID) -> Row:
        """Remove a schedule; what it has sent goes on. The schedule as it was. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            if await store.lock(connection, schedule_id) is None:
                raise NotFoundError("schedule_not_found", schedule_id=schedule_id)
            found = await store.find(connection, id=schedule_id)
            await store.delete(connection, schedule_id)
            await audit.record(
                connection, caller, "schedule.delete", "schedule", str(schedule_id), {"name": found[0]["name"]}
            )
        self._log.info(Event.SCHEDULE_CHANGED, schedule_id=schedule_id, deleted=True)
        return found[0]

    async def _judge(self, caller: Caller, request: BatchRequest) -> list[UUID]:
        requests.check(request)
        try:
            return await self._creation.judge(caller, request)
        except RejectedError as problem:
            if not problem.fields:
                raise
            fields = tuple(FieldProblem(f"request.{field.field}", field.message) for field in problem.fields)
            raise RejectedError(problem.code, fields=fields) from None

    async def _changed(self, schedule_id: UUID) -> Row:
        row = await self.get(schedule_id)
        self._log.info(Event.SCHEDULE_CHANGED, schedule_id=schedule_id, name=row["name"], next_at=_iso(row["next_at"]))
        return row


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _timetable(cron: str, time_zone: str) -> Timetable:
    try:
        return Timetable.of(cron, time_zone)
    except TimetableError as problem:
        fields = (FieldProblem(problem.field, problem.message),)
        raise RejectedError("validation_error", fields=fields) from None


def _first(timetable: Timetable, now: datetime, last_at: datetime | None) -> datetime:
    found = domain.first(timetable, now, last_at)
    if found is None:
        raise RejectedError("validation_error", fields=(FieldProblem("cron", "such a time never comes"),))
    return found


def _check_name(name: str) -> None:
    found = find_unstorable(name, "name")
    if found:
        raise RejectedError("validation_error", fields=(FieldProblem(*found),))
