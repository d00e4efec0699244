"""How built pages are served: which addresses, with which headers, and what stands in their place before."""

import asyncio
import gzip
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from hub.features.web_pages.routes import PageRoutes, prefers_html, takes_gzip
from hub.features.web_pages.rules import PAGES
from hub.features.web_pages.service import WebPages

SCRIPT = b"console.log('x');" * 100
INDEX = b"<!doctype html><title>Floorhub</title>"


async def beneath(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("beneath", 418)(scope, receive, send)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "built"
    for app in ("console", "screen"):
        (built / "apps" / app).mkdir(parents=True)
        (built / "apps" / app / "index.html").write_bytes(INDEX)
    (built / "assets").mkdir()
    (built / "assets" / "console-a1b2.js").write_bytes(SCRIPT)
    (built / "assets" / "source.map").write_bytes(b"{}")
    (tmp_path / "secret.js").write_bytes(b"secret")
    return built


def browser(folder: Path) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(PageRoutes(beneath, WebPages(folder))), base_url="http://hub"
    )


@pytest.mark.parametrize("path", [*PAGES, "/login?next=/me/sessions", "/?utm_source=mail&x="])
async def test_each_page_is_the_same_file_and_is_asked_for_each_time(folder: Path, path: str) -> None:
    async with browser(folder) as http:
        answer = await http.get(path)
        assert (answer.status_code, answer.content) == (200, INDEX)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        again = await http.get(path, headers={"If-None-Match": f'"other", {answer.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        head = await http.head(path)
        assert (head.content, head.headers["content-length"]) == (b"", str(len(INDEX)))


async def test_no_page_runs_what_is_not_a_file_of_ours(folder: Path) -> None:
    async with browser(folder) as http:
        for path in ("/", "/assets/console-a1b2.js"):
            headers = (await http.get(path)).headers
            policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
            assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
            assert {policy[name] for name in ("script-src", "style-src", "connect-src", "form-action")} == {"'self'"}
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert "camera=()" in headers["permissions-policy"]


async def test_assets_are_kept_for_ever_and_packed_where_asked(folder: Path) -> None:
    async with browser(folder) as http:
        packed = await http.get("/assets/console-a1b2.js")
        plain = await http.get("/assets/console-a1b2.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) == len(gzip.compress(SCRIPT, 9, mtime=0)) < len(SCRIPT)
    assert packed.content == plain.content == SCRIPT
    assert "content-encoding" not in plain.headers
    assert packed.headers["etag"] == f"W/{plain.headers['etag']}"


@pytest.mark.parametrize(
    ("header", "taken"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("*", True), ("gzip;q=0", False), ("gzip; q=0.0", False), ("", False)],
)
def test_gzip_is_sent_to_those_who_take_it(header: str, taken: bool) -> None:
    assert takes_gzip(header) is taken


@pytest.mark.parametrize(
    ("headers", "preferred"),
    [
        (["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"], True),
        (["TEXT/HTML ; Q=0.5"], True),
        (["text/html;q=0.9, application/json;q=0.8"], True),
        (["application/json", "text/html;q=0.9"], False),
        (["text/html, application/problem+json"], False),
        (["text/html;q=0"], False),
        (["text/html;q=nan"], False),
        (["text/*", "*/*"], False),
        (["", ",;,=;q"], False),
        ([], False),
    ],
)
def test_html_is_preferred_where_it_is_named_and_json_is_not_named_before_it(
    headers: list[str], preferred: bool
) -> None:
    assert prefers_html(headers) is preferred


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/api/commands",
            "/docs",
            "/login/",
            "/Login",
            "/me",
            "/apps/console/index.html",
            "/assets/",
            "/assets/none.js",
        ),
        *("/assets/source.map", "/assets/../../secret.js", "/assets/%2e%2e/%2e%2e/secret.js", "/assets/..%2fapps"),
    ],
)
async def test_every_other_address_is_left_to_the_api(folder: Path, path: str) -> None:
    async with browser(folder) as http:
        answer = await http.get(path)
    assert (answer.status_code, answer.text) == (418, "beneath")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_every_other_method_is_left_to_the_api(folder: Path, method: str) -> None:
    async with browser(folder) as http:
        assert (await http.request(method, "/login")).status_code == 418


@pytest.mark.parametrize(("language", "said"), [("ko", "화면이 아직 준비되지 않았습니다"), ("en", "are not built yet")])
async def test_pages_that_are_not_built_say_how_to_build_them(tmp_path: Path, language: str, said: str) -> None:
    async with browser(tmp_path / "none") as http:
        answer = await http.get("/login", headers={"Accept-Language": language})
        assert (await http.get("/assets/console-a1b2.js")).status_code == 418
    assert answer.status_code == 503
    assert said in answer.text
    assert "make pages" in answer.text
    assert answer.headers["content-language"] == language
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["retry-after"]) > 0
    assert "unsafe" not in answer.headers["content-security-policy"]


async def test_pages_are_served_once_they_are_built(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.features.web_pages.service.LOOK_EVERY_S", 0.0)
    place = tmp_path / "place"
    async with browser(place) as http:
        assert (await http.get("/")).status_code == 503
        await asyncio.to_thread(folder.rename, place)
        assert (await http.get("/")).content == INDEX


async def test_a_folder_without_the_console_is_no_build(folder: Path) -> None:
    (folder / "apps" / "console" / "index.html").unlink()
    async with browser(folder) as http:
        assert (await http.get("/")).status_code == 503
