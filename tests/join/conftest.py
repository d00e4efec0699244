"""Both machines, and the hub that runs on one of them, for each module of tests."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.printer import EmbeddedPrinter, find_programs
from tests.support.cups import PAGE_LOG, Cups
from tests.support.folders import open_folder
from tests.support.namespaces import NoNamespacesError, two_machines
from tests.support.second_machine import EVERYWHERE, HUB, HUB_V6, MACHINE, MACHINE_V6, Program, TwoMachines


@pytest.fixture(scope="module")
def testbed() -> Iterator[TwoMachines]:
    programs = find_programs(Packages())  # fetched now: the machines reach no network
    assert not isinstance(programs, str), programs
    Packages().program("faketime", "faketime")
    with ExitStack() as undo:
        try:
            hub, machine = undo.enter_context(
                two_machines(first=(f"{HUB}/24", f"{HUB_V6}/64"), second=(f"{MACHINE}/24", f"{MACHINE_V6}/64"))
            )
        except NoNamespacesError as problem:
            pytest.fail(f"This part needs two network namespaces, and none can be made here: {problem}", pytrace=False)
        folder = DataFolder.prepare(undo.enter_context(open_folder("machine", in_memory=True)))
        undo.enter_context(folder.locked())
        book = PortBook(folder.ports)
        printer = EmbeddedPrinter(folder, programs, book.choose("printer", 0).number)
        cups = Cups(folder, book.choose("cups", 0).number, PAGE_LOG)
        with machine.entered():
            undo.callback(printer.stop)
            url = printer.start()
            undo.callback(cups.stop)
            cups.start()
            cups.add_queue("Front_Desk", url)
        data = undo.enter_context(open_folder("hub", in_memory=True)) / "data"
        yield TwoMachines(hub, machine, data, folder, cups, printer)


@pytest.fixture(scope="module")
def up(testbed: TwoMachines) -> Iterator[Program]:
    with testbed.up(EVERYWHERE) as program:
        yield program
