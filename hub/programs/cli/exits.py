"""Exit codes of `floorhub`: one for each thing that a script does next."""

from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """What became of a command line."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_ENDED = 3
    UNREACHABLE = 4
    REFUSED = 5
    NOT_PERMITTED = 6
    NOT_FOUND = 7
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: dict[ExitCode, tuple[str, str]] = {
    ExitCode.DONE: ("done, or answered", "완료했거나 답을 표시함"),
    ExitCode.FAILED: (
        "failed: a command ended without success, or a part of the request was refused",
        "실패: 명령이 성공하지 못하고 끝났거나 요청의 일부가 거부됨",
    ),
    ExitCode.USAGE: (
        "usage: the command line or the set-up is wrong, or what answers is no hub; no hub did anything",
        "사용법: 명령줄이나 설정이 잘못되었거나 응답한 것이 허브가 아님. 허브는 아무것도 하지 않음",
    ),
    ExitCode.NOT_ENDED: (
        "not ended yet: stored, and still running when --wait was over",
        "미완료: 저장되었고 --wait 시간이 지났을 때 아직 끝나지 않음",
    ),
    ExitCode.UNREACHABLE: (
        "unreachable: the hub is not running, does not answer, or is not ready",
        "연결 불가: 허브가 실행 중이 아니거나 응답하지 않거나 준비되지 않음",
    ),
    ExitCode.REFUSED: (
        "refused: the hub accepts the key, but not the request (limits, conflicts, wrong values, a disabled client)",
        "거부: 허브가 요청을 받아들이지 않음(한도, 충돌, 잘못된 값, 사용 중지된 클라이언트)",
    ),
    ExitCode.NOT_PERMITTED: (
        "not permitted: the key is not valid, or does not allow this",
        "권한 없음: 키가 유효하지 않거나 이 작업이 허용되지 않음",
    ),
    ExitCode.NOT_FOUND: ("not found", "찾을 수 없음"),
    ExitCode.INTERRUPTED: ("interrupted with Ctrl-C", "Ctrl-C로 중단함"),
    ExitCode.TERMINATED: ("ended by SIGTERM", "SIGTERM으로 끝남"),
}
"""In English and Korean; docs/reference/cli.md has them."""

UNFINISHED = ("pending", "queued", "running")
"""Statuses of commands that have not ended."""


_OF_THE_KEY = (
    "unauthorized",
    "forbidden",
    "all_clients_needed",
    "all_actions_needed",
    "grant_missing",
    "key_address_refused",
    "wider_than_your_key",
    "not_your_client",
    "client_may_not",
)
"""Codes of a refusal that another key would not get."""


def is_about_the_key(status: int, body: Any) -> bool:
    """Whether the key was refused, and not what was asked for."""
    ours = isinstance(body, dict) and "code" in body
    return status == 401 or (status == 403 and (not ours or body["code"] in _OF_THE_KEY))


def of_answer(status: int | None, body: Any) -> ExitCode:
    """For an answer that is an error; None: there was no answer. A proxy in front of the hub answers 502 to 504 in its
    place, without the hub's `code`; any other answer without it is that of a foreign server."""
    ours = isinstance(body, dict) and "code" in body
    if status is None or status == 503 or (status in (502, 504) and not ours):
        return ExitCode.UNREACHABLE
    if is_about_the_key(status, body):
        return ExitCode.NOT_PERMITTED
    if not ours and status < 500:
        return ExitCode.USAGE
    if status == 404:
        return ExitCode.NOT_FOUND
    return ExitCode.REFUSED if status < 500 or status == 502 else ExitCode.FAILED


def of_command(status: str) -> ExitCode:
    """For a command in this status, whose end was waited for."""
    if status == "completed":
        return ExitCode.DONE
    return ExitCode.NOT_ENDED if status in UNFINISHED else ExitCode.FAILED
