"""What once broke the hub when somebody tried: each test is named after what must hold."""

import asyncio
import json
import signal
import socket
import time
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from uuid_utils.compat import uuid7

from schemas.topics import Channel, client_topic
from tests.support.site import Site
from tests.support.thin_mqtt import ThinClient
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("kills Postgres and the broker")


async def speak(site: Site, client: dict[str, Any], *messages: tuple[Channel, bytes, bool]) -> None:
    """Publish as a client with its own secret."""
    assert site.stack.broker is not None
    port, name = site.stack.broker.options.mqtt_port, client["id"]
    where = (client_topic(name, Channel.PRESENCE), b"")
    connection = await ThinClient.connect(port, name, client["secret"], where, lambda *_: None)
    for channel, payload, retain in messages:
        connection.publish(client_topic(name, channel), payload, retain=retain)
    await connection.drained()
    connection.close()


def birth(client: dict[str, Any], session: str, connection: int, **fields: Any) -> bytes:
    return json.dumps(
        {
            "kind": "birth",
            "v": 1,
            "client_id": client["id"],
            "level": "full",
            "session": session,
            "connection": connection,
            "agent": {"name": "test", "version": "1"},
            "clock": "2026-11-21T00:00:00Z",
            **fields,
        }
    ).encode()


def history(site: Site, client: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = site.http.get(f"/api/clients/{client['id']}/history").json()["items"]
    return items


def test_no_message_of_a_client_ends_the_hub(site: Site) -> None:
    client = site.client()
    name = client["id"]
    deep = b'{"a":' * 700 + b"1" + b"}" * 700
    base = b'"v":1,"client_id":"%s","session":"s"' % name.encode()
    poison = [
        (Channel.STATE, b'{"kind":"state",%s,"at":"2026-11-21T00:00:00Z","battery":%s}' % (base, deep), True),
        (Channel.PRESENCE, birth(client, "s", 2**31), True),
        (Channel.PRESENCE, birth(client, "s", 1, epoch=2**63 - 1), True),
        (Channel.PRESENCE, birth(client, "s", 1, epoch=2**80), True),
        (Channel.PRESENCE, birth(client, "a\0b", 1), True),
        (
            Channel.HEARTBEAT,
            b'{"kind":"heartbeat","v":1,"client_id":"%s","session":"a\\u0000b","connection":1}' % name.encode(),
            False,
        ),
        (Channel.HEARTBEAT, b'{"kind":"heartbeat",%s,"connection":1,"epoch":9223372036854775808}' % base, False),
    ]
    before = site.hub.process.pid

    asyncio.run(speak(site, client, *poison))
    good = site.client()
    site.agent(good)
    assert site.print_page(good["id"], wait=30)["status"] == "completed"

    assert site.hub.process.poll() is None
    assert site.hub.process.pid == before
    # What was retained comes again at each start.
    assert site.hub.stop() == 0
    site.hub.start()
    site.wait_ready()
    assert site.print_page(good["id"], wait=30)["status"] == "completed"


def test_a_client_that_was_impersonated_for_a_while_comes_back(site: Site) -> None:
    client = site.client()
    agent = site.agent(client)

    # Somebody with the same secret takes the connection, says hello, and goes.
    thief = str(uuid4())
    asyncio.run(speak(site, client, (Channel.PRESENCE, birth(client, thief, 1), True)))

    def own_session_again() -> bool:
        latest, *_ = history(site, client)
        return bool(latest["session"] != thief and latest["presence"] == "online")

    until(lambda: any(i["session"] == thief for i in history(site, client)), "the thief was heard")
    until(own_session_again, "the agent's own session")
    site.wait_online(client["id"], agent)
    assert site.send(client["id"], "status", {}, wait=30)["status"] == "completed"


def test_two_clients_with_one_report_id_lose_nothing(site: Site) -> None:
    clients = [site.client(), site.client()]
    commands = [site.send(client["id"], "count", {}) for client in clients]
    shared = str(uuid7())
    with psycopg.connect(site.stack.database_url) as connection:
        connection.execute(
            "UPDATE commands SET status = 'queued', journal = 'j' WHERE id = ANY (%s)", ([c["id"] for c in commands],)
        )
    site.hub.process.send_signal(signal.SIGSTOP)  # so that both are in one batch
    try:
        for client, command in zip(clients, commands, strict=True):
            report = {"report_id": shared, "command_id": command["id"], "attempt": 1, "status": "completed"}
            report["at"] = "2026-11-21T00:00:00Z"
            message = {"kind": "reports", "v": 1, "client_id": client["id"], "session": "s", "reports": [report]}
            asyncio.run(speak(site, client, (Channel.REPORTS, json.dumps(message).encode(), False)))
    finally:
        site.hub.process.send_signal(signal.SIGCONT)

    for command in commands:
        site.wait_status(command["id"], "completed")


def test_a_broker_that_comes_back_before_the_database_does_not_end_the_hub(site: Site) -> None:
    postgres, broker = site.stack.postgres, site.stack.broker
    assert postgres is not None
    assert broker is not None
    client = site.client()
    site.agent(client)

    postgres.kill()
    broker.kill()
    broker.start()
    lines = site.hub.log.read_text().count("mqtt.connected")
    until(lambda: site.hub.log.read_text().count("mqtt.connected") > lines, "the hub at the broker")
    postgres.start()

    site.wait_ready()
    assert site.hub.process.poll() is None
    assert site.print_page(client["id"], wait=30)["status"] == "completed"


def test_a_head_without_end_and_a_head_that_never_comes_are_closed(site: Site) -> None:
    port = site.hub_ports["one"]
    endless = socket.create_connection(("127.0.0.1", port), timeout=30)
    endless.sendall(b"GET /health HTTP/1.1\r\nHost: hub\r\n")
    sent = 0
    try:
        while sent < 4_000_000:
            endless.sendall(b"X-Filler: " + b"x" * 1_000 + b"\r\n")
            sent += 1_012
    except OSError:
        pass
    assert sent < 4_000_000, "all of it was taken"
    endless.close()

    silent = socket.create_connection(("127.0.0.1", port), timeout=30)
    began = time.monotonic()
    assert silent.recv(1) == b""
    assert time.monotonic() - began < 30
    silent.close()


def test_a_long_but_reasonable_head_is_answered(site: Site) -> None:
    answer = site.http.get("/health", headers={"X-Filler": "x" * 20_000})

    assert answer.status_code == 200


@pytest.mark.parametrize("number", ["1e16", "1e308", "-2.5e300"])
def test_a_payload_that_grows_in_the_database_is_refused_like_any_large_one(site: Site, number: str) -> None:
    client = site.client()
    site.agent(client)
    numbers = ",".join([number] * 5_000)
    body = f'{{"client_id":"{client["id"]}","action":"open-door","payload":{{"n":[{numbers}]}}}}'
    for headers in ({"Content-Type": "application/json"}, {"Content-Type": "application/json; way=long"}):
        answer = site.http.post("/api/commands", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "payload_too_large")
    few = site.http.post("/api/commands", content=body.replace(numbers, number))
    assert few.status_code == 201, few.text
    assert site.wait_status(few.json()["id"], "failed")["error"]["code"] == "unsupported_action"


def test_a_command_that_no_message_can_carry_holds_up_nothing_else(site: Site) -> None:
    client = site.client()
    doomed = site.send(client["id"], "open-door", {}, expires_in_s=60)
    with psycopg.connect(site.stack.database_url) as connection:
        payload = json.dumps({"text": "x" * 70_000})
        connection.execute("UPDATE commands SET payload = %s WHERE id = %s", (payload, doomed["id"]))
    site.agent(client)
    site.wait_status(doomed["id"], "queued")
    assert site.print_page(client["id"], wait=30)["status"] == "completed"
    assert site.hub.process.poll() is None
