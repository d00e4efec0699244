"""What looks like an attack leaves rows, and a flood of it does not fill the table."""

from uuid import uuid4

from hub.core.audit.store import MOST_OF_ADDRESS, MOST_OF_KIND, record_security
from hub.database.engine import Database


async def rows(database: Database) -> list[dict[str, object]]:
    async with database.connection() as connection:
        return await (await connection.execute(b"SELECT * FROM security_events ORDER BY id")).fetchall()


async def record(database: Database, kind: str, address: str | None) -> None:
    async with database.transaction() as connection:
        await record_security(connection, kind, "warning", address=address, detail={"login": "x"})


async def test_a_row_has_what_was_given(database: Database) -> None:
    who = uuid4()
    async with database.transaction() as connection:
        await record_security(
            connection, "key_reuse", "critical", principal_id=who, client_id="a", address="192.0.2.1", detail={"n": 1}
        )
    [row] = await rows(database)
    assert (row["kind"], row["severity"], row["principal_id"], row["client_id"]) == ("key_reuse", "critical", who, "a")
    assert (row["address"], row["detail"], row["number"], row["counted_from"]) == ("192.0.2.1", {"n": 1}, 1, None)


async def test_too_many_from_one_address_become_a_number(database: Database) -> None:
    for _ in range(MOST_OF_ADDRESS + 15):
        await record(database, "sign_in_failed", "192.0.2.1")
    await record(database, "sign_in_failed", "192.0.2.2")
    await record(database, "other", "192.0.2.1")
    found = await rows(database)
    of_address = [row for row in found if (row["kind"], row["address"]) == ("sign_in_failed", "192.0.2.1")]
    assert MOST_OF_ADDRESS < len(of_address) <= MOST_OF_ADDRESS + 2, "one of the minute, or two if it has changed"
    assert sum(int(str(row["number"])) for row in of_address) == MOST_OF_ADDRESS + 15
    assert len(found) == len(of_address) + 2


async def test_too_many_addresses_become_a_number(database: Database) -> None:
    for number in range(MOST_OF_KIND + 20):
        await record(database, "sign_in_failed", f"192.0.2.{number}")
    found = await rows(database)
    assert MOST_OF_KIND < len(found) <= MOST_OF_KIND + 2
    assert sum(int(str(row["number"])) for row in found) == MOST_OF_KIND + 20
    assert found[-1]["address"] is None
