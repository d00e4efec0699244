"""Fetching by URL: what may be had, and that nothing else is even knocked at."""

import asyncio
import ipaddress
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.errors import RejectedError, UnavailableError
from hub.outbound import fetcher as fetching
from hub.outbound.fetcher import Fetcher, Source
from hub.outbound.rules import Address, parse_pattern
from tests.support.waiting import eventually
from tests.support.web import Web, listening

CONTENT = b"%PDF-1.7 " + bytes(range(256)) * 2_000


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with listening("127.0.0.1") as web:
        web.lay("/a.pdf", CONTENT, Content_Type="application/pdf")
        yield web


def fetcher(*allow: str, private: bool = True, **options: Any) -> Fetcher:
    return Fetcher([parse_pattern(text) for text in allow], private=private, **options)


async def read(fetcher: Fetcher, url: str) -> tuple[Source, bytes]:
    async with fetcher.fetch(url) as source:
        return source, b"".join([part async for part in source.parts])


async def refusal(fetcher: Fetcher, url: str) -> RejectedError:
    with pytest.raises(RejectedError) as caught:
        await read(fetcher, url)
    return caught.value


class Names:
    """A name server: each look-up takes the next answer, the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append(host)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return [ipaddress.ip_address(text) for text in answer]


# --- nothing on this machine or network is reached ------------------------------------------------------------

BAD, ADDRESS = "validation_error", "address_not_allowed"
LOOPBACK = [
    ("http://127.0.0.1:{port}/", ADDRESS),
    ("http://127.0.0.1.:{port}/", ADDRESS),
    ("http://127.0.0.1:{port}", ADDRESS),
    ("HTTP://127.0.0.1:{port}/", ADDRESS),
    ("http:127.0.0.1:{port}/", BAD),
    ("http:/127.0.0.1:{port}/", BAD),
    ("http:///127.0.0.1:{port}/", BAD),
    ("//127.0.0.1:{port}/", BAD),
    ("http://127.1:{port}/", BAD),
    ("http://127.0.1:{port}/", BAD),
    ("http://2130706433:{port}/", BAD),
    ("http://2130706433.:{port}/", BAD),
    ("http://017700000001:{port}/", BAD),
    ("http://0177.0.0.1:{port}/", BAD),
    ("http://0177.0.0.01:{port}/", BAD),
    ("http://127.0.0.001:{port}/", BAD),
    ("http://0x7f000001:{port}/", BAD),
    ("http://0X7F000001:{port}/", BAD),
    ("http://0x7f.0.0.1:{port}/", BAD),
    ("http://0x7f.1:{port}/", BAD),
    ("http://127.0.0x0.1:{port}/", BAD),
    ("http://127.0.0.0x1:{port}/", BAD),
    ("http://4294967295.1:{port}/", BAD),
    ("http://127.0.0.1%00.example:{port}/", BAD),
    ("http://0:{port}/", BAD),
    ("http://0.0.0.0:{port}/", ADDRESS),
    ("http://127.0.0.2:{port}/", ADDRESS),
    ("http://127.255.255.254:{port}/", ADDRESS),
    ("http://[::1]:{port}/", ADDRESS),
    ("http://[0:0:0:0:0:0:0:1]:{port}/", ADDRESS),
    ("http://[0000::0001]:{port}/", ADDRESS),
    ("http://[::]:{port}/", ADDRESS),
    ("http://[::ffff:127.0.0.1]:{port}/", ADDRESS),
    ("http://[::ffff:7f00:1]:{port}/", ADDRESS),
    ("http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/", ADDRESS),
    ("http://[::127.0.0.1]:{port}/", ADDRESS),
    ("http://[64:ff9b::7f00:1]:{port}/", ADDRESS),
    ("http://[2002:7f00:1::]:{port}/", ADDRESS),
    ("http://[::1%25lo]:{port}/", BAD),
    ("http://[::1%lo]:{port}/", BAD),
    ("http://[fe80::1%25lo]:{port}/", BAD),
    ("http://::1:{port}/", BAD),
    ("http://localhost:{port}/", ADDRESS),
    ("http://localhost.:{port}/", ADDRESS),
    ("http://LOCALHOST:{port}/", ADDRESS),
    ("http://localhost..:{port}/", BAD),
    ("http://loc%61lhost:{port}/", BAD),
    ("http://files.example@127.0.0.1:{port}/", BAD),
    ("http://files.example:80@127.0.0.1:{port}/", BAD),
    ("http://files.example%40127.0.0.1:{port}/", BAD),
    ("http://127.0.0.1:{port}@files.example/", BAD),
    ("http://@127.0.0.1:{port}/", BAD),
    ("http://127.0.0.1:{port}\\@files.example/", BAD),
    ("http://files.example\\@127.0.0.1:{port}/", BAD),
    ("http://127.0.0.1 :{port}/", BAD),
    (" http://127.0.0.1:{port}/", BAD),
    ("http://127.0.0.1\t:{port}/", BAD),
    ("http://127.0.0.1:{port}/\r\nX: y", BAD),
    ("http://127\u30020\u30020\u30021:{port}/", BAD),
    ("http://\u2460\u2461\u2466.0.0.1:{port}/", BAD),
    ("http://\uff11\uff12\uff17.0.0.1:{port}/", BAD),
    ("http://l\u24deca\u24dbhost:{port}/", BAD),
    ("http://xn--.example:{port}@127.0.0.1:{port}/", BAD),
    ("ftp://127.0.0.1:{port}/", BAD),
    ("gopher://127.0.0.1:{port}/_GET", BAD),
    ("file://127.0.0.1:{port}/etc/passwd", BAD),
    ("dict://127.0.0.1:{port}/", BAD),
    ("https://127.0.0.1:{port}/", ADDRESS),
]


@pytest.mark.parametrize(("url", "code"), LOOPBACK, ids=lambda value: ascii(value))
async def test_no_spelling_of_this_machine_reaches_it(url: str, code: str) -> None:
    async def ask_system(host: str, port: int) -> Sequence[Address]:
        # What the system makes of odd spellings is what they would reach; names of the internet are not asked for.
        return await fetching.resolve("localhost" if "local" in host else "127.0.0.1", port)

    async with listening("127.0.0.1", "::1") as web:
        anything = fetcher("*", "*:*", private=False, resolve=ask_system)
        problem = await refusal(anything, url.format(port=web.port))
        # A connection that was made is taken from the queue before this one.
        _, writer = await asyncio.open_connection("127.0.0.1", web.port)
        await eventually(lambda: web.connections >= 1)
        writer.close()
        assert web.connections == 1
    assert problem.code == code


PRIVATE = [
    *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200"),
    *("192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255", "0.1.2.3", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fec0::1", "ff02::1", "ff0e::1", "2001:db8::1", "2001::1", "2002:a00:1::", "64:ff9b:1::1", "100::1"),
    *("3fff::1", "5f00::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::10.0.0.1"),
]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_with_a_special_address_is_refused_even_next_to_a_public_one(address: str) -> None:
    for answer in ([address], ["8.8.8.8", address]):
        problem = await refusal(fetcher("*:*", private=False, resolve=Names(answer)), "http://files.example/a")
        assert problem.code == "address_not_allowed"


@pytest.mark.parametrize(
    ("allow", "url", "allowed"),
    [
        ((), "http://files.example/", False),
        (("files.example",), "http://files.example/", True),
        (("files.example",), "https://files.example/", True),
        (("files.example",), "https://FILES.example.:443/", True),
        (("files.example",), "http://files.example:8080/", False),
        (("files.example",), "http://files.example:443/", False),
        (("files.example:8080",), "http://files.example:8080/", True),
        (("files.example:8080",), "http://files.example/", False),
        (("files.example:*",), "http://files.example:1/", True),
        (("files.example",), "http://xfiles.example/", False),
        (("files.example",), "http://files.example.evil/", False),
        (("files.example",), "http://a.files.example/", False),
        (("*.example",), "http://files.example/", True),
        (("*.example",), "http://a.b.example/", True),
        (("*.example",), "http://example/", False),
        (("*.example",), "http://evilexample/", False),
        (("*.1",), "http://127.0.0.1/", False),
        (("[::1]:80",), "http://[0:0::1]/", True),
        (("other", "*"), "http://files.example/", True),
    ],
)
async def test_the_list_of_hosts_decides_before_any_name_is_looked_up(
    allow: tuple[str, ...], url: str, allowed: bool
) -> None:
    names = Names(["224.0.0.1"])  # refused as an address: nothing is connected to
    problem = await refusal(fetcher(*allow, private=False, resolve=names), url)
    assert problem.code == ("address_not_allowed" if allowed else "url_not_allowed")
    assert allowed or names.asked == []


@pytest.mark.parametrize("text", ["", "http://x", "a b", "x:0", "x:99999", "127.1", "*x", "x:", "[::g]", "-x", "*.*"])
def test_an_entry_that_is_none_stops_the_hub_from_starting(text: str) -> None:
    with pytest.raises(ValueError, match=r"host:port"):
        parse_pattern(text)


async def test_an_address_that_changes_after_the_check_is_not_used(web: Web) -> None:
    async with listening("127.0.0.2", port=web.port) as other:
        names = Names(["127.0.0.1"], ["127.0.0.2"])
        _, content = await read(fetcher("files.example:*", resolve=names), f"http://files.example:{web.port}/a.pdf")
    assert content == CONTENT
    assert (names.asked, web.connections, other.connections) == (["files.example"], 1, 0)
    assert f"host: files.example:{web.port}\r\n" in web.requests[0].lower()


# --- redirects ------------------------------------------------------------------------------------------------


async def test_a_redirect_is_followed_within_what_is_allowed(web: Web) -> None:
    web.redirect("/1", "/2")
    web.redirect("/2", f"http://127.0.0.1:{web.port}/3")
    web.redirect("/3", "a.pdf")
    _, content = await read(fetcher("127.0.0.1:*"), f"http://127.0.0.1:{web.port}/1")
    assert content == CONTENT
    assert not any("cookie" in request.lower() for request in web.requests)


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("http://127.0.0.1:{other}/", "url_not_allowed"),
        ("http://localhost:{other}/", "url_not_allowed"),
        ("//127.0.0.1:{other}/", "url_not_allowed"),
        ("http://2130706433:{other}/", "fetch_failed"),
        ("http://[::ffff:127.0.0.1]:{other}/", "url_not_allowed"),
        ("http://x@127.0.0.1:{other}/", "fetch_failed"),
        ("file:///etc/passwd", "fetch_failed"),
        ("gopher://127.0.0.1:{other}/", "fetch_failed"),
        ("http://[/", "fetch_failed"),
        ("http://224.0.0.1:80/", "address_not_allowed"),
        ("", "fetch_failed"),
    ],
)
async def test_a_redirect_is_judged_like_the_first_url(web: Web, to: str, code: str) -> None:
    async with listening("127.0.0.1") as other:
        web.redirect("/go", to.format(other=other.port))
        problem = await refusal(fetcher(f"127.0.0.1:{web.port}", "224.0.0.1"), f"http://127.0.0.1:{web.port}/go")
        assert (problem.code, other.connections) == (code, 0)


async def test_a_fourth_redirect_is_one_too_many(web: Web) -> None:
    for number in range(5):
        web.redirect(f"/{number}", f"/{number + 1}")
    problem = await refusal(fetcher("127.0.0.1:*"), f"http://127.0.0.1:{web.port}/0")
    assert (problem.code, web.connections) == ("fetch_failed", 4)


# --- what comes -----------------------------------------------------------------------------------------------


async def test_a_document_comes_with_type_and_name(web: Web) -> None:
    web.lay("/a/%EC%86%A1%EC%9E%A5.pdf?token=1", CONTENT, Content_Type="Application/PDF; x=y")
    url = f"http://127.0.0.1:{web.port}/a/%EC%86%A1%EC%9E%A5.pdf?token=1#page=2"
    source, content = await read(fetcher("127.0.0.1:*"), url)
    assert (content, source.content_type, source.filename) == (CONTENT, "application/pdf", "송장.pdf")
    assert "authorization" not in web.requests[0].lower()


@pytest.mark.parametrize(
    ("laid", "code", "said"),
    [
        ({"status": "404 Not Found"}, "fetch_failed", "HTTP 404"),
        ({"status": "500 Oops"}, "fetch_failed", "HTTP 500"),
        ({"status": "401 No", "WWW_Authenticate": "Basic"}, "fetch_failed", "HTTP 401"),
        ({"Content_Type": "text/html", "content": "<html>"}, "content_type_not_allowed", "text/html"),
        ({"Content_Type": "application/pdf", "content": "<html>"}, "content_type_not_allowed", "text/html"),
        ({"Content_Type": "image/svg+xml", "content": "<svg>"}, "content_type_not_allowed", "svg"),
        ({"Content_Type": "application/pdf", "content": "no such invoice"}, "content_type_mismatch", "application/pdf"),
        ({"Content_Encoding": "gzip"}, "fetch_failed", "compressed"),
        ({"Content_Encoding": "br, gzip"}, "fetch_failed", "compressed"),
    ],
)
async def test_what_is_no_document_is_refused(web: Web, laid: dict[str, str], code: str, said: str) -> None:
    content = laid.pop("content", "").encode() or CONTENT
    web.lay("/x", content, **laid)
    problem = await refusal(fetcher("127.0.0.1:*"), f"http://127.0.0.1:{web.port}/x")
    assert problem.code == code
    assert said in str(problem.params)


@pytest.mark.parametrize(
    "content_type", ["application/x-pdf", "binary/octet-stream", "application/force-download", "text/html", ""]
)
async def test_a_document_is_one_whatever_the_server_calls_it(web: Web, content_type: str) -> None:
    web.lay("/x", CONTENT, Content_Type=content_type, Content_Encoding="")
    source, content = await read(fetcher("127.0.0.1:*"), f"http://127.0.0.1:{web.port}/x")
    assert (content, source.content_type) == (CONTENT, "application/pdf")


async def test_an_answer_that_breaks_off_is_no_document(web: Web) -> None:
    whole = web.answers["/a.pdf"]
    assert whole is not None
    web.answers["/a.pdf"] = whole[:-1_000]
    problem = await refusal(fetcher("127.0.0.1:*"), f"http://127.0.0.1:{web.port}/a.pdf")
    assert problem.code == "fetch_failed"


async def test_who_sends_for_ever_or_not_at_all_is_given_up(web: Web) -> None:
    web.answers["/silent"] = None
    web.answers["/endless"] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    impatient = fetcher("127.0.0.1:*", deadline_s=0.2, least_rate=10**12)
    slow = "it stopped sending, or sends less than 1e+12 bytes a second"
    for path, reason in {"/silent": "not within 0.2 s", "/endless": slow}.items():
        web.endless = path == "/endless"
        problem = await refusal(impatient, f"http://127.0.0.1:{web.port}{path}")
        assert (problem.code, problem.params["reason"]) == ("fetch_failed", reason)


async def test_a_large_document_may_take_longer_than_the_deadline(web: Web) -> None:
    web.answers["/endless"] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    web.endless = True
    deadline_s = 0.2
    async with fetcher("127.0.0.1:*", deadline_s=deadline_s, least_rate=1).fetch(
        f"http://127.0.0.1:{web.port}/endless"
    ) as source:
        until = asyncio.get_running_loop().time() + 2 * deadline_s
        async for _ in source.parts:
            if asyncio.get_running_loop().time() > until:
                return
    pytest.fail("the document ended")


async def test_nobody_there_is_said(web: Web) -> None:
    async with listening("127.0.0.1") as gone:
        pass
    problem = await refusal(fetcher("127.0.0.1:*"), f"http://127.0.0.1:{gone.port}/a?token=secret")
    assert problem.code == "fetch_failed"
    assert "secret" not in str(problem.params)


async def test_a_name_s_next_address_is_tried_when_one_is_dead(web: Web) -> None:
    names = Names(["127.0.0.9", "127.0.0.1"])
    _, content = await read(fetcher("files.example:*", resolve=names), f"http://files.example:{web.port}/a.pdf")
    assert content == CONTENT


async def test_no_proxy_of_the_environment_is_used(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening("127.0.0.1") as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert (await read(fetcher("127.0.0.1:*"), f"http://127.0.0.1:{web.port}/a.pdf"))[1] == CONTENT
        assert proxy.connections == 0


async def test_those_who_wait_are_bounded(web: Web) -> None:
    web.answers["/silent"] = None
    some = fetcher("127.0.0.1:*")
    url = f"http://127.0.0.1:{web.port}/silent"
    waiting = [asyncio.create_task(read(some, url)) for _ in range(fetching.MAX_TOGETHER + fetching.MAX_WAITING)]
    await eventually(lambda: web.connections == fetching.MAX_TOGETHER)
    with pytest.raises(UnavailableError):
        await read(some, url)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert (await read(some, f"http://127.0.0.1:{web.port}/a.pdf"))[1] == CONTENT


# --- TLS ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=files.example"
    words += " -addext subjectAltName=DNS:files.example -keyout key.pem -out cert.pem"
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(("host", "fine"), [("files.example", True), ("other.example", False)])
async def test_the_certificate_must_fit_the_name_not_the_address(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str, fine: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    async with listening("127.0.0.1", tls=server) as web:
        web.lay("/a.pdf", CONTENT)
        web.redirect("/down", f"http://{host}:{web.port}/a.pdf")
        known = fetcher("*:*", resolve=Names(["127.0.0.1"]))
        if fine:
            assert (await read(known, f"https://{host}:{web.port}/a.pdf"))[1] == CONTENT
            assert (await refusal(known, f"https://{host}:{web.port}/down")).code == "fetch_failed"
        else:
            assert (await refusal(known, f"https://{host}:{web.port}/a.pdf")).code == "fetch_failed"
            assert web.requests == []
