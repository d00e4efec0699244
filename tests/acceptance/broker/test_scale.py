"""Thousands of something at once: every retained presence reaches the hub, and every report is applied once.

4,000 by default, which is past what a broker's own limits let through; `FLOORHUB_TEST_AT_ONCE` says how many.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from uuid_utils.compat import uuid7

from broker_config.render import hash_password
from schemas import codec
from schemas.topics import Channel, client_topic
from tests.support.many_clients import Wanted, insert
from tests.support.site import Site
from tests.support.thin_mqtt import ThinClient
from tests.support.waiting import eventually, until

pytestmark = pytest.mark.own_site("stops the hub, and registers thousands of clients")

MANY = int(os.environ.get("FLOORHUB_TEST_AT_ONCE", "4000"))

HANDED_OUT = """
WITH made AS (
    INSERT INTO commands (id, client_id, action, lane, payload, document_ids, priority, status, version, attempt,
        max_retries, scheduled, expires_at, timeout_s, on_interrupt, when_offline, tags, created_by, created_at,
        queued_at, journal, sends, lease_until, deadline_at, cancel_sends)
    SELECT id, %(client)s, 'count', 'client', '{}', '{}', 5, 'queued', 2, 1, 3, false, now() + interval '1 hour', 60,
        'unknown', 'queue', '{}', gen_random_uuid(), now(), now(), 'j', 1, NULL, now() + interval '2 hours', 0
    FROM unnest(%(ids)s::uuid[]) AS id
    RETURNING id
)
INSERT INTO command_logs (command_id, version, at, event, status, attempt)
SELECT id, 2, now(), 'queued', 'queued', 1 FROM made
"""


def test_every_one_of_thousands_of_retained_presences_reaches_the_hub(site: Site) -> None:
    assert site.hub.stop() == 0
    with psycopg.connect(site.stack.database_url) as connection:
        insert(connection, [Wanted(f"many-{n}") for n in range(1, MANY + 1)], hash_password("nobody connects with it"))
    asyncio.run(_births(site))

    site.hub.start()
    site.wait_ready()

    with psycopg.connect(site.stack.database_url, autocommit=True) as connection:

        def welcomed() -> bool:
            row = connection.execute(
                "SELECT count(*) FROM client_sessions WHERE client_id LIKE 'many-%' AND session = 's-' || client_id"
            ).fetchone()
            return row == (MANY,)

        until(welcomed, "all births", 120)
    # Nobody answers the roll call: retained births are no proof of life.
    until(lambda: _count(site, "presence = 'unknown' AND client_id LIKE 'many-%'") == MANY, "all unknown", 60)


async def _births(site: Site) -> None:
    hub = await _hub_client(site)
    for n in range(1, MANY + 1):
        birth = {
            "kind": "birth",
            "v": 1,
            "client_id": f"many-{n}",
            "level": "full",
            "session": f"s-many-{n}",
            "connection": 1,
            "agent": {"name": "many", "version": "1"},
            "clock": datetime.now(UTC).isoformat(),
        }
        hub.publish(client_topic(f"many-{n}", Channel.PRESENCE), json.dumps(birth).encode(), retain=True)
        if n % 500 == 0:
            await hub.drained()
    await hub.drained()
    hub.close()


async def _hub_client(site: Site) -> ThinClient:
    assert site.stack.broker is not None
    assert site.stack.accounts is not None
    port = site.stack.broker.options.mqtt_port
    will = (client_topic("nobody", Channel.COMMANDS), b"")
    return await ThinClient.connect(port, "_hub", site.stack.accounts.hub.password, will, _ignore)


def _ignore(_client: ThinClient, _topic: str, _payload: bytes) -> None:
    """What comes in is not looked at."""


def _count(site: Site, where: str) -> int:
    with psycopg.connect(site.stack.database_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM client_sessions WHERE {where}").fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])


def test_thousands_of_reports_sent_while_the_worker_stands_still_are_applied_once(site: Site) -> None:
    client = site.client()
    ids = [str(uuid7()) for _ in range(MANY)]
    with psycopg.connect(site.stack.database_url) as connection:
        connection.execute(HANDED_OUT, {"client": client["id"], "ids": ids})

    receipts = asyncio.run(_reports(site, client, ids, lambda: site.hub.process.send_signal(signal.SIGCONT)))

    assert len(receipts) == MANY
    with psycopg.connect(site.stack.database_url) as connection:
        found = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE status = 'completed' AND version = 3), "
            "(SELECT count(*) FROM command_logs l JOIN commands c ON c.id = l.command_id "
            " WHERE c.client_id = %(client)s AND l.event = 'completed') "
            "FROM commands WHERE client_id = %(client)s",
            {"client": client["id"]},
        ).fetchone()
    assert found == (MANY, MANY, MANY)


async def _reports(site: Site, client: dict[str, Any], ids: list[str], go_on: Callable[[], None]) -> set[str]:
    """Report all while the hub is stopped, let it go on, and send again what has no receipt; the receipted ids."""
    assert site.stack.broker is not None
    name, session = client["id"], str(uuid4())
    base = {"v": 1, "client_id": name, "session": session}
    receipted: set[str] = set()

    def got(_client: ThinClient, topic: str, payload: bytes) -> None:
        message = json.loads(codec.body_of(payload))
        if message["kind"] == "receipt":
            receipted.update(message["report_ids"])

    port = site.stack.broker.options.mqtt_port
    will = json.dumps({**base, "kind": "will", "connection": 1}).encode()
    device = await ThinClient.connect(port, name, client["secret"], (client_topic(name, Channel.PRESENCE), will), got)
    await device.subscribe(client_topic(name, Channel.RECEIPTS))
    reports = {
        report_id: {"report_id": report_id, "command_id": command_id, "attempt": 1, "status": "completed", "at": at}
        for report_id, command_id, at in ((str(uuid7()), i, datetime.now(UTC).isoformat()) for i in ids)
    }
    site.hub.process.send_signal(signal.SIGSTOP)
    try:
        for report in reports.values():
            message = {**base, "kind": "reports", "reports": [report]}
            device.publish(client_topic(name, Channel.REPORTS), json.dumps(message).encode())
        await device.drained()
    finally:
        go_on()
    deadline = asyncio.get_running_loop().time() + 90
    while len(receipted) < len(reports):
        assert asyncio.get_running_loop().time() < deadline, f"{len(receipted)} of {len(reports)} receipts"
        before = len(receipted)
        with contextlib.suppress(AssertionError):
            await eventually(lambda: len(receipted) == len(reports), 1)
        if len(receipted) == before:
            # The broker may have dropped the stopped hub: what has no receipt is sent again, as every agent does.
            missing = [report for report_id, report in reports.items() if report_id not in receipted]
            for start in range(0, len(missing), 100):
                message = {**base, "kind": "reports", "reports": missing[start : start + 100]}
                device.publish(client_topic(name, Channel.REPORTS), json.dumps(message).encode())
            await device.drained()
    device.close()
    return receipted
