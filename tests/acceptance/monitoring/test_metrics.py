"""Figures for Prometheus: they move with what happens, and need a key."""

from tests.support import plain_http
from tests.support.metrics import figures
from tests.support.site import Site


def test_figures_follow_a_command_from_its_commit_to_its_end(site: Site) -> None:
    client = site.client()
    site.agent(client)
    before = figures(site)

    site.print_page(client["id"], wait=30)
    site.http.post("/api/commands", json={"client_id": "nobody", "action": "status"})
    waiting = site.client()
    site.send(waiting["id"], "status", {})
    after = figures(site, "/api/metrics")

    def rose(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    assert rose("floorhub_commands_created_total action=print") == 1
    assert rose("floorhub_commands_created_total action=status") == 1
    assert rose("floorhub_commands_refused_total code=client_not_found") == 1
    assert rose("floorhub_commands_sent_total kind=first") == 1
    assert rose("floorhub_commands_completed_total status=completed") == 1
    assert rose("floorhub_command_accept_to_started_seconds_count") == 1
    assert rose("floorhub_command_duration_seconds_count") == 1
    assert rose("floorhub_commands_unfinished status=pending") == 1
    assert after["floorhub_active_clients presence=online"] == 1
    assert after["floorhub_broker_connected"] == 1


def test_figures_need_a_key(site: Site) -> None:
    answer = plain_http.get(f"{site.url}/metrics")

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
