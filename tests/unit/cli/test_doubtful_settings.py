"""Names that look like settings and are none; addresses that others reach."""

from pathlib import Path
from typing import Any

import pytest

from hub.config import Settings, unknown


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("FLOORHUB_DATABSE_URL", "FLOORHUB_DATABASE_URL"),
        ("FLOORHUB_MQTT_PASSWROD", "FLOORHUB_MQTT_PASSWORD"),
        ("FLOORHUB_KEEP_COMMAND_DAYS", "FLOORHUB_KEEP_COMMANDS_DAYS"),
        ("floorhub_prot", "FLOORHUB_PORT"),
        ("FLOORHUB_LOGLEVEL", "FLOORHUB_LOG_LEVEL"),
        ("FLOORHUB_SRC", None),  # the prefix alone is no likeness
        ("FLOORHUB_QUITE_SOMETHING_ELSE", None),
    ],
)
def test_a_misspelt_setting_comes_with_the_one_it_resembles(name: str, nearest: str | None) -> None:
    assert unknown({name: "x", "PATH": "/bin"}) == {name: nearest}


def test_names_that_something_of_ours_reads_are_no_mistakes() -> None:
    names = (
        "DATA",
        "DATA_DIR",
        "PACKAGES",
        "URL",
        "KEY",
        "PORT",
        "MQTT_OPS_PASSWORD",
        "BIND",
        "TEST_CLIENTS",
        "WORKER",
    )
    environment = {f"FLOORHUB_{name}": "x" for name in names}
    assert unknown({**environment, "floorhub_port": "1", "FLOORHUBBER": "x"}) == {}


@pytest.mark.parametrize(
    ("host", "exposed"),
    [
        *(("127.0.0.1", False), ("127.8.9.1", False), ("::1", False), ("localhost", False)),
        *(("0.0.0.0", True), ("::", True), ("192.168.0.5", True), ("hub.example", True)),  # noqa: S104
    ],
)
def test_an_address_that_others_reach_is_known_as_such(host: str, exposed: bool) -> None:
    values: dict[str, Any] = {"database_url": "postgresql://nobody@127.0.0.1:1/none", "data_dir": Path("/nonexistent")}
    assert Settings(**values, host=host).exposed is exposed


def test_the_data_folder_has_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOORHUB_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("FLOORHUB_DATA_DIR", raising=False)
    monkeypatch.setenv("FLOORHUB_DATA", "/srv/one")
    assert Settings().data_dir == Path("/srv/one")
    monkeypatch.setenv("FLOORHUB_DATA_DIR", "/srv/two")
    assert Settings().data_dir == Path("/srv/two")
