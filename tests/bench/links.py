"""What a round trip costs the hub's thread in MQTT alone: each client of the hub, against the shipped broker.

The hub's side publishes a command and hears its PUBACK and its reports, all of QoS 1; a process of its own plays
the client. Without decoding, signatures and Postgres: the difference between two rows is what counts.

    python -m tests.bench.links
"""

import argparse
import asyncio
import statistics
import sys
import time

import uvloop

from hub.mqtt.link import Address, Link
from hub.mqtt.session import LINKS
from hub.mqtt.thin import ThinLink
from schemas.topics import Channel, client_topic, every_client
from tests.support.embedded_broker import known_client, running_broker
from tests.support.folders import open_data_folder

CLIENT = "player"
COMMANDS, REPORTS = client_topic(CLIENT, Channel.COMMANDS), client_topic(CLIENT, Channel.REPORTS)
PAYLOAD = bytes(550)
WARM_UP_S, RUN_S, RUNS = 0.5, 1.0, 5


def say(line: str) -> None:
    """One line of the output, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def send(link: Link, topic: str, token: object = None) -> None:
    """One message of QoS 1 that must be taken."""
    if not link.publish(topic, PAYLOAD, qos=1, retain=False, token=token, correlation=None, response_topic=None):
        raise RuntimeError("the link takes no more")


class Echo:
    """Answers each command with so many reports; a Handler."""

    def __init__(self, reports: int) -> None:
        self._reports = reports
        self.link: Link | None = None

    def on_ack(self, token: object, *, accepted: bool) -> None:
        """Nothing depends on it."""

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A command."""
        assert self.link is not None
        for _ in range(self._reports):
            send(self.link, REPORTS)


class Hub:
    """Keeps so many round trips going; a Handler."""

    def __init__(self, reports: int, in_flight: int) -> None:
        self._reports = reports
        self._in_flight = in_flight
        self.link: Link | None = None
        self._heard = 0
        self._acks = 0

    @property
    def done(self) -> int:
        """Round trips whose reports are all here."""
        return self._heard // self._reports

    def start(self) -> None:
        """Send the first ones; each that is done sends the next."""
        assert self.link is not None
        for _ in range(self._in_flight):
            send(self.link, COMMANDS, token=self)

    def on_ack(self, token: object, *, accepted: bool) -> None:
        """A command reached the broker."""
        self._acks += 1

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A report; the last of a command is followed by the next command."""
        self._heard += 1
        if not self._heard % self._reports:
            assert self.link is not None
            send(self.link, COMMANDS, token=self)


async def play(address: Address, reports: int) -> None:
    """The client, until the standard input ends."""
    echo = Echo(reports)
    echo.link = ThinLink(address, echo)
    await echo.link.open()
    if await echo.link.subscribe([(COMMANDS, 1)]):
        raise RuntimeError("the broker refuses the client's subscription")
    say("ready")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    echo.link.close()


async def measure(client: str, address: Address, reports: int, in_flight: int) -> tuple[float, float]:
    """CPU of this process in microseconds per round trip, and round trips a second; the median of the runs."""
    hub = Hub(reports, in_flight)
    hub.link = LINKS[client](address, hub)
    await hub.link.open()
    await hub.link.subscribe([(every_client(Channel.REPORTS), 1)])
    hub.start()
    await asyncio.sleep(WARM_UP_S)
    costs, rates = [], []
    for _ in range(RUNS):
        done, cpu, clock = hub.done, time.process_time(), time.monotonic()
        await asyncio.sleep(RUN_S)
        count = hub.done - done
        costs.append((time.process_time() - cpu) / count * 1e6)
        rates.append(count / (time.monotonic() - clock))
    hub.link.close()
    return statistics.median(costs), statistics.median(rates)


async def row(client: str, hub: Address, player: Address, reports: int, in_flight: int) -> None:
    """One row of the table, with a client of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bench.links", "--port", str(player.port), "--reports", str(reports)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    if await process.stdout.readline() != b"ready\n":
        raise RuntimeError("the client did not start")
    cost, rate = await measure(client, hub, reports, in_flight)
    process.stdin.close()
    await process.wait()
    say(f"| {client} | {reports} | {in_flight} | {cost:.0f} | {rate:,.0f} |")


def player_at(port: int) -> Address:
    """How the client reaches the broker."""
    return Address("127.0.0.1", port, False, CLIENT, CLIENT, CLIENT)


def compare() -> None:
    """Start a broker, and print the table."""
    say("| client | reports | in flight | CPU us per round trip | round trips/s |\n|---|---|---|---|---|")
    with open_data_folder("links") as folder, running_broker(folder, [known_client(CLIENT, CLIENT)]) as running:
        account = running.accounts.hub
        hub = Address("127.0.0.1", running.port, False, account.username, account.password, "bench")
        for reports in (1, 3):
            for in_flight in (1, 64):
                for name in sorted(LINKS):
                    uvloop.run(row(name, hub, player_at(running.port), reports, in_flight))


def main() -> None:
    """Compare the links, or play the client for a comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--reports", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.port is None:
        compare()
    else:
        uvloop.run(play(player_at(arguments.port), arguments.reports))


if __name__ == "__main__":
    main()
