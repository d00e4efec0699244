"""The program `floorhub-agent`. Exit codes: 0 stopped as asked, 1 failed while running, 2 cannot start, 75 asks
to be started anew."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from device_agent import command_line, config, logs
from device_agent.app import App, Devices
from device_agent.checks import findings
from device_agent.core.log import Log
from device_agent.journal import JournalError, JournalLockedError, JournalNewerError
from device_agent.supervision import start_anew
from schemas import terminal, utf8_mode
from schemas.text import korean_of
from schemas.version import installed_version

GIVE_UP_S = 20.0
"""After the agent has stopped in vain for this long beyond its own deadline, the process ends itself: a driver that
ignores its cancellation must not keep a machine from shutting down."""


def main() -> NoReturn:
    """Parse the command line and run."""
    utf8_mode.ensure()
    terminal.prepare()
    arguments = command_line.parse(sys.argv[1:])
    if arguments.command == "doctor":
        from device_agent import doctor  # late: an agent that runs never pays for it

        sys.exit(doctor.run(arguments.config, arguments.data, as_json=arguments.output == "json"))
    if arguments.command == "printers":
        from device_agent import printers

        sys.exit(printers.run(arguments.server, arguments.config, arguments.data, arguments.output))
    if arguments.command == "pair":
        from device_agent.pairing import program

        given = {name: value for name, value in vars(arguments).items() if name not in ("command", "version")}
        sys.exit(program.run(program.Options(**given)))
    sys.exit(run(arguments.config, _devices, arguments.data, arguments.log_format))


def run(
    path: Path,
    devices: Callable[[config.AgentConfig], Devices],
    data: Path | None = None,
    log_format: logs.Form | None = None,
) -> int:
    """Run the agent of a configuration file until a signal ends it; the exit code. `data` overrides the file's."""
    try:
        settings = config.load(path, data)
        app = App(settings, devices(settings))
    except (config.ConfigError, OSError) as problem:  # OSError: a ca_file that holds no certificate
        terminal.write(f"floorhub-agent: {problem}", error=True)
        return 2
    logs.configure(settings.client_id, folder=Path(settings.data), form=log_format)
    try:
        asyncio.run(_serve(app, settings.stop_timeout_s))
    except JournalLockedError as problem:
        logs.write(Log.AGENT_FAILED, message=str(problem))
        return 2
    except JournalNewerError as newer:
        logs.write(Log.AGENT_FAILED, message=findings.in_language("journal_newer", **newer.values))
        return 2
    except JournalError as problem:
        logs.write(Log.AGENT_FAILED, message=str(problem))
        return 1
    except Exception:  # noqa: BLE001 - the last word before the process ends: the service manager starts it again
        logs.write(Log.AGENT_FAILED, stack=True, message="a bug: please report it with this line")
        return 1
    if app.restarting:
        start_anew()
    return 0


def _devices(settings: config.AgentConfig) -> Devices:
    from device_agent.actions.registry import Drivers

    try:
        return Drivers(
            settings.printers,
            settings.actions,
            version=installed_version(),
            folder=Path(settings.data),
            machine=settings.machine,
            secrets=[settings.secret],
        )
    except ValueError as problem:
        raise config.ConfigError(str(problem), korean_of(problem)) from None


async def _serve(app: App, stop_timeout_s: float) -> None:
    def stop() -> None:
        guard = threading.Timer(stop_timeout_s + GIVE_UP_S, os._exit, [1])
        guard.daemon = True
        guard.start()
        app.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            with contextlib.suppress(ValueError):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    await app.run()


if __name__ == "__main__":
    main()
