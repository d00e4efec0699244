"""The hub's stores of commands in memory: `Transitions` and `Dispatch` of `hub.core.commands.store.ports`.

They do what the SQL does, with the same guards; `tests/contract/commands` runs the same cases against both.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub.core.commands.rules import lanes
from hub.core.commands.rules.lifecycle import HANDED_OUT, NO_WORD_GRACE, LockedCommand, NewLog
from hub.core.commands.store import transitions
from hub.core.commands.store.commands import StoredCommand
from hub.core.commands.store.dispatch import FIRST_LEASE_S, Claim, run_of
from hub.core.commands.store.transitions import Moved
from schemas.messages import Cancel, Run
from tests.simulation.tables import Row, Tables, unsettled


class CommandStore:
    """Each function happens at one moment; the connection that it is given is nothing to it."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    # --- hub.core.commands.store.transitions -----------------------------------------------------------------

    def _lock(self, row: Row, report_ids: Collection[UUID] = ()) -> LockedCommand:
        seen = [log.report_id for log in row["logs"] if log.report_id in report_ids]
        return transitions.locked(row | {"now": self._tables.at, "seen": seen, "restored": False})

    async def lock(self, _: Any, ids: Sequence[UUID], report_ids: Sequence[UUID] = ()) -> dict[UUID, LockedCommand]:
        known = self._tables.commands
        return {one: self._lock(known[one], report_ids) for one in sorted(set(ids)) if one in known}

    async def lock_overdue(self, _: Any, most: int) -> list[LockedCommand]:
        due = [row for row in self._open() if row["deadline_at"] and row["deadline_at"] <= self._tables.at]
        return [self._lock(row) for row in sorted(due, key=lambda row: (row["deadline_at"], row["id"]))[:most]]

    async def lock_handed_out(self, _: Any, client_id: str) -> list[LockedCommand]:
        return [self._lock(row) for row in sorted(self._held(client_id), key=lambda row: row["id"])]

    async def lock_restored(self, *_: Any) -> list[LockedCommand]:
        return []  # no database is restored here

    async def lock_shutdowns(self, _: Any, client_ids: Sequence[str], *, said: bool) -> list[LockedCommand]:
        found = []
        for client_id in client_ids:
            if self._tables.sessions[client_id].keep_away is None:
                found += [row for row in self._held(client_id) if row["action"] == "shutdown"]
        return [
            self._lock(row)
            for row in sorted(found, key=lambda row: row["id"])
            if (row["goodbye_at"] is not None) == said and (said or self._is_over(row))
        ]

    def _is_over(self, row: Row) -> bool:
        """Whether the delay of a shutdown is over, but for half a minute."""
        since: datetime = row["started_at"] or row["queued_at"]
        return self._tables.at >= since + timedelta(seconds=row["payload"].get("delay_s", 0.0) - 30.0)

    async def lock_reboots(self, _: Any, client_id: str) -> list[LockedCommand]:
        begun = [
            row
            for row in self._held(client_id)
            if row["action"] == "reboot"
            and row["status"] == "running"
            and self._tables.at >= row["started_at"] + timedelta(seconds=row["payload"].get("delay_s", 3.0))
        ]
        return [self._lock(row) for row in sorted(begun, key=lambda row: row["id"])]

    async def apply(self, _: Any, commands: Iterable[LockedCommand]) -> set[UUID]:
        return set(await self.apply_timed(_, commands))

    async def apply_timed(
        self, _: Any, commands: Iterable[LockedCommand], awaited: Collection[UUID] = ()
    ) -> dict[UUID, Moved]:
        moved = {}
        for command in sorted(commands, key=lambda command: command.id):
            if command.to_write and self._apply(command.row()):
                row = self._tables.commands[command.id]
                shown = row["finished_at"] and command.id in awaited and row["dead_letter_closed_by"] != "replayed"
                ended = StoredCommand(**{name: row.get(name) for name in StoredCommand.__struct_fields__})
                moved[command.id] = Moved(self._tables.at, ended if shown else None)
        return moved

    def _apply(self, new: Mapping[str, Any]) -> bool:
        """The guarded move of the statement `apply`."""
        row, at = self._tables.commands[new["id"]], self._tables.at
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
        if lease is None and new["answered"] and row["lease_until"] is not None and row["lease_until"] > at:
            lease = new["next_lease_until"]
        elif lease is None and (new["status"] == "queued" or not new["answered"]):
            lease = row["lease_until"]
        cancel_lease = new.get("cancel_lease_until") or row["cancel_lease_until"]
        self._tables.write(
            row,
            kept
            | {
                name: new[name]
                for name in ("attempt", "held_reasons", "finished_at", "deadline_at", "unknown_reason", "goodbye_at")
            }
            | {
                "status": str(new["status"]),
                "version": row["version"] + len(new["logs"]),
                "lease_until": lease if held else None,
                "cancel_lease_until": cancel_lease if held else None,
                "sent_at": row["sent_at"] or new.get("sent_at"),
                "error": None if new["status"] == "completed" else kept["error"],
                "logs": [*row["logs"], *new["logs"]],
            },
        )
        return True

    async def quarantine(self, _: Any, reports: Sequence[Any]) -> None:
        """Nobody looks at it here."""

    # --- hub.core.commands.store.dispatch --------------------------------------------------------------------

    def _open(self) -> Iterable[Row]:
        return self._tables.open.values()

    def _held(self, client_id: str) -> list[Row]:
        return [row for row in self._open() if row["client_id"] == client_id and row["status"] in HANDED_OUT]

    def _due(self, client_id: str) -> list[Row]:
        return [
            row
            for row in self._open()
            if row["client_id"] == client_id and row["status"] == "pending" and not row["scheduled"]
        ]

    def _ready(self, client_id: str) -> bool:
        session = self._tables.sessions.get(client_id)
        return session is not None and session.ready

    async def clients_with_work(self, _: Any) -> set[str]:
        return {client_id for client_id in self._tables.sessions if self._ready(client_id) and self._due(client_id)}

    async def claim(self, _: Any, client_ids: Sequence[str], *, alone: bool = False) -> Claim:
        rows: list[Row] = []
        emptied = set()
        for client_id in sorted(set(client_ids)):
            if self._ready(client_id):
                chosen = self._choose(client_id)
                rows += sorted((self._hand_out(row) for row in chosen), key=lambda row: (-row["priority"], row["id"]))
                if chosen and not self._due(client_id):
                    emptied.add(client_id)
        handed = [row | {"issued_at": row["queued_at"]} for row in rows]
        return Claim([run_of(row) for row in handed], [transitions.handed_out(row) for row in handed], set(), emptied)

    def _choose(self, client_id: str) -> list[Row]:
        """Up to the free windows of each lane and of the client, as the statement `claim`."""
        held = self._held(client_id)
        due = [row for row in self._due(client_id) if not self._waits_for_order(row)]
        fitting: list[tuple[tuple[Any, ...], Row]] = []
        for lane in sorted({row["lane"] for row in due}):
            used = sum(row["lane"] == lane for row in held)
            free, urgent_free = max(lanes.PER_LANE - used, 0), max(lanes.PER_LANE + 1 - used, 0)
            mine = [row for row in due if row["lane"] == lane]
            best = sorted(mine, key=lambda row: (-row["priority"], row["id"]))[:urgent_free]
            claims = self._tables.claims.get((client_id, lane), 0)
            usual = [row for row in mine if not _urgent(row)]
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
            and _place(other) < _place(row)
            and unsettled(other)
            for other in self._tables.commands.values()
        )

    def _hand_out(self, row: Row) -> Row:
        tables, lane = self._tables, (row["client_id"], row["lane"])
        tables.claims[lane] = tables.claims.get(lane, 0) + 1
        tables.write(
            row,
            {
                "status": "queued",
                "version": row["version"] + 1,
                "queued_at": tables.at,
                "journal": tables.sessions[row["client_id"]].identity.journal,
                "sends": 1,
                "lease_until": tables.at + timedelta(seconds=FIRST_LEASE_S),
                "sent_at": None,
                "accepted_at": None,
                "started_at": None,
                "deadline_at": row["expires_at"] + NO_WORD_GRACE,
                "logs": [*row["logs"], NewLog("queued", "queued", row["attempt"], None, None)],
            },
        )
        return row

    async def resend(self, _: Any, most: int = 500) -> list[Run]:
        runs = []
        for row in self._leased("lease_until")[:most]:
            lease = None if row["status"] == "unknown" else self._next_lease(row["sends"])
            self._tables.write(row, {"sends": row["sends"] + 1, "lease_until": lease})
            heard = "started" if row["started_at"] else "accepted" if row["accepted_at"] else None
            told = {"issued_at": row["queued_at"], "heard": None if row["on_interrupt"] == "rerun" else heard}
            runs.append(run_of(row | told))
        return sorted(runs, key=lambda run: (-run.priority, run.command_id))

    async def resend_cancels(self, _: Any, most: int = 500) -> list[Cancel]:
        cancels = []
        for row in self._leased("cancel_lease_until")[:most]:
            cancel_id = row["cancel_id"] or UUID(int=row["id"].int ^ 1 << 40)
            held = row["status"] in HANDED_OUT
            self._tables.write(
                row,
                {
                    "cancel_sends": row["cancel_sends"] + 1,
                    "cancel_id": cancel_id,
                    "cancel_lease_until": self._next_lease(row["cancel_sends"]) if held else None,
                },
            )
            if held:
                cancels.append(Cancel(client_id=row["client_id"], cancel_id=cancel_id, command_id=row["id"]))
        return cancels

    def _next_lease(self, sends: int) -> datetime:
        return self._tables.at + timedelta(seconds=min(5 * 2 ** min(sends, 3), 30))

    def _leased(self, column: str) -> list[Row]:
        due = [
            row
            for row in self._open()
            if row[column] is not None
            and row[column] <= self._tables.at
            and self._tables.sessions[row["client_id"]].reachable
        ]
        return sorted(due, key=lambda row: (row[column], row["id"]))

    async def offer_again(self, _: Any, client_id: str, journal: str) -> int:
        offered = [
            row
            for row in self._open()
            if row["client_id"] == client_id
            and (
                row["status"] in HANDED_OUT
                or (row["unknown_reason"] == "no_word" and row["dead_letter_closed_at"] is None)
            )
        ]
        for row in offered:
            known = row["status"] == "unknown"
            cancel = row["cancel_requested_at"] is not None and not known
            self._tables.write(
                row,
                {
                    "journal": row["journal"] if known else journal,
                    "lease_until": self._tables.at,
                    "cancel_lease_until": self._tables.at if cancel else None,
                },
            )
        return len(offered)

    async def ask_again(self, _: Any, spread_s: float) -> int:
        held = [
            row
            for row in self._open()
            if self._tables.sessions[row["client_id"]].reachable
            and (row["status"] == "running" or (row["status"] == "queued" and row["accepted_at"] is not None))
        ]
        for row in held:
            self._tables.write(row, {"lease_until": self._tables.at})
        return len(held)

    def _scheduled(self) -> list[Row]:
        """Also what has ended before its time came."""
        return [row for row in self._tables.commands.values() if row["scheduled"] and not row["on_hold"]]

    async def wake_scheduled(self, _: Any, most: int = 5_000) -> set[str]:
        due = [row for row in self._scheduled() if row["not_before"] <= self._tables.at]
        woken = sorted(due, key=lambda row: (row["not_before"], row["id"]))[:most]
        for row in woken:
            self._tables.write(row, {"scheduled": False})
        return {row["client_id"] for row in woken}

    async def seconds_to_next_due(self, _: Any) -> float | None:
        times = [row["not_before"] for row in self._scheduled()]
        times += [row["deadline_at"] for row in self._open() if row["deadline_at"] is not None]
        return (min(times) - self._tables.at).total_seconds() if times else None

    async def mark_sent(self, _: Any, acknowledged: Mapping[UUID, float]) -> None:
        for command_id, age_s in acknowledged.items():
            row = self._tables.commands.get(command_id)
            if row is not None and row["sent_at"] is None:
                self._tables.write(row, {"sent_at": self._tables.at - timedelta(seconds=age_s)})


def _urgent(row: Row) -> bool:
    return bool(row["priority"] >= lanes.URGENT_PRIORITY)


def _place(row: Row) -> UUID:
    place: UUID = row["order_place"] or row["id"]
    return place
