"""Integrations with keys of their own: made in one line, used, refused in words that help, withdrawn on every hub."""

import json
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner, Result

from hub.programs.cli.main import app
from hub.tokens import API_KEY, is_token, new_token
from tests.support import plain_http
from tests.support.cli import floorhub, run
from tests.support.site import NOWHERE, Site
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("looks through all logs and tables for what it made, and replaces the admin key")


def ask(site: Site, key: str, method: str, path: str, hub: str = "one", **arguments: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}", **arguments.pop("headers", {})}
    return plain_http.request(method, f"{site.hub_url(hub)}{path}", headers=headers, **arguments)


def in_korean(site: Site, *arguments: str) -> Result:
    environment = {"FLOORHUB_URL": site.url, "FLOORHUB_KEY": site.key, "LANG": "ko_KR.UTF-8"}
    return CliRunner().invoke(app, arguments, env=environment)


@pytest.fixture(scope="module")
def keys(site: Site) -> dict[str, str]:
    """Every key that a test has made, by what it is for: they must be found nowhere in the end."""
    return {}


def test_a_wms_key_that_may_only_print_in_a_zone_is_one_line(site: Site, keys: dict[str, str]) -> None:
    site.client(id="label-1", zone="a")
    site.client(id="label-2", zone="b")
    done = run(site, "integration", "add", "wms", "--template", "wms", "--zone", "a", "--action", "print")

    assert done.exit_code == 0, done.output
    [key] = [line for line in done.stdout.splitlines() if is_token(line, API_KEY)]
    keys["wms"] = key
    assert done.stdout.count(key) == 1
    assert key not in run(site, "key", "list").output
    shown = floorhub(site, "integration", "show", "wms")
    [grant] = shown["grants"]
    assert (grant["target"], grant["actions"], grant["access"]) == ({"zone": "a"}, ["print"], "command")
    for arguments, code, word in (
        (("--of", "wms", "--client", "label-1", "--action", "print"), 0, "allowed"),
        (("--key", key[:12], "--client", "label-1", "--action", "reboot"), 1, "not allowed"),
        (("--of", "wms", "--client", "label-2", "--action", "print"), 1, "not allowed"),
    ):
        said = run(site, "access", "check", *arguments)
        assert (said.exit_code, word in said.stdout) == (code, True), said.output
    extent = floorhub(site, "access", "check", "--key", key[:12])
    assert extent["permissions"] == ["read", "command", "document"]
    assert extent["clients"] == [{"client_id": "label-1", "read": True, "actions": ["print"]}]
    who = floorhub(site, "access", "check", "--client", "label-1", "--action", "print")
    assert {one["name"] for one in who["holders"]} == {"administrator", "wms"}
    assert [one["prefix"] for holder in who["holders"] if holder["name"] == "wms" for one in holder["keys"]] == [
        key[:12]
    ]
    assert ask(site, key, "GET", "/api/clients").status_code == 200


def test_the_command_line_changes_everything_and_speaks_korean(site: Site, keys: dict[str, str]) -> None:
    added = in_korean(site, "integration", "add", "주문 시스템", "--template", "order-system", "--key-name", "서버 1")
    assert added.exit_code == 0, added.output
    assert "연동 시스템 주문 시스템을(를)" in added.stdout
    assert "아직 접근할 수 있는 클라이언트가 없습니다" in added.stderr
    [keys["shop"]] = [line for line in added.stdout.splitlines() if is_token(line, API_KEY)]

    [grant] = floorhub(site, "grant", "add", "주문 시스템", "--tag", "y", "--tag", "x", "--read-only")
    assert (grant["target"], grant["access"]) == ({"tags": ["x", "y"]}, "read")
    assert [one["id"] for one in floorhub(site, "grant", "list", "--of", "주문 시스템")] == [grant["id"]]
    assert floorhub(site, "grant", "remove", grant["id"])["id"] == grant["id"]
    assert run(site, "grant", "remove", grant["id"]).exit_code == 7
    site.client(zone="zone-a")
    for zone, is_empty in (("zone-a", False), ("zone-aa", True)):
        granted = run(site, "grant", "add", "주문 시스템", "--zone", zone)
        assert (granted.exit_code, f"No client is in zone {zone} now" in granted.stderr) == (0, is_empty)
        [one] = floorhub(site, "grant", "list", "--of", "주문 시스템")
        floorhub(site, "grant", "remove", one["id"])
    person = site.http.post("/api/users", json={"login": "sees.all", "role": "viewer"}).json()
    anyway = run(site, "grant", "add", person["name"], "--zone", "a", "--read-only").stderr
    assert "`floorhub user change --reach granted`" in anyway

    new = floorhub(
        site, "key", "add", "주문 시스템", "--permission", "read", "--address", "127.0.0.0/8", "--expires", "1d"
    )
    keys["narrow"] = new["key"]
    assert (new["permissions"], new["addresses"], new["targets"]) == (["read"], ["127.0.0.0/8"], None)
    rotated = floorhub(site, "key", "rotate", new["prefix"], "--overlap", "1h")
    keys["rotated"] = rotated["key"]
    assert (rotated["permissions"], rotated["addresses"]) == (["read"], ["127.0.0.0/8"])
    for key in (new["key"], rotated["key"]):
        assert ask(site, key, "GET", "/api/clients").status_code == 200
    assert floorhub(site, "key", "revoke", rotated["prefix"])["status"] == "revoked"
    listed = floorhub(site, "key", "list", "--of", "주문 시스템")
    assert {key["prefix"] for key in listed} == {keys["shop"][:12], new["prefix"]}
    unused = floorhub(site, "key", "list", "--of", "주문 시스템", "--unused-since", "1h")
    assert unused == []

    assert (
        floorhub(site, "integration", "change", "주문 시스템", "--name", "shop", "--role", "viewer")["role"] == "viewer"
    )
    assert floorhub(site, "integration", "disable", "shop")["status"] == "disabled"
    assert floorhub(site, "integration", "enable", "shop")["status"] == "active"
    assert floorhub(site, "integration", "remove", "shop")["name"] == "shop"
    assert "shop" not in {one["name"] for one in floorhub(site, "integration", "list")}
    for words in (("integration", "show", "shop"), ("key", "add", "shop"), ("key", "revoke", "fhk_00000000")):
        assert run(site, *words).exit_code == 7


def test_a_forbidden_try_says_what_to_ask_for(site: Site, keys: dict[str, str]) -> None:
    body = {"name": "reader", "role": "operator", "reach": "all", "key": {"permissions": ["read"]}}
    made = site.http.post("/api/integrations", json=body).json()
    keys["reader"] = key = made["key"]["key"]
    command = {"client_id": "label-1", "action": "print", "payload": {}}

    refused = ask(site, key, "POST", "/api/commands", json=command)
    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["title"]) == (403, "forbidden", "FORBIDDEN")
    assert problem["detail"].startswith(
        "The permissions of this key are: read. The request needs `command`. Ask an administrator for a key"
    )
    assert (problem["permission"], problem["role"], problem["key"]) == ("command", "operator", made["key"]["id"])
    korean = ask(site, key, "POST", "/api/commands", json=command, headers={"Accept-Language": "ko"}).json()
    assert "관리자에게 `command` 권한" in korean["detail"]

    administer = ask(site, key, "GET", "/api/integrations").json()
    assert (administer["permission"], administer["code"]) == ("administer", "forbidden")
    assert "the roles that have it are: admin" in administer["detail"]


def test_a_key_is_for_its_addresses_and_no_header_changes_that(site: Site, keys: dict[str, str]) -> None:
    body = {"name": "elsewhere", "reach": "all", "key": {"addresses": ["192.0.2.0/24"]}}
    keys["elsewhere"] = key = site.http.post("/api/integrations", json=body).json()["key"]["key"]

    for headers in ({}, {"X-Forwarded-For": "192.0.2.7"}, {"Forwarded": "for=192.0.2.7"}):
        refused = ask(site, key, "GET", "/api/clients", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "key_address_refused")
        assert "127.0.0.1" in refused.json()["detail"]


def test_a_security_event_tells_of_the_wrong_address(
    site: Site, keys: dict[str, str], database: psycopg.Connection[Any]
) -> None:
    def told() -> Any:
        query = "SELECT address, detail->>'prefix' FROM security_events WHERE kind = 'key_address_refused'"
        return database.execute(query).fetchall()

    assert until(told, "a security event") == [("127.0.0.1", keys["elsewhere"][:12])]


def test_a_wrong_key_is_nobody(site: Site, keys: dict[str, str]) -> None:
    right = keys["wms"]
    for wrong in (new_token(API_KEY), right[:-1] + ("a" if right[-1] != "a" else "b"), right + "a", right[4:], "x"):
        for headers in ({"Authorization": f"Bearer {wrong}"}, {"X-API-Key": wrong}):
            refused = plain_http.get(f"{site.url}/api/clients", headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")


def test_what_is_withdrawn_is_refused_by_every_hub(site: Site, keys: dict[str, str]) -> None:
    made = site.http.post("/api/integrations", json={"name": "gone", "reach": "all", "key": {}}).json()
    keys["gone"] = key = made["key"]["key"]
    with site.another_hub("two"):
        hubs = ("one", "two")
        assert [ask(site, key, "GET", "/api/clients", hub).status_code for hub in hubs] == [200, 200]
        path = f"/api/integrations/{made['integration']['id']}"
        for status, answer in (("disabled", 401), ("active", 200)):
            site.http.patch(path, json={"status": status}).raise_for_status()
            assert ask(site, key, "GET", "/api/clients").status_code == answer
            until(lambda answer=answer: ask(site, key, "GET", "/api/clients", "two").status_code == answer, status)
        assert site.http.delete(f"/api/keys/{made['key']['id']}").json()["status"] == "revoked"
        assert ask(site, key, "GET", "/api/clients").status_code == 401
        until(lambda: ask(site, key, "GET", "/api/clients", "two").status_code == 401, "revoked")


def test_what_there_is_not_is_not_found(site: Site) -> None:
    for method, path, code in (
        ("GET", f"/api/integrations/{NOWHERE}", "integration_not_found"),
        ("POST", f"/api/integrations/{NOWHERE}/keys", "integration_not_found"),
        ("GET", f"/api/users/{NOWHERE}/keys", "principal_not_found"),
        ("GET", f"/api/principals/{NOWHERE}/grants", "principal_not_found"),
        ("GET", f"/api/keys/{NOWHERE}", "key_not_found"),
        ("DELETE", f"/api/keys/{NOWHERE}", "key_not_found"),
        ("POST", f"/api/keys/{NOWHERE}/rotate", "key_not_found"),
        ("DELETE", f"/api/grants/{NOWHERE}", "grant_not_found"),
        ("GET", f"/api/access/check?key_id={NOWHERE}", "key_not_found"),
        ("GET", "/api/access/check?client=nowhere", "client_not_found"),
    ):
        answer = site.http.request(method, path, json={} if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (404, code), path


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": " x"}, ["name"]),
        ({"name": "x\u0000y"}, ["name"]),
        ({"name": "x\ny"}, ["name"]),
        ({"name": "x", "role": "root"}, ["role"]),
        ({"name": "x", "role": "admin", "reach": "granted"}, ["reach"]),
        ({"name": "x", "template": "erp"}, ["template"]),
        ({"name": "x", "grants": [{"target": {}}]}, ["grants[0].target"]),
        ({"name": "x", "grants": [{"target": {"zone": "a", "all": True}}]}, ["grants[0].target"]),
        ({"name": "x", "grants": [{"target": {"client": "nowhere"}}]}, ["grants[0].target.client"]),
        ({"name": "x", "grants": [{"target": {"group": "nowhere"}}]}, ["grants[0].target.group"]),
        ({"name": "x", "grants": [{"target": {"zone": "a"}, "actions": []}]}, ["grants[0].actions"]),
        ({"name": "x", "grants": [{"target": {"zone": "a"}, "actions": ["*"]}]}, ["grants[0].actions[0]"]),
        (
            {"name": "x", "role": "viewer", "grants": [{"target": {"zone": "a"}, "access": "command"}]},
            ["grants[0].access"],
        ),
        ({"name": "x", "key": {"permissions": ["public"]}}, ["key.permissions[0]"]),
        ({"name": "x", "key": {"permissions": ["administer"]}}, ["key.permissions[0]"]),
        ({"name": "x", "key": {"targets": [{"all": True}]}}, ["key.targets[0].all"]),
        ({"name": "x", "key": {"targets": [{"client": "nowhere"}]}}, ["key.targets[0].client"]),
        ({"name": "x", "key": {"addresses": ["10.0.0.1/8"]}}, ["key.addresses[0]"]),
        ({"name": "x", "key": {"addresses": ["example.com"]}}, ["key.addresses[0]"]),
        ({"name": "x", "key": {"addresses": ["010.0.0.1"]}}, ["key.addresses[0]"]),
        ({"name": "x", "key": {"expires_at": "2020-01-01T00:00:00Z"}}, ["key.expires_at"]),
        ({"name": "x", "key": {"expires_at": 5}}, ["key.expires_at"]),
    ],
    ids=str,
)
def test_a_wrong_field_is_named_and_nothing_is_made(site: Site, body: dict[str, Any], fields: list[str]) -> None:
    answer = site.http.post("/api/integrations", json=body)

    assert (answer.status_code, answer.json().get("code")) == (422, "validation_error"), answer.text
    assert [error["field"] for error in answer.json()["errors"] if error["code"] != "one_of"][:1] in ([], fields)
    assert {error["field"] for error in answer.json()["errors"]} >= set(fields)
    assert site.http.get("/api/integrations", params={"name": "x"}).json()["items"] == []


def test_a_name_is_there_once(site: Site) -> None:
    answer = site.http.post("/api/integrations", json={"name": "administrator"})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


def test_the_overlap_of_a_rotation_is_bounded(site: Site) -> None:
    for overlap in ("", "1", "1y", "-1h", "91d", "999999999d", "1h ", "\u0661h"):
        answer = site.http.post(f"/api/keys/{NOWHERE}/rotate", json={"overlap": overlap})
        assert [error["field"] for error in answer.json()["errors"]] == ["overlap"], overlap


def test_the_administrators_key_is_replaced_on_this_machine_as_before(site: Site) -> None:
    environment = {"FLOORHUB_DATABASE_URL": site.stack.database_url, "FLOORHUB_DATA_DIR": str(site.folder.root)}
    done = CliRunner().invoke(app, ["key", "rotate", "admin", "--json"], env={**environment, "LANG": "C"})
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["replaced"] == ["admin"]

    new = (site.folder.root / "admin.key").read_text().strip()
    until(lambda: ask(site, site.key, "GET", "/api/clients").status_code == 401, "the old key ends")
    assert ask(site, new, "GET", "/api/integrations").status_code == 200
    site.key = new
    site.http.headers["Authorization"] = f"Bearer {new}"


def test_no_key_is_in_any_table_or_log(site: Site, keys: dict[str, str], database: psycopg.Connection[Any]) -> None:
    """Last in this file: everything that was made must be nowhere but where it was shown."""
    assert len(keys) >= 6
    secrets = {key[12:30] for key in keys.values()}
    tables = database.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    ).fetchall()
    found = [
        (table, secret)
        for (table,) in tables
        for (text,) in database.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
        for secret in secrets
        if secret in text
    ]
    logs = [file for file in site.folder.logs.rglob("*") if file.is_file()]
    assert [log.name for log in logs if "hub-one" in log.name]
    found += [(log.name, secret) for log in logs for secret in secrets if secret in log.read_text(errors="replace")]
    assert found == []
