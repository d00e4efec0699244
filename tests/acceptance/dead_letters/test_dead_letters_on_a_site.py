"""Dead letters on a living site: replayed once over two hubs, in their place; decided and dismissed by people."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.topics import Channel
from tests.support import plain_http
from tests.support.cli import floorhub, run
from tests.support.site import Site
from tests.support.speaker import Speaker


@pytest.fixture
def second(site: Site) -> Iterator[str]:
    """The URL of another hub over the same database and broker."""
    with site.another_hub("two"):
        yield site.hub_url("two")


def test_what_failed_is_replayed_once_and_before_what_waits_behind_it(site: Site, second: str, tmp_path: Path) -> None:
    urls = [site.url, second]
    log, broken = tmp_path / "log", tmp_path / "broken"
    broken.touch()
    script = f'test ! -e {broken} || exit 3; echo "$1" >> {log}'
    client = site.client()
    site.agent(client, f"""\n[actions.open-door]\nargv = ["/bin/sh", "-c", '''{script}''', "door", "{{n}}"]\n""")

    def send(n: str, **fields: Any) -> Any:
        return site.send(client["id"], "open-door", {"args": {"n": n}}, order_key="doors", **fields)

    first = send("1", wait=20)
    others = [send("2"), send("3", priority=10)]

    assert (first["status"], first["error"]["code"]) == ("failed", "action_failed")
    [letter] = floorhub(site, "dead-letters", "--client", client["id"])
    assert (letter["id"], letter["reason"], letter["blocks"]) == (first["id"], "action_failed", True)
    summary = floorhub(site, "dead-letters", "--summary", "--client", client["id"])
    assert (summary["total"], summary["reason"]["largest"]) == (1, [{"name": "action_failed", "number": 1}])
    assert "yes" in run(site, "dead-letters", "--client", client["id"]).output
    assert [site.command(other["id"])["status"] for other in others] == ["pending", "pending"]

    broken.unlink()
    headers = {"Authorization": f"Bearer {site.key}"}

    def retry(n: int) -> httpx.Response:
        url = f"{urls[n % 2]}/api/commands/{first['id']}/retry"
        return plain_http.request("POST", url, params={"wait": 20}, headers=headers, timeout=60)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(retry, range(20)))

    assert Counter(answer.status_code for answer in answers) == {200: 19, 201: 1}
    [new] = {answer.json()["id"] for answer in answers}
    assert {answer.json()["status"] for answer in answers} == {"completed"}
    for other in others:
        site.wait_status(other["id"], "completed")
    assert log.read_text().split() == ["1", "2", "3"]
    assert (site.command(first["id"])["replayed_by"], site.command(new)["replay_of"]) == (new, first["id"])
    assert floorhub(site, "dead-letters", "--client", client["id"]) == []


def test_people_dismiss_replay_and_decide(site: Site) -> None:
    client = Speaker(site)

    def ended(status: str, **fields: Any) -> str:
        command_id = client.command()
        client.say(Channel.REPORTS, client.reports(client.report(command_id, status, **fields)))
        site.wait_status(command_id, status)
        return command_id

    jam = {"code": "jam", "message": "it jammed", "retryable": False}
    failed, unwanted, seen = ended("failed", error=jam), ended("failed", error=jam), ended("unknown")

    refused = run(site, "dead-letters", "replay", failed, seen)
    assert (refused.exit_code, "replay_needs_force" in refused.output) == (1, True), refused.output
    new = site.command(failed)["replayed_by"]
    assert new in refused.output
    assert floorhub(site, "dead-letters", "dismiss", unwanted, "--note", "by hand")["dismissed"] == 1
    korean = site.http.post(
        "/api/dead-letters/replay", json={"ids": [seen, unwanted]}, headers={"Accept-Language": "ko"}
    ).json()
    assert [item["code"] for item in korean["items"]] == ["replay_needs_force", "dead_letter_closed"]
    assert not any(item["detail"].isascii() for item in korean["items"])

    decided = floorhub(site, "command", "decide", seen, "completed", "--note", "in the tray")
    assert (decided["status"], decided["dead_letter_closed_by"]) == ("completed", "decided")
    late = client.report(seen, "failed", error=jam)
    client.say(Channel.REPORTS, client.reports(late))
    client.broker.wait_for(lambda: client.has_receipt(late["report_id"]))
    assert site.command(seen)["status"] == "completed"
    assert site.events(seen)[-1] == "decided"

    client.say(Channel.REPORTS, client.reports(client.report(new, "failed", error=jam)))
    site.wait_status(new, "failed")
    filtered = floorhub(site, "dead-letters", "replay", "--all-of", f"client={client.id},reason=jam")
    assert [item["id"] for item in filtered["items"]] == [new]
    assert floorhub(site, "dead-letters", "--client", client.id) == []
    for wrong in (["replay"], ["replay", new, "--all-of", "everything"], ["dismiss", "--all-of", "colour=red"]):
        assert run(site, "dead-letters", *wrong).exit_code == 2
    client.close()
