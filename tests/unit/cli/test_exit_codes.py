"""Which exit code an answer of the hub, or a command's end, has."""

from typing import Any

import pytest

from hub.core.commands.rules.lifecycle import Status
from hub.programs.cli.exits import ExitCode, of_answer, of_command

OURS = {"code": "x", "detail": "y"}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (None, None, ExitCode.UNREACHABLE),
        (503, OURS, ExitCode.UNREACHABLE),
        (502, {}, ExitCode.UNREACHABLE),
        (504, [], ExitCode.UNREACHABLE),
        (502, OURS, ExitCode.REFUSED),
        (400, OURS, ExitCode.REFUSED),
        (401, OURS, ExitCode.NOT_PERMITTED),
        (403, {}, ExitCode.NOT_PERMITTED),
        (404, OURS, ExitCode.NOT_FOUND),
        (409, OURS, ExitCode.REFUSED),
        (422, OURS, ExitCode.REFUSED),
        (429, OURS, ExitCode.REFUSED),
        (500, OURS, ExitCode.FAILED),
    ],
)
def test_of_an_answer(status: int | None, body: Any, code: ExitCode) -> None:
    assert of_answer(status, body) is code


@pytest.mark.parametrize("status", Status)
def test_of_a_command(status: Status) -> None:
    ends = {Status.COMPLETED: ExitCode.DONE}
    ends |= dict.fromkeys((Status.PENDING, Status.QUEUED, Status.RUNNING), ExitCode.NOT_ENDED)
    assert of_command(status.value) is ends.get(status, ExitCode.FAILED)
