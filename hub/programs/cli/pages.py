"""The pages that `floorhub up` builds beside everything else: nothing waits for them."""

import os
import sys
from collections.abc import Callable

from hub.programs import web_build
from hub.programs.cli.output import either
from hub.programs.embedded.stack import Stack
from hub.programs.embedded.supervision import Program

_HANDED_DOWN = ("HOME", "LANG", "XDG_CACHE_HOME", "FLOORHUB_PACKAGES", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
_SOURCE_SETTINGS = ("NPM_CONFIG_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
"""Where packages come from, and how to get there."""
STOP_S = 5


def settings() -> dict[str, str]:
    """What the hub is told: where its pages are, or will be. Nothing where there are no sources to build."""
    return {"FLOORHUB_PAGES_FOLDER": str(web_build.folder())} if web_build.has_sources() else {}


class PagesBuild:
    """One build as a child process, and one sentence about how it ended."""

    def __init__(self, stack: Stack, say: Callable[[str], None], url: str) -> None:
        self._stack = stack
        self._say = say
        self._url = url
        self._building: Program | None = None

    def begin(self) -> None:
        """Build, if these sources were not built before."""
        if not web_build.has_sources() or web_build.folder().is_dir():
            return
        self._say(
            either(
                "Building the pages beside it; the first time this downloads about 30 MB.",
                "화면을 함께 빌드합니다. 처음에는 30 MB쯤 내려받습니다.",
            )
        )
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in _HANDED_DOWN or name.upper().startswith(_SOURCE_SETTINGS)
        }
        argv = [sys.executable, "-m", "hub.programs.web_build"]
        self._building = self._stack.start_child("pages", argv, kept, stop_deadline_s=STOP_S, keep_alive=False)

    def look(self) -> None:
        """Say how the build ended, once it has. Call it a few times a second."""
        building = self._building
        if building is None or building.is_alive():
            return
        self._building = None
        if web_build.folder().is_dir():
            self._say(either(f"The pages are ready: {self._url}", f"화면이 준비되었습니다: {self._url}"))
            return
        self._say(
            either(
                f"The pages could not be built; everything else works. See {building.log}, then: make pages",
                f"화면을 빌드하지 못했습니다. 다른 기능은 모두 동작합니다. {building.log}을(를) 확인한 뒤 make pages를 "
                "실행하십시오.",
            )
        )
