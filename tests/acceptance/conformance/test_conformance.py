"""`floorhub conformance`: sound clients pass, in three languages and levels, and each planted mistake is named."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.programs.embedded.ports import PortBook
from tests.support import node
from tests.support.cli import run
from tests.support.paths import ROOT
from tests.support.site import Process, Site
from tests.support.waiting import until

EXAMPLES = ROOT / "docs" / "examples"
PYTHON = EXAMPLES / "python" / "client.py"
DEADLINE_S = 300.0
AT_ONCE = 8
"""Examinations wait most of their time."""


@dataclass(frozen=True)
class Mistake:
    """A change of the Python example, the checks that must name it, and what one of them must say."""

    name: str
    found: dict[str, str]
    edits: dict[str, str] = field(default_factory=dict)

    def source(self) -> str:
        """The example with the mistake."""
        text = PYTHON.read_text(encoding="utf-8")
        for before, after in self.edits.items():
            assert before in text, f"{self.name}: the example no longer has {before!r}"
            text = text.replace(before, after)
        return text


DIES = """    elif said["kind"] == "added_later":
        __import__("os")._exit(3)
"""
SHOWS_THE_EPOCH = """    elif said["kind"] == "welcome":
        publish("heartbeat", "heartbeat", connection=connection, epoch=said["epoch"])
"""
WITH_A_RUN = ["run", "once", "unsupported", "expired", "retained", "cancel_first", "cancel_late"]
WITH_A_RUN += ["unknown_fields", "unknown_kind", "largest", "repeat", "signature", "reconnect"]

MISTAKES = [
    Mistake(
        "no_will",
        {"will": "no will"},
        {'    client.will_set(TOPIC + "presence", will, qos=1, retain=True)\n': "    _ = will\n"},
    ),
    Mistake(
        "will_of_another_connection",
        {"will": "connection 2, and 1 in the birth"},
        {'**ABOUT, "connection": connection}': '**ABOUT, "connection": connection + 1}'},
    ),
    Mistake(
        "birth_before_subscribe",
        {"birth": "before the SUBACK"},
        {
            "    client.subscribe(": "    on_subscribe()\n    client.subscribe(",
            "client.on_subscribe = on_connect": "_ = on_connect",
        },
    ),
    Mistake(
        "birth_not_retained",
        {"birth": "not retained"},
        {'publish("presence", "birth", retain=True': 'publish("presence", "birth", retain=False'},
    ),
    Mistake(
        "reports_of_another_session",
        {"reports": "the session 'other'"},
        {'"reports", reports=reports)': '"reports", reports=reports, session="other")'},
    ),
    Mistake(
        "session_of_each_connection",
        {"reconnect": "it was"},
        {"    connection += 1\n": '    connection += 1\n    ABOUT["session"] = str(uuid.uuid4())\n'},
    ),
    Mistake(
        "connection_not_counted",
        {"reconnect": "connection 1 after 1"},
        {"    connection += 1\n": "    connection = 1\n"},
    ),
    Mistake(
        "carries_out_twice",
        {"once": "has further reports: accepted"},
        {"    if attempt in reports_of:\n": "    if attempt in {}:\n"},
    ),
    Mistake(
        "never_repeats",
        {"repeat": "accepted, started, completed", "reconnect": "did not come again"},
        {"    send(list(unreceipted.values()))\n": "    pass\n"},
    ),
    Mistake(
        "repeats_for_ever",
        {"receipt": "although the receipt had come"},
        {"            unreceipted.pop(report_id, None)\n": "            pass\n"},
    ),
    Mistake(
        "begins_what_expired",
        {"expired": "accepted, started, completed"},
        {'datetime.fromisoformat(run["expires_at"]) <= datetime.now(UTC)': "False"},
    ),
    Mistake(
        "forgets_a_cancel",
        {"cancel_first": "accepted, started, completed"},
        {'        cancelled.add(said["command_id"])\n': ""},
    ),
    Mistake(
        "deaf_to_a_late_cancel",
        {"cancel_late": "no report of the end"},
        {"        send([one for": "        list([one for"},
    ),
    Mistake(
        "wrong_attempt",
        {"reports": "names attempt 2; sent was 1"},
        {'"attempt": run["attempt"]}': '"attempt": run["attempt"] + 1}'},
    ),
    Mistake(
        "reports_at_qos_0",
        {"reports": "reports at QoS 0"},
        {"qos=1, retain=retain)": 'qos=int(kind != "reports"), retain=retain)'},
    ),
    Mistake(
        "time_without_zone",
        {"cancel_first": "accepted, and no end", "reports": "timezone"},
        {'"at": datetime.now(UTC)': '"at": datetime.now(None if status == "cancelled" else UTC)'},
    ),
    Mistake(
        "dies_of_an_unknown_kind",
        {"unknown_kind": "the process ended with 3"},
        {'    elif said["kind"] == "receipt":\n': DIES + '    elif said["kind"] == "receipt":\n'},
    ),
    Mistake(
        "refuses_unknown_fields",
        {"unknown_fields": "no report", "largest": "no report"},
        {'"run" and not': '"run" and {"added_later", "padding"}.isdisjoint(said) and not'},
    ),
    Mistake(
        "obeys_retained",
        {"retained": "a retained run was obeyed"},
        {'"run" and not received.retain': '"run"'},
    ),
    Mistake(
        "says_everything_is_supported",
        {"unsupported": "accepted, started, completed"},
        {'ACTIONS[run["action"]](run)': 'ACTIONS.get(run["action"], dict)()', 'run["action"] not in ACTIONS': "False"}
        | {'lambda _run: {"commands"': 'lambda _run=None: {"commands"'},
    ),
    Mistake(
        "mqtt_3",
        {"connect": "protocol level 4"},
        {"protocol=mqtt.MQTTv5": "protocol=mqtt.MQTTv311", ", clean_start=True": ""},
    ),
    Mistake(
        "no_good_bye",
        {"offline": "without `offline`"},
        {"if client.is_connected():\n    publish": "if False:\n    publish"},
    ),
    Mistake(
        "no_disconnect",
        {"offline": "no DISCONNECT"},
        {"client.disconnect()\nclient.loop_stop()\n": '__import__("os")._exit(0)\n'},
    ),
    Mistake(
        "claims_to_be_full",
        {"roll_call": "no heartbeat", "epoch": "no heartbeat and no report", "journal": "journal None"}
        | {"receipt": "there was no report"}
        | dict.fromkeys(WITH_A_RUN, "never shown the epoch"),
        {'level="basic"': 'level="full"'},
    ),
    Mistake(
        "shows_the_epoch_and_no_more",
        {"signature": "wrong signature was obeyed", "roll_call": "no heartbeat", "epoch": "epoch None"}
        | {"journal": "journal None"},
        {
            'level="basic"': 'level="full"',
            '    elif said["kind"] == "receipt":\n': SHOWS_THE_EPOCH + '    elif said["kind"] == "receipt":\n',
        },
    ),
]


@dataclass(frozen=True)
class Examined:
    """What one examination found."""

    exit_code: int
    checks: dict[str, dict[str, Any]]
    errors: str

    @property
    def failed(self) -> dict[str, str]:
        """What was seen of each check that stands against the client."""
        return {n: c["seen"] for n, c in self.checks.items() if c["outcome"] in ("failed", "not reached")}


def environment(site: Site) -> dict[str, str]:
    """For `floorhub`: where this site is."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "FLOORHUB_URL": site.url,
        "FLOORHUB_KEY": site.key,
        "FLOORHUB_MQTT_URL": str(site.stack.mqtt_url),
    }


def examine(site: Site, client_id: str, *arguments: str) -> Examined:
    """Run `floorhub conformance` with `--json`."""
    done = subprocess.run(
        [sys.executable, "-m", "hub", "conformance", client_id, "--json", "--keys", str(site.folder.keys), *arguments],
        env=environment(site),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    try:
        checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    except ValueError:
        raise AssertionError(done.stdout + done.stderr) from None
    return Examined(done.returncode, checks, done.stderr)


@pytest.fixture(scope="module")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What starts the JavaScript example."""
    folder = tmp_path_factory.mktemp("javascript")
    shutil.copy(EXAMPLES / "javascript" / "client.js", folder)
    shutil.copy(EXAMPLES / "javascript" / "package.json", folder)
    (folder / "node_modules").symlink_to(node.modules(EXAMPLES / "javascript"))
    return [node.programs()[0], str(folder / "client.js")]


def command_of(
    language: str, javascript: list[str], client: dict[str, Any], broker: str, hub: str, to: Path
) -> list[str]:
    """What starts an example client."""
    who = [client["id"], client["secret"]]
    if language == "python":
        return [sys.executable, str(PYTHON), *who, broker, hub, str(to)]
    return [*javascript, *who, "--broker", broker, "--hub", hub, "--folder", str(to)]


@pytest.fixture(scope="module")
def sound(site: Site) -> dict[str, dict[str, Any]]:
    """A client for each program that makes no mistake."""
    return {name: site.client() for name in ("python", "javascript", "agent")}


@pytest.fixture(scope="module")
def examined(
    site: Site, sound: dict[str, dict[str, Any]], javascript: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Examined]]]:
    """The examinations of all clients, sound or with a mistake, some at a time."""
    folder = tmp_path_factory.mktemp("examined")

    def start(client: dict[str, Any], *arguments: str) -> Future[Examined]:
        return pool.submit(examine, site, client["id"], *arguments)

    def start_example(language: str) -> Future[Examined]:
        client = sound[language]
        return start(client, "--", *command_of(language, javascript, client, "{host}:{port}", site.url, folder))

    def start_agent() -> Future[Examined]:
        port = PortBook(site.folder.ports).choose("conformance", 0).number
        config = site.configure(sound["agent"], mqtt_url=f"mqtt://127.0.0.1:{port}")
        agent = [sys.executable, "-m", "device_agent", "run", "--config", str(config)]
        return start(sound["agent"], "--listen", f"127.0.0.1:{port}", "--", *agent)

    def start_mistake(mistake: Mistake) -> Future[Examined]:
        client, file = site.client(), folder / f"{mistake.name}.py"
        file.write_text(mistake.source(), encoding="utf-8")
        who = [client["id"], client["secret"], "{host}:{port}", site.url, str(folder)]
        return start(client, "--patience", "5", "--", sys.executable, str(file), *who)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = {language: start_example(language) for language in ("python", "javascript")}
        begun["agent"] = start_agent()
        yield begun | {mistake.name: start_mistake(mistake) for mistake in MISTAKES}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_an_example_passes_and_prints_through_the_hub(
    site: Site,
    sound: dict[str, dict[str, Any]],
    examined: dict[str, Future[Examined]],
    javascript: list[str],
    language: str,
    tmp_path: Path,
) -> None:
    client, found = sound[language], examined[language].result(DEADLINE_S)

    assert found.failed == {}, found.errors
    assert found.exit_code == 0
    owed = {name for name, check in found.checks.items() if check["outcome"] == "passed"}
    assert set(found.checks) - owed == {"signature", "roll_call", "epoch", "journal"}

    broker = str(site.stack.mqtt_url).removeprefix("mqtt://")
    command = command_of(language, javascript, client, broker, site.url, tmp_path)
    running = Process(f"example {language}", command, {}, site.folder.logs / f"example-{language}.log").start()
    try:
        site.wait_online(client["id"], running)
        document = site.upload()
        printed = site.send(client["id"], "print", {"printer": "folder", "document": document["id"]}, wait=30)
        assert printed["status"] == "completed", running.tail()
        content = (tmp_path / printed["result"]["data"]["file"]).read_bytes()
        assert content == site.http.get(document["path"]).content
        with pytest.raises(httpx.HTTPStatusError):
            httpx.get(site.url + document["path"], auth=(client["id"], client["secret"])).raise_for_status()
    finally:
        assert running.stop() == 0


def test_the_agent_passes_as_a_full_one(examined: dict[str, Future[Examined]]) -> None:
    found = examined["agent"].result(DEADLINE_S)

    assert found.failed == {}, found.errors
    assert {check["outcome"] for check in found.checks.values()} == {"passed"}
    assert found.exit_code == 0


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_planted_mistake_is_named_and_no_other(examined: dict[str, Future[Examined]], mistake: Mistake) -> None:
    found = examined[mistake.name].result(DEADLINE_S)

    assert set(found.failed) == set(mistake.found), found.failed
    for name, words in mistake.found.items():
        assert words in found.failed[name]
    assert found.exit_code == 1


def test_started_and_stopped_by_hand_it_leaves_out_the_restart(site: Site, tmp_path: Path) -> None:
    client = site.client()
    port = PortBook(site.folder.ports).choose("conformance", 0).number
    who = [client["id"], client["secret"], f"127.0.0.1:{port}", site.url, str(tmp_path)]
    by_hand = Process("by hand", [sys.executable, str(PYTHON), *who], {}, site.folder.logs / "by-hand.log")
    arguments = [client["id"], "--json", "--keys", str(site.folder.keys), "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen(
        [sys.executable, "-m", "hub", "conformance", *arguments],
        env=environment(site),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        assert running.stdout is not None
        deadline = threading.Timer(DEADLINE_S, running.kill)
        deadline.start()
        try:
            for line in running.stderr:
                if line.startswith("Start the client"):
                    by_hand.start()
                elif line.startswith("Now stop the client"):
                    assert by_hand.stop() == 0
            checks = {check["name"]: check for check in json.loads(running.stdout.read())["checks"]}
        finally:
            deadline.cancel()
            running.kill()
            by_hand.stop()

    assert checks["restart"]["outcome"] == "skipped"
    assert checks["offline"]["outcome"] == "passed"
    assert {check["outcome"] for check in checks.values()} == {"passed", "skipped", "not owed"}


def test_without_a_client_it_says_so(site: Site) -> None:
    with pytest.raises(AssertionError, match=r"No client connected to port \d+ within 1 s"):
        examine(site, site.client()["id"], "--wait", "1")


@pytest.mark.parametrize(
    ("client", "command", "code", "said"),
    [
        ("nobody-here", ["true"], 7, "nobody-here"),
        ("{client}", ["false"], 2, "Your command ended with code 1 before a client connected to port"),
        ("{client}", ["sh", "-c", "kill -9 $$"], 2, "Your command was ended by signal 9"),
        ("{disabled}", ["true"], 2, "is disabled and cannot connect: floorhub client enable"),
    ],
)
def test_what_can_never_connect_is_said_without_waiting(
    site: Site, monkeypatch: pytest.MonkeyPatch, client: str, command: list[str], code: int, said: str
) -> None:
    """The default patience is two minutes; the deadline of a test is shorter."""
    monkeypatch.setenv("FLOORHUB_MQTT_URL", str(site.stack.mqtt_url))
    known, disabled = site.client()["id"], site.client()["id"]
    assert run(site, "client", "disable", disabled).exit_code == 0
    name = client.format(client=known, disabled=disabled)
    done = run(site, "conformance", name, "--keys", str(site.folder.keys), "--wait", "3600", "--", *command)
    assert (done.exit_code, said in done.stderr) == (code, True), done.output
    assert ("Waiting up to 3600 s for the client" in done.stderr) == (said.startswith("Your command"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_client_too(site: Site, number: signal.Signals) -> None:
    arguments = [site.client()["id"], "--keys", str(site.folder.keys), "--", "sh", "-c", "echo pid $$; sleep 300; :"]
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "conformance", *arguments],
        env=environment(site),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        pid = next(line.split()[1] for line in process.stderr if line.startswith("pid "))
        process.send_signal(number)
        assert process.wait(DEADLINE_S) == (130 if number is signal.SIGINT else 128 + number)
    until(lambda: not Path(f"/proc/{pid}").exists(), "the client still runs")
