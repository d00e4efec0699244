"""Thousands of clients at once, put into the database as registering them would; HTTP would take minutes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from broker_config.render import PasswordHash

_INSERT = """
WITH wanted AS (
    SELECT * FROM unnest(%(ids)s::text[], %(tags)s::text[], %(allowed)s::text[]) AS w (id, tag, allowed)
),
made AS (
    INSERT INTO clients (id, name, kind, status, zone, tags, metadata, secret_sha256, mqtt_password, mqtt_salt,
        mqtt_iterations, created_at, updated_at)
    SELECT id, 'many', 'other', 'active', 'hall', ARRAY[tag], '{}', '\\x00', %(password)s, %(salt)s, %(iterations)s,
        now(), now()
    FROM wanted
    RETURNING id
),
permissions AS (
    INSERT INTO client_permissions SELECT id, string_to_array(allowed, ' '), 60, 1000, now() FROM wanted
),
usage AS (
    INSERT INTO client_usage SELECT id, current_date, 0, now(), 0 FROM made
),
dispatch AS (
    INSERT INTO client_dispatch SELECT id FROM made
)
INSERT INTO client_sessions (client_id, presence, presence_reason, level, connection, epoch_issued, epoch_confirmed)
SELECT id, 'offline', 'never_seen', 'full', 0, 0, 0 FROM made
"""


class Wanted(NamedTuple):
    """A client of the zone `hall`."""

    id: str
    tag: str = "many"
    allowed: str | None = None
    """The actions that it may be sent, between spaces; None: all."""


def insert(connection: psycopg.Connection[Any], clients: Sequence[Wanted], password: PasswordHash) -> None:
    """Insert them, all with one password; the caller commits."""
    ids, tags, allowed = (list(column) for column in zip(*clients, strict=True))
    hashed = {"password": password.password, "salt": password.salt, "iterations": password.iterations}
    connection.execute(_INSERT, {"ids": ids, "tags": tags, "allowed": allowed, **hashed})
