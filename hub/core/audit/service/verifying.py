"""Reading the whole trail and saying whether it is what the hub wrote, in bounded memory."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from hub.core.audit.rules.chain import Noted, Row, Seal
from hub.core.audit.rules.ids import Ids
from hub.core.audit.rules.problems import Problem
from hub.core.audit.rules.verification import MOST_PROBLEMS, MOST_ROWS, Restore, Verification, erased_by
from hub.core.audit.store import seals
from hub.database.engine import Connection, Database
from hub.errors import SetupError
from schemas.codec import ContractError

_SEALS_AT_ONCE = 200
_ROWS_AT_ONCE = 5_000
_IDS_AT_ONCE = 20_000


class Result(msgspec.Struct, frozen=True):
    """What a verification found."""

    intact: bool
    rows: int
    """Rows that have a seal."""
    seals: int
    first_seal: int | None
    last_seal: int | None
    last_hash: str | None
    sealed_until: datetime | None
    unsealed: int
    """Rows that were committed after the last seal."""
    erased: int
    """Rows whose texts were erased."""
    restores: list[Restore]
    problems: list[Problem]
    """What is wrong, in the order of the trail; at most 20."""


async def verify(
    database: Database,
    public_key: str,
    *,
    noted: Sequence[Noted] = (),
    accepted: Iterable[int] = (),
) -> Result:
    """Read all seals and rows. `noted`: seals that were noted outside of the database. Changes nothing, and goes on
    beside a running hub. Raises UnavailableError, and SetupError for what is no public key."""
    async with database.connection() as connection:
        special = await seals.special(connection)
        erased = erased_by(await seals.erasures(connection))
    try:
        found = Verification(public_key, special, erased, accepted=frozenset(accepted))
    except ContractError:
        raise SetupError(
            f"{public_key[:60]} is no public key: 32 bytes in base64url are expected, as `floorhub key show` has it.",
            ko=f"{public_key[:60]}은(는) 공개 키가 아닙니다. `floorhub key show`에 나오는 base64url 32바이트가 "
            "필요합니다.",
        ) from None
    noted_seals: dict[int, Seal] = {}
    wanted = {one.number for one in noted}
    number = 0
    while True:
        # A connection for each page: a trail of years takes longer than a connection may be held.
        async with database.connection() as connection:
            page = await seals.read_from(connection, number, _SEALS_AT_ONCE)
            for part in _parts(page):
                rows = await _rows_of(connection, part)
                await asyncio.to_thread(_take, found, part, rows)
        noted_seals |= {seal.number: seal for seal in page if seal.number in wanted}
        if not page:
            break
        number = page[-1].number + 1
    await _look_for_inserted(database, found)
    for one in noted:
        found.check_noted(one, noted_seals.get(one.number))
    last = found.last
    async with database.connection() as connection:
        unsealed = await seals.count_beyond(connection, last.high if last is not None else 0)
    return Result(
        intact=not found.problems,
        rows=found.rows,
        seals=found.seals,
        first_seal=found.first,
        last_seal=last.number if last is not None else None,
        last_hash=last.hash.hex() if last is not None else None,
        sealed_until=last.at if last is not None else None,
        unsealed=unsealed,
        erased=found.erased,
        restores=found.restores,
        problems=found.problems,
    )


def _parts(page: list[Seal]) -> Iterable[list[Seal]]:
    """Blocks whose rows fit into memory together."""
    part: list[Seal] = []
    size = 0
    for seal in page:
        part.append(seal)
        size += min(seal.rows, MOST_ROWS)
        if size >= _ROWS_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


async def _rows_of(connection: Connection, part: list[Seal]) -> dict[int, Row]:
    wanted = Ids(each for seal in part for each in Ids.parse(seal.ids).ranges)
    return {row.id: row for row in await seals.among(connection, wanted, sum(MOST_ROWS for _ in part))}


def _take(found: Verification, part: list[Seal], rows: dict[int, Row]) -> None:
    for seal in part:
        found.take(seal, rows)


async def _look_for_inserted(database: Database, found: Verification) -> None:
    """Rows among the sealed ones that no block has. What was committed late is in a block that was made meanwhile."""
    high = found.last.high if found.last is not None else 0
    sealed = found.union()
    first = -(2**63)
    while True:
        async with database.connection() as connection:
            page = await seals.ids(connection, first, high, _IDS_AT_ONCE)
            suspects = [row for row in page if row not in sealed]
            if suspects and found.last is not None:
                later = await seals.read_from(connection, found.last.number + 1, _SEALS_AT_ONCE)
                late = Ids(each for seal in later for each in Ids.parse(seal.ids).ranges)
                now = await database.now(connection)
                suspects = [row for row in suspects if row not in late and not found.may_come(row, now)]
        for row in suspects:
            found.inserted(row)
        if not page or page[-1] == high:
            break
        first = page[-1] + 1
    async with database.connection() as connection:
        for row in await seals.not_drawn(connection, MOST_PROBLEMS):
            if row > high:
                found.inserted(row)
