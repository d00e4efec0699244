"""The file of a backup: what was written comes out, and nothing that is damaged or made by others gets through."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.errors import SetupError
from hub.programs.backup import container
from hub.programs.backup.container import DUMP, MANIFEST, SUM, Manifest, Part

KEPT = {
    DUMP: b"PGDMP" + bytes(range(256)) * 20,
    "keys/root.key": b"ab" * 32,
    "keys/command.key": b"cd" * 32,
    "archive/commands-2026-11-21.jsonl": b"",
    "admin.key": b"fh_...",
}
HEAD = Manifest(
    format=container.FORMAT,
    format_version=1,
    floorhub="1.0",
    revision="0012",
    taken_at=datetime(2026, 11, 29, tzinfo=UTC),
    embedded=True,
    postgres="18.4",
    pg_dump=18,
    keys={},
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    sources = []
    for number, (name, content) in enumerate(KEPT.items()):
        source = tmp_path / f"part-{number}"
        source.write_bytes(content)
        sources.append((name, source))
    made = tmp_path / "backup"
    container.write(made, HEAD, sources)
    return made


def look(path: Path) -> container.Manifest:
    """Read all of it, as a restore does first."""
    with container.opened(path) as backup:
        backup.verify()
        return backup.manifest


def test_what_was_written_comes_out_and_only_its_owner_may_read_it(file: Path, tmp_path: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    with container.opened(file) as backup:
        assert backup.manifest.revision == "0012"
        for name in backup.names:
            backup.extract(name, tmp_path / "out" / name)
            assert (tmp_path / "out" / name).stat().st_mode & 0o777 == 0o600
    assert {name: (tmp_path / "out" / name).read_bytes() for name in KEPT} == KEPT
    with tarfile.open(file) as tar:  # a person may look into it with the usual tools
        assert tar.getnames() == [*KEPT, MANIFEST, SUM]
        assert min(member.mtime for member in tar) > 1_700_000_000, "not 1970: `tar -tv` shows when it was made"


def test_no_byte_can_change_and_no_end_can_be_missing(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    changed = tmp_path / "changed"
    with tarfile.open(file) as tar:
        places = [(member.offset, member.offset_data + member.size) for member in tar]
    assert len(places) == len(KEPT) + 2
    for place in [place for begin, end in places for place in (*range(begin, end, 101), *range(begin, end)[-1:])]:
        changed.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(SetupError):
            look(changed)
    for end in range(0, len(whole) - 1_024, 251):
        changed.write_bytes(whole[:end])
        with pytest.raises(SetupError):
            look(changed)


def tar(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A tar as anybody could make one."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as made:
        for info, content in members:
            info.size = len(content) if info.isreg() else 0
            made.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return out.getvalue()


def plain(name: str, content: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), content


def special(name: str, kind: bytes, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, b""


def manifest_of(members: list[tuple[tarfile.TarInfo, bytes]]) -> list[tuple[tarfile.TarInfo, bytes]]:
    """One that fits, with its sum, so that only what is planted is wrong."""
    parts = [Part(info.name, len(content), hashlib.sha256(content).hexdigest()) for info, content in members]
    text = msgspec.json.encode(msgspec.structs.replace(HEAD, parts=parts))
    return [plain(MANIFEST, text), plain(SUM, hashlib.sha256(text).hexdigest().encode())]


BASE = [plain(name, content) for name, content in KEPT.items()]
HOSTILE = {
    "a path outside": [plain("../../etc/cron.d/x")],
    "an absolute path": [plain("/etc/passwd")],
    "a path outside behind an allowed folder": [plain("keys/../../x")],
    "a folder of somebody else": [plain("postgres/18/pg_hba.conf")],
    "a key of a name of its own": [plain("keys/postgres-18.json")],
    "a hidden archive": [plain("archive/.bashrc")],
    "a symbolic link": [special("admin.key", tarfile.SYMTYPE, "/etc/shadow")],
    "a hard link": [special("admin.key", tarfile.LNKTYPE, "/etc/shadow")],
    "a folder": [special("keys", tarfile.DIRTYPE)],
    "a device": [special("admin.key", tarfile.CHRTYPE)],
    "a pipe": [special("admin.key", tarfile.FIFOTYPE)],
    "a sparse file": [special("admin.key", tarfile.GNUTYPE_SPARSE)],
    "a long name by an extended header": [plain(f"archive/{'a' * 300}")],
    "a part twice": [plain("ports.json", b"{}"), plain("ports.json", b"{}")],
}


@pytest.mark.parametrize("planted", HOSTILE.values(), ids=HOSTILE)
def test_what_somebody_else_packed_is_refused(tmp_path: Path, planted: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    file = tmp_path / "hostile"
    members = [*[part for part in BASE if part[0].name != planted[0][0].name], *planted]
    file.write_bytes(tar([*members, *manifest_of(members)]))

    with pytest.raises(SetupError, match="Nothing was changed"):
        look(file)
    assert [entry.name for entry in tmp_path.iterdir()] == ["hostile"]


def test_the_same_without_anything_planted_is_read(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    file = tmp_path / "well"
    file.write_bytes(tar([*BASE, *manifest_of(BASE)]))

    assert look(file).revision == "0012"


def claims(size: int) -> Callable[[bytes], bytes]:
    """The first header says another size."""

    def change(raw: bytes) -> bytes:
        info = tarfile.TarInfo.frombuf(raw[:512], "utf-8", "strict")
        info.size = size
        return info.tobuf(tarfile.GNU_FORMAT) + raw[512:]

    return change


@pytest.mark.parametrize(
    "change",
    [
        claims(10**15),
        gzip.compress,
        lambda raw: raw[:-1_024] + raw,  # behind its manifest
        lambda _: b"",
        lambda _: bytes(10_240),
        lambda _: b"PGDMP and no more",
        lambda raw: raw.replace(b"floorhub-backup", b"floorhub-packup"),
        lambda raw: raw.replace(b'"1.0"', b'"1.1"'),
    ],
    ids=["a bomb", "compressed", "twice", "empty", "zeros", "a bare dump", "another format", "another manifest"],
)
def test_what_is_no_backup_is_refused(file: Path, change: Callable[[bytes], bytes]) -> None:
    file.write_bytes(change(file.read_bytes()))

    with pytest.raises(SetupError):
        look(file)


def test_a_newer_format_names_the_version_that_made_it(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"format_version": 1', b'"format_version": 2'))

    with pytest.raises(SetupError, match=r"has format 2.*\(1\.0\)"):
        look(file)


def test_a_name_that_is_taken_stays(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")

    with pytest.raises(SetupError, match="exists already"):
        container.publish(file, other)

    assert other.read_text() == "mine"


@pytest.mark.parametrize(
    "changes",
    [
        *({"postgres": text} for text in ("", "x", "-1", "0", "18" * 5, "\uff11\uff18")),
        {"taken_at": datetime(1, 1, 1, tzinfo=UTC)},
        {"taken_at": datetime(9999, 12, 31, tzinfo=UTC)},
        {"taken_at": datetime(2026, 11, 29)},  # noqa: DTZ001 - of no zone
    ],
    ids=str,
)
def test_a_manifest_that_no_server_and_no_time_can_be_of_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    source, made = tmp_path / "part", tmp_path / "backup"
    source.write_bytes(b"PGDMP")
    container.write(made, msgspec.structs.replace(HEAD, **changes), [(name, source) for name in container.REQUIRED])

    with pytest.raises(SetupError, match="Nothing was changed"):
        look(made)


@pytest.mark.parametrize(("version", "major"), [("18.4", 18), ("14.2 (Debian 14.2-1)", 14), ("19beta1", 19)])
def test_the_major_of_a_server_is_read_from_its_version(version: str, major: int) -> None:
    assert container.major_of(version) == major
