"""`floorhub logs`: the end of an agent's own log, fetched now, or as it was fetched before."""

import gzip
import io
import zlib
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.keys import cannot_write
from hub.programs.cli import completion, output, sending, timeline
from hub.programs.cli.api import Api, ApiError, in_path
from hub.programs.cli.exits import ExitCode, of_command
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.submission import COMMAND, Submission

MOST_BYTES = 10 * 1024 * 1024
"""As `collect_logs` has it: unpacked, a log is no longer."""
SHOWN = 200


def logs(
    client_id: Annotated[str, typer.Argument(help="The client's id.", autocompletion=completion.clients)],
    last: Annotated[bool, typer.Option("--last", help="Show the log that was fetched last; fetch nothing.")] = False,
    tail: Annotated[
        int, typer.Option("--tail", "--lines", "-n", metavar="LINES", min=0, help="Lines to show; 0: all.")
    ] = SHOWN,
    max_bytes: Annotated[
        int, typer.Option("--max-bytes", metavar="BYTES", min=1, max=MOST_BYTES, help="How much of its end to fetch.")
    ] = 1024 * 1024,
    file: Annotated[Path | None, typer.Option("--file", help="Write the whole log to this file.")] = None,
    wait: sending.Wait = 30,
    as_json: Json = False,
) -> None:
    """Show the end of an agent's log.

    Runs the action collect_logs. If the client is offline, shows the log that was fetched last.
    """
    if not wait and not last:
        output.misused("--wait 0 fetches nothing: use --last.", "--wait 0이면 가져올 수 없습니다. --last를 쓰십시오.")
    with explained(as_json=as_json), Api.from_environment() as api:
        command = _fetched_before(api, client_id) if last else _fetched_now(api, client_id, max_bytes, wait, as_json)
        text = _log_of(api, command)
        if file is not None:
            try:
                file.write_text(text, encoding="utf-8")
            except OSError as problem:
                raise cannot_write(file, problem) from None
    lines = text.splitlines()
    shown = lines[-tail:] if tail else lines
    if as_json:
        about = {"client_id": client_id, "command_id": command["id"], "collected_at": command["finished_at"]}
        output.print_json({**about, "file": str(file) if file is not None else None, "lines": shown})
    elif file is not None:
        output.say(either(f"The log is in {file}.", f"로그를 {file}에 저장했습니다."))
    else:
        output.say(*shown)
        if len(shown) < len(lines):
            output.tell(
                either(
                    f"The last {len(shown)} of {len(lines)} lines: --tail 0 shows all.",
                    f"전체 {len(lines)}줄 중 마지막 {len(shown)}줄입니다. --tail 0이면 모두 표시합니다.",
                )
            )


def _fetched_now(api: Api, client_id: str, max_bytes: int, wait: float, as_json: bool) -> dict[str, Any]:
    """The command that has fetched the log. Ends the program if it did not complete."""
    body = {
        "client_id": client_id,
        "action": "collect_logs",
        "payload": {"max_bytes": max_bytes},
        "when_offline": "fail",
        "expires_in_s": wait + 60,
    }
    try:
        submission = Submission(api, COMMAND, None, repeatable=False)
        with submission.told(as_json=as_json):
            command = sending.post(submission, api, body, wait=wait, as_json=as_json)
    except ApiError as problem:
        if problem.problem.get("code") != "client_offline":
            raise
        command = _fetched_before(api, client_id)
        when = output.local(command["finished_at"], named=True)
        output.tell(
            either(
                f"{client_id} is offline: this is its log of {when}.",
                f"{client_id}이(가) 오프라인입니다. {when}에 가져온 로그입니다.",
            )
        )
        return command
    if command["status"] == "completed":
        return command
    if as_json:
        output.print_json(command)
    else:
        output.tell(timeline.outcome(command, korean=output.korean()))
    raise typer.Exit(of_command(command["status"]))


def _fetched_before(api: Api, client_id: str) -> dict[str, Any]:
    """The newest command that has fetched the client's log. Ends the program if there is none."""
    found = api.get("/api/commands", client_id=client_id, action="collect_logs", status="completed", limit=1)["items"]
    if not found:
        output.fail(
            either(
                f"No log of {client_id} has been fetched yet, or it is too old to be kept.",
                f"{client_id}의 로그를 가져온 적이 없거나 보관 기간이 지났습니다.",
            ),
            ExitCode.NOT_FOUND,
        )
    newest: dict[str, Any] = found[0]
    return newest


def _log_of(api: Api, command: dict[str, Any]) -> str:
    """The log that a command brought up. Ends the program if its result names none that can be read."""
    document = ((command.get("result") or {}).get("data") or {}).get("document")
    known = document.get("id") if isinstance(document, dict) else None
    if not isinstance(known, str):
        output.fail(
            either(
                f"The client reported no log: see `floorhub show {command['id']}`.",
                f"클라이언트가 로그를 보고하지 않았습니다. `floorhub show {command['id']}`로 확인하십시오.",
            )
        )
    packed = api.download(f"/api/documents/{in_path(known)}")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as unpacked:
            return unpacked.read(MOST_BYTES).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error) as problem:
        output.fail(either(f"The log cannot be unpacked: {problem}.", f"로그의 압축을 풀 수 없습니다: {problem}."))
