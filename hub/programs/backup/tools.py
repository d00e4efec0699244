"""pg_dump and pg_restore: the ones that fit a server, found on this machine, and run without a password in sight."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hub.errors import SetupError
from hub.programs.embedded import postgres_binaries
from hub.programs.embedded.errors import EmbeddedError, reason
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.processes import base_environment
from hub.programs.embedded.service_user import ServiceUser

BUNDLED = (18, 16)
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_COPY = re.compile(r"COPY [\w.\"]+ \(([\w, ]+)\) FROM stdin;")
_VERSION_S = 20
_MOST_S = 24 * 3_600
"""A guess; what hangs on a lost connection ends sooner, by the settings below."""
_NETWORK = {"connect_timeout": "10", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "6"}
_SYSTEM = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
NEW_SETTINGS = 17
"""From this major on, what pg_dump writes begins with a setting that older servers do not know."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of one Postgres major."""

    folder: Path
    major: int

    def dump(self, url: str, file: Path) -> None:
        """Write the whole database into a file, as of one moment. Raises SetupError."""
        self._run(url, "pg_dump", "--format=custom", "--lock-wait-timeout=60s", f"--file={file}")

    def load(self, file: Path, url: str) -> None:
        """Fill an empty database from a file, all or nothing. Raises SetupError."""
        self._run(
            url, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(file)
        )

    def rows(self, file: Path, table: str) -> list[dict[str, str]]:
        """The rows of a small table in a dump, as text by column. Raises SetupError, also when the dump is damaged."""
        text = self._run(None, "pg_restore", "--data-only", f"--table={table}", "--file=-", str(file))
        lines = iter(text.splitlines())
        for line in lines:
            copy = _COPY.fullmatch(line)
            if copy is not None:
                columns = copy[1].split(", ")
                return [dict(zip(columns, row.split("\t"), strict=True)) for row in _until_end(lines)]
        return []

    def check(self, file: Path) -> None:
        """Whether a dump's contents can be listed. Raises SetupError."""
        self._run(None, "pg_restore", "--list", str(file))

    def _run(self, url: str | None, program: str, *arguments: str) -> str:
        environment = {**base_environment(), **{name: text for name, text in os.environ.items() if name[:2] == "PG"}}
        where: list[str] = []
        if url is not None:
            parts = conninfo_to_dict(url)
            password = parts.pop("password", None)
            if password is not None:
                environment["PGPASSWORD"] = str(password)  # an argument could be read by every user of this machine
            where = [f"--dbname={make_conninfo('', **{**_NETWORK, **parts})}", "--no-password"]
        try:
            done = subprocess.run(
                [str(self.folder / program), *where, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_MOST_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            said = reason(problem) if isinstance(problem, OSError) else f"no end after {_MOST_S} s"
            raise _failed(program, said) from None
        if done.returncode != 0:
            raise _failed(program, " ".join(done.stderr.split())[-1_000:])
        return done.stdout


def find(server: int, *, at_least: int = 0, named: Path | None = None, user: ServiceUser | None = None) -> Tools:
    """The tools for a server of this major that also read what a pg_dump `at_least` so new has written: the nearest
    ones. `named`: the folder that a person names. Raises SetupError with what is needed."""
    oldest = max(server, at_least)
    found = [Tools(folder, major) for folder in _folders(named, user) if (major := _major(folder)) is not None]
    fitting = [t for t in found if t.major >= oldest and (server >= NEW_SETTINGS or t.major < NEW_SETTINGS)]
    if fitting:
        return min(fitting, key=lambda tools: tools.major)
    needed = f"{oldest} or newer" if server >= NEW_SETTINGS else f"{oldest} to {NEW_SETTINGS - 1}"
    there = ", ".join(f"{tools.folder} ({tools.major})" for tools in found) or "none"
    raise SetupError(
        f"Postgres {server} needs pg_dump and pg_restore of version {needed}; found: {there}. Install "
        f"postgresql-client-{oldest}, or name the folder of its programs with --pg-bin.",
        ko=f"Postgres {server}에는 버전 {needed}의 pg_dump와 pg_restore가 필요합니다. 찾은 것: {there}. "
        f"postgresql-client-{oldest}을(를) 설치하거나 --pg-bin으로 프로그램이 있는 폴더를 지정하십시오.",
    )


def _folders(named: Path | None, user: ServiceUser | None) -> Iterator[Path]:
    if named is not None:
        yield named.expanduser().absolute()
        return
    for major in BUNDLED:
        try:
            yield postgres_binaries.find(Packages(), user, major)
        except EmbeddedError:  # not installed here
            continue
    on_path = shutil.which("pg_restore")
    if on_path is not None:
        yield Path(on_path).parent
    for pattern in _SYSTEM:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))


def _major(folder: Path) -> int | None:
    """Of the programs in a folder; None when one is missing or does not run."""
    majors = set()
    for name in ("pg_dump", "pg_restore"):
        try:
            said = subprocess.run(
                [str(folder / name), "--version"],
                env=base_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_VERSION_S,
                check=False,
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return None
        version = _VERSION.search(said)
        majors.add(int(version[1]) if version else None)
    return majors.pop() if len(majors) == 1 else None


def _until_end(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line == "\\.":
            return
        yield line


def _failed(program: str, said: str) -> SetupError:
    return SetupError(f"{program} failed: {said}", ko=f"{program} 실행에 실패했습니다: {said}")
