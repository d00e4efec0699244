"""Who may send another request, and whether a request is a new one."""

import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.api.rate_limits import Rule, tell
from hub.core.limits import rules, store
from hub.core.limits.rules import Count, Windows
from hub.core.limits.telemetry import Event
from hub.database.engine import Database
from hub.errors import FieldProblem, RejectedError, SetupError
from hub.fairness import serve_for
from hub.keys import hash_secret
from hub.telemetry.log import Log

NONCES_AT_ONCE = 1_000
MOST_AT_ONCE = 1_000
"""Requests of one principal that one process serves at the same time: half of what it serves at all."""
_ADMITTED = "admitted"
OF_PROGRAMS, OF_PEOPLE, OF_ADDRESSES = (
    "FLOORHUB_LIMIT_PROGRAMS",
    "FLOORHUB_LIMIT_PEOPLE",
    "FLOORHUB_LIMIT_ADDRESSES",
)


class Presence:
    """Tells the other processes that this one lives, and learns the hub's clock and how many share a limit; `beat` is
    to be called every few seconds."""

    def __init__(
        self,
        database: Database,
        roles: frozenset[str],
        *,
        new_id: Callable[[], UUID] = uuid7,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._roles = sorted(roles)
        self._id = new_id()
        self._monotonic = monotonic
        self._at: tuple[datetime, float] | None = None
        self.share = 1
        """How many processes answer HTTP, this one among them."""
        self.beside_previous = False
        """Whether a worker of the version before runs, too."""

    async def beat(self) -> None:
        """Say that this process lives. Raises UnavailableError, and then what was known before counts."""
        async with self._database.connection() as connection:
            found = await store.beat(connection, self._id, self._roles)
        self._at = found.now, self._monotonic()
        self.share = found.others + 1
        self.beside_previous = found.names > found.workers

    async def leave(self) -> None:
        """Say that this process ends. Raises UnavailableError; then the others find out by themselves."""
        async with self._database.connection() as connection:
            await store.leave(connection, self._id)

    def now(self) -> datetime:
        """The hub's clock, without asking for it: as the last beat had it, and what has passed since."""
        assert self._at is not None  # noqa: S101 - the first beat comes before the first request
        moment, then = self._at
        return moment + timedelta(seconds=self._monotonic() - then)


class Replays:
    """Refuses requests that are too old, or were sent before."""

    def __init__(self, database: Database, presence: Presence, *, required: bool) -> None:
        """`required`: integrations must say when they send a request, and give it a nonce."""
        self._database = database
        self._presence = presence
        self._required = required

    async def check(self, principal_id: UUID, kind: str, timestamp: str | None, nonce: str | None) -> None:
        """Let a request through once. Raises RejectedError; a nonce is taken only by a request whose time is right."""
        if timestamp is None and nonce is None:
            if self._required and kind == "integration":
                raise RejectedError("timestamp_required")
            return
        if self._required and kind == "integration" and (timestamp is None or nonce is None):
            raise RejectedError("timestamp_required")
        problems = []
        moment = rules.moment_of(timestamp) if timestamp is not None else None
        if timestamp is not None and moment is None:
            problems.append(FieldProblem("X-Request-Timestamp", "request_timestamp"))
        if nonce is not None and not rules.is_nonce(nonce):
            problems.append(FieldProblem("X-Request-Nonce", "request_nonce", {"most": rules.MOST_NONCE}))
        if problems:
            raise RejectedError("validation_error", fields=tuple(problems))
        if moment is not None and not rules.is_fresh(moment, now := self._presence.now()):
            raise RejectedError("timestamp_expired", now=now.replace(microsecond=0))
        if nonce is not None:
            async with self._database.connection() as connection:
                new = await store.take_nonce(connection, principal_id, hash_secret(nonce))
            if not new:
                raise RejectedError("nonce_used")

    async def forget(self) -> float | None:
        """Take away nonces of requests that are too old by now; at once again while there are many. Raises
        UnavailableError."""
        before = self._presence.now() - rules.NONCE_KEPT
        async with self._database.connection() as connection:
            gone = await store.forget_nonces(connection, before, NONCES_AT_ONCE)
        return 0.0 if gone == NONCES_AT_ONCE else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerMinute:
    """How many requests a minute; 0: as many as come."""

    programs: int
    people: int
    addresses: int


class Limits:
    """Counts requests, each process its share of them."""

    def __init__(
        self,
        limits: PerMinute,
        presence: Presence,
        replays: Replays,
        log: Log,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._presence = presence
        self._replays = replays
        self._log = log
        self._monotonic = monotonic
        self._programs = Windows(limits.programs)
        self._people = Windows(limits.people)
        self._addresses = Windows(limits.addresses)
        self._under_way: dict[UUID, int] = {}

    async def admit(
        self,
        state: MutableMapping[str, Any],
        principal_id: UUID,
        kind: str,
        *,
        by_session: bool,
        timestamp: str | None = None,
        nonce: str | None = None,
    ) -> None:
        """Let a request of a principal through that has shown who it is. `state`: that of the request's scope;
        `timestamp` and `nonce`: its headers. Raises RejectedError and UnavailableError."""
        windows, setting = (self._people, OF_PEOPLE) if by_session else (self._programs, OF_PROGRAMS)
        count = windows.take(principal_id, self._monotonic(), self._presence.share)
        if count is not None:
            tell(state, Rule("requests", count.limit, rules.WINDOW_S, max(count.left, 0), ceil(count.reset_s)))
            if count.left < 0:
                self._log.seldom(principal_id, "too_many_requests").warning(
                    Event.REQUEST_REFUSED, code="too_many_requests", principal_id=principal_id
                )
                raise self._refusal(count, setting)
        under_way = self._under_way.get(principal_id, 0)
        if under_way >= MOST_AT_ONCE:
            raise RejectedError("too_many_waiting", retry_after_s=1)
        self._under_way[principal_id] = under_way + 1
        state[_ADMITTED] = principal_id
        # What this request asks the database for waits behind others of the same principal, not before those of others.
        serve_for(principal_id)
        await self._replays.check(principal_id, kind, timestamp, nonce)

    def ended(self, state: MutableMapping[str, Any]) -> None:
        """A request was answered, whether it had been admitted or not."""
        principal_id = state.pop(_ADMITTED, None)
        if principal_id is not None:
            left = self._under_way[principal_id] - 1
            if left:
                self._under_way[principal_id] = left
            else:
                del self._under_way[principal_id]

    def stranger(self, state: MutableMapping[str, Any], address: str) -> RejectedError | None:
        """Count a request of somebody who has shown nothing valid; the refusal when it is one too many."""
        count = self._addresses.take(rules.site_of(address), self._monotonic(), self._presence.share)
        if count is None:
            return None
        tell(state, Rule("address", count.limit, rules.WINDOW_S, max(count.left, 0), ceil(count.reset_s)))
        if count.left >= 0:
            return None
        self._log.seldom(address, "too_many_requests").warning(
            Event.REQUEST_REFUSED, code="too_many_requests", address=address
        )
        return self._refusal(count, OF_ADDRESSES)

    def _refusal(self, count: Count, setting: str) -> RejectedError:
        wait = max(1, ceil(count.reset_s))
        return RejectedError(
            "too_many_requests",
            limit=count.limit,
            remaining=0,
            reset=(self._presence.now() + timedelta(seconds=count.reset_s)).replace(microsecond=0),
            retry_after_s=wait,
            setting=setting,
        )


async def use_quota_time_zone(database: Database, name: str, log: Log) -> None:
    """Have the days of clients' limits begin at midnight there. Raises SetupError when Postgres has no such zone."""
    async with database.transaction() as connection:
        if not await store.knows_zone(connection, name):
            raise SetupError(
                f"Postgres knows no time zone {name}: correct FLOORHUB_QUOTA_TIME_ZONE, or update the time zones "
                "of the database's machine.",
                ko=f"Postgres에 시간대 {name}이(가) 없습니다. FLOORHUB_QUOTA_TIME_ZONE을 고치거나 데이터베이스 서버의 "
                "시간대 데이터를 갱신하십시오.",
            )
        changed = await store.set_quota_time_zone(connection, name)
    if changed:
        log.info(Event.QUOTA_TIME_ZONE, name=name)
