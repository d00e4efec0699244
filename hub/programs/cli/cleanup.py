"""`floorhub cleanup`: what is old enough to go, and a round of clean-up by hand."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.errors import SetupError
from hub.programs.cli import output
from hub.programs.cli.local import DatabaseUrl, DataDir
from hub.programs.cli.output import Json, either, explained

if TYPE_CHECKING:
    from hub.config import Settings


def cleanup(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted now.")] = False,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Archive and delete rows that are older than their period.

    Of the hub that the environment (FLOORHUB_*) names, else of the one that `make run` started.
    """
    with explained(as_json=as_json):
        _clean_up(_settings(database_url, data_dir), dry_run=dry_run, as_json=as_json)


def _settings(database_url: str | None, data_dir: Path | None) -> "Settings":
    """Those of the hub that is meant. Raises SetupError and EmbeddedError."""
    from hub.programs import installation
    from hub.programs.settings_sentences import missing

    found = installation.find(database_url, data_dir)
    if not found.embedded and data_dir is None:
        raise missing("data_dir")  # the archive lies there: in another folder nobody would find it
    if found.embedded and not installation.is_running(found.folder):
        raise SetupError(
            f"The hub of {found.folder} and its Postgres are not running: start `make run`, then run this again.",
            ko=f"{found.folder}의 허브와 Postgres가 실행 중이 아닙니다. `make run`을 시작한 뒤 다시 실행하십시오.",
        )
    return found.settings


def _clean_up(settings: "Settings", *, dry_run: bool, as_json: bool) -> None:
    from hub.app import Hub
    from hub.features.retention.service.retention import Counts, Retention
    from hub.telemetry.log import configure

    configure("error")

    async def work() -> Counts | None:
        # The hub's keys are not loaded; where the audit trail is cut is signed with a key that is loaded then.
        hub = Hub(settings)
        await hub.database.open()
        try:
            retention = hub.parts.get(Retention)
            async with hub.database.told():
                return await (retention.preview() if dry_run else retention.run(share=0.5))
        finally:
            await hub.database.close()

    counts = asyncio.run(work())
    if counts is None:
        output.fail(either("Another process is cleaning up just now.", "다른 프로세스가 지금 정리하고 있습니다."))
    if as_json:
        output.print_json({"dry_run": dry_run, "rows": counts})
        return
    output.say(either("Would be deleted now:", "지금 삭제될 것:") if dry_run else either("Deleted:", "삭제함:"))
    for kind, number in counts.items():
        output.say(f"  {kind:<14}{number:>9}")
    if settings.archive_dir is not None and not dry_run:
        output.say(either(f"Archived in {settings.archive_dir}.", f"{settings.archive_dir}에 보관했습니다."))
