"""The known name that somebody probably meant."""

import pytest

from schemas.closeness import nearest


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("url", ["name", "uri", "title"], "uri"),
        ("delay", ["delay_s", "display"], "delay_s"),
        ("timeout", ["timeout_s", "time"], "timeout_s"),
        ("Office", ["office", "labels"], "office"),
        ("orderKey", ["order_key", "order"], "order_key"),
        ("copeis", ["copies", "pages"], "copies"),
        ("HP-Laser", ["hp_laser"], "hp_laser"),
        ("colour", ["printer", "pages"], None),
        ("", ["a"], None),
        ("x" * 10_000, ["x" * 9_999], None),
        ("\ud800", ["a"], None),
        ("a", [], None),
    ],
)
def test_nearest(name: str, known: list[str], meant: str | None) -> None:
    assert nearest(name, known) == meant
