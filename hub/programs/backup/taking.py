"""Taking a backup: the database as of one moment, with the keys that belong to it; while a hub runs, or not."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hub import private_files
from hub.database import migrate
from hub.errors import SetupError
from hub.keys import FILES, cannot_write, public_key, read_data_keys, read_seed, read_seeds
from hub.programs.backup import container, server, tools
from hub.programs.backup.container import AUTHORITY, DUMP, KEYS, Manifest
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.patience import Say
from hub.programs.installation import Installation, is_running
from hub.sealing import FILE as DATA_KEYS
from schemas.version import installed_version

AUDIT, AUDIT_KEY = "audit", "audit.key"
"""What seals the audit trail; a database of an earlier version knows none."""
_NULL = "\\N"
"""As COPY writes it."""
NOT_KEPT = ("FLOORHUB_KEY", "FLOORHUB_URL", "FLOORHUB_TEST_")
"""Of the environment: what programs use to speak to a hub, not what a hub is set to."""


def take(
    installation: Installation, file: Path, *, pg_bin: Path | None, archive: bool, say: Say, authority: bool = False
) -> Manifest:
    """Write a backup into a new file (0600), whole or not at all. `archive`: with the rows that clean-up archived.
    `authority`: with the hub's own certificate authority and its key.

    Raises SetupError and EmbeddedError; then there is no such file.
    """
    file = file.absolute()
    container.require_new(file)
    if authority:
        _require_authority(installation.folder)
    try:
        # Beside the file, so that it gets its name at one stroke; nobody else may look into it.
        work = Path(tempfile.mkdtemp(prefix=".floorhub-backup-", dir=file.parent))
    except OSError as problem:
        raise cannot_write(file.parent, problem) from None
    try:
        with ExitStack() as running:
            url = _started(running, installation, say)
            manifest, sources = _collect(installation, url, work, pg_bin, archive=archive)
            if authority:
                sources += [(name, installation.folder / name) for name in AUTHORITY]
            made = work / "made"
            manifest = container.write(made, manifest, sources)
        with container.opened(made) as backup:
            backup.verify()  # what cannot be read back is no backup
        container.publish(made, file)
    except OSError as problem:
        raise cannot_write(file, problem) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return manifest


def _started(running: ExitStack, installation: Installation, say: Say) -> str:
    """The database's URL. A server that has to be started writes into the data folder, whose disk may be full."""
    try:
        return running.enter_context(_database(installation, say))
    except OSError as problem:
        raise cannot_write(Path(problem.filename or installation.folder), problem) from None


@contextmanager
def _database(installation: Installation, say: Say) -> Iterator[str]:
    """The database's URL, of a server that runs meanwhile."""
    if not installation.embedded or is_running(installation.folder):
        yield installation.database_url
        return
    folder = DataFolder.prepare(installation.folder)
    with folder.locked(), server.alone(folder, say) as url:
        yield url


def _collect(
    installation: Installation, url: str, work: Path, pg_bin: Path | None, *, archive: bool
) -> tuple[Manifest, list[tuple[str, Path]]]:
    """The dump, made now, and where the other parts lie."""
    migrate.require_restored(url)
    revision = server.revision(url)
    if revision is None:
        raise SetupError(
            "The database has no tables of Floorhub, so there is nothing to back up: check FLOORHUB_DATABASE_URL.",
            ko="데이터베이스에 Floorhub의 테이블이 없어 백업할 것이 없습니다. FLOORHUB_DATABASE_URL을 확인하십시오.",
        )
    facts = server.facts(url)
    programs = tools.find(facts.major, named=pg_bin)
    dump = work / DUMP
    programs.dump(url, dump)
    folder = installation.folder
    with private_files.belonging_to_owner_of(folder):
        keys = keys_in(folder / "keys")
        data = [key.kid for key in read_data_keys(folder / "keys")]
    require_keys(known_keys(programs, dump), keys, folder / "keys")
    require_data_keys(programs, dump, data, folder / "keys")
    sources = [(DUMP, dump), *((f"keys/{name}", folder / "keys" / name) for name in KEYS)]
    sources.append(("admin.key", folder / "admin.key"))
    if installation.embedded:
        sources += [("agent/agent.toml", folder / "agent" / "agent.toml"), ("ports.json", folder / "ports.json")]
    else:
        settings = work / "settings.env"
        settings.write_text(_settings(installation), encoding="utf-8")
        sources.append(("settings.env", settings))
    place = installation.settings.archive_dir
    if archive and place is not None and place.is_dir():
        sources += [(f"archive/{one.name}", one) for one in sorted(place.iterdir()) if _is_archive(one)]
    manifest = Manifest(
        format=container.FORMAT,
        format_version=container.FORMAT_VERSION,
        floorhub=installed_version(),
        revision=revision,
        taken_at=facts.at,
        embedded=installation.embedded,
        postgres=facts.version,
        pg_dump=programs.major,
        keys=keys,
    )
    return manifest, sources


def _require_authority(folder: Path) -> None:
    """Raise SetupError unless the hub has a certificate authority of its own."""
    missing = [str(folder / name) for name in AUTHORITY if not (folder / name).is_file()]
    if missing:
        listed = ", ".join(missing)
        raise SetupError(
            f"There is no certificate authority to back up ({listed} is missing): `make run LAN=1` makes one. Leave "
            "--with-authority out.",
            ko=f"백업할 인증 기관이 없습니다({listed} 없음). `make run LAN=1`이 만듭니다. --with-authority를 빼십시오.",
        )
    with private_files.belonging_to_owner_of(folder):
        private_files.check_file(folder / AUTHORITY[0])


def keys_in(folder: Path) -> dict[str, str]:
    """The public keys of a folder `keys`, by purpose. Raises SetupError."""
    seeds = read_seeds(folder)
    sealing = read_seed(folder / AUDIT_KEY)
    if sealing is not None:
        seeds[AUDIT] = sealing
    return {purpose: public_key(seed) for purpose, seed in seeds.items()}


def known_keys(programs: tools.Tools, dump: Path) -> dict[str, str]:
    """The public keys in a dump, by purpose; none if no hub of this version has used the database."""
    known = {row["purpose"]: row["public_key"] for row in programs.rows(dump, "hub_keys")}
    sealing = [row["public_key"] for row in programs.rows(dump, "audit_keys") if row["until"] == _NULL]
    return known | ({AUDIT: sealing[0]} if sealing else {})


def require_keys(known: dict[str, str], here: dict[str, str], folder: Path) -> None:
    """Raise SetupError unless the keys of a folder are those of the database: neither is of use without the other."""
    needed = {**FILES, **({AUDIT: AUDIT_KEY} if AUDIT in known else {})}
    wrong = [
        name
        for purpose, name in needed.items()
        if purpose not in here or here[purpose] != known.get(purpose, here[purpose])
    ]
    if wrong:
        raise SetupError(
            f"{folder} does not have the database's {' and '.join(wrong)}. If keys were just replaced, run this again; "
            "otherwise `floorhub key show` compares them.",
            ko=f"{folder}에 데이터베이스의 {', '.join(wrong)}이(가) 없습니다. 방금 키를 교체했다면 다시 실행하고, "
            "아니라면 `floorhub key show`로 비교하십시오.",
        )


def require_data_keys(programs: tools.Tools, dump: Path, here: Sequence[str], folder: Path) -> None:
    """Raise SetupError unless a folder has the keys that seal secrets in a dump. `here`: the ids of those it has."""
    lost = [row["kid"] for row in programs.rows(dump, "data_keys") if row["kid"] not in here]
    if lost:
        names = ", ".join(lost)
        raise SetupError(
            f"{folder / DATA_KEYS} does not have the database's key {names}. If keys were just replaced, run this "
            "again; otherwise `floorhub key show` compares them.",
            ko=f"{folder / DATA_KEYS}에 데이터베이스의 키 {names}이(가) 없습니다. 방금 키를 교체했다면 다시 실행하고, "
            "아니라면 `floorhub key show`로 비교하십시오.",
        )


def _settings(installation: Installation) -> str:
    """The hub's settings as an environment file: what this shell has, with the secrets in it."""
    named = {
        name: text
        for name, text in installation.environment.items()
        if name.startswith("FLOORHUB_") and not name.startswith(NOT_KEPT) and "\n" not in text
    }
    named |= {"FLOORHUB_DATABASE_URL": installation.database_url, "FLOORHUB_DATA_DIR": str(installation.folder)}
    return "".join(f"{name}={text}\n" for name, text in sorted(named.items()))


def _is_archive(file: Path) -> bool:
    return not file.is_symlink() and file.is_file() and container.is_part(f"archive/{file.name}")
