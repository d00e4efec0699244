"""`/mqtt`: who may open it, who may connect, and what is passed on, with the real broker behind."""

import base64
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from websockets.exceptions import InvalidStatus

from hub.programs.edge.packets import connack_code
from hub.programs.edge.page import CONNECTS
from schemas.topics import Channel, client_topic
from tests.support.broker_client import BrokerClient
from tests.support.edge import EdgeSite
from tests.support.page import PINGREQ, PINGRESP, Page, connect_packet, packet, publish_packet
from tests.support.site import Site
from tests.support.speaker import now
from tests.support.waiting import until

BAD_NAME = b"\x20\x03\x00\x87\x00"
OLD_BAD_NAME = b"\x20\x02\x00\x05"


class Known(NamedTuple):
    """A client that the broker knows."""

    id: str
    secret: str


@pytest.fixture
def pda(site: Site) -> Known:
    registered = site.client()
    return Known(registered["id"], registered["secret"])


@pytest.fixture
def page(edge: EdgeSite) -> Iterator[Page]:
    with Page(edge) as opened:
        yield opened


def connected(edge: EdgeSite, known: Known, version: int = 5) -> Page:
    """A page whose CONNECT the broker has taken."""
    page = Page(edge)
    page.send(connect_packet(known.id, known.id, known.secret, version=version))
    assert connack_code(page.hear()) == 0
    return page


class Browser:
    """A client with the library paho over wss, as MQTT.js in a page."""

    def __init__(self, edge: EdgeSite, known: Known, version: Any = mqtt.MQTTv5) -> None:
        self.received: list[bytes] = []
        self.codes: list[int] = []
        self.published: list[int] = []
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, known.id, protocol=version, transport="websockets")
        self.mqtt.username_pw_set(known.id, known.secret)
        self.mqtt.tls_set_context(edge.trust)
        self.mqtt.ws_set_options("/mqtt")
        self.mqtt.on_connect = lambda _c, _u, _f, code, _p: self.codes.append(code.value)
        self.mqtt.on_message = lambda _c, _u, message: self.received.append(message.payload)
        self.mqtt.on_publish = lambda _c, _u, _m, code, _p: self.published.append(code.value)
        self.mqtt.on_subscribe = lambda _c, _u, _m, codes, _p: self.codes.append(codes[0].value)
        self.mqtt.reconnect_delay_set(1, 1)
        self.mqtt.connect("localhost", edge.port, keepalive=30)
        self.mqtt.loop_start()
        until(lambda: self.codes, "CONNACK")

    def close(self) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


@pytest.mark.parametrize("version", [mqtt.MQTTv5, mqtt.MQTTv311])
def test_a_real_client_sends_and_receives_with_qos_1(site: Site, edge: EdgeSite, pda: Known, version: Any) -> None:
    browser = Browser(edge, pda, version)
    browser.mqtt.subscribe(client_topic(pda.id, Channel.COMMANDS), qos=1)
    until(lambda: len(browser.codes) == 2, "SUBACK")
    birth = {"v": 1, "kind": "birth", "client_id": pda.id, "session": f"s-{version}", "connection": 1}
    birth |= {"level": "basic", "agent": {"name": "page", "version": "1"}, "clock": now()}
    browser.mqtt.publish(client_topic(pda.id, Channel.PRESENCE), json.dumps(birth), qos=1, retain=True)
    site.wait_online(pda.id)
    command = site.send(pda.id, "open-door", {"door": 3})

    until(lambda: any(command["id"].encode() in each for each in browser.received), "the command")
    browser.close()

    assert browser.codes[0] == 0
    assert browser.published[0] in (0, 0x10)


def refusal(edge: EdgeSite, **options: Any) -> tuple[int, str]:
    """Status and code of the answer to a page that may not open `/mqtt`."""
    with pytest.raises(InvalidStatus) as refused:
        Page(edge, **options)
    answer = refused.value.response
    return answer.status_code, json.loads(bytes(answer.body or b""))["code"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost:{port}",
        "https://localhost",
        "https://localhost:1",
        "https://localhost.evil.example:{port}",
        "https://localhost:{port}/x",
        "https://localhost:{port}@evil.example",
        "https://shop.example.evil.example",
        "https://shop.example:444",
        "http://shop.example",
        "https://hub.example:{port}",
        "file://",
        "",
    ],
)
def test_pages_of_other_sites_may_not_open_it(edge: EdgeSite, origin: str) -> None:
    before = edge.refused("origin")
    assert refusal(edge, origin=origin.format(port=edge.port)) == (403, "page_origin_refused")
    assert edge.refused("origin") == before + 1


def test_two_origins_are_none(edge: EdgeSite) -> None:
    own = f"https://localhost:{edge.port}"
    assert refusal(edge, origin=own, headers=[("Origin", own)]) == (403, "page_origin_refused")


@pytest.mark.parametrize(
    "origin", ["https://localhost:{port}", "https://LOCALHOST:{port}", "https://shop.example", None]
)
def test_own_pages_named_ones_and_programs_may(edge: EdgeSite, pda: Known, origin: str | None) -> None:
    with Page(edge, origin=origin.format(port=edge.port) if origin else None) as page:
        page.send(connect_packet(pda.id, pda.id, pda.secret))
        assert page.hear()[:1] == b"\x20"


def test_it_needs_the_sub_protocol_and_a_known_host(edge: EdgeSite) -> None:
    assert refusal(edge, subprotocols=["mqttv3.1", "chat"]) == (426, "websocket_needed")
    head = b"GET /mqtt HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    assert b" 421 " in edge.exchange(head).splitlines()[0]


def test_compression_is_not_agreed_on(edge: EdgeSite) -> None:
    with Page(edge, compression="deflate") as page:
        assert page.socket.protocol.extensions == []


@pytest.mark.parametrize("name", ["_hub", "_admin", "_HUB", "\uff3fhub"])
@pytest.mark.parametrize("version", [4, 5])
def test_who_can_be_no_client_never_reaches_the_broker(edge: EdgeSite, pda: Known, name: str, version: int) -> None:
    accounts = edge.site.stack.accounts
    assert accounts is not None
    for client_id, username in ((name, pda.id), (pda.id, name), (name, name)):
        with Page(edge) as page:
            page.send(connect_packet(client_id, username, accounts.hub.password, version=version))
            assert page.until_closed() == (BAD_NAME if version == 5 else OLD_BAD_NAME, 1008)


def test_who_connects_again_and_again_has_to_wait_and_nobody_else(site: Site, edge: EdgeSite, pda: Known) -> None:
    for _ in range(CONNECTS):
        with Page(edge) as page:
            page.send(connect_packet(pda.id, pda.id, "wrong"))
            assert connack_code(page.hear()) == 0x87
    with Page(edge) as page:
        page.send(connect_packet(pda.id, pda.id, pda.secret))
        assert page.until_closed() == (b"\x20\x03\x00\x9f\x00", 1013)
    other = site.client()
    connected(edge, Known(other["id"], other["secret"])).close()


def test_who_has_no_name_is_refused(edge: EdgeSite, pda: Known, page: Page) -> None:
    page.send(connect_packet(pda.id, None, None))
    assert page.until_closed() == (BAD_NAME, 1008)


def test_a_wrong_secret_is_refused_by_the_broker(edge: EdgeSite, pda: Known, page: Page) -> None:
    page.send(connect_packet(pda.id, pda.id, "wrong"))
    came, code = page.until_closed()
    assert (came[0], came[3], code) == (0x20, 0x87, 1008)


@pytest.mark.parametrize("data", [PINGREQ, b"GET / HTTP/1.1\r\n\r\n", connect_packet(b"\xff", "pc")])
def test_what_is_no_connect_ends_the_page(page: Page, data: bytes) -> None:
    page.send(data)
    assert page.until_closed()[1] == 1002


def test_a_connect_may_come_byte_by_byte_and_with_more_behind_it(edge: EdgeSite, pda: Known) -> None:
    whole = connect_packet(pda.id, pda.id, pda.secret) + PINGREQ
    for send in (
        Page.fragments,
        lambda page, data: page.send(*(data[at : at + 1] for at in range(len(data)))),
        Page.send,
    ):
        with Page(edge) as page:
            send(page, whole)
            came = page.hear()
            while len(came) < 8 or came[-2:] != PINGRESP:
                came += page.hear()
            assert came[:1] == b"\x20"


@pytest.mark.parametrize(
    ("data", "word", "code"),
    [
        (connect_packet("pc-1", "pc-1"), b"\xe0\x02\x82\x00", 1002),
        (packet(2, b"\x00\x00\x00"), b"\xe0\x02\x82\x00", 1002),
        (packet(9, b"\x00\x01\x00\x00"), b"\xe0\x02\x82\x00", 1002),
        (b"\x30\xf1\xa2\x04", b"\xe0\x02\x95\x00", 1009),
        (b"\x30\xff\xff\xff\xff", b"\xe0\x02\x81\x00", 1002),
    ],
)
def test_a_packet_that_no_client_sends_ends_the_page(
    edge: EdgeSite, pda: Known, data: bytes, word: bytes, code: int
) -> None:
    for parts in ([data], [data[at : at + 1] for at in range(len(data))]):
        with connected(edge, pda) as page:
            with contextlib.suppress(Exception):
                page.send(*parts)
            assert page.until_closed() == (word, code)


def test_the_largest_packet_passes(site: Site, edge: EdgeSite, pda: Known) -> None:
    topic = client_topic(pda.id, Channel.STATE)
    with connected(edge, pda) as page:
        page.send(publish_packet(topic, b"x" * 65_000), PINGREQ)
        assert page.hear() == PINGRESP


def test_text_and_endless_messages_end_the_page(edge: EdgeSite, pda: Known) -> None:
    with connected(edge, pda) as page:
        page.socket.send("text")
        assert page.until_closed()[1] == 1003
    with connected(edge, pda) as page:
        with contextlib.suppress(Exception):
            page.socket.send(PINGREQ * 100 for _ in range(2_000))
        assert page.until_closed()[1] == 1009


def test_what_is_no_page_gets_an_answer(edge: EdgeSite) -> None:
    with edge.http() as http:
        answer = http.get("/mqtt")
    assert (answer.status_code, answer.json()["code"], answer.headers["upgrade"]) == (
        426,
        "websocket_needed",
        "websocket",
    )
    key = base64.b64encode(bytes(16)).decode()
    common = f"Host: localhost:{edge.port}\r\nSec-WebSocket-Protocol: mqtt\r\n"
    offer = f"{common}Upgrade: websocket\r\nConnection: upgrade\r\n"
    for method, rest, status in (
        ("GET", f"{offer}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 8\r\n", 426),
        ("GET", f"{offer}Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n", 426),
        ("GET", f"{offer}Sec-WebSocket-Version: 13\r\n", 426),
        ("POST", f"{offer}Content-Length: 0\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n", 426),
        ("GET", f"{offer}Content-Length: 2\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n", 426),
    ):
        head = f"{method} /mqtt HTTP/1.1\r\n{rest}Connection: close\r\n\r\n"
        assert f" {status} ".encode() in edge.exchange(head.encode()).splitlines()[0], rest


def test_frames_that_break_the_protocol_end_the_page(edge: EdgeSite, pda: Known) -> None:
    for frame in (
        b"\x82\x02\xc0\x00",
        b"\xc2\x80\x00\x00\x00\x00",
        b"\x83\x80\x00\x00\x00\x00",
        b"\x82\xff" + b"\xff" * 8,
    ):
        with connected(edge, pda) as page:
            raw: ssl.SSLSocket = page.socket.socket  # type: ignore[assignment]
            raw.sendall(frame)
            assert page.until_closed()[1] in (1002, 1009), frame


def test_a_page_that_goes_without_a_word_leaves_the_broker(site: Site, edge: EdgeSite, pda: Known) -> None:
    """The broker speaks the will at once: had the edge kept the connection, it would do so after the keep-alive."""
    topic = client_topic(pda.id, Channel.STATE)
    assert site.stack.broker is not None
    assert site.stack.accounts is not None
    ops = site.stack.accounts.ops
    watcher = BrokerClient(site.stack.broker.options.mqtt_port, f"ops-{pda.id}", ops.username, ops.password)
    assert watcher.connect() == 0
    watcher.subscribe(topic)
    page = Page(edge)
    page.send(connect_packet(pda.id, pda.id, pda.secret, will=(topic, b"gone")))
    assert connack_code(page.hear()) == 0
    until(lambda: edge.standing("page") >= 1, "the page")
    raw = page.socket.socket
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()
    until(lambda: edge.standing("page") == 0, "no page")
    watcher.wait_for_payload("gone")
    watcher.close()
