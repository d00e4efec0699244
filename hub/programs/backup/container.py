"""The file of a backup: a plain tar of known parts, with a manifest and its sum at its end.

It is read by a reader of its own, since a file from outside may want more than `tarfile` refuses: only plain files of
the names below, each once, no links, no folders, no extended headers, no compression; nothing is larger than the file
itself. The manifest has the SHA-256 of every part; these find damage, they prove no origin.
"""

import hashlib
import os
import re
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from hub.errors import SetupError
from hub.keys import cannot_write, sync_folder
from hub.programs.embedded.errors import reason

FORMAT = "floorhub-backup"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
SUM = "manifest.sha256"
DUMP = "database.dump"
KEYS = ("root.key", "command.key", "data.key", "audit.key", "keys.signed", "broker-accounts.json")
"""What of the folder `keys` belongs to the hub and not to this machine's Postgres."""
AUTHORITY = ("authority/authority.key", "authority/authority.pem")
"""The hub's own certificate authority: only in a backup that was asked for it."""
REQUIRED = (DUMP, "keys/root.key", "keys/command.key")
PLAIN = (
    DUMP,
    "admin.key",
    "agent/agent.toml",
    "ports.json",
    "settings.env",
    *(f"keys/{name}" for name in KEYS),
    *AUTHORITY,
)
_ARCHIVED = re.compile(r"archive/[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_MAJOR = re.compile(r"[1-9][0-9]{0,3}(?![0-9])")
_YEARS = (2000, 9000)
_BLOCK = 512
_CHUNK = 1024 * 1024
_MOST_PARTS = 50_000
_MOST_MANIFEST = 32 * 1024 * 1024


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part: its size in bytes and its SHA-256, hex."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of. `taken_at`: what was accepted later is not in it. `keys`: the public ones, base64url."""

    format: str
    format_version: int
    floorhub: str
    revision: str
    taken_at: datetime
    embedded: bool
    postgres: str
    pg_dump: int
    keys: dict[str, str]
    parts: list[Part] = []


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    offset: int
    size: int


def major_of(postgres: str) -> int:
    """The major of a server by its version, such as `18.1 (Debian 18.1-1)` or `19beta1`. Raises ValueError."""
    found = _MAJOR.match(postgres)
    if found is None:
        raise ValueError(postgres)
    return int(found[0])


def is_part(name: str) -> bool:
    """Whether a part may have this name, which is also its place in the data folder."""
    return name in PLAIN or _ARCHIVED.fullmatch(name) is not None


def write(file: Path, manifest: Manifest, sources: Iterable[tuple[str, Path]]) -> Manifest:
    """Write a new file (0600) of these parts and have it on the disk; the manifest with its parts. A source that went
    away meanwhile, as archived rows do when they are compressed, is left out. Raises OSError."""
    parts = []
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        for name, source in sources:
            try:
                opened = source.open("rb")
            except FileNotFoundError:
                if name in REQUIRED:
                    raise
                continue
            with opened:
                # What is appended while it is read does not belong to it.
                size = os.fstat(opened.fileno()).st_size
                parts.append(Part(name, size, _append(out, name, opened, size)))
        manifest = msgspec.structs.replace(manifest, parts=parts)
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        for name, content in ((MANIFEST, text), (SUM, hashlib.sha256(text).hexdigest().encode())):
            out.write(_header(name, len(content)) + content + _padding(len(content)))
        out.write(bytes(2 * _BLOCK))
        out.flush()
        os.fsync(out.fileno())
    return manifest


def _append(out: BinaryIO, name: str, source: BinaryIO, size: int) -> str:
    """Copy so many bytes behind a header; their SHA-256. Raises OSError when there are fewer."""
    out.write(_header(name, size))
    digest = hashlib.sha256()
    for chunk in _chunks(source, size):
        digest.update(chunk)
        out.write(chunk)
    out.write(_padding(size))
    return digest.hexdigest()


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(time.time())
    header = info.tobuf(tarfile.GNU_FORMAT)
    assert len(header) == _BLOCK  # noqa: S101 - names are short, so no extended header comes before it
    return header


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def _chunks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left:
        chunk = stream.read(min(left, _CHUNK))
        if not chunk:
            raise OSError(f"it ends {left} bytes early")
        left -= len(chunk)
        yield chunk


class Backup:
    """A file that was looked through: its manifest, and parts whose bytes are checked when they are read."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        """Raises SetupError for a file that is no backup, damaged, or not made by us."""
        self._path = path
        self._stream = stream
        self.size = os.fstat(stream.fileno()).st_size
        members = self._members()
        if [member.name for member in members[-2:]] != [MANIFEST, SUM]:
            raise _damaged(
                path,
                "it has no manifest at its end: it was not written to its end, or is no backup",
                "끝에 매니페스트가 없습니다. 끝까지 쓰이지 않았거나 백업이 아닙니다",
            )
        told, manifest = members.pop(), members.pop()
        self.manifest = self._read_manifest(manifest, told)
        self._parts = {part.name: part for part in self.manifest.parts}
        self._places = {member.name: member for member in members}
        described = {part.name: part.bytes for part in self.manifest.parts}
        found = {member.name: member.size for member in members}
        if len(described) != len(self.manifest.parts) or len(found) != len(members) or described != found:
            raise _damaged(path, "its parts are not those of its manifest", "들어 있는 항목이 매니페스트와 다릅니다")
        missing = [name for name in REQUIRED if name not in found]
        if missing:
            raise _damaged(
                path,
                f"{', '.join(missing)} is missing",
                f"{', '.join(missing)}이(가) 없습니다",
            )

    @property
    def names(self) -> list[str]:
        """Of all parts."""
        return list(self._parts)

    def verify(self) -> None:
        """Read every part and compare it with the manifest. Raises SetupError."""
        for name in self._parts:
            for _ in self._bytes(name):
                pass

    def extract(self, name: str, target: Path) -> None:
        """Write a part into a new file (0600), checked. Raises SetupError, also when the disk takes no more."""
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                for chunk in self._bytes(name):
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
        except OSError as problem:
            raise cannot_write(target, problem) from None

    def _bytes(self, name: str) -> Iterator[bytes]:
        place = self._places[name]
        digest = hashlib.sha256()
        self._stream.seek(place.offset)
        for chunk in self._read(place.size):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != self._parts[name].sha256:
            raise _damaged(
                self._path,
                f"{name} has another SHA-256 than its manifest says",
                f"{name}의 SHA-256이 매니페스트와 다릅니다",
            )

    def _read(self, size: int) -> Iterator[bytes]:
        chunks = _chunks(self._stream, size)
        while True:
            try:
                chunk = next(chunks)
            except StopIteration:
                return
            except OSError as problem:
                raise _damaged(self._path, reason(problem), reason(problem)) from None
            yield chunk

    def _members(self) -> list[_Member]:
        """All members, by their headers alone."""
        found: list[_Member] = []
        offset = 0
        while True:
            self._stream.seek(offset)
            block = self._stream.read(_BLOCK)
            if block == bytes(_BLOCK):
                return found
            try:
                info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            except (tarfile.HeaderError, UnicodeDecodeError, ValueError):
                raise _damaged(
                    self._path,
                    "it is no backup of Floorhub, or ends early",
                    "Floorhub의 백업이 아니거나 중간에 끊겼습니다",
                ) from None
            if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.linkname:
                raise _damaged(
                    self._path, f"{info.name!r} is no plain file", f"{info.name!r}은(는) 일반 파일이 아닙니다"
                )
            if info.name not in (MANIFEST, SUM) and not is_part(info.name):
                raise _damaged(
                    self._path,
                    f"{info.name!r} does not belong into a backup",
                    f"{info.name!r}은(는) 백업에 들어갈 수 없습니다",
                )
            offset += _BLOCK
            if info.size < 0 or offset + info.size > self.size or len(found) > _MOST_PARTS:
                raise _damaged(
                    self._path,
                    f"{info.name!r} is larger than the file, which may end early",
                    f"{info.name!r}이(가) 파일보다 큽니다. 파일이 중간에 끊겼을 수 있습니다",
                )
            found.append(_Member(info.name, offset, info.size))
            offset += info.size + len(_padding(info.size))

    def _read_manifest(self, member: _Member, told: _Member) -> Manifest:
        if max(member.size, told.size) > _MOST_MANIFEST:
            raise _damaged(self._path, "its manifest is too large", "매니페스트가 너무 큽니다")
        self._stream.seek(member.offset)
        raw = b"".join(self._read(member.size))
        try:
            head: Mapping[str, object] = msgspec.json.decode(raw, type=dict[str, msgspec.Raw | object])
            known = head.get("format") == FORMAT
            version = head.get("format_version")
        except (msgspec.DecodeError, RecursionError):
            raise _damaged(self._path, "its manifest cannot be read", "매니페스트를 읽을 수 없습니다") from None
        if not known:
            raise _damaged(self._path, "it is no backup of Floorhub", "Floorhub의 백업이 아닙니다")
        if version != FORMAT_VERSION:
            raise SetupError(
                f"{self._path} has format {version}, and this version of Floorhub reads format {FORMAT_VERSION}: use "
                f"the version that made it ({head.get('floorhub')}) or a newer one.",
                ko=f"{self._path}의 형식은 {version}이고 이 버전의 Floorhub은 형식 {FORMAT_VERSION}만 읽습니다. 백업을 "
                f"만든 버전({head.get('floorhub')}) 또는 더 새로운 버전을 쓰십시오.",
            )
        self._stream.seek(told.offset)
        if b"".join(self._read(told.size)) != hashlib.sha256(raw).hexdigest().encode():
            raise _damaged(self._path, "its manifest is not what it was", "매니페스트가 바뀌었습니다")
        try:
            manifest = msgspec.json.decode(raw, type=Manifest)
            major_of(manifest.postgres)
        except (msgspec.DecodeError, RecursionError, ValueError):
            raise _damaged(self._path, "its manifest cannot be read", "매니페스트를 읽을 수 없습니다") from None
        if manifest.taken_at.tzinfo is None or not _YEARS[0] <= manifest.taken_at.year <= _YEARS[1]:
            raise _damaged(
                self._path,
                "its manifest has a time that no backup can have",
                "매니페스트에 백업일 수 없는 시각이 들어 있습니다",
            )
        return manifest


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """A backup to read. Raises SetupError for a file that is none."""
    try:
        stream = path.open("rb")
    except OSError as problem:
        raise SetupError(
            f"{path} cannot be read: {reason(problem)}.", ko=f"{path}을(를) 읽을 수 없습니다: {reason(problem)}."
        ) from None
    with stream:
        if not path.is_file():
            raise _damaged(path, "it is no file", "파일이 아닙니다")
        yield Backup(path, stream)


def publish(made: Path, file: Path) -> None:
    """Give a finished file its name, unless something has that name. Raises SetupError."""
    try:
        os.link(made, file)
    except FileExistsError:
        raise _exists(file) from None
    except OSError as problem:  # a file system without links
        try:
            if file.exists():
                raise _exists(file) from None
            made.rename(file)
        except OSError:
            raise cannot_write(file, problem) from None
    sync_folder(file.parent)


def require_new(file: Path) -> None:
    """Raise SetupError when a name is taken, or no name that a file can have here."""
    try:
        os.lstat(file)
    except FileNotFoundError:
        return
    except OSError as problem:
        raise cannot_write(file, problem) from None
    raise _exists(file)


def _exists(file: Path) -> SetupError:
    """The sentence about a name that is taken."""
    return SetupError(
        f"{file} exists already: move it away, or name another file.",
        ko=f"{file}이(가) 이미 있습니다. 옮기거나 다른 파일 이름을 지정하십시오.",
    )


def _damaged(path: Path, why: str, why_ko: str) -> SetupError:
    return SetupError(
        f"{path} cannot be used: {why}. Nothing was changed. Use another copy of the backup.",
        ko=f"{path}을(를) 쓸 수 없습니다: {why_ko}. 아무것도 바꾸지 않았습니다. 백업의 다른 사본을 쓰십시오.",
    )
