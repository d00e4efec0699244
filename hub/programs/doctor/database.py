"""Postgres: reachable, a version that is tested, durable, with the tables of this version; its clock; what was lost."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import psycopg

from hub.core.access.store import keys as access_store
from hub.core.audit.store import seals
from hub.core.hub_keys import store as keys_store
from hub.database import migrate, roles, session
from hub.database.engine import Connection, Database, not_connected
from hub.database.migrate import OLDEST_POSTGRES
from hub.database.statements import Statement
from hub.disk import MIB
from hub.errors import SetupError
from hub.programs.doctor.keys import AUDIT
from hub.programs.doctor.sentences import fail, ok, warn
from hub.programs.embedded.postgres import HUB_ROLE
from hub.programs.installation import Installation, is_running
from schemas.findings import Finding, spell_duration

NEWEST_POSTGRES = 18
"""The newest that the tests run against."""
DEADLINE_S = 20.0
MAX_SKEW_S = 60.0
NEARLY_ALL = 0.9
LOST_DAYS = 30
MOST_IDS = 5


class Facts(msgspec.Struct, frozen=True):
    """What the server says of itself."""

    version: str
    number: int
    bytes: int
    at: datetime
    used: int
    most: int


class UnknownReport(msgspec.Struct, frozen=True):
    """A command that an agent reported about and the database does not have."""

    command_id: str
    client_id: str


class BrokerClient(msgspec.Struct, frozen=True):
    """A client that the broker shall know."""

    id: str
    mqtt_password: str
    mqtt_salt: str
    mqtt_iterations: int
    disabled: bool


class WithoutKey(msgspec.Struct, frozen=True):
    """A client, and how many there are."""

    id: str
    number: int


_CLIENTS = Statement("core/clients/clients", "broker_clients", BrokerClient)
_WITHOUT_KEY = Statement("core/clients/pairing", "without_key", WithoutKey)
_FACTS = Statement("programs/doctor", "facts", Facts)
_UNKNOWN_REPORTS = Statement("programs/doctor", "unknown_reports", UnknownReport)


OWN_CLIENT = "front-desk"
"""What `make run` starts itself: it connects on this machine, where nobody asks for a certificate."""
MOST_NAMED = 10


@dataclass(slots=True)
class Asked:
    """What the database answered, for the checks that compare with it; None: not asked."""

    findings: list[Finding] = field(default_factory=list)
    keys: dict[str, str] | None = None
    """The public keys by purpose, that of the audit trail among them."""
    sealed_by: dict[str, str] | None = None
    """The fingerprints of the keys by which its secrets are sealed."""
    admin_valid: bool | None = None
    clients: Mapping[str, bool] | None = None
    """Every client that the broker shall know, and whether it is enabled."""
    without_key: list[WithoutKey] = field(default_factory=list)
    """The first clients that may connect and have no key of their own, if the broker asks machines for certificates."""


async def ask(installation: Installation, admin_hash: bytes | None) -> Asked:
    """Check the database, and read what others compare with. Never raises for what it looks for."""
    asked = Asked()
    url = installation.database_url
    if installation.embedded and not is_running(installation.folder):
        asked.findings.append(warn("database", "database_stopped"))
        return asked
    try:
        async with asyncio.timeout(DEADLINE_S):
            connection = await Database(url).connect()
            try:
                await _look(asked, connection, installation, admin_hash)
            finally:
                await connection.close()
    except SetupError as problem:
        asked.findings.append(_told("database", "database_unreachable", problem))
    except (psycopg.Error, OSError) as problem:
        said = "no answer in time" if isinstance(problem, TimeoutError) else problem
        asked.findings.append(_told("database", "database_unreachable", not_connected(url, said)))
    return asked


async def _look(asked: Asked, connection: Connection, installation: Installation, admin_hash: bytes | None) -> None:
    url = installation.database_url
    facts = await _FACTS.fetch_one(connection)
    here = datetime.now(UTC)
    assert facts is not None  # noqa: S101 - a SELECT without FROM has one row
    off = await session.not_durable(connection)
    asked.findings += [
        judge_server(facts),
        fail("durability", "durability_off", names=", ".join(off)) if off else ok("durability", "durability_ok"),
        judge_clock((here - facts.at).total_seconds()),
    ]
    try:
        await asyncio.to_thread(migrate.require_current, url)
    except SetupError as problem:
        asked.findings.append(_told("tables", "schema_wrong", problem))
        return
    asked.findings.append(ok("tables", "schema_ok", revision=migrate.newest()))
    hub_role = HUB_ROLE if installation.embedded else None
    separate = await asyncio.to_thread(_is_separate, url, hub_role)
    asked.findings.append(ok("audit", "audit_two_roles" if separate else "audit_one_role"))
    asked.keys = await keys_store.known(connection)
    if (audit_key := await seals.key(connection)) is not None:
        asked.keys[AUDIT] = audit_key
    asked.sealed_by = await keys_store.known_data(connection)
    if admin_hash is not None:
        asked.admin_valid = await access_store.by_key(connection, admin_hash) is not None
    asked.clients = {client.id: not client.disabled for client in await _CLIENTS.fetch_all(connection)}
    if installation.settings.machine_certificates or installation.settings.public_mqtt_url:
        own = OWN_CLIENT if installation.embedded else ""
        asked.without_key = await _WITHOUT_KEY.fetch_all(connection, but=own, most=MOST_NAMED)
    asked.findings.append(judge_lost(await _UNKNOWN_REPORTS.fetch_all(connection, days=LOST_DAYS)))


def _is_separate(url: str, role: str | None) -> bool:
    with session.connect(url) as connection:
        return roles.is_separate(connection, role)


def judge_server(facts: Facts) -> Finding:
    """Whether a server of this version, with so many connections, serves a hub."""
    oldest, newest = OLDEST_POSTGRES, NEWEST_POSTGRES
    if facts.number < oldest * 10_000:
        return fail("database", "database_old", version=facts.version, oldest=oldest)
    if facts.used >= facts.most * NEARLY_ALL:
        return warn("database", "database_full", used=facts.used, most=facts.most)
    if facts.number >= (newest + 1) * 10_000:
        return warn("database", "database_untested", version=facts.version, oldest=oldest, newest=newest)
    mib = facts.bytes // MIB
    return ok("database", "database_ok", version=facts.version, mib=mib, used=facts.used, most=facts.most)


def judge_clock(ahead_s: float) -> Finding:
    """This machine's clock against that of Postgres, which decides everything in the hub."""
    if abs(ahead_s) <= MAX_SKEW_S:
        return ok("clock", "clock_ok", **spell_duration(max(1.0, abs(ahead_s))))
    fast = ahead_s > 0
    return warn(
        "clock",
        "clock_wrong",
        **spell_duration(abs(ahead_s)),
        direction="ahead of" if fast else "behind",
        direction_ko="빠릅니다" if fast else "늦습니다",
    )


def judge_lost(reports: list[UnknownReport]) -> Finding:
    """What agents told about commands that are not here."""
    if not reports:
        return ok("commands", "lost_none")
    some = ", ".join(f"{report.command_id} ({report.client_id})" for report in reports[:MOST_IDS])
    more = "" if len(reports) <= MOST_IDS else ", ..."
    return warn("commands", "lost_found", days=LOST_DAYS, number=len(reports), some=some + more)


def _told(check: str, code: str, problem: SetupError) -> Finding:
    return fail(check, code, problem=problem.sentence, problem_ko=problem.korean)
