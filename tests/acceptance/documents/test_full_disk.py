"""A hub whose disk is nearly full: documents are refused, commands and reports go on; and clean-up on a site."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.support import plain_http
from tests.support.metrics import figures
from tests.support.site import Site
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("a hub cleans up all the time")

MORE_THAN_ANY_DISK_MIB = str(1024**3)


@pytest.fixture(scope="module", autouse=True)
def _second_hub(site: Site) -> None:
    """Beside the first: one that finds its disk full, and cleans up all the time."""
    site.add_hub(
        "full",
        FLOORHUB_DISK_FULL_MIB=MORE_THAN_ANY_DISK_MIB,
        FLOORHUB_CLEANUP_EVERY_S="0.2",
        FLOORHUB_ARCHIVE_FOLDER=str(site.folder.root / "elsewhere"),
    )


@pytest.fixture
def full(site: Site) -> Iterator[httpx.Client]:
    with site.http_at("full") as client:

        def answers() -> bool:
            try:
                return bool(client.get("/health/ready").json()["checks"]["disk"] == "full")
            except httpx.HTTPError:
                return False

        until(answers, "the hub that finds its disk full")
        yield client


def test_documents_are_refused_and_commands_go_on(site: Site, full: httpx.Client) -> None:
    client = site.client()
    site.agent(client)
    ready = full.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["disk"]) == (200, "full")
    for language, words in (("en", "nearly full"), ("ko", "가득")):
        refused = full.post("/api/documents", content=b"x", headers={"Accept-Language": language})
        assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
        assert words in refused.json()["detail"]
        assert refused.headers["Retry-After"] == "60"
    body = {"client_id": client["id"], "action": "status", "payload": {}}
    assert full.post("/api/commands", json=body, params={"wait": 30}).json()["status"] == "completed"
    # A document that is there already is printed.
    printed = {"printer": "office", "document": site.upload()["id"]}
    body = {"client_id": client["id"], "action": "print", "payload": printed}
    assert full.post("/api/commands", json=body, params={"wait": 30}).json()["status"] == "completed"


def test_an_old_command_goes_to_the_archive_by_itself(site: Site, full: httpx.Client) -> None:
    client = site.client()
    command = site.send(client["id"], "status", {})
    assert full.post(f"/api/commands/{command['id']}/cancel").json()["status"] == "cancelled"
    old = "0192f0c1-0000-7000-8000-00000000aaaa"
    with psycopg.connect(site.stack.database_url, autocommit=True) as connection:
        # As if it had been sent a hundred days ago.
        connection.execute("UPDATE command_logs SET command_id = %s WHERE command_id = %s", (old, command["id"]))
        connection.execute(
            "UPDATE commands SET id = %s, finished_at = finished_at - interval '100 days' WHERE id = %s",
            (old, command["id"]),
        )
    until(lambda: full.get(f"/api/commands/{old}").status_code == 404, "the old command gone")
    archive = site.folder.root / "elsewhere"
    [file] = archive.glob("commands-*.jsonl")
    [line] = [json.loads(text) for text in Path(file).read_text().splitlines()]
    assert (line["id"], line["row"]["status"], len(line["logs"])) == (old, "cancelled", 2)
    assert full.get("/health/ready").json()["checks"]["cleanup"] == "ok"
    site.http.base_url = str(full.base_url)
    try:
        assert figures(site)["floorhub_cleanup_deleted_total kind=commands"] == 1
        assert figures(site)["floorhub_cleanup_archived_total kind=commands"] == 1
        assert figures(site)["floorhub_cleanup_last_success_timestamp_seconds"] > 0
        assert figures(site)["floorhub_disk_free_bytes place=data"] > 0
    finally:
        site.http.base_url = site.url


def test_an_archive_that_cannot_be_written_is_told(site: Site) -> None:
    blocked = site.folder.root / "a-file"
    blocked.touch()
    site.add_hub("blocked", FLOORHUB_CLEANUP_EVERY_S="0.2", FLOORHUB_ARCHIVE_FOLDER=str(blocked))
    url = f"{site.hub_url('blocked')}/health/ready"

    def told() -> bool:
        try:
            answer = plain_http.get(url)
        except httpx.HTTPError:
            return False
        return (answer.status_code, answer.json()["checks"]["cleanup"]) == (200, "archive_unwritable")

    until(told, "the archive that cannot be written")
