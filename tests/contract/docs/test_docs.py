"""The docs say what the code does: tables of the reference against the objects they describe."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from hub.api.catalogue import CATALOGUE
from hub.config import Settings
from hub.core.commands.rules.lifecycle import TRANSITIONS, Status
from hub.core.commands.rules.remedies import REMEDIES
from hub.programs.edge.settings import EdgeSettings
from hub.telemetry.log import EventName
from schemas import topics
from schemas.states import ReportStatus
from schemas.topics import FROM_CLIENT, HUB_KEYS, HUB_PRESENCE, RETAINED, Channel
from tests.contract.docs.pages import anchors, read, rows, without_code
from tests.support.hubs import routes, subjects
from tests.support.paths import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("broker_config/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def application_routes() -> Iterator[tuple[str, str]]:
    """(method, path) of every route, also of those that the description leaves out."""
    app = FastAPI()
    for route in routes():
        app.router.routes.append(route)
        yield from ((method, route.path) for method in route.methods)
    described = get_openapi(title="x", version="1", routes=app.routes)["paths"]
    yield from ((method.upper(), path) for path, methods in described.items() for method in methods)


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_error_stands_in_the_table_with_its_status_and_title(code: str) -> None:
    entry = CATALOGUE[code]
    found = [row[1:3] for row in rows("docs/reference/errors.md") if row[0] == code and row[1].isdigit()]
    assert found == [[str(entry.status), entry.name]]


def test_the_table_of_errors_has_no_code_that_the_hub_lacks() -> None:
    documented = {row[0] for row in rows("docs/reference/errors.md") if row[1].isdigit()}
    assert documented == set(CATALOGUE)


def test_every_error_code_of_the_agent_stands_in_the_table() -> None:
    codes = set(agent_codes())
    assert {"printer_lost", "timed_out", "hub_unreachable"} <= codes
    documented = {row[0] for row in rows("docs/reference/errors.md")}
    assert codes - documented == set()


def test_every_reason_of_a_command_has_what_to_do_in_both_languages() -> None:
    """The same in the table for people and in the sentence of `explain`."""
    found = [row for row in rows("docs/reference/errors.md") if row[0] in REMEDIES and not row[1].isdigit()]
    plain = {code: [said.replace("`", "") for said in both] for code, both in REMEDIES.items()}
    assert [(row[0], row[-2:]) for row in found if row[-2:] != plain[row[0]]] == []
    assert {row[0] for row in found} == set(REMEDIES)
    assert set(agent_codes()) - set(REMEDIES) == set()


def agent_codes() -> Iterator[str]:
    """Literal report codes in the agent: `code=...`, and what the constructors of ends and refusals are given."""
    place = {"failure": 1, "_failed": 0, "Refusal": 0, "PayloadError": 0, "DocumentError": 0, "UploadError": 0}
    for file in (ROOT / "device_agent").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in place and len(node.args) > place[name]:
                given.append(node.args[place[name]])
            for value in given:
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                    yield value.value


SETTINGS = Settings.model_fields | EdgeSettings.model_fields


@pytest.mark.parametrize("field", SETTINGS)
def test_every_setting_is_described(field: str) -> None:
    assert f"FLOORHUB_{field.upper()}" in {row[0] for row in rows("docs/reference/settings.md")}


def test_no_setting_is_described_that_nothing_reads() -> None:
    of_settings = {f"FLOORHUB_{field.upper()}" for field in SETTINGS}
    of_programs = {"FLOORHUB_PACKAGES", "FLOORHUB_URL", "FLOORHUB_KEY", "FLOORHUB_ACCOUNTS_FROM_NETWORK"}
    described = {row[0] for row in rows("docs/reference/settings.md") if row[0].startswith("FLOORHUB_")}
    assert described == of_settings | of_programs


@pytest.mark.parametrize("channel", Channel)
def test_every_channel_is_described_with_direction_and_retain(channel: Channel) -> None:
    (row,) = [row for row in rows("docs/reference/topics.md") if row[0] == f"clients/{{id}}/{channel.value}"]
    assert row[1] == ("client -> hub" if channel in FROM_CLIENT else "hub -> client")
    assert row[3].startswith("yes" if channel in RETAINED else "no")


@pytest.mark.parametrize("topic", [HUB_PRESENCE, HUB_KEYS])
def test_topics_for_all_are_described(topic: str) -> None:
    assert topic.removeprefix(f"{topics.ROOT}/") in {row[0] for row in rows("docs/reference/topics.md")}


@pytest.mark.parametrize("status", [status for status in ReportStatus if status is not ReportStatus.UNSUPPORTED])
def test_every_report_status_is_named(status: ReportStatus) -> None:
    assert f"`{status.value}`" in read("docs/reference/topics.md")


@pytest.mark.parametrize("status", Status)
def test_every_status_is_explained(status: Status) -> None:
    first_table = [row for row in rows("docs/explanation/life-cycle.md") if len(row) == 3 and row[0] == status.value]
    assert any(row[1] not in set(Status) for row in first_table)


def test_the_table_of_transitions_is_the_code_s() -> None:
    written = {(row[0], row[1]) for row in rows("docs/explanation/life-cycle.md") if {row[0], row[1]} <= set(Status)}
    assert written == {(origin.value, goal.value) for origin, goals in TRANSITIONS.items() for goal in goals}


def test_the_table_of_routes_is_the_application_s() -> None:
    written = {tuple(row[0].split(" ", 1)) for row in rows("docs/reference/api.md") if re.match(r"[A-Z]+ /", row[0])}
    assert written == set(application_routes())


EVENTS = [event for subject in subjects() for events in subject.events for event in events]


@pytest.mark.parametrize("event", EVENTS)
def test_every_log_event_is_explained(event: EventName) -> None:
    assert f"`{event.value}`" in read("docs/how-to/operate.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_internal_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(file), f"{target}: no such heading"


def example(page: str, name: str, language: str) -> str:
    """The fenced block after `<!-- example: name -->`."""
    found = re.search(rf"<!-- example: {name} -->\n```{language}\n(.*?)\n```", read(page), flags=re.DOTALL)
    assert found is not None
    return found[1] + "\n"


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_print_example_is_valid_shell(page: str) -> None:
    subprocess.run(["bash", "-n"], input=example(page, "print", "sh"), text=True, check=True)


def test_both_readmes_have_the_same_example() -> None:
    plain = [re.sub(r"#.*|echo .*", "", example(page, "print", "sh")) for page in ("README.md", "README.ko.md")]
    assert plain[0] == plain[1]
