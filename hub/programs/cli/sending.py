"""What `send` and `print` share: upload a document, post a command, show its timeline, and the exit code."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from hub.programs.cli import output, timeline
from hub.programs.cli.api import Api, ApiError, in_path
from hub.programs.cli.exits import UNFINISHED, of_command
from hub.programs.cli.submission import COMMAND, Submission
from schemas import json_keys, media_types
from schemas.terminal import recovered
from schemas.text import label, printable


class OfflinePolicy(StrEnum):
    """What becomes of a command for a client that is not online."""

    QUEUE = "queue"
    FAIL = "fail"


Wait = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", min=0, max=60, help="How long to wait for the end; 0: do not wait."),
]
Key = Annotated[str | None, typer.Option("--key", help="Idempotency-Key; default: a new one.")]
Reference = Annotated[str | None, typer.Option("--reference", help="Your order number.")]
WhenOffline = Annotated[
    OfflinePolicy | None,
    typer.Option("--when-offline", help="If the client is not online: queue (default), or fail."),
]
Priority = Annotated[int, typer.Option("--priority", min=1, max=10, help="10 is the most urgent.")]
ContentType = Annotated[
    str | None,
    typer.Option("--content-type", metavar="TYPE", help="The file's type; default: by its bytes, then its ending."),
]


def upload(api: Api, file: Path, content_type: str | None) -> str:
    """The id of a file as a document of the hub, which looks at its bytes. Ends the program with 2 when the file cannot
    be read."""
    try:
        content = file.read_bytes()
    except OSError as problem:
        _unreadable(file, problem)
    return str(api.upload(content, _type_of(file, content, content_type), name_of(file, 255) or "document")["id"])


def require_readable(file: Path) -> None:
    """End the program with 2 if a file cannot be read, before anything is asked about it."""
    try:
        file.open("rb").close()
    except OSError as problem:
        _unreadable(file, problem)


def _unreadable(file: Path, problem: OSError) -> NoReturn:
    name = recovered(str(file))
    output.misused(f"{name} cannot be read: {problem.strerror}", f"{name}을(를) 읽을 수 없습니다: {problem.strerror}")


def _type_of(file: Path, content: bytes, said: str | None) -> str:
    """What a file is sent as: as it is called, else by its ending. Plain text without an ending is text; so is a text
    file that is called something whose bytes cannot be missed, which a person is told."""
    head, by_name = content[: media_types.HEAD], media_types.by_name(file.name)
    if not (media_types.is_plain_text(head) and (by_name == "text/plain" or not file.suffix)):
        return said or by_name
    if said is None:
        return "text/plain"
    if media_types.contradicts(said, head):
        name = recovered(file.name)
        output.tell(
            output.either(
                f"{name} is plain text, not {said}: it is sent as text/plain.",
                f"{name}은(는) {said}이(가) 아니라 일반 텍스트입니다. text/plain으로 보냅니다.",
            )
        )
        return "text/plain"
    return said


def name_of(file: Path, limit: int) -> str:
    """A file's name for people, also where its bytes are no UTF-8 or where it has characters that a name here may not
    have; it may be empty."""
    return label(recovered(file.name), limit)


def payload(api: Api, text: str, file: Path | None, content_type: str | None) -> dict[str, Any]:
    """The payload of a command from its JSON, with the document that was uploaded from `file`. Ends the program with 2
    when it is not JSON or the file cannot be read."""
    try:
        content, repeated = json_keys.loads(recovered(text))
        json.dumps(content, ensure_ascii=False).encode()
    except json_keys.NotFiniteError as problem:
        finite("--payload", problem)
    except UnicodeEncodeError:
        output.misused(
            "--payload has half of a character (\\ud800 to \\udfff): write both halves, or the character.",
            "--payload에 반쪽 문자(\\ud800 ~ \\udfff)가 있습니다. 두 쪽을 모두 쓰거나 문자를 그대로 쓰십시오.",
        )
    except (ValueError, RecursionError) as problem:
        output.misused(f"--payload is not JSON: {problem}", f"--payload가 JSON이 아닙니다: {problem}")
    once("--payload", repeated)
    if not isinstance(content, dict):
        output.misused("--payload must be a JSON object, such as {}.", "--payload는 {}처럼 JSON 객체여야 합니다.")
    if file is not None:
        content["document"] = upload(api, file, content_type)
    return content


def finite(what: str, problem: json_keys.NotFiniteError) -> NoReturn:
    """End the program with 2: a JSON text has numbers that JSON cannot send."""
    place = printable(problem.places[0], 200)
    output.misused(
        f"{what}: {f'`{place}`' if place else 'its value'} is not a finite number (NaN, Infinity, or too large): write "
        "another number, or text.",
        f"{what}: {f'`{place}`' if place else '값'}이(가) 유한한 수가 아닙니다(NaN, Infinity, 또는 너무 큰 수). "
        "다른 수나 문자열로 쓰십시오.",
    )


def once(what: str, repeated: list[str]) -> None:
    """End the program with 2 if a JSON text gives a name twice: only one of the two values could be sent."""
    if repeated:
        place = repeated[0][:200]
        output.misused(
            f"{what} gives `{place}` more than once: give it once.",
            f"{what}에 `{place}`이(가) 두 번 이상 있습니다. 한 번만 쓰십시오.",
        )


def carry_out(
    api: Api,
    body: dict[str, Any],
    *,
    wait: float,
    key: str | None,
    as_json: bool,
    any_document: bool = False,
) -> None:
    """Post a command and show its timeline. Exits as `exits.of_command` says, or with 0 if `wait` is 0.

    `any_document`: whether a repeat with `key` may have another document, as a test page with another time.
    """
    submission = Submission(api, COMMAND, key)
    with submission.told(as_json=as_json):
        command = post(submission, api, body, wait=wait, as_json=as_json, any_document=any_document)
        show(api, command, as_json=as_json)
    if wait and (code := of_command(command["status"])):
        raise typer.Exit(code)


def post(
    submission: Submission,
    api: Api,
    body: dict[str, Any],
    *,
    wait: float,
    as_json: bool,
    any_document: bool = False,
) -> dict[str, Any]:
    """Post a command and wait for its end; the command as it is then."""
    try:
        command = submission.post(body)
    except ApiError as problem:
        command = _made_before(submission, api, body, problem, any_document=any_document)
    if wait and not as_json:
        submission.tell_waiting(body["client_id"], wait)
    return submission.until(lambda now: now["status"] not in UNFINISHED, command, wait=wait)


def _made_before(
    submission: Submission, api: Api, body: dict[str, Any], problem: ApiError, *, any_document: bool
) -> dict[str, Any]:
    """The command that the key has made, if that is the same: a repeat uploads its file again, as another document with
    the same bytes. Raises the error otherwise."""
    made, document = problem.problem.get("made"), body["payload"].get("document")
    if problem.problem.get("code") != "idempotency_key_reused" or not isinstance(made, str):
        raise problem
    command: dict[str, Any] = api.get(f"{COMMAND.path}/{in_path(made)}")
    wanted = {name: value for name, value in body["payload"].items() if name != "document"}
    stored = command["payload"].get("document")
    alike = isinstance(stored, dict) and (any_document or stored.get("sha256") == api.uploaded.get(str(document)))
    if (
        not alike
        or any(command["payload"].get(name) != value for name, value in wanted.items())
        or any(command[name] != body[name] for name in ("client_id", "action", "priority"))
    ):
        raise problem
    submission.already(made)
    return command


def show(api: Api, command: dict[str, Any], *, as_json: bool) -> None:
    """A command and its timeline."""
    steps = api.get(f"/api/commands/{command['id']}/explain")["timeline"]
    if as_json:
        output.print_json({**command, "timeline": steps})
    else:
        timeline.show(command, steps, korean=output.korean())
