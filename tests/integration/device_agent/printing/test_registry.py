"""From configuration to drivers, and what the client says about itself."""

import asyncio
from pathlib import Path

import pytest

from device_agent.actions.base import announces_effect
from device_agent.actions.config import OwnActionConfig, PrinterConfig
from device_agent.actions.registry import _KINDS, Drivers
from tests.support.printing import Context, PrinterTestbed, begin, cancel, payload


def drivers(folder: Path, *printers: PrinterConfig, **actions: OwnActionConfig) -> Drivers:
    return Drivers(printers, actions, version="1.2.3", folder=folder)


async def test_each_printer_is_reached_in_its_own_way(printer: PrinterTestbed, pdf: Path, tmp_path: Path) -> None:
    found = drivers(
        tmp_path,
        PrinterConfig(name="office", uri=printer.embedded.url),
        PrinterConfig(name="files", uri=f"folder:{tmp_path}"),
    )
    driver = found.driver_for("print")
    assert driver is not None
    for name in ("office", "files"):
        wanted = payload(pdf, printer=name)
        driver.check("print", wanted)
        context = Context(pdf)
        assert (await driver.execute("print", wanted, context)).status == "completed"
        assert (await driver.evidence("print", wanted, context.after_restart())).status == "completed"
    assert len(printer.effects()) == 1
    assert (tmp_path / "1-floorhub-0192-a-1.pdf").exists()


async def test_nothing_reaches_a_printer_before_the_journal_knows(
    printer: PrinterTestbed, pdf: Path, tmp_path: Path
) -> None:
    """For each kind of printer: what is cut off before that is printed anew."""
    heard = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1):
            heard.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        uris = {
            "ipp": printer.embedded.url,
            "folder": f"folder:{tmp_path}",
            "socket": f"socket://127.0.0.1:{port}",
        }
        assert {_KINDS[kind] for kind in uris} == set(_KINDS.values())
        driver = drivers(tmp_path, *(PrinterConfig(name=kind, uri=uri) for kind, uri in uris.items())).driver_for(
            "print"
        )
        assert driver is not None
        assert announces_effect(driver)
        for kind in uris:
            context = Context(pdf)
            context.let_begin.clear()
            task = begin(driver.execute("print", payload(pdf, printer=kind), context))
            await asyncio.wait_for(context.begins_asked.wait(), 10)
            outcome = await cancel(task, context)
            assert outcome is not None
            assert outcome.status == "cancelled", (kind, outcome)
    assert not heard.is_set()
    assert printer.effects() == []
    assert [file.name for file in tmp_path.iterdir()] == [pdf.name]  # noqa: ASYNC240 - a test


async def test_a_printer_that_was_removed_from_the_configuration_leaves_doubt(tmp_path: Path, pdf: Path) -> None:
    driver = drivers(tmp_path, PrinterConfig(name="files", uri=f"folder:{tmp_path}")).driver_for("print")
    assert driver is not None
    outcome = await driver.evidence("print", payload(pdf), Context(pdf))
    assert (outcome.status, outcome.code) == ("unknown", "printer_unknown")


async def test_status_says_how_the_client_is(printer: PrinterTestbed, tmp_path: Path) -> None:
    found = drivers(
        tmp_path,
        PrinterConfig(name="office", uri=printer.embedded.url),
        PrinterConfig(name="gone", uri="ipp://127.0.0.1:9/ipp/print"),
    )
    driver = found.driver_for("status")
    assert driver is not None
    outcome = await driver.execute("status", {}, Context())
    assert outcome.status == "completed"
    assert outcome.data["agent_version"] == "1.2.3"
    assert outcome.data["disk_free_bytes"] > 0
    assert [(known["name"], known["state"]) for known in outcome.data["printers"]] == [
        ("office", "idle"),
        ("gone", "unreachable"),
    ]
    assert (await driver.evidence("status", {}, Context())).status == "completed"


def test_actions_are_what_the_configuration_has(tmp_path: Path) -> None:
    found = drivers(tmp_path, feed=OwnActionConfig(argv=["/bin/true"]))
    assert found.actions == ["collect_logs", "feed", "restart_agent", "status"]
    assert found.driver_for("print") is None
    other = found.driver_for("status")
    assert other is not None
    with pytest.raises(ValueError, match="already"):
        found.add("status", other)
    found.add("display", other)
    assert found.driver_for("display") is other


@pytest.mark.parametrize("uri", ["lpd://x/y", "folder:relative", "ipp:///x", "office"])
def test_a_printer_that_cannot_be_is_named(tmp_path: Path, uri: str) -> None:
    with pytest.raises(ValueError, match=r"printers\.office\.uri"):
        drivers(tmp_path, PrinterConfig(name="office", uri=uri))


def test_an_own_action_cannot_take_a_name_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"actions\.print"):
        drivers(tmp_path, print=OwnActionConfig(argv=["/bin/true"]))
    with pytest.raises(ValueError, match=r"actions\.feed"):
        drivers(tmp_path, feed=OwnActionConfig(argv=["{program}"]))
