"""Renewing a machine's own certificate, whatever lies in its folder and however often a broker refuses."""

import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from device_agent.config import AgentConfig
from device_agent.hub_http import HubHttp
from device_agent.own_certificate import FILE, REFUSED_S, OwnCertificate, rest_after
from device_agent.session import Endpoint
from schemas import signing


class _NoHub:
    """Notes that it was asked for; there is none."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    @property
    def in_turn(self) -> tuple[()]:
        self.asked.set()
        return ()


def _own(folder: Path, hub: _NoHub, ends: datetime | None = None) -> OwnCertificate:
    """Of a machine whose pairing gave a certificate with this end."""
    config = AgentConfig(
        client_id="alice",
        hub_url="https://127.0.0.1:1",
        mqtt_url="mqtts://127.0.0.1:1",
        root_key="",
        secret="s",
        data=str(folder),
        machine_key=signing.encode_key(b"k" * 32),
        certificate_expires_at=ends,
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    endpoint = Endpoint(host="127.0.0.1", port=1, client_id="alice", secret="s", tls=tls, shows=True)
    return OwnCertificate(config, cast("HubHttp", hub), endpoint)


@pytest.mark.parametrize("expires_at", ["2031-01-01T00:00:00", "soon", None, 5])
async def test_a_note_that_is_not_one_is_renewed(tmp_path: Path, expires_at: object) -> None:
    (tmp_path / FILE).write_text(json.dumps({"certificate": "x", "expires_at": expires_at}))
    hub = _NoHub()
    running = asyncio.create_task(_own(tmp_path, hub).run())
    asked = asyncio.create_task(hub.asked.wait())
    await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
    assert hub.asked.is_set()
    assert not running.done()
    running.cancel()


@pytest.mark.parametrize(("days", "is_due"), [(29, False), (19, True), (None, True)])
async def test_what_pairing_gave_is_renewed_when_it_nears_its_end(
    tmp_path: Path, days: int | None, is_due: bool
) -> None:
    ends = None if days is None else datetime.now(UTC) + timedelta(days=days)
    assert _own(tmp_path, _NoHub(), ends)._is_due() == is_due


def test_a_broker_that_refuses_every_certificate_is_no_reason_to_ask_ever_so_often() -> None:
    rest, rests = REFUSED_S[0], []
    for _ in range(8):
        rests.append(rest)
        rest = rest_after(rest, refused=True)
    assert rests[:4] == [30, 60, 120, 240]
    assert rests[-1] == REFUSED_S[1]
    # A renewal in time is not asked for by anybody.
    assert rest_after(rest, refused=False) == REFUSED_S[0]
