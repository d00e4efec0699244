"""The audit trail over the API and the command line, of a hub whose role at Postgres cannot change it."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from hub.programs.cli.main import app
from tests.support.cli import floorhub, run
from tests.support.site import Site
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("changes the trail of the site")


@pytest.fixture(scope="module")
def changed(site: Site) -> str:
    """A client that was changed, whose name a spreadsheet would run."""
    made = site.http.post("/api/clients", json={"id": "audited", "kind": "pda", "name": "=1+1"})
    assert made.status_code == 201, made.text
    assert site.http.patch("/api/clients/audited", json={"zone": "hall", "tags": ["a"]}).status_code == 200
    assert site.http.post("/api/clients/audited/disable").status_code == 200
    until(lambda: site.http.get("/api/audit/verify").json()["unsealed"] == 0, "the sealer has been here")
    return "audited"


def test_a_change_is_listed_with_who_and_before_and_after(site: Site, changed: str) -> None:
    page = site.http.get("/api/audit", params={"resource": "client", "resource_id": changed}).json()
    assert [item["action"] for item in page["items"]] == ["client.disable", "client.update", "client.create"]
    disabled, updated, created = page["items"]
    assert disabled["detail"] == {"before": {"status": "active"}, "after": {"status": "disabled"}}
    assert updated["detail"]["before"] == {"tags": [], "zone": None}
    assert updated["detail"]["after"] == {"tags": ["a"], "zone": "hall"}
    assert created["detail"]["after"]["name"] == "=1+1"
    assert updated["principal"]
    assert updated["address"] == "127.0.0.1"
    assert "secret" not in json.dumps(page)
    assert site.http.get(f"/api/audit/{updated['id']}").json() == updated


def test_filters_and_pages_find_the_same(site: Site, changed: str) -> None:
    def found(**wanted: Any) -> list[int]:
        ids, cursor = [], None
        while True:
            query = {**wanted, "limit": 1} | ({"cursor": cursor} if cursor else {})
            page = site.http.get("/api/audit", params=query).json()
            ids += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return ids

    updates = found(action="client.update", resource_id=changed)
    assert len(updates) == 1
    who = site.http.get(f"/api/audit/{updates[0]}").json()
    assert found(text="HALL", resource_id=changed) == updates
    assert found(principal=who["principal"], action="client.update", resource_id=changed) == updates
    assert found(principal=who["principal_id"], action="client.update", resource_id=changed) == updates
    assert found(since=who["at"], until="2199-01-01T00:00:00Z", resource_id=changed)[-1] == updates[0]
    assert found(principal="nobody-of-that-name") == []
    assert found(address="192.0.2.99") == []


def test_an_export_has_all_rows_and_no_formula(site: Site, changed: str, tmp_path: Path) -> None:
    file = tmp_path / "audit.csv"
    done = floorhub(site, "audit", "export", str(file), "--format", "csv", "--resource-id", changed)
    assert done["bytes"] == file.stat().st_size
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["action"] for row in rows] == ["client.create", "client.update", "client.disable"]
    lines = site.http.get("/api/audit/export", params={"resource_id": changed}).text.splitlines()
    assert [json.loads(line)["action"] for line in lines] == [row["action"] for row in rows]
    exports = floorhub(site, "audit", "list", "--action", "audit.export")
    assert len(exports) == 2


def test_a_row_about_a_person_or_an_integration_has_the_name(site: Site, changed: str) -> None:
    made = site.http.post("/api/users", json={"login": "audited.soo", "name": "수지", "role": "viewer"}).json()
    assert site.http.patch(f"/api/users/{made['id']}", json={"name": "Suzy"}).status_code == 200
    wms = {"name": "audited-wms", "role": "viewer", "key": {}}
    integration = site.http.post("/api/integrations", json=wms).json()["integration"]

    def names(resource_id: str) -> set[str | None]:
        return {row["resource_name"] for row in floorhub(site, "audit", "list", "--resource-id", resource_id)}

    assert names(made["id"]) == {"Suzy"}
    assert names(integration["id"]) == {"audited-wms"}
    assert names(changed) == {None}
    table = run(site, "audit", "list", "--resource-id", made["id"]).output
    assert "user Suzy" in table
    assert made["id"] not in table
    [row, _] = floorhub(site, "audit", "list", "--resource-id", made["id"])
    shown = run(site, "audit", "show", str(row["id"])).output
    assert "user Suzy" in shown
    assert made["id"] in shown


def test_only_who_may_audit_sees_it(site: Site) -> None:
    for path in ("", "/1", "/export", "/verify"):
        assert site.http.get(f"/api/audit{path}", headers={"Authorization": "Bearer x"}).status_code == 401


def test_the_hub_s_role_cannot_change_the_trail(site: Site, changed: str) -> None:
    assert changed
    with psycopg.connect(site.stack.hub_database_url, autocommit=True) as connection:
        for table in ("audit_logs", "audit_seals"):
            for statement in ("DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET at = now()"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.format(table).encode())
        with pytest.raises(psycopg.errors.RaiseException):
            connection.execute(b"SELECT floorhub_audit_cut(1)")


def test_tampering_is_named_by_hub_and_command_line(site: Site, changed: str) -> None:
    assert floorhub(site, "audit", "verify")["intact"]
    [row] = floorhub(site, "audit", "list", "--action", "client.disable", "--resource-id", changed)
    with psycopg.connect(site.stack.database_url, autocommit=True) as owner:
        owner.execute("UPDATE audit_logs SET action = 'client.enable' WHERE id = %s", (row["id"],))
    found = site.http.get("/api/audit/verify", headers={"Accept-Language": "ko"}).json()
    assert (found["intact"], found["problems"][0]["code"], found["problems"][0]["row"]) == (
        False,
        "row_edited",
        row["id"],
    )
    assert "변경" in found["problems"][0]["message"]
    said = run(site, "audit", "verify")
    assert said.exit_code == 1
    assert f"Row {row['id']} was changed" in said.output
    environment = {"FLOORHUB_DATABASE_URL": "", "FLOORHUB_DATA_DIR": "", "LANG": "C"}
    offline = ("audit", "verify", "--database-url", site.stack.database_url, "--public-key", found["public_key"])
    alone = CliRunner().invoke(app, [*offline, "--json"], env=environment)
    assert alone.exit_code == 1, alone.output
    assert json.loads(alone.stdout)["problems"][0]["row"] == row["id"]
    with psycopg.connect(site.stack.database_url, autocommit=True) as owner:
        owner.execute("UPDATE audit_logs SET action = 'client.disable' WHERE id = %s", (row["id"],))
    assert floorhub(site, "audit", "verify")["intact"]


def test_security_events_are_listed(site: Site) -> None:
    with psycopg.connect(site.stack.database_url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO security_events (at, kind, severity, address) VALUES (now(), 'probe', 'critical', '192.0.2.1')"
        )
    [event] = floorhub(site, "security", "list", "--kind", "probe")
    assert (event["severity"], event["number"], event["address"]) == ("critical", 1, "192.0.2.1")
    assert floorhub(site, "security", "list", "--kind", "probe", "--severity", "info") == []


def test_a_person_s_data_is_erased_and_the_trail_stays_whole(site: Site) -> None:
    with psycopg.connect(site.stack.database_url, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO principals (id, kind, name, role, created_at) "
            "VALUES ('01890a5d-ac96-774b-bcce-b302099a8057', 'user', 'kim-min', 'viewer', now())"
        )
        owner.execute(
            "INSERT INTO users (principal_id, login, updated_at) "
            "VALUES ('01890a5d-ac96-774b-bcce-b302099a8057', 'kim-min', now())"
        )
        owner.execute(
            "INSERT INTO audit_logs (at, principal_id, action, resource, address) "
            "VALUES (now(), '01890a5d-ac96-774b-bcce-b302099a8057', 'user.sign_in', 'user', '192.0.2.77')"
        )
        until(lambda: site.http.get("/api/audit/verify").json()["unsealed"] == 0, "it is sealed")
        refused = run(site, "audit", "erase", "--principal", "kim-min", "--yes")
        assert refused.exit_code == 5, refused.output
        owner.execute("UPDATE principals SET disabled_at = now() WHERE name = 'kim-min'")
        assert floorhub(site, "audit", "erase", "--principal", "kim-min", "--yes")["rows"] == 1
        assert "192.0.2.77" not in site.http.get("/api/audit").text
        assert "kim-min" not in site.http.get("/api/audit").text
    assert [
        each["login"] for each in floorhub(site, "user", "list") if each["login"].startswith(("erased", "kim"))
    ] == []
    left = [each for each in floorhub(site, "user", "list", "--all") if each["login"].startswith("erased")]
    assert [each["name"] for each in left] == ["erased-01890a5d-ac96-774b-bcce-b302099a8057"]
    until(lambda: site.http.get("/api/audit/verify").json()["unsealed"] == 0, "the erasure is sealed")
    found = floorhub(site, "audit", "verify")
    assert (found["intact"], found["erased"]) == (True, 1), found["problems"]
