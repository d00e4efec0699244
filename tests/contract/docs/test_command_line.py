"""The page about the command line is the table of its commands, and every list of the API has its list there."""

import re
from typing import Any

import pytest

from hub.api.server import application
from hub.app import Hub
from hub.programs.cli import simulate
from hub.programs.cli.exits import MEANINGS, ExitCode
from hub.programs.cli.reference import COMMANDS, Row, written_into
from hub.programs.simulator.reconciliation import SENTENCES
from tests.contract.docs.pages import read, rows
from tests.support.hubs import settings

PAGE = "docs/reference/cli.md"


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The paths of the API's description, and what its schemas are."""
    hub = Hub(settings(data_dir=tmp_path_factory.mktemp("data")))
    routers = [router for subject in hub.subjects for router in subject.routers]
    described: dict[str, Any] = application(hub.parts, routers).openapi()
    return described


NOT_SHOWN = {
    "GET /api/auth/sessions",
    "GET /api/integrations/templates",
    *(f"GET /api/{kind}s/{{principal_id}}/keys" for kind in ("integration", "user")),
    *(f"GET /api/{kind}s/{{principal_id}}/grants" for kind in ("integration", "principal", "user")),
}
"""A key, which the program uses, has no sessions; `floorhub user sessions` shows those of a person. The help names the
templates; `--of` of `key list` and `grant list` names a principal."""


def lists_of(described: dict[str, Any]) -> set[str]:
    """The routes that answer with `items`."""
    found = set()
    for path, methods in described["paths"].items():
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        shape = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        if "items" in described["components"]["schemas"].get(shape, {}).get("properties", {}):
            found.add(f"GET {path}")
    return found


def test_every_list_of_the_api_has_its_list_in_the_program(paths: dict[str, Any]) -> None:
    found = lists_of(paths)
    assert {"GET /api/commands", "GET /api/printers", "GET /api/batches/{batch_id}"} <= found
    assert {row.shows for row in COMMANDS if row.shows is not None} == found - NOT_SHOWN


def test_the_page_is_the_table() -> None:
    text = read(PAGE)
    assert written_into(text) == text, f"write it again: python -m hub.programs.cli.reference {PAGE}"


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.words)
def test_a_command_stands_on_the_page(row: Row) -> None:
    (written,) = [cells for cells in rows(PAGE) if cells[0] == f"floorhub {row.words}"]
    assert written[3] == ", ".join(str(int(code)) for code in sorted(row.codes))


def test_every_exit_code_has_its_meaning_in_both_languages() -> None:
    assert set(MEANINGS) == set(ExitCode)
    assert all(english and korean for english, korean in MEANINGS.values())
    assert {int(cells[0]) for cells in rows(PAGE) if cells[0].isdigit()} == set(map(int, ExitCode))


def test_the_rows_of_a_simulation_mean_what_the_page_says() -> None:
    """On the screen, each row has the sentence of the page; so has each broken promise."""
    text = (
        read("docs/how-to/simulate-a-site.md").partition("\n## The rows of the summary\n")[2].partition("| field |")[0]
    )
    page = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE))
    assert simulate.MEANINGS
    assert {name: page.get(name) for name in simulate.MEANINGS} == simulate.MEANINGS
    for kind, sentence in SENTENCES.items():
        english = sentence.partition(": ")[2]
        assert page[kind].startswith(english), kind
