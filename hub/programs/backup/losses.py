"""What a restore loses: the database of before compared with the restored one."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from hub.database.statements import statement
from hub.programs.backup import server
from schemas.text import json_text

_BATCH = 1_000


class Lost(msgspec.Struct, frozen=True):
    """What the database of before had and the restored one has not. `commands` by their last status."""

    commands: dict[str, int]
    clients: list[str]
    """Added since, by their ids."""
    secrets: list[str]
    """Clients that were given a new secret since."""
    schedules: list[str]
    """Added or changed since, by their names."""
    api_keys: list[str]
    """Added since: whose, and their prefixes."""
    file: str | None
    """The list of all of it, a line each; None: nothing is lost."""

    @property
    def number(self) -> int:
        """Of commands."""
        return sum(self.commands.values())


def compare(before: str, restored: str, since: datetime, file: Path) -> Lost:
    """Compare two databases (URLs) and write what is lost into a new file (0600) as JSON lines. Raises SetupError,
    psycopg.Error and OSError."""
    statuses: Counter[str] = Counter()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:

        def tell(kind: str, **values: Any) -> None:
            out.write(json_text({"kind": kind, **values}) + "\n")

        with server.connected(before) as old, server.connected(restored) as new:
            for batch in _later(old, since):
                there = {row["id"] for row in server.rows(new, "present_commands", ids=[row["id"] for row in batch])}
                for row in batch:
                    if row["id"] not in there:
                        statuses[row["status"]] += 1
                        tell("command", **row)
            clients, secrets = _clients(old, new)
            schedules = _schedules(old, new)
            api_keys = _api_keys(old, new)
        for name in clients:
            tell("client", id=name)
        for name in secrets:
            tell("secret", client_id=name)
        for name in schedules:
            tell("schedule", name=name)
        for name in api_keys:
            tell("api_key", of=name)
    if file.stat().st_size == 0:
        file.unlink()
        return Lost({}, [], [], [], [], None)
    return Lost(dict(sorted(statuses.items())), clients, secrets, schedules, api_keys, str(file))


def _later(old: Connection[DictRow], since: datetime) -> Iterator[list[DictRow]]:
    """What was accepted since then, some at a time: there may be more than fits into memory."""
    with old.transaction(), closing(old.cursor(name="later")) as cursor:
        cursor.execute(statement("programs/backup", "later_commands"), {"since": since})
        while batch := cursor.fetchmany(_BATCH):
            yield batch


def _clients(old: Connection[DictRow], new: Connection[DictRow]) -> tuple[list[str], list[str]]:
    """Added since, and with another secret."""
    there = {row["id"]: row["secret"] for row in server.rows(new, "clients")}
    here = [row for row in server.rows(old, "clients") if row["status"] != "retired"]
    added = [row["id"] for row in here if row["id"] not in there]
    return added, [row["id"] for row in here if there.get(row["id"], row["secret"]) != row["secret"]]


def _schedules(old: Connection[DictRow], new: Connection[DictRow]) -> list[str]:
    """Added or changed since. An older database may have none."""
    try:
        there = {row["name"]: row["content"] for row in server.rows(new, "schedules")}
    except psycopg.errors.UndefinedTable:
        there = {}
    return [row["name"] for row in server.rows(old, "schedules") if there.get(row["name"]) != row["content"]]


def _api_keys(old: Connection[DictRow], new: Connection[DictRow]) -> list[str]:
    """Added since."""
    there = {row["id"] for row in server.rows(new, "api_keys")}
    return [f"{row['name']} ({row['prefix']})" for row in server.rows(old, "api_keys") if row["id"] not in there]
