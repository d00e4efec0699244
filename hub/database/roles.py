"""Two roles at Postgres: the owner of the tables migrates, the hub reads and writes, and cannot change its audit trail.

What the hub may do to the trail besides adding to it are functions of the owner, see the migration that made them.
"""

from collections.abc import Iterable
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from hub.database import session
from hub.database.engine import not_connected
from hub.errors import SetupError

ONLY_ADDED_TO = ("audit_logs", "audit_seals")
"""Tables that the hub's role cannot update, delete from or truncate."""
ONLY_READ = ("alembic_version", "schema_compatibility")


def is_separate(connection: Connection[Any], role: str | None = None) -> bool:
    """Whether a role (None: that of the connection) cannot change the audit trail."""
    row = connection.execute(
        """
        SELECT NOT bool_or(has_table_privilege(r.oid, t.name, p.name))
        FROM pg_roles r, unnest(%(tables)s::text[]) AS t (name), unnest('{UPDATE,DELETE,TRUNCATE}'::text[]) AS p (name)
        WHERE r.rolname = coalesce(%(role)s, current_user)
        """,
        {"tables": list(ONLY_ADDED_TO), "role": role},
    ).fetchone()
    return bool(row is not None and row[0])


def separate(owner_url: str, hub_url: str, admin_url: str | None = None) -> bool:
    """Give the role of `hub_url` the rights that the hub needs at the tables of `owner_url`, and no more; made with its
    password if it is missing, by `admin_url` or the owner. Safe to call again. False: both are one role.

    Raises SetupError.
    """
    hub, owner = conninfo_to_dict(hub_url), conninfo_to_dict(owner_url)
    role, password = hub.get("user"), hub.get("password")
    if not role or role == owner.get("user"):
        return False
    try:
        with session.connect(admin_url or owner_url) as connection:
            _make(connection, str(role), None if password is None else str(password), own=admin_url is not None)
        with session.connect(owner_url) as connection:
            _require_lesser(connection, str(role))
            for statement in _grants(connection, str(role)):
                connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as problem:
        raise SetupError(
            f"The owner's role may not give rights to {role}: {problem}. It must own the hub's tables.",
            ko=f"소유자 역할이 {role}에 권한을 줄 수 없습니다: {problem}. 허브의 테이블을 소유해야 합니다.",
        ) from None
    except psycopg.OperationalError as problem:
        raise not_connected(owner_url, problem) from None
    return True


def _make(connection: Connection[Any], role: str, password: str | None, *, own: bool) -> None:
    """Make the role if it is missing; one of our own server (`own`) also gets the password that is kept beside it."""
    exists = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is not None
    if exists and not own:
        return
    verb = sql.SQL("ALTER ROLE {} LOGIN") if exists else sql.SQL("CREATE ROLE {} LOGIN")
    given = sql.SQL(" PASSWORD {}").format(sql.Literal(password)) if password is not None else sql.SQL("")
    try:
        connection.execute(verb.format(sql.Identifier(role)) + given)
    except psycopg.errors.InsufficientPrivilege:
        raise SetupError(
            f"The role {role} of FLOORHUB_DATABASE_URL does not exist, and the owner's role may not create it: run "
            f"CREATE ROLE {role} LOGIN PASSWORD '...' as an administrator of Postgres, then migrate again.",
            ko=f"FLOORHUB_DATABASE_URL의 역할 {role}이(가) 없고, 소유자 역할은 역할을 만들 수 없습니다. Postgres "
            f"관리자로 CREATE ROLE {role} LOGIN PASSWORD '...'을 실행한 다음 다시 마이그레이션하십시오.",
        ) from None
    connection.commit()


def _require_lesser(connection: Connection[Any], role: str) -> None:
    """Raise SetupError for a role whose rights cannot be taken away."""
    row = connection.execute(
        "SELECT rolsuper, pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles WHERE rolname = %s", (role,)
    ).fetchone()
    if row is not None and any(row):
        raise SetupError(
            f"The role {role} of FLOORHUB_DATABASE_URL is a superuser or a member of the owner's role, so nothing can "
            "be kept from it. Use a role without these rights.",
            ko=f"FLOORHUB_DATABASE_URL의 역할 {role}은(는) 슈퍼유저이거나 소유자 역할의 구성원이라서 권한을 제한할 수 "
            "없습니다. 그런 권한이 없는 역할을 쓰십시오.",
        )


def _grants(connection: Connection[Any], role: str) -> list[sql.Composed]:
    """What gives the role its rights, and takes those away that it must not have."""
    row = connection.execute(
        "SELECT current_database(), relnamespace::regnamespace::text FROM pg_class WHERE oid = 'audit_logs'::regclass"
    ).fetchone()
    assert row is not None  # noqa: S101 - the tables were migrated just now
    database, schema = (str(name) for name in row)
    # One by one: what others put into the schema is not the owner's to give.
    own = connection.execute(
        "SELECT relname, relkind = 'S' FROM pg_class WHERE relnamespace = %s::regnamespace "
        "AND relkind IN ('r', 'p', 'v', 'S') AND pg_has_role(relowner, 'USAGE') ORDER BY relname",
        (schema,),
    ).fetchall()

    def listed(names: Iterable[str]) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(schema, name) for name in names)

    of = {
        "role": sql.Identifier(role),
        "database": sql.Identifier(database),
        "schema": sql.Identifier(schema),
        "tables": listed(name for name, is_sequence in own if not is_sequence),
        "sequences": listed(name for name, is_sequence in own if is_sequence),
        "only_added_to": listed(ONLY_ADDED_TO),
        "only_read": listed(ONLY_READ),
    }
    return [sql.SQL(text).format(**of) for text in _GRANTS]


_GRANTS: tuple[LiteralString, ...] = (
    "GRANT CONNECT ON DATABASE {database} TO {role}",
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {role}",
    "GRANT USAGE, SELECT ON SEQUENCE {sequences} TO {role}",
    "GRANT EXECUTE ON FUNCTION {schema}.floorhub_audit_salt, {schema}.floorhub_audit_erase, "
    "{schema}.floorhub_audit_cut TO {role}",
    # What a later version adds while this one runs. Functions are for everybody unless they say otherwise.
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    "REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {only_added_to} FROM {role}",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {only_read} FROM {role}",
)
