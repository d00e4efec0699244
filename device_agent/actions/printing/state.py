"""How an IPP printer is, for the agent's state message."""

import asyncio
import contextlib
from typing import Any

from device_agent.actions.config import PrinterConfig
from device_agent.ipp.client import IppClient
from device_agent.ipp.errors import IppError, IppRefused
from device_agent.ipp.message import Group
from device_agent.ipp.states import Reason, Supply, parse_reasons, printer_state, supplies

_ABOUT = (
    *("printer-state", "printer-state-reasons", "printer-state-message", "printer-is-accepting-jobs"),
    *("printer-make-and-model", "queued-job-count", "media-ready", "media-default", "device-uri"),
    *("marker-names", "marker-levels", "marker-types", "printer-supply", "printer-supply-description"),
)
_MOST = 20
"""Of supplies, media and reasons: a state message must stay small."""


async def describe_printer(client: IppClient, config: PrinterConfig) -> dict[str, Any]:
    """See `print_action.Printer.describe`."""
    try:
        printer = await client.get_printer(_ABOUT)
    except IppError as problem:
        return {
            "name": config.name,
            "uri": client.uri,
            "state": "unknown" if isinstance(problem, IppRefused) else "unreachable",  # to refuse is to answer
            "reasons": [],
            "supplies": [],
            "message": str(problem),
        }
    keywords = printer.texts("printer-state-reasons")
    levels = supplies(printer)
    device = await _device_behind(printer, config)
    if device is not None:
        keywords += device.texts("printer-state-reasons")
        levels = supplies(device) or levels
    reasons = parse_reasons(keywords)
    state = printer_state(printer)
    return {
        "name": config.name,
        "uri": client.uri,
        "state": state.name.lower() if state else "unknown",
        "reasons": [_spell_reason(reason) for reason in reasons[:_MOST]],
        "supplies": [_spell_supply(supply) for supply in levels[:_MOST]],
        "message": printer.text("printer-state-message"),
        "accepting_jobs": printer.boolean("printer-is-accepting-jobs"),
        "model": printer.text("printer-make-and-model"),
        "queued_jobs": printer.integer("queued-job-count"),
        "media_ready": printer.texts("media-ready")[:_MOST],
        "media_default": printer.text("media-default"),
    }


async def _device_behind(queue: Group, config: PrinterConfig) -> Group | None:
    """The printer behind a CUPS queue: CUPS itself learns of an empty tray only while a job runs."""
    uri = queue.text("device-uri")
    if not uri.startswith(("ipp://", "ipps://")):
        return None
    with contextlib.suppress(IppError, ValueError, TimeoutError):
        async with (
            asyncio.timeout(config.timeout_s),
            # A queue names its device by whatever CUPS trusts; the site's certificate setting is for the queue.
            IppClient(uri, tls_verify=False, connect_s=2.0, answer_s=config.timeout_s) as device,
        ):
            return await device.get_printer(_ABOUT)
    return None


def _spell_reason(reason: Reason) -> dict[str, Any]:
    return {"reason": reason.name, "severity": reason.severity.value}


def _spell_supply(supply: Supply) -> dict[str, Any]:
    return {"name": supply.name, "kind": supply.kind, "level": supply.level}
