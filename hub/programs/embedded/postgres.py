"""A private Postgres: one data folder, TCP on loopback with a password, durable, ended with us."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from hub import private_files
from hub.programs.embedded import postgres_binaries
from hub.programs.embedded.data_folder import DataFolder, require_readable, write_private
from hub.programs.embedded.errors import EmbeddedError, reason
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.patience import Patience, Say, silent
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.processes import ChildSpec, OneChild, base_environment, end_leftover, identity_arguments
from schemas.terminal import either

HOST = "127.0.0.1"
ROLE = DATABASE = "floorhub"
_SUPERUSER = "postgres"
HUB_ROLE = "floorhub_hub"
"""What the hub signs in as: it reads and writes the tables of `floorhub`, and cannot change the audit trail."""
#: Replaying the log after a crash takes as long as it takes to rewrite what changed since the last checkpoint.
_START_DEADLINE_S = 60
_STOP_DEADLINE_S = 30
_CREATE_DEADLINE_S = 120
_POLL_S = 0.01
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's own place for this
#: A guess: what parallel queries of a few sessions take.
_SHARED_MEMORY_BYTES = 32 * 1024**2

#: Stated on the command line, so that no file in the data folder can weaken what the hub promises.
_FIXED_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "password_encryption": "scram-sha-256",
}
#: Written into postgresql.conf once; whoever runs the hub may change them there.
_FIRST_SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "checkpoint_completion_target": "0.9",
    "idle_in_transaction_session_timeout": "5min",
    "log_min_duration_statement": "1s",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_ACCESS_RULES = "host all all 127.0.0.1/32 scram-sha-256\n"


class EmbeddedPostgres(OneChild):
    """One Postgres server. Hold the data folder's lock while using it.

    When it is stopped, the next start has nothing to replay. When it is killed, what was committed is there after the
    next start.
    """

    def __init__(self, folder: DataFolder, packages: Packages, port: int, major: int = 18, say: Say = silent) -> None:
        self._folder = folder
        self._packages = packages
        self._major = major
        self._say = say
        #: The database files of this major.
        self.data = folder.postgres / str(major)
        self._passwords_file = folder.keys / f"postgres-{major}.json"
        self._note = folder.run / f"postgres-{major}"
        self.port = port

    @property
    def name(self) -> str:
        """What to call it in sentences."""
        return "Postgres"

    @property
    def url(self) -> str:
        """Connection URL of the role `floorhub`, which owns the database `floorhub` and may create databases."""
        return f"postgresql://{ROLE}:{self._passwords()[ROLE]}@{HOST}:{self.port}/{DATABASE}"

    @property
    def hub_url(self) -> str:
        """The same for the hub's own role, which the superuser makes when the tables are there; see
        hub.database.roles. Its password is made at the first call. Raises OSError."""
        passwords = json.loads(private_files.read(self._passwords_file) or "{}")
        if HUB_ROLE not in passwords:
            self._passwords()  # refuses a damaged file
            passwords[HUB_ROLE] = secrets.token_urlsafe(24)
            write_private(self._passwords_file, json.dumps(passwords, indent=2) + "\n")
        return f"postgresql://{HUB_ROLE}:{passwords[HUB_ROLE]}@{HOST}:{self.port}/{DATABASE}"

    @property
    def superuser_url(self) -> str:
        """Connection URL of the superuser, for what the owner may not do."""
        return f"postgresql://{_SUPERUSER}:{self._passwords()[_SUPERUSER]}@{HOST}:{self.port}/{DATABASE}"

    def start(self) -> str:
        """Create the data folder if it is new, start, wait until connections are taken, and return `url`.

        After a crash it first replays its log, for which it gets a minute. Raises EmbeddedError.
        """
        binaries = postgres_binaries.find(self._packages, self._folder.user, self._major)
        end_leftover(self._note, signal.SIGINT)
        if not self.data.exists():
            self._create(binaries)
        self._wait_for_backends()
        self._remove_stale_pid_file()
        settings = {**_FIXED_SETTINGS, "port": str(self.port), "dynamic_shared_memory_type": shared_memory()}
        replaying = Patience(
            self._say,
            either(
                "Waiting for Postgres: after a crash it first replays its log.",
                "Postgres를 기다립니다. 비정상 종료 뒤에는 먼저 로그를 재생합니다.",
            ),
        )
        self._start(
            ChildSpec(
                name=self.name,
                argv=[str(binaries / "postgres"), "-D", str(self.data), *_as_arguments(settings)],
                log=self._folder.logs / "postgres.log",
                note=self._note,
                cwd=self.data,
                user=self._folder.user,
                stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
                death_signal=signal.SIGINT,  # takes less time now than replaying the log takes at the next start
                stop_deadline_s=_STOP_DEADLINE_S,
            ),
            lambda: self._is_ready(replaying),
            _START_DEADLINE_S,
        )
        return self.url

    def _is_ready(self, patience: Patience) -> bool:
        """Whether the server wrote `ready` into its pid file, where pg_ctl looks for it, too."""
        patience.still_waiting()
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, UnicodeDecodeError):
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _passwords(self) -> dict[str, str]:
        return _passwords_in(self._passwords_file)

    def _create(self, binaries: Path) -> None:
        """Make a database cluster next to its place and move it there when it is complete."""
        passwords = {_SUPERUSER: secrets.token_urlsafe(24), ROLE: secrets.token_urlsafe(24)}
        write_private(self._passwords_file, json.dumps(passwords, indent=2) + "\n")
        unfinished = self._folder.postgres / f".{self._major}.new"
        password_file = self._folder.postgres / ".superuser-password"
        shutil.rmtree(unfinished, ignore_errors=True)
        write_private(password_file, passwords[_SUPERUSER], self._folder.user)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self._major >= 17 else []
        try:
            # Relative, and without its words at the end: initdb passes both to a shell, which bears no line break.
            initdb = [str(binaries / "initdb"), "-D", unfinished.name, "-U", _SUPERUSER, f"--pwfile={password_file}"]
            initdb += ["--auth=scram-sha-256", "--data-checksums", "--no-sync", "--no-instructions"]
            initdb += ["--encoding=UTF8", "--locale=C", *locale, *_as_arguments(_FIRST_SETTINGS)]
            self._run(initdb)
            # Single-user mode: the role and its database exist before anybody can connect.
            self._run(
                [str(binaries / "postgres"), "--single", "-D", unfinished.name, _SUPERUSER],
                f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{passwords[ROLE]}';\n"
                f"CREATE DATABASE {DATABASE} OWNER {ROLE};\n",
            )
            write_private(unfinished / "pg_hba.conf", _ACCESS_RULES, self._folder.user)
            self._run([str(binaries / "initdb"), "--sync-only", "-D", unfinished.name])
        finally:
            password_file.unlink(missing_ok=True)
        unfinished.rename(self.data)

    def _run(self, argv: Sequence[str], standard_input: str = "") -> None:
        try:
            done = subprocess.run(
                list(argv),
                input=standard_input,
                cwd=self._folder.postgres,
                env=base_environment(),
                capture_output=True,
                text=True,
                timeout=_CREATE_DEADLINE_S,
                check=False,
                **identity_arguments(self._folder.user),  # type: ignore[call-overload]
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            said = reason(error) if isinstance(error, OSError) else f"no end after {_CREATE_DEADLINE_S} s"
            raise EmbeddedError(
                f"The database could not be created in {self.data}: {argv[0]}: {said}.",
                "Check that this file may be executed, and that the disk has room (about 100 MB), then start again.",
                ko=f"{self.data}에 데이터베이스를 만들 수 없습니다: {argv[0]}: {said}. 이 파일을 실행할 수 있는지, "
                "디스크에 여유(약 100 MB)가 있는지 확인한 뒤 다시 시작하십시오.",
            ) from error
        # Single-user mode exits with 0 even when a statement failed; the server's own word is in its output.
        if done.returncode != 0 or "ERROR:" in done.stderr:
            said = "\n".join(line for line in done.stderr.splitlines() if "PASSWORD" not in line)
            raise EmbeddedError(
                f"The database could not be created in {self.data}:\n{said[-2000:]}\n",
                "Check that the disk has room (about 100 MB), then start again.",
                ko=f"{self.data}에 데이터베이스를 만들 수 없습니다:\n{said[-2000:]}\n디스크에 여유(약 100 MB)가 있는지 "
                "확인한 뒤 다시 시작하십시오.",
            )

    def _remove_stale_pid_file(self) -> None:
        """Remove a crash's `postmaster.pid`, whose number may be another process's by now.

        Postgres itself refuses to start while any process has that number. The lock on the data folder and the wait
        for backends prove that no server of ours runs.
        """
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _wait_for_backends(self) -> None:
        """Wait until nobody works in the data folder; children of a killed server need a moment to notice."""
        end = time.monotonic() + _STOP_DEADLINE_S
        sentence = either(
            "Waiting for Postgres processes of an earlier start to end.",
            "이전에 시작한 Postgres 프로세스가 끝나기를 기다립니다.",
        )
        patience = Patience(self._say, sentence, after_s=0.5)
        while (pids := _processes_in(self.data)) and time.monotonic() < end:
            patience.still_waiting()
            time.sleep(_POLL_S)
        if pids:
            raise EmbeddedError(
                f"Another Postgres (process {min(pids)}) still uses {self.data}.",
                "Stop it, then start again.",
                ko=f"다른 Postgres(프로세스 {min(pids)})가 {self.data}을(를) 쓰고 있습니다. 멈춘 뒤 다시 시작하십시오.",
            )


def _passwords_in(file: Path) -> dict[str, str]:
    """The passwords by role. Raises EmbeddedError or SetupError."""
    try:
        found = json.loads(private_files.read(file) or "")
        return {role: str(found[role]) for role in (_SUPERUSER, ROLE)}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _without_passwords(file) from None


def _without_passwords(file: Path) -> EmbeddedError:
    return EmbeddedError(
        f"The password file {file} is missing or damaged.",
        "Restore it from a backup; it belongs to the database files beside it.",
        ko=f"암호 파일 {file}이(가) 없거나 손상되었습니다. 백업에서 복원하십시오. 옆의 데이터베이스 파일과 짝입니다.",
    )


def url_beside(root: Path) -> str | None:
    """Where the Postgres of this data folder answers while it runs; None when the folder has none. Raises
    EmbeddedError, NotPermittedError if we may not look."""
    require_readable(root)
    files = list((root / "keys").glob("postgres-*.json"))
    port = PortBook(root / "ports.json").known("postgres")
    if not files and any((root / "postgres").glob("[0-9]*/PG_VERSION")):
        raise _without_passwords(root / "keys" / "postgres-*.json")
    if not files or port is None:
        return None
    newest = max(files, key=lambda file: int("".join(filter(str.isdigit, file.stem)) or "0"))
    return f"postgresql://{ROLE}:{_passwords_in(newest)[ROLE]}@{HOST}:{port}/{DATABASE}"


def shared_memory(folder: Path = _SHARED_MEMORY) -> str:
    """How processes share memory beyond the part of a fixed size: by the system's folder for it where that has room.

    In some containers it has none; files in the data folder, a little slower, do the same.
    """
    try:
        status = os.statvfs(folder)
    except OSError:
        return "mmap"
    usable = status.f_bavail * status.f_frsize >= _SHARED_MEMORY_BYTES and folder.stat().st_mode & 0o003 == 0o003
    return "posix" if usable else "mmap"


def _as_arguments(settings: dict[str, str]) -> list[str]:
    return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]


def _processes_in(folder: Path) -> list[int]:
    """The processes whose working folder is `folder`, as that of every Postgres process is. Linux; else empty."""
    found = []
    real = folder.resolve()
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if entry.readlink() == real:
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found
