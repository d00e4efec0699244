"""A hub starts with the keys that the database knows, and with no others; replacing them is asked for by a person."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from hub.core.hub_keys import store
from hub.core.hub_keys.telemetry import Event
from hub.database.engine import Connection, Database
from hub.errors import SetupError
from hub.keys import FILES, SigningKeys, cannot_write, create_seeds, new_seed, public_key, read_seeds, write_secret_file
from hub.telemetry.log import Log


class HubKeys:
    """The service."""

    def __init__(self, database: Database, keys: SigningKeys, log: Log) -> None:
        self._database = database
        self._keys = keys
        self._log = log

    async def establish(self) -> None:
        """Load the keys of the folder. Raises SetupError, and writes nothing, when they are not the database's.

        A database that knows none takes those of the folder, or new ones if nobody relies on any yet. Of several hubs
        that start together, one decides and the others find its keys in the database.
        """
        folder = self._keys.folder
        async with self._database.transaction() as connection:
            await store.lock(connection)
            known = await store.known(connection)
            seeds = await asyncio.to_thread(read_seeds, folder)
            if known or await store.in_use(connection):
                _require_all(seeds, folder)
                _require_same(seeds, known, folder)
            elif len(seeds) < len(FILES):
                seeds = await asyncio.to_thread(create_seeds, folder)
            if not known:
                await store.record(connection, _public(seeds))
        self._keys.load(seeds)
        if not known:
            self._log.info(Event.KEYS_RECORDED, root_key=self._keys.root_public_key, kid=self._keys.signer.kid)

    async def check(self) -> None:
        """Raise SetupError when the hub's keys were replaced since this process has loaded its own: whatever it signs
        is refused."""
        async with self._database.connection() as connection:
            known = await store.known(connection)
        mine = {"root": self._keys.root_public_key, "command": self._keys.command_public_key}
        if known and known != mine:
            raise SetupError(
                f"The hub's keys were replaced while this process ran. Copy them into {self._keys.folder} if another "
                "machine has them, and start again.",
                ko="이 프로세스가 실행되는 동안 허브의 키가 교체되었습니다. 새 키가 다른 컴퓨터에 있으면 "
                f"{self._keys.folder}에 복사한 다음 다시 시작하십시오.",
            )

    async def known(self) -> Mapping[str, str]:
        """The public keys that the database knows, by purpose."""
        async with self._database.connection() as connection:
            return await store.known(connection)

    async def replace(self, connection: Connection, *purposes: str) -> None:
        """Make new keys for these purposes in the folder, and make them the hub's; `root` takes all others with it.

        Needs a transaction. Raises SetupError when the root key, which is to sign the new list, is not the hub's.
        """
        folder = self._keys.folder
        await store.lock(connection)
        seeds = {purpose: seed for purpose, seed in _lenient(folder).items() if purpose not in purposes}
        known = await store.known(connection)
        if "root" not in purposes:
            _require_same({"root": seeds["root"]} if "root" in seeds else {}, _only(known, "root"), folder)
            _require_all({"command": b"", **seeds}, folder)
        seeds |= {purpose: new_seed() for purpose in purposes}
        await store.record(connection, _public(seeds))
        try:
            for purpose in purposes:
                write_secret_file(folder / FILES[purpose], seeds[purpose].hex())
        except OSError as problem:
            raise cannot_write(folder, problem) from None
        self._keys.load(seeds)
        self._keys.key_list()
        self._log.warning(Event.KEYS_REPLACED, keys=list(purposes), kid=self._keys.signer.kid)

    async def adopt(self, connection: Connection) -> None:
        """Make the keys of the folder the hub's. Needs a transaction. Raises SetupError when one is missing."""
        await store.lock(connection)
        seeds = read_seeds(self._keys.folder)
        _require_all(seeds, self._keys.folder)
        await store.record(connection, _public(seeds))
        self._keys.load(seeds)
        self._log.warning(Event.KEYS_REPLACED, keys=list(seeds), kid=self._keys.signer.kid)


def loaded(folder: Path) -> SigningKeys | None:
    """The keys of a folder, whatever the database says; None when they are not all well."""
    seeds = _lenient(folder)
    if len(seeds) < len(FILES):
        return None
    keys = SigningKeys(folder)
    keys.load(seeds)
    return keys


def _public(seeds: Mapping[str, bytes]) -> dict[str, str]:
    return {purpose: public_key(seed) for purpose, seed in seeds.items()}


def _only(known: Mapping[str, str], purpose: str) -> dict[str, str]:
    return {name: value for name, value in known.items() if name == purpose}


def _lenient(folder: Path) -> dict[str, bytes]:
    """The seeds that are well; the others are about to be replaced, or are missed later."""
    seeds: dict[str, bytes] = {}
    for purpose in FILES:
        try:
            seeds |= read_seeds(folder, purpose)
        except SetupError:
            continue
    return seeds


def _require_all(seeds: Mapping[str, bytes], folder: Path) -> None:
    missing = [name for purpose, name in FILES.items() if purpose not in seeds]
    if missing:
        raise SetupError(
            f"{folder} has no {' and no '.join(missing)}, and the database is in use with the keys of before: copy "
            "keys/ from a hub that has it, or restore your backup. Nothing was changed. If the keys are lost: "
            "`floorhub keys rotate command` or `root`, see docs/how-to/secure.md.",
            ko=f"{folder}에 {', '.join(missing)}이(가) 없는데 데이터베이스는 이전 키로 사용 중입니다. 키가 있는 "
            "허브에서 "
            "keys/를 복사하거나 백업을 복원하십시오. 아무것도 바꾸지 않았습니다. 키를 잃었다면 `floorhub keys rotate "
            "command` 또는 `root`를 실행하십시오. docs/how-to/secure.md를 보십시오.",
        )


def _require_same(seeds: Mapping[str, bytes], known: Mapping[str, str], folder: Path) -> None:
    for purpose, seed in seeds.items():
        found, expected = public_key(seed), known.get(purpose)
        if expected is not None and found != expected:
            raise SetupError(
                f"{folder / FILES[purpose]} is not this hub's {purpose} key: the database knows {expected}, the file "
                f"holds {found}. Copy keys/ from a hub of this database, or restore your backup, or name the right "
                "database. Nothing was changed. To replace keys: `floorhub keys`, see docs/how-to/secure.md.",
                ko=f"{folder / FILES[purpose]}은(는) 이 허브의 {purpose} 키가 아닙니다. 데이터베이스의 키는 "
                f"{expected}, "
                f"파일의 키는 {found}입니다. 이 데이터베이스의 허브에서 keys/를 복사하거나 백업을 복원하거나 올바른 "
                "데이터베이스를 지정하십시오. 아무것도 바꾸지 않았습니다. 키를 바꾸려면 `floorhub keys`를 쓰십시오. "
                "docs/how-to/secure.md를 보십시오.",
            )
