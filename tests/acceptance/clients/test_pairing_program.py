"""From an empty folder to a printed page: `floorhub-agent pair`, and what it says when it must not connect."""

import tomllib
from pathlib import Path

from device_agent.config import load
from tests.support.pairing import NO_CUPS, code_for, pair
from tests.support.site import Site
from tests.support.waiting import until


def test_from_a_code_to_a_printed_page(site: Site, tmp_path: Path) -> None:
    made = code_for(site, "paired-1", kind="printer_pc", zone="hall-1", name="Front desk")
    printer = str(site.stack.printer_url)

    done = pair(tmp_path, site.url, made["code"].lower().replace("-", ""), "--printer", printer, "--server", NO_CUPS)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "This machine is paired-1 now" in done.stdout
    assert "The test page is printed" in done.stdout
    assert [effect["job_name"] for effect in site.effects() if effect["job_name"] == "floorhub-test-page"]
    settings = load(tmp_path / "agent.toml")
    assert (settings.client_id, settings.mqtt_url) == ("paired-1", str(site.stack.mqtt_url))
    for name in ("agent.toml", "agent.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600

    process = site.start_agent("paired-1", tmp_path / "agent.toml")
    site.wait_online("paired-1", process)
    document = site.upload()["id"]
    (name,) = [printer["name"] for printer in tomllib.loads((tmp_path / "agent.toml").read_text())["printers"]]
    command = site.send("paired-1", "print", {"printer": name, "document": document}, wait=30)
    assert command["status"] == "completed"
    until(lambda: site.effects(command["id"]), "its page")
    client = site.http.get("/api/clients/paired-1").json()
    assert (client["kind"], client["zone"], client["name"]) == ("printer_pc", "hall-1", "Front desk")
    assert site.http.get(f"/api/pairings/{made['id']}").json()["status"] == "used"
