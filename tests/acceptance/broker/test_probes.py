"""Who has no right, or only a client's, at every door of the broker: no probe reaches another client, hears one, or
changes what the broker keeps.

A sample by default. `FLOORHUB_TEST_PROBES=all` runs all of them (make acceptance PART=probes).
"""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.lan import pinned_id
from schemas import topics
from schemas.topics import FROM_CLIENT, Channel, client_topic, every_client
from tests.support.mqtt_wire import SUBACK, Connection, four_bytes, publish, subscribe_packet
from tests.support.page import connect_packet, packet, text
from tests.support.probed_broker import DOORS, VICTIM, WORKER, ProbedBroker, open_probed_broker
from tests.support.site import Site

pytestmark = pytest.mark.own_site("its broker serves the network, and its hub has stopped")

ALL = os.environ.get("FLOORHUB_TEST_PROBES") == "all"
ONE_OF = 80
"""So many probes does each of the sample stand for."""
ROLES = ("hub", "admin", "ops", "doctor")
FREE_FOR_EVERYBODY = frozenset(FROM_CLIENT)
LONGEST = 65_535
CONTROL = topics.BROKER_CONTROL


def sample(*axes: Iterable[Any]) -> list[Any]:
    """All combinations, or some of them in which each value of each axis comes again and again."""
    found = list(itertools.product(*axes))
    step = 1 if ALL else next(each for each in range(ONE_OF, 2 * ONE_OF) if len(found) % each)
    return found[::step]


@pytest.fixture(scope="module")
def bed(cluster: DataFolder) -> Iterator[ProbedBroker]:
    with open_probed_broker(cluster) as running:
        yield running


@pytest.fixture(scope="module")
def site(bed: ProbedBroker) -> Site:
    return bed.site


def versions(door: str) -> tuple[int, ...]:
    """Of MQTT, that this door takes."""
    return (4, 5) if door == "edge" else (3, 4, 5)


# --- who may not connect at all --------------------------------------------------------------------------------

ODD_NAMES: dict[str, bytes] = {
    "upper case": b"_HUB",
    "mixed case": b"_Hub",
    "space before": b" _hub",
    "space behind": b"_hub ",
    "tab": b"_hub\t",
    "line feed": b"_hub\n",
    "return": b"_hub\r\n",
    "NUL behind": b"_hub\0",
    "NUL and more": b"_hub\0mallory-0",
    "NUL before": b"\0_hub",
    "full-width": "\uff3fhub".encode(),
    "zero width": "_hub\u200b".encode(),
    "byte order": "\ufeff_hub".encode(),
    "combining": "_hub\u0301".encode(),
    "right to left": "\u202e_hub".encode(),
    "non-character": "_hub\uffff".encode(),
    "surrogate": b"_hub\xed\xa0\x80",
    "overlong form": b"\xc1\x9fhub",
    "no UTF-8": b"_hub\xff",
    "per cent": b"%5Fhub",
    "two lines": b"__hub",
    "path": b"mallory-0/../_hub",
    "slash": b"_hub/",
    "plus": b"+",
    "hash": b"#",
    "dollar": b"$CONTROL",
    "quote": b"_hub' OR '1'='1",
    "empty": b"",
    "pinned id": b"_hub-one",
    "long": b"_hub" + b"a" * (LONGEST - 4),
}
CALLERS = (
    *("unknown", "wrong secret", "empty secret", "no secret", "secret of another", "anonymous", "nothing at all"),
    *("anonymous with a name", "disabled", "retired", "paired-again", "rotated"),
)


def credentials(bed: ProbedBroker, caller: str) -> tuple[str, str | None, str | None]:
    """Client id, user name and secret."""
    known = bed.attacker()
    match caller:
        case "unknown":
            return "nobody", "nobody", known.secret
        case "wrong secret":
            return known.name, known.name, "wrong"
        case "empty secret":
            return known.name, known.name, ""
        case "no secret":
            return known.name, known.name, None
        case "secret of another":
            return VICTIM, VICTIM, known.secret
        case "anonymous":
            return "somebody", None, None
        case "nothing at all":
            return "", None, None
        case "anonymous with a name":
            return VICTIM, None, None
    return caller, caller, bed.callers[caller].secret


def turned_away(bed: ProbedBroker, door: str, version: int, *who: Any, **options: Any) -> None:
    """Nobody gets in, and what such a caller says all the same reaches nobody."""
    try:
        wire, code = bed.connect(door, version, *who, **options)
    except TimeoutError:
        pytest.fail(f"{door} leaves {who} without an answer")
    assert code != 0
    with contextlib.closing(wire):
        wire.send(publish(client_topic(VICTIM, Channel.COMMANDS), b"forged", version))
        wire.send(subscribe_packet([b"#"], version))
        assert wire.settled() == []
        assert wire.over
    assert bed.check(None, "mallory-0") == []


@pytest.mark.parametrize(("caller", "door", "version"), sample(CALLERS, DOORS, (3, 4, 5)))
def test_who_has_no_valid_secret_does_not_get_in(bed: ProbedBroker, caller: str, door: str, version: int) -> None:
    turned_away(bed, door, version, *credentials(bed, caller))


@pytest.mark.parametrize(
    ("role", "client_id", "door", "version"),
    sample(ROLES, ("its pinned id", "its name", "a client's", ""), DOORS, (3, 4, 5)),
)
def test_accounts_of_the_hub_connect_at_one_place_only(
    bed: ProbedBroker, role: str, client_id: str, door: str, version: int
) -> None:
    account = bed.accounts[role]
    ids = {"its pinned id": pinned_id(account.username, WORKER), "its name": account.username, "a client's": VICTIM}
    if door in ("tcp", "websocket") and client_id == "its pinned id":
        wire, code = bed.connect(
            "tcp", version, ids[client_id], account.username, "wrong"
        )  # the true one has its place
        assert code != 0
        wire.close()
        return
    turned_away(bed, door, version, ids.get(client_id, client_id), account.username, account.password)


@pytest.mark.parametrize(("odd", "door", "version"), sample(ODD_NAMES, DOORS, (4, 5)))
def test_no_spelling_of_an_account_is_that_account(bed: ProbedBroker, odd: str, door: str, version: int) -> None:
    name, secret = ODD_NAMES[odd], bed.accounts["hub"].password
    for client_id in (name, b"_hub-one", b"mallory-0"):
        turned_away(bed, door, version, client_id, name, secret)


@pytest.mark.parametrize(("odd", "door", "version"), sample(["the victim's", *ODD_NAMES], DOORS, (4, 5)))
def test_a_client_takes_nobodys_place(bed: ProbedBroker, odd: str, door: str, version: int) -> None:
    """With its own secret and the client id of somebody else, from a session that would last."""
    known = bed.attacker()
    client_id = ODD_NAMES.get(odd, VICTIM.encode())
    properties = four_bytes(0x11, 0xFFFFFFFF) if version == 5 else b""
    wire, code = bed.connect(door, version, client_id, known.name, known.secret, flags=0, properties=properties)
    with contextlib.closing(wire):
        if door != "tls":
            assert code != 0
            bed.check(None, known.name)
        elif code == 0:  # whoever connects there has the user name as client id
            assert bed.check(wire, known.name) == []


# --- what a client may not hear --------------------------------------------------------------------------------

_V = VICTIM
FILTERS = (
    *("#", "+", "/#", "+/#", "+/+/#", "/+/#", "+/+/+/+/+", "floorhub/#", "floorhub/+/#", "+/v1/clients/#"),
    *(f"{topics.ROOT}/#", f"{topics.ROOT}/+/#", f"{topics.ROOT}/clients/#", f"{topics.ROOT}/clients/+/#"),
    *(f"{topics.ROOT}/clients/{_V}/#", f"{topics.ROOT}/clients/{_V}/+", f"{topics.ROOT}/+/{_V}/+"),
    *(f"+/+/+/{_V}/+", f"{topics.ROOT}/+/+/commands", "floorhub/+/clients/+/commands", f"{topics.ROOT}/hub/#"),
    *(client_topic(_V, each) for each in Channel),
    *(every_client(each) for each in Channel),
    *(f"$share/floorhub/{every_client(each)}" for each in (Channel.REPORTS, Channel.HEARTBEAT, Channel.REQUESTS)),
    *(f"$share/any/{every_client(each)}" for each in (Channel.COMMANDS, Channel.REPORTS, Channel.PRESENCE)),
    *(f"$share/floorhub/{client_topic(_V, Channel.REPORTS)}", f"$share/a/{client_topic(_V, Channel.COMMANDS)}"),
    *("$share/any/#", "$share/any/+/#", "$share/floorhub/#", "$share//#", "$share/any", "$share/any/", "$share/#"),
    *("$share/+/#", f"$share/floorhub/{topics.ROOT}/#", f"$share/x/$share/floorhub/{every_client(Channel.REPORTS)}"),
    *("$SYS/#", "$SYS/broker/clients/+", "$SYS/+/#", "$SYS/broker/log/#", "$share/x/$SYS/#"),
    *("$CONTROL/#", f"{CONTROL}/#", CONTROL, topics.BROKER_CONTROL_RESPONSE, "$CONTROL/+/#", "$CONTROL/+/v1/response"),
    *(f"$share/x/{topics.BROKER_CONTROL_RESPONSE}", "$share/x/$CONTROL/#", "$queue/#", "$/#", "$exclusive/#"),
    *("$local/#", "$delayed/1/x", "$bridge/#", f"$exclusive/{client_topic(_V, Channel.COMMANDS)}"),
)
BROKEN_FILTERS = (
    *("", "a/#/b", "#/a", "a#", "+a", "a+/b", "##", "+#", "a\0b", "\0", "#\0", "a\uffff", "\ud800", f"{_V}\0/#"),
    *("/" * 1_000, "a" * LONGEST, "+/" * 300 + "#", f"{topics.ROOT}//clients/{_V}/#", f"/{topics.ROOT}/clients/#"),
    *(f"{topics.ROOT}/clients/{_V.upper()}/#", f"{topics.ROOT}/clients/./{_V}/#", f"{topics.ROOT.upper()}/#"),
)


def in_bytes(name: str) -> bytes:
    return name.encode(errors="surrogatepass")


@pytest.mark.parametrize(
    ("wanted", "door", "version"),
    [each for each in sample(FILTERS, DOORS, (3, 4, 5)) if each[2] in versions(each[1])],
)
def test_a_client_hears_nobody_else(bed: ProbedBroker, wanted: str, door: str, version: int) -> None:
    known = bed.attacker()
    with contextlib.closing(bed.let_in(door, version, known.name)) as wire:
        wire.send(subscribe_packet([in_bytes(wanted)], version))
        heard = bed.check(wire, known.name)
        granted = [each.body[-1] for each in heard if each.kind == SUBACK]
        if wanted.startswith("$") and version > 3:  # who joined the hub's group would take its turns
            assert all(code >= 0x80 for code in granted), granted
            assert wire.over or granted


@pytest.mark.parametrize(("wanted", "door", "version"), sample(BROKEN_FILTERS, DOORS, (4, 5)))
def test_a_broken_filter_hears_nothing(bed: ProbedBroker, wanted: str, door: str, version: int) -> None:
    known = bed.attacker()
    with contextlib.closing(bed.let_in(door, version, known.name)) as wire:
        wire.send(subscribe_packet([in_bytes(wanted)], version))
        bed.check(wire, known.name)


@pytest.mark.parametrize(
    ("options", "properties", "wanted", "door"),
    sample(
        (0, 1, 2, 3, 4, 8, 16, 32, 48, 255),
        (b"", b"\x0b\x01", b"\x0b\x00", b"\x0b\xff\xff\xff\x7f", b"\x26\x00\x01a\x00\x01b", b"\x0b\x01\x0b\x02"),
        ("#", client_topic(_V, Channel.PRESENCE), every_client(Channel.COMMANDS)),
        DOORS,
    ),
)
def test_no_option_of_a_subscription_widens_it(
    bed: ProbedBroker, options: int, properties: bytes, wanted: str, door: str
) -> None:
    known = bed.attacker()
    with contextlib.closing(bed.let_in(door, 5, known.name)) as wire:
        wire.send(subscribe_packet([wanted.encode()], 5, options=options, properties=properties))
        bed.check(wire, known.name)


@pytest.mark.parametrize(("door", "version"), sample(DOORS, (4, 5)))
def test_nothing_waits_in_a_session_for_who_comes_back(bed: ProbedBroker, door: str, version: int) -> None:
    known = bed.attacker()
    lasting = {"flags": 0, "properties": four_bytes(0x11, 0xFFFFFFFF) if version == 5 else b""}
    for _ in range(2):
        with contextlib.closing(bed.let_in(door, version, known.name, **lasting)) as wire:
            wire.send(subscribe_packet([every_client(each).encode() for each in Channel], version, options=1))
            bed.check(wire, known.name)
        bed.check(None, known.name)


# --- what a client may not say ---------------------------------------------------------------------------------

COMMANDS_OF_CONTROL = (
    b'{"commands":[{"command":"createClient","username":"_evil","password":"x"}]}',
    b'{"commands":[{"command":"addClientRole","username":"mallory-0","rolename":"admin","priority":9}]}',
    b'{"commands":[{"command":"setClientPassword","username":"_admin","password":"x"}]}',
    b'{"commands":[{"command":"setDefaultACLAccess","acls":[{"acltype":"subscribe","allow":true}]}]}',
    b'{"commands":[{"command":"listClients","verbose":true}]}',
    b'{"commands":[{"command":"deleteClient","username":"victim"}]}',
    b'{"commands":[{"command":"removeGroupClient","groupname":"clients","username":"mallory-0"}]}',
)
TARGETS = (
    *(client_topic(_V, each) for each in Channel),
    *(topics.HUB_KEYS, topics.HUB_PRESENCE, f"{topics.ROOT}/hub/x", topics.ROOT, f"{topics.ROOT}/clients"),
    *(f"{topics.ROOT}/clients//reports", f"{topics.ROOT}/clients/{_V}/reports/x", f"{topics.ROOT}/clients/{_V}"),
    *(f"{topics.ROOT}/clients/me/../{_V}/reports", f"{topics.ROOT}/clients/{_V.upper()}/reports", "anything"),
    *(
        f"/{client_topic(_V, Channel.REPORTS)}",
        f"{client_topic(_V, Channel.REPORTS)}/",
        "floorhub/v2/clients/a/reports",
    ),
    *(f"$share/floorhub/{client_topic(_V, Channel.REPORTS)}", "$SYS/broker/version", "$SYS/x", "$x"),
    *("$CONTROL/x", f"{CONTROL}/response", f"{CONTROL}/x", "$control/dynamic-security/v1", "$CONTROL"),
)
BROKEN_TOPICS = (
    *(
        "",
        "#",
        "+",
        f"{topics.ROOT}/clients/+/reports",
        f"{topics.ROOT}/clients/{_V}/#",
        "a\0b",
        "\0",
        "\ud800",
        "a\uffff",
    ),
    *(f"{client_topic(_V, Channel.REPORTS)}\0", "/" * 1_000, "a" * LONGEST, f"{topics.ROOT}/clients/{_V}\0x/reports"),
)
OWN = "own"
KINDS = ((0, False), (0, True), (1, False), (1, True), (2, False), (2, True))
"""Quality of service, and whether the broker is to keep it."""


def said(
    bed: ProbedBroker, door: str, version: int, *packets: bytes, may: frozenset[Channel] = frozenset()
) -> Connection:
    """A client sends these, and nobody hears them."""
    known = bed.attacker()
    with contextlib.closing(bed.let_in(door, version, known.name)) as wire:
        for each in packets:
            wire.send(each.replace(b"mallory-me", known.name.encode()))
        bed.check(wire, known.name, may)
    return wire


@pytest.mark.parametrize(
    ("target", "door", "version", "kind"),
    [each for each in sample(TARGETS, DOORS, (3, 4, 5), KINDS) if each[2] in versions(each[1])],
)
def test_a_client_speaks_for_nobody_else(
    bed: ProbedBroker, target: str, door: str, version: int, kind: tuple[int, bool]
) -> None:
    qos, retain = kind
    said(bed, door, version, publish(target, b"forged", version, qos=qos, retain=retain), packet(6, b"\x00\x02", 2))


@pytest.mark.parametrize(("channel", "door", "version"), sample(sorted(set(Channel) - FROM_CLIENT), DOORS, (4, 5)))
def test_a_client_does_not_command_itself(bed: ProbedBroker, channel: Channel, door: str, version: int) -> None:
    known = bed.attacker()
    topic = client_topic(known.name, channel)
    with contextlib.closing(bed.let_in(door, version, known.name)) as wire:
        wire.send(subscribe_packet([topic.encode()], version))
        wire.send(publish(topic, b"forged", version, qos=1, retain=True))
        bed.check(wire, known.name)


@pytest.mark.parametrize(("command", "door", "version"), sample(COMMANDS_OF_CONTROL, DOORS, (4, 5)))
def test_a_client_does_not_administer_the_broker(bed: ProbedBroker, command: bytes, door: str, version: int) -> None:
    said(bed, door, version, *(publish(CONTROL, command, version, qos=qos) for qos in (0, 1, 2)))


@pytest.mark.parametrize(("topic", "door", "version"), sample(BROKEN_TOPICS, DOORS, (4, 5)))
def test_a_broken_topic_reaches_nobody(bed: ProbedBroker, topic: str, door: str, version: int) -> None:
    said(bed, door, version, publish(in_bytes(topic), b"forged", version, retain=True))


_ALIAS = b"\x23\x00\x01"
PROPERTIES: dict[str, bytes] = {
    "alias": _ALIAS,
    "alias 0": b"\x23\x00\x00",
    "alias too high": b"\x23\xff\xff",
    "two aliases": _ALIAS + _ALIAS,
    "response topic": b"\x08" + text(client_topic(_V, Channel.COMMANDS)),
    "response topic with wildcards": b"\x08" + text("#"),
    "response to the broker": b"\x08" + text(CONTROL) + b"\x09" + text("x"),
    "expires at once": four_bytes(0x02, 0),
    "never expires": four_bytes(0x02, 0xFFFFFFFF),
    "subscription identifier": b"\x0b\x01",
    "said to be text": b"\x01\x01",
    "format 2": b"\x01\x02",
    "user property": b"\x26" + text("client_id") + text(_V),
    "unknown": b"\x7f\x00",
    "cut off": b"\x08\x00\x20a",
}


@pytest.mark.parametrize(
    ("name", "channel", "door"),
    sample(PROPERTIES, (Channel.COMMANDS, Channel.REPORTS, Channel.PRESENCE), DOORS),
)
def test_no_property_of_a_message_brings_it_to_others(
    bed: ProbedBroker, name: str, channel: Channel, door: str
) -> None:
    """On the victim's topic, and then without any: as an alias it would be the one of before."""
    topic = client_topic(_V, channel)
    packets = (
        publish(topic, b"forged\xff", 5, retain=True, properties=PROPERTIES[name]),
        publish("", b"forged", 5, properties=PROPERTIES[name]),
        publish("", b"forged", 5, properties=_ALIAS),
        publish(client_topic("mallory-me", Channel.STATE), b"own", 5, properties=_ALIAS),
    )
    known = bed.attacker()
    with contextlib.closing(bed.let_in(door, 5, known.name)) as wire:
        for each in packets[:3]:
            wire.send(each)
        wire.send(publish(client_topic(known.name, Channel.REQUESTS), b"own", 5, properties=PROPERTIES[name]))
        bed.check(wire, known.name, FREE_FOR_EVERYBODY)


# --- wills -----------------------------------------------------------------------------------------------------

WILLS = (
    *(client_topic(_V, each) for each in Channel),
    *(topics.HUB_KEYS, topics.HUB_PRESENCE, CONTROL, "$SYS/x", "#", "", f"{topics.ROOT}/clients/+/presence", "a\0b"),
)
_LAST = "last"


@pytest.mark.parametrize(
    ("about", "door", "version", "flags"),
    [each for each in sample(WILLS, DOORS, (3, 4, 5), (0x02, 0x22, 0x2A, 0x32)) if each[2] in versions(each[1])],
)
def test_a_will_speaks_for_nobody_else(bed: ProbedBroker, about: str, door: str, version: int, flags: int) -> None:
    known = bed.attacker()
    command = COMMANDS_OF_CONTROL[0]
    wire, _ = bed.connect(door, version, known.name, known.name, known.secret, will=(about, command), flags=flags)
    wire.close()
    # The second will is the fence: the broker has seen the end of the first connection before.
    own = client_topic(known.name, Channel.HEARTBEAT)
    bed.let_in(door, version, known.name, will=(own, _LAST.encode())).close()
    heard = bed.until_heard(own, _LAST.encode())
    assert {topic for topic, _ in heard} == {own}, heard
    bed.check(None, known.name, frozenset({Channel.HEARTBEAT}))


# --- packets that no client sends ------------------------------------------------------------------------------

ODD_PACKETS: dict[str, tuple[bytes, ...]] = {
    "a second CONNECT": (connect_packet(VICTIM, VICTIM, "x"),),
    "a CONNECT of the hub": (connect_packet("_hub-one", "_hub", "x"),),
    "CONNACK": (b"\x20\x03\x00\x00\x00", b"\x20\x02\x00\x00"),
    "SUBACK": (b"\x90\x04\x00\x01\x00\x01",),
    "PINGRESP": (b"\xd0\x00",),
    "acknowledgements of nothing": (b"\x40\x02\x00\x09", b"\x50\x02\x00\x09", b"\x62\x02\x00\x09", b"\x70\x02\x00\x09"),
    "PUBREL for the hub": (b"\x62\x02\x00\x01",) * 20,
    "packet id 0": (packet(8, b"\x00\x00\x00\x00\x01#\x00", 2),),
    "SUBSCRIBE of nothing": (packet(8, b"\x00\x01\x00", 2), packet(8, b"\x00\x01", 2)),
    "SUBSCRIBE without its flags": (packet(8, b"\x00\x01\x00\x00\x01#\x00", 0),),
    "UNSUBSCRIBE": (packet(10, b"\x00\x01\x00" + text("#"), 2), packet(10, b"\x00\x01" + text("#"), 2)),
    "QoS 3": (b"\x36\x05\x00\x01a\x00\x01",),
    "DUP of nothing": (b"\x3b\x06\x00\x01a\x00\x01\x00",),
    "type 0": (b"\x00\x00",),
    "AUTH": (b"\xf0\x00", b"\xf0\x02\x18\x00", packet(15, b"\x18\x06\x15\x00\x03abc")),
    "DISCONNECT that keeps the session": (b"\xe0\x07\x04\x05\x11\xff\xff\xff\xff",),
    "length without end": (b"\x30\xff\xff\xff\xff\xff",),
    "empty PUBLISH": (b"\x30\x00",),
    "topic longer than the packet": (b"\x30\x04\xff\xffab",),
    "properties longer than the packet": (b"\x30\x05\x00\x01a\x7f\x00",),
    "too large": (b"\x30\xf1\xa2\x04" + bytes(70_001),),
    "noise": (bytes(range(256)),),
}


@pytest.mark.parametrize(("odd", "door", "version"), sample(ODD_PACKETS, DOORS, (4, 5)))
def test_odd_packets_do_no_harm(bed: ProbedBroker, odd: str, door: str, version: int) -> None:
    said(bed, door, version, *ODD_PACKETS[odd])


EARLY_PACKETS = ODD_PACKETS | {"HTTP": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",)}


@pytest.mark.parametrize(("odd", "door"), sample(EARLY_PACKETS, DOORS))
def test_nothing_counts_before_the_connect(bed: ProbedBroker, odd: str, door: str) -> None:
    with contextlib.closing(bed.doors[door](5)) as wire:
        for each in EARLY_PACKETS[odd]:
            if each[0] >> 4 != 1:
                wire.send(each)
        wire.send(publish(client_topic(VICTIM, Channel.COMMANDS), b"forged", 5))
        assert wire.settled() == []
    bed.check(None, "mallory-0")


CONNECT_PROPERTIES: dict[str, bytes] = {
    "a method of authentication": b"\x15" + text("SCRAM-SHA-1"),
    "data of authentication": b"\x16" + text("x"),
    "a session for ever": four_bytes(0x11, 0xFFFFFFFF),
    "receive maximum 0": b"\x21\x00\x00",
    "packets of one byte": four_bytes(0x27, 1),
    "no packet at all": four_bytes(0x27, 0),
    "aliases": b"\x22\xff\xff",
    "wants to know": b"\x19\x01\x17\x01",
    "wants to know twice": b"\x19\x01\x19\x01",
    "of a message": b"\x08" + text("#"),
    "user property": b"\x26" + text("username") + text("_admin"),
    "cut off": b"\x26\x00\x09a",
}


@pytest.mark.parametrize(("name", "door"), sample(CONNECT_PROPERTIES, DOORS))
def test_no_property_of_a_connect_gives_more(bed: ProbedBroker, name: str, door: str) -> None:
    known = bed.attacker()
    wire, _ = bed.connect(door, 5, known.name, known.name, known.secret, properties=CONNECT_PROPERTIES[name])
    if name == "packets of one byte":  # let in, and cut off: its CONNACK is longer
        bed.accepted[known.name, known.name] += 1
    with contextlib.closing(wire):
        wire.send(subscribe_packet([b"#", every_client(Channel.REPORTS).encode()], 5))
        wire.send(publish(client_topic(VICTIM, Channel.COMMANDS), b"forged", 5))
        bed.check(wire, known.name)


# --- the broker's own record, and the hub's ----------------------------------------------------------------------


def test_the_log_knows_nobody_else(bed: ProbedBroker) -> None:
    """The last test: the broker stops, and with all probes the hub looks at what they have left."""
    assert bed.victim.heard() == []
    bed.broker.stop()
    log = bed.log()
    let_in = bed.connected_in(log)
    assert let_in == bed.accepted
    assert {name: user for name, user in let_in if name != user} == {
        pinned_id(bed.accounts[role].username, WORKER): bed.accounts[role].username for role in ("hub", "ops")
    }

    if not ALL:
        return
    bed.broker.start()
    bed.site.hub.start()
    bed.site.wait_ready()
    client: Any = bed.site.http.get(f"/api/clients/{VICTIM}").json()
    assert (client["status"], client["presence"]) == ("active", "offline")
    assert bed.site.http.get(f"/api/clients/{VICTIM}/history").json()["items"] == []
