"""What the hub's sessions at Postgres rely on, set in each of them: server, database and role may have other defaults.

`ALTER ROLE ... SET` would not do: a dump does not hold it, it is one role's, and `ALTER ROLE ... IN DATABASE` beats
it. Nothing is asked for at the start of a connection either, since poolers refuse that. What a session cannot set for
itself is checked, and refused with a sentence.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection, Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from hub.errors import SetupError

CONNECT_PATIENCE_S = 5

_MEANING: Mapping[str, str] = {
    "client_encoding": "UTF8",
    "search_path": '"$user", public',
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "escape_string_warning": "on",
    "backslash_quote": "safe_encoding",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "xmloption": "content",
    "row_security": "on",
    "gin_fuzzy_search_limit": "0",
    "check_function_bodies": "on",
    "exit_on_error": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "default_table_access_method": "heap",
    "default_tablespace": "",
    "idle_session_timeout": "0",
}
"""What statements mean and how values look. Not `default_transaction_read_only`: who sets that wants no writes."""
_NEWER: Mapping[int, Mapping[str, str]] = {
    170_000: {"transaction_timeout": "0", "restrict_nonsystem_relation_kind": ""},
}
"""The same, from a version on."""
# A statement, a lock and an idle transaction all have deadlines: nothing in the hub waits for ever.
_DEADLINES: Mapping[str, str] = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
}
# The hot statements are planned once for a connection and must not be planned by what the tables held at that moment:
# a plan made while they were nearly empty would scan them for ever. So a kept plan may only walk indexes, row by row,
# which is right for batches of a few hundred at any size. Planning anew each time costs 2 to 3 times as much.
_PLANS: Mapping[str, str] = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_nestloop": "on",
    "enable_indexscan": "on",
    "enable_indexonlyscan": "on",
    "enable_bitmapscan": "on",
    "enable_sort": "on",
    "jit": "off",
}
HUB: dict[str, str] = {**_MEANING, **_DEADLINES, **_PLANS}
"""For the hub's own sessions."""
MAINTENANCE: Mapping[str, str] = {
    **_MEANING,
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "plan_cache_mode": "auto",
    "enable_seqscan": "on",
    "jit": "off",
}
"""For migrations and other programs that are started by hand: as Postgres has them without any settings."""


_SAFE = sql.SQL(
    "set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
    "ELSE current_setting('synchronous_commit') END, false)"
)
_DURABILITY = """
SELECT name, reset_val AS value FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND reset_val = 'off'
ORDER BY name
"""
_FACTS = """
SELECT current_setting('server_encoding') AS encoding, current_setting('session_replication_role') AS replication_role,
    current_setting('transaction_read_only') = 'on' AS read_only, current_database() AS database,
    (
        SELECT min(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = 'broker_outbox' AND NOT n.nspname = ANY(current_schemas(false))
            AND EXISTS (SELECT FROM pg_class a WHERE a.relname = 'alembic_version' AND a.relnamespace = n.oid)
            AND to_regclass('broker_outbox') IS NULL
    ) AS elsewhere
"""


class Facts(msgspec.Struct, frozen=True):
    """What a session cannot set for itself."""

    encoding: str
    replication_role: str
    read_only: bool
    database: str
    elsewhere: str | None
    """A schema with the hub's tables, which no session of the hub looks into."""


def prepare(settings: Mapping[str, str], server_version: int) -> sql.Composed:
    """The statements that a new connection runs first, outside of a transaction. `server_version` as in libpq."""
    wanted = dict(settings)
    for version, newer in _NEWER.items():
        if server_version >= version:
            wanted |= newer
    # The deadline alone and first: the one that was inherited may be shorter than the rest takes.
    first = sql.SQL("SET statement_timeout TO {}").format(sql.Literal(wanted.pop("statement_timeout")))
    rest = [
        sql.SQL("set_config({}, {}, false)").format(sql.Literal(name), sql.Literal(value))
        for name, value in wanted.items()
    ]
    return sql.SQL("; ").join([first, sql.SQL("SELECT ") + sql.SQL(", ").join([*rest, _SAFE])])


async def prepare_hub(connection: AsyncConnection[Any], clock_shift: str = "0") -> None:
    """Make a new connection in autocommit one of the hub's."""
    settings = {**HUB, "floorhub.clock_shift": clock_shift}
    await connection.execute(prepare(settings, connection.info.server_version))


def require_url(url: str) -> None:
    """Raise SetupError for an address of a database that cannot be read; it quotes nothing, for there may be a password
    in it."""
    if not url.strip():
        why, why_ko = "it is empty", "비어 있습니다"
    else:
        try:
            named = any(conninfo_to_dict(url).values())
        except (psycopg.Error, ValueError) as problem:
            # A UnicodeError is one, too; it quotes the whole text.
            words = (
                re.sub('".*"', "...", str(problem).strip(), flags=re.DOTALL)
                if isinstance(problem, psycopg.Error)
                else "not UTF-8"
            )
            why = why_ko = words
        else:
            if named:
                return
            why, why_ko = "it names no host and no database", "호스트도 데이터베이스도 없습니다"
    form = "postgresql://user:password@host:port/database"
    raise SetupError(
        f"FLOORHUB_DATABASE_URL (or --database-url) is no address of a database: {why}. Write {form}, special "
        "characters of user and password as %XX (a space is %20, @ is %40), and an IPv6 address in brackets.",
        ko=f"FLOORHUB_DATABASE_URL(또는 --database-url)이 데이터베이스 주소가 아닙니다: {why_ko}. {form} 형식으로 "
        "쓰십시오. 사용자와 암호의 특수 문자는 %XX로(공백은 %20, @는 %40), IPv6 주소는 대괄호로 쓰십시오.",
    )


def connect(url: str, application_name: str = "floorhub", **options: Any) -> Connection[Any]:
    """A connection for maintenance; `options` as psycopg has them. Raises psycopg.Error, and
    SetupError for a URL that cannot be read."""
    require_url(url)
    conninfo = make_conninfo(url, connect_timeout=CONNECT_PATIENCE_S, application_name=application_name)
    connection: Connection[Any] = psycopg.connect(conninfo, autocommit=True, **options)
    try:
        connection.execute(prepare(MAINTENANCE, connection.info.server_version))
    except BaseException:
        connection.close()
        raise
    connection.autocommit = False
    return connection


def require_usable(connection: Connection[Any]) -> None:
    """Raise SetupError when the database has what no session can set for itself, and what the hub cannot live with."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_FACTS).fetchone()
    facts = msgspec.convert(row, Facts)
    if facts.encoding != "UTF8":
        raise SetupError(
            f"The database {facts.database} has the encoding {facts.encoding}, which cannot hold every text: Floorhub "
            "needs UTF8. Create it anew: createdb --encoding=UTF8 --template=template0 --locale=C.UTF-8 NAME",
            ko=f"데이터베이스 {facts.database}의 인코딩이 {facts.encoding}이므로 모든 글자를 저장할 수 없습니다. "
            "Floorhub에는 "
            "UTF8이 필요합니다. 다시 만드십시오: createdb --encoding=UTF8 --template=template0 --locale=C.UTF-8 이름",
        )
    if facts.replication_role != "origin":
        raise SetupError(
            f"The database {facts.database} sets session_replication_role = {facts.replication_role} for this role, "
            "which switches its checks off. Remove it: ALTER ROLE or ALTER DATABASE ... RESET session_replication_role",
            ko=f"데이터베이스 {facts.database}에서 이 역할의 session_replication_role이 "
            f"{facts.replication_role}입니다. "
            "무결성 검사가 꺼지므로 없애십시오: ALTER ROLE 또는 ALTER DATABASE ... RESET session_replication_role",
        )
    if facts.read_only:
        raise SetupError(
            f"The database {facts.database} takes no writes: it is a standby, or default_transaction_read_only is on. "
            "Name the primary in FLOORHUB_DATABASE_URL, or switch the setting off.",
            ko=f"데이터베이스 {facts.database}에 쓸 수 없습니다. 대기 서버이거나 default_transaction_read_only가 "
            "켜져 있습니다. "
            "FLOORHUB_DATABASE_URL에 주 서버를 지정하거나 이 설정을 끄십시오.",
        )
    if facts.elsewhere is not None:
        raise SetupError(
            f"The hub's tables lie in the schema {facts.elsewhere} of {facts.database}, and Floorhub looks into "
            "public and the role's own schema alone. Move them there (ALTER TABLE ... SET SCHEMA), or rename a schema.",
            ko=f"허브의 테이블이 {facts.database}의 스키마 {facts.elsewhere}에 있습니다. Floorhub는 public과 역할 "
            "이름의 "
            "스키마만 봅니다. 테이블을 옮기거나(ALTER TABLE ... SET SCHEMA) 스키마의 이름을 바꾸십시오.",
        )


async def not_durable(connection: AsyncConnection[Any]) -> list[str]:
    """The settings with which Postgres may lose what it has said is stored: names of those that are off now."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_DURABILITY)
        return [str(row["name"]) for row in await cursor.fetchall()]
