"""A site's own action: a program from the agent's configuration, run without a shell.

Only the configuration says which program runs. A command fills in values, each of which stays inside the one argument
it was meant for, whatever characters it has.
"""

import asyncio
import contextlib
import os
import signal
import string
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Literal

from device_agent.drivers.base import DriverContext, Outcome, PayloadError, stopping
from device_agent.drivers.config import OwnActionConfig

_ALWAYS = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")  # Windows programs do not start without the last
_TERM_S = 2.0
_KILL_S = 1.0
_AFTER_EXIT_S = 0.5
"""How long output may still come after the program ended: something it started may hold the pipe open for ever."""
_CHUNK = 16 * 1024
_MAX_VALUE = 4_096


class OwnAction:
    """Runs one configured program. Implements `Driver`."""

    def __init__(self, name: str, config: OwnActionConfig) -> None:
        """Raises ValueError for an argv template that cannot be filled."""
        self._name = name
        self._config = config
        self._template = [_parse(element) for element in config.argv]
        self._names = {part for element in self._template for part, is_name in element if is_name}
        if any(is_name for _, is_name in self._template[0]):
            raise ValueError(f"actions.{name}.argv: the program itself must be fixed, not filled in by a command")
        if unknown := sorted(set(config.allow_dash) - self._names):
            raise ValueError(f"actions.{name}.allow_dash: argv has no {', '.join(unknown)}")

    def check(self, action: str, payload: dict[str, Any]) -> None:  # noqa: ARG002 - one action
        """See `Driver`."""
        self._argv(payload)

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`. Codes: program_not_found, action_failed, timed_out, stopped."""
        argv = self._argv(payload)
        run: _Run | None = None

        async def stop() -> Outcome:
            if run is None:
                return Outcome(status="cancelled", message="it was stopped before the program began")
            return await self._end(run, "cancelled", "stopped", "it was stopped")

        async with stopping(context, stop, with_agent=True):  # nobody would bound an orphan's time
            try:
                run = await _Run.start(argv, self._config, self._environment(context))
            except OSError as problem:
                message = f"{argv[0]} could not be started: {problem.strerror or problem}; check argv and cwd"
                return Outcome(status="failed", code="program_not_found", message=message)
            except ValueError as problem:  # a NUL
                raise PayloadError("payload_invalid", f"args: {problem}") from None
            try:
                async with asyncio.timeout(self._config.timeout_s):
                    await run.wait()
            except TimeoutError:
                return await self._end(run, "failed", "timed_out", f"it took longer than {self._config.timeout_s:g} s")
            return self._judge(run)
        raise AssertionError("unreachable")  # `stopping` swallows nothing

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`. Nobody remembers what a program did."""
        message = f"the agent was interrupted while {self._name} ran: check what it did"
        return Outcome(status="unknown", code="interrupted", message=message)

    async def _end(self, run: "_Run", status: Literal["failed", "cancelled"], code: str, why: str) -> Outcome:
        """Stop the program. What it did until then stays done, so this is never retryable."""
        if run.process.returncode is not None:
            await run.end()
            return self._judge(run)
        await run.end()
        if run.process.returncode:
            message = f"{why}, so the program was ended ({run.spell_exit()}); what it did until then stays done"
            return Outcome(status=status, code=code, data=run.data(), message=message)
        message = f"{why}; the program was told to end ({run.spell_exit()}) and may have done everything: check"
        return Outcome(status="unknown", code=code, data=run.data(), message=message)

    def _judge(self, run: "_Run") -> Outcome:
        code = run.process.returncode
        if code == 0:
            return Outcome(status="completed", data=run.data())
        return Outcome(
            status="failed",
            code="action_failed",
            data=run.data(),
            message=f"{self._name} failed ({run.spell_exit()})",
            retryable=code in self._config.retryable_exit_codes,
        )

    def _argv(self, payload: dict[str, Any]) -> list[str]:
        """The template with the command's values. Raises PayloadError."""
        args = payload.get("args", {})
        if not isinstance(args, dict):
            raise PayloadError("payload_invalid", "args: must be an object of names and values")
        if missing := sorted(self._names - args.keys()):
            raise PayloadError("payload_invalid", f"args: {', '.join(missing)} is missing")
        if unknown := sorted(map(str, args.keys() - self._names)):
            raise PayloadError("payload_invalid", f"args: {self._name} knows no {', '.join(unknown)}")
        values = {name: _spell(name, value) for name, value in args.items()}
        argv = []
        for element in self._template:
            filled = "".join(values[part] if is_name else part for part, is_name in element)
            first, is_name = element[0]
            if is_name and filled.startswith("-") and first not in self._config.allow_dash:
                raise PayloadError("payload_invalid", f"args.{first}: may not begin with '-': it would be an option")
            argv.append(filled)
        return argv

    def _environment(self, context: DriverContext) -> dict[str, str]:
        kept = {name: os.environ[name] for name in (*_ALWAYS, *self._config.env) if name in os.environ}
        told = {"FLOORHUB_COMMAND_ID": context.command_id, "FLOORHUB_ATTEMPT": str(context.attempt)}
        return {"PATH": os.defpath, **kept, **told}


def _parse(element: str) -> list[tuple[str, bool]]:
    """An argument as pieces of text (False) and names of placeholders (True); at least one piece."""
    pieces: list[tuple[str, bool]] = []
    for text, name, form, conversion in string.Formatter().parse(element):
        if text:
            pieces.append((text, False))
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(f"argv: {element!r} has a placeholder that is no plain name; write {{{{ for a brace")
        pieces.append((name, True))
    return pieces or [("", False)]


def _spell(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise PayloadError("payload_invalid", f"args.{name}: must be text, a number, true or false")
    text = str(value)
    if len(text) > _MAX_VALUE or "\0" in text:
        raise PayloadError("payload_invalid", f"args.{name}: at most {_MAX_VALUE} characters, none of them NUL")
    return text


class _Tail:
    """The last bytes of a stream, and how many there were."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._total = 0

    async def read(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(_CHUNK):
            self._total += len(chunk)
            self._kept += chunk
            del self._kept[: max(0, len(self._kept) - self._limit)]

    def data(self, name: str) -> dict[str, Any]:
        text = bytes(self._kept).decode("utf-8", "replace")
        cut = self._total - len(self._kept)
        return {name: text, f"{name}_bytes_cut": cut} if cut else {name: text}


class _Run:
    """One running program, in a process group of its own, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process, limit: int) -> None:
        self.process = process
        self._out, self._err = _Tail(limit), _Tail(limit)
        streams = ((self._out, process.stdout), (self._err, process.stderr))
        self._readers = {
            asyncio.create_task(tail.read(stream), name=f"output-{process.pid}")
            for tail, stream in streams
            if stream is not None
        }

    @classmethod
    async def start(cls, argv: list[str], config: OwnActionConfig, environment: Mapping[str, str]) -> "_Run":
        """Raises OSError when the program cannot be started, ValueError for a NUL in argv."""
        own_group: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=config.cwd,
            env=dict(environment),
            **own_group,
        )
        return cls(process, config.output_limit)

    async def wait(self) -> None:
        """Until the program ended and what it wrote was read."""
        await self.process.wait()
        await self._finish_reading()

    async def end(self) -> None:
        """End it and everything it started: first politely, then at once. At most about 4 s."""
        self._signal(polite=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TERM_S):
                await self.process.wait()
        self._signal(polite=False)  # also when it ended: what it started may have stayed
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KILL_S):
                await self.process.wait()
        await self._finish_reading()

    async def _finish_reading(self) -> None:
        if not self._readers:
            return
        _, late = await asyncio.wait(self._readers, timeout=_AFTER_EXIT_S)
        for reader in late:
            reader.cancel()

    def _signal(self, *, polite: bool) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self.process.terminate()
            else:
                os.killpg(self.process.pid, signal.SIGTERM if polite else signal.SIGKILL)

    def spell_exit(self) -> str:
        """How it ended, for people."""
        code = self.process.returncode
        if code is None:
            return "it does not end"
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def data(self) -> dict[str, Any]:
        """`exit_code` and the ends of stdout and stderr."""
        return {"exit_code": self.process.returncode, **self._out.data("stdout"), **self._err.data("stderr")}
