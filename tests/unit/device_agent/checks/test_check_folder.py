"""What the doctor says of a data folder."""

import errno
import os
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from device_agent.checks.machine import check_data_folder

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk_full"), (errno.EROFS, "data_unwritable"), (errno.EACCES, "data_unwritable")],
)
def test_a_full_disk_is_told_from_one_that_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    """A disk that is read-only has no free bytes either."""

    def refuse(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**10, 10**10, 0))
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert [finding.code for finding in check_data_folder(tmp_path)] == [code]
