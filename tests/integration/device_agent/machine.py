"""The shipped agent on a machine whose only device writes each effect down: `python -m ...machine FOLDER`.

The effect log does not trust the agent: a line in it is an effect, whatever journal and reports say.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from device_agent import __main__ as program
from device_agent.actions.base import Driver, DriverContext
from device_agent.config import AgentConfig
from device_agent.core.outcome import Outcome


class NotingDriver:
    """Appends the job's name to a file, durably; with `wait` it then waits for its gate to be opened."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "effects"
        self._gates = folder / "gates"

    def check(self, action: str, payload: dict[str, Any]) -> None:
        """Everything can be noted."""

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        await asyncio.to_thread(self._note, context.job_name)
        if payload.get("wait"):
            await self._wait_for_gate(str(payload["n"]), context)
        return Outcome(status="completed", data={"noted": context.job_name})

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        noted = context.job_name in (await asyncio.to_thread(self._log.read_text)).splitlines()
        if noted:
            return Outcome(status="completed", data={"evidence": "noted"})
        return Outcome(status="unknown")

    async def _wait_for_gate(self, name: str, context: DriverContext) -> None:
        try:
            while not await asyncio.to_thread((self._gates / name).exists):  # noqa: ASYNC110 - in another process
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            (self._gates / f"{name}-cancelled").write_text(context.stop_reason or "nobody asked")
            raise

    def _note(self, job_name: str) -> None:
        with self._log.open("a") as log:
            log.write(job_name + "\n")
            log.flush()
            os.fsync(log.fileno())


class Machine:
    """One device."""

    def __init__(self, folder: Path) -> None:
        self._driver = NotingDriver(folder)
        self.actions = ["print"]
        self.payload_schemas: dict[str, dict[str, Any]] = {}

    def driver_for(self, action: str) -> Driver | None:
        return self._driver if action == "print" else None

    async def describe(self) -> dict[str, Any]:
        return {"printers": [{"name": "labels", "state": "idle", "reasons": []}]}


def main(folder: Path) -> int:
    def devices(_: AgentConfig) -> Machine:
        return Machine(folder)

    return program.run(folder / "agent.toml", devices)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
