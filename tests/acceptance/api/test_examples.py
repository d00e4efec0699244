"""The examples of the API's description are accepted as they are, by a hub that has what they name."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from tests.support import example_pairing, example_people, plain_http
from tests.support.hubs import routes
from tests.support.site import Site

pytestmark = pytest.mark.own_site("registers the clients that the examples name, and makes everybody's batches")

DOCUMENT = "0193b3c0-0000-7000-8000-000000000000"
DEAD_LETTER = "0193b3c0-0000-7000-8000-0000000000d1"
CLIENTS = ("front-desk", "press-1", "press-2")
BODIES = [
    (method, route.path, route.body_field.field_info.annotation)
    for route in routes()
    if route.body_field is not None
    for method in route.methods
]
EXAMPLES = [
    (method, path, name)
    for method, path, body in BODIES
    for shape in (body, *get_args(body))
    for name in getattr(shape, "EXAMPLES", ())
]


class Setting:
    """A site with what the examples name."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.client, *_ = [site.client(id=client_id, zone="hall-1", tags=["offset"]) for client_id in CLIENTS]
        self.document = site.upload()["id"]
        self.numbers = iter(range(1_000))
        site.http.post("/api/groups", json={"id": "presses", "clients": ["press-1"]}).raise_for_status()

    def expired(self) -> str:
        """A new dead letter, of a client that never came."""
        command = self.site.send(self.site.client()["id"], "open-door", {}, expires_in_s=0.01)
        self.site.wait_status(command["id"], "expired")
        return str(command["id"])

    def schedule(self) -> str:
        """A new schedule."""
        request = {"target": {"all": True}, "command": {"action": "open-door"}}
        body = {"name": f"of an example {next(self.numbers)}", "cron": "0 7 1 1 *", "request": request}
        return str(self.site.http.post("/api/schedules", json=body).json()["id"])

    def integration(self) -> str:
        """A new integration."""
        body = {"name": f"of an example {next(self.numbers)}"}
        return str(self.site.http.post("/api/integrations", json=body).json()["integration"]["id"])

    def user(self) -> str:
        """The first administrator."""
        found = self.site.http.get("/api/access/check", params={"principal": "administrator"})
        return str(found.json()["principal"]["id"])

    def key(self) -> str:
        """A new key."""
        return str(self.site.http.post(f"/api/integrations/{self.integration()}/keys", json={}).json()["id"])

    def run(self, session: str) -> "Run":
        """A command that was handed out to a client of its own, which is in this session."""
        client = self.site.client()
        run = Run(self.site, client, self.site.send(client["id"], "open-door", {})["id"])
        assert run.id in [message["command_id"] for message in run.poll(session) if message["kind"] == "run"]
        return run

    def unknown(self) -> str:
        """A command of which nobody knows what became of it: the client's program started anew while it ran."""
        run = self.run("before")
        run.poll("after", wait=0)
        self.site.wait_status(run.id, "unknown")
        return run.id


@dataclass
class Run:
    """A command that a client has."""

    site: Site
    client: dict[str, Any]
    id: str

    def poll(self, session: str, wait: float = 10) -> list[dict[str, Any]]:
        """What the client is to be sent."""
        path = f"{self.site.url}/api/clients/{self.client['id']}/commands"
        answer = plain_http.get(path, params={"session": session, "wait": wait}, headers=basic(self.client), timeout=30)
        assert answer.status_code == 200, answer.text
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages


def basic(client: dict[str, Any]) -> dict[str, str]:
    """A client's own key."""
    named = f"{client['id']}:{client['secret']}"
    return {"Authorization": f"Basic {base64.b64encode(named.encode()).decode()}"}


def bearer(client: dict[str, Any]) -> dict[str, str]:
    """The same as a program shows it that knows only its key."""
    return {"Authorization": f"Bearer {client['secret']}"}


@pytest.fixture(scope="module")
def made(site: Site) -> Setting:
    return Setting(site)


@pytest.fixture
def setting(made: Setting) -> Setting:
    """The same for each test: some examples change what a client may be asked."""
    everything = {"target": {"clients": CLIENTS}, "allowed_actions": None, "rate_limit": 100_000}
    made.site.http.patch("/api/permissions", json=everything).raise_for_status()
    return made


def example(described: dict[str, Any], method: str, path: str, name: str) -> Any:
    content = described["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]
    return content["examples"][name]["value"]


@pytest.fixture(scope="module")
def described(site: Site) -> dict[str, Any]:
    described: dict[str, Any] = site.http.get("/openapi.json").json()
    return described


def test_every_example_is_sent() -> None:
    assert len(EXAMPLES) > 40
    assert {name for _, _, name in EXAMPLES} >= {"minimal", "full", "list", "simple"}


@pytest.mark.parametrize(("method", "path", "name"), EXAMPLES, ids=lambda value: value)
def test_an_example_is_accepted(setting: Setting, described: dict[str, Any], method: str, path: str, name: str) -> None:
    body = example(described, method, path, name)
    if path.startswith(example_people.ABOUT) and not path.endswith(("/keys", "/grants")):
        answer = example_people.send(setting.site, method, path, json.dumps(body))
        if path == "/api/auth/first-administrator" and answer.status_code == 409:
            # There is one first administrator: whoever comes second is told so, and of no fault in the body.
            assert answer.json()["code"] == "first_administrator_exists"
            return
        assert answer.status_code in (200, 201, 204), answer.text
        return
    if path in example_pairing.ABOUT:
        answer = example_pairing.send(setting.site, path, body)
        assert answer.status_code in (200, 202), answer.text
        return
    places: dict[str, Callable[[], str]] = {
        "{client_id}": lambda: "front-desk",
        "{group_id}": lambda: "presses",
        "{action}": lambda: "print",
        "{schedule_id}": setting.schedule,
        "{integration_id}": setting.integration,
        "{principal_id}": setting.user if path.startswith("/api/users/") else setting.integration,
        "{key_id}": setting.key,
    }
    headers: dict[str, str] = {}
    shown = bearer if name == "simple" else basic
    if path.startswith("/api/commands/") and path.endswith(("/status", "/result", "/error")):
        run = setting.run(body.get("session", "run-1"))
        headers, path = shown(run.client), path.replace("{command_id}", run.id)
    elif path.endswith("/ping"):
        headers = shown(setting.client)
    elif path.endswith("/retry"):
        places["{command_id}"] = setting.expired
    elif path.endswith("/decide"):
        places["{command_id}"] = setting.unknown
    for place, make in places.items():
        if place in path:
            path = path.replace(place, make())
    text = json.dumps(body).replace(DOCUMENT, setting.document)
    if DEAD_LETTER in text:
        text = text.replace(DEAD_LETTER, setting.expired())
    answer = setting.site.http.request(
        method, path, content=text, headers={"Content-Type": "application/json", **headers}
    )
    assert answer.status_code in (200, 201), answer.text
