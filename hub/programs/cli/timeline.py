"""The timeline of a command, for people; `hub.features.explain.rules.timeline` makes it."""

from datetime import datetime
from typing import Any

from hub.programs.cli import output, results
from hub.programs.cli.exits import UNFINISHED
from hub.programs.cli.words import STATUSES, in_korean, needs_somebody, reason

STEPS = {
    "created": ("stored by the hub", "허브에 저장"),
    "rejected": ("refused", "거부됨"),
    "queued": ("handed out", "클라이언트에 배정"),
    "sent": ("at the broker", "브로커에 전달"),
    "accepted": ("in the agent's journal", "에이전트 저널 기록"),
    "started": ("started", "시작"),
    "held": ("needs attention", "조치 필요"),
    "resumed": ("continues", "계속"),
    "retry": ("failed without effect, another attempt", "실행 전 실패, 재시도"),
    "cancel_requested": ("cancel requested", "취소 요청"),
    "goodbye": ("the client signed off", "클라이언트 정상 종료"),
    "returned": ("the client is back", "클라이언트 복귀"),
    "completed": ("completed", "완료"),
    "failed": ("failed", "실패"),
    "cancelled": ("cancelled", "취소됨"),
    "expired": ("expired", "만료"),
    "unknown": ("unknown", "결과 불명"),
    "replayed": ("replayed as another command", "다른 명령으로 다시 실행"),
    "dismissed": ("dismissed by an operator", "담당자가 종결"),
    "decided": ("decided by an operator", "담당자가 결과 확정"),
    "evidence": ("evidence from the agent", "에이전트가 확인한 내용"),
}

WAITS = ("waits", "대기")
"""A held command that nobody needs to help."""


def show(command: dict[str, Any], steps: list[dict[str, Any]], *, korean: bool) -> None:
    """Print a command and its timeline, then how it ended or what it waits for, and what the action answered."""
    action, client = command["action"], command["client_id"]
    what = f"{client}에서 {action}" if korean else f"{action} on {client}"
    output.say(f"{what}, {command['id']}")
    show_steps(steps, command["status"], korean=korean)
    output.say(outcome(command, korean=korean))
    results.show(command)


def show_steps(steps: list[dict[str, Any]], status: str, *, korean: bool) -> None:
    """Print the steps of a command that is in `status`. Times are this machine's; the heading says which zone."""
    times = [datetime.fromisoformat(step["at"]).astimezone() for step in steps]
    first = times[0] if times else datetime.now().astimezone()
    rows = []
    for step, at in zip(steps, times, strict=True):
        names = _name(step)
        day = "" if at.date() == first.date() else f"{at:%m-%d} "
        # The last line says why it ended; a step says only what happened before.
        about = "" if step["event"] == status else _about(step["detail"])
        rows.append((names[korean], f"{day}{at:%H:%M:%S.%f}"[:-3], f"{step['after_ms']:.1f}", about))
    output.print_table(("단계" if korean else "step", f"{first:%Y-%m-%d %Z}", "+ ms", ""), rows, right=("+ ms",))


def _name(step: dict[str, Any]) -> tuple[str, str]:
    """What a step is called, in English and Korean; not every wait needs attention."""
    event = step["event"]
    if event == "held" and not needs_somebody((step["detail"] or {}).get("held_reasons")):
        return WAITS
    return STEPS.get(event, (event, event))


def outcome(command: dict[str, Any], *, korean: bool) -> str:
    """The status of a command and, told once, why; in one line."""
    status = command["status"]
    shown = f"{STATUSES.get(status, status)}({status})" if korean else status
    if status == "completed":
        result = command.get("result") or {}
        not_made = not_done(command.get("payload") or {}, result.get("data") or {}, korean=korean)
        message = " ".join(filter(None, [result.get("message") or "", not_made]))
        return f"{shown}: {message}" if message else shown
    if status in UNFINISHED:
        held = ", ".join(map(in_korean if korean else str, command.get("held_reasons") or []))
        if not held and status in ("pending", "queued"):
            why = f"floorhub explain {command['id']}"
            return (
                f"{shown}: 아직 끝나지 않았습니다. 이유 보기: {why}"
                if korean
                else f"{shown}: not ended yet. Why: {why}"
            )
        again = f"floorhub show {command['id']}"
        if command.get("held_reasons") == ["document-pending"]:
            waits = _waits_for_document(command, korean=korean)
            return f"{shown}: {waits}. {'다시 보기' if korean else 'Look again'}: {again}"
        words = _waits(held, needs_somebody(command.get("held_reasons")))[korean]
        return f"{shown}: {words}. {'다시 보기' if korean else 'Look again'}: {again}"
    error = command.get("error")
    if not error:
        return shown
    told = f"{STATUSES.get(status, status)}({status}, {error['code']})" if korean else f"{status} ({error['code']})"
    return f"{told}: {error['message']}"


def _waits(held: str, needs_attention: bool) -> tuple[str, str]:
    """What an unfinished command waits for, in English and Korean."""
    if not held:
        return "not ended yet", "아직 끝나지 않았습니다"
    if needs_attention:
        return f"needs attention ({held})", f"조치가 필요합니다: {held}"
    return f"waits ({held}), nothing to do", f"기다리는 중입니다: {held}. 할 일은 없습니다"


def _waits_for_document(command: dict[str, Any], *, korean: bool) -> str:
    """That its agent has no document yet, and why, if the agent says so."""
    problem = (command.get("progress") or {}).get("problem")
    waits = "문서를 기다립니다" if korean else "waits for its document"
    if not problem:
        return waits
    return f"{waits}({problem})" if korean else f"{waits} ({problem})"


NOT_DONE = {
    "copies": ("copies", "부수"),
    "sides": ("sides", "양면 인쇄"),
    "media": ("media", "용지"),
    "orientation": ("orientation", "방향"),
    "color": ("color", "색상"),
    "pages": ("pages", "페이지"),
    "collate": ("collate", "한 부씩 인쇄"),
    "media_source": ("tray", "용지함"),
    "quality": ("quality", "품질"),
    "scaling": ("scaling", "크기 조정"),
    "number_up": ("n-up", "모아 찍기"),
}


def not_done(payload: dict[str, Any], data: dict[str, Any], *, korean: bool) -> str:
    """What was asked of a printer and not done, as a sentence; empty when there is nothing."""
    ignored = data.get("ignored")
    if not isinstance(ignored, list) or not ignored:
        return ""
    parts = []
    for field in map(str, ignored):
        name = NOT_DONE.get(field, (field, field))[korean]
        made, asked = data.get("copies_made"), payload.get("copies")
        if field == "copies" and made is not None and asked is not None:
            name = f"{name}({asked} 중 {made})" if korean else f"{name} ({made} of {asked})"
        parts.append(name)
    listed = ", ".join(parts)
    return f"요청했지만 적용되지 않음: {listed}" if korean else f"Asked for and not done: {listed}"


def _about(detail: dict[str, Any] | None) -> str:
    if not detail:
        return ""
    if detail.get("held_reasons"):
        return ", ".join(map(reason, detail["held_reasons"]))
    if detail.get("error"):
        return str(detail["error"].get("message") or detail["error"].get("code"))[:100]
    return ""
