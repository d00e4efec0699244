"""Which build is installed: the same files are the same build, wherever and however they were installed."""

import re

from schemas.version import build_of, installed_version

RECORD = """\
../../../bin/floorhub,sha256=uRmp,305
device_agent/__init__.py,sha256=aaa,10
device_agent/app.py,sha256=bbb,20
schemas/__init__.py,sha256=ccc,30
floorhub-0.1.0.dist-info/METADATA,sha256=ddd,40
floorhub-0.1.0.dist-info/RECORD,,
"""


def test_a_build_is_told_by_the_files_and_by_nothing_that_an_installer_adds() -> None:
    build = build_of(RECORD)
    assert re.fullmatch("[0-9a-f]{8}", build)
    reordered = "\r\n".join(reversed(RECORD.splitlines()))
    added = "floorhub-0.1.0.dist-info/INSTALLER,sha256=x,4\ndevice_agent/__pycache__/app.cpython-311.pyc,,\n"
    assert build_of(reordered + "\n" + added) == build
    assert build_of(RECORD.replace("bbb", "bbc")) != build
    assert build_of(RECORD.replace("device_agent/app.py", "device_agent/app2.py")) != build
    assert build_of(RECORD + "hub/new.py,sha256=eee,1\n") != build


def test_a_source_tree_is_no_build() -> None:
    assert build_of("_editable_impl_floorhub.pth,sha256=x,43\n") == "source"
    assert installed_version().endswith("+source")  # this one
