"""A hub starts with the keys that the database knows, and with no others; replacing them is asked for by a person."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hub import sealing, staged_files
from hub.core.hub_keys import store
from hub.core.hub_keys.telemetry import Event
from hub.database.engine import Connection, Database
from hub.errors import SetupError
from hub.keys import (
    FILES,
    SigningKeys,
    cannot_write,
    create_data_keys,
    create_seeds,
    new_seed,
    public_key,
    read_data_keys,
    read_seed,
    read_seeds,
    write_data_keys,
)
from hub.sealing import DataKey, DataKeys, new_data_key
from hub.telemetry.log import Log
from schemas import signing


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
            await self._settled(known)
            seeds = await asyncio.to_thread(read_seeds, folder)
            if known or await store.in_use(connection):
                _require_all(seeds, folder)
                _require_same(seeds, known, folder)
            elif len(seeds) < len(FILES):
                seeds = await asyncio.to_thread(create_seeds, folder)
            if not known:
                await store.record(connection, _public(seeds))
            data = await self._data_keys(connection)
        self._keys.load(seeds, data)
        if not known:
            self._log.info(Event.KEYS_RECORDED, root_key=self._keys.root_public_key, kid=self._keys.signer.kid)

    async def check(self) -> None:
        """Raise SetupError when the hub's keys were replaced since this process has loaded its own: whatever it signs
        is refused."""
        async with self._database.connection() as connection:
            known = await store.known(connection)
            data = await store.known_data(connection)
        mine = {"root": self._keys.root_public_key, "command": self._keys.command_public_key}
        if known and known != mine:
            if await asyncio.to_thread(_public_in, self._keys.folder) == known:
                raise SetupError(
                    f"The hub's keys were replaced while this process ran. {self._keys.folder} has the new ones: start "
                    "again.",
                    ko="이 프로세스가 실행되는 동안 허브의 키가 교체되었습니다. 새 키가 이미 "
                    f"{self._keys.folder}에 있으므로 다시 시작하십시오.",
                )
            raise SetupError(
                f"The hub's keys were replaced while this process ran. {self._keys.folder} does not have the new ones: "
                "copy keys/ from the hub where they were replaced, and start again.",
                ko="이 프로세스가 실행되는 동안 허브의 키가 교체되었습니다. "
                f"{self._keys.folder}에는 새 키가 없습니다. 키를 교체한 허브에서 keys/를 복사한 다음 다시 "
                "시작하십시오.",
            )
        if data and next(iter(data)) != self._keys.data.kid:
            await self._take_newer(data)

    async def _take_newer(self, known: Mapping[str, str]) -> None:
        """Seal with the key that is the newest by now. Raises SetupError when the folder does not have it."""
        listed = await asyncio.to_thread(read_data_keys, self._keys.folder)
        require_data_keys(listed, known, self._keys.folder)
        self._keys.data = _in_order(listed, known)
        self._log.warning(Event.KEYS_REPLACED, keys=["data"], kid=self._keys.data.kid)

    async def _data_keys(self, connection: Connection) -> DataKeys:
        """The keys of the folder that seal secrets in this database; made and recorded if it knows none yet. Needs the
        lock. Raises SetupError when one is missing."""
        folder = self._keys.folder
        known = await store.known_data(connection)
        if not known:
            made = await asyncio.to_thread(create_data_keys, folder)
            await store.record_data(connection, _known_data(reversed(made)))
            return DataKeys(made)
        listed = await asyncio.to_thread(read_data_keys, folder)
        require_data_keys(listed, known, folder)
        return _in_order(listed, known)

    async def _data_keys_for(self, connection: Connection, purposes: Sequence[str]) -> DataKeys:
        """The same for a replacement of these keys. Whoever replaces the root key, too, has lost the folder: then what
        was sealed is lost with it."""
        try:
            return await self._data_keys(connection)
        except SetupError:
            if "root" not in purposes:
                raise
        await self.add_data_key(connection, without_lost=True)
        return self._keys.data

    async def add_data_key(self, connection: Connection, *, without_lost: bool = False) -> list[str]:
        """Seal with a new key from now on; those of before still open what they have sealed. It lies in the folder
        before the database knows it, where it does no harm. With `without_lost` keys that the folder does not have are
        given up, and with them what only they can open; their ids are returned.

        Needs a transaction. Raises SetupError.
        """
        folder = self._keys.folder
        await store.lock(connection)
        known = await store.known_data(connection)
        listed = await asyncio.to_thread(_lenient_data if without_lost else read_data_keys, folder)
        lost = [kid for kid in known if kid not in {key.kid for key in listed}]
        if not without_lost:
            require_data_keys(listed, known, folder)
        new = new_data_key()
        keys = [new, *listed]
        await asyncio.to_thread(write_data_keys, folder, keys)
        await store.forget_data(connection, lost)
        await store.record_data(connection, _known_data(reversed(keys)))
        self._keys.data = DataKeys(keys)
        self._log.warning(Event.KEYS_REPLACED, keys=["data"], kid=new.kid)
        return lost

    async def known_data(self) -> Mapping[str, str]:
        """The fingerprints of the keys that seal, by their ids, the newest first."""
        async with self._database.connection() as connection:
            return await store.known_data(connection)

    async def known(self) -> Mapping[str, str]:
        """The public keys that the database knows, by purpose."""
        async with self._database.connection() as connection:
            return await store.known(connection)

    async def replace(self, connection: Connection, *purposes: str) -> SigningKeys | None:
        """Make new keys for these purposes the hub's; `root` takes all others with it. They lie beside the old ones
        until `settle`, which is to be called after the commit, or after a failure. Returns the keys of before; None
        when they are not all well.

        Needs a transaction. Raises SetupError when the root key, which is to sign the new list, is not the hub's.
        """
        folder = self._keys.folder
        await store.lock(connection)
        known = await store.known(connection)
        _settle(folder, known)
        data = await self._data_keys_for(connection, purposes)
        before = _loaded(folder, data)
        seeds = {purpose: seed for purpose, seed in _lenient(folder).items() if purpose not in purposes}
        if "root" not in purposes:
            _require_same({"root": seeds["root"]} if "root" in seeds else {}, _only(known, "root"), folder)
            _require_all({"command": b"", **seeds}, folder)
        seeds |= {purpose: new_seed() for purpose in purposes}
        try:
            for purpose in purposes:
                staged_files.stage(folder / FILES[purpose], seeds[purpose].hex())
        except OSError as problem:
            raise cannot_write(folder, problem) from None
        await store.record(connection, _public(seeds))
        self._keys.load(seeds, data)
        return before

    async def settle(self) -> None:
        """Let new keys take their files' places if their transaction has committed, and drop them if it has not.
        Raises SetupError."""
        async with self._database.transaction() as connection:
            await store.lock(connection)
            await self._settled(await store.known(connection))

    async def _settled(self, known: Mapping[str, str]) -> None:
        done = await asyncio.to_thread(_settle, self._keys.folder, known)
        if done:
            kid = signing.key_id(signing.decode_key(known["command"]))
            self._log.warning(Event.KEYS_REPLACED, keys=done, kid=kid)

    async def adopt(self, connection: Connection) -> None:
        """Make the keys of the folder the hub's. Needs a transaction. Raises SetupError when one is missing."""
        await store.lock(connection)
        seeds = read_seeds(self._keys.folder)
        _require_all(seeds, self._keys.folder)
        await store.record(connection, _public(seeds))
        listed = await asyncio.to_thread(create_data_keys, self._keys.folder)
        known = await store.known_data(connection)
        here = {key.kid for key in listed}
        await store.forget_data(connection, [kid for kid in known if kid not in here])
        await store.record_data(connection, _known_data(reversed(listed)))
        self._keys.load(seeds, _in_order(listed, await store.known_data(connection)))
        self._keys.key_list(await self._database.now(connection))
        self._log.warning(Event.KEYS_REPLACED, keys=list(seeds), kid=self._keys.signer.kid)


def _known_data(keys: Iterable[DataKey]) -> list[store.KnownData]:
    return [store.KnownData(key.kid, key.fingerprint) for key in keys]


def _in_order(listed: Sequence[DataKey], known: Mapping[str, str]) -> DataKeys:
    """Those that the database knows, in its order. One that it does not know yet, of a rotation that was interrupted,
    seals nothing."""
    by_kid = {key.kid: key for key in listed}
    return DataKeys([by_kid[kid] for kid in known])


def _lenient_data(folder: Path) -> list[DataKey]:
    """The keys of a file that is well; what is damaged is given up, and kept under another name."""
    try:
        return read_data_keys(folder)
    except SetupError:
        staged_files.keep(folder / sealing.FILE)
        return []


def require_data_keys(listed: Sequence[DataKey], known: Mapping[str, str], folder: Path) -> None:
    """Raise SetupError unless a folder's keys are those by which secrets of the database (their fingerprints) are
    sealed."""
    here = {key.kid: key.fingerprint for key in listed}
    missing = [kid for kid, fingerprint in known.items() if here.get(kid) != fingerprint]
    if missing:
        names = ", ".join(missing)
        raise SetupError(
            f"{folder / sealing.FILE} does not have the key {names}, by which secrets in the database are sealed: copy "
            "keys/ from a hub that has it, or restore your backup. Nothing was changed. If the key is lost: `floorhub "
            "key rotate data --yes`, see docs/how-to/secure.md.",
            ko=f"{folder / sealing.FILE}에 데이터베이스의 비밀 값을 암호화한 키 {names}이(가) 없습니다. 키가 있는 "
            "허브에서 keys/를 복사하거나 백업을 복원하십시오. 아무것도 바꾸지 않았습니다. 키를 잃었다면 "
            "`floorhub key rotate data --yes`를 실행하십시오. docs/how-to/secure.md를 보십시오.",
        )


def _loaded(folder: Path, data: DataKeys) -> SigningKeys | None:
    """The keys of a folder, whatever the database says; None when they are not all well."""
    seeds = _lenient(folder)
    if len(seeds) < len(FILES):
        return None
    keys = SigningKeys(folder)
    keys.load(seeds, data)
    return keys


def _settle(folder: Path, known: Mapping[str, str]) -> list[str]:
    """Decide about new keys that lie beside the old ones, by what the database knows; the purposes of those that have
    taken their place. A key that it does not know stays where it is, unless the file's own is known: it may belong to
    another database. Needs the lock. Raises SetupError."""
    done = []
    try:
        for purpose, name in FILES.items():
            file = folder / name
            seed = read_seed(staged_files.beside(file))
            if seed is None or purpose not in known:
                continue
            if public_key(seed) == known[purpose]:
                staged_files.finish(file, keep_old=True)
                done.append(purpose)
            elif (now := _lenient(folder).get(purpose)) is not None and public_key(now) == known[purpose]:
                staged_files.discard(file)
    except OSError as problem:
        raise cannot_write(folder, problem) from None
    return done


def _public(seeds: Mapping[str, bytes]) -> dict[str, str]:
    return {purpose: public_key(seed) for purpose, seed in seeds.items()}


def _public_in(folder: Path) -> dict[str, str]:
    """The public halves of the seeds that are well in a folder."""
    return _public(_lenient(folder))


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
            "`floorhub key rotate command` or `root`, see docs/how-to/secure.md.",
            ko=f"{folder}에 {', '.join(missing)}이(가) 없는데 데이터베이스는 이전 키로 사용 중입니다. 키가 있는 "
            "허브에서 "
            "keys/를 복사하거나 백업을 복원하십시오. 아무것도 바꾸지 않았습니다. 키를 잃었다면 `floorhub key rotate "
            "command` 또는 `root`를 실행하십시오. docs/how-to/secure.md를 보십시오.",
        )


def _require_same(seeds: Mapping[str, bytes], known: Mapping[str, str], folder: Path) -> None:
    for purpose, seed in seeds.items():
        found, expected = public_key(seed), known.get(purpose)
        if expected is not None and found != expected:
            raise SetupError(
                f"{folder / FILES[purpose]} is not this hub's {purpose} key: the database knows {expected}, the file "
                f"holds {found}. Copy keys/ from a hub of this database, or restore your backup, or name the right "
                "database. Nothing was changed. To replace keys: `floorhub key`, see docs/how-to/secure.md.",
                ko=f"{folder / FILES[purpose]}은(는) 이 허브의 {purpose} 키가 아닙니다. 데이터베이스의 키는 "
                f"{expected}, "
                f"파일의 키는 {found}입니다. 이 데이터베이스의 허브에서 keys/를 복사하거나 백업을 복원하거나 올바른 "
                "데이터베이스를 지정하십시오. 아무것도 바꾸지 않았습니다. 키를 바꾸려면 `floorhub key`를 쓰십시오. "
                "docs/how-to/secure.md를 보십시오.",
            )
