"""The hub's keys: files and who can read them, and whether the database has the same."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hub import sealing, staged_files
from hub.core.audit.service.keys import FILE as AUDIT_FILE
from hub.core.hub_keys.service import require_data_keys
from hub.errors import SetupError
from hub.keys import FILES, REPLACED, hash_secret, public_key, read_api_key, read_data_keys, read_seed, read_seeds
from hub.programs.doctor.sentences import fail, ok, warn
from hub.sealing import DataKey
from schemas.findings import Finding

AUDIT = "audit"
_SEEDS = {**FILES, AUDIT: AUDIT_FILE}
"""The file of each key that has a public half, by its purpose."""


class KeyFiles:
    """What lies in the data folder; read at once, as the folder's owner if we are root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "keys"
        self.admin_file = folder / "admin.key"
        self.public: dict[str, str] = {}
        self.data: list[DataKey] = []
        self.problems: list[SetupError] = []
        self.admin: str | None = None
        self.admin_problem: SetupError | None = None
        for look in (self._read_seeds, self._read_audit, self._read_data):
            self._note(look)
        try:
            self.admin = read_api_key(self.admin_file)
            read_api_key(staged_files.beside(self.admin_file))  # of a rotation that was interrupted
        except SetupError as problem:
            self.admin_problem = problem
        self.replaced = sum(1 for _ in self.folder.glob(REPLACED)) if self.folder.is_dir() else 0

    def _note(self, look: Callable[[], None]) -> None:
        """Each file is looked at, whatever is wrong with another."""
        try:
            look()
        except SetupError as problem:
            if problem.sentence not in {one.sentence for one in self.problems}:
                self.problems.append(problem)

    def _read_seeds(self) -> None:
        self.public |= {purpose: public_key(seed) for purpose, seed in read_seeds(self.folder).items()}
        for name in FILES.values():
            read_seed(staged_files.beside(self.folder / name))

    def _read_audit(self) -> None:
        seed = read_seed(self.folder / AUDIT_FILE)
        if seed is not None:
            self.public[AUDIT] = public_key(seed)
        read_seed(staged_files.beside(self.folder / AUDIT_FILE))

    def _read_data(self) -> None:
        self.data = read_data_keys(self.folder)

    @property
    def admin_hash(self) -> bytes | None:
        """What the database has of the administrator's key; None when the file holds none."""
        return None if self.admin is None else hash_secret(self.admin)

    def check(
        self,
        known: Mapping[str, str] | None,
        sealed_by: Mapping[str, str] | None = None,
        *,
        admin_valid: bool | None,
    ) -> list[Finding]:
        """`known`: the public keys of the database, None when it was not asked; so with `admin_valid`, and with
        `sealed_by`, the fingerprints of the keys by which its secrets are sealed."""
        return [*self._keys(known or {}, sealed_by or {}), self._admin(admin_valid)]

    def _keys(self, known: Mapping[str, str], sealed_by: Mapping[str, str]) -> list[Finding]:
        wrong = [_told("keys", "keys_files", problem) for problem in self.problems]
        if not wrong:
            wrong = [*self._missing(known, sealed_by), *self._foreign(known)]
            # A file that is there and has other keys; one that is missing was named just now.
            if self.data and sealed_by:
                try:
                    require_data_keys(self.data, sealed_by, self.folder)
                except SetupError as problem:
                    wrong.append(_told("keys", "keys_files", problem))
        if wrong:
            return wrong
        right = (
            ok("keys", "keys_ok", folder=self.folder, root=self.public["root"])
            if known
            else ok("keys", "keys_files_ok", folder=self.folder)
        )
        left = [warn("keys", "keys_replaced", folder=self.folder, number=self.replaced)] if self.replaced else []
        return [right, *left]

    def _missing(self, known: Mapping[str, str], sealed_by: Mapping[str, str]) -> list[Finding]:
        """A key that the database knows is missed by the hub; what it does not know yet is made by the next start."""
        here = {*self.public, *(("data",) if self.data else ())}
        needed = {*known, *(FILES if known else ()), *(("data",) if sealed_by else ())}
        absent = {purpose: name for purpose, name in {**_SEEDS, "data": sealing.FILE}.items() if purpose not in here}
        found = []
        for level, names in (
            (fail, [name for purpose, name in absent.items() if purpose in needed]),
            (warn, [name for purpose, name in absent.items() if purpose not in needed]),
        ):
            if names:
                found.append(level("keys", "keys_missing", folder=self.folder, names=", ".join(names)))
        return found

    def _foreign(self, known: Mapping[str, str]) -> list[Finding]:
        return [
            fail("keys", "keys_differ", folder=self.folder, purpose=purpose, here=here, known=known[purpose])
            for purpose, here in self.public.items()
            if purpose in known and known[purpose] != here
        ]

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
