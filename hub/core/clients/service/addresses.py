"""Where machines on the network reach the hub and its broker, and whom they trust there."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from hub.errors import RejectedError, UnavailableError
from schemas import tls
from schemas.addresses import is_loopback, read_address
from schemas.fingerprints import fingerprint_of_pem
from schemas.text import TextError

_MQTT_PORT = 1883


@dataclass(frozen=True, slots=True)
class PublicAddresses:
    """As the settings say it; where they say nothing, as a request came."""

    public_url: str
    public_mqtt_url: str
    own_mqtt_url: str
    ca_file: Path | None

    def hub_url(self, asked: str) -> str:
        """The hub's address; `asked` is the one by which a request came."""
        return self.public_url or asked

    def mqtt_url(self, asked: str) -> str:
        """The broker's address for whoever reached the hub at `asked`. Raises RejectedError when only this machine can
        reach what is known of it."""
        if self.public_mqtt_url:
            return self.public_mqtt_url
        broker, hub = read_address(self.own_mqtt_url), read_address(asked)
        if not is_loopback(broker.host):
            return self.own_mqtt_url
        if not is_loopback(hub.host):
            raise RejectedError("broker_address_unknown")
        return f"{broker.scheme}://{replace(broker, host=hub.host).authority(_MQTT_PORT)}"

    async def authority(self) -> str | None:
        """The certificate authority as PEM; None: one that systems trust anyway. Raises UnavailableError."""
        if self.ca_file is None:
            return None
        try:  # read each time: it may be renewed while the hub runs
            return await asyncio.to_thread(tls.certificates, self.ca_file)
        except (OSError, TextError):
            raise UnavailableError("authority_unreadable", retry_after_s=5) from None

    async def fingerprint(self) -> str | None:
        """What a link carries of it."""
        authority = await self.authority()
        return None if authority is None else fingerprint_of_pem(authority)
