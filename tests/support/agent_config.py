"""The least configuration of an agent, as a table."""

from typing import Any

from schemas.signing import encode_key

ROOT_KEY = encode_key(b"k" * 32)
LEAST: dict[str, Any] = {
    "client_id": "pc-1",
    "hub_url": "https://hub.example:8443",
    "mqtt_url": "mqtts://hub.example",
    "root_key": ROOT_KEY,
    "secret": "s",
}
