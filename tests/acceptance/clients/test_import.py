"""Many clients from a list, at a broker of `floorhub up` and at any other, with everything killed on the way.

100 clients by default. `FLOORHUB_TEST_IMPORTS=10000` makes it the size that the hub is meant for, and says what it took
(`-s`).
"""

import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.programs.embedded.data_folder import DataFolder
from tests.support.importing import Import, may_restart, refused, secrets_of, write_list
from tests.support.site import Process, Site, open_site

MANY = int(os.environ.get("FLOORHUB_TEST_IMPORTS", "100"))
FEW = 45
"""More than the broker learns without a restart."""
PAGES = 6
SLOWLY_S = 300
A_SECOND = 20


def tell(what: str) -> None:
    """For whoever asks with -s."""
    print(f"{MANY} clients: {what}")  # noqa: T201


@pytest.fixture(scope="module")
def site(cluster: DataFolder) -> Iterator[Site]:
    with open_site("import", cluster=cluster) as running:
        may_restart(running)
        yield running


@pytest.fixture(scope="module")
def agent(site: Site) -> Process:
    return site.agent(site.client(id="worker"))


def rows(database: psycopg.Connection[Any], prefix: str) -> list[tuple[str, datetime | None, str | None]]:
    """What the broker has been told of a list's clients."""
    asked = "SELECT client_id, done_at, error FROM broker_outbox WHERE client_id LIKE %s ORDER BY id"
    return database.execute(asked, [f"{prefix}-%"]).fetchall()


def known(database: psycopg.Connection[Any], prefix: str) -> int:
    """Clients of a list that the hub has."""
    row = database.execute("SELECT count(*) FROM clients WHERE id LIKE %s", [f"{prefix}-%"]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.usefixtures("agent")
def test_the_broker_restarts_once_with_all_rules_and_no_command_is_lost(
    site: Site, tmp_path: Path, database: psycopg.Connection[Any]
) -> None:
    broker = site.stack.broker
    assert broker is not None
    list_ = write_list(tmp_path / "pcs.csv", "pc", MANY)
    before = broker.pid
    pages = [site.print_page("worker")["id"] for _ in range(PAGES)]
    began = time.monotonic()
    run = Import(site, list_, "--yes")
    run.when(lambda: broker.pid != before)
    pages += [site.print_page("worker")["id"] for _ in range(PAGES)]
    assert run.end() == 0, run.log.read_text()
    tell(f"imported in {time.monotonic() - began:.1f} s; {run.said}; {run.log.read_text().splitlines()[-1]}")
    # It was said before it was done, and done once.
    assert "is restarted once" in run.log.read_text()
    assert [line for line in run.said if "Restarting" in line and f"{MANY + 1} clients" in line], run.said
    assert len([line for line in run.said if "Restarting" in line]) == 1
    after = broker.pid
    secrets = secrets_of(list_)
    assert len(secrets) == len(set(secrets.values())) == MANY
    began = time.monotonic()
    assert refused(site, secrets) == {}
    tell(f"all have connected once, within {time.monotonic() - began:.1f} s")
    for page in pages:
        site.wait_status(page, "completed")
        assert len(site.effects(page)) == 1, page
    tell(f"{len(pages)} pages from before and during the restart: each printed once")
    # The same list again changes nothing, and restarts nothing.
    again = Import(site, list_, "--yes")
    assert again.end() == 0
    assert f"{MANY} unchanged" in again.log.read_text()
    assert (known(database, "pc"), secrets_of(list_), broker.pid) == (MANY, secrets, after)
    broker.kill()
    broker.start()
    assert refused(site, secrets) == {}


def test_an_import_killed_at_any_moment_is_completed_by_the_next(
    site: Site, tmp_path: Path, database: psycopg.Connection[Any]
) -> None:
    list_ = write_list(tmp_path / "pdas.csv", "pda", FEW)
    file = list_.with_name("pdas-secrets.csv")
    with database.transaction():
        # Nothing can be stored yet, and the secrets are in their file.
        database.execute("LOCK TABLE clients IN SHARE MODE")
        first = Import(site, list_, "--yes")
        first.when(file.exists)
        first.kill()
        assert known(database, "pda") == 0
    secrets = secrets_of(list_)
    assert len(secrets) == FEW
    second = Import(site, list_, "--gradual")
    second.when(lambda: known(database, "pda"))
    second.kill()
    third = Import(site, list_, "--yes")
    assert third.end() == 0, third.log.read_text()
    assert secrets_of(list_) == secrets
    assert known(database, "pda") == FEW
    assert refused(site, secrets) == {}


def test_a_broker_of_somebody_else_learns_slowly_whatever_dies_meanwhile(
    site: Site, tmp_path: Path, database: psycopg.Connection[Any]
) -> None:
    broker, postgres = site.stack.broker, site.stack.postgres
    assert broker is not None
    assert postgres is not None
    list_ = write_list(tmp_path / "kiosks.csv", "kiosk", FEW)
    run = Import(site, list_, "--gradual")

    def learned(number: int) -> bool:
        return sum(done is not None for _, done, _ in rows(database, "kiosk")) >= number

    run.when(lambda: learned(4))
    # What is urgent overtakes the others, but not its own registration.
    last = f"kiosk-{FEW - 1:05}"
    assert site.http.post(f"/api/clients/{last}/disable").status_code == 200
    broker.kill()
    run.when(lambda: learned(12))
    site.hub.kill()
    site.hub.start()
    run.when(lambda: learned(20))
    postgres.kill()
    # A broker that has thousands of rules already is slow, and gets the next ones slowly.
    assert run.end(SLOWLY_S) == 0, run.log.read_text()
    secrets = secrets_of(list_)
    assert refused(site, secrets) == {last: "the broker said 0x87"}
    with psycopg.connect(site.stack.database_url) as connection:
        told = rows(connection, "kiosk")
        assert known(connection, "kiosk") == FEW
        refusals = [row for row in told if row[2] is not None]
        moments = sorted(done for _, done, _ in told if done is not None)
    assert refusals == []
    for place, moment in enumerate(moments):
        within = [other for other in moments[place:] if (other - moment).total_seconds() < 1]
        # The disabled one comes apart from the others, with its registration.
        assert len(within) <= A_SECOND + 3
