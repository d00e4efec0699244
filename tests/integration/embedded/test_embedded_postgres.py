"""The embedded Postgres: durable, private, and back after every way to die."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.postgres import EmbeddedPostgres
from tests.support.waiting import SOON_S, until

COUNT = "SELECT count(*) FROM kept"


def run(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def new_postgres(folder: DataFolder, packages: Packages, major: int = 18) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, packages, PortBook(folder.ports).choose(f"postgres-{major}", 0).number, major)


@pytest.fixture(scope="module", params=[18, 16])
def postgres(
    shared_data_folder: DataFolder, packages: Packages, request: pytest.FixtureRequest
) -> Iterator[EmbeddedPostgres]:
    """A running server with one row in the table `kept`. Tests leave it running."""
    server = new_postgres(shared_data_folder, packages, request.param)
    url = server.start()
    run(url, "CREATE TABLE IF NOT EXISTS kept (id int)")
    run(url, "INSERT INTO kept VALUES (1)")
    yield server
    server.stop()


def test_settings_are_durable_and_the_text_is_utf8(postgres: EmbeddedPostgres) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums", "server_encoding")
    found = {name: run(postgres.url, f"SHOW {name}") for name in names}
    assert found == {**dict.fromkeys(names, "on"), "server_encoding": "UTF8"}


def test_only_loopback_and_only_with_the_password(postgres: EmbeddedPostgres) -> None:
    assert run(postgres.url, "SHOW listen_addresses") == "127.0.0.1"
    assert len((postgres.data / "postmaster.pid").read_text().splitlines()[4]) == 0, "a folder with a Unix socket"
    wrong = postgres.url.replace("//floorhub:", "//floorhub:not-")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_role_may_copy_databases_for_tests_but_is_no_superuser(postgres: EmbeddedPostgres) -> None:
    run(postgres.url, "CREATE DATABASE copied TEMPLATE template0")
    run(postgres.url, "DROP DATABASE copied")
    assert run(postgres.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_rows_survive_a_stop_and_a_crash(postgres: EmbeddedPostgres) -> None:
    before = run(postgres.url, COUNT)
    postgres.stop()
    assert not postgres.is_alive()
    postgres.start()
    run(postgres.url, "INSERT INTO kept VALUES (2)")
    postgres.kill()
    assert not postgres.is_alive()
    postgres.start()
    assert run(postgres.url, COUNT) == int(str(before)) + 1


def test_it_starts_at_once_after_its_own_backends_saw_the_crash_late(postgres: EmbeddedPostgres) -> None:
    busy = psycopg.connect(postgres.url)
    backend = busy.info.backend_pid
    os.kill(backend, signal.SIGSTOP)
    postgres.kill()
    resume = threading.Timer(0.3, os.kill, (backend, signal.SIGCONT))
    resume.start()
    postgres.start()
    resume.join()
    busy.close()
    assert run(postgres.url, "SELECT 1") == 1


def test_a_stale_pid_file_neither_hinders_nor_harms_its_namesake(
    postgres: EmbeddedPostgres, shared_data_folder: DataFolder
) -> None:
    postgres.stop()
    pid_file = postgres.data / "postmaster.pid"
    owner = shared_data_folder.user
    with subprocess.Popen(["sleep", "60"], user=owner.uid if owner else None) as namesake:
        pid_file.write_text(f"{namesake.pid}\n{pid_file.parent}\n1\n1\n\n127.0.0.1\n0 0\nready\n")
        postgres.start()
        assert namesake.poll() is None
        assert run(postgres.url, "SELECT 1") == 1
        namesake.kill()


def test_a_truncated_pid_file_is_no_obstacle(postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    (postgres.data / "postmaster.pid").write_text("")
    postgres.start()
    assert run(postgres.url, "SELECT 1") == 1


def test_it_ends_with_the_process_that_started_it(data_folder: DataFolder, packages: Packages) -> None:
    program = (
        "import pathlib, sys\n"
        "from hub.programs.embedded.data_folder import DataFolder\n"
        "from hub.programs.embedded.packages import Packages\n"
        "from hub.programs.embedded.postgres import EmbeddedPostgres\n"
        "folder = DataFolder.prepare(pathlib.Path(sys.argv[1]))\n"
        "with folder.locked():\n"
        "    server = EmbeddedPostgres(folder, Packages(), int(sys.argv[2])); server.start()\n"
        "    print(server.pid, flush=True); sys.stdin.read()\n"
    )
    port = PortBook(data_folder.ports).choose("postgres", 0).number
    argv = [sys.executable, "-c", program, str(data_folder.root), str(port)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        server_pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    until(lambda: not Path(f"/proc/{server_pid}").exists(), "it followed its parent", SOON_S)
    again = EmbeddedPostgres(data_folder, packages, port)
    with data_folder.locked():
        assert run(again.start(), "SELECT 1") == 1
        again.stop()
    log = (data_folder.logs / "postgres.log").read_text()
    assert "was not properly shut down" not in log


def test_a_server_that_a_crash_left_running_is_replaced(data_folder: DataFolder, packages: Packages) -> None:
    left = new_postgres(data_folder, packages)
    left.start()
    server = EmbeddedPostgres(data_folder, packages, left.port)
    assert run(server.start(), "SELECT 1") == 1
    assert not left.is_alive()
    server.stop()


def test_a_taken_port_is_told_with_postgres_own_words(data_folder: DataFolder, packages: Packages) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = EmbeddedPostgres(data_folder, packages, taken.getsockname()[1])
        with pytest.raises(EmbeddedError, match="Address already in use"):
            server.start()
    assert not server.is_alive()


def test_an_interrupted_creation_is_begun_anew(data_folder: DataFolder, packages: Packages) -> None:
    unfinished = data_folder.postgres / ".18.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    server = new_postgres(data_folder, packages)
    assert run(server.start(), "SELECT 1") == 1
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="children change user only under root")
def test_it_runs_without_roots_rights(postgres: EmbeddedPostgres) -> None:
    assert Path(f"/proc/{postgres.pid}").stat().st_uid != 0
