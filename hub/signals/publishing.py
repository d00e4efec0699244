"""Where messages to clients go: by the first route that takes them. Implements `signals.ports.Publisher`."""

from typing import Protocol

from schemas.messages import Cancel, Receipt, Run, Welcome


class Route(Protocol):
    """A way to clients. Each method says whether it took the message; see `ports.Publisher` for what they mean."""

    def run(self, run: Run) -> bool:
        """One attempt."""

    def cancel(self, cancel: Cancel) -> bool:
        """A cancel."""

    def receipt(self, receipt: Receipt) -> bool:
        """Reports are durable."""

    def welcome(self, welcome: Welcome) -> bool:
        """The answer to a birth."""


class Publishing:
    """The routes, in the order in which they were added. Without one a message is dropped: a lease brings it again."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def add(self, route: Route) -> None:
        """Ask this one after those that are there."""
        self._routes.append(route)

    def run(self, run: Run) -> None:
        """Send one attempt."""
        any(route.run(run) for route in self._routes)

    def cancel(self, cancel: Cancel) -> None:
        """Send a cancel."""
        any(route.cancel(cancel) for route in self._routes)

    def receipt(self, receipt: Receipt) -> None:
        """Tell an agent that reports are durable."""
        any(route.receipt(receipt) for route in self._routes)

    def welcome(self, welcome: Welcome) -> None:
        """Answer a birth."""
        any(route.welcome(welcome) for route in self._routes)
