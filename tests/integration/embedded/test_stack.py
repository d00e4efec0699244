"""The whole stack, and the supervision that keeps it alive."""

import contextlib
import itertools
import socket
import sys

import psycopg
import pytest

from broker_config.render import Client, hash_password
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import LOOPBACK, START_TRIES, ChosenPort, PortBook
from hub.programs.embedded.processes import Child, ChildSpec
from hub.programs.embedded.stack import Stack, StackOptions
from hub.programs.embedded.supervision import FIRST_DELAY_S, HEALTHY_AFTER_S, LONGEST_DELAY_S, Supervisor
from tests.support.broker_client import BrokerClient
from tests.support.waiting import SOON_S, until

ANY_PORTS = StackOptions(postgres_port=0, mqtt_port=0, websocket_port=0, printer_port=0)


def prepare_database(url: str) -> list[Client]:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS starts (at timestamptz DEFAULT now())")
        connection.execute("INSERT INTO starts DEFAULT VALUES")
    return [Client("till", hash_password("till-secret"))]


def test_everything_starts_survives_a_crash_of_each_and_ends(data_folder: DataFolder, packages: Packages) -> None:
    said: list[str] = []
    with Stack(data_folder, packages, ANY_PORTS, prepare_database, said.append) as stack:
        services = [stack.postgres, stack.broker, stack.printer]
        program = stack.start_child("worker", [sys.executable, "-c", "import time; time.sleep(600)"], {})
        first_pid = program.pid
        for service in (*services, program):
            assert service is not None
            service.kill()
        assert not any(service and service.is_alive() for service in (*services, program))

        def all_run_again() -> bool:
            stack.tick()
            return all(service is not None and service.is_alive() for service in (*services, program))

        until(all_run_again, lambda: f"all run again; said {said}", SOON_S)
        assert program.pid != first_pid
        assert len([sentence for sentence in said if sentence.endswith("runs again.")]) == 4
        assert stack.broker is not None
        till = BrokerClient(stack.broker.options.mqtt_port, "till", "till", "till-secret")
        assert till.connect() == 0
        till.close()
        ports = (stack.database_url, stack.mqtt_url, stack.websocket_url, stack.printer_url)
        secrets = stack.accounts
    assert not any(service and service.is_alive() for service in (*services, program))
    assert list(data_folder.run.iterdir()) == []

    with Stack(data_folder, packages, ANY_PORTS, prepare_database, said.append) as stack:
        assert (stack.database_url, stack.mqtt_url, stack.websocket_url, stack.printer_url) == ports
        assert stack.accounts == secrets
        with psycopg.connect(stack.database_url) as connection:
            assert connection.execute("SELECT count(*) FROM starts").fetchone() == (2,)


def test_ports_that_are_taken_between_choice_and_start_are_chosen_again(
    data_folder: DataFolder, packages: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose, taken = PortBook.choose, contextlib.ExitStack()

    def overtaken(book: PortBook, name: str, wanted: int, hosts: tuple[str, ...] = LOOPBACK) -> ChosenPort:
        chosen = choose(book, name, wanted, hosts)
        if name not in seen:
            taken.enter_context(socket.create_server((LOOPBACK[0], chosen.number)))
        seen.append(name)
        return chosen

    seen: list[str] = []
    said: list[str] = []
    monkeypatch.setattr(PortBook, "choose", overtaken)
    with taken, Stack(data_folder, packages, ANY_PORTS, prepare_database, said.append) as stack:
        services = [stack.postgres, stack.broker, stack.printer]
        assert all(service is not None and service.is_alive() for service in services)
        assert [seen.count(name) for name in ("postgres", "mqtt", "websocket", "printer")] == [2, 2, 2, 2]
        assert len([sentence for sentence in said if "choosing again" in sentence]) == 3
    assert not any(service and service.is_alive() for service in services)


def test_ports_are_not_chosen_for_ever(
    data_folder: DataFolder, packages: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose, taken = PortBook.choose, contextlib.ExitStack()
    seen: list[str] = []

    def overtaken(book: PortBook, name: str, wanted: int, hosts: tuple[str, ...] = LOOPBACK) -> ChosenPort:
        chosen = choose(book, name, wanted, hosts)
        taken.enter_context(socket.create_server((LOOPBACK[0], chosen.number)))
        seen.append(name)
        return chosen

    monkeypatch.setattr(PortBook, "choose", overtaken)
    stack = Stack(data_folder, packages, ANY_PORTS, prepare_database)
    with taken, pytest.raises(EmbeddedError, match="Postgres ended right after its start"), stack:
        pass
    assert seen == ["postgres"] * START_TRIES


def test_a_failure_on_the_way_stops_what_had_started(data_folder: DataFolder, packages: Packages) -> None:
    def fail(url: str) -> list[Client]:
        raise EmbeddedError("The schema is newer than this program.", "Update the program.")

    stack = Stack(data_folder, packages, ANY_PORTS, fail)
    with pytest.raises(EmbeddedError, match="newer"), stack:
        pass
    assert stack.postgres is not None
    assert not stack.postgres.is_alive()
    with data_folder.locked():
        pass


def test_with_services_of_ones_own_none_is_started(data_folder: DataFolder, packages: Packages) -> None:
    options = StackOptions(database_url="postgresql://elsewhere/hub", own_broker=False, own_printer=False)
    with Stack(data_folder, packages, options, lambda _: []) as stack:
        assert (stack.postgres, stack.broker, stack.printer) == (None, None, None)
        assert stack.database_url == "postgresql://elsewhere/hub"


def test_a_program_gets_its_own_environment_and_none_of_ours(
    data_folder: DataFolder, packages: Packages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "x")
    options = StackOptions(database_url="postgresql://elsewhere/hub", own_broker=False, own_printer=False)
    show = "import os, time; print(sorted(os.environ), os.getppid(), flush=True); time.sleep(600)"
    with Stack(data_folder, packages, options, lambda _: []) as stack:
        program = stack.start_child("shown", [sys.executable, "-c", show], {"FLOORHUB_URL": "http://x"})
        until(lambda: "FLOORHUB_URL" in program.log_tail(), "the program wrote to its log", SOON_S)
        assert "SECRET_OF_OURS" not in program.log_tail()
        stack.stop_child(program)
        stack.tick()
        assert not program.is_alive()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("The hub's keys were replaced: start again.", "The hub's keys were replaced: start again."),
        ("first\n\x1b[31mred\x1b[0m\n\n", "\x1b[31mred\x1b[0m"),
        ('{"level": "info", "event": "hub.started"}', None),
        (
            '{"level": "error", "event": "mqtt.refused", "message": "bad password"}\n{"level": "info", "event": "x"}',
            "mqtt.refused: bad password",
        ),
        (
            '{"level": "error", "event": "hub.failed", "exception": "Traceback\\nValueError: no"}',
            "hub.failed: ValueError: no",
        ),
        ('{"level": "error", "event": "hub.failed"}', "hub.failed"),
        ("[" * 5_000, "[" * 500),
        ("17", "17"),
        ("", None),
    ],
)
def test_why_a_program_ended_is_said_with_the_name_of_its_log(
    data_folder: DataFolder, packages: Packages, written: str, said: str | None
) -> None:
    heard: list[str] = []
    options = StackOptions(database_url="postgresql://elsewhere/hub", own_broker=False, own_printer=False)
    with Stack(data_folder, packages, options, lambda _: [], heard.append) as stack:
        program = stack.start_child("talker", [sys.executable, "-c", f"print({written!r}, end='')"], {})
        until(lambda: not program.is_alive(), "its end", SOON_S)
        stack.tick()
    assert len(heard) == 1
    assert heard[0].startswith("talker ended; starting it again in 0.5 s. ")
    assert str(data_folder.logs / "talker.log") in heard[0]
    assert ("It said last" in heard[0]) == (said is not None)
    assert said is None or f"It said last: {said} (log" in heard[0]


class Restless:
    """A service that dies as soon as it is started, unless told to stay; `fails` makes the start itself fail."""

    name = "restless"

    def __init__(self) -> None:
        self.starts = 0
        self.fails = False
        self.stays = False
        self.alive = False

    def is_alive(self) -> bool:
        return self.alive

    def failure(self) -> str:
        return ""

    def start(self) -> None:
        self.starts += 1
        if self.fails:
            raise EmbeddedError("No.", "Wait.")
        self.alive = self.stays

    def stop(self) -> None:
        self.alive = False


def test_restarts_come_at_growing_intervals_and_never_stop() -> None:
    now = 0.0
    service, last = Restless(), 0.0
    gaps: list[float] = []
    supervisor = Supervisor(lambda _: None, lambda: now)
    supervisor.watch(service)
    while len(gaps) < 9:
        starts = service.starts
        service.fails = starts % 2 == 1
        supervisor.tick()
        if service.starts != starts:
            gaps.append(now - last)
            last = now
        now += 0.25
    assert gaps[0] == FIRST_DELAY_S
    # A death is noticed one tick late, a failed start at once: half a second either way.
    assert all(later > earlier - 0.5 for earlier, later in itertools.pairwise(gaps))
    assert LONGEST_DELAY_S <= gaps[-1] <= LONGEST_DELAY_S + 1


def test_who_was_healthy_for_long_is_restarted_quickly() -> None:
    now = 0.0
    service = Restless()
    supervisor = Supervisor(lambda _: None, lambda: now)
    supervisor.watch(service)
    for _ in range(200):
        service.stays = service.starts == 5
        supervisor.tick()
        now += 1
    assert service.alive
    now += HEALTHY_AFTER_S
    starts = service.starts
    service.stop()
    supervisor.tick()
    now += FIRST_DELAY_S
    supervisor.tick()
    assert service.starts == starts + 1


def test_a_leftover_is_ended_before_ports_are_chosen(data_folder: DataFolder, packages: Packages) -> None:
    note = data_folder.run / "leftover"
    spec = ChildSpec("leftover", ["sleep", "600"], data_folder.logs / "leftover.log", note)
    leftover = Child.start(spec)
    innocent = Child.start(ChildSpec("innocent", ["sleep", "600"], spec.log, data_folder.root / "elsewhere"))
    (data_folder.run / "a-reused-number").write_text(f"{innocent.pid} 1@another-boot\n")
    options = StackOptions(database_url="postgresql://elsewhere/hub", own_broker=False, own_printer=False)
    with Stack(data_folder, packages, options, lambda _: []):
        assert not leftover.is_alive()
    assert innocent.is_alive()
    innocent.kill()
