"""A basic Floorhub client without MQTT, and without any package: python http_client.py ID SECRET [HUB [FOLDER]]"""

import base64
import hashlib
import json
import random
import signal
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

if not 3 <= len(sys.argv) <= 5:
    sys.exit(f"usage: {__doc__.partition(': ')[2]}")
ID, SECRET, HUB, FOLDER = [*sys.argv[1:], *["http://127.0.0.1:8080", "printed"][len(sys.argv) - 3 :]]
SESSION = str(uuid.uuid4())  # a new session with each start
AUTHORIZATION = "Basic " + base64.b64encode(f"{ID}:{SECRET}".encode()).decode()

reports_of: dict[tuple[str, int], list[tuple[str, str, dict]]] = {}  # (command, attempt) -> its reports, as requests
cancelled: set[str] = set()
lane = ThreadPoolExecutor(1)  # runs accepted commands one after the other
sender = ThreadPoolExecutor(1)  # sends reports in order
stopping = threading.Event()


def ask(method: str, path: str, body: dict | None = None, timeout: float = 30):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/json", "User-Agent": "example-http/1"}
    return urllib.request.urlopen(urllib.request.Request(HUB + path, data, headers, method=method), timeout=timeout)


def send(method: str, path: str, body: dict) -> None:
    """Send it until the hub has it: 200 comes after its commit. Idempotent by report_id."""
    pause = 1
    while True:
        try:
            ask(method, path, body).close()
        except urllib.error.HTTPError as problem:
            if 400 <= problem.code < 500 and problem.code != 429:
                print("refused:", problem.code, problem.read().decode(), flush=True)
                return
        except OSError as problem:
            print("the hub does not answer:", problem, flush=True)
        else:
            return
        if stopping.wait(pause):
            return
        pause = min(pause * 2, 30)


def report(run: dict, endpoint: str, **fields) -> None:
    """Keep a report for as long as we run, and send it."""
    body = {"report_id": str(uuid.uuid4()), "session": SESSION, "attempt": run["attempt"], **fields}
    body["at"] = datetime.now(UTC).isoformat()
    request = ("PUT" if endpoint == "status" else "POST", f"/api/commands/{run['command_id']}/{endpoint}", body)
    reports_of[run["command_id"], run["attempt"]].append(request)
    sender.submit(send, *request)


def take(message: dict) -> None:
    """One delivery of a run or cancel, first or repeated."""
    if message["kind"] == "cancel":
        cancelled.add(message["command_id"])
        return
    attempt = (message["command_id"], message["attempt"])
    if attempt in reports_of:
        for request in list(reports_of[attempt]):  # a repeated attempt: resend the reports, never repeat the effect
            sender.submit(send, *request)
        return
    reports_of[attempt] = []
    report(message, "status", status="accepted")
    lane.submit(carry_out, message)


def carry_out(run: dict) -> None:
    if run["command_id"] in cancelled:
        report(run, "result", status="cancelled")
    elif datetime.fromisoformat(run["expires_at"]) <= datetime.now(UTC):
        report(run, "result", status="expired")
    elif run["action"] not in ACTIONS:
        report(run, "error", code="unsupported_action", message=f"no {run['action']} here")
    else:
        report(run, "status", status="started")
        try:
            report(run, "result", data=ACTIONS[run["action"]](run))
        except (OSError, ValueError, KeyError) as problem:  # all raised before the effect
            report(run, "error", code="not_printed", message=str(problem), retryable=isinstance(problem, OSError))


def print_document(run: dict) -> dict:
    """Fetch the document from the hub and write it into the folder as a whole."""
    document = run["payload"]["document"]
    with ask("GET", document["path"]) as answer:
        content = answer.read(document["size"] + 1)
    if len(content) != document["size"] or hashlib.sha256(content).hexdigest() != document["sha256"]:
        raise ValueError("the document is not the one that was named")
    file = Path(FOLDER) / f"{run['command_id']}-{run['attempt']}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_suffix(".part").write_bytes(content)
    file.with_suffix(".part").rename(file)
    return {"file": file.name}


ACTIONS = {"print": print_document, "status": lambda _run: {"commands": len(reports_of)}}


def events() -> Iterator[dict]:
    """The messages of one stream. A comment comes every 15 s: 40 s of silence mean that the connection is dead."""
    with ask("GET", f"/api/events/{ID}?session={SESSION}", timeout=40) as stream:
        print("connected", flush=True)
        for line in stream:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


def ping() -> None:
    while not stopping.wait(10):
        try:
            ask("POST", f"/api/clients/{ID}/ping", {"session": SESSION}).close()
        except OSError as problem:
            print("ping:", problem, flush=True)


def listen() -> None:
    while not stopping.is_set():
        try:
            for message in events():
                take(message)
        except urllib.error.HTTPError as problem:
            print("refused:", problem.code, problem.read().decode(), flush=True)
            if problem.code in (401, 403, 409):  # another program took over, or this one is refused
                stopping.set()
        except (OSError, ValueError) as problem:
            print("disconnected:", problem, flush=True)
        stopping.wait(random.uniform(0.5, 5))  # noqa: S311 - spreads


for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stopping.set())
threading.Thread(target=ping, daemon=True).start()
threading.Thread(target=listen, daemon=True).start()  # it ends with the process: a clean disconnect
stopping.wait()
lane.shutdown(cancel_futures=True)
sender.shutdown()
