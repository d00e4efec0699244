"""The machines' side of pairing: one shows a code, link or enrolment token with its own key, and becomes a client.

The secret is handed out once. A machine whose answer was lost asks again with the same key while the code lives. It
gets a new secret, and the one before is worth nothing.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from hub.api.text import clean
from hub.core.access.service.throttle import Throttle
from hub.core.audit import store as audit
from hub.core.clients.rules.pairing import CLOCK_ERROR, MOST_TRIES, is_fresh
from hub.core.clients.service.connecting import Connected, Connecting, Machine
from hub.core.clients.store import clients
from hub.core.clients.store import pairing as store
from hub.core.clients.store.pairing import Enrolment, Pairing
from hub.core.clients.telemetry import Event
from hub.database.engine import Database
from hub.errors import ConflictError, NotFoundError, RejectedError
from hub.keys import SigningKeys, hash_secret
from hub.telemetry.log import Log
from hub.tokens import ENROLMENT, PAIRING, is_token
from schemas import signing
from schemas.codec import ContractError
from schemas.pairing import (
    BY_CODE,
    BY_ENROLMENT,
    BY_STRETCHED,
    BY_TOKEN,
    commitment_of,
    fold_code,
    number_of,
    proof_body,
)

_GUESSED = frozenset({BY_CODE, BY_STRETCHED})
"""Credentials that are short enough to be guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a machine sends. `credential` is as it was typed."""

    by: str
    credential: str
    public_key: str
    proof: str
    at: str
    moment: datetime
    """`at`, read."""
    agent: Mapping[str, Any] = field(default_factory=dict)
    kind: str | None = None
    host: str = ""
    commitment: str = ""
    opening: str = ""
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person has to compare numbers first; `number` is None until the machine has opened its commitment."""

    nonce: str
    number: str | None
    expires_at: datetime


class Claims:
    """The service."""

    def __init__(
        self,
        database: Database,
        keys: SigningKeys,
        connecting: Connecting,
        log: Log,
        *,
        authority: Callable[[], Awaitable[str | None]],
    ) -> None:
        """`authority` gives the certificate authority, which is part of the number."""
        self._database = database
        self._keys = keys
        self._connecting = connecting
        self._log = log
        self._authority = authority
        self._throttle = Throttle(database)

    async def look(self, by: str, credential: str, address: str | None) -> Pairing:
        """What a code is for, while it can be used; changes nothing. Raises RejectedError."""
        found, counted = await self._find(by, credential, address)
        _require_usable(found)
        await self._throttle.forgive(counted)
        return await self._as_it_is(found) if found.replaces else found

    async def _as_it_is(self, found: Pairing) -> Pairing:
        """A code for a client that exists says nothing of it that is not so."""
        async with self._database.connection() as connection:
            client = await clients.get(connection, found.client_id)
        if client is None:
            return found
        return replace(found, name=client.name, kind=client.kind, zone=client.zone, groups=client.groups)

    async def claim(self, claim: Claim) -> Connected | Waiting:
        """Connect a machine. Raises RejectedError, which says what its owner has to do."""
        if claim.by == BY_ENROLMENT:
            return await self._enrol(claim)
        found, counted = await self._find(claim.by, claim.credential, claim.address)
        try:
            self._require_proof(claim, found.now, found.proved_at if found.public_key == claim.public_key else None)
            _require_usable(found, claim.public_key)
            if found.kind is not None and claim.kind not in (None, found.kind):
                raise ConflictError("pairing_other_kind", kind=found.kind, shown=claim.kind)
        except RejectedError as refused:
            await self._refused(found, claim, refused.code)
            raise
        await self._throttle.forgive(counted)
        if claim.by == BY_STRETCHED and found.confirmed_at is None and found.used_at is None:
            return await self._wait(found.id, claim)
        return await self._connecting.by_pairing(found.id, _machine(claim), _require_usable)

    async def _find(self, by: str, credential: str, address: str | None) -> tuple[Pairing, Sequence[bytes]]:
        """A code, and where the try was counted."""
        counted: Sequence[bytes] = ()
        if by in _GUESSED:
            try:
                counted = await self._throttle.count_guess("pairing", address)
            except RejectedError as refused:
                async with self._database.transaction() as connection:
                    await audit.record_security(connection, "pairing_guessed", "warning", address=address)
                self._log.seldom(address).warning(Event.PAIRING_REFUSED, code=refused.code, address=address)
                raise
        hashed = self._hashed(by, credential)
        async with self._database.connection() as connection:
            found = None if hashed is None else await store.find(connection, by, hashed)
        if found is None:
            raise NotFoundError("pairing_not_found")
        return found, counted

    def _hashed(self, by: str, credential: str) -> bytes | None:
        """By what a credential is found; None for what can be none."""
        if by == BY_TOKEN:
            return hash_secret(credential) if is_token(credential, PAIRING) else None
        text = fold_code(credential) if by == BY_CODE else credential
        return None if text is None else self._keys.keyed_hash(by, text)

    def _require_proof(self, claim: Claim, now: datetime, before: datetime | None) -> None:
        """Raise RejectedError unless the machine has the key that it shows, and proved it just now, once."""
        credential = fold_code(claim.credential) or "" if claim.by == BY_CODE else claim.credential
        body = proof_body(
            by=claim.by,
            credential=credential,
            root_key=self._keys.root_public_key,
            public_key=claim.public_key,
            at=claim.at,
            commitment=claim.commitment,
        )
        try:
            key = signing.decode_key(claim.public_key)
        except ContractError:
            raise RejectedError("pairing_proof_wrong") from None
        if not signing.is_signed(key, signing.PAIR, body, claim.proof):
            raise RejectedError("pairing_proof_wrong")
        if abs(claim.moment - now) > CLOCK_ERROR:
            hub = f"{now:%Y-%m-%dT%H:%M:%SZ}"
            raise RejectedError("pairing_clock_wrong", now=hub, shown=f"{claim.moment:%Y-%m-%dT%H:%M:%SZ}")
        if not is_fresh(claim.moment, now, before):
            raise RejectedError("pairing_proof_wrong", variant="again")

    async def _refused(self, found: Pairing, claim: Claim, code: str) -> None:
        """Note that somebody who has the code was refused: its owner may want to know."""
        async with self._database.transaction() as connection:
            await store.count_try(connection, found.id, MOST_TRIES)
            if code == "pairing_used":
                await audit.record_security(
                    connection,
                    "pairing_code_used_again",
                    "warning",
                    principal_id=found.created_by,
                    client_id=found.client_id,
                    address=claim.address,
                    detail={"pairing": str(found.id)},
                )
        self._log.seldom(str(found.id)).warning(
            Event.PAIRING_REFUSED, code=code, client_id=found.client_id, address=claim.address
        )

    async def _wait(self, pairing_id: UUID, claim: Claim) -> Waiting:
        """A machine that does not know the hub: who holds the code compares what both show."""
        async with self._database.transaction() as connection:
            row = await store.lock(connection, pairing_id)
            if row is None:
                raise NotFoundError("pairing_not_found")
            _require_usable(row, claim.public_key)
            same = row.public_key == claim.public_key and row.commitment == claim.commitment
            nonce = row.nonce if same and row.nonce is not None else secrets.token_urlsafe(32)
            number = row.number if same else None
            opening = row.opening if same else None
            if same and claim.opening and number is None:
                if commitment_of(claim.opening) != claim.commitment:
                    raise RejectedError("pairing_proof_wrong")
                opening = claim.opening
                number = number_of(
                    root_key=self._keys.root_public_key,
                    ca=await self._authority() or "",
                    public_key=claim.public_key,
                    opening=opening,
                    nonce=nonce,
                )
            await store.ask_confirmation(
                connection,
                pairing_id,
                public_key=claim.public_key,
                proved_at=claim.moment,
                agent=cleaned(claim.agent),
                address=claim.address,
                commitment=claim.commitment,
                nonce=nonce,
                opening=opening,
                number=number,
            )
        return Waiting(nonce, number, row.expires_at)

    async def _enrol(self, claim: Claim) -> Connected:
        hashed = hash_secret(claim.credential) if is_token(claim.credential, ENROLMENT) else None
        async with self._database.connection() as connection:
            found = None if hashed is None else await store.enrolment_by_token(connection, hashed)
            kid = _machine(claim).kid
            known = None if found is None else await store.enrolled(connection, found.id, kid)
        if found is None:
            raise NotFoundError("enrolment_not_found")
        self._require_proof(claim, found.now, None if known is None else known.proved_at)
        require_open(found, known is not None)
        if found.kind is not None and claim.kind not in (None, found.kind):
            raise ConflictError("pairing_other_kind", kind=found.kind, shown=claim.kind)
        return await self._connecting.by_enrolment(found.id, _machine(claim), require_open)


def cleaned(agent: Mapping[str, Any]) -> dict[str, Any]:
    """What a program says of itself, as the database can keep it."""
    return {name: clean(value)[:100] for name, value in agent.items() if isinstance(value, str)}


def _machine(claim: Claim) -> Machine:
    try:
        kid = signing.key_id(signing.decode_key(claim.public_key))
    except ContractError:
        kid = ""
    return Machine(
        kid=kid,
        public_key=claim.public_key,
        proved_at=claim.moment,
        agent=cleaned(claim.agent),
        kind=claim.kind,
        host=claim.host,
        address=claim.address,
    )


def _require_usable(found: Pairing, public_key: str | None = None) -> None:
    """Raise ConflictError for a code that is good no more; one that was used, or that a person confirmed for a machine,
    is good for the same machine."""
    taken = found.used_at is not None or found.confirmed_at is not None
    if taken and (public_key is None or public_key != found.public_key):
        raise ConflictError("pairing_used", client_id=found.client_id)
    if found.revoked_at is not None:
        raise ConflictError("pairing_revoked", variant=found.ended_by or "revoked")
    if found.expired:
        raise ConflictError("pairing_expired", expires_at=f"{found.expires_at:%Y-%m-%dT%H:%M:%SZ}")


def require_open(found: Enrolment, known: bool) -> None:
    """Raise ConflictError for a token that is good no more; `known`: for a machine that it has enrolled."""
    status = found.status
    if status == "full" and known:
        return
    if status != "open":
        raise ConflictError("enrolment_over", variant=status, most=found.most)
