"""A machine becomes a client: a new one, or one that there is, whose former machine is put out by the same commit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from broker_config.render import PasswordHash, hash_password
from hub.core.audit import store as audit
from hub.core.clients.rules.pairing import Place, ids_of
from hub.core.clients.service.clients import absent
from hub.core.clients.service.creators import Maker, maker_now, require_place, require_reach
from hub.core.clients.store import clients, groups
from hub.core.clients.store import pairing as store
from hub.core.clients.store.clients import ClientExistsError, NewClient
from hub.core.clients.store.pairing import Enrolment, Pairing
from hub.core.clients.telemetry import Event
from hub.core.presence.service.ending import end_session
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, NotFoundError, RejectedError
from hub.keys import hash_secret, new_client_secret
from hub.telemetry.log import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine that has proved to have a key."""

    kid: str
    public_key: str
    proved_at: datetime
    agent: Mapping[str, Any]
    kind: str | None
    host: str
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What a machine has become; the secret is nowhere else."""

    client_id: str
    name: str
    kind: str
    zone: str | None
    groups: Sequence[str]
    secret: str
    broker_ready: bool


@dataclass(frozen=True, slots=True)
class _Secret:
    text: str
    hashed: PasswordHash

    @classmethod
    async def new(cls) -> "_Secret":
        text = new_client_secret()
        return cls(text, await asyncio.to_thread(hash_password, text))

    @property
    def columns(self) -> dict[str, Any]:
        """Of a new client."""
        return {
            "secret_sha256": hash_secret(self.text),
            "mqtt_password": self.hashed.password,
            "mqtt_salt": self.hashed.salt,
            "mqtt_iterations": self.hashed.iterations,
        }


class Connecting:
    """The service. Answers when the broker knows of the change, or when it takes too long: it gets there anyway."""

    def __init__(
        self,
        database: Database,
        log: Log,
        *,
        seal: Callable[[str], bytes],
        broker_knows: Callable[[int], Awaitable[bool]],
    ) -> None:
        self._database = database
        self._log = log
        self._seal = seal
        self._broker_knows = broker_knows

    async def by_pairing(
        self, pairing_id: UUID, machine: Machine, require_usable: Callable[[Pairing, str], None]
    ) -> Connected:
        """With a code. Raises RejectedError."""
        secret = await _Secret.new()
        async with self._database.transaction() as connection:
            row = await store.lock_to_use(connection, pairing_id)
            if row is None:
                raise NotFoundError("pairing_not_found")
            require_usable(row, machine.public_key)
            if row.used_at is not None and row.proved_at is not None and machine.proved_at <= row.proved_at:
                raise RejectedError("pairing_proof_wrong", variant="again")
            if row.used_at is not None and await store.key_of(connection, row.client_id) != machine.public_key:
                raise ConflictError("pairing_revoked", variant="superseded")  # another machine took its place
            maker = await maker_now(connection, row.created_by, row.created_by_key, machine.address)
            if row.replaces or row.used_at is not None:
                await require_reach(connection, maker, row.client_id)
                await self._replace(connection, row.client_id, secret)
            else:
                await self._make(connection, maker, row.client_id, row.name, row, machine, secret)
            await store.use(
                connection,
                row.id,
                public_key=machine.public_key,
                proved_at=machine.proved_at,
                agent=machine.agent,
                address=machine.address,
            )
            await store.end_others(connection, row.client_id, row.id)
            detail = {"pairing": str(row.id), "replaces": row.replaces, "again": row.used_at is not None}
            change = await self._give(
                connection, maker, row.client_id, secret, machine, detail=detail, pairing_id=row.id
            )
        return await self._answer(row.client_id, secret, change)

    async def by_enrolment(
        self, enrolment_id: UUID, machine: Machine, require_open: Callable[[Enrolment, bool], None]
    ) -> Connected:
        """With a token for many machines. Raises RejectedError."""
        secret = await _Secret.new()
        async with self._database.transaction() as connection:
            row = await store.lock_enrolment(connection, enrolment_id)
            if row is None:
                raise NotFoundError("enrolment_not_found")
            known = await store.enrolled(connection, enrolment_id, machine.kid)
            require_open(row, known is not None)
            maker = await maker_now(connection, row.created_by, row.created_by_key, machine.address)
            if known is None:
                client_id = await _free_id(connection, row, machine)
                await self._make(connection, maker, client_id, machine.host or None, row, machine, secret)
                await store.use_enrolment(connection, row.id)
            else:
                client_id = known.client_id
                if known.revoked_at is not None:
                    raise ConflictError("enrolment_replaced", client_id=client_id)
                if known.proved_at is not None and machine.proved_at <= known.proved_at:
                    raise RejectedError("pairing_proof_wrong", variant="again")
                await self._replace(connection, client_id, secret)
            detail = {"enrolment": str(row.id), "again": known is not None}
            change = await self._give(connection, maker, client_id, secret, machine, detail=detail, enrolment_id=row.id)
        return await self._answer(client_id, secret, change)

    async def _make(
        self,
        connection: Connection,
        maker: Maker,
        client_id: str,
        name: str | None,
        row: Pairing | Enrolment,
        machine: Machine,
        secret: _Secret,
    ) -> None:
        """A new client, in its groups."""
        await require_place(connection, maker, Place(zone=row.zone, tags=row.tags, groups=row.groups))
        new = NewClient(
            id=client_id,
            name=name or client_id,
            kind=row.kind or machine.kind or "other",
            zone=row.zone,
            tags=row.tags,
            metadata={},
            **row.policy,
            **secret.columns,
        )
        try:
            await clients.insert_client(connection, new)
        except ClientExistsError:
            raise ConflictError("client_exists", client_id=client_id, variant="meanwhile") from None
        for group in await store.known_groups(connection, row.groups):  # one that was deleted meanwhile has no members
            if await groups.touch(connection, group):
                await groups.join(connection, group, [client_id])

    async def _replace(self, connection: Connection, client_id: str, secret: _Secret) -> None:
        """Another machine becomes a client: what the one before has opens nothing any more."""
        before = await clients.held(connection, client_id)
        if before is None:
            raise await absent(connection, client_id)
        if before.status == "disabled":
            raise RejectedError("client_disabled", client_id=client_id)
        hashed = secret.hashed
        await clients.set_secret(
            connection,
            client_id,
            secret_sha256=hash_secret(secret.text),
            password=hashed.password,
            salt=hashed.salt,
            iterations=hashed.iterations,
        )
        await end_session(connection, client_id, "secret_rotated")

    async def _give(
        self,
        connection: Connection,
        maker: Maker,
        client_id: str,
        secret: _Secret,
        machine: Machine,
        *,
        detail: Mapping[str, Any],
        pairing_id: UUID | None = None,
        enrolment_id: UUID | None = None,
    ) -> int:
        """Key, broker and audit; the broker's change."""
        await store.put_key(
            connection,
            client_id,
            kid=machine.kid,
            public_key=machine.public_key,
            proved_at=machine.proved_at,
            pairing_id=pairing_id,
            enrolment_id=enrolment_id,
        )
        change = await clients.add_broker_change(connection, client_id, "put", self._seal(secret.text))
        told = {**detail, "kid": machine.kid, "agent": dict(machine.agent)}
        await audit.record(connection, maker, "client.pair", "client", client_id, told)
        return change

    async def _answer(self, client_id: str, secret: _Secret, change: int) -> Connected:
        self._log.info(Event.CLIENT_PAIRED, client_id=client_id)
        ready = await self._broker_knows(change)
        async with self._database.connection() as connection:
            client = await clients.get(connection, client_id)
        if client is None:
            raise NotFoundError("client_not_found", client_id=client_id)
        return Connected(
            client_id=client_id,
            name=client.name,
            kind=client.kind,
            zone=client.zone,
            groups=client.groups,
            secret=secret.text,
            broker_ready=ready,
        )


async def _free_id(connection: Connection, row: Enrolment, machine: Machine) -> str:
    """What an enrolled machine is called. Raises ConflictError."""
    number = row.used + 1
    while ids := ids_of(row.naming, machine.host, number):
        taken = await store.taken(connection, ids)
        found = next((each for each in ids if each not in taken), None)
        if found is not None:
            return found
        if len(ids) == 1:
            raise ConflictError("client_exists", client_id=ids[0], variant="to_replace")
        number += len(ids)
    raise ConflictError("enrolment_needs_host", naming=row.naming)
