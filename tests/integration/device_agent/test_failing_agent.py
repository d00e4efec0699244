"""An agent that fails ends, also when its connection does not hear that it is cancelled."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from device_agent.actions.base import DriverContext, stopping
from device_agent.app import App
from device_agent.config import load
from device_agent.core.events import StartEffect
from device_agent.core.lifetime import Lifetime
from device_agent.core.outcome import Outcome
from device_agent.description import Describer
from device_agent.executor import Executor
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


class Page:
    """A page at a device, which can be asked to stop; the driver closes a connection when it is cancelled."""

    def __init__(self, takes_s: float) -> None:
        self._takes_s = takes_s
        self.began = asyncio.Event()
        self.ended = False
        self.stopped = False

    def check(self, action: str, payload: dict[str, Any]) -> None:
        """Everything can be printed."""

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        async with stopping(context, self._stop):
            try:
                self.began.set()
                async with asyncio.timeout(self._takes_s):
                    await asyncio.Event().wait()
            except TimeoutError:
                self.ended = True
            finally:
                await asyncio.sleep(0)
        return Outcome(status="completed")

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:
        return Outcome(status="unknown")

    async def _stop(self) -> Outcome:
        self.stopped = True
        return Outcome(status="cancelled")


@pytest.mark.parametrize("part", ["thinks", "talks", "describes", "is cancelled"])
@pytest.mark.parametrize(("takes_s", "ends"), [(0.05, True), (3_600.0, False)])
async def test_whatever_part_of_an_agent_ends_it_stops_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, takes_s: float, *, ends: bool
) -> None:
    page = Page(takes_s)
    step = StartEffect(
        command_id=UUID(int=1),
        attempt=1,
        action="print",
        payload={},
        mode="execute",
        began=Lifetime(boot="b", process="p"),
        patience_s=0.0,
    )

    async def thinks(self: App, journal: Any, snapshot: Any, executor: Executor) -> None:
        executor.start(step)
        await fails_in("thinks")

    async def fails_in(mine: str) -> None:
        await page.began.wait()
        if mine == part:
            raise LOST if part == "thinks" else ValueError("a bug")
        await asyncio.Event().wait()

    monkeypatch.setattr(App, "_think", thinks)
    monkeypatch.setattr(Session, "run", lambda _: fails_in("talks"))
    monkeypatch.setattr(Describer, "run", lambda _: fails_in("describes"))
    machine = Machine(tmp_path)
    monkeypatch.setattr(machine, "driver_for", lambda _: page)
    config = tmp_path / "agent.toml"
    config.touch(mode=0o600)
    config.write_text(
        f'client_id = "pc-1"\nhub_url = "http://127.0.0.1:9"\nsecret = "s"\nroot_key = "{"A" * 43}"\n'
        f'mqtt_url = "mqtt://127.0.0.1:9"\nstop_timeout_s = {10 if ends else 0.1}\n'
    )
    running = asyncio.create_task(App(load(config, tmp_path / "data"), machine).run())
    await page.began.wait()
    if part == "is cancelled":
        running.cancel()
        running.cancel()
    async with asyncio.timeout(20):
        await asyncio.wait({running})
    assert running.cancelled() if part == "is cancelled" else running.exception() is not None
    assert not page.stopped
    assert page.ended == (ends and part != "is cancelled")
