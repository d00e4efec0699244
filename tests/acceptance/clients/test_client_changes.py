"""Clients disabled, enabled, given a new secret and retired while they are connected: what the broker does counts."""

from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from schemas.topics import HUB_KEYS, Channel, client_topic
from tests.support.site import Site
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("restarts the broker")


def connack(site: Site, client_id: str, secret: str) -> str:
    """What the broker says to a connection with this secret."""
    assert site.stack.broker is not None
    answers: list[str] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
    client.username_pw_set(client_id, secret)
    client.on_connect = lambda _c, _d, _f, code, _p: answers.append(str(code))
    client.connect("127.0.0.1", site.stack.broker.options.mqtt_port)
    client.loop_start()
    until(lambda: answers, "a CONNACK")
    client.disconnect()
    client.loop_stop()
    return answers[0]


def retained(site: Site, client_id: str) -> list[bytes]:
    """What the broker keeps of a client."""
    assert site.stack.broker is not None
    assert site.stack.accounts is not None
    kept: list[bytes] = []
    done: list[Any] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="_ops-look", protocol=paho.MQTTv5)
    client.username_pw_set(site.stack.accounts.ops.username, site.stack.accounts.ops.password)
    client.on_message = lambda _c, _d, message: kept.append(bytes(message.payload)) if message.retain else None
    client.on_subscribe = lambda _c, _d, _m, codes, _p: done.append(codes)
    client.connect("127.0.0.1", site.stack.broker.options.mqtt_port)
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


def test_a_disabled_client_is_cut_off_and_comes_back_when_enabled(site: Site) -> None:
    client = site.client()
    agent = site.agent(client)

    disabled = site.http.post(f"/api/clients/{client['id']}/disable").json()

    assert (disabled["status"], disabled["presence"], disabled["presence_reason"]) == (
        "disabled",
        "offline",
        "disabled",
    )
    assert connack(site, client["id"], client["secret"]) == "Not authorized"
    assert until(lambda: not retained(site, client["id"]), "nothing retained")
    posted = site.http.post("/api/commands", json={"client_id": client["id"], "action": "status"})
    assert (posted.status_code, posted.json()["code"]) == (403, "client_disabled")

    enabled = site.http.post(f"/api/clients/{client['id']}/enable").json()

    assert enabled["status"] == "active"
    site.wait_online(client["id"], agent)
    assert site.send(client["id"], "status", {}, wait=30)["status"] == "completed"


def test_a_client_disabled_across_a_restart_of_the_broker_stays_out_and_can_be_enabled(site: Site) -> None:
    client = site.client()
    site.http.post(f"/api/clients/{client['id']}/disable")
    assert site.stack.broker is not None
    site.stack.broker.stop()
    site.stack.broker.start()
    site.wait_ready()

    assert connack(site, client["id"], client["secret"]) == "Not authorized"
    site.http.post(f"/api/clients/{client['id']}/enable")
    assert connack(site, client["id"], client["secret"]) == "Success"


def test_a_new_secret_ends_the_connection_with_the_old_one(site: Site) -> None:
    client = site.client()
    agent = site.agent(client)

    changed = site.http.post(f"/api/clients/{client['id']}/secret").json()

    assert changed["secret"] != client["secret"]
    assert changed["broker_ready"] is True
    assert connack(site, client["id"], client["secret"]) == "Not authorized"
    until(lambda: site.http.get(f"/api/clients/{client['id']}").json()["presence"] == "offline", "offline")
    agent.stop()
    renewed = site.agent(changed)
    assert site.send(client["id"], "status", {}, wait=30)["status"] == "completed"
    renewed.stop()


def test_a_retired_client_leaves_nothing_retained_and_cannot_connect(site: Site) -> None:
    client = site.client()
    site.agent(client)
    assert until(lambda: len(retained(site, client["id"])) == 2, "presence and state")

    retired = site.http.delete(f"/api/clients/{client['id']}").json()

    assert (retired["status"], retired["presence_reason"]) == ("retired", "retired")
    assert connack(site, client["id"], client["secret"]) == "Not authorized"
    assert until(lambda: not retained(site, client["id"]), "nothing retained")
    for path in ("disable", "enable", "secret"):
        answer = site.http.post(f"/api/clients/{client['id']}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "client_retired")
