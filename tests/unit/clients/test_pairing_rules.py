"""Which clients somebody may make, and what enrolled machines are called."""

import pytest

from hub.core.access.rules.targets import EVERY_CLIENT, ClientsNamed
from hub.core.clients.rules.pairing import NAMING, Place, ids_of, outside, slug_of_host

HALL, OTHER = ClientsNamed("zone", "hall-1"), ClientsNamed("zone", "hall-2")
PRESSES, TAGGED = ClientsNamed("group", "presses"), ClientsNamed("tags", tags=("a", "b"))


@pytest.mark.parametrize(
    ("place", "reach", "fields"),
    [
        (Place(), None, []),
        (Place(zone="anywhere", groups=["any"], tags=["any"]), None, []),
        (Place(zone="anywhere"), [EVERY_CLIENT], []),
        (Place(zone="hall-1"), [HALL], []),
        (Place(zone="hall-2"), [HALL, OTHER], []),
        (Place(zone="hall-2"), [HALL], ["zone"]),
        (Place(), [HALL], ["zone"]),
        (Place(), [], ["zone"]),
        (Place(), [ClientsNamed("client", "pc-1")], ["zone"]),
        (Place(groups=["presses"]), [PRESSES], []),
        (Place(zone="hall-1", groups=["presses"]), [HALL], ["groups[0]"]),
        (Place(zone="hall-1", groups=["presses"]), [PRESSES], ["zone"]),
        (Place(tags=["b", "a"]), [TAGGED], []),
        (Place(tags=["a"]), [TAGGED], ["zone"]),
        (Place(zone="hall-1", tags=["a"]), [HALL, TAGGED], []),
        (Place(zone="hall-1", tags=["c"]), [HALL, TAGGED], ["tags[0]"]),
    ],
)
def test_a_new_client_must_be_where_its_maker_reaches(
    place: Place, reach: list[ClientsNamed] | None, fields: list[str]
) -> None:
    assert [problem.field for problem in outside(place, reach)] == fields


@pytest.mark.parametrize(
    ("host", "slug"),
    [
        ("PC-07", "pc-07"),
        ("PC_07.shop.example", "pc-07"),
        ("Büro 2", "buro-2"),
        ("현관", ""),
        ("현관-3", "3"),
        ("--", ""),
        ("../../etc", ""),
        ("a\x1b[2J", "a-2j"),
        ("x" * 300, "x" * 63),
    ],
)
def test_the_name_of_a_machine_becomes_part_of_an_id(host: str, slug: str) -> None:
    assert slug_of_host(host) == slug


def test_ids_are_made_by_their_rule() -> None:
    assert ids_of("pc-{n}", "", 7)[:2] == ["pc-7", "pc-8"]
    assert ids_of("{host}-pc", "Front", 1) == ["front-pc"]
    assert ids_of("{host}", "현관", 1) == []
    assert len(ids_of("x" * 60 + "{n}", "", 12_345)[0]) == 63


@pytest.mark.parametrize("rule", ["pc", "{n}{host}", "{n}-{n}", "PC-{n}", "pc {n}", "{x}", "pc-{n}\n", ""])
def test_a_rule_has_one_place_for_what_differs(rule: str) -> None:
    assert NAMING.fullmatch(rule) is None
