"""Which test files start first: the longest, so that none of them is left over when the others have ended.

By seconds, longest first, as one run told; a stale order costs time and nothing else.
"""

LONGEST_FIRST = (
    "tests/faults/test_fault_table.py",
    "tests/acceptance/commands/test_kills.py",
    "tests/acceptance/conformance/test_conformance.py",
    "tests/acceptance/simulator/test_simulated_fleet.py",
    "tests/acceptance/embedded/test_readme.py",
    "tests/killpoints/test_killpoints.py",
    "tests/acceptance/schedules/test_schedules_over_hubs.py",
    "tests/acceptance/explain/test_explain.py",
    "tests/acceptance/backup/test_backup_and_restore.py",
    "tests/acceptance/presence/test_presence.py",
    "tests/acceptance/device_agent/test_cups_queue.py",
    "tests/acceptance/api/test_described_api.py",
    "tests/acceptance/batches/test_many_clients.py",
    "tests/packaging/test_containers.py",
    "tests/acceptance/broker/test_attacks.py",
    "tests/acceptance/broker/test_scale.py",
    "tests/chaos/test_chaos.py",
    "tests/simulation/test_simulation.py",
    "tests/acceptance/http_clients/test_http_clients.py",
    "tests/acceptance/presence/test_two_machines.py",
    "tests/integration/commands/test_transitions.py",
)
