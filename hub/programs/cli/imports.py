"""`floorhub client import`: many clients at once, from a list. See `importing` for the order of its steps."""

import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, NoReturn

import typer

from hub.errors import SetupError
from hub.keys import cannot_write
from hub.programs.cli import client_lists, client_secrets, output
from hub.programs.cli.agent_configs import Places, write_agent_config
from hub.programs.cli.api import Api
from hub.programs.cli.app import App
from hub.programs.cli.client_lists import ClientList
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.importing import Checked, Importing, Plan
from hub.programs.cli.output import Json, either, explained
from hub.programs.cli.waiting_for_broker import BrokerWait
from schemas.terminal import recovered
from schemas.topics import is_client_id

SHOWN = 50
"""Lines that a person sees of each kind; -o json has all."""
SECRETS = "clients"
"""What the file of secrets is named after for a list from standard input."""


def add_to(app: App) -> None:
    """Add the command to its group."""
    app.command("import")(import_)


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The list, as CSV; - for standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Change clients that the list describes differently.")
    ] = False,
    skip_wrong: Annotated[bool, typer.Option("--skip-wrong", help="Import the other lines if some are wrong.")] = False,
    skip_columns: Annotated[bool, typer.Option("--skip-columns", help="Leave out columns that are not known.")] = False,
    create_groups: Annotated[bool, typer.Option("--create-groups", help="Create groups that do not exist.")] = False,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="If the list is not UTF-8: utf-16 or cp949.")
    ] = None,
    secrets: Annotated[
        Path | None,
        typer.Option(help="The file for the secrets (0600); default: beside the list, with -secrets in its name."),
    ] = None,
    no_secrets: Annotated[
        bool, typer.Option("--no-secrets", help="Make no secrets: each machine is connected by pairing.")
    ] = False,
    configs: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write each agent's configuration to this folder (0600).")
    ] = None,
    mqtt_url: Annotated[
        str, typer.Option(envvar="FLOORHUB_MQTT_URL", help="For --configs: the broker as the clients reach it.")
    ] = "",
    hub_url: Annotated[str | None, typer.Option(help="For --configs: the hub as the clients reach it.")] = None,
    gradual: Annotated[
        bool, typer.Option("--gradual", help="Do not restart the broker of `make run`: it learns clients one by one.")
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait until the broker knows all clients.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Register many clients from a list.

    Nothing is stored unless all lines are right. The same list again changes nothing, and completes an import that was
    interrupted. Columns: id, name, kind, zone, groups, tags, allowed_actions, rate_limit, max_commands_per_day,
    metadata.NAME.
    """
    if no_secrets and (secrets is not None or configs is not None):
        output.misused(
            "--no-secrets goes with neither --secrets nor --configs.",
            "--no-secrets는 --secrets, --configs와 함께 쓸 수 없습니다.",
        )
    with explained(as_json=as_json), ExitStack() as held:
        listed = client_lists.read_list(_content(file), encoding=encoding, skip_columns=skip_columns)
        place = secrets or _beside(file)
        kept: dict[str, str] = {}
        if not (no_secrets or dry_run):
            held.enter_context(client_secrets.held(place))
        if not no_secrets:
            kept = client_secrets.read(place)
        if configs is not None and not dry_run:
            _require_folder(configs)
        api = held.enter_context(Api.from_environment())
        importing = Importing(api, kept, update=update, create_groups=create_groups, with_secrets=not no_secrets)
        checked = importing.check(listed)
        wrong = bool(checked.wrong)
        if wrong and not skip_wrong:
            _refuse(checked, listed, as_json=as_json)
        if dry_run:
            _show(checked, dry_run=True, as_json=as_json)
            raise typer.Exit(ExitCode.FAILED if wrong else ExitCode.DONE)
        if wrong and not as_json:
            output.tell(*_wrong_lines(checked))
        places = None if configs is None else Places.of(api, hub_url, mqtt_url)
        waiting = BrokerWait(api, gradual=gradual)
        if waiting.restarts(checked.new) and not _agreed(waiting, yes=yes):
            raise typer.Exit(ExitCode.FAILED)
        if not no_secrets:
            importing.make_secrets(checked)
            client_secrets.write(place, importing.secrets)
        done = importing.store(checked)
        if not no_secrets:
            client_secrets.write(place, importing.secrets)
        waiting.begin()
        if configs is not None and places is not None:
            _write_configs(configs, done, importing, places)
        if not as_json:
            _show(done, dry_run=False, as_json=False)
            if not no_secrets:
                output.say(
                    either(
                        f"Secrets: {place} ({output.number_of(len(importing.secrets), 'client')}). Delete the file "
                        "when all machines have theirs.",
                        f"비밀 값: {place} (클라이언트 {len(importing.secrets)}대). 모든 기기에 넣은 뒤 파일을 "
                        "지우십시오.",
                    )
                )
            if configs is not None:
                output.say(either(f"Configurations: {configs}", f"설정 파일: {configs}"))
            output.tell(
                *(places.warnings() if places is not None else []),
                *_without_secret(done, importing, no_secrets=no_secrets),
            )
        known = waiting.wait(no_wait=no_wait)
        if as_json:
            facts = {"secrets": None if no_secrets else str(place), "configs": str(configs) if configs else None}
            output.print_json(_document(done, dry_run=False) | facts | {"broker": waiting.facts})
        else:
            output.tell(*waiting.lines())
    if wrong:
        raise typer.Exit(ExitCode.FAILED)
    if not known:
        raise typer.Exit(ExitCode.NOT_ENDED)


def _content(file: str) -> bytes:
    most = client_lists.MOST_BYTES + 1
    name = recovered(file)
    try:
        if name == "-":
            return sys.stdin.buffer.read(most) if sys.stdin is not None else b""
        with Path(name).open("rb") as stream:
            return stream.read(most)
    except OSError as problem:
        raise SetupError(
            f"{name} cannot be read: {problem.strerror}.", ko=f"{name}을(를) 읽을 수 없습니다: {problem.strerror}."
        ) from None


def _beside(file: str) -> Path:
    list_ = Path(f"{SECRETS}.csv" if file == "-" else recovered(file))
    return list_.with_name(f"{list_.stem}-secrets.csv")


def _require_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise cannot_write(folder, problem) from None


def _write_configs(folder: Path, done: Plan, importing: Importing, places: Places) -> None:
    """A file for each client of the list whose secret we have. One that is there and says the same stays, with what
    somebody added to it."""
    for one in done.items:
        secret = importing.secrets.get(one["id"])
        if secret is None or not is_client_id(one["id"]):
            continue
        file = folder / f"{one['id']}.toml"
        try:
            write_agent_config(
                file,
                client_id=one["id"],
                hub_url=places.hub_url,
                mqtt_url=places.mqtt_url,
                authority=places.authority,
                secret=secret,
                root_key=importing.root_key,
                keep_additions=True,
            )
        except OSError as problem:
            raise cannot_write(file, problem) from None


def _agreed(waiting: BrokerWait, *, yes: bool) -> bool:
    """Announce the restart; whether the person wants it."""
    output.tell(*waiting.announcement())
    return yes or output.confirmed(either("Restart the broker now?", "지금 브로커를 다시 시작하시겠습니까?"))


def _refuse(checked: Checked, listed: ClientList, *, as_json: bool) -> NoReturn:
    if as_json:
        output.print_json(_document(checked, dry_run=True))
        raise typer.Exit(ExitCode.REFUSED)
    number = len(checked.wrong)
    total = len(listed.lines) + len(listed.wrong)
    hints = (
        [either("--create-groups creates groups that do not exist.", "--create-groups를 쓰면 없는 그룹을 만듭니다.")]
        if checked.lacks_groups
        else []
    )
    output.tell(
        *_wrong_lines(checked),
        *hints,
        either(
            f"{output.number_of(number, 'problem')} in {output.number_of(total, 'line')}: nothing was stored. Correct "
            "them, or import the other lines with --skip-wrong.",
            f"{total}줄에서 문제 {number}건: 저장한 것이 없습니다. 고치거나 --skip-wrong으로 나머지 줄만 가져오십시오.",
        ),
    )
    raise typer.Exit(ExitCode.REFUSED)


def _wrong_lines(checked: Plan) -> list[str]:
    wrong = sorted(checked.wrong, key=lambda one: one.number)
    lines = [
        either(f"Line {one.number}: {one.field} {one.message}", f"{one.number}번째 줄: {one.field} {one.message}")
        for one in wrong[:SHOWN]
    ]
    return lines + _more(len(wrong))


def _more(number: int) -> list[str]:
    left = number - SHOWN
    return [either(f"... and {left} more: -o json lists all.", f"... 외 {left}건: -o json으로 모두 표시합니다.")] * (
        left > 0
    )


def _show(plan: Plan, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        output.print_json(_document(plan, dry_run=dry_run))
        return
    differing = [one for one in plan.items if one["differences"]]
    for one in differing[:SHOWN]:
        number = plan.number_of[one["id"]]
        output.say(either(f"Line {number}: {one['id']}: ", f"{number}번째 줄: {one['id']}: ") + _changes(one))
    output.tell(*_more(len(differing)))
    if dry_run:
        output.tell(*_wrong_lines(plan))
    count = {outcome: sum(one["outcome"] == outcome for one in plan.items) for outcome in _OUTCOMES}
    english = ", ".join(f"{number} {_OUTCOMES[outcome][0]}" for outcome, number in count.items() if number)
    korean = ", ".join(f"{_OUTCOMES[outcome][1]} {number}대" for outcome, number in count.items() if number)
    nothing = ("no clients", "클라이언트 없음")
    output.say(
        either(
            f"{'Would be: ' if dry_run else ''}{english or nothing[0]}.",
            f"{'예정: ' if dry_run else ''}{korean or nothing[1]}.",
        )
    )
    if count["different"]:
        output.tell(
            either(
                "Clients that differ were kept as they are: --update changes them.",
                "목록과 다른 클라이언트는 그대로 두었습니다. --update로 바꿀 수 있습니다.",
            )
        )


_OUTCOMES = {
    "new": ("new", "신규"),
    "updated": ("updated", "변경"),
    "different": ("different", "다름"),
    "unchanged": ("unchanged", "변경 없음"),
}


def _changes(one: dict[str, Any]) -> str:
    return "; ".join(
        f"{change['field']} {_shown(change['before'])} -> {_shown(change['after'])}" for change in one["differences"]
    )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in value.items()) or "-"
    return "-" if value is None else str(value)


def _without_secret(done: Plan, importing: Importing, *, no_secrets: bool) -> list[str]:
    """About clients whose secret nobody here has."""
    if no_secrets:
        if not done.new:
            return []
        return [
            either(
                "Connect each machine by pairing: floorhub pair ID --replace",
                "각 기기는 페어링으로 연결하십시오: floorhub pair ID --replace",
            )
        ]
    without = [one["id"] for one in done.items if one["id"] not in importing.secrets]
    if not without:
        return []
    names = ", ".join(without[:5]) + (", ..." if len(without) > 5 else "")
    return [
        either(
            f"{output.number_of(len(without), 'client')} of the list existed before, and the file does not have their "
            f"secrets ({names}). `floorhub client rotate-secret ID` makes a new one.",
            f"목록의 클라이언트 {len(without)}대는 이미 있었고 그 비밀 값은 이 파일에 없습니다({names}). "
            "`floorhub client rotate-secret ID`로 새로 만들 수 있습니다.",
        )
    ]


def _document(plan: Plan, *, dry_run: bool) -> dict[str, Any]:
    """For programs."""
    return {
        "dry_run": dry_run,
        "clients": [{"line": plan.number_of[one["id"]], **one} for one in plan.items],
        "wrong": [{"line": one.number, "field": one.field, "message": one.message} for one in plan.wrong],
    }
