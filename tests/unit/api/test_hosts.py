"""For which names the hub answers."""

import socket
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import Message

from hub.api.hosts import KnownHosts
from hub.api.origins import AllowedOrigins

OWN = socket.gethostname().lower()


async def status(hosts: Sequence[str], host: str | None, server: tuple[str, int] | None = ("10.0.0.5", 8080)) -> int:
    headers = [] if host is None else [(b"host", host.encode())]
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": headers, "server": server}
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        answers.append(message)

    await KnownHosts(Response("fine"), hosts)(scope, receive, send)
    found: int = answers[0]["status"]
    return found


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:8080", "localhost.", "127.0.0.1", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080"),
        *(OWN, f"{OWN}:8080", f"{OWN}.local", OWN.upper()),
        *("10.0.0.5", "10.0.0.5:80", "[::ffff:10.0.0.5]:80"),
    ],
)
async def test_own_names_and_the_address_that_was_connected_to_are_known(host: str) -> None:
    assert await status((), host) == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.6",
            "0.0.0.1",
        ),
        *(f"{OWN}.evil.example", "[2001:db8::1]", "", "localhost:80:80", "127.1", "0x7f.0.0.1"),
    ],
)
async def test_other_names_are_not(host: str) -> None:
    assert await status((), host) == 421


async def test_names_of_the_settings_take_the_place_of_the_machine_s() -> None:
    hosts = ("hub.example", "*.shop.example")
    expected = {
        "hub.example": 200,
        "HUB.example.:443": 200,
        "one.shop.example": 200,
        "a.b.shop.example": 200,
        "shop.example": 421,
        "evilshop.example": 421,
        "127.0.0.1": 200,
        OWN: 421,
    }
    assert {host: await status(hosts, host) for host in expected} == expected


async def test_a_star_is_every_name_and_http_1_0_needs_none() -> None:
    assert await status(("*",), "evil.example") == 200
    assert await status((), None) == 200


async def test_a_socket_without_an_address_knows_names_only() -> None:
    assert await status((), "10.0.0.5", server=None) == 421
    assert await status((), "localhost", server=None) == 200


async def cors(origins: Sequence[str], headers: dict[str, str], method: str = "GET") -> dict[str, str]:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "method": method, "path": "/api/clients", "headers": raw}
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        answers.append(message)

    await AllowedOrigins(Response("fine"), origins)(scope, receive, send)
    found = {name.decode(): value.decode() for name, value in answers[0]["headers"]}
    return {":status": str(answers[0]["status"]), **found}


SHOP = "https://shop.example"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, idempotency-key"}


async def test_a_listed_origin_may_ask_and_read() -> None:
    preflight = await cors((SHOP,), {"Origin": SHOP, **ASKS}, "OPTIONS")
    assert (preflight[":status"], preflight["access-control-allow-origin"]) == ("200", SHOP)
    answer = await cors((SHOP,), {"Origin": SHOP})
    assert (answer["access-control-allow-origin"], answer["vary"]) == (SHOP, "Origin")
    assert "RateLimit" in answer["access-control-expose-headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "http://shop.example", f"{SHOP}.evil.example", "null"])
async def test_another_origin_reads_nothing(origin: str) -> None:
    preflight = await cors((SHOP,), {"Origin": origin, **ASKS}, "OPTIONS")
    assert preflight[":status"] == "403"
    answer = await cors((SHOP,), {"Origin": origin})
    assert not {name for name in preflight | answer if name.startswith("access-control-allow-origin")}
    assert answer["vary"] == "Origin"


@pytest.mark.parametrize("origins", [(SHOP,), ("*",)])
async def test_cookies_of_other_sites_never_count(origins: Sequence[str]) -> None:
    preflight = await cors(origins, {"Origin": SHOP, **ASKS}, "OPTIONS")
    answer = await cors(origins, {"Origin": SHOP, "Cookie": "floorhub-8080=a"})
    assert "access-control-allow-credentials" not in preflight | answer


async def test_a_header_that_the_api_does_not_take_is_refused_ahead() -> None:
    asks = {"Access-Control-Request-Method": "TRACE", "Access-Control-Request-Headers": "x-evil"}
    assert (await cors((SHOP,), {"Origin": SHOP, **asks}, "OPTIONS"))[":status"] == "403"
