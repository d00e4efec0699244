"""The wheel, and environments that have nothing but what a test installs."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.programs.embedded.data_folder import DataFolder
from tests.packaging.steps import run
from tests.support.paths import ROOT
from tests.support.site import Site, open_site

BUILD_S = 120


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution, built as the image builds it, from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)], within_s=BUILD_S)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def agent_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and the agent's locked requirements, and nothing else."""
    folder = tmp_path_factory.mktemp("agent") / "environment"
    run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    index = {"UV_DEFAULT_INDEX": os.environ["PIP_INDEX_URL"]} if "PIP_INDEX_URL" in os.environ else {}
    install = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", f"--python={folder}/bin/python"]
    run([*install, "--require-hashes", "--requirement", str(ROOT / "requirements" / "agent.txt")], **index)
    run([*install, "--no-deps", str(wheel)], **index)
    return folder


@pytest.fixture(scope="module")
def site(cluster: DataFolder) -> Iterator[Site]:
    with open_site("packaging", cluster=cluster) as running:
        yield running
