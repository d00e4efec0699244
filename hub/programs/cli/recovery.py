"""`floorhub user recover`: a new password for somebody, by whoever has the hub's machine."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.errors import RejectedError, SetupError
from hub.programs.cli import output
from hub.programs.cli.api import ApiError, language, sentence
from hub.programs.cli.local import DatabaseUrl, DataDir
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.passwords import new_password

if TYPE_CHECKING:
    from hub.core.access.store.people import Person


def recover(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="What the person signs in with.")],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Set a person's Floorhub password; run this on the hub's machine.

    For an administrator who cannot sign in any more. Asks for the new password, or reads it from standard input; the
    person is enabled and signed out everywhere.
    """
    with explained(as_json=as_json):
        url, folder = _place(database_url, data_dir)
        try:
            person = asyncio.run(_recover(url, folder, login))
        except RejectedError as refused:
            raise _as_answered(refused) from None
    if as_json:
        output.print_json({"id": str(person.id), "login": person.login, "role": person.role})
    else:
        output.say(
            either(
                f"{person.login} ({person.role}) has a new password and is signed out everywhere.",
                f"{person.login}({person.role})의 비밀번호를 바꾸고 모든 곳에서 로그아웃했습니다.",
            )
        )


def _place(database_url: str | None, data_dir: Path | None) -> tuple[str, Path]:
    """Database and data folder of the hub that is meant. Raises SetupError and EmbeddedError."""
    from hub.database import migrate
    from hub.programs import installation
    from hub.telemetry.log import configure

    found = installation.find(database_url, data_dir)
    if found.embedded and not installation.is_running(found.folder):
        raise SetupError(
            f"The hub of {found.folder} and its Postgres are not running: start `make run`, then run this again.",
            ko=f"{found.folder}의 허브와 Postgres가 실행 중이 아닙니다. `make run`을 시작한 뒤 다시 실행하십시오.",
        )
    configure("error")
    url = found.settings.database_url.get_secret_value()
    migrate.require_current(url)
    return url, found.folder


def _as_answered(refused: RejectedError) -> ApiError:
    """The error that a hub would have answered with."""
    from hub.api.problems import plain_problem

    answer = plain_problem(refused.code, refused.params, language(), refused.fields)
    problem = json.loads(bytes(answer.body))
    return ApiError(sentence(problem), problem, answer.status_code)


async def _recover(url: str, folder: Path, login: str) -> "Person":
    from hub.database.engine import Database

    database = Database(url, size=4)
    await database.open()
    try:
        async with database.told():
            people, actor = _people(database, folder)
            person = await people.by_login(login)
            password = await asyncio.to_thread(new_password, person.login)
            recovered: Person = await people.recover(actor, person.id, password)
            return recovered
    finally:
        await database.close()


def _people(database: Any, folder: Path) -> tuple[Any, Any]:
    """The service of people, without a hub; and who acts: nobody whom the hub knows."""
    from hub.core.access.service.passwords import Passwords
    from hub.core.access.service.people import People
    from hub.core.access.service.sessions import Actor, Sessions
    from hub.core.access.service.tokens import AccessTokens
    from hub.keys import SigningKeys
    from hub.telemetry.log import Log

    passwords = Passwords()
    tokens = AccessTokens(database, SigningKeys(folder / "keys"), Log())
    return People(database, Sessions(database, tokens, passwords, Log()), passwords), Actor(None, None)
