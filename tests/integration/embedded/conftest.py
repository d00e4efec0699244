"""Real services in a data folder of their own; unpacked packages are shared with everything else on the machine."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.embedded.data_folder import DataFolder
from hub.embedded.packages import Packages


@pytest.fixture(scope="session")
def packages() -> Packages:
    """Where unpacked packages lie on this machine."""
    return Packages()


def _new_root() -> Path:
    # Not pytest's tmp_path: its parents are closed to the user that runs Postgres. Long and with spaces on purpose.
    base = Path(tempfile.mkdtemp(prefix="floorhub test "))
    base.chmod(0o755)
    return base / ("a rather long folder name " * 4).strip()


@pytest.fixture
def data_folder() -> Iterator[DataFolder]:
    """An empty, prepared data folder."""
    root = _new_root()
    yield DataFolder.prepare(root)
    shutil.rmtree(root.parent)


@pytest.fixture(scope="module")
def shared_data_folder() -> Iterator[DataFolder]:
    """A data folder for the tests of one module."""
    root = _new_root()
    yield DataFolder.prepare(root)
    shutil.rmtree(root.parent)
