"""A broker as machines of the network and pages reach it, a victim, and records of what reached whom.

The records do not trust each other: what the victim hears, what the hub's account hears, what an account that sees all
topics hears live and as retained, the file of the broker's accounts, and the broker's log.
"""

import contextlib
import itertools
import re
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

import psycopg

from broker_config.render import Client, Tls, account_names, hash_password
from hub.programs.cli.up import prepare_database
from hub.programs.embedded.accounts import Account
from hub.programs.embedded.authority import Authority, Issued, Names
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.lan import pinned_id
from hub.programs.embedded.machine_names import alone
from schemas import topics
from schemas.topics import FROM_CLIENT, Channel, client_topic, every_client, shared
from tests.support.edge import EdgeSite, open_edge
from tests.support.folders import open_folder
from tests.support.many_clients import Wanted, insert
from tests.support.mqtt_wire import (
    PUBLISH,
    SUBACK,
    Connection,
    Door,
    Packet,
    payload_of,
    plain,
    publish,
    secured,
    subscribe_packet,
)
from tests.support.page import connect_packet
from tests.support.pairing import Machine, code_for
from tests.support.site import ANY_PORTS, Site, open_site
from tests.support.waiting import until

HERE = "127.0.0.2"
"""The address that stands for the network."""
LOOPBACK = "127.0.0.1"
WORKER = "one"
VICTIM = "victim"
SECRET = "one-for-all-of-them"
DOORS = ("tcp", "websocket", "tls", "edge")
ATTACKERS = 48
"""One name may connect 60 times a minute through the edge."""
CONNACK = 2
KEPT = (Channel.PRESENCE.value, Channel.STATE.value)
_CONNECTED = re.compile(r"New client connected from \S+ as (.*) \(p\d, c\d, k\d+, u'(.*)'\)\.")


@dataclass(frozen=True)
class Known:
    """Somebody that the broker knows, or knew."""

    name: str
    secret: str


Said = list[tuple[str, bytes]]
"""Topics and payloads of messages."""


class Listener:
    """A connection that hears what its filters give it."""

    def __init__(self, wire: Connection, filters: list[str]) -> None:
        self.wire = wire
        self._filters = subscribe_packet([each.encode() for each in filters], wire.version)
        wire.send(self._filters)
        codes = [found.body[3:] for found in wire.settled() if found.kind == SUBACK]
        assert codes == [bytes(len(filters))], (filters, codes)

    def heard(self) -> Said:
        """Topics and payloads of all that came since the last time."""
        return said_in(self.wire.settled(), self.wire.version)

    def retained(self) -> dict[str, bytes]:
        """What the broker keeps of these topics."""
        self.wire.send(self._filters)
        return dict(said_in(self.wire.settled(), self.wire.version))


def said_in(packets: list[Packet], version: int) -> Said:
    """Topics and payloads of the messages among packets."""
    return [(each.topic, payload_of(each, version)) for each in packets if each.kind == PUBLISH]


class ProbedBroker:
    """The doors, and the records. Nobody but the test speaks as the hub."""

    def __init__(self, site: Site, edge: EdgeSite, issued: Issued, callers: dict[str, Known]) -> None:
        broker, accounts = site.stack.broker, site.stack.accounts
        assert broker is not None
        assert accounts is not None
        self.site = site
        self.broker = broker
        self.accounts: dict[str, Account] = accounts.by_role()
        self.callers = callers
        tls = broker.options.tls
        assert tls is not None
        self.doors: dict[str, Door] = {
            "tcp": plain((LOOPBACK, broker.options.mqtt_port)),
            "websocket": plain((LOOPBACK, broker.options.websocket_port), websocket=True),
            "tls": secured((HERE, tls.port), ssl.create_default_context(cafile=str(issued.authority_file)), HERE),
            "edge": secured((LOOPBACK, edge.port), edge.trust, "localhost", websocket=True),
        }
        self.accepted: Counter[tuple[str, str]] = Counter()
        """Client id and user name of everybody whom the broker let in, as those say to whom it said so."""
        self._turns = itertools.count()
        self._pid = broker.pid
        self.ops = Listener(self.account("ops"), [f"{topics.ROOT}/#"])
        self.hub = Listener(
            self.account("hub"),
            [
                *(shared("floorhub", each) for each in (Channel.REPORTS, Channel.HEARTBEAT, Channel.REQUESTS)),
                *(every_client(each) for each in (Channel.PRESENCE, Channel.STATE)),
            ],
        )
        self.victim = Listener(
            self.let_in("tcp", 5, VICTIM), [client_topic(VICTIM, each) for each in sorted(set(Channel) - FROM_CLIENT)]
        )
        self.hub.wire.send(publish(topics.HUB_KEYS, b"keys", 5, retain=True))
        self._speak()
        self._heard()
        self._dynsec = self._accounts_file()

    def close(self) -> None:
        """No more listeners."""
        for each in (self.victim, self.hub, self.ops):
            each.wire.close()

    # --- connecting ---------------------------------------------------------------------------------------

    def attacker(self) -> Known:
        """A client with a valid secret, one after the other."""
        return self.callers[f"mallory-{next(self._turns) % ATTACKERS}"]

    def let_in(self, door: str, version: int, name: str, **options: Any) -> Connection:
        """A connection of a client whom the broker knows."""
        wire, code = self.connect(door, version, name, name, self.callers[name].secret, **options)
        assert code == 0, (door, version, name, code)
        return wire

    def account(self, role: str) -> Connection:
        """A connection of one of the hub's accounts, where it may be."""
        account = self.accounts[role]
        wire, code = self.connect("tcp", 5, pinned_id(account.username, WORKER), account.username, account.password)
        assert code == 0, (role, code)
        return wire

    def connect(
        self,
        door: str,
        version: int,
        client_id: str | bytes,
        username: str | bytes | None,
        password: str | None,
        **options: Any,
    ) -> tuple[Connection, int | None]:
        """A connection on which a CONNECT was sent, and the broker's code; None: it was closed without one."""
        wire = self.doors[door](version)
        name = b"MQIsdp" if version == 3 else b"MQTT"
        wire.send(connect_packet(client_id, username, password, version=version, name=name, **options))
        answer = wire.hear()
        code = answer.body[1] if answer is not None and answer.kind == CONNACK else None
        if code == 0:
            as_text = [each.decode() if isinstance(each, bytes) else each or "" for each in (client_id, username)]
            # There the user name is the client id, whatever the caller says.
            self.accepted[(as_text[1] if door == "tls" else as_text[0], as_text[1])] += 1
        return wire, code

    # --- the records --------------------------------------------------------------------------------------

    def until_heard(self, topic: str, payload: bytes) -> Said:
        """All that ops heard until this came."""
        heard: Said = []

        def came() -> bool:
            heard.extend(self.ops.heard())
            return (topic, payload) in heard

        until(came, f"{payload!r} on {topic}")
        return heard

    def check(self, attacker: Connection | None, name: str, may_say: frozenset[Channel] = frozenset()) -> list[Packet]:
        """Let hub and victim speak, and look at all records; what the attacker heard. `may_say`: the channels of its
        own on which something of it may be found."""
        heard = attacker.settled() if attacker is not None else []
        own = {client_topic(name, each) for each in may_say}
        to_victim, to_hub, to_ops = self._heard()
        assert to_victim == []
        assert {topic for topic, _ in to_hub + to_ops} <= own, (to_hub, to_ops)

        by_hub, by_victim = self._speak()
        assert self._heard() == (by_hub, by_victim, sorted(by_hub + by_victim))
        if attacker is not None:
            heard += attacker.settled()
            told = said_in(heard, attacker.version)
            assert {topic for topic, _ in told} <= {topics.HUB_KEYS, topics.HUB_PRESENCE}, told
        self._check_kept(by_victim)
        assert self._accounts_file() == self._dynsec
        assert (self.broker.is_alive(), self.broker.pid) == (True, self._pid)
        return heard

    def _speak(self) -> tuple[Said, Said]:
        """One message of the hub, and of the victim, on each channel of the victim that they may write."""
        payload = b"said-%d" % next(self._turns)
        by_hub = [(client_topic(VICTIM, each), payload) for each in set(Channel) - FROM_CLIENT]
        by_victim = [(client_topic(VICTIM, each), payload) for each in FROM_CLIENT]
        for topic, said in by_hub:
            self.hub.wire.send(publish(topic, said, 5))
        for topic, said in by_victim:
            self.victim.wire.send(publish(topic, said, 5, retain=topic.endswith(KEPT)))
        return sorted(by_hub), sorted(by_victim)

    def _heard(self) -> tuple[Said, Said, Said]:
        """What reached victim, hub and ops. In the second round each has heard what was said before the first."""
        listeners = (self.victim, self.hub, self.ops)
        first, second = [[each.heard() for each in listeners] for _ in range(2)]
        to_victim, to_hub, to_ops = (sorted(one + other) for one, other in zip(first, second, strict=True))
        return to_victim, to_hub, to_ops

    def _check_kept(self, by_victim: Said) -> None:
        kept = self.ops.retained()
        of_victim = {topic: said for topic, said in kept.items() if f"/{VICTIM}/" in topic}
        assert of_victim == {topic: said for topic, said in by_victim if topic.endswith(KEPT)}
        others = set(kept) - set(of_victim) - {topics.HUB_KEYS, topics.HUB_PRESENCE}
        assert others <= {client_topic(f"mallory-{n}", each) for n in range(ATTACKERS) for each in FROM_CLIENT}
        assert kept[topics.HUB_KEYS] == b"keys"

    def _accounts_file(self) -> bytes:
        return (self.site.folder.broker / "dynsec.json").read_bytes()

    def log(self) -> str:
        """What the broker wrote since this began; whole once it is stopped."""
        whole = (self.site.folder.logs / "mosquitto.log").read_text(errors="replace")
        first = pinned_id(self.accounts["ops"].username, WORKER)
        return whole[whole.rindex("\n", 0, whole.index(f" as {first} ")) :]

    @staticmethod
    def connected_in(log: str) -> Counter[tuple[str, str]]:
        """Client id and user name of everybody who was let in, as the log says."""
        return Counter((client_id, username) for client_id, username in _CONNECTED.findall(log))


@contextmanager
def open_probed_broker(cluster: DataFolder) -> Iterator[ProbedBroker]:
    """A site that serves the network, for as long as the block lasts; its hub has stopped."""
    with ExitStack() as stack:
        issued = Authority(DataFolder.prepare(stack.enter_context(open_folder("authority"))).root).ensure(
            Names(("shop-pc",), (alone(ip_address(HERE)),))
        )
        tls = Tls(issued.certificate_file, issued.key_file, 0, None, HERE, accounts=False)
        pins = {role: pinned_id(name, WORKER) for role, name in account_names().items()}
        options = replace(ANY_PORTS, broker_tls=tls, broker_pins=pins)
        site = stack.enter_context(open_site("probes", _prepare, cluster, options))
        callers = _callers(site)
        edge = stack.enter_context(open_edge(site))
        assert site.hub.stop() == 0
        yield stack.enter_context(contextlib.closing(ProbedBroker(site, edge, issued, callers)))


def _prepare(url: str) -> list[Client]:
    """Attackers are known from the start."""
    list(prepare_database(url))
    with psycopg.connect(url) as connection:
        insert(connection, [Wanted(name) for name in _attackers()], hash_password(SECRET))
    return list(prepare_database(url))


def _attackers() -> list[str]:
    return [f"mallory-{number}" for number in range(ATTACKERS)]


def _callers(site: Site) -> dict[str, Known]:
    """Clients by name: the victim, attackers with a valid secret, and those whose secret is valid no longer."""
    gone = ("disabled", "retired", "paired-again", "rotated")
    callers = {name: Known(name, site.client(id=name)["secret"]) for name in (VICTIM, *gone)}
    for name in gone:
        until(lambda name=name: opens(site, callers[name]), f"{name} at the broker")  # type: ignore[misc]
    site.http.post("/api/clients/disabled/disable").raise_for_status()
    site.http.delete("/api/clients/retired").raise_for_status()
    site.http.post("/api/clients/rotated/secret").raise_for_status()
    Machine(site).claim(code_for(site, "paired-again", replace=True)["code"]).raise_for_status()
    for name in gone:
        until(lambda name=name: not opens(site, callers[name]), f"{name} refused")  # type: ignore[misc]
    return callers | {name: Known(name, SECRET) for name in _attackers()}


def opens(site: Site, known: Known) -> bool:
    """Whether the broker lets a client in."""
    broker = site.stack.broker
    assert broker is not None
    with plain((LOOPBACK, broker.options.mqtt_port))(5) as wire:
        wire.send(connect_packet(known.name, known.name, known.secret))
        answer = wire.hear()
    return answer is not None and answer.body[1] == 0
