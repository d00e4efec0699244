"""Who waits for the end of a command, while the process stops."""

from uuid import UUID

from hub.core.access.rules import Caller, Principal
from hub.core.commands.service.waiting import Waiting
from hub.database.engine import Database
from tests.support.hubs import NOBODY

ID = UUID(int=7)
KIM = Caller(Principal(UUID(int=1), "user", "kim", "operator"), "10.0.0.7")


async def test_a_stop_wakes_whoever_waits_and_whoever_comes_later() -> None:
    waiting = Waiting(Database(NOBODY))
    with waiting.expected(ID, KIM) as before:
        assert not before.done()
        waiting.stop()
        assert before.done()
    with waiting.expected(ID, KIM) as after:
        assert after.done()
