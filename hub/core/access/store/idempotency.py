"""What requests with an idempotency key made; on the hot path."""

from uuid import UUID

import msgspec

from hub.core.access.rules import IdempotencyKey
from hub.database.engine import Connection
from hub.database.statements import Statement


class Made(msgspec.Struct, frozen=True):
    """What an idempotency key stands for (a command or a batch), and the SHA-256 of the request that made it."""

    command_id: UUID
    request_sha256: bytes


_FIND_IDEMPOTENT = Statement("core/access/idempotency", "find_idempotent", Made)
_TAKE_IDEMPOTENT = Statement("core/access/idempotency", "take_idempotent")


async def find_idempotent(connection: Connection, principal_id: UUID, key: IdempotencyKey) -> Made | None:
    """What an idempotency key stands for; None while nobody has used it."""
    return await _FIND_IDEMPOTENT.fetch_one(connection, principal_id=principal_id, route=key.route, key=key.key)


async def take_idempotent(connection: Connection, principal_id: UUID, key: IdempotencyKey, made: UUID) -> bool:
    """Take an idempotency key for what is about to be made; False when it is taken. Waits for whoever takes it just
    now. Needs a transaction."""
    taken = await _TAKE_IDEMPOTENT.execute(
        connection,
        id=made,
        principal_id=principal_id,
        route=key.route,
        key=key.key,
        request_sha256=key.request_sha256,
    )
    return taken > 0
