"""A private CUPS: Debian's own, unpacked and not installed, run by the user that runs the virtual printer."""

import re
import subprocess
import zlib
from pathlib import Path
from typing import NamedTuple

from hub.programs.embedded import debian, ports
from hub.programs.embedded.data_folder import DataFolder, own_folder, write_private
from hub.programs.embedded.packages import Packages, library_folders
from hub.programs.embedded.processes import Child, ChildSpec, base_environment, identity_arguments

_START_S = 20
_ADMIN_S = 30
_DAEMON = """\
LogLevel warn
PageLogFormat %p|%C|%{{sides}}|%{{job-name}}
MaxJobs 0
Listen 127.0.0.1:{port}
Browsing No
WebInterface No
DefaultAuthType None
IdleExitTimeout 0
PreserveJobHistory Yes
<Location />
  Order allow,deny
  Allow all
</Location>
<Policy default>
  JobPrivateAccess all
  JobPrivateValues none
  <Limit All>
    Order deny,allow
    Allow all
  </Limit>
</Policy>
"""
_FILES = """\
SystemGroup {group}
User {user}
Group {group}
ServerRoot {folder}
RequestRoot {folder}/spool
TempDir {folder}/tmp
CacheDir {folder}/cache
StateDir {folder}/state
ServerBin {programs}/usr/lib/cups
DataDir {programs}/usr/share/cups
AccessLog {folder}/access_log
ErrorLog {folder}/error_log
PageLog {folder}/page_log
"""


def unpacked() -> Path:
    """The root of the unpacked packages; fetched at the first call."""

    def fill(folder: Path) -> None:
        for package in ("cups", "cups-filters"):
            debian.unpack(package, folder)

    return Packages().folder(f"{debian.release()}-cups", fill)


class PageLogLine(NamedTuple):
    """One line of page_log."""

    queue: str
    impressions: int
    """Printed sides of paper, over all copies."""
    sides: str
    job_name: str


class Cups:
    """One scheduler with its own queues; below `folder.printer`, which belongs to the user that runs it."""

    def __init__(self, folder: DataFolder, port: int) -> None:
        self._folder = folder
        self._port = port
        self._root = folder.printer / "cups"
        self._programs = unpacked()
        self._environment = {"LD_LIBRARY_PATH": ":".join(map(str, library_folders(self._programs)))}
        self._child: Child | None = None

    def start(self) -> None:
        """Start it; it answers when this returns."""
        user = self._folder.user
        for name in ("", "spool", "tmp", "cache", "state", "state/certs"):
            own_folder(self._root / name, user)
        owner, group = self._root.owner(), self._root.group()
        files = _FILES.format(folder=self._root, programs=self._programs, user=owner, group=group)
        write_private(self._root / "cups-files.conf", files, user)
        write_private(self._root / "cupsd.conf", _DAEMON.format(port=self._port), user)
        argv = [str(self._programs / "usr/sbin/cupsd"), "-f", "-c", "cupsd.conf", "-s", "cups-files.conf"]
        self._child = child = Child.start(
            ChildSpec(
                name="cupsd",
                argv=[*argv[:3], str(self._root / argv[3]), argv[4], str(self._root / argv[5])],
                log=self._folder.logs / "cups.log",
                note=self._folder.run / "cups",
                env=self._environment,
                user=user,
            )
        )
        child.wait_ready(lambda: ports.listens(child.pid, self._port), _START_S)

    def stop(self) -> None:
        """Stop it."""
        if self._child is not None:
            self._child.stop()

    def add_queue(self, name: str, device: str) -> str:
        """A driverless queue in front of an IPP printer; its URI."""
        options = ["-m", "everywhere", "-E", "-o", "printer-error-policy=retry-job"]
        self._administer("lpadmin", "-p", name, "-v", device, *options)
        return f"ipp://127.0.0.1:{self._port}/printers/{name}"

    def stop_queue(self, name: str) -> None:
        """Stop a queue, as an operator does: it takes jobs, and keeps them. One that it prints just now is cut off, and
        CUPS prints it anew when the queue goes on."""
        self._administer("cupsdisable", name)

    def start_queue(self, name: str) -> None:
        """Let a stopped queue go on."""
        self._administer("cupsenable", name)

    def page_log(self) -> list[PageLogLine]:
        """What CUPS says that it printed."""
        lines = (line.split("|", 3) for line in (self._root / "page_log").read_text("utf-8").splitlines())
        return [PageLogLine(queue, int(impressions), sides, name) for queue, impressions, sides, name in lines]

    def _administer(self, program: str, *arguments: str) -> None:
        tool = next(path for path in self._programs.glob(f"usr/*bin/{program}"))
        subprocess.run(
            [str(tool), "-h", f"127.0.0.1:{self._port}", *arguments],
            env={**base_environment(), **self._environment},
            check=True,
            capture_output=True,
            timeout=_ADMIN_S,
            **identity_arguments(self._folder.user),  # type: ignore[call-overload]
        )


def document(texts: list[str]) -> bytes:
    """A PDF with one page for each text."""
    count = len(texts)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {count}>>"]
    objects.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for number, text in enumerate(texts):
        content = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET"
        page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
        objects.append(f"{page}/Contents {5 + 2 * number} 0 R>>")
        objects.append(f"<</Length {len(content)}>>\nstream\n{content}\nendstream")
    body = b"%PDF-1.4\n"
    places = []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n"
    return body + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{end}".encode()


def pages(pdf: bytes) -> int:
    """How many pages a PDF has, as CUPS's filter writes it."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def texts(pdf: bytes) -> list[str]:
    """The texts of a PDF in the order of its streams."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\n?endstream", pdf, flags=re.DOTALL):
        try:
            content = zlib.decompressobj().decompress(stream)
        except zlib.error:
            content = stream
        found += re.findall(rb"\(([^)]*)\)\s*Tj", content)
    return [text.decode("latin-1") for text in found]
