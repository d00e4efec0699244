"""An agent as a process of its own, so that it can be killed like one."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from schemas.signing import encode_key
from tests.support.agent_bench import CLIENT

DEADLINE_S = 20.0


class AgentProcess:
    """Runs `machine.py`: the shipped agent with a driver that writes down each effect."""

    def __init__(self, folder: Path, mqtt_url: str, root_key: bytes, secret: str) -> None:
        self.folder = folder
        self.config = folder / "agent.toml"
        self.effect_log = folder / "effects"
        self.gates = folder / "gates"
        self.gates.mkdir()
        self.effect_log.touch()
        (folder / "secret").touch(mode=0o600)
        (folder / "secret").write_text(secret)
        self.config.write_text(
            f'client_id = "{CLIENT}"\nhub_url = "http://127.0.0.1:9"\nmqtt_url = "{mqtt_url}"\n'
            f'root_key = "{encode_key(root_key)}"\nsecret_file = "secret"\ndata = "data"\nstop_timeout_s = 5\n'
        )
        self.logs: list[dict[str, Any]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._logged = asyncio.Condition()

    async def start(self, *prefix: str) -> None:
        """Start it, behind `prefix` (strace)."""
        command = [*prefix, sys.executable, "-m", "tests.integration.device_agent.machine", str(self.folder)]
        self._process = await asyncio.create_subprocess_exec(
            *command, stderr=asyncio.subprocess.PIPE, start_new_session=True
        )
        self._reader = asyncio.create_task(self._read(self._process), name="agent-log")

    async def wait_log(self, event: str, count: int = 1) -> dict[str, Any]:
        """The `count`-th line of this event."""
        async with asyncio.timeout(DEADLINE_S), self._logged:
            await self._logged.wait_for(lambda: len(self.logged(event)) >= count)
        return self.logged(event)[count - 1]

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.logs if line["event"] == event]

    def effects(self) -> list[str]:
        """The names of the jobs whose effect took place, in order."""
        return self.effect_log.read_text().splitlines()

    def open_gate(self, number: int) -> None:
        """Let the effect of command `number`, which waits, go on."""
        (self.gates / str(number)).touch()

    async def kill(self) -> None:
        """kill -9. Safe to call again."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self.wait()

    async def terminate(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return await self.wait()

    async def wait(self) -> int:
        """The exit code."""
        if self._process is None or self._reader is None:
            return 0
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.shield(self._reader)  # a caller that gives up must not end the log
            return await self._process.wait()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            entry = {"event": "text", "text": line.decode()}
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
            async with self._logged:
                self.logs.append(entry)
                self._logged.notify_all()
