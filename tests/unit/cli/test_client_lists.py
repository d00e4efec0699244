"""Lists of clients as people have them."""

import codecs
import os
from pathlib import Path
from unicodedata import normalize

import pytest

from hub.errors import SetupError
from hub.programs.cli import client_lists, client_secrets
from hub.programs.cli.client_lists import MOST_COLUMNS, MOST_ROWS, read_list
from hub.tokens import CLIENT_SECRET, new_token

ROWS = [{"id": "pc-1", "name": "포장, 1번", "groups": ["a", "b"]}, {"id": "pc-2", "zone": "hall-2"}]
COMMA = 'id,name,zone,groups\npc-1,"포장, 1번",,"a,b"\npc-2,,hall-2,\n'


def rows(raw: bytes, **options: object) -> list[dict[str, object]]:
    read = read_list(raw, **options)  # type: ignore[arg-type]
    assert read.wrong == []
    return [line.row for line in read.lines]


@pytest.mark.parametrize(
    "raw",
    [
        COMMA.encode(),
        codecs.BOM_UTF8 + COMMA.encode(),
        COMMA.replace("\n", "\r\n").encode(),
        COMMA.replace("\n", "\r").encode(),
        COMMA.rstrip().encode(),
        f"\n{COMMA}\n,,,\n".encode(),
        normalize("NFD", COMMA).encode(),
        COMMA.encode("utf-16"),
        codecs.BOM_UTF16_BE + COMMA.encode("utf-16-be"),
        "id;name;zone;groups\npc-1;포장, 1번;;a,b\npc-2;;hall-2;\n".encode(),
        "sep=;\r\nID;Name;Zone;Group\r\npc-1;포장, 1번;;a|b\r\npc-2;;hall-2;\r\n".encode(),
        "그룹\t클라이언트 ID\t구역\t이름\na,b\tpc-1\t\t포장, 1번\n\tpc-2\thall-2\t\n".encode(),
        '"Client_ID","GROUPS","zone","name"\n"pc-1","a; b","","포장, 1번"\n"pc-2","","hall-2"," "\n'.encode(),
    ],
)
def test_one_list_in_every_form(raw: bytes) -> None:
    assert rows(raw) == ROWS


def test_an_old_encoding_is_named() -> None:
    raw = COMMA.encode("cp949")
    assert rows(raw, encoding="cp949") == ROWS
    with pytest.raises(SetupError, match=r"Line 2 is not UTF-8.*cp949"):
        read_list(raw)
    with pytest.raises(SetupError, match="no such encoding"):
        read_list(raw, encoding="cp94\x1b9")


def test_what_cells_say() -> None:
    raw = (
        b"id,kind,rate_limit,per_day,allow,tags,metadata.asset,metadata.Room\n"
        b'pc-1,Printer PC,"100,000",20,"print|status","a\nb",A-1,=1+1\n'
    )
    assert rows(raw) == [
        {
            "id": "pc-1",
            "kind": "printer_pc",
            "rate_limit": 100_000,
            "max_commands_per_day": 20,
            "allowed_actions": ["print", "status"],
            "tags": ["a", "b"],
            "metadata": {"asset": "A-1", "Room": "=1+1"},
        }
    ]


def test_kinds_can_be_korean() -> None:
    words = ["프린터", "프린터 pc", "PDA", "단말기", "키오스크", "화면", "디스플레이", "기타", "세탁기"]
    read = rows("\n".join(["아이디;종류", *(f"pc-{at};{word}" for at, word in enumerate(words))]).encode())
    kinds = ["printer_pc", "printer_pc", "pda", "pda", "kiosk", "screen", "screen", "other", "세탁기"]
    assert [row["kind"] for row in read] == kinds


def test_every_wrong_line_is_named_where_it_begins() -> None:
    raw = b'id,name,rate_limit\npc-1,"two\nlines",1\npc-2,a\n,b,3\npc-3,c,1.5\npc-1,d,4\npc-4,e,f,5\npc-5,g,6,,\n'
    read = read_list(raw)
    assert [(line.number, line.row["id"]) for line in read.lines] == [(2, "pc-1"), (9, "pc-5")]
    assert [(wrong.number, wrong.field) for wrong in read.wrong] == [
        (4, ""),
        (5, "id"),
        (6, "rate_limit"),
        (7, "id"),
        (8, ""),
    ]
    assert "line 2" in read.wrong[3].message


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"\n\r\n \n", "is empty"),
        (b"name,zone\na,b\n", "no column `id`"),
        (b"id,nmae\na,b\n", "Line 1: `nmae` is no column.*Did you mean `name`"),
        (b"id,secret\na,b\n", "Line 1: `secret` is no column.*metadata.secret.*--skip-columns"),
        (b"id,tag,tags\na,b,c\n", "two columns are for tags"),
        (b'id,name\npc-1,"open\n', "Line 2: this is no CSV"),
        (b'id,name\npc-1,a"b"\npc-2,"a"b\n', "Line 3: this is no CSV"),
        (b"id,name\npc-1,\0\n", "Line 2 has NUL"),
        ("id,name\n".encode("utf-16-le"), "NUL.*--encoding utf-16"),
        (b"id,name\npc-1," + b"x" * 20_001, "Line 2: this is no CSV"),
        (b"x" * (client_lists.MOST_BYTES + 1), "larger than 16 MiB"),
        (b"id\n" + b"".join(b"pc-%d\n" % n for n in range(MOST_ROWS + 1)), "more than 20,000"),
        (b"\x89PNG\r\n\x1a\n", "Line 1 is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(raw: bytes, said: str) -> None:
    with pytest.raises(SetupError, match=said) as refused:
        read_list(raw)
    assert refused.value.korean != str(refused.value)


@pytest.mark.parametrize(
    ("raw", "encoding", "said"),
    [
        (b"id,name\n", "no-such", "no such encoding"),
        (b"id,name\n", "hex", "no such encoding"),
        (b"id,name\n", "undefined", "no such encoding"),
        (b"id,name\na,b\n", "punycode", "no such encoding"),
        (b"id,name\n", "\udcff", "no such encoding"),
        (b"id,name\npc-1,+2AA-\n", "utf-7", "Line 2 is not utf-7"),
        (b"id,name\npc-1,\\ud800\n", "unicode_escape", "Line 2 is not unicode_escape"),
    ],
)
def test_an_encoding_that_makes_no_text_is_refused(raw: bytes, encoding: str, said: str) -> None:
    with pytest.raises(SetupError, match=said):
        read_list(raw, encoding=encoding)


def test_a_list_has_so_many_columns_at_most() -> None:
    most = ",".join(f"metadata.{n}" for n in range(MOST_COLUMNS - 1))
    (row,) = rows(f"id,{most}\npc-1{',x' * (MOST_COLUMNS - 1)}\n".encode())
    assert len(row["metadata"]) == MOST_COLUMNS - 1  # type: ignore[arg-type]
    with pytest.raises(SetupError, match=r"Line 1: this is no CSV .more than 1,000 cells"):
        read_list(f"id,{most},metadata.x\n".encode(), skip_columns=True)


def test_unknown_columns_can_be_left_out() -> None:
    assert rows(b"id,secret,,Serial\npc-1,x,,7\n", skip_columns=True) == [{"id": "pc-1"}]


def test_the_file_of_secrets_keeps_what_it_has(tmp_path: Path) -> None:
    file = tmp_path / "secrets.csv"
    assert client_secrets.read(file) == {}
    secrets = {f"pc-{n}": new_token(CLIENT_SECRET) for n in range(3)}
    client_secrets.write(file, secrets)
    assert file.stat().st_mode & 0o777 == 0o600
    assert client_secrets.read(file) == secrets
    with client_secrets.held(file), pytest.raises(SetupError, match="Another import"), client_secrets.held(file):
        pass
    file.chmod(0o640)
    with pytest.raises(SetupError, match="chmod 600"):
        client_secrets.read(file)
    file.unlink()
    (tmp_path / "elsewhere").write_text("id,secret\n")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SetupError, match="--secrets"):
        client_secrets.read(file)


def test_a_file_that_another_user_made_or_that_is_a_pipe_is_not_taken_for_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(SetupError, match="it is no list"):
        client_secrets.read(pipe)
    file = tmp_path / "secrets.csv"
    client_secrets.write(file, {"pc-1": new_token(CLIENT_SECRET)})
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(SetupError, match="belongs to another user"):
        client_secrets.read(file)


def test_secrets_are_not_written_through_what_somebody_put_beside_them(tmp_path: Path) -> None:
    file, theirs = tmp_path / "secrets.csv", tmp_path / "theirs"
    theirs.write_text("")
    theirs.chmod(0o666)
    (tmp_path / f".secrets.csv.{os.getpid()}").symlink_to(theirs)
    client_secrets.write(file, {"pc-1": new_token(CLIENT_SECRET)})
    assert theirs.read_text() == ""
    assert not file.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(tmp_path.iterdir()) == [file, theirs]


@pytest.mark.parametrize("content", ["", "id,name\na,b\n", "id,secret\na,no-secret\n", "id,secret\na\n", "\udcff"])
def test_another_file_is_not_taken_for_secrets(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secrets.csv"
    file.write_bytes(content.encode(errors="surrogateescape"))
    file.chmod(0o600)
    with pytest.raises(SetupError, match="cannot be used for the secrets"):
        client_secrets.read(file)
