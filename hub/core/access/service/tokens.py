"""Access tokens: JWT by RFC 9068, signed with Ed25519, read by one algorithm and one form only.

A token names a session and nothing else that counts: role and reach come from the database with each request.
"""

import asyncio
import base64
import binascii
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry
from uuid_utils.compat import uuid7

from hub.core.access.store import token_keys as store
from hub.core.access.telemetry import Event
from hub.database.engine import Database
from hub.errors import RejectedError
from hub.keys import SigningKeys
from hub.telemetry.log import Log
from schemas import json_keys

ISSUER, AUDIENCE, TYPE, ALGORITHM = "floorhub", "floorhub/api", "at+jwt", "EdDSA"
LASTS_S = 900
KEY_LASTS = timedelta(days=30)
"""After so long another key signs; what the one before has signed stays valid."""
LONGEST = 1_024
"""Characters; ours have about 400."""
READ_KEYS_EVERY_S = 0.2
"""Whoever makes key ids up causes no more reads than that."""
_MOST_KNOWN = 1_000
_CLAIMS = {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that we have signed says."""

    principal_id: UUID
    session_id: UUID
    expires_at: int
    """Seconds since 1970, by the hub's clock."""


class _OurRegistry(JWSRegistry):
    """The library warns that the field calls this algorithm Ed25519 by now; EdDSA is what programs know, and the key
    has only one curve."""

    def get_alg(self, name: str) -> Any:
        """See the library."""
        if name != ALGORITHM:
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not allowed")
        return self.algorithms[name]


_REGISTRY = _OurRegistry(algorithms=[ALGORITHM])


class AccessTokens:
    """The service; `establish` comes before any use and is to be called every now and then."""

    def __init__(self, database: Database, keys: SigningKeys, log: Log) -> None:
        self._database = database
        self._signing = keys
        self._log = log
        self._keys: dict[str, OKPKey] = {}
        self._newest: str
        self._reading: asyncio.Task[None] | None = None
        self._read_at = float("-inf")
        self._known: dict[bytes, Claims] = {}

    async def establish(self) -> None:
        """Read the keys that all hubs share, and make a new one when there is none that is young enough."""
        async with self._database.connection() as connection:
            rows = await store.newest(connection)
            self._take(rows)
            now = await self._database.now(connection)
            readable = [row for row in rows if row.kid in self._keys]
            if not readable or readable[0].created_at < now - KEY_LASTS:
                await self._make(connection)
                self._take(await store.newest(connection))

    async def _make(self, connection: Any) -> None:
        kid = f"at-{secrets.token_hex(8)}"
        key = OKPKey.generate_key("Ed25519").as_dict(private=True)
        await store.add(connection, kid, self._signing.seal(json.dumps(key)))
        self._log.info(Event.TOKEN_KEY_CREATED, kid=kid)

    def _take(self, rows: list[store.Sealed]) -> None:
        """Rows come newest first; one that another key has sealed is no use to anybody any more."""
        opened = {row.kid: text for row in rows if (text := self._signing.unseal(row.sealed)) is not None}
        self._keys = {kid: OKPKey.import_key(json.loads(text)) for kid, text in opened.items()}
        self._newest = next(iter(self._keys), "")

    def issue(self, principal_id: UUID, session_id: UUID, now: datetime) -> str:
        """A token for a session, good for `LASTS_S` from `now` on, by the hub's clock."""
        issued = int(now.timestamp())
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self._newest}
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(principal_id),
            "sid": str(session_id),
            "jti": str(uuid7()),
            "iat": issued,
            "exp": issued + LASTS_S,
        }
        return jwt.encode(header, claims, self._keys[self._newest], registry=_REGISTRY)

    async def read(self, token: str) -> Claims:
        """What a token of ours says, whether it has expired or not. Raises RejectedError `invalid_token`."""
        if len(token) > LONGEST:
            raise RejectedError("invalid_token")
        hashed = hashlib.sha256(token.encode()).digest()
        known = self._known.get(hashed)
        if known is not None:
            return known
        kid = _key_id(token)
        if kid not in self._keys:
            await self._read_keys()
        key = self._keys.get(kid)
        if key is None:
            raise RejectedError("invalid_token")
        claims = _claims(token, key)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[hashed] = claims
        return claims

    async def _read_keys(self) -> None:
        """Read them again: another hub may have made one. All who ask meanwhile share it."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_again(), name="token-keys")
        await asyncio.shield(self._reading)

    async def _read_again(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._read_at + READ_KEYS_EVERY_S - loop.time()))
        async with self._database.connection() as connection:
            rows = await store.newest(connection)
        self._read_at = loop.time()
        self._take(rows)


def _key_id(token: str) -> str:
    """The key that a token names, whose header is exactly of our form: no other parameter is even looked at."""
    parts = token.split(".")
    if len(parts) != 3:
        raise RejectedError("invalid_token")
    header = _object(parts[0])
    kid = header.pop("kid", None)
    if header != {"alg": ALGORITHM, "typ": TYPE} or not isinstance(kid, str):
        raise RejectedError("invalid_token")
    return kid


def _object(part: str) -> dict[str, Any]:
    """A part of a token: a JSON object that gives each name once."""
    try:
        text = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value, repeated = json_keys.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        raise RejectedError("invalid_token") from None
    if repeated or not isinstance(value, dict):
        raise RejectedError("invalid_token")
    return value


def _claims(token: str, key: OKPKey) -> Claims:
    try:
        claims = jwt.decode(token, key, registry=_REGISTRY).claims
        _object(token.split(".")[1])
        if claims.keys() != _CLAIMS or (claims["iss"], claims["aud"]) != (ISSUER, AUDIENCE):
            raise RejectedError("invalid_token")
        if type(claims["exp"]) is not int:
            raise RejectedError("invalid_token")
        return Claims(UUID(claims["sub"]), UUID(claims["sid"]), claims["exp"])
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        raise RejectedError("invalid_token") from None
