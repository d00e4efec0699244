"""A hub that stops answers what it began: whoever sends a body is told to come back, whoever waits hears of it."""

import base64
import json
import socket
from typing import Any

import psycopg

from tests.support.site import Site
from tests.support.waiting import until

SENT = {
    "POST /api/documents": "application/pdf",
    "POST /api/documents?filename=a.pdf": "multipart/form-data; boundary=X",
    "POST /api/commands": "application/json",
    "POST /api/clients": "application/json",
    "PATCH /api/clients/{id}": "application/json",
    "POST /api/batches": "application/json",
    "POST /api/clients/{id}/ping": "application/json",
}
BEGINS = {"application/pdf": b"%PDF-1.4 ", "multipart/form-data; boundary=X": b"--X\r\n", "application/json": b"{"}


def begin(site: Site, port: int, line: str, media_type: str, authorization: str, length: int) -> socket.socket:
    """Send a head, and wait until the hub wants its body."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=30)
    head = [f"{line} HTTP/1.1", "Host: hub", f"Authorization: {authorization}", f"Content-Type: {media_type}"]
    sock.sendall("\r\n".join([*head, "Expect: 100-continue", f"Content-Length: {length}", "", ""]).encode())
    assert sock.recv(1000).startswith(b"HTTP/1.1 100"), line
    return sock


def heard(sock: socket.socket) -> tuple[int, str, dict[str, Any]]:
    """Status, head and problem of all that comes until the hub closes."""
    with sock:
        octets = b"".join(iter(lambda: sock.recv(65536), b""))
    head, _, content = octets.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode().lower(), json.loads(content)


def test_requests_under_way_are_told_that_the_hub_stops(site: Site, database: psycopg.Connection[Any]) -> None:
    client, locked = site.client(), site.client()
    hub = site.add_hub("ending", FLOORHUB_STOP_GRACE_S="3")
    site.wait_ready("ending", hub)
    port = site.hub_ports["ending"]
    basic = "Basic " + base64.b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
    half = {}
    for line, media_type in SENT.items():
        authorization = basic if "ping" in line else f"Bearer {site.key}"
        half[line] = begin(site, port, line.format(id=client["id"]), media_type, authorization, 1000)
        half[line].sendall(BEGINS[media_type])
    with database.transaction():
        database.execute("SELECT FROM clients WHERE id = %s FOR UPDATE", [locked["id"]])
        body = b'{"zone": "b"}'
        line = f"PATCH /api/clients/{locked['id']}"
        waiting = begin(site, port, line, "application/json", f"Bearer {site.key}", len(body))
        waiting.sendall(body)
        blocked = "SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        until(lambda: database.execute(blocked).fetchone() is not None, "the hub at the locked row")
        assert hub.stop() == 0

    for line, sock in half.items():
        status, head, problem = heard(sock)
        assert (status, problem["code"]) == (503, "stopping"), line
        assert "retry-after: " in head, line
        assert "content-type: application/problem+json" in head, line
    status, head, problem = heard(waiting)
    assert (status, problem["code"]) == (503, "stopped")
    assert "retry-after: " in head
    assert "Traceback" not in hub.log.read_text()
    assert '"exception"' not in hub.log.read_text()
