"""Statements built with SQLModel run on our own connections: what goes in comes back, and a form is compiled once."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import InvalidRequestError
from sqlmodel import col

from hub.core.access.tables import Principal
from hub.core.clients.tables import Client
from hub.database import engine, model
from hub.database.engine import Database
from hub.database.model import NOW
from hub.features.schedules.tables import Schedule
from tests.support.factories import add_client

pytestmark = pytest.mark.each_postgres

ID = UUID("0192f0c1-0000-7000-8000-0000000000aa")
OTHER = UUID("0192f0c1-0000-7000-8000-0000000000ab")
SOON = datetime(2031, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)
TEXT = "50 % of 'it'; \"ü\" \\ %s %(id)s 한"


class _Schedule(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    request: dict[str, Any]
    document_ids: list[UUID]
    grace_s: int
    enabled: bool
    next_at: datetime | None
    last_at: datetime | None
    created_at: datetime


class _Client(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    zone: str | None
    tags: list[str]
    metadata: dict[str, Any]
    secret_sha256: bytes
    mqtt_iterations: int


def _new_schedule(**changes: Any) -> Any:
    fields: dict[str, Any] = {
        "id": ID,
        "name": TEXT,
        "cron": "0 7 * * *",
        "time_zone": "UTC",
        "request": {"big": 1e300, "none": None, "words": [TEXT]},
        "document_ids": [ID, OTHER],
        "misfire": "once",
        "grace_s": 5,
        "enabled": True,
        "next_at": SOON.astimezone(tz=None),
        "runs_as": ID,
        "created_by": ID,
        "created_at": NOW,
        "updated_at": NOW,
        "version": 1,
    }
    return insert(Schedule).values(**fields | changes)


@pytest.mark.parametrize("fresh_plan", [False, True])
async def test_whatever_goes_in_comes_back(database: Database, fresh_plan: bool) -> None:
    asked = select(*model.columns(_Schedule, Schedule)).where(
        col(Schedule.name) == TEXT,
        model.among(col(Schedule.id), [ID, OTHER]),
        col(Schedule.next_at) == SOON,
        col(Schedule.enabled) == True,  # noqa: E712 - a condition of SQL
    )
    async with database.connection() as connection:
        assert await model.execute(connection, _new_schedule()) == 1
        now = await engine.now(connection)
        [found] = await model.fetch_all(connection, asked, _Schedule, fresh_plan=fresh_plan)
    assert found.request == {"big": 1e300, "none": None, "words": [TEXT]}
    assert (found.id, found.name, found.document_ids) == (ID, TEXT, [ID, OTHER])
    assert (found.next_at, found.last_at, found.enabled, found.grace_s) == (SOON, None, True, 5)
    assert now - timedelta(seconds=10) < found.created_at <= now


async def test_nothing_is_null_and_an_empty_list_is_none_of_it(database: Database) -> None:
    await add_client(database, zone="hall", tags=[], metadata={})
    client = model.columns(_Client, Client)
    one = select(*client).where(col(Client.id) == "front-pc")
    async with database.connection() as connection:
        assert await model.fetch_one(connection, one.where(model.among(col(Client.id), [])), _Client) is None
        changes = {"zone": None, "tags": ["a b", "{c,d}"], "metadata_": {"deep": [{"x": None}]}}
        assert await model.execute(connection, update(Client).where(col(Client.zone) == "hall").values(**changes)) == 1
        found = await model.fetch_one(connection, one, _Client)
        assert await model.fetch_one(connection, select(func.count()).select_from(Client), int) == 1
    assert found is not None
    assert (found.zone, found.tags, found.metadata) == (None, ["a b", "{c,d}"], {"deep": [{"x": None}]})
    assert found.secret_sha256 == hashlib.sha256(b"front-pc").digest()


async def test_a_form_is_compiled_once_whatever_its_values_are() -> None:
    def asked(zone: str | None, ids: list[str], limit: int) -> tuple[bytes, dict[str, Any]]:
        found = select(col(Client.id)).where(model.among(col(Client.id), ids)).limit(limit)
        return model.compiled(found if zone is None else found.where(col(Client.zone) == zone))

    before = len(model._compiled)
    text, values = asked("a", ["x"], 1)
    assert asked("b", ["y", "z"], 2) == (text, dict(zip(values, (["y", "z"], "b", 2), strict=True)))
    assert len(model._compiled) == before + 1
    assert asked(None, ["x"], 1)[0] != text
    assert len(model._compiled) == before + 2


async def test_a_statement_that_is_built_once_takes_its_values_by_name(database: Database) -> None:
    built = select(col(Client.id)).where(col(Client.zone) == bindparam("zone"), col(Client.kind) == "printer_pc")
    await add_client(database, "a", zone="hall")
    await add_client(database, "b", zone="yard")
    async with database.connection() as connection:
        assert await model.fetch_all(connection, built, str, zone="hall") == ["a"]
        assert await model.fetch_one(connection, built, str, zone="yard") == "b"
        assert await model.fetch_all(connection, built, str, zone=None) == []
        with pytest.raises(InvalidRequestError, match="zone"):
            await model.fetch_one(connection, built, str)


def test_a_statement_whose_text_depends_on_its_values_is_refused() -> None:
    with pytest.raises(ValueError, match="depends on its values"):
        model.compiled(select(col(Client.id)).where(col(Client.id).in_(["a", "b"])))


async def test_it_is_part_of_our_transaction(database: Database) -> None:
    new = insert(Principal).values(id=ID, kind="user", name="ann", role="admin", created_at=NOW)
    number = select(func.count()).select_from(Principal)
    async with database.connection() as connection:
        async with connection.transaction(force_rollback=True):
            await model.execute(connection, new)
            assert await model.fetch_one(connection, number, int) == 1
        assert await model.fetch_one(connection, number, int) == 0
        await model.execute(connection, new)
        with pytest.raises(UniqueViolation):
            await model.execute(connection, new)


async def test_a_row_that_is_not_of_its_kind_is_an_error(database: Database) -> None:
    await add_client(database)
    async with database.connection() as connection:
        with pytest.raises(msgspec.ValidationError):
            await model.fetch_one(connection, select(col(Client.name)), int)
        with pytest.raises(msgspec.ValidationError, match="missing required field"):
            await model.fetch_one(connection, select(col(Client.id)), _Client)
