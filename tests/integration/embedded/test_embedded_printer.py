"""The virtual printer prints, can be slow or broken, and leaves a record that trusts nobody else."""

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages, Program
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.printer import HOSTS, EmbeddedPrinter, PrinterPrograms, find_programs
from tests.support.processes import processes_in
from tests.support.waiting import SOON_S, until

DOCUMENT = b"%PDF-1.4 a label"
PRINT = """{ NAME "print" OPERATION Print-Job GROUP operation-attributes-tag
ATTR charset attributes-charset utf-8 ATTR language attributes-natural-language en ATTR uri printer-uri $uri
ATTR name requesting-user-name kim ATTR name job-name "$job" ATTR mimeMediaType document-format application/pdf
GROUP job-attributes-tag ATTR integer copies 3 ATTR keyword sides two-sided-long-edge
FILE $filename STATUS successful-ok }"""
STATE = """{ NAME "state" OPERATION Get-Job-Attributes GROUP operation-attributes-tag
ATTR charset attributes-charset utf-8 ATTR language attributes-natural-language en ATTR uri printer-uri $uri
ATTR integer job-id 1 STATUS successful-ok }"""


@pytest.fixture
def programs(packages: Packages) -> PrinterPrograms:
    found = find_programs(packages)
    assert isinstance(found, PrinterPrograms), found
    return found


@pytest.fixture
def printer(data_folder: DataFolder, programs: PrinterPrograms) -> Iterator[EmbeddedPrinter]:
    """A running printer."""
    virtual = EmbeddedPrinter(data_folder, programs, PortBook(data_folder.ports).choose("printer", 0, HOSTS).number)
    virtual.start()
    yield virtual
    virtual.stop()


def ask(program: Program, request: str, url: str, folder: Path, job: str = "job") -> str:
    """Send one IPP request with the tool that belongs to the printer's own package."""
    (folder / "request").write_text(request)
    (folder / "label.pdf").write_bytes(DOCUMENT)
    tool = next(path for path in program.path.parents[1].glob("*bin/ipptool"))
    argv = [str(tool), "-tv", "-d", f"job={job}", "-f", str(folder / "label.pdf"), url, str(folder / "request")]
    environment = {**program.env, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


def control(printer: EmbeddedPrinter, name: str, content: str) -> None:
    """Make the printer behave so, as somebody does at a shell that keeps new files private."""
    line = 'umask 077; printf %s "$2" >"$1"'
    subprocess.run(["sh", "-c", line, "sh", printer.control_folder / name, content], check=True, timeout=10)


def effects(printer: EmbeddedPrinter) -> list[dict[str, Any]]:
    if not printer.effects_file.exists():
        return []
    return [json.loads(line) for line in printer.effects_file.read_text(encoding="utf-8").splitlines()]


def test_a_job_leaves_its_document_and_one_line(
    printer: EmbeddedPrinter, programs: PrinterPrograms, tmp_path: Path
) -> None:
    name = "주문 a'b \\\\ / label"
    assert "successful-ok" in ask(programs.printer, PRINT, printer.url, tmp_path, name)
    until(lambda: len(effects(printer)) == 1, "the job was printed", SOON_S)
    effect = effects(printer)[0]
    assert effect["job_name"].startswith("주문 a'b \\")
    assert (effect["copies"], effect["sides"], effect["user"]) == (3, "two-sided-long-edge", "kim")
    assert effect["sha256"] == hashlib.sha256(DOCUMENT).hexdigest()
    assert (printer.effects_file.parent / "out" / effect["file"]).read_bytes() == DOCUMENT


def test_a_failing_printer_aborts_the_job_without_effect(
    printer: EmbeddedPrinter, programs: PrinterPrograms, tmp_path: Path
) -> None:
    control(printer, "stderr", "ERROR: fuser melted\n")
    control(printer, "exit", "1")
    ask(programs.printer, PRINT, printer.url, tmp_path)
    until(lambda: "aborted" in ask(programs.printer, STATE, printer.url, tmp_path), "the job was aborted", SOON_S)
    assert "fuser melted" in ask(programs.printer, STATE, printer.url, tmp_path)
    assert effects(printer) == []


def test_a_control_file_that_the_printer_may_not_read_is_named(
    printer: EmbeddedPrinter, programs: PrinterPrograms, tmp_path: Path
) -> None:
    """Moved there, or kept from before: such a file has its own rights."""
    private = tmp_path / "seconds"
    private.write_text("0")
    private.chmod(0o000)
    private.rename(printer.control_folder / "seconds")
    ask(programs.printer, PRINT, printer.url, tmp_path)
    until(lambda: "aborted" in ask(programs.printer, STATE, printer.url, tmp_path), "the job was aborted", SOON_S)
    assert "cannot read its file control/seconds" in ask(programs.printer, STATE, printer.url, tmp_path)
    assert effects(printer) == []


def test_a_slow_printer_is_still_at_it_after_the_effect(
    printer: EmbeddedPrinter, programs: PrinterPrograms, tmp_path: Path
) -> None:
    control(printer, "seconds_after", "30")
    ask(programs.printer, PRINT, printer.url, tmp_path)
    until(lambda: len(effects(printer)) == 1, "the effect was recorded", SOON_S)
    assert "= processing" in ask(programs.printer, STATE, printer.url, tmp_path)
    assert "print_command.s" in processes_in(printer.effects_file.parent)
    printer.stop()
    until(lambda: processes_in(printer.effects_file.parent) == [], "the slow command went along", SOON_S)


def test_a_printer_that_dies_in_mid_print_prints_nothing_more(
    printer: EmbeddedPrinter, data_folder: DataFolder, programs: PrinterPrograms, tmp_path: Path
) -> None:
    control(printer, "seconds", "600")
    ask(programs.printer, PRINT, printer.url, tmp_path)
    folder = printer.effects_file.parent
    until(lambda: "timeout" in processes_in(folder), "it prints", SOON_S)

    # Only the printer itself, as the kernel does when whoever started it dies.
    os.kill(int((data_folder.run / "printer").read_text().split()[0]), signal.SIGKILL)

    until(lambda: processes_in(folder) == ["dbus-daemon"], "its command ended, too", SOON_S)
    assert effects(printer) == []


def test_it_starts_again_after_a_crash_and_counts_on(
    printer: EmbeddedPrinter, programs: PrinterPrograms, tmp_path: Path
) -> None:
    ask(programs.printer, PRINT, printer.url, tmp_path)
    until(lambda: len(effects(printer)) == 1, "the first job was printed", SOON_S)
    printer.kill()
    printer.start()
    ask(programs.printer, PRINT, printer.url, tmp_path)
    until(lambda: [effect["number"] for effect in effects(printer)] == [1, 2], "both jobs are recorded", SOON_S)


def test_without_the_programs_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("hub.programs.embedded.packages._SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_programs(Packages(tmp_path))
    assert isinstance(found, str)
    assert "no apt" in found
