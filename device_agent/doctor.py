"""`floorhub-agent doctor`: what keeps this client from its commands, and how to fix it.

Reads, asks and tries; changes nothing. It may run beside the agent: then it leaves the agent's connection alone.
"""

import asyncio
from pathlib import Path

from device_agent.actions.registry import Drivers
from device_agent.checks.findings import fail
from device_agent.checks.machine import check_actions, check_config, check_data_folder, check_journal
from device_agent.checks.network import check_broker, check_hub
from device_agent.checks.printers import check_printers
from device_agent.config import AgentConfig
from schemas import findings as shown
from schemas import terminal
from schemas.findings import Finding
from schemas.text import json_text, korean_of
from schemas.version import installed_version


def run(path: Path, data: Path | None = None, *, as_json: bool = False) -> int:
    """Examine, print what was found, and give the exit code: 0 without problems, 1 with any."""
    findings, config = asyncio.run(examine(path, data))
    korean = terminal.shows_korean()
    if as_json:
        client_id = None if config is None else config.client_id
        terminal.write_json(json_text(shown.document(findings, korean=korean, client_id=client_id), indent=2))
    else:
        terminal.write(*shown.lines(findings, korean=korean))
    lost = terminal.lost_output()
    if lost is not None:
        terminal.write(f"floorhub-agent: standard output does not take everything: {lost.strerror}.", error=True)
    return 1 if shown.failures(findings) or lost is not None else 0


async def examine(path: Path, data: Path | None = None) -> tuple[list[Finding], AgentConfig | None]:
    """All findings about the client of a configuration file, and its configuration if there is a usable one."""
    findings, config = check_config(path, data)
    if config is None:
        return findings, None
    try:
        Drivers(config.printers, config.actions, version=installed_version(), folder=Path(config.data))
    except ValueError as problem:
        return [fail("config", "config_invalid", problem=terminal.either(str(problem), korean_of(problem)))], config
    journal_findings, agent_runs, known_list = await check_journal(config.journal)
    data_findings, hub, broker, printers = await asyncio.gather(
        asyncio.to_thread(check_data_folder, Path(config.data)),
        check_hub(config),
        check_broker(config, agent_runs=agent_runs, known_list=known_list),
        check_printers(config.printers),
    )
    return [
        *findings,
        *data_findings,
        *journal_findings,
        *hub,
        *broker,
        *printers,
        *check_actions(config.actions, config.machine),
    ], config
