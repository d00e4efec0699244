"""Unfinished commands of a principal that was disabled or lost a grant: on hold until that is given back."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from hub.core.commands.rules.lifecycle import Reported, decide
from hub.core.commands.service import withholding
from hub.core.commands.service.commands import Commands
from hub.core.commands.service.withholding import WHOLE_EVERY_S
from hub.core.commands.store import dispatch, transitions
from hub.core.commands.store import withholding as store
from hub.database.engine import Connection, Database
from hub.errors import UnavailableError
from hub.telemetry.log import Log
from schemas.states import ReportStatus
from tests.support import access
from tests.support.factories import add_client, add_commands, claim, new_command, row
from tests.support.hubs import command_metrics
from tests.support.withholding import Keeper

pytestmark = pytest.mark.each_postgres

REPORT = UUID(int=7)


@pytest.fixture
async def keeper(database: Database) -> Keeper:
    """One that has looked once, as at its start; `in-1` is in zone a and in the group `shop`, `out-1` in none."""
    await add_client(database, "in-1", zone="a", tags=["red"])
    await add_client(database, "out-1")
    async with database.transaction() as connection:
        await access.group(connection, "shop", "in-1")
    found = Keeper(database)
    await found.look()
    return found


async def sender(database: Database, kind: str = "zone", target: str | Sequence[str] = "a") -> UUID:
    async with database.transaction() as connection:
        who = await access.principal(connection)
        await access.grant(connection, who, kind, target)
    return who


async def execute(database: Database, query: str, *parameters: object) -> None:
    async with database.transaction() as connection:
        await connection.execute(query.encode(), parameters)


async def held(database: Database, *ids: UUID) -> list[bool]:
    async with database.connection() as connection:
        rows = [await row(connection, command_id) for command_id in ids]
    assert all(one["on_hold"] == (one["withheld_at"] is not None) for one in rows)
    return [one["withheld_at"] is not None for one in rows]


LOST = {
    "disabled": ("UPDATE principals SET disabled_at = now()", "UPDATE principals SET disabled_at = NULL"),
    "role": ("UPDATE principals SET role = 'viewer'", "UPDATE principals SET role = 'operator'"),
    "grant": ("UPDATE grants SET access = 'read'", "UPDATE grants SET access = 'command'"),
    "action": ("UPDATE grants SET actions = '{reboot}'", "UPDATE grants SET actions = '{reboot,print}'"),
    "zone": ("UPDATE clients SET zone = 'b'", "UPDATE clients SET zone = 'a'"),
}


@pytest.mark.parametrize("what", LOST)
async def test_what_was_not_handed_out_waits_until_the_access_is_given_back(
    database: Database, keeper: Keeper, what: str
) -> None:
    who = await sender(database)
    mine, of_others = await add_commands(database, [new_command("in-1", created_by=who), new_command("in-1")])
    assert await keeper.look() == set()
    lost, back = LOST[what]
    await execute(database, lost)
    assert await keeper.look() == set()
    assert await held(database, mine, of_others) == [True, False]
    assert await claim(database, "in-1") == [of_others]
    assert await dispatch_has_work(database) == set()
    await execute(database, back)
    assert await keeper.look() == {"in-1"}
    assert await held(database, mine) == [False]
    assert await claim(database, "in-1") == [mine]


async def dispatch_has_work(database: Database) -> set[str]:
    async with database.connection() as connection:
        return set(await dispatch.clients_with_work(connection))


@pytest.mark.parametrize(
    ("kind", "target", "lost"),
    [
        ("client", "in-1", "DELETE FROM grants"),
        ("group", "shop", "DELETE FROM client_group_members"),
        ("tags", ["red"], "UPDATE clients SET tags = '{}'"),
    ],
)
async def test_each_kind_of_target_can_be_lost(
    database: Database, keeper: Keeper, kind: str, target: str | Sequence[str], lost: str
) -> None:
    who = await sender(database, kind, target)
    [mine] = await add_commands(database, [new_command("in-1", created_by=who)])
    await keeper.look()
    assert await held(database, mine) == [False]
    await execute(database, lost)
    await keeper.look()
    assert await held(database, mine) == [True]


async def test_a_look_without_a_change_judges_nothing_but_now_and_then_everything(
    database: Database, keeper: Keeper
) -> None:
    who = await sender(database)
    [mine] = await add_commands(database, [new_command("in-1", created_by=who)])
    await execute(database, "UPDATE principals SET disabled_at = now()")
    await execute(database, "DELETE FROM access_changes")
    await keeper.look()
    assert await held(database, mine) == [False]
    keeper.now += WHOLE_EVERY_S
    await keeper.look()
    assert await held(database, mine) == [True]
    # A hub of the version before resumes its batch, or retries it: it is held again.
    await execute(database, "UPDATE commands SET on_hold = false, scheduled = false")
    keeper.now += WHOLE_EVERY_S
    await keeper.look()
    assert await held(database, mine) == [True]


async def test_what_is_left_after_a_part_is_judged_by_the_next_look(
    database: Database, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away between two parts, or the process does; what changed has been taken by then."""
    who = await sender(database)
    ids = await add_commands(database, [new_command("in-1", created_by=who) for _ in range(5)])
    monkeypatch.setattr(withholding, "MOST", 2)
    parts = iter([store.withhold])

    async def once(connection: Connection, *, revoked: bool, most: int) -> list[store.Withheld]:
        try:
            part = next(parts)
        except StopIteration:
            raise UnavailableError("database_unavailable") from None
        return await part(connection, revoked=revoked, most=most)

    await execute(database, "UPDATE grants SET access = 'read'")
    with monkeypatch.context() as interrupted:
        interrupted.setattr(store, "withhold", once)
        with pytest.raises(UnavailableError):
            await keeper.look()
    assert sum(await held(database, *ids)) == 2
    await keeper.look()
    assert await held(database, *ids) == [True] * 5


async def test_what_is_withheld_expires_at_its_deadline(database: Database, keeper: Keeper) -> None:
    who = await sender(database)
    [mine] = await add_commands(database, [new_command("in-1", created_by=who, expires_in_s=0.2)])
    await execute(database, "DELETE FROM grants")
    await keeper.look()
    assert await held(database, mine) == [True]
    await execute(database, "UPDATE commands SET expires_at = now(), deadline_at = now()")
    commands = Commands(database, keeper.signals, command_metrics(), Log())
    assert await commands.close_overdue() == 1
    async with database.connection() as connection:
        assert (await row(connection, mine))["status"] == "expired"
    # What has ended stays as it is, whatever is given back.
    async with database.transaction() as connection:
        await access.grant(connection, who)
    assert await keeper.look() == set()


async def test_what_was_handed_out_goes_on_but_gets_no_further_attempt(database: Database, keeper: Keeper) -> None:
    who = await sender(database)
    [mine] = await add_commands(database, [new_command("in-1", created_by=who)])
    assert await claim(database, "in-1") == [mine]
    await execute(database, "UPDATE principals SET disabled_at = now()")
    await keeper.look()
    failure = Reported(
        ReportStatus.FAILED, 1, retryable=True, error={"code": "jam", "message": "it jammed", "retryable": True}
    )
    async with database.transaction() as connection:
        locked = (await transitions.lock(connection, [mine]))[mine]
        locked.fold(decide(locked.state, failure, locked.now), REPORT)
        await transitions.apply(connection, [locked])
        found = await row(connection, mine)
    assert (found["status"], found["attempt"], found["on_hold"]) == ("pending", 2, True)
    await execute(database, "UPDATE commands SET not_before = now() - interval '1 hour'")
    async with database.connection() as connection:
        assert await dispatch.wake_scheduled(connection) == set()
    await execute(database, "UPDATE principals SET disabled_at = NULL")
    assert await keeper.look() == {"in-1"}
    assert await claim(database, "in-1") == [mine]


async def test_with_the_other_setting_everything_runs_also_what_was_withheld_before(
    database: Database, keeper: Keeper
) -> None:
    who = await sender(database)
    [mine] = await add_commands(database, [new_command("in-1", created_by=who)])
    await execute(database, "UPDATE principals SET disabled_at = now()")
    await keeper.look()
    assert await held(database, mine) == [True]
    running = Keeper(database, withholds=False)
    assert await running.look() == {"in-1"}
    [another] = await add_commands(database, [new_command("in-1", created_by=who)])
    await execute(database, "UPDATE principals SET disabled_at = now()")
    assert await running.look() == set()
    assert await held(database, mine, another) == [False, False]


async def test_a_change_that_is_not_committed_yet_is_seen_when_it_is(database: Database, keeper: Keeper) -> None:
    who = await sender(database)
    [mine] = await add_commands(database, [new_command("in-1", created_by=who)])
    await keeper.look()
    async with database.transaction() as connection:
        await connection.execute(b"DELETE FROM grants")
        await keeper.look()
        # Another change overtakes it.
        await sender(database)
        await keeper.look()
        assert await held(database, mine) == [False]
    await keeper.look()
    assert await held(database, mine) == [True]
