"""Groups of clients, and which clients a target means."""

from collections.abc import Sequence

from psycopg.rows import DictRow

from hub.core.clients.rules import Target
from hub.database.engine import Connection, reading
from hub.database.statements import statement

_INSERT = statement("core/clients/groups", "insert")
_RENAME = statement("core/clients/groups", "rename")
_TOUCH = statement("core/clients/groups", "touch")
_DELETE = statement("core/clients/groups", "delete")
_FIND = statement("core/clients/groups", "find")
_MEMBERS = statement("core/clients/groups", "members")
_JOIN = statement("core/clients/groups", "join")
_LEAVE = statement("core/clients/groups", "leave")
_PRESENT = statement("core/clients/groups", "present")
_MATCHING = statement("core/clients/groups", "matching")


async def insert(connection: Connection, group_id: str, name: str) -> bool:
    """A new group; False when the id is taken."""
    cursor = await connection.execute(_INSERT, {"id": group_id, "name": name})
    return await cursor.fetchone() is not None


async def rename(connection: Connection, group_id: str, name: str) -> bool:
    """Give a group another name; False when there is none."""
    cursor = await connection.execute(_RENAME, {"id": group_id, "name": name})
    return await cursor.fetchone() is not None


async def touch(connection: Connection, group_id: str) -> bool:
    """Lock a group whose members are to be changed; False when there is none. Needs a transaction."""
    cursor = await connection.execute(_TOUCH, {"id": group_id})
    return await cursor.fetchone() is not None


async def delete(connection: Connection, group_id: str) -> bool:
    """Remove a group and its memberships; False when there was none."""
    cursor = await connection.execute(_DELETE, {"id": group_id})
    return await cursor.fetchone() is not None


async def find(
    connection: Connection,
    *,
    id: str | None = None,  # noqa: A002 - the column's name
    after: str | None = None,
    limit: int = 1,
) -> list[DictRow]:
    """Groups in order of their ids, with how many clients they have."""
    cursor = reading(connection)
    await cursor.execute(_FIND, {"id": id, "after": after, "limit": limit})
    return await cursor.fetchall()


async def members(connection: Connection, group_id: str, *, after: str | None, limit: int) -> list[DictRow]:
    """Clients of a group in order of their ids."""
    cursor = reading(connection)
    await cursor.execute(_MEMBERS, {"id": group_id, "after": after, "limit": limit})
    return await cursor.fetchall()


async def join(connection: Connection, group_id: str, client_ids: Sequence[str]) -> None:
    """Add clients that there are to a group that is locked."""
    await connection.execute(_JOIN, {"id": group_id, "client_ids": list(client_ids)})


async def leave(connection: Connection, group_id: str, client_ids: Sequence[str]) -> None:
    """Remove clients from a group that is locked."""
    await connection.execute(_LEAVE, {"id": group_id, "client_ids": list(client_ids)})


async def present(connection: Connection, client_ids: Sequence[str], *, with_retired: bool) -> set[str]:
    """Which of these clients there are."""
    cursor = await connection.execute(_PRESENT, {"client_ids": list(client_ids), "with_retired": with_retired})
    return {row["id"] for row in await cursor.fetchall()}


async def matching(connection: Connection, target: Target, most: int) -> list[str]:
    """The clients that fit a target's conditions, in order of their ids, at most `most` of them."""
    cursor = reading(connection)
    await cursor.execute(
        _MATCHING,
        {
            "group": target.group,
            "zone": target.zone,
            "tags_all": list(target.tags_all) or None,
            "tags_any": list(target.tags_any) or None,
            "most": most,
        },
    )
    return [row["id"] for row in await cursor.fetchall()]
