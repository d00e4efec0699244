"""Clients disabled, enabled, given a new secret and retired while they are connected: what the broker does counts."""

from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from schemas.topics import HUB_KEYS, Channel, client_topic
from tests.support.site import Floor, until


def connack(floor: Floor, client_id: str, secret: str) -> str:
    """What the broker says to a connection with this secret."""
    assert floor.stack.broker is not None
    answers: list[str] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
    client.username_pw_set(client_id, secret)
    client.on_connect = lambda _c, _d, _f, code, _p: answers.append(str(code))
    client.connect("127.0.0.1", floor.stack.broker.options.mqtt_port)
    client.loop_start()
    until(lambda: answers, "a CONNACK")
    client.disconnect()
    client.loop_stop()
    return answers[0]


def retained(floor: Floor, client_id: str) -> list[bytes]:
    """What the broker keeps of a client."""
    assert floor.stack.broker is not None
    assert floor.stack.accounts is not None
    kept: list[bytes] = []
    done: list[Any] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="_ops-look", protocol=paho.MQTTv5)
    client.username_pw_set(floor.stack.accounts.ops.username, floor.stack.accounts.ops.password)
    client.on_message = lambda _c, _d, message: kept.append(bytes(message.payload)) if message.retain else None
    client.on_subscribe = lambda _c, _d, _m, codes, _p: done.append(codes)
    client.connect("127.0.0.1", floor.stack.broker.options.mqtt_port)
    client.loop_start()
    until(client.is_connected, "connected")
    # Retained messages follow the SUBACK; those of the hub, which are always there, come last by their later filter.
    client.subscribe([(client_topic(client_id, Channel.PRESENCE), 1), (client_topic(client_id, Channel.STATE), 1)])
    until(lambda: done, "a SUBACK")
    client.subscribe(HUB_KEYS, 1)
    until(lambda: any(b'"keys"' in payload for payload in kept), "the key list, which comes after them")
    client.disconnect()
    client.loop_stop()
    return [payload for payload in kept if b'"keys"' not in payload]


def test_a_disabled_client_is_cut_off_and_comes_back_when_enabled(floor: Floor) -> None:
    client = floor.client()
    agent = floor.agent(client)

    disabled = floor.http.post(f"/api/clients/{client['id']}/disable").json()

    assert (disabled["status"], disabled["presence"], disabled["presence_reason"]) == (
        "disabled",
        "offline",
        "disabled",
    )
    assert connack(floor, client["id"], client["secret"]) == "Not authorized"
    assert until(lambda: not retained(floor, client["id"]), "nothing retained")
    posted = floor.http.post("/api/commands", json={"client_id": client["id"], "action": "status"})
    assert (posted.status_code, posted.json()["code"]) == (403, "client_disabled")

    enabled = floor.http.post(f"/api/clients/{client['id']}/enable").json()

    assert enabled["status"] == "active"
    floor.wait_online(client["id"], agent)
    assert floor.send(client["id"], "status", {}, wait=30)["status"] == "completed"


def test_a_client_disabled_across_a_restart_of_the_broker_stays_out_and_can_be_enabled(floor: Floor) -> None:
    client = floor.client()
    floor.http.post(f"/api/clients/{client['id']}/disable")
    assert floor.stack.broker is not None
    floor.stack.broker.stop()
    floor.stack.broker.start()
    floor.wait_ready()

    assert connack(floor, client["id"], client["secret"]) == "Not authorized"
    floor.http.post(f"/api/clients/{client['id']}/enable")
    assert connack(floor, client["id"], client["secret"]) == "Success"


def test_a_new_secret_ends_the_connection_with_the_old_one(floor: Floor) -> None:
    client = floor.client()
    agent = floor.agent(client)

    changed = floor.http.post(f"/api/clients/{client['id']}/secret").json()

    assert changed["secret"] != client["secret"]
    assert changed["broker_ready"] is True
    assert connack(floor, client["id"], client["secret"]) == "Not authorized"
    until(lambda: floor.http.get(f"/api/clients/{client['id']}").json()["presence"] == "offline", "offline")
    agent.stop()
    renewed = floor.agent(changed)
    assert floor.send(client["id"], "status", {}, wait=30)["status"] == "completed"
    renewed.stop()


def test_a_retired_client_leaves_nothing_retained_and_cannot_connect(floor: Floor) -> None:
    client = floor.client()
    floor.agent(client)
    assert until(lambda: len(retained(floor, client["id"])) == 2, "presence and state")

    retired = floor.http.delete(f"/api/clients/{client['id']}").json()

    assert (retired["status"], retired["presence_reason"]) == ("retired", "retired")
    assert connack(floor, client["id"], client["secret"]) == "Not authorized"
    assert until(lambda: not retained(floor, client["id"]), "nothing retained")
    for path in ("disable", "enable", "secret"):
        answer = floor.http.post(f"/api/clients/{client['id']}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "client_retired")
