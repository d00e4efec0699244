"""What the services need from outside, as protocols; `mqtt` and `app` implement them."""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from schemas.messages import Cancel, Receipt, Run, Welcome


class Publisher(Protocol):
    """Sends to clients. Never waits and promises nothing: what does not arrive is sent again by a lease."""

    def run(self, run: Run) -> None:
        """Send one attempt."""

    def cancel(self, cancel: Cancel) -> None:
        """Send a cancel."""

    def receipt(self, receipt: Receipt) -> None:
        """Tell an agent that reports are durable. Only after their commit."""

    def welcome(self, welcome: Welcome) -> None:
        """Answer a birth. Only after its commit."""


class Signals(Protocol):
    """Wakes who waits for something, here and in other processes. A hint: a poll guarantees progress."""

    def work_for(self, client_ids: Iterable[str]) -> None:
        """These clients may have something due."""

    def room_for(self, client_ids: Iterable[str]) -> None:
        """These clients have room for more."""

    def send_again(self) -> None:
        """Something that was handed out is to be sent again at once: after a birth, or a cancel."""

    def ended(self, command_ids: Iterable[UUID]) -> None:
        """These commands have ended."""

    def broker_changed(self) -> None:
        """The outbox of broker changes has something, or has been emptied."""
