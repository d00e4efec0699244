"""What somebody hostile sends to the edge, in ways that other tests do not have: nobody is served as somebody else, no
connection of others ends, and the edge goes on.
"""

import contextlib
import json
import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.topics import Channel, client_topic
from tests.support.broker_client import BrokerClient
from tests.support.edge import EdgeSite, until_end
from tests.support.mqtt_wire import PINGRESP, Connection, publish, secured
from tests.support.page import PINGREQ, connect_packet
from tests.support.raw_http import parsed
from tests.support.site import Site
from tests.support.waiting import until

HOST = b"Host: localhost\r\n"
BYE = b"Connection: close\r\n\r\n"
PROXY_V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes((192, 0, 2, 7, 127, 0, 0, 1)) + struct.pack(">HH", 1, 443)


@pytest.fixture(autouse=True)
def _goes_on(edge: EdgeSite, client: dict[str, Any]) -> Iterator[None]:
    """A page that stands before and after, in one and the same process."""
    pid = edge.process.process.pid
    with standing(edge, client) as page:
        yield
        assert [each.kind for each in page.settled()] == []
        assert not page.over
    assert (edge.process.process.poll(), edge.process.process.pid) == (None, pid)


@pytest.fixture
def client(site: Site) -> dict[str, Any]:
    """The client of the page that stands."""
    return site.client()


@pytest.fixture
def pda(site: Site) -> dict[str, Any]:
    """The client of a page that attacks."""
    return site.client()


def opened(edge: EdgeSite) -> Connection:
    """A WebSocket on which nothing was said."""
    return secured(("127.0.0.1", edge.port), edge.trust, "localhost", websocket=True)(5)


def standing(edge: EdgeSite, known: dict[str, Any]) -> Connection:
    """A page whose CONNECT the broker has taken."""
    wire = opened(edge)
    wire.send(connect_packet(known["id"], known["id"], known["secret"]))
    answer = wire.hear()
    assert answer is not None
    assert answer.body[1] == 0
    return wire


# --- HTTP ------------------------------------------------------------------------------------------------------


def statuses(edge: EdgeSite, *parts: bytes) -> list[int]:
    return [status for status, _, _ in parsed(edge.exchange(*parts))]


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        (b"GET http://evil.example/health HTTP/1.1\r\n" + HOST + BYE, [421]),
        (b"GET http://localhost/health HTTP/1.1\r\nHost: evil.example\r\n" + BYE, [200]),
        (b"GET https://localhost/health HTTP/1.1\r\n" + HOST + BYE, [200]),
        (b"GET //evil.example/health HTTP/1.1\r\n" + HOST + BYE, [404]),
        (b"GET /health HTTP/1.1\r\nHost: localhost@evil.example\r\n" + BYE, [400]),
        (b"GET /health HTTP/1.1\r\nHost: localhost, evil.example\r\n" + BYE, [400]),
        (b"GET /health HTTP/1.1\r\nHost:\r\n" + BYE, [421]),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"Content_Length: 4\r\nTransfer_Encoding: chunked\r\n" + BYE, [200]),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"Upgrade: h2c\r\nHTTP2-Settings: AAA\r\n" + BYE, [200]),
        (
            b"POST /health HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n" + BYE
            + b"4;a=b;c\r\nabcd\r\n0\r\n\r\n",
            [405],
        ),
        (
            b"POST /health HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n" + BYE
            + b"1\r\na\r\n0\r\nHost: evil.example\r\nContent-Length: 9\r\n\r\n",
            [400],
        ),
        (b"GET /mqtt/../health HTTP/1.1\r\n" + HOST + BYE, [404]),
        (b"GET /%6dqtt HTTP/1.1\r\n" + HOST + BYE, [426]),
        (PROXY_V2 + b"GET /health HTTP/1.1\r\n" + HOST + BYE, [400]),
        (b"PROXY TCP4 192.0.2.7 127.0.0.1 1 443\r\nGET /health HTTP/1.1\r\n" + HOST + BYE, [400]),
    ],
)  # fmt: skip
def test_a_request_has_one_meaning(edge: EdgeSite, said: bytes, answers: list[int]) -> None:
    assert statuses(edge, said) == answers


@pytest.mark.parametrize(
    "name",
    [
        *("X-Forwarded-For", "x_forwarded_for", "X-Forwarded-For ", "X-FORWARDED-FOR", "Forwarded", "X-Real-IP"),
        *("True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Forwarded", "X-Original-Forwarded-For", "Via"),
    ],
)
def test_no_header_makes_somebody_else_of_a_caller(edge: EdgeSite, site: Site, name: str) -> None:
    integration = {"name": f"at-{uuid4()}", "reach": "all", "key": {"addresses": ["192.0.2.0/24"]}}
    key = site.http.post("/api/integrations", json=integration).json()["key"]["key"]
    value = "for=192.0.2.7" if name == "Forwarded" else "192.0.2.7"
    head = b"GET /api/clients HTTP/1.1\r\n" + HOST + f"Authorization: Bearer {key}\r\n{name}: {value}\r\n".encode()
    [status] = statuses(edge, head + BYE)
    assert status in (400, 403)


def test_what_follows_a_refused_request_is_no_request(edge: EdgeSite) -> None:
    smuggled = b"GET /api/clients HTTP/1.1\r\n" + HOST + b"\r\n"
    for head in (
        b"POST /nowhere HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(smuggled),
        b"POST /api/documents HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(smuggled),
        b"GET /mqtt HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ):
        last = b"OPTIONS /health HTTP/1.1\r\n" + HOST + BYE
        first, *others = statuses(edge, head + smuggled + last)
        assert 400 <= first < 500
        assert others in ([], [204]), (head, others)


def test_a_head_that_grows_byte_by_byte_has_an_end(edge: EdgeSite) -> None:
    """What comes behind it is thrown away until the connection ends, and kept nowhere."""
    before = memory(edge)
    with contextlib.closing(edge.connect()) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\n" + HOST)

        def is_cut() -> bool:
            try:
                connection.sendall(b"".join(b"X-%d: %s\r\n" % (number, b"y" * 500) for number in range(200)))
            except OSError:
                return True
            return False

        until(is_cut, "its end", step=lambda: None)
    assert memory(edge) - before < 8_000_000


# --- TLS -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [PROXY_V2, b"PROXY TCP4 192.0.2.7 127.0.0.1 1 443\r\n", b"\x16\x03\x01\xff\xff", b"\0" * 9_000]
)
def test_what_is_no_tls_ends(edge: EdgeSite, said: bytes) -> None:
    with contextlib.closing(edge.plain()) as plain:
        plain.sendall(said)
        plain.shutdown(socket.SHUT_WR)
        assert not until_end(plain).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("name", "alpn"),
    [
        (None, ["http/1.1"]),
        ("evil.example", None),
        ("a" * 63 + ".example", ["h2"]),
        ("localhost", ["h2", "acme-tls/1"]),
    ],
)
def test_what_tls_names_opens_nothing_else(edge: EdgeSite, name: str | None, alpn: list[str] | None) -> None:
    """The name and the protocol of the handshake decide nothing; `Host` is looked at as ever."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=edge.authority.pem)
    if alpn:
        context.set_alpn_protocols(alpn)
    with contextlib.closing(context.wrap_socket(edge.plain(), server_hostname=name)) as connection:
        assert connection.selected_alpn_protocol() in (None, "http/1.1")
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: evil.example\r\n" + BYE)
        assert [status for status, _, _ in parsed(until_end(connection))] == [421]


# --- WebSocket and MQTT ----------------------------------------------------------------------------------------


def frame(first: int, data: bytes = b"", *, size: int | None = None, masked: bool = True) -> bytes:
    """A frame with any first byte."""
    length = len(data) if size is None else size
    mask = 0x80 if masked else 0
    head = bytes((first, mask | length)) if length < 126 else bytes((first, mask | 126)) + length.to_bytes(2)
    return head + (bytes(4) if masked else b"") + data


@pytest.mark.parametrize(
    "said",
    [
        frame(0xC2, PINGREQ), frame(0xA2, PINGREQ), frame(0x92, PINGREQ),
        frame(0x82, PINGREQ, masked=False), frame(0x83), frame(0x87), frame(0x8B), frame(0x8F),
        frame(0x09, b"fragmented ping"), frame(0x89, b"x" * 126), frame(0x08, b"\x03\xe8"),
        frame(0x80, PINGREQ), frame(0x02, b"\xc0") + frame(0x82, b"\0"), frame(0x01, b"text"),
        frame(0x88, b"\x03"), frame(0x88, b"\x03\xe7"), frame(0x88, b"\x03\xed"), frame(0x88, b"\x03\xee"),
        frame(0x88, b"\xff\xff"), frame(0x88, b"\x03\xe8\xff"),
    ],
)  # fmt: skip
def test_a_frame_that_breaks_the_protocol_ends_its_page_only(edge: EdgeSite, pda: dict[str, Any], said: bytes) -> None:
    with standing(edge, pda) as page:
        page.send_raw(said)
        assert page.settled() == []
        assert page.over


def test_fragments_control_frames_and_packets_mix_as_they_may(edge: EdgeSite, pda: dict[str, Any]) -> None:
    """Packets split over frames, several in one, empty fragments, and pings between them."""
    topic = client_topic(pda["id"], Channel.STATE)
    many = publish(topic, b"{}", 5) * 3 + PINGREQ
    with opened(edge) as page:
        whole = connect_packet(pda["id"], pda["id"], pda["secret"]) + many
        page.send_raw(frame(0x02, whole[:1]) + frame(0x89, b"one") + frame(0x00) * 100 + frame(0x00, whole[1:9]))
        page.send_raw(frame(0x8A, b"unasked") + frame(0x80, whole[9:]))
        heard = []
        while not heard or heard[-1].kind != PINGRESP:
            found = page.hear()
            assert found is not None
            heard.append(found)
        assert [each.kind for each in heard] == [2, PINGRESP]


def test_a_close_ends_the_connection_at_the_broker(edge: EdgeSite, site: Site, pda: dict[str, Any]) -> None:
    """What is said behind a close frame counts no more."""
    said = client_topic(pda["id"], Channel.STATE)
    with standing(edge, pda) as page:
        page.send_raw(frame(0x88, b"\x03\xe8") + frame(0x82, publish(said, b"behind", 5, retain=True)))
        assert page.hear() is None
    until(lambda: edge.standing("page") == 1, "only the page that stands")
    accounts, port = site.stack.accounts, site.stack.broker
    assert accounts is not None
    assert port is not None
    with contextlib.closing(
        BrokerClient(port.options.mqtt_port, f"ops-{pda['id']}", accounts.ops.username, accounts.ops.password)
    ) as ops:
        assert ops.connect() == 0
        ops.subscribe(said)
        assert ops.subscribe("$SYS/broker/version") == 1
        ops.wait_for(lambda: bool(ops.received))
        assert [topic for topic, _ in ops.received] == ["$SYS/broker/version"]


@pytest.mark.parametrize("about", ["_hub", "victim", "hub"])
def test_a_will_with_another_name_harms_nobody(edge: EdgeSite, site: Site, pda: dict[str, Any], about: str) -> None:
    topic = f"floorhub/v1/clients/{about}/presence"
    with opened(edge) as page:
        page.send(connect_packet(pda["id"], pda["id"], pda["secret"], will=(topic, b"{}"), flags=0x22))
        assert page.hear() is not None
    site.http.get("/health/ready").raise_for_status()


def test_a_crowd_of_idle_connections_costs_little_and_makes_room(edge: EdgeSite, site: Site) -> None:
    """All that one address may have: each has asked once, and says no more."""
    trust, request = edge.trust, b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
    before = memory(edge)
    with contextlib.ExitStack() as stack:
        number = 300
        for _ in range(number):
            connection = stack.enter_context(
                contextlib.closing(trust.wrap_socket(edge.plain(), server_hostname="localhost"))
            )
            connection.sendall(request)
            assert connection.recv(20).startswith(b"HTTP/1.1 200")
        until(lambda: edge.standing("idle") >= number, "idle ones")
        assert (memory(edge) - before) / number < 120_000
        with edge.http() as http:
            assert json.loads(http.get("/health").text)["status"] == "ok"


def memory(edge: EdgeSite) -> int:
    """Bytes of the edge's process."""
    status = Path(f"/proc/{edge.process.process.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024
