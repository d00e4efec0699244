"""`python -m tests.removal`, see the package."""

import sys
import tempfile
from pathlib import Path

from tests.removal.copies import CORE, TECHNOLOGY, dependants, features, run_tests, without


def main() -> int:
    """Remove each in turn; 1 when tests of what is left fail."""
    asked = sys.argv[1:] or [*features(), "all"]
    failed = 0
    for feature in asked:
        removed = set(features()) if feature == "all" else dependants(feature)
        left = [name for name in features() if name not in removed]
        with tempfile.TemporaryDirectory() as folder:
            done = run_tests(
                without(removed, Path(folder)), [*TECHNOLOGY, *CORE, *left], "-n", "2", "--dist", "loadfile"
            )
        print(f"without {', '.join(sorted(removed))}: {done.stdout.strip().splitlines()[-1]}", flush=True)  # noqa: T201
        if done.returncode:
            print(done.stdout[-4000:], done.stderr[-2000:])  # noqa: T201
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
