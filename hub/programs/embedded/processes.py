"""Starting, watching and ending one child process, so that none outlives us and every wait has a deadline."""

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from hub.programs.embedded import logs
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.patience import Say, silent
from hub.programs.embedded.service_user import ServiceUser
from schemas.terminal import either

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.01
_AFTER_KILL_S = 10
_UNKNOWN = "-"
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
#: What a child gets of our own environment; everything else could be a secret of the hub.
_INHERITED = ("PATH", "TZ", "TMPDIR")


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to run a child.

    `log` gets its output; `note` remembers the running process for the next start (see `end_leftover`).
    `death_signal` is what the kernel sends it if we die: by default a crash for it, too, so that none outlives us.
    `stop_signal` asks it to end within `stop_deadline_s`.
    `open_files` raises its limit of open files and connections to that many, as far as the system allows.
    """

    name: str
    argv: Sequence[str]
    log: Path
    note: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    user: ServiceUser | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    stop_deadline_s: float = 10
    open_files: int | None = None


def base_environment() -> dict[str, str]:
    """The little of our environment that every child gets."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": os.defpath, **kept}


def identity_arguments(user: ServiceUser | None) -> dict[str, object]:
    """The arguments of `subprocess` that make a child run as `user`; none for None."""
    return {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}


class Child:
    """One running process. Create it with `Child.start`, from the main thread."""

    def __init__(self, spec: ChildSpec, process: "subprocess.Popen[bytes]", log_start: int) -> None:
        self.spec = spec
        self._process = process
        self._log_start = log_start
        self._cleaned_up = False

    @classmethod
    def start(cls, spec: ChildSpec) -> "Child":
        """Start the process; it dies with us. Raises EmbeddedError when it cannot be run at all."""
        if threading.current_thread() is not threading.main_thread():
            # The kernel sends the death signal when the thread that forked ends, not the process.
            raise EmbeddedError(
                f"{spec.name} can only be started from the main thread.",
                "This is a bug: report it.",
                ko=f"{spec.name}은(는) 주 스레드에서만 시작할 수 있습니다. 프로그램의 결함이니 알려 주십시오.",
            )
        with logs.open_log(spec.log) as log:
            log_start = log.seek(0, os.SEEK_END)
            try:
                process = _fork(spec, log)
            except OSError as error:
                raise EmbeddedError(
                    f"{spec.name} could not be started: {spec.argv[0]}: {error.strerror}.",
                    "Check that this file exists and may be executed.",
                    ko=f"{spec.name}을(를) 시작할 수 없습니다: {spec.argv[0]}: {error.strerror}. 이 파일이 있고 "
                    "실행할 수 있는지 확인하십시오.",
                ) from error
        child = cls(spec, process, log_start)
        spec.note.write_text(f"{process.pid} {_birth(process.pid)}\n", encoding="ascii")
        return child

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What it ended with, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait_ready(self, is_ready: Callable[[], bool], deadline_s: float) -> None:
        """Return as soon as `is_ready()`. On death or at the deadline: EmbeddedError with the last log lines."""
        end = time.monotonic() + deadline_s
        while True:
            if not self.is_alive():
                raise self._failed(
                    f"{self.spec.name} ended right after its start (exit {self._process.returncode}).",
                    f"{self.spec.name}이(가) 시작 직후 끝났습니다(종료 코드 {self._process.returncode}).",
                )
            if is_ready():
                return
            if time.monotonic() > end:
                raise self._failed(
                    f"{self.spec.name} was not ready after {deadline_s:g} s.",
                    f"{self.spec.name}이(가) {deadline_s:g}초 안에 준비되지 않았습니다.",
                )
            time.sleep(_POLL_S)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if it ended already."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """Ask it to end, wait for its deadline, then kill it. Safe to call twice."""
        if self.is_alive():
            self.signal(self.spec.stop_signal)
            try:
                self._process.wait(self.spec.stop_deadline_s)
            except subprocess.TimeoutExpired:
                self.kill()
        self._clean_up()

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL). Safe to call twice."""
        self._process.kill()
        self._process.wait(_AFTER_KILL_S)
        self._clean_up()

    def log_tail(self) -> str:
        """The last lines it wrote since this start."""
        return logs.tail(self.spec.log, self._log_start)

    def failure(self) -> str:
        """A sentence about what its log says last, and where that log is."""
        said = logs.last_error(self.log_tail())
        if said:
            return either(f"It said last: {said} (log: {self.spec.log})", f"마지막 말: {said} (로그: {self.spec.log})")
        return either(f"Its log is {self.spec.log}.", f"로그: {self.spec.log}")

    def _clean_up(self) -> None:
        if self._cleaned_up:
            return  # the number may be another process's by now
        self._cleaned_up = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # what it started itself and left behind in its session
        self.spec.note.unlink(missing_ok=True)

    def _failed(self, sentence: str, korean: str) -> EmbeddedError:
        quoted = self.log_tail()
        return EmbeddedError(
            f"{sentence} Its last words:\n{quoted}\n" if quoted else sentence,
            f"The whole log is {self.spec.log}.",
            ko=f"{korean} {f'마지막 말:{chr(10)}{quoted}{chr(10)}' if quoted else ''}전체 로그: {self.spec.log}",
        )


class OneChild:
    """A service that is one process: what may be asked of it, or done to it, at any time after it was made."""

    _child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, or None when it was not started."""
        return self._child.pid if self._child else None

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None while it runs, or when it was not started."""
        return self._child.exit_code if self._child else None

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.is_alive()

    def failure(self) -> str:
        """A sentence about why it may have ended; empty when it was not started."""
        return self._child.failure() if self._child else ""

    def stop(self) -> None:
        """Stop it in good order. Safe to call twice."""
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        if self._child is not None:
            self._child.kill()

    def _start(self, spec: ChildSpec, is_ready: Callable[[], bool], deadline_s: float) -> None:
        """Start the process, and return when it is ready. Raises EmbeddedError; then it does not run."""
        self._child = Child.start(spec)
        try:
            self._child.wait_ready(is_ready, deadline_s)
        except EmbeddedError:
            self.stop()
            raise


def _fork(spec: ChildSpec, log: BinaryIO) -> "subprocess.Popen[bytes]":
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork beside threads; between fork and exec we do nothing that could wait for one.
        warnings.filterwarnings("ignore", message=".*multi-threaded.*", category=DeprecationWarning)
        process: subprocess.Popen[bytes] = subprocess.Popen(
            list(spec.argv),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**base_environment(), **spec.env},
            cwd=spec.cwd,
            # Ctrl-C in the terminal reaches only us; we stop children in their order.
            start_new_session=True,
            preexec_fn=_last_steps(spec),
            **identity_arguments(spec.user),  # type: ignore[call-overload]
        )
    return process


def end_leftover(note: Path, stop_signal: signal.Signals, say: Say = silent, deadline_s: float = 15) -> None:
    """End the process that `note` tells of, if a crash of ours left it running; then remove the note.

    Call it only while holding the data folder's lock. The note carries the process's birth time, so that another
    process which got the same number since then is never touched. `say` hears what is waited for.
    """
    try:
        pid_text, birth = note.read_text(encoding="ascii").split()
        pid = int(pid_text)
    except (FileNotFoundError, ValueError):
        note.unlink(missing_ok=True)
        return
    if birth == _UNKNOWN or _birth(pid) != birth:
        note.unlink(missing_ok=True)
        return
    say(
        either(
            f"{note.name} of an earlier start still runs (process {pid}): ending it.",
            f"이전에 시작한 {note.name}이(가) 아직 실행 중이어서(프로세스 {pid}) 끝냅니다.",
        )
    )
    for number in (stop_signal, signal.SIGKILL):
        if _birth(pid) != birth:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        end = time.monotonic() + deadline_s
        while _birth(pid) == birth and time.monotonic() < end:
            time.sleep(_POLL_S)
    note.unlink(missing_ok=True)


def _birth(pid: int) -> str:
    """When the process began, in kernel ticks since boot, with the boot's id; `_UNKNOWN` for a dead one."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _UNKNOWN
    return _UNKNOWN if status[0] in "ZX" else f"{status[19]}@{boot}"


def _last_steps(spec: ChildSpec) -> Callable[[], None]:
    """What the child does between fork and exec; everything it needs is computed before the fork."""
    parent = os.getpid()
    prctl = _LIBC.prctl if _LIBC is not None else None
    death_signal = int(spec.death_signal)
    limits = _open_file_limits(spec.open_files)

    def take() -> None:
        # After the switch of user, which would have cleared the setting.
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if limits is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        if os.getppid() != parent:
            os._exit(1)

    return take


def _open_file_limits(wanted: int | None) -> tuple[int, int] | None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if wanted is None or soft == resource.RLIM_INFINITY or soft >= wanted:
        return None
    return (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
