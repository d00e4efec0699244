"""A command that its paused batch holds back, and that its principal may not send any more."""

from uuid import UUID

import pytest

from hub.database.engine import Database
from hub.features.batches import store as batches
from hub.features.batches.rules import BatchStatus
from tests.support import access
from tests.support.factories import add_client, add_commands, new_command, row
from tests.support.withholding import Keeper

pytestmark = pytest.mark.each_postgres

BATCH = UUID(int=7)


async def execute(database: Database, query: str, *parameters: object) -> None:
    async with database.transaction() as connection:
        await connection.execute(query.encode(), parameters)


async def test_a_paused_batch_and_a_lost_grant_hold_each_for_itself(database: Database) -> None:
    await add_client(database, "in-1")
    keeper = Keeper(database)
    async with database.transaction() as connection:
        who = await access.principal(connection)
        await access.grant(connection, who)
    await execute(
        database,
        "INSERT INTO batches (id, created_by, created_at, target, status, total, max_failures)"
        " VALUES (%s, %s, now(), '{}', 'running', 1, 1)",
        BATCH,
        who,
    )
    [mine] = await add_commands(database, [new_command("in-1", created_by=who, batch_id=BATCH)])

    async def goes() -> bool:
        async with database.connection() as connection:
            found = await row(connection, mine)
        assert found["on_hold"] == found["scheduled"]
        return not found["on_hold"]

    async def pause() -> None:
        async with database.transaction() as connection:
            await batches.set_status(connection, BATCH, BatchStatus.PAUSED, None)
            await batches.hold(connection, BATCH)

    async def resume() -> set[str]:
        async with database.transaction() as connection:
            await batches.set_status(connection, BATCH, BatchStatus.RUNNING, None)
            return await batches.release(connection, BATCH, shift=False, paused_at=None)

    await execute(database, "UPDATE principals SET disabled_at = now()")
    await keeper.look()
    await pause()
    assert await resume() == set()
    assert not await goes()
    await pause()
    await execute(database, "UPDATE principals SET disabled_at = NULL")
    await keeper.look()
    assert not await goes()
    assert await resume() == {"in-1"}
    assert await goes()
