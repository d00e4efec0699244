"""The shipped rules against a real broker. What counts is what was delivered: a refused publish is often acknowledged.

"Nothing came" is proven by a fence: a later message on the same path that did come.
"""

import itertools
import json

import pytest

from broker_config import render
from hub.programs.embedded.mosquitto import EmbeddedBroker
from schemas import topics
from schemas.topics import FROM_CLIENT, Channel, client_topic, every_client, shared
from tests.support.broker_client import HUB_TOPICS, BrokerClient, Connect, every_topic, own

GRANTED = 1  # at QoS 1
REFUSED = 0x80
NOT_AUTHORISED = 0x87
TO_CLIENT = set(Channel) - FROM_CLIENT

_numbers = itertools.count()


def delivered(sender: BrokerClient, watcher: BrokerClient, hub: BrokerClient) -> set[str]:
    """The topics on which `watcher` sees what `sender` publishes to every topic of the contract."""
    before = len(watcher.received)
    for topic in sorted(every_topic()):
        sender.publish(topic, "probe")
    fence = f"fence {next(_numbers)}"
    hub.publish(client_topic("alice", Channel.COMMANDS), fence)
    watcher.wait_for(lambda: any(payload == fence for _, payload in watcher.received))
    return {topic for topic, payload in watcher.received[before:] if payload == "probe"}


class TestPublishing:
    def test_a_client_reaches_only_its_own_topics(self, connect: Connect) -> None:
        hub, ops, alice = connect("hub"), connect("ops"), connect("alice")
        assert ops.subscribe(f"{topics.ROOT}/#") == GRANTED
        assert delivered(alice, ops, hub) == own("alice", FROM_CLIENT)

    def test_the_hub_cannot_pretend_to_be_a_client_that_reports(self, connect: Connect) -> None:
        hub, ops = connect("hub"), connect("ops")
        ops.subscribe(f"{topics.ROOT}/#")
        writable = TO_CLIENT | {Channel.PRESENCE, Channel.STATE}
        assert delivered(hub, ops, hub) == own("alice", writable) | own("bob", writable) | HUB_TOPICS

    @pytest.mark.parametrize("who", ["ops", "admin"])
    def test_accounts_that_carry_no_messages_publish_nothing(self, connect: Connect, who: str) -> None:
        hub, watcher, sender = connect("hub"), connect("ops"), connect(who)
        watcher.subscribe(f"{topics.ROOT}/#")
        assert delivered(sender, watcher, hub) == set()

    def test_a_payload_over_the_limit_costs_the_connection(self, connect: Connect) -> None:
        hub, alice, bob = connect("hub"), connect("alice"), connect("bob")
        hub.subscribe(every_client(Channel.REPORTS))
        topic = client_topic("alice", Channel.REPORTS)
        assert alice.publish(topic, "x" * 65_536) == 0
        alice.send(topic, "x" * 65_537)
        alice.wait_for(lambda: alice.disconnected)
        bob.publish(client_topic("bob", Channel.REPORTS), "fence")
        hub.wait_for_payload("fence")
        assert [len(payload) for _, payload in hub.received] == [65_536, len("fence")]


class TestSubscribing:
    @pytest.mark.parametrize("transport", ["tcp", "websockets"])
    def test_a_client_reads_only_what_is_meant_for_it(self, connect: Connect, transport: str) -> None:
        hub, alice = connect("hub"), connect("alice", transport=transport)
        for channel in sorted(TO_CLIENT):
            assert alice.subscribe(every_client(channel)) == GRANTED
        for topic in sorted(HUB_TOPICS):
            assert alice.subscribe(topic) == GRANTED
        for topic in sorted(every_topic() - HUB_TOPICS):
            hub.publish(topic, "probe")
        hub.publish(topics.HUB_KEYS, "keys")
        hub.publish(topics.HUB_PRESENCE, "last")
        assert alice.wait_for_payload("last") == own("alice", TO_CLIENT) | {topics.HUB_KEYS}

    @pytest.mark.parametrize("transport", ["tcp", "websockets"])
    @pytest.mark.parametrize(
        "refused",
        [
            "#",
            "+/#",
            f"{topics.ROOT}/#",
            "$SYS/#",
            "$CONTROL/#",
            "$CONTROL/dynamic-security/v1/response",
            every_client(Channel.REPORTS),
            every_client(Channel.STATE),
            client_topic("bob", Channel.PRESENCE),
            shared("floorhub", Channel.REPORTS),
            shared("mine", Channel.COMMANDS),
            "$share/floorhub/#",
        ],
    )
    def test_a_client_may_not_subscribe_beyond_its_topics(self, connect: Connect, refused: str, transport: str) -> None:
        alice = connect("alice", transport=transport)
        assert alice.subscribe(refused) >= REFUSED

    def test_a_client_cannot_take_the_hubs_turns_in_a_shared_subscription(self, connect: Connect) -> None:
        hub, alice, bob = connect("hub"), connect("alice"), connect("bob")
        assert hub.subscribe(shared("floorhub", Channel.REPORTS)) == GRANTED
        alice.subscribe(shared("floorhub", Channel.REPORTS))
        for number in range(10):
            bob.publish(client_topic("bob", Channel.REPORTS), str(number))
        hub.wait_for(lambda: len(hub.received) == 10)

    def test_the_hub_subscribes_to_what_it_needs_and_no_more(self, connect: Connect) -> None:
        hub = connect("hub")
        granted = [every_client(channel) for channel in FROM_CLIENT] + sorted(HUB_TOPICS)
        granted += [shared("floorhub", each) for each in (Channel.REPORTS, Channel.HEARTBEAT, Channel.REQUESTS)]
        assert {each: hub.subscribe(each) for each in granted} == dict.fromkeys(granted, GRANTED)
        refused = ["#", f"{topics.ROOT}/#", "$CONTROL/#", shared("other", Channel.REPORTS)]
        assert [each for each in refused if hub.subscribe(each) < REFUSED] == []

    def test_the_admin_account_hears_only_answers_to_administration(self, connect: Connect) -> None:
        admin = connect("admin")
        assert admin.subscribe("$CONTROL/dynamic-security/v1/response") == GRANTED
        refused = ["#", f"{topics.ROOT}/#", every_client(Channel.REPORTS), shared("floorhub", Channel.REPORTS)]
        assert [each for each in refused if admin.subscribe(each) < REFUSED] == []

    def test_retained_presence_of_more_clients_than_the_default_queue_arrives(self, connect: Connect) -> None:
        reader, writer, count = connect("hub"), connect("hub"), 3_000
        retained = [client_topic(f"till-{number}", Channel.PRESENCE) for number in range(count)]
        for topic in retained:
            writer.publish(topic, "here", retain=True)
        reader.subscribe(every_client(Channel.PRESENCE))
        reader.wait_for(lambda: len(reader.received) >= count)
        assert sorted(topic for topic, _ in reader.received) == sorted(retained)
        reader.close()
        for topic in retained:
            writer.publish(topic, "", retain=True)


class TestConnecting:
    @pytest.mark.parametrize(
        ("client_id", "username", "password"),
        [
            ("alice", None, None),
            ("alice", "alice", "wrong"),
            ("alice", "nobody", "alice-secret"),
            ("bob", "alice", "alice-secret"),
            ("_hub-1", "alice", "alice-secret"),
            ("gone", "gone", "gone-secret"),
        ],
        ids=["no name", "wrong secret", "unknown", "another's client id", "the hub's client id", "disabled"],
    )
    def test_is_refused(
        self, broker: EmbeddedBroker, client_id: str, username: str | None, password: str | None
    ) -> None:
        client = BrokerClient(broker.options.mqtt_port, client_id, username, password)
        assert client.connect() == NOT_AUTHORISED
        client.close()

    def test_a_will_on_another_clients_topic_is_never_delivered(self, connect: Connect) -> None:
        hub = connect("hub")
        hub.subscribe(every_client(Channel.PRESENCE))
        forged = connect("alice", will=(client_topic("bob", Channel.PRESENCE), "forged"))
        forged.drop()
        honest = connect("alice", will=(client_topic("alice", Channel.PRESENCE), "gone"))
        honest.drop()
        assert hub.wait_for_payload("gone") == set()


def test_a_client_made_at_run_time_is_under_the_same_rules(connect: Connect, broker: EmbeddedBroker) -> None:
    hub, admin = connect("hub"), connect("admin")
    admin.subscribe("$CONTROL/dynamic-security/v1/response")

    def administer(**command: object) -> dict[str, object]:
        before = len(admin.received)
        admin.publish("$CONTROL/dynamic-security/v1", json.dumps({"commands": [command]}))
        admin.wait_for(lambda: len(admin.received) > before)
        answer: dict[str, object] = json.loads(admin.received[-1][1])["responses"][0]
        return answer

    group = [{"groupname": render.client_group()}]
    answer = administer(command="createClient", username="carol", password="s", clientid="carol", groups=group)
    assert "error" not in answer
    carol = BrokerClient(broker.options.mqtt_port, "carol", "carol", "s")
    assert carol.connect() == 0
    assert carol.subscribe(every_client(Channel.COMMANDS)) == GRANTED
    assert carol.subscribe(shared("floorhub", Channel.REPORTS)) >= REFUSED
    hub.publish(client_topic("bob", Channel.COMMANDS), "for bob")
    hub.publish(client_topic("carol", Channel.COMMANDS), "for carol")
    assert carol.wait_for_payload("for carol") == set()
    administer(command="disableClient", username="carol")
    carol.wait_for(lambda: carol.disconnected)
    assert carol.connect() == NOT_AUTHORISED
    carol.close()


def test_each_channel_of_the_contract_has_a_rule_in_the_right_direction() -> None:
    lines = render.render_acl().splitlines()
    for channel in Channel:
        name = client_topic("a", channel).replace("/a/", "/%u/")
        expected = f"pattern {'write' if channel in FROM_CLIENT else 'read'} {name}"
        assert [line for line in lines if line.endswith(f" {name}")] == [expected]


def test_names_that_are_no_client_ids_are_not_rendered() -> None:
    for name in ("_hub", "+", "#", "a/b", "alice\n", ""):
        with pytest.raises(ValueError, match="client id"):
            render.render_dynsec({}, [render.Client(name, render.hash_password("s"))])
