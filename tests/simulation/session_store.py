"""The hub's store of sessions in memory: `Sessions` of `hub.core.presence.store`.

It does what the SQL does; `tests/contract/presence` runs the same cases against both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.core.presence.rules.identity import Identity, Lived
from hub.core.presence.rules.liveness import Life, joined
from hub.core.presence.rules.presence import Evidence, recorded_at
from hub.core.presence.store import AHEAD, CONFIRMED, OFFERED, LockedSession
from schemas.states import Level, Presence
from tests.simulation.tables import Seen, Tables


class SessionStore:
    """Each function happens at one moment; the connection that it is given is nothing to it."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def _lock(self, client_id: str) -> LockedSession:
        session = self._tables.sessions[client_id]
        return LockedSession(
            client_id=client_id,
            client_status=session.client_status,
            evidence=session.evidence,
            identity=replace(session.identity, session=session.evidence.session),
            keep_away=session.keep_away,
            watched_from=session.watched_from,
            now=self._tables.at,
            boot=session.boot,
        )

    async def lock(self, _: Any, client_ids: Sequence[str]) -> dict[str, LockedSession]:
        return {one: self._lock(one) for one in sorted(set(client_ids)) if one in self._tables.sessions}

    async def lock_online(self, _: Any, before: datetime) -> list[LockedSession]:
        return [
            self._lock(client_id)
            for client_id, session in sorted(self._tables.sessions.items())
            if session.evidence.presence is Presence.ONLINE
            and session.evidence.heard_at is not None
            and session.evidence.heard_at < before
        ]

    async def save_presence(
        self,
        _: Any,
        client_id: str,
        old: Evidence,
        new: Evidence,
        *,
        shown: int | None = None,
        issued: int | None = None,
    ) -> None:
        session = self._tables.sessions[client_id]
        session.evidence = new
        at = recorded_at(old, new)
        if at is not None:
            session.history.append(Seen(new.session, new.connection, shown, issued, at))

    async def record_doubt(
        self, _: Any, client_id: str, seen: Evidence, at: datetime, *, shown: int | None, issued: int
    ) -> None:
        self._tables.sessions[client_id].history.append(Seen(seen.session, seen.connection, shown, issued, at))

    async def superseded(self, _: Any, client_id: str, session: str, number: int) -> bool:
        history = self._tables.sessions[client_id].history
        return any(seen.session == session and number <= seen.connection for seen in history)

    async def lives(self, _: Any, client_id: str, watched_from: int) -> list[Lived]:
        found: dict[str, Lived] = {}
        for seen in self._tables.sessions[client_id].history:
            if seen.session is None or seen.issued is None or seen.issued <= watched_from:
                continue
            if seen.at <= self._tables.at - timedelta(hours=1):
                continue
            known = found.get(seen.session, Lived(seen.session, seen.issued, seen.shown))
            most = max((epoch for epoch in (known.shown, seen.shown) if epoch is not None), default=None)
            found[seen.session] = Lived(seen.session, min(known.first_issued, seen.issued), most)
        return list(found.values())

    async def keep_away(self, _: Any, client_id: str, reason: str, detail: Mapping[str, Any]) -> None:
        self._tables.sessions[client_id].keep_away = reason

    async def release(self, _: Any, client_id: str) -> bool:
        session = self._tables.sessions[client_id]
        if session.keep_away is None:
            return False
        session.keep_away, session.watched_from = None, session.identity.issued
        return True

    async def save_identity(self, _: Any, client_id: str, identity: Identity) -> None:
        self._tables.sessions[client_id].identity = identity

    async def save_birth(self, _: Any, client_id: str, *, boot: str | None = None, **fields: Any) -> None:
        """Of it, only the boot decides something."""
        self._tables.sessions[client_id].boot = boot

    async def forget_boot(self, _: Any, client_id: str) -> None:
        self._tables.sessions[client_id].boot = None

    async def save_state(self, _: Any, client_id: str, state: dict[str, Any]) -> None:
        """For people, and for no decision."""

    async def confirm(self, _: Any, signs: Sequence[Life]) -> set[tuple[str, str]]:
        heard = set()
        for life in joined(signs):
            session = self._tables.sessions.get(life.client_id)
            if session is None:
                continue
            identity, evidence = session.identity, session.evidence
            if evidence.session == life.session:
                confirmed = max(identity.confirmed, min(life.epoch or 0, identity.issued))
                mark = max(identity.mark, life.mark or 0) if life.connection == evidence.connection else identity.mark
                session.identity = replace(identity, confirmed=confirmed, mark=mark)
                session.evidence = replace(evidence, heard_at=self._tables.at)
                heard.add((life.client_id, evidence.presence.value))
                if identity.confirmed < identity.since <= confirmed:
                    heard.add((life.client_id, CONFIRMED))
                if evidence.level is Level.FULL and (life.epoch or 0) > identity.issued:
                    heard.add((life.client_id, AHEAD))
            elif any(offer.session == life.session for offer in identity.offers):
                heard.add((life.client_id, OFFERED))
        return heard
