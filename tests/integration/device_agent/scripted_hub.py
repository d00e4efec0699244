"""The least of a hub: publishes keys, answers births, sends runs and receipts, and remembers what it heard."""

import asyncio
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import aiomqtt

from schemas import codec, topics
from schemas.messages import Birth, Cancel, Receipt, Report, Run, State, Welcome
from schemas.states import END_STATUSES
from schemas.topics import Channel
from tests.support.agent_bench import CLIENT, JOURNAL, HubKeys, a_run, moment

DEADLINE_S = 30.0


class ScriptedHub:
    """Use as a context manager. `receipts` False: it keeps quiet about what it heard."""

    def __init__(self, port: int, username: str, password: str) -> None:
        self._port = port
        self._account = (username, password)
        self._client: aiomqtt.Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._heard = asyncio.Condition()
        self.keys = HubKeys()
        self.receipts = True
        self.keep_away: str | None = None
        self.epoch = 0
        self.presence: list[Any] = []
        self.states: list[State] = []
        self.heartbeats = 0
        self.reports: list[Report] = []
        self.receipted: set[UUID] = set()

    async def __aenter__(self) -> Self:
        username, password = self._account
        self._client = aiomqtt.Client(
            "127.0.0.1",
            self._port,
            username=username,
            password=password,
            identifier=f"{username}-test",
            protocol=aiomqtt.ProtocolVersion.V5,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        await self._client.__aenter__()
        for channel in topics.FROM_CLIENT:
            await self._client.subscribe(topics.every_client(channel), qos=1)
        soon = time.time() + 3_600
        keys = self.keys.key_list(not_after=soon, expires=soon)
        await self._client.publish(topics.HUB_KEYS, keys, qos=1, retain=True)
        self._task = asyncio.create_task(self._listen(self._client), name="scripted-hub")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._client is not None
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})
        try:
            await self._client.__aexit__(None, None, None)
        except aiomqtt.MqttError:  # the test ended the broker
            return

    async def send(self, message: Run | Cancel | Receipt | Welcome, times: int = 1) -> None:
        assert self._client is not None
        channel = Channel.COMMANDS if isinstance(message, Run | Cancel) else Channel.RECEIPTS
        for _ in range(times):
            await self._client.publish(topics.client_topic(CLIENT, channel), self.keys.sign(message), qos=1)

    async def run(self, number: int, times: int = 1, **fields: Any) -> Run:
        """Send a run that expires in ten minutes."""
        now = time.time()
        values = {"issued_at": moment(now), "expires_at": moment(now + 600)} | fields
        message = a_run(number, **values)
        await self.send(message, times)
        return message

    def ends(self, run: Run) -> list[Report]:
        """The distinct end reports of a run's attempt."""
        found = {
            report.report_id: report
            for report in self.reports
            if (report.command_id, report.attempt) == (run.command_id, run.attempt) and report.status in END_STATUSES
        }
        return list(found.values())

    async def wait(self, condition: Callable[[], bool]) -> None:
        """Until the condition holds; it is looked at after each message."""
        async with asyncio.timeout(DEADLINE_S), self._heard:
            await self._heard.wait_for(condition)

    async def wait_welcomed(self, times: int = 1) -> None:
        """Until an agent showed an epoch of ours by a heartbeat or a report."""
        await self.wait(lambda: sum(isinstance(word, Birth) for word in self.presence) >= times)

    async def wait_end(self, run: Run) -> Report:
        await self.wait(lambda: bool(self.ends(run)))
        return self.ends(run)[0]

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic = topics.parse_client_topic(message.topic.value)
            assert topic is not None
            assert isinstance(message.payload, bytes)
            if not message.payload:
                continue
            await self._hear(topic.channel, codec.decode(topic.channel, message.payload))
            async with self._heard:
                self._heard.notify_all()

    async def _hear(self, channel: Channel, message: Any) -> None:
        match channel:
            case Channel.PRESENCE:
                self.presence.append(message)
                if isinstance(message, Birth):
                    await self._welcome(message)
            case Channel.STATE:
                self.states.append(message)
            case Channel.HEARTBEAT:
                self.heartbeats += 1
            case Channel.REPORTS:
                self.reports += message.reports
                if self.receipts:
                    ids = [report.report_id for report in message.reports]
                    self.receipted |= set(ids)
                    await self.send(Receipt(client_id=CLIENT, report_ids=ids, hub_time=moment(time.time())))

    async def _welcome(self, birth: Birth) -> None:
        self.epoch = max(self.epoch, birth.epoch or 0) + 1
        welcome = Welcome(
            client_id=CLIENT,
            session=birth.session,
            journal=JOURNAL,
            epoch=self.epoch,
            hub_time=moment(time.time()),
            keep_away=self.keep_away,
            nonce=birth.nonce,
        )
        await self.send(welcome)
