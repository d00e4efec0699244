"""The three records, and the list of what was broken: their shapes, and how each is read."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

_COMMANDS = """
SELECT c.id::text AS id, c.client_id, c.status, c.version, c.attempt, c.on_interrupt, c.order_key,
       c.error->>'code' AS code,
       c.error->>'message' AS message,
       c.unknown_reason, c.result::text AS result, c.started_at IS NOT NULL AS started,
       c.cancel_requested_at IS NOT NULL AS cancel_asked,
       (SELECT count(*) FROM command_logs l WHERE l.command_id = c.id) AS log_rows,
       (SELECT count(*) FROM command_logs l WHERE l.command_id = c.id AND l.event = 'completed') AS completions
FROM commands c
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a caller wrote down when HTTP answered. `id` is None for a request that was refused."""

    number: int
    at: float
    id: str | None
    client: str
    kind: str
    order_key: str | None
    problem: str | None = None
    """Another answer than there may be, in words."""
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Note:
    """A line of a machine's own log: `began`, `effect` or `ended`."""

    kind: str
    at: float
    command_id: str
    attempt: int
    client: str


@dataclass(frozen=True, slots=True)
class Row:
    """A command as the database has it at the end."""

    id: str
    client_id: str
    status: str
    version: int
    attempt: int
    on_interrupt: str
    order_key: str | None
    code: str | None
    message: str | None
    unknown_reason: str | None
    result: str | None
    started: bool
    cancel_asked: bool
    log_rows: int
    completions: int


@dataclass(slots=True)
class Broken:
    """A fault as it happened, in seconds of the machine's true clock."""

    number: int
    kind: str
    target: str
    began: float
    ended: float
    said: str = ""


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that the checker compares."""

    promises: list[Promise]
    notes: list[Note]
    rows: dict[str, Row]
    faults: list[Broken] = field(default_factory=list)


def read_promises(file: Path) -> list[Promise]:
    """The callers' file."""
    return [Promise(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


def read_notes(folder: Path) -> list[Note]:
    """The machines' logs, each in the order of its lines."""
    notes = []
    for file in sorted(folder.glob("*.log")):
        for line in file.read_text().splitlines():
            kind, at, command_id, attempt, client = line.split(" ")
            notes.append(Note(kind, float(at), command_id, int(attempt), client))
    return notes


def read_rows(database_url: str) -> dict[str, Row]:
    """The hub's own word, past every proxy."""
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        found: list[dict[str, Any]] = connection.execute(_COMMANDS).fetchall()
    return {row["id"]: Row(**row) for row in found}
