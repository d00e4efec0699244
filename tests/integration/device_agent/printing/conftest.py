"""A real `ippeveprinter` for each test: it starts in 50 ms, and what one test did to it is gone for the next."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.printer import HOSTS, EmbeddedPrinter, PrinterPrograms, find_programs
from tests.support.printing import CONTENT, PrinterTestbed


@pytest.fixture(scope="session")
def programs() -> PrinterPrograms:
    found = find_programs(Packages())
    assert isinstance(found, PrinterPrograms), found
    return found


@pytest.fixture
def printer(programs: PrinterPrograms) -> Iterator[PrinterTestbed]:
    root = Path(tempfile.mkdtemp(prefix="floorhub-printing-"))  # tmp_path is closed to the printer's own user
    root.chmod(0o755)
    folder = DataFolder.prepare(root)
    with folder.locked():
        embedded = EmbeddedPrinter(folder, programs, PortBook(folder.ports).choose("printer", 0, HOSTS).number)
        embedded.start()
        try:
            yield PrinterTestbed(embedded, folder)
        finally:
            embedded.stop()
    shutil.rmtree(root)


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    file = tmp_path / "order.pdf"
    file.write_bytes(CONTENT)
    return file
