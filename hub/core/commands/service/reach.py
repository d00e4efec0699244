"""What a caller may do to commands that there are: judged before anything of them is locked or told."""

from collections.abc import Iterable
from uuid import UUID

from hub.core.access.rules import Caller
from hub.core.commands.store import commands as store
from hub.database.engine import Connection
from hub.errors import NotFoundError, RejectedError


async def refusals(
    connection: Connection, caller: Caller, ids: Iterable[UUID], want: str = "command"
) -> dict[UUID, RejectedError]:
    """For each of these commands to which a caller may not do what he wants (`command` or `decide`), why not. What he
    may not read either looks like what there is not."""
    scope = caller.scope
    if not scope.limited:
        return {}
    wanted = list(ids)
    found = await store.reached(connection, wanted, scope, want)
    refused: dict[UUID, RejectedError] = {}
    for command_id in wanted:
        command = found.get(command_id)
        if command is None:
            refused[command_id] = NotFoundError("command_not_found", command_id=command_id)
        elif not command.allowed:
            refused[command_id] = RejectedError(
                "grant_missing", client_id=command.client_id, action=command.action, access="command"
            )
    return refused
