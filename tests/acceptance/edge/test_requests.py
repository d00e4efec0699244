"""HTTP through the edge: what goes in comes out at the hub, and the other way round."""

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psycopg

from hub.programs.cli import testpage
from tests.support import plain_http
from tests.support.edge import EdgeSite, until_end
from tests.support.http_speaker import HttpSpeaker
from tests.support.page import Page, connect_packet
from tests.support.raw_http import parsed
from tests.support.site import Site
from tests.support.waiting import until

HEAD = b"Host: localhost\r\n"
_HELLO = b"\x03\x02" + bytes(32) + b"\x00\x00\x04\xc0\x13\xc0\x14\x01\x00"
TLS_1_1 = b"\x16\x03\x01" + (len(_HELLO) + 4).to_bytes(2) + b"\x01" + len(_HELLO).to_bytes(3) + _HELLO
"""The first message of a client that knows nothing newer."""


def answers(edge: EdgeSite, *parts: bytes) -> list[int]:
    """The statuses of all answers until the edge closes the connection."""
    return [status for status, _, _ in parsed(edge.exchange(*parts))]


def test_requests_of_all_kinds_go_through(site: Site, http: httpx.Client) -> None:
    made = http.post("/api/clients", json={"id": "edge-pc", "name": "가게", "tags": ["a b"]})
    assert (made.status_code, made.json()["name"]) == (201, "가게")
    found = http.get("/api/clients", params={"tag": "a b"})
    assert [each["id"] for each in found.json()["items"]] == ["edge-pc"]
    assert http.patch("/api/clients/edge-pc", json={"zone": "floor-1"}).json()["zone"] == "floor-1"
    assert http.request("OPTIONS", "/api/clients").headers["allow"] == "GET, HEAD, OPTIONS, POST"
    head = http.head("/api/clients/edge-pc")
    assert (head.status_code, head.content) == (200, b"")
    assert http.get("/api/clients/nobody-%61").json()["code"] == "client_not_found"
    assert http.get("/api/clients", headers={"Accept-Language": "ko", "Authorization": "x"}).status_code == 401
    assert http.get("/openapi.json").json()["info"]["title"] == "Floorhub"
    assert http.get("/").status_code in (200, 503)
    assert http.delete("/api/clients/edge-pc").status_code in (200, 204)
    assert site.http.get("/api/clients/edge-pc").json()["status"] == "retired"


def test_an_answer_says_once_what_it_says(http: httpx.Client) -> None:
    answer = http.get("/health")
    for name in ("date", "content-length", "x-request-id", "content-type"):
        assert len(answer.headers.get_list(name)) == 1, name
    assert "server" not in answer.headers


def test_the_hub_sees_the_caller_whatever_he_says(
    edge: EdgeSite, site: Site, database: psycopg.Connection[Any]
) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9;proto=http",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Server": "203.0.113.9",
        "Connection": "keep-alive, X-Forwarded-For, X-Forwarded-Proto",
    }
    client = site.client()
    transport = httpx.HTTPTransport(verify=edge.trust, local_address="127.0.0.2")
    with edge.http(transport=transport) as http:
        for headers in ({}, forged):
            assert http.patch(f"/api/clients/{client['id']}", json={"zone": "a"}, headers=headers).status_code == 200
            posted = http.post("/api/commands", json={"client_id": client["id"], "action": "status"}, headers=headers)
            assert http.post(f"/api/commands/{posted.json()['id']}/cancel", headers=headers).status_code == 200
        # Signed in without TLS it would be 403 `https_needed`.
        wrong = {"login": "nobody", "password": "wrong password"}
        assert http.post("/api/auth/login", json=wrong, headers=forged).json()["code"] != "https_needed"
    rows = database.execute(
        "SELECT DISTINCT address FROM audit_logs WHERE resource_id = %s AND action <> 'client.create'", (client["id"],)
    ).fetchall()
    assert rows == [("127.0.0.2",)]


def test_who_is_not_at_the_socket_is_not_believed(edge: EdgeSite, site: Site) -> None:
    key = site.http.post(
        "/api/integrations", json={"name": "at-home", "reach": "all", "key": {"addresses": ["192.0.2.0/24"]}}
    ).json()["key"]["key"]
    said = {"X-Forwarded-For": "192.0.2.7", "Authorization": f"Bearer {key}"}
    at_the_socket = httpx.HTTPTransport(uds=str(edge.socket))
    with httpx.Client(base_url="http://localhost", transport=at_the_socket, headers=said) as http:
        assert http.get("/api/clients").status_code == 200
    assert plain_http.get(f"{site.hub_url('behind')}/api/clients", headers=said).status_code == 403
    with edge.http(headers=said) as http:
        assert http.get("/api/clients").status_code == 403
    assert edge.socket.stat().st_mode & 0o777 == 0o600


def test_names_that_are_not_the_hubs_get_421(edge: EdgeSite) -> None:
    for host, status in (
        ("localhost", 200), (f"hub.example:{edge.port}", 200), (f"127.0.0.1:{edge.port}", 200), ("evil.example", 421),
        ("203.0.113.9", 421), ("[::1]", 200),
    ):  # fmt: skip
        request = f"GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        assert answers(edge, request) == [status], host


def test_a_stream_comes_part_by_part_and_ends_with_its_reader(edge: EdgeSite, site: Site) -> None:
    pda = HttpSpeaker(site)
    pda.http = httpx.Client(base_url=edge.url, verify=edge.trust, auth=(pda.id, pda.registered["secret"]), timeout=70)
    pda.client_with = lambda secret: httpx.Client(  # type: ignore[method-assign]
        base_url=edge.url, verify=edge.trust, auth=(pda.id, secret), timeout=70, trust_env=False
    )
    stream = pda.stream()
    command = site.send(pda.id, "open-door", {"door": 3})
    run = stream.wait_for(command["id"])
    assert pda.report(run, "result", data={"opened": True}).status_code == 200
    stream.cut()
    until(lambda: pda.presence() == ("offline", "connection_lost"), "offline")
    pda.close()


def test_a_large_document_goes_up_and_down_unchanged(http: httpx.Client, edge: EdgeSite) -> None:
    content = testpage.page(["large"]) + b"\n%" + os.urandom(1024 * 1024) * 30
    sent = (content[at : at + 100_000] for at in range(0, len(content), 100_000))
    made = http.post("/api/documents", content=sent, headers={"Content-Type": "application/pdf"})
    assert made.status_code == 201, made.text
    assert made.json()["sha256"] == sha256(content).hexdigest()
    with_length = http.post("/api/documents", content=content, headers={"Content-Type": "application/pdf"})
    assert with_length.json()["sha256"] == made.json()["sha256"]
    back = http.get(f"/api/documents/{made.json()['id']}")
    assert back.status_code == 200, back.text
    assert sha256(back.content).hexdigest() == made.json()["sha256"]
    # What passes is not kept.
    assert resident_mib(edge.process.process.pid) < 200


def resident_mib(process: int) -> float:
    """The memory that a process has had at most."""
    status = Path(f"/proc/{process}/status").read_text()
    [line] = [each for each in status.splitlines() if each.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def test_who_asks_first_sends_its_body_only_when_the_hub_wants_it(edge: EdgeSite, site: Site) -> None:
    key = site.key.encode()
    head = b"POST /api/documents HTTP/1.1\r\n" + HEAD + b"Content-Type: application/pdf\r\nConnection: close\r\n"
    body = testpage.page(["asked first"])
    length = b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
    with contextlib.closing(edge.connect()) as connection:
        connection.sendall(head + b"Authorization: Bearer " + key + b"\r\n" + length)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert [status for status, _, _ in parsed(until_end(connection))] == [201]
    assert answers(edge, head + b"Authorization: Bearer wrong\r\n" + length) == [401]


def test_many_requests_on_one_connection(edge: EdgeSite) -> None:
    one = b"GET /health HTTP/1.1\r\n" + HEAD + b"\r\n"
    post = b"POST /api/commands HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n\r\n{}"
    last = b"GET /health HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
    assert answers(edge, one * 3 + post + one + last) == [200, 200, 200, 401, 200, 200]
    assert answers(edge, *(bytes((byte,)) for byte in one + last)) == [200, 200]


AMBIGUOUS = [
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4, 4\r\n\r\nabcd",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: +4\r\n\r\nabcd",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length : 4\r\n\r\nabcd",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    b"POST /health HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET /health HTTP/1.1\nHost: localhost\n\n",
    b"GET /health HTTP/1.1\rHost: localhost\r\r",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    b"GET /health HTTP/1.1\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\n : x\r\n\r\n",
    b"GET /he alth HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;\n\r\na\r\n0\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
]


def test_what_can_be_read_in_two_ways_is_refused(edge: EdgeSite) -> None:
    smuggled = b"GET /api/clients HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with ThreadPoolExecutor(len(AMBIGUOUS)) as pool:  # a refused connection stays for a moment
        for head, said in zip(AMBIGUOUS, pool.map(lambda head: edge.exchange(head + smuggled), AMBIGUOUS), strict=True):
            answers = [status for status, _, _ in parsed(said)]
            assert len(answers) <= 1, (head, said)
            assert all(400 <= status < 600 for status in answers), (head, said)


def posts(edge: EdgeSite, begin: int) -> list[float]:
    """How long the hub has served each command that was posted, in milliseconds, since this place in its log."""
    with edge.hub.log.open("rb") as log:
        log.seek(begin)
        lines = [json.loads(line) for line in log if line.startswith(b"{")]
    wanted = ("http.request", "POST", "/api/commands")
    return [each["duration_ms"] for each in lines if (each["event"], each.get("method"), each.get("path")) == wanted]


def test_an_answer_that_the_caller_does_not_wait_for_stops_at_the_hub(edge: EdgeSite, site: Site) -> None:
    client = site.client()
    body = json.dumps({"client_id": client["id"], "action": "open-door", "payload": {}}).encode()
    head = b"POST /api/commands?wait=60 HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
    head += b"Authorization: Bearer " + site.key.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    begun = edge.hub.log.stat().st_size

    def commands() -> list[Any]:
        items: list[Any] = site.http.get("/api/commands", params={"client_id": client["id"]}).json()["items"]
        return items

    with contextlib.closing(edge.connect()) as whole:
        whole.sendall(head + body)
        until(commands, "the command")
        assert edge.at_the_hub() >= 1
    for cut in (head + body[:5], head[:40], b""):
        with contextlib.closing(edge.connect()) as connection:
            connection.sendall(cut)
    until(lambda: edge.standing("busy") == 0 and edge.standing("half_open") == 0, "no connection")
    until(lambda: edge.at_the_hub() == 0, "no connection to the hub either")
    until(lambda: len(posts(edge, begun)) >= 1, "the hub has ended the request")
    assert max(posts(edge, begun)) < 45_000, "it did not wait on for 60 s"
    assert len(commands()) == 1


def test_who_is_slow_is_cut_off_while_others_are_served(edge: EdgeSite, http: httpx.Client) -> None:
    with (
        contextlib.closing(edge.connect()) as slow,
        contextlib.closing(edge.plain()) as silent,
        Page(edge) as without_connect,
        Page(edge) as half,
    ):
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: lo")
        half.send(connect_packet("pc-1", "pc-1")[:-1])
        until(lambda: edge.standing("half_open") == 4, "four half-open connections")
        assert http.get("/health").status_code == 200
        for connection in (slow, silent):
            connection.settimeout(30)
            assert until_end(connection) == b""
        assert without_connect.until_closed() == half.until_closed() == (b"", 1008)


@contextlib.contextmanager
def open_connections(edge: EdgeSite, number: int) -> Iterator[list[Any]]:
    """Connections on which nothing is said."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(edge.plain())) for _ in range(number)]


def test_silent_connections_make_room_for_those_that_speak(edge: EdgeSite, http: httpx.Client) -> None:
    before = edge.refused("half_open")
    with open_connections(edge, 600):
        assert http.get("/health").status_code == 200
        until(lambda: edge.standing("half_open") <= 256, "fewer")
        assert edge.refused("half_open") >= before + 600 - 256
        with contextlib.closing(edge.connect()) as another:
            another.sendall(b"GET /health HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n")
            assert [status for status, _, _ in parsed(until_end(another))] == [200]
    until(lambda: edge.standing("half_open") == 0, "none")


def test_plain_http_hears_of_https_and_old_tls_of_nothing(edge: EdgeSite) -> None:
    with contextlib.closing(edge.plain()) as plain:
        plain.sendall(b"GET /api/clients HTTP/1.1\r\nHost: localhost\r\n\r\n")
        [(status, _, content)] = parsed(until_end(plain))
        assert (status, json.loads(content)["code"]) == (400, "https_only")
    with contextlib.closing(edge.plain()) as plain:
        plain.sendall(TLS_1_1)
        assert until_end(plain)[:1] in (b"", b"\x15")  # an alert


def test_requests_at_the_same_time_do_not_mix(edge: EdgeSite, site: Site) -> None:
    wrong: list[str] = []

    def ask(number: int) -> None:
        with edge.http() as http:
            for turn in range(10):
                name = f"none-{number}-{turn}"
                answer = http.get(f"/api/clients/{name}")
                if answer.status_code != 404 or name not in answer.text:
                    wrong.append(f"{name}: {answer.text}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
