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

from device_agent.actions.base import DriverContext, stopping
from device_agent.actions.config import OwnActionConfig
from device_agent.actions.payload_schema import PayloadSchema
from device_agent.core.gate import PayloadError
from device_agent.core.outcome import Outcome
from schemas.text import SaidError, korean_of

_ALWAYS = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")  # Windows programs do not start without the last
_TERM_S = 2.0
_KILL_S = 1.0
_AFTER_EXIT_S = 0.5
"""How long output may still come after the program ended: something it started may hold the pipe open for ever."""
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
            raise SaidError(
                f"actions.{name}.argv: the program itself must be fixed, not filled in by a command",
                f"actions.{name}.argv: 프로그램은 명령으로 채우지 않고 고정해야 합니다",
            )
        if unknown := sorted(set(config.allow_dash) - self._names):
            raise SaidError(
                f"actions.{name}.allow_dash: argv has no {', '.join(unknown)}",
                f"actions.{name}.allow_dash: argv에 {', '.join(unknown)}이(가) 없습니다",
            )
        self._schema = _compiled(name, config)

    def check(self, action: str, payload: dict[str, Any]) -> None:  # noqa: ARG002 - one action
        """See `Driver`."""
        self._argv(payload)

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`. Codes: program_not_found, action_failed, timed_out, stopped."""
        argv = self._argv(payload)
        run = _Run(self._config.output_limit)

        async def stop() -> Outcome:
            if not await run.began():
                return Outcome(status="cancelled", message="it was stopped before the program began")
            return await self._end(run, "cancelled", "stopped", "it was stopped")

        try:
            async with stopping(context, stop, with_agent=True):  # nobody would bound an orphan's time
                try:
                    await run.start(argv, self._config.cwd, self._environment(context))
                except OSError as problem:
                    message = f"{argv[0]} could not be started: {problem.strerror or problem}; check argv and cwd"
                    return Outcome(status="failed", code="program_not_found", message=message)
                except ValueError as problem:  # a NUL
                    raise PayloadError("payload_invalid", f"args: {problem}") from None
                try:
                    async with asyncio.timeout(self._config.timeout_s):
                        await run.wait()
                except TimeoutError:
                    return await self._end(
                        run, "failed", "timed_out", f"it took longer than {self._config.timeout_s:g} s"
                    )
                return self._judge(run)
        finally:
            run.abandon()  # a second cancel ends `stop` wherever it is, even before its first step
        raise AssertionError("unreachable")  # `stopping` swallows nothing

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`. Nobody remembers what a program did."""
        message = f"the agent was interrupted while {self._name} ran: check what it did"
        return Outcome(status="unknown", code="interrupted", message=message)

    async def _end(self, run: "_Run", status: Literal["failed", "cancelled"], code: str, why: str) -> Outcome:
        """Stop the program. What it did until then stays done, so this is never retryable."""
        ended_itself = run.exit_code is not None and run.exit_code >= 0
        await run.end()
        if ended_itself:
            return self._judge(run)
        if run.exit_code:
            message = f"{why}, so the program was ended ({run.spell_exit()}); what it did until then stays done"
            return Outcome(status=status, code=code, data=run.data(), message=message)
        message = f"{why}; the program was told to end ({run.spell_exit()}) and may have done everything: check"
        return Outcome(status="unknown", code=code, data=run.data(), message=message)

    def _judge(self, run: "_Run") -> Outcome:
        code = run.exit_code
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
        if self._schema is not None:
            self._schema.check(payload)
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
            pieces = [(part, values[part] if is_name else part) for part, is_name in element]
            filled = "".join(text for _, text in pieces)
            if element[0][1] and filled.startswith("-"):
                # An empty value before it makes the next piece the first one.
                origin = next(part for part, text in pieces if text)
                if origin not in self._config.allow_dash:
                    message = f"args.{element[0][0]}: the argument would begin with '-' and be taken for an option"
                    raise PayloadError("payload_invalid", message)
            argv.append(filled)
        return argv

    def _environment(self, context: DriverContext) -> dict[str, str]:
        kept = {name: os.environ[name] for name in (*_ALWAYS, *self._config.env) if name in os.environ}
        told = {"FLOORHUB_COMMAND_ID": context.command_id, "FLOORHUB_ATTEMPT": str(context.attempt)}
        return {"PATH": os.defpath, **kept, **told}


def _compiled(name: str, config: OwnActionConfig) -> PayloadSchema | None:
    schema = config.payload_schema
    if schema is None:
        return None
    assert isinstance(schema, dict)  # noqa: S101 - `config.load` reads the file
    try:
        return PayloadSchema(schema)
    except ValueError as problem:
        raise SaidError(
            f"actions.{name}.payload_schema: {problem}", f"actions.{name}.payload_schema: {korean_of(problem)}"
        ) from None


def _parse(element: str) -> list[tuple[str, bool]]:
    """An argument as pieces of text (False) and names of placeholders (True); at least one piece."""
    pieces: list[tuple[str, bool]] = []
    for text, name, form, conversion in string.Formatter().parse(element):
        if text:
            pieces.append((text, False))
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise SaidError(
                f"argv: {element!r} has a placeholder that is no plain name; write {{{{ for a brace",
                f"argv: {element!r}의 자리 표시자가 올바른 이름이 아닙니다. 중괄호는 {{{{로 쓰십시오",
            )
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

    def add(self, octets: bytes) -> None:
        self._total += len(octets)
        self._kept += octets
        del self._kept[: max(0, len(self._kept) - self._limit)]

    def data(self, name: str) -> dict[str, Any]:
        text = bytes(self._kept).decode("utf-8", "replace")
        cut = self._total - len(self._kept)
        return {name: text, f"{name}_bytes_cut": cut} if cut else {name: text}


class _Run(asyncio.SubprocessProtocol):
    """One running program, in a process group of its own, and what it says.

    Not `asyncio.subprocess.Process`: its `wait` also waits for the output to be closed, and a program's children may
    keep that open for ever.
    """

    def __init__(self, limit: int) -> None:
        self._tails = {1: _Tail(limit), 2: _Tail(limit)}
        self._open = {1, 2}
        self._exited = asyncio.Event()
        self._read_all = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None
        self._starting: asyncio.Future[Any] | None = None

    async def start(self, argv: list[str], cwd: str | None, environment: Mapping[str, str]) -> None:
        """Raises OSError when the program cannot be started, ValueError for a NUL in argv.

        Once under way it goes to its end, cancelled or not: asyncio kills a program whose start is cancelled, and when
        that has just ended, two parts of asyncio ask the system for its exit code, of which the later one says 255.
        """
        own_group: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self._starting = asyncio.ensure_future(
            asyncio.get_running_loop().subprocess_exec(
                lambda: self,
                *argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                env=dict(environment),
                **own_group,
            )
        )
        await asyncio.shield(self._starting)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio: the program runs."""
        assert isinstance(transport, asyncio.SubprocessTransport)  # noqa: S101 - what asyncio promises
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Called by asyncio."""
        self._tails[fd].add(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Called by asyncio: nobody can write there any more."""
        self._open.discard(fd)
        if not self._open:
            self._read_all.set()

    def process_exited(self) -> None:
        """Called by asyncio."""
        self._exited.set()

    async def began(self) -> bool:
        """Whether there is, or was, a process; waits for a start that is under way."""
        if self._starting is None:
            return False
        await asyncio.wait({self._starting})
        return self._starting.exception() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs, negative for a signal."""
        return None if self._transport is None else self._transport.get_returncode()

    async def wait(self) -> None:
        """Until the program ended and what it wrote was read."""
        await self._exited.wait()
        await self._finish()

    async def end(self) -> None:
        """End it and everything it started: first politely, then at once. At most about 4 s."""
        self._signal(polite=True)
        try:
            await _within(_TERM_S, self._exited)
        finally:
            self._signal(polite=False)  # also when it ended: what it started may have stayed
        await _within(_KILL_S, self._exited)
        await self._finish()

    def abandon(self) -> None:
        """Kill what still runs, without waiting; a start that is under way first comes to its end."""
        if self._starting is not None and not self._starting.done():
            self._starting.add_done_callback(lambda _: self.abandon())
            return
        if self.exit_code is None:
            self._signal(polite=False)
        if self._transport is not None:
            self._transport.close()

    async def _finish(self) -> None:
        await _within(_AFTER_EXIT_S, self._read_all)
        if self._transport is not None:
            self._transport.close()

    def _signal(self, *, polite: bool) -> None:
        if self._transport is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._transport.terminate()
            else:
                os.killpg(self._transport.get_pid(), signal.SIGTERM if polite else signal.SIGKILL)

    def spell_exit(self) -> str:
        """How it ended, for people."""
        code = self.exit_code
        if code is None:
            return "it does not end"
        if code >= 0:
            return f"exit code {code}"
        return f"signal {signal.Signals(-code).name}" if -code in set(signal.Signals) else f"signal {-code}"

    def data(self) -> dict[str, Any]:
        """`exit_code` and the ends of stdout and stderr."""
        return {"exit_code": self.exit_code, **self._tails[1].data("stdout"), **self._tails[2].data("stderr")}


async def _within(seconds: float, event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
