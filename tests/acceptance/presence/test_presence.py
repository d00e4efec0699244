"""Who is there: processes that die or hang, and a broker that comes back to many clients at once."""

import asyncio
import json
import random
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from device_agent.session import KEEPALIVE_S, RECONNECT_S
from schemas.topics import HUB_PRESENCE, Channel, client_topic
from tests.support.site import Site
from tests.support.thin_mqtt import ThinClient
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("kills the broker")

MANY = 200
GONE = 10
HALF_OPEN_S = 2 * KEEPALIVE_S + 6
RECOVERY_S = 15


def presence(site: Site, client_id: str) -> tuple[str, str]:
    client = site.http.get(f"/api/clients/{client_id}").json()
    return client["presence"], client["presence_reason"]


def test_a_process_that_dies_is_offline_and_one_that_hangs_too_and_both_come_back(site: Site) -> None:
    client = site.client()
    agent = site.agent(client)
    lost = ("offline", "connection_lost")

    agent.kill()
    until(lambda: presence(site, client["id"]) == lost, "the killed one is offline")
    agent.start()
    site.wait_online(client["id"], agent)

    agent.process.send_signal(signal.SIGSTOP)
    try:
        until(lambda: presence(site, client["id"]) == lost, "the one that hangs is offline", HALF_OPEN_S)
    finally:
        agent.process.send_signal(signal.SIGCONT)
    site.wait_online(client["id"], agent)
    assert site.send(client["id"], "status", {}, wait=30)["status"] == "completed"

    whole = history(site, client["id"], limit=500)
    states = [entry["presence"] for entry in reversed(whole)]
    assert (states[:4], states[-1]) == (["online", "offline"] * 2, "online")
    paged = history(site, client["id"], limit=2)
    assert paged == whole


def history(site: Site, client_id: str, limit: int) -> list[dict[str, Any]]:
    """All of it, page by page."""
    entries: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = site.http.get(f"/api/clients/{client_id}/history", params=query).json()
        entries += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return entries


class Returning(ThinClient):
    """Notices when its connection is gone."""

    def __init__(self, on_message: Callable[[ThinClient, str, bytes], None]) -> None:
        super().__init__(on_message)
        self.gone = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()


async def agent(port: int, client_id: str, secret: str, stays_away: threading.Event) -> None:
    """As much of a full agent as presence needs: births, wills, answers to the roll call, and coming back."""
    topic = client_topic(client_id, Channel.PRESENCE)
    chance = random.Random(client_id)  # noqa: S311 - jitter
    number = 0
    while True:
        number += 1
        base = {"v": 1, "client_id": client_id, "session": f"s-{client_id}", "connection": number}
        beat = json.dumps({**base, "kind": "heartbeat"}).encode()

        def hear(client: ThinClient, where: str, _payload: bytes, beat: bytes = beat) -> None:
            if where == HUB_PRESENCE:
                pause = chance.uniform(0, 2)
                heartbeat = client_topic(client_id, Channel.HEARTBEAT)
                asyncio.get_running_loop().call_later(pause, client.publish, heartbeat, beat)

        try:
            will = topic, json.dumps({**base, "kind": "will"}).encode()
            client = await Returning.connect(port, client_id, secret, will, hear)
            assert isinstance(client, Returning)
            await client.subscribe(client_topic(client_id, Channel.RECEIPTS), HUB_PRESENCE)
            about = {"agent": {"name": "many", "version": "1"}, "clock": datetime.now(UTC).isoformat()}
            client.publish(topic, json.dumps({**base, **about, "kind": "birth", "level": "full"}).encode(), retain=True)
            try:
                await client.gone.wait()
            finally:
                client.close()
        except OSError:
            pass  # the broker is not back yet
        if stays_away.is_set():
            return
        await asyncio.sleep(chance.uniform(*RECONNECT_S))


def test_a_broker_that_is_killed_is_right_again_about_200_clients_within_15_s(site: Site) -> None:
    broker = site.stack.broker
    assert broker is not None
    port = broker.options.mqtt_port
    with ThreadPoolExecutor(8) as pool:
        clients = list(pool.map(lambda number: site.client(id=f"many-{number}"), range(MANY)))
    killed, over = threading.Event(), threading.Event()

    async def all_agents() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(agent(port, client["id"], client["secret"], killed if number < GONE else over))
                for number, client in enumerate(clients)
            ]
            await asyncio.to_thread(over.wait)
            for task in tasks:
                task.cancel()

    agents = threading.Thread(target=asyncio.run, args=(all_agents(),))
    agents.start()
    try:
        with psycopg.connect(site.stack.database_url, autocommit=True) as connection:

            def count(where: str) -> int:
                row = connection.execute(
                    f"SELECT count(*) FROM client_sessions WHERE client_id LIKE 'many-%' AND {where}"  # noqa: S608
                ).fetchone()
                assert row is not None
                return int(row[0])

            until(lambda: count("presence = 'online'") == MANY, "all online")
            killed.set()
            broker.kill()
            broker.start()

            def right() -> bool:
                back = count("presence = 'online' AND connection >= 2")
                return (back, count("presence <> 'online'")) == (MANY - GONE, GONE)

            until(right, "190 are back, and 10 are known to be gone", RECOVERY_S)
    finally:
        over.set()
        agents.join(10)
