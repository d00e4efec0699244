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
from tests.support import access, plain_http
from tests.support.access import at_once
from tests.support.site import Process, Site
from tests.support.speaker import Speaker
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("kills every service")


def agree(site: Site, commands: list[dict[str, Any]]) -> None:
    """Each command completed, and the printer printed it once."""
    for command in commands:
        ended = site.wait_status(command["id"], "completed", "failed", "unknown", "expired", deadline_s=90)
        assert ended["status"] == "completed", ended
        assert len(site.effects(command["id"])) == 1, site.effects(command["id"])


@pytest.mark.fault("F16")
def test_the_same_command_delivered_again_prints_once(site: Site) -> None:
    client = site.client()
    site.agent(client)
    copied: list[bytes] = []
    spy = _connect(site, "_hub-spy")
    spy.on_message = lambda _c, _d, message: copied.append(bytes(message.payload))
    _connect_reports(spy)
    command = site.print_page(client["id"], wait=30)
    assert command["status"] == "completed", command

    # The broker's side of the wire: the very bytes of the run, again and again, before and after its end.
    payload = _signed_run(site, client["id"], command["id"])
    for _ in range(5):
        spy.publish(client_topic(client["id"], Channel.COMMANDS), payload, qos=1).wait_for_publish(5)
    until(lambda: sum(command["id"].encode() in body for body in copied) >= 2, "the stored report again")
    again = site.print_page(client["id"], wait=30)

    assert again["status"] == "completed", again
    assert len(site.effects(command["id"])) == 1
    assert site.command(command["id"])["version"] == command["version"]
    spy.disconnect()
    spy.loop_stop()


def test_a_hub_killed_between_a_revocation_and_its_judgement_hands_out_nothing_of_it(site: Site) -> None:
    speaker, other = Speaker(site), site.client()["id"]
    speaker.say(Channel.PRESENCE, speaker.message("offline", connection=1), retain=True)
    until(lambda: site.http.get(f"/api/clients/{speaker.id}").json()["presence"] == "offline", "it is offline")
    with (
        psycopg.connect(site.stack.database_url, autocommit=True) as owner,
        psycopg.connect(site.stack.database_url) as keeper,
    ):

        def judging() -> set[int]:
            """The hubs' connections that wait for the row that `keeper` keeps."""
            rows = owner.execute("SELECT pid FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted")
            return {pid for (pid,) in rows}

        shop = at_once(access.principal(owner, "operator", "granted"))
        for client_id in (speaker.id, other):
            at_once(access.grant(owner, shop, "client", client_id, "command"))
        headers = {"Authorization": f"Bearer {at_once(access.key(owner, shop))}"}
        blocking, revoked = (
            plain_http.request(
                "POST",
                f"{site.url}/api/commands",
                headers=headers,
                json={"client_id": client_id, "action": "open-door"},
            ).json()["id"]
            for client_id in (other, speaker.id)
        )
        keeper.execute("SELECT FROM commands WHERE id = %s FOR UPDATE", (blocking,))
        disabled = site.http.patch(f"/api/integrations/{shop}", json={"status": "disabled"})
        assert disabled.status_code == 200, disabled.text
        until(judging, "the hub judges")

        before = judging()
        site.hub.kill()
        speaker.say(Channel.PRESENCE, speaker.birth(connection=2), retain=True)
        site.hub.start()
        site.wait_ready()
        until(lambda: judging() - before, "the next hub judges")
        site.wait_online(speaker.id)
        keeper.rollback()

    allowed = site.send(speaker.id, "open-door", {})
    speaker.broker.wait_for(lambda: any(allowed["id"] in payload for _, payload in speaker.broker.received))
    assert [payload for _, payload in speaker.broker.received if revoked in payload] == []
    assert site.http.get(f"/api/commands/{revoked}/explain").json()["cause"] == "principal_revoked"
    speaker.close()


@pytest.mark.fault("F20")
def test_an_agent_killed_behind_a_slow_job_prints_what_it_accepted_once(site: Site) -> None:
    agent, slow, accepted = one_that_runs_and_one_behind_it(site, seconds=4)

    agent.kill()
    site.control_printer()
    agent.start()

    agree(site, [slow, accepted])
    # The printer knew the interrupted job by its name: what it says is the evidence.
    ended = site.command(slow["id"])
    assert "evidence" in json.dumps(ended["result"])


@pytest.mark.fault("F19")
@pytest.mark.fault("F20")
def test_an_interrupted_job_that_nobody_knows_of_ends_unknown_with_its_evidence(site: Site) -> None:
    agent, slow, accepted = one_that_runs_and_one_behind_it(site, seconds=30)

    agent.kill()
    assert site.stack.printer is not None
    site.stack.printer.kill()
    site.control_printer()
    site.stack.printer.start()
    agent.start()

    ended = site.wait_status(slow["id"], "unknown")
    assert ended["result"]["data"]["evidence"]
    assert ended["dead_letter_reason"] == "unknown"
    assert site.effects(slow["id"]) == []
    agree(site, [accepted])


def test_an_own_action_cut_off_ends_unknown(site: Site) -> None:
    client = site.client()
    agent = site.agent(client, '\n[actions.nap]\nargv = ["/bin/sleep", "60"]\n')
    command = site.send(client["id"], "nap", {})
    site.wait_status(command["id"], "running")

    agent.kill()
    agent.start()

    ended = site.wait_status(command["id"], "unknown")
    assert ended["error"]["code"]


def test_the_hub_killed_right_after_its_201_loses_nothing(site: Site) -> None:
    client = site.client()
    site.agent(client)
    accepted = []
    for _ in range(3):
        accepted.append(site.print_page(client["id"]))
        site.hub.kill()
        site.hub.start()
        site.wait_ready()

    agree(site, accepted)


@pytest.mark.fault("F13")
def test_the_broker_killed_and_emptied_with_100_outstanding_loses_nothing(site: Site) -> None:
    clients = [site.client() for _ in range(4)]
    agents = [site.agent(client) for client in clients]
    for agent in agents:
        agent.kill()
    commands = [site.print_page(clients[n % 4]["id"]) for n in range(100)]
    for agent, client in zip(agents, clients, strict=True):
        agent.start()
        site.wait_online(client["id"], agent)
    until(lambda: len(site.effects()) and site.command(commands[8]["id"])["status"] != "pending", "some work")

    broker = site.stack.broker
    assert broker is not None
    broker.kill()
    broker.wipe()
    site.stack.broker.start()  # type: ignore[union-attr]

    agree(site, commands)


@pytest.mark.fault("F7")
def test_a_hub_stopped_in_peace_ends_within_its_grace(site: Site) -> None:
    client = site.client()
    site.agent(client)
    command = site.print_page(client["id"])

    began = time.monotonic()
    assert site.hub.stop() == 0
    assert time.monotonic() - began < 15
    site.hub.start()
    site.wait_ready()

    agree(site, [command])


@pytest.mark.fault("F9")
@pytest.mark.parametrize("moment", ["idle", "busy"])
def test_postgres_killed_comes_back_and_nothing_is_lost(site: Site, moment: str) -> None:
    client = site.client()
    site.agent(client)
    commands = [site.print_page(client["id"]) for _ in range(3 if moment == "busy" else 0)]
    postgres = site.stack.postgres
    assert postgres is not None

    postgres.kill()
    refused = site.http.post("/api/commands", json={"client_id": client["id"], "action": "status"})
    assert refused.status_code == 503, refused.text
    postgres.start()
    site.wait_ready()
    commands.append(site.print_page(client["id"]))

    agree(site, commands)


# --- helpers -------------------------------------------------------------------------------------------------


def one_that_runs_and_one_behind_it(site: Site, seconds: int) -> tuple[Process, dict[str, Any], dict[str, Any]]:
    """An agent, its job that takes the printer so long, and one that waits for it in the agent's journal."""
    client = site.client()
    agent = site.agent(client)
    site.control_printer(seconds=seconds)
    slow = site.print_page(client["id"])
    site.wait_status(slow["id"], "running")
    accepted = site.print_page(client["id"])
    until(lambda: site.command(accepted["id"])["accepted_at"], "the second job in the journal")
    return agent, slow, accepted


def _connect(site: Site, client_id: str) -> paho.Client:
    """A client with the hub's own account: the broker's side of the wire."""
    accounts = site.stack.accounts
    assert accounts is not None
    assert site.stack.broker is not None
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
    client.username_pw_set(accounts.hub.username, accounts.hub.password)
    client.on_socket_open = lambda _c, _d, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.connect("127.0.0.1", site.stack.broker.options.mqtt_port)
    client.loop_start()
    until(client.is_connected, "the spy at the broker")
    return client


def _connect_reports(client: paho.Client) -> None:
    client.subscribe(every_client(Channel.REPORTS), qos=1)


def _signed_run(site: Site, client_id: str, command_id: str) -> bytes:
    """The run of a command as the hub signs it."""
    from hub.core.commands.store.dispatch import run_of
    from hub.keys import load_signing_keys
    from schemas import signing
    from schemas.codec import encode

    with psycopg.connect(site.stack.database_url, row_factory=psycopg.rows.dict_row) as connection:
        row = connection.execute(
            "SELECT *, queued_at AS issued_at FROM commands WHERE id = %s", (command_id,)
        ).fetchone()
    assert row is not None
    assert row["client_id"] == client_id
    return load_signing_keys(site.folder.keys).signer.sign(signing.COMMAND, encode(run_of(row)))
