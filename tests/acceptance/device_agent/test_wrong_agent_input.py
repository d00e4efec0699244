"""Wrong input to the agent: a configuration that cannot be, and commands that cannot be carried out. Each has its
documented code and a sentence that says what to do; nothing is printed, and the agent goes on.

What needs no processes (a document that redirects, never ends or is too large) stands in
tests/unit/device_agent/test_agent_documents.py.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from schemas.signing import encode_key
from tests.support.paths import ROOT
from tests.support.site import Site

# --- it does not start ----------------------------------------------------------------------------------------

LEAST = {
    "client_id": '"pc-1"',
    "hub_url": '"http://127.0.0.1:1"',
    "mqtt_url": '"mqtt://127.0.0.1:1"',
    "root_key": f'"{encode_key(b"k" * 32)}"',
    "secret": '"s"',
}


@dataclass(frozen=True)
class Config:
    """Lines of the file that differ from a good one (None leaves a key out), and what the agent says."""

    id: str
    said: str
    lines: dict[str, str | None] = field(default_factory=dict)
    more: str = ""
    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    mode: int = 0o600


SECRET_FILE: dict[str, str | None] = {"secret": None, "secret_file": '"secret"'}
CONFIGS = [
    Config("no TOML", "is not TOML", more="= 1"),
    Config("no client id", "the required field `client_id` is missing", {"client_id": None}),
    Config("client id of the hub", "client_id: use a-z, 0-9 and '-'", {"client_id": '"_hub"'}),
    Config("client id of a wildcard", "client_id: use a-z", {"client_id": '"#"'}),
    Config("hub by another protocol", "hub_url: it must look like http", {"hub_url": '"ftp://hub"'}),
    Config("hub with a password", "hub_url: it must look like", {"hub_url": '"http://a:b@hub"'}),
    Config("broker without a host", "mqtt_url: it must look like", {"mqtt_url": '"mqtt://"'}),
    Config("broker by WebSocket", "mqtt_url: it must look like", {"mqtt_url": '"ws://hub"'}),
    Config("half a root key", "root_key: it must be the hub's root key", {"root_key": '"abc"'}),
    Config("a key that does not exist", "colour", {"colour": '"red"'}),
    Config("a number as text", "max_unfinished: write a whole number, not text", {"max_unfinished": '"many"'}),
    Config("a number out of range", "max_unfinished: write a whole number, at least 1", {"max_unfinished": "0"}),
    Config("a secret for all to read", "run chmod 600", mode=0o644),
    Config("no secret", "secret: give either", {"secret": None}),
    Config("two secrets", "secret: give either", {"secret_file": '"secret"'}, files={"secret": ("s", 0o600)}),
    Config("no secret file", "cannot be read", SECRET_FILE),
    Config("a secret file for all to read", "others can read", SECRET_FILE, files={"secret": ("s", 0o604)}),
    Config("an empty secret file", "is empty; floorhub client", SECRET_FILE, files={"secret": ("\n", 0o600)}),
    Config("no certificate", "ca_file: there is no file", {"ca_file": '"ca.pem"'}),
    Config("a printer by another protocol", "begins with 'lpd'", more='[[printers]]\nname = "a"\nuri = "lpd://x"'),
    Config("a printer at a USB port", "use its queue in CUPS", more='[[printers]]\nname = "a"\nuri = "usb://HP/x"'),
    Config("a folder that is relative", "folder:/absolute/path", more='[[printers]]\nname = "a"\nuri = "folder:x"'),
    Config("a printer with two homes", "is used twice", more='[[printers]]\nname = "a"\nuri = "ipp://x"\n' * 2),
    Config("an action of ours", "this name is taken by the agent", more='[actions.print]\nargv = ["/bin/true"]'),
    Config("an action without a program", "argv", more="[actions.a]\nargv = []"),
    Config("a program from the command", "the program itself must be fixed", more='[actions.a]\nargv = ["{what}"]'),
    Config("a placeholder that is code", "no plain name", more='[actions.a]\nargv = ["/bin/echo", "{a.b}"]'),
    Config(
        "a schema that is none",
        "actions.a.payload_schema: type: ",
        more='[actions.a]\nargv = ["/bin/true"]\npayload_schema = {type = "objekt"}',
    ),
    Config(
        "a schema file that is not there",
        "actions.a.payload_schema: ",
        more='[actions.a]\nargv = ["/bin/true"]\npayload_schema = "a.json"',
    ),
    Config("a dash for nobody", "argv has no b", more='[actions.a]\nargv = ["/bin/echo", "{a}"]\nallow_dash = ["b"]'),
]


@pytest.mark.parametrize("wrong", CONFIGS, ids=lambda wrong: wrong.id)
def test_an_agent_that_cannot_start_says_why_and_ends_with_2(tmp_path: Path, wrong: Config) -> None:
    lines = {**LEAST, **wrong.lines}
    text = "".join(f"{key} = {value}\n" for key, value in lines.items() if value is not None)
    config = tmp_path / "agent.toml"
    config.write_text(f"{text}\n{wrong.more}\n")
    config.chmod(wrong.mode)
    for name, (content, mode) in wrong.files.items():
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(mode)

    ended = run_agent(config)

    assert ended.returncode == 2, ended.stderr
    assert wrong.said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists(), "nothing begins before the file is right"


@pytest.mark.parametrize(
    ("kind", "said"),
    [("missing", "agent.toml cannot be read"), ("a folder", "agent.toml cannot be read"), ("binary", "UTF-16")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, kind: str, said: str) -> None:
    config = tmp_path / "agent.toml"
    if kind == "a folder":
        config.mkdir()
    elif kind == "binary":
        config.write_bytes(b"\xff\xfe\x00")
    ended = run_agent(config)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert str(config) in ended.stderr


def run_agent(config: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "device_agent", "run", "--config", str(config)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run(argv, env=env, cwd=config.parent, capture_output=True, text=True, timeout=30, check=False)


# --- it starts, and cannot do what it is told -----------------------------------------------------------------

MORE = """
[[printers]]
name = "off"
uri = "ipp://127.0.0.1:1/ipp/print"

[[printers]]
name = "raw-off"
uri = "socket://127.0.0.1:1"

[[printers]]
name = "no-folder"
uri = "folder:/nowhere/at/all"

[actions.fail]
argv = ["/bin/sh", "-c", "echo sorry >&2; exit 3"]

[actions.not-yet]
argv = ["/bin/sh", "-c", "exit 75"]
retryable_exit_codes = [75]

[actions.gone]
argv = ["/nowhere/program"]

[actions.slow]
argv = ["/bin/sleep", "60"]
timeout_s = 0.2

[actions.say]
argv = ["/bin/echo", "{word}"]

[actions.open-gate]
argv = ["/bin/echo", "{gate}"]

[actions.open-gate.payload_schema.properties.args.properties.gate]
enum = ["north", "south"]
"""


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[dict[str, Any]]:
    registered = site.client()
    process = site.agent(registered, MORE)
    yield registered
    assert process.process.poll() is None, "the agent outlived all of it"


@dataclass(frozen=True)
class Refused:
    """A command, and the error that its end must carry."""

    id: str
    code: str
    said: str
    action: str = "print"
    payload: dict[str, Any] = field(default_factory=lambda: {"printer": "office"})
    status: str = "failed"
    retryable: bool = False
    spoil: Callable[[psycopg.Connection[Any], str], object] | None = None
    """What is done to the document in the hub's database after the command named it."""
    content_type: str = "application/pdf"
    expires_in_s: float | None = None


def other_bytes(database: psycopg.Connection[Any], document_id: str) -> None:
    database.execute("UPDATE document_chunks SET bytes = set_byte(bytes, 0, 0) WHERE document_id = %s", (document_id,))


def other_size(database: psycopg.Connection[Any], document_id: str) -> None:
    database.execute("UPDATE document_chunks SET bytes = bytes || 'x'::bytea WHERE document_id = %s", (document_id,))


def removed(database: psycopg.Connection[Any], document_id: str) -> None:
    database.execute("DELETE FROM documents WHERE id = %s", (document_id,))


SENT_NOTHING = "before anything was sent"

REFUSED = [
    Refused("unknown printer", "printer_unknown", "it has: no-folder, off, office", payload={"printer": "attic"}),
    Refused("printer off", "expired", SENT_NOTHING, "print", {"printer": "off"}, "expired", True, expires_in_s=2),
    Refused("raw port off", "expired", SENT_NOTHING, "print", {"printer": "raw-off"}, "expired", True, expires_in_s=2),
    Refused(
        "no folder", "printer_unreachable", "check that it exists", payload={"printer": "no-folder"}, retryable=True
    ),
    Refused("unknown format", "document_format_unsupported", "text/x-poem", content_type="text/x-poem"),
    Refused("document gone", "document_missing", "HTTP 404", spoil=removed),
    Refused("document of other bytes", "document_hash_mismatch", "another file", spoil=other_bytes),
    Refused("document of another size", "hub_unreachable", "", spoil=other_size, retryable=True),
    Refused("unknown action", "unsupported_action", "make-coffee", "make-coffee", {}),
    Refused("program fails", "action_failed", "exit code 3", "fail", {}),
    Refused("program asks to come again", "action_failed", "exit code 75", "not-yet", {}, retryable=True),
    Refused("program gone", "program_not_found", "/nowhere/program could not be started", "gone", {}),
    Refused("program too slow", "timed_out", "longer than 0.2 s", "slow", {}),
    Refused("argument missing", "payload_invalid", "args: word is missing", "say", {}),
    Refused("argument unknown", "payload_invalid", "knows no more", "say", {"args": {"word": "a", "more": "b"}}),
    Refused("arguments of a list", "payload_invalid", "args: must be an object", "say", {"args": ["a"]}),
    Refused("argument of an object", "payload_invalid", "word", "say", {"args": {"word": {"a": 1}}}),
    Refused("argument like an option", "payload_invalid", "taken for an option", "say", {"args": {"word": "--help"}}),
    Refused("argument outside of the schema", "payload_invalid", "args.gate", "open-gate", {"args": {"gate": "west"}}),
    Refused("argument without end", "payload_invalid", "word", "say", {"args": {"word": "x" * 5_000}}),
]


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.id)
def test_what_cannot_be_carried_out_ends_with_its_code_and_without_an_effect(
    site: Site, client: dict[str, Any], refused: Refused
) -> None:
    payload = dict(refused.payload)
    fields: dict[str, Any] = {"max_retries": 0, "expires_in_s": refused.expires_in_s}
    if refused.action == "print":
        answer = site.http.post(
            "/api/documents",
            content=b"%PDF-1.7\n" + os.urandom(500) if refused.content_type == "application/pdf" else b"a poem",
            headers={"Content-Type": refused.content_type},
        )
        payload["document"] = answer.json()["id"]
    effects = len(site.effects())
    if refused.spoil is not None:
        fields["timeout_s"] = 4  # The agent asks for the document again for half of it.
        # Time to spoil the document after the command was accepted.
        fields["not_before"] = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()

    sent = site.send(client["id"], refused.action, payload, **fields)
    if refused.spoil is not None:
        with psycopg.connect(site.stack.database_url, autocommit=True) as database:
            refused.spoil(database, payload["document"])
    ended = site.wait_status(sent["id"], "completed", "failed", "expired", "unknown")

    assert (ended["status"], ended["error"]["code"]) == (refused.status, refused.code), ended
    assert refused.said in ended["error"]["message"]
    assert ended["error"]["message"]
    assert ended["error"]["retryable"] == refused.retryable
    assert len(site.effects()) == effects


def test_what_fits_the_schema_runs_and_the_hub_shows_the_schema(site: Site, client: dict[str, Any]) -> None:
    sent = site.send(client["id"], "open-gate", {"args": {"gate": "north"}})
    ended = site.wait_status(sent["id"], "completed", "failed", "unknown")
    assert (ended["status"], ended["result"]["data"]["stdout"]) == ("completed", "north\n"), ended
    schema = {"properties": {"args": {"properties": {"gate": {"enum": ["north", "south"]}}}}}
    state = site.http.get(f"/api/clients/{client['id']}").json()["state"]
    assert state["payload_schemas"] == {"open-gate": schema}
