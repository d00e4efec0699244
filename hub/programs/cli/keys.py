"""`floorhub key`: the hub's keys on this machine, compared with the database, and replaced."""

import asyncio
import enum
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from hub.errors import SetupError
from hub.programs.cli import api_keys, completion, output
from hub.programs.cli.app import App, Change
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import Json, either, explained
from hub.programs.embedded.data_folder import default_root
from hub.programs.embedded.postgres import url_beside

app = App(help="Keys: API keys of integrations and users, and the hub's own keys.")
app.command()(api_keys.add)
app.command("list")(api_keys.list_keys)
Done = TypeVar("Done")
DatabaseUrl = Annotated[
    str | None,
    typer.Option(envvar="FLOORHUB_DATABASE_URL", help="The hub's database; default: that of `make run`."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(envvar=["FLOORHUB_DATA_DIR", "FLOORHUB_DATA"], help="The hub's data folder."),
]
_YES = "Really do it; otherwise only say what it means."


class Kind(enum.StrEnum):
    """What can be replaced."""

    ADMIN = "admin"
    COMMAND = "command"
    ROOT = "root"
    DATA = "data"
    AUDIT = "audit"


@app.command()
def show(database_url: DatabaseUrl = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Compare this folder's keys with the database.

    Exits with 0 if they agree, with 1 if they differ.
    """

    async def compare(parts: "_Parts") -> dict[str, Any]:
        known = await parts.known()
        here = parts.public_keys()
        found = {
            str(purpose): {"database": known.get(purpose), "here": here.get(purpose)}
            for purpose in (Kind.ROOT, Kind.COMMAND, Kind.AUDIT)
        }
        listed = parts.data_keys()
        sealing = list(await parts.keys.known_data())
        return found | {str(Kind.DATA): {"database": sealing[0] if sealing else None, "here": _newest(sealing, listed)}}

    with explained(as_json=as_json):
        found = _run(compare, database_url, data_dir)
    if as_json:
        output.print_json(found)
    else:
        for purpose, keys in found.items():
            database, here = keys["database"] or "-", keys["here"] or "-"
            output.say(
                either(
                    f"{purpose:<8} database {database:<44} here {here}",
                    f"{purpose:<8} 데이터베이스 {database:<44} 이 폴더 {here}",
                )
            )
    if any(keys["database"] != keys["here"] for keys in found.values()):
        raise typer.Exit(ExitCode.FAILED)


@app.command(cls=Change)
def rotate(
    which: Annotated[
        str,
        typer.Argument(
            metavar="KEY",
            help="An API key, by id or prefix; or a key of this hub: admin (the administrator's API key), command "
            "(signs messages), root (agents pin it), data (seals secrets), audit (seals the audit trail).",
            autocompletion=completion.keys_of_all_kinds,
        ),
    ],
    overlap: api_keys.Overlap = None,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="For root: really replace it, otherwise only say what it means. For data: give up keys that are lost.",
        ),
    ] = False,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Replace a key.

    Another API key is made by the hub, and the old one stays valid for the overlap.

    admin, command, root, data and audit are replaced on this machine. Running hubs stop when their keys are no
    longer the database's.
    """
    if which not in list(Kind):
        api_keys.rotate(which, overlap, as_json=as_json)
        return
    if overlap is not None:
        output.misused(
            "--overlap is for API keys: the keys of this hub have none.",
            "--overlap은 API 키에만 쓸 수 있습니다. 이 허브의 키에는 쓸 수 없습니다.",
        )
    kind = Kind(which)
    with explained(as_json=as_json):
        if kind is Kind.ROOT and not yes:
            raise SetupError(
                "A new root key cuts off every agent until its root_key is replaced and it is restarted. Do it only "
                "when "
                "keys/root.key is lost or stolen, and add --yes.",
                ko="루트 키를 바꾸면 각 에이전트의 root_key를 바꾸고 다시 시작할 때까지 모든 에이전트가 따르지 "
                "않습니다. "
                "keys/root.key를 잃었거나 도난당했을 때만 --yes를 붙여 실행하십시오.",
            )
        result = _run(lambda parts: parts.rotate(kind, give_up=yes), database_url, data_dir)
    _tell(result, as_json=as_json)


app.command()(api_keys.revoke)


@app.command(cls=Change)
def adopt(
    yes: Annotated[bool, typer.Option("--yes", help=_YES)] = False,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Use the keys of this folder as the hub's keys.

    For example after a restore of the database.
    """
    with explained(as_json=as_json):
        if not yes:
            raise SetupError(
                "Hubs with other keys will end, and agents that pin another root_key will not obey. If the agents "
                "pin the "
                "root key of this folder, add --yes.",
                ko="다른 키를 쓰는 허브는 종료되고, 다른 root_key를 가진 에이전트는 따르지 않습니다. 에이전트가 이 "
                "폴더의 "
                "루트 키를 쓰고 있다면 --yes를 붙이십시오.",
            )
        result = _run(lambda parts: parts.adopt(), database_url, data_dir)
    _tell(result, as_json=as_json)


class _Parts:
    """What replaces keys: the services of the hub, without a hub."""

    def __init__(self, database: Any, folder: Path) -> None:
        from hub.core.access.service import Access
        from hub.core.audit.service.keys import AuditKey
        from hub.core.hub_keys.service import HubKeys
        from hub.keys import SigningKeys
        from hub.telemetry.log import Log

        self._database = database
        self._folder = folder
        self._admin_key = folder / "admin.key"
        self._signing = SigningKeys(folder / "keys")
        self.keys = HubKeys(database, self._signing, Log())
        self._audit = AuditKey(folder / "keys")
        self._access = Access(database, Log())

    def public_keys(self) -> dict[str, str]:
        """Those of the folder."""
        from hub.keys import public_key, read_seed, read_seeds

        seeds = read_seeds(self._folder / "keys")
        seals = read_seed(self._audit.file)
        if seals is not None:
            seeds[Kind.AUDIT] = seals
        return {purpose: public_key(seed) for purpose, seed in seeds.items()}

    async def known(self) -> dict[str, str]:
        """The public keys that the database knows, by purpose."""
        from hub.core.audit.store import seals

        async with self._database.connection() as connection:
            sealing = await seals.key(connection)
        return {**await self.keys.known(), **({Kind.AUDIT: sealing} if sealing is not None else {})}

    async def _record(self, connection: Any, action: str, before: dict[str, str], after: dict[str, str]) -> None:
        """That somebody at the host did it."""
        from hub.core.audit.store import AtHost, changed, record

        for purpose, detail in ((purpose, changed(before, after)) for purpose in sorted(after)):
            if purpose in detail["after"]:
                values = {when: {"public_key": detail[when][purpose]} for when in ("before", "after")}
                await record(connection, AtHost(), action, "hub_key", purpose, values)

    async def _rotate_audit_key(self) -> dict[str, Any]:
        before = await self.known()
        try:
            async with self._database.transaction() as connection:
                key = await self._audit.replace(connection, self._database)
                await self._record(connection, "hub_key.rotate", before, {Kind.AUDIT: key})
        finally:
            await self._audit.settle(self._database)
        return {"replaced": ["audit"], "audit_key": key, "folder": str(self._folder / "keys")}

    def data_keys(self) -> list[str]:
        """The ids of those that seal, as the folder has them."""
        from hub.keys import read_data_keys

        return [key.kid for key in read_data_keys(self._folder / "keys")]

    async def rotate(self, kind: Kind, *, give_up: bool) -> dict[str, Any]:
        """Replace a key; what was done. `give_up`: data keys that the folder does not have."""
        if kind is Kind.ADMIN:
            key = await self._access.replace_administrator_key(self._admin_key)
            return {"replaced": ["admin"], "file": str(self._admin_key), "prefix": key.prefix}
        if kind is Kind.AUDIT:
            return await self._rotate_audit_key()
        from hub.core.broker.store import seal_again

        if kind is Kind.DATA:
            return await self._rotate_data(give_up=give_up)
        known = await self.keys.known()
        purposes = ["command"] if kind is Kind.COMMAND else ["root", "command"]
        try:
            async with self._database.transaction() as connection:
                now = await self._database.now(connection)
                before = await self.keys.replace(connection, *purposes)
                if before is not None:
                    await seal_again(connection, before.unseal, self._signing.seal)
                after = {"root": self._signing.root_public_key, "command": self._signing.command_public_key}
                await self._record(connection, "hub_key.rotate", dict(known), after)
        finally:
            await self.keys.settle()
        self._signing.key_list(now)
        return {"replaced": purposes, "root_key": self._signing.root_public_key, "folder": str(self._folder / "keys")}

    async def _rotate_data(self, *, give_up: bool) -> dict[str, Any]:
        from hub.core.broker.store import seal_again
        from hub.keys import read_seeds

        seeds = await asyncio.to_thread(read_seeds, self._folder / "keys")
        async with self._database.transaction() as connection:
            lost = await self.keys.add_data_key(connection, without_lost=give_up)
            if "command" in seeds and "root" in seeds:
                self._signing.load(seeds, self._signing.data)
                await seal_again(connection, self._signing.unseal, self._signing.seal)
        folder = str(self._folder / "keys")
        return {"replaced": ["data"], "kid": self._signing.data.kid, "lost": lost, "folder": folder}

    async def adopt(self) -> dict[str, Any]:
        """Take the folder's keys; what was done."""
        from hub.keys import read_seed

        before = await self.known()
        async with self._database.transaction() as connection:
            await self.keys.adopt(connection)
            after = {"root": self._signing.root_public_key, "command": self._signing.command_public_key}
            if read_seed(self._audit.file) is not None:
                after[Kind.AUDIT] = await self._audit.replace(connection, self._database, adopt=True)
            await self._record(connection, "hub_key.adopt", before, after)
        return {"replaced": [], "root_key": self._signing.root_public_key, "folder": str(self._folder / "keys")}


def _run(work: Callable[[_Parts], Awaitable[Done]], database_url: str | None, data_dir: Path | None) -> Done:
    """Do something with the keys and the database. Raises HubError."""
    from hub.database import migrate
    from hub.database.engine import Database
    from hub.telemetry.log import configure

    folder = (data_dir or default_root()).absolute()
    url = database_url or url_beside(folder)
    if url is None:
        raise SetupError(
            "Set FLOORHUB_DATABASE_URL and FLOORHUB_DATA_DIR as the hub has them.",
            ko="허브와 같은 FLOORHUB_DATABASE_URL과 FLOORHUB_DATA_DIR을 설정하십시오.",
        )
    configure("error")
    migrate.require_current(url)

    async def done() -> Done:
        database = Database(url, size=4)
        await database.open()
        try:
            async with database.told():
                return await work(_Parts(database, folder))
        finally:
            await database.close()

    return asyncio.run(done())


def _tell(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(result)
        return
    korean = output.korean()
    if result["replaced"] == ["admin"]:
        output.say(
            f"새 관리자 키가 {result['file']}에 있습니다. 이전 키는 더 이상 유효하지 않습니다."
            if korean
            else f"The administrator's new key is in {result['file']}. The one of before is no longer valid.",
        )
        return
    if result["replaced"] == ["data"]:
        _tell_data(result, korean=korean)
        return
    if "root_key" in result:
        output.say(f"root_key: {result['root_key']}")
    if "audit_key" in result:
        output.say(f"audit_key: {result['audit_key']}")
    output.say(
        f"{result['folder']}을(를) 모든 허브에 복사하고 허브를 시작하십시오."
        if korean
        else f"Copy {result['folder']} to every hub, and start the hubs again.",
    )
    if "root" in result["replaced"]:
        output.say(
            "각 에이전트의 root_key를 위 값으로 바꾸고 다시 시작하십시오."
            if korean
            else "Put this root_key into the configuration of every agent, and restart the agents.",
        )


def _tell_data(result: dict[str, Any], *, korean: bool) -> None:
    output.say(
        f"이제 키 {result['kid']}이(가) 비밀 값을 암호화합니다. 이전 키는 그 키로 암호화한 값을 읽는 데 계속 쓰이므로 "
        f"파일에 남습니다. 폴더가 다른 허브가 있으면 {result['folder']}/data.key를 복사하십시오."
        if korean
        else f"The key {result['kid']} seals secrets from now on. The keys of before stay in the file, since they open "
        f"what they sealed. Copy {result['folder']}/data.key to hubs that have a folder of their own."
    )
    if result["lost"]:
        names = ", ".join(result["lost"])
        output.say(
            f"잃어버린 키: {names}. 이 키로 암호화한 값은 읽을 수 없습니다."
            if korean
            else f"Given up: {names}. What only these keys open is lost."
        )


def _newest(known: Sequence[str], listed: Sequence[str]) -> str | None:
    """What the folder has of the keys that the database knows: the newest if it has all, else what it has instead."""
    if known and all(kid in listed for kid in known):
        return known[0]
    return next((kid for kid in listed if kid not in known), None)
