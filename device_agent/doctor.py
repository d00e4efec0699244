"""`floorhub-agent doctor`: what stands between this client and its commands, and how to mend it.

Reads, asks and tries; changes nothing. It may run beside the agent: then it leaves the agent's connection alone.
"""

import asyncio
from pathlib import Path
from typing import Any

from device_agent.actions.registry import Drivers
from device_agent.checks.findings import Finding, Level, obstacle
from device_agent.checks.machine import check_actions, check_config, check_data_folder, check_journal
from device_agent.checks.network import check_broker, check_hub
from device_agent.checks.printers import check_printers
from device_agent.config import AgentConfig
from schemas import terminal
from schemas.text import json_text
from schemas.version import installed_version

_MARKS = {Level.OK: ("ok", "정상"), Level.NOTE: ("note", "참고"), Level.OBSTACLE: ("obstacle", "장애")}


def run(path: Path, data: Path | None = None, *, as_json: bool = False) -> int:
    """Examine, print what was found, and give the exit code: 0 without obstacles, 1 with any."""
    findings, config = asyncio.run(examine(path, data))
    korean = terminal.shows_korean()
    obstacles = sum(finding.level is Level.OBSTACLE for finding in findings)
    if as_json:
        terminal.write_json(json_text(_document(findings, config, korean=korean), indent=2))
    else:
        for finding in findings:
            terminal.write(f"{_MARKS[finding.level][korean]:<9} {finding.check:<8} {finding.sentence(korean=korean)}")
        english = f"{obstacles} obstacle(s)." if obstacles else "No obstacle found."
        terminal.write((f"장애 {obstacles}건." if obstacles else "장애가 없습니다.") if korean else english)
    lost = terminal.lost_output()
    if lost is not None:
        terminal.write(f"floorhub-agent: standard output does not take everything: {lost.strerror}.", error=True)
    return 1 if obstacles or lost is not None else 0


async def examine(path: Path, data: Path | None = None) -> tuple[list[Finding], AgentConfig | None]:
    """All findings about the client of a configuration file, and its configuration if there is a usable one."""
    findings, config = check_config(path, data)
    if config is None:
        return findings, None
    try:
        Drivers(config.printers, config.actions, version=installed_version(), folder=Path(config.data))
    except ValueError as problem:
        return [obstacle("config", "config_invalid", problem=problem)], config
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


def _document(findings: list[Finding], config: AgentConfig | None, *, korean: bool) -> dict[str, Any]:
    return {
        "ok": all(finding.level is not Level.OBSTACLE for finding in findings),
        "client_id": None if config is None else config.client_id,
        "findings": [
            {
                "check": finding.check,
                "level": finding.level.value,
                "code": finding.code,
                "values": finding.values,
                "message": finding.sentence(korean=korean),
            }
            for finding in findings
        ],
    }
