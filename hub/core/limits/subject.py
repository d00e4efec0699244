"""Limits: how many requests each may send, and none of them twice."""

import contextlib
from collections.abc import Sequence

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from hub.api.strangers import CountedRoutes
from hub.config import Settings
from hub.core.limits.routes import StrangersGate
from hub.core.limits.service import Limits, PerMinute, Presence, Replays, use_quota_time_zone
from hub.core.limits.telemetry import Event
from hub.database.engine import Database
from hub.errors import UnavailableError
from hub.keys import SigningKeys
from hub.loops import Loop, periodic
from hub.parts import Parts
from hub.subject import Subject, Subjects
from hub.telemetry.log import Log

BEAT_EVERY_S = 5.0
FORGET_EVERY_S = 60.0


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs the database and the keys; brings Limits."""
    database, log = parts.get(Database), parts.get(Log)
    presence = Presence(database, settings.roles)
    replays = Replays(database, presence, required=settings.require_timestamp)
    per_minute = PerMinute(
        programs=settings.limit_programs, people=settings.limit_people, addresses=settings.limit_addresses
    )
    keys = parts.get(SigningKeys)

    async def beat() -> None:
        await presence.beat()
        keys.beside_previous = presence.beside_previous

    limits = parts.add(Limits(per_minute, presence, replays, log))

    async def agree_on_days() -> None:
        await use_quota_time_zone(database, settings.quota_time_zone, log)

    beats = periodic("hub-processes", beat, log, pause_s=BEAT_EVERY_S)

    async def live() -> None:
        try:
            await beats.run()
        finally:
            with contextlib.suppress(UnavailableError):
                await presence.leave()

    def gate(app: ASGIApp, routes: Sequence[BaseRoute]) -> ASGIApp:
        free = [path for subject in parts.get(Subjects).all for path in subject.uncounted]
        return StrangersGate(app, limits, CountedRoutes(routes, free))

    return Subject(
        gates=(gate,),
        loops=(
            Loop("hub-processes", live),
            periodic("request-nonces", replays.forget, log, pause_s=FORGET_EVERY_S),
        ),
        prepare=(agree_on_days, beat),
        events=(Event,),
    )
