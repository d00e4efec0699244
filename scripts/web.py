"""Tools for who changes `hub/web`; `make` calls it.

.venv/bin/python scripts/web.py check    types, style, import rules and unit tests of the pages
.venv/bin/python scripts/web.py types    write packages/api/src/generated/openapi.ts anew, from the hub's routes;
                                         a further word names another file to write
.venv/bin/python scripts/web.py dev      pages that follow each change, in front of the hub at FLOORHUB_URL
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hub.api.openapi import reached  # noqa: E402
from hub.api.server import application  # noqa: E402
from hub.app import Hub  # noqa: E402
from hub.config import Settings  # noqa: E402
from hub.programs import web_build  # noqa: E402
from hub.programs.embedded.errors import EmbeddedError  # noqa: E402
from hub.programs.embedded.node import Node  # noqa: E402
from schemas import terminal  # noqa: E402
from schemas.terminal import either  # noqa: E402

GENERATED = web_build.SOURCES / "packages" / "api" / "src" / "generated" / "openapi.ts"
PREFIXES = ("/api/auth/", "/api/pair/")
ROUTES = frozenset({"/api/pair"})
"""The paths that pages call; those of a new page come with it. Types of everything would change with every route."""
HEAD = "// Generated from the hub's routes by `make webtypes`. Do not edit.\n\n"
CHECKS = (
    ("typescript/bin/tsc", "--noEmit"),
    ("oxlint/bin/oxlint", "--deny-warnings"),
    ("vitest/vitest.mjs", "run", "--configLoader", "native"),
)


def check() -> None:
    """Check these sources, unless they passed before. Raises EmbeddedError with what a tool said."""
    node = Node.find()
    with web_build.workshop(node) as place:

        def run_all(_: Path) -> None:
            for script, *arguments in CHECKS:
                web_build.tool(node, place, script, *arguments)

        web_build.packages().folder(f"checked-{web_build.digest()}", run_all)


def write_types(target: Path) -> None:
    """Generate what the pages know of the API. Raises EmbeddedError."""
    node = Node.find()
    with tempfile.TemporaryDirectory() as name, web_build.workshop(node) as place:
        scratch = Path(name)
        (scratch / "openapi.json").write_text(json.dumps(selected(description(scratch))), encoding="utf-8")
        script, out = "openapi-typescript/bin/cli.js", scratch / "openapi.ts"
        web_build.tool(node, place, script, str(scratch / "openapi.json"), "--immutable", "--output", str(out))
        target.write_text(HEAD + out.read_text(encoding="utf-8"), encoding="utf-8")


def description(scratch: Path) -> dict[str, Any]:
    """What `/openapi.json` answers; nothing is started for it."""
    settings = {"database_url": "postgresql://nobody@127.0.0.1/none", "data_dir": scratch, "worker": "types"}
    hub = Hub(Settings.model_validate(settings))
    return application(hub.parts, [router for subject in hub.subjects for router in subject.routers]).openapi()


def selected(described: Mapping[str, Any]) -> dict[str, Any]:
    """The description of the paths that pages call, with the schemas that these need."""
    paths = {
        path: methods for path, methods in described["paths"].items() if path in ROUTES or path.startswith(PREFIXES)
    }
    schemas: Mapping[str, Any] = described["components"]["schemas"]
    needed = reached(paths, schemas)
    kept = {name: schema for name, schema in schemas.items() if name in needed}
    return {"openapi": described["openapi"], "info": described["info"], "paths": paths, "components": {"schemas": kept}}


def develop() -> None:
    """Become the development server; the checkout gets a link to the packages, which editors use, too."""
    node = Node.find()
    link = web_build.SOURCES / "node_modules"
    modules = node.modules(web_build.packages(), web_build.SOURCES)
    if link.is_symlink() and link.resolve() != modules:
        link.unlink()
    if not link.exists():
        link.symlink_to(modules)
    os.chdir(web_build.SOURCES)
    os.execve(  # noqa: S606 - an argv list of ours
        node.node,
        [node.node, "node_modules/vite/bin/vite.js", "--open", "/apps/console/index.html"],
        node.environment(),
    )


def main(arguments: Sequence[str]) -> int:
    """Carry out one of the three words above; returns the exit status."""
    terminal.prepare()
    try:
        match list(arguments):
            case ["check"]:
                check()
            case ["types", *target] if len(target) <= 1:
                write_types(Path(target[0]) if target else GENERATED)
            case ["dev"]:
                develop()
            case _:
                terminal.write(*(__doc__ or "").splitlines(), error=True)
                return 2
    except EmbeddedError as error:
        terminal.write(*either(str(error), error.korean).splitlines(), error=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
