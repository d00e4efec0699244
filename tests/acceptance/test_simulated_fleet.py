"""`floorhub simulate` against a real hub and broker."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.acceptance.floor import ROOT, open_floor, until

ENDED = {"completed", "failed", "cancelled", "expired", "unknown"}


def test_a_fleet_without_faults_carries_out_every_command_once(tmp_path: Path) -> None:
    result, effects = tmp_path / "result.json", tmp_path / "effects.jsonl"
    with open_floor("simulate") as floor:
        env = {**os.environ, "FLOORHUB_URL": floor.url, "FLOORHUB_KEY": floor.key, "PYTHONPATH": str(ROOT)}
        argv = [sys.executable, "-m", "hub", "simulate", "--clients", "5"]
        argv += ["--broker", str(floor.stack.mqtt_url), "--effects", str(effects), "--json", str(result)]
        fleet = subprocess.Popen(argv, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            until(lambda: floor.http.get("/api/clients/sim-0005").json().get("presence") == "online", "the fleet")
            ids = [floor.send(f"sim-{n % 5 + 1:04}", "status", {})["id"] for n in range(25)]
            open_ids = set(ids)

            def all_ended() -> bool:
                assert fleet.poll() is None, fleet.communicate()
                open_ids.difference_update({i for i in open_ids if floor.command(i)["status"] in ENDED})
                return not open_ids

            until(all_ended, "every command ended", 15)
        finally:
            fleet.terminate()
            said, _ = fleet.communicate(timeout=30)
    assert fleet.returncode == 0, said
    assert json.loads(result.read_text())["counts"]["effects"] == 25
    done = [json.loads(line)["command"] for line in effects.read_text().splitlines()]
    assert sorted(done) == sorted(ids)
