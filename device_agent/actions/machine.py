"""The actions that end the agent: `restart_agent`, `reboot`, `shutdown`.

Nobody is left to say that they were carried out. The start is in the journal before the effect, with the machine's boot
and the agent's process; the process that comes after compares them with its own. So they are never carried out twice,
and end `unknown` where nothing is proven.

Until its delay is over an action has done nothing, and is held untouched: what ends the agent or restarts the machine
meanwhile is somebody else's doing, proves nothing, and the next process begins the action anew.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from device_agent.actions.base import DriverContext, read_payload, stopping
from device_agent.core.outcome import Outcome
from schemas.actions import DelaySent

_OUTPUT = 2_000
COMES_WITHIN_S = 180.0
"""How long a machine may take to go down after its program said that it would. systemd gives a service that does not
stop 90 s."""
DELAY = "delay"
"""The reason of an action that is held until its delay is over."""


class MachineDriver:
    """Implements `Driver`."""

    announces_effect = True

    def __init__(self, programs: Mapping[str, Sequence[str]], comes_within_s: float = COMES_WITHIN_S) -> None:
        """`programs` says how `reboot` and `shutdown` are done here; `restart_agent` needs none."""
        self._programs = programs
        self._comes_within_s = comes_within_s

    def check(self, action: str, payload: dict[str, Any]) -> None:  # noqa: ARG002 - all take the same
        """See `Driver`."""
        read_payload(DelaySent, payload)

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        """See `Driver`. Codes: program_not_found, action_failed, timed_out, not_proven. If it works, it does not
        return: the process ends first."""
        delay_s = read_payload(DelaySent, payload).delay_s
        begun = False

        async def stop() -> Outcome:
            if not begun:
                return Outcome(status="cancelled", message="it was stopped before it began")
            return _not_proven(f"{action} was started, but has not happened yet: check the machine")

        async with stopping(context, stop):
            if delay_s > 0:
                await context.held([DELAY], untouched=True)
                await context.progress({"in_s": delay_s})
                await asyncio.sleep(delay_s)
                await context.resumed()
            else:
                await context.begins()
            begun = True
            if action == "restart_agent":
                context.restart_agent()
            else:
                failed = await _run(self._programs[action])
                if failed is not None:
                    return failed
                await asyncio.sleep(self._comes_within_s)
                waited = f"{self._comes_within_s:.0f} s later the machine is still running: check it"
                return _not_proven(f"{self._programs[action][0]} reported success, and {waited}")
            await asyncio.Event().wait()
        raise AssertionError("unreachable")  # nobody sets it, and `stopping` swallows nothing

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`."""
        what = "process" if action == "restart_agent" else "boot"
        before, now = getattr(context.began, what), getattr(context.now, what)
        data = {f"{what}_before": before, f"{what}_now": now}
        if before and now and before != now:
            return Outcome(status="completed", data=data)
        message = f"nothing proves that {action} took place: the {what} is the same as before, or not known"
        return _not_proven(message, {"evidence": data})


def _not_proven(message: str, data: dict[str, Any] | None = None) -> Outcome:
    return Outcome(status="unknown", code="not_proven", data=data or {}, message=message)


async def _run(argv: Sequence[str]) -> Outcome | None:
    """Run a program, without a shell; why it failed, or None."""
    with tempfile.TemporaryFile() as complaints:  # a pipe would be waited for as long as a child of it lives
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
        except OSError as problem:
            message = f"{argv[0]} could not be started: {problem.strerror or problem}; check [machine] in agent.toml"
            return Outcome(status="failed", code="program_not_found", message=message)
        code = await process.wait()
        if code == 0:
            return None
        size = complaints.seek(0, os.SEEK_END)
        complaints.seek(max(0, size - _OUTPUT))
        complaint = complaints.read(_OUTPUT).decode(errors="replace")
    return Outcome(status="failed", code="action_failed", message=f"{argv[0]} failed (exit code {code}): {complaint}")
