"""The connection to the broker, and the only module that imports an MQTT library.

Each connection is a new aiomqtt client: a used one reports a refused connection as a success. The session is clean and
expires at once, so the broker keeps nothing for an absent agent; what matters comes again from the hub or the journal.
"""

import asyncio
import contextlib
import random
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiomqtt
import msgspec
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from device_agent import logs
from device_agent.core.events import (
    Connected,
    Disconnected,
    Event,
    Inbox,
    MessageReceived,
    Publish,
    PublishFailed,
    ReportsPublished,
)
from device_agent.core.log import Log
from schemas import topics
from schemas.addresses import AddressError, read_address
from schemas.network_words import about_clocks, about_own_certificate
from schemas.text import SaidError
from schemas.tls import alert_in, distrust_in, is_about_time, refusal_at, trusting
from schemas.topics import Channel

KEEPALIVE_S = 12
ANSWER_S = 10.0
"""How long the broker may take for CONNACK, SUBACK and PUBACK."""
GOODBYE_S = 2.0
TAKEN_S = 3.0
"""How long a broker may take to end a connection whose place another one took."""
CANCEL_AGAIN_S = 0.2
RECONNECT_S = (0.5, 5.0)
MAX_WAITING = 1_000
"""Messages in each direction. One that finds no place is dropped with a log line; the hub and the journal repeat it."""
REFUSED = {
    0x85: "Client identifier not valid",
    0x86: "Bad user name or password",
    0x87: "Not authorized",
    0x8A: "Banned",
}
"""Reason codes of MQTT 5 (2.4) with which a broker does not take a client, and how it calls them."""

ABOUT_CERTIFICATE = (
    "CERTIFICATE_REQUIRED",
    "CERTIFICATE_EXPIRED",
    "BAD_CERTIFICATE",
    "UNKNOWN_CA",
    "HANDSHAKE_FAILURE",
)
"""How alerts of brokers end that ask for a certificate; the last one is TLS 1.2's for none."""

Deliver = Callable[[Event], Awaitable[None]]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is and who we are."""

    host: str
    port: int
    client_id: str
    secret: str
    tls: ssl.SSLContext | None = None
    shows: bool = False
    """Whether this machine has a certificate to show there."""


def parse_endpoint(url: str, client_id: str, secret: str, ca_file: str | None = None) -> Endpoint:
    """The endpoint that `mqtt://host[:1883]` or `mqtts://host[:8883]` names. Raises ValueError with what to do."""
    try:
        address = read_address(url)
    except AddressError as problem:
        raise SaidError(
            f"it is not mqtt://host:port or mqtts://host:port: {problem}",
            f"mqtt://host:port 또는 mqtts://host:port 형식이 아닙니다. {problem.korean}",
        ) from None
    if address.scheme not in {"mqtt", "mqtts"} or address.user or address.path not in {"", "/"}:
        raise ValueError(f"{address!r} is not mqtt://host:port or mqtts://host:port")
    secure = address.scheme == "mqtts"
    return Endpoint(
        host=address.host,
        port=address.port or (8883 if secure else 1883),
        client_id=client_id,
        secret=secret,
        tls=trusting(ca_file) if secure else None,
    )


class RefusedError(Exception):
    """The broker does not take this client; the message is its reason."""


def _refusal(problem: BaseException) -> str | None:
    """Why the broker does not take this client; None: it is something else."""
    if isinstance(problem, aiomqtt.MqttCodeError) and isinstance(problem.rc, ReasonCode):
        return REFUSED.get(problem.rc.value)
    return None


def is_about_certificate(problem: BaseException) -> bool:
    """Whether a certificate that is not trusted is behind it."""
    return distrust_in(problem) is not None


def certificate_refusal(endpoint: Endpoint) -> tuple[str, str] | None:
    """What to do, in English and Korean, when the broker ends connections of this machine because of its certificate;
    None: that is not why. It waits, so do not call it in an event loop."""
    if endpoint.tls is None:
        return None
    try:
        alert = refusal_at(endpoint.host, endpoint.port, endpoint.tls)
    except OSError as problem:
        alert = alert_in(problem)
    if alert is None or not alert.endswith(ABOUT_CERTIFICATE):
        return None
    return about_own_certificate(alert, has_one=endpoint.shows, client_id=endpoint.client_id)


async def look_in(endpoint: Endpoint, identifier: str, keys_within_s: float) -> bytes | None:
    """Connect for a moment under an MQTT client id, without a will and without a birth, so that the hub sees nothing
    of it; the retained list of keys, or None when none comes.

    Takes the connection from whoever has this client id. Raises RefusedError, and OSError when the broker does not
    answer as it should.
    """
    client = aiomqtt.Client(
        endpoint.host,
        endpoint.port,
        username=endpoint.client_id,
        password=endpoint.secret,
        identifier=identifier,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=True,
        timeout=ANSWER_S,
        tls_context=endpoint.tls,
    )
    try:
        async with client:
            await client.subscribe([(topics.HUB_KEYS, SubscribeOptions(qos=1))], timeout=ANSWER_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(keys_within_s):
                    async for message in client.messages:
                        if isinstance(message.payload, bytes):
                            return message.payload
    except aiomqtt.MqttCodeError as problem:
        if reason := _refusal(problem):
            raise RefusedError(reason) from None
        raise ConnectionError(str(problem)) from None
    except aiomqtt.MqttError as problem:
        raise ConnectionError(str(problem)) from None  # its context stays, for `is_about_certificate`
    return None


async def takes_own_place(endpoint: Endpoint, identifier: str) -> bool:
    """Whether the broker gives this client its own id whatever it calls itself: a second connection, under
    `identifier`, then takes the place of the first. Raises as `look_in`."""
    client = aiomqtt.Client(
        endpoint.host,
        endpoint.port,
        username=endpoint.client_id,
        password=endpoint.secret,
        identifier=endpoint.client_id,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=True,
        timeout=ANSWER_S,
        tls_context=endpoint.tls,
    )
    both = False
    try:
        async with client:
            await look_in(endpoint, identifier, 0.0)
            both = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TAKEN_S):
                    async for _ in client.messages:
                        pass
    except aiomqtt.MqttError as problem:
        if both:
            return True
        if reason := _refusal(problem):
            raise RefusedError(reason) from None
        raise ConnectionError(str(problem)) from None
    return False


class _ClosedError(aiomqtt.MqttError):
    """The broker ended a connection before its CONNACK."""


class _Client(aiomqtt.Client):
    """Hears at once that a connection went before its CONNACK came; the library waits for the whole of its time-out.

    It asks for the reason itself: whoever waited for it may have gone, and asyncio would complain that nobody did.
    """

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        if self._connected.done():
            super()._on_disconnect(client, userdata, flags, reason_code, properties)
        else:
            self._connected.set_exception(_ClosedError("closed before the broker answered"))
        for end in (self._connected, self._disconnected):
            if end.done() and not end.cancelled():
                end.exception()

    def _on_socket_register_write(self, client: Any, _userdata: Any, sock: Any) -> None:
        """As the library's, but for a socket that is closed by the time the loop hears of it: its number is none, or
        already that of another file."""

        def write() -> None:
            try:
                client.loop_write()
            except Exception as problem:  # noqa: BLE001 - as in the library: the connection has gone
                if not self._disconnected.done():
                    self._disconnected.set_exception(problem)

        def register() -> None:
            if sock.fileno() > -1:
                self._loop.add_writer(sock.fileno(), write)

        self._loop.call_soon_threadsafe(register)


class Session:
    """Connects for ever, hands over what arrives, sends what it is given.

    `deliver` may wait (the agent is busy); `will` and `offline` give payloads at the moment they are needed.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        deliver: Deliver,
        will: Callable[[int], bytes],
        offline: Callable[[], bytes],
        rng: random.Random,
        certificate_refused: Callable[[], None] = lambda: None,
        refused: Callable[[str | None], None] = lambda _: None,
    ) -> None:
        """`certificate_refused` is called when the broker does not take the certificate of this machine; `refused`, in
        a thread, with the reason when it refuses the client, and with None when it takes the client again."""
        self._endpoint = endpoint
        self._certificate_refused = certificate_refused
        self._refused = refused
        self._told_reason: str | None = ""  # a note of the process before goes with the first connection
        self._deliver = deliver
        self._will = will
        self._offline = offline
        self._rng = rng
        self._outgoing: asyncio.Queue[Publish] = asyncio.Queue(MAX_WAITING)
        self._connected = False
        self._leave = asyncio.Event()
        self._away_s: float | None = None
        self._stopping = False
        self._inboxes = {
            self._topic(Channel.COMMANDS): Inbox.COMMANDS,
            self._topic(Channel.RECEIPTS): Inbox.RECEIPTS,
            self._topic(Channel.RESPONSES): Inbox.RESPONSES,
            topics.HUB_PRESENCE: Inbox.ROLL_CALL,
            topics.HUB_KEYS: Inbox.KEYS,
        }

    def send(self, message: Publish) -> None:
        """Send in order, without waiting. Without a connection it is dropped: the core knows, and says it again."""
        if not self._connected:
            return
        try:
            self._outgoing.put_nowait(message)
        except asyncio.QueueFull:
            logs.write(Log.MESSAGE_DROPPED, channel=message.channel.value, message="the broker takes nothing more")

    def leave(self, retry_after_s: float) -> None:
        """Say good-bye and come back later. Without a connection nothing: what asks for it came on one that has ended,
        and must not cut short the time away."""
        if self._connected:
            self._away_s = retry_after_s
            self._leave.set()

    def stop(self) -> None:
        """Say good-bye; `run` returns."""
        self._stopping = True
        self._leave.set()

    async def run(self) -> None:
        """Stay connected until `stop`. Never raises for what a network or a broker can do."""
        number = 0
        while not self._stopping:
            number += 1
            try:
                await self._connection(number)
            except* (aiomqtt.MqttError, OSError, TimeoutError, ValueError) as problems:
                await self._explain(problems)
            if self._stopping:
                return
            delay = self._away_s if self._away_s is not None else self._rng.uniform(*RECONNECT_S)
            self._away_s = None
            self._leave.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._leave.wait()

    async def _connection(self, number: int) -> None:
        """One connection from CONNECT to its end. Raises when it does not end by `leave` or `stop`."""
        async with self._client(number) as client:
            try:
                async with asyncio.TaskGroup() as group:
                    # First of all the reader: nobody else hears at once that the connection has gone.
                    listening = asyncio.Event()
                    tasks = {group.create_task(self._read(client, listening), name="mqtt-read")}
                    try:
                        await self._subscribe(client)
                        self._outgoing = asyncio.Queue(MAX_WAITING)
                        self._connected = True
                        logs.write(Log.CONNECTED, connection=number, host=self._endpoint.host, port=self._endpoint.port)
                        await self._tell_refusal(None)
                        await self._deliver(Connected(number))
                        listening.set()
                        tasks.add(group.create_task(self._write(client), name="mqtt-write"))
                        if not any(task.done() for task in tasks):  # else the group's cancel may have been lost
                            await self._leave.wait()
                    finally:
                        await _end(tasks)
                await self._say_goodbye(client)
            except asyncio.CancelledError:
                # The agent fails. A clean DISCONNECT without a word would leave it online for ever.
                await self._say_goodbye(client)
                raise
            finally:
                if self._connected:
                    self._connected = False
                    await self._deliver(Disconnected())

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        await client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._inboxes], timeout=ANSWER_S)

    def _client(self, number: int) -> aiomqtt.Client:
        will = aiomqtt.Will(self._topic(Channel.PRESENCE), self._will(number), qos=1, retain=True)
        return _Client(
            self._endpoint.host,
            self._endpoint.port,
            username=self._endpoint.client_id,
            password=self._endpoint.secret,
            identifier=self._endpoint.client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=will,
            clean_start=True,
            keepalive=KEEPALIVE_S,
            timeout=ANSWER_S,
            tls_context=self._endpoint.tls,
            max_queued_incoming_messages=MAX_WAITING,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    async def _read(self, client: aiomqtt.Client, listening: asyncio.Event) -> None:
        """Hand over what arrives, once `listening` is set: what is retained comes before the SUBACK is looked at."""
        async for message in client.messages:
            await listening.wait()
            inbox = self._inboxes.get(message.topic.value)
            if inbox is not None and isinstance(message.payload, bytes):
                await self._deliver(MessageReceived(inbox, message.payload, message.retain))

    async def _write(self, client: aiomqtt.Client) -> None:
        while True:
            message = await self._outgoing.get()
            confirmed = await self._publish(client, message)
            if message.token is not None:
                await self._deliver(ReportsPublished(message.token) if confirmed else PublishFailed(message.token))

    async def _publish(self, client: aiomqtt.Client, message: Publish) -> bool:
        """Whether the broker confirmed it in time; a message without confirmation may arrive all the same."""
        topic = self._topic(message.channel)
        try:
            await client.publish(topic, message.payload, message.qos, message.retain, timeout=ANSWER_S)
        except aiomqtt.MqttCodeError:
            raise  # the connection is gone
        except aiomqtt.MqttError as problem:
            logs.write(Log.PUBLISH_UNCONFIRMED, channel=message.channel.value, message=str(problem))
            return False
        return True

    async def _say_goodbye(self, client: aiomqtt.Client) -> None:
        if not self._connected:
            return  # no birth, no good-bye
        with contextlib.suppress(aiomqtt.MqttError):
            await client.publish(self._topic(Channel.PRESENCE), self._offline(), 1, retain=True, timeout=GOODBYE_S)

    async def _tell_refusal(self, reason: str | None) -> None:
        if reason != self._told_reason:
            self._told_reason = reason
            await asyncio.to_thread(self._refused, reason)

    async def _explain(self, problems: BaseExceptionGroup[BaseException]) -> None:
        problem: BaseException = problems
        while isinstance(problem, BaseExceptionGroup):
            problem = problem.exceptions[0]
        host, port = self._endpoint.host, self._endpoint.port
        if reason := _refusal(problem):
            advice = "check that the client is enabled in the hub, and that the agent has its current secret"
            logs.write(Log.CREDENTIALS_REFUSED, message=f"{host}:{port} refused this client ({reason}): {advice}")
            await self._tell_refusal(reason)
            return
        if is_about_time(problem):
            advice, _ = about_clocks(datetime.now(UTC), None)
            logs.write(
                Log.CONNECTION_LOST, message=f"{host}:{port} shows a certificate that is not valid now. {advice}"
            )
            return
        if is_about_certificate(problem):
            advice = "set ca_file to the certificate authority of the broker"
            logs.write(Log.CONNECTION_LOST, message=f"{host}:{port} shows an unknown certificate: {advice}")
            return
        if isinstance(problem, _ClosedError) and self._endpoint.tls is not None:
            refused = await asyncio.to_thread(certificate_refusal, self._endpoint)
            if refused is not None:
                self._certificate_refused()
                logs.write(Log.CREDENTIALS_REFUSED, message=f"{host}:{port}: {refused[0]}")
                return
        logs.write(Log.CONNECTION_LOST, message=f"{host}:{port}: {problem}; trying again")

    def _topic(self, channel: Channel) -> str:
        return topics.client_topic(self._endpoint.client_id, channel)


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel until all have ended. Once is not enough: `asyncio.wait_for` of Python 3.11, which the library uses, loses
    a cancel that meets its result, and the task would go on for ever."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=CANCEL_AGAIN_S)
