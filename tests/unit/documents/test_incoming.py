"""What the head of an upload says about its body: digests are checked, codings refused, forms taken apart."""

import base64
import contextlib
import hashlib
from collections.abc import AsyncIterator
from typing import cast

import httpx
import pytest
from starlette.datastructures import Headers

from hub.core.documents.service.incoming import Incoming
from hub.errors import RejectedError

PAGE = b"%PDF-1.7\n" + bytes(range(256)) * 300 + b"\r\n--X--\r\n"
HEAD = {"content-type": "multipart/form-data; boundary=X"}


async def in_pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for begin in range(0, len(body), size):
        yield body[begin : begin + size]


async def read(body: bytes, head: dict[str, str], size: int = 1000) -> tuple[bytes, str, str | None]:
    incoming = Incoming(in_pieces(body, size), head)
    octets = b"".join([part async for part in incoming.parts()])
    return octets, incoming.content_type, incoming.filename


async def refused(body: bytes, head: dict[str, str]) -> str:
    with pytest.raises(RejectedError) as problem:
        await read(body, head)
    return problem.value.code


def part(disposition: str, content: bytes, *headers: str) -> bytes:
    lines = "\r\n".join([f"Content-Disposition: form-data; {disposition}", *headers])
    return b"--X\r\n" + lines.encode() + b"\r\n\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--X--\r\n"


FILE = part('name="file"; filename="order.pdf"', PAGE.replace(b"\r\n--X--", b""), "Content-Type: application/pdf")
INSIDE = PAGE.replace(b"\r\n--X--", b"")


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
async def test_a_file_is_taken_out_of_its_form(size: int) -> None:
    assert await read(form(FILE), HEAD, size) == (INSIDE, "application/pdf", "order.pdf")


async def test_a_form_of_a_well_known_client_is_taken_apart() -> None:
    files = {"file": ("송장 1.pdf", PAGE, "application/x-pdf")}
    request = httpx.Request("POST", "http://hub/", files=files, data={"note": "for the office"})
    head = {name.lower(): value for name, value in request.headers.items()}
    assert await read(request.read(), head) == (PAGE, "application/x-pdf", "송장 1.pdf")


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('name="x"; filename="C:\\\\Users\\\\me\\\\a.pdf"', "a.pdf"),
        ('name="x"; filename="../../etc/passwd"', "passwd"),
        ("name=\"x\"; filename*=UTF-8''%EC%86%A1%EC%9E%A5.pdf", "송장.pdf"),
        ('name="x"; filename="x; filename*=utf-8\'\'y.pdf"', "x; filename*=utf-8''y.pdf"),
        ('name="filename*=utf-8\'\'y.pdf"; filename="a.pdf"', "a.pdf"),
        ('name="x"; filename="a \\"; filename*=utf-8\'\'y.pdf"', "a \"; filename*=utf-8''y.pdf"),
        ('name="x"; filename="a.pdf" ; FILENAME* = UTF-8\'ko\'y.pdf ; z', "y.pdf"),
        ('name="x"; filename="a.pdf"; xfilename*=utf-8\'\'y.pdf', "a.pdf"),
        ('name="file"', None),
        ('name="document"', None),
        (f'name="x"; filename="{"a" * 300}"', "a" * 255),
    ],
)
async def test_a_file_keeps_its_name_without_folders(disposition: str, filename: str | None) -> None:
    octets, _, name = await read(form(part(disposition, b"page")), HEAD)
    assert (octets, name) == (b"page", filename)


@pytest.mark.parametrize(
    "body",
    [
        form(),
        form(part('name="note"', b"no file")),
        form(FILE, FILE),
        form(*[part(f'name="note{number}"', b"") for number in range(25)], FILE),
        form(part('name="note"', b"x" * 70_000), FILE),
        FILE,
        b"not a form",
        form(part('name="file"; filename="a"', b"eA==", "Content-Transfer-Encoding: base64")),
        form(part('name="file"', b"x", "X: " + "y" * 10_000)),
        form(part('name="file"', b"x"), part('name="document"', b"y")),
        form(part('name="file"', bytes(70_000)), FILE),
        form(part('name="file"', b"x", 'Content-Disposition: form-data; name="a"; filename="b"')),
        form(part('name="file"', b"x", "Content-Type: text/plain", "content-type: application/pdf")),
        b"x" * 70_000 + b"\r\n" + form(FILE),
        b"before --X" + form(FILE).replace(b"--X\r\n", b"", 1),
    ],
    ids=[
        "empty",
        "no file",
        "two files",
        "too many",
        "a long field",
        "cut off",
        "no form",
        "base64",
        "a long header",
        "two without a name",
        "a large one without a name and a file",
        "two dispositions",
        "two types",
        "a long preamble",
        "a boundary in a line",
    ],
)
async def test_a_form_without_just_one_file_is_refused(body: bytes) -> None:
    assert await refused(body, HEAD) == "form_not_taken_apart"


TEXTS = (part('name="document"', b"about it"), part('name="file"; filename=""', b""))


@pytest.mark.parametrize("size", [1, 1000, 10**6])
@pytest.mark.parametrize("body", [form(FILE, *TEXTS), form(*TEXTS, FILE), form(TEXTS[0], FILE, TEXTS[1])])
async def test_a_text_beside_the_file_is_no_file_whatever_it_is_called(body: bytes, size: int) -> None:
    assert await read(body, HEAD, size) == (INSIDE, "application/pdf", "order.pdf")


@pytest.mark.parametrize("content", [b"small", bytes(200_000)])
async def test_a_file_without_a_name_is_one_of_any_size(content: bytes) -> None:
    body = form(part('name="note"', b"for you"), part('name="file"', content, "Content-Type: image/x"))
    assert await read(body, HEAD) == (content, "image/x", None)


@pytest.mark.parametrize("size", [1, 7, 10**6])
@pytest.mark.parametrize("preamble", [b"\r\n", b"This is a form.\r\n", b"-- and --X in it\r\n\r\n", b"-\r\n"])
async def test_what_stands_before_a_form_is_passed_over(preamble: bytes, size: int) -> None:
    assert await read(preamble + form(FILE), HEAD, size) == (INSIDE, "application/pdf", "order.pdf")


async def test_a_broken_form_writes_no_line(caplog: pytest.LogCaptureFixture) -> None:
    for broken in (b"--X\r\nbad header\r\n\r\n", b"--X!", b"--X\r\n\x00: a\r\n\r\n", form(FILE) + b"after"):
        with contextlib.suppress(RejectedError):
            await read(broken, HEAD)
    assert caplog.records == []


@pytest.mark.parametrize("said", ["bytes 0-9/100", "bytes 0-99/*", "bytes */100", "", "pages 1-2/3"])
async def test_a_part_of_a_document_is_refused(said: str) -> None:
    assert await refused(PAGE, {"content-range": said}) == "partial_upload"


def repeated(*fields: tuple[str, str]) -> dict[str, str]:
    return cast("dict[str, str]", Headers(raw=[(name.encode(), value.encode()) for name, value in fields]))


async def test_a_field_that_comes_twice_counts_twice() -> None:
    for first, second in (("identity", "gzip"), ("gzip", "identity"), ("", "br")):
        head = repeated(("content-encoding", first), ("content-encoding", second))
        assert await refused(PAGE, head) == "content_coding_not_allowed"
    twice = repeated(("content-encoding", "identity"), ("content-encoding", "Identity"))
    assert (await read(PAGE, twice))[0] == PAGE
    for name in ("content-digest", "repr-digest", "digest"):
        right, wrong = (f"sha-256=:{in_base64('sha256', content)}:" for content in (PAGE, PAGE + b"x"))
        assert (await read(PAGE, repeated((name, right), (name, right))))[0] == PAGE
        assert await refused(PAGE, repeated((name, right), (name, wrong))) == "digest_mismatch"
    right, wrong = (in_base64("md5", content) for content in (PAGE, PAGE + b"x"))
    assert (await read(PAGE, repeated(("content-md5", right), ("content-md5", right))))[0] == PAGE
    assert await refused(PAGE, repeated(("content-md5", right), ("content-md5", wrong))) == "digest_mismatch"


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/mixed; boundary=X", "Multipart/Related; boundary=X"]
)
async def test_other_bodies_of_several_parts_are_refused(content_type: str) -> None:
    assert await refused(form(FILE), {"content-type": content_type}) == "form_not_taken_apart"


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "zstd", "aws-chunked", "identity, gzip", "gzip,"])
async def test_a_coding_is_refused(coding: str) -> None:
    assert await refused(PAGE, {"content-encoding": coding}) == "content_coding_not_allowed"


@pytest.mark.parametrize("coding", ["identity", "Identity", "", " ", "identity, identity", "identity,"])
async def test_no_coding_is_none(coding: str) -> None:
    assert (await read(PAGE, {"content-encoding": coding}))[0] == PAGE


def in_base64(algorithm: str, content: bytes) -> str:
    return base64.b64encode(hashlib.new(algorithm, content).digest()).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content-digest", "sha-256=:{sha256}:"),
        ("repr-digest", "unixsum=:1:, sha-512=:{sha512}:"),
        ("digest", "SHA-256={sha256},MD5={md5}"),
        ("content-md5", "{md5}"),
    ],
)
async def test_a_digest_is_checked(name: str, value: str) -> None:
    algorithms = ("sha256", "sha512", "md5")
    right = value.format(**{algorithm: in_base64(algorithm, PAGE) for algorithm in algorithms})
    wrong = value.format(**{algorithm: in_base64(algorithm, PAGE + b"x") for algorithm in algorithms})
    assert (await read(PAGE, {name: right}))[0] == PAGE
    assert await refused(PAGE, {name: wrong}) == "digest_mismatch"


async def test_a_form_s_digest_is_that_of_the_whole_form() -> None:
    body = form(FILE)
    assert (await read(body, {**HEAD, "content-digest": f"sha-256=:{in_base64('sha256', body)}:"}))[0] == INSIDE
    assert await refused(body, {**HEAD, "content-digest": f"sha-256=:{in_base64('sha256', INSIDE)}:"}) == (
        "digest_mismatch"
    )
