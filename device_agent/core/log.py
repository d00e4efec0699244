"""What the agent logs: event names that stay the same, for operators to search and alert on.

Only names: `device_agent.logs` writes them.
"""

import enum


class Log(enum.Enum):
    """Every event the agent logs: its name, its level as `logging` calls it, in small letters, and whether it is
    throttled: an outage, a device or foreign input can bring it about again and again. The others come once in the life
    of a process or of an attempt, and `message_refused` is counted where it is decided."""

    AGENT_STARTED = "agent_started", "info"
    AGENT_STOPPING = "agent_stopping", "info"
    AGENT_STOPPED = "agent_stopped", "info"
    AGENT_FAILED = "agent_failed", "critical"
    JOURNAL_MOVED_ASIDE = "journal_moved_aside", "error"
    JOURNAL_FAILED = "journal_failed", "critical"
    JOURNAL_REPLACED = "journal_replaced", "warning", True
    JOURNAL_ROLLED_BACK = "journal_rolled_back", "error", True
    CONNECTED = "connected", "info", True
    CONNECTION_LOST = "connection_lost", "warning", True
    CREDENTIALS_REFUSED = "credentials_refused", "error", True
    CERTIFICATE_RENEWED = "certificate_renewed", "info", True
    CERTIFICATE_NOT_RENEWED = "certificate_not_renewed", "warning", True
    PUBLISH_UNCONFIRMED = "publish_unconfirmed", "warning", True
    MESSAGE_DROPPED = "message_dropped", "error", True
    MESSAGE_REFUSED = "message_refused", "warning"
    WELCOMED = "welcomed", "info", True
    FENCED = "fenced", "error", True
    CLOCK_SKEW = "clock_skew", "warning", True
    KEYS_ACCEPTED = "keys_accepted", "info", True
    COMMAND_ACCEPTED = "command_accepted", "info"
    COMMAND_REPEATED = "command_repeated", "info", True
    COMMAND_BUSY = "command_busy", "warning", True
    COMMAND_STARTED = "command_started", "info"
    COMMAND_HELD = "command_held", "warning", True
    COMMAND_ENDED = "command_ended", "info"
    COMMAND_INTERRUPTED = "command_interrupted", "warning"
    CANCEL_REMEMBERED = "cancel_remembered", "info", True
    REPORT_TRUNCATED = "report_truncated", "warning", True
    EFFECT_STOPPING = "effect_stopping", "info"
    EFFECT_ABANDONED = "effect_abandoned", "error"
    DRIVER_FAILED = "driver_failed", "error", True
    STATE_CHANGED = "state_changed", "info", True
    DESCRIBE_FAILED = "describe_failed", "warning", True

    def __init__(self, label: str, level: str, throttled: bool = False) -> None:
        self.label = label
        self.level = level
        self.throttled = throttled
