"""An explanation names other commands and batches to who may read them."""

from typing import Any
from uuid import UUID

import pytest

from hub.core.access.rules import Caller, Principal
from hub.core.commands.causes import CAUSES
from hub.database.engine import Database
from hub.errors import NotFoundError
from hub.features.explain.service import Explained, Explaining
from hub.telemetry.log import Log
from tests.support import access
from tests.support.factories import add_client, add_commands, claim, new_command

OPERATOR = Caller(Principal(UUID(int=1), "user", "kim", "operator"), "10.0.0.7", key_id=UUID(int=9))
"""Reaches everything."""


def own(action: str, **fields: Any) -> Any:
    return new_command(action=action, payload={}, **fields)


async def prints_only(database: Database) -> Caller:
    async with database.transaction() as connection:
        who = await access.principal(connection)
        await access.grant(connection, who, "client", "front-pc", "read", ["one"])
        text = await access.key(connection, who)
    return await access.caller(database, text)


def said(explained: Explained) -> tuple[str, dict[str, Any], str]:
    found = explained.explanation
    return found.code, dict(found.details), found.sentence(korean=False)


async def test_what_stands_before_it_by_its_order_key(database: Database) -> None:
    await add_client(database)
    blocker, blocked = await add_commands(database, [own("other", order_key="k"), own("one", order_key="k")])
    explaining = Explaining(database, CAUSES, lambda: True, Log())
    assert said(await explaining.explain(OPERATOR, blocked))[1] == {"order_key": "k", "command_id": blocker}
    code, details, sentence = said(await explaining.explain(await prints_only(database), blocked))
    assert (code, details) == ("order_key_waits", {"order_key": "k", "command_id": None})
    assert "(not shown to you)" in sentence
    assert str(blocker) not in sentence
    with pytest.raises(NotFoundError):
        await explaining.explain(await prints_only(database), blocker)


async def test_what_is_in_its_lane(database: Database) -> None:
    await add_client(database)
    holds = await add_commands(database, [own("other"), own("one")])
    assert set(await claim(database, "front-pc")) == set(holds)
    [waits] = await add_commands(database, [own("one")])
    explaining = Explaining(database, CAUSES, lambda: True, Log())
    caller = await prints_only(database)
    assert said(await explaining.explain(OPERATOR, waits))[1] == {"lane": "client", "command_ids": sorted(holds)}
    assert said(await explaining.explain(caller, waits))[1] == {
        "lane": "client",
        "command_ids": [holds[1]],
        "others": 1,
    }
