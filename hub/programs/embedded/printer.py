"""A private virtual printer: Debian's `ippeveprinter`, a real IPP printer in all but paper.

It insists on announcing itself by DNS-SD, for which it needs a D-Bus; a private one satisfies it (`-r off` keeps it
from the network). What it printed is in `<printer folder>/effects.jsonl`, one JSON object a line, written and synced
at the moment of the effect; `print_command.sh` says which control files make it slow or broken.
"""

import signal
from dataclasses import dataclass
from pathlib import Path

from hub.programs.embedded import ports, service_user
from hub.programs.embedded.data_folder import DataFolder, own_folder, write_private
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.packages import Packages, Program
from hub.programs.embedded.processes import Child, ChildSpec, end_leftover
from schemas.terminal import either

HOSTS = ("127.0.0.1", "::1")
_START_DEADLINE_S = 20
_STOP_DEADLINE_S = 5
FORMATS = "application/pdf,image/pwg-raster,image/urf,image/jpeg,text/plain,application/octet-stream"
_COMMAND = Path(__file__).with_name("print_command.sh")
#: Both processes work in the printer folder and name the socket relative to it: a full path may be longer than the
#: 107 bytes that a socket's name can have.
_SOCKET = "bus.sock"
_BUS_CONFIG_FILE = "bus.conf"
#: Without the two eavesdrop lines the bus rejects the answers that the printer's DNS-SD library waits for.
_BUS_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=bus.sock</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@dataclass(frozen=True, slots=True)
class PrinterPrograms:
    """What a virtual printer consists of."""

    printer: Program
    bus: Program


def find_programs(packages: Packages) -> PrinterPrograms | str:
    """The two programs, or a sentence that says why there is no virtual printer on this machine."""
    try:
        return PrinterPrograms(
            packages.program("ippeveprinter", "cups-ipp-utils"), packages.program("dbus-daemon", "dbus-daemon")
        )
    except EmbeddedError as error:
        return either(
            f"No virtual printer: {error.sentence} Documents go to a folder instead.",
            f"가상 프린터가 없습니다. {error.korean} 대신 문서를 폴더에 저장합니다.",
        )


class EmbeddedPrinter:
    """One virtual printer and its private bus. Hold the data folder's lock while using it."""

    def __init__(
        self,
        folder: DataFolder,
        programs: PrinterPrograms,
        port: int,
        printer_name: str = "Office",
        formats: str = FORMATS,
    ) -> None:
        self._folder = folder
        self._formats = formats
        self._programs = programs
        self._printer_name = printer_name
        self._bus: Child | None = None
        self._child: Child | None = None
        self.port = port

    @property
    def name(self) -> str:
        """What to call it in sentences."""
        return "the virtual printer"

    @property
    def url(self) -> str:
        """Where to send IPP requests."""
        return f"ipp://localhost:{self.port}/ipp/print"

    @property
    def effects_file(self) -> Path:
        """One JSON line for each printed document: number, job_name, copies, sides, user, content_type, sha256,
        file (in `out/`), at (UTC).
        """
        return self._folder.printer / "effects.jsonl"

    @property
    def control_folder(self) -> Path:
        """Control files that make the printer slow or broken; see `print_command.sh`."""
        return self._folder.printer / "control"

    def is_alive(self) -> bool:
        """Whether the printer and its bus run."""
        return all(child is not None and child.is_alive() for child in (self._bus, self._child))

    def start(self) -> str:
        """Start the bus and the printer, wait until it takes jobs, and return `url`. Raises EmbeddedError."""
        self.stop()  # of printer and bus, one may have outlived the other
        folder, user = self._folder.printer, self._folder.user
        for name in ("spool", "out", "control"):
            own_folder(folder / name, user)
        if user is not None:
            service_user.let_read_new_files(self.control_folder, user)
        write_private(folder / _BUS_CONFIG_FILE, _BUS_CONFIG, user)
        # A copy that the service user can reach; the checkout may lie in root's home.
        write_private(folder / _COMMAND.name, _COMMAND.read_text(encoding="utf-8"), user, mode=0o700)
        (folder / _SOCKET).unlink(missing_ok=True)
        for note in (self._note("printer"), self._note("printer-bus")):
            end_leftover(note, signal.SIGTERM)
        try:
            self._bus = Child.start(self._bus_spec())
            self._bus.wait_ready((folder / _SOCKET).exists, _START_DEADLINE_S)
            self._child = child = Child.start(self._printer_spec())
            child.wait_ready(lambda: ports.listens(child.pid, self.port), _START_DEADLINE_S)
        except EmbeddedError:
            self.stop()
            raise
        return self.url

    def failure(self) -> str:
        """A sentence about why it may have ended; empty while nothing has."""
        ended = (child.failure() for child in (self._bus, self._child) if child is not None and not child.is_alive())
        return next(ended, "")

    def stop(self) -> None:
        """Stop printer and bus; a job that is being printed is cut off. Safe to call twice."""
        for child in (self._child, self._bus):
            if child is not None:
                child.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        for child in (self._child, self._bus):
            if child is not None:
                child.kill()

    def _bus_spec(self) -> ChildSpec:
        program = self._programs.bus
        return ChildSpec(
            name="the printer's D-Bus",
            argv=[str(program.path), f"--config-file={_BUS_CONFIG_FILE}", "--nofork", "--nopidfile"],
            log=self._folder.logs / "printer-bus.log",
            note=self._note("printer-bus"),
            env=program.env,
            cwd=self._folder.printer,
            user=self._folder.user,
            stop_deadline_s=_STOP_DEADLINE_S,
        )

    def _printer_spec(self) -> ChildSpec:
        program, folder = self._programs.printer, self._folder.printer
        return ChildSpec(
            name=self.name,
            # No announcement, this machine only, two-sided. The command keeps what was printed, so the spool need not.
            argv=[
                *(str(program.path), "-r", "off", "-p", str(self.port), "-n", "localhost", "-d", "spool", "-2"),
                *("-f", self._formats, "-c", str(folder / _COMMAND.name), self._printer_name),
            ],
            log=self._folder.logs / "printer.log",
            note=self._note("printer"),
            env={
                **program.env,
                "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={_SOCKET}",
                "FLOORHUB_PRINTER": str(folder),
                "HOME": str(folder),
            },
            cwd=folder,
            user=self._folder.user,
            stop_deadline_s=_STOP_DEADLINE_S,
        )

    def _note(self, name: str) -> Path:
        return self._folder.run / name
