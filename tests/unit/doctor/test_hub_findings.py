"""What the doctor of a hub says about what it sees, and its sentences."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.config import Settings
from hub.disk import MIB
from hub.programs.doctor import broker, database, machine
from hub.programs.doctor.machine_certificates import check_machine_certificates
from hub.programs.doctor.sentences import SENTENCES
from schemas.findings import Level
from tests.support.paths import ROOT
from tests.support.sentences import codes_in, values_in, values_of_one_language

SOURCES = [
    *(file for file in (ROOT / "hub/programs/doctor").glob("*.py") if file.name != "sentences.py"),
    ROOT / "hub/programs/cli/doctor.py",
]
OF_ONE_LANGUAGE = {"direction", "direction_ko", "duration", "duration_ko", "problem", "problem_ko", "what", "what_ko"}
DAY_S = 86_400


def test_every_sentence_is_used() -> None:
    assert set(codes_in(SOURCES, SENTENCES)) == set(SENTENCES)


def test_both_languages_say_the_same() -> None:
    assert values_of_one_language(SENTENCES, but=OF_ONE_LANGUAGE) == {}
    for english, korean in SENTENCES.values():
        assert {name.removesuffix("_ko") for name in values_in(korean)} == values_in(english)


@pytest.mark.parametrize(
    ("free_mib", "level"), [(511, Level.FAIL), (512, Level.WARN), (2047, Level.WARN), (2048, Level.OK)]
)
def test_space_is_judged_by_the_limits_of_the_settings(free_mib: int, level: Level) -> None:
    assert machine.judge_space(Path("/srv"), 2048, 512, free_mib * MIB).level is level


@pytest.mark.parametrize(
    ("days", "code", "level"),
    [
        *((400, "certificate_ok", Level.OK), (30, "certificate_ok", Level.OK), (29, "certificate_ends", Level.WARN)),
        *((0, "certificate_ends", Level.WARN), (-1, "certificate_ends", Level.FAIL)),
    ],
)
def test_a_certificate_is_judged_by_the_days_that_are_left(days: int, code: str, level: Level) -> None:
    found = broker.judge_certificate("broker:8883", days * DAY_S + 60.0, 0.0)

    assert (found.code, found.level, found.values["days"]) == (code, level, str(days))


@pytest.mark.parametrize(
    ("ahead_s", "level"), [(59, Level.OK), (-59, Level.OK), (61, Level.WARN), (-7_200, Level.WARN)]
)
def test_a_clock_that_differs_from_the_database_s_is_told(ahead_s: float, level: Level) -> None:
    found = database.judge_clock(ahead_s)

    assert found.level is level
    if ahead_s == -7200:
        assert "2 hours behind" in found.sentence(korean=False)
        assert "2시간 늦습니다" in found.sentence(korean=True)


@pytest.mark.parametrize(
    ("number", "used", "code"),
    [
        *((130_012, 1, "database_old"), (140_000, 1, "database_ok"), (180_004, 1, "database_ok")),
        *((190_001, 1, "database_untested"), (180_004, 88, "database_full")),
    ],
)
def test_a_server_is_judged_by_its_version_and_its_connections(number: int, used: int, code: str) -> None:
    facts = database.Facts(str(number), number, 1, datetime.now(UTC), used, 97)

    assert database.judge_server(facts).code == code


def test_clients_at_the_broker_are_compared_with_those_of_the_database() -> None:
    def client(name: str, **more: Any) -> dict[str, Any]:
        return {"username": name, "clientid": name, "groups": [{"groupname": "clients"}], **more}

    there = [client("right"), client("off", disabled=True), client("foreign"), {"username": "_hub"}]
    there += [client("unpinned", clientid=None), client("outside", groups=[]), client("should-be-off")]
    known = {"right": True, "off": False, "unpinned": True, "outside": True, "missing": True, "should-be-off": False}

    assert broker.wrong_clients(there, known, {"_hub"}) == [
        "client missing is missing",
        "client foreign is not in the database",
        "client unpinned is not bound to its id and group",
        "client outside is not bound to its id and group",
        "client should-be-off is enabled",
    ]


def test_commands_that_only_agents_know_are_named() -> None:
    reports = [database.UnknownReport(f"id-{number}", "pc-1") for number in range(7)]

    found = database.judge_lost(reports)

    assert found.level is Level.WARN
    assert "does not have (7)" in found.sentence(korean=False)
    assert "id-4 (pc-1), ..." in found.sentence(korean=False)
    assert "id-5" not in found.sentence(korean=False)


@pytest.mark.parametrize(("zone", "code"), [("Asia/Seoul", "zone_ok"), ("Asia/Soul", "zone_wrong"), ("", "zone_ok")])
def test_a_time_zone_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch, zone: str, code: str) -> None:
    monkeypatch.setattr("time.timezone", 0)
    monkeypatch.setattr("time.daylight", 0)

    assert machine.check_zone({"TZ": zone}).code == code


@pytest.mark.parametrize(
    ("url", "ids", "told"),
    [
        ("", ["pos-1"], None),
        ("mqtts://hub.invalid:8883", [], "No client is without a certificate."),
        ("mqtts://hub.invalid:8883", ["pos-1", "pos-2"], "Clients without a certificate: 30 (pos-1, pos-2 (+ 28))."),
    ],
)
async def test_clients_that_the_switch_would_lock_out_are_named_before_it_is_on(
    tmp_path: Path, url: str, ids: list[str], told: str | None
) -> None:
    settings = Settings(database_url="postgresql:", data_dir=tmp_path, public_mqtt_url=url)  # type: ignore[arg-type]
    without_key = [database.WithoutKey(id=each, number=30) for each in ids]
    found = await check_machine_certificates(settings, without_key)
    assert [each.level for each in found] == ([] if told is None else [Level.OK])
    assert told is None or found[0].sentence(korean=False).startswith(told)
