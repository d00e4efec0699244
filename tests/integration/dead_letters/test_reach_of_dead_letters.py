"""Dead letters of a limited caller: he lists, counts, replays, dismisses and decides his own, and finds no others."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from hub.core.access.rules import Caller
from hub.core.commands.rules.lifecycle import Status
from hub.database.engine import Database
from hub.errors import NotFoundError, RejectedError
from hub.features.dead_letters.service import Chosen, DeadLetters, Outcome
from hub.features.dead_letters.store import Filter
from hub.features.dead_letters.telemetry import Metrics
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from tests.support import access
from tests.support.factories import add_client, add_commands, new_command, row
from tests.support.hubs import command_metrics
from tests.support.recording_ports import RecordingPorts

pytestmark = pytest.mark.each_postgres


@pytest.fixture
async def letters(database: Database) -> DeadLetters:
    """`a-1` is in zone a, `b-1` in zone b."""
    await add_client(database, "a-1", zone="a")
    await add_client(database, "b-1", zone="b")
    return DeadLetters(database, RecordingPorts(), command_metrics(), Metrics(Meters()), Log())


async def dead(database: Database, *wanted: tuple[str, str], status: str = "failed") -> list[UUID]:
    """Dead letters of these clients and actions."""
    ids = await add_commands(database, [new_command(c, action=action, payload={}) for c, action in wanted])
    async with database.transaction() as connection:
        await connection.execute(
            b"UPDATE commands SET status = %s, finished_at = now(), deadline_at = NULL, dead_letter_reason = 'jam'"
            b" WHERE id = ANY (%s)",
            (status, ids),
        )
    return ids


async def caller_of(database: Database, *grants: tuple[str, str, Sequence[str] | None], **scope: Any) -> Caller:
    """A caller with grants of zones (zone, access, actions)."""
    async with database.transaction() as connection:
        who = await access.principal(connection)
        for zone, want, actions in grants:
            await access.grant(connection, who, "zone", zone, want, actions)
        text = await access.key(connection, who, **scope)
    return await access.caller(database, text)


def codes(outcomes: Sequence[Outcome]) -> list[str | None]:
    return [None if outcome.refusal is None else outcome.refusal.code for outcome in outcomes]


async def test_list_and_summary_have_his_own_only(database: Database, letters: DeadLetters) -> None:
    printed, rebooted, _ = await dead(database, ("a-1", "print"), ("a-1", "reboot"), ("b-1", "print"))
    caller = await caller_of(database, ("a", "read", None))
    page = await letters.page(caller, Filter(), before=None, limit=10)
    assert [letter.id for letter in page.rows] == [rebooted, printed]
    assert (await letters.page(caller, Filter(client_id="b-1"), before=None, limit=10)).rows == []
    summary = await letters.summary(caller, Filter())
    assert (summary.total, [each.name for each in summary.client.largest]) == (2, ["a-1"])
    narrow = await caller_of(database, ("a", "command", ["print"]), ("b", "read", ["reboot"]))
    assert [each.id for each in (await letters.page(narrow, Filter(), before=None, limit=10)).rows] == [printed]
    assert (await letters.summary(narrow, Filter())).total == 1


async def test_what_he_may_not_read_is_refused_as_what_there_is_not(database: Database, letters: DeadLetters) -> None:
    [hidden] = await dead(database, ("b-1", "print"))
    [unknown] = await dead(database, ("b-1", "print"), status="unknown")
    nothing = uuid7()
    caller = await caller_of(database, ("a", "command", None))
    for outcomes in (
        await letters.replay(caller, [hidden, nothing], force=True),
        await letters.dismiss(caller, [hidden, nothing]),
    ):
        assert codes(outcomes) == ["command_not_found"] * 2
    for letter in (hidden, unknown, nothing):
        with pytest.raises(NotFoundError):
            await letters.retry(caller, letter)
        with pytest.raises(NotFoundError):
            await letters.decide(caller, letter, Status.COMPLETED)
    async with database.connection() as connection:
        assert [(await row(connection, each))["dead_letter_closed_at"] for each in (hidden, unknown)] == [None, None]
        cursor = await connection.execute(b"SELECT count(*) AS n FROM commands")
        assert await cursor.fetchone() == {"n": 2}


async def test_who_may_read_them_is_told_what_to_ask_for(database: Database, letters: DeadLetters) -> None:
    [letter] = await dead(database, ("a-1", "print"))
    [unknown] = await dead(database, ("a-1", "print"), status="unknown")
    caller = await caller_of(database, ("a", "read", None), ("a", "command", ["reboot"]))
    assert codes(await letters.replay(caller, [letter])) == ["grant_missing"]
    assert codes(await letters.dismiss(caller, [letter])) == ["grant_missing"]
    with pytest.raises(RejectedError) as refused:
        await letters.decide(caller, unknown, Status.COMPLETED)
    assert refused.value.code == "grant_missing"


async def test_a_filter_closes_what_he_may_command_and_counts_no_others(
    database: Database, letters: DeadLetters
) -> None:
    own, only_read, _ = await dead(database, ("a-1", "print"), ("a-1", "reboot"), ("b-1", "print"))
    caller = await caller_of(database, ("a", "read", None), ("a", "command", ["print"]))
    done = await letters.replay_chosen(caller, Chosen())
    assert [(each.id, each.refusal) for each in done.items] == [(own, None)]
    async with database.connection() as connection:
        made = await row(connection, done.items[0].command_id or own)
        assert (made["created_by"], made["client_id"]) == (caller.principal_id, "a-1")
        assert (await row(connection, only_read))["dead_letter_closed_at"] is None
    assert (await letters.dismiss_chosen(caller, Chosen())).items == []


async def test_only_who_may_decide_closes_what_nobody_knows_the_effect_of(
    database: Database, letters: DeadLetters
) -> None:
    known, *unknown = await dead(database, ("a-1", "print"))
    unknown = await dead(database, ("a-1", "print"), ("a-1", "print"), status="unknown")
    sends = await caller_of(database, ("a", "command", None), permissions=["read", "command"])
    assert codes(await letters.dismiss(sends, [known, *unknown])) == [None, "decide_missing", "decide_missing"]
    assert codes(await letters.replay(sends, unknown)) == ["replay_needs_force"] * 2
    assert codes(await letters.replay(sends, unknown, force=True)) == ["decide_missing"] * 2
    decides = await caller_of(database, ("a", "command", None), permissions=["read", "command", "decide"])
    assert codes(await letters.dismiss(decides, unknown[:1])) == [None]
    await letters.decide(decides, unknown[1], Status.COMPLETED)
