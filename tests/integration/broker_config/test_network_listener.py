"""The listeners for other machines, at a second address of this one: TLS only, and no account of the hub."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import product
from pathlib import Path

import msgspec
import pytest

from broker_config.render import Tls
from device_agent.session import RefusedError, parse_endpoint, takes_own_place
from hub.programs.embedded.authority import Authority, Issued, Names
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.lan import pinned_id
from hub.programs.embedded.machine_names import alone
from hub.programs.embedded.ports import PortBook
from schemas.topics import Channel, client_topic, every_client
from tests.support.broker_client import SECRETS, BrokerClient
from tests.support.embedded_broker import RunningBroker, known_client, running_broker
from tests.support.folders import open_folder
from tests.support.waiting import until

HERE = "127.0.0.2"
GRANTED, REFUSED_V4, NOT_AUTHORISED = 0, 5, 0x87
WORKER = "local"


@dataclass(frozen=True)
class Network:
    """The broker, and what machines must trust."""

    broker: RunningBroker
    root: Path
    issued: Issued
    tls: Tls

    def client(
        self, username: str, password: str, client_id: str, transport: str = "tcp", version: int = 5
    ) -> BrokerClient:
        """A client on another machine."""
        port = self.tls.websocket_port if transport == "websockets" else self.tls.port
        assert port is not None
        return BrokerClient(
            port,
            client_id,
            username,
            password,
            transport=transport,  # type: ignore[arg-type]
            version=version,  # type: ignore[arg-type]
            host=HERE,
            ca_file=self.issued.authority_file,
        )

    def shown(self) -> bytes:
        """The certificate that the broker shows now."""
        context = ssl.create_default_context(cafile=str(self.issued.authority_file))
        with (
            socket.create_connection((HERE, self.tls.port), 10) as plain,
            context.wrap_socket(plain, server_hostname=HERE) as connection,
        ):
            return connection.getpeercert(binary_form=True) or b""


def names(*more: str) -> Names:
    return Names(("shop-pc",), tuple(alone(ip_address(one)) for one in (HERE, *more)))


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with open_folder("network") as base:
        folder = DataFolder.prepare(base / "data")
        issued = Authority(folder.root).ensure(names("127.0.0.3"))
        book = PortBook(folder.ports)
        ports = (book.choose(name, 0, (HERE,)).number for name in ("mqtts", "wss"))
        tls = Tls(issued.certificate_file, issued.key_file, *ports, HERE, accounts=False)
        pins = {role: pinned_id(f"_{role}", WORKER) for role in ("hub", "admin", "ops", "doctor")}
        clients = [known_client(name, secret, disabled=name == "gone") for name, secret in SECRETS.items()]
        with running_broker(folder, clients, tls, pins) as running:
            yield Network(running, folder.root, issued, tls)


@pytest.mark.parametrize(("transport", "version"), [*product(["tcp", "websockets"], [4, 5])])
def test_no_account_of_the_hub_connects_from_the_network(network: Network, transport: str, version: int) -> None:
    accounts = network.broker.accounts.by_role()
    assert set(accounts) == {"hub", "admin", "ops", "doctor"}
    for role, account in accounts.items():
        more = ("", "alice", "_hub-1") if transport == "tcp" else ()
        for client_id in (account.username, pinned_id(account.username, WORKER), *more):
            client = network.client(account.username, account.password, client_id, transport, version)
            assert client.connect() == NOT_AUTHORISED, (role, client_id)
            client.close()
        here = BrokerClient(
            network.broker.port, pinned_id(account.username, WORKER), account.username, account.password
        )
        assert here.connect() == GRANTED, role
        here.close()


@pytest.mark.parametrize("transport", ["tcp", "websockets"])
def test_a_client_is_itself_there_whatever_it_calls_itself(network: Network, transport: str) -> None:
    account = network.broker.accounts.hub
    hub = BrokerClient(network.broker.port, pinned_id("_hub", WORKER), account.username, account.password)
    assert hub.connect() == GRANTED
    hub.subscribe(every_client(Channel.REPORTS))
    bob = network.client("bob", SECRETS["bob"], "bob", transport)
    assert bob.connect() == GRANTED
    assert bob.subscribe(client_topic("bob", Channel.COMMANDS)) == 1

    alice = network.client("alice", SECRETS["alice"], "bob", transport)
    assert alice.connect() == GRANTED
    assert alice.subscribe("#") >= 0x80
    assert alice.subscribe(client_topic("bob", Channel.COMMANDS)) >= 0
    alice.publish(client_topic("bob", Channel.REPORTS), "forged")
    hub.publish(client_topic("bob", Channel.COMMANDS), "for bob")
    alice.publish(client_topic("alice", Channel.REPORTS), "fence")

    hub.wait_for_payload("fence")
    assert [payload for _, payload in hub.received] == ["fence"]
    bob.wait_for_payload("for bob")
    assert (bob.disconnected, alice.received) == (False, [])
    for client in (hub, bob, alice):
        client.close()


@pytest.mark.parametrize(
    ("username", "password"),
    [("alice", "wrong"), ("gone", SECRETS["gone"]), ("nobody", "x"), ("_other", "x")],
)
def test_who_has_no_secret_or_is_disabled_is_refused(network: Network, username: str, password: str) -> None:
    client = network.client(username, password, username)
    assert client.connect() == NOT_AUTHORISED
    client.close()


def test_ports_without_tls_are_not_there_for_others_and_tls_is_not_spoken_without(network: Network) -> None:
    options = network.broker.embedded.options
    for port in (options.mqtt_port, options.websocket_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HERE, port), 10)
    with socket.create_connection((HERE, network.tls.port), 10) as plain:
        plain.sendall(b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02me")
        answer = b"reset"
        with suppress(ConnectionResetError):
            answer = plain.recv(1)
        assert answer in (b"", b"reset")


def test_a_new_certificate_is_shown_and_no_connection_ends(network: Network) -> None:
    alice = network.client("alice", SECRETS["alice"], "alice")
    assert alice.connect() == GRANTED
    before = network.shown()

    assert Authority(network.root).ensure(names()).renewed
    network.broker.embedded.renew_certificate()

    until(lambda: network.shown() != before, "the new certificate")
    assert alice.subscribe(client_topic("alice", Channel.COMMANDS)) == 1
    assert not alice.disconnected
    alice.close()


async def test_the_agents_doctor_finds_a_client_bound_to_its_id_there(network: Network) -> None:
    url = f"mqtts://{HERE}:{network.tls.port}"
    endpoint = parse_endpoint(url, "alice", SECRETS["alice"], str(network.issued.authority_file))

    assert await takes_own_place(endpoint, "_doctor")
    with pytest.raises(RefusedError):
        await takes_own_place(msgspec.structs.replace(endpoint, secret="wrong"), "_doctor")
