"""An agent that ends while it waits for a document has printed nothing, knows that, and prints once afterwards."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.programs.cli.agent_configs import write_agent_config
from tests.support.cli import run
from tests.support.site import Site
from tests.support.waiting import until

AWAY = "http://127.0.0.1:9"
"""Nobody listens there."""


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a hub that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("signal", ["kill", "stop"])
def test_a_page_is_printed_once_by_the_process_that_gets_its_document(
    site: Site, tmp_path: Path, silent: int, signal: str
) -> None:
    client = site.client()
    config = tmp_path / "agent.toml"

    def configure(hub_url: str) -> None:
        config.unlink(missing_ok=True)
        write_agent_config(
            config,
            client_id=client["id"],
            hub_url=hub_url,
            mqtt_url=str(site.stack.mqtt_url),
            secret=client["secret"],
            root_key=client["root_key"],
            extra=site.office(),
        )

    configure(f"http://127.0.0.1:{silent}")
    agent = site.start_agent(client["id"], config)
    site.wait_online(client["id"], agent)
    page = site.print_page(client["id"])["id"]
    until(lambda: site.command(page)["held_reasons"] == ["document-pending"], "held")

    if signal == "kill":
        agent.kill()
    else:
        assert agent.stop() == 0
    configure(site.url)
    agent.start()

    ended = site.wait_status(page, "completed", "failed", "cancelled", "expired", "unknown")
    assert ended["status"] == "completed", ended
    assert ended["attempt"] == 1
    assert len(site.effects(page)) == 1


def test_a_page_whose_hub_is_away_says_which_and_is_printed_by_another_hub(site: Site, tmp_path: Path) -> None:
    client = site.client()
    config = site.configure(client, site.office(), file=tmp_path / "agent.toml")
    here = f'hub_url = "{site.url}"'
    text = config.read_text()
    assert here in text
    config.write_text(text.replace(here, f'hub_url = ["{AWAY}"]'))
    agent = site.start_agent(client["id"], config)
    site.wait_online(client["id"], agent)
    page = site.print_page(client["id"])["id"]

    until(lambda: (site.command(page)["progress"] or {}).get("waiting_for") == "document", "the reason")

    assert site.command(page)["held_reasons"] == ["document-pending"]
    found = site.http.get(f"/api/commands/{page}/explain").json()
    assert found["cause"] == "held"
    assert f"the hub at {AWAY} did not send" in found["detail"]
    last = run(site, "show", page).stdout.splitlines()[-1]
    assert last.startswith(f"running: waits for its document (the hub at {AWAY} did not send")

    assert agent.stop() == 0
    config.write_text(text.replace(here, f'hub_url = ["{AWAY}", "{site.url}"]'))
    agent.start()
    ended = site.wait_status(page, "completed", "failed", "cancelled", "expired", "unknown")
    assert ended["status"] == "completed", ended
    assert len(site.effects(page)) == 1
