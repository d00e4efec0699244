"""The way of a command, hop by hop, for people."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

HOPS = {
    "created": ("stored by the hub", "허브에 저장"),
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
    "evidence": ("evidence from the agent", "에이전트의 증거"),
}


UNFINISHED = ("pending", "queued", "running")


def hops(command: dict[str, Any], logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every hop with its time and the milliseconds since the one before, in order of time."""
    found = [(entry["at"], entry["event"], entry.get("detail")) for entry in logs]
    for column, event in (("sent_at", "sent"), ("accepted_at", "accepted")):
        if command.get(column):
            found.append((command[column], event, None))
    order = list(HOPS)
    found.sort(key=lambda hop: (hop[0], order.index(hop[1]) if hop[1] in order else len(order)))
    way: list[dict[str, Any]] = []
    before: datetime | None = None
    for at, event, detail in found:
        moment = datetime.fromisoformat(at)
        step = 0.0 if before is None else (moment - before).total_seconds() * 1000
        way.append({"event": event, "at": at, "after_ms": round(step, 1), "detail": detail})
        before = moment
    return way


def show(console: Console, command: dict[str, Any], logs: list[dict[str, Any]], *, korean: bool) -> None:
    """Print a command and its way, and last how it stands. Times are this machine's; the heading says which zone."""
    way = hops(command, logs)
    times = [datetime.fromisoformat(hop["at"]).astimezone() for hop in way]
    first = times[0] if times else datetime.now().astimezone()
    console.print(f"{command['action']} on {command['client_id']}, {command['id']}", markup=False, highlight=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("hop", f"{first:%Y-%m-%d %Z}", "+ ms", ""):
        table.add_column(heading, justify="right" if heading == "+ ms" else "left", no_wrap=heading != "")
    for hop, at in zip(way, times, strict=True):
        names = HOPS.get(hop["event"], (hop["event"], hop["event"]))
        day = "" if at.date() == first.date() else f"{at:%m-%d} "
        # The last line says why it ended; here stands only what happened on the way.
        about = "" if hop["event"] == command["status"] else _about(hop["detail"])
        table.add_row(names[korean], f"{day}{at:%H:%M:%S.%f}"[:-3], f"{hop['after_ms']:.1f}", about)
    console.print(table)
    console.print(_stands(command, korean=korean), markup=False, highlight=False)


def _stands(command: dict[str, Any], *, korean: bool) -> str:
    """How a command stands, in one line: its status and, told once, why."""
    status = command["status"]
    if status == "completed":
        message = (command.get("result") or {}).get("message")
        return f"{status}: {message}" if message else status
    if status in UNFINISHED:
        held = ", ".join(command.get("held_reasons") or [])
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
