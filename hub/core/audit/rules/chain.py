"""What a row's hash covers, what a seal's covers, and how they are signed. Pure.

A row's hash covers everything of it; its texts (address and detail) by a salted digest, which stays when they are
erased. A block has a hash over its rows' hashes and the hash of the block before, and is signed by a key that the
database does not have.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from hub.core.audit.rules.ids import Ids
from schemas import signing
from schemas.codec import ContractError, Frame, split_frame
from schemas.signing import Signer

DOMAIN = b"floorhub/audit/v1"
FIRST = bytes(32)
"""What stands for the hash before the first block."""
MARK = 8
"""Bytes of a row's hash that a block keeps of each."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Kind = Literal["rows", "cut", "key", "restore", "break"]
"""`rows` is a block of rows. The others have none: `cut`: clean-up deletes the oldest blocks; `key`: a new key seals
from here on; `restore`: the database lost later blocks, and what it has is whole; `break`: the same where it is not."""


class Row(msgspec.Struct, frozen=True):
    """A row of the trail as it lies in the table. `detail`: the text of its JSON."""

    id: int
    at: datetime
    principal_id: UUID | None
    action: str
    resource: str
    resource_id: str | None
    address: str | None
    detail: str | None
    salt: UUID | None
    digest: bytes | None
    claimed: bool = False
    """Whether `seq` or `hash` are there, which no hub fills."""

    @property
    def erased(self) -> bool:
        """Whether its texts were erased."""
        return self.digest is not None

    @property
    def well_formed(self) -> bool:
        """Whether it is as a hub writes or erases it."""
        texts = (self.salt, self.address, self.detail)
        return not self.claimed and (self.digest is None or all(text is None for text in texts))


class Noted(NamedTuple):
    """A block that was noted outside of the database; `at`: when it was made, if that was noted, too."""

    number: int
    hash: bytes
    at: datetime | None = None


class Seal(msgspec.Struct, frozen=True):
    """A block of the chain."""

    number: int
    kind: Kind
    at: datetime
    ids: str
    high: int
    rows: int
    rows_hash: bytes
    marks: bytes
    content: str | None
    previous: bytes
    kid: str
    hash: bytes
    signature: bytes

    @property
    def noted(self) -> Noted:
        """What is noted of it outside."""
        return Noted(self.number, self.hash, self.at)

    @property
    def said(self) -> dict[str, Any]:
        """What a block of another kind than `rows` says."""
        return dict(msgspec.json.decode(self.content)) if self.content else {}


def digest_of(row: Row) -> bytes:
    """The salted digest of a row's texts."""
    if row.digest is not None:
        return row.digest
    salt = None if row.salt is None else str(row.salt)
    return hashlib.sha256(msgspec.json.encode([salt, row.address, row.detail])).digest()


def row_hash(row: Row) -> bytes:
    """SHA-256 over all that a row says."""
    covered = [
        "row/1",
        row.id,
        _microseconds(row.at),
        None if row.principal_id is None else str(row.principal_id),
        row.action,
        row.resource,
        row.resource_id,
        digest_of(row).hex(),
    ]
    return hashlib.sha256(msgspec.json.encode(covered)).digest()


def seal_hash(seal: Seal) -> bytes:
    """SHA-256 over all that a block says but its hash and signature."""
    covered = [
        "seal/1",
        seal.number,
        seal.kind,
        _microseconds(seal.at),
        seal.ids,
        seal.high,
        seal.rows,
        seal.rows_hash.hex(),
        hashlib.sha256(seal.marks).hexdigest(),
        seal.content,
        seal.previous.hex(),
        seal.kid,
    ]
    return hashlib.sha256(msgspec.json.encode(covered)).digest()


def block_hash(hashes: Iterable[bytes]) -> bytes:
    """SHA-256 over the hashes of a block's rows, in the order of their ids."""
    return hashlib.sha256(b"".join(hashes)).digest()


def rows_hash(rows: Iterable[Row]) -> bytes:
    """The same, of the rows themselves."""
    return block_hash(row_hash(row) for row in rows)


def sealed(
    signer: Signer,
    before: Seal | None,
    at: datetime,
    rows: Sequence[Row] = (),
    *,
    kind: Kind = "rows",
    content: dict[str, Any] | None = None,
) -> Seal:
    """The block after `before` (None: the first one), over rows in the order of their ids."""
    hashes = [row_hash(row) for row in rows]
    high = max(before.high if before is not None else 0, rows[-1].id if rows else 0)
    draft = Seal(
        number=1 if before is None else before.number + 1,
        kind=kind,
        at=at,
        ids=str(Ids.of(row.id for row in rows)),
        high=high,
        rows=len(rows),
        rows_hash=block_hash(hashes),
        marks=b"".join(one[:MARK] for one in hashes),
        content=None if content is None else msgspec.json.encode(content).decode(),
        previous=FIRST if before is None else before.hash,
        kid=signer.kid,
        hash=b"",
        signature=b"",
    )
    own_hash = seal_hash(draft)
    frame = split_frame(signer.sign(DOMAIN, own_hash.hex().encode()))
    assert frame is not None  # noqa: S101 - what was signed just now is signed
    return msgspec.structs.replace(draft, hash=own_hash, signature=frame.signature)


def is_signed(seal: Seal, public_key: bytes) -> bool:
    """Whether a block is what was signed with this key."""
    if seal.kid != signing.key_id(public_key) or seal.hash != seal_hash(seal):
        return False
    try:
        signing.verify(public_key, DOMAIN, Frame(seal.kid, seal.signature, seal.hash.hex().encode()))
    except ContractError:
        return False
    return True


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
