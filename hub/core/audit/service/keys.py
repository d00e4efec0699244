"""The key that seals: a file in the folder `keys`, whose public half the database knows."""

import asyncio
from pathlib import Path

from hub import staged_files
from hub.core.audit.rules import chain
from hub.core.audit.store import seals
from hub.database.engine import Connection, Database
from hub.errors import SetupError
from hub.keys import cannot_write, new_seed, public_key, read_seed, write_secret_file
from schemas.signing import Signer

FILE = "audit.key"


class AuditKey:
    """The key of this process. `establish` comes before any use."""

    def __init__(self, folder: Path) -> None:
        """`folder`: the folder `keys`."""
        self.file = folder / FILE
        self._signer: Signer | None = None

    @property
    def signer(self) -> Signer:
        """What seals. Raises RuntimeError before `establish`."""
        if self._signer is None:
            raise RuntimeError("the audit key is not established")
        return self._signer

    @property
    def established(self) -> bool:
        """Whether there is one."""
        return self._signer is not None

    async def establish(self, database: Database) -> None:
        """Load the key of the folder. Raises SetupError, and changes nothing, when it is not the database's.

        A database that knows none takes that of the folder, or a new one. Of several hubs that start together one
        decides, and the others find its key in the database.
        """
        async with database.transaction() as connection:
            await seals.lock_keys(connection)
            known = await seals.key(connection)
            await asyncio.to_thread(self._settle, known)
            seed = await asyncio.to_thread(read_seed, self.file)
            if seed is None:
                if known is not None:
                    raise _missing(self.file)
                seed = new_seed()
                await asyncio.to_thread(self._write, seed)
            found = public_key(seed)
            if known is not None and known != found:
                raise _other(self.file, known, found)
            signer = Signer(seed)
            if known is None:
                await seals.set_key(connection, signer.kid, found)
        self._signer = signer

    async def check(self, database: Database) -> None:
        """Raise SetupError when the key was replaced since this process has loaded its own: what it seals does not
        count."""
        async with database.connection() as connection:
            known = await seals.key(connection)
        mine = public_key_of(self.signer)
        if known is not None and known != mine:
            raise SetupError(
                f"The audit key was replaced while this process ran: the database knows {known}. Copy keys/ from the "
                "hub where it was replaced if this one has another, and start again.",
                ko="이 프로세스가 실행되는 동안 감사 키가 교체되었습니다. 데이터베이스의 키는 "
                f"{known}입니다. 이 허브의 키가 다르면 키를 교체한 허브에서 keys/를 복사한 다음 다시 시작하십시오.",
            )

    async def replace(self, connection: Connection, database: Database, *, adopt: bool = False) -> str:
        """Make a new key (or the one that lies in the folder, `adopt`) the one that seals, with a block that says so;
        its public half. The new file lies beside the old one until `settle`, which comes after the commit or a
        failure. Needs a transaction. Raises SetupError."""
        await seals.lock_keys(connection)
        known = await seals.key(connection)
        seed = read_seed(self.file) if adopt else new_seed()
        if seed is None:
            raise _missing(self.file)
        found = public_key(seed)
        if found == known:
            return found
        if not adopt:
            try:
                staged_files.stage(self.file, seed.hex())
            except OSError as problem:
                raise cannot_write(self.file.parent, problem) from None
        signer = Signer(seed)
        now = await database.now(connection)
        await seals.set_key(connection, signer.kid, found)
        while True:
            # A hub that still seals with the key of before may take the number.
            before = await seals.last(connection)
            content = {"key": found, "previous_key": known}
            if await seals.append(connection, chain.sealed(signer, before, now, kind="key", content=content)):
                return found

    async def settle(self, database: Database) -> None:
        """Let a new key take its file's place if its transaction has committed, and drop it if it has not. Raises
        SetupError."""
        async with database.transaction() as connection:
            await seals.lock_keys(connection)
            await asyncio.to_thread(self._settle, await seals.key(connection))

    def _settle(self, known: str | None) -> None:
        seed = read_seed(staged_files.beside(self.file))
        if seed is None or known is None:
            return
        try:
            if public_key(seed) == known:
                staged_files.finish(self.file, keep_old=True)
            elif (now := read_seed(self.file)) is not None and public_key(now) == known:
                staged_files.discard(self.file)
        except OSError as problem:
            raise cannot_write(self.file.parent, problem) from None

    def _write(self, seed: bytes) -> None:
        try:
            write_secret_file(self.file, seed.hex())
        except OSError as problem:
            raise cannot_write(self.file.parent, problem) from None


def public_key_of(signer: Signer) -> str:
    """Base64url, as the database has it."""
    from schemas.signing import encode_key

    return encode_key(signer.public_key)


def _missing(file: Path) -> SetupError:
    return SetupError(
        f"{file} is missing, and the audit trail in the database is sealed with it: copy keys/ from a hub that has it, "
        "or restore your backup. Nothing was changed. If the key is lost: `floorhub key rotate audit`, see "
        "docs/how-to/secure.md.",
        ko=f"{file}이(가) 없는데 데이터베이스의 감사 기록은 그 키로 봉인되어 있습니다. 키가 있는 허브에서 keys/를 "
        "복사하거나 백업을 복원하십시오. 아무것도 바꾸지 않았습니다. 키를 잃었다면 `floorhub key rotate audit`을 "
        "실행하십시오. docs/how-to/secure.md를 보십시오.",
    )


def _other(file: Path, known: str, found: str) -> SetupError:
    return SetupError(
        f"{file} is not the key that seals this database's audit trail: the database knows {known}, the file holds "
        f"{found}. Copy keys/ from a hub of this database, or restore your backup, or name the right database. Nothing "
        "was changed.",
        ko=f"{file}은(는) 이 데이터베이스의 감사 기록을 봉인하는 키가 아닙니다. 데이터베이스의 키는 {known}, 파일의 "
        f"키는 {found}입니다. 이 데이터베이스의 허브에서 keys/를 복사하거나 백업을 복원하거나 올바른 데이터베이스를 "
        "지정하십시오. 아무것도 바꾸지 않았습니다.",
    )
