"""What one transaction of presence works on, and what it brought about, to be told after its commit."""

from dataclasses import dataclass, field

from hub.core.commands.rules.lifecycle import LockedCommand
from hub.core.presence.rules.presence import GOOD_BYE, Evidence
from hub.core.presence.store import Sessions
from hub.database.engine import Connection
from schemas.messages import Birth, Offline, Welcome, Will
from schemas.states import Presence


@dataclass(frozen=True, slots=True)
class Sighting:
    """A presence message, and whether the broker had kept it."""

    message: Birth | Offline | Will
    retained: bool = False

    @property
    def client_id(self) -> str:
        """Whom it is about."""
        return self.message.client_id


@dataclass(slots=True)
class Round:
    """One transaction. `save` writes evidence and notes what is to be told of it."""

    connection: Connection
    sessions: Sessions
    welcomes: list[Welcome] = field(default_factory=list)
    changed: list[LockedCommand] = field(default_factory=list)
    moved: list[tuple[str, str, str]] = field(default_factory=list)
    """Client, its presence now, and the reason."""
    gone: dict[str, bool] = field(default_factory=dict)
    """Clients that said good-bye (True), or came back (False)."""
    woken: set[str] = field(default_factory=set)
    twins: list[tuple[str, str]] = field(default_factory=list)
    """Clients that two machines claim to be, and the session that may stay."""

    async def save(
        self, client_id: str, old: Evidence, new: Evidence, *, shown: int | None = None, issued: int | None = None
    ) -> None:
        """Write evidence back. `shown` and `issued` are the epoch that a birth showed and the one that its welcome
        carries."""
        await self.sessions.save_presence(self.connection, client_id, old, new, shown=shown, issued=issued)
        self.moved.append((client_id, new.presence.value, new.reason))
        if new.presence is Presence.OFFLINE:
            self.gone[client_id] = new.reason == GOOD_BYE
        elif old.presence is Presence.OFFLINE:
            self.gone[client_id] = False
