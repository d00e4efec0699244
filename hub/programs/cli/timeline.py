"""The timeline of a command, for people; `hub.features.explain.rules.timeline` makes it."""

from datetime import datetime
from typing import Any

from hub.programs.cli import output

HOPS = {
    "created": ("stored by the hub", "허브에 저장"),
    "rejected": ("refused", "거부됨"),
    "queued": ("handed out", "클라이언트에 배정"),
    "sent": ("at the broker", "브로커 도착"),
    "accepted": ("in the agent's journal", "에이전트 저널 기록"),
    "started": ("started", "시작"),
    "held": ("waits for a person", "사람을 기다림"),
    "resumed": ("goes on", "계속"),
    "retry": ("failed without effect, another attempt", "효과 없이 실패, 재시도"),
    "cancel_requested": ("cancel asked", "취소 요청"),
    "completed": ("completed", "완료"),
    "failed": ("failed", "실패"),
    "cancelled": ("cancelled", "취소됨"),
    "expired": ("expired", "만료"),
    "unknown": ("unknown", "결과 불명"),
    "replayed": ("run once more, as another command", "다른 명령으로 다시 실행"),
    "dismissed": ("dismissed by a person", "사람이 종결"),
    "decided": ("decided by a person", "사람이 결정"),
    "evidence": ("evidence from the agent", "에이전트의 증거"),
}


UNFINISHED = ("pending", "queued", "running")


def show(command: dict[str, Any], way: list[dict[str, Any]], *, korean: bool) -> None:
    """Print a command and its way, and last how it stands."""
    output.say(f"{command['action']} on {command['client_id']}, {command['id']}")
    show_hops(way, command["status"], korean=korean)
    output.say(_stands(command, korean=korean))


def show_hops(way: list[dict[str, Any]], status: str, *, korean: bool) -> None:
    """Print the hops of a command that is in `status`. Times are this machine's; the heading says which zone."""
    times = [datetime.fromisoformat(hop["at"]).astimezone() for hop in way]
    first = times[0] if times else datetime.now().astimezone()
    rows = []
    for hop, at in zip(way, times, strict=True):
        names = HOPS.get(hop["event"], (hop["event"], hop["event"]))
        day = "" if at.date() == first.date() else f"{at:%m-%d} "
        # The last line says why it ended; here stands only what happened on the way.
        about = "" if hop["event"] == status else _about(hop["detail"])
        rows.append((names[korean], f"{day}{at:%H:%M:%S.%f}"[:-3], f"{hop['after_ms']:.1f}", about))
    output.print_table(("hop", f"{first:%Y-%m-%d %Z}", "+ ms", ""), rows, right=("+ ms",))


def _stands(command: dict[str, Any], *, korean: bool) -> str:
    """How a command stands, in one line: its status and, told once, why."""
    status = command["status"]
    if status == "completed":
        message = (command.get("result") or {}).get("message")
        return f"{status}: {message}" if message else status
    if status in UNFINISHED:
        held = ", ".join(command.get("held_reasons") or [])
        if not held and status in ("pending", "queued"):
            why = f"floorhub explain {command['id']}"
            return f"{status}: 아직 끝나지 않음. 이유 보기: {why}" if korean else f"{status}: not ended yet. Why: {why}"
        again = f"floorhub show {command['id']}"
        if korean:
            return f"{status}: {f'사람을 기다림 ({held})' if held else '아직 끝나지 않음'}. 다시 보기: {again}"
        return f"{status}: {f'waits for a person ({held})' if held else 'not ended yet'}. Look again: {again}"
    error = command.get("error")
    return f"{status} ({error['code']}): {error['message']}" if error else status


def _about(detail: dict[str, Any] | None) -> str:
    if not detail:
        return ""
    if detail.get("held_reasons"):
        return ", ".join(detail["held_reasons"])
    if detail.get("error"):
        return str(detail["error"].get("message") or detail["error"].get("code"))[:100]
    return ""
