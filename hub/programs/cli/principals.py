"""What the commands about integrations, keys and grants share: who is meant, which clients, and a key shown once."""

from typing import Annotated, Any
from uuid import UUID

import typer

from hub.programs.cli import completion, output
from hub.programs.cli.api import Api, ApiError, in_path
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import either

Who = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="Name or id of an integration or a user.", autocompletion=completion.integrations
    ),
]
Integration = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Name or id of an integration.", autocompletion=completion.integrations),
]
WhichKey = Annotated[str, typer.Argument(metavar="KEY", help="Id or prefix of a key.", autocompletion=completion.keys)]
OfClients = Annotated[
    list[str] | None,
    typer.Option("--client", help="A client's id; may be given several times.", autocompletion=completion.clients),
]
OfGroups = Annotated[
    list[str] | None,
    typer.Option(
        "--group", help="The clients of a group; may be given several times.", autocompletion=completion.groups
    ),
]
OfZones = Annotated[list[str] | None, typer.Option("--zone", help="The clients of a zone; may be given several times.")]
OfTags = Annotated[
    list[str] | None, typer.Option("--tag", help="Clients with this tag; several times: with all of them.")
]
Everybody = Annotated[bool, typer.Option("--all", help="Every client, also those that come later.")]
ForActions = Annotated[
    list[str] | None,
    typer.Option("--action", help="Only this action; may be given several times.", autocompletion=completion.actions),
]
OnlyRead = Annotated[bool, typer.Option("--read-only", help="Only to see, not to command.")]
From = Annotated[
    list[str] | None,
    typer.Option(
        "--address",
        metavar="ADDRESS",
        help="An address or network that the key may be used from; may be given several times.",
    ),
]
Permitted = Annotated[
    list[str] | None,
    typer.Option(
        "--permission",
        help="What the key may do: read, command, document, ...; may be given several times.",
        autocompletion=completion.permissions,
    ),
]
Expires = Annotated[
    str | None,
    typer.Option("--expires", metavar="TIME", help="When the key ends: 90d, 2027-01-31 or 2027-01-31T08:00."),
]
KeyName = Annotated[str | None, typer.Option("--key-name", help="A name of the key, such as where it is used.")]


def named_targets(
    client: list[str] | None,
    group: list[str] | None,
    zone: list[str] | None,
    tag: list[str] | None,
    *,
    everybody: bool = False,
) -> list[dict[str, Any]]:
    """The targets as the API takes them, one for each option but for tags, which belong together."""
    found: list[dict[str, Any]] = []
    for kind, names in (("client", client), ("group", group), ("zone", zone)):
        found += [{kind: name} for name in names or ()]
    if tag:
        found.append({"tags": tag})
    if everybody:
        found.append({"all": True})
    return found


def access_of(*, only_read: bool) -> dict[str, Any]:
    """The access of a grant; without --read-only the hub decides by the role."""
    return {"access": "read"} if only_read else {}


def find(api: Api, who: str) -> dict[str, Any]:
    """The principal of this name or id. Raises ApiError."""
    found: dict[str, Any] = api.get("/api/access/check", principal=who, limit=1)["principal"]
    return found


def find_integration(api: Api, who: str) -> dict[str, Any]:
    """The integration of this name or id, as the API lists it. Raises ApiError."""
    if (given := _uuid(who)) is not None:
        found: dict[str, Any] = api.get(f"/api/integrations/{given}")
        return found
    items = api.get("/api/integrations", name=who)["items"]
    if not items:
        _missing(
            f"There is no integration {who}: `floorhub integration list` shows all.",
            f"연동 시스템 {who}이(가) 없습니다. `floorhub integration list`로 확인하십시오.",
        )
    first: dict[str, Any] = items[0]
    return first


def find_key(api: Api, which: str) -> str:
    """The id of the key with this id or prefix, as a path takes it. Raises ApiError."""
    if (given := _uuid(which)) is not None:
        return in_path(given)
    items = api.get("/api/keys", prefix=which)["items"]
    if not items:
        _missing(
            f"There is no key {which}: `floorhub key list --all` shows all, by id and prefix.",
            f"키 {which}이(가) 없습니다. `floorhub key list --all`로 id와 prefix를 확인하십시오.",
        )
    if len(items) > 1:
        output.misused(
            f"Several keys begin with {which}: name one by its id.",
            f"{which}(으)로 시작하는 키가 여러 개입니다. id로 지정하십시오.",
        )
    return in_path(items[0]["id"])


def say_key(key: dict[str, Any]) -> None:
    """A new key, for a person: it alone on a line, to be copied."""
    output.say(either("Its key, shown only once:", "키(지금 한 번만 표시됩니다):"), key["key"])


def in_words(target: dict[str, Any]) -> str:
    """A target of a grant or a key as people read it."""
    ((kind, value),) = target.items()
    if kind == "all":
        return either("all clients", "모든 클라이언트")
    shown = ", ".join(value) if isinstance(value, list) else value
    return f"{either(*_KINDS[kind])} {shown}"


def listed(names: list[str] | None) -> str:
    """Some words, or that it is all of them."""
    return either("all", "모두") if names is None else ", ".join(names)


_KINDS = {
    "client": ("client", "클라이언트"),
    "group": ("group", "그룹"),
    "zone": ("zone", "구역"),
    "tags": ("tags", "태그"),
}


def _missing(english: str, korean: str) -> None:
    sentence = either(english, korean)
    raise ApiError(sentence, {"code": "not_found", "detail": sentence}, code=ExitCode.NOT_FOUND)


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
