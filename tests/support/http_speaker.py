"""A client without MQTT that says whatever a test wants, and hears its stream in a thread."""

import json
import threading
from typing import Any

import httpx
from uuid_utils.compat import uuid7

from tests.support import plain_http
from tests.support.site import Site
from tests.support.waiting import until


class HttpSpeaker:
    """A client with its own secret; a session of its own unless another is given."""

    def __init__(self, site: Site, client: dict[str, Any] | None = None, *, hub: str = "one") -> None:
        self.site = site
        self.registered = client or site.client()
        self.id: str = self.registered["id"]
        self.session = str(uuid7())
        self.url = site.hub_url(hub)
        self.http = self.client_with(self.registered["secret"])
        self._listeners: list[Listener] = []

    def client_with(self, secret: str) -> httpx.Client:
        """Whoever knows this secret."""
        return plain_http.client(self.url, auth=(self.id, secret))

    def close(self) -> None:
        """No more requests, and no more streams."""
        for listener in self._listeners:
            listener.close()
        self.http.close()

    def ping(self) -> httpx.Response:
        """A sign of liveness."""
        return self.http.post(f"/api/clients/{self.id}/ping", json={"session": self.session})

    def poll(self, wait: float = 0) -> list[dict[str, Any]]:
        """What is to be done."""
        answer = self.http.get(f"/api/clients/{self.id}/commands", params={"session": self.session, "wait": wait})
        assert answer.status_code == 200, answer.text
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    def report(self, run: dict[str, Any], what: str, **fields: Any) -> httpx.Response:
        """Report to `status`, `result` or `error`."""
        body = {"report_id": str(uuid7()), "session": self.session, "attempt": run.get("attempt", 1), **fields}
        method = "PUT" if what == "status" else "POST"
        return self.http.request(method, f"/api/commands/{run['command_id']}/{what}", json=body)

    def stream(self) -> "Listener":
        """Open the stream; answers when it is open."""
        listener = Listener(self)
        self._listeners.append(listener)
        return listener

    def presence(self) -> tuple[str, str]:
        """What the hub says of the client: presence and its reason."""
        client = self.site.http.get(f"/api/clients/{self.id}").json()
        return client["presence"], client["presence_reason"]


class Listener:
    """A stream that is being read. Close it."""

    def __init__(self, speaker: HttpSpeaker) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self.comments: list[str] = []
        self.ended = threading.Event()
        self._http = speaker.client_with(speaker.registered["secret"])
        request = self._http.build_request("GET", f"/api/events/{speaker.id}", params={"session": speaker.session})
        self.response = self._http.send(request, stream=True)
        if self.response.status_code == 200:
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()
            until(lambda: self.comments, "the stream's first line")

    def _read(self) -> None:
        event: dict[str, str] = {}
        try:
            for line in self.response.iter_lines():
                if line.startswith(":"):
                    self.comments.append(line[2:])
                elif line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif event:
                    self.events.append((event["event"], event["id"], json.loads(event["data"])))
                    event = {}
        except httpx.HTTPError as problem:
            self.comments.append(type(problem).__name__)
        finally:
            self.ended.set()

    def wait_for(self, command_id: str, kind: str = "run", *, times: int = 1) -> dict[str, Any]:
        """The message of this kind about a command, once it came so often."""

        def came() -> dict[str, Any] | None:
            found = [said for event, _, said in self.events if event == kind and said["command_id"] == command_id]
            return found[-1] if len(found) >= times else None

        return until(came, f"{kind} of {command_id}")

    def cut(self) -> None:
        """Break the connection off, as a network does, without reading on."""
        stream = self.response.extensions["network_stream"]
        stream.get_extra_info("socket").shutdown(2)
        assert self.ended.wait(10)

    def close(self) -> None:
        """End it, if it has not ended."""
        if self.response.status_code == 200 and not self.ended.is_set():
            self.cut()
        self.response.close()
        self._http.close()
