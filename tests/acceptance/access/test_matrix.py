"""Every route as everybody about everybody's things: who may, succeeds; who may not, learns nothing.

A route that has no sample fails here: add it to `tests/support/route_samples.py`.
"""

import re
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from hub.core.access.rules import Permission, may
from hub.keys import load_signing_keys
from tests.support.hubs import permissions, routes
from tests.support.paths import ROOT
from tests.support.route_samples import SAMPLES, Sample
from tests.support.shops import Maker, alike, made
from tests.support.site import NOWHERE

pytestmark = pytest.mark.own_site("lists must not hold what other modules left")

ROUTES = {f"{method} {route.path}": route for route in routes() for method in sorted(route.methods)}
ROLES = ("admin", "operator", "viewer")
ALL, MINE = "all", "mine"
PLACES = ("own", "granted", "other", "unknown")
"""Made by whoever asks; by the administrator for a client that he may command, or for one that he may not see; none."""


@dataclass(frozen=True)
class Who:
    """Somebody who asks. `may`: the permissions of role and key; `reads_only`: what he may do with his clients."""

    name: str
    http: httpx.Client
    may: frozenset[Permission] = frozenset()
    reach: str = ALL
    reads_only: bool = False
    is_client: bool = False
    is_valid: bool = True


def of_role(role: str, *only: Permission) -> frozenset[Permission]:
    found = frozenset(each for each in Permission if may(role, each))
    return found & frozenset(only) if only else found


class Things:
    """Makes one of each kind, for a client in the zone `mine` or in `theirs`."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker
        self.admin = maker.site.http
        self.clients = {zone: maker.client(zone) for zone in ("mine", "theirs")}
        self._addresses = load_signing_keys(maker.site.folder.keys)

    def client_id(self, _http: httpx.Client, zone: str) -> str:
        return str(self.clients[zone]["id"])

    def client(self, _http: httpx.Client, zone: str) -> str:
        return str(self.maker.client(zone)["id"])

    def group(self, _http: httpx.Client, zone: str) -> str:
        return self.maker.group(self.clients[zone]["id"])

    def command(self, http: httpx.Client, zone: str) -> str:
        return self.maker.command(http, self.clients[zone]["id"])

    def handed_out(self, http: httpx.Client, zone: str) -> str:
        return self.maker.handed_out(http, self.clients[zone]["id"])

    def dead(self, http: httpx.Client, zone: str) -> str:
        return self.maker.dead(http, self.clients[zone]["id"])

    def batch(self, http: httpx.Client, zone: str) -> str:
        return self.maker.batch(http, self.clients[zone]["id"])

    def paused(self, http: httpx.Client, zone: str) -> str:
        return self.maker.paused(http, self.clients[zone]["id"])

    def schedule(self, http: httpx.Client, zone: str) -> str:
        return self.maker.schedule(http, self.clients[zone]["id"])

    def document(self, http: httpx.Client, zone: str) -> str:
        document_id = self.maker.document(http)
        payload = {"printer": "office", "document": document_id}
        self.maker.handed_out(http, self.clients[zone]["id"], action="print", payload=payload)
        return document_id

    def upload(self, http: httpx.Client, zone: str) -> str:
        client = self.clients[zone]
        device = self.maker.http(client["secret"])
        path: str = made(device.post(f"/api/commands/{self.handed_out(http, zone)}/uploads"))["path"]
        return path.rpartition("/")[2]

    def download(self, http: httpx.Client, zone: str) -> str:
        named = f"{self.clients[zone]['id']}.{uuid.UUID(self.document(http, zone)).hex}"
        return f"{named}.{self._addresses.sign_address(named)}"

    def user(self, _http: httpx.Client, _zone: str) -> str:
        body = {"login": f"u-{uuid.uuid4().hex[:12]}", "role": "operator", "reach": "granted"}
        return str(made(self.admin.post("/api/users", json=body))["id"])

    def integration(self, _http: httpx.Client, _zone: str) -> str:
        answer = self.admin.post("/api/integrations", json={"name": f"i-{uuid.uuid4().hex[:12]}"})
        return str(made(answer)["integration"]["id"])

    def key(self, http: httpx.Client, zone: str) -> str:
        return str(made(self.admin.post(f"/api/integrations/{self.integration(http, zone)}/keys", json={}))["id"])

    def grant(self, http: httpx.Client, zone: str) -> str:
        path = f"/api/integrations/{self.integration(http, zone)}/grants"
        return str(made(self.admin.post(path, json={"target": {"zone": zone}}))["id"])

    def audit_row(self, _http: httpx.Client, _zone: str) -> str:
        return "1"

    def removed(self, http: httpx.Client, zone: str) -> str:
        integration_id = self.integration(http, zone)
        made(self.admin.delete(f"/api/integrations/{integration_id}"))
        return integration_id

    def unknown(self, kind: str, id: str) -> str:  # noqa: A002 - as everywhere
        """An id of the same form that nothing has."""
        return (
            {"client_id": "nobody", "client": "nobody", "group": "nobody", "audit_row": "999999999"}.get(kind, NOWHERE)
            if id
            else NOWHERE
        )


@pytest.fixture(scope="module")
def things(maker: Maker) -> Things:
    return Things(maker)


@pytest.fixture(scope="module")
def everybody(maker: Maker, things: Things) -> list[Who]:
    admin_id = maker.database.execute("SELECT id FROM principals WHERE role = 'admin'").fetchone()
    assert admin_id is not None
    zone = [("zone", "mine")]

    def key_of_admin() -> str:
        from tests.support import access

        return access.at_once(access.key(maker.database, admin_id[0], targets=zone))

    def who(name: str, role: str, *grants: tuple[str, str, str], only: tuple[Permission, ...] = (), **more: Any) -> Who:
        narrow = more.pop("targets", None)
        listed = [each.value for each in only] or None
        reach = "granted" if grants else "all"
        principal_id, key = maker.principal(role, reach, *grants, permissions=listed, targets=narrow)
        if not more.get("is_valid", True):
            maker.database.execute("UPDATE principals SET disabled_at = now() WHERE id = %s", (principal_id,))
        return Who(name, maker.http(key), of_role(role, *only), MINE if grants or narrow else ALL, **more)

    working = (Permission.READ, Permission.COMMAND, Permission.DOCUMENT, Permission.DECIDE)
    granted = ("zone", "mine", "command")
    return [
        Who("administrator", maker.site.http, of_role("admin")),
        Who("key of the administrator for one zone", maker.http(key_of_admin()), of_role("admin"), MINE),
        who("operator", "operator"),
        who("viewer", "viewer"),
        who("granted operator", "operator", granted),
        who("granted viewer", "viewer", ("zone", "mine", "read")),
        who("operator who may only read there", "operator", ("zone", "mine", "read"), reads_only=True),
        who("key for one zone", "operator", targets=zone, only=working),
        who("key of a granted integration", "operator", granted, ("all", None, "read"), targets=zone, only=working),  # type: ignore[arg-type]
        who("key that only reads", "operator", granted, only=(Permission.READ,)),
        who("disabled", "operator", is_valid=False),
        Who("nobody", maker.http(), is_valid=False),
        Who("client", maker.http(things.clients["mine"]["secret"]), reach=MINE, is_client=True),
    ]


def zone_of(place: str) -> str:
    return "theirs" if place == "other" else "mine"


class Asking:
    """One route, asked by anybody about a thing."""

    def __init__(self, maker: Maker, things: Things, route: str) -> None:
        self.sample: Sample = SAMPLES[route]
        self.method, _, self.path = route.partition(" ")
        self.permission = next(permissions(ROUTES[route].dependant))
        self._things = things
        self._kept: dict[tuple[str, str], str] = {}
        self._of_nothing: dict[str, tuple[int, str, str]] = {}

    def thing(self, who: Who, place: str, *, fresh: bool) -> str:
        kind = self.sample.thing
        if kind is None:
            return NOWHERE
        if place == "unknown":
            return self._things.unknown(kind, NOWHERE)
        maker = who if place == "own" else None
        kept = (maker.name if maker else "", zone_of(place))
        if fresh or kept not in self._kept:
            http = self._things.admin if maker is None else maker.http
            self._kept[kept] = getattr(self._things, kind)(http, zone_of(place))
        return self._kept[kept]

    def ask(self, who: Who, thing: str) -> httpx.Response:
        sample = self.sample
        names = {"action": "open-door", sample.named: thing}
        path = re.sub(r"{(\w+)}", lambda name: str(names[name[1]]), self.path)
        body: dict[str, Any] = {}
        if sample.json is not None:
            body["json"] = sample.json(thing)
        if sample.content is not None:
            body |= {"content": sample.content, "headers": {"Content-Type": "application/pdf"}}
        return who.http.request(self.method, path, params=dict(sample.query or {}), **body)

    def of_nothing(self, who: Who) -> tuple[int, str, str]:
        """What somebody is told of what there is not."""
        if who.name not in self._of_nothing:
            nothing = self.thing(who, "unknown", fresh=False)
            self._of_nothing[who.name] = alike(self.ask(who, nothing), {nothing: "ID"})
        return self._of_nothing[who.name]

    def expected(self, who: Who, place: str) -> int | None:
        """The status of a refusal that does not depend on what there is; 404 for what there is not for him; None: it
        succeeds."""
        sample = self.sample
        if self.permission is Permission.PUBLIC:
            return 404 if place == "unknown" or sample.refuses else None
        if self.permission is Permission.CLIENT:
            if not who.is_client and not (sample.reader and who.is_valid):
                return 401
        elif not who.is_valid:
            return 401
        elif self.permission is Permission.SELF:
            return 403 if who.is_client else None
        elif who.is_client or self.permission not in who.may:
            return 403
        if sample.all_clients and who.reach != ALL:
            return 403
        if place == "unknown" or (place == "other" and who.reach != ALL):
            return 404
        if self.permission is Permission.PAIR and self.method == "POST" and who.reads_only:
            return 422  # a new client would be beyond his reach, wherever it is
        commands = self.permission in (Permission.COMMAND, Permission.DECIDE)
        if sample.thing is not None and commands and who.reads_only:
            return 403
        return None

    def succeeded(self, answer: httpx.Response) -> bool:
        return answer.status_code == self.sample.answers or answer.is_success


def places(asking: Asking, who: Who) -> list[str]:
    """The places that make sense: who may not command makes nothing."""
    if asking.sample.of_people and who.reach != ALL and Permission.ADMINISTER in who.may and asking.method != "GET":
        return []  # what such a key may hand on is a matter of its scope, which the tests of keys ask
    if asking.sample.thing is None:
        return ["granted"]
    if asking.sample.of_people:
        return ["granted", "unknown"]
    if who.reach == ALL and who.is_valid:
        return ["other", "unknown"] if asking.method != "GET" else ["granted", "other", "unknown"]
    makes = Permission.COMMAND in who.may and Permission.DOCUMENT in who.may and not who.reads_only and who.is_valid
    shared = asking.sample.thing in ("client_id", "client", "group")
    return [place for place in PLACES if place != "own" or (makes and not shared)]


def test_every_route_has_a_sample_and_declares_a_permission() -> None:
    missing = sorted(set(ROUTES) - set(SAMPLES))
    assert missing == [], "add a sample of each to tests/support/route_samples.py"
    assert sorted(set(SAMPLES) - set(ROUTES)) == [], "these routes are gone: remove their samples"
    for name, route in ROUTES.items():
        assert len(list(permissions(route.dependant))) == 1, f"{name} declares no permission, or several"
    for name, sample in SAMPLES.items():
        if sample.elsewhere is not None:
            path = re.sub(r"{.*", "", name.partition(" ")[2])
            assert path in (ROOT / sample.elsewhere).read_text(encoding="utf-8"), f"{sample.elsewhere} asks no {name}"


@pytest.mark.parametrize(
    "route", sorted(route for route in ROUTES if route in SAMPLES and not SAMPLES[route].elsewhere)
)
def test_who_may_succeeds_and_who_may_not_learns_nothing(
    maker: Maker, things: Things, everybody: list[Who], route: str
) -> None:
    asking = Asking(maker, things, route)
    wrong: list[str] = []
    successes: list[tuple[Who, str]] = []
    for who in everybody:
        for place in places(asking, who):
            expected = asking.expected(who, place)
            if expected is None:
                successes.append((who, place))
                continue
            thing = asking.thing(who, place, fresh=False)
            answer = asking.ask(who, thing)
            told = f"{who.name}, {place}: {answer.status_code} {answer.text[:300]}"
            if answer.is_success and not asking.sample.several:
                wrong.append(f"may not: {told}")
            elif expected in (401, 403) and answer.status_code != expected and not answer.is_success:
                wrong.append(f"expected {expected}: {told}")
            if place == "other" and who.reach != ALL:
                of_nothing = asking.of_nothing(who)
                if alike(answer, {thing: "ID", things.clients["theirs"]["id"]: "ID"}) != of_nothing:
                    wrong.append(f"differs from {of_nothing}: {told}")
    for who, place in successes:
        thing = asking.thing(who, place, fresh=asking.method != "GET")
        answer = asking.ask(who, thing)
        if not asking.succeeded(answer):
            wrong.append(f"may: {who.name}, {place}: {answer.status_code} {answer.text[:300]}")
    assert wrong == []


LISTS = sorted(route for route, sample in SAMPLES.items() if sample.listed)


@pytest.mark.parametrize("route", LISTS)
def test_a_list_has_what_one_may_read_and_nothing_else(
    maker: Maker, things: Things, everybody: list[Who], route: str
) -> None:
    kind = SAMPLES[route].listed
    assert kind is not None
    seen = getattr(things, kind)(things.admin, "mine")
    hidden = getattr(things, kind)(things.admin, "theirs")
    for who in everybody:
        if Permission.READ not in who.may or not who.is_valid:
            continue
        found = made(who.http.get(route.partition(" ")[2], params={"limit": 200}))
        ids = {item["id"] for item in found["items"]}
        assert seen in ids, who.name
        assert (hidden in ids) == (who.reach == ALL), who.name
        if who.reach != ALL:
            assert things.clients["theirs"]["id"] not in str(found), who.name
