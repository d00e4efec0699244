"""What a schedule sends, as it is kept: the JSON that POST /api/batches takes, without what is a default."""

from typing import Any

import msgspec

from hub.core.clients.rules import Target
from hub.core.clients.service.groups import MOST_NAMED
from hub.core.commands.service.submission import CommandRequest, names_source
from hub.errors import FieldProblem, RejectedError
from hub.features.batches.rules import Rollout
from hub.features.batches.service.creation import BatchRequest

UnreadableError = msgspec.ValidationError
"""What was kept is nothing that this version reads."""


class _Tags(msgspec.Struct):
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()


class _Target(msgspec.Struct):
    clients: tuple[str, ...] | None = None
    group: str | None = None
    zone: str | None = None
    tags: _Tags = msgspec.field(default_factory=_Tags)


class _Request(msgspec.Struct):
    target: _Target | None = None
    command: dict[str, Any] | None = None
    commands: list[dict[str, Any]] = []
    max_failures: int | None = None
    max_failures_percent: float | None = None
    rollout: Rollout | None = None


def check(request: BatchRequest) -> None:
    """Raise RejectedError for what can be asked once, but not again and again."""
    if problems := problems_of(request):
        raise RejectedError("validation_error", fields=problems)


def problems_of(request: BatchRequest) -> tuple[FieldProblem, ...]:
    """What can be asked once, but not again and again; the first few."""
    problems: list[FieldProblem] = []
    named = [("command", request.command)] if request.command is not None else []
    for path, command in [*named, *((f"commands[{place}]", one) for place, one in enumerate(request.commands))]:
        if command.not_before is not None:
            problems.append(FieldProblem(f"request.{path}.not_before", "schedule_decides"))
        if command.expires_at is not None:
            problems.append(FieldProblem(f"request.{path}.expires_at", "relative_expiry"))
        if names_source(command):
            problems.append(FieldProblem(f"request.{path}.payload.document", "document_by_id"))
    return tuple(problems[:MOST_NAMED])


def to_json(request: BatchRequest) -> dict[str, Any]:
    """A request as it is kept and shown."""
    said: dict[str, Any] = {
        "target": None if request.target is None else request.target.as_json(),
        "command": None if request.command is None else _command(request.command),
        "commands": [_command(command) | {"client_id": command.client_id} for command in request.commands] or None,
        "max_failures": request.max_failures,
        "max_failures_percent": request.max_failures_percent,
        "rollout": None if request.rollout is None else _given(msgspec.to_builtins(request.rollout)),
    }
    return _given(said)


def from_json(kept: dict[str, Any]) -> BatchRequest:
    """The request that `to_json` was given. Raises UnreadableError."""
    read = msgspec.convert(kept, _Request)
    target = read.target
    return BatchRequest(
        target=None
        if target is None
        else Target(
            clients=target.clients,
            group=target.group,
            zone=target.zone,
            tags_all=target.tags.all,
            tags_any=target.tags.any,
        ),
        command=None if read.command is None else msgspec.convert({"client_id": "", **read.command}, CommandRequest),
        commands=tuple(msgspec.convert(command, CommandRequest) for command in read.commands),
        max_failures=read.max_failures,
        max_failures_percent=read.max_failures_percent,
        rollout=read.rollout,
    )


_DEFAULTS = msgspec.to_builtins(CommandRequest(client_id="", action=""))


def _command(command: CommandRequest) -> dict[str, Any]:
    said = msgspec.to_builtins(command)
    back_off = said.pop("back_off")
    kept = {name: value for name, value in said.items() if name != "client_id" and value != _DEFAULTS[name]}
    return kept if back_off is None else kept | {"back_off": _given(back_off)}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
