"""The hub ends a client's session itself: the broker ends the connection without a will."""

from dataclasses import replace

from hub.core.presence import store as sessions
from hub.core.presence.rules import presence
from hub.database.engine import Connection
from schemas.states import Presence


async def end_session(connection: Connection, client_id: str, reason: str, *, at_broker: bool = False) -> None:
    """Write that a client is offline, and take back the offers that were made to other sessions of it. Nothing that
    was said before brings it back. `at_broker`: only if it is there by MQTT. Needs a transaction."""
    session = (await sessions.lock(connection, [client_id]))[client_id]
    old = session.evidence
    if at_broker and (old.presence is Presence.OFFLINE or presence.over_http(old.session)):
        return
    await sessions.save_presence(connection, client_id, old, presence.end(old, reason, session.now))
    await sessions.save_identity(connection, client_id, replace(session.identity, offers=()))


async def may_return(connection: Connection, client_id: str) -> None:
    """Write that a client that was disabled is so no more: a basic one, which may count its connections badly, can be
    born again with the number that it had. Needs a transaction."""
    session = (await sessions.lock(connection, [client_id]))[client_id]
    if session.evidence.reason == "disabled":
        await sessions.save_presence(
            connection, client_id, session.evidence, replace(session.evidence, reason="enabled")
        )
