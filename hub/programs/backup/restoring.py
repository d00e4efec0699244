"""Putting a backup in place of what is there. Everything is checked first; what was there stays beside it.

Order: look through the file, put its parts into a private folder, load the dump into a database beside the present one,
bring that up to what the present one knows, write down what is lost, then give databases and files their names.
Whatever fails before that leaves everything as it was. A restore that is killed after it leaves its mark in the
database: no hub starts on it, and the next restore takes the names back first.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg
from psycopg import sql

from hub.database import migrate, roles
from hub.errors import SetupError
from hub.keys import cannot_write, read_data_keys
from hub.programs.backup import carrying, container, losses, marks, refusals, server, tools, trail
from hub.programs.backup.carrying import Carried, NextTime
from hub.programs.backup.container import DUMP, Backup, Manifest
from hub.programs.backup.losses import Lost
from hub.programs.backup.marks import Mark
from hub.programs.backup.placement import LIST, Placement
from hub.programs.backup.taking import keys_in, known_keys, require_data_keys, require_keys
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.errors import reason
from hub.programs.embedded.patience import Say
from schemas import aside

SPARE_MIB = 256
_STAGED = ".restore-"
_MAINTENANCE = ("postgres", "template1")
_LONGEST_NAME = 31
"""Bytes of a database's name in names beside it: what follows takes up to 32 of the 63 that Postgres keeps."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done. `kept_database` and `kept_folder` have what was there before; None: there was nothing."""

    manifest: Manifest
    newest: str
    """The revision that this version of Floorhub needs."""
    kept_database: str | None
    kept_folder: Path | None
    lost: Lost | None
    """None: the database of before is missing or another hub's, so nobody can say."""
    carried: Carried
    """What the database was told of the time since the backup."""
    settings: Path | None
    """Where the settings of the backup lie, for a person to compare."""


def restore(
    file: Path,
    *,
    folder: Path,
    database_url: str | None,
    replace: bool,
    pg_bin: Path | None,
    next_time: NextTime,
    say: Say,
    hub_url: str | None = None,
) -> Restored:
    """Restore into a data folder and its database: that of `make run`, or the one of `database_url`.

    `replace`: also when data are there. `hub_url`: of the hub's role, which then gets its rights at the tables from
    their owner, `database_url`. Raises SetupError and EmbeddedError; then nothing was replaced, or what was
    begun goes on when it is run again.
    """
    try:
        done = _restore(file, folder, database_url, pg_bin, next_time, say, replace=replace)
        # A dump has no rights. After an older backup `floorhub migrate` gives them.
        if database_url and hub_url and done.manifest.revision == done.newest:
            roles.separate(database_url, hub_url)
    except OSError as problem:
        raise refusals.stopped(folder, f"{problem.filename or folder}: {reason(problem)}") from None
    except psycopg.Error as problem:
        raise refusals.stopped(folder, " ".join(str(problem).split())) from None
    return done


def _restore(
    file: Path,
    folder: Path,
    database_url: str | None,
    pg_bin: Path | None,
    next_time: NextTime,
    say: Say,
    *,
    replace: bool,
) -> Restored:
    with container.opened(file) as backup:
        require_revision(backup.manifest.revision)
        if database_url is None:
            data = DataFolder.prepare(folder)
            with data.locked():
                interrupted = any(data.root.glob(f"{_STAGED}*"))
                _require_room(backup, data.root)
                with _staged(backup, data.root) as staged:
                    # The files say whether somebody works here; an empty database would be made by asking.
                    if not replace and not interrupted and _has_keys(data.root):
                        raise refusals.not_empty(str(data.root))
                    with server.alone(data, say) as url:
                        work = _Restore(backup, staged, data.root, url, pg_bin, next_time, embedded=True)
                        return work.run(replace=replace)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise cannot_write(folder, problem) from None
        _require_room(backup, folder)
        with _only_one(folder), _staged(backup, folder) as staged:
            work = _Restore(backup, staged, folder, database_url, pg_bin, next_time, embedded=False)
            return work.run(replace=replace)


def require_revision(revision: str) -> None:
    """Raise SetupError for a backup of a newer version."""
    try:
        migrate.require_known(revision)
    except SetupError:
        raise SetupError(
            f"The backup is of a newer version of Floorhub (its tables are at revision {revision}, this version knows "
            f"up to {migrate.newest()}). Nothing was changed. Install that version, then restore.",
            ko=f"더 새로운 버전의 Floorhub이 만든 백업입니다(테이블 리비전 {revision}, 이 버전은 {migrate.newest()} "
            "까지 압니다). 아무것도 바꾸지 않았습니다. 그 버전을 설치한 뒤 복원하십시오.",
        ) from None


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Keep a second restore out of this data folder; raises SetupError when there is one."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SetupError(
            f"Another restore works in {folder}. Nothing was changed. Wait until it has ended.",
            ko=f"다른 복원이 {folder}에서 진행 중입니다. 아무것도 바꾸지 않았습니다. 끝날 때까지 기다리십시오.",
        ) from None
    finally:
        os.close(descriptor)


@contextmanager
def _staged(backup: Backup, folder: Path) -> Iterator[Path]:
    """All parts in a private folder on the disk of the data folder, each compared with its SHA-256.

    Nobody else restores here, so what an earlier restore left that was killed goes first.
    """
    for left in folder.glob(f"{_STAGED}*"):
        shutil.rmtree(left, ignore_errors=True)
    staged = folder / f"{_STAGED}{secrets.token_hex(6)}"
    try:
        staged.mkdir(mode=0o700)
    except OSError as problem:
        raise cannot_write(folder, problem) from None
    try:
        for name in backup.names:
            backup.extract(name, staged / name)
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _require_room(backup: Backup, folder: Path) -> None:
    """The parts lie here for a while, and the dump grows where it is loaded; at least the parts must fit."""
    free, needed = shutil.disk_usage(folder).free, backup.size + SPARE_MIB * 1024**2
    if free < needed:
        raise SetupError(
            f"{folder} has {free // 1024**2} MiB free, and this restore needs at least {needed // 1024**2}. Nothing "
            "was changed. Make room.",
            ko=f"{folder}의 여유 공간은 {free // 1024**2} MiB인데 복원에는 {needed // 1024**2} MiB 이상이 필요합니다. "
            "아무것도 바꾸지 않았습니다. 공간을 확보하십시오.",
        )


class _Restore:
    """One restore, from the staged parts to the end."""

    def __init__(
        self,
        backup: Backup,
        staged: Path,
        folder: Path,
        url: str,
        pg_bin: Path | None,
        next_time: NextTime,
        *,
        embedded: bool,
    ) -> None:
        self._manifest = backup.manifest
        self._dump = next(part.sha256 for part in backup.manifest.parts if part.name == DUMP)
        self._staged = staged
        self._folder = folder
        self._url = url
        self._next_time = next_time
        self._at = datetime.now(UTC)
        self._files = Placement(staged, folder, self._at, embedded=embedded)
        self._facts = server.facts(url)
        self._root_key = ""
        self._tools = self._fitting(pg_bin)

    def run(self, *, replace: bool) -> Restored:
        """Check the dump, load it beside the present database, and let it take its place."""
        self._check_dump()
        mark = marks.find(self._url)
        if mark is not None and mark.kept_database is None:
            return self._fill_further(mark)
        if mark is not None:
            self._take_back(mark)
        facts = self._facts
        is_empty = facts.tables == 0
        if not replace and not (is_empty and (mark is not None or not _has_keys(self._folder))):
            raise refusals.not_empty(f"{facts.name}, {self._folder}")
        if not is_empty:
            if not facts.ours:
                raise refusals.not_ours(facts.name)
            _require_alone(self._url)
        # One whose database of before is gone, and which is itself half restored, tells nothing.
        half = marks.find(self._url) is not None
        before = None if is_empty or half or not self._is_ours() else self._url
        if is_empty and not facts.may_create:
            return self._fill()
        if not facts.may_create:
            raise SetupError(
                f"The role of FLOORHUB_DATABASE_URL may not create databases, so {facts.name} cannot be kept beside "
                "the restored one. Nothing was changed. Run ALTER ROLE ... CREATEDB, or create an empty database and "
                "name it in FLOORHUB_DATABASE_URL.",
                ko="FLOORHUB_DATABASE_URL의 역할이 데이터베이스를 만들 수 없어 지금의 데이터베이스 "
                f"{facts.name}을(를) 옆에 남겨 둘 수 없습니다. 아무것도 바꾸지 않았습니다. ALTER ROLE ... CREATEDB를 "
                "실행하거나, 빈 데이터베이스를 만들어 FLOORHUB_DATABASE_URL에 지정하십시오.",
            )
        return self._beside(before, is_empty=is_empty)

    def _take_back(self, mark: Mark) -> None:
        """Undo the switch of a restore that was killed, so that the database of before is the present one again."""
        name = self._facts.name
        _require_alone(self._url)
        if mark.folder == str(self._folder):
            self._files.take_back(Path(mark.kept_folder))
        if mark.kept_database is None or mark.kept_database not in self._databases(mark.kept_database):
            return
        taken = self._databases("")
        half = next(one for stamp in aside.stamps(self._at) if (one := names_beside(name, stamp)[0]) not in taken)
        self._rename((name, half), (mark.kept_database, name))
        self._drop(half)
        self._facts = server.facts(self._url)

    def _fill(self) -> Restored:
        """Into an empty database by a role that can make no other one. Its mark keeps hubs out until all is done."""
        kept = self._files.reserve()
        try:
            marks.put(self._url, self._mark(None, kept))
            self._tools.load(self._staged / DUMP, self._url)
        except BaseException:
            self._files.undo()
            with suppress(SetupError, psycopg.Error):
                if server.facts(self._url).tables == 0:
                    marks.remove(self._url)
            raise
        return self._filled()

    def _fill_further(self, mark: Mark) -> Restored:
        """The same after it was interrupted."""
        if mark.dump != self._dump:
            raise SetupError(
                f"A restore of another backup into {self._facts.name} was interrupted. Nothing was changed. Run that "
                "restore again, or name an empty database in FLOORHUB_DATABASE_URL.",
                ko=f"{self._facts.name}에 다른 백업을 복원하던 중에 중단되었습니다. 아무것도 바꾸지 않았습니다. "
                "그 복원을 다시 실행하거나 FLOORHUB_DATABASE_URL에 빈 데이터베이스를 지정하십시오.",
            )
        _require_alone(self._url)
        if mark.folder == str(self._folder):
            self._files.take_back(Path(mark.kept_folder))
        if self._facts.tables == 0:
            return self._fill()
        return self._filled()

    def _filled(self) -> Restored:
        """What follows when the dump is loaded; each step may come again."""
        marks.put(self._url, self._mark(None, self._files.reserve()))
        carried = carrying.carry(self._url, None, self._next_time)
        trail.seal_restore(self._url, None, self._staged / "keys", self._folder)
        kept = self._files.put()
        marks.remove(self._url)
        return self._done(None, kept, None, carried)

    def _beside(self, before: str | None, *, is_empty: bool) -> Restored:
        """Into a database of its own, which then takes the name of the present one."""
        name = self._facts.name
        self._drop_leftovers(names_beside(name, "")[0])
        taken = self._databases("")
        restored, kept = next(
            both for stamp in aside.stamps(self._at) if taken.isdisjoint(both := names_beside(name, stamp))
        )
        try:
            self._create(restored)
            url = server.in_database(self._url, restored)
            self._tools.load(self._staged / DUMP, url)
            carried = carrying.carry(url, before, self._next_time)
            trail.seal_restore(url, before, self._staged / "keys", self._folder)
            lost = self._compare(before, url)
            if not is_empty:
                _require_alone(self._url)
            kept_folder = self._files.reserve()
            marks.put(url, self._mark(kept, kept_folder))
            self._rename((name, kept), (restored, name))
        except BaseException:
            self._discard(restored)
            raise
        try:
            self._files.put()
            if lost is not None and lost.file is not None:
                lost = msgspec.structs.replace(lost, file=str(self._files.add(Path(lost.file))))
        except BaseException:
            self._rename((name, restored), (kept, name))
            self._discard(restored)
            raise
        marks.remove(self._url)
        if is_empty:
            self._drop(kept)
            return self._done(None, kept_folder, None, carried)
        return self._done(kept, kept_folder, lost, carried)

    def _discard(self, restored: str) -> None:
        """A database that took nobody's place, and the folder for the files of before."""
        self._files.undo()
        with suppress(SetupError, psycopg.Error):
            self._drop(restored)

    def _mark(self, kept: str | None, kept_folder: Path) -> Mark:
        return Mark(dump=self._dump, kept_database=kept, folder=str(self._folder), kept_folder=str(kept_folder))

    def _compare(self, before: str | None, restored: str) -> Lost | None:
        """Write the list of what is lost; None when nobody can say. Raises SetupError when it cannot be written."""
        if before is None:
            return None
        file = self._staged / LIST
        try:
            return losses.compare(before, restored, self._manifest.taken_at, file)
        except psycopg.Error:  # a newer or broken database of before
            return None
        except OSError as problem:
            raise cannot_write(file, problem) from None

    def _done(self, kept: str | None, kept_folder: Path | None, lost: Lost | None, carried: Carried) -> Restored:
        return Restored(self._manifest, migrate.newest(), kept, kept_folder, lost, carried, self._files.settings)

    def _fitting(self, pg_bin: Path | None) -> tools.Tools:
        made, here = container.major_of(self._manifest.postgres), self._facts.major
        if here < made or (here < tools.NEW_SETTINGS <= self._manifest.pg_dump):
            raise SetupError(
                f"The backup is of Postgres {self._manifest.postgres}, and the server here is {self._facts.version}: "
                f"restore it into Postgres {max(made, self._manifest.pg_dump)} or newer. Nothing was changed.",
                ko=f"Postgres {self._manifest.postgres}의 백업인데 이곳의 서버는 {self._facts.version}입니다. Postgres "
                f"{max(made, self._manifest.pg_dump)} 이상에 복원하십시오. 아무것도 바꾸지 않았습니다.",
            )
        return tools.find(here, at_least=self._manifest.pg_dump, named=pg_bin)

    def _check_dump(self) -> None:
        """The dump itself says which tables and keys it has; a manifest may say otherwise."""
        dump = self._staged / DUMP
        self._tools.check(dump)
        revisions = [row["version_num"] for row in self._tools.rows(dump, "alembic_version")]
        if revisions != [self._manifest.revision]:
            require_revision(revisions[0] if revisions else "none")
            raise SetupError(
                f"The backup's dump is at revision {revisions}, its manifest says {self._manifest.revision}: it was "
                "changed. Nothing was changed here. Use another copy.",
                ko=f"백업의 덤프는 리비전 {revisions}인데 목록에는 {self._manifest.revision}(으)로 되어 있습니다. "
                "변조된 백업입니다. 이곳은 아무것도 바꾸지 않았습니다. 다른 사본을 쓰십시오.",
            )
        keys = keys_in(self._staged / "keys")
        require_keys(known_keys(self._tools, dump), keys, self._staged / "keys")
        data = [key.kid for key in read_data_keys(self._staged / "keys")]
        require_data_keys(self._tools, dump, data, self._staged / "keys")
        self._root_key = keys["root"]

    def _is_ours(self) -> bool:
        """Whether the present database is of the hub that was backed up, by its root key."""
        try:
            with server.connected(self._url) as connection:
                found = server.rows(connection, "root_key")
        except (psycopg.Error, SetupError):
            return False
        return [row["public_key"] for row in found] == [self._root_key]

    def _create(self, name: str) -> None:
        self._administer(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE {} LC_CTYPE {}").format(
                sql.Identifier(name), sql.Literal(self._facts.collation), sql.Literal(self._facts.letters)
            )
        )

    def _drop_leftovers(self, prefix: str) -> None:
        """What a restore left that was killed; one that still runs is connected to its own, which therefore stays."""
        for name in self._databases(prefix):
            with suppress(SetupError):
                self._drop(name)

    def _databases(self, prefix: str) -> set[str]:
        """Those of the server whose names begin so."""
        with server.connected(self._maintenance()) as connection:
            return {row["name"] for row in server.rows(connection, "databases", prefix=prefix)}

    def _drop(self, name: str) -> None:
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))

    def _rename(self, *names: tuple[str, str]) -> None:
        """All or nothing. Raises SetupError, for example when somebody has connected meanwhile."""
        with server.connected(self._maintenance()) as connection, connection.transaction():
            try:
                for old, new in names:
                    statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                    connection.execute(statement.format(sql.Identifier(old), sql.Identifier(new)))
            except psycopg.Error as problem:
                raise refusals.refused(problem) from None

    def _administer(self, statement: sql.Composed) -> None:
        with server.connected(self._maintenance()) as connection:
            try:
                connection.execute(statement)
            except psycopg.Error as problem:
                raise refusals.refused(problem) from None

    def _maintenance(self) -> str:
        """A database of the server that is not the one to be renamed."""
        return server.in_database(self._url, next(name for name in _MAINTENANCE if name != self._facts.name))


def names_beside(name: str, stamp: str) -> tuple[str, str]:
    """Of the database that a restore fills, and of the one that it replaces. Postgres cuts names after 63 bytes, which
    would take the time away: so a long name is cut before it."""
    short = name.lower().encode()[:_LONGEST_NAME].decode(errors="ignore")
    return f"{short}_restoring_{stamp.lower()}", f"{short}_before_{stamp.lower()}"


def _require_alone(url: str) -> None:
    """Raise SetupError while somebody is connected to the database: a hub that runs would lose what it accepts."""
    with server.connected(url) as connection:
        others = [f"{row['who']} ({row['address']})" for row in server.rows(connection, "sessions")]
    if others:
        named = ", ".join(sorted(set(others)))
        raise SetupError(
            f"The database is in use by {named}. Nothing was changed. Stop every hub and whatever else is connected, "
            "then run this again.",
            ko=f"데이터베이스를 사용 중입니다: {named}. 아무것도 바꾸지 않았습니다. 모든 허브와 다른 연결을 멈춘 뒤 "
            "다시 실행하십시오.",
        )


def _has_keys(folder: Path) -> bool:
    """Whether a hub has its keys there."""
    return any((folder / name).exists() for name in ("keys/root.key", "keys/command.key", "admin.key"))
