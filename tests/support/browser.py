"""Debian's Chromium, unpacked and not installed, driven by Playwright; and what a page must never do meanwhile."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from hub.programs.embedded import debian
from hub.programs.embedded.packages import Packages, library_folders

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE_MS = 20_000
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{root}/usr/share/fonts</dir>
  <cachedir>{cache}</cachedir>
  <match target="pattern">
    <test name="family"><string>system-ui</string></test>
    <edit name="family" mode="prepend"><string>NanumGothic</string></edit>
  </match>
</fontconfig>
"""
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (401|403|422|429)\b.*")
"""What Chromium says of an answer that the page is made for: it shows the hub's sentence."""


def unpacked() -> Path:
    """The root of the unpacked packages, with a font that has Korean; fetched at the first call (350 MB unpacked)."""

    def fill(folder: Path) -> None:
        for package in ("chromium", "fonts-nanum"):
            debian.unpack(package, folder)

    return Packages().folder(f"{debian.release()}-chromium", fill)


def trust(home: Path, authority: Path) -> None:
    """Let browsers with this home trust a certificate authority, as `/trust` says it for Chrome on Linux."""

    def fill(folder: Path) -> None:
        debian.unpack("libnss3-tools", folder)

    root = Packages().folder(f"{debian.release()}-nss-tools", fill)
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, library_folders(root)))}
    certutil = str(root / "usr/bin/certutil")
    for step in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "Floorhub", "-i", str(authority)]):
        argv = [certutil, "-d", f"sql:{database}", *step]
        subprocess.run(argv, env=environment, check=True, capture_output=True, timeout=PATIENCE_MS / 1000)


def _environment(scratch: Path, root: Path) -> dict[str, str | float | bool]:
    fonts = scratch / "fonts.conf"
    fonts.write_text(_FONTS.format(root=root, cache=scratch / "fonts"), encoding="utf-8")
    folders = [*library_folders(root), *(folder / "pulseaudio" for folder in library_folders(root))]
    return {
        **os.environ,
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, folders)),
        "FONTCONFIG_FILE": str(fonts),
        "HOME": str(scratch),
    }


@contextmanager
def chromium(scratch: Path) -> Iterator[Browser]:
    """A running Chromium. Not beside asyncio in the same thread: close it before other tests run. What it keeps for the
    user lies in `scratch`."""
    root = unpacked()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=root / "usr/lib/chromium/chromium", args=list(ARGUMENTS), env=_environment(scratch, root)
        )
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """One person's browser, with cookies of its own, that notes whatever a page of ours must not do."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        """`options` as Playwright's contexts have them: `locale`, `color_scheme`, `viewport`."""
        self._url = url
        self._context: BrowserContext = browser.new_context(base_url=url, **options)
        self._context.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.page: Page = self.tab()

    def tab(self) -> Page:
        """Another tab of the same browser."""
        page = self._context.new_page()
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._on_request)
        # Also what the policy refuses without a word on the console.
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => console.error('refused', event.violatedDirective))"
        )
        return page

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _REFUSED.fullmatch(message.text):
            self.complaints.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self._url).netloc:
            self.complaints.append(f"elsewhere: {request.url}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.close()
        if kind is None:
            assert self.complaints == []
