"""What the agent logs: event names that stay the same, for operators to search and alert on.

Only names: `device_agent.logs` writes them.
"""

import enum


class Log(enum.Enum):
    """Every event the agent logs: its name, and its level as `logging` calls it, in small letters."""

    AGENT_STARTED = "agent_started", "info"
    AGENT_STOPPING = "agent_stopping", "info"
    AGENT_STOPPED = "agent_stopped", "info"
    AGENT_FAILED = "agent_failed", "critical"
    JOURNAL_MOVED_ASIDE = "journal_moved_aside", "error"
    JOURNAL_FAILED = "journal_failed", "critical"
    JOURNAL_REPLACED = "journal_replaced", "warning"
    JOURNAL_ROLLED_BACK = "journal_rolled_back", "error"
    CONNECTED = "connected", "info"
    CONNECTION_LOST = "connection_lost", "warning"
    CREDENTIALS_REFUSED = "credentials_refused", "error"
    PUBLISH_UNCONFIRMED = "publish_unconfirmed", "warning"
    MESSAGE_DROPPED = "message_dropped", "error"
    MESSAGE_REFUSED = "message_refused", "warning"
    WELCOMED = "welcomed", "info"
    FENCED = "fenced", "error"
    CLOCK_SKEW = "clock_skew", "warning"
    KEYS_ACCEPTED = "keys_accepted", "info"
    COMMAND_ACCEPTED = "command_accepted", "info"
    COMMAND_REPEATED = "command_repeated", "info"
    COMMAND_BUSY = "command_busy", "warning"
    COMMAND_STARTED = "command_started", "info"
    COMMAND_HELD = "command_held", "warning"
    COMMAND_ENDED = "command_ended", "info"
    COMMAND_INTERRUPTED = "command_interrupted", "warning"
    CANCEL_REMEMBERED = "cancel_remembered", "info"
    REPORT_TRUNCATED = "report_truncated", "warning"
    EFFECT_STOPPING = "effect_stopping", "info"
    EFFECT_ABANDONED = "effect_abandoned", "error"
    DRIVER_FAILED = "driver_failed", "error"
    STATE_CHANGED = "state_changed", "info"
    DESCRIBE_FAILED = "describe_failed", "warning"

    def __init__(self, label: str, level: str) -> None:
        self.label = label
        self.level = level
