"""The promises, checked while the world runs and at its end. Each has a name, which a violation shows.

What a machine or a device does is told here by the simulation, not by the product.
"""

from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from device_agent.core.outcome import Outcome
from device_agent.core.records import Phase
from hub.core.commands.rules.lifecycle import ENDED, FINAL, TRANSITIONS, Status
from schemas.messages import Report
from schemas.states import END_STATUSES
from tests.simulation.store import EPOCH
from tests.simulation.tables import Row, unsettled

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

WORD_S = 75.0
"""What was lost so long ago has been said again: reports and leases are repeated within 30 s and jitter."""


class Violation(BaseException):
    """A promise was broken."""

    def __init__(self, check: str, text: str) -> None:
        super().__init__(f"{check}: {text}")
        self.check = check


class Checks:
    """Owned by one world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.begun: Counter[tuple[UUID, int]] = Counter()
        self.effects: Counter[UUID] = Counter()
        self._open: defaultdict[str, dict[UUID, int]] = defaultdict(dict)
        """Per machine: what this process has begun and its driver has not ended."""
        self._cut_off: Counter[UUID] = Counter()
        self._excused: set[UUID] = set()
        self._cancelled: dict[UUID, int] = {}
        self._nameless: set[str] = set()
        """Clients that died before their first welcome was on the disk: to the hub that looks like a lost journal."""
        self._rolled_back: set[UUID] = set()
        """Begun, unheard of by the hub, and forgotten by a disk that was put back: nobody can know."""

    # --- what the hub writes ---------------------------------------------------------------------------------

    def moved(self, before: Row, after: Row) -> None:
        """A command's row changed."""
        old, new = Status(before["status"]), Status(after["status"])
        name = f"c{after['id'].int & 0xFFFF}"
        if old is not new:
            self._world.trace(f"{name}: {old.value} -> {new.value} (attempt {after['attempt']})")
            if new not in TRANSITIONS[old]:
                raise Violation("no status moves backwards", f"{name} from {old.value} to {new.value}")
            if new in FINAL and new in (Status.CANCELLED, Status.EXPIRED):
                self._no_effect(after, new)
        if after["attempt"] < before["attempt"] or after["version"] < before["version"]:
            raise Violation("no status moves backwards", f"{name}: attempt or version fell")
        if after["attempt"] > before["attempt"] and old not in (Status.QUEUED, Status.RUNNING):
            raise Violation("no status moves backwards", f"{name}: attempt rose in {old.value}")
        if new is Status.UNKNOWN and old is not Status.UNKNOWN:
            self._unknown(after)
        self._is_the_agents_word(before, after)

    def _is_the_agents_word(self, before: Row, after: Row) -> None:
        """What the hub says of an attempt that it handed out is on its agent's disk."""
        old, new = before["status"], after["status"]
        told = after["accepted_at"] != before["accepted_at"] and after["accepted_at"] is not None
        moved = old in ("queued", "running") and new != old and new != "unknown"
        if not (told or moved) or self._world.lost_journal(after["client_id"]):
            return
        known = self._world.broker.machines[after["client_id"]].disk.attempts.get(after["id"])
        ended = moved and new != "running"
        if (
            known is None
            or known.attempt != before["attempt"]
            or (ended and known.phase is not Phase.FINISHED)
            or (new == "pending" and not known.retryable)
        ):
            raise Violation("what the hub says is on the agent's disk", f"c{after['id'].int & 0xFFFF}: {old} -> {new}")

    def receipt(self, client_id: str, report_ids: list[UUID]) -> None:
        """The hub promises that it has these reports for good."""
        disk = self._world.broker.machines[client_id].disk
        for report_id in report_ids:
            record = disk.reports.get(report_id)
            if record is None:
                continue
            report = msgspec.json.decode(record.body, type=Report)
            row = self._world.store.commands[report.command_id]
            waits = row["status"] in ("queued", "running") and row["attempt"] == report.attempt
            if report.status in END_STATUSES and waits:
                raise Violation("a receipt follows the commit", f"c{row['id'].int & 0xFFFF} is still {row['status']}")

    def cancel_taken(self, command_id: UUID, attempt: int) -> None:
        """The agent took a cancel in while this attempt (0: none) was under way."""
        self._cancelled[command_id] = min(attempt, self._cancelled.get(command_id, attempt))

    def _unknown(self, row: Row) -> None:
        """Only after a crash in the effect, by the device's own doubt, or when no word could come."""
        name, reason = f"c{row['id'].int & 0xFFFF}", row["unknown_reason"]
        if row["id"] in self._excused or row["id"] in self._cut_off or row["id"] in self._rolled_back:
            return
        lost = self._world.lost_journal(row["client_id"]) or row["client_id"] in self._nameless
        if reason in ("journal_lost", "reported") and lost:
            return
        if reason == "no_word":
            lost_at = self._world.broker.disturbed.get(row["client_id"], -1e9)
            if self._world.scheduler.now - lost_at <= WORD_S:
                return
        raise Violation("unknown only if it cannot be known", f"{name}: {reason}, {row['error']}")

    def _no_effect(self, row: Row, status: Status) -> None:
        if row["on_interrupt"] == "unknown" and self.effects[row["id"]] and row["id"] not in self._rolled_back:
            raise Violation("no effect of what was not carried out", f"c{row['id'].int & 0xFFFF} is {status.value}")

    # --- what machines and devices do ------------------------------------------------------------------------

    def started(self, machine: "Machine") -> None:
        self._open[machine.client_id].clear()

    def begins(self, machine: "Machine", command_id: UUID, attempt: int) -> None:
        """An effect is about to begin."""
        row = self._world.store.commands[command_id]
        name, key = f"c{command_id.int & 0xFFFF}", (command_id, attempt)
        self.begun[key] += 1
        if row["on_interrupt"] == "unknown":
            if self.begun[key] > 1 and command_id not in self._rolled_back:
                raise Violation("an effect begins once", f"{name}, attempt {attempt}: {self.begun[key]} times")
        elif self.begun[key] > 1 + self._cut_off[command_id]:
            raise Violation("a rerun follows an interruption", f"{name}, attempt {attempt}: {self.begun[key]} times")
        if command_id in self._open[machine.client_id]:
            raise Violation("one run at a time", name)
        for other in self._open[machine.client_id]:
            if self._world.store.commands[other]["lane"] == row["lane"]:
                raise Violation("one at a time on a lane", name)
        self._open[machine.client_id][command_id] = attempt
        if row["status"] in FINAL and row["status"] in ("cancelled", "expired"):
            raise Violation("no effect after a confirmed cancel", f"{name} is {row['status']}")
        if attempt > self._cancelled.get(command_id, attempt) and not self._world.lost_journal(machine.client_id):
            raise Violation("no effect after a cancel that was taken in", f"{name}, attempt {attempt}")
        late = timedelta(seconds=machine.lag + 4 * machine.commit_s + 0.1)
        if self._now() > row["expires_at"] + late:
            raise Violation(
                "no effect after expires_at",
                f"{name}: {self._now() - row['expires_at']} late, its clock {machine.lag:.2f} s behind",
            )
        for other_row in self._world.store.commands.values():
            if (
                row["order_key"] is not None
                and (other_row["client_id"], other_row["order_key"]) == (row["client_id"], row["order_key"])
                and other_row["id"] < command_id
                and unsettled(other_row)
            ):
                raise Violation("order keys hold", f"{name} begins while c{other_row['id'].int & 0xFFFF} is open")

    def effect(self, command_id: UUID, attempt: int) -> None:
        """Something really happened."""
        row = self._world.store.commands[command_id]
        name = f"c{command_id.int & 0xFFFF}"
        self._world.trace(f"{name}: EFFECT of attempt {attempt}")
        self.effects[command_id] += 1
        allowed = 1 + (self._cut_off[command_id] if row["on_interrupt"] == "rerun" else 0)
        if self.effects[command_id] > allowed and command_id not in self._rolled_back:
            raise Violation("at most one effect", f"{name}: {self.effects[command_id]} effects")
        strict = row["on_interrupt"] == "unknown" and command_id not in self._rolled_back
        if strict and row["status"] in ("cancelled", "expired"):
            raise Violation("no effect after a confirmed cancel", f"{name} is {row['status']}")

    def told(self, command_id: UUID, outcome: Outcome | None) -> None:
        """A driver answered; its doubt is a reason for `unknown`."""
        for begun in self._open.values():
            begun.pop(command_id, None)
        if outcome is None or outcome.status == "unknown":
            self._excused.add(command_id)

    def interrupted(self, machine: "Machine") -> None:
        """The process ends: what it has begun is cut off; so is what it was still asking about."""
        self._open[machine.client_id].clear()
        if machine.disk.settings.journal_id is None:
            self._nameless.add(machine.client_id)
        for record in machine.disk.attempts.values():
            if record.phase is Phase.STARTED:
                self._cut_off[record.command_id] += 1

    def rolled_back(self, machine: "Machine", *, empty: bool) -> None:
        """Its disk was put back: what the hub has not heard of may begin once more. An empty one is always noticed."""
        for row in self._world.store.commands.values():
            if row["client_id"] != machine.client_id:
                continue
            if row["on_interrupt"] == "rerun":
                self._cut_off[row["id"]] += 1
            if row["status"] in ("queued", "running", "unknown"):
                self._excused.add(row["id"])
                if row["started_at"] is None and not empty:
                    self._rolled_back.add(row["id"])

    def _now(self) -> Any:
        return EPOCH + timedelta(seconds=self._world.scheduler.now)

    # --- at the end ------------------------------------------------------------------------------------------

    def at_the_end(self) -> None:
        """Faults have stopped and the world has come to rest, or its time is over."""
        for row in self._world.store.commands.values():
            name = f"c{row['id'].int & 0xFFFF}"
            if Status(row["status"]) not in ENDED:
                raise Violation("every command ends", f"{name} is {row['status']} (attempt {row['attempt']})")
            if row["status"] == "unknown" and not row["unknown_reason"]:
                raise Violation("every command ends", f"{name} is unknown without a reason")
            if row["status"] == "completed" and not self.effects[row["id"]]:
                raise Violation("completed means done", name)
        for machine in self._world.machines:
            if not machine.settled:
                waiting = [str(r.status) for r in _reports(machine) if r]
                raise Violation("receipts end the sending", f"{machine.client_id} still has {waiting}")
        for client_id, session in self._world.store.sessions.items():
            if session.evidence.presence != "online":
                raise Violation("who is there is online", f"{client_id} is {session.evidence.presence.value}")

    def kept_away(self, client_id: str) -> None:
        """The hub says that two machines use one identity."""
        if not self._world.lost_journal(client_id):
            raise Violation("one machine is one machine", f"{client_id} was taken for two")


def _reports(machine: "Machine") -> list[Any]:
    waiting = [record for record in machine.disk.reports.values() if not record.receipted]
    return [msgspec.json.decode(record.body, type=Report) for record in waiting]
