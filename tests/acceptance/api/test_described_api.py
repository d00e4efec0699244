"""The API does what its own description says: no status that is not described, no answer of another shape, no fault."""

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import requests
import schemathesis

from hub.keys import new_api_key
from tests.support.described_api import OPERATIONS, ask_operation
from tests.support.examples import examples
from tests.support.site import NOWHERE, Site

pytestmark = [pytest.mark.own_site("makes schedules and batches for everybody"), pytest.mark.hypothesis]


REQUESTS = int(os.environ.get("FLOORHUB_TEST_ROLE_REQUESTS", "0"))
"""Of each role; 0: a few."""
GROWTH_MIB = 48
"""What pools and caches may still take after the first half of the requests."""
ROLES = {
    "admin": ("user", "admin", "all"),
    "operator": ("user", "operator", "all"),
    "viewer": ("user", "viewer", "all"),
    "integration": ("integration", "operator", "granted"),
    "stranger": None,
}


@pytest.fixture(scope="module")
def described(site: Site) -> Any:
    return schemathesis.openapi.from_url(f"{site.url}/openapi.json")


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def real(site: Site, keys: dict[str, str]) -> dict[str, list[str]]:
    """Values of parameters that name something, by the parameter's name."""
    client = site.client()
    command = site.send(client["id"], "open-door", {})
    letter = site.send(client["id"], "open-door", {}, expires_in_s=0.01)
    site.wait_status(letter["id"], "expired")
    batch = site.http.post("/api/batches", json={"target": {"all": True}, "command": {"action": "open-door"}}).json()
    body = {
        "name": "real",
        "cron": "0 7 1 1 *",
        "request": {"target": {"all": True}, "command": {"action": "open-door"}},
    }
    schedule = site.http.post("/api/schedules", json=body).json()
    site.http.post("/api/groups", json={"id": "some", "clients": [client["id"]]})
    basic = base64.b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
    return {
        "client_id": [client["id"], "nobody"],
        "command_id": [command["id"], letter["id"], NOWHERE],
        "batch_id": [batch["id"], NOWHERE],
        "schedule_id": [schedule["id"], NOWHERE],
        "group_id": ["some", "none"],
        "document_id": [site.upload()["id"], NOWHERE],
        "authorization": [f"Bearer {site.key}"] * 4 + [f"Basic {basic}"] * 2 + [*keys.values(), ""],
    }


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value)
def test_an_operation_keeps_to_its_description(
    site: Site,
    described: Any,
    session: requests.Session,
    real: dict[str, list[str]],
    method: str,
    path: str,
) -> None:
    ask_operation(described, session, real, method, path, examples(80))
    assert site.hub.process.poll() is None


@pytest.fixture(scope="module")
def keys(site: Site) -> dict[str, str]:
    """The header `Authorization` of each role."""
    found = {"stranger": "Bearer wrong"}
    with psycopg.connect(site.stack.database_url, autocommit=True) as connection:
        for name, principal in ROLES.items():
            if principal is None:
                continue
            who, key = uuid4(), new_api_key()
            kind, role, reach = principal
            connection.execute(
                "INSERT INTO principals (id, kind, name, role, reach, created_at) VALUES (%s, %s, %s, %s, %s, now())",
                (who, kind, f"described-{name}", role, reach),
            )
            connection.execute(
                "INSERT INTO api_keys (id, principal_id, prefix, sha256, created_at) VALUES (%s, %s, %s, %s, now())",
                (uuid4(), who, key.prefix, key.sha256),
            )
            found[name] = f"Bearer {key.text}"
    return found


def memory_mib(site: Site) -> float:
    """What the hub's process has of its own."""
    text = Path(f"/proc/{site.hub.process.pid}/status").read_text()
    found = re.search(r"^RssAnon:\s+(\d+) kB", text, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_is_described(
    site: Site, described: Any, session: requests.Session, keys: dict[str, str], role: str
) -> None:
    client = site.client()
    command = site.send(client["id"], "open-door", {})
    values = {
        "client_id": [client["id"], "nobody"],
        "command_id": [command["id"], NOWHERE],
        "document_id": [site.upload()["id"], NOWHERE],
        "authorization": [keys[role]],
    }
    # Once to warm up, and again to see whether memory grows.
    # A quarter more than its share: an operation that takes nothing has only one request.
    share = -(-REQUESTS // len(ROLES))
    each = max(1, -(-5 * share // (4 * 2 * len(OPERATIONS))))
    asked, after = 0, list[float]()
    # Without a number, every tenth operation: among all roles nearly each second one.
    chosen = OPERATIONS if REQUESTS else OPERATIONS[2 * list(ROLES).index(role) :: 10]
    for _ in range(2):
        asked += sum(ask_operation(described, session, values, method, path, each) for method, path in chosen)
        after.append(memory_mib(site))
    assert site.hub.process.poll() is None
    log = site.hub.log.read_text(errors="replace")
    assert "Traceback" not in log
    assert '"http.failed"' not in log
    assert asked >= max(share, 2 * len(chosen))
    assert after[-1] - after[0] < GROWTH_MIB


def test_every_described_operation_is_asked(described: Any) -> None:
    found = {(result.ok().method.upper(), result.ok().path) for result in described.get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize("offset", ["-23:59", "+23:59", "-16:00", "Z"])
def test_a_time_with_an_offset_that_postgres_does_not_read_is_read(site: Site, offset: str) -> None:
    moment = f"2099-10-16T19:40:43{offset}"
    assert site.http.get("/api/commands", params={"created_before": moment}).status_code == 200
    body = {"client_id": site.client()["id"], "action": "open-door", "expires_at": moment}
    assert site.http.post("/api/commands", json=body).status_code == 201
