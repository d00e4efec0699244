"""What `make run`, its set-up, a backup and an agent's configuration say, they say in English and in Korean."""

import ast
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.registry import Drivers
from hub.errors import SetupError
from hub.programs.backup import container
from hub.programs.embedded.ports import PortBook
from schemas.network_words import in_words
from schemas.text import korean_of
from tests.support.paths import ROOT

FILES = [
    *(ROOT / "hub/programs/embedded").glob("*.py"),
    *(ROOT / "hub/programs/backup").glob("*.py"),
    *(ROOT / "hub" / name for name in ("runtime.py", "mqtt/link.py", "outbound/fetcher.py", "database/migrate.py")),
    ROOT / "hub/core/broker/subject.py",
    *(ROOT / "hub/programs/cli" / name for name in ("up.py", "broker_files.py", "api.py", "clients.py")),
    ROOT / "scripts/setup_environment.py",
]
ERRORS = {"EmbeddedError", "NotPermittedError", "SetupError"}
TELLERS = {"say", "_say", "_say_once", "fail"}
PASSED_ON = {"program.log_tail().splitlines()[-1]", "f\"{folder / 'admin.key'}: {told(problem)}.\""}
"""What was said in the person's language before."""
KOREAN = re.compile("[가-힣]")


def of_one_language(file: Path) -> Iterator[str]:
    """Errors without Korean, and sentences that are said as they are written."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        both = any(argument.arg == "ko" for argument in node.keywords) or KOREAN.search(ast.unparse(node))
        if name in ERRORS and not both and ast.unparse(node.args[0]) not in PASSED_ON:
            yield f"{file.name}:{node.lineno}: {name}"
        if name in TELLERS and node.args and isinstance(node.args[0], ast.Constant | ast.JoinedStr):
            words = "".join(part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant))
            if re.search(r"[A-Za-z]{3,}", words) and "Python 3.11 or newer" not in words:
                yield f"{file.name}:{node.lineno}: {words[:60]}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_sentence_has_one_language_only(file: Path) -> None:
    assert list(of_one_language(file)) == []


def test_the_set_up_speaks_korean_before_anything_is_installed() -> None:
    script = str(ROOT / "scripts/setup_environment.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", script, "nothing"],
        env={"LANG": "ko_KR.UTF-8", "PYTHONUTF8": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr.startswith("준비: 환경을 지정하십시오")) == (1, True), done.stderr


def test_a_port_that_is_taken_is_told_in_korean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1]
        chosen = PortBook(tmp_path / "ports.json").choose("mqtt", wanted)
    assert chosen.why == (f"포트 {wanted}을(를) 다른 프로그램이 쓰고 있어 mqtt은(는) {chosen.number}을(를) 씁니다.")


@pytest.mark.parametrize("uri", ["usb://printer", "ipp://a:port/x", "socket://a/b", "folder:here", "ipp:///x", "x"])
def test_a_printers_address_is_corrected_in_both_languages(tmp_path: Path, uri: str) -> None:
    with pytest.raises(ValueError, match=r"printers\.a\.uri: ") as problem:
        Drivers([PrinterConfig(name="a", uri=uri)], {}, version="1", folder=tmp_path)
    korean = korean_of(problem.value)
    assert korean.startswith("printers.a.uri: ")
    assert KOREAN.search(korean)
    assert " must " not in korean


def test_a_backup_that_ends_early_is_told_in_both_languages(tmp_path: Path) -> None:
    file = tmp_path / "early.backup"
    file.write_bytes(b"x" * 5_000)
    with pytest.raises(SetupError) as problem, container.opened(file):
        pass
    why = problem.value.korean.partition("쓸 수 없습니다: ")[2].partition(". 아무것도")[0]
    assert KOREAN.search(why), problem.value.korean


def test_why_a_connection_failed_is_told_in_both_languages() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="refused") as problem:
            socket.create_connection(free.getsockname(), 5)
    assert in_words(problem.value) == ("Connection refused", "연결이 거부됨")
    assert in_words(TimeoutError()) == ("TimeoutError", "시간 초과")
    assert in_words("something else") == ("something else", "something else")
