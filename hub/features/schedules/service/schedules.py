"""Schedules: making, showing, changing and removing them. `service.runner` fires them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from uuid_utils.compat import uuid7

from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import EVERYTHING, Caller, Scope
from hub.core.audit import store as audit
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, FieldProblem, NotFoundError, RejectedError
from hub.features.batches.service.creation import BatchCreation, BatchRequest
from hub.features.schedules import rules as domain
from hub.features.schedules import store as store
from hub.features.schedules.rules import Misfire, Timetable, TimetableError
from hub.features.schedules.service import requests as requests
from hub.features.schedules.store import Schedule
from hub.features.schedules.telemetry import Event
from hub.telemetry.log import Log

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

    def __init__(
        self, database: Database, creation: BatchCreation, log: Log, *, new_id: Callable[[], UUID] = uuid7
    ) -> None:
        self._database = database
        self._creation = creation
        self._log = log
        self._new_id = new_id

    async def create(self, caller: Caller, asked: ScheduleRequest) -> Schedule:
        """A new schedule, which fires with this caller's permissions. Raises RejectedError, NotFoundError for what its
        request names, and ConflictError when the name is taken."""
        require_storable(name=asked.name)
        timetable = _timetable(asked.cron, asked.time_zone)
        document_ids = await self._judge(caller, asked.request)
        schedule_id = self._new_id()
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
                runs_by_key=_scoped_key(caller),
            )
            if not await store.insert_schedule(connection, schedule_id, new):
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

    async def get(self, caller: Caller, schedule_id: UUID) -> Schedule:
        """One schedule. Raises NotFoundError, also for one that the caller is not allowed to see."""
        async with self._database.connection() as connection:
            return await self._found(connection, caller.scope, schedule_id)

    async def _found(self, connection: Connection, scope: Scope, schedule_id: UUID) -> Schedule:
        found = await store.get(connection, scope, schedule_id)
        if found is None:
            raise NotFoundError("schedule_not_found", schedule_id=schedule_id)
        return found

    async def page(
        self,
        caller: Caller,
        *,
        before: UUID | None,
        limit: int,
        name: str | None = None,
        enabled: bool | None = None,
    ) -> Page[Schedule, UUID]:
        """Up to `limit` schedules that the caller may see, newest first."""
        async with self._database.connection() as connection:
            rows = await store.page(
                connection, caller.scope, before=before, name=name, enabled=enabled, limit=limit + 1
            )
        return Page.of(rows, limit, lambda schedule: schedule.id)

    async def preview(self, caller: Caller, schedule_id: UUID, count: int) -> list[datetime]:
        """The next times from now on, also of one that is disabled; fewer when there are no more. Raises
        NotFoundError."""
        schedule = await self.get(caller, schedule_id)
        async with self._database.connection() as connection:
            now = await self._database.now(connection)
        timetable = _timetable(schedule.cron, schedule.time_zone)
        times: list[datetime] = []
        following = domain.first(timetable, now, schedule.last_at)
        while following is not None and len(times) < count:
            times.append(following)
            following = timetable.after(following)
        return times

    async def change(self, caller: Caller, schedule_id: UUID, changes: Mapping[str, Any]) -> Schedule:
        """Change fields of ScheduleRequest; times that have passed until now are not made up for when `cron` or
        `time_zone` change, or when it is enabled. Raises like `create`, and NotFoundError."""
        require_storable(name=changes.get("name"))
        async with self._database.connection() as connection:
            await self._require_own(connection, caller, schedule_id)
        fields = dict(changes)
        if "request" in changes:
            fields["document_ids"] = await self._judge(caller, changes["request"])
            fields["request"] = requests.to_json(changes["request"])
        if any(name in changes for name in _AS_WHOM):
            fields |= {"runs_as": caller.principal_id, "runs_by_key": _scoped_key(caller)}
        try:
            async with self._database.transaction() as connection:
                locked = await store.lock(connection, schedule_id)
                if locked is None:
                    raise NotFoundError("schedule_not_found", schedule_id=schedule_id)
                await self._require_own(connection, caller, schedule_id)
                changed = replace(locked.stored, **fields)
                next_at = changed.next_at
                moved = (changed.cron, changed.time_zone) != (locked.cron, locked.time_zone)
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

    async def delete(self, caller: Caller, schedule_id: UUID) -> Schedule:
        """Remove a schedule; what it has sent goes on. The schedule as it was. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            await store.lock(connection, schedule_id)
            found = await self._require_own(connection, caller, schedule_id)
            await store.remove(connection, schedule_id)
            await audit.record(
                connection, caller, "schedule.delete", "schedule", str(schedule_id), {"name": found.name}
            )
        self._log.info(Event.SCHEDULE_CHANGED, schedule_id=schedule_id, deleted=True)
        return found

    async def _require_own(self, connection: Connection, caller: Caller, schedule_id: UUID) -> Schedule:
        """The schedule, if the caller may change it. Raises NotFoundError when he is not allowed to see it, and
        RejectedError when it is somebody else's and he is not allowed to command all that it means."""
        found = await self._found(connection, caller.scope, schedule_id)
        beyond = await store.beyond(connection, caller.scope, schedule_id)
        if beyond is not None:
            raise RejectedError("grant_missing", client_id=beyond.client_id, action=beyond.action, access="command")
        return found

    async def _judge(self, caller: Caller, request: BatchRequest) -> list[UUID]:
        requests.check(request)
        try:
            return await self._creation.judge(caller, request)
        except RejectedError as problem:
            if not problem.fields:
                raise
            fields = tuple(field.below("request") for field in problem.fields)
            raise RejectedError(problem.code, fields=fields) from None

    async def _changed(self, schedule_id: UUID) -> Schedule:
        async with self._database.connection() as connection:
            changed = await self._found(connection, EVERYTHING, schedule_id)
        self._log.info(
            Event.SCHEDULE_CHANGED, schedule_id=schedule_id, name=changed.name, next_at=_iso(changed.next_at)
        )
        return changed


def _scoped_key(caller: Caller) -> UUID | None:
    """The key within whose scope stays what this caller leaves behind; None: all that its principal may."""
    return None if caller.scope.owner else caller.key_id


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _timetable(cron: str, time_zone: str) -> Timetable:
    try:
        return Timetable.of(cron, time_zone)
    except TimetableError as problem:
        raise RejectedError("validation_error", fields=problem.problems) from None


def _first(timetable: Timetable, now: datetime, last_at: datetime | None) -> datetime:
    found = domain.first(timetable, now, last_at)
    if found is None:
        raise RejectedError("validation_error", fields=(FieldProblem("cron", "cron_never"),))
    return found
