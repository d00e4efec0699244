"""Codes and tokens that connect machines, and the keys of those."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from hub.core.access.rules.targets import ClientsNamed
from hub.database.engine import Connection
from hub.database.statements import Statement

_PLACE = "core/clients/pairing"


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    kind: str | None
    zone: str | None
    tags: list[str]
    groups: list[str]
    policy: dict[str, Any]
    created_by: UUID
    created_by_key: UUID | None
    created_by_name: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    expired: bool
    now: datetime


class Pairing(_Made, frozen=True, kw_only=True):
    """A code, without what it is."""

    client_id: str
    replaces: bool
    name: str | None
    ended_by: str | None
    tries: int
    public_key: str | None
    proved_at: datetime | None
    agent: dict[str, Any] | None
    address: str | None
    commitment: str | None
    nonce: str | None
    opening: str | None
    number: str | None
    confirmed_at: datetime | None
    used_at: datetime | None

    @property
    def status(self) -> Literal["open", "confirm", "used", "revoked", "expired"]:
        """Where it stands; `confirm`: a machine shows a number that a person has to compare."""
        if self.used_at is not None:
            return "used"
        if self.revoked_at is not None:
            return "revoked"
        if self.expired:
            return "expired"
        return "confirm" if self.number is not None and self.confirmed_at is None else "open"


class Enrolment(_Made, frozen=True, kw_only=True):
    """A token for many machines, without what it is."""

    name: str
    naming: str
    most: int
    used: int

    @property
    def status(self) -> Literal["open", "full", "revoked", "expired"]:
        """Where it stands."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expired:
            return "expired"
        return "full" if self.used >= self.most else "open"


class Enrolled(msgspec.Struct, frozen=True):
    """A machine that was enrolled before."""

    client_id: str
    revoked_at: datetime | None
    proved_at: datetime | None


class Creator(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a code, as he stands now."""

    role: str
    reach: str
    valid: bool
    permissions: list[str] | None
    narrowed: bool


class _Named(msgspec.Struct, frozen=True):
    kind: str
    name: str | None
    tags: list[str] | None


_INSERT = Statement(_PLACE, "insert_pairing")
_OPEN = Statement(_PLACE, "open_pairings", int)
_FIND = {
    "id": Statement(_PLACE, "pairing_by_id", Pairing),
    "code": Statement(_PLACE, "pairing_by_code", Pairing),
    "stretched_code": Statement(_PLACE, "pairing_by_stretched", Pairing),
    "token": Statement(_PLACE, "pairing_by_token", Pairing),
}
_LOCK = Statement(_PLACE, "lock_pairing", Pairing)
_LOCK_OF_CLIENT = Statement(_PLACE, "lock_of_client")
_PAGE = Statement(_PLACE, "page_of_pairings", Pairing, fresh_plan=True)
_END = Statement(_PLACE, "end_pairing")
_END_OTHERS = Statement(_PLACE, "end_others")
_COUNT_TRY = Statement(_PLACE, "count_try")
_USE = Statement(_PLACE, "use_pairing")
_ASK = Statement(_PLACE, "ask_confirmation")
_CONFIRM = Statement(_PLACE, "confirm_pairing")
_INSERT_ENROLMENT = Statement(_PLACE, "insert_enrolment")
_ENROLMENT = Statement(_PLACE, "enrolment_by_id", Enrolment)
_ENROLMENT_BY_TOKEN = Statement(_PLACE, "enrolment_by_token", Enrolment)
_LOCK_ENROLMENT = Statement(_PLACE, "lock_enrolment", Enrolment)
_PAGE_OF_ENROLMENTS = Statement(_PLACE, "page_of_enrolments", Enrolment, fresh_plan=True)
_REVOKE_ENROLMENT = Statement(_PLACE, "revoke_enrolment")
_USE_ENROLMENT = Statement(_PLACE, "use_enrolment")
_ENROLLED = Statement(_PLACE, "enrolled_as", Enrolled)
_TAKEN = Statement(_PLACE, "taken_ids", str)
_REVOKE_KEYS = Statement(_PLACE, "revoke_keys")
_KEY_OF = Statement(_PLACE, "key_of", str)
_PUT_KEY = Statement(_PLACE, "put_key")
_CREATOR = Statement(_PLACE, "creator", Creator)
_GRANTED = Statement(_PLACE, "granted_places", _Named)
_OF_KEY = Statement(_PLACE, "places_of_key", _Named)
_GROUPS = Statement(_PLACE, "known_groups", str)


async def insert(connection: Connection, *, policy: Mapping[str, Any], lasts: timedelta, **fields: Any) -> None:
    """A new code; `fields` are the other columns that a caller chooses."""
    await _INSERT.execute(connection, policy=Jsonb(policy), lasts=lasts, **fields)


async def count_open(connection: Connection) -> int:
    """Codes that a machine could use now."""
    return await _OPEN.fetch_one(connection) or 0


async def find(connection: Connection, by: str, value: bytes | UUID) -> Pairing | None:
    """A code by its `id`, or by the hash of a `code`, a `stretched_code` or a `token`."""
    return await _FIND[by].fetch_one(connection, **{"id" if by == "id" else "hash": value})


async def lock(connection: Connection, pairing_id: UUID) -> Pairing | None:
    """A code that nobody else changes until the transaction ends."""
    return await _LOCK.fetch_one(connection, id=pairing_id)


async def lock_to_use(connection: Connection, pairing_id: UUID) -> Pairing | None:
    """The same, with all codes of its client, which end when this one is used."""
    await _LOCK_OF_CLIENT.execute(connection, id=pairing_id)
    return await lock(connection, pairing_id)


async def page(
    connection: Connection, *, owner: UUID | None, only_open: bool, after: UUID | None, limit: int
) -> list[Pairing]:
    """Codes, newest first; of one principal, or all."""
    return await _PAGE.fetch_all(connection, owner=owner, open=only_open, after=after, limit=limit)


async def end(connection: Connection, pairing_id: UUID, by: str) -> None:
    """A code is good no more; one that was used stays used."""
    await _END.execute(connection, id=pairing_id, by=by)


async def end_others(connection: Connection, client_id: str, pairing_id: UUID) -> None:
    """So are all others of a client."""
    await _END_OTHERS.execute(connection, client_id=client_id, id=pairing_id)


async def count_try(connection: Connection, pairing_id: UUID, most: int) -> None:
    """Somebody had the code and was refused; at `most` it is good no more."""
    await _COUNT_TRY.execute(connection, id=pairing_id, most=most)


async def use(
    connection: Connection,
    pairing_id: UUID,
    *,
    public_key: str,
    proved_at: datetime,
    agent: Mapping[str, Any],
    address: str | None,
) -> None:
    """A machine has got what the code is for."""
    await _USE.execute(
        connection, id=pairing_id, public_key=public_key, proved_at=proved_at, agent=Jsonb(agent), address=address
    )


async def ask_confirmation(
    connection: Connection, pairing_id: UUID, *, agent: Mapping[str, Any], **fields: Any
) -> None:
    """A machine waits for a person; `fields` are the columns that say which machine, and how far it is."""
    await _ASK.execute(connection, id=pairing_id, agent=Jsonb(agent), **fields)


async def confirm(connection: Connection, pairing_id: UUID, by: UUID) -> None:
    """A person has compared the numbers."""
    await _CONFIRM.execute(connection, id=pairing_id, by=by)


async def insert_enrolment(
    connection: Connection, *, policy: Mapping[str, Any], lasts: timedelta, **fields: Any
) -> None:
    """A new token for many machines."""
    await _INSERT_ENROLMENT.execute(connection, policy=Jsonb(policy), lasts=lasts, **fields)


async def enrolment(connection: Connection, enrolment_id: UUID) -> Enrolment | None:
    """One of them."""
    return await _ENROLMENT.fetch_one(connection, id=enrolment_id)


async def enrolment_by_token(connection: Connection, token_sha256: bytes) -> Enrolment | None:
    """The same by the hash of the token."""
    return await _ENROLMENT_BY_TOKEN.fetch_one(connection, hash=token_sha256)


async def lock_enrolment(connection: Connection, enrolment_id: UUID) -> Enrolment | None:
    """The same, until the transaction ends."""
    return await _LOCK_ENROLMENT.fetch_one(connection, id=enrolment_id)


async def page_of_enrolments(
    connection: Connection, *, owner: UUID | None, after: UUID | None, limit: int
) -> list[Enrolment]:
    """Tokens, newest first; of one principal, or all."""
    return await _PAGE_OF_ENROLMENTS.fetch_all(connection, owner=owner, after=after, limit=limit)


async def revoke_enrolment(connection: Connection, enrolment_id: UUID) -> bool:
    """Whether it was not revoked yet."""
    return await _REVOKE_ENROLMENT.execute(connection, id=enrolment_id) > 0


async def use_enrolment(connection: Connection, enrolment_id: UUID) -> None:
    """One more machine. Needs `lock_enrolment`."""
    await _USE_ENROLMENT.execute(connection, id=enrolment_id)


async def enrolled(connection: Connection, enrolment_id: UUID, kid: str) -> Enrolled | None:
    """What a key was enrolled as before."""
    return await _ENROLLED.fetch_one(connection, enrolment_id=enrolment_id, kid=kid)


async def taken(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Which of these ids a client has, also a retired one."""
    return set(await _TAKEN.fetch_all(connection, ids=list(ids)))


async def key_of(connection: Connection, client_id: str) -> str | None:
    """The public key of the machine that a client is now; None: it was not paired."""
    return await _KEY_OF.fetch_one(connection, client_id=client_id)


async def put_key(
    connection: Connection,
    client_id: str,
    *,
    kid: str,
    public_key: str,
    proved_at: datetime,
    pairing_id: UUID | None = None,
    enrolment_id: UUID | None = None,
) -> None:
    """A machine's key becomes the only one of a client."""
    await _REVOKE_KEYS.execute(connection, client_id=client_id, but=kid)
    await _PUT_KEY.execute(
        connection,
        client_id=client_id,
        kid=kid,
        public_key=public_key,
        proved_at=proved_at,
        pairing_id=pairing_id,
        enrolment_id=enrolment_id,
    )


async def creator(connection: Connection, principal_id: UUID, key_id: UUID | None) -> Creator | None:
    """Who made a code, with the key that he used (None: none)."""
    return await _CREATOR.fetch_one(connection, principal=principal_id, key=key_id)


async def granted(connection: Connection, principal_id: UUID) -> list[ClientsNamed]:
    """The clients that somebody may command anything."""
    rows = await _GRANTED.fetch_all(connection, principal=principal_id)
    return [ClientsNamed.of_row(row.kind, row.name, row.tags) for row in rows]


async def of_key(connection: Connection, key_id: UUID) -> list[ClientsNamed]:
    """The clients that a narrowed key is for."""
    rows = await _OF_KEY.fetch_all(connection, key=key_id)
    return [ClientsNamed.of_row(row.kind, row.name, row.tags) for row in rows]


async def known_groups(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Which of these groups there are, in order of their ids."""
    return await _GROUPS.fetch_all(connection, ids=list(ids))
