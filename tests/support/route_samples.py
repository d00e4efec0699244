"""For each route, how a test asks it: about which thing, with what body. A new route needs a sample here."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.shops import TEXT

Body = Callable[[str], Any]
"""From the id of the thing to the JSON of the request."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How to ask a route. Without `thing` it is about nothing in particular, or is a list."""

    thing: str | None = None
    """The kind of thing that it is about: a method of `Things`."""
    named: str | None = None
    """The parameter of the path that names it; None: the body does."""
    json: Body | None = None
    query: Mapping[str, Any] | None = None
    content: bytes | None = None
    listed: str | None = None
    """The kind of things that the answer lists by id."""
    all_clients: bool = False
    """Only for who reaches all clients."""
    several: bool = False
    """Answers for each of several things, so that it also succeeds when there is none of them."""
    reader: bool = False
    """For a client's own secret, but also for whoever may read."""
    of_people: bool = False
    """About people, keys, grants and the audit trail, which stand at no client."""
    refuses: bool = False
    """A secret that nobody knows by being who he is opens it: to everybody it says no."""
    elsewhere: str | None = None
    """The test that asks it, where a sign-in is needed."""
    answers: int | None = None
    """What its success looks like, where that is none of 2xx."""


def fixed(**body: Any) -> Body:
    """A body that names nothing."""
    return lambda _: body


def new_id(_: str) -> dict[str, Any]:
    """A body with an id that nothing has."""
    return {"id": f"n-{uuid.uuid4().hex[:12]}"}


PASSWORD = "plenty of words for one"
COMMAND = {"action": "open-door"}

SAMPLES: Mapping[str, Sample] = {
    # documents
    "POST /api/documents": Sample(content=TEXT),
    "GET /api/documents/{document_id}": Sample(thing="document", named="document_id", reader=True),
    "GET /api/downloads/{token}": Sample(thing="download", named="token"),
    "POST /api/commands/{command_id}/uploads": Sample(thing="handed_out", named="command_id"),
    "PUT /api/uploads/{token}": Sample(thing="upload", named="token", content=TEXT),
    # commands
    "POST /api/commands": Sample(thing="client_id", json=lambda one: {"client_id": one, **COMMAND}),
    "GET /api/commands": Sample(listed="command"),
    "GET /api/commands/{command_id}": Sample(thing="command", named="command_id"),
    "GET /api/commands/{command_id}/logs": Sample(thing="command", named="command_id"),
    "GET /api/commands/{command_id}/explain": Sample(thing="command", named="command_id"),
    "POST /api/commands/{command_id}/cancel": Sample(thing="command", named="command_id"),
    # clients
    "POST /api/clients": Sample(json=new_id, all_clients=True),
    "POST /api/clients/import": Sample(json=lambda _: {"clients": [new_id("")]}, all_clients=True),
    "GET /api/broker": Sample(all_clients=True),
    "POST /api/broker/restart": Sample(all_clients=True, answers=409),
    "GET /api/clients": Sample(listed="client_id"),
    "GET /api/clients/{client_id}": Sample(thing="client_id", named="client_id"),
    "GET /api/clients/{client_id}/history": Sample(thing="client_id", named="client_id"),
    "GET /api/clients/{client_id}/permissions": Sample(thing="client_id", named="client_id"),
    "PATCH /api/clients/{client_id}": Sample(thing="client", named="client_id", json=fixed(name="Renamed")),
    "DELETE /api/clients/{client_id}": Sample(thing="client", named="client_id"),
    "POST /api/clients/{client_id}/disable": Sample(thing="client", named="client_id"),
    "POST /api/clients/{client_id}/enable": Sample(thing="client", named="client_id"),
    "POST /api/clients/{client_id}/secret": Sample(thing="client", named="client_id"),
    "POST /api/clients/{client_id}/unfence": Sample(thing="client", named="client_id"),
    "PATCH /api/clients/{client_id}/permissions": Sample(
        thing="client", named="client_id", json=fixed(rate_limit=100_000)
    ),
    "PATCH /api/permissions": Sample(
        thing="client", json=lambda one: {"target": {"clients": [one]}, "rate_limit": 100_000}
    ),
    # pairing
    "POST /api/pairings": Sample(json=lambda _: {"client_id": f"n-{uuid.uuid4().hex[:12]}", "zone": "mine"}),
    "GET /api/pairings": Sample(of_people=True),
    "POST /api/enrolments": Sample(json=fixed(name="many", naming="m-{n}", count=1, zone="mine")),
    "GET /api/enrolments": Sample(of_people=True),
    **{
        route: Sample(elsewhere="tests/acceptance/clients/test_pairing.py")
        for route in (
            "GET /api/pairings/{pairing_id}",
            "POST /api/pairings/{pairing_id}/confirm",
            "DELETE /api/pairings/{pairing_id}",
            "GET /api/enrolments/{enrolment_id}",
            "DELETE /api/enrolments/{enrolment_id}",
        )
    },
    "GET /api/pair": Sample(answers=303),
    "GET /api/pair/hub": Sample(),
    "POST /api/pair/look": Sample(json=fixed(code="0000-0000"), refuses=True),
    "POST /api/pair": Sample(
        json=fixed(
            token="fhp_wrong",
            public_key="A" * 43,
            at="2026-11-30T08:00:00Z",
            proof="A" * 86,
            agent={"name": "a", "version": "1"},
        ),
        refuses=True,
    ),
    # groups
    "POST /api/groups": Sample(json=new_id, all_clients=True),
    "GET /api/groups": Sample(listed="group"),
    "GET /api/groups/{group_id}": Sample(thing="group", named="group_id"),
    "GET /api/groups/{group_id}/members": Sample(thing="group", named="group_id"),
    "PATCH /api/groups/{group_id}": Sample(
        thing="group", named="group_id", json=fixed(name="Renamed"), all_clients=True
    ),
    "DELETE /api/groups/{group_id}": Sample(thing="group", named="group_id", all_clients=True),
    "POST /api/groups/{group_id}/members": Sample(
        thing="group", named="group_id", json=fixed(remove=["nobody"]), all_clients=True
    ),
    # clients without MQTT
    "GET /api/events/subscribe": Sample(reader=True, answers=404),
    "GET /api/events/{client_id}": Sample(thing="client_id", named="client_id", query={"session": "one", "most_s": 0}),
    "GET /api/clients/{client_id}/commands": Sample(thing="client_id", named="client_id", query={"session": "one"}),
    "POST /api/clients/{client_id}/certificate": Sample(thing="client_id", named="client_id", answers=409),
    "POST /api/clients/{client_id}/ping": Sample(thing="client_id", named="client_id"),
    "PUT /api/commands/{command_id}/status": Sample(
        thing="handed_out", named="command_id", json=fixed(status="running")
    ),
    "POST /api/commands/{command_id}/result": Sample(thing="handed_out", named="command_id", json=fixed(success=True)),
    "POST /api/commands/{command_id}/error": Sample(thing="handed_out", named="command_id", json=fixed(message="no")),
    # batches and schedules
    "POST /api/batches": Sample(thing="client_id", json=lambda one: {"target": {"clients": [one]}, "command": COMMAND}),
    "GET /api/batches": Sample(listed="batch"),
    "GET /api/batches/{batch_id}": Sample(thing="batch", named="batch_id"),
    "POST /api/batches/{batch_id}/pause": Sample(thing="batch", named="batch_id"),
    "POST /api/batches/{batch_id}/resume": Sample(thing="paused", named="batch_id"),
    "POST /api/batches/{batch_id}/cancel": Sample(thing="batch", named="batch_id"),
    "POST /api/schedules": Sample(
        thing="client_id",
        json=lambda one: {
            "name": f"new-{uuid.uuid4().hex[:12]}",
            "cron": "0 7 29 2 *",
            "request": {"target": {"clients": [one]}, "command": COMMAND},
        },
    ),
    "GET /api/schedules": Sample(listed="schedule"),
    "GET /api/schedules/{schedule_id}": Sample(thing="schedule", named="schedule_id"),
    "GET /api/schedules/{schedule_id}/next": Sample(thing="schedule", named="schedule_id"),
    "PATCH /api/schedules/{schedule_id}": Sample(thing="schedule", named="schedule_id", json=fixed(misfire="skip")),
    "DELETE /api/schedules/{schedule_id}": Sample(thing="schedule", named="schedule_id"),
    # dead letters
    "GET /api/dead-letters": Sample(listed="dead"),
    "GET /api/dead-letters/summary": Sample(),
    "POST /api/commands/{command_id}/retry": Sample(thing="dead", named="command_id", json=fixed(force=True)),
    "POST /api/commands/{command_id}/decide": Sample(thing="dead", named="command_id", json=fixed(outcome="completed")),
    "POST /api/dead-letters/replay": Sample(thing="dead", json=lambda one: {"ids": [one], "force": True}, several=True),
    "POST /api/dead-letters/dismiss": Sample(thing="dead", json=lambda one: {"ids": [one]}, several=True),
    # people who sign in
    **{
        route: Sample(elsewhere="tests/acceptance/access/test_sign_in.py")
        for route in (
            "POST /api/auth/login",
            "POST /api/auth/logout",
            "GET /api/auth/sessions",
            "DELETE /api/auth/sessions",
            "DELETE /api/auth/sessions/{session_id}",
            "POST /api/auth/password",
            "POST /api/auth/confirm",
        )
    },
    "POST /api/auth/refresh": Sample(json=fixed(refreshToken="wrong"), refuses=True),
    "GET /api/auth/first-administrator": Sample(of_people=True),
    "POST /api/auth/first-administrator": Sample(
        json=fixed(token="wrong", login="mina", password=PASSWORD),
        refuses=True,
    ),
    "POST /api/auth/password-link": Sample(json=fixed(token="wrong", password=PASSWORD), refuses=True),
    "GET /api/auth/whoami": Sample(of_people=True),
    "POST /api/users": Sample(json=lambda _: {"login": f"n-{uuid.uuid4().hex[:12]}", "role": "viewer"}, of_people=True),
    "GET /api/users": Sample(of_people=True),
    "GET /api/users/{user_id}": Sample(thing="user", named="user_id", of_people=True),
    "PATCH /api/users/{user_id}": Sample(thing="user", named="user_id", json=fixed(name="Renamed"), of_people=True),
    "DELETE /api/users/{user_id}": Sample(thing="user", named="user_id", of_people=True),
    "POST /api/users/{user_id}/password": Sample(
        thing="user", named="user_id", json=fixed(password=PASSWORD), of_people=True
    ),
    "POST /api/users/{user_id}/password-link": Sample(thing="user", named="user_id", of_people=True),
    "DELETE /api/users/{user_id}/sessions": Sample(thing="user", named="user_id", of_people=True),
    # integrations, keys, grants
    "GET /api/integrations/templates": Sample(of_people=True),
    "POST /api/integrations": Sample(json=lambda _: {"name": f"n-{uuid.uuid4().hex[:12]}"}, of_people=True),
    "GET /api/integrations": Sample(of_people=True),
    "GET /api/integrations/{integration_id}": Sample(thing="integration", named="integration_id", of_people=True),
    "PATCH /api/integrations/{integration_id}": Sample(
        thing="integration", named="integration_id", json=fixed(status="disabled"), of_people=True
    ),
    "DELETE /api/integrations/{integration_id}": Sample(thing="integration", named="integration_id", of_people=True),
    "GET /api/keys": Sample(of_people=True),
    "GET /api/keys/{key_id}": Sample(thing="key", named="key_id", of_people=True),
    "POST /api/keys/{key_id}/rotate": Sample(thing="key", named="key_id", json=fixed(), of_people=True),
    "DELETE /api/keys/{key_id}": Sample(thing="key", named="key_id", of_people=True),
    "GET /api/grants": Sample(of_people=True),
    "DELETE /api/grants/{grant_id}": Sample(thing="grant", named="grant_id", of_people=True),
    **{
        f"{method} /api/{kind}s/{{principal_id}}/{what}": Sample(
            thing="user" if kind == "user" else "integration",
            named="principal_id",
            json=None if method == "GET" else body,
            of_people=True,
        )
        for kind, what, body in (
            ("integration", "keys", fixed()),
            ("user", "keys", fixed()),
            ("principal", "grants", fixed(target={"zone": "mine"})),
            ("integration", "grants", fixed(target={"zone": "mine"})),
            ("user", "grants", fixed(target={"zone": "mine"}, access="read")),
        )
        for method in ("GET", "POST")
    },
    "GET /api/users/{user_id}/sessions": Sample(thing="user", named="user_id", of_people=True),
    # the audit trail
    "GET /api/audit": Sample(all_clients=True),
    "GET /api/audit/export": Sample(all_clients=True),
    "GET /api/audit/verify": Sample(all_clients=True),
    "GET /api/audit/{row}": Sample(thing="audit_row", named="row", all_clients=True, of_people=True),
    "POST /api/audit/erase": Sample(thing="removed", json=lambda one: {"principal": one}, all_clients=True),
    "GET /api/security-events": Sample(all_clients=True),
    "GET /api/access/check": Sample(query={"client": "nobody"}, all_clients=True, answers=404),
    # actions, printers, operation
    "GET /api/actions": Sample(),
    "PUT /api/actions/{action}/policy": Sample(json=fixed(timeout_s=60), all_clients=True),
    "DELETE /api/actions/{action}/policy": Sample(all_clients=True),
    "GET /api/printers": Sample(),
    "GET /metrics": Sample(all_clients=True),
    "GET /api/metrics": Sample(all_clients=True),
    "GET /health": Sample(),
    "GET /trust": Sample(),
    "GET /trust/authority.crt": Sample(answers=404),
    "GET /trust/authority.pem": Sample(answers=404),
    "GET /api/health": Sample(),
    "GET /health/ready": Sample(),
}
"""By method and path: `test_matrix.py` asks every route as everybody about everybody's things."""
