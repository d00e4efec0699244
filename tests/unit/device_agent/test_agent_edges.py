"""The small edges: what the service manager hears, what the log says, what the state message carries."""

import asyncio
import json
import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from device_agent import description, logs
from device_agent.core.clock import HubClock
from device_agent.core.events import Now, Publish
from device_agent.core.gate import ActionGate, PayloadError
from device_agent.core.log import Log
from device_agent.description import Describer
from device_agent.session import parse_endpoint
from device_agent.supervision import notify
from schemas import codec
from schemas.topics import Channel


def test_the_service_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert notify("READY=1")
        assert listener.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "nonsense", "/nowhere/at/all"])
def test_without_a_service_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify("READY=1")


def test_a_log_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.configure("pc-1")
        logs.write(Log.COMMAND_HELD, command_id="c", reasons=["line\nbreak", Path("/odd")])
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    [line] = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["level"], entry["client_id"], entry["command_id"]) == (
        "command_held",
        "warning",
        "pc-1",
        "c",
    )


def test_log_event_names_are_unique() -> None:
    names = [event.label for event in Log]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("url", "expected"),
    [("mqtt://hub", ("hub", 1883, False)), ("mqtts://hub", ("hub", 8883, True)), ("mqtt://[::1]:9", ("::1", 9, False))],
)
def test_an_endpoint_is_read_from_its_url(url: str, expected: Any) -> None:
    endpoint = parse_endpoint(url, "pc-1", "s")
    assert (endpoint.host, endpoint.port, endpoint.tls is not None) == expected


@pytest.mark.parametrize("url", ["ws://hub", "mqtt://", "mqtt://u:p@hub", "mqtt://hub/path"])
def test_an_endpoint_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not mqtt://host:port"):
        parse_endpoint(url, "pc-1", "s")


def test_a_welcome_may_correct_the_clock_but_time_stands_still_instead_of_going_back() -> None:
    clock = HubClock(0.0)
    clock.adopt_welcome(1_000.0, Now(0, 10))
    assert clock.now(Now(0, 60)) == 1_050
    clock.adopt_welcome(1_020.0, Now(0, 60))
    assert [clock.now(Now(0, mono)) for mono in (60, 80, 90, 100)] == [1_050, 1_050, 1_050, 1_060]


class Picky:
    """A driver that reads no payload."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    def check(self, action: str, payload: dict[str, Any]) -> None:
        raise self.problem


@pytest.mark.parametrize(
    ("driver", "allowed", "code"),
    [
        (None, None, "unsupported_action"),
        (Picky(PayloadError("bad_copies", "")), ["status"], "action_not_allowed"),
        (Picky(PayloadError("bad_copies", "")), None, "bad_copies"),
        (Picky(KeyError("a bug")), None, "driver_error"),
    ],
)
def test_the_gate_says_why_it_refuses(driver: Any, allowed: Any, code: str) -> None:
    broken: list[str] = []
    refusal = ActionGate(lambda _: driver, allowed, broken.append).refuse("print", {})
    assert refusal is not None
    assert refusal.code == code
    assert broken == (["print"] if code == "driver_error" else [])


@pytest.mark.parametrize(
    ("known", "allowed", "said"),
    [
        (["print", "status"], None, "it has: print, status (`floorhub client show` lists them)"),
        (["print", "status"], ["status"], "it has: status ("),
        ([f"a{number:02}" for number in range(30)], None, "a19 and 10 more ("),
    ],
)
def test_an_action_that_it_lacks_is_told_with_those_that_it_has(
    known: list[str], allowed: list[str] | None, said: str
) -> None:
    refusal = ActionGate(lambda _: None, allowed, [].append, known).refuse("reboot", {})
    assert refusal is not None
    assert refusal.message.startswith("this client has no action 'reboot'; it has: ")
    assert said in refusal.message


async def test_the_state_goes_out_on_each_connection_and_on_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "POLL_S", 0.001)
    sent: asyncio.Queue[Publish] = asyncio.Queue()
    state = "idle"

    async def describe() -> dict[str, Any]:
        if state == "broken":
            raise OSError("the printer is on fire")
        return {"printers": [{"name": "labels", "state": state}]}

    async def next_state() -> Any:
        async with asyncio.timeout(10):
            publish = await sent.get()
        assert (publish.channel, publish.qos, publish.retain) == (Channel.STATE, 1, True)
        return codec.decode(Channel.STATE, publish.payload)

    schemas = {"open_gate": {"type": "object"}}
    describer = Describer("pc-1", "session", ["print"], describe, sent.put_nowait, payload_schemas=schemas)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(describer.run())
        assert (await next_state()).printers == [{"name": "labels", "state": "idle"}]
        state = "stopped"
        assert (await next_state()).printers[0]["state"] == "stopped"
        state = "broken"
        describer.connected()
        again = await next_state()
        assert (again.capabilities, again.printers[0]["state"]) == (["print"], "stopped")
        assert again.payload_schemas == schemas
        task.cancel()
