"""A client whose key is taken from it: how soon what it has is refused, and its live connection is gone."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from schemas.pairing import BY_TOKEN
from tests.support.broker_client import BrokerClient
from tests.support.pairing import MachineAt
from tests.support.site import NOWHERE
from tests.support.waiting import SOON_S, until

NOT_AUTHORISED = 0x87


@dataclass(frozen=True)
class Took:
    """Seconds after the request that took the key away."""

    http: float
    mqtt: float
    gone: float


def _paired_anew(hub: httpx.Client, client_id: str) -> None:
    made = hub.post("/api/pairings", json={"client_id": client_id, "replace": True}).json()
    MachineAt(hub).claim(made["token"], by=BY_TOKEN).raise_for_status()


ENDINGS: dict[str, Callable[[httpx.Client, str], object]] = {
    "disabled": lambda hub, client_id: hub.post(f"/api/clients/{client_id}/disable").raise_for_status(),
    "secret rotated": lambda hub, client_id: hub.post(f"/api/clients/{client_id}/secret").raise_for_status(),
    "paired anew": _paired_anew,
}


def taken_away(
    ending: str,
    hub: httpx.Client,
    client_id: str,
    connect: Callable[[str], BrokerClient],
    network: httpx.Client,
    refused_within_s: float = SOON_S,
) -> Took:
    """A new client is connected by `connect(secret)`; then `ending` happens. `network`: HTTPS as machines reach it;
    `refused_within_s`: for each of the two refusals."""
    made = hub.post("/api/clients", json={"id": client_id, "kind": "printer_pc"}).json()
    secret = made["secret"]
    live = connect(secret)
    assert live.connect() == 0
    asked = f"/api/documents/{NOWHERE}"
    assert network.get(asked, auth=(client_id, secret)).status_code == 404
    began = time.monotonic()
    ENDINGS[ending](hub, client_id)

    def refused_by_http() -> bool:
        return network.get(asked, auth=(client_id, secret)).status_code in (401, 403)

    def refused_by_broker() -> bool:
        again = connect(secret)
        try:
            return again.connect() == NOT_AUTHORISED
        finally:
            again.close()

    until(refused_by_http, "HTTP refuses it", refused_within_s)
    http = time.monotonic() - began
    live.wait_for(lambda: live.disconnected)
    gone = time.monotonic() - began
    until(refused_by_broker, "the broker refuses it", refused_within_s)
    mqtt = time.monotonic() - began
    live.close()
    return Took(http, mqtt, gone)
