"""The hub's keys: the root that clients pin, the key that signs what is sent, and API keys.

Files in the folder `keys`: `root.key` and `command.key` (seeds, hex, mode 0600), `data.key` (see hub.sealing) and
`keys.signed` (the list as published). The database knows the public halves; a hub starts with these and no others, see
hub.core.hub_keys.
"""

import base64
import contextlib
import errno
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import nacl.exceptions
import nacl.secret

from hub import private_files, sealing
from hub.errors import SetupError
from hub.sealing import DataKey, DataKeys
from hub.tokens import API_KEY, CLIENT_SECRET, ENROLMENT, LINK, PAIRING, REFRESH, is_token, new_token
from schemas import signing
from schemas.codec import ContractError, decode_keys, encode
from schemas.messages import Keys, SigningKey
from schemas.signing import Signer

KEY_LIST_LIFE = timedelta(days=365)
SIGNED_KINDS = ["run", "cancel", "receipt", "welcome"]
FILES: Mapping[str, str] = {"root": "root.key", "command": "command.key"}
"""The file of each signing key, by its purpose."""
LIST = "keys.signed"
REPLACED = "*.replaced-*"
"""Keys of before, which open what was sealed with them. What lay in the place of a key may be a folder or a link."""
_BESIDE = (LIST, "broker-accounts.json", "postgres-*.json")
_FIRST_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_FEWEST_DIFFERENT_BYTES = 12
"""32 random bytes have about 30 different ones."""


class SigningKeys:
    """What a worker signs with, and the signed list that tells clients so. `load` comes before any use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root_public_key: str
        """Base64url; what a client's configuration pins."""
        self.command_public_key: str
        self.signer: Signer
        self._root: Signer
        self.data: DataKeys
        self.beside_previous = False
        """Whether a hub of the version before takes what this one puts into the broker's outbox. Goes with the next
        version."""
        self._box: nacl.secret.SecretBox
        self._address_key: bytes
        self.machine_authority_seed: bytes
        """Of the authority that signs the certificates of machines, see hub.core.clients.rules.certificates."""

    def load(self, seeds: Mapping[str, bytes], data: DataKeys) -> None:
        """Take the seeds of `root` and `command`, and the keys that seal."""
        self.data = data
        self._root = Signer(seeds["root"])
        self.root_public_key = signing.encode_key(self._root.public_key)
        self.signer = Signer(seeds["command"])
        self.command_public_key = signing.encode_key(self.signer.public_key)
        # A key of its own for another purpose, so that no use of one weakens the other.
        self._box = nacl.secret.SecretBox(hashlib.sha256(b"floorhub/outbox/v1\0" + seeds["command"]).digest())
        self._address_key = hashlib.sha256(b"floorhub/address/v1\0" + seeds["command"]).digest()
        self.machine_authority_seed = machine_authority_seed(seeds["root"])

    def key_list(self, now: datetime) -> bytes:
        """The payload of the retained key list, signed at `now` by the database's clock.

        Agents refuse a lower version than they know. The version is the second of signing, so that a list of a hub
        that was restored from a backup is above all that were published since; the one in the folder counts where that
        clock was set back.
        """
        file = self.folder / LIST
        version = max(1, int((now - _FIRST_MOMENT).total_seconds()))
        known = self._listed(file)
        if known is not None:
            same = any(key.kid == self.signer.kid for key in known.keys)
            version = max(version, known.version if same else known.version + 1)
        expires = now.replace(microsecond=0) + KEY_LIST_LIFE
        key = SigningKey(kid=self.signer.kid, key=self.command_public_key, kinds=SIGNED_KINDS, not_after=expires)
        payload = self._root.sign(signing.KEYS, encode(Keys(version=version, expires=expires, keys=[key])))
        with contextlib.suppress(OSError):  # only a clock that is set back needs it
            write_secret_file(file, payload.decode())
        return payload

    def _listed(self, file: Path) -> Keys | None:
        """The list in the file; None when it is missing, damaged, or another root's."""
        try:
            return decode_keys(signing.open_signed(file.read_bytes(), self._root.public_key, signing.KEYS))
        except (OSError, ContractError):
            return None

    def seal(self, text: str) -> bytes:
        """Encrypt a secret for the database."""
        return self.data.seal(text)

    def seal_for_broker(self, text: str) -> bytes:
        """The same for the broker's outbox, which hubs of the version before work off, too, while they run."""
        return bytes(self._box.encrypt(text.encode())) if self.beside_previous else self.data.seal(text)

    def sign_address(self, text: str) -> str:
        """What only the hubs of this site can give for a text, to be part of a URL: HMAC-SHA-256, base64url."""
        mac = hmac.digest(self._address_key, text.encode(), "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    def keyed_hash(self, purpose: str, text: str) -> bytes:
        """The hash by which a short secret is found: whoever has the database alone cannot try them all."""
        return hmac.digest(self._address_key, f"{purpose}\0{text}".encode(), "sha256")

    def unseal(self, sealed: bytes) -> str | None:
        """The secret again; None when another key sealed it."""
        opened = self.data.unseal(sealed)
        if opened is not None:
            return opened
        try:  # as before there was a key for data
            return self._box.decrypt(sealed).decode()
        except nacl.exceptions.CryptoError:
            return None


def machine_authority_seed(root_seed: bytes) -> bytes:
    """What makes the machines' certificate authority of a site: a key of its own that follows from the root's."""
    return hashlib.sha256(b"floorhub/machine-authority/v1\0" + root_seed).digest()


def load_signing_keys(folder: Path) -> SigningKeys:
    """The keys in `folder`, made there when they are missing, whatever the database says. Raises SetupError."""
    keys = SigningKeys(folder)
    keys.load(create_seeds(folder), DataKeys(create_data_keys(folder)))
    return keys


def read_data_keys(folder: Path) -> list[DataKey]:
    """The keys that seal, as they lie in `folder`, the newest first; none when there is no file. Raises SetupError."""
    file = folder / sealing.FILE
    text = private_files.read(file)
    if text is None:
        return []
    try:
        return sealing.of_text(text)
    except ValueError as problem:
        raise private_files.damaged(file, str(problem), "파일의 내용이 처음과 다릅니다") from None


def create_data_keys(folder: Path) -> list[DataKey]:
    """The same, with a new one when there is no file. Raises SetupError."""
    if not read_data_keys(folder):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_private(folder / sealing.FILE, sealing.to_text([sealing.new_data_key()]).encode())
        except OSError as problem:
            raise cannot_write(folder, problem) from None
    return read_data_keys(folder)


def write_data_keys(folder: Path, keys: Sequence[DataKey]) -> None:
    """Replace the file as a whole. Raises SetupError."""
    try:
        write_secret_file(folder / sealing.FILE, sealing.to_text(keys))
    except OSError as problem:
        raise cannot_write(folder, problem) from None


def read_seeds(folder: Path, *purposes: str) -> dict[str, bytes]:
    """The seeds that lie in `folder`, of these purposes or all; those that are missing are left out. Raises
    SetupError."""
    private_files.check_folder(folder)
    for name in _BESIDE:
        for file in folder.glob(name):
            private_files.check_file(file)
    for file in folder.glob(REPLACED):
        if file.is_file() and not file.is_symlink():
            private_files.check_file(file)
    found = {purpose: read_seed(folder / FILES[purpose]) for purpose in purposes or FILES}
    seeds = {purpose: seed for purpose, seed in found.items() if seed is not None}
    if len(seeds) == 2 and seeds["root"] == seeds["command"]:
        raise private_files.damaged(folder / FILES["command"], "it is the root key", "루트 키와 같습니다")
    return seeds


def create_seeds(folder: Path) -> dict[str, bytes]:
    """The seeds in `folder`, the missing ones made. Raises SetupError."""
    read_seeds(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in FILES.values():
            if not (folder / name).exists():
                _write_private(folder / name, new_seed().hex().encode())
    except OSError as problem:
        raise cannot_write(folder, problem) from None
    return read_seeds(folder)


def cannot_write(path: Path, problem: OSError) -> SetupError:
    """The sentence about a place that takes no files."""
    return SetupError(
        f"{path} cannot be written: {problem.strerror}. Check its rights and its disk.",
        ko=f"{path}에 쓸 수 없습니다: {problem.strerror}. 권한과 디스크를 확인하십시오.",
    )


def new_seed() -> bytes:
    """256 random bits."""
    return secrets.token_bytes(32)


def public_key(seed: bytes) -> str:
    """What the database knows of a key, base64url: enough to tell it, and no secret."""
    return signing.encode_key(Signer(seed).public_key)


def read_seed(file: Path) -> bytes | None:
    """The seed in a file; None when it is missing. Raises SetupError."""
    text = private_files.read(file)
    if text is None:
        return None
    try:
        seed = bytes.fromhex(text.strip())
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise private_files.damaged(file, "64 hex digits are expected", "16진수 64자리여야 합니다")
    steps = {(after - before) % 256 for before, after in pairwise(seed)}
    if min(len(set(seed)), len(steps)) < _FEWEST_DIFFERENT_BYTES:
        raise private_files.damaged(file, "the key is not random", "무작위 키가 아닙니다")
    return seed


def _write_private(file: Path, content: bytes) -> None:
    """Write a file of mode 0600 whole or not at all; an existing one of a racing process wins."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.link(temporary, file)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    sync_folder(file.parent)


def write_secret_file(file: Path, content: str) -> None:
    """Write (or replace) a file that only its owner may read: whole or not at all, also when the power fails. Raises
    OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        # Ours alone: in a folder of several users, somebody may have put a file or a link of this name there.
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):  # the first problem is the one to tell
            temporary.unlink()
        raise
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, not only in memory. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno != errno.EINVAL:  # a file system that has nothing to write
            raise
    finally:
        os.close(descriptor)


NEW_KEY = "floorhub key rotate admin"
"""What makes another key of the administrator."""
_OLD_API_KEY = re.compile(r"fh_[0-9a-f]{8}_[A-Za-z0-9_-]{43}")
_PREFIXES = (API_KEY, CLIENT_SECRET, REFRESH, LINK, PAIRING, ENROLMENT)
_SHOWN = len(API_KEY) + 8
"""Characters of a key that its prefix has: 48 of its 256 bits, which leaves more than anybody can guess."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key: `text` is shown once, the rest is stored."""

    text: str
    prefix: str
    sha256: bytes

    @classmethod
    def of(cls, text: str) -> "ApiKey":
        """The key of this text."""
        prefix = text[:_SHOWN] if text.startswith(API_KEY) else "_".join(text.split("_")[:2])
        return cls(text, prefix, hash_secret(text))


def new_api_key() -> ApiKey:
    """256 random bits; the prefix helps people to tell keys apart."""
    return ApiKey.of(new_token(API_KEY))


def new_administrator_key() -> ApiKey:
    """The same in the form of before, for the file `admin.key`: the previous version's hub reads that file, too."""
    return ApiKey.of(f"fh_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}")


def is_api_key(text: str) -> bool:
    """Whether a text has the form of an API key, of now or of before."""
    return is_token(text, API_KEY) or _OLD_API_KEY.fullmatch(text) is not None


def read_api_key(file: Path) -> str | None:
    """The API key in a file; None when there is no file. Raises SetupError."""
    text = private_files.read(file)
    if text is None:
        return None
    if not is_api_key(text.strip()):
        raise SetupError(
            f"{file} holds no key: restore it from your backup, or delete it: the database keeps the key of before, "
            f"and `{NEW_KEY}` makes another.",
            ko=f"{file}에 키가 없습니다. 백업에서 복원하거나 삭제하십시오. 이전 키는 데이터베이스에서 계속 유효하며, "
            f"`{NEW_KEY}`로 새 키를 만들 수 있습니다.",
        )
    return text.strip()


def new_client_secret() -> str:
    """256 random bits for a client; it opens the broker and the client's own things over HTTP."""
    return new_token(CLIENT_SECRET)


def is_mistyped(text: str) -> bool:
    """Whether a text begins as a token does and is none: nothing that a hub ever gave out, so nobody need be asked."""
    return any(text.startswith(prefix) for prefix in _PREFIXES) and not is_token(text)


def hash_secret(text: str) -> bytes:
    """SHA-256; enough for secrets of 256 random bits, which nobody can guess."""
    return hashlib.sha256(text.encode()).digest()
