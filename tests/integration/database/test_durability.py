"""Durability that somebody switches off while the hub runs."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg import sql

from hub.database.durability import DurabilityWatch
from hub.database.engine import Database
from hub.errors import SetupError
from hub.programs.embedded import postgres as embedded
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from tests.support import postgres
from tests.support.folders import open_data_folder
from tests.support.waiting import until

NAMES = ("fsync", "full_page_writes", "synchronous_commit")


@pytest.fixture(scope="module")
def server(cluster: DataFolder) -> Iterator[tuple[str, str]]:
    """A server as an operator runs it, with the settings in its file; its URL, and the superuser's."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name in NAMES:
            patch.delitem(embedded._FIXED_SETTINGS, name)  # type: ignore[arg-type]
        folder = stack.enter_context(open_data_folder("durable", in_memory=True))
        postgres.copy_cluster(cluster, folder)
        server = embedded.EmbeddedPostgres(folder, Packages(), PortBook(folder.ports).choose("postgres", 0).number)
        stack.callback(server.stop)
        url = server.start()
        password = server._passwords()["postgres"]
        yield url, f"postgresql://postgres:{password}@{embedded.HOST}:{server.port}/postgres"


def switch(superuser: str, name: str, value: str) -> None:
    """Change a setting by a reload, as an operator does, until sessions see it."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER SYSTEM SET {} TO {}").format(sql.Identifier(name), sql.Identifier(value)))
        connection.execute("SELECT pg_reload_conf()")

    def seen() -> bool:
        with psycopg.connect(superuser) as connection:
            return connection.execute("SELECT current_setting(%s)", (name,)).fetchone() == (value,)

    until(seen, f"{name} = {value}")


@pytest.mark.parametrize("name", NAMES)
async def test_it_is_told_once_each_way_and_the_hub_is_not_ready_meanwhile(
    server: tuple[str, str], name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    url, superuser = server
    async with postgres.opened(Database(url, size=4)) as database:
        meters = Meters()
        watch = DurabilityWatch(database, meters, Log())
        states = []
        for value in ("on", "off", "off", "on"):
            switch(superuser, name, value)
            await watch.look()
            states.append((watch.state, b"floorhub_database_durable 0.0" in meters.render()))
            if value == "off":
                with pytest.raises(SetupError, match=f"{name} = off"):
                    await Database(url, size=4).open()
    assert states == [("ok", False), ("not_durable", True), ("not_durable", True), ("ok", False)]
    said = capfd.readouterr()
    assert (said.out + said.err).count("database.not_durable") == 1
    assert (said.out + said.err).count(f"switch {name} on") == 1
    assert (said.out + said.err).count("database.durable") == 1


async def test_a_session_that_inherits_asynchronous_commits_commits_to_the_disk(
    server: tuple[str, str],
) -> None:
    url, superuser = server
    async with postgres.opened(Database(url, size=4)) as database:
        switch(superuser, "synchronous_commit", "off")
        beside = await database.connect()
        async with beside:
            row = await (await beside.execute("SELECT current_setting('synchronous_commit') AS value")).fetchone()
        switch(superuser, "synchronous_commit", "on")
    assert row == {"value": "on"}
