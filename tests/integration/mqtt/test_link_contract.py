"""What both MQTT clients of the hub must do, against Mosquitto with the shipped configuration."""

import asyncio
import contextlib
import dataclasses
import gc
from typing import Any

import pytest

from hub.mqtt import link as links
from hub.mqtt.link import Link, LinkType, RefusedError
from hub.mqtt.session import Session
from hub.programs.embedded import ports
from hub.telemetry.log import Log
from schemas.topics import Channel, client_topic, every_client
from tests.integration.mqtt.running_broker import Connect, Running, Taker
from tests.support.waiting import eventually

COMMANDS, REPORTS = client_topic("alice", Channel.COMMANDS), client_topic("alice", Channel.REPORTS)
STATE = client_topic("alice", Channel.STATE)
MANY = 10_000
LARGEST_PAYLOAD = 65_536
"""message_size_limit of the shipped configuration."""


def send(link: Link, topic: str, payload: bytes, *, token: object = None, qos: int = 1, retain: bool = False) -> bool:
    return link.publish(topic, payload, qos=qos, retain=retain, token=token, correlation=None, response_topic=None)


async def lost(link: Link) -> str:
    return await asyncio.wait_for(asyncio.shield(link.lost), 20)


@pytest.mark.parametrize("qos", [0, 1])
async def test_messages_go_both_ways(connect: Connect, qos: int) -> None:
    alice, heard = await connect("alice", COMMANDS)
    hub, reported = await connect("hub", every_client(Channel.REPORTS))

    assert send(hub, COMMANDS, b"run", token="one", qos=qos)
    assert send(alice, REPORTS, b"", qos=qos)

    await eventually(lambda: heard.messages == [(COMMANDS, b"run", False)])
    await eventually(lambda: reported.messages == [(REPORTS, b"", False)])
    await eventually(lambda: reported.acks == ([("one", True)] if qos else []))
    await eventually(lambda: hub.outstanding == alice.outstanding == 0)


async def test_correlation_and_response_topic_pass(connect: Connect) -> None:
    _, heard = await connect("alice", COMMANDS)
    hub, _ = await connect("hub")

    assert hub.publish(
        COMMANDS, b"run", qos=1, retain=False, token=None, correlation=b"\0\xff", response_topic="floorhub/answer"
    )

    await eventually(lambda: heard.payloads == [b"run"])


async def test_a_retained_message_says_so(connect: Connect) -> None:
    alice, _ = await connect("alice")
    assert send(alice, STATE, b"kept", retain=True)
    await eventually(lambda: alice.outstanding == 0)

    _, heard = await connect("hub", every_client(Channel.STATE))

    await eventually(lambda: heard.messages == [(STATE, b"kept", True)])


@pytest.mark.parametrize("size", [0, 1, 116, 117, 16_300, LARGEST_PAYLOAD - 1, LARGEST_PAYLOAD])
async def test_payloads_of_all_sizes_come_whole(connect: Connect, size: int) -> None:
    _, heard = await connect("alice", COMMANDS)
    hub, _ = await connect("hub")
    payload = bytes(i % 251 for i in range(size))

    assert send(hub, COMMANDS, payload)

    await eventually(lambda: heard.payloads == [payload])


async def test_a_burst_both_ways_is_there_once_and_in_order(connect: Connect) -> None:
    alice, heard = await connect("alice", COMMANDS)
    hub, reported = await connect("hub", every_client(Channel.REPORTS))
    numbers = [b"%d" % number for number in range(MANY)]

    for number in numbers:
        assert send(hub, COMMANDS, number, token=number)
        assert send(alice, REPORTS, number)

    await eventually(lambda: len(heard.messages) >= MANY and len(reported.messages) >= MANY)
    await eventually(lambda: hub.outstanding == alice.outstanding == 0)
    assert heard.payloads == numbers
    assert reported.payloads == numbers
    assert sorted(reported.acks) == sorted((number, True) for number in numbers)


async def test_with_too_much_outstanding_messages_are_refused_and_none_is_lost(
    connect: Connect, running: Running
) -> None:
    _, heard = await connect("alice", COMMANDS)
    hub, reported = await connect("hub")
    with running.stopped():
        taken = [send(hub, COMMANDS, b"%d" % number, token=number) for number in range(links.MAX_OUTSTANDING + 500)]
        assert taken == [True] * links.MAX_OUTSTANDING + [False] * 500
        assert hub.outstanding == links.MAX_OUTSTANDING

    await eventually(lambda: len(reported.acks) == links.MAX_OUTSTANDING, 20)
    await eventually(lambda: len(heard.messages) >= links.MAX_OUTSTANDING, 20)
    assert heard.payloads == [b"%d" % number for number in range(links.MAX_OUTSTANDING)]
    assert reported.acks == [(number, True) for number in range(links.MAX_OUTSTANDING)]


async def test_a_killed_broker_leaves_a_count_and_nothing_comes_again(connect: Connect, running: Running) -> None:
    hub, reported = await connect("hub")
    with running.stopped():
        for number in range(300):
            assert send(hub, COMMANDS, b"%d" % number, token=number)
        running.broker.kill()

    assert await lost(hub)
    assert hub.outstanding == 300
    assert not send(hub, COMMANDS, b"late")

    running.broker.start()
    _, heard = await connect("alice", COMMANDS)
    again, answered = await connect("hub")
    assert send(again, COMMANDS, b"new", token="new")
    await eventually(lambda: heard.payloads == [b"new"])
    await eventually(lambda: answered.acks == [("new", True)])
    assert reported.acks == []
    assert hub.outstanding == 300


async def test_a_refused_message_is_not_accepted(connect: Connect) -> None:
    hub, reported = await connect("hub")

    assert send(hub, REPORTS, b"pretended", token="no")
    assert send(hub, COMMANDS, b"allowed", token="yes")

    await eventually(lambda: sorted(reported.acks) == [("no", False), ("yes", True)])


async def test_refused_filters_are_named(running: Running, link_type: LinkType) -> None:
    alice = link_type(running.address("alice"), Taker())
    await alice.open()

    refused = await alice.subscribe([(COMMANDS, 1), ("$SYS/#", 1), (client_topic("alice", Channel.RECEIPTS), 0)])

    assert refused == ["$SYS/#"]
    alice.close()


async def test_a_wrong_password_is_refused_by_name(running: Running, link_type: LinkType) -> None:
    link = link_type(running.address("alice", password="wrong"), Taker())
    with pytest.raises(RefusedError, match=r"(?i)'alice'.*not authorized"):
        await link.open()
    link.close()


async def test_a_second_connection_with_the_id_takes_over(connect: Connect) -> None:
    first, _ = await connect("hub")
    second, reported = await connect("hub")

    assert await lost(first)
    assert not send(first, COMMANDS, b"from the first")
    assert send(second, COMMANDS, b"from the second", token=2)
    await eventually(lambda: reported.acks == [(2, True)])


async def test_a_broker_that_falls_silent_is_noticed(
    connect: Connect, running: Running, link_type: LinkType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{link_type.__module__}.KEEPALIVE_S", 1)
    hub, _ = await connect("hub")
    with running.stopped():
        assert "keep" in (await lost(hub)).lower()


async def test_an_idle_connection_stands(
    connect: Connect, link_type: LinkType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{link_type.__module__}.KEEPALIVE_S", 1)
    hub, reported = await connect("hub")

    with contextlib.suppress(TimeoutError):
        raise AssertionError(await asyncio.wait_for(asyncio.shield(hub.lost), 2.5))

    assert send(hub, COMMANDS, b"still here", token=1)
    await eventually(lambda: reported.acks == [(1, True)])


async def test_a_closed_link_says_so_and_sends_no_more(connect: Connect) -> None:
    hub, _ = await connect("hub")
    hub.close()
    hub.close()

    assert await lost(hub) == "closed"
    assert not send(hub, COMMANDS, b"late")


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("certified", [True, False])
async def test_tls_stands_only_with_a_certificate_of_the_authority(
    running: Running, link_type: LinkType, certified: bool
) -> None:
    pid = running.broker.pid
    assert pid is not None
    await eventually(lambda: ports.listens(pid, running.tls.port))
    plain = running.address("hub")
    address = dataclasses.replace(
        plain,
        host="localhost",
        port=running.tls.port,
        tls=True,
        ca_file=running.tls.certificate_file if certified else None,
    )
    reported = Taker()
    link = link_type(address, reported)
    if certified:
        await link.open()
        payloads = [bytes(LARGEST_PAYLOAD)] * 20
        for payload in payloads:
            assert send(link, COMMANDS, payload, token=1)
        await eventually(lambda: len(reported.acks) == len(payloads))
    else:
        with pytest.raises(OSError, match=r"(?i)certificate"):
            await link.open()
    link.close()
    del link
    gc.collect()


async def test_two_sessions_with_one_id_say_what_may_be_the_cause(
    running: Running, link_type: LinkType, capfd: pytest.CaptureFixture[str]
) -> None:
    """The broker of Debian 12 closes the older connection and says nothing."""
    sessions = [Session(running.address("_hub-local"), [], Taker(), Log(), link=link_type) for _ in range(2)]
    tasks = [asyncio.create_task(session.run()) for session in sessions]
    said = ""

    def suspected() -> bool:
        nonlocal said
        said += "".join(capfd.readouterr())
        return "mqtt.taken_over" in said

    await eventually(suspected, 60)
    assert "FLOORHUB_WORKER" in said
    assert not [task for task in tasks if task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_session_stands_again_after_a_kill(connect: Connect, running: Running, link_type: LinkType) -> None:
    heard = Taker()
    connected: list[Any] = []

    async def on_connected() -> None:
        connected.append(None)

    session = Session(
        running.address("alice"), [(COMMANDS, 1)], heard, Log(), on_connected=on_connected, link=link_type
    )
    assert not session.publish(REPORTS, b"early")
    task = asyncio.create_task(session.run())
    assert await session.wait_connected(10)
    running.broker.kill()
    await eventually(lambda: not session.connected)
    assert not session.publish(REPORTS, b"in between")
    running.broker.start()
    await eventually(lambda: len(connected) == 2)

    hub, _ = await connect("hub")
    assert send(hub, COMMANDS, b"again")
    await eventually(lambda: heard.payloads == [b"again"])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not session.connected
