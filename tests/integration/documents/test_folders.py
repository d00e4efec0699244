"""Files of the hub's machine: only regular ones, only inside what the operator named."""

import os
from pathlib import Path

import pytest

from hub.core.documents.service.folders import Folders
from hub.errors import RejectedError
from hub.outbound.fetcher import printable
from schemas import media_types


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "labels"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.zpl").write_bytes(b"^XA^XZ")
    (tmp_path / "secret").write_bytes(b"hidden")
    (tmp_path / "labels-2").mkdir()
    (tmp_path / "labels-2" / "b").write_bytes(b"hidden")
    (root / "inside").symlink_to(root / "sub")
    (root / "out").symlink_to(tmp_path)
    (root / "passwd").symlink_to("/etc/passwd")
    (root / "ring").symlink_to(root / "ring")
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize("name", ["sub/a.zpl", "./sub/../sub/a.zpl", "inside/a.zpl"])
def test_a_file_inside_is_opened(root: Path, name: str) -> None:
    with Folders([root.parent / "other", root]).open(f"{root}/{name}") as file:
        assert file.read() == b"^XA^XZ"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../secret", "path_not_allowed"),
        ("../labels-2/b", "path_not_allowed"),
        ("sub/../../secret", "path_not_allowed"),
        ("out/secret", "path_not_allowed"),
        ("passwd", "path_not_allowed"),
        ("ring", "path_not_allowed"),
        ("pipe", "path_not_allowed"),
        ("sub", "path_not_allowed"),
        ("", "path_not_allowed"),
        (".", "path_not_allowed"),
        ("sub/a.zpl/x", "path_not_allowed"),
        ("a\0b", "path_not_allowed"),
        ("x" * 300, "path_not_allowed"),
        ("missing", "file_not_found"),
        ("missing/x", "file_not_found"),
    ],
)
def test_everything_else_is_refused(root: Path, name: str, code: str) -> None:
    with pytest.raises(RejectedError) as caught:
        Folders([root]).open(f"{root}/{name}")
    assert caught.value.code == code


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "/dev/zero", "labels/sub/a.zpl", "", "~/x"])
def test_nothing_outside_is_opened_and_without_folders_nothing_at_all(root: Path, path: str) -> None:
    for folders in (Folders([]), Folders([root])):
        with pytest.raises(RejectedError) as caught:
            folders.open(path)
        assert caught.value.code == "path_not_allowed"


def test_a_link_that_appears_after_the_check_leads_nowhere(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = Path.resolve

    def resolved_then_swapped(path: Path, strict: bool = False) -> Path:
        found = resolve(path, strict)
        if path.name == "a.zpl":
            (root / "sub").rename(root / "sub-2")
            (root / "sub").symlink_to(root.parent / "labels-2")
            (root.parent / "labels-2" / "a.zpl").write_bytes(b"hidden")
        return found

    monkeypatch.setattr(Path, "resolve", resolved_then_swapped)
    with pytest.raises(RejectedError) as caught:
        Folders([root]).open(f"{root}/sub/a.zpl")
    assert caught.value.code == "path_not_allowed"


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/a.pdf", "application/pdf"),
        ("/a.PNG", "image/png"),
        ("/a.zpl", "application/vnd.zebra-zpl"),
        ("/a.prn", "application/octet-stream"),
        ("/a", "application/octet-stream"),
        ("/a.txt", "text/plain"),
        ("/a.html", "text/html"),
    ],
)
def test_the_type_follows_from_the_ending(path: str, content_type: str) -> None:
    assert media_types.by_name(path) == content_type


@pytest.mark.parametrize(
    ("path", "head", "code"),
    [
        ("/a.html", b"<html>", "content_type_not_allowed"),
        ("/a.pdf", b"<html>", "content_type_not_allowed"),
        ("/a.docx", b"PK\x03\x04", "content_type_not_allowed"),
        ("/a.pdf", b"hello not a pdf", "content_type_mismatch"),
    ],
)
def test_a_page_is_no_document(path: str, head: bytes, code: str) -> None:
    with pytest.raises(RejectedError, match=code):
        printable(media_types.by_name(path), head)
