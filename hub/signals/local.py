"""Waking who waits in this process and, through notifications, in others. Implements `signals.ports.Signals`."""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from hub.signals.notifications import Hint, Notifications


class Dispatching(Protocol):
    """What is to be woken when there is work for clients."""

    def work_for(self, client_ids: Iterable[str]) -> None:
        """These clients may have something due."""

    def room_for(self, client_ids: Iterable[str]) -> None:
        """These clients have room for more."""

    def look_at_leases(self) -> None:
        """Something that was handed out may be due again."""


class Waiters(Protocol):
    """What is to hear that commands have ended."""

    def ended(self, command_ids: Iterable[UUID]) -> None:
        """These have."""


class Outbox(Protocol):
    """What is to be woken when the broker has something to learn."""

    def wake(self) -> None:
        """There may be something."""


class LookUps(Protocol):
    """What is to look up anew who may do what."""

    def forget(self) -> None:
        """Something has changed."""


class LocalSignals:
    """Subjects put themselves in; what nobody is there for in this process goes to the others."""

    def __init__(self, notifications: Notifications) -> None:
        self.dispatcher: Dispatching | None = None
        self.waiting: Waiters | None = None
        self.broker: Outbox | None = None
        self.access: LookUps | None = None
        self.notifications = notifications
        notifications.receive = self._receive

    def work_for(self, client_ids: Iterable[str]) -> None:
        """Wake the dispatcher for these clients."""
        wanted = set(client_ids)
        if not wanted:
            return
        if self.dispatcher is not None:
            self.dispatcher.work_for(wanted)
        else:
            self.notifications.tell(clients=wanted)

    def room_for(self, client_ids: Iterable[str]) -> None:
        """Wake the dispatcher for those of these clients for whom something waits."""
        if self.dispatcher is not None and self.notifications.alone:
            self.dispatcher.room_for(client_ids)
        else:
            self.work_for(client_ids)

    def send_again(self) -> None:
        """Wake the dispatcher for what was handed out."""
        if self.dispatcher is not None:
            self.dispatcher.look_at_leases()
        else:
            self.notifications.tell(leases=True)

    def ended(self, command_ids: Iterable[UUID]) -> None:
        """Wake callers that wait for these commands."""
        ids = list(command_ids)
        if not ids:
            return
        if self.waiting is not None:
            self.waiting.ended(ids)
        if not self.notifications.alone:
            self.notifications.tell(ended=ids)

    def broker_changed(self) -> None:
        """Wake whoever tells the broker."""
        if self.broker is not None:
            self.broker.wake()
        self.notifications.tell(broker=True)

    def access_changed(self) -> None:
        """Have every process look up anew who may do what: a key, a principal, a session or a grant was changed."""
        if self.access is not None:
            self.access.forget()
        self.notifications.tell(access=True)

    def _receive(self, hint: Hint) -> None:
        if self.dispatcher is not None and hint.clients:
            self.dispatcher.work_for(hint.clients)
        if self.dispatcher is not None and hint.leases:
            self.dispatcher.look_at_leases()
        if self.waiting is not None and hint.ended:
            self.waiting.ended(hint.ended)
        if self.broker is not None and hint.broker:
            self.broker.wake()
        if self.access is not None and hint.access:
            self.access.forget()
