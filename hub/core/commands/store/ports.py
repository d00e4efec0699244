"""What services need of a store of commands. The modules `transitions` and `dispatch` are that over Postgres; the same
cases run against each implementation (`tests/contract/commands`).

Each function takes the connection of a transaction first, unless it says otherwise.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from hub.core.commands.rules.lifecycle import LockedCommand
from hub.core.commands.store.dispatch import Claim
from hub.core.commands.store.transitions import Moved, Unusable
from hub.database.engine import Connection
from schemas.messages import Cancel, Run


class Transitions(Protocol):
    """Commands are locked, decided about, and moved under a guard."""

    async def lock(
        self, connection: Connection, /, ids: Sequence[UUID], report_ids: Sequence[UUID] = ()
    ) -> dict[UUID, LockedCommand]:
        """Lock commands in id order, and say which of these reports were applied before. Ids that do not exist are
        missing in the answer."""

    async def lock_overdue(self, connection: Connection, /, most: int) -> list[LockedCommand]:
        """Lock commands whose deadline has passed, the longest overdue first."""

    async def lock_handed_out(self, connection: Connection, /, client_id: str) -> list[LockedCommand]:
        """Lock all that a client holds, in id order."""

    async def lock_restored(self, connection: Connection, /, client_id: str) -> list[LockedCommand]:
        """Lock what a restored database shows as not handed out to a client, although it may have been, in id order."""

    async def lock_shutdowns(
        self, connection: Connection, /, client_ids: Sequence[str], *, said: bool
    ) -> list[LockedCommand]:
        """Lock the shutdowns that these clients hold, in id order: those whose good-bye was heard already (`said`), or
        those that a good-bye may follow from."""

    async def lock_reboots(self, connection: Connection, /, client_id: str) -> list[LockedCommand]:
        """Lock the reboots that a client has begun, in id order."""

    async def apply(self, connection: Connection, /, commands: Iterable[LockedCommand]) -> set[UUID]:
        """Write what was folded into commands; the ids that moved. One that is missing is no longer in the status,
        attempt, version and deadline that it was read with. Needs no transaction."""

    async def apply_timed(
        self, connection: Connection, /, commands: Iterable[LockedCommand], awaited: Collection[UUID] = ()
    ) -> dict[UUID, Moved]:
        """The same; what moved, by its id. `awaited`: of these the end is to be shown."""

    async def quarantine(self, connection: Connection, /, reports: Sequence[Unusable]) -> None:
        """Keep unusable reports for people."""


class Dispatch(Protocol):
    """Commands are claimed, sent again while no word comes, and woken when their time has come. Needs no
    transaction: each commits by itself."""

    async def clients_with_work(self, connection: Connection, /) -> set[str]:
        """Clients that have something due and may be sent to."""

    async def claim(self, connection: Connection, /, client_ids: Sequence[str], *, alone: bool = False) -> Claim:
        """Move what is due from pending to queued, up to the free windows. Publish only after the commit. `alone`: no
        other worker claims just now."""

    async def resend(self, connection: Connection, /, most: int = 500) -> list[Run]:
        """Attempts whose lease ran out, the longest due first; each has its next lease."""

    async def resend_cancels(self, connection: Connection, /, most: int = 500) -> list[Cancel]:
        """Cancels without an answer, the same way."""

    async def offer_again(self, connection: Connection, /, client_id: str, journal: str) -> int:
        """After a birth: make due at once whatever this client holds or gave no word about. How many."""

    async def ask_again(self, connection: Connection, /, spread_s: float) -> int:
        """After a start: make due within so many seconds whatever agents have that are there. How many."""

    async def wake_scheduled(self, connection: Connection, /, most: int = 5_000) -> set[str]:
        """Let commands in whose time has come, the longest due first; the clients that they are for."""

    async def seconds_to_next_due(self, connection: Connection, /) -> float | None:
        """How long until a command becomes due or passes its deadline; None when neither lies ahead."""

    async def mark_sent(self, connection: Connection, /, acknowledged: Mapping[UUID, float]) -> None:
        """Record when the broker acknowledged these runs: so many seconds ago."""
