"""What the pages quote of the screen is what the program shows there, in both languages."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.programs.cli import output, timeline, up
from hub.programs.cli.words import PRESENCE, WHY_PRESENT, presence
from tests.contract.docs.pages import read
from tests.support.zones import in_zone

ROOT = Path("/home/kim/.local/share/floorhub")
TIMES = {"created": 910, "queued": 916, "sent": 918, "accepted": 919, "started": 921, "completed": 1049}
"""Milliseconds after 06:37:36."""
AFTER_MS = (0.0, 5.2, 2.3, 0.8, 2.3, 127.7)
COMMAND: dict[str, Any] = {
    "id": "01a1fcd3-1f0a-741b-9673-56bbde8e8393",
    "action": "print",
    "client_id": "front-desk",
    "status": "completed",
    "payload": {},
    "result": {"message": "Job completed."},
}
CLIENT_LIST = re.compile(r"`((?:오프라인|온라인|확인 안 됨)\([^`]*)`|`([가-힣 ]+\([a-z_]+\))`")
PAGES = ("docs/quick-start.ko.md", "docs/how-to/troubleshooting.ko.md")


@pytest.fixture(autouse=True)
def _in_utc() -> Iterator[None]:
    with in_zone("UTC"):
        yield


@pytest.mark.parametrize(
    ("page", "language", "whole"),
    [
        ("README.md", "C.UTF-8", True),
        ("README.ko.md", "ko_KR.UTF-8", True),
        ("docs/quick-start.md", "C.UTF-8", False),
        ("docs/quick-start.ko.md", "ko_KR.UTF-8", False),
    ],
)
def test_the_first_start(
    page: str,
    language: str,
    whole: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LANG", language)
    steps = [
        {"event": event, "at": f"2026-11-21T06:37:{36 + ms // 1000}.{ms % 1000:03}Z", "after_ms": after, "detail": None}
        for (event, ms), after in zip(TIMES.items(), AFTER_MS, strict=True)
    ]
    timeline.show(COMMAND, steps, korean=language.startswith("ko"))
    shown = capsys.readouterr().out
    places = up.places("http://127.0.0.1:8080", ROOT, ROOT / "admin.key", ROOT / "logs")
    if whole:
        shown = f"{up.ready(1.6)}\n{shown}"
        monkeypatch.setattr(output, "is_terminal", lambda: True)
        link = tmp_path / "first-administrator.link"
        link.write_text("http://127.0.0.1:8080/first-administrator#token=fhl_...\n")
        places += up.first_administrator(link)
    told = "\n".join(places if whole else places[:2])
    assert f"```\n{shown}\n{told}\n```" in read(page)


@pytest.mark.parametrize("page", PAGES)
def test_presence_in_korean(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both as a whole, and a reason alone: the code is behind its word."""
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    known = {presence({"presence": code, "presence_reason": why}) for code in PRESENCE for why in WHY_PRESENT}
    reasons = {f"{meant}({code})" for code, meant in WHY_PRESENT.items()}
    quoted = [(whole, reason) for whole, reason in CLIENT_LIST.findall(read(page))]
    assert quoted
    assert {whole for whole, _ in quoted if whole} - known == set()
    assert {reason for _, reason in quoted if reason} - reasons == set()
