"""Which requests the fast path serves, and that all others reach the application as they came."""

from typing import Any, cast

import pytest
from starlette.types import Message, Receive, Scope, Send

from hub.core.commands.routes.fast_path import MAX_BODY, FastPath, _Asked, _UnusualError

GOOD = b'{"client_id": "press-1", "action": "status"}'


def scope(headers: dict[str, str] | None = None, query: str = "", **fields: Any) -> Scope:
    return {
        "type": "http",
        "method": "POST",
        "path": "/api/commands",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        **fields,
    }


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        ({}, "", GOOD),
        ({"content-type": "application/json"}, "wait=30", GOOD),
        ({"content-type": "application/json; charset=UTF-8"}, "wait=0", GOOD),
        ({"idempotency-key": "order-17", "traceparent": "00-0af7-b7ad-01"}, "", GOOD),
        ({}, "", b'{"clientId": "press-1", "action": "status", "expiresInS": 5}'),
        ({}, "", b'{"client_id": "press-1", "action": "status", "expires_at": "2036-11-30T00:00:00Z"}'),
        (
            {},
            "",
            b'{"client_id": "press-1", "action": "x", "payload": {"u": "http://a/", "a": [{"b": 1}, {"b": 1}]}}',
        ),
    ],
)
def test_a_plain_request_is_understood(headers: dict[str, str], query: str, body: bytes) -> None:
    asked = _Asked(scope(headers, query), body)
    assert asked.command.client_id == "press-1"
    assert asked.wait == (30 if "30" in query else 0)
    assert asked.idempotency_key == headers.get("idempotency-key")
    assert asked.traceparent == headers.get("traceparent")


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        ({"content-type": "text/plain"}, "", GOOD),
        ({"idempotency-key": "a b"}, "", GOOD),
        ({"idempotency-key": "x" * 201}, "", GOOD),
        ({"traceparent": "Z"}, "", GOOD),
        ({}, "wait=61", GOOD),
        ({}, "wait=05", GOOD),
        ({}, "wait=1.5", GOOD),
        ({}, "wait=1&wait=2", GOOD),
        ({}, "", b""),
        ({}, "", b"{"),
        ({}, "", b"[]"),
        ({}, "", b'{"client_id": "\xff"}'),
        ({}, "", b'{"client_id": "press-1", "action": "status", "priority": 11}'),
        ({}, "", b'{"client_id": "press-1", "action": "status", "action": "status"}'),
        ({}, "", b'{"client_id": "press-1", "action": "x", "payload": {"a": [{"b": 1, "b": 1}]}}'),
        ({}, "", b'{"client_id": "press-1", "action": "x", "payload": {"u": "::", "\\u0075": 1}}'),
        ({}, "", b'{"client_id": "press-1", "action": "status", "payload": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
        ({}, "", b'{"client_id": "press-1", "action": "status", "timeout_s": NaN}'),
    ],
)
def test_anything_unusual_is_left_to_the_long_way(headers: dict[str, str], query: str, body: bytes) -> None:
    with pytest.raises(_UnusualError):
        _Asked(scope(headers, query), body)


async def through(asked: Scope, *messages: Message) -> list[Message]:
    """What the application behind receives."""
    received: list[Message] = []
    coming = iter(messages)

    async def receive() -> Message:
        return next(coming)

    async def application(_scope: Scope, receive: Receive, _send: Send) -> None:
        try:
            while True:
                received.append(await receive())
        except (StopIteration, RuntimeError):
            return

    async def send(_message: Message) -> None:
        raise AssertionError("the fast path answered")

    await FastPath(application, *[cast("Any", None)] * 4)(asked, receive, send)
    return received


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    "messages",
    [
        [part(b"{")],
        [part(b"{", more=True), part(b"}")],
        [part(b"x" * (MAX_BODY + 1), more=True), part(b"y")],
        [part(b"{", more=True), {"type": "http.disconnect"}],
    ],
)
async def test_the_long_way_receives_all_that_came(messages: list[Message]) -> None:
    assert await through(scope(), *messages) == messages


async def test_other_routes_are_passed_on_untouched() -> None:
    assert await through(scope(path="/api/clients"), part(GOOD)) == [part(GOOD)]
    assert await through(scope(method="GET"), part(GOOD)) == [part(GOOD)]
