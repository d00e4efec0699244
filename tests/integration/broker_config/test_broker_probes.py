"""The broker as an attacker with a stolen client secret meets it: `mosquitto_sub` and `mosquitto_pub`, MQTT 3.1.1 and
5. In 3.1.1 a refused publish is acknowledged like any other, so only what is seen counts, behind a fence.
"""

import itertools
import select
import subprocess
import time

import pytest

from hub.programs.embedded.accounts import Accounts
from hub.programs.embedded.mosquitto import EmbeddedBroker
from hub.programs.embedded.packages import Packages, Program
from schemas import topics
from schemas.topics import FROM_CLIENT, Channel, client_topic, every_client, shared
from tests.support.broker_client import HUB_TOPICS, SECRETS, BrokerClient, Connect, every_topic, own

VERSIONS = ["mqttv311", "mqttv5"]
DEADLINE_S = 15
_numbers = itertools.count()


class Tools:
    """The command line tools, aimed at one broker."""

    def __init__(self, packages: Packages, broker: EmbeddedBroker) -> None:
        self._sub: Program = packages.program("mosquitto_sub", "mosquitto-clients")
        self._pub: Program = packages.program("mosquitto_pub", "mosquitto-clients")
        self._port = str(broker.options.mqtt_port)

    def publish(self, version: str, arguments: list[str]) -> int:
        """Run mosquitto_pub; its exit code."""
        argv = [str(self._pub.path), "-p", self._port, "-V", version, *arguments]
        done = subprocess.run(argv, env=dict(self._pub.env), capture_output=True, timeout=DEADLINE_S, check=False)
        return done.returncode

    def subscribe(self, version: str, arguments: list[str]) -> "subprocess.Popen[str]":
        """Start mosquitto_sub; a line `topic payload` for each message."""
        argv = [str(self._sub.path), "-p", self._port, "-V", version, "-v", "-q", "1", *arguments]
        return subprocess.Popen(
            argv, env=dict(self._sub.env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


@pytest.fixture(scope="module")
def tools(packages: Packages, broker: EmbeddedBroker) -> Tools:
    return Tools(packages, broker)


def login(who: str, client_id: str | None = None) -> list[str]:
    return ["-u", who, "-P", SECRETS[who], "-i", client_id or who]


def lines_until(process: "subprocess.Popen[str]", fence: str) -> list[str]:
    """What a subscriber printed before the fence, which must come."""
    assert process.stdout is not None
    deadline = time.monotonic() + DEADLINE_S
    seen: list[str] = []
    for line in process.stdout:
        if fence in line:
            return seen
        seen.append(line.strip())
        assert time.monotonic() < deadline, seen
    raise AssertionError(f"mosquitto_sub ended before the fence: {seen}")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "wanted",
    [
        "#",
        "+/#",
        f"{topics.ROOT}/#",
        f"{topics.ROOT}/clients/+/#",
        every_client(Channel.COMMANDS),
        every_client(Channel.REPORTS),
        every_client(Channel.PRESENCE),
        client_topic("bob", Channel.COMMANDS),
        client_topic("bob", Channel.RECEIPTS),
        "$SYS/#",
        "$SYS/broker/clients/+",
        topics.BROKER_CONTROL_RESPONSE,
        shared("floorhub", Channel.REPORTS),
        shared("any", Channel.COMMANDS),
        "$share/any/#",
    ],
)
def test_a_stolen_secret_sees_its_own_client_only(connect: Connect, tools: Tools, version: str, wanted: str) -> None:
    hub, bob = connect("hub"), connect("bob")
    hub.publish(topics.HUB_KEYS, "keys", retain=True)
    hub.publish(client_topic("bob", Channel.PRESENCE), "kept", retain=True)
    mine = client_topic("alice", Channel.COMMANDS)
    thief = tools.subscribe(version, [*login("alice"), "-t", mine, "-t", wanted])
    try:
        until_subscribed(hub, mine, thief)
        for channel in Channel:
            hub.publish(client_topic("bob", channel), "probe")
            bob.publish(client_topic("bob", channel), "probe")
        fence = f"fence-{next(_numbers)}"
        hub.publish(mine, fence)
        seen = [line for line in lines_until(thief, fence) if "knock" not in line]
    finally:
        end(thief)

    assert [
        line for line in seen if line.startswith(tuple(own("bob", set(Channel)))) or "$" in line.split(" ")[0]
    ] == []
    assert {line.split(" ")[0] for line in seen if "probe" in line or "kept" in line} == set()


def end(process: "subprocess.Popen[str]") -> None:
    """Kill -9: the broker speaks the will."""
    process.kill()
    process.communicate(timeout=DEADLINE_S)


def until_subscribed(hub: BrokerClient, topic: str, process: "subprocess.Popen[str]") -> None:
    """Knock on the subscriber's own topic until it hears it; what else it printed was retained, and nobody else's."""
    assert process.stdout is not None
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        hub.publish(topic, "knock")
        ready, _, _ = select.select([process.stdout], [], [], 0.2)
        line = process.stdout.readline() if ready else ""
        assert process.poll() is None, line
        assert "kept" not in line
        if "knock" in line:
            return
    raise AssertionError("the subscriber hears nothing on its own topic")


@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_stolen_secret_writes_its_own_channels_only(
    connect: Connect, tools: Tools, version: str, retain: bool
) -> None:
    hub, watcher = connect("hub"), connect("ops")
    watcher.subscribe(f"{topics.ROOT}/#")
    probe = f"probe-{next(_numbers)}"
    for topic in sorted(every_topic() | {topics.BROKER_CONTROL}):
        tools.publish(version, [*login("alice"), "-q", "1", "-t", topic, "-m", probe, *(["-r"] if retain else [])])

    fence = f"fence-{next(_numbers)}"
    hub.publish(topics.HUB_PRESENCE, fence)
    watcher.wait_for_payload(fence)

    assert {topic for topic, payload in watcher.received if payload == probe} == own("alice", FROM_CLIENT)
    assert HUB_TOPICS.isdisjoint({topic for topic, payload in watcher.received if payload == probe})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="anonymous"),
        pytest.param(["-u", "alice", "-i", "alice"], id="without a secret"),
        pytest.param(["-u", "alice", "-P", "wrong", "-i", "alice"], id="wrong secret"),
        pytest.param(login("alice", "bob"), id="another client's id"),
        pytest.param(login("alice", "_hub-local"), id="the hub's id"),
        pytest.param(login("gone"), id="disabled"),
        pytest.param(["-u", "_hub", "-P", "x", "-i", "_hub"], id="the hub's name"),
        pytest.param(["-u", "+", "-P", "x", "-i", "+"], id="a wildcard as a name"),
    ],
)
def test_who_is_not_known_does_not_get_in(tools: Tools, version: str, arguments: list[str]) -> None:
    topic = client_topic("alice", Channel.REPORTS)

    assert tools.publish(version, [*login("alice"), "-q", "1", "-t", topic, "-m", "control"]) == 0
    assert tools.publish(version, [*arguments, "-q", "1", "-t", topic, "-m", "forged"]) != 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_will_speaks_for_its_own_client_only(
    connect: Connect, tools: Tools, own_accounts: Accounts, version: str
) -> None:
    hub, watcher = connect("hub"), connect("ops")
    watcher.subscribe(every_client(Channel.PRESENCE))
    mine = client_topic("alice", Channel.COMMANDS)
    for number, about in enumerate(("bob", "alice")):
        will = ["--will-topic", client_topic(about, Channel.PRESENCE), "--will-payload", f"will-{number}-{version}"]
        process = tools.subscribe(version, [*login("alice"), "-t", mine, *will, "--will-qos", "1", "--will-retain"])
        until_subscribed(hub, mine, process)
        end(process)

    # The second will, about itself, is the fence: it comes after the forged one.
    watcher.wait_for_payload(f"will-1-{version}")
    assert f"will-0-{version}" not in [payload for _, payload in watcher.received]
