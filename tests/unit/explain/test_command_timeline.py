"""What a person reads about a command: its steps, in a zone that is named, and last how it stands, told once."""

import contextlib
import io
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from hub.core.commands.rules.lifecycle import Status
from hub.features.explain.rules import timeline as domain
from hub.programs.cli import timeline
from hub.programs.cli.api import Api, ApiError, Found
from tests.support.zones import in_zone

REASON = "the printer gave job 3 up: fuser melted"
COMMAND = {
    "id": "01a1fc11-acaa-734f-9959-af8a7ce92e24",
    "action": "print",
    "client_id": "front-desk",
    "sent_at": None,
    "attempt": 1,
    "accepted_at": datetime(2026, 11, 21, 14, 59, 59, 900_000, tzinfo=UTC),
    "held_reasons": None,
    "result": None,
    "error": None,
}


@pytest.fixture(autouse=True)
def _in_seoul() -> Iterator[None]:
    with in_zone("KST-9"):
        yield


def shown(command: dict[str, Any], *logs: SimpleNamespace, korean: bool = False) -> list[str]:
    whole = {**COMMAND, **command}
    steps = json.loads(msgspec.json.encode(domain.timeline(SimpleNamespace(**whole), logs)))
    with contextlib.redirect_stdout(io.StringIO()) as written:
        timeline.show(whole, steps, korean=korean)
    return [line.rstrip() for line in written.getvalue().splitlines()]


def step(event: str, at: str, **detail: Any) -> SimpleNamespace:
    return SimpleNamespace(event=event, at=datetime.fromisoformat(at), attempt=1, detail=detail or None)


def test_times_carry_the_day_and_the_zone() -> None:
    lines = shown(
        {"status": "completed", "result": {"message": "Job completed."}},
        step("created", "2026-11-21T14:59:59.500000Z"),
        step("completed", "2026-11-21T15:00:00.250000Z"),
    )
    assert lines[0] == "print on front-desk, 01a1fc11-acaa-734f-9959-af8a7ce92e24"
    assert lines[1].split() == ["step", "2026-11-21", "KST", "+", "ms"]
    assert lines[2].split()[-2:] == ["23:59:59.500", "0.0"]
    assert lines[4].split() == ["completed", "11-22", "00:00:00.250", "350.0"]
    assert lines[-1] == "completed: Job completed."


def test_a_failure_is_told_once_and_last() -> None:
    error = {"code": "job_aborted", "message": REASON}
    lines = shown(
        {"status": "failed", "error": error, "result": {"message": REASON}},
        step("created", "2026-11-21T14:59:59.500000Z"),
        step("retry", "2026-11-21T14:59:59.600000Z", error={"code": "printer_unreachable", "message": "it is off"}),
        step("failed", "2026-11-21T14:59:59.950000Z", error=error),
    )
    assert lines[-1] == f"failed (job_aborted): {REASON}"
    assert sum("melted" in line for line in lines) == 1
    assert any("another attempt" in line and "it is off" in line for line in lines)


@pytest.mark.parametrize(
    ("held", "korean", "said"),
    [
        (None, False, "running: not ended yet. Look again: floorhub show"),
        (["media-needed"], False, "running: needs attention (media-needed). Look again: floorhub show"),
        (
            ["media-needed", "odd"],
            True,
            "실행 중(running): 조치가 필요합니다: 용지 필요(media-needed), odd. 다시 보기: floorhub show",
        ),
        (
            ["media-empty-error"],
            True,
            "실행 중(running): 조치가 필요합니다: 용지 없음(media-empty-error). 다시 보기: floorhub show",
        ),
        (None, True, "실행 중(running): 아직 끝나지 않았습니다. 다시 보기: floorhub show"),
        (["delay"], False, "running: waits (delay), nothing to do. Look again: floorhub show"),
        (["printer-busy"], False, "running: waits (printer-busy), nothing to do. Look again: floorhub show"),
        (
            ["delay"],
            True,
            "실행 중(running): 기다리는 중입니다: 지정한 시간 대기(delay). 할 일은 없습니다. 다시 보기: floorhub show",
        ),
        (["delay", "media-empty"], False, "running: needs attention (delay, media-empty). Look again: floorhub show"),
    ],
)
def test_what_has_not_ended_says_how_to_look_again(held: list[str] | None, korean: bool, said: str) -> None:
    lines = shown({"status": "running", "held_reasons": held}, korean=korean)
    assert lines[-1] == f"{said} {COMMAND['id']}"


@pytest.mark.parametrize(
    ("reasons", "name"),
    [
        (["delay"], ("waits", "대기")),
        (["document-pending"], ("waits", "대기")),
        (["printer-busy", "delay"], ("waits", "대기")),
        (["media-empty"], ("needs attention", "조치 필요")),
        (["delay", "media-empty"], ("needs attention", "조치 필요")),
    ],
)
def test_a_step_needs_attention_only_if_somebody_can_help(reasons: list[str], name: tuple[str, str]) -> None:
    held = step("held", "2026-11-21T14:59:59.950000Z", held_reasons=reasons)
    for korean in (False, True):
        lines = shown({"status": "running"}, step("created", "2026-11-21T14:59:59.500000Z"), held, korean=korean)
        [line] = [line for line in lines if reasons[0] in line]
        assert line.startswith(name[korean])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ({"status": "completed", "result": {"message": "Job completed."}}, "완료(completed): Job completed."),
        ({"status": "completed"}, "완료(completed)"),
        (
            {"status": "failed", "error": {"code": "job_aborted", "message": REASON}},
            f"실패(failed, job_aborted): {REASON}",
        ),
        ({"status": "expired"}, "만료(expired)"),
        ({"status": "unknown"}, "결과 불명(unknown)"),
        (
            {"status": "pending"},
            "대기 중(pending): 아직 끝나지 않았습니다. 이유 보기: floorhub explain " + str(COMMAND["id"]),
        ),
    ],
)
def test_the_last_line_is_korean_where_the_steps_are(command: dict[str, Any], said: str) -> None:
    lines = shown(command, step("created", "2026-11-21T14:59:59.500000Z"), korean=True)
    assert lines[0] == f"front-desk에서 print, {COMMAND['id']}"
    assert lines[1].split()[0] == "단계"
    assert lines[-1] == said


def test_every_status_has_its_korean_word() -> None:
    assert set(timeline.STATUSES) == {status.value for status in Status}


@pytest.mark.parametrize(
    ("language", "source", "asked"),
    [
        ("en_US.UTF-8", "/srv/hub/hub.json", "Is `make run` up? The address is from /srv/hub/hub.json."),
        ("ko_KR.UTF-8", "/srv/hub/hub.json", "실행 중입니까? 주소는 /srv/hub/hub.json에서 읽었습니다."),
        ("en_US.UTF-8", "FLOORHUB_URL", "Check FLOORHUB_URL"),
        ("ko_KR.UTF-8", "FLOORHUB_URL", "FLOORHUB_URL이 맞는지"),
    ],
)
def test_a_hub_that_does_not_answer_leads_to_what_to_check(
    monkeypatch: pytest.MonkeyPatch, language: str, source: str, asked: str
) -> None:
    monkeypatch.setenv("LANG", language)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    found = Found(url, source, "key", "FLOORHUB_KEY")
    with Api(url, "key", found) as api, pytest.raises(ApiError, match=r"refused|거부됨") as caught:
        api.get("/health")
    assert asked in str(caught.value)
