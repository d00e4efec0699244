"""A client with real credentials at the real broker that says whatever a test wants."""

import json
from datetime import UTC, datetime
from typing import Any

from uuid_utils.compat import uuid7

from schemas.topics import Channel, client_topic
from tests.support.broker_client import BrokerClient
from tests.support.site import Site

SESSION = "session-1"


class Speaker:
    """A basic client, online."""

    def __init__(self, site: Site, **fields: Any) -> None:
        self.site = site
        registered = self.registered = site.client(**fields)
        self.id: str = registered["id"]
        self._lanes = 0
        port = int(str(site.stack.mqtt_url).rpartition(":")[2])
        self.broker = BrokerClient(port, self.id, self.id, registered["secret"])
        assert self.broker.connect() == 0
        for channel in (Channel.COMMANDS, Channel.RECEIPTS):
            assert self.broker.subscribe(client_topic(self.id, channel)) <= 1
        self.say(Channel.PRESENCE, self.birth(), retain=True)
        site.wait_online(self.id)

    def close(self) -> None:
        """Good-bye."""
        self.broker.close()

    # --- what it says ----------------------------------------------------------------------------------------

    def say(self, channel: Channel, payload: bytes | dict[str, Any], *, retain: bool = False) -> int:
        """Publish; the broker's reason code."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.broker.publish(client_topic(self.id, channel), body, retain=retain)  # type: ignore[arg-type]

    def message(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A message of the session."""
        return {"v": 1, "kind": kind, "client_id": self.id, "session": SESSION, **fields}

    def birth(self, **fields: Any) -> dict[str, Any]:
        """A birth as it should be."""
        said = {"level": "basic", "connection": 1, "agent": {"name": "test", "version": "1"}, "clock": now()}
        return self.message("birth", **{**said, **fields})

    def reports(self, *reports: Any, **fields: Any) -> dict[str, Any]:
        """A message of reports."""
        return self.message("reports", **{"reports": list(reports), **fields})

    @staticmethod
    def report(command_id: str, status: str = "completed", **fields: Any) -> dict[str, Any]:
        """A report as it should be."""
        said = {"report_id": str(uuid7()), "command_id": command_id, "attempt": 1, "status": status, "at": now()}
        return {**said, **fields}

    # --- what it has and hears -------------------------------------------------------------------------------

    def command(self, **fields: Any) -> str:
        """A command that was handed out, in a lane of its own; its id. At most 16 may be open at a time."""
        self._lanes += 1
        command_id: str = self.site.send(self.id, "display", {"display": self._lanes}, **fields)["id"]
        self.site.wait_status(command_id, "queued")
        return command_id

    def has_receipt(self, report_id: str) -> bool:
        """Whether a receipt for this report has come by now."""
        return any('"receipt"' in payload and report_id in payload for _, payload in self.broker.received)

    def settle(self) -> None:
        """Until the hub has worked off all that was said: reports are taken in order."""
        marker = self.report(str(uuid7()), "progress")
        with_receipt = self.report(self._done(), "completed")
        self.say(Channel.REPORTS, self.reports(marker | {"command_id": self._done()}, with_receipt))
        self.broker.wait_for(lambda: self.has_receipt(with_receipt["report_id"]))

    _ended: str | None = None

    def _done(self) -> str:
        """A command that ended long ago, about which a report changes nothing."""
        if self._ended is None:
            self._ended = self.command()
            said = self.report(self._ended)
            self.say(Channel.REPORTS, self.reports(said))
            self.broker.wait_for(lambda: self.has_receipt(said["report_id"]))
        return self._ended


def now() -> str:
    """The time as agents say it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def logged(site: Site, start: int, event: str, client_id: str) -> list[dict[str, Any]]:
    """What the hub logged about a client since a place in its log."""
    with site.hub.log.open("rb") as log:
        log.seek(start)
        lines = [json.loads(line) for line in log if line.startswith(b"{")]
    return [line for line in lines if line.get("event") == event and line.get("client_id") == client_id]
