"""Verifying the audit trail without a hub: from its database, with the public half of its audit key."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.errors import SetupError
from hub.keys import public_key as public_half
from hub.keys import read_seed
from hub.programs.cli import output

if TYPE_CHECKING:
    from hub.core.audit.rules.chain import Noted
    from hub.core.audit.service.verifying import Result


def verified(
    database_url: str | None,
    data_dir: Path | None,
    public_key: str | None,
    anchor: Path | None,
    accepted: tuple[int, ...],
) -> dict[str, Any]:
    """What a verification finds, as the API has it. Of the hub that the options or the environment name, else of that
    of `make run`, which must run. Raises SetupError, EmbeddedError, UnavailableError."""
    from hub.core.audit.service.anchor import Anchor
    from hub.core.audit.service.keys import FILE
    from hub.database import migrate
    from hub.programs import installation
    from hub.telemetry.log import configure

    configure("error")
    noted: list[Noted] = []
    if public_key is not None and database_url is not None and data_dir is None:
        url = database_url  # anywhere: nothing of the hub but its database is needed
    else:
        found = installation.find(database_url, data_dir)
        url = found.database_url
        last = Anchor(found.folder).read()
        noted += [last] if last is not None else []
        public_key = public_key or _key_in(found.folder / "keys" / FILE)
    if anchor is not None:
        noted += _noted_in(anchor)
    migrate.require_current(url)
    result = asyncio.run(_verify(url, public_key, noted, accepted))
    return _shown(result, public_key)


async def _verify(url: str, public_key: str, noted: "list[Noted]", accepted: tuple[int, ...]) -> "Result":
    from hub.core.audit.service.verifying import verify
    from hub.database.engine import Database

    database = Database(url, size=4)
    await database.open()
    try:
        async with database.told():
            return await verify(database, public_key, noted=noted, accepted=accepted)
    finally:
        await database.close()


def _key_in(file: Path) -> str:
    seed = read_seed(file)
    if seed is None:
        raise SetupError(
            f"{file} is missing: name the audit key's public half with --public-key, as `floorhub key show` has it.",
            ko=f"{file}이(가) 없습니다. `floorhub key show`에 나오는 감사 키의 공개 키를 --public-key로 지정하십시오.",
        )
    return public_half(seed)


def _noted_in(file: Path) -> "list[Noted]":
    from hub.core.audit.service.anchor import read_lines

    try:
        lines = read_lines(file)
        noted = [line.noted for line in lines]
    except OSError as problem:
        raise SetupError(
            f"{file} cannot be read: {problem.strerror}.", ko=f"{file}을(를) 읽을 수 없습니다: {problem.strerror}."
        ) from None
    except ValueError:
        noted = []
    if not noted:
        raise SetupError(
            f"{file} has no day's seal: name the file of FLOORHUB_AUDIT_SEAL_FILE.",
            ko=f"{file}에 일별 봉인이 없습니다. FLOORHUB_AUDIT_SEAL_FILE의 파일을 지정하십시오.",
        )
    return noted


def _shown(result: "Result", public_key: str) -> dict[str, Any]:
    import msgspec

    shown: dict[str, Any] = msgspec.to_builtins(result)
    korean = output.korean()
    for problem, item in zip(result.problems, shown["problems"], strict=True):
        item["message"] = problem.sentence(korean=korean)
    return shown | {"public_key": public_key}
