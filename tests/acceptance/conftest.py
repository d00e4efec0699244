"""One floor for the module of tests that uses it; tests use clients of their own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.floor import Floor


@pytest.fixture(scope="module")
def floor() -> Iterator[Floor]:
    # Not pytest's own folder: root's is closed to the user that runs Postgres, broker and printer.
    root = Path(tempfile.mkdtemp(prefix="floorhub-acceptance-"))
    running: Floor | None = None
    try:
        running = Floor(root)
        yield running
    finally:
        if running is not None:
            running.close()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(autouse=True)
def _printer_is_well(floor: Floor) -> Iterator[None]:
    yield
    floor.control_printer()
