"""The commands that act on this host: the only ones that import parts of the hub. All others speak HTTP.

A contract in `pyproject.toml` names this module and those that it takes its commands from.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from hub.errors import HubError
from hub.programs.cli import broker as broker_commands
from hub.programs.cli import keys as keys_commands
from hub.programs.cli import output
from hub.programs.cli.app import App, Change, Command
from hub.programs.cli.backups import backup, restore
from hub.programs.cli.cleanup import cleanup
from hub.programs.cli.conformance import conformance
from hub.programs.cli.doctor import doctor
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.local import OwnerUrl
from hub.programs.cli.output import either, explained
from hub.programs.cli.recovery import recover
from hub.programs.cli.support import support_bundle
from hub.programs.embedded.errors import EmbeddedError

broker = broker_commands.app
keys = keys_commands.app


def add_first(app: App) -> None:
    """Those that the help lists before all others."""
    for command in (up, serve, edge, migrate):
        app.command(cls=Change)(command)


def add_last(app: App) -> None:
    """Those that few people need."""
    for command in (doctor, backup, restore, support_bundle, cleanup, conformance):
        app.command(cls=Change if command in (restore, cleanup, conformance) else Command)(command)


def add_to_users(users: App) -> None:
    """What helps when nobody can sign in any more."""
    users.command(cls=Change)(recover)


def up(
    once: Annotated[
        bool, typer.Option("--once", help="Print one page and stop; exit with 0 if it was printed.")
    ] = False,
    listen: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Serve other machines, with TLS, at this address; 0.0.0.0: at every one."),
    ] = "",
) -> None:
    """Start everything on this machine and print a page.

    Postgres, broker, hub, an agent and a virtual printer.
    """
    from hub.programs.cli.handing_down import ignored
    from hub.programs.cli.up import run_up

    with explained():
        _tell_doubts()
        if names := ", ".join(ignored(network=bool(listen))):
            output.tell(
                either(
                    f"Ignored, since `make run` decides them itself: {names}. For a hub with settings of your own: "
                    "docs/how-to/deploy.md.",
                    f"`make run`이 스스로 정하므로 무시합니다: {names}. 직접 설정하는 허브는 docs/how-to/deploy.md를 "
                    "보십시오.",
                )
            )
        raise typer.Exit(run_up(once=once, listen=listen))


def serve() -> None:
    """Run the hub with the settings of the environment (FLOORHUB_*)."""
    import uvloop
    from pydantic import ValidationError

    from hub import runtime
    from hub.app import Hub
    from hub.config import Settings
    from hub.database import migrate as migrations
    from hub.programs.certificate_doubts import certificate_doubts
    from hub.programs.cli.settings import doubts, doubts_of
    from hub.programs.settings_sentences import of_validation
    from hub.telemetry import log as observability
    from hub.telemetry.log import Event, Log

    with explained():
        try:
            settings = Settings()
        except ValidationError as problem:
            output.tell(*doubts().values())
            raise of_validation(problem) from None
        observability.configure(settings.log_level)
        for setting, sentence in {**doubts(), **doubts_of(settings), **certificate_doubts(settings)}.items():
            Log(worker=settings.worker).warning(Event.SETTING_DOUBTFUL, setting=setting, message=sentence)

        async def main() -> None:
            # Built first: a part may find a setting wrong, and is to say so though the database is away.
            hub = Hub(settings)
            await asyncio.to_thread(migrations.require_current, settings.database_url.get_secret_value())
            await runtime.serve(hub, ready=lambda _: tell_first(settings.first_administrator_file))

        try:
            uvloop.run(main())
        except (HubError, EmbeddedError):
            raise
        except Exception:  # noqa: BLE001 - the last word before the process ends, one line as all others
            Log().exception(Event.HUB_FAILED)
            raise typer.Exit(ExitCode.FAILED) from None


def edge() -> None:
    """Serve HTTPS and MQTT over WebSocket to other machines, in front of the hub.

    Settings come from the environment (FLOORHUB_*).
    """
    import uvloop
    from pydantic import ValidationError

    from hub.programs.cli.settings import doubts
    from hub.programs.edge.process import serve as serve_edge
    from hub.programs.edge.settings import EdgeSettings
    from hub.programs.settings_sentences import of_validation
    from hub.telemetry import log as observability
    from hub.telemetry.log import Event, Log

    with explained():
        try:
            settings = EdgeSettings()
        except ValidationError as problem:
            output.tell(*doubts().values())
            raise of_validation(problem, EdgeSettings.model_fields) from None
        observability.configure(settings.log_level)
        log = Log(program="edge")
        for setting, sentence in doubts().items():
            log.warning(Event.SETTING_DOUBTFUL, setting=setting, message=sentence)
        try:
            uvloop.run(serve_edge(settings, log))
        except (HubError, EmbeddedError):
            raise
        except Exception:
            log.exception(Event.HUB_FAILED)
            raise typer.Exit(ExitCode.FAILED) from None


def tell_first(file: Path) -> None:
    """Show a person at the terminal how to become the first administrator; others find the file in the log."""
    if output.is_terminal():
        from hub.programs.cli.up import first_administrator

        output.say(*first_administrator(file))


def migrate(
    database_url: Annotated[
        str, typer.Option("--database-url", envvar="FLOORHUB_DATABASE_URL", help="The database to bring up to date.")
    ] = "",
    owner_url: OwnerUrl = "",
) -> None:
    """Bring the database's tables up to date.

    Safe to call again, and from several machines at once.
    """
    from hub.database import migrate as migrations
    from hub.database import roles
    from hub.programs.settings_sentences import missing

    with explained():
        if not database_url:
            raise missing("database_url")
        _tell_doubts(folder=False)
        done = migrations.migrate(owner_url or database_url)
        if owner_url:
            roles.separate(owner_url, database_url)
        listed = ", ".join(done)
        if done:
            output.say(either(f"Applied: {listed}", f"적용함: {listed}"))
        else:
            output.say(either("The database is up to date.", "데이터베이스가 이미 최신입니다."))


def _tell_doubts(*, folder: bool = True) -> None:
    """Say which names are no settings; with `folder` also whether the data folder has two."""
    from hub.programs.cli.settings import doubts

    output.tell(*(sentence for name, sentence in doubts().items() if folder or name != "FLOORHUB_DATA"))
