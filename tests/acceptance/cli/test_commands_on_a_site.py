"""Each command of the table against a hub: its answer in JSON and YAML, and its exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from hub.programs.cli import output
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.main import app
from hub.programs.cli.reference import COMMANDS
from tests.support.command_lines import ASKED, made
from tests.support.site import NOWHERE, Site

_N = ExitCode.NOT_FOUND
ROWS = {row.words: row for row in COMMANDS}
CODES = {"command decide": ExitCode.REFUSED, "batch cancel": ExitCode.DONE}
"""Where it is not 0: the command is not unknown."""
LISTED = {"action set", "action reset", "grant add"}
"""Commands that answer with the changed rows of a list."""
WHOLE = {"batch show"}
"""Lists that stand in what they belong to."""


def run(site: Site, arguments: list[str], **environment: str) -> Result:
    where = {"FLOORHUB_URL": site.url, "FLOORHUB_KEY": site.key, "LANG": "C", **environment}
    return CliRunner().invoke(app, arguments, env=where)


@pytest.fixture(scope="module")
def there(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Something of each kind that commands can be asked about."""
    with made(site, "table") as found:
        file = tmp_path_factory.mktemp("list") / "list.json"
        file.write_text(json.dumps([{"client_id": found["away"], "action": "status"}]))
        yield {**found, "file": str(file)}


def line(words: str, places: dict[str, str]) -> list[str]:
    return [*words.split(), *(part.format(**places) for part in ASKED[words])]


def test_every_command_answers_as_the_table_says(site: Site, there: dict[str, str]) -> None:
    for words in ASKED:
        done = run(site, [*line(words, there), "-o", "json"])
        expected = CODES.get(words, ExitCode.DONE)
        assert (done.exit_code, done.exit_code in ROWS[words].codes) == (expected, True), (words, done.output)
        answer = json.loads(done.stdout)
        is_list = words in LISTED or (ROWS[words].shows is not None and words not in WHOLE)
        assert isinstance(answer, list) == is_list, words


def test_lists_are_the_same_in_every_form(site: Site, there: dict[str, str]) -> None:
    for words in [words for words, row in ROWS.items() if row.shows]:
        arguments = line(words, there)
        if words == "schedule next":
            continue
        as_json, as_yaml, as_table = (run(site, [*arguments, *form]) for form in (["--json"], ["-o", "yaml"], []))
        found = json.loads(as_json.stdout)
        assert yaml.safe_load(as_yaml.stdout) == found, words
        assert as_table.exit_code == 0
        assert not as_table.stdout.startswith(("[", "{")), words


def test_what_is_wrong_has_a_code_of_its_own(site: Site, there: dict[str, str]) -> None:
    """The same line with a wrong key, and with a hub that is away."""
    for words, row in ROWS.items():
        if words not in ASKED:
            continue
        arguments = line(words, there)
        refused = run(site, arguments, FLOORHUB_KEY="fh_wrong")
        assert refused.exit_code == ExitCode.NOT_PERMITTED, (words, refused.output)
        assert (site.url in refused.stderr, "FLOORHUB_KEY" in refused.stderr) == (True, True), (words, refused.stderr)
        away = run(site, arguments, FLOORHUB_URL="http://127.0.0.1:9")
        assert away.exit_code == ExitCode.UNREACHABLE, (words, away.output)
        assert "http://127.0.0.1:9" in away.stderr, words
        assert {ExitCode.NOT_PERMITTED, ExitCode.UNREACHABLE} <= set(row.codes), words


MAKES = {"group add", "schedule add", "batch send", "batch send-list", "integration add", "pair", "pairing add"}
"""What they name need not be there; a target may be missing."""


@pytest.mark.parametrize(
    "words",
    [
        words
        for words in ASKED
        if _N in ROWS[words].codes and words not in MAKES and any("{" in part for part in ASKED[words])
    ],
)
def test_what_is_not_there_has_a_code_of_its_own(site: Site, there: dict[str, str], words: str) -> None:
    nobody = dict.fromkeys(
        ("client", "away", "spare", "group", "new", "user", "integration", "leaving", "key"), "nobody"
    )
    nothing = dict.fromkeys(
        ("command", "late", "later", "dead", "dismissed", "batch", "schedule", "grant", "pairing", "enrolment"), NOWHERE
    ) | {"row": "999999999"}
    done = run(site, line(words, {**there, **nobody, **nothing}))
    assert done.exit_code == ExitCode.NOT_FOUND, done.output
    assert done.stdout == ""


def test_a_list_of_printers_says_how_old_it_is(site: Site, there: dict[str, str]) -> None:
    heading, *rows = run(site, ["printer", "list", "--client", there["client"]]).stdout.splitlines()
    reported = json.loads(run(site, ["printer", "list", "--client", there["client"], "--json"]).stdout)[0][
        "reported_at"
    ]
    assert "reported (" in heading
    assert rows
    assert output.local(reported) in rows[0]


def test_what_a_client_does_not_have_is_said_before_it_fails(site: Site, there: dict[str, str]) -> None:
    to = ["send", there["client"], "print", "--wait", "0", "--payload"]
    near = run(site, [*to, json.dumps({"printer": "Office", "document": site.upload()["id"]})])
    assert (
        near.exit_code,
        "has not reported the printer Office. Did you mean office? It has: office" in near.stderr,
    ) == (
        0,
        True,
    ), near.output
    action = run(site, ["send", there["client"], "statuss", "--wait", "0"])
    assert "has not reported the action statuss. Did you mean status?" in action.stderr, action.output
    listed = run(site, ["print", "--test-page", "--client", there["client"], "--printer", "offce", "--wait", "0"])
    assert "has not reported the printer offce. Did you mean office?" in listed.stderr, listed.output
    fine = run(site, ["send", there["client"], "status", "--wait", "0"])
    assert (fine.exit_code, fine.stderr) == (0, "")


FIELDS = {
    "--priority": ("7", "priority", 7),
    "--reference": ("order-7", "reference", "order-7"),
    "--tag": ("morning", "tags", ["morning"]),
    "--order-key": ("truck-7", "order_key", "truck-7"),
    "--not-before": ("2099-01-02T03:04Z", "not_before", "2099-01-02T03:04:00Z"),
    "--timeout": ("2m", "timeout_s", 120.0),
    "--max-retries": ("0", "max_retries", 0),
    "--on-interrupt": ("rerun", "on_interrupt", "rerun"),
    "--when-offline": ("queue", "when_offline", "queue"),
}


@pytest.mark.parametrize("words", ["send", "print", "batch send"])
def test_the_fields_of_a_command_are_options(site: Site, there: dict[str, str], words: str) -> None:
    """`batch send` calls one of them otherwise: its `--tag` selects clients."""
    of_batch = {"--tag": "--command-tag"} if words == "batch send" else {}
    given = [part for option, (value, _, _) in FIELDS.items() for part in (of_batch.get(option, option), value)]
    arguments = {"send": ["{client}", "status"], "print": ASKED["print"][:5], "batch send": ASKED["batch send"][:3]}
    asked = [*words.split(), *(part.format(**there) for part in arguments[words]), *given, "--wait", "0", "--json"]
    done = run(site, asked)
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    stored = site.command(answer["items"][0]["command_id"]) if words == "batch send" else answer
    assert {name: stored[name] for _, name, _ in FIELDS.values()} == {name: meant for _, name, meant in FIELDS.values()}
    wrong = run(site, [*asked, "--not-before", "soon"])
    assert (wrong.exit_code, "15m, 2h, tomorrow" in wrong.stderr) == (2, True), wrong.output


def test_failed_and_not_ended_are_apart(site: Site) -> None:
    client, away = site.client(), site.client()
    site.agent(client)
    waits = run(site, ["send", away["id"], "status", "--wait", "0.2"])
    failed = run(site, ["send", client["id"], "open_gate", "--wait", "20"])
    stored = run(site, ["send", away["id"], "status", "--wait", "0"])
    refused = run(site, ["send", away["id"], "status", "--when-offline", "fail"])
    batch = run(site, ["batch", "send", "status", "--client", away["id"], "--wait", "0.2"])
    partly = run(site, ["batch", "send", "open_gate", "--client", client["id"], "--wait", "20"])
    codes = [done.exit_code for done in (waits, failed, stored, refused, batch, partly)]
    assert codes == [3, 1, 0, 5, 3, 1], [done.output for done in (waits, failed, stored, refused, batch, partly)]


def test_a_refused_request_is_json_for_programs(site: Site) -> None:
    done = run(site, ["show", NOWHERE, "-o", "json"])
    assert (done.exit_code, json.loads(done.stdout)["code"]) == (7, "command_not_found")
    as_yaml = run(site, ["show", NOWHERE, "-o", "yaml"])
    assert (as_yaml.exit_code, yaml.safe_load(as_yaml.stdout)["code"]) == (7, "command_not_found")


def test_results_of_actions_are_shown(site: Site) -> None:
    client = site.client()
    site.agent(client)
    status = run(site, ["send", client["id"], "status"])
    assert status.exit_code == 0, status.output
    told = dict(part.strip().split(": ", 1) for part in status.stdout.splitlines() if ": " in part)
    assert int(told["disk_free_bytes"]) > 0
    assert "Black Toner" in status.stdout.partition("printers:\n    - ")[2], status.output
    printed = run(site, ["print", "--test-page", "--client", client["id"]])
    assert printed.exit_code == 0, printed.output
    assert printed.stdout.splitlines()[-1].startswith("completed"), "what a printer did is one line"
    shown = run(site, ["show", json.loads(run(site, ["send", client["id"], "status", "--json"]).stdout)["id"]])
    assert "disk_free_bytes: " in shown.stdout
    explained = run(site, ["explain", json.loads(run(site, ["send", client["id"], "status", "--json"]).stdout)["id"]])
    assert explained.stdout.startswith("It has ended: completed."), "not: ended: It has ended"


def test_logs_are_fetched_and_shown(site: Site, tmp_path: Path) -> None:
    client = site.client()
    agent = site.agent(client)
    none = run(site, ["logs", client["id"], "--last"])
    assert (none.exit_code, "has been fetched yet" in none.stderr) == (7, True), none.output
    fetched = run(site, ["logs", client["id"], "--tail", "3"])
    assert fetched.exit_code == 0, fetched.output
    assert len(fetched.stdout.splitlines()) == 3
    assert "--tail 0 shows all" in fetched.stderr
    whole = run(site, ["logs", client["id"], "--file", str(tmp_path / "agent.log")])
    assert (whole.exit_code, "agent_started" in (tmp_path / "agent.log").read_text()) == (0, True), whole.output
    agent.kill()
    agent.stop()
    assert json.loads(run(site, ["logs", client["id"], "--last", "--json"]).stdout)["lines"]
    site.http.post(f"/api/clients/{client['id']}/disable")
    site.http.post(f"/api/clients/{client['id']}/enable")
    offline = run(site, ["logs", client["id"], "--tail", "0"])
    assert (offline.exit_code, "is offline: this is its log of" in offline.stderr) == (0, True), offline.output
    assert "agent_started" in offline.stdout
    unable = site.client()
    assert run(site, ["logs", unable["id"]]).exit_code == 7


def test_lists_are_filtered_sorted_and_cut(site: Site) -> None:
    client = site.client(zone="sorted")["id"]
    ids = [site.send(client, "status", {}, reference=f"r-{number}")["id"] for number in (2, 1, 3)]

    def references(*options: str) -> list[str]:
        done = run(site, ["command", "list", "--client", client, *options, "--json"])
        assert done.exit_code == 0, done.output
        return [item["reference"] for item in json.loads(done.stdout)]

    assert references() == ["r-3", "r-1", "r-2"]
    assert references("--limit", "2") == ["r-3", "r-1"]
    assert references("--sort", "reference") == ["r-1", "r-2", "r-3"]
    assert references("--sort-by", "-reference", "--limit", "2") == ["r-3", "r-1"]
    assert references("--status", "completed") == []
    assert references("--status", "pending", "--status", "queued", "--reference", "r-1") == ["r-1"]
    assert references("--since", "1h") == ["r-3", "r-1", "r-2"]
    assert references("--until", "1h") == []
    assert references("--action", "print") == []
    wrong = run(site, ["command", "list", "--client", client, "--sort", "nothing"])
    assert (wrong.exit_code, "use one of id, client_id" in wrong.stderr) == (2, True), wrong.stderr
    refused = run(site, ["command", "list", "--status", "nothing"])
    assert (refused.exit_code, refused.stdout) == (5, "")
    plain = run(site, ["command", "list", "--client", client, "--no-headers"])
    assert [row.split()[-1] for row in plain.stdout.splitlines()] == ids[::-1]
    cut = run(site, ["command", "list", "--client", client, "--limit", "1"])
    assert (len(cut.stdout.splitlines()), "and more" in cut.stderr) == (2, True), cut.output
    for one in ids:
        done = run(site, ["cancel", one])
        assert (done.exit_code, done.stdout) == (0, f"{one} is cancelled.\n")
    none = run(site, ["command", "list", "--client", client, "--status", "running"])
    assert (none.exit_code, none.stdout) == (0, "No command fits.\n")


def test_everything_of_a_site_is_told_in_korean(site: Site, there: dict[str, str]) -> None:
    """No line of a table's head, and no line of ours, is English where the person reads Korean."""
    said = {}
    for words in ("command list", "client list", "client show", "printer list", "printer show", "group list",
                  "batch list", "batch show", "schedule list", "action list", "dead-letter list", "command show",
                  "client limits", "client history"):  # fmt: skip
        done = run(site, line(words, there), LANG="ko_KR.UTF-8")
        assert done.exit_code == 0, (words, done.output)
        said[words] = done.stdout.splitlines()
    assert said["client list"][0].split()[:4] == ["id", "종류", "상태", "접속"]
    assert "온라인(online)" in "\n".join(said["client list"])
    assert said["command list"][0].split()[2:] == ["클라이언트", "동작", "상태", "이유", "참조", "번호", "id"]
    assert said["printer list"][0].split() == [
        "클라이언트",
        "프린터",
        "제목",
        "상태",
        "이유",
        "용지",
        "토너",
        "대기열",
        "모델",
        "보고",
        "시각",
        f"({output.zone()})",
    ]
    assert "대기(idle)" in "\n".join(said["printer list"])
    assert said["batch show"][0].startswith("배치 ")
    assert said["command show"][-1].startswith(("대기 중(pending)", "취소됨(cancelled)"))
    english = {"status", "presence", "since", "zone", "agent", "created", "client", "action", "reason", "reference"}
    del said["command show"]  # its first line has the action's name
    assert [words for words, lines in said.items() if english & set(lines[0].replace("(", " ").split())] == []


@pytest.mark.parametrize(
    "arguments",
    [
        *(["command", "list"], ["dead-letter", "list"], ["printer", "list"]),
        *(["client", "show"], ["client", "rotate-secret"], ["client", "history"], ["logs"]),
        ["print", "--test-page", "--client"],
    ],
    ids=" ".join,
)
def test_a_client_that_does_not_exist_is_told_with_commands(site: Site, arguments: list[str]) -> None:
    named = ["--client"] if arguments[-1] == "list" else []
    done = run(site, [*arguments, *named, "front-dsk"])
    assert done.exit_code == ExitCode.NOT_FOUND, done.output
    assert (
        "There is no client front-dsk, or you are not allowed to see this client: `floorhub client list` shows all "
        "clients that you are allowed to see." in done.stderr
    )
    assert ROWS[" ".join(arguments[: 1 if arguments[0] in ("print", "logs") else 2])].codes.count(ExitCode.NOT_FOUND)
    korean = run(site, [*arguments, *named, "front-dsk"], LANG="ko_KR.UTF-8")
    assert "`floorhub client list`로 확인하거나" in korean.stderr


def test_a_group_that_does_not_exist_is_told_with_commands(site: Site) -> None:
    for kind in ("client", "printer"):
        done = run(site, [kind, "list", "--group", "frnt"])
        assert (done.exit_code, "`floorhub group list` shows the groups" in done.stderr) == (ExitCode.NOT_FOUND, True)
