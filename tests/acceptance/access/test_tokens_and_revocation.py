"""Tokens that are forged, used twice or withdrawn, over two hubs of one database; and the first administrator."""

import base64
import json
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg
import pytest
from joserfc import jws, jwt
from joserfc.jwk import OctKey, OKPKey

from hub.keys import load_signing_keys
from tests.support import people, plain_http
from tests.support.people import PASSWORD
from tests.support.site import Site
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("a second hub, the first administrator, and a shifted clock of sessions")


@pytest.fixture(scope="module", autouse=True)
def second(site: Site) -> Iterator[str]:
    with site.another_hub("two"):
        yield site.hub_url("two")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_the_first_administrator_comes_by_a_link_that_is_good_once(site: Site, second: str) -> None:
    file = site.folder.root / "first-administrator.link"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    page, _, token = file.read_text().strip().partition("#token=")
    assert page.endswith("/first-administrator")
    assert all(token not in log.read_text() for log in site.folder.logs.glob("*.log"))
    url = f"{second}/api/auth/first-administrator"
    assert plain_http.get(url).json() == {"open": True}
    body = {"token": token, "login": "administrator", "password": PASSWORD}
    for wrong, expected in (
        ({"token": token[:-1]}, (403, "link_not_valid")),
        ({"token": "fhl_" + "0" * 49}, (403, "link_not_valid")),
        ({"password": "administrator"}, (422, "validation_error")),
    ):
        assert code(refused := plain_http.request("POST", url, json={**body, **wrong})) == expected
        assert ("Restart the hub to get another link." in refused.json()["detail"]) is (expected[0] == 403)

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda n: plain_http.request("POST", url, json={**body, "login": f"chef-{n}"}), range(8))
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    [made] = [answer for answer in answers if answer.status_code == 200]
    assert made.json()["principal"]["role"] == "admin"
    assert made.headers["set-cookie"].startswith("floorhub-")
    assert plain_http.get(url).json() == {"open": False}
    assert not file.exists()
    assert code(plain_http.request("POST", url, json=body)) == (409, "first_administrator_exists")
    assert len([each for each in site.http.get("/api/users").json()["items"] if each["role"] == "admin"]) == 1
    with site.another_hub("three"):
        assert not file.exists()
    file.write_text(f"{page}#token={token}\n")  # as when somebody has become administrator in another way
    until(lambda: not file.exists(), "the link is removed")


def test_of_fifty_uses_of_a_refresh_token_one_succeeds(
    site: Site, second: str, database: psycopg.Connection[Any]
) -> None:
    pair = people.tokens(site.url, people.add(site)["login"])
    urls = [site.url, second] * 25
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda url: people.refresh(url, pair["refreshToken"]), urls))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 49
    assert {answer.json()["code"] for answer in answers if answer.status_code == 401} == {"invalid_refresh_token"}
    [following] = [answer.json() for answer in answers if answer.status_code == 200]
    assert people.who(second, following["accessToken"]).status_code == 200
    assert people.refresh(site.url, following["refreshToken"]).status_code == 200
    kinds = database.execute("SELECT count(*) FROM security_events WHERE kind = 'refresh_reused'").fetchone()
    assert kinds == (0,)


def test_a_refresh_token_that_is_used_again_later_ends_the_session(
    site: Site, second: str, database: psycopg.Connection[Any]
) -> None:
    person = people.add(site)
    stolen = people.tokens(site.url, person["login"])
    mine = people.refresh(site.url, stolen["refreshToken"]).json()
    assert code(people.refresh(second, stolen["refreshToken"])) == (401, "invalid_refresh_token")
    assert people.who(second, mine["accessToken"]).status_code == 200
    database.execute("UPDATE refresh_tokens SET used_at = used_at - interval '11 s' WHERE used_at IS NOT NULL")
    assert code(people.refresh(second, stolen["refreshToken"])) == (401, "invalid_refresh_token")
    assert code(people.refresh(site.url, mine["refreshToken"])) == (401, "invalid_refresh_token")
    until_refused(site.url, mine["accessToken"])
    rows = database.execute("SELECT ended_by FROM sessions WHERE principal_id = %s", (person["id"],)).fetchall()
    assert rows == [("refresh_reused",)]
    told = database.execute(
        "SELECT address, severity, principal_id::text FROM security_events WHERE kind = 'refresh_reused'"
    ).fetchall()
    assert told == [("127.0.0.1", "warning", person["id"])]


def test_a_refresh_token_belongs_to_a_screen_and_lives_for_a_day(site: Site, database: psycopg.Connection[Any]) -> None:
    login = people.add(site)["login"]
    pair = people.tokens(site.url, login, screenId="SCREEN-001")
    assert code(people.refresh(site.url, pair["refreshToken"], screenId="SCREEN-002"))[1] == "invalid_refresh_token"
    again = people.refresh(site.url, pair["refreshToken"], screen_id="SCREEN-001")
    assert again.status_code == 200
    database.execute("UPDATE refresh_tokens SET expires_at = floorhub_now() WHERE used_at IS NULL")
    assert code(people.refresh(site.url, again.json()["refreshToken"]))[1] == "invalid_refresh_token"


def until_refused(url: str, access_token: str) -> None:
    """Ask until the token is refused, which it is within a second on a machine that is not busy."""
    until(lambda: people.who(url, access_token).status_code != 200, "the token is refused")
    assert code(people.who(url, access_token)) == (401, "invalid_token")


def cut_listeners(site: Site) -> None:
    """End what every hub listens with. The tables' owner sees neither their statements nor may end them."""
    with psycopg.connect(site.stack.postgres.superuser_url, autocommit=True) as connection:

        def cut() -> bool:
            row = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            ).fetchone()
            return row is not None and row[0] > 0

        until(cut, "somebody who listens")


def test_an_ended_session_is_refused_by_every_hub_also_without_notifications(
    site: Site, second: str, database: psycopg.Connection[Any]
) -> None:
    """Nothing listens for it: each request looks at the row, whose last look is at most 0.3 s old."""
    people.add(site, "admin")  # The last one could not be disabled.
    person = people.add(site, "admin")
    for end in (
        lambda: database.execute("UPDATE sessions SET ended_at = now() WHERE principal_id = %s", (person["id"],)),
        lambda: site.http.delete(f"/api/users/{person['id']}/sessions"),
        lambda: site.http.patch(f"/api/users/{person['id']}", json={"disabled": True}),
    ):
        mine = people.tokens(second, person["login"])["accessToken"]
        assert people.who(site.url, mine).status_code == people.who(second, mine).status_code == 200
        cut_listeners(site)
        end()
        until_refused(site.url, mine)
        until_refused(second, mine)


def test_role_and_reach_are_those_of_the_row_and_not_of_the_token(site: Site, second: str) -> None:
    person = people.add(site, "admin")
    mine = people.tokens(site.url, person["login"])["accessToken"]
    assert people.who(second, mine).json()["role"] == "admin"
    changed = site.http.patch(f"/api/users/{person['id']}", json={"role": "viewer", "reach": "granted"})
    assert changed.status_code == 200
    until(lambda: people.who(second, mine).json()["role"] == "viewer", "the other role")
    assert people.who(second, mine).json()["reach"] == "granted"


def encoded(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_only_tokens_of_our_form_and_signature_are_taken(site: Site, database: psycopg.Connection[Any]) -> None:
    person = people.add(site, "admin")
    mine = people.tokens(site.url, person["login"])["accessToken"]
    header, claims, signature = mine.split(".")
    read_header = json.loads(base64.urlsafe_b64decode(header + "=="))
    read_claims = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert read_header.keys() == {"alg", "kid", "typ"}
    assert (read_header["alg"], read_header["typ"]) == ("EdDSA", "at+jwt")
    assert read_claims.keys() == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert read_claims["exp"] - read_claims["iat"] == 900

    row = database.execute("SELECT kid, sealed FROM token_keys WHERE kid = %s", (read_header["kid"],)).fetchone()
    assert row is not None
    text = load_signing_keys(site.folder.keys).unseal(row[1])
    assert text is not None
    ours = OKPKey.import_key(json.loads(text))
    public = OctKey.import_key(base64.urlsafe_b64decode(ours.as_dict()["x"] + "=="))
    other = OKPKey.generate_key("Ed25519")
    registry = jws.JWSRegistry(algorithms=["Ed25519", "EdDSA", "HS256"], strict_check_header=False)

    def signed(key: Any = ours, *, said: dict[str, Any] | None = None, **changed: Any) -> str:
        new = {name: value for name, value in {**read_claims, **changed}.items() if value is not None}
        head = {**read_header, **(said or {})}
        with pytest.warns() if head["alg"] == "EdDSA" else closing(_Nothing()):
            return jwt.encode({k: v for k, v in head.items() if v is not None}, new, key, registry=registry)

    def resigned(head: bytes, body: bytes) -> str:
        with pytest.warns():
            text = jws.serialize_compact(read_header, b"x", ours, registry=registry)
        signer = ours.get_op_key("sign")
        start = f"{encoded(head)}.{encoded(body)}"
        return f"{start}.{encoded(signer.sign(start.encode()))}" if text else ""

    raw = json.dumps(read_claims).encode()
    head = json.dumps(read_header).encode()
    now = int(time.time())
    forged = {
        "none": f"{encoded({**read_header, 'alg': 'none'})}.{claims}.",
        "no signature": f"{header}.{claims}.",
        "HS256 with the public key": signed(public, said={"alg": "HS256"}),
        "Ed25519": signed(said={"alg": "Ed25519"}),
        "another key": signed(other),
        "another issuer": signed(iss="somebody"),
        "another audience": signed(aud="somebody"),
        "a list of audiences": signed(aud=["floorhub/api"]),
        "another type": signed(said={"typ": "JWT"}),
        "no type": signed(said={"typ": None}),
        "no kid": signed(said={"kid": None}),
        "unknown kid": signed(said={"kid": "at-0000000000000000"}),
        "no exp": signed(exp=None),
        "exp as text": signed(exp="9999999999"),
        "exp as a fraction": signed(exp=9999999999.5),
        "exp as true": signed(exp=True),
        "no sid": signed(sid=None),
        "sid of nobody": signed(sid="00000000-0000-7000-8000-000000000000"),
        "sub of nobody": signed(sub="00000000-0000-7000-8000-000000000000"),
        "a claim more": signed(role="admin"),
        "jku": signed(said={"jku": "https://evil.example/keys"}),
        "x5u": signed(said={"x5u": "https://evil.example/keys"}),
        "jwk": signed(other, said={"jwk": other.as_dict()}),
        "b64": resigned(json.dumps({**read_header, "b64": False, "crit": ["b64"]}).encode(), raw),
        "crit": resigned(json.dumps({**read_header, "crit": ["exp"]}).encode(), raw),
        "a name twice": resigned(head, raw[:-1] + b', "exp": 9999999999}'),
        "a header twice": resigned(head[:-1] + b', "alg": "EdDSA"}', raw),
        "no object": resigned(head, b"[]"),
        "deep": resigned(head, b"[" * 200 + b"]" * 200),
        "huge": resigned(head, raw[:-1] + b', "x": "' + b"x" * 40_000 + b'"}'),
        "cut off": mine[:-4],
        "another end": f"{mine[:-4]}AAAA",
        "a part more": f"{mine}.",
        "spaces": f"{header}.{claims} .{signature}",
        "nothing": "..",
    }
    for name, token in forged.items():
        answer = people.who(site.url, token)
        assert answer.status_code == 401, name
        assert answer.json()["code"] in ("invalid_token", "unauthorized"), name
    assert code(people.who(site.url, signed(exp=now - 1))) == (401, "token_expired")
    assert people.who(site.url, signed(exp=now + 60)).status_code == 200
    assert people.who(site.url, mine).status_code == 200
    # Neither opens what the other is for.
    pair = people.tokens(site.url, person["login"])
    assert code(people.who(site.url, pair["refreshToken"])) == (401, "unauthorized")
    assert code(people.refresh(site.url, pair["accessToken"][:150])) == (401, "invalid_refresh_token")


class _Nothing:
    def close(self) -> None:
        """Nothing to close."""


def test_a_page_ends_without_use_and_at_its_limit(site: Site, second: str, database: psycopg.Connection[Any]) -> None:
    login = people.add(site)["login"]
    for change in (
        "UPDATE sessions SET seen_at = seen_at - interval '61 min' WHERE id = %s",
        "UPDATE sessions SET expires_at = floorhub_now() WHERE id = %s",
    ):
        page = people.open_page(site.url, login)
        with closing(page.http):
            session = page.http.get("/api/auth/whoami").json()["sessionId"]
            database.execute(change, (session,))
            until(lambda http=page.http: http.get("/api/auth/whoami").status_code == 401, change)


def test_dangerous_acts_need_the_password_again(site: Site, database: psycopg.Connection[Any]) -> None:
    page = people.open_page(site.url, people.add(site, "admin")["login"])
    client = site.client()
    reboot = {"target": {"clients": [client["id"]]}, "command": {"action": "reboot"}}
    acts = [
        ("POST", "/api/users", {"login": "operator", "role": "viewer"}),
        ("POST", f"/api/clients/{client['id']}/secret", None),
        ("POST", "/api/batches", reboot),
        ("POST", "/api/schedules", {"name": "nightly", "cron": "0 3 * * *", "request": reboot}),
        ("DELETE", f"/api/clients/{client['id']}", None),
    ]
    with closing(page.http):
        session = page.http.get("/api/auth/whoami").json()["sessionId"]
        database.execute(
            "UPDATE sessions SET confirmed_at = confirmed_at - interval '11 min' WHERE id = %s", (session,)
        )
        until(lambda: page.send("POST", "/api/users", json={}).status_code == 403, "it is too long ago")
        for method, path, body in acts:
            assert code(page.send(method, path, json=body)) == (403, "confirm_password"), path
        assert page.send("POST", "/api/batches", json={**reboot, "dry_run": True}).status_code == 200
        assert code(page.send("POST", "/api/auth/confirm", json={"password": "wrong"})) == (403, "wrong_password")
        assert page.send("POST", "/api/auth/confirm", json={"password": PASSWORD}).status_code == 204
        for method, path, body in acts:
            assert page.send(method, path, json=body).status_code in (200, 201), path
