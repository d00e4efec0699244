"""What a limited caller may see of commands, and do to them: by client and action, and nothing of others."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from hub.core.access.rules import EVERYTHING, Caller, Principal, Scope
from hub.core.commands.service.commands import Commands
from hub.core.commands.service.submission import refusal
from hub.core.commands.service.waiting import POLLS_PER_LOOK, Waiting
from hub.core.commands.store import commands as store
from hub.core.commands.store.commands import Filter
from hub.core.commands.store.submit import NewCommand
from hub.database.engine import Database
from hub.errors import HubError, NotFoundError, RejectedError
from hub.telemetry.log import Log
from tests.support import access
from tests.support.access import TARGETS, Target
from tests.support.factories import add_client, add_commands, add_document, new_command, submit_all
from tests.support.hubs import command_metrics
from tests.support.recording_ports import RecordingPorts

pytestmark = pytest.mark.each_postgres

OPERATOR = Caller(Principal(UUID(int=1), "user", "kim", "operator"), "10.0.0.7", key_id=UUID(int=9))
"""Reaches everything."""


@pytest.fixture
async def shops(database: Database) -> Database:
    """`in-1` is in each of the targets, `out-1` in none but `all`."""
    await add_client(database, "in-1", zone="a", tags=["red", "new"])
    await add_client(database, "out-1", zone="b", tags=["red"])
    async with database.transaction() as connection:
        await access.group(connection, "shop", "in-1")
    return database


@pytest.fixture
def commands(database: Database) -> Commands:
    return Commands(database, RecordingPorts(), command_metrics(), Log())


async def granted(
    database: Database,
    *grants: tuple[str, str | Sequence[str] | None, str, Sequence[str] | None],
    role: str = "operator",
    permissions: Sequence[str] | None = None,
    actions: Sequence[str] | None = None,
    targets: Sequence[Target] | None = None,
) -> Caller:
    """A caller with these grants (kind, target, access, actions) and a key of this scope."""
    async with database.transaction() as connection:
        who = await access.principal(connection, role=role)
        for kind, target, want, only in grants:
            await access.grant(connection, who, kind, target, want, only)
        text = await access.key(connection, who, permissions, actions, targets)
    return await access.caller(database, text)


def by(caller: Caller, client_id: str, **fields: Any) -> NewCommand:
    scope = caller.scope
    return new_command(
        client_id, created_by=caller.principal_id, limited=scope.limited, scope_key=scope.key_id, **fields
    )


async def value(database: Database, query: bytes, *parameters: object) -> Any:
    async with database.connection() as connection:
        found = await (await connection.execute(query, parameters)).fetchone()
    return None if found is None else next(iter(found.values()))


async def execute(database: Database, query: bytes, *parameters: object) -> None:
    async with database.transaction() as connection:
        await connection.execute(query, parameters)


async def batch_of(database: Database, caller: Caller) -> UUID:
    """A batch that runs, without commands; its id."""
    batch = UUID(int=7)
    await execute(
        database,
        b"INSERT INTO batches (id, created_by, created_at, target, status, total, max_failures)"
        b" VALUES (%s, %s, now(), '{}', 'running', 1, 1)",
        batch,
        caller.principal_id,
    )
    return batch


# --- submit --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TARGETS)
async def test_a_command_is_taken_within_the_grant_and_nowhere_else(shops: Database, kind: str) -> None:
    caller = await granted(shops, (*TARGETS[kind], "command", None))
    verdicts = await submit_all(shops, [by(caller, "in-1"), by(caller, "out-1"), by(caller, "no-such-pc")])
    assert [verdict.refusal for verdict in verdicts] == [
        None,
        None if kind == "all" else "client_not_found",
        "client_not_found",
    ]


@pytest.mark.parametrize("kind", [kind for kind in TARGETS if kind != "all"])
async def test_a_narrowed_key_sends_to_its_own_clients_only(shops: Database, kind: str) -> None:
    name, target = TARGETS[kind]
    assert target is not None
    caller = await granted(shops, ("all", None, "command", None), targets=[(name, target)])
    verdicts = await submit_all(shops, [by(caller, "in-1"), by(caller, "out-1")])
    assert [verdict.refusal for verdict in verdicts] == [None, "client_not_found"]


async def test_a_client_out_of_reach_is_refused_as_one_that_there_is_not(shops: Database) -> None:
    caller = await granted(shops, ("zone", "a", "command", None))
    answers, traces = [], []
    for client_id in ("out-1", "nowhere"):
        command = by(
            caller, client_id, idempotency_route="POST /api/commands", idempotency_key="k", request_sha256="00"
        )
        async with shops.transaction() as other:
            # Nothing of a client that he may not see is locked: he would notice how long that takes.
            await other.execute(b"SELECT FROM client_usage WHERE client_id = %s FOR UPDATE", (client_id,))
            [verdict] = await submit_all(shops, [command])
        problem = refusal(verdict, command)
        answers.append((problem.code, {**problem.params, "client_id": "?"}, verdict.minute_left, verdict.day_left))
        trace = await value(
            shops,
            b"SELECT jsonb_agg(to_jsonb(a) - '{id,at,salt,seq,hash}'::text[]) FROM audit_logs a WHERE resource_id = %s",
            client_id,
        )
        traces.append(str(trace).replace(client_id, "?"))
    assert answers[0] == answers[1]
    assert answers[0][0] == "client_not_found"
    assert traces[0] == traces[1]
    assert await value(shops, b"SELECT count(*) FROM commands") == 0
    assert await value(shops, b"SELECT sum(day_used) FROM client_usage") == 0
    assert await value(shops, b"SELECT count(*) FROM idempotency_keys") == 0


async def test_a_batch_keeps_no_row_of_a_client_out_of_reach(shops: Database) -> None:
    caller = await granted(shops, ("zone", "a", "command", ["print"]))
    batch = await batch_of(shops, caller)
    wanted = [by(caller, "in-1", batch_id=batch), by(caller, "out-1", batch_id=batch)]
    verdicts = await submit_all(shops, [*wanted, by(caller, "in-1", action="reboot", payload={}, batch_id=batch)])
    assert [verdict.refusal for verdict in verdicts] == [None, "client_not_found", "grant_missing"]
    assert await value(shops, b"SELECT array_agg(client_id ORDER BY id) FROM commands") == ["in-1", "in-1"]


@pytest.mark.parametrize(
    ("grants", "scope", "action"),
    [
        ([("zone", "a", "read", None)], {}, "print"),
        ([("zone", "a", "command", ["print"])], {}, "reboot"),
        ([("zone", "a", "command", ["print"]), ("client", "in-1", "read", None)], {}, "reboot"),
        ([("zone", "a", "command", None)], {"actions": ["print"]}, "reboot"),
        ([("zone", "a", "command", None)], {"permissions": ["read"]}, "print"),
        ([("zone", "a", "command", None)], {"role": "viewer"}, "print"),
    ],
)
async def test_who_may_read_a_client_is_told_what_to_ask_for(
    shops: Database, grants: Any, scope: dict[str, Any], action: str
) -> None:
    caller = await granted(shops, *grants, **scope)
    command = by(caller, "in-1", action=action, payload={})
    [verdict] = await submit_all(shops, [command])
    problem = refusal(verdict, command)
    assert (problem.code, problem.params["client_id"], problem.params["action"], problem.params["access"]) == (
        "grant_missing",
        "in-1",
        action,
        "command",
    )
    assert await value(shops, b"SELECT sum(day_used) FROM client_usage") == 0


async def test_a_command_names_only_a_document_that_its_principal_may_read(shops: Database) -> None:
    maker = await granted(shops, ("zone", "a", "command", None))
    other = await granted(shops, ("zone", "a", "command", None))
    async with shops.transaction() as connection:
        document = await add_document(connection)
        await connection.execute(b"UPDATE documents SET created_by = %s", (maker.principal_id,))

    async def named_by(caller: Caller) -> str | None:
        return (await submit_all(shops, [by(caller, "in-1", document_ids=[document])]))[0].refusal

    assert await named_by(other) == "document_not_found"
    assert await named_by(maker) is None
    # Now it was for a client that the other may read, and for nobody else's.
    assert await named_by(other) is None
    await add_commands(shops, [new_command("out-1", document_ids=[document])])
    assert await named_by(other) == "document_not_found"
    assert await named_by(maker) is None


async def test_what_acts_for_a_principal_later_is_judged_by_the_database(shops: Database) -> None:
    caller = await granted(shops, ("zone", "a", "command", None))
    absent = Caller(caller.principal, None)
    everywhere = Caller(Principal(caller.principal_id, "user", "kim", "operator"), None)
    assert absent.scope == everywhere.scope == Scope(caller.principal_id, None, limited=True)
    assert [v.refusal for v in await submit_all(shops, [by(everywhere, "in-1"), by(everywhere, "out-1")])] == [
        None,
        "client_not_found",
    ]
    await execute(shops, b"UPDATE principals SET disabled_at = now() WHERE id = %s", caller.principal_id)
    assert [v.refusal for v in await submit_all(shops, [by(everywhere, "in-1")])] == ["client_not_found"]


# --- lists ---------------------------------------------------------------------------------------------------


async def test_a_list_has_exactly_what_the_rule_says_whatever_the_filter(database: Database) -> None:
    chance = random.Random(7)  # noqa: S311 - reproducible
    names = [f"pc-{n}" for n in range(9)]
    for n, name in enumerate(names):
        await add_client(database, name, zone="abc"[n % 3])
    made = [
        new_command(
            chance.choice(names),
            action=chance.choice(["print", "display", "reboot"]),
            payload={},
            reference=chance.choice([None, "order-1", "order-2"]),
            tags=chance.choice([[], ["red"], ["red", "new"]]),
        )
        for _ in range(150)
    ]
    await add_commands(database, made)
    caller = await granted(
        database,
        ("zone", "a", "read", ["print"]),
        ("zone", "b", "command", ["display"]),
        ("client", "pc-1", "read", None),
        ("client", "pc-0", "command", ["reboot"]),
    )
    allowed: dict[str, set[str]] = {name: {"print"} for name in names[0::3]}
    allowed |= {name: {"display"} for name in names[1::3]}
    allowed["pc-0"] |= {"reboot"}
    allowed["pc-1"] = {"print", "display", "reboot"}
    visible = [one for one in reversed(made) if one.action in allowed.get(one.client_id, ())]
    filters: list[tuple[Filter, Callable[[NewCommand], bool]]] = [
        (Filter(), lambda _: True),
        (Filter(client_id="pc-1"), lambda one: one.client_id == "pc-1"),
        (Filter(client_id="pc-2"), lambda _: False),
        (Filter(client_id="no-such-pc"), lambda _: False),
        (Filter(action="display"), lambda one: one.action == "display"),
        (Filter(reference="order-1"), lambda one: one.reference == "order-1"),
        (Filter(tag="new"), lambda one: "new" in one.tags),
        (Filter(statuses=["completed"]), lambda _: False),
        (
            Filter(statuses=["pending"], reference="order-2", tag="red"),
            lambda one: one.reference == "order-2" and "red" in one.tags,
        ),
    ]
    async with database.connection() as connection:
        for wanted, fits in filters:
            expected = [one.id for one in visible if fits(one)]
            assert expected or wanted.client_id in ("pc-2", "no-such-pc") or wanted.statuses == ["completed"]
            found: list[UUID] = []
            before = None
            while rows := await store.page(connection, wanted, caller.scope, before=before, limit=7):
                found += [row.id for row in rows]
                before = found[-1]
            assert found == expected, wanted
        # Whoever reaches everything has all of them.
        assert len(await store.page(connection, Filter(), EVERYTHING, before=None, limit=1_000)) == len(made)


async def test_a_batch_is_named_to_its_maker(shops: Database) -> None:
    maker = await granted(shops, ("zone", "a", "command", None))
    other = await granted(shops, ("zone", "a", "command", None))
    batch = await batch_of(shops, maker)
    [command_id] = await add_commands(shops, [by(maker, "in-1", batch_id=batch)])
    async with shops.connection() as connection:
        for scope, named in ((maker.scope, batch), (other.scope, None), (EVERYTHING, batch)):
            [row] = await store.page(connection, Filter(), scope, before=None, limit=5)
            one = (await store.find(connection, [command_id], scope))[command_id]
            assert (row.batch_id, one.batch_id) == (named, named)


# --- one command ---------------------------------------------------------------------------------------------


async def _same_as_unknown(ask: Callable[[UUID], Awaitable[Any]], hidden: UUID) -> None:
    told = []
    for command_id in (hidden, uuid7()):
        with pytest.raises(NotFoundError) as refused:
            await ask(command_id)
        told.append((refused.value.code, str(refused.value).replace(str(command_id), "?")))
    assert told[0] == told[1]
    assert told[0][0] == "command_not_found"


async def test_a_command_of_others_is_not_there(shops: Database, commands: Commands) -> None:
    caller = await granted(shops, ("zone", "a", "command", ["print"]))
    elsewhere, otherwise, own = await add_commands(
        shops, [new_command("out-1"), new_command("in-1", action="reboot", payload={}), new_command("in-1")]
    )
    for hidden in (elsewhere, otherwise):
        for ask in (
            lambda command_id: commands.get(caller, command_id),
            lambda command_id: commands.get(caller, command_id, "command"),
            lambda command_id: commands.logs(caller, command_id),
            lambda command_id: commands.cancel(caller, command_id),
        ):
            await _same_as_unknown(ask, hidden)
    assert (await commands.get(caller, own)).id == own
    assert [log.event for log in await commands.logs(caller, own)] == ["created"]
    assert (await commands.cancel(caller, own)).status == "cancelled"
    assert await value(shops, b"SELECT count(*) FROM commands WHERE status = 'pending'") == 2


async def test_who_may_only_read_a_command_is_told_what_its_cancel_needs(shops: Database, commands: Commands) -> None:
    caller = await granted(shops, ("zone", "a", "read", None), ("zone", "a", "command", ["reboot"]))
    [command_id] = await add_commands(shops, [new_command("in-1")])
    with pytest.raises(RejectedError) as refused:
        await commands.cancel(caller, command_id)
    assert refused.value.code == "grant_missing"
    assert refused.value.params["action"] == "print"
    assert (await commands.get(caller, command_id)).status == "pending"


async def test_a_key_that_may_only_send_sees_what_it_sent_in_the_answers_to_that(
    shops: Database, commands: Commands
) -> None:
    caller = await granted(shops, ("zone", "a", "command", None), permissions=["command"])
    [command_id] = await add_commands(shops, [by(caller, "in-1")])
    assert (await commands.get(caller, command_id, "command")).id == command_id
    with pytest.raises(NotFoundError):
        await commands.get(caller, command_id)


# --- waits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "code"),
    [
        (b"UPDATE api_keys SET revoked_at = now() WHERE principal_id = %s", "unauthorized"),
        (b"UPDATE principals SET disabled_at = now() WHERE id = %s", "unauthorized"),
        (b"DELETE FROM grants WHERE principal_id = %s", "command_not_found"),
        (b"UPDATE grants SET actions = '{reboot}' WHERE principal_id = %s", "command_not_found"),
    ],
)
async def test_a_wait_ends_when_its_caller_may_not_see_the_command_any_more(
    shops: Database, lost: bytes, code: str
) -> None:
    caller, other = [await granted(shops, ("zone", "a", "command", None)) for _ in range(2)]
    [command_id] = await add_commands(shops, [new_command("in-1")])
    waiting = Waiting(shops)
    with (
        waiting.expected(command_id, caller) as end,
        waiting.expected(command_id, other) as of_other,
        waiting.expected(uuid7(), other) as not_stored,
    ):
        for _ in range(2 * POLLS_PER_LOOK):
            await waiting.poll()
        assert not end.done()
        await execute(shops, lost, caller.principal_id)
        for _ in range(POLLS_PER_LOOK):
            await waiting.poll()
        assert end.done()
        with pytest.raises(HubError) as refused:
            end.result()
        assert refused.value.code == code
        assert not of_other.done()
        assert not not_stored.done()


async def test_a_wait_of_who_reached_everything_ends_when_he_does_not_any_more(shops: Database) -> None:
    async with shops.transaction() as connection:
        who = await access.principal(connection, reach="all")
        text = await access.key(connection, who)
    caller = await access.caller(shops, text)
    assert not caller.scope.limited
    [command_id] = await add_commands(shops, [new_command("in-1")])
    waiting = Waiting(shops)
    with waiting.expected(command_id, caller) as end:
        await execute(shops, b"UPDATE principals SET reach = 'granted' WHERE id = %s", who)
        for _ in range(POLLS_PER_LOOK):
            await waiting.poll()
        assert isinstance(end.exception(), NotFoundError)


async def test_two_who_use_the_same_idempotency_key_know_nothing_of_each_other(shops: Database) -> None:
    one, other = [await granted(shops, ("zone", "a", "command", None)) for _ in range(2)]
    key = {"idempotency_route": "POST /api/commands", "idempotency_key": "order-1", "request_sha256": "00"}
    verdicts = await asyncio.gather(*(submit_all(shops, [by(caller, "in-1", **key)]) for caller in (one, other)))
    assert [verdict.refusal for [verdict] in verdicts] == [None, None]
