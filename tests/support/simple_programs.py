"""Programs that know only a client's key, as the design documents have them: their HTTP calls in the same order. Like
those, they carry out whatever comes, and remember nothing.

The first one is the agent of the implementation guide, the second that of the architecture guide, the third the printer
agent of its first case, the fourth the one of the quick start, which tells nothing but results.
"""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from tests.support import plain_http
from tests.support.waiting import until

Effect = Callable[[dict[str, Any]], Any]
"""Carries a command out; what it raises is a failure."""


class Program:
    """A running program. `effect` is told each command that it carries out. Close it."""

    content_type = "application/json"

    def __init__(self, url: str, client: dict[str, Any], effect: Effect) -> None:
        self.id = client["id"]
        self.http = plain_http.client(url, headers={"Authorization": f"Bearer {client['secret']}"})
        self._effect = effect
        self.answers: list[int] = []
        """Status codes of what it sent."""
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.ended = threading.Event()
        self.repeats = False
        """Whether it sends each report twice, as after a lost answer."""
        self._threads: list[threading.Thread] = []
        self.begin()

    # --- its connection ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open the stream, and ping as the program does."""
        self.open_stream()

    def open_stream(self) -> None:
        """Open the stream; returns when its first line came."""
        self._stream = self.http.send(self.http.build_request("GET", self.stream_path()), stream=True)
        assert self._stream.status_code == 200, self._stream.read()
        opened = threading.Event()
        threading.Thread(target=self._listen, args=(opened,), daemon=True).start()
        assert opened.wait(10)

    def stream_path(self) -> str:
        """Where its commands come from."""
        return f"/api/events/{self.id}"

    def _listen(self, opened: threading.Event) -> None:
        name = ""
        try:
            for line in self._stream.iter_lines():
                opened.set()
                if line.startswith("event:"):
                    name = line.removeprefix("event:").strip()
                if line.startswith("data:") and self.understands(name):
                    command = json.loads(line.removeprefix("data:"))
                    self.events.append((name, command))
                    thread = threading.Thread(target=self._handle, args=(command,), daemon=True)
                    self._threads.append(thread)
                    thread.start()
        except httpx.HTTPError:
            pass
        finally:
            self.ended.set()

    def understands(self, event: str) -> bool:
        """Whether it listens to events of this name."""
        return event == "command"

    def die(self) -> None:
        """Break the connection off."""
        self._stream.extensions["network_stream"].get_extra_info("socket").shutdown(2)
        assert self.ended.wait(10)

    def close(self) -> None:
        """End it, when what it began is told."""
        for thread in self._threads:
            thread.join(20)
        if not self.ended.is_set():
            self.die()
        self._stream.close()
        self.http.close()

    # --- a command ---------------------------------------------------------------------------------------

    def _handle(self, command: dict[str, Any]) -> None:
        try:
            self.starts(command)
            result = self._effect(command)
            if command["payload"].get("crash"):  # after the effect, before it tells of it
                self.die()
                return
            self.succeeds(command, result)
        except RuntimeError as problem:
            self.fails(command, str(problem))

    def starts(self, command: dict[str, Any]) -> None:
        """Tell that it begins."""

    def succeeds(self, command: dict[str, Any], result: Any) -> None:
        """Tell a result."""
        raise NotImplementedError

    def fails(self, command: dict[str, Any], problem: str) -> None:
        """Tell a failure."""
        raise NotImplementedError

    def tell(self, method: str, command: dict[str, Any], what: str, body: dict[str, Any]) -> httpx.Response:
        """Send a report."""
        path = f"/api/commands/{command['id']}/{what}"
        content = json.dumps(body).encode()
        for _ in range(2 if self.repeats else 1):
            answer = self.http.request(method, path, content=content, headers={"Content-Type": self.content_type})
            self.answers.append(answer.status_code)
        return answer


class First(Program):
    """It pings without a body first, and tells failures as results."""

    def begin(self) -> None:
        headers = {"Content-Type": "application/json"}
        self.answers.append(self.http.post(f"/api/clients/{self.id}/ping", headers=headers).status_code)
        self.open_stream()

    def starts(self, command: dict[str, Any]) -> None:
        self.tell("PUT", command, "status", {"status": "running", "message": "Status updated to running"})

    def succeeds(self, command: dict[str, Any], result: Any) -> None:
        body = {"success": True, "data": {"jobId": result}, "message": "submitted", "duration": 0.25}
        self.tell("POST", command, "result", body)

    def fails(self, command: dict[str, Any], problem: str) -> None:
        body = {"success": False, "message": problem, "data": {"stack": f"Error: {problem}\n  at run"}}
        self.tell("POST", command, "result", body)


class Second(Program):
    """It pings with the time once the stream is open; the job's id stands beside the result's fields."""

    def begin(self) -> None:
        self.open_stream()
        body = {"timestamp": "2026-11-21T08:00:00.000Z"}
        self.answers.append(self.http.post(f"/api/clients/{self.id}/ping", json=body).status_code)

    def starts(self, command: dict[str, Any]) -> None:
        self.tell("PUT", command, "status", {"status": "running"})

    def succeeds(self, command: dict[str, Any], result: Any) -> None:
        self.tell("POST", command, "result", {"success": True, "message": "submitted", "jobId": result})

    def fails(self, command: dict[str, Any], problem: str) -> None:
        self.tell("POST", command, "error", {"message": problem, "stack": f"Error: {problem}\n  at run"})


class Third(Program):
    """It calls itself by the machine's name, in capitals, takes every line of data for a command, and tells a status at
    the end, as .NET sends a text."""

    content_type = "text/plain; charset=utf-8"

    def stream_path(self) -> str:
        return f"/api/events/{self.id.upper()}"

    def understands(self, event: str) -> bool:
        return True

    def starts(self, command: dict[str, Any]) -> None:
        self.tell("PUT", command, "status", {"status": "running"})

    def succeeds(self, command: dict[str, Any], _result: Any) -> None:
        self.tell("PUT", command, "status", {"status": "completed"})

    def fails(self, command: dict[str, Any], problem: str) -> None:
        self.tell("POST", command, "error", {"message": problem})


class Fourth(Program):
    """It tells results only, and does not say that they are JSON."""

    content_type = "text/plain;charset=UTF-8"

    def succeeds(self, command: dict[str, Any], result: Any) -> None:
        self.tell("POST", command, "result", {"success": True, "data": {"jobId": result}})

    def fails(self, command: dict[str, Any], problem: str) -> None:
        self.tell("POST", command, "result", {"success": False, "message": problem})


PROGRAMS: tuple[type[Program], ...] = (First, Second, Third, Fourth)


class Ledger:
    """What was done, which no program can change: how often each command had its effect."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, command: dict[str, Any]) -> int:
        """Do it; raises RuntimeError for what shall fail."""
        with self._lock:
            self.done.append(command["id"])
        if command["payload"].get("fails"):
            raise RuntimeError("no paper")
        return len(self.done)

    def wait_for(self, command_id: str) -> None:
        """Until a command had its effect."""
        until(lambda: command_id in self.done, f"the effect of {command_id}")

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.done))
