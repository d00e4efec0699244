"""The audit has the address of the connection; a header changes it only where a proxy is trusted."""

from typing import Any

import psycopg
import pytest

from tests.support import plain_http
from tests.support.site import Site

HEADERS = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}


@pytest.mark.parametrize(("trusted", "right"), [("", "127.0.0.1"), ("127.0.0.1", "203.0.113.9")])
def test_the_address_of_an_audit_row(site: Site, database: psycopg.Connection[Any], trusted: str, right: str) -> None:
    name = "trusting" if trusted else "plain"
    site.add_hub(name, FLOORHUB_TRUSTED_PROXIES=trusted, FORWARDED_ALLOW_IPS="*")
    site.wait_ready(name)
    client = site.client()
    with plain_http.client(site.hub_url(name), headers={"Authorization": f"Bearer {site.key}", **HEADERS}) as http:
        assert http.patch(f"/api/clients/{client['id']}", json={"zone": "a"}).status_code == 200
        posted = http.post("/api/commands", json={"client_id": client["id"], "action": "status"})
        assert http.post(f"/api/commands/{posted.json()['id']}/cancel").status_code == 200

    rows = database.execute(
        "SELECT action, address FROM audit_logs WHERE resource_id = ANY(%s)",
        ([client["id"], posted.json()["id"]],),
    ).fetchall()
    addresses = dict(row for row in rows if row[0] != "client.create")
    assert len(addresses) >= 2
    assert set(addresses.values()) == {right}
