"""A hub that stops answers whoever waits for the end of a command with the command as it is: it is stored."""

from concurrent.futures import ThreadPoolExecutor

from tests.support import plain_http
from tests.support.site import Site
from tests.support.waiting import until


def test_who_waits_gets_the_command_as_it_is(site: Site) -> None:
    hub = site.add_hub("stopping")
    site.wait_ready("stopping")
    away = site.client()
    body = {"client_id": away["id"], "action": "open-door"}
    key = {"Authorization": f"Bearer {site.key}"}

    def post() -> tuple[int, str]:
        url = f"{site.hub_url('stopping')}/api/commands?wait=60"
        answer = plain_http.request("POST", url, json=body, headers=key, timeout=70)
        return answer.status_code, answer.json()["status"]

    def stored() -> bool:
        found = site.http.get("/api/commands", params={"client_id": away["id"]}).json()["items"]
        return len(found) == 1

    with ThreadPoolExecutor() as threads:
        asked = threads.submit(post)
        until(stored, "the command")
        assert hub.stop() == 0
        assert asked.result() == (201, "pending")
