"""Whether the configured printers can print what the hub sends."""

import asyncio
from collections.abc import Sequence

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing.folder import path_of
from device_agent.actions.printing.raw import RawSocketPrinter
from device_agent.checks.findings import fail, ok, warn
from device_agent.checks.machine import check_folder
from device_agent.ipp.client import IppClient
from device_agent.ipp.errors import IppError, IppRefused
from device_agent.ipp.message import Group
from device_agent.ipp.states import parse_reasons, waiting_for_person
from schemas.findings import Finding

PDF = "application/pdf"
_ABOUT = ("document-format-supported", "printer-is-accepting-jobs", "printer-state-message", "printer-state-reasons")
_MOST_FORMATS = 10


async def check_printers(printers: Sequence[PrinterConfig]) -> list[Finding]:
    """All at the same time, in the configuration's order."""
    if not printers:
        return [warn("printer", "printer_none")]
    found = await asyncio.gather(*map(_check, printers))
    return [finding for findings in found for finding in findings]


async def _check(printer: PrinterConfig) -> list[Finding]:
    match printer.uri.partition(":")[0].lower():
        case "folder":
            return [await asyncio.to_thread(check_folder, printer.name, path_of(printer.uri))]
        case "socket":
            said = await RawSocketPrinter(printer).describe()
            if said["state"] == "unreachable":
                return [_unreachable(printer.name, said["uri"], said["message"])]
            return [ok("printer", "printer_raw_ok", name=printer.name)]
        case _:
            return await _check_ipp(printer)


async def _check_ipp(printer: PrinterConfig) -> list[Finding]:
    async with IppClient(
        printer.uri, tls_verify=printer.tls_verify, ca_file=printer.ca_file, answer_s=printer.timeout_s
    ) as client:
        try:
            about = await client.get_printer(_ABOUT)
        except IppRefused as refusal:
            return [fail("printer", "printer_refuses", name=printer.name, uri=client.uri, problem=refusal)]
        except IppError as problem:
            return [_unreachable(printer.name, client.uri, str(problem))]
    return _judge(printer.name, about)


def _judge(name: str, about: Group) -> list[Finding]:
    formats = about.texts("document-format-supported")
    if formats and PDF not in formats:  # the driver refuses by the same rule
        shown = ", ".join(sorted(formats)[:_MOST_FORMATS])
        return [fail("printer", "printer_no_pdf", name=name, formats=shown)]
    if about.boolean("printer-is-accepting-jobs") is False:
        said = about.text("printer-state-message") or "printer-is-accepting-jobs: false"
        return [fail("printer", "printer_stopped", name=name, problem=said)]
    findings = [ok("printer", "printer_ok", name=name)]
    reasons = waiting_for_person(parse_reasons(about.texts("printer-state-reasons")), stopped=False)
    if reasons:
        findings.append(warn("printer", "printer_attention", name=name, reasons=", ".join(reasons)))
    return findings


def _unreachable(name: str, uri: str, problem: str) -> Finding:
    return fail("printer", "printer_unreachable", name=name, uri=uri, problem=problem or "no answer")
