"""Never lost, never twice: processes die at the worst moments, and three records must agree: what HTTP accepted,
what the printer printed, and what the hub says."""

import json
import socket
import time
from typing import Any

import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from schemas.topics import Channel, client_topic, every_client
from tests.support.site import Floor, until


def agree(floor: Floor, commands: list[dict[str, Any]]) -> None:
    """Each command completed, and the printer printed it once."""
    for command in commands:
        ended = floor.wait_status(command["id"], "completed", "failed", "unknown", "expired", deadline_s=90)
        assert ended["status"] == "completed", ended
        assert len(floor.effects(command["id"])) == 1, floor.effects(command["id"])


@pytest.mark.fault("F16")
def test_the_same_command_delivered_again_prints_once(floor: Floor) -> None:
    client = floor.client()
    floor.agent(client)
    copied: list[bytes] = []
    spy = _connect(floor, "_hub-spy")
    spy.on_message = lambda _c, _d, message: copied.append(bytes(message.payload))
    _connect_reports(spy)
    command = floor.print_page(client["id"], wait=30)
    assert command["status"] == "completed", command

    # The broker's side of the wire: the very bytes of the run, again and again, before and after its end.
    payload = _signed_run(floor, client["id"], command["id"])
    for _ in range(5):
        spy.publish(client_topic(client["id"], Channel.COMMANDS), payload, qos=1).wait_for_publish(5)
    until(lambda: sum(command["id"].encode() in body for body in copied) >= 2, "the stored report again")
    again = floor.print_page(client["id"], wait=30)

    assert again["status"] == "completed", again
    assert len(floor.effects(command["id"])) == 1
    assert floor.command(command["id"])["version"] == command["version"]
    spy.disconnect()
    spy.loop_stop()


@pytest.mark.fault("F20")
def test_an_agent_killed_behind_a_slow_job_prints_what_it_accepted_once(floor: Floor) -> None:
    client = floor.client()
    agent = floor.agent(client)
    floor.control_printer(seconds=4)
    slow = floor.print_page(client["id"])
    floor.wait_status(slow["id"], "running")
    accepted = floor.print_page(client["id"])
    until(lambda: floor.command(accepted["id"])["accepted_at"], "the second job in the journal")

    agent.kill()
    floor.control_printer()
    agent.start()

    agree(floor, [slow, accepted])
    # The printer knew the interrupted job by its name: what it says is the evidence.
    ended = floor.command(slow["id"])
    assert "evidence" in json.dumps(ended["result"])


@pytest.mark.fault("F19")
@pytest.mark.fault("F20")
def test_an_interrupted_job_that_nobody_knows_of_ends_unknown_with_its_evidence(floor: Floor) -> None:
    client = floor.client()
    agent = floor.agent(client)
    floor.control_printer(seconds=30)
    slow = floor.print_page(client["id"])
    floor.wait_status(slow["id"], "running")
    accepted = floor.print_page(client["id"])
    until(lambda: floor.command(accepted["id"])["accepted_at"], "the second job in the journal")

    agent.kill()
    assert floor.stack.printer is not None
    floor.stack.printer.kill()
    floor.control_printer()
    floor.stack.printer.start()
    agent.start()

    ended = floor.wait_status(slow["id"], "unknown")
    assert ended["result"]["data"]["evidence"]
    assert ended["dead_letter_reason"] == "unknown"
    assert floor.effects(slow["id"]) == []
    agree(floor, [accepted])


def test_an_own_action_cut_off_ends_unknown(floor: Floor) -> None:
    client = floor.client()
    agent = floor.agent(client, '\n[actions.nap]\nargv = ["/bin/sleep", "60"]\n')
    command = floor.send(client["id"], "nap", {})
    floor.wait_status(command["id"], "running")

    agent.kill()
    agent.start()

    ended = floor.wait_status(command["id"], "unknown")
    assert ended["error"]["code"]


def test_the_hub_killed_right_after_its_201_loses_nothing(floor: Floor) -> None:
    client = floor.client()
    floor.agent(client)
    accepted = []
    for _ in range(3):
        accepted.append(floor.print_page(client["id"]))
        floor.hub.kill()
        floor.hub.start()
        floor.wait_ready()

    agree(floor, accepted)


@pytest.mark.fault("F13")
def test_the_broker_killed_and_emptied_with_100_outstanding_loses_nothing(floor: Floor) -> None:
    clients = [floor.client() for _ in range(4)]
    agents = [floor.agent(client) for client in clients]
    for agent in agents:
        agent.kill()
    commands = [floor.print_page(clients[n % 4]["id"]) for n in range(100)]
    for agent, client in zip(agents, clients, strict=True):
        agent.start()
        floor.wait_online(client["id"], agent)
    until(lambda: len(floor.effects()) and floor.command(commands[8]["id"])["status"] != "pending", "some work")

    broker = floor.stack.broker
    assert broker is not None
    broker.kill()
    broker.wipe()
    floor.stack.broker.start()  # type: ignore[union-attr]

    agree(floor, commands)


@pytest.mark.fault("F7")
def test_a_hub_stopped_in_peace_ends_within_its_grace(floor: Floor) -> None:
    client = floor.client()
    floor.agent(client)
    command = floor.print_page(client["id"])

    began = time.monotonic()
    assert floor.hub.stop() == 0
    assert time.monotonic() - began < 15
    floor.hub.start()
    floor.wait_ready()

    agree(floor, [command])


@pytest.mark.fault("F9")
@pytest.mark.parametrize("moment", ["idle", "busy"])
def test_postgres_killed_comes_back_and_nothing_is_lost(floor: Floor, moment: str) -> None:
    client = floor.client()
    floor.agent(client)
    commands = [floor.print_page(client["id"]) for _ in range(3 if moment == "busy" else 0)]
    postgres = floor.stack.postgres
    assert postgres is not None

    postgres.kill()
    refused = floor.http.post("/api/commands", json={"client_id": client["id"], "action": "status"})
    assert refused.status_code == 503, refused.text
    postgres.start()
    floor.wait_ready()
    commands.append(floor.print_page(client["id"]))

    agree(floor, commands)


# --- helpers -------------------------------------------------------------------------------------------------


def _connect(floor: Floor, client_id: str) -> paho.Client:
    """A client with the hub's own account: the broker's side of the wire."""
    accounts = floor.stack.accounts
    assert accounts is not None
    assert floor.stack.broker is not None
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
    client.username_pw_set(accounts.hub.username, accounts.hub.password)
    client.on_socket_open = lambda _c, _d, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.connect("127.0.0.1", floor.stack.broker.options.mqtt_port)
    client.loop_start()
    until(client.is_connected, "the spy at the broker")
    return client


def _connect_reports(client: paho.Client) -> None:
    client.subscribe(every_client(Channel.REPORTS), qos=1)


def _signed_run(floor: Floor, client_id: str, command_id: str) -> bytes:
    """The run of a command as the hub signs it."""
    from hub.core.commands.store.dispatch import run_of
    from hub.keys import load_signing_keys
    from schemas import signing
    from schemas.codec import encode

    with psycopg.connect(floor.stack.database_url, row_factory=psycopg.rows.dict_row) as connection:
        row = connection.execute(
            "SELECT *, queued_at AS issued_at FROM commands WHERE id = %s", (command_id,)
        ).fetchone()
    assert row is not None
    assert row["client_id"] == client_id
    return load_signing_keys(floor.folder.keys).signer.sign(signing.COMMAND, encode(run_of(row)))
