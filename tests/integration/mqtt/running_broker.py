"""A broker that a test may stop and kill, and what a link hears."""

import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from broker_config import render
from hub.mqtt.link import Address, Link
from hub.programs.embedded import accounts
from hub.programs.embedded.mosquitto import EmbeddedBroker

SECRET = "alice-secret"


@dataclass
class Taker:
    """A Handler that remembers."""

    messages: list[tuple[str, bytes, bool]] = field(default_factory=list)
    acks: list[tuple[object, bool]] = field(default_factory=list)

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        self.messages.append((topic, payload, retained))

    def on_ack(self, token: object, *, accepted: bool) -> None:
        self.acks.append((token, accepted))

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, payload, _ in self.messages]


@dataclass(frozen=True)
class Running:
    """The broker of a module, and how to reach it."""

    broker: EmbeddedBroker
    hub: accounts.Account
    tls: render.Tls

    def address(self, who: str, password: str | None = None) -> Address:
        """`alice`, or another name for a connection of the hub's account."""
        username, secret = ("alice", SECRET) if who == "alice" else (self.hub.username, self.hub.password)
        return Address("127.0.0.1", self.broker.options.mqtt_port, False, username, password or secret, who)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """The broker does nothing, though its connections stand; it may be dead when the block ends."""
        pid = self.broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """kill -9."""
        assert self.broker.pid is not None
        os.kill(self.broker.pid, signal.SIGKILL)


Connect = Callable[..., Awaitable[tuple[Link, Taker]]]
"""A link of `who` that stands, with subscriptions, and what it hears."""
