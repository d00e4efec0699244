"""A request is read in one way only, whatever its head offers; or it is refused, and the connection closed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.api import protocol
from tests.support.raw_http import Answer, echo, exchange, serving

LAST = b"GET /last HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n"
BODY = b'{"client_id": "press-1"}'
LENGTH = b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
POST = b"POST /api/commands?wait=1 HTTP/1.1\r\nHost: hub\r\n"
OFFERS = {
    "h2c, as the JDK offers it": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n",
    "WebSocket": b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhl\r\n",
    "TLS": b"Upgrade: TLS/1.2\r\nConnection: upgrade\r\n",
    "something": b"Connection: UPGRADE\r\nUpgrade: rot13/3, h2c\r\n",
    "twice": b"Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n",
    "without a token": b"Upgrade: h2c\r\n",
    "a token without an offer": b"Connection: Upgrade\r\n",
}


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving(echo) as port:
        yield port


@pytest.mark.parametrize("body", [LENGTH, CHUNKED], ids=["length", "chunked"])
@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
async def test_an_offer_of_another_protocol_is_ignored(port: int, offer: bytes, body: bytes) -> None:
    whole = POST + offer + body
    split = whole.index(b"\r\n\r\n") + 4
    for parts in (
        (whole + LAST,),
        (whole[:split], whole[split:], LAST),
        (whole[: split - 1], whole[split - 1 :] + LAST),
        tuple(bytes([each]) for each in whole + LAST),
    ):
        answer, last = await exchange(port, *parts)

        heard = answer.json()
        assert (heard["method"], heard["path"], heard["query"]) == ("POST", "/api/commands", "wait=1")
        assert heard["body"] == BODY.decode()
        assert last.json()["path"] == "/last"


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
async def test_an_offer_without_a_body_hides_nothing_that_follows(port: int, offer: bytes) -> None:
    get = b"GET /first HTTP/1.1\r\nHost: hub\r\n" + offer + b"\r\n"
    answers = await exchange(port, get + get + LAST)
    assert [answer.json()["path"] for answer in answers] == ["/first", "/first", "/last"]


async def test_close_beside_an_offer_closes(port: int) -> None:
    offer = b"Connection: close, Upgrade\r\nUpgrade: h2c\r\n"
    answers = await exchange(port, POST + offer + LENGTH + LAST)
    assert [answer.json()["body"] for answer in answers] == [BODY.decode()]


REFUSED = {
    "length and coding": (400, POST + b"Content-Length: 3\r\n" + CHUNKED),
    "coding and length": (400, POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    "two lengths": (400, POST + b"Content-Length: 24\r\n" + LENGTH),
    "a list of lengths": (400, POST + b"Content-Length: 24, 24\r\n\r\n" + BODY),
    "a signed length": (400, POST + b"Content-Length: +24\r\n\r\n" + BODY),
    "a hexadecimal length": (400, POST + b"Content-Length: 0x18\r\n\r\n" + BODY),
    "a coding that packs": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "the same in two fields": (501, POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a coding twice": (400, POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "a coding with a parameter": (501, POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
    "identity": (501, POST + b"Transfer-Encoding: identity\r\n\r\n" + BODY),
    "a coding nobody knows": (501, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "a space before the colon": (400, POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    "a coding in HTTP/1.0": (400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a folded line": (400, POST + b"X-Note: a\r\n b\r\n" + LENGTH),
    "a folded first line": (400, b"POST / HTTP/1.1\r\n Host: hub\r\n" + LENGTH),
    "bare line feeds": (400, b"POST / HTTP/1.1\nHost: hub\nContent-Length: 0\n\n"),
    "a bare carriage return": (400, POST + b"X-Note: a\rContent-Length: 3\r\n" + LENGTH),
    "NUL": (400, POST + b"X-Note: a\0\r\n" + LENGTH),
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two hosts": (400, b"GET / HTTP/1.1\r\nHost: hub\r\nHost: other\r\n\r\n"),
    "two hosts in HTTP/1.0": (400, b"GET / HTTP/1.0\r\nHost: hub\r\nHost: other\r\n\r\n"),
    "a host with a path": (400, b"GET / HTTP/1.1\r\nHost: hub/evil\r\n\r\n"),
    "HTTP/2 at once": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/2.0": (505, b"GET / HTTP/2.0\r\nHost: hub\r\n\r\n"),
    "HTTP/0.9": (505, b"GET /\r\n\r\n"),
    "CONNECT": (405, b"CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n"),
    "a star that is no OPTIONS": (400, b"GET * HTTP/1.1\r\nHost: hub\r\n\r\n"),
    "a URL with a user": (400, b"GET http://a:b@hub/ HTTP/1.1\r\nHost: hub\r\n\r\n"),
    "a URL of another scheme": (400, b"GET ftp://hub/ HTTP/1.1\r\nHost: hub\r\n\r\n"),
    "a fragment": (400, b"GET /a#b HTTP/1.1\r\nHost: hub\r\n\r\n"),
    "a long target": (431, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: hub\r\n\r\n"),
    "a long field": (431, b"GET / HTTP/1.1\r\nHost: hub\r\nX-Note: " + b"a" * 70_000 + b"\r\n\r\n"),
    "many fields": (431, b"GET / HTTP/1.1\r\nHost: hub\r\n" + b"X-Note: aaaaaaaa\r\n" * 5_000 + b"\r\n"),
    "a field without an end": (431, b"GET / HTTP/1.1\r\nHost: hub\r\nX-Note: " + b"a" * 700_000),
}


TO_BROWSERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


def told_to_browsers(answer: Answer) -> dict[str, str | None]:
    return {name: answer.headers.get(name) for name in TO_BROWSERS}


@pytest.mark.parametrize(("status", "request_"), REFUSED.values(), ids=REFUSED)
async def test_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(
    port: int, status: int, request_: bytes
) -> None:
    [answer] = await exchange(port, request_ + LAST)

    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert told_to_browsers(answer) == TO_BROWSERS


HOST = b" HTTP/1.1\r\nHost: hub\r\n\r\n"
RAW = {
    "a query in Korean": ["GET /api/commands?reference=주문".encode() + HOST],
    "the same in the encoding of old Korean programs": ["GET /api/commands?reference=주문".encode("cp949") + HOST],
    "a path in Korean": ["GET /api/clients/주방".encode() + HOST],
    "a name of a parameter": ["GET /api/commands?주문=1".encode() + HOST],
    "an accent": ["DELETE /api/clients/caf\xe9".encode("latin-1") + HOST],
    "a fragment": ["GET /a#주문".encode() + HOST],
    "a control character": [b"GET /a?b=\x01" + HOST],
    "a tab": [b"GET /a?b=c\td" + HOST],
    "a space": [b"GET /api/commands?reference=order 1" + HOST],
    "a space in HTTP/1.0": [b"GET /a b HTTP/1.0\r\n\r\n"],
    "in two reads": [b"GET /api/commands?reference=", "주문".encode() + HOST],
    "with a body": ["POST /api/commands?reference=주문 HTTP/1.1\r\nHost: hub\r\n".encode() + LENGTH],
}


@pytest.mark.parametrize("parts", RAW.values(), ids=RAW)
@pytest.mark.parametrize("before", [b"", POST + LENGTH], ids=["first", "later"])
async def test_a_target_that_is_not_percent_encoded_is_told_how(port: int, before: bytes, parts: list[bytes]) -> None:
    answers = await exchange(port, before + parts[0], *parts[1:])
    assert [answer.status for answer in answers] == ([200, 400] if before else [400])
    assert answers[-1].json()["code"] == "target_not_encoded"
    assert "%20" in answers[-1].json()["detail"]
    assert answers[-1].json()["detail"].isascii()


async def test_it_is_told_in_the_callers_language(port: int) -> None:
    """Though the field comes behind what is refused."""
    raw = "GET /api/commands?reference=주문 HTTP/1.1\r\nHost: hub\r\naccept-language: ko-KR,ko;q=0.9\r\n\r\n".encode()
    english = POST + b"Accept-Language: en\r\n" + LENGTH
    _, answer = await exchange(port, english + raw)
    assert answer.headers["content-language"] == "ko"
    assert "`주문`은 `%EC%A3%BC%EB%AC%B8`" in answer.json()["detail"]


@pytest.mark.parametrize(
    "other",
    [b"GET a" + HOST, b"GET /a" + HOST[:-4] + b"\r\nX-Note: \xec\xa3\xbc\0\r\n\r\n", b"GET /a FOO/1.1\r\n\r\n"],
)
async def test_what_is_wrong_elsewhere_is_not_blamed_on_the_target(port: int, other: bytes) -> None:
    [answer] = await exchange(port, other)
    assert answer.json()["code"] == "bad_request"


@pytest.mark.parametrize("refused", ["no host", "HTTP/2.0", "two lengths", "CONNECT"])
async def test_a_wrong_request_takes_no_answer_from_the_one_before(port: int, refused: str) -> None:
    status, wrong = REFUSED[refused]
    answers = await exchange(port, POST + LENGTH + wrong + LAST)
    assert [answer.status for answer in answers] == [200, status]
    assert answers[0].json()["body"] == BODY.decode()


async def test_an_answer_that_takes_long_comes_before_a_refusal() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        asked.set()
        await go_on.wait()
        await echo(scope, receive, send)

    async with serving(slow) as port:
        exchanging = asyncio.create_task(exchange(port, POST + LENGTH, b"rubbish\r\n\r\n"))
        await asked.wait()
        assert not exchanging.done()
        go_on.set()
        answers = await exchanging
    assert [answer.status for answer in answers] == [200, 400]


async def test_a_broken_body_is_not_taken_for_a_whole_one() -> None:
    heard: list[str] = []

    async def reads(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        heard.append(message["type"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async with serving(reads) as port:
        answers = await exchange(port, POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n\r\n")
    assert [answer.status for answer in answers] == [400]
    assert heard == ["http.disconnect"]


async def test_the_long_deadline_of_a_further_head_takes_no_answer_away(monkeypatch: pytest.MonkeyPatch) -> None:
    refused, go_on = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(protocol, "HEAD_DEADLINE_S", 0.05)
    refuse = protocol.BoundedHttp._refuse

    def noted(self: protocol.BoundedHttp, code: str | None = None) -> None:
        refuse(self, code)
        refused.set()

    monkeypatch.setattr(protocol.BoundedHttp, "_refuse", noted)

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        await echo(scope, receive, send)

    async with serving(slow) as port:
        exchanging = asyncio.create_task(exchange(port, POST + LENGTH + b"GET /half"))
        await refused.wait()
        go_on.set()
        answers = await exchanging
    assert [answer.status for answer in answers] == [200]


async def test_fields_behind_a_body_never_become_fields_of_a_head(port: int) -> None:
    trailer = b"Transfer-Encoding: chunked\r\nTrailer: Authorization\r\nTE: trailers\r\n\r\n3\r\nabc\r\n0\r\n"
    first, last = await exchange(port, POST + trailer + b"Authorization: Bearer stolen\r\n\r\n" + LAST)
    for answer in (first, last):
        assert "authorization" not in [name for name, _ in answer.json()["fields"]]
    assert first.json()["body"] == "abc"


async def test_fields_behind_a_body_have_a_bound(port: int) -> None:
    endless = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Note: "
    [answer] = await exchange(port, POST + endless, *([b"a" * 60_000] * 4))
    assert answer.status == 431


@pytest.mark.parametrize("url", ["http://other:99/api/x?y=1", "HTTP://other:99/api/x?y=1"])
async def test_a_whole_url_is_served_and_its_host_counts(port: int, url: str) -> None:
    [answer] = await exchange(port, f"GET {url} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n".encode())
    heard = answer.json()
    assert (heard["path"], heard["query"]) == ("/api/x", "y=1")
    assert [value for name, value in heard["fields"] if name == "host"] == ["other:99"]


@pytest.mark.parametrize(
    ("target", "path", "query"), [("http://hub", "/", ""), ("http://hub?a=1", "/", "a=1"), ("*", "*", "")]
)
async def test_targets_without_a_path(port: int, target: str, path: str, query: str) -> None:
    [answer] = await exchange(port, f"OPTIONS {target} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n".encode())
    assert (answer.json()["path"], answer.json()["query"]) == (path, query)


EXPECT = b"Expect: 100-continue\r\n"


async def test_who_waits_for_100_gets_it(port: int) -> None:
    split = len(POST + EXPECT + LENGTH) - len(BODY)
    answers = await exchange(port, (POST + EXPECT + LENGTH)[:split], BODY, LAST)
    assert [answer.status for answer in answers] == [100, 200, 200]
    assert answers[1].json()["body"] == BODY.decode()


async def test_http_1_0_is_told_no_100(port: int) -> None:
    answers = await exchange(port, b"POST / HTTP/1.0\r\n" + EXPECT + LENGTH)
    assert [answer.status for answer in answers] == [200]


async def test_an_answer_without_100_closes_since_a_body_may_follow_or_not() -> None:
    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async with serving(refuses) as port:
        head = POST + EXPECT + b"Content-Length: %d\r\n\r\n" % len(LAST)
        answers = await exchange(port, head)
    assert [(answer.status, answer.headers["connection"]) for answer in answers] == [(401, "close")]


async def test_more_connections_than_the_hub_takes_are_told_so() -> None:
    async with serving(echo, limit_concurrency=1) as port:
        [answer] = await exchange(port, POST + LENGTH)
    assert (answer.status, answer.json()["code"]) == (503, "overloaded")
    assert (answer.headers["retry-after"], answer.headers["connection"]) == ("1", "close")
    assert told_to_browsers(answer) == TO_BROWSERS
