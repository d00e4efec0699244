"""Administration of people, over HTTP and on the command line."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from hub.programs.cli.main import app
from tests.support import people, plain_http
from tests.support.people import PASSWORD
from tests.support.site import NOWHERE, Site


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def floorhub(site: Site, *words: str, typed: str = "", korean: bool = False) -> Result:
    """Run a command with what is typed on standard input."""
    where = {
        "FLOORHUB_URL": site.url,
        "FLOORHUB_KEY": site.key,
        "FLOORHUB_DATABASE_URL": site.stack.database_url,
        "FLOORHUB_DATA_DIR": str(site.folder.root),
        "LANG": "ko_KR.UTF-8" if korean else "C",
    }
    return CliRunner().invoke(app, words, env=where, input=typed)


def test_people_are_added_listed_and_changed(site: Site, database: psycopg.Connection[Any]) -> None:
    person = people.add(site, "operator", login="Mina.K@Shop.example", name="김미나", reach="granted")
    assert (person["login"], person["role"], person["reach"]) == ("mina.k@shop.example", "operator", "granted")
    assert person["has_password"] is True
    assert "password_hash" not in person
    url = f"/api/users/{person['id']}"
    assert site.http.get(url).json() == person
    listed = site.http.get("/api/users", params={"login": "MINA.K@shop.example"}).json()
    assert (listed["items"], listed["next_cursor"]) == ([person], None)
    assert (
        code(site.http.post("/api/users", json={"login": "mina.k@shop.example", "role": "viewer"}))[1] == "login_taken"
    )
    again = {"login": "mina2", "name": "김미나", "role": "viewer"}
    assert code(site.http.post("/api/users", json=again)) == (409, "name_taken")
    for wrong, field, expected in (
        ({"login": "a b"}, "login", "login"),
        ({"role": "root"}, "role", "choice"),
        ({"role": "admin", "reach": "granted"}, "reach", "administrator_reach"),
        ({"password": "short"}, "password", "password_too_short"),
        ({"disabled": True}, "disabled", "unknown_field"),
        ({"id": NOWHERE}, "id", "unknown_field"),
        ({"password_hash": "x"}, "password_hash", "unknown_field"),
    ):
        answer = site.http.post("/api/users", json={"login": "somebody", "role": "viewer", **wrong})
        assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [(field, expected)]

    changed = site.http.patch(url, json={"role": "admin", "name": "미나"}).json()
    assert (changed["role"], changed["reach"], changed["name"]) == ("admin", "all", "미나")
    assert code(site.http.patch(url, json={"reach": "granted"}))[1] == "validation_error"
    rows = database.execute(
        "SELECT action, detail FROM audit_logs WHERE resource = 'user' AND resource_id = %s ORDER BY id",
        (person["id"],),
    ).fetchall()
    after = {"name": "김미나", "login": "mina.k@shop.example", "role": "operator", "reach": "granted"}
    assert rows == [
        ("user.create", {"after": after}),
        (
            "user.update",
            {
                "before": {"name": "김미나", "role": "operator", "reach": "granted"},
                "after": {"name": "미나", "role": "admin", "reach": "all"},
            },
        ),
    ]
    people.add(site, "admin")  # the last one could not be disabled
    assert site.http.delete(url).json()["disabled"] is True
    assert code(site.http.post(f"{url}/password-link")) == (409, "user_disabled")
    assert code(site.http.get(f"/api/users/{NOWHERE}")) == (404, "user_not_found")


def test_the_last_administrator_stays(site: Site, database: psycopg.Connection[Any]) -> None:
    first, second = people.add(site, "admin"), people.add(site, "admin")
    for each in site.http.get("/api/users", params={"limit": 200}).json()["items"]:
        if each["role"] == "admin" and each["id"] not in (first["id"], second["id"]):
            site.http.delete(f"/api/users/{each['id']}")
    assert site.http.delete(f"/api/users/{first['id']}").status_code == 200
    url = f"/api/users/{second['id']}"
    for refused in (
        site.http.delete(url),
        site.http.patch(url, json={"role": "operator"}),
        site.http.patch(url, json={"disabled": True}),
    ):
        assert code(refused) == (409, "last_administrator")
    # An administrator who cannot sign in yet is none.
    people.add(site, "admin", password=None)
    assert code(site.http.delete(url)) == (409, "last_administrator")
    assert site.http.patch(f"/api/users/{first['id']}", json={"disabled": False}).status_code == 200
    assert site.http.delete(url).status_code == 200


def test_a_link_sets_a_password_once(site: Site) -> None:
    person = people.add(site, password=None)
    old = site.http.post(f"/api/users/{person['id']}/password-link").json()["token"]
    token = site.http.post(f"/api/users/{person['id']}/password-link").json()["token"]
    url = f"{site.url}/api/auth/password-link"
    for wrong, expected in ((old, "link_not_valid"), (token[:-1], "link_not_valid"), ("x", "link_not_valid")):
        assert code(plain_http.request("POST", url, json={"token": wrong, "password": PASSWORD})) == (403, expected)
    bad = plain_http.request("POST", url, json={"token": token, "password": person["login"]})
    assert bad.status_code == 422
    assert plain_http.request("POST", url, json={"token": token, "password": PASSWORD}).status_code == 204
    assert people.sign_in(site.url, person["login"]).status_code == 200
    assert code(plain_http.request("POST", url, json={"token": token, "password": PASSWORD})) == (403, "link_not_valid")


@pytest.mark.parametrize("field", ["permissions", "actions", "targets", "addresses", "expires_at"])
def test_a_narrow_key_of_an_administrator_opens_no_wider_sign_in(site: Site, field: str) -> None:
    """A session has none of the limits of a key: who makes people, or their passwords, would get rid of his own."""
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    limits = {
        "permissions": ["administer"],
        "actions": ["print"],
        "targets": [{"zone": "narrow"}],
        "addresses": ["127.0.0.0/8"],
        "expires_at": later,
    }
    administrator, operator, disabled = (people.add(site, role) for role in ("admin", "operator", "operator"))
    assert site.http.delete(f"/api/users/{disabled['id']}").status_code == 200
    made = site.http.post(f"/api/users/{administrator['id']}/keys", json={field: limits[field]}).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    mine, theirs = f"/api/users/{administrator['id']}", f"/api/users/{operator['id']}"
    new = {"login": f"narrow-{field}", "role": "admin", "password": PASSWORD}
    with plain_http.client(site.url, headers=headers) as narrow:
        for method, path, body, limit in (
            ("POST", "/api/users", new, field),
            ("POST", "/api/users", {**new, "role": "operator"}, field),
            ("PATCH", theirs, {"role": "admin"}, "role"),
            ("PATCH", f"/api/users/{disabled['id']}", {"disabled": False}, "disabled"),
            ("POST", f"{mine}/password", {"password": "another good sentence"}, field),
            ("POST", f"{theirs}/password", {"password": "another good sentence"}, field),
            ("POST", f"{mine}/password-link", None, field),
        ):
            answer = narrow.request(method, path, json=body)
            assert code(answer) == (403, "wider_than_your_key"), (method, path, body, answer.text)
            assert f": {limit}." in answer.json()["detail"]
        # What takes away stays possible, and what gives nothing.
        assert narrow.patch(theirs, json={"name": f"narrow {field}"}).status_code == 200
        assert narrow.patch(theirs, json={"reach": "granted"}).status_code == 200
        assert narrow.patch(theirs, json={"reach": "all"}).status_code == (200 if field == "permissions" else 403)
        assert narrow.delete(theirs).json()["disabled"] is True
        # One who reaches nothing yet gains nothing: whoever grants him something is held against his own key.
        empty = {**new, "role": "viewer", "reach": "granted"}
        assert narrow.post("/api/users", json=empty).status_code == (201 if field in ("actions", "targets") else 403)
    assert people.sign_in(site.url, administrator["login"]).status_code == 200


def test_only_administrators_administer_people(site: Site) -> None:
    for role in ("operator", "viewer"):
        mine = people.tokens(site.url, people.add(site, role)["login"])["accessToken"]
        headers = {"Authorization": f"Bearer {mine}"}
        for method, path in (("GET", "/api/users"), ("POST", "/api/users"), ("GET", f"/api/users/{NOWHERE}")):
            assert code(plain_http.request(method, site.url + path, headers=headers, json={})) == (403, "forbidden")


def test_the_command_line_administers_people(site: Site) -> None:
    added = floorhub(site, "user", "add", "cli.mina", "--role", "operator", "-o", "json", typed=f"{PASSWORD}\n")
    assert added.exit_code == 0, added.stderr
    assert json.loads(added.stdout)["login"] == "cli.mina"
    assert floorhub(site, "user", "add", "cli.none", "--role", "viewer").exit_code == 2
    weak = floorhub(site, "user", "add", "cli.weak", "--role", "viewer", typed="12345678\n", korean=True)
    assert (weak.exit_code, "가장 먼저 시도하는" in weak.stderr) == (5, True)
    changed = floorhub(site, "user", "change", "CLI.mina", "--role", "viewer", "--name", "미나 2", "--json")
    assert (json.loads(changed.stdout)["role"], json.loads(changed.stdout)["name"]) == ("viewer", "미나 2")
    assert "미나 2" in floorhub(site, "user", "list", korean=True).stdout
    people.tokens(site.url, "cli.mina")
    assert len(json.loads(floorhub(site, "user", "sessions", "cli.mina", "--json").stdout)) == 1
    assert json.loads(floorhub(site, "user", "sessions", "cli.mina", "--end", "--json").stdout) == []
    assert floorhub(site, "user", "disable", "cli.mina").exit_code == 0
    assert "disabled" in floorhub(site, "user", "show", "cli.mina").stdout
    assert floorhub(site, "user", "show", "cli.nobody").exit_code == 7
    assert code(people.sign_in(site.url, "cli.mina")) == (401, "login_failed")

    recovered = floorhub(site, "user", "recover", "cli.mina", typed="another long password\n")
    assert recovered.exit_code == 0, recovered.stderr
    assert "another long password" not in recovered.stdout + recovered.stderr
    assert people.sign_in(site.url, "cli.mina", "another long password").status_code == 200
    for login, typed, exit_code, english, korean in (
        ("cli.nobody", "x\n", 7, "There is no person cli.nobody: see `floorhub user list`.", "cli.nobody"),
        ("cli.mina", "short\n", 5, "password: must have 8 or more characters", "password: 8자 이상이어야 합니다."),
    ):
        failed = floorhub(site, "user", "recover", login, typed=typed)
        assert (failed.exit_code, isinstance(failed.exception, SystemExit)) == (exit_code, True)
        assert english in failed.stderr
        assert korean in floorhub(site, "user", "recover", login, typed=typed, korean=True).stderr
        problem = json.loads(floorhub(site, "user", "recover", login, "--json", typed=typed).stdout)
        assert problem["code"] == ("user_not_found" if exit_code == 7 else "validation_error")


def test_the_command_line_sets_the_password_of_somebody(site: Site) -> None:
    login = "cli.soo"
    added = floorhub(site, "user", "add", login, "--role", "operator", "--reach", "granted", typed=f"{PASSWORD}\n")
    assert added.exit_code == 0, added.stderr
    assert f"floorhub grant add {login} --zone ZONE" in added.stderr
    assert f"floorhub grant add {login} --zone ZONE" not in floorhub(site, "user", "show", login).stderr
    people.tokens(site.url, login)

    changed = floorhub(site, "user", "password", login, typed="another long password\n")
    assert changed.exit_code == 0, changed.stderr
    assert "another long password" not in changed.stdout + changed.stderr
    assert json.loads(floorhub(site, "user", "sessions", login, "--json").stdout) == []
    assert people.sign_in(site.url, login, "another long password").status_code == 200
    weak = floorhub(site, "user", "password", login, typed="short\n")
    assert (weak.exit_code, "8 or more characters" in weak.stderr) == (5, True)
    for words in (("user", "password", "cli.nobody"), ("user", "password", "cli.nobody", "--link")):
        assert floorhub(site, *words, typed=f"{PASSWORD}\n").exit_code == 7

    [said, address] = floorhub(site, "user", "password", login, "--link").stdout.splitlines()
    assert login in said
    page, _, token = address.partition("#token=")
    assert page == f"{site.url}/set-password"
    made = json.loads(floorhub(site, "user", "password", login, "--link", "--json").stdout)
    assert made["url"] == f"{page}#token={made['token']}"
    body = {"token": token, "password": "the third password"}
    replaced = plain_http.request("POST", f"{site.url}/api/auth/password-link", json=body)
    assert code(replaced) == (403, "link_not_valid")
    assert replaced.json()["detail"].endswith("Ask an administrator for another link.")
    body["token"] = made["token"]
    assert plain_http.request("POST", f"{site.url}/api/auth/password-link", json=body).status_code == 204
    assert people.sign_in(site.url, login, "the third password").status_code == 200


@pytest.mark.parametrize("table", ["users", "sessions", "refresh_tokens", "token_keys", "audit_logs", "one_time_links"])
def test_no_secret_stands_in_the_database(site: Site, database: psycopg.Connection[Any], table: str) -> None:
    login = people.add(site)["login"]
    pair = people.tokens(site.url, login)
    page = people.open_page(site.url, login)
    secrets = [PASSWORD, pair["accessToken"], pair["refreshToken"], page.csrf, *page.http.cookies.values()]
    page.http.close()
    text = "".join(str(row) for row in database.execute(f"SELECT t::text FROM {table} t".encode()))  # noqa: S608
    assert [secret for secret in secrets if secret in text] == []
    logs = "".join(file.read_text(errors="replace") for file in site.folder.logs.glob("hub-*.log"))
    assert [secret for secret in secrets if secret in logs] == []
