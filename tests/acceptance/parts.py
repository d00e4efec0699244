"""What is too large for every run of the tests, in parts of at most 15 minutes on two cores.

make acceptance                # lists the parts
make acceptance PART=limits    # runs one
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

from tests.support.paths import ROOT

PYTEST = ("-m", "pytest", "-q")
IN_PARALLEL = ("-n", "2", "--dist", "loadfile")


@dataclass(frozen=True)
class Part:
    """What it proves, the arguments of Python that run it, and what the environment says besides."""

    proves: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


PARTS = {
    "limits": Part(
        "limits and 1,000 idempotency keys are exact while a hub is killed",
        (*PYTEST, "tests/acceptance/clients/test_exact_limits.py"),
        {"FLOORHUB_TEST_KEYS": "1000"},
    ),
    "clients": Part(
        "a batch to 10,000 clients, a fifth of them away; each step timed; 10,000 births, 10,000 reports",
        (*PYTEST, "-s", "tests/acceptance/batches/test_many_clients.py", "tests/acceptance/broker/test_scale.py"),
        {"FLOORHUB_TEST_CLIENTS": "10000", "FLOORHUB_TEST_AT_ONCE": "10000"},
    ),
    "many": Part(
        "10,000 clients imported: the broker back, all connect, no command is lost; what others notice of slow imports",
        (*PYTEST, "-s", "tests/acceptance/clients/test_import.py", "tests/acceptance/clients/import_latency.py"),
        {"FLOORHUB_TEST_IMPORTS": "10000", "FLOORHUB_TEST_IMPORTS_SLOWLY": "300"},
    ),
    "probes": Part(
        "6,000 probes of who has no right, or only a client's, at every door of the broker: nothing leaks",
        (*PYTEST, "tests/acceptance/broker/test_probes.py"),
        {"FLOORHUB_TEST_PROBES": "all"},
    ),
    "edge": Part(
        "1,000 pages at /mqtt, 1,000 streams and 2,000 silent connections: what requests and commands notice, in turns",
        (*PYTEST, "-s", "tests/acceptance/edge/test_many_pages.py"),
        {"FLOORHUB_TEST_PAGES": "1000", "FLOORHUB_TEST_TURNS": "9"},
    ),
    "join": Part(
        "two network namespaces (as root): from an empty folder to a printed page over TLS; who is refused; a browser",
        (*PYTEST, "-s", "tests/join/from_a_second_machine.py", "tests/join/a_browser_there.py"),
    ),
    "browsers": Part(
        "a browser that is a client survives restarts of everything, a new certificate, a cleared storage and a freeze",
        (*PYTEST, "tests/acceptance/browsers/lasting.py"),
    ),
    "plans": Part(
        "statements read their indexes with 1,000,000 finished commands",
        (*PYTEST, "tests/integration/database/test_plans.py"),
        {"FLOORHUB_TEST_FINISHED": "1000000"},
    ),
    "property": Part(
        "sixteen times the examples of the property tests, and of requests that the API describes",
        (*PYTEST, *IN_PARALLEL, "-m", "hypothesis", "--hypothesis-profile", "full"),
    ),
    "previous": Part(
        "the previous version's hub, built with its own lock, runs beside this one on the migrated tables",
        (*PYTEST, "tests/previous_version/beside_this_one.py"),
    ),
    "previous-agent": Part(
        "an agent of the previous version, built with its own lock, prints, stops, reports and reconnects at this hub",
        (*PYTEST, "tests/previous_version/agents_of_it.py"),
    ),
    "features": Part(
        "core and what is left pass their tests without each feature, removed with those that stand on it",
        ("-m", "tests.removal"),
    ),
    "roles": Part(
        "10,000 requests that the API describes, a fifth by each role: no fault or stack in the log, memory stays flat",
        (*PYTEST, "-k", "each_role", "tests/acceptance/api/test_described_api.py"),
        {"FLOORHUB_TEST_ROLE_REQUESTS": "10000"},
    ),
    "simulation": Part(
        "10,000 seeds of the simulated world keep every promise",
        ("-m", "tests.simulation", "--seeds", "10000"),
    ),
    "killpoints-agent": Part(
        "the agent killed before each of its syncs and sends",
        ("-m", "tests.killpoints", "--only", "agent"),
    ),
    "killpoints-hub": Part(
        "a hub killed before every other one of its sends",
        ("-m", "tests.killpoints", "--only", "hub"),
    ),
    "agent-disk": Part(
        "an agent's disk full or failing at 40 points while a page prints: it comes out once and is completed",
        (*PYTEST, "tests/acceptance/device_agent/test_failing_disk.py"),
        {"FLOORHUB_TEST_DISK_POINTS": "40"},
    ),
    "chaos": Part(
        "ten minutes in which everything breaks, and three records that agree",
        ("-m", "tests.chaos"),
        {"CHAOS_MINUTES": "10"},
    ),
    "cups-restarts": Part(
        "100 restarts of an agent around the end of CUPS jobs, and 200 jobs, with Debian's CUPS: none is unknown",
        (
            *(*PYTEST, "tests/acceptance/device_agent/test_cups_restarts.py"),
            "tests/acceptance/device_agent/test_cups_queue.py",
        ),
        {"FLOORHUB_TEST_RESTARTS": "100", "FLOORHUB_TEST_CUPS_JOBS": "200"},
    ),
    "backup": Part(
        "a backup under load and back to it: hundreds of pages, nothing printed twice, what is lost is said",
        (*PYTEST, "tests/acceptance/backup/test_backup_and_restore.py"),
        {"FLOORHUB_TEST_BACKUP_COMMANDS": "100"},
    ),
    "simulator": Part(
        "1,000 clients of `floorhub simulate` with faults: every command ends, and no effect happens twice",
        (*PYTEST, "-k", "rough", "tests/acceptance/simulator/test_simulated_fleet.py"),
        {"FLOORHUB_TEST_FLEET": "1000"},
    ),
}


def run(name: str) -> int:
    """Run a part as its own program; the exit code."""
    part = PARTS[name]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *part.arguments], cwd=ROOT, env={**os.environ, **part.environment}, check=False
    )
    said = "passed" if done.returncode == 0 else f"failed ({done.returncode})"
    print(f"{name}: {said} after {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    return done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="make acceptance", description=__doc__)
    parser.add_argument("part", nargs="?", choices=PARTS, help="which one; none lists them")
    chosen = parser.parse_args().part
    if chosen is not None:
        return run(chosen)
    for name, part in PARTS.items():
        print(f"  make acceptance PART={name:16} {part.proves}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
