"""Two hundred jobs in a row: every byte, every option, each exactly once, also when the paper ends in the middle."""

import asyncio
import os
from pathlib import Path
from typing import Any

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.raw import RawSocketPrinter
from tests.support.printing import Context, PrinterTestbed, begin, payload, until
from tests.support.waiting import eventually

JOBS = 200
SIDES = (None, "one-sided", "two-sided-long-edge", "two-sided-short-edge")
EMPTY_AT = 100
LARGE_EVERY = 50
LARGE = 5 * 1024 * 1024
"""Beyond what is sent in one request."""


def job(number: int, folder: Path) -> tuple[Context, Path, dict[str, Any], bytes]:
    """The agent's side of one job, its file, what is asked, and its bytes, which no other job has."""
    size = LARGE if number % LARGE_EVERY == 0 else 500 + 97 * number
    content = b"%%PDF-1.4\n%% job %d\n" % number + os.urandom(size) + b"%%EOF\n"
    file = folder / f"{number}.pdf"
    file.write_bytes(content)
    asked: dict[str, Any] = {"copies": 1 + number % 5, "title": f"주문 {number}"}
    sides = SIDES[number % len(SIDES)]
    return Context(file, f"0192-{number}"), file, asked | ({} if sides is None else {"sides": sides}), content


async def test_two_hundred_jobs_over_ipp_with_the_tray_emptied_in_the_middle(
    printer: PrinterTestbed, tmp_path: Path
) -> None:
    wanted = {}
    held: list[int] = []
    driver = printer.printer()
    for number in range(JOBS):
        context, file, asked, content = job(number, tmp_path)
        request = print_request.parse(payload(file, **asked))
        wanted[f"{context.job_name} {asked['title']}"] = (asked["copies"], asked.get("sides", "one-sided"), content)
        if number == EMPTY_AT:
            await printer.fill_tray(0)
        printing = begin(driver.print_document(request, context))
        if number == EMPTY_AT:
            assert "media-needed" in await until(context, "held")
            assert len(printer.effects()) == EMPTY_AT
            await printer.fill_tray(250)
        outcome = await printing
        assert outcome.status == "completed", (number, outcome)
        if context.heard("held"):
            held.append(number)

    effects = printer.effects()
    assert [effect["job_name"] for effect in effects] == list(wanted)
    for effect in effects:
        assert (effect["copies"], effect["sides"], printer.printed(effect)) == wanted[effect["job_name"]]
    assert held == [EMPTY_AT]


async def test_two_hundred_jobs_over_a_raw_port(tmp_path: Path) -> None:
    received: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(-1))
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    uri = f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    label_printer = RawSocketPrinter(PrinterConfig(name="labels", uri=uri))
    wanted = []
    async with server:
        for number in range(JOBS):
            context, file, asked, content = job(number, tmp_path)
            wanted.append(content * asked["copies"])
            outcome = await label_printer.print_document(print_request.parse(payload(file, **asked)), context)
            assert outcome.status == "completed", (number, outcome)
            assert outcome.data["bytes_accepted"] == len(wanted[-1])

        # The driver goes by the kernel's word that all bytes are there; the reader may come to it later.
        await eventually(lambda: len(received) == JOBS)
    assert sorted(received) == sorted(wanted)
