"""`floorhub user`: the people who may sign in."""

import enum
from typing import Annotated, Any

import typer

from hub.programs.cli import completion, lists, output
from hub.programs.cli.api import Api, ApiError, in_path
from hub.programs.cli.app import App
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.lists import Column, View, field
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.passwords import new_password

app = App(help="People who can sign in.")
Login = Annotated[
    str, typer.Argument(metavar="LOGIN", help="What the person signs in with.", autocompletion=completion.logins)
]


class Role(enum.StrEnum):
    """What somebody may do."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


class Reach(enum.StrEnum):
    """Of which clients."""

    ALL = "all"
    GRANTED = "granted"


_ROLE = "admin: everything; operator: command and read; viewer: read."
_REACH = "all clients, or only those that were granted."
_NAME = "A name for people."


@app.command()
def add(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="What the person signs in with.")],
    role: Annotated[Role, typer.Option(help=_ROLE)],
    reach: Annotated[Reach, typer.Option(help=_REACH)] = Reach.ALL,
    name: Annotated[str | None, typer.Option(help=_NAME)] = None,
    as_json: Json = False,
) -> None:
    """Add a person.

    Asks for the first password, or reads it from standard input.
    """
    password = new_password(login)
    body = {"login": login, "role": role, "reach": reach, "password": password}
    with explained(as_json=as_json), Api.from_environment() as api:
        person = api.post("/api/users", body | ({} if name is None else {"name": name}))
    _said(person, as_json=as_json)
    if person["reach"] == "granted":
        who = person["login"]
        output.tell(
            either(
                f"{who} reaches no client yet. Grant some: floorhub grant add {who} --zone ZONE",
                f"{who}은(는) 아직 접근할 수 있는 클라이언트가 없습니다. 다음 명령으로 허용하십시오: "
                f"floorhub grant add {who} --zone ZONE",
            )
        )


@app.command("list")
@lists.with_view()
def list_users(
    everybody: Annotated[bool, typer.Option("--all", help="Also people whose data was erased.")] = False,
    *,
    view: View,
) -> None:
    """List the people who can sign in."""
    with explained(as_json=view.as_json), Api.from_environment() as api:
        people, _ = api.pages("/api/users")
    columns = (
        Column("login", "로그인", field("login")),
        Column("name", "이름", field("name")),
        Column("role", "역할", field("role")),
        Column("reach", "범위", field("reach")),
        Column("state", "상태", lambda item: _state(item)),
        Column("seen", "최근 사용", lambda item: output.local(item["seen_at"])),
    )
    empty = either(
        "Nobody can sign in yet: floorhub user add LOGIN --role admin",
        "아직 로그인할 수 있는 사람이 없습니다: floorhub user add LOGIN --role admin",
    )
    lists.show([each for each in people if everybody or not _is_erased(each)], columns, view, empty=empty)


@app.command()
def show(login: Login, as_json: Json = False) -> None:
    """Show a person."""
    with explained(as_json=as_json), Api.from_environment() as api:
        _said(_find(api, login), as_json=as_json)


@app.command()
def change(
    login: Login,
    role: Annotated[Role | None, typer.Option(help=_ROLE)] = None,
    reach: Annotated[Reach | None, typer.Option(help=_REACH)] = None,
    name: Annotated[str | None, typer.Option(help=_NAME)] = None,
    new_login: Annotated[str | None, typer.Option("--login", help="Another login.")] = None,
    as_json: Json = False,
) -> None:
    """Change a person's role, reach (all or granted clients), name or login."""
    wanted = {"role": role, "reach": reach, "name": name, "login": new_login}
    changes = {key: value for key, value in wanted.items() if value is not None}
    if not changes:
        output.misused(
            "Say what to change: --role, --reach, --name or --login.",
            "바꿀 것을 지정하십시오: --role, --reach, --name, --login.",
        )
    _change(login, changes, as_json=as_json)


@app.command()
def password(
    login: Login,
    link: Annotated[
        bool, typer.Option("--link", help="Show a link with which the person sets it; valid once, for 24 hours.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Set a person's password, and sign the person out everywhere.

    Asks for the new password, or reads it from standard input. With --link, the person chooses it.
    """
    with explained(as_json=as_json), Api.from_environment() as api:
        path = f"/api/users/{in_path(_find(api, login)['id'])}"
        if link:
            _show_link(api.url, login, api.post(f"{path}/password-link"), as_json=as_json)
            return
        api.post(f"{path}/password", {"password": new_password(login)})
        person = api.get(path)
    if as_json:
        output.print_json(person)
        return
    output.say(
        either(
            f"{person['login']} has a new password and is signed out everywhere.",
            f"{person['login']}의 비밀번호를 바꾸고 모든 곳에서 로그아웃했습니다.",
        )
    )


@app.command()
def disable(login: Login, as_json: Json = False) -> None:
    """Sign a person out, and refuse further sign-ins."""
    _change(login, {"disabled": True}, as_json=as_json)


@app.command()
def enable(login: Login, as_json: Json = False) -> None:
    """Let a disabled person sign in again."""
    _change(login, {"disabled": False}, as_json=as_json)


@app.command()
@lists.with_view()
def sessions(
    login: Login,
    end: Annotated[bool, typer.Option("--end", help="Sign the person out everywhere.")] = False,
    *,
    view: View,
) -> None:
    """List where a person is signed in."""
    with explained(as_json=view.as_json), Api.from_environment() as api:
        path = f"/api/users/{in_path(_find(api, login)['id'])}/sessions"
        if end:
            api.delete(path)
        items = api.get(path)["items"]
    columns = (
        Column("kind", "종류", field("kind")),
        Column("address", "주소", field("address")),
        Column("since", "시작", lambda item: output.local(item["created_at"])),
        Column("seen", "최근 사용", lambda item: output.local(item["seen_at"])),
        Column("program", "프로그램", field("user_agent")),
    )
    empty = either(f"{login} is signed in nowhere.", f"{login}은(는) 로그인되어 있지 않습니다.")
    lists.show(items, columns, view, empty=empty, more=False)


def _change(login: str, changes: dict[str, Any], *, as_json: bool) -> None:
    with explained(as_json=as_json), Api.from_environment() as api:
        person = _find(api, login)
        _said(api.patch(f"/api/users/{in_path(person['id'])}", changes), as_json=as_json)


def _show_link(hub: str, login: str, made: dict[str, Any], *, as_json: bool) -> None:
    """The address of the page that takes the link's token, which stands after `#`: browsers send that to nobody."""
    address = f"{hub.rstrip('/')}/set-password#token={made['token']}"
    if as_json:
        output.print_json({**made, "url": address})
        return
    until = output.local(made["expires_at"])
    output.say(
        either(
            f"Give this link to {login}; it is valid once, until {until}:",
            f"이 링크를 {login}에게 전하십시오. {until}까지 한 번만 쓸 수 있습니다.",
        ),
        address,
    )


def _find(api: Api, login: str) -> dict[str, Any]:
    """The person of a login. Raises ApiError."""
    items = api.get("/api/users", login=login)["items"]
    if not items:
        raise ApiError(
            either(
                f"There is no person with the login {login}: floorhub user list",
                f"로그인 이름이 {login}인 사람이 없습니다: floorhub user list",
            ),
            code=ExitCode.NOT_FOUND,
        )
    person: dict[str, Any] = items[0]
    return person


def _is_erased(person: dict[str, Any]) -> bool:
    """Whether only the id is left of somebody; see `floorhub audit erase`."""
    return bool(person["disabled"] and person["login"] == f"erased-{person['id']}")


def _state(person: dict[str, Any]) -> str:
    if _is_erased(person):
        return either("erased", "데이터 삭제됨")
    if person["disabled"]:
        return either("disabled", "비활성화")
    return either("active", "사용 중") if person["has_password"] else either("no password", "비밀번호 없음")


def _said(person: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(person)
        return
    seen = output.local(person["seen_at"])
    rows = [
        (either("Login", "로그인"), person["login"]),
        (either("Name", "이름"), person["name"]),
        (either("Role", "역할"), person["role"]),
        (either("Reach", "범위"), person["reach"]),
        (either("State", "상태"), _state(person)),
        (either("Last seen", "최근 사용"), seen),
    ]
    output.say(*output.aligned(rows))
