"""What the hub knows of a client before a command goes to it: a printer or an action that its client does not have is
said at once, with the name that was probably meant, and not only by a dead letter."""

from collections.abc import Mapping
from typing import Any

from hub.programs.cli import output
from hub.programs.cli.api import Api, ApiError, in_path
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import either
from schemas.closeness import nearest

_NO_ANSWER = (ExitCode.NOT_FOUND, ExitCode.NOT_PERMITTED)
"""What the command itself is told in better words, or a key that may send and not read."""


def warn(api: Api, client_id: str, action: str, payload: Mapping[str, Any]) -> None:
    """Tell the person what the client has never reported. The command is sent all the same: the client decides."""
    try:
        state = api.get(f"/api/clients/{in_path(client_id)}").get("state") or {}
    except ApiError as problem:
        if problem.exit_code in _NO_ANSWER:
            return
        raise
    known = _texts(state.get("capabilities"))
    if known and action not in known:
        _tell(client_id, either("action", "동작"), action, known)
    if action == "print":
        named = payload.get("printer", payload.get("printerName"))
        printers = printers_of(state)
        if printers and isinstance(named, str) and named not in printers:
            _tell(client_id, either("printer", "프린터"), named, printers)


def printers_of(state: Mapping[str, Any]) -> list[str]:
    """The names of the printers that a client has reported."""
    told = state.get("printers")
    return _texts([one.get("name") for one in told if isinstance(one, dict)] if isinstance(told, list) else None)


def meant(name: str, known: list[str]) -> str:
    """The question about the closest name, with a space before it; empty if none is close."""
    near = nearest(name, known)
    return either(f" Did you mean {near}?", f" {near}을(를) 쓰려고 하셨습니까?") if near else ""


def _tell(client_id: str, what: str, name: str, known: list[str]) -> None:
    listed, question = ", ".join(sorted(known)), meant(name, known)
    output.tell(
        either(
            f"Warning: {client_id} has not reported the {what} {name}.{question} It has: {listed}",
            f"주의: {client_id}이(가) {what} {name}을(를) 보고한 적이 없습니다.{question} 보고된 것: {listed}",
        )
    )


def _texts(told: Any) -> list[str]:
    return [one for one in told if isinstance(one, str)] if isinstance(told, list) else []
