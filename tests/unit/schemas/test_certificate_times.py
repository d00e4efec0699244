"""Certificates that are not valid now: found behind what libraries raise, and told with the clocks of both sides."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from hub.programs.embedded.authority import LIFE, Authority, Issued, Names
from hub.programs.embedded.machine_names import alone
from schemas.network_words import about_clocks
from schemas.tls import date_at, distrust_in, is_about_time, trusting

HERE = "127.0.0.2"
NOW = datetime.now(UTC)
ANSWER = b"HTTP/1.1 200 OK\r\nServer: x\r\nDate: Sun, 29 Nov 2026 08:00:00 GMT\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Speaks TLS with a certificate, and answers everything with the same bytes."""

    def __init__(self, issued: Issued, answer: bytes) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(issued.certificate_file, issued.key_file)
        self._answer = answer
        self._listening = socket.create_server((HERE, 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            try:
                with plain, self._context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(4096)
                    connection.sendall(self._answer)
            except OSError:
                continue

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)


@pytest.fixture
def issued(tmp_path: Path, request: pytest.FixtureRequest) -> Issued:
    """A certificate that began that long ago."""
    made = Authority(tmp_path)
    here = (alone(ip_address(HERE)),)
    began: timedelta = request.param
    made.ensure(Names(("shop-pc", "till"), here), NOW)
    return made.ensure(Names(("shop-pc",), here), NOW - began)


@pytest.fixture
def server(issued: Issued) -> Iterator[Server]:
    running = Server(issued, ANSWER)
    yield running
    running.close()


def refused(server: Server, authority: Path | None) -> Exception:
    """What a library says of the server."""
    with (
        pytest.raises(httpx.ConnectError) as problem,
        httpx.Client(verify=trusting(authority), trust_env=False) as client,
    ):
        client.get(f"https://{HERE}:{server.port}/health")
    return problem.value


@pytest.mark.parametrize("issued", [timedelta(days=-2), LIFE + timedelta(days=1)], indirect=True, ids=["early", "late"])
def test_a_certificate_of_another_time_is_told_from_one_that_nobody_knows(server: Server, issued: Issued) -> None:
    of_time, of_stranger = refused(server, issued.authority_file), refused(server, None)

    assert (is_about_time(of_time), is_about_time(of_stranger)) == (True, False)
    assert distrust_in(of_stranger) is not None
    assert not is_about_time(ConnectionRefusedError())
    assert date_at(HERE, server.port) == datetime(2026, 11, 29, 8, tzinfo=UTC)


@pytest.mark.parametrize("issued", [timedelta()], indirect=True)
@pytest.mark.parametrize("answer", [b"", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\nDate: soon\r\n\r\n", b"x" * 100_000])
def test_a_server_without_a_time_has_none(issued: Issued, answer: bytes) -> None:
    running = Server(issued, answer)
    try:
        assert date_at(HERE, running.port) is None
    finally:
        running.close()
    assert date_at(HERE, running.port) is None


def test_the_advice_is_to_set_the_clock_or_to_renew() -> None:
    day = timedelta(days=1)
    told = {"unknown": about_clocks(NOW, None), "apart": about_clocks(NOW - day, NOW), "same": about_clocks(NOW, NOW)}

    assert "Set the clock that is wrong" in told["apart"][0]
    assert "has to be renewed" in told["same"][0]
    assert "If that is wrong, set it" in told["unknown"][0]
    assert all(f"{NOW:%Y-%m-%d}" in english or f"{NOW - day:%Y-%m-%d}" in english for english, _ in told.values())
    assert len({korean for _, korean in told.values()}) == 3
