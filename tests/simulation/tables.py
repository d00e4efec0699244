"""What Postgres has committed, in memory: commands with their logs, and sessions with their history.

The stores over it are in `command_store` and `session_store`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.core.commands.rules.lifecycle import NewLog
from hub.core.presence.rules.identity import Identity
from hub.core.presence.rules.presence import Evidence
from schemas.states import Presence

UNFINISHED = ("pending", "queued", "running")
Row = dict[str, Any]
"""A row of `commands` by the names of its columns, and `logs`: its rows of `command_logs`, oldest first."""


@dataclass(frozen=True)
class Seen:
    """A row of `client_status_history`, less what nobody asks for."""

    session: str | None
    connection: int
    shown: int | None
    issued: int | None
    at: datetime


@dataclass
class Session:
    """A client with its row of `client_sessions` and its history."""

    evidence: Evidence = field(default_factory=Evidence)
    identity: Identity = field(default_factory=Identity)
    keep_away: str | None = None
    watched_from: int = 0
    client_status: str = "active"
    boot: str | None = None
    history: list[Seen] = field(default_factory=list)

    @property
    def reachable(self) -> bool:
        """Whether something that was handed out may be sent again."""
        return self.keep_away is None and self.evidence.presence is not Presence.OFFLINE

    @property
    def ready(self) -> bool:
        """Whether something may be handed out."""
        return self.reachable and self.client_status == "active" and self.identity.is_known_to_exist


_EMPTY = (
    *("journal", "queued_at", "sent_at", "lease_until", "accepted_at", "started_at", "held_reasons", "finished_at"),
    *("cancel_requested_at", "cancel_lease_until", "cancel_id", "progress", "result", "error", "unknown_reason"),
    *("dead_letter_reason", "dead_letter_closed_at", "dead_letter_closed_by", "traceparent", "order_place", "back_off"),
    "goodbye_at",
)
"""Columns that a new command has nothing in, unless the submit says so."""


class Tables:
    """The rows. `clock` tells the database's time, `moved` hears of every change of a command: before and after."""

    def __init__(self, clock: Callable[[], datetime], moved: Callable[[Row, Row], None] = lambda _old, _new: None):
        self._clock = clock
        self._moved = moved
        self.commands: dict[UUID, Row] = {}
        self.open: dict[UUID, Row] = {}
        """Those that are unfinished, or unknown without word."""
        self.sessions: dict[str, Session] = {}
        self.claims: dict[tuple[str, str], int] = {}

    @property
    def at(self) -> datetime:
        """The database's time."""
        return self._clock()

    def submit(self, row: Row) -> None:
        """Store a new command: what a submit gives of its row."""
        row = dict.fromkeys(_EMPTY) | row
        row |= {
            "status": "pending",
            "version": 1,
            "attempt": 1,
            "scheduled": row["not_before"] is not None and row["not_before"] > self.at,
            "created_at": self.at,
            "deadline_at": row["expires_at"],
            "logs": [NewLog("created", "pending", 1, None, None)],
            "sends": 0,
            "cancel_sends": 0,
            "on_hold": False,
        }
        self.commands[row["id"]] = self.open[row["id"]] = row

    def write(self, row: Row, changes: Mapping[str, Any]) -> None:
        """Change a command."""
        before = dict(row)
        row.update(changes)
        if row["status"] not in UNFINISHED and row["unknown_reason"] != "no_word":
            self.open.pop(row["id"], None)
        self._moved(before, row)


def unsettled(row: Row) -> bool:
    """Whether a command holds up younger ones of its order key."""
    open_letter = row["dead_letter_reason"] is not None and row["dead_letter_closed_at"] is None
    return row["status"] in UNFINISHED or open_letter
