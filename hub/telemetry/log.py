"""Names of log events and how they are written: one JSON object per line, on standard error.

An event's name is stable and listed here; fields that recur are `command_id`, `client_id`, `attempt`, `worker`.
"""

import enum
import logging
import sys
from typing import Any

import msgspec
import structlog


class Event(enum.StrEnum):
    """Every event that the hub logs."""

    HUB_STARTED = "hub.started"
    HUB_STOPPED = "hub.stopped"
    HUB_FAILED = "hub.failed"
    TASK_DIED = "task.died"
    TASK_RETRY = "task.retry"
    MQTT_CONNECTED = "mqtt.connected"
    MQTT_LOST = "mqtt.lost"
    MQTT_REFUSED = "mqtt.refused"
    MQTT_OVERFLOW = "mqtt.overflow"
    MESSAGE_REFUSED = "message.refused"
    COMMAND_CREATED = "command.created"
    COMMAND_REFUSED = "command.refused"
    COMMAND_SENT = "command.sent"
    COMMAND_SENT_AGAIN = "command.sent_again"
    COMMAND_CANCEL_SENT = "command.cancel_sent"
    COMMAND_CHANGED = "command.changed"
    COMMAND_OVERDUE = "command.overdue"
    COMMAND_STANDS = "command.stands"
    DEAD_LETTER_CLOSED = "dead_letter.closed"
    BATCH_CREATED = "batch.created"
    BATCH_CHANGED = "batch.changed"
    BATCH_STOPPED = "batch.stopped"
    BATCH_FINISHED = "batch.finished"
    SCHEDULE_CHANGED = "schedule.changed"
    SCHEDULE_FIRED = "schedule.fired"
    SCHEDULE_MISSED = "schedule.missed"
    SCHEDULE_REFUSED = "schedule.refused"
    CLEANUP_DONE = "cleanup.done"
    CLEANUP_STOPPED = "cleanup.stopped"
    DISK_LOW = "disk.low"
    DISK_FULL = "disk.full"
    DISK_WELL = "disk.well"
    DOCUMENT_BROUGHT = "document.brought"
    DOCUMENT_REFUSED = "document.refused"
    UPLOAD_STORED = "upload.stored"
    REPORT_QUARANTINED = "report.quarantined"
    REPORTS_RETRIED = "reports.retried"
    CLIENT_CREATED = "client.created"
    CLIENT_RETIRED = "client.retired"
    CLIENT_CHANGED = "client.changed"
    CLIENT_PRESENCE = "client.presence"
    CLIENT_WELCOMED = "client.welcomed"
    CLIENT_JOURNAL_LOST = "client.journal_lost"
    CLIENT_EPOCH_AHEAD = "client.epoch_ahead"
    CLIENT_DOUBTED = "client.doubted"
    CLIENT_TWO_MACHINES = "client.two_machines"
    BROKER_CHANGED = "broker.changed"
    BROKER_CHANGE_FAILED = "broker.change_failed"
    HTTP_REQUEST = "http.request"
    HTTP_FAILED = "http.failed"
    KEY_CREATED = "key.created"


class Log:
    """A logger whose events come from `Event`, so that no name is made up on the spot."""

    def __init__(self, **fields: Any) -> None:
        self._logger = structlog.get_logger().bind(**fields)

    def bind(self, **fields: Any) -> "Log":
        """The same log with fields that every event of it carries."""
        bound = Log()
        bound._logger = self._logger.bind(**fields)
        return bound

    def debug(self, event: Event, **fields: Any) -> None:
        """For the one who looks for a fault."""
        self._logger.debug(event.value, **fields)

    def info(self, event: Event, **fields: Any) -> None:
        """What an operator may want to read later."""
        self._logger.info(event.value, **fields)

    def warning(self, event: Event, **fields: Any) -> None:
        """What an operator should look at some time."""
        self._logger.warning(event.value, **fields)

    def error(self, event: Event, **fields: Any) -> None:
        """What an operator must look at."""
        self._logger.error(event.value, **fields)

    def exception(self, event: Event, **fields: Any) -> None:
        """The same with the stack of the exception that is being handled."""
        self._logger.error(event.value, exc_info=True, **fields)


def _render(_: Any, __: str, event: structlog.typing.EventDict) -> bytes:
    """One line of JSON: the time as `at` and the event's name first."""
    return msgspec.json.encode({"at": event.pop("at"), "event": event.pop("event"), **event}, enc_hook=str)


def configure(level: str) -> None:
    """Send all logs, also those of libraries, to standard error as JSON lines. Ours take a short way of their own,
    since there are several for each command."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, _render],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                lambda logger, name, event: _render(logger, name, event).decode(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
