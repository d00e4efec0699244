"""A private CUPS: Debian's own, unpacked and not installed, run by the user that runs the virtual printer."""

import re
import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from hub.programs.embedded import debian, ports
from hub.programs.embedded.data_folder import DataFolder, own_folder, write_private
from hub.programs.embedded.packages import Packages, library_folders
from hub.programs.embedded.processes import Child, ChildSpec, base_environment, identity_arguments

_START_S = 20
_ADMIN_S = 30
_FOLDERS = {
    "ServerRoot": "etc/cups",
    "RequestRoot": "var/spool/cups",
    "TempDir": "var/spool/cups/tmp",
    "CacheDir": "var/cache/cups",
    "StateDir": "run/cups",
}
_LOGS = ("AccessLog", "ErrorLog", "PageLog")
_SOCKET = "run/cups/cups.sock"


def unpacked() -> Path:
    """The root of the unpacked packages; fetched at the first call."""

    def fill(folder: Path) -> None:
        for package in ("cups", "cups-filters"):
            debian.unpack(package, folder)

    return Packages().folder(f"{debian.release()}-cups", fill)


PAGE_LOG = "PageLogFormat %p|%C|%{sides}|%{job-name}\n"


class PageLogLine(NamedTuple):
    """One line of page_log, as `PAGE_LOG` makes CUPS write them: by default it writes none."""

    queue: str
    impressions: int
    """Printed sides of paper, over all copies."""
    sides: str
    job_name: str


class Cups:
    """One scheduler with its own queues, as Debian configures it: the package's own files and folders, below
    `folder.printer` instead of `/`, on a port of its own, and run by the user that owns the folder instead of root.

    `further` are lines for cupsd.conf that a test cannot do without.
    """

    def __init__(self, folder: DataFolder, port: int, further: str = "") -> None:
        self._folder = folder
        self._port = port
        self._further = further
        self._root = folder.printer / "cups"
        self._programs = unpacked()
        self._environment = {"LD_LIBRARY_PATH": ":".join(map(str, library_folders(self._programs)))}
        self._child: Child | None = None

    def start(self) -> None:
        """Start it; it answers when this returns."""
        user = self._folder.user
        for name in ("", *sorted({*_parents(_FOLDERS.values()), "var/log", "var/log/cups", "run/cups/certs"})):
            own_folder(self._root / name, user)
        files, daemon = (self._root / _FOLDERS["ServerRoot"] / name for name in ("cups-files.conf", "cupsd.conf"))
        write_private(files, self._files(), user)
        write_private(daemon, self._daemon(), user)
        self._child = child = Child.start(
            ChildSpec(
                name="cupsd",
                argv=[str(self._programs / "usr/sbin/cupsd"), "-f", "-c", str(daemon), "-s", str(files)],
                log=self._folder.logs / "cups.log",
                note=self._folder.run / "cups",
                env=self._environment,
                user=user,
            )
        )
        child.wait_ready(lambda: ports.listens(child.pid, self._port), _START_S)

    def _daemon(self) -> str:
        """The package's cupsd.conf with another address."""
        text = (self._programs / "usr/share/cups/cupsd.conf.default").read_text("utf-8")
        for theirs, ours in (
            ("Listen localhost:631", f"Listen localhost:{self._port}"),
            ("Listen /run/cups/cups.sock", f"Listen {self._root / _SOCKET}"),
        ):
            assert text.count(f"\n{theirs}\n") == 1, theirs
            text = text.replace(theirs, ours)
        return f"{text}\n{self._further}"

    def _files(self) -> str:
        """The package's cups-files.conf with other folders, and with who it is that runs it."""
        group = self._root.group()
        ours = {"SystemGroup": group, "LogFileGroup": group, "User": self._root.owner(), "Group": group}
        ours |= {name: f"{self._root / folder}" for name, folder in _FOLDERS.items()}
        ours |= {name: f"{self._root}/var/log/cups/{_log_file(name)}" for name in _LOGS}
        ours |= {"ServerBin": f"{self._programs}/usr/lib/cups", "DataDir": f"{self._programs}/usr/share/cups"}
        text = (self._programs / "etc/cups/cups-files.conf").read_text("utf-8")
        kept = [line for line in text.splitlines() if line.partition(" ")[0] not in ours]
        return "\n".join([*kept, *(f"{name} {value}" for name, value in ours.items()), ""])

    def stop(self) -> None:
        """Stop it."""
        if self._child is not None:
            self._child.stop()

    def add_queue(self, name: str, device: str) -> str:
        """A driverless queue in front of an IPP printer; its URI."""
        self._administer("lpadmin", "-p", name, "-v", device, "-m", "everywhere", "-E")
        return f"ipp://127.0.0.1:{self._port}/printers/{name}"

    @property
    def uri(self) -> str:
        """The server."""
        return f"ipp://127.0.0.1:{self._port}"

    def add_raw_queue(self, name: str, device: str, title: str) -> None:
        """A queue that hands on what it gets, with words for people."""
        self._administer("lpadmin", "-p", name, "-v", device, "-D", title, "-E")

    def remove_queue(self, name: str) -> None:
        """Take a queue away."""
        self._administer("lpadmin", "-x", name)

    def make_default(self, name: str) -> None:
        """The queue of jobs that name none."""
        self._administer("lpadmin", "-d", name)

    def stop_queue(self, name: str) -> None:
        """Stop a queue, as an operator does: it takes jobs, and keeps them. One that it prints just now is cut off, and
        CUPS prints it anew when the queue goes on."""
        self._administer("cupsdisable", name)

    def start_queue(self, name: str) -> None:
        """Let a stopped queue go on."""
        self._administer("cupsenable", name)

    def page_log(self) -> list[PageLogLine]:
        """What CUPS says that it printed."""
        lines = (line.split("|", 3) for line in (self._root / "var/log/cups/page_log").read_text("utf-8").splitlines())
        return [PageLogLine(queue, int(impressions), sides, name) for queue, impressions, sides, name in lines]

    def _administer(self, program: str, *arguments: str) -> None:
        tool = next(path for path in self._programs.glob(f"usr/*bin/{program}"))
        subprocess.run(
            [str(tool), "-h", str(self._root / _SOCKET), *arguments],
            env={**base_environment(), **self._environment},
            check=True,
            capture_output=True,
            timeout=_ADMIN_S,
            **identity_arguments(self._folder.user),  # type: ignore[call-overload]
        )


def _parents(folders: Iterable[str]) -> set[str]:
    """Each folder with those above it."""
    return {str(path) for folder in folders for path in (Path(folder), *Path(folder).parents) if path != Path()}


def _log_file(name: str) -> str:
    """`access_log` of `AccessLog`."""
    return f"{name.removesuffix('Log').lower()}_log"


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
