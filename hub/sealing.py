"""Sealing secrets that the database keeps, by keys that it does not have.

The keys are a list in `keys/data.key`, the newest first, each on a line with its id. What is sealed names the id of its
key, so that it can be opened after a newer key has taken over; what was sealed before there was such a list, by a key
that came from the command key, has no id.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import nacl.exceptions
import nacl.secret

FILE = "data.key"
_HEAD = "# Floorhub: these keys open secrets in the database, the newest first. Keep the file, and every line of it.\n"
_MARK = b"fhd1:"
_KID = 8
_KEY = 32


@dataclass(frozen=True, slots=True)
class DataKey:
    """One key. Its fingerprint tells it from others and is no secret; the id is the beginning of that."""

    key: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key with a tag of its own, in hex."""
        return hashlib.sha256(b"floorhub/data-key/v1\0" + self.key).hexdigest()

    @property
    def kid(self) -> str:
        """What sealed values name."""
        return self.fingerprint[:_KID]


def new_data_key() -> DataKey:
    """256 random bits."""
    return DataKey(secrets.token_bytes(_KEY))


def to_text(keys: Iterable[DataKey]) -> str:
    """The file of these keys."""
    return _HEAD + "".join(f"{key.kid} {key.key.hex()}\n" for key in keys)


def of_text(text: str) -> list[DataKey]:
    """The keys of a file, in its order. Raises ValueError when it is none, or damaged."""
    found: list[DataKey] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        kid, _, digits = line.strip().partition(" ")
        key = DataKey(bytes.fromhex(digits))
        if len(key.key) != _KEY or key.kid != kid or key in found:
            raise ValueError(f"the line of {kid[:_KID]} is not as it was written")
        found.append(key)
    if not found:
        raise ValueError("it has no key")
    return found


class DataKeys:
    """Seals with the newest key and opens with any."""

    def __init__(self, keys: Sequence[DataKey]) -> None:
        """`keys`: the newest first."""
        self._boxes = {key.kid.encode(): nacl.secret.SecretBox(key.key) for key in keys}
        self.kid = keys[0].kid

    def seal(self, text: str) -> bytes:
        """Encrypt a secret for the database."""
        kid = self.kid.encode()
        return _MARK + kid + b":" + bytes(self._boxes[kid].encrypt(text.encode()))

    def unseal(self, sealed: bytes) -> str | None:
        """The secret again; None when none of these keys has sealed it."""
        start = len(_MARK) + _KID + 1
        named = sealed.startswith(_MARK) and sealed[start - 1 : start] == b":"
        box = self._boxes.get(sealed[len(_MARK) : start - 1]) if named else None
        if box is None:
            return None
        try:
            return box.decrypt(sealed[start:]).decode()
        except nacl.exceptions.CryptoError:
            return None
