"""What happened since the backup and must not happen again, or not be undone: taken from the database of before.

A hub that starts on the restored database goes on with these commands, clients and schedules as if it had been started
again on the database of before. What only that one has is lost, which `losses` tells.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from hub.database.statements import statement
from hub.programs.backup import server

REASON = "restored"
"""`unknown_reason`, and the code of the error."""
NextTime = Callable[[str, str, datetime, datetime | None], datetime | None]
"""The first time of a schedule (cron expression, time zone) after now and after a time that it was judged for; None:
never. Given by who knows the schedules: this package does not."""
_BATCH = 500
_MESSAGE = "the hub was restored from a backup, and nobody can say what its client has done since"


class Carried(msgspec.Struct):
    """What the restored database was told of the time since the backup."""

    commands: int = 0
    """That the database of before knew more of."""
    unknown: int = 0
    """Commands of which nobody knows whether they were done since."""
    clients: dict[str, str] = {}
    """`retired`, `disabled` or `enabled` since, by their ids."""
    secrets: list[str] = []
    """Clients whose secret was rotated since: the new one counts."""
    api_keys: list[str] = []
    """Revoked since, or of a principal that was disabled: prefixes."""
    removed: list[str] = []
    """Schedules that were removed since: they are there again, disabled."""
    missed: list[str] = []
    """Schedules with times between the backup and the restore, for which nobody knows whether they fired: they do not
    fire for these."""


def carry(restored: str, before: str | None, next_time: NextTime) -> Carried:
    """Bring a restored database (a URL) up to what is known; all or nothing. `before`: the database that is replaced,
    if it is of the same hub. Raises SetupError and psycopg.Error."""
    with server.connected(restored) as new:
        if before is not None:
            try:
                with server.connected(before) as old, new.transaction():
                    if _follows(old, new):
                        return _from(old, new, next_time)
            except psycopg.Error:
                # A newer or broken one: it cannot be asked. What is wrong with the restored one is found again below.
                pass
        with new.transaction():
            return _without(new, next_time)


def _follows(old: Connection[DictRow], new: Connection[DictRow]) -> bool:
    """Whether a database goes on where the backup ends; after a restore of another backup it may not."""
    return bool(server.rows(old, "follows", **server.rows(new, "newest")[0])[0]["follows"])


def _from(old: Connection[DictRow], new: Connection[DictRow], next_time: NextTime) -> Carried:
    done = Carried()
    for batch in _unsettled(new):
        _take_commands(old, new, batch, done)
    for rows in _batched(old, "session_rows"):
        server.run(new, "take_sessions", rows=_text(rows))
    _take_clients(old, new, done)
    revoked = server.run(new, "take_api_keys", rows=_text(server.rows(old, "api_key_rows")))
    revoked += server.run(new, "take_principals", rows=_text(server.rows(old, "principal_rows")))
    done.api_keys = sorted({row["prefix"] for row in revoked})
    for rows in _batched(old, "batch_rows"):
        server.run(new, "take_batches", rows=_text(rows))
    _take_schedules(old, new, done, next_time)
    _record(new, compared=True)
    return done


def _without(new: Connection[DictRow], next_time: NextTime) -> Carried:
    """Nothing is known of the time since. Full clients answer from their journals; once one is lost, `restores` tells
    the hub that it may not hand anything out again."""
    done = Carried()
    doubtful = [row["id"] for row in server.rows(new, "doubtful")]
    done.unknown = _make_unknown(new, doubtful)
    now = _now(new)
    for row in server.rows(new, "due_schedules"):
        done.missed.append(row["name"])
        next_at = next_time(row["cron"], row["time_zone"], now, None)
        server.run(
            new, "move_schedule", id=row["id"], enabled=True, next_at=next_at, last_at=row["next_at"], error="missed"
        )
    _record(new, compared=False)
    return done


def _unsettled(new: Connection[DictRow]) -> Iterator[list[DictRow]]:
    """Commands of which something may have become since, some at a time."""
    after: Any = None
    while batch := server.rows(new, "unsettled", after=after, most=_BATCH):
        yield batch
        after = batch[-1]["id"]


def _take_commands(old: Connection[DictRow], new: Connection[DictRow], batch: list[DictRow], done: Carried) -> None:
    versions = {row["id"]: row["version"] for row in batch}
    known = {row["id"]: row for row in server.rows(old, "command_rows", ids=list(versions))}
    moved = [row["id"] for row in server.run(new, "take_commands", rows=_text(list(known.values())))]
    done.commands += sum(known[one]["version"] > versions[one] for one in moved)
    logs = server.rows(old, "log_rows", ids=moved, versions=[versions[one] for one in moved])
    server.run(new, "take_logs", rows=_text(logs))
    server.run(new, "take_uploads", rows=_text(server.rows(old, "upload_rows", ids=moved)))
    # Clean-up took it since, so it had ended.
    done.unknown += _make_unknown(new, [one for one in versions if one not in known])


def _take_clients(old: Connection[DictRow], new: Connection[DictRow], done: Carried) -> None:
    there = {row["id"]: row for row in server.rows(new, "clients")}
    words = {"active": "enabled", "disabled": "disabled", "retired": "retired"}
    for row in server.rows(old, "clients"):
        known = there.get(row["id"])
        if known is None:
            continue
        if row["status"] != known["status"]:
            done.clients[row["id"]] = words[row["status"]]
        elif row["secret"] != known["secret"]:
            done.secrets.append(row["id"])
    changed = [*done.clients, *done.secrets]
    server.run(new, "take_clients", rows=_text(server.rows(old, "client_rows", ids=changed)))
    # What waits for the broker is of before these changes: it would bring an old secret back.
    server.run(new, "forget_changes", ids=changed)
    changes = {"enabled": "put", "disabled": "disable", "retired": "remove"}
    for client_id, word in done.clients.items():
        new.execute(
            statement("core/clients/clients", "outbox_add"),
            {"client_id": client_id, "change": changes[word], "sealed_secret": None},
        )


def _take_schedules(old: Connection[DictRow], new: Connection[DictRow], done: Carried, next_time: NextTime) -> None:
    there = {row["id"]: row for row in server.rows(old, "schedule_times")}
    now = _now(new)
    for row in server.rows(new, "schedule_times"):
        known = there.get(row["id"])
        if known is None:
            # Somebody may want it back, which is for him to say: it must not fire by itself.
            done.removed.append(row["name"])
            values = {"enabled": False, "next_at": None, "last_at": row["last_at"], "error": row["last_error"]}
        else:
            enabled = row["enabled"] and known["enabled"]
            same = (row["cron"], row["time_zone"]) == (known["cron"], known["time_zone"])
            next_at = known["next_at"] if same else next_time(row["cron"], row["time_zone"], now, known["last_at"])
            values = {
                "enabled": enabled,
                "next_at": next_at if enabled else None,
                "last_at": known["last_at"],
                "error": known["last_error"],
            }
        server.run(new, "move_schedule", id=row["id"], **values)


def _make_unknown(new: Connection[DictRow], ids: list[Any]) -> int:
    if not ids:
        return 0
    error = {"code": REASON, "message": _MESSAGE, "retryable": False}
    detail = {"error": error, "unknown_reason": REASON}
    values = {"ids": ids, "reason": REASON, "error": json.dumps(error), "detail": json.dumps(detail)}
    return new.execute(statement("programs/backup", "make_unknown"), values).rowcount


def _record(new: Connection[DictRow], *, compared: bool) -> None:
    server.run(new, "make_restores")
    server.run(new, "record_restore", compared=compared)


def _now(new: Connection[DictRow]) -> datetime:
    now: datetime = server.rows(new, "now")[0]["now"]
    return now


def _batched(old: Connection[DictRow], name: str) -> Iterator[list[DictRow]]:
    rows = server.rows(old, name)
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]


def _text(rows: list[DictRow]) -> str:
    """Rows of `row` (each the JSON of a whole row, as text) as one JSON array."""
    return f"[{','.join(row['row'] for row in rows)}]"
