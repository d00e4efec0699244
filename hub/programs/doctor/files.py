"""Files of a data folder without which `make run` does not start: each is what it must be, and holds what it must."""

import stat
import tomllib
from collections.abc import Iterator, Mapping

from hub.errors import SetupError
from hub.programs.doctor.sentences import fail, ok
from hub.programs.embedded import accounts
from hub.programs.embedded.errors import EmbeddedError, reason
from hub.programs.installation import ACCOUNTS, NOTE, Installation
from schemas.findings import Finding
from schemas.text import read

FOLDERS = ("postgres", "broker", "broker/conf.d", "printer", "keys", "agent", "logs", "run")
FILES = ("lock", "ports.json", NOTE, "admin.key", "agent/agent.toml")
_WRITTEN = (("logs", "*.log"), ("run", "*"), ("broker", "*.conf"), ("broker", "acl"), ("broker", "dynsec.json"))
"""Where each start writes files."""
_CLIENT = "front-desk"
"""The agent that `make run` starts."""


class DataFiles:
    """What lies in the data folder of `make run`; read at once, as the folder's owner if we are root."""

    def __init__(self, installation: Installation) -> None:
        self._folder = installation.folder
        self._embedded = installation.embedded
        self._found = list(self._wrong()) if self._embedded else []

    def check(self, clients: Mapping[str, bool] | None) -> list[Finding]:
        """`clients`: those of the database; None: not asked."""
        if not self._embedded:
            return []
        config = self._folder / "agent" / "agent.toml"
        lost = []
        if _CLIENT in (clients or {}) and not config.exists():
            lost = [fail("files", "agent_config_missing", file=config, client=_CLIENT)]
        return [*self._found, *lost] or [ok("files", "files_ok", folder=self._folder)]

    def _wrong(self) -> Iterator[Finding]:
        yield from self._of_wrong_kind()
        file = self._folder / "keys" / ACCOUNTS
        try:
            accounts.read(file)
        except (SetupError, EmbeddedError) as problem:
            yield fail("files", "accounts_wrong", problem=str(problem), problem_ko=problem.korean)
        config = self._folder / "agent" / "agent.toml"
        if config.is_file():
            try:
                if "secret" not in tomllib.loads(read(config)):
                    yield fail("files", "agent_config_wrong", file=config, client=_CLIENT, problem="it has no secret")
            except (OSError, ValueError) as problem:
                said = reason(problem) if isinstance(problem, OSError) else problem
                yield fail("files", "agent_config_wrong", file=config, client=_CLIENT, problem=said)

    def _of_wrong_kind(self) -> Iterator[Finding]:
        """Folders where files must be, and the other way round; links, which no start follows."""
        folders = [self._folder / name for name in FOLDERS]
        files = [self._folder / name for name in FILES]
        for name, pattern in _WRITTEN:
            folder = self._folder / name
            try:
                files += sorted(folder.glob(pattern)) if folder.is_dir() else []
            except OSError as problem:
                yield fail("files", "file_unreadable", file=folder, problem=reason(problem))
        for path in (*folders, *files):
            try:
                mode = path.lstat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as problem:
                yield fail("files", "file_unreadable", file=path, problem=reason(problem))
                continue
            if path in folders and not stat.S_ISDIR(mode):
                yield fail("files", "folder_expected", file=path)
            elif path in files and (stat.S_ISDIR(mode) or (path.name in ("lock", NOTE) and not stat.S_ISREG(mode))):
                yield fail("files", "file_expected", file=path)
