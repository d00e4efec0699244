"""A page at `/mqtt`: a real WebSocket client, and MQTT packets byte by byte."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterable
from typing import Any, cast

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.support.edge import DEADLINE_S, EdgeSite

MQTT = Subprotocol("mqtt")
PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"


def text(value: str | bytes) -> bytes:
    """A string or binary data as MQTT writes it."""
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2) + data


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A control packet."""
    size, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        size.append(digit | (0x80 if left else 0))
        if not left:
            return bytes((kind << 4 | flags,)) + bytes(size) + body


def connect_packet(
    client_id: str | bytes,
    username: str | bytes | None,
    password: str | bytes | None = "",
    *,
    version: int = 5,
    name: bytes = b"MQTT",
    will: tuple[str, bytes] | None = None,
    flags: int = 0x02,
    properties: bytes = b"",
) -> bytes:
    """A CONNECT."""
    body = text(client_id)
    if will is not None:
        flags |= 0x04
        body += (b"\x00" if version == 5 else b"") + text(will[0]) + text(will[1])
    if username is not None:
        flags |= 0x80
        body += text(username)
    if password is not None:
        flags |= 0x40
        body += text(password)
    said = bytes((len(properties),)) + properties if version == 5 else b""
    return packet(1, text(name) + bytes((version, flags)) + (30).to_bytes(2) + said + body)


def publish_packet(topic: str, payload: bytes, *, version: int = 5) -> bytes:
    """A PUBLISH with QoS 0."""
    return packet(3, text(topic) + (b"\x00" if version == 5 else b"") + payload)


class _OneAtATime:
    """A TLS connection for the library's two threads. Python 3.11 lets both into OpenSSL at the same time, which is not
    made for it: one request in a thousand was never sent."""

    def __init__(self, tls: ssl.SSLSocket) -> None:
        self._tls = tls
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tls, name)

    def settimeout(self, timeout_s: float | None) -> None:
        """Ours are enough."""

    def recv(self, size: int) -> bytes:
        """As a socket has it."""
        while True:
            with self._lock:
                if (waiting := self._tls.fileno()) < 0:
                    raise OSError("closed")
                self._tls.setblocking(False)
                with contextlib.suppress(ssl.SSLWantReadError):  # nothing yet, or no data of the application
                    return self._tls.recv(size)
            with contextlib.suppress(OSError, ValueError):  # closed meanwhile, as the next look finds
                select.select([waiting], [], [], 0.05)

    def sendall(self, data: bytes) -> None:
        """As a socket has it."""
        with self._lock:
            self._tls.settimeout(DEADLINE_S)
            self._tls.sendall(data)

    def shutdown(self, how: int) -> None:
        """As a socket has it."""
        with self._lock:
            self._tls.shutdown(how)

    def close(self) -> None:
        """As a socket has it."""
        with self._lock:
            self._tls.close()


class Page:
    """One WebSocket. Close it."""

    def __init__(
        self,
        edge: EdgeSite,
        *,
        origin: str | None = None,
        subprotocols: Iterable[str] = (MQTT,),
        path: str = "/mqtt",
        compression: str | None = None,
        trust: ssl.SSLContext | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Raises InvalidStatus when the edge refuses it."""
        self._open = contextlib.ExitStack()
        plain = socket.create_connection(("127.0.0.1", edge.port), DEADLINE_S)
        with contextlib.ExitStack() as undo:
            undo.callback(plain.close)
            tls = (trust or edge.trust).wrap_socket(plain, server_hostname="localhost")
            undo.pop_all()
        opened = connect(
            # TLS is there already.
            f"ws://localhost:{edge.port}{path}",
            sock=cast("socket.socket", _OneAtATime(tls)),  # all that the library asks of a socket
            origin=Origin(origin) if origin is not None else None,
            subprotocols=[Subprotocol(each) for each in subprotocols],
            compression=compression,
            additional_headers=list(headers),
            proxy=None,
            open_timeout=DEADLINE_S,
            close_timeout=1,
            ping_interval=None,
            max_size=None,
        )
        self.socket: ClientConnection = self._open.enter_context(opened)

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """No more of it."""
        self._open.close()

    def send(self, *data: bytes) -> None:
        """One message for each."""
        for each in data:
            self.socket.send(each)

    def fragments(self, data: bytes) -> None:
        """One message, a frame for each byte."""
        self.socket.send(data[at : at + 1] for at in range(len(data)))

    def hear(self) -> bytes:
        """The next message."""
        message = self.socket.recv(DEADLINE_S)
        assert isinstance(message, bytes)
        return message

    def until_closed(self) -> tuple[bytes, int]:
        """All that comes until the edge closes the connection, and the code it gives."""
        came = b""
        with contextlib.suppress(ConnectionClosed):
            while True:
                came += self.hear()
        return came, self.socket.close_code or 0
