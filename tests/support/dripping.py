"""A server that answers without end: a byte now and then, so that no time-out of a single read is ever over."""

import contextlib
import socket
import threading
from collections.abc import Iterator

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PAUSE_S = 0.05


@contextlib.contextmanager
def dripping(begin: bytes, drop: bytes) -> Iterator[str]:
    """Its URL, while it runs. Each connection gets `begin`, then `drop` again and again."""
    ended = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65_536)
            connection.sendall(begin)
            while not ended.wait(PAUSE_S):
                connection.sendall(drop)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)
