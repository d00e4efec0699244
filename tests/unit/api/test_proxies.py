"""Whose word about the caller's address counts."""

import asyncio
import json
from typing import Any

import pytest
import uvicorn
from pydantic import ValidationError
from uvicorn.server import ServerState

from hub.api.protocol import BoundedHttp
from hub.api.proxies import TrustedProxies, as_ipv4, caller, networks
from tests.support.hubs import settings
from tests.support.raw_http import echo, exchange, serving

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("connected", "forwarded", "trusted", "right"),
    [
        ("127.0.0.1", [b"203.0.113.9"], [], "127.0.0.1"),
        ("127.0.0.1", [b"203.0.113.9"], ["10.0.0.0/8"], "127.0.0.1"),
        (PROXY, [], [PROXY], PROXY),
        (PROXY, [b"203.0.113.9"], [PROXY], "203.0.113.9"),
        (PROXY, [b"198.51.100.1, 203.0.113.9"], [PROXY], "203.0.113.9"),
        (PROXY, [b"198.51.100.1", b"203.0.113.9"], [PROXY], "203.0.113.9"),
        (PROXY, [b"198.51.100.1, 203.0.113.9, 10.0.0.2"], ["10.0.0.0/8"], "203.0.113.9"),
        (PROXY, [b"10.0.0.3"], ["10.0.0.0/8"], "10.0.0.3"),
        (PROXY, [b"203.0.113.9:4711"], [PROXY], "203.0.113.9"),
        (PROXY, [b"[2001:db8::1]:4711"], [PROXY], "2001:db8::1"),
        (PROXY, [b"2001:db8::1"], [PROXY], "2001:db8::1"),
        ("::ffff:10.0.0.1", [b"203.0.113.9"], [PROXY], "203.0.113.9"),
        ("127.0.0.1", [b"203.0.113.9"], ["::ffff:127.0.0.1"], "203.0.113.9"),
        ("::ffff:127.0.0.1", [b"203.0.113.9"], ["::FFFF:7f00:1"], "203.0.113.9"),
        (PROXY, [b"203.0.113.9, 10.9.9.9"], ["::ffff:10.0.0.0/104"], "203.0.113.9"),
        ("11.0.0.1", [b"203.0.113.9"], ["::ffff:10.0.0.0/104"], "11.0.0.1"),
        (PROXY, [b"203.0.113.9"], ["::ffff:0:0/96"], "203.0.113.9"),
        ("2001:db8::1", [b"203.0.113.9"], ["2001:db8::/32"], "203.0.113.9"),
        ("::1", [b"203.0.113.9"], ["::1"], "203.0.113.9"),
        (PROXY, [b"unknown"], [PROXY], PROXY),
        (PROXY, [b"203.0.113.9, <script>"], [PROXY], PROXY),
        (PROXY, [b""], [PROXY], PROXY),
    ],
)
def test_the_last_one_whom_a_trusted_proxy_saw_is_the_caller(
    connected: str, forwarded: list[bytes], trusted: list[str], right: str
) -> None:
    assert caller(connected, forwarded, networks(trusted)) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:nonsense", "::ffff:nonsense"),
    ],
)
def test_an_address_of_ipv4_has_one_form(text: str, right: str) -> None:
    assert as_ipv4(text) == right


class Connected(asyncio.Transport):
    """A connection from an address."""

    def __init__(self, peer: tuple[str | int, ...]) -> None:
        super().__init__({"socket": self})
        self._peer = peer

    def getpeername(self) -> tuple[str | int, ...]:
        return self._peer

    def getsockname(self) -> tuple[str | int, ...]:
        return ("::", 8080, 0, 0)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is there."""


@pytest.mark.parametrize(
    ("peer", "right"),
    [
        (("::ffff:192.0.2.7", 4711, 0, 0), ("192.0.2.7", 4711)),
        (("2001:db8::7", 4711, 0, 0), ("2001:db8::7", 4711)),
        (("192.0.2.7", 4711), ("192.0.2.7", 4711)),
    ],
)
async def test_a_connection_by_ipv4_at_an_address_of_ipv6_is_one_by_ipv4(
    peer: tuple[str | int, ...], right: tuple[str, int]
) -> None:
    config = uvicorn.Config(echo, http=BoundedHttp, ws="none", lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    protocol = BoundedHttp(config, state, {})
    protocol.connection_made(Connected(peer))
    assert protocol.client == right
    protocol.connection_lost(None)


async def test_the_scope_has_it() -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        content = json.dumps(scope["client"][0]).encode()
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": content})

    request = b"GET / HTTP/1.1\r\nHost: hub\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n"
    async with serving(TrustedProxies(answer, networks(["127.0.0.1"]))) as port:
        [heard] = await exchange(port, request)
    assert heard.json() == "203.0.113.9"


@pytest.mark.parametrize(
    ("trusted", "lines", "right"),
    [
        (["127.0.0.1"], ["https"], "https"),
        (["127.0.0.1"], ["HTTPS"], "https"),
        (["127.0.0.1"], ["http, https"], "https"),
        (["127.0.0.1"], ["https", "http"], "http"),
        (["127.0.0.1"], ["gopher"], "http"),
        (["127.0.0.1"], [""], "http"),
        (["127.0.0.1"], [], "http"),
        (["10.0.0.1"], ["https"], "http"),
        ([], ["https"], "http"),
    ],
)
async def test_a_trusted_proxy_says_whether_it_was_asked_by_https(
    trusted: list[str], lines: list[str], right: str
) -> None:
    scopes: list[Any] = []

    async def keep(scope: Any, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    headers = [(b"x-forwarded-proto", line.encode()) for line in lines]
    scope = {"type": "http", "scheme": "http", "client": ("127.0.0.1", 5), "headers": headers}
    await TrustedProxies(keep, networks(trusted))(scope, None, None)  # type: ignore[arg-type]
    assert scopes[0]["scheme"] == right


@pytest.mark.parametrize("wrong", ["*", "proxy.example", "10.0.0.1/33", "10.0.0.1/8"])
def test_only_addresses_and_networks_are_trusted(wrong: str) -> None:
    with pytest.raises(ValidationError, match="address"):
        settings(trusted_proxies=f"127.0.0.1, {wrong}")


def test_nobody_is_trusted_by_default() -> None:
    assert settings().trusted_proxies == ()


@pytest.mark.parametrize(
    ("headers", "trusted", "right"),
    [
        ([], [], ("127.0.0.1", "http", "/run/hub.sock")),
        ([(b"x-forwarded-for", b"203.0.113.9")], [], ("203.0.113.9", "http", "/run/hub.sock")),
        ([(b"x-forwarded-for", b"198.51.100.1, 203.0.113.9")], [], ("203.0.113.9", "http", "/run/hub.sock")),
        ([(b"x-forwarded-for", b"198.51.100.1, 10.0.0.1")], ["10.0.0.1"], ("198.51.100.1", "http", "/run/hub.sock")),
        ([(b"x-forwarded-for", b"<script>")], [], ("127.0.0.1", "http", "/run/hub.sock")),
        (
            [(b"x-forwarded-for", b"::1"), (b"x-forwarded-proto", b"https"), (b"x-forwarded-server", b"10.0.0.5")],
            [],
            ("::1", "https", "10.0.0.5"),
        ),
    ],
)
async def test_who_calls_over_the_socket_is_believed(
    headers: list[tuple[bytes, bytes]], trusted: list[str], right: tuple[str, str, str]
) -> None:
    scope = {"type": "http", "client": None, "server": ("/run/hub.sock", None), "scheme": "http", "headers": headers}

    async def seen(_scope: Any, _receive: Any, _send: Any) -> None:
        """Nothing: the scope is what counts."""

    await TrustedProxies(seen, networks(trusted))(scope, None, None)  # type: ignore[arg-type]
    assert (scope["client"][0], scope["scheme"], scope["server"][0]) == right  # type: ignore[index]
