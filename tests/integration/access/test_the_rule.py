"""The one rule in SQL, and its set: role AND grants AND the key's scope, for each kind of target."""

from uuid import UUID

import pytest

from hub.database.engine import Connection, Database
from hub.keys import hash_secret
from tests.support import access
from tests.support.access import TARGETS, Target
from tests.support.factories import add_client, add_commands, add_document, new_command, submit_all

pytestmark = pytest.mark.each_postgres


@pytest.fixture
async def clients(database: Database) -> Database:
    """`in-1` is in each of the targets, `out-1` in none but `all`."""
    await add_client(database, "in-1", zone="a", tags=["red", "new", "old"])
    await add_client(database, "out-1", zone="b", tags=["red"])
    async with database.transaction() as connection:
        await access.group(connection, "shop", "in-1")
    return database


async def _allows(
    connection: Connection, who: UUID, want: str, client: str, action: str | None = None, key: UUID | None = None
) -> bool:
    cursor = await connection.execute(
        b"SELECT floorhub_allows(%s, %s, %s, %s, %s) AS allowed", (who, key, want, client, action)
    )
    found = await cursor.fetchone()
    assert found is not None
    return bool(found["allowed"])


async def _reach(
    connection: Connection, who: UUID, want: str, key: UUID | None = None
) -> dict[str, tuple[str, ...] | None]:
    """The set; and what it says agrees with the rule for each client and action."""
    cursor = await connection.execute(b"SELECT * FROM floorhub_reach(%s, %s, %s)", (who, key, want))
    found = {
        row["client_id"]: None if row["actions"] is None else tuple(sorted(row["actions"]))
        for row in await cursor.fetchall()
    }
    for client in ("in-1", "out-1"):
        assert await _allows(connection, who, want, client, None, key) == (client in found)
        for action in ("print", "display", "reboot"):
            actions = found.get(client, ())
            expected = actions is None or action in actions
            assert await _allows(connection, who, want, client, action, key) == expected, (client, action)
    return found


async def _key_id(connection: Connection, text: str) -> UUID:
    cursor = await connection.execute(b"SELECT id FROM api_keys WHERE sha256 = %s", (hash_secret(text),))
    found = await cursor.fetchone()
    assert found is not None
    key_id: UUID = found["id"]
    return key_id


@pytest.mark.parametrize("kind", TARGETS)
async def test_a_grant_reaches_the_clients_of_its_target(clients: Database, kind: str) -> None:
    async with clients.transaction() as connection:
        who = await access.principal(connection)
        other = await access.principal(connection)
        assert await _reach(connection, who, "command") == {}
        await access.grant(connection, who, *TARGETS[kind])
        expected: dict[str, object] = {"in-1": None} | ({"out-1": None} if kind == "all" else {})
        for want in ("read", "command"):
            cursor = await connection.execute(b"SELECT floorhub_reaches_all(%s, NULL, %s) AS whole", (who, want))
            assert await cursor.fetchone() == {"whole": kind == "all"}
        assert await _reach(connection, who, "command") == expected
        assert await _reach(connection, who, "read") == expected
        assert await _reach(connection, other, "read") == {}


@pytest.mark.parametrize("kind", [kind for kind in TARGETS if kind != "all"])
@pytest.mark.parametrize("reach", ["granted", "all"])
async def test_a_narrowed_key_reaches_less_than_its_principal(clients: Database, kind: str, reach: str) -> None:
    name, target = TARGETS[kind]
    assert target is not None
    narrow: list[Target] = [(name, target)]
    async with clients.transaction() as connection:
        who = await access.principal(connection, reach=reach)
        if reach == "granted":
            await access.grant(connection, who)
        key = await _key_id(connection, await access.key(connection, who, targets=narrow))
        assert await _reach(connection, who, "command") == {"in-1": None, "out-1": None}
        assert await _reach(connection, who, "command", key) == {"in-1": None}


async def test_grants_add_up_and_reading_is_not_commanding(clients: Database) -> None:
    async with clients.transaction() as connection:
        who = await access.principal(connection)
        await access.grant(connection, who, "zone", "a", access="read", actions=["print"])
        await access.grant(connection, who, "client", "in-1", access="command", actions=["display"])
        assert await _reach(connection, who, "read") == {"in-1": ("display", "print")}
        assert await _reach(connection, who, "command") == {"in-1": ("display",)}
        await access.grant(connection, who, "group", "shop", access="read")
        assert await _reach(connection, who, "read") == {"in-1": None}
        assert await _reach(connection, who, "command") == {"in-1": ("display",)}


async def test_the_keys_scope_of_actions_and_permissions_narrows(clients: Database) -> None:
    async with clients.transaction() as connection:
        who = await access.principal(connection)
        await access.grant(connection, who, "zone", "a", actions=["print", "display"])
        await access.grant(connection, who, "zone", "b", actions=["display"])
        prints = await _key_id(connection, await access.key(connection, who, actions=["print", "reboot"]))
        # What is left of a client is nothing: then it is not reached at all.
        assert await _reach(connection, who, "command", prints) == {"in-1": ("print",)}
        reads = await _key_id(connection, await access.key(connection, who, permissions=["read"]))
        assert await _reach(connection, who, "command", reads) == {}
        assert await _reach(connection, who, "read", reads) == {"in-1": ("display", "print"), "out-1": ("display",)}
        everything = await access.principal(connection, reach="all")
        own = await _key_id(connection, await access.key(connection, everything, actions=["print"]))
        assert await _reach(connection, everything, "command", own) == {"in-1": ("print",), "out-1": ("print",)}
        # A key opens nothing for another principal than its own.
        assert await _reach(connection, everything, "command", prints) == {}


@pytest.mark.parametrize(
    "ended",
    [
        b"UPDATE principals SET disabled_at = now() WHERE id = %(who)s",
        b"UPDATE api_keys SET revoked_at = now() WHERE id = %(key)s",
        b"UPDATE api_keys SET expires_at = now() WHERE id = %(key)s",
        b"DELETE FROM grants WHERE principal_id = %(who)s",
        b"UPDATE clients SET zone = 'b' WHERE id = 'in-1'",
    ],
)
async def test_what_is_over_reaches_nothing(clients: Database, ended: bytes) -> None:
    async with clients.transaction() as connection:
        who = await access.principal(connection)
        await access.grant(connection, who, "zone", "a")
        key = await _key_id(connection, await access.key(connection, who))
        assert await _reach(connection, who, "command", key) == {"in-1": None}
        await connection.execute(ended, {"who": who, "key": key})
        assert await _reach(connection, who, "command", key) == {}
        assert await _reach(connection, who, "read", key) == {}


async def test_a_viewer_reads_what_it_was_granted_and_commands_nothing(clients: Database) -> None:
    async with clients.transaction() as connection:
        who = await access.principal(connection, role="viewer")
        await access.grant(connection, who, "zone", "a")
        assert await _reach(connection, who, "read") == {"in-1": None}
        assert await _reach(connection, who, "command") == {}
        assert await _reach(connection, who, "decide") == {}


# --- documents -----------------------------------------------------------------------------------------------


async def _reads(
    connection: Connection, who: UUID, document: UUID, key: UUID | None = None, *, limited: bool = True
) -> bool:
    cursor = await connection.execute(
        b"SELECT floorhub_reads_document(%s, %s, %s, %s) AS reads", (who, key, limited, document)
    )
    found = await cursor.fetchone()
    assert found is not None
    return bool(found["reads"])


async def test_a_document_is_read_by_its_creator_and_by_who_may_read_all_that_it_was_for(clients: Database) -> None:
    async with clients.transaction() as connection:
        maker, one, both, printing = [await access.principal(connection) for _ in range(4)]
        await access.grant(connection, one, "zone", "a", access="read")
        await access.grant(connection, both, "all", access="read")
        await access.grant(connection, printing, "all", access="read", actions=["print"])
        document = await add_document(connection)
        await connection.execute(b"UPDATE documents SET created_by = %s", (maker,))

        async def readers() -> list[bool]:
            return [await _reads(connection, who, document) for who in (maker, one, both, printing)]

        # Nobody else's while it was for nothing: not even of who may read every client.
        assert await readers() == [True, False, False, False]
        assert await _reads(connection, one, document, limited=False)
        assert not await _reads(connection, one, UUID(int=7), limited=False)
    await add_commands(clients, [new_command("in-1", document_ids=[document])])
    async with clients.transaction() as connection:
        assert await readers() == [True, True, True, True]
    await add_commands(clients, [new_command("in-1", action="display", payload={}, document_ids=[document])])
    async with clients.transaction() as connection:
        assert await readers() == [True, True, True, False]
    await add_commands(clients, [new_command("out-1", document_ids=[document])])
    async with clients.transaction() as connection:
        assert await readers() == [True, False, True, False]


async def test_a_refused_command_that_names_a_document_opens_it_to_nobody(clients: Database) -> None:
    async with clients.transaction() as connection:
        who = await access.principal(connection)
        await access.grant(connection, who, "zone", "a")
        document = await add_document(connection)
        batch = UUID(int=7)
        await connection.execute(
            b"INSERT INTO batches (id, created_by, created_at, target, status, total, max_failures)"
            b" VALUES (%s, %s, now(), '{}', 'running', 1, 1)",
            (batch, who),
        )
        await connection.execute(b"UPDATE client_permissions SET allowed_actions = '{status}'")
    refused = new_command("in-1", document_ids=[document], batch_id=batch)
    assert [verdict.refusal for verdict in await submit_all(clients, [refused])] == ["action_not_allowed"]
    async with clients.transaction() as connection:
        assert not await _reads(connection, who, document)


async def test_a_creators_narrowed_key_reads_what_was_for_its_own_clients_only(clients: Database) -> None:
    async with clients.transaction() as connection:
        maker = await access.principal(connection)
        await access.grant(connection, maker)
        document = await add_document(connection)
        await connection.execute(b"UPDATE documents SET created_by = %s", (maker,))
        whole = await _key_id(connection, await access.key(connection, maker))
        narrow = await _key_id(connection, await access.key(connection, maker, targets=[("zone", "a")]))
        prints = await _key_id(connection, await access.key(connection, maker, actions=["print"]))
        everybody = (None, whole, narrow, prints)
        assert [await _reads(connection, maker, document, key) for key in everybody] == [True] * 4
    await add_commands(clients, [new_command("in-1", document_ids=[document])])
    async with clients.transaction() as connection:
        assert [await _reads(connection, maker, document, key) for key in everybody] == [True] * 4
    await add_commands(clients, [new_command("out-1", action="display", payload={}, document_ids=[document])])
    async with clients.transaction() as connection:
        assert [await _reads(connection, maker, document, key) for key in everybody] == [True, True, False, False]


async def test_an_upload_concerns_the_client_that_made_it(clients: Database) -> None:
    async with clients.transaction() as connection:
        one, other = [await access.principal(connection) for _ in range(2)]
        await access.grant(connection, one, "zone", "a", access="read")
        await access.grant(connection, other, "zone", "b", access="read")
    [command] = await add_commands(clients, [new_command("in-1", action="screenshot", payload={})])
    async with clients.transaction() as connection:
        document = await add_document(connection)
        await connection.execute(
            b"INSERT INTO uploads (token_sha256, client_id, command_id, created_at, document_id)"
            b" VALUES ('x', 'in-1', %s, now(), %s)",
            (command, document),
        )
        assert await _reads(connection, one, document)
        assert not await _reads(connection, other, document)
