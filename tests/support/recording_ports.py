"""The hub's ports to its broker and to its waiting callers, taken by a test, which sees what comes through them."""

from collections.abc import Iterable
from uuid import UUID

from schemas.messages import Cancel, Receipt, Run, Welcome


class RecordingPorts:
    """A `Publisher` and a `Signals`."""

    def __init__(self) -> None:
        self.receipts: list[UUID] = []
        """The reports that were receipted."""
        self.finished: list[UUID] = []
        """The commands whose end was told."""
        self.woken: set[str] = set()
        """The clients for which work was told."""

    def run(self, run: Run) -> None: ...

    def cancel(self, cancel: Cancel) -> None: ...

    def welcome(self, welcome: Welcome) -> None: ...

    def receipt(self, receipt: Receipt) -> None:
        self.receipts += receipt.report_ids

    def work_for(self, client_ids: Iterable[str]) -> None:
        self.woken |= set(client_ids)

    def room_for(self, client_ids: Iterable[str]) -> None: ...

    def send_again(self) -> None: ...

    def ended(self, command_ids: Iterable[UUID]) -> None:
        self.finished += command_ids

    def broker_changed(self) -> None: ...
