"""Who may open how many connections, and who makes room."""

from hub.programs.edge.admission import Admission, State, Visit


class Door:
    """An admission whose refusals and closed connections are kept."""

    def __init__(self, most: int = 100, of_address: int = 50, half_open: int = 3) -> None:
        self.refused: list[tuple[str, str]] = []
        self.closed: list[str] = []
        self.admission = Admission(most, of_address, half_open, lambda why, who: self.refused.append((why, who)))

    def open(self, name: str, address: str = "192.0.2.1") -> Visit | None:
        """A connection that is known by a name when it is closed."""
        return self.admission.open(address, lambda: self.closed.append(name))

    def working(self, name: str, state: State, address: str = "192.0.2.1") -> Visit:
        """One in another state."""
        visit = self.open(name, address)
        assert visit is not None
        visit.becomes(state)
        return visit


def test_a_new_connection_takes_the_place_of_the_oldest_half_open_one_of_its_address() -> None:
    door = Door()
    for number in range(5):
        assert door.open(str(number)) is not None
    door.open("other", "192.0.2.2")
    assert door.closed == ["0", "1"]
    assert door.refused == [("half_open", "192.0.2.1")] * 2
    assert door.admission.number(State.HALF_OPEN) == 4


def test_what_works_is_never_closed() -> None:
    door = Door(of_address=4)
    for number in range(2):
        door.working(f"page {number}", State.PAGE)
        door.working(f"busy {number}", State.BUSY)
    assert door.open("new") is None
    assert door.closed == []
    assert door.refused == [("address_full", "192.0.2.1")]
    assert door.open("other", "192.0.2.2") is not None


def test_who_waits_for_the_next_request_makes_room_after_the_half_open_ones() -> None:
    door = Door(of_address=3)
    door.working("idle", State.IDLE)
    door.working("page", State.PAGE)
    door.open("half-open")
    door.open("1")
    door.open("2")
    assert door.closed == ["half-open", "1"]
    first = door.admission.visits()[0]
    first.becomes(State.BUSY)
    door.open("3")
    assert door.closed == ["half-open", "1", "idle"]


def test_the_limit_of_all_counts_every_address() -> None:
    door = Door(most=3)
    for number in range(3):
        door.working(str(number), State.PAGE, f"192.0.2.{number}")
    assert door.open("new", "192.0.2.9") is None
    assert door.refused == [("full", "192.0.2.9")]


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    door = Door()
    for number in range(4):
        door.open(str(number), f"2001:db8::{number}")
    assert door.closed == ["0"]
    door.open("4", "::ffff:192.0.2.1")
    door.open("5", "192.0.2.1")
    assert door.admission.number(State.HALF_OPEN) == 5


def test_one_that_is_over_leaves_its_place_once() -> None:
    door = Door(most=1)
    visit = door.open("0")
    assert visit is not None
    assert not door.admission.empty.is_set()
    visit.end()
    visit.end()
    visit.becomes(State.PAGE)
    assert door.admission.empty.is_set()
    assert door.admission.visits() == []
    assert door.open("1") is not None
    assert door.closed == []
