"""Clients that are generated from what a hub publishes: the commands of the page work, and their programs print.

Each generator runs once. The programs are checked with strict types, and do what an order system does.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.programs.cli import testpage
from tests.support import node
from tests.support.generators import python_tools
from tests.support.paths import ROOT
from tests.support.site import Site

PAGE = (ROOT / "docs" / "how-to" / "generate-a-client.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs" / "examples" / "generated"
DEADLINE_S = 240.0
TOLD = """
document application/pdf {size}
print completed -
refused 422 validation_error payload.copies:at_least priority:at_most
missing 404 command_not_found
list 1 {true} {none}
batch 1
schedule Asia/Seoul {true} {true}
"""
SAID = {
    "typescript": {"true": "true", "none": "null"},
    "python": {"true": "True", "none": "None"},
}


def commands(name: str) -> str:
    """The block of the page with this name."""
    found = re.search(rf"<!-- example: {name} -->\n```sh\n(.*?)\n```", PAGE, flags=re.DOTALL)
    assert found is not None
    return found[1]


def follow(site: Site, client_id: str, name: str, folder: Path, programs: dict[str, str]) -> tuple[list[str], str]:
    """Carry out a block of the page in a folder, with these programs first; its lines, and what went to stderr."""
    (folder / "order.pdf").write_bytes(testpage.page(["an order"]))
    shims = folder / "bin"
    shims.mkdir(exist_ok=True)
    for program, line in programs.items():
        (shims / program).write_text(f'#!/bin/sh\nexec {line} "$@"\n')
        (shims / program).chmod(0o755)
    script = commands(name).replace("http://127.0.0.1:8080", site.url).replace("front-desk", client_id)
    environment = {"HOME": str(folder), "FLOORHUB_KEY": site.key, "PATH": f"{shims}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euxc", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    return done.stdout.splitlines(), done.stderr


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[dict[str, Any]]:
    client = site.client()
    agent = site.agent(client)
    yield client
    agent.stop()


def expected(name: str) -> list[str]:
    size = len(testpage.page(["an order"]))
    return TOLD.format(size=size, **SAID[name]).strip().splitlines()


def test_openapi_typescript_and_openapi_fetch(site: Site, client: dict[str, Any], tmp_path: Path) -> None:
    source = EXAMPLES / "typescript"
    for file in ("package.json", "tsconfig.json", "order.ts"):
        shutil.copy(source / file, tmp_path)
    (tmp_path / "node_modules").symlink_to(node.modules(source))
    program, _ = node.programs()
    # `npx` of a program that is installed runs it.
    (tmp_path / "npx").write_text(f'program=$1; shift; exec "{program}" node_modules/.bin/"$program" "$@"')
    shims = {"node": program, "npx": f"sh {tmp_path / 'npx'}"}

    said, _ = follow(site, client["id"], "typescript", tmp_path, shims)

    assert said[-len(expected("typescript")) :] == expected("typescript")
    assert "strict" in (tmp_path / "tsconfig.json").read_text()
    compiled, _ = follow(site, client["id"], "typescript-compiled", tmp_path, shims)
    assert compiled[-len(expected("typescript")) :] == expected("typescript")
    printed = site.http.get("/api/commands", params={"client_id": client["id"], "action": "print"}).json()["items"]
    assert [effect["copies"] for effect in site.effects(printed[0]["id"])] == [2]


def test_openapi_python_client(site: Site, client: dict[str, Any], tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "python" / "order.py", tmp_path)
    tools = python_tools()
    ours = Path(sys.executable).parent
    shims = {name: str(tools / name) for name in ("openapi-python-client", "ruff")}
    mypy = f"{ours / 'mypy'} --config-file= --cache-dir={tmp_path / 'cache'}"
    shims |= {"mypy": mypy, "python3": str(ours / "python")}

    said, warned = follow(site, client["id"], "python", tmp_path, shims)

    assert said[-len(expected("python")) :] == expected("python")
    assert "Success: no issues found" in "\n".join(said)
    faults = ("WARNING", "ERROR", "Endpoint", "Missing", "Cannot")
    wrong = [line for line in warned.splitlines() if line.startswith(faults)]
    assert {line.partition(" within ")[0] for line in wrong} == {
        "WARNING parsing POST /api/documents",
        "WARNING parsing PUT /api/uploads/{token}",
    }
    sources = "\n".join(file.read_text() for file in (tmp_path / "floorhub_client").rglob("*.py"))
    needed = set(re.findall(r"^(?:from|import) ([a-z]\w*)", sources, flags=re.MULTILINE)) - sys.stdlib_module_names
    installed = re.search(r"\.venv/bin/pip install (.*)", commands("python-install"))
    assert installed is not None
    assert needed | {"mypy"} == set(installed[1].split()), "the page installs what it needs"
    uploads = (tmp_path / "floorhub_client" / "api" / "documents" / "upload_file.py").read_text()
    assert "application/octet-stream" in uploads
    printed = site.http.get("/api/commands", params={"client_id": client["id"], "action": "print"}).json()["items"]
    assert [effect["copies"] for effect in site.effects(printed[0]["id"])] == [2]


def test_the_page_names_the_versions_that_are_locked() -> None:
    package = (EXAMPLES / "typescript" / "package.json").read_text(encoding="utf-8")
    named = re.findall(r"(@?[a-z/-]+)@([\d.]+)", commands("typescript-install"))
    assert len(named) == 4
    assert [name for name, version in named if f'"{name}": "{version}"' not in package] == []
    locked = (ROOT / "requirements" / "clients.txt").read_text(encoding="utf-8")
    (generator,) = re.findall(r"openapi-python-client==([\d.]+)", commands("python-install"))
    assert f"openapi-python-client=={generator} " in locked
    assert re.search(r"^ruff==0\.15\.", locked, flags=re.MULTILINE)
