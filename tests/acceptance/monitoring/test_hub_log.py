"""The hub's log is one JSON object per line, also when a fault ends the process."""

import json

from tests.support.site import Site


def test_a_fault_that_ends_the_process_is_one_line(site: Site) -> None:
    # No name of a machine has a part this long; only binding finds out.
    hub = site.add_hub("broken", FLOORHUB_HOST="허" * 70)

    assert hub.process.wait(30) == 1, hub.tail()

    lines = [json.loads(line) for line in hub.log.read_text().splitlines()]
    assert lines[-1]["event"] == "hub.failed"
    assert lines[-1]["level"] == "error"
    assert "encoding of hostname failed" in lines[-1]["exception"]
