"""Postgres as the hub's services see it, in memory: the typed functions of their stores, with the same guards.

A transaction happens at one moment; before it and after its commit time passes, so that a worker can die or another
can be faster. A connection may break after the commit: whoever waits then does not know. What the SQL does is compared
with the same decisions by `tests/integration/commands/`.
"""

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any
from uuid import UUID

from hub.core.commands.rules import lanes
from hub.core.commands.rules.lifecycle import HANDED_OUT, NO_WORD_GRACE, LockedCommand
from hub.core.commands.store import dispatch, transitions
from hub.core.presence import store as sessions
from hub.core.presence.rules.identity import Identity, Lived
from hub.core.presence.rules.presence import Evidence
from hub.core.presence.store import OFFERED, Life, LockedSession
from hub.errors import UnavailableError
from schemas.messages import Cancel, Run
from schemas.states import OnInterrupt, Presence, ReportStatus
from tests.simulation.scheduler import Pause, Scheduler

EPOCH = datetime.fromisoformat("2026-11-21T09:00:00+00:00")
UNFINISHED = ("pending", "queued", "running")
Row = dict[str, Any]


@dataclass
class Session:
    """A row of `client_sessions` and its history: (session, connection, epoch shown, epoch issued, at)."""

    evidence: Evidence = field(default_factory=Evidence)
    identity: Identity = field(default_factory=Identity)
    keep_away: str | None = None
    watched_from: int = 0
    history: list[tuple[str | None, int, int | None, int | None, datetime]] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        return (
            self.keep_away is None
            and self.identity.journal is not None
            and self.evidence.presence is not Presence.OFFLINE
        )


class Store:
    """What is committed. `moved` hears of every change of a command."""

    def __init__(self, scheduler: Scheduler, rng: random.Random, moved: Callable[[Row, Row], None]) -> None:
        self._scheduler = scheduler
        self._rng = rng
        self._moved = moved
        self.down = False
        self.breaks = 0.0
        """How often a connection breaks after its commit."""
        self.commands: dict[UUID, Row] = {}
        self.open: dict[UUID, Row] = {}
        """Those that are unfinished, or unknown without word."""
        self.sessions: dict[str, Session] = {}
        self.claims: dict[tuple[str, str], int] = {}

    @property
    def at(self) -> datetime:
        return EPOCH + timedelta(seconds=self._scheduler.now)

    # --- what `Database` offers ------------------------------------------------------------------------------

    def connection(self) -> "Held":
        return Held(self)

    def transaction(self) -> "Held":
        return Held(self)

    # --- submit and people -----------------------------------------------------------------------------------

    def submit(self, row: Row) -> None:
        now = self.at
        row |= {
            "status": "pending",
            "version": 1,
            "attempt": 1,
            "scheduled": row["not_before"] is not None,
            "created_at": now,
            "deadline_at": row["expires_at"],
            "logged": set(),
            "sends": 0,
            "cancel_sends": 0,
            "action": "print",
            "payload": {"n": row["id"].int & 0xFFFF},
        }
        for name in (
            *("journal", "queued_at", "lease_until", "accepted_at", "started_at", "held_reasons", "finished_at"),
            *("cancel_requested_at", "cancel_lease_until", "cancel_id", "progress", "result", "error", "traceparent"),
            *("unknown_reason", "dead_letter_reason", "dead_letter_closed_at", "dead_letter_closed_by"),
        ):
            row[name] = None
        self.commands[row["id"]] = self.open[row["id"]] = row

    def dismiss(self) -> None:
        """A person closes every dead letter."""
        for row in self.commands.values():
            if row["dead_letter_reason"] and not row["dead_letter_closed_at"]:
                self._write(row, {"dead_letter_closed_at": self.at, "dead_letter_closed_by": "person"})

    # --- hub.core.commands.store.transitions -------------------------------------------------------------------------

    def _lock(self, row: Row, report_ids: Collection[UUID] = ()) -> LockedCommand:
        seen = [report_id for report_id in report_ids if report_id in row["logged"]]
        return transitions._locked(row | {"now": self.at, "seen": seen})

    async def lock(self, _: Any, ids: Sequence[UUID], report_ids: Sequence[UUID] = ()) -> dict[UUID, LockedCommand]:
        return {one: self._lock(self.commands[one], report_ids) for one in sorted(set(ids)) if one in self.commands}

    async def lock_overdue(self, _: Any, most: int) -> list[LockedCommand]:
        due = [row for row in self.open.values() if row["deadline_at"] and row["deadline_at"] <= self.at]
        return [self._lock(row) for row in sorted(due, key=lambda row: (row["deadline_at"], row["id"]))[:most]]

    async def lock_handed_out(self, _: Any, client_id: str) -> list[LockedCommand]:
        held = [row for row in self.open.values() if row["client_id"] == client_id and row["status"] in HANDED_OUT]
        return [self._lock(row) for row in sorted(held, key=lambda row: row["id"])]

    async def apply(self, _: Any, commands: Iterable[LockedCommand]) -> set[UUID]:
        return set(await self.apply_timed(_, commands))

    async def apply_timed(self, _: Any, commands: Iterable[LockedCommand]) -> dict[UUID, datetime]:
        moved = {}
        for command in sorted(commands, key=lambda command: command.id):
            if command.to_write and self._apply(command.row()):
                moved[command.id] = self.at
        return moved

    def _apply(self, new: Row) -> bool:
        """The guarded move of the statement `apply`."""
        row = self.commands[new["id"]]
        guard = ("status", "attempt", "version", "deadline_at")
        if any(row[name] != new[f"from_{name}"] for name in guard):
            return False
        held = new["status"] in HANDED_OUT
        kept = {
            name: new[name] if new.get(name) is not None else row[name]
            for name in (
                *("not_before", "scheduled", "accepted_at", "started_at", "cancel_requested_at", "progress", "result"),
                *("dead_letter_reason", "dead_letter_closed_at", "dead_letter_closed_by", "error"),
            )
        }
        lease = new.get("lease_until")
        if lease is None and new["answered"] and row["lease_until"] is not None and row["lease_until"] > self.at:
            lease = new["next_lease_until"]
        elif lease is None and (new["status"] == "queued" or not new["answered"]):
            lease = row["lease_until"]
        cancel_lease = new.get("cancel_lease_until") or row["cancel_lease_until"]
        self._write(
            row,
            kept
            | {name: new[name] for name in ("attempt", "held_reasons", "finished_at", "deadline_at", "unknown_reason")}
            | {
                "status": str(new["status"]),
                "version": row["version"] + len(new["logs"]),
                "lease_until": lease if held else None,
                "cancel_lease_until": cancel_lease if held else None,
                "error": None if new["status"] == "completed" else kept["error"],
                "logged": row["logged"] | {log.report_id for log in new["logs"] if log.report_id},
            },
        )
        return True

    async def quarantine(self, _: Any, reports: Sequence[Any]) -> None:
        pass

    def _write(self, row: Row, changes: Mapping[str, Any]) -> None:
        before = dict(row)
        row.update(changes)
        if row["status"] not in UNFINISHED and row["unknown_reason"] != "no_word":
            self.open.pop(row["id"], None)
        self._moved(before, row)

    # --- hub.core.commands.store.dispatch ----------------------------------------------------------------------------

    def _due(self, client_id: str) -> list[Row]:
        return [
            row
            for row in self.open.values()
            if row["client_id"] == client_id and row["status"] == "pending" and not row["scheduled"]
        ]

    async def clients_with_work(self, _: Any) -> set[str]:
        return {client_id for client_id, session in self.sessions.items() if session.ready and self._due(client_id)}

    async def claim(self, _: Any, client_ids: Sequence[str], **_how: Any) -> dispatch.Claim:
        rows: list[Row] = []
        emptied = set()
        for client_id in sorted(set(client_ids)):
            if self.sessions[client_id].ready:
                chosen = self._choose(client_id)
                rows += sorted((self._hand_out(row) for row in chosen), key=lambda row: (-row["priority"], row["id"]))
                if chosen and not self._due(client_id):
                    emptied.add(client_id)
        handed = [row | {"issued_at": row["queued_at"]} for row in rows]
        return dispatch.Claim(
            [run_of(row) for row in handed], [transitions.handed_out(row) for row in handed], set(), emptied
        )

    def _choose(self, client_id: str) -> list[Row]:
        """Up to the free windows of each lane and of the client, as the statement `claim`."""
        held = [row for row in self.open.values() if row["client_id"] == client_id and row["status"] in HANDED_OUT]
        due = [row for row in self._due(client_id) if not self._waits_for_order(row)]
        fitting: list[tuple[tuple[Any, ...], Row]] = []
        for lane in sorted({row["lane"] for row in due}):
            used = sum(row["lane"] == lane for row in held)
            free, urgent_free = max(lanes.PER_LANE - used, 0), max(lanes.PER_LANE + 1 - used, 0)
            mine = [row for row in due if row["lane"] == lane]
            best = sorted(mine, key=lambda row: (-row["priority"], row["id"]))[:urgent_free]
            claims = self.claims.get((client_id, lane), 0)
            usual = [row for row in mine if row["priority"] < lanes.URGENT_PRIORITY]
            aged = free and usual and (claims + free) // lanes.OLDEST_EVERY > claims // lanes.OLDEST_EVERY
            oldest = min(usual, key=lambda row: row["id"]) if aged else None
            candidates = best if oldest is None or oldest in best else [*best, oldest]
            candidates.sort(key=lambda row: (not _urgent(row), row is not oldest, -row["priority"], row["id"]))
            for place, row in enumerate(candidates, start=1):
                if place <= (urgent_free if _urgent(row) else free):
                    fitting.append(((not _urgent(row), place, -row["priority"], row["id"]), row))
        fitting.sort(key=lambda item: item[0])
        room = lanes.PER_CLIENT - len(held)
        return [row for place, (_, row) in enumerate(fitting, start=1) if _urgent(row) or place <= room]

    def _waits_for_order(self, row: Row) -> bool:
        return row["order_key"] is not None and any(
            other["client_id"] == row["client_id"]
            and other["order_key"] == row["order_key"]
            and other["id"] < row["id"]
            and unsettled(other)
            for other in self.commands.values()
        )

    def _hand_out(self, row: Row) -> Row:
        lane = (row["client_id"], row["lane"])
        self.claims[lane] = self.claims.get(lane, 0) + 1
        now = self.at
        self._write(
            row,
            {
                "status": "queued",
                "version": row["version"] + 1,
                "queued_at": now,
                "journal": self.sessions[row["client_id"]].identity.journal,
                "sends": 1,
                "lease_until": now + timedelta(seconds=dispatch.FIRST_LEASE_S),
                "accepted_at": None,
                "started_at": None,
                "deadline_at": row["expires_at"] + NO_WORD_GRACE,
            },
        )
        return row

    async def resend(self, _: Any, most: int = 500) -> list[Run]:
        runs = []
        for row in self._leased("lease_until")[:most]:
            lease = self.at + timedelta(seconds=min(5 * 2 ** min(row["sends"], 3), 30))
            self._write(row, {"sends": row["sends"] + 1, "lease_until": None if row["status"] == "unknown" else lease})
            heard = "started" if row["started_at"] else "accepted" if row["accepted_at"] else None
            told = {"issued_at": row["queued_at"], "heard": heard if row["on_interrupt"] == "unknown" else None}
            runs.append(run_of(row | told))
        return runs

    async def resend_cancels(self, _: Any, most: int = 500) -> list[Cancel]:
        cancels = []
        for row in self._leased("cancel_lease_until")[:most]:
            lease = self.at + timedelta(seconds=min(5 * 2 ** min(row["cancel_sends"], 3), 30))
            cancel_id = row["cancel_id"] or UUID(int=row["id"].int ^ 1 << 40)
            held = row["status"] in HANDED_OUT
            self._write(
                row,
                {
                    "cancel_sends": row["cancel_sends"] + 1,
                    "cancel_id": cancel_id,
                    "cancel_lease_until": lease if held else None,
                },
            )
            if held:
                cancels.append(Cancel(client_id=row["client_id"], cancel_id=cancel_id, command_id=row["id"]))
        return cancels

    def _leased(self, column: str) -> list[Row]:
        due = [
            row
            for row in self.open.values()
            if row[column] is not None and row[column] <= self.at and self.sessions[row["client_id"]].ready
        ]
        return sorted(due, key=lambda row: (row[column], row["id"]))

    async def offer_again(self, _: Any, client_id: str, journal: str) -> int:
        held = [
            row
            for row in self.open.values()
            if row["client_id"] == client_id
            and (
                row["status"] in HANDED_OUT
                or (row["unknown_reason"] == "no_word" and row["dead_letter_closed_at"] is None)
            )
        ]
        for row in held:
            known = row["status"] == "unknown"
            cancel = row["cancel_requested_at"] is not None and not known
            self._write(
                row,
                {
                    "journal": row["journal"] if known else journal,
                    "lease_until": self.at,
                    "cancel_lease_until": self.at if cancel else None,
                },
            )
        return len(held)

    async def wake_scheduled(self, _: Any, most: int = 5_000) -> set[str]:
        due = [row for row in self.open.values() if row["scheduled"] and row["not_before"] <= self.at][:most]
        for row in due:
            self._write(row, {"scheduled": False})
        return {row["client_id"] for row in due}

    # --- hub.core.presence.store ----------------------------------------------------------------------------------

    def _lock_session(self, client_id: str) -> LockedSession:
        session = self.sessions[client_id]
        return LockedSession(
            client_id=client_id,
            client_status="active",
            evidence=session.evidence,
            identity=replace(session.identity, session=session.evidence.session),
            keep_away=session.keep_away,
            watched_from=session.watched_from,
            now=self.at,
        )

    async def lock_sessions(self, _: Any, client_ids: Sequence[str]) -> dict[str, LockedSession]:
        return {client_id: self._lock_session(client_id) for client_id in sorted(set(client_ids))}

    async def lock_online(self, _: Any, before: datetime) -> list[LockedSession]:
        return [
            self._lock_session(client_id)
            for client_id, session in sorted(self.sessions.items())
            if session.evidence.presence is Presence.ONLINE
            and session.evidence.heard_at is not None
            and session.evidence.heard_at < before
        ]

    async def save_presence(
        self,
        _: Any,
        client_id: str,
        old: Evidence,
        new: Evidence,
        *,
        shown: int | None = None,
        issued: int | None = None,
    ) -> None:
        session = self.sessions[client_id]
        session.evidence = new
        if (new.presence, new.session, new.connection) != (old.presence, old.session, old.connection):
            session.history.append((new.session, new.connection, shown, issued, self.at))

    async def record_doubt(
        self, _: Any, client_id: str, seen: Evidence, at: datetime, *, shown: int | None, issued: int
    ) -> None:
        self.sessions[client_id].history.append((seen.session, seen.connection, shown, issued, at))

    async def superseded(self, _: Any, client_id: str, session: str, number: int) -> bool:
        return any(known == session and number <= last for known, last, *_rest in self.sessions[client_id].history)

    async def lives(self, _: Any, client_id: str, watched_from: int) -> list[Lived]:
        found: dict[str, Lived] = {}
        for name, _number, shown, issued, at in self.sessions[client_id].history:
            if name is None or issued is None or issued <= watched_from or at <= self.at - timedelta(hours=1):
                continue
            known = found.get(name, Lived(name, issued, shown))
            most = max((epoch for epoch in (known.shown, shown) if epoch is not None), default=None)
            found[name] = Lived(name, min(known.first_issued, issued), most)
        return list(found.values())

    async def keep_away(self, _: Any, client_id: str, reason: str, detail: Mapping[str, Any]) -> None:
        self.sessions[client_id].keep_away = reason

    def release(self, client_id: str) -> None:
        """A person has looked."""
        session = self.sessions[client_id]
        if session.keep_away is not None:
            session.keep_away, session.watched_from = None, session.identity.issued

    async def save_identity(self, _: Any, client_id: str, identity: Identity) -> None:
        self.sessions[client_id].identity = identity

    async def save_birth(self, _: Any, client_id: str, **fields: Any) -> None:
        pass

    async def confirm(self, _: Any, signs: Sequence[Life]) -> set[tuple[str, str]]:
        latest: dict[tuple[str, str], Life] = {}
        for sign in signs:
            known = latest.get((sign.client_id, sign.session))
            latest[sign.client_id, sign.session] = sign if known is None else known.joined(sign)
        heard = set()
        for key in sorted(latest):
            life, session = latest[key], self.sessions[key[0]]
            identity, evidence = session.identity, session.evidence
            if evidence.session == life.session:
                confirmed = max(identity.confirmed, min(life.epoch or 0, identity.issued))
                mark = max(identity.mark, life.mark or 0) if life.connection == evidence.connection else identity.mark
                session.identity = replace(identity, confirmed=confirmed, mark=mark)
                session.evidence = replace(evidence, heard_at=self.at)
                heard.add((life.client_id, evidence.presence.value))
            elif any(offer.session == life.session for offer in identity.offers):
                heard.add((life.client_id, OFFERED))
        return heard

    async def now(self, _: Any) -> datetime:
        return self.at

    def facades(self) -> tuple["Facade", "Facade", "Facade"]:
        """The stores of commands and presence, with these functions in place of the SQL."""
        return (
            Facade(
                transitions,
                lock=self.lock,
                lock_overdue=self.lock_overdue,
                lock_handed_out=self.lock_handed_out,
                apply=self.apply,
                apply_timed=self.apply_timed,
                quarantine=self.quarantine,
            ),
            Facade(
                dispatch,
                clients_with_work=self.clients_with_work,
                claim=self.claim,
                resend=self.resend,
                resend_cancels=self.resend_cancels,
                offer_again=self.offer_again,
                wake_scheduled=self.wake_scheduled,
            ),
            Facade(
                sessions,
                lock=self.lock_sessions,
                lock_online=self.lock_online,
                save_presence=self.save_presence,
                record_doubt=self.record_doubt,
                superseded=self.superseded,
                lives=self.lives,
                keep_away=self.keep_away,
                save_identity=self.save_identity,
                save_birth=self.save_birth,
                confirm=self.confirm,
            ),
        )


def unsettled(row: Row) -> bool:
    """Whether a command holds up younger ones of its order key."""
    open_letter = row["dead_letter_reason"] is not None and row["dead_letter_closed_at"] is None
    return row["status"] in UNFINISHED or open_letter


def run_of(row: Row) -> Run:
    """The message of a row that was handed out."""
    return Run(
        client_id=row["client_id"],
        command_id=row["id"],
        heard=ReportStatus(row["heard"]) if row.get("heard") else None,
        on_interrupt=OnInterrupt(row["on_interrupt"]),
        **{name: row[name] for name in _TOLD},
    )


_TOLD = (
    *("attempt", "lane", "action", "payload", "priority", "issued_at", "expires_at", "timeout_s"),
    *("journal", "order_key", "traceparent"),
)


def _urgent(row: Row) -> bool:
    return bool(row["priority"] >= lanes.URGENT_PRIORITY)


class Held:
    """A connection, or a transaction: what happens in it happens at one moment."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __aenter__(self) -> "Held":
        await Pause(self._store._rng.uniform(0.0005, 0.02))
        if self._store.down:
            raise UnavailableError("database_unavailable")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if problem is None:
            await Pause(self._store._rng.uniform(0.0005, 0.01))
            if self._store.down or self._store._rng.random() < self._store.breaks:
                raise UnavailableError("database_unavailable")


class Facade:
    """A module with some of its names replaced. An SQL function that nobody replaced fails loudly."""

    def __init__(self, module: Any, **names: Any) -> None:
        self.__dict__.update(names)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)
