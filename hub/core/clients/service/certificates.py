"""Certificates for machines that have a key of their own, for a broker that asks for one."""

import asyncio
from datetime import datetime

from hub.core.clients.rules.certificates import MachineAuthority, MachineCertificate
from hub.core.clients.store import pairing as store
from hub.database.engine import Database
from hub.errors import ConflictError
from hub.keys import SigningKeys
from schemas import signing


class MachineCertificates:
    """The service."""

    def __init__(self, database: Database, keys: SigningKeys) -> None:
        self._database = database
        self._keys = keys

    async def of(self, client_id: str) -> MachineCertificate:
        """A new certificate for the key that a client's machine has now. Raises ConflictError where it has none."""
        async with self._database.connection() as connection:
            public_key = await store.key_of(connection, client_id)
            now = await self._database.now(connection)
        if public_key is None:
            raise ConflictError("client_has_no_key", client_id=client_id)
        return await asyncio.to_thread(self._issue, public_key, client_id, now)

    def _issue(self, public_key: str, client_id: str, now: datetime) -> MachineCertificate:
        authority = MachineAuthority(self._keys.machine_authority_seed)
        return authority.issue(signing.decode_key(public_key), client_id, now)
