"""`floorhub backup` and `floorhub restore`: a hub of this machine in one file, and back."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.programs.cli import output
from hub.programs.cli.local import DatabaseUrl, DataDir, OwnerUrl
from hub.programs.cli.output import Json, either, explained

if TYPE_CHECKING:
    from hub.programs.backup.carrying import Carried
    from hub.programs.backup.restoring import Restored

PgBin = Annotated[
    Path | None,
    typer.Option(help="Folder of pg_dump and pg_restore."),
]

_KOREAN = {"retired": "폐기됨", "disabled": "사용 중지됨", "enabled": "사용 중"}


def backup(
    file: Annotated[Path, typer.Argument(help="The new file; it is as secret as the keys.")],
    no_archive: Annotated[bool, typer.Option("--no-archive", help="Leave the archive folder out.")] = False,
    with_authority: Annotated[
        bool, typer.Option("--with-authority", help="Include the hub's certificate authority and its key.")
    ] = False,
    pg_bin: PgBin = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write database, keys and settings into one file.

    Works while the hub runs. The file is private (0600) and is written whole or not at all.
    """
    from hub.programs import installation
    from hub.programs.backup.taking import take

    with explained(as_json=as_json):
        found = installation.find(database_url, data_dir)
        manifest = take(found, file, pg_bin=pg_bin, archive=not no_archive, say=output.tell, authority=with_authority)
    size = file.stat().st_size
    if as_json:
        taken = manifest.taken_at.isoformat()
        output.print_json({"file": str(file), "bytes": size, "taken_at": taken, "revision": manifest.revision})
        return
    mib = f"{size / 1024**2:.1f} MiB"
    if output.korean():
        output.say(f"{file}에 백업했습니다({mib}). 이 파일은 키만큼 비밀입니다. 다른 컴퓨터에 보관하십시오.")
    else:
        output.say(f"Backed up to {file} ({mib}). It is as secret as the keys: keep it on another machine.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `floorhub backup` wrote, and that you trust.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace existing data; the old data is kept.")] = False,
    pg_bin: PgBin = None,
    database_url: DatabaseUrl = None,
    owner_url: OwnerUrl = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Put a backup in place of the hub's data.

    Stop every hub first. The file is checked before anything changes. The replaced data is kept beside it.
    """
    from hub.programs.backup.restoring import restore as put
    from hub.programs.embedded.data_folder import default_root
    from hub.programs.installation import own_database

    with explained(as_json=as_json):
        folder = (data_dir or default_root()).expanduser().absolute()
        url = own_database(owner_url or database_url, folder)
        done = put(
            file,
            folder=folder,
            database_url=url,
            replace=replace,
            pg_bin=pg_bin,
            next_time=next_time,
            say=output.tell,
            hub_url=database_url if url and owner_url else None,
        )
    if as_json:
        output.print_json(_document(done))
    else:
        output.say(*_said(done))


def next_time(cron: str, time_zone: str, now: datetime, last_at: datetime | None) -> datetime | None:
    """When a schedule comes next, not again for a time that it was judged for; None: never, or its zone is not known
    here."""
    from hub.features.schedules.rules import Timetable, TimetableError, first

    try:
        return first(Timetable.of(cron, time_zone), now, last_at)
    except TimetableError:
        return None


def _document(done: "Restored") -> dict[str, Any]:
    lost = done.lost
    return {
        "taken_at": done.manifest.taken_at.isoformat(),
        "revision": done.manifest.revision,
        "migrate": done.manifest.revision != done.newest,
        "kept_database": done.kept_database,
        "kept_folder": None if done.kept_folder is None else str(done.kept_folder),
        "settings": None if done.settings is None else str(done.settings),
        "unknown": done.carried.unknown,
        "missed": done.carried.missed,
        "carried_over": {
            "commands": done.carried.commands,
            "clients": done.carried.clients,
            "secrets": done.carried.secrets,
            "api_keys": done.carried.api_keys,
            "schedules_removed": done.carried.removed,
        },
        "lost": None
        if lost is None
        else {
            "commands": lost.commands,
            "clients": lost.clients,
            "secrets": lost.secrets,
            "schedules": lost.schedules,
            "api_keys": lost.api_keys,
            "file": lost.file,
        },
    }


def _said(done: "Restored") -> list[str]:
    taken = output.local(done.manifest.taken_at.isoformat(), named=True)
    said = [
        either(
            f"Restored the backup of {taken} (Floorhub {done.manifest.floorhub}).",
            f"{taken}의 백업(Floorhub {done.manifest.floorhub})을 복원했습니다.",
        )
    ]
    if done.kept_database is not None:
        said.append(
            either(
                f"Kept: the database of before as {done.kept_database}, its files in {done.kept_folder}.",
                f"보관: 이전 데이터베이스는 {done.kept_database}, 파일은 {done.kept_folder}에 있습니다.",
            )
        )
    said += [*_lost(done, taken), *_carried(done.carried)]
    if done.settings is not None:
        said.append(
            either(
                f"The settings of the backup: {done.settings}. Compare them with yours.",
                f"백업의 설정: {done.settings}. 지금 설정과 비교하십시오.",
            )
        )
    if done.manifest.revision != done.newest:
        said.append(
            either(
                "The tables are of an older version: run `floorhub migrate` (`make run` does it itself).",
                "테이블이 이전 버전입니다. `floorhub migrate`를 실행하십시오(`make run`은 스스로 합니다).",
            )
        )
    now = either(
        "Now start the hub, and the order systems last.", "이제 허브를 시작하고, 주문 시스템은 마지막에 시작하십시오."
    )
    return [*said, now]


def _lost(done: "Restored", taken: str) -> list[str]:
    lost = done.lost
    if lost is None:
        return [
            either(
                f"What was accepted after {taken} is not in it. Compare with the orders, and send it again.",
                f"{taken} 이후에 접수된 것은 들어 있지 않습니다. 주문과 비교하여 다시 보내십시오.",
            ),
            either(
                "Agents report what they did since: `floorhub doctor` lists commands that the hub does not know.",
                "에이전트는 그동안 한 일을 보고합니다. 허브가 모르는 명령은 `floorhub doctor`가 보여 줍니다.",
            ),
        ]
    if lost.file is None:
        return [
            either(
                "Nothing is lost: no command, client or schedule is newer than the backup.",
                "잃은 것이 없습니다. 백업 이후에 생긴 명령, 클라이언트, 예약이 없습니다.",
            )
        ]
    english = ", ".join(f"{number} {status}" for status, number in lost.commands.items())
    korean = ", ".join(f"{status} {number}건" for status, number in lost.commands.items())
    return [
        either(
            f"Lost: {output.number_of(lost.number, 'command')}{f' ({english})' if english else ''}.",
            f"잃은 명령: {lost.number}건{f'({korean})' if korean else ''}.",
        ),
        *_named("Lost: the registration of", "등록이 사라진 클라이언트", lost.clients),
        *_named("Lost: the new secret of", "새 비밀 값이 사라진 클라이언트", lost.secrets),
        *_named("Lost: the changes of the schedules", "변경이 사라진 예약", lost.schedules),
        *_named("Lost: the API keys of", "사라진 API 키", lost.api_keys),
        either(
            f"The list: {lost.file}. Send again what was not done.",
            f"목록: {lost.file}. 처리되지 않은 것을 다시 보내십시오.",
        ),
    ]


def _carried(carried: "Carried") -> list[str]:
    said = []
    if carried.commands:
        said.append(
            either(
                f"Kept from the database of before: what became of {output.number_of(carried.commands, 'command')} "
                "since the backup. What ended since is not done again.",
                f"백업 이후 명령 {carried.commands}건의 진행 상황을 이전 데이터베이스에서 가져왔습니다. 그동안 끝난 "
                "명령은 다시 수행하지 않습니다.",
            )
        )
    said += [
        either(f"Kept: {name} is {status}.", f"유지한 클라이언트 상태: {name} ({_KOREAN.get(status, status)}).")
        for name, status in carried.clients.items()
    ]
    said += [
        *_named("Kept: the new secret of", "새 비밀 값을 유지한 클라이언트", carried.secrets),
        *_named("Kept: revoked API keys", "폐기 상태를 유지한 API 키", carried.api_keys),
    ]
    if carried.removed:
        names = ", ".join(carried.removed)
        said.append(
            either(
                f"Removed since the backup, and back as disabled schedules: {names}.",
                f"백업 이후 삭제되어 사용 중지 상태로 되살아난 예약: {names}.",
            )
        )
    if carried.missed:
        names = ", ".join(carried.missed)
        said.append(
            either(
                "Schedules that do not fire for their times between the backup and now, since nobody knows whether "
                f"they did: {names}.",
                f"백업과 지금 사이의 시각에 실행되었는지 알 수 없어 그 시각을 건너뛰는 예약: {names}.",
            )
        )
    if carried.unknown:
        said.append(
            either(
                f"{output.number_of(carried.unknown, 'command')} became `unknown`: nobody knows whether they were done "
                "since the backup. Decide each: floorhub dead-letter --reason unknown",
                f"명령 {carried.unknown}건이 `unknown`이 되었습니다. 백업 이후 수행되었는지 알 수 없으므로 하나씩 "
                "결정하십시오: floorhub dead-letter --reason unknown",
            )
        )
    return said


def _named(english: str, korean: str, names: Sequence[str]) -> list[str]:
    joined = ", ".join(names)
    return [either(f"{english} {joined}.", f"{korean}: {joined}.")] if names else []
