"""What happens to pages and requests when a certificate is renewed, and when the broker, the hub or the edge goes."""

import contextlib
import socket
from typing import Any

import httpx
import pytest
from cryptography import x509

from schemas.topics import Channel, client_topic
from tests.support.edge import EdgeSite, until_end
from tests.support.page import PINGREQ, PINGRESP, Page, connect_packet, publish_packet
from tests.support.site import Site
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("restarts the broker, the hub and the edge")


def connected(edge: EdgeSite, client: dict[str, Any]) -> Page:
    """A page whose CONNECT the broker has taken."""
    page = Page(edge)
    page.send(connect_packet(client["id"], client["id"], client["secret"]))
    assert page.hear()[:2] != b"", "CONNACK"
    return page


def serial(edge: EdgeSite) -> int:
    """Of the certificate that a new connection gets."""
    with contextlib.closing(edge.connect()) as connection:
        shown = connection.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def test_a_renewed_certificate_is_taken_while_pages_stand(edge: EdgeSite, site: Site) -> None:
    page = connected(edge, site.client())
    renewed = edge.authority.write(edge.certificate, edge.key)
    until(lambda: serial(edge) == renewed, "the new certificate without a word")

    again = edge.authority.write(edge.certificate, edge.key)
    edge.reload()
    until(lambda: serial(edge) == again, "the new certificate at once")

    edge.certificate.write_text("half a cert")
    edge.reload()
    until(lambda: readiness(edge)["certificate"] == "unreadable", "a word about it")
    assert serial(edge) == again
    last = edge.authority.write(edge.certificate, edge.key)
    until(lambda: serial(edge) == last, "a whole one again")
    until(lambda: readiness(edge)["certificate"] == "ok", "all is well")

    page.send(PINGREQ)
    assert page.hear() == PINGRESP
    page.close()


def readiness(edge: EdgeSite) -> dict[str, str]:
    """What the edge says of its parts."""
    checks: dict[str, str] = httpx.get(f"{edge.status_url}/health/ready", trust_env=False).json()["checks"]
    return checks


def test_without_the_broker_pages_end_and_requests_do_not(edge: EdgeSite, site: Site) -> None:
    client = site.client()
    page = connected(edge, client)
    broker = site.stack.broker
    assert broker is not None
    broker.stop()
    try:
        assert page.until_closed()[1] == 1013
        page.close()
        with Page(edge) as another:
            another.send(connect_packet(client["id"], client["id"], client["secret"]))
            assert another.until_closed() == (b"\x20\x03\x00\x88\x00", 1013)
        assert readiness(edge)["broker"] == "unreachable"
        with edge.http() as http:
            assert http.get("/health").status_code == 200
    finally:
        broker.start()
    with connected(edge, client) as page:
        page.send(publish_packet(client_topic(client["id"], Channel.STATE), b"{}"), PINGREQ)
        assert page.hear() == PINGRESP


def test_without_the_hub_requests_get_503_and_pages_stay(edge: EdgeSite, site: Site) -> None:
    client = site.client()
    page = connected(edge, client)
    body = b'{"client_id": "%s", "action": "open-door", "payload": {}}' % client["id"].encode()
    head = b"POST /api/commands?wait=60 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
    length = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with edge.http() as http, contextlib.closing(edge.connect()) as asking:
        assert http.get("/api/clients").status_code == 200
        asking.sendall(head % site.key.encode() + length + body)
        until(lambda: site.http.get("/api/commands", params={"client_id": client["id"]}).json()["items"], "the command")
        edge.hub.kill()
        assert asking.recv(100).startswith(b"HTTP/1.1 502 ")  # it may have been done, and was

        away = http.get("/api/clients", headers={"Accept-Language": "ko"})
        assert (away.status_code, away.json()["code"], away.headers["retry-after"]) == (503, "hub_unreachable", "2")
        assert "허브" in away.json()["detail"]
        assert http.post("/api/documents", content=iter([b"x" * 1000] * 1000)).status_code == 503
        assert readiness(edge)["hub"] == "unreachable"

        edge.hub.start()
        edge.wait_ready()
        assert http.post("/api/clients", json={"id": "after-it"}).status_code == 201
    page.send(PINGREQ)
    assert page.hear() == PINGRESP
    page.close()


def test_the_edge_ends_what_stands_and_comes_back(edge: EdgeSite, site: Site) -> None:
    client = site.client()
    page = connected(edge, client)
    with (
        contextlib.closing(edge.stream(site.client())) as pda,
        contextlib.closing(edge.plain()),
        contextlib.closing(edge.connect()) as idle,
    ):
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(10) == b"HTTP/1.1 2"
        assert edge.process.stop() == 0
        assert page.until_closed()[1] == 1012
        assert until_end(pda).endswith(b"\r\n")
    with contextlib.closing(socket.socket()) as closed:
        assert closed.connect_ex(("127.0.0.1", edge.port)) != 0
    edge.process.start()
    edge.wait_ready()
    page.close()
    connected(edge, client).close()
