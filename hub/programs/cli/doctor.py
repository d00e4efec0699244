"""`floorhub doctor`: whether the hub of this machine can do its work, and what to do if it cannot."""

from pathlib import Path

import typer

from hub.errors import SetupError
from hub.programs.cli import output
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.local import DatabaseUrl, DataDir
from hub.programs.cli.output import Json
from hub.programs.embedded.errors import EmbeddedError
from schemas import findings as shown


def doctor(
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Check the hub of this machine and say what to fix.

    Database, broker, keys, disk, clock, certificates. Works whether the hub runs or not. Exits 0 without
    problems, else 1; a hub that is not running is no problem, and the last line says so.
    """
    from hub.programs import installation
    from hub.programs.doctor.examination import examine
    from hub.programs.doctor.sentences import fail

    folder: Path | None = None
    try:
        found = installation.find(database_url, data_dir)
        folder = found.folder
        findings = examine(found)
    except (SetupError, EmbeddedError) as problem:
        findings = [fail("config", "config_wrong", problem=str(problem), problem_ko=problem.korean)]
    if as_json:
        head = {"folder": None if folder is None else str(folder)}
        output.print_json(shown.document(findings, korean=output.korean(), **head))
    else:
        stopped = any(finding.code in ("hub_stopped", "hub_other") for finding in findings)
        remark = output.either("The hub is not running.", "허브가 실행 중이 아닙니다.") if stopped else ""
        output.say(*shown.lines(findings, korean=output.korean(), remark=remark))
    raise typer.Exit(ExitCode.FAILED if shown.failures(findings) else ExitCode.DONE)
