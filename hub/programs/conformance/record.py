"""What a client said and was told, in order; what of it breaks the contract by itself; what is kept back from it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from hub.programs.conformance.packets import Publish
from hub.programs.conformance.proxy import Connection
from schemas import codec
from schemas.codec import ContractError
from schemas.messages import Birth, Cancel, Heartbeat, Offline, Receipt, Report, Run, Welcome
from schemas.messages import Will as WillMessage
from schemas.states import END_STATUSES, ReportStatus
from schemas.topics import FROM_CLIENT, RETAINED, Channel, client_topic, parse_client_topic

SKEW = timedelta(minutes=5)
MOST_FAULTS = 5
"""Of one check; more of them say nothing new."""
#: Neither kept nor receipted: they come once.
PASSING = frozenset({ReportStatus.PROGRESS, ReportStatus.BUSY})

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Observation:
    """A message of the client, read."""

    at: float
    connection: Connection
    message: Any
    publish: Publish
    after_suback: bool
    """Whether the client had the SUBACK of its two topics by then."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One report, as often as it came."""

    at: float
    connection: Connection
    report: Report


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A run of ours that the hub sent, and that waits to be delivered."""

    run: Run
    payload: bytes


class Record:
    """Implements proxy.Listener. Runs with an order key of `ours` are kept for the examiner; all else passes."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self._began = datetime.now(UTC)
        self.births: list[Observation] = []
        self.offlines: list[Observation] = []
        self.heartbeats: list[Observation] = []
        self.epoch_shown = False
        """Whether the client has said an epoch that it was welcomed with; before, the hub hands a full agent nothing
        out."""
        self.reports: list[Reported] = []
        self.welcomes: list[Welcome] = []
        self.cancels: set[UUID] = set()
        """Commands whose cancel the client was handed."""
        self.receipted: dict[UUID, float] = {}
        """When the client was handed a report's receipt."""
        self.ours: set[str] = set()
        """Order keys of commands whose runs are kept for the examiner."""
        self.runs: dict[str, HeldRun] = {}
        self.withhold: set[UUID] = set()
        """Commands whose receipts are kept back."""
        self.hold_welcome = False
        self.in_its_place: set[UUID] = set()
        """Reports that the examiner made for the client; their receipts are not for it."""
        self.sent: dict[UUID, int] = {}
        """Commands that the client may speak of, with their attempt."""
        self._faults: dict[str, Counter[str]] = {}
        self._kept: list[tuple[str, bytes]] = []
        self._contents: dict[UUID, Report] = {}
        self._changed = asyncio.Event()

    # --- for the examiner ------------------------------------------------------------------------------------

    async def until(self, look: Callable[[], Found | None], patience_s: float) -> Found | None:
        """What `look` finds, asked again at each event; None when it finds nothing in time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience_s
        while True:
            changed = self._changed
            found = look()
            if found:
                return found
            try:
                async with asyncio.timeout_at(end):
                    await changed.wait()
            except TimeoutError:
                return look() or None

    def faults(self, check: str) -> list[str]:
        """What broke the contract by itself, the first few, each with how often."""
        found = self._faults.get(check, Counter())
        return [f"{text} ({count} times)" if count > 1 else text for text, count in found.most_common(MOST_FAULTS)]

    def fault(self, check: str, text: str) -> None:
        """Note what breaks the contract."""
        counts = self._faults.setdefault(check, Counter())
        counts[text] += 1

    def of(self, command_id: UUID) -> list[Reported]:
        """Every report of a command, repeated ones too, less those that pass."""
        return [r for r in self.reports if r.report.command_id == command_id and r.report.status not in PASSING]

    def way(self, command_id: UUID) -> list[Report]:
        """The reports of a command, each once, in the order in which they first came."""
        return list({r.report.report_id: r.report for r in self.of(command_id)}.values())

    def end(self, command_id: UUID) -> Report | None:
        """The report that ended a command, once it came."""
        return next((report for report in self.way(command_id) if report.status in END_STATUSES), None)

    def release(self, connection: Connection) -> None:
        """Hand over what was kept back: receipts and welcomes."""
        self.withhold.clear()
        self.hold_welcome = False
        kept, self._kept = self._kept, []
        for topic, payload in kept:
            self._told(payload)
            connection.deliver(topic, payload)

    # --- proxy.Listener ----------------------------------------------------------------------------------------

    def on_connect(self, connection: Connection) -> None:  # noqa: ARG002
        """See proxy.Listener."""
        self._touch()

    def on_acknowledge(self, connection: Connection) -> None:  # noqa: ARG002
        """See proxy.Listener."""
        self._touch()

    def on_end(self, connection: Connection) -> None:  # noqa: ARG002
        """See proxy.Listener."""
        self._touch()

    def on_publish(self, connection: Connection, message: Publish) -> None:
        """See proxy.Listener."""
        parsed = parse_client_topic(message.topic)
        if parsed is None or parsed.client_id != self.client_id or parsed.channel not in FROM_CLIENT:
            self.fault("reports", f"a message on {message.topic!r}, which is not this client's to write")
        elif len(message.payload) > codec.MAX_PAYLOAD:
            self.fault("reports", f"{len(message.payload)} bytes on {parsed.channel.value}")
        else:
            try:
                self._read(connection, message, parsed.channel)
            except ContractError as problem:
                check = "birth" if parsed.channel is Channel.PRESENCE else "reports"
                self.fault(check, f"on {parsed.channel.value}: {problem.message}")
        self._touch()

    def admit(self, connection: Connection, message: Publish) -> bool:  # noqa: ARG002 - the protocol names it
        """See proxy.Listener."""
        parsed = parse_client_topic(message.topic)
        try:
            if parsed is None:
                return True
            if parsed.channel is Channel.COMMANDS:
                return self._admit_command(message.payload)
            if parsed.channel is Channel.RECEIPTS:
                return self._admit_receipt(message)
        except ContractError:
            pass  # The hub's own; nothing to judge here.
        finally:
            self._touch()
        return True

    # --- inside ----------------------------------------------------------------------------------------------

    def _touch(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _read(self, connection: Connection, publish: Publish, channel: Channel) -> None:
        if not publish.payload:
            raise ContractError("invalid", "an empty message")
        if publish.retain != (channel in RETAINED) and channel not in (Channel.PRESENCE, Channel.HEARTBEAT):
            self.fault("reports", f"on {channel.value} {'' if publish.retain else 'not '}retained")
        if channel is Channel.REPORTS:
            self._read_reports(connection, publish)
            return
        message = codec.decode(channel, publish.payload)
        if message.client_id != self.client_id:
            raise ContractError("invalid", f"`client_id` is {message.client_id!r}")
        own = {client_topic(self.client_id, topic) for topic in (Channel.COMMANDS, Channel.RECEIPTS)}
        observed = Observation(time.monotonic(), connection, message, publish, own <= set(connection.granted))
        match message:
            case Birth():
                self.births.append(observed)
            case Offline():
                self.offlines.append(observed)
            case Heartbeat():
                self.heartbeats.append(observed)
                self._check_epoch(message.epoch, "a heartbeat")
            case WillMessage():
                self.fault("will", "the client published `will` itself; it belongs into CONNECT")
        if not isinstance(message, Birth):
            self._check_session(connection, channel, message.session)

    def _read_reports(self, connection: Connection, publish: Publish) -> None:
        whole = codec.decode_reports(publish.payload)
        for bad in whole.bad:
            self.fault("reports", f"a report that cannot be read: {bad.reason}")
        if whole.client_id != self.client_id:
            raise ContractError("invalid", f"`client_id` is {whole.client_id!r}")
        if publish.qos != 1:
            self.fault("reports", f"reports at QoS {publish.qos}")
        self._check_session(connection, Channel.REPORTS, whole.session)
        self._check_epoch(whole.epoch, "reports")
        for report in whole.reports:
            self.reports.append(Reported(time.monotonic(), connection, report))
            self._check_report(report)

    def _check_session(self, connection: Connection, channel: Channel, session: str) -> None:
        births = [observed for observed in self.births if observed.connection is connection]
        if births and births[-1].message.session != session:
            self.fault("reports", f"on {channel.value} the session {session!r}, not that of the birth")

    def _check_epoch(self, epoch: int | None, where: str) -> None:
        """An agent may have sent what it says before the last welcome reached it: the one before is in order, too."""
        known = {welcome.epoch for welcome in self.welcomes[-2:]}
        if epoch in known:
            self.epoch_shown = True
        elif known:
            self.fault("epoch", f"the epoch {epoch} in {where}; the last welcome had {self.welcomes[-1].epoch}")

    def _check_report(self, report: Report) -> None:
        name = f"{report.status.value} of {report.command_id}"
        if report.command_id in self.sent and report.attempt != self.sent[report.command_id]:
            self.fault("reports", f"{name} names attempt {report.attempt}; sent was {self.sent[report.command_id]}")
        elif report.command_id not in self.sent and report.at >= self._began:
            # What is older may be of a command before this examination, out of a journal.
            self.fault("reports", f"{name}, a command that it was not sent")
        if abs(report.at - datetime.now(UTC)) > SKEW:
            self.fault("reports", f"{name} is of {report.at.isoformat()}")
        if report.status is ReportStatus.UNSUPPORTED:
            self.fault("reports", f"a status that the contract does not have, about {report.command_id}")
        if report.status is ReportStatus.FAILED and report.error is None:
            self.fault("reports", f"{name} without `error`")
        known = self._contents.setdefault(report.report_id, report)
        if (known.command_id, known.attempt, known.status) != (report.command_id, report.attempt, report.status):
            self.fault("reports", f"the report id {report.report_id} stands for two reports")

    def _admit_command(self, payload: bytes) -> bool:
        message = codec.decode(Channel.COMMANDS, codec.body_of(payload))
        if isinstance(message, Cancel):
            self.cancels.add(message.command_id)
            return True
        self.sent[message.command_id] = message.attempt
        if message.order_key is None or message.order_key not in self.ours:
            return True
        self.runs[message.order_key] = HeldRun(message, payload)
        return False

    def _admit_receipt(self, message: Publish) -> bool:
        observed: Receipt | Welcome = codec.decode(Channel.RECEIPTS, codec.body_of(message.payload))
        if isinstance(observed, Welcome):
            held = self.hold_welcome
        else:
            ids = set(observed.report_ids)
            if ids <= self.in_its_place:
                return False
            about = {self._contents[report_id].command_id for report_id in ids if report_id in self._contents}
            held = bool(about & self.withhold)
        if held:
            self._kept.append((message.topic, message.payload))
            return False
        self._told(message.payload)
        return True

    def _told(self, payload: bytes) -> None:
        observed = codec.decode(Channel.RECEIPTS, codec.body_of(payload))
        if isinstance(observed, Welcome):
            self.welcomes.append(observed)
            return
        for report_id in observed.report_ids:
            self.receipted.setdefault(report_id, time.monotonic())


def describe(reports: list[Report]) -> str:
    """Reports for people: `accepted, started, failed (unsupported_action)`."""
    if not reports:
        return "no report"
    return ", ".join(f"{r.status.value} ({r.error.code})" if r.error is not None else r.status.value for r in reports)


def with_field(payload: bytes, **added: Any) -> bytes:
    """The JSON of a signed payload with further fields, on one line; to be signed anew."""
    return msgspec.json.encode({**msgspec.json.decode(codec.body_of(payload)), **added})
