"""The hub's keys: the root that clients pin, the key that signs what is sent, and API keys.

The root key signs nothing but the key list and may be kept elsewhere after the list is made; see docs/how-to/secure.md.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nacl.secret

from hub.errors import SetupError
from schemas import signing
from schemas.codec import ContractError, decode_keys, encode
from schemas.messages import Keys, SigningKey
from schemas.signing import Signer
from schemas.text import read

KEY_LIST_LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=180)
"""How long before its end a key list is renewed, at a start or when the broker's connection is made anew."""
SIGNED_KINDS = ["run", "cancel", "receipt", "welcome"]


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """What a worker signs with, and the signed list that tells clients so."""

    root_public_key: str
    """Base64url; what a client's configuration pins."""
    signer: Signer
    key_list: bytes
    """The payload of the retained key list."""
    box: nacl.secret.SecretBox
    """Seals what must rest in the database for a moment."""

    def seal(self, text: str) -> bytes:
        """Encrypt a secret for the database."""
        return bytes(self.box.encrypt(text.encode()))

    def unseal(self, sealed: bytes) -> str:
        """The secret again."""
        return self.box.decrypt(sealed).decode()


def load_signing_keys(folder: Path) -> SigningKeys:
    """The keys in `folder`, made at the first start. Raises SetupError when they are unreadable.

    Files: `root.key` and `command.key` (seeds, hex, mode 0600) and `keys.signed` (the list as published).
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = Signer(_seed(folder / "root.key"))
    seed = _seed(folder / "command.key")
    command = Signer(seed)
    key_list = _key_list(folder / "keys.signed", root, command, datetime.now(UTC))
    return SigningKeys(signing.encode_key(root.public_key), command, key_list, _box(seed))


def _key_list(file: Path, root: Signer, command: Signer, now: datetime) -> bytes:
    """The signed list in `file`; a new one, with the next version, when it is missing, near its end, of another root,
    or does not hold the command key. Agents refuse a lower version, so the number only grows."""
    version = 1
    if file.exists():
        payload = file.read_bytes()
        try:
            listed = decode_keys(signing.open_signed(payload, root.public_key, signing.KEYS))
        except ContractError:
            listed = None
        if listed is not None:
            if listed.expires - now > RENEW_BEFORE and any(key.kid == command.kid for key in listed.keys):
                return payload
            version = listed.version + 1
    expires = now.replace(microsecond=0) + KEY_LIST_LIFE
    key = SigningKey(kid=command.kid, key=signing.encode_key(command.public_key), kinds=SIGNED_KINDS, not_after=expires)
    payload = root.sign(signing.KEYS, encode(Keys(version=version, expires=expires, keys=[key])))
    write_secret_file(file, payload.decode())
    return payload


def _box(seed: bytes) -> nacl.secret.SecretBox:
    """A key of its own for another purpose, so that no use of one weakens the other."""
    return nacl.secret.SecretBox(hashlib.sha256(b"floorhub/outbox/v1\0" + seed).digest())


def _seed(file: Path) -> bytes:
    if not file.exists():
        _write_private(file, secrets.token_bytes(32).hex().encode())
    try:
        seed = bytes.fromhex(read(file).strip())
    except (OSError, ValueError) as problem:
        raise SetupError(f"{file} holds no signing key: restore it from your backup ({problem})") from None
    if len(seed) != 32:
        raise SetupError(f"{file} holds no signing key: 64 hex digits are expected; restore it from your backup")
    return seed


def _write_private(file: Path, content: bytes) -> None:
    """Write a file of mode 0600 whole or not at all; an existing one of a racing process wins."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(temporary, file)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def write_secret_file(file: Path, content: str) -> None:
    """Write (or replace) a file that only its owner may read."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A fresh API key: `text` is shown once, the rest is stored."""

    text: str
    prefix: str
    sha256: bytes


def new_api_key() -> ApiKey:
    """256 random bits; the prefix helps people to tell keys apart."""
    prefix = "fh_" + secrets.token_hex(4)
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    return ApiKey(text, prefix, hash_secret(text))


def new_client_secret() -> str:
    """256 random bits for a client; it opens the broker and the client's own things over HTTP."""
    while (text := secrets.token_urlsafe(32)).startswith("-"):
        pass  # a program that gets the secret as an argument would read it as an option
    return text


def hash_secret(text: str) -> bytes:
    """SHA-256; enough for secrets of 256 random bits, which nobody can guess."""
    return hashlib.sha256(text.encode()).digest()
