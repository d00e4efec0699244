"""What the doctor says of a data folder."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from device_agent.checks.machine import check_data_folder

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("free", "code"), [(0, "disk_full"), (10**9, "data_unwritable")])
def test_a_full_disk_is_told_from_a_folder_of_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, code: str
) -> None:
    """`/proc` takes no file from anybody."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**10, 10**10 - free, free))
    assert [finding.code for finding in check_data_folder(Path("/proc"))] == [code]
    assert [finding.code for finding in check_data_folder(tmp_path)][:1] == ["data_ok"]
