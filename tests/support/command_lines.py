"""A line for each command of `floorhub`, and what its words are about."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.site import Site
from tests.support.waiting import until

ASKED: dict[str, list[str]] = {
    "send": ["{client}", "status", "--wait", "0"],
    "print": ["--test-page", "--client", "{client}", "--printer", "office", "--wait", "0"],
    "show": ["{command}"],
    "explain": ["{command}"],
    "cancel": ["{late}"],
    "logs": ["{client}", "--last"],
    "pair": ["{machine}", "--no-wait"],
    "pairing add": ["{other_machine}", "--no-wait"],
    "pairing list": [],
    "pairing revoke": ["{pairing}"],
    "enrolment add": ["Machines", "--naming", "m-{{n}}", "--count", "2"],
    "enrolment list": [],
    "enrolment revoke": ["{enrolment}"],
    "command list": ["--client", "{client}"],
    "command show": ["{command}"],
    "command explain": ["{command}"],
    "command history": ["{command}"],
    "command cancel": ["{later}"],
    "command send": ["{client}", "status", "--wait", "0"],
    "printer list": [],
    "printer show": ["office", "--client", "{client}"],
    "client add": ["{new}", "--name", "[/x][red]"],
    "client import": ["{list}", "--no-secrets"],
    "client list": [],
    "client set": ["{client}", "--zone", "a"],
    "client show": ["{client}"],
    "client limits": ["{client}"],
    "client history": ["{client}"],
    "client set-limits": ["{client}", "--rate-limit", "5000"],
    "client disable": ["{spare}"],
    "client enable": ["{spare}"],
    "client unfence": ["{spare}"],
    "client rotate-secret": ["{spare}"],
    "client retire": ["{spare}", "--yes"],
    "group add": ["{new}"],
    "group list": [],
    "group show": ["{group}"],
    "group join": ["{group}", "{client}"],
    "group leave": ["{group}", "{client}"],
    "group remove": ["{new}"],
    "batch send": ["status", "--client", "{client}", "--dry-run"],
    "batch send-list": ["{file}"],
    "batch show": ["{batch}"],
    "batch list": [],
    "batch pause": ["{batch}"],
    "batch resume": ["{batch}"],
    "batch cancel": ["{batch}"],
    "schedule add": ["{new}", "0 4 * * *", "status", "--client", "{client}"],
    "schedule list": [],
    "schedule show": ["{schedule}"],
    "schedule next": ["{schedule}"],
    "schedule set": ["{schedule}", "--grace", "60"],
    "schedule enable": ["{schedule}"],
    "schedule disable": ["{schedule}"],
    "schedule remove": ["{schedule}"],
    "action list": [],
    "action set": ["status", "--max-retries", "2"],
    "action reset": ["status"],
    "user list": [],
    "user show": ["{user}"],
    "user change": ["{user}", "--role", "viewer"],
    "user disable": ["{user}"],
    "user enable": ["{user}"],
    "user sessions": ["{user}"],
    "integration list": [],
    "integration show": ["{integration}"],
    "integration add": ["{maker}", "--template", "wms", "--zone", "a", "--no-key"],
    "integration change": ["{integration}", "--role", "operator"],
    "integration disable": ["{integration}"],
    "integration enable": ["{integration}"],
    "integration remove": ["{leaving}"],
    "grant list": [],
    "grant add": ["{integration}", "--client", "{away}"],
    "grant remove": ["{grant}"],
    "access check": ["--client", "{client}"],
    "key list": [],
    "key add": ["{integration}"],
    "key revoke": ["{key}"],
    "audit list": ["--limit", "50"],
    "audit show": ["{row}"],
    "audit verify": [],
    "security list": [],
    "dead-letter list": [],
    "dead-letter replay": ["{dead}"],
    "dead-letter dismiss": ["{dismissed}"],
    "command decide": ["{command}", "completed", "--note", "x"],
}
"""The arguments of each command; {words} are filled with what is there."""


NOT_HERE = {
    "up": "starts a site",
    "serve": "shows log lines only",
    "edge": "shows log lines only",
    "migrate": "asks no hub",
    "doctor": "asks the hub's health only",
    "backup": "asks no hub",
    "restore": "asks no hub",
    "support-bundle": "asks the hub's health only",
    "cleanup": "asks no hub",
    "conformance": "asks a client on the wire",
    "simulate": "asks the hub by another path; see the test of its own",
    "completion": "asks no hub",
    "help": "asks no hub",
    "user add": "asks for a password first; see the test of its own",
    "user password": "asks for a password; see the test of its own",
    "user recover": "asks no hub",
    "audit export": "writes a file; see the test of its own",
    "audit erase": "is about somebody who was disabled; see the test of its own",
    "broker render": "asks no hub",
    "schema export": "asks no hub",
    "pairing confirm": "is about a machine that waits; see the test of its own",
    "key show": "asks no hub",
    "key rotate": "asks no hub",
    "key adopt": "asks no hub",
}
"""The others, and why."""


@contextmanager
def made(site: Site, name: str) -> Iterator[dict[str, str]]:
    """Something of each kind that commands can be asked about, for as long as the block lasts; see `_make`."""
    found = _make(site, name)
    try:
        yield found
    finally:
        for path in (f"groups/{found['group']}", f"groups/{found['new']}", f"schedules/{found['schedule']}"):
            site.http.delete(f"/api/{path}")
        for schedule in site.http.get("/api/schedules", params={"name": found["new"]}).json()["items"]:
            site.http.delete(f"/api/schedules/{schedule['id']}")


def _make(site: Site, name: str) -> dict[str, str]:
    """Something of each kind that commands can be asked about. `client` has an agent, a printer and a fetched log;
    `away` has never connected, so that what it is sent waits."""
    client, away, spare = (site.client() for _ in range(3))
    site.agent(client)
    site.send(client["id"], "collect_logs", {}, wait=30)
    until(lambda: site.http.get("/api/printers", params={"client_id": client["id"]}).json()["items"], "its printer")
    command, late, later = (site.send(away["id"], "status", {})["id"] for _ in range(3))
    dead, dismissed = (site.send(away["id"], "status", {}, expires_in_s=1)["id"] for _ in range(2))
    for one in (dead, dismissed):
        site.wait_status(one, "expired")
    site.http.post("/api/groups", json={"id": name, "clients": [away["id"]]}).raise_for_status()
    target = {"target": {"clients": [away["id"]]}, "command": {"action": "status"}}
    person = site.http.post("/api/users", json={"login": f"user-{name}", "role": "operator"})
    assert person.status_code == 201, person.text
    integrations = [
        site.http.post("/api/integrations", json={"name": f"{each} {name}", "key": {}}).json()
        for each in ("system", "leaving")
    ]
    system = integrations[0]["integration"]["id"]
    granted = site.http.post(f"/api/principals/{system}/grants", json={"target": {"client": client["id"]}})
    assert granted.status_code == 201, granted.text
    pairing = site.http.post("/api/pairings", json={"client_id": f"pairing-{name}"}).json()["id"]
    enrolment = {"name": name, "naming": "e-{n}", "count": 1}
    batch = site.http.post("/api/batches", json=target, headers={"Idempotency-Key": name}).json()["id"]
    listed = site.folder.root / f"{name}.csv"
    listed.write_text(f"id,name\n{client['id']},Another name\n")
    schedule = {"name": name, "cron": "0 3 * * *", "time_zone": "UTC", "request": target}
    answer = site.http.post("/api/schedules", json=schedule)
    assert answer.status_code == 201, answer.text
    return {
        "user": person.json()["login"],
        "integration": f"system {name}",
        "leaving": f"leaving {name}",
        "maker": f"maker {name}",
        "grant": granted.json()["id"],
        "key": integrations[0]["key"]["id"],
        "machine": f"machine-{name}",
        "other_machine": f"other-{name}",
        "pairing": pairing,
        "enrolment": site.http.post("/api/enrolments", json=enrolment).json()["id"],
        "row": str(site.http.get("/api/audit", params={"limit": 1}).json()["items"][0]["id"]),
        "client": client["id"],
        "away": away["id"],
        "spare": spare["id"],
        "command": command,
        "late": late,
        "later": later,
        "dead": dead,
        "dismissed": dismissed,
        "group": name,
        "batch": batch,
        "schedule": answer.json()["id"],
        "new": f"new-{name}",
        "list": str(listed),
    }
