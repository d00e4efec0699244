"""A broker that asks machines for a certificate: who has one of this hub still says who it is, and who has none hears
what to do."""

import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest

from broker_config.render import Tls
from device_agent.config import AgentConfig
from device_agent.own_certificate import FILE, endpoint_of
from device_agent.session import Endpoint, RefusedError, certificate_refusal, look_in
from hub.core.clients.rules.certificates import LASTS, MachineAuthority
from hub.programs.embedded.authority import Authority, Issued, Names
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.machine_names import alone
from hub.programs.embedded.ports import PortBook
from schemas import signing
from schemas.signing import Signer
from schemas.tls import refusal_at
from tests.support.broker_client import SECRETS
from tests.support.embedded_broker import RunningBroker, known_client, running_broker
from tests.support.folders import open_folder

HERE = "127.0.0.2"
OURS, THEIRS = MachineAuthority(b"o" * 32), MachineAuthority(b"t" * 32)


@dataclass(frozen=True)
class Asking:
    """The broker, and what machines trust."""

    broker: RunningBroker
    issued: Issued
    port: int
    websocket_port: int

    def machine(
        self,
        folder: Path,
        name: str,
        authority: MachineAuthority | None = OURS,
        *,
        secret: str | None = None,
        lasts: timedelta = LASTS,
    ) -> Endpoint:
        """A paired machine, as its configuration describes it."""
        seed = secrets.token_bytes(32)
        public = Signer(seed).public_key
        shown = None if authority is None else authority.issue(public, name, datetime.now(UTC), lasts).pem
        config = AgentConfig(
            client_id=name,
            hub_url="https://127.0.0.1:1",
            mqtt_url=f"mqtts://{HERE}:{self.port}",
            root_key="",
            secret=secret or SECRETS[name],
            ca_file=str(self.issued.authority_file),
            data=str(folder),
            machine_key=signing.encode_key(seed) if shown is not None else "",
            certificate=shown,
        )
        return endpoint_of(config)


@pytest.fixture(scope="module")
def asking() -> Iterator[Asking]:
    with open_folder("asking") as base:
        folder = DataFolder.prepare(base / "data")
        issued = Authority(folder.root).ensure(Names((), (alone(ip_address(HERE)),)))
        authority = folder.root / "machines.pem"
        authority.write_text(OURS.pem)
        book = PortBook(folder.ports)
        port, websocket_port = (book.choose(name, 0, (HERE,)).number for name in ("mqtts", "wss"))
        tls = Tls(
            issued.certificate_file, issued.key_file, port, websocket_port, HERE, machine_authority_file=authority
        )
        clients = [known_client(name, secret, disabled=name == "gone") for name, secret in SECRETS.items()]
        with running_broker(folder, clients, tls) as running:
            yield Asking(running, issued, port, websocket_port)


async def test_a_machine_with_a_certificate_still_needs_its_own_id_and_secret(asking: Asking, tmp_path: Path) -> None:
    alice = asking.machine(tmp_path, "alice")
    assert alice.shows
    assert certificate_refusal(alice) is None
    await look_in(alice, "alice", 0.0)

    for endpoint, identifier in (
        (asking.machine(tmp_path, "alice", secret="wrong"), "alice"),
        (asking.machine(tmp_path, "gone"), "gone"),  # disabled
        (msgspec.structs.replace(alice, client_id="bob", secret=SECRETS["bob"] + "x"), "bob"),
        (alice, "bob"),
    ):
        with pytest.raises(RefusedError):
            await look_in(endpoint, identifier, 0.0)


@pytest.mark.parametrize(
    ("authority", "lasts", "alert", "english", "korean"),
    [
        (None, LASTS, "CERTIFICATE_REQUIRED", "Pair it: floorhub pair alice --replace", "인증서가 없습니다"),
        (THEIRS, LASTS, "UNKNOWN_CA", "as one of another hub", "다른 허브의 것으로"),
        (OURS, timedelta(seconds=-60), "CERTIFICATE_EXPIRED", "gets a new one from the hub", "만료된 것으로"),
    ],
)
def test_who_has_no_good_certificate_is_refused_and_told_what_to_do(
    asking: Asking,
    tmp_path: Path,
    authority: MachineAuthority | None,
    lasts: timedelta,
    alert: str,
    english: str,
    korean: str,
) -> None:
    endpoint = asking.machine(tmp_path, "alice", authority, lasts=lasts)
    assert endpoint.tls is not None
    assert (refusal_at(HERE, asking.port, endpoint.tls) or "").endswith(alert)
    told = certificate_refusal(endpoint)
    assert told is not None
    assert english in told[0]
    assert korean in told[1]


def test_there_is_no_listener_beside_it_that_asks_for_none(asking: Asking) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HERE, asking.websocket_port), 10)


def test_a_certificate_of_a_former_key_gives_way_to_that_of_the_configuration(asking: Asking, tmp_path: Path) -> None:
    of_before = OURS.issue(Signer(b"b" * 32).public_key, "alice", datetime.now(UTC))
    stored = {"certificate": of_before.pem, "expires_at": of_before.expires_at}
    (tmp_path / FILE).write_bytes(msgspec.json.encode(stored))
    assert certificate_refusal(asking.machine(tmp_path, "alice")) is None

    (tmp_path / FILE).write_bytes(b"{")
    assert certificate_refusal(asking.machine(tmp_path, "alice")) is None
