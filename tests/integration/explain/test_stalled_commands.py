"""What stands still although its client is there is named in the log, with its cause."""

from structlog.testing import capture_logs

from hub.core.commands.causes import CAUSES
from hub.database.engine import Database
from hub.features.explain.service import Explaining
from hub.telemetry.log import Log
from schemas.states import Presence
from tests.support.factories import add_client, add_commands, claim, new_command


async def test_one_command_of_a_lane_is_named_with_its_cause(database: Database) -> None:
    here, gone = await add_client(database, "here"), await add_client(database, "gone", presence=Presence.OFFLINE)
    await add_commands(database, [new_command(here) for _ in range(2)])
    await claim(database, here)
    next_one, _ = await add_commands(database, [new_command(here), new_command(here)])
    fresh = new_command(here, payload={"printer": "other"})
    await add_commands(database, [new_command(gone), fresh])
    explaining = Explaining(database, CAUSES, lambda: True, Log())
    with capture_logs() as logs:
        assert await explaining.log_stalled() == 0
        async with database.connection() as connection:
            await connection.execute(
                b"UPDATE commands SET created_at = created_at - interval '61 s' WHERE id <> %s", (fresh.id,)
            )
        assert await explaining.log_stalled() == 1
    assert [(line["event"], line["command_id"], line["cause"]) for line in logs] == [
        ("command.stalled", next_one, "lane_full")
    ]
