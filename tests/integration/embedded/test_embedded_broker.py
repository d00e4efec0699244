"""The embedded broker's life: start, stop, crash, what it remembers, and ports."""

import socket
from collections.abc import Iterator

import pytest

from broker_config import render
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.mosquitto import BrokerOptions, EmbeddedBroker
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from schemas.topics import Channel, client_topic
from tests.support.broker_client import BrokerClient

TOPIC = client_topic("till", Channel.PRESENCE)
DYNSEC = render.render_dynsec(
    {"hub": render.hash_password("hub-secret")}, [render.Client("till", render.hash_password("till-secret"))]
)


@pytest.fixture
def broker(data_folder: DataFolder, packages: Packages) -> Iterator[EmbeddedBroker]:
    """A running broker that knows the hub and one client."""
    book = PortBook(data_folder.ports)
    options = BrokerOptions(book.choose("mqtt", 0).number, book.choose("websocket", 0).number)
    server = EmbeddedBroker(data_folder, packages, options)
    server.start(DYNSEC)
    yield server
    server.stop()


def retained(broker: EmbeddedBroker) -> list[str]:
    """What the broker keeps on `TOPIC`, ended by a fence."""
    hub = BrokerClient(broker.options.mqtt_port, "_hub-test", "_hub", "hub-secret")
    hub.connect()
    hub.subscribe(TOPIC)
    hub.publish(TOPIC, "fence")
    hub.wait_for_payload("fence")
    hub.close()
    return [payload for _, payload in hub.received if payload != "fence"]


def announce(broker: EmbeddedBroker) -> None:
    till = BrokerClient(broker.options.mqtt_port, "till", "till", "till-secret")
    assert till.connect() == 0
    till.publish(TOPIC, "here", retain=True)
    till.close()


def test_a_stop_keeps_retained_messages_and_wipe_forgets_them(broker: EmbeddedBroker) -> None:
    announce(broker)
    broker.stop()
    broker.start()
    assert retained(broker) == ["here"]
    with pytest.raises(EmbeddedError, match="while it runs"):
        broker.wipe()
    broker.stop()
    broker.wipe()
    broker.start()
    assert retained(broker) == []


def test_after_a_crash_it_starts_again_with_the_same_clients(broker: EmbeddedBroker) -> None:
    broker.kill()
    assert not broker.is_alive()
    broker.start()
    announce(broker)
    assert retained(broker) == ["here"]


def test_reloading_keeps_connections(broker: EmbeddedBroker) -> None:
    hub = BrokerClient(broker.options.mqtt_port, "_hub-test", "_hub", "hub-secret")
    hub.connect()
    hub.subscribe(TOPIC)
    broker.reload()
    announce(broker)
    hub.wait_for_payload("here")
    assert not hub.disconnected
    hub.close()


def test_a_foreign_service_on_the_port_is_not_taken_for_the_broker(data_folder: DataFolder, packages: Packages) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        options = BrokerOptions(foreign.getsockname()[1], PortBook(data_folder.ports).choose("websocket", 0).number)
        server = EmbeddedBroker(data_folder, packages, options)
        with pytest.raises(EmbeddedError, match="Address already in use"):
            server.start(DYNSEC)
    assert not server.is_alive()


def test_secrets_on_disk_are_closed_to_others(broker: EmbeddedBroker, data_folder: DataFolder) -> None:
    modes = {file.name: file.stat().st_mode & 0o077 for file in data_folder.broker.iterdir()}
    assert modes["dynsec.json"] == 0
    assert set(modes.values()) == {0}
