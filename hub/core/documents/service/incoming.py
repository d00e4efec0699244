"""A document's body as it comes: what its head says about it is checked, and a form is taken apart."""

import base64
import hashlib
import logging
import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any
from urllib.parse import unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from hub.errors import RejectedError
from schemas import media_types

_ALGORITHMS = {"sha-256": "sha256", "sha-512": "sha512", "md5": "md5"}
_DIGEST = re.compile(r"([A-Za-z0-9-]+)\s*=\s*:?([A-Za-z0-9+/]+={0,2}):?")
_MOST_PARTS = 20
_MOST_FIELDS = 64 * 1024
"""Bytes of all fields that are no file."""
_FILE_FIELDS = (b"file", b"document")
"""What counts as a file also without a name of its own."""
_PARAMETER = re.compile(r""";\s*([^=;"\s]*)\s*(?:=\s*("(?:[^"\\]|\\.)*(?:"|$)|[^;]*))?""")
"""One of a disposition; what stands in quotes is part of its value."""
_IN_UTF8 = re.compile(r"(?i)utf-8'[^']*'(\S+)\s*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_MOST_NAME = 255

# Who sent a broken form is told so; the library would write its own lines about it, as many as there are forms.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


class Incoming:
    """One body. `content_type` and `filename` are what its sender calls it; of a form, once it has been read."""

    def __init__(self, body: AsyncIterable[bytes], head: Mapping[str, str], filename: str | None = None) -> None:
        """`head`: the request's headers, their names in small letters; one may come several times among its items.
        Raises RejectedError for a coding, and for a part of a document."""
        head = _joined(head)
        codings = [coding.strip().lower() for coding in head.get("content-encoding", "").split(",")]
        if coded := [coding for coding in codings if coding not in ("", "identity")]:
            raise RejectedError("content_coding_not_allowed", coding=", ".join(coded))
        if "content-range" in head:
            raise RejectedError("partial_upload", range=head["content-range"])
        self._body = body
        self._digests = _digests(head)
        self.content_type = head.get("content-type", "")
        self.filename = filename

    async def parts(self) -> AsyncIterator[bytes]:
        """The document's bytes. Raises RejectedError when they are not those of the digests, or the form has not just
        one file."""
        if self.content_type.strip().lower().startswith("multipart/"):
            form = _Form(self.content_type)
            async for part in form.file(self._whole()):
                yield part
            self.content_type = form.content_type
            self.filename = self.filename or form.filename
        else:
            async for part in self._whole():
                yield part

    async def _whole(self) -> AsyncIterator[bytes]:
        """The body as it travels, which is what digests are about."""
        running = [(name, hashlib.new(_ALGORITHMS[name], usedforsecurity=False)) for name, _ in self._digests]
        async for part in self._body:
            for _, digest in running:
                digest.update(part)
            yield part
        for (name, wanted), (_, digest) in zip(self._digests, running, strict=True):
            if digest.digest() != wanted:
                raise RejectedError("digest_mismatch", algorithm=name)


class _Kind(Enum):
    FIELD = auto()
    FILE = auto()
    NAMELESS = auto()


@dataclass(slots=True)
class _Nameless:
    """A part that is the file, unless one with a file name comes: then it is a text about that."""

    content_type: str
    octets: bytearray = field(default_factory=bytearray)


class _Form:
    """One file of a form, as it comes. Fields beside it are read and forgotten."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != media_types.FORM.encode() or not boundary:
            raise _unreadable()
        self.content_type = ""
        self.filename: str | None = None
        self._parts = 0
        self._fields = 0
        self._before: bytearray | None = bytearray(b"\r\n")
        self._delimiter = b"\r\n--" + boundary
        self._kind = _Kind.FIELD
        self._found = False
        self._nameless: list[_Nameless] = []
        self._ended = False
        self._headers: dict[bytes, bytes] = {}
        self._name = b""
        self._value = b""
        self._ready: list[bytes] = []
        callbacks: Any = {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError:
            raise _unreadable() from None

    async def file(self, body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        async for part in body:
            try:
                self._parser.write(self._without_preamble(part))
            except FormParserError:
                raise _unreadable() from None
            ready, self._ready = self._ready, []
            for octets in ready:
                yield octets
        if not self._ended:
            raise _unreadable()
        if not self._found:
            if len(self._nameless) != 1:
                raise _unreadable()
            [only] = self._nameless
            self.content_type = only.content_type
            yield bytes(only.octets)

    def _without_preamble(self, part: bytes) -> bytes:
        """What of it stands behind the text that may come before the first boundary (RFC 2046, 5.1.1)."""
        if self._before is None:
            return part
        looked_at = max(0, len(self._before) - len(self._delimiter))
        self._before += part
        begin = self._before.find(self._delimiter, looked_at)
        if begin < 0 and len(self._before) > _MOST_FIELDS:
            raise _unreadable()
        if begin < 0:
            return b""
        rest = bytes(self._before[begin + 2 :])
        self._before = None
        return rest

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise _unreadable()
        self._headers = {}
        self._kind = _Kind.FIELD

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._name.lower() in self._headers:
            raise _unreadable()  # Two readers may take a different one.
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _on_headers_finished(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"").decode("utf-8", "replace")
        _, options = _options(disposition)
        name = _name_in_utf8(disposition) or options.get("filename", "")
        if not name and (options.get("name", "").encode() not in _FILE_FIELDS or self._found):
            return
        if self._headers.get(b"content-transfer-encoding", b"binary").strip().lower() not in (
            b"binary",
            b"8bit",
            b"7bit",
        ):
            raise _unreadable()
        content_type = self._headers.get(b"content-type", b"").decode("latin-1")
        if not name:
            self._kind = _Kind.NAMELESS
            self._nameless.append(_Nameless(content_type))
            return
        self._begin_file(content_type)
        self.filename = _plain(name)

    def _begin_file(self, content_type: str) -> None:
        if self._found:
            raise _unreadable()
        self._found, self._kind = True, _Kind.FILE
        self.content_type = content_type
        self._nameless.clear()  # Beside a file they are fields.

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._kind is _Kind.FILE:
            self._ready.append(data[start:end])
            return
        self._fields += end - start
        if self._kind is _Kind.NAMELESS:
            only = self._nameless[-1]
            only.octets += data[start:end]
            if self._fields > _MOST_FIELDS and len(self._nameless) == 1:
                # So large is no field.
                self._fields -= len(only.octets)
                self._begin_file(only.content_type)
                self._ready.append(bytes(only.octets))
        if self._fields > _MOST_FIELDS:
            raise _unreadable()

    def _on_end(self) -> None:
        self._ended = True


def _options(disposition: str) -> tuple[str, dict[str, str]]:
    """The parameters of a disposition. The library takes Latin-1 and gives it back."""
    kind, options = parse_options_header(disposition.encode().decode("latin-1"))
    return kind.decode("latin-1"), {
        name.decode("latin-1").lower(): value.decode("utf-8", "replace") for name, value in options.items()
    }


def _name_in_utf8(disposition: str) -> str:
    for parameter in _PARAMETER.finditer(disposition):
        if parameter[1].lower() == "filename*" and (value := _IN_UTF8.fullmatch(parameter[2] or "")):
            return unquote(value[1])
    return ""


def _plain(name: str) -> str | None:
    """A file's name without its folders, in either system's spelling."""
    return _UNPRINTABLE.sub("", name.replace("\\", "/").rpartition("/")[2])[:_MOST_NAME] or None


def _joined(head: Mapping[str, str]) -> dict[str, str]:
    """A field that comes several times is one list (RFC 9110, 5.3)."""
    joined: dict[str, str] = {}
    for name, value in head.items():
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _digests(head: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Algorithm and value of what the head says about the body (RFC 9530, RFC 3230, RFC 1864)."""
    said = [
        pair for name in ("content-digest", "repr-digest", "digest") for pair in _DIGEST.findall(head.get(name, ""))
    ]
    if "content-md5" in head:
        said += [("md5", value.strip()) for value in head["content-md5"].split(",")]
    return [(name.lower(), _decoded(value)) for name, value in said if name.lower() in _ALGORITHMS]


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return b""


def _unreadable() -> RejectedError:
    return RejectedError("form_not_taken_apart")
