"""How a connection's tasks end, also where a library loses their cancel."""

import asyncio
import socket
from pathlib import Path

from device_agent import session
from hub import runtime


async def _loses_its_first_cancel() -> None:
    """As `asyncio.wait_for` of Python 3.11 does when the cancel meets the result."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


async def test_a_task_that_loses_a_cancel_is_cancelled_again() -> None:
    for end in (session._end, runtime._end):
        tasks = {asyncio.create_task(_loses_its_first_cancel()), asyncio.create_task(asyncio.Event().wait())}
        await asyncio.sleep(0)
        async with asyncio.timeout(20):
            await end(set(tasks))  # type: ignore[arg-type]
        assert all(task.cancelled() for task in tasks)


async def test_a_socket_that_is_closed_before_the_loop_hears_of_it_is_no_error() -> None:
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
    client = session._Client("127.0.0.1")
    with socket.socket() as closed:
        client._on_socket_register_write(client._client, None, closed)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not complaints


def test_no_loop_of_ours_uses_what_loses_cancels() -> None:
    root = Path(session.__file__).parent.parent
    sources = [file for folder in ("hub", "device_agent", "schemas") for file in (root / folder).rglob("*.py")]
    assert sources
    assert [file.name for file in sources if "asyncio.wait_for(" in file.read_text()] == []
