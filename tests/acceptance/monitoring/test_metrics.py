"""Figures for Prometheus: they move with what happens, and need a key."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.site import Floor


def figures(floor: Floor, path: str = "/metrics") -> dict[str, float]:
    """Every sample by its name and labels."""
    answer = floor.http.get(path)
    assert answer.status_code == 200, answer.text
    return {
        sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_figures_follow_a_command_from_its_commit_to_its_end(floor: Floor) -> None:
    client = floor.client()
    floor.agent(client)
    before = figures(floor)

    floor.print_page(client["id"], wait=30)
    floor.http.post("/api/commands", json={"client_id": "nobody", "action": "status"})
    waiting = floor.client()
    floor.send(waiting["id"], "status", {})
    after = figures(floor, "/api/metrics")

    def rose(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    assert rose("commands_created_total action=print") == 1
    assert rose("commands_created_total action=status") == 1
    assert rose("commands_refused_total code=client_not_found") == 1
    assert rose("commands_sent_total kind=first") == 1
    assert rose("commands_completed_total status=completed") == 1
    assert rose("command_accept_to_started_seconds_count") == 1
    assert rose("command_duration_seconds_count") == 1
    assert rose("commands_unfinished status=pending") == 1
    assert after["active_clients presence=online"] == 1
    assert after["broker_connected"] == 1


def test_figures_need_a_key(floor: Floor) -> None:
    answer = httpx.get(f"{floor.url}/metrics", trust_env=False)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
