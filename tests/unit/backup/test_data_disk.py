"""A data folder in which Postgres cannot be started: the sentence names what is there, and not the backup."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.database import migrate
from hub.errors import SetupError
from hub.programs import installation
from hub.programs.backup import container
from hub.programs.backup.container import Manifest
from hub.programs.backup.restoring import restore
from hub.programs.backup.taking import take
from hub.programs.cli.backups import next_time
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.patience import silent
from tests.support.folders import open_folder


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder is where Postgres keeps its process id, so that this can be neither read nor written."""
    with open_folder("disk") as root:
        (DataFolder.prepare(root).run / "postgres-18").mkdir()
        yield root


def test_a_backup_does_not_blame_its_own_file(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "floorhub.backup"
    file.parent.mkdir()
    settings = installation.find("postgresql://floorhub@127.0.0.1/floorhub", data, {}).settings

    with pytest.raises(SetupError, match=r"postgres-18") as refused:
        take(installation.Installation(settings, True, {}), file, pg_bin=None, archive=True, say=silent)

    assert str(file) not in str(refused.value)
    assert list(file.parent.iterdir()) == []


def test_a_restore_says_what_stopped_it(data: Path, tmp_path: Path) -> None:
    part, file = tmp_path / "part", tmp_path / "floorhub.backup"
    part.write_bytes(b"PGDMP")
    manifest = Manifest(
        format=container.FORMAT,
        format_version=container.FORMAT_VERSION,
        floorhub="1.0",
        revision=migrate.newest(),
        taken_at=datetime(2026, 11, 29, tzinfo=UTC),
        embedded=True,
        postgres="18.4",
        pg_dump=18,
        keys={},
    )
    container.write(file, manifest, [(name, part) for name in container.REQUIRED])

    with pytest.raises(SetupError, match=r"has stopped: .*postgres-18"):
        restore(file, folder=data, database_url=None, replace=True, pg_bin=None, next_time=next_time, say=silent)

    assert list(data.glob(".restore-*")) == []
