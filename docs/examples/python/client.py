"""A basic Floorhub client that prints into a folder: python client.py ID SECRET [BROKER [HUB [FOLDER]]]"""

import base64
import hashlib
import json
import signal
import socket
import sys
import threading
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as mqtt

if not 3 <= len(sys.argv) <= 6:
    sys.exit(f"usage: {__doc__.partition(': ')[2]}")
DEFAULTS = ["127.0.0.1:1883", "http://127.0.0.1:8080", "printed"][len(sys.argv) - 3 :]
ID, SECRET, BROKER, HUB, FOLDER = sys.argv[1:] + DEFAULTS
TOPIC = f"floorhub/v1/clients/{ID}/"
ABOUT = {"v": 1, "client_id": ID, "session": str(uuid.uuid4())}  # a new session with each start

connection = 0  # counts within the session
reports_of: dict[tuple[str, int], list[dict]] = {}  # (command, attempt) -> its reports, for as long as we run
unreceipted: dict[str, dict] = {}  # report id -> report
cancelled: set[str] = set()
lane = ThreadPoolExecutor(1)  # runs accepted commands one after the other
stopping = threading.Event()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, ID, protocol=mqtt.MQTTv5)


def publish(channel: str, kind: str, *, retain: bool = False, **fields) -> mqtt.MQTTMessageInfo:
    return client.publish(TOPIC + channel, json.dumps({"kind": kind, **ABOUT, **fields}), qos=1, retain=retain)


def send(reports: list[dict]) -> None:
    if reports and client.is_connected():
        publish("reports", "reports", reports=reports)


def report(run: dict, status: str, **fields) -> None:
    """Keep a report until its receipt, and send it."""
    entry = {"report_id": str(uuid.uuid4()), "status": status, "at": datetime.now(UTC).isoformat(), **fields}
    entry |= {"command_id": run["command_id"], "attempt": run["attempt"]}
    reports_of[run["command_id"], run["attempt"]].append(entry)
    unreceipted[entry["report_id"]] = entry
    send([entry])


def take(run: dict) -> None:
    """One delivery of an attempt, first or repeated."""
    attempt = (run["command_id"], run["attempt"])
    if attempt in reports_of:
        send(reports_of[attempt])  # a repeated attempt: resend the reports, never repeat the effect
        return
    reports_of[attempt] = []
    report(run, "accepted")
    lane.submit(carry_out, run)


def carry_out(run: dict) -> None:
    if run["command_id"] in cancelled:
        report(run, "cancelled")
    elif datetime.fromisoformat(run["expires_at"]) <= datetime.now(UTC):
        report(run, "expired")
    elif run["action"] not in ACTIONS:
        report(run, "failed", error={"code": "unsupported_action", "message": f"no {run['action']} here"})
    else:
        report(run, "started")
        try:
            report(run, "completed", result={"data": ACTIONS[run["action"]](run)})
        except (OSError, ValueError, KeyError) as problem:  # all raised before the effect
            code, retryable = "not_printed", isinstance(problem, OSError)
            report(run, "failed", error={"code": code, "message": str(problem), "retryable": retryable})


def print_document(run: dict) -> dict:
    """Fetch the document from the hub and write it into the folder as a whole."""
    document = run["payload"]["document"]
    who = base64.b64encode(f"{ID}:{SECRET}".encode()).decode()
    request = urllib.request.Request(HUB + document["path"], headers={"Authorization": f"Basic {who}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        content = answer.read(document["size"] + 1)
    if len(content) != document["size"] or hashlib.sha256(content).hexdigest() != document["sha256"]:
        raise ValueError("the document is not the one that was named")
    file = Path(FOLDER) / f"{run['command_id']}-{run['attempt']}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_suffix(".part").write_bytes(content)
    file.with_suffix(".part").rename(file)
    return {"file": file.name}


ACTIONS = {"print": print_document, "status": lambda _run: {"commands": len(reports_of)}}


def on_message(_client, _userdata, received: mqtt.MQTTMessage) -> None:
    said = json.loads(received.payload.split(b"\n", 1)[-1])  # without the signature line
    if said["kind"] == "run" and not received.retain:
        take(said)
    elif said["kind"] == "cancel" and not received.retain:
        cancelled.add(said["command_id"])
        send([one for known, kept in reports_of.items() if known[0] == said["command_id"] for one in kept])
    elif said["kind"] == "receipt":
        for report_id in said["report_ids"]:
            unreceipted.pop(report_id, None)


def on_connect(_client, _userdata, _flags, reason, _properties) -> None:
    print("refused:" if reason.is_failure else "connected:", reason, flush=True)
    client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.subscribe([(TOPIC + "commands", 1), (TOPIC + "receipts", 1)])


def on_subscribe(*_) -> None:
    now, agent = datetime.now(UTC).isoformat(), {"name": "example-python", "version": "1"}
    publish("presence", "birth", retain=True, level="basic", connection=connection, agent=agent, clock=now)
    publish("state", "state", retain=True, at=now, capabilities=list(ACTIONS))
    send(list(unreceipted.values()))


def next_connection(*_) -> None:
    """paho reconnects by itself, with this will."""
    global connection
    connection += 1
    will = json.dumps({"kind": "will", **ABOUT, "connection": connection})
    client.will_set(TOPIC + "presence", will, qos=1, retain=True)


client.on_connect, client.on_subscribe = on_connect, on_subscribe
client.on_message, client.on_disconnect = on_message, next_connection
client.username_pw_set(ID, SECRET)
client.reconnect_delay_set(1, 5)
next_connection()
client.connect_async(BROKER.rpartition(":")[0], int(BROKER.rpartition(":")[2]), keepalive=12, clean_start=True)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stopping.set())
client.loop_start()
pause = 1
while not stopping.wait(pause):  # resend what has no receipt after 1, 2, 4 ... 30 s
    pause = min(pause * 2, 30) if unreceipted else 1
    send(list(unreceipted.values()))

lane.shutdown(cancel_futures=True)
if client.is_connected():
    publish("presence", "offline", retain=True, connection=connection).wait_for_publish(2)
client.disconnect()
client.loop_stop()
