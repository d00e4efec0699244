"""Who may connect machines as which clients: judged when a code is made, and again when a machine shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.core.access.rules import Caller, Permission, Scope, may
from hub.core.access.rules.targets import ClientsNamed
from hub.core.access.store.reach import allows
from hub.core.clients.rules.pairing import Place, outside
from hub.core.clients.store import pairing as store
from hub.database.engine import Connection
from hub.errors import FieldProblem, NotFoundError, RejectedError


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made a code; also an actor of the audit, from the address of whoever uses it."""

    principal_id: UUID
    key_id: UUID | None
    address: str | None
    reach: str
    narrowed: bool

    @classmethod
    def of(cls, caller: Caller) -> "Maker":
        """Who asks for a code now."""
        narrowed = caller.key_scope.narrowed
        return cls(caller.principal_id, caller.key_id, caller.address, caller.principal.reach, narrowed)

    @property
    def scope(self) -> Scope:
        """What he reaches."""
        return Scope(self.principal_id, self.key_id, self.reach != "all" or self.narrowed)


async def maker_now(connection: Connection, principal_id: UUID, key_id: UUID | None, address: str | None) -> Maker:
    """Who made a code, as he stands now. Raises RejectedError when he may connect machines no more."""
    found = await store.creator(connection, principal_id, key_id)
    listed = None if found is None else found.permissions
    pairs = found is not None and found.valid and may(found.role, Permission.PAIR)
    if found is None or not pairs or (listed is not None and Permission.PAIR not in listed):
        raise RejectedError("pairing_maker_may_not")
    return Maker(principal_id, key_id, address, found.reach, found.narrowed)


async def require_place(connection: Connection, maker: Maker, place: Place) -> None:
    """Raise RejectedError for a new client that its maker would not reach, or that he would put where he reaches
    nothing."""
    problems: dict[str, FieldProblem] = {}
    for reach in await _reaches(connection, maker):
        problems |= {problem.field: problem for problem in outside(place, reach)}
    if problems:
        raise RejectedError("validation_error", fields=tuple(problems.values()))


async def _reaches(connection: Connection, maker: Maker) -> Sequence[Sequence[ClientsNamed]]:
    """What limits him; both count."""
    found = []
    if maker.reach != "all":
        found.append(await store.granted(connection, maker.principal_id))
    if maker.narrowed and maker.key_id is not None:
        found.append(await store.of_key(connection, maker.key_id))
    return found


async def require_reach(connection: Connection, maker: Maker, client_id: str) -> None:
    """Raise NotFoundError for a client that another machine shall become, and that he does not reach."""
    if not await allows(connection, maker.scope, Permission.PAIR, client_id):
        raise NotFoundError("client_not_found", client_id=client_id)
