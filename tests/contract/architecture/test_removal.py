"""Delivery does not notice when features are gone: core's tests pass without any of them.

`make acceptance PART=features` removes each of them alone, with those that stand on it, and runs all tests of what is
left.
"""

from pathlib import Path

from tests.removal.copies import CORE, dependants, features, run_tests, without


def test_core_s_tests_pass_without_all_features(tmp_path: Path) -> None:
    copy = without(features(), tmp_path)
    assert not (copy / "hub/features").exists()
    for subjects, kind in ((CORE, "unit"), (("commands",), "integration")):
        done = run_tests(copy, subjects, "--postgres-major", "18", kinds=(kind,))
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        assert " passed" in done.stdout


def test_features_that_stand_on_another_go_with_it() -> None:
    assert {"batches", "schedules"} <= dependants("batches")
    assert dependants("monitoring") == {"monitoring"}
