"""The hub's keys: files and who can read them, and whether the database has the same."""

from pathlib import Path

from hub import staged_files
from hub.errors import SetupError
from hub.keys import FILES, hash_secret, public_key, read_api_key, read_seeds
from hub.programs.doctor.sentences import fail, ok, warn
from schemas.findings import Finding

_REPLACED = "*.replaced-*"


class KeyFiles:
    """What lies in the data folder; read at once, as the folder's owner if we are root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "keys"
        self.admin_file = folder / "admin.key"
        self.public: dict[str, str] = {}
        self.problem: SetupError | None = None
        self.admin: str | None = None
        self.admin_problem: SetupError | None = None
        try:
            self.public = {purpose: public_key(seed) for purpose, seed in read_seeds(self.folder).items()}
        except SetupError as problem:
            self.problem = problem
        try:
            self.admin = read_api_key(self.admin_file)
            read_api_key(staged_files.beside(self.admin_file))  # of a rotation that was interrupted
        except SetupError as problem:
            self.admin_problem = problem
        self.replaced = sum(1 for _ in self.folder.glob(_REPLACED)) if self.folder.is_dir() else 0

    @property
    def admin_hash(self) -> bytes | None:
        """What the database has of the administrator's key; None when the file holds none."""
        return None if self.admin is None else hash_secret(self.admin)

    def check(self, known: dict[str, str] | None, *, admin_valid: bool | None) -> list[Finding]:
        """`known`: the public keys of the database, None when it was not asked; so with `admin_valid`."""
        return [*self._keys(known), self._admin(admin_valid)]

    def _keys(self, known: dict[str, str] | None) -> list[Finding]:
        if self.problem is not None:
            return [_told("keys", "keys_files", self.problem)]
        missing = [name for purpose, name in FILES.items() if purpose not in self.public]
        if missing:
            # A database that knows keys has been used with them.
            level = fail if known else warn
            return [level("keys", "keys_missing", folder=self.folder, names=", ".join(missing))]
        wrong = [
            fail("keys", "keys_differ", folder=self.folder, purpose=purpose, here=here, known=(known or {})[purpose])
            for purpose, here in self.public.items()
            if purpose in (known or {}) and (known or {})[purpose] != here
        ]
        if wrong:
            return wrong
        right = (
            ok("keys", "keys_ok", folder=self.folder, root=self.public["root"])
            if known
            else ok("keys", "keys_files_ok", folder=self.folder)
        )
        left = [warn("keys", "keys_replaced", folder=self.folder, number=self.replaced)] if self.replaced else []
        return [right, *left]

    def _admin(self, valid: bool | None) -> Finding:
        if self.admin_problem is not None:
            return _told("admin key", "admin_file", self.admin_problem)
        if self.admin is None:
            return warn("admin key", "admin_missing", file=self.admin_file)
        if valid is False:
            return warn("admin key", "admin_unknown", file=self.admin_file)
        return ok("admin key", "admin_ok" if valid else "admin_file_ok", file=self.admin_file)


def _told(check: str, code: str, problem: SetupError) -> Finding:
    return fail(check, code, problem=problem.sentence, problem_ko=problem.korean)
