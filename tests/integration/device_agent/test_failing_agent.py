"""An agent that fails ends, also when its connection does not hear that it is cancelled."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from device_agent.app import App
from device_agent.config import load
from device_agent.journal import JournalError
from device_agent.session import Session
from tests.integration.device_agent.machine import Machine

CONNACK = bytes((0x20, 3, 0, 0, 0))


async def test_a_lost_cancel_does_not_keep_a_broken_agent_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribing = asyncio.Event()

    async def loses_its_cancel(_: Session, __: Any) -> None:
        # As `asyncio.wait_for` of Python 3.11 does when the cancel meets the SUBACK.
        subscribing.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async def breaks(*_: Any) -> None:
        await subscribing.wait()
        raise JournalError("the disk is full")

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        writer.write(CONNACK)
        while await reader.read(4_096):
            pass
        writer.close()

    monkeypatch.setattr(Session, "_subscribe", loses_its_cancel)
    monkeypatch.setattr(App, "_think", breaks)
    async with await asyncio.start_server(broker, "127.0.0.1", 0) as server:
        config = tmp_path / "agent.toml"
        config.touch(mode=0o600)
        config.write_text(
            f'client_id = "pc-1"\nhub_url = "http://127.0.0.1:9"\nsecret = "s"\nroot_key = "{"A" * 43}"\n'
            f'mqtt_url = "mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"\n'
        )
        agent = App(load(config, tmp_path / "data"), Machine(tmp_path))
        with pytest.raises(JournalError):
            async with asyncio.timeout(20):
                await agent.run()


LOST = JournalError("the disk is full")


@pytest.mark.parametrize("also", [LOST, ExceptionGroup("deep", [ValueError("x"), ExceptionGroup("deeper", [LOST])])])
async def test_two_parts_that_meet_one_broken_disk_are_one_broken_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, also: Exception
) -> None:
    async def breaks(*_: Any) -> None:
        raise LOST

    async def breaks_as_well(*_: Any) -> None:
        raise also

    monkeypatch.setattr(Session, "run", breaks_as_well)
    monkeypatch.setattr(App, "_think", breaks)
    config = tmp_path / "agent.toml"
    config.touch(mode=0o600)
    config.write_text(
        f'client_id = "pc-1"\nhub_url = "http://127.0.0.1:9"\nsecret = "s"\nroot_key = "{"A" * 43}"\n'
        'mqtt_url = "mqtt://127.0.0.1:9"\n'
    )
    with pytest.raises(JournalError, match="the disk is full"):
        await App(load(config, tmp_path / "data"), Machine(tmp_path)).run()
