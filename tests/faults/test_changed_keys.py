"""The key that signs is replaced while commands wait in an agent, for an agent that is away, and in Postgres."""

import subprocess
import sys
from uuid import uuid4

import pytest

from hub.keys import load_signing_keys
from tests.chaos.plan import HUBS
from tests.faults.commands import accepted, agree, body, effects, post
from tests.support.paths import ROOT
from tests.support.testbed import Testbed
from tests.support.waiting import until


@pytest.mark.fault("F29")
def test_what_waits_is_signed_anew_and_the_old_key_commands_nothing_any_more(testbed: Testbed) -> None:
    old = load_signing_keys(testbed.folder.keys).signer
    testbed.processes["pc-2"].kill()
    away = [accepted(post(testbed, 1, uuid4().hex, body("pc-2"))) for _ in range(3)]
    here = [
        accepted(post(testbed, 0, uuid4().hex, body(before=1_000 if first else 0))) for first in (True, *[False] * 4)
    ]
    testbed.wait_status(here[0], "running")

    for name in HUBS:
        testbed.processes[name].kill()
    rotate = [sys.executable, "-m", "hub", "keys", "rotate", "command"]
    where = {"FLOORHUB_DATA_DIR": str(testbed.folder.root), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(rotate, env=where, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for name in HUBS:
        testbed.processes[name].start()
    testbed.wait_hubs(30)
    assert load_signing_keys(testbed.folder.keys).signer.kid != old.kid
    testbed.processes["pc-2"].start()
    for command_id in (*away, *here):
        agree(testbed, command_id)

    log = testbed.processes["pc-1"].log
    begin = log.stat().st_size
    testbed.repeat_commands(0.5, old)
    until(lambda: b"unknown_key" in log.read_bytes()[begin:], "the refusal of the old key")
    assert [effects(testbed, command_id) for command_id in (*away, *here)] == [1] * 8
