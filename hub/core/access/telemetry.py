"""What access tells the log."""

from hub.telemetry.log import EventName


class Event(EventName):
    """Log events."""

    KEY_CREATED = "key.created"
    KEY_NOT_HERE = "key.not_here"
    TOKEN_KEY_CREATED = "token_key.created"  # noqa: S105 - an event's name
    SESSION_STARTED = "session.started"
    SIGN_IN_FAILED = "sign_in.failed"
    REFRESH_REUSED = "session.refresh_reused"
    FIRST_ADMINISTRATOR = "first_administrator.awaited"
    KEY_ADDRESS_REFUSED = "key.address_refused"
