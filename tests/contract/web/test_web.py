"""What holds for the sources of the pages, and for what is built from them."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub.features.web_pages.rules import CONSOLE, PAGES, SCREEN
from hub.programs import web_build
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.node import Node
from tests.support.paths import ROOT

WEB = ROOT / "hub" / "web"
BUDGETS = {CONSOLE: (60, 12), SCREEN: (25, 12)}
"""What a first visit of each page may load, as gzip: scripts and styles in KB."""
WORKER_KB = 120
"""The worker of the screen, which has MQTT.js (105 KB) and loads after the page has drawn."""
NAMED = re.compile(r"""(?:src|href)="/(assets/[^"]+)\"""")


@pytest.fixture(scope="module")
def built() -> Path:
    return web_build.build()


def packed(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), 9))


@pytest.mark.parametrize("file", BUDGETS)
def test_a_first_visit_loads_little_and_nothing_from_elsewhere(built: Path, file: str) -> None:
    page = (built / file).read_text(encoding="utf-8")
    named = NAMED.findall(page)
    assert named
    assert len(named) == len(re.findall(r"(?:src|href)=", page)), "everything is of this hub"
    assert not re.search(r"<script(?![^>]* src=)|<style|\son[a-z]+=|style=", page), "nothing that the policy refuses"

    def size(suffix: str) -> int:
        return sum(packed(built / name) for name in named if name.endswith(suffix))

    scripts_kb, styles_kb = BUDGETS[file]
    assert 0 < size(".js") <= scripts_kb * 1024
    assert 0 < size(".css") <= styles_kb * 1024


def test_what_comes_later_is_the_worker_which_alone_has_mqtt(built: Path) -> None:
    named = {name for page in BUDGETS for name in NAMED.findall((built / page).read_text(encoding="utf-8"))}
    assets = {f"assets/{file.name}" for file in (built / "assets").iterdir() if file.suffix in (".js", ".css")}
    (worker,) = assets - named
    assert worker.startswith("assets/worker-")
    assert packed(built / worker) <= WORKER_KB * 1024
    assert {name for name in assets if b"connack" in (built / name).read_bytes()} == {worker}


def test_the_hub_serves_the_pages_that_the_console_has() -> None:
    manifests = sorted((WEB / "apps" / "console").rglob("manifest.ts"))
    declared = [path for file in manifests for path in re.findall(r"path: '([^']+)'", file.read_text("utf-8"))]
    assert sorted(declared) == sorted(path for path, file in PAGES.items() if file == CONSOLE)


def test_types_of_the_api_are_those_of_the_routes(tmp_path: Path) -> None:
    """If this fails: make webtypes."""
    fresh = tmp_path / "openapi.ts"
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "web.py"), "types", str(fresh)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    committed = WEB / "packages" / "api" / "src" / "generated" / "openapi.ts"
    assert committed.read_text(encoding="utf-8") == fresh.read_text(encoding="utf-8")


def test_the_lock_names_no_host_and_has_a_hash_of_each_package() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert {name for name, entry in packages.items() if "resolved" in entry or "integrity" not in entry} == set()
    assert {
        name for name, entry in packages.items() if entry.get("hasInstallScript") and not entry.get("optional")
    } == set()
    assert "http" not in (WEB / ".npmrc").read_text(encoding="utf-8")
    asked = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    versions = [*asked["dependencies"].values(), *asked["devDependencies"].values()]
    assert [version for version in versions if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


WRONG = {
    "ui knows no network": (
        "packages/ui/src/parts/planted.ts",
        "import { call } from '@api/http';\nexport const it = call;",
    ),
    "api draws nothing": ("packages/api/src/planted.ts", "import { h } from 'preact';\nexport const it = h;"),
    "ui knows no app": (
        "packages/ui/src/planted.ts",
        "import { isPage } from '../../../apps/console/src/pages';\nexport const it = isPage;",
    ),
    "a subject goes by the manifest of another": (
        "apps/console/src/home/planted.ts",
        "import { deviceOf } from '../access/device';\nexport const it = deviceOf;",
    ),
    "the hub is called in one place": ("packages/ui/src/planted.ts", "export const it = (): unknown => fetch('/');"),
    "text is never markup": (
        "apps/console/src/home/planted.tsx",
        "export const It = () => <p dangerouslySetInnerHTML={{ __html: '<b>x</b>' }} />;",
    ),
    "a picture has words": ("packages/ui/src/parts/planted.tsx", 'export const It = () => <img src="x" />;'),
}


def refusal(node: Node, place: Path, script: str, *arguments: str) -> str:
    """What a tool says that finds something wrong; empty when it finds nothing."""
    try:
        web_build.tool(node, place, script, *arguments)
    except EmbeddedError as error:
        return str(error)
    return ""


def test_what_breaks_a_rule_of_the_sources_is_refused() -> None:
    node = Node.find()
    with web_build.workshop(node) as place:
        web_build.tool(node, place, "oxlint/bin/oxlint", "--deny-warnings")
        for rule, (name, content) in WRONG.items():
            planted = place / name
            planted.write_text(content + "\n", encoding="utf-8")
            assert "planted" in refusal(node, place, "oxlint/bin/oxlint", "--deny-warnings"), rule
            planted.unlink()


def test_a_text_without_korean_does_not_compile() -> None:
    node = Node.find()
    with web_build.workshop(node) as place:
        texts = place / "apps" / "console" / "src" / "home" / "texts.ts"
        content = texts.read_text(encoding="utf-8")
        assert content.count("ko: '홈', ") == 1
        texts.write_text(content.replace("ko: '홈', ", ""), encoding="utf-8")
        assert "'ko' is missing" in refusal(node, place, "typescript/bin/tsc", "--noEmit")
