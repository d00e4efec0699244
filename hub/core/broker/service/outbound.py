"""What goes out: encoded, signed and handed to the session. Nothing here waits, and nothing is promised."""

from datetime import datetime

from hub.core.presence.rules.presence import ROLL_CALL_SPREAD
from hub.core.presence.telemetry import Event as PresenceEvent
from hub.keys import SigningKeys
from hub.mqtt.session import Session
from hub.mqtt.telemetry import Event
from hub.telemetry.log import Log
from schemas import signing
from schemas.codec import ContractError, encode
from schemas.messages import Cancel, Message, Receipt, RollCall, Run, Welcome
from schemas.topics import HUB_KEYS, HUB_PRESENCE, Channel, client_topic


class Outbound:
    """Implements `signals.publishing.Route`; takes whatever it is given. `session` is set before anything is sent."""

    def __init__(self, keys: SigningKeys, log: Log) -> None:
        self._keys = keys
        self._log = log
        self.session: Session | None = None

    def run(self, run: Run) -> bool:
        """Send one attempt; its PUBACK comes to the session's handler with the command's id."""
        self._send(run.client_id, Channel.COMMANDS, signing.COMMAND, run, token=run.command_id)
        return True

    def cancel(self, cancel: Cancel) -> bool:
        """Send a cancel."""
        self._send(cancel.client_id, Channel.COMMANDS, signing.COMMAND, cancel)
        return True

    def receipt(self, receipt: Receipt) -> bool:
        """Tell an agent that reports are durable."""
        self._send(receipt.client_id, Channel.RECEIPTS, signing.RECEIPT, receipt)
        return True

    def welcome(self, welcome: Welcome) -> bool:
        """Answer a birth."""
        self._send(welcome.client_id, Channel.RECEIPTS, signing.WELCOME, welcome)
        return True

    def announce(self, now: datetime) -> None:
        """Publish a key list of this moment, and a roll call that every agent answers."""
        if self.session is None:
            return
        self.session.publish(HUB_KEYS, self._keys.key_list(now), retain=True)
        call = RollCall(at=now, spread_s=ROLL_CALL_SPREAD.total_seconds())
        self.session.publish(HUB_PRESENCE, encode(call), retain=True)

    def forget(self, client_id: str) -> None:
        """Clear what the broker keeps of a client."""
        if self.session is not None:
            for channel in (Channel.PRESENCE, Channel.STATE):
                self.session.publish(client_topic(client_id, channel), b"", retain=True)

    def _send(self, client_id: str, channel: Channel, domain: bytes, message: Message, token: object = None) -> None:
        try:
            body = encode(message)
        except ContractError as problem:
            # What cannot be sent must not keep all else from being sent: it ends by its own deadline.
            self._log.seldom(client_id, channel, problem.code).error(
                PresenceEvent.MESSAGE_REFUSED,
                client_id=client_id,
                channel=channel.value,
                reason=problem.code,
                message=problem.message,
            )
            return
        payload = self._keys.signer.sign(domain, body)
        if self.session is None or not self.session.publish(client_topic(client_id, channel), payload, token=token):
            # Not lost: a lease sends a command again, and an agent repeats a report until its receipt.
            self._log.seldom(client_id).debug(Event.MQTT_OVERFLOW, client_id=client_id, channel=channel.value)
