"""`floorhub access`: who may do what, and why."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.programs.cli import completion, lists, output, principals
from hub.programs.cli.api import Api
from hub.programs.cli.app import App
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import Json, either, explained

app = App(help="Access: who may do what, and why.")


class Want(StrEnum):
    """What is asked about."""

    READ = "read"
    COMMAND = "command"


@app.command()
def check(
    of: Annotated[
        str | None,
        typer.Option(
            "--of",
            metavar="NAME",
            help="An integration or a user, by name or id.",
            autocompletion=completion.integrations,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="A key, by id or prefix.", autocompletion=completion.keys),
    ] = None,
    client: Annotated[str | None, typer.Option(help="A client's id.", autocompletion=completion.clients)] = None,
    action: Annotated[
        str | None, typer.Option(help="An action; without it, any.", autocompletion=completion.actions)
    ] = None,
    want: Annotated[
        Want | None, typer.Option(help="read or command; default: command with --action, else read.")
    ] = None,
    limit: lists.Limit = lists.MANY,
    as_json: Json = False,
) -> None:
    """Say whether something is allowed, and why.

    --client alone: who may do it. --of or --key alone: what it may do.

    With both, exits with 0 if it is allowed, with 1 if not.
    """
    if of is None and key is None and client is None:
        output.misused(
            "Say what to check: --of or --key, --client, or both.",
            "확인할 대상을 지정하십시오: --of나 --key, --client, 또는 둘 다.",
        )
    with explained(as_json=as_json), Api.from_environment() as api:
        key_id = None if key is None else principals.find_key(api, key)
        query = {"principal": of, "key_id": key_id, "client": client, "action": action, "want": want}
        answer = _whole(api, query, limit or None)
    if as_json:
        output.print_json(answer)
    elif answer["holders"] is not None:
        _say_holders(answer)
    elif answer["clients"] is not None:
        _say_extent(answer)
    else:
        _say_verdict(answer)
    if answer["allowed"] is False:
        raise typer.Exit(ExitCode.FAILED)


def _whole(api: Api, query: dict[str, Any], most: int | None) -> dict[str, Any]:
    """The answer with all pages of its list, or with so many entries."""
    answer: dict[str, Any] = api.get("/api/access/check", **query)
    for name in ("holders", "clients"):
        while answer[name] is not None and answer["next_cursor"] and (most is None or len(answer[name]) < most):
            page = api.get("/api/access/check", **query, cursor=answer["next_cursor"])
            answer = {**answer, name: answer[name] + page[name], "next_cursor": page["next_cursor"]}
        if answer[name] is not None and most is not None and len(answer[name]) > most:
            answer = {**answer, name: answer[name][:most], "next_cursor": answer["next_cursor"] or "more"}
    return answer


def _say_verdict(answer: dict[str, Any]) -> None:
    allowed = either("allowed", "허용됨") if answer["allowed"] else either("not allowed", "허용되지 않음")
    output.say(f"{_who(answer)}, {answer['client']}, {answer['action'] or answer['want']}: {allowed}")
    for reason in answer["reasons"]:
        mark = "+" if reason["allowed"] else "-"
        behind = f" ({reason['id']})" if reason["id"] else ""
        output.say(f"  {mark} {reason['detail']}{behind}")
    if answer["allowed"] and not answer["client_allows"]:
        output.tell(either("The client itself refuses it.", "클라이언트 자체가 거부합니다."))


def _say_holders(answer: dict[str, Any]) -> None:
    if not answer["holders"]:
        output.say(either("Nobody may do this.", "이 작업을 할 수 있는 사용자나 연동 시스템이 없습니다."))
        return
    headings = [either("name", "이름"), either("kind", "종류"), either("role", "역할"), either("keys", "키")]
    rows = [
        [
            one["name"],
            one["kind"],
            one["role"],
            ", ".join(f"{key['prefix']} {key['name']}".strip() for key in one["keys"]),
        ]
        for one in answer["holders"]
    ]
    output.print_table(headings, rows)
    _say_more(answer)


def _say_extent(answer: dict[str, Any]) -> None:
    may = ", ".join(answer["permissions"]) or either("nothing", "없음")
    output.say(either(f"{_who(answer)} may: {may}", f"{_who(answer)}의 권한: {may}"))
    if not answer["clients"]:
        output.say(either("It reaches no client.", "접근할 수 있는 클라이언트가 없습니다."))
        return
    headings = [either("client", "클라이언트"), either("actions to command", "명령할 수 있는 동작")]
    rows = [[one["client_id"], principals.listed(one["actions"]) or "-"] for one in answer["clients"]]
    output.print_table(headings, rows)
    _say_more(answer)


def _say_more(answer: dict[str, Any]) -> None:
    if answer["next_cursor"]:
        output.tell(either("... and more: --limit 0 shows all.", "... 더 있습니다. --limit 0이면 모두 표시합니다."))


def _who(answer: dict[str, Any]) -> str:
    name = str(answer["principal"]["name"])
    return f"{name} ({answer['key']['prefix']})" if answer["key"] else name
