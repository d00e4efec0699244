"""The hub's tables as they are, to be compared with what they were."""

from typing import Any

import psycopg

_CHANGED_BY_REQUESTS = (
    *("commands", "command_logs", "clients", "client_permissions", "documents", "document_chunks"),
    *("idempotency_keys", "client_usage", "broker_outbox", "client_lanes", "batches", "schedules"),
)
# What decides; not the times of leases and publishing, which move by themselves.
_DECIDED = {
    "commands": "id, status, version, attempt, progress, result, error, held_reasons, accepted_at, started_at, "
    "finished_at, unknown_reason, dead_letter_reason, payload, cancel_requested_at",
    "command_logs": "command_id, version, event, status, attempt, report_id, detail",
    "clients": "id, name, status, metadata",
    "client_sessions": "client_id, presence, level, session, connection, journal, epoch_issued, epoch_confirmed, state",
    "client_status_history": "client_id, presence, reason, session, connection",
    "report_quarantine": "client_id, report_id, command_id, reason",
    "documents": "id",
    "broker_outbox": "client_id, change",
}


def contents(database: psycopg.Connection[Any]) -> dict[str, Any]:
    """What is in the tables that a request may change; refusals do leave a trace in audit_logs, and are counted."""
    return {
        table: database.execute(
            "SELECT count(*), coalesce(sum(hashtext("  # noqa: S608 - our own names
            f"(to_jsonb(t) - '{{day_refused,refused_day,suspicious_day}}'::text[])::text)), 0) FROM {table} t"
        ).fetchone()
        for table in _CHANGED_BY_REQUESTS
    }


def kept(database: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """What the hub has decided so far, table by table, as text."""
    return {
        table: [
            str(row)
            for row in database.execute(
                f"SELECT {columns} FROM {table} ORDER BY {'1, 2' if ',' in columns else '1'}"  # noqa: S608
            )
        ]
        for table, columns in _DECIDED.items()
    }
