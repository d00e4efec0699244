"""A principal that floods the hub is stored in turn with the others, and not before them."""

import asyncio
from uuid import UUID

from hub.core.access.rules import Caller, Principal
from hub.core.access.service import Idempotency
from hub.core.commands.service.submission import CommandRequest, Submission
from hub.database.engine import Database
from hub.fairness import serve_for
from hub.telemetry.log import Log
from tests.support.access import principal
from tests.support.factories import add_client
from tests.support.hubs import command_metrics
from tests.support.recording_ports import RecordingPorts

FLOOD = 900
SHOPS = 3


async def _caller(database: Database) -> Caller:
    async with database.connection() as connection:
        who = await principal(connection, "operator", "all")
    return Caller(Principal(who, "integration", str(who), "operator"), "192.0.2.1")


async def test_who_asks_for_little_is_stored_first_though_it_came_last(database: Database) -> None:
    await add_client(database)
    metrics, idempotency = command_metrics(), Idempotency(database)
    submission = Submission(database, RecordingPorts(), None, metrics, Log(), idempotency)  # type: ignore[arg-type]

    async def submit(caller: Caller) -> UUID:
        serve_for(caller.principal_id)
        return (await submission.submit(caller, CommandRequest(client_id="front-pc", action="status"))).command_id

    flood = await _caller(database)
    shops = [await _caller(database) for _ in range(SHOPS)]
    asked = [asyncio.create_task(submit(flood)) for _ in range(FLOOD)]
    await asyncio.sleep(0)
    asked += [asyncio.create_task(submit(shop)) for shop in shops]
    await asyncio.sleep(0)
    running = asyncio.create_task(submission.batcher.run())
    await asyncio.gather(*asked)
    running.cancel()

    async with database.connection() as connection:
        rows = await (
            await connection.execute("SELECT created_by, created_at FROM commands ORDER BY created_at")
        ).fetchall()
    assert len(rows) == FLOOD + SHOPS
    first = rows[0]["created_at"]
    for shop in shops:
        [at] = [row["created_at"] for row in rows if row["created_by"] == shop.principal_id]
        # Within what began at once: two statements run side by side, and the flood fills what is left of them.
        assert sum(row["created_at"] < at for row in rows) <= 200
    assert sum(row["created_at"] == first for row in rows) > 1
