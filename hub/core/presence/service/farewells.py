"""What ends by evidence of presence: a `shutdown` by a good-bye, a `reboot` by the birth of the machine's next boot."""

from hub.core.commands.rules.lifecycle import CameBack, LockedCommand, Rebooted, SaidGoodbye, decide
from hub.core.commands.store.ports import Transitions
from hub.core.presence.service.rounds import Round
from hub.core.presence.store import LockedSession
from schemas.messages import Birth


class Farewells:
    """Within the transaction that has locked the clients' sessions."""

    def __init__(self, transitions: Transitions) -> None:
        self._transitions = transitions

    async def note(self, done: Round) -> None:
        """Write down at the shutdowns of a round's clients that these said good-bye, or came back. The reaper ends
        those whose client stays away."""
        for said, event in ((False, SaidGoodbye()), (True, CameBack())):
            clients = sorted(client_id for client_id, gone in done.gone.items() if gone is not said)
            if clients:
                locked = await self._transitions.lock_shutdowns(done.connection, clients, said=said)
                await self._apply(locked, event, done)

    async def booted(self, session: LockedSession, birth: Birth, done: Round) -> None:
        """End the reboots that a birth proves."""
        if session.boot is None or birth.boot is None or session.boot == birth.boot:
            return
        locked = await self._transitions.lock_reboots(done.connection, session.client_id)
        await self._apply(locked, Rebooted(session.boot, birth.boot), done)

    async def _apply(self, locked: list[LockedCommand], event: SaidGoodbye | CameBack | Rebooted, done: Round) -> None:
        for command in locked:
            command.fold(decide(command.state, event, command.now))
        await self._transitions.apply(done.connection, locked)
        done.changed += [command for command in locked if command.changed]
