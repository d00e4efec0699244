"""What an older version stored in another normal form: the statements of the documentation mend it."""

import re
from unicodedata import normalize

import pytest
from psycopg.types.json import Jsonb

from hub.database.engine import Database
from tests.support.factories import add_client, add_commands, new_command
from tests.support.paths import ROOT

pytestmark = pytest.mark.each_postgres


def nfd(text: str) -> str:
    return normalize("NFD", text)


def nfc(text: str) -> str:
    return normalize("NFC", text)


PAYLOAD = {"text": nfd("문")}
ADD_PRINCIPAL = """
INSERT INTO principals (id, kind, name, role, created_at) VALUES (gen_random_uuid(), 'user', 'p', 'admin', now())
"""
ADD_SCHEDULE = """
INSERT INTO schedules
    (id, name, cron, time_zone, request, document_ids, misfire, grace_s, enabled, runs_as, created_by, created_at,
    version, updated_at)
SELECT id, %(name)s, '0 7 * * *', 'UTC', %(request)s, '{}', 'once', 60, true, id, id, now(), 1, now() FROM principals
"""


async def add_schedule(database: Database) -> None:
    request = {"target": {"zone": nfd("포장")}, "command": {"action": "open-door", "payload": PAYLOAD}}
    async with database.transaction() as connection:
        await connection.execute(ADD_PRINCIPAL)
        await connection.execute(ADD_SCHEDULE, {"name": nfd("아침"), "request": Jsonb(request)})


async def test_the_documented_statements_bring_words_into_one_form(database: Database) -> None:
    page = (ROOT / "docs/how-to/operate.md").read_text(encoding="utf-8")
    found = re.search(r"### Text from older versions.*?```sql\n(.*?)```", page, re.DOTALL)
    assert found is not None
    await add_client(database, "old", zone=nfd("포장"), tags=[nfd("라벨"), "a"], name=nfd("포장 1"))
    await add_client(database, "plain", zone=None, tags=[], name="plain")
    await add_commands(database, [new_command("old", order_key=nfd("트럭"), tags=[nfd("급함")])])
    await add_schedule(database)
    async with database.connection() as connection:
        for statement in found[1].split(";\n"):
            await connection.execute(statement.encode())
        clients = await (await connection.execute("SELECT name, zone, tags FROM clients ORDER BY id")).fetchall()
        [schedule] = await (await connection.execute("SELECT name, request FROM schedules")).fetchall()
        [command] = await (await connection.execute("SELECT order_key, tags FROM commands")).fetchall()
    assert clients[0] == {"name": nfc("포장 1"), "zone": nfc("포장"), "tags": [nfc("라벨"), "a"]}
    assert clients[1] == {"name": "plain", "zone": None, "tags": []}
    request = {"target": {"zone": nfc("포장")}, "command": {"action": "open-door", "payload": PAYLOAD}}
    assert schedule == {"name": nfc("아침"), "request": request}
    assert command == {"order_key": nfc("트럭"), "tags": [nfc("급함")]}
