"""Access: who asks, and what he may do."""

from datetime import timedelta

from hub.config import Settings
from hub.core.access.routes import auth, check, grants, integrations, users
from hub.core.access.routes import keys as key_routes
from hub.core.access.routes.cookies import PageRules
from hub.core.access.service import Access, Idempotency
from hub.core.access.service.check import AccessCheck
from hub.core.access.service.first_link import FirstLink
from hub.core.access.service.grants import Grants
from hub.core.access.service.integrations import Integrations
from hub.core.access.service.keys import Keys
from hub.core.access.service.passwords import Passwords
from hub.core.access.service.people import People
from hub.core.access.service.sessions import Sessions
from hub.core.access.service.tokens import AccessTokens
from hub.core.access.telemetry import Event
from hub.database.engine import Database
from hub.keys import SigningKeys
from hub.loops import periodic
from hub.parts import Parts
from hub.signals.local import LocalSignals
from hub.subject import Kept, Subject
from hub.telemetry.log import Log

RECORD_USES_EVERY_S = 5.0
TOKEN_KEYS_EVERY_S = 3600.0
FIRST_LINK_EVERY_S = 2.0
KEEP_IDEMPOTENCY_KEYS = timedelta(hours=24)
"""How long an idempotency key stands for the answer that its first request got."""
KEEP_SESSIONS = timedelta(days=7)
"""After a session's limit: until then an administrator may want to know where somebody was signed in."""
KEEP_SPENT = timedelta(hours=1)
"""After the time at which a refresh token, a link or a count of failures means nothing any more."""


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs the database and the hub's keys; brings Access, Idempotency, Sessions, People, and what administers keys,
    grants and integrations."""
    database, log, signals = parts.get(Database), parts.get(Log), parts.get(LocalSignals)
    tokens = parts.add(AccessTokens(database, parts.get(SigningKeys), log))
    passwords = parts.add(Passwords())
    access = parts.add(Access(database, log, tokens))
    signals.access = access
    sessions = parts.add(Sessions(database, tokens, passwords, log))
    people = parts.add(People(database, sessions, passwords))
    parts.add(Idempotency(database))
    parts.add(PageRules(plain=settings.plain_sign_in))
    first = parts.add(FirstLink(people, settings.first_administrator_file, log))
    keys = parts.add(Keys(database, signals.access_changed))
    given = parts.add(Grants(database, signals.access_changed))
    parts.add(Integrations(database, keys, given, signals.access_changed))
    parts.add(AccessCheck(database))

    async def administrator() -> None:
        await access.ensure_administrator(settings.admin_key_file)
        await tokens.establish()
        await first.write(settings.url)

    return Subject(
        routers=(
            auth.router,
            users.router,
            integrations.router,
            key_routes.router,
            grants.router,
            check.router,
        ),
        loops=(
            periodic("key-uses", access.record_uses, log, pause_s=RECORD_USES_EVERY_S),
            periodic("token-keys", tokens.establish, log, pause_s=TOKEN_KEYS_EVERY_S),
            periodic("first-link", first.remove_when_over, log, pause_s=FIRST_LINK_EVERY_S),
        ),
        prepare=(administrator,) if "api" in settings.roles else (),
        events=(Event,),
        kept=(
            Kept.of("keys", KEEP_IDEMPOTENCY_KEYS, "core/access/idempotency", "idempotency_keys"),
            Kept.of("sessions", KEEP_SESSIONS, "core/access/sessions", "sessions"),
            Kept.of("refresh_tokens", KEEP_SPENT, "core/access/sessions", "refresh_tokens"),
            Kept.of("links", KEEP_SPENT, "core/access/people", "links"),
            Kept.of("sign_in_failures", KEEP_SPENT, "core/access/throttle", "failures"),
        ),
    )
