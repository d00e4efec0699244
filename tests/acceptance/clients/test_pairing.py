"""Codes and enrolment tokens at the API: who gets a secret, and what everybody else hears."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from schemas import signing
from schemas.pairing import BY_ENROLMENT, BY_STRETCHED, BY_TOKEN, commitment_of, fold_code, number_of, stretch
from tests.support import access, plain_http
from tests.support.pairing import Machine, code_for
from tests.support.site import NOWHERE, Site
from tests.support.waiting import until

Row = psycopg.Connection[Any]


@pytest.fixture(autouse=True)
def _no_throttle_of_before(database: Row) -> Iterator[None]:
    yield
    database.execute("DELETE FROM sign_in_failures")


@pytest.fixture
def machine(site: Site) -> Machine:
    return Machine(site)


def new_id() -> str:
    return f"m-{uuid4().hex[:12]}"


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def opens(site: Site, client_id: str, secret: str) -> bool:
    """Whether HTTP takes a client's secret."""
    answer = plain_http.get(f"{site.url}/api/documents/{NOWHERE}", auth=(client_id, secret))
    assert answer.status_code in (401, 404), answer.text
    return answer.status_code == 404


def events(site: Site, kind: str, client_id: str | None = None) -> list[dict[str, Any]]:
    found = site.http.get("/api/security-events", params={"kind": kind}).json()["items"]
    return [each for each in found if client_id in (None, each["client_id"])]


def key_of(
    database: Row, role: str = "operator", *grants: tuple[str, str], reach: str = "granted", **scope: Any
) -> str:
    principal_id = access.at_once(access.principal(database, role, reach))
    for kind, target in grants:
        access.at_once(access.grant(database, principal_id, kind, target))
    return access.at_once(access.key(database, principal_id, **scope))


def http_of(site: Site, key: str) -> httpx.Client:
    return plain_http.client(site.url, headers={"Authorization": f"Bearer {key}"})


# --- one machine -------------------------------------------------------------------------------------------


def test_a_machine_becomes_what_the_code_says(site: Site, machine: Machine) -> None:
    site.http.post("/api/groups", json={"id": f"g-{new_id()}"}).raise_for_status()
    group = site.http.get("/api/groups").json()["items"][-1]["id"]
    policy = {"allowed_actions": ["status"], "rate_limit": 7, "max_commands_per_day": 70}
    made = code_for(site, new_id(), name="새 PC", kind="pda", zone="hall-9", tags=["a3"], groups=[group], **policy)

    answer = machine.claim(made["code"].lower().replace("-", " "), kind="pda")

    assert answer.status_code == 200, answer.text
    given = answer.json()
    client = site.http.get(f"/api/clients/{made['client_id']}").json()
    fields = ("name", "kind", "zone", "tags", "groups", *policy)
    assert {name: client[name] for name in fields} == {
        **policy,
        "name": "새 PC",
        "kind": "pda",
        "zone": "hall-9",
        "tags": ["a3"],
        "groups": [group],
    }
    assert opens(site, client["id"], given["secret"])
    assert (given["hub_url"], given["mqtt_url"], given["ca"]) == (site.url, str(site.stack.mqtt_url), None)
    rows = site.http.get("/api/audit", params={"resource_id": client["id"]}).json()["items"]
    assert [row["action"] for row in rows] == ["client.pair"]
    everything = site.http.get("/api/audit", params={"resource_id": made["id"]}).text + str(rows)
    assert given["secret"] not in everything
    assert made["token"] not in everything


def test_a_code_is_good_once_but_for_the_same_machine(site: Site, machine: Machine) -> None:
    made = code_for(site, new_id())
    first = machine.claim(made["code"]).json()["secret"]

    again = machine.claim(made["code"]).json()
    assert again["client_id"] == made["client_id"]
    assert not opens(site, made["client_id"], first)
    assert opens(site, made["client_id"], again["secret"])

    assert told(Machine(site).claim(made["code"])) == (409, "pairing_used")
    assert told(Machine(site).claim(made["token"], by=BY_TOKEN)) == (409, "pairing_used")
    assert events(site, "pairing_code_used_again", made["client_id"])
    assert opens(site, made["client_id"], again["secret"])


def test_what_was_sent_once_opens_nothing_again(site: Site, machine: Machine) -> None:
    made = code_for(site, new_id())
    body = machine.body(made["code"])
    secret = machine.send(body).json()["secret"]

    assert told(machine.send(body)) == (403, "pairing_proof_wrong")
    assert opens(site, made["client_id"], secret)


@pytest.mark.parametrize("at", ["2026-13-01T00:00:00Z", "6228-83-09T97:05:21Z", "0000-01-01T00:00:00Z"])
def test_a_time_that_there_is_not_is_told(machine: Machine, at: str) -> None:
    answer = machine.claim("7KQ4-M2XD", at=at)
    assert (answer.status_code, [problem["field"] for problem in answer.json()["errors"]]) == (422, ["at"])


@pytest.mark.parametrize("wrong", ["proof", "public_key", "at", "root_key"])
def test_a_machine_must_prove_its_key_for_this_hub_and_this_moment(site: Site, machine: Machine, wrong: str) -> None:
    made = code_for(site, new_id())
    other = Machine(site)
    if wrong == "root_key":
        machine.root_key = other.public_key
    body = machine.body(made["code"])
    if wrong != "root_key":
        body[wrong] = other.body(made["code"], at="2026-01-01T00:00:00Z" if wrong == "at" else None)[wrong]

    assert told(machine.send(body)) == (403, "pairing_proof_wrong")
    assert site.http.get(f"/api/clients/{made['client_id']}").status_code == 404
    assert site.http.get(f"/api/pairings/{made['id']}").json()["tries"] == 1


def test_a_code_that_is_shown_wrongly_too_often_ends(site: Site, machine: Machine) -> None:
    made = code_for(site, new_id())
    for _ in range(10):
        machine.claim(made["token"], by=BY_TOKEN, proof="A" * 86)
    assert told(machine.claim(made["token"], by=BY_TOKEN)) == (409, "pairing_revoked")
    assert site.http.get(f"/api/pairings/{made['id']}").json()["ended_by"] == "tries"


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_is_off_by_a_day_is_told(site: Site, machine: Machine, days: int) -> None:
    made = code_for(site, new_id())
    at = f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    answer = machine.claim(made["code"], at=at)
    assert told(answer) == (403, "pairing_clock_wrong")
    assert at in answer.json()["detail"]


def test_a_code_ends_with_its_time_by_hand_or_with_its_maker(site: Site, machine: Machine, database: Row) -> None:
    expired, revoked = code_for(site, new_id()), code_for(site, new_id())
    database.execute("UPDATE pairings SET expires_at = floorhub_now() WHERE id = %s", (expired["id"],))
    site.http.delete(f"/api/pairings/{revoked['id']}").raise_for_status()
    assert told(machine.claim(expired["code"])) == (409, "pairing_expired")
    assert told(machine.claim(revoked["code"])) == (409, "pairing_revoked")

    key = key_of(database, "operator", ("zone", "hall-1"))
    with http_of(site, key) as http:
        made = http.post("/api/pairings", json={"client_id": new_id(), "zone": "hall-1"}).json()
    database.execute("UPDATE api_keys SET revoked_at = now() WHERE prefix = %s", (key[:12],))
    assert told(machine.claim(made["code"])) == (409, "pairing_maker_may_not")
    assert site.http.get(f"/api/clients/{made['client_id']}").status_code == 404


def test_guessing_is_throttled_and_learns_nothing(site: Site, machine: Machine, database: Row) -> None:
    made = code_for(site, new_id())
    wrong = {told(machine.claim(f"0000-{number:04d}")) for number in range(20)}
    assert wrong == {(404, "pairing_not_found")}

    answer = machine.claim(made["code"])
    assert told(answer) == (429, "too_many_codes")
    assert int(answer.headers["Retry-After"]) > 60
    looked = plain_http.request("POST", f"{site.url}/api/pair/look", json={"code": made["code"]})
    assert told(looked) == (429, "too_many_codes")
    assert events(site, "pairing_guessed")
    assert machine.claim(made["token"], by=BY_TOKEN).status_code == 200, "nobody guesses 256 bits"


def test_a_code_for_another_kind_refuses(site: Site, machine: Machine) -> None:
    made = code_for(site, new_id(), kind="screen")
    assert told(machine.claim(made["code"], kind="pda")) == (409, "pairing_other_kind")
    assert machine.claim(made["code"], kind="screen").json()["kind"] == "screen"


def test_a_link_changes_nothing(site: Site, machine: Machine) -> None:
    made = code_for(site, new_id())
    params = {"screenId": made["client_id"].upper(), "token": made["token"]}
    opened = plain_http.get(f"{site.url}/api/pair", params=params)
    assert opened.status_code == 303
    assert opened.headers["Location"] == f"/pair?screenId={made['client_id']}#token={made['token']}"
    looked = plain_http.request("POST", f"{site.url}/api/pair/look", json={"token": made["token"]})
    assert looked.json()["client_id"] == made["client_id"]
    assert site.http.get(f"/api/pairings/{made['id']}").json()["status"] == "open"
    assert machine.claim(made["token"], by=BY_TOKEN).status_code == 200


# --- in a client's place -----------------------------------------------------------------------------------


def test_another_machine_takes_a_client_s_place_and_the_one_before_is_out(site: Site, machine: Machine) -> None:
    site.client(id="replaced-1", name="Front", zone="hall-3")
    before = Machine(site)
    first = before.claim(code_for(site, "replaced-1", replace=True)["code"]).json()
    old = site.agent({"id": "replaced-1", **first})
    done = site.send("replaced-1", "status", {}, wait=30)
    assert done["status"] == "completed"

    other, made = code_for(site, "replaced-1", replace=True), code_for(site, "replaced-1", replace=True)
    secret = machine.claim(made["code"]).json()["secret"]

    assert not opens(site, "replaced-1", first["secret"])
    until(lambda: site.http.get("/api/clients/replaced-1").json()["presence"] != "online", "the old one is out", 5)
    until(lambda: "Not authorized" in old.tail() or "user name or password" in old.tail(), "it is refused")
    client = site.http.get("/api/clients/replaced-1").json()
    assert (client["name"], client["zone"]) == ("Front", "hall-3")
    assert site.command(done["id"])["status"] == "completed"
    assert told(machine.claim(other["code"])) == (409, "pairing_revoked"), "other codes of the client end"
    assert told(before.claim(made["code"])) == (409, "pairing_used")
    old.stop()
    site.agent({"id": "replaced-1", "secret": secret, "root_key": first["root_key"]})


def test_a_client_that_is_there_is_replaced_on_purpose_only(site: Site) -> None:
    site.client(id="there-1")
    site.client(id="gone-1")
    site.http.delete("/api/clients/gone-1").raise_for_status()
    site.client(id="off-1")
    site.http.post("/api/clients/off-1/disable").raise_for_status()

    def ask(client_id: str, **fields: Any) -> tuple[int, str]:
        return told(site.http.post("/api/pairings", json={"client_id": client_id, **fields}))

    assert ask("there-1") == (409, "client_exists")
    assert ask("gone-1") == (409, "client_exists")
    assert ask("gone-1", replace=True) == (404, "client_retired")
    assert ask("off-1", replace=True)[1] == "client_disabled"
    assert ask(new_id(), replace=True) == (404, "client_not_found")
    refused = site.http.post("/api/pairings", json={"client_id": "there-1", "replace": True, "zone": "a"})
    assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [("zone", "kept_by_replace")]


def test_two_codes_of_one_new_client_connect_one_machine(site: Site, machine: Machine) -> None:
    client_id = new_id()
    first, second = code_for(site, client_id), code_for(site, client_id)
    assert machine.claim(first["code"]).status_code == 200
    assert told(Machine(site).claim(second["code"])) == (409, "pairing_revoked")


# --- who may --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("replace", [True, False])
def test_of_codes_that_are_used_at_once_one_counts(site: Site, *, replace: bool) -> None:
    client_id = new_id()
    if replace:
        site.client(id=client_id)
    made = [code_for(site, client_id, **({"replace": True} if replace else {}))["token"] for _ in range(4)]
    machines = [Machine(site) for _ in made]
    with ThreadPoolExecutor(len(made)) as pool:
        answers = list(pool.map(lambda machine, token: machine.claim(token, by=BY_TOKEN), machines, made))
    assert sorted(map(told, answers)) == [(200, ""), *[(409, "pairing_revoked")] * (len(made) - 1)]
    (secret,) = (each.json()["secret"] for each in answers if each.status_code == 200)
    assert opens(site, client_id, secret)


def test_a_zone_s_people_connect_machines_there_and_nowhere_else(site: Site, database: Row, machine: Machine) -> None:
    group = f"g-{new_id()}"
    site.http.post("/api/groups", json={"id": group}).raise_for_status()
    site.client(id="theirs-1", zone="hall-b")
    with http_of(site, key_of(database, "operator", ("zone", "hall-a"))) as http:

        def wrong(**fields: Any) -> list[tuple[str, str]]:
            answer = http.post("/api/pairings", json={"client_id": new_id(), **fields})
            enrol = {"name": "many", "naming": "x-{n}", "count": 2, **fields}
            assert answer.status_code == http.post("/api/enrolments", json=enrol).status_code == 422
            return [(each["field"], each["code"]) for each in answer.json()["errors"]]

        outside = "outside_your_reach"
        assert wrong() == [("zone", outside)]
        assert wrong(zone="hall-b") == [("zone", outside)]
        assert wrong(zone="hall-a", groups=[group]) == [("groups[0]", outside)]
        assert wrong(zone="hall-a", tags=["x"]) == [("tags[0]", outside)]
        taken = http.post("/api/pairings", json={"client_id": "theirs-1", "replace": True})
        assert told(taken) == (404, "client_not_found")

        made = http.post("/api/pairings", json={"client_id": new_id(), "zone": "hall-a"}).json()
        foreign = code_for(site, new_id())
        assert [each["id"] for each in http.get("/api/pairings").json()["items"]] == [made["id"]]
        assert http.get(f"/api/pairings/{foreign['id']}").status_code == 404
        assert http.delete(f"/api/pairings/{foreign['id']}").status_code == 404
    assert machine.claim(made["code"]).status_code == 200


def test_a_narrow_key_connects_machines_within_its_scope(site: Site, database: Row) -> None:
    targets = [("zone", "hall-a")]
    key = key_of(database, "admin", reach="all", permissions=["pair"], targets=targets)
    with http_of(site, key) as http:
        assert http.post("/api/pairings", json={"client_id": new_id(), "zone": "hall-b"}).status_code == 422
        assert http.post("/api/pairings", json={"client_id": new_id(), "zone": "hall-a"}).status_code == 201
    with http_of(site, key_of(database, "viewer", reach="all")) as http:
        assert told(http.post("/api/pairings", json={"client_id": new_id()})) == (403, "forbidden")


# --- a hub that is not known ------------------------------------------------------------------------------------


class Stranger:
    """A machine that cannot tell whether it speaks to the hub."""

    def __init__(self, machine: Machine, code: str) -> None:
        self.machine = machine
        self.credential = stretch(str(fold_code(code)), machine.root_key)
        self.opening = secrets.token_urlsafe(32)

    def ask(self, *, opened: bool = True) -> httpx.Response:
        more = {"opening": self.opening} if opened else {}
        commitment = commitment_of(self.opening)
        return self.machine.claim(self.credential, by=BY_STRETCHED, commitment=commitment, **more)

    def number(self) -> str:
        nonce = self.ask(opened=False).json()["nonce"]
        machine = self.machine
        number = number_of(
            root_key=machine.root_key, ca="", public_key=machine.public_key, opening=self.opening, nonce=nonce
        )
        assert self.ask().json()["number"] == number
        return number


def test_without_a_fingerprint_a_person_compares_numbers_first(site: Site, machine: Machine) -> None:
    made = code_for(site, new_id())
    stranger = Stranger(machine, made["code"])
    number = stranger.number()
    path = f"/api/pairings/{made['id']}"
    assert (site.http.get(path).json()["status"], site.http.get(path).json()["number"]) == ("confirm", number)
    assert site.http.get(f"/api/clients/{made['client_id']}").status_code == 404

    other = f"{(int(number) + 1) % 1_000_000:06d}"
    assert told(site.http.post(f"{path}/confirm", json={"number": other})) == (403, "pairing_number_wrong")
    assert events(site, "pairing_number_wrong", made["client_id"])
    assert stranger.ask().status_code == 202
    assert site.http.post(f"{path}/confirm", json={"number": number}).status_code == 200

    assert told(Stranger(Machine(site), made["code"]).ask(opened=False)) == (409, "pairing_used")
    given = stranger.ask()
    assert given.status_code == 200
    assert opens(site, made["client_id"], given.json()["secret"])


def test_whoever_stands_between_gets_another_number_and_no_secret(site: Site, machine: Machine) -> None:
    made = code_for(site, new_id())
    stranger = Stranger(machine, made["code"])
    number = stranger.number()
    between = Stranger(Machine(site), made["code"])
    theirs = between.number()
    path = f"/api/pairings/{made['id']}"
    if theirs != number:  # but for one of a million
        assert told(site.http.post(f"{path}/confirm", json={"number": number})) == (403, "pairing_number_wrong")
    site.http.delete(path).raise_for_status()
    assert told(between.ask()) == (409, "pairing_revoked")
    assert told(stranger.ask()) == (409, "pairing_revoked")


def test_who_opens_another_commitment_is_refused(site: Site, machine: Machine) -> None:
    stranger = Stranger(machine, code_for(site, new_id())["code"])
    stranger.ask(opened=False)
    commitment = commitment_of(stranger.opening)
    answer = machine.claim(stranger.credential, by=BY_STRETCHED, commitment=commitment, opening="A" * 43)
    assert told(answer) == (403, "pairing_proof_wrong")


# --- many machines ------------------------------------------------------------------------------------------------


def enrolment_for(site: Site, **fields: Any) -> dict[str, Any]:
    answer = site.http.post("/api/enrolments", json={"name": "many", "naming": "en-{n}", "count": 2, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_an_enrolment_token_counts_its_machines(site: Site, machine: Machine) -> None:
    rule = f"e{uuid4().hex[:8]}"
    site.client(id=f"{rule}-1")
    made = enrolment_for(site, naming=f"{rule}-{{n}}", kind="pda", zone="hall-7")
    first = machine.claim(made["token"], by=BY_ENROLMENT).json()
    again = machine.claim(made["token"], by=BY_ENROLMENT).json()
    second = Machine(site).claim(made["token"], by=BY_ENROLMENT, host="x").json()

    assert first["client_id"] == again["client_id"] == f"{rule}-2", "1 is taken"
    assert not opens(site, first["client_id"], first["secret"])
    assert opens(site, first["client_id"], again["secret"])
    assert second["client_id"] == f"{rule}-3"
    assert site.http.get(f"/api/clients/{rule}-3").json()["zone"] == "hall-7"
    assert told(Machine(site).claim(made["token"], by=BY_ENROLMENT)) == (409, "enrolment_over")
    assert machine.claim(made["token"], by=BY_ENROLMENT).status_code == 200, (
        "an answer of the last one may be lost, too"
    )
    path = f"/api/enrolments/{made['id']}"
    assert (site.http.get(path).json()["used"], site.http.get(path).json()["status"]) == (2, "full")
    assert site.http.delete(path).json()["status"] == "revoked"
    assert told(machine.claim(made["token"], by=BY_ENROLMENT)) == (409, "enrolment_over")
    assert opens(site, second["client_id"], second["secret"])


def test_enrolled_machines_may_be_called_by_their_names(site: Site) -> None:
    rule = f"h{uuid4().hex[:8]}"
    made = enrolment_for(site, naming=f"{rule}-{{host}}", count=9)

    def enrol(host: str) -> httpx.Response:
        return Machine(site).claim(made["token"], by=BY_ENROLMENT, host=host)

    assert enrol("PC_07.shop.example").json()["client_id"] == f"{rule}-pc-07"
    assert told(enrol("pc-07")) == (409, "client_exists")
    assert told(enrol("현관")) == (409, "enrolment_needs_host")
    assert told(Machine(site).claim("fhe_" + "0" * 49, by=BY_ENROLMENT)) == (404, "enrolment_not_found")


def test_a_replaced_machine_cannot_enrol_itself_back(site: Site, machine: Machine) -> None:
    made = enrolment_for(site, naming=f"r{uuid4().hex[:8]}-{{n}}")
    client_id = machine.claim(made["token"], by=BY_ENROLMENT).json()["client_id"]
    secret = Machine(site).claim(code_for(site, client_id, replace=True)["code"]).json()["secret"]
    assert told(machine.claim(made["token"], by=BY_ENROLMENT)) == (409, "enrolment_replaced")
    assert opens(site, client_id, secret)


def test_a_replaced_machine_cannot_pair_itself_back(site: Site, machine: Machine) -> None:
    made = code_for(site, new_id())
    machine.claim(made["code"])
    client_id = machine.claim(made["code"]).json()["client_id"]
    secret = Machine(site).claim(code_for(site, client_id, replace=True)["code"]).json()["secret"]
    assert told(machine.claim(made["code"])) == (409, "pairing_revoked")
    assert told(machine.claim(made["token"], by=BY_TOKEN)) == (409, "pairing_revoked")
    assert opens(site, client_id, secret)


def test_a_refused_machine_leaves_no_trace_of_a_client(site: Site, machine: Machine, database: Row) -> None:
    made = enrolment_for(site)
    assert told(machine.claim(made["token"], by=BY_ENROLMENT, proof="A" * 86)) == (403, "pairing_proof_wrong")
    assert site.http.get(f"/api/enrolments/{made['id']}").json()["used"] == 0
    for table in ("pairings", "enrolments"):
        text = str(database.execute(f"SELECT * FROM {table}").fetchall())  # type: ignore[arg-type]  # noqa: S608
        assert made["token"] not in text


def test_a_machine_gets_certificates_for_its_own_key_only(site: Site, machine: Machine) -> None:
    client_id = new_id()
    connected = machine.claim(code_for(site, client_id)["code"]).json()
    path = f"{site.url}/api/clients/{client_id}/certificate"

    def renewed(secret: str, name: str = client_id, url: str = path) -> httpx.Response:
        return plain_http.request("POST", url, auth=(name, secret))

    first = x509.load_pem_x509_certificate(connected["certificate"].encode())
    again = renewed(connected["secret"]).json()
    second = x509.load_pem_x509_certificate(again["certificate"].encode())
    for certificate, ends in ((first, connected["certificate_expires_at"]), (second, again["expires_at"])):
        key = certificate.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)  # type: ignore[union-attr]
        assert key == signing.decode_key(machine.public_key)
        assert certificate.subject.rfc4514_string() == f"CN={client_id}"
        assert certificate.not_valid_after_utc == datetime.fromisoformat(ends)
        assert timedelta(days=29) < certificate.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=30)
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usages) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert first.serial_number != second.serial_number

    added = site.client()
    assert told(renewed(added["secret"], added["id"])) == (403, "not_your_client")
    theirs = f"{site.url}/api/clients/{added['id']}/certificate"
    assert told(renewed(added["secret"], added["id"], theirs)) == (409, "client_has_no_key")

    another = Machine(site)
    replaced = another.claim(code_for(site, client_id, replace=True)["code"]).json()
    assert told(renewed(connected["secret"])) == (401, "unauthorized")
    newest = x509.load_pem_x509_certificate(renewed(replaced["secret"]).json()["certificate"].encode())
    key = newest.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)  # type: ignore[union-attr]
    assert key == signing.decode_key(another.public_key)
    site.http.post(f"/api/clients/{client_id}/disable").raise_for_status()
    assert renewed(replaced["secret"]).status_code in (401, 403)
