"""The API does what its own description says: no status that is not described, no answer of another shape, no fault."""

import base64
from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from tests.support.examples import examples
from tests.support.hubs import routes
from tests.support.site import NOWHERE, Site

pytestmark = [pytest.mark.own_site("makes schedules and batches for everybody"), pytest.mark.hypothesis]


@schemathesis.serializer("application/pdf", "image/jpeg", "image/png")
def _as_it_is(ctx: object, value: object) -> bytes:
    """A document's body is bytes; what they mean is nobody's affair here."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


load_all_checks()
HELD_TO = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
STREAM = "/api/events/{client_id}"
OPERATIONS = sorted((method, route.path) for route in routes() if route.include_in_schema for method in route.methods)


@pytest.fixture(scope="module")
def described(site: Site) -> Any:
    return schemathesis.openapi.from_url(f"{site.url}/openapi.json")


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def real(site: Site) -> dict[str, list[str]]:
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
        "authorization": [f"Bearer {site.key}"] * 4 + [f"Basic {basic}"] * 2 + ["Bearer wrong", ""],
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
    # What fits the description, and what does not (nothing, for an operation that takes no input).
    right = described[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = described[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @seed(1)
    @settings(
        max_examples=examples(80),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=right | wrong, data=st.data())
    def ask(case: Any, data: st.DataObject) -> None:
        for name in case.path_parameters or {}:
            if name in real and data.draw(st.integers(0, 3)):
                case.path_parameters[name] = data.draw(st.sampled_from(real[name]))
        if isinstance(case.body, dict) and "client_id" in case.body:
            case.body["client_id"] = data.draw(st.sampled_from(real["client_id"]))
        if case.query and "wait" in case.query:
            case.query.pop("wait")
        if path == STREAM:  # it would last until somebody hangs up
            case.query = {**(case.query or {}), "most_s": 0}
        case.headers["Authorization"] = data.draw(st.sampled_from(real["authorization"]))
        case.call_and_validate(session=session, checks=HELD_TO, timeout=30)

    ask()
    assert site.hub.process.poll() is None


def test_every_described_operation_is_asked(described: Any) -> None:
    found = {(result.ok().method.upper(), result.ok().path) for result in described.get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize("offset", ["-23:59", "+23:59", "-16:00", "Z"])
def test_a_time_with_an_offset_that_postgres_does_not_read_is_read(site: Site, offset: str) -> None:
    moment = f"2099-10-16T19:40:43{offset}"
    assert site.http.get("/api/commands", params={"created_before": moment}).status_code == 200
    body = {"client_id": site.client()["id"], "action": "open-door", "expires_at": moment}
    assert site.http.post("/api/commands", json=body).status_code == 201
