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
    """Print a command and its way."""
    title = f"{command['action']} on {command['client_id']}, {command['id']}: {command['status']}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("hop", "time", "+ ms", ""):
        table.add_column(heading, justify="right" if heading == "+ ms" else "left", no_wrap=heading != "")
    for hop in hops(command, logs):
        names = HOPS.get(hop["event"], (hop["event"], hop["event"]))
        local = datetime.fromisoformat(hop["at"]).astimezone()
        table.add_row(names[korean], f"{local:%H:%M:%S.%f}"[:-3], f"{hop['after_ms']:.1f}", _about(hop["detail"]))
    console.print(table)
    error = command.get("error")
    if error and command["status"] != "completed":
        console.print(f"{error['code']}: {error['message']}", markup=False, highlight=False)
    message = (command.get("result") or {}).get("message")
    if message:
        console.print(message, markup=False, highlight=False)


def _about(detail: dict[str, Any] | None) -> str:
    if not detail:
        return ""
    if detail.get("held_reasons"):
        return ", ".join(detail["held_reasons"])
    if detail.get("error"):
        return str(detail["error"].get("message") or detail["error"].get("code"))[:100]
    return ""
