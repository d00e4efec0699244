"""Ed25519 signatures over what the hub sends (RFC 8032): a domain tag, NUL, and the JSON bytes.

The tag keeps a signature for one purpose from serving another. Bytes are verified before anything is parsed.
"""

import base64
import hashlib
from collections.abc import Mapping

import nacl.exceptions
import nacl.signing

from schemas.codec import ContractError, Frame, join_frame, split_frame

COMMAND = b"floorhub/command/v1"
RECEIPT = b"floorhub/receipt/v1"
WELCOME = b"floorhub/welcome/v1"
KEYS = b"floorhub/keys/v1"
PAIR = b"floorhub/pair/v1"
"""What a machine signs with its own key, not the hub."""

#: The domain tag by the kind of a message.
DOMAIN: Mapping[str, bytes] = {
    "run": COMMAND,
    "cancel": COMMAND,
    "receipt": RECEIPT,
    "welcome": WELCOME,
    "keys": KEYS,
}


def encode_key(key: bytes) -> str:
    """32 bytes of a key as base64url without padding."""
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def decode_key(text: str) -> bytes:
    """The 32 bytes of a key. Raises ContractError `invalid`."""
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ContractError("invalid", "a key is 32 bytes in base64url")
    return key


def key_id(public_key: bytes) -> str:
    """A short name of a public key, the same everywhere: 16 hex digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


class Signer:
    """Signs with one Ed25519 key. Safe to share between tasks."""

    def __init__(self, seed: bytes) -> None:
        self._key = nacl.signing.SigningKey(seed)
        self.public_key = bytes(self._key.verify_key)
        self.kid = key_id(self.public_key)

    def sign(self, domain: bytes, body: bytes) -> bytes:
        """The signed payload: signature line, newline, `body`. Raises ContractError `too_large`."""
        return join_frame(Frame(self.kid, self._key.sign(domain + b"\0" + body).signature, body))


def verify(public_key: bytes, domain: bytes, frame: Frame) -> None:
    """Raise ContractError `bad_signature` unless `frame` was signed with this key for this domain."""
    try:
        nacl.signing.VerifyKey(public_key).verify(domain + b"\0" + frame.body, frame.signature)
    except (nacl.exceptions.BadSignatureError, ValueError):
        raise ContractError("bad_signature", f"the signature of key {frame.kid} does not fit") from None


def sign_detached(seed: bytes, domain: bytes, body: bytes) -> str:
    """The signature alone, base64url: of what is sent in parts and not as one payload."""
    signature = nacl.signing.SigningKey(seed).sign(domain + b"\0" + body).signature
    return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def is_signed(public_key: bytes, domain: bytes, body: bytes, signature: str) -> bool:
    """Whether `sign_detached` with this key made the signature. Never raises."""
    try:
        octets = base64.b64decode(signature + "=" * (-len(signature) % 4), altchars=b"-_", validate=True)
        nacl.signing.VerifyKey(public_key).verify(domain + b"\0" + body, octets)
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        return False
    return True


def open_signed(payload: bytes, public_key: bytes, domain: bytes) -> bytes:
    """The JSON of a payload that must be signed with exactly this key. Raises ContractError."""
    frame = split_frame(payload)
    if frame is None:
        raise ContractError("bad_signature", "the payload is not signed")
    verify(public_key, domain, frame)
    return frame.body
