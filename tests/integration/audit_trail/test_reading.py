"""Reading, exporting and erasing on a real database, without HTTP."""

from pathlib import Path
from uuid import UUID

import pytest

from hub.core.access.rules import Caller, Principal
from hub.core.audit.service.erasing import Erasing
from hub.core.audit.store import record, record_security
from hub.database.engine import Database
from hub.errors import RejectedError
from hub.features.audit_trail.service import AuditTrail
from hub.features.audit_trail.store import Filter, SecurityFilter
from tests.support.audit import Trail

KIM = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
ADMINISTRATOR = Caller(Principal(UUID(int=9), "user", "admin", "admin"), "192.0.2.1")


@pytest.fixture
def trail(database: Database, tmp_path: Path) -> Trail:
    return Trail(database, tmp_path / "data")


@pytest.fixture
async def reading(trail: Trail) -> AuditTrail:
    """With three rows, of which Kim wrote the second."""
    database = trail.database
    async with database.transaction() as connection:
        await connection.execute(
            b"INSERT INTO principals (id, kind, name, role, created_at) VALUES (%s, 'user', 'kim', 'viewer', now())",
            (KIM,),
        )
        await record(connection, ADMINISTRATOR, "client.update", "client", "a", {"after": {"zone": "100%_Hall"}})
        await record(connection, Caller(Principal(KIM, "user", "kim", "viewer"), "192.0.2.7"), "x.y", "client", "b")
        await record(connection, ADMINISTRATOR, "client.update", "group", "c")
        await record_security(connection, "probe", "critical", principal_id=KIM, client_id="a", address="192.0.2.7")
        await record_security(connection, "probe", "info")
    await trail.seal()
    return AuditTrail(database, trail.sealing, trail.anchor, Erasing(database))


async def ids(reading: AuditTrail, wanted: Filter, principal: str | None = None) -> list[int]:
    found: list[int] = []
    before: int | None = None
    while True:
        page = await reading.page(wanted, principal, before=before, limit=1)
        found += [row.id for row in page.rows]
        if page.following is None:
            return found
        before = int(page.following)


async def test_pages_and_filters(reading: AuditTrail) -> None:
    assert await ids(reading, Filter()) == [3, 2, 1]
    assert await ids(reading, Filter(action="client.update")) == [3, 1]
    assert await ids(reading, Filter(resource="client", resource_id="b")) == [2]
    assert await ids(reading, Filter(address="192.0.2.7")) == [2]
    assert await ids(reading, Filter(text="100%_HALL")) == [1]
    assert await ids(reading, Filter(text="100_%")) == []
    assert await ids(reading, Filter(), "kim") == [2]
    assert await ids(reading, Filter(), str(KIM)) == [2]
    assert await ids(reading, Filter(), str(UUID(int=9))) == [3, 1]
    assert await ids(reading, Filter(), "nobody") == []
    row = await reading.one(2)
    assert (row.principal, row.address, row.erased) == ("kim", "192.0.2.7", False)
    assert await ids(reading, Filter(since=row.at)) == [3, 2]
    assert await ids(reading, Filter(until=row.at)) == [1]
    with pytest.raises(RejectedError):
        await reading.one(99)


async def test_an_export_is_all_rows_in_order_and_is_recorded(reading: AuditTrail) -> None:
    portions = await reading.export(ADMINISTRATOR, Filter(), None)
    assert [row.id async for rows in portions for row in rows] == [1, 2, 3]
    assert await ids(reading, Filter(action="audit.export")) == [4]


async def test_security_events(reading: AuditTrail) -> None:
    page = await reading.security_page(SecurityFilter(severity="critical", client_id="a"), before=None, limit=10)
    assert [(row.kind, row.principal, row.number) for row in page.rows] == [("probe", "kim", 1)]
    page = await reading.security_page(SecurityFilter(kind="probe"), before=None, limit=1)
    assert page.following is not None


async def test_erasing_a_person(reading: AuditTrail, trail: Trail) -> None:
    with pytest.raises(RejectedError) as refused:
        await reading.erase(ADMINISTRATOR, "kim")
    assert refused.value.code == "audit_person_active"
    async with trail.database.connection() as connection:
        await connection.execute(b"UPDATE principals SET disabled_at = now() WHERE id = %s", (KIM,))
    principal_id, erased = await reading.erase(ADMINISTRATOR, "kim")
    assert (principal_id, erased.rows, erased.security_events) == (KIM, 1, 1)
    row = await reading.one(2)
    assert (row.address, row.erased, row.principal) == (None, True, f"erased-{KIM}")
    await trail.seal()
    result = await reading.verify()
    assert (result.intact, result.erased) == (True, 1), result.problems
    with pytest.raises(RejectedError):
        await reading.erase(ADMINISTRATOR, "kim")
