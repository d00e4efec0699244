"""What the examples about people name, made for each of them: people, their tokens and links."""

from typing import Any
from uuid import uuid4

import httpx

from tests.support import people
from tests.support.site import Site

LOGIN, PASSWORD, REFRESH, LINK = "mina", "correct horse battery", "fhr_0123456789", "fhl_0123456789"
PERSON, PERSON_ID = "kim", "01890a5d-ac96-774b-bcce-b302099a8057"
WITH_SESSION = ("/api/auth/logout", "/api/auth/password", "/api/auth/confirm")
ABOUT = ("/api/auth/", "/api/users", "/api/audit/")


def send(site: Site, method: str, path: str, body: str) -> httpx.Response:
    """Send an example about people to a site that has what it names, in place of the names that it gives."""
    person = people.add(site, login=f"mina-{uuid4()}", name=f"kim {uuid4()}", password=PASSWORD)
    headers = {"Content-Type": "application/json"}
    if path in WITH_SESSION:
        headers["Authorization"] = f"Bearer {people.tokens(site.url, person['login'])['accessToken']}"
    if REFRESH in body:
        screen = {"screenId": "SCREEN-001"} if "screen_id" in body else {}
        body = body.replace(REFRESH, people.tokens(site.url, person["login"], **screen)["refreshToken"])
    if LINK in body:
        body = body.replace(LINK, _first_link(site) if "first" in path else _link(site, person))
    if path == "/api/users" or "first" in path or "{user_id}" in path:
        body = body.replace(f'"{LOGIN}"', f'"mina-{uuid4()}"').replace("Mina Kim", f"Mina Kim {uuid4()}")
    else:
        body = body.replace(f'"{LOGIN}"', f'"{person["login"]}"')
    if path == "/api/audit/erase":
        site.http.patch(f"/api/users/{person['id']}", json={"disabled": True}).raise_for_status()
        body = body.replace(f'"{PERSON}"', f'"{person["name"]}"').replace(PERSON_ID, person["id"])
    return site.http.request(method, path.replace("{user_id}", person["id"]), content=body, headers=headers)


def _link(site: Site, person: dict[str, Any]) -> str:
    return str(site.http.post(f"/api/users/{person['id']}/password-link").json()["token"])


def _first_link(site: Site) -> str:
    """Of the first administrator; the hub keeps the file when it was used."""
    file = site.folder.root / "first-administrator.link"
    return file.read_text().strip().rpartition("token=")[2] if file.exists() else LINK
