"""What a client brings up: once, by itself, while its command runs; for people to read."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from device_agent.hub_http import HubHttp
from device_agent.uploads import UploadError, Uploads
from tests.support import plain_http
from tests.support.site import NOWHERE, Site
from tests.support.waiting import eventually

PICTURE = b"\x89PNG" + os.urandom(600_000)


@pytest.fixture(scope="module")
def client(site: Site) -> dict[str, Any]:
    registered = site.client()
    site.agent(registered, '\n[actions.wait]\nargv = ["/bin/sleep", "60"]\n')
    return registered


@pytest.fixture
def command(site: Site, client: dict[str, Any]) -> Any:
    sent = site.send(client["id"], "wait", {})
    yield site.wait_status(sent["id"], "running")
    site.http.post(f"/api/commands/{sent['id']}/cancel")
    site.wait_status(sent["id"], "cancelled")


def agents(site: Site, client: dict[str, Any]) -> httpx.Client:
    return plain_http.client(site.url, auth=(client["id"], client["secret"]), timeout=30)


def documents(database: psycopg.Connection[Any]) -> Any:
    return database.execute(
        "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM document_chunks), "
        "(SELECT count(*) FROM uploads WHERE document_id IS NOT NULL)"
    ).fetchone()


def ask(site: Site, client: dict[str, Any], command_id: str) -> httpx.Response:
    with agents(site, client) as http:
        return http.post(f"/api/commands/{command_id}/uploads")


def put(site: Site, client: dict[str, Any], path: str, content: Any = PICTURE, **headers: str) -> httpx.Response:
    with agents(site, client) as http:
        return http.put(path, content=content, headers={"Content-Type": "image/png", **headers})


async def test_people_read_what_an_agent_brought(
    site: Site, client: dict[str, Any], command: Any, tmp_path: Path
) -> None:
    file = tmp_path / "screen.png"
    file.write_bytes(PICTURE)

    uploaded = await Uploads(HubHttp(site.url, client["id"], client["secret"])).send(command["id"], file, "image/png")

    assert uploaded.sha256 == hashlib.sha256(PICTURE).hexdigest()
    read = site.http.get(uploaded.path)
    assert (read.content, read.headers["content-type"]) == (PICTURE, "image/png")
    assert (read.headers["content-disposition"], read.headers["x-content-type-options"]) == ("attachment", "nosniff")
    with agents(site, client) as http:
        assert http.get(uploaded.path).status_code == 404, "not even its own client reads it"


def test_a_path_is_good_once_even_for_many_at_a_time(site: Site, client: dict[str, Any], command: Any) -> None:
    path = ask(site, client, command["id"]).json()["path"]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: put(site, client, path), range(10)))
    assert sorted(answer.status_code for answer in answers) == [201, *[404] * 9]


def test_nobody_else_has_a_use_for_a_path(site: Site, client: dict[str, Any], command: Any) -> None:
    path = ask(site, client, command["id"]).json()["path"]
    stranger = site.client()
    with psycopg.connect(site.stack.database_url, autocommit=True) as database:
        before = documents(database)
        assert put(site, stranger, path).json()["code"] == "upload_not_found"
        assert put(site, {**client, "secret": "wrong"}, path).status_code == 401
        assert site.http.put(path, content=PICTURE).status_code == 401, "not with a person's key either"
        assert ask(site, stranger, command["id"]).json()["code"] == "command_not_found"
        assert ask(site, client, NOWHERE).status_code == 404
        assert put(site, client, "/api/uploads/made-up").status_code == 404
        assert documents(database) == before
    assert put(site, client, path).status_code == 201


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "validation_error"),
        (b"x" * (20 * 1024 * 1024 + 1), 413, "document_too_large"),
        (b"no picture", 415, "content_type_mismatch"),
    ],
    ids=["empty", "too large", "something else"],
)
def test_a_bad_upload_uses_its_path_up_and_keeps_nothing(
    site: Site, client: dict[str, Any], command: Any, content: bytes, status: int, code: str
) -> None:
    path = ask(site, client, command["id"]).json()["path"]
    with psycopg.connect(site.stack.database_url, autocommit=True) as database:
        before = documents(database)
        refused = put(site, client, path, content)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert put(site, client, path).json()["code"] == "upload_not_found"
        assert documents(database) == before


@pytest.mark.parametrize("form", [False, True], ids=["the bytes", "a form"])
def test_an_upload_is_what_its_bytes_are(site: Site, client: dict[str, Any], command: Any, form: bool) -> None:
    """People and agents alike: the name that the sender gives it is not asked for."""
    said = "application/force-download"
    whole: dict[str, Any] = {"files": {"file": ("화면.bin", PICTURE, said)}} if form else {"content": PICTURE}
    headers = {} if form else {"Content-Type": said}
    path = ask(site, client, command["id"]).json()["path"]
    with agents(site, client) as http:
        brought = http.put(path, headers=headers, **whole)
    uploaded = site.http.post("/api/documents", headers=headers, **whole)

    for answer in (brought, uploaded):
        assert answer.status_code == 201, answer.text
        document = answer.json()
        assert (document["content_type"], document["size"]) == ("image/png", len(PICTURE))
        assert document["sha256"] == hashlib.sha256(PICTURE).hexdigest()
        assert document["filename"] == ("화면.bin" if form else None)


def test_a_command_has_a_bounded_number_of_paths(site: Site, client: dict[str, Any], command: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(site, client, command["id"]), range(25)))
    assert sorted(answer.status_code for answer in answers) == [*[201] * 20, *[429] * 5]
    assert len({answer.json()["path"] for answer in answers if answer.status_code == 201}) == 20


async def test_what_arrives_when_the_command_has_ended_is_not_kept(site: Site, client: dict[str, Any]) -> None:
    sent = site.send(client["id"], "wait", {})
    site.wait_status(sent["id"], "running")
    path, unused = (ask(site, client, sent["id"]).json()["path"] for _ in range(2))
    ended = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield PICTURE
        await ended.wait()
        yield PICTURE

    auth = (client["id"], client["secret"])
    async with httpx.AsyncClient(
        base_url=site.url, auth=auth, verify=plain_http.NO_AUTHORITIES, trust_env=False, timeout=30
    ) as http:
        under_way = asyncio.create_task(http.put(path, content=slowly()))
        with psycopg.connect(site.stack.database_url, autocommit=True) as database:
            used = "SELECT count(*) FROM uploads WHERE command_id = %s AND used_at IS NOT NULL"

            def begun() -> bool:
                assert not under_way.done()
                return database.execute(used, (sent["id"],)).fetchone() == (1,)

            await eventually(begun)
            site.http.post(f"/api/commands/{sent['id']}/cancel")
            await asyncio.to_thread(site.wait_status, sent["id"], "cancelled")
            before = documents(database)
            ended.set()
            assert (await under_way).json()["code"] == "upload_not_found"
            assert documents(database) == before
    assert put(site, client, unused).status_code == 404
    assert ask(site, client, sent["id"]).status_code == 404
    with pytest.raises(UploadError, match="may have ended"):
        await Uploads(HubHttp(site.url, client["id"], client["secret"])).send(sent["id"], Path(__file__), "text/plain")
