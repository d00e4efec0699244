"""`floorhub cleanup`: what is old enough to go, and a round of clean-up by hand."""

import asyncio
from typing import Annotated

import typer

from hub.programs.cli import output
from hub.programs.cli.output import Json, either, explained


def cleanup(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted now.")] = False,
    as_json: Json = False,
) -> None:
    """Archive and delete rows that are older than their period.

    With the hub's settings of the environment (FLOORHUB_*).
    """
    from pydantic import ValidationError

    from hub.app import Hub
    from hub.config import Settings
    from hub.features.retention.service.retention import Counts, Retention
    from hub.telemetry.log import configure

    try:
        settings = Settings()
    except ValidationError as problem:
        names = sorted({f"FLOORHUB_{str(item['loc'][0]).upper()}" for item in problem.errors()})
        listed = ", ".join(names)
        output.misused(f"Missing or wrong: {listed}", f"없거나 잘못됨: {listed}")
    configure("error")

    async def work() -> Counts | None:
        # Clean-up signs nothing, so the hub's keys are not loaded.
        hub = Hub(settings)
        await hub.database.open()
        try:
            retention = hub.parts.get(Retention)
            async with hub.database.told():
                return await (retention.preview() if dry_run else retention.run(share=0.5))
        finally:
            await hub.database.close()

    with explained(as_json=as_json):
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
