"""Who may command this client: verifies what claims to come from the hub, before any of it is parsed.

The configuration pins the hub's root key. The root signs the list of keys; a key of the list signs commands, receipts
and welcomes. `ContractError` is the only exception that leaves this module; besides the codec's codes it has
`unknown_key`, `key_not_allowed`, `key_expired`, `old_key_list` and `key_list_expired`.
"""

from datetime import UTC, datetime
from typing import Any

from schemas import codec, messages, signing
from schemas.codec import ContractError
from schemas.topics import Channel

_DOMAINS = {
    Channel.COMMANDS: (signing.COMMAND,),
    # Two kinds share the channel, and the kind is only known after verifying. Receipts are the frequent ones.
    Channel.RECEIPTS: (signing.RECEIPT, signing.WELCOME),
}
TRUST_CODES = frozenset({"bad_signature", "unknown_key", "key_not_allowed", "key_expired", "key_list_expired"})
"""Why a signed message is refused for its key."""


class Trust:
    """The pinned root key and the newest key list that it signed."""

    def __init__(self, root_key: bytes) -> None:
        self._root_key = root_key
        self._list: messages.Keys | None = None

    @property
    def version(self) -> int:
        """The version of the key list; 0 without any."""
        return 0 if self._list is None else self._list.version

    @property
    def kids(self) -> frozenset[str]:
        """The ids of the keys in the list."""
        return frozenset(() if self._list is None else (key.kid for key in self._list.keys))

    @property
    def expires(self) -> datetime | None:
        """When the key list ends; None without any."""
        return None if self._list is None else self._list.expires

    def learn(self, payload: bytes, now: float) -> bool:
        """Take in a key list. True: it is newer or lives longer than the one before, so keep it.

        Raises ContractError.
        """
        keys = codec.decode_keys(signing.open_signed(payload, self._root_key, signing.KEYS))
        if keys.version < self.version:
            raise ContractError("old_key_list", f"key list {keys.version} is older than {self.version}, which is known")
        if keys.expires.timestamp() <= now:
            raise ContractError("key_list_expired", f"key list {keys.version} expired at {keys.expires.isoformat()}")
        if self._list is not None and keys.version == self.version and keys.expires <= self._list.expires:
            return False  # a list that only lives longer has the same version
        self._list = keys
        return True

    def open(self, channel: Channel, payload: bytes, now: float) -> tuple[Any, bytes]:
        """The message of a signed payload, and the JSON that was signed. Raises ContractError."""
        frame = codec.split_frame(payload)
        if frame is None:
            raise ContractError("bad_signature", "the payload is not signed")
        key = self._key(frame.kid, now)
        domain = _verify(signing.decode_key(key.key), _DOMAINS[channel], frame)
        message = codec.decode(channel, frame.body)
        kind = type(message).__struct_config__.tag
        if signing.DOMAIN.get(kind) != domain:
            raise ContractError("bad_signature", f"a {kind} message was signed for another purpose")
        if kind not in key.kinds:
            raise ContractError("key_not_allowed", f"key {frame.kid} may not sign {kind} messages")
        return message, frame.body

    def _key(self, kid: str, now: float) -> messages.SigningKey:
        if self._list is None:
            raise ContractError("unknown_key", "no key list has arrived from the hub yet")
        if self._list.expires.timestamp() <= now:
            raise ContractError(
                "key_list_expired", f"key list {self._list.version} expired; the hub must publish a new one"
            )
        for key in self._list.keys:
            if key.kid == kid:
                if key.not_after.timestamp() <= now:
                    judged = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
                    raise ContractError("key_expired", f"key {kid} expired at {key.not_after.isoformat()} ({judged})")
                return key
        raise ContractError("unknown_key", f"key {kid} is not in key list {self._list.version}")


def _verify(public_key: bytes, domains: tuple[bytes, ...], frame: codec.Frame) -> bytes:
    *others, last = domains
    for domain in others:
        try:
            signing.verify(public_key, domain, frame)
        except ContractError:
            continue
        return domain
    signing.verify(public_key, last, frame)
    return last
